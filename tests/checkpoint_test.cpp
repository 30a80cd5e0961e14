// Models and adapters in folders: loaded, saved, sharded, merged, and refused by name when damaged.
#include "model/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "base/random.h"
#include "bnb_folder.h"
#include "error_of.h"
#include "model/lora.h"
#include "model/quantize.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kModels[] = {"tied", "head_dim", "grouped"};

fs::path golden(const std::string& name) {
  return fs::path(CHATMEM_SOURCE_DIR) / "tests/golden" / name;
}

std::vector<std::byte> bytes_of(Ops& ops, Tensor t) {
  std::vector<std::byte> bytes(t.size_bytes());
  ops.copy_out(bytes.data(), t);
  return bytes;
}

std::vector<float> values_of(Ops& ops, Tensor t) {
  const std::vector<std::byte> bytes = convert(bytes_of(ops, t), t.dtype, DType::f32);
  std::vector<float> values(t.size());
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// Copies a golden model and lets a test change the tensors of its file.
void damage(const std::string& name, const fs::path& folder,
            const std::function<void(std::map<std::string, TensorInfo>&)>& change) {
  const SafetensorsFile file(golden(name) / "model.safetensors");
  std::map<std::string, TensorInfo> tensors = file.tensors();
  change(tensors);
  fs::create_directories(folder);
  fs::copy_file(golden(name) / "config.json", folder / "config.json",
                fs::copy_options::overwrite_existing);
  write_safetensors(folder / "model.safetensors", tensors);
}

class CheckpointTest : public ::testing::Test {
 protected:
  std::string load_error(const fs::path& folder) {
    return error_of([&] { load_model(*ops_, folder); });
  }
  // The error of a golden model after `change`.
  std::string error_after(const std::string& name,
                          const std::function<void(std::map<std::string, TensorInfo>&)>& change) {
    damage(name, folder_.path() / "damaged", change);
    return load_error(folder_.path() / "damaged");
  }
  void expect_same(const Llama& a, const Llama& b) {
    std::map<std::string, Tensor> tensors;
    for_each_tensor(
        a, [&](const std::string& name, const Tensor& t, TensorKind) { tensors[name] = t; });
    size_t n = 0;
    for_each_tensor(b, [&](const std::string& name, const Tensor& t, TensorKind) {
      EXPECT_EQ(t.dtype, tensors.at(name).dtype) << name;
      EXPECT_EQ(bytes_of(*ops_, t), bytes_of(*ops_, tensors.at(name))) << name;
      n++;
    });
    EXPECT_EQ(n, tensors.size());
    EXPECT_EQ(bytes_of(*ops_, a.inv_freq), bytes_of(*ops_, b.inv_freq));
  }

  TestFolder folder_;
  std::unique_ptr<Ops> ops_ = make_cpu_ops();
};

TEST_F(CheckpointTest, GoldenModelsAreLoaded) {
  for (const char* name : kModels) {
    const LoadedModel loaded = load_model(*ops_, golden(name));
    const Llama& model = loaded.model;
    size_t n_tensors = 0, n_values = 0;
    for_each_tensor(model, [&](const std::string& key, const Tensor& t, TensorKind kind) {
      ASSERT_TRUE(t) << key;
      const TensorInfo& info = loaded.files[0].tensors().at(key);
      EXPECT_TRUE(std::ranges::equal(bytes_of(*ops_, t), info.bytes)) << key;
      if (kind != TensorKind::norm) {
        EXPECT_EQ(t.data, info.bytes.data()) << key << " is mapped";
      }
      n_tensors++;
      n_values += t.size();
    });
    EXPECT_EQ(n_tensors, loaded.files[0].tensors().size());
    EXPECT_EQ(n_values, model.config.n_parameters());
    EXPECT_EQ(model.lm_head.data == model.embed.data, model.config.tied_embeddings);
    EXPECT_EQ(values_of(*ops_, model.inv_freq), rope_inv_freq(model.config));
    EXPECT_EQ(model.config.eos_ids, std::vector<int>{2});
  }
}

TEST_F(CheckpointTest, SavedIsLoadedWithTheSameBits) {
  for (const char* name : kModels) {
    const LoadedModel loaded = load_model(*ops_, golden(name));
    save_model(folder_.path() / name, *ops_, loaded.model, {.dtype = DType::f32});
    const LoadedModel again = load_model(*ops_, folder_.path() / name, WeightMemory::device);
    expect_same(loaded.model, again.model);
    EXPECT_EQ(dump_json(config_to_json(again.model.config)),
              dump_json(config_to_json(loaded.model.config)));
  }
}

TEST_F(CheckpointTest, HalfPrecisionIsRoundedOnce) {
  const LoadedModel loaded = load_model(*ops_, golden("grouped"));
  for (const DType dtype : {DType::bf16, DType::f16}) {
    const fs::path first = folder_.path() / "first", second = folder_.path() / "second";
    save_model(first, *ops_, loaded.model, {.dtype = dtype});
    const LoadedModel half = load_model(*ops_, first);
    EXPECT_EQ(half.model.config.dtype, dtype);
    EXPECT_EQ(half.model.blocks[1].wq.dtype, dtype);
    EXPECT_EQ(half.model.blocks[1].attn_norm.dtype, DType::f32);
    const std::vector<float> exact = values_of(*ops_, loaded.model.embed),
                             rounded = values_of(*ops_, half.model.embed);
    const float unit = dtype == DType::bf16 ? 0x1p-8f : 0x1p-11f;
    for (size_t i = 0; i < exact.size(); i++)
      ASSERT_NEAR(rounded[i], exact[i], std::abs(exact[i]) * unit * 1.01f + 0x1p-25f);
    save_model(second, *ops_, half.model, {.dtype = dtype});
    EXPECT_EQ(read_file(first / "model.safetensors"), read_file(second / "model.safetensors"));
  }
}

TEST_F(CheckpointTest, ShardsHoldTheSameModel) {
  const LoadedModel loaded = load_model(*ops_, golden("head_dim"));
  const fs::path folder = folder_.path();
  save_model(folder, *ops_, loaded.model, {.dtype = DType::f32});
  save_model(folder, *ops_, loaded.model, {.dtype = DType::f32, .max_shard_bytes = 40'000});
  EXPECT_FALSE(fs::exists(folder / "model.safetensors")) << "the old model is removed";
  const Json index = read_json(folder / "model.safetensors.index.json");
  EXPECT_EQ(index["metadata"]["total_size"], loaded.model.config.n_parameters() * 4);
  const std::string last = index["weight_map"]["lm_head.weight"];
  EXPECT_THAT(last, ::testing::MatchesRegex("model-0000(.)-of-0000.\\.safetensors"));
  EXPECT_EQ(last.substr(6, 5), last.substr(15, 5));
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") {
      EXPECT_LE(entry.file_size(), 42'000u);
    }
  expect_same(loaded.model, load_model(*ops_, folder).model);

  fs::rename(folder / last, folder / "gone");
  EXPECT_THAT(load_error(folder), AllOf(HasSubstr(last), HasSubstr("must exist")));
  save_model(folder, *ops_, loaded.model, {.dtype = DType::f32});
  EXPECT_FALSE(fs::exists(folder / "model.safetensors.index.json"));
  expect_same(loaded.model, load_model(*ops_, folder).model);
}

TEST_F(CheckpointTest, AnIndexMustStayInItsFolder) {
  for (const char* file : {"../model.safetensors", "/model.safetensors", "..", ""}) {
    folder_.write("config.json", read_file(golden("tied") / "config.json"));
    folder_.write("model.safetensors.index.json",
                  dump_json(Json{{"weight_map", {{"model.norm.weight", file}}}}));
    EXPECT_THAT(load_error(folder_.path()), HasSubstr("must lie in a file of the folder"));
  }
}

TEST_F(CheckpointTest, DamagedTensorsAreNamed) {
  EXPECT_EQ(error_after("grouped", [](auto&) {}), "no error");
  const std::string up = "model.layers.1.mlp.up_proj.weight";
  EXPECT_THAT(error_after("grouped", [&](auto& t) { t.erase(up); }),
              AllOf(HasSubstr("tensor '" + up + "' (88, 48) is missing"), HasSubstr("damaged")));
  EXPECT_THAT(error_after("grouped",
                          [&](auto& t) {
                            t[up].shape = {48, 88};
                          }),
              AllOf(HasSubstr("must have shape (88, 48), has (48, 88)"), HasSubstr(up),
                    HasSubstr("model.safetensors")));
  EXPECT_THAT(error_after("grouped", [&](auto& t) { t[up].dtype = DType::i32; }),
              HasSubstr("tensor '" + up + "' must be f32, bf16 or f16, is i32"));
  EXPECT_THAT(error_after("grouped",
                          [&](auto& t) {
                            t["model.norm.weight"].shape = {1, 48};
                          }),
              HasSubstr("'model.norm.weight' must have shape (48), has (1, 48)"));
  EXPECT_THAT(error_after("grouped", [&](auto& t) { t["model.extra"] = t.at(up); }),
              HasSubstr("tensor 'model.extra' (88, 48) is not part of a Llama model"));
  EXPECT_EQ(
      error_after("grouped",
                  [&](auto& t) { t["model.layers.0.self_attn.rotary_emb.inv_freq"] = t.at(up); }),
      "no error");
}

TEST_F(CheckpointTest, AnIndexMustNameWhatItsShardsHold) {
  const LoadedModel loaded = load_model(*ops_, golden("head_dim"));
  const fs::path folder = folder_.path(), index = folder / "model.safetensors.index.json";
  save_model(folder, *ops_, loaded.model, {.dtype = DType::f16, .max_shard_bytes = 20'000});
  const Json whole = read_json(index);
  EXPECT_EQ(load_model(*ops_, folder).model.config.dtype, DType::f16);
  const std::string last = whole["weight_map"]["lm_head.weight"];
  Json other = whole;
  other["weight_map"]["lm_head.weight"] = "model-00009-of-00009.safetensors";
  folder_.write(index.filename(), dump_json(other));
  EXPECT_THAT(load_error(folder), AllOf(HasSubstr("model-00009-of-00009.safetensors"),
                                        HasSubstr("must exist"), HasSubstr("index.json names it")));
  folder_.write(index.filename(), dump_json(whole));
  fs::copy_file(folder / last, folder / "twice.safetensors");
  other["weight_map"]["lm_head.weight"] = "twice.safetensors";
  other["weight_map"]["model.norm.weight"] = last;
  folder_.write(index.filename(), dump_json(other));
  EXPECT_THAT(load_error(folder), AllOf(HasSubstr("must be in one file"), HasSubstr(last)));
}

// As bitsandbytes stores it, with double quantization and without.
TEST_F(CheckpointTest, FoldersOfBitsandbytesAreLoaded) {
  Config config = load_model(*ops_, golden("grouped")).model.config;
  config.dim = 64, config.hidden_dim = 128, config.head_dim = 16;
  config.n_heads = 4, config.n_kv_heads = 2, config.tied_embeddings = false;
  const Llama original = init_model(*ops_, config, DType::bf16, 3).model;
  Llama quantized = original;
  quantize_to_nf4(*ops_, quantized);
  write_bnb_folder(folder_.path() / "nested", *ops_, quantized, DoubleQuantization::on);
  const LoadedModel nested = load_model(*ops_, folder_.path() / "nested");
  expect_same(quantized, nested.model);
  EXPECT_EQ(nested.model.blocks[1].w_down.dtype, DType::nf4);
  EXPECT_EQ(nested.model.config.dtype, DType::bf16);

  write_bnb_folder(folder_.path() / "plain", *ops_, quantized, DoubleQuantization::off);
  const LoadedModel plain = load_model(*ops_, folder_.path() / "plain");
  EXPECT_EQ(plain.model.blocks[1].w_down.dtype, DType::bf16);
  const std::vector<float> exact = values_of(*ops_, original.blocks[1].w_down);
  const Llama wide = owned_weights(*ops_, nested.model, DType::f32);
  for (const Tensor& read : {plain.model.blocks[1].w_down, wide.blocks[1].w_down}) {
    const std::vector<float> values = values_of(*ops_, read);
    double error = 0, size = 0;
    for (size_t i = 0; i < exact.size(); i++)
      error += std::pow(values[i] - exact[i], 2), size += std::pow(exact[i], 2);
    EXPECT_LT(std::sqrt(error / size), 0.12) << "4 bits";
    EXPECT_GT(error, 0);
  }

  save_model(folder_.path() / "wide", *ops_, nested.model, {.dtype = DType::f32});
  expect_same(wide, load_model(*ops_, folder_.path() / "wide").model);
}

TEST_F(CheckpointTest, DamagedWeightsOfBitsandbytesAreNamed) {
  Config config = load_model(*ops_, golden("grouped")).model.config;
  config.dim = 64, config.hidden_dim = 128, config.head_dim = 16;
  config.n_heads = 4, config.n_kv_heads = 2;
  Llama quantized = init_model(*ops_, config, DType::bf16, 3).model;
  quantize_to_nf4(*ops_, quantized);
  const fs::path folder = folder_.path() / "nf4", file = folder / "model.safetensors";
  const std::string up = "model.layers.1.mlp.up_proj.weight";
  const auto error_of_change =
      [&](const std::function<void(std::map<std::string, TensorInfo>&)>& change) {
        write_bnb_folder(folder, *ops_, quantized, DoubleQuantization::on);
        {
          const std::string bytes = read_file(file);
          folder_.write("copy", bytes);
          const SafetensorsFile copy(folder_.path() / "copy");
          std::map<std::string, TensorInfo> tensors = copy.tensors();
          change(tensors);
          write_safetensors(file, tensors);
        }
        return load_error(folder);
      };
  EXPECT_EQ(error_of_change([](auto&) {}), "no error");
  EXPECT_THAT(error_of_change([&](auto& t) { t.erase(up + ".absmax"); }),
              AllOf(HasSubstr("absmax must have 128 bytes"), HasSubstr(up), HasSubstr("nf4")));
  EXPECT_THAT(
      error_of_change([&](auto& t) {
        t[up + kBnbState] = t.at("model.layers.1.mlp.down_proj.weight" + kBnbState);
      }),
      AllOf(HasSubstr("must have shape (128, 64), its quant_state says (64, 128)"), HasSubstr(up)));
  EXPECT_THAT(error_of_change([&](auto& t) { t.erase(up + kBnbState); }), HasSubstr(up));
  EXPECT_THAT(
      error_of_change([&](auto& t) { t["model.norm.weight.absmax"] = t.at(up + ".absmax"); }),
      HasSubstr("'model.norm.weight.absmax' (128) is not part of a Llama model"));
}

TEST_F(CheckpointTest, TiedModelsMayRepeatTheEmbedding) {
  const auto repeat = [](auto& t) { t["lm_head.weight"] = t.at("model.embed_tokens.weight"); };
  EXPECT_EQ(error_after("tied", repeat), "no error");
  std::vector<std::byte> other(101 * 32 * 4);
  EXPECT_THAT(error_after("tied",
                          [&](auto& t) {
                            repeat(t);
                            t["lm_head.weight"].bytes = other;
                          }),
              HasSubstr("must equal the embedding"));
  EXPECT_THAT(error_after("grouped", [](auto& t) { t.erase("lm_head.weight"); }),
              HasSubstr("'lm_head.weight' (97, 48) is missing"));
}

TEST_F(CheckpointTest, FoldersWithoutAModel) {
  EXPECT_THAT(load_error(folder_.path()), HasSubstr("has no config.json"));
  folder_.write("config.json", read_file(golden("tied") / "config.json"));
  EXPECT_THAT(load_error(folder_.path()), HasSubstr("has neither"));
  const std::string whole = read_file(golden("tied") / "model.safetensors");
  folder_.write("model.safetensors", whole.substr(0, whole.size() - 1));
  EXPECT_THAT(load_error(folder_.path()), HasSubstr("must fill the data"));
}

TEST_F(CheckpointTest, UnalignedWeightsAreCopied) {
  const std::string whole = read_file(golden("tied") / "model.safetensors");
  // one space more in the header moves every tensor by a byte
  uint64_t length = 0;
  for (size_t i = 0; i < 8; i++) length |= uint64_t(uint8_t(whole[i])) << 8 * i;
  std::string moved = whole.substr(0, 8 + length) + " " + whole.substr(8 + length);
  for (size_t i = 0; i < 8; i++) moved[i] = char(uint64_t(length + 1) >> 8 * i);
  folder_.write("model.safetensors", moved);
  folder_.write("config.json", read_file(golden("tied") / "config.json"));
  const LoadedModel loaded = load_model(*ops_, folder_.path());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(loaded.model.embed.data) % 4, 0u);
  expect_same(load_model(*ops_, golden("tied")).model, loaded.model);
}

TEST_F(CheckpointTest, GenerationConfigListsTheEnds) {
  damage("tied", folder_.path(), [](auto&) {});
  folder_.write("generation_config.json", R"({"eos_token_id": [2, 5]})");
  EXPECT_EQ(load_model(*ops_, folder_.path()).model.config.eos_ids, (std::vector<int>{2, 5}));
  folder_.write("generation_config.json", R"({"eos_token_id": 1000})");
  EXPECT_THAT(load_error(folder_.path()), HasSubstr("with generation_config.json: eos_token_id"));
}

TEST_F(CheckpointTest, FreshWeightsAreNormal) {
  const Config config = load_model(*ops_, golden("grouped")).model.config;
  const LoadedModel fresh = init_model(*ops_, config, DType::f32, 7);
  expect_same(fresh.model, init_model(*ops_, config, DType::f32, 7).model);
  double sum = 0, squares = 0;
  const std::vector<float> embed = values_of(*ops_, fresh.model.embed);
  for (const float x : embed) sum += x, squares += double(x) * x;
  EXPECT_NEAR(sum / double(embed.size()), 0, 0.001);
  EXPECT_NEAR(std::sqrt(squares / double(embed.size())), 0.02, 0.001);
  EXPECT_NE(values_of(*ops_, fresh.model.lm_head), embed);
  EXPECT_NE(values_of(*ops_, init_model(*ops_, config, DType::f32, 8).model.embed), embed);
  EXPECT_EQ(values_of(*ops_, fresh.model.final_norm), std::vector<float>(48, 1));
  EXPECT_EQ(values_of(*ops_, fresh.model.inv_freq), rope_inv_freq(config));
}

TEST_F(CheckpointTest, InterleavedModelsAreSavedInTheOrderOfHuggingFace) {
  LoadedModel loaded = load_model(*ops_, golden("grouped"), WeightMemory::device);
  const auto reorder = [&](Tensor& t) {
    std::vector<std::byte> bytes = bytes_of(*ops_, t);
    reorder_heads(bytes, size_t(t.cols) * 4, loaded.model.config.head_dim, RopeLayout::half,
                  RopeLayout::interleaved);
    EXPECT_NE(bytes, bytes_of(*ops_, t));
    EXPECT_EQ(
        std::memcmp(&bytes[size_t(t.cols) * 4],
                    static_cast<std::byte*>(t.data) + size_t(t.cols) * 4 * 4, size_t(t.cols) * 4),
        0)
        << "row 1 of a head of 8 was row 4";
    ops_->copy_in(t, bytes.data());
  };
  for (Block& block : loaded.model.blocks) {
    reorder(block.wq);
    reorder(block.wk);
  }
  loaded.model.config.rope_layout = RopeLayout::interleaved;
  save_model(folder_.path(), *ops_, loaded.model, {.dtype = DType::f32});
  expect_same(load_model(*ops_, golden("grouped")).model, load_model(*ops_, folder_.path()).model);
}

TEST(Convert, EveryHalfIsKeptAndRoundingIsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const float value = to_f32(f16{uint16_t(bits)});
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(to_f32(to_f16(value))));
    } else {
      ASSERT_EQ(to_f16(value).bits, bits);
    }
  }
  for (uint32_t bits = 0; bits < 0x7BFF; bits++) {  // between a value and the next
    const float low = to_f32(f16{uint16_t(bits)}), high = to_f32(f16{uint16_t(bits + 1)});
    const float middle = (low + high) / 2;
    ASSERT_EQ(to_f16(middle).bits, bits + (bits & 1));
    ASSERT_EQ(to_f16(std::nextafter(middle, 0.0f)).bits, bits);
    ASSERT_EQ(to_f16(std::nextafter(-middle, -1e9f)).bits, 0x8000 + bits + 1);
  }
  EXPECT_EQ(to_f16(65519.99f).bits, 0x7BFF);
  EXPECT_EQ(to_f16(65520).bits, 0x7C00);
  EXPECT_EQ(to_f16(std::numeric_limits<float>::infinity()).bits, 0x7C00);
}

class LoraTest : public CheckpointTest {
 protected:
  std::string adapter_error(
      const std::function<void(std::map<std::string, TensorInfo>&)>& change,
      const std::function<void(Json&)>& change_config = [](Json&) {}) {
    const fs::path source = golden("grouped") / "adapter";
    const SafetensorsFile file(source / "adapter_model.safetensors");
    std::map<std::string, TensorInfo> tensors = file.tensors();
    change(tensors);
    write_safetensors(folder_.path() / "adapter_model.safetensors", tensors);
    Json json = read_json(source / "adapter_config.json");
    change_config(json);
    folder_.write("adapter_config.json", dump_json(json));
    const LoadedModel base = load_model(*ops_, golden("grouped"));
    return error_of([&] { load_adapter(*ops_, base.model, folder_.path(), DType::f32); });
  }
};

// W + scale * B A in doubles.
std::vector<double> merged_by_hand(Ops& ops, Tensor w, const Lora& lora) {
  const std::vector<float> base = values_of(ops, w), a = values_of(ops, lora.a),
                           b = values_of(ops, lora.b);
  const size_t in = size_t(w.cols), rank = size_t(lora.a.rows);
  std::vector<double> sum(base.begin(), base.end());
  for (size_t o = 0; o < size_t(w.rows); o++)
    for (size_t i = 0; i < in; i++)
      for (size_t r = 0; r < rank; r++)
        sum[o * in + i] += double(lora.scale) * b[o * rank + r] * a[r * in + i];
  return sum;
}

TEST_F(LoraTest, FreshAdapterChangesNothing) {
  const LoadedModel loaded = load_model(*ops_, golden("grouped"));
  AdapterConfig description = {.rank = 4, .alpha = 32, .rslora = true};
  description.target_modules = {"q_proj", "down_proj"};
  const Adapter adapter = make_adapter(*ops_, loaded.model, description, DType::f32, 3);
  size_t n = 0;
  for_each_lora(adapter, [&](const std::string& prefix, const Lora& lora) {
    EXPECT_THAT(prefix, ::testing::MatchesRegex("base_model.model.model.layers.(0|1)."
                                                "(self_attn.q_proj|mlp.down_proj)"));
    EXPECT_EQ(lora.scale, 16);  // 32 / sqrt(4)
    const float bound = 1 / std::sqrt(float(lora.a.cols));
    float largest = 0;
    for (const float x : values_of(*ops_, lora.a)) largest = std::max(largest, std::abs(x));
    EXPECT_LE(largest, bound);
    EXPECT_GE(largest, bound * 0.9f);
    for (const float x : values_of(*ops_, lora.b)) EXPECT_EQ(x, 0);
    n++;
  });
  EXPECT_EQ(n, 4u);
  EXPECT_NE(values_of(*ops_, adapter.blocks[0].wq.a), values_of(*ops_, adapter.blocks[1].wq.a));
  expect_same(loaded.model, merge_adapter(*ops_, loaded.model, adapter));
  description.dora = true;
  const Adapter dora = make_adapter(*ops_, loaded.model, description, DType::f32, 3);
  expect_same(loaded.model, merge_adapter(*ops_, loaded.model, dora));
  const auto error = [&] {
    return error_of([&] { make_adapter(*ops_, loaded.model, description, DType::f32, 3); });
  };
  description.rank_pattern = {{"layers.1.self_attn.q_proj", 8}, {"v_proj", 2}};
  EXPECT_THAT(error(), HasSubstr("the pattern 'v_proj' must match"));
  description.target_modules = {"q_proj", "c_attn"};
  EXPECT_THAT(error(), HasSubstr("'c_attn'"));
}

TEST_F(LoraTest, AdapterRoundTripEqualsTheFileOfPeft) {
  for (const auto& [name, adapter_name] : {std::pair("tied", "adapter"),
                                           {"head_dim", "adapter"},
                                           {"grouped", "adapter"},
                                           {"grouped", "dora"}}) {
    const fs::path source = golden(name) / adapter_name, saved = folder_.path() / name;
    LoadedModel base = load_model(*ops_, golden(name));
    const AdapterConfig description = read_adapter_config(source / "adapter_config.json");
    // Attached to a base of either layout, it is saved as it was.
    for (const RopeLayout layout : {RopeLayout::half, RopeLayout::interleaved}) {
      base.model.config.rope_layout = layout;
      const Adapter adapter = load_adapter(*ops_, base.model, source, DType::f32);
      if (!description.dora) EXPECT_EQ(adapter.blocks[0].wk.scale, 2);
      save_adapter(saved, *ops_, base.model.config, adapter, description);
      const SafetensorsFile expected(source / "adapter_model.safetensors");
      const SafetensorsFile found(saved / "adapter_model.safetensors");
      ASSERT_EQ(found.tensors().size(), expected.tensors().size());
      for (const auto& [key, info] : expected.tensors()) {
        EXPECT_EQ(found.tensors().at(key).shape, info.shape) << key;
        EXPECT_TRUE(std::ranges::equal(found.tensors().at(key).bytes, info.bytes)) << key;
      }
      EXPECT_EQ(read_file(saved / "adapter_config.json"),
                read_file(source / "adapter_config.json"));
    }
  }
}

TEST_F(LoraTest, AdaptersOfLowerPrecisionAreConverted) {
  const LoadedModel base = load_model(*ops_, golden("tied"));
  const fs::path source = golden("tied") / "adapter";
  const Adapter full = load_adapter(*ops_, base.model, source, DType::f32);
  const Adapter half = load_adapter(*ops_, base.model, source, DType::bf16);
  EXPECT_EQ(half.blocks[1].w_up.b.dtype, DType::bf16);
  EXPECT_EQ(bytes_of(*ops_, half.blocks[1].w_up.b),
            convert(bytes_of(*ops_, full.blocks[1].w_up.b), DType::f32, DType::bf16));
}

TEST_F(LoraTest, DamagedAdaptersAreRefusedByName) {
  const std::string prefix = "base_model.model.model.layers.1.mlp.up_proj";
  const auto nothing = [](auto&) {};
  EXPECT_EQ(adapter_error(nothing), "no error");
  EXPECT_THAT(adapter_error([&](auto& t) { t.erase(prefix + ".lora_B.weight"); }),
              HasSubstr("'" + prefix + ".lora_B.weight' (88, 4) is missing"));
  EXPECT_THAT(adapter_error([&](auto& t) {
                t.erase(prefix + ".lora_A.weight");
                t.erase(prefix + ".lora_B.weight");
              }),
              HasSubstr(prefix + ".lora_A.weight' (4, 48) is missing"));
  EXPECT_THAT(adapter_error([&](auto& t) {
                t[prefix + ".lora_A.weight"].shape = {48, 4};
              }),
              HasSubstr("must have shape (4, 48), has (48, 4)"));
  EXPECT_THAT(adapter_error([&](auto& t) { t[prefix + ".lora_A.weight"].dtype = DType::i32; }),
              HasSubstr("is i32"));
  EXPECT_THAT(adapter_error([&](auto& t) {
                t["base_model.model.lm_head.lora_A.weight"] = t[prefix + ".lora_A.weight"];
              }),
              HasSubstr("'base_model.model.lm_head.lora_A.weight' must be LoRA of a projection"));
  EXPECT_THAT(adapter_error(nothing, [](Json& json) { json["r"] = 8; }),
              HasSubstr("must have shape (8, 48), has (4, 48)"));
  EXPECT_THAT(adapter_error(nothing, [](Json& json) { json["use_dora"] = true; }),
              HasSubstr(".lora_magnitude_vector.weight' (48) is missing"));
  EXPECT_THAT(adapter_error([](auto& t) { t.clear(); },
                            [](Json& json) { json["target_modules"] = "all-linear"; }),
              HasSubstr("has none"));
  EXPECT_THAT(error_of([&] {
                load_adapter(*ops_, load_model(*ops_, golden("tied")).model, golden("tied"),
                             DType::f32);
              }),
              HasSubstr("has no adapter_config.json"));
}

TEST_F(LoraTest, MergedWeightsAreRoundedOnce) {
  const LoadedModel golden_base = load_model(*ops_, golden("head_dim"));
  Adapter adapter =
      load_adapter(*ops_, golden_base.model, golden("head_dim") / "adapter", DType::f32);
  adapter.blocks[0].wo = {};  // what is not adapted stays
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    save_model(folder_.path(), *ops_, load_model(*ops_, golden("head_dim")).model,
               {.dtype = dtype});
    const LoadedModel base = load_model(*ops_, folder_.path());
    const Llama merged = merge_adapter(*ops_, base.model, adapter);
    EXPECT_EQ(merged.blocks[0].wo.data, base.model.blocks[0].wo.data);
    const double unit = dtype == DType::f32 ? 0x1p-22 : dtype == DType::bf16 ? 0x1p-8 : 0x1p-11;
    for (size_t layer = 0; layer < merged.blocks.size(); layer++)
      for (const auto& [module, projection] : kProjections) {
        const Lora& lora = adapter.blocks[layer].*projection.lora;
        if (!lora) continue;
        const Tensor w = merged.blocks[layer].*projection.weight;
        EXPECT_EQ(w.dtype, dtype);
        const std::vector<double> expected =
            merged_by_hand(*ops_, base.model.blocks[layer].*projection.weight, lora);
        const std::vector<float> found = values_of(*ops_, w);
        for (size_t i = 0; i < found.size(); i++)
          ASSERT_NEAR(found[i], expected[i], std::abs(expected[i]) * unit * 1.01 + 1e-6)
              << layer << " " << module << " " << i;
      }
  }
}

}  // namespace
}  // namespace chatmem
