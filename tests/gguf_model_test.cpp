// Llamas in GGUF files: what other programs wrote is opened, what we write is the same model, and
// what is damaged is refused by name.
#include "model/gguf_model.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "error_of.h"
#include "golden_model.h"
#include "model/compare.h"
#include "model/gguf_export.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

fs::path golden(const std::string& name) {
  return fs::path(CHATMEM_SOURCE_DIR) / "tests/golden" / name;
}

template <typename T>
std::vector<T> values_of(const SafetensorsFile& file, const std::string& name) {
  const TensorInfo& info = file.tensors().at(name);
  std::vector<T> values(info.bytes.size() / sizeof(T));
  std::memcpy(values.data(), info.bytes.data(), info.bytes.size());
  return values;
}

class GgufModelTest : public ::testing::Test {
 protected:
  // The golden GGUF written anew after `change`, and what opening it fails with.
  using Tensors = std::vector<std::pair<std::string, TensorInfo>>;
  std::string error_after(const std::function<void(GgufMetadata&, Tensors&)>& change) {
    const GgufFile file(golden("llama.gguf"));
    GgufMetadata metadata = file.metadata();
    Tensors tensors;
    for (const auto& [name, tensor] : file.tensors())
      tensors.push_back({name, {*tensor.dtype, tensor.shape, tensor.bytes}});
    change(metadata, tensors);
    write_gguf(folder_.path() / "damaged.gguf", metadata, tensors);
    return error_of([&] { load_model(*ops_, folder_.path() / "damaged.gguf"); });
  }
  std::string error_with(const std::string& key, const GgufValue& value) {
    return error_after([&](GgufMetadata& metadata, Tensors&) { metadata[key] = value; });
  }
  static std::vector<int> some_tokens(int vocab_size) {
    std::vector<int> tokens;
    for (int i = 0; i < 40; i++) tokens.push_back((7 * i * i + 3 * i + 1) % vocab_size);
    return tokens;
  }

  TestFolder folder_;
  std::unique_ptr<Ops> ops_ = make_cpu_ops();
};

TEST_F(GgufModelTest, NamesAreThoseOfLlamaCpp) {
  EXPECT_EQ(gguf_name("model.embed_tokens.weight"), "token_embd.weight");
  EXPECT_EQ(gguf_name("lm_head.weight"), "output.weight");
  EXPECT_EQ(gguf_name("model.norm.weight"), "output_norm.weight");
  EXPECT_EQ(gguf_name("model.layers.12.self_attn.o_proj.weight"), "blk.12.attn_output.weight");
  EXPECT_EQ(gguf_name("model.layers.0.post_attention_layernorm.weight"), "blk.0.ffn_norm.weight");
  EXPECT_EQ(gguf_name("model.layers.3.mlp.down_proj.weight"), "blk.3.ffn_down.weight");
}

// The file is of the gguf package, the logits are those of transformers (tools/reference.py).
TEST_F(GgufModelTest, TheGoldenFileGivesTheGoldenLogits) {
  const SafetensorsFile expected(golden("llama_gguf.safetensors"));
  const LoadedModel loaded = load_model(*ops_, golden("llama.gguf"));
  const Config& config = loaded.model.config;
  EXPECT_EQ(config.rope_layout, RopeLayout::interleaved);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.vocab_size, 264);
  EXPECT_EQ(config.bos_id, 259);
  EXPECT_THAT(config.eos_ids, ElementsAre(260, 263));
  EXPECT_FALSE(config.tied_embeddings);
  EXPECT_EQ(config.dtype, DType::q8_0);
  ASSERT_TRUE(config.rope_scaling);
  EXPECT_EQ(config.rope_scaling->factor, 8);
  EXPECT_EQ(config.rope_scaling->original_max_seq_len, 32);
  EXPECT_EQ(loaded.model.blocks[1].wq.data,
            loaded.gguf->tensors().at("blk.1.attn_q.weight").bytes.data())
      << "mapped";

  std::vector<float> inv_freq(8);
  ops_->copy_out(inv_freq.data(), loaded.model.inv_freq);
  const auto golden_freq = values_of<float>(expected, "inv_freq");
  for (size_t i = 0; i < 8; i++) EXPECT_NEAR(inv_freq[i] / golden_freq[i], 1, 1e-6);

  const auto tokens = values_of<int>(expected, "tokens");
  const auto logits = values_of<float>(expected, "logits");
  const size_t vocab = size_t(config.vocab_size), first = tokens.size() - logits.size() / vocab;
  double worst = 0;
  visit_logits(
      *ops_, loaded.model, tokens, nullptr, DType::f32, kPrefillTokens, [&](int begin, Tensor t) {
        std::vector<float> rows(t.size());
        ops_->copy_out(rows.data(), t);
        for (size_t r = 0; r < size_t(t.rows); r++)
          for (size_t i = 0; i < vocab && size_t(begin) + r >= first; i++)
            worst =
                std::max(worst, double(std::abs(rows[r * vocab + i] -
                                                logits[(size_t(begin) + r - first) * vocab + i])));
      });
  EXPECT_LT(worst, 0.05);  // activations may be quantized for the product with q8_0
}

TEST_F(GgufModelTest, WrittenIsTheSameModel) {
  for (const char* name : kGoldenModels) {
    const LoadedModel source = load_model(*ops_, golden(name));
    const auto tokens = some_tokens(source.model.config.vocab_size);
    for (const auto& [type, limit] : {std::pair(GgufFileType::all_f32, 1e-6),
                                      {GgufFileType::mostly_f16, 1e-5},
                                      {GgufFileType::mostly_bf16, 1e-3}}) {
      const fs::path path = folder_.path() / "model.gguf";
      const GgufSaved saved = save_gguf(path, *ops_, source.model, {type, name, {}});
      EXPECT_EQ(saved.n_replaced, 0);
      EXPECT_EQ(saved.size_bytes, fs::file_size(path));
      const LoadedModel written = load_model(*ops_, path);
      EXPECT_EQ(written.model.config.dtype, saved.dtype);
      EXPECT_EQ(written.model.config.tied_embeddings, source.model.config.tied_embeddings);
      EXPECT_EQ(written.model.config.head_dim, source.model.config.head_dim);
      ASSERT_TRUE(written.model.config.rope_scaling) << name;
      EXPECT_EQ(written.model.config.rope_scaling->factor,
                source.model.config.rope_scaling->factor);
      const auto d = compare_models(*ops_, {source.model}, {written.model}, tokens);
      EXPECT_TRUE(d.is_finite);
      EXPECT_LT(d.mean_kl, limit) << name << " " << saved.type;
      if (type != GgufFileType::all_f32) continue;
      // and back to a folder: the same bits
      save_model(folder_.path() / "back", *ops_, written.model, {.dtype = DType::f32});
      EXPECT_EQ(read_file(folder_.path() / "back/model.safetensors").size(),
                read_file(golden(name) / "model.safetensors").size());
      const LoadedModel back = load_model(*ops_, folder_.path() / "back");
      for_each_tensor(back.model, [&](const std::string& key, const Tensor& t, TensorKind) {
        const TensorInfo& info = source.files[0].tensors().at(key);
        std::vector<std::byte> bytes(t.size_bytes());
        ops_->copy_out(bytes.data(), t);
        EXPECT_TRUE(std::ranges::equal(bytes, info.bytes)) << key;
      });
    }
  }
}

TEST_F(GgufModelTest, AWrongOrderOfRowsIsSeen) {
  const LoadedModel source = load_model(*ops_, golden("grouped"));
  Llama wrong = source.model;
  wrong.config.rope_layout = RopeLayout::interleaved;  // though its rows are not
  const auto d =
      compare_models(*ops_, {source.model}, {wrong}, some_tokens(source.model.config.vocab_size));
  EXPECT_GT(d.mean_kl, 0.005) << "the limit that export allows bf16";
}

TEST_F(GgufModelTest, QuantizedByTheRecipe) {
  const LoadedModel source = load_model(*ops_, golden("llama.gguf"));
  const fs::path path = folder_.path() / "model.gguf";
  // rows of 32 and 64 elements do not fill blocks of 256
  EXPECT_EQ(save_gguf(path, *ops_, source.model, {GgufFileType::mostly_q4_k_m, "m", {}}).n_replaced,
            15);
  const GgufFile fallback(path);
  EXPECT_EQ(fallback.tensors().at("blk.0.attn_q.weight").type, "Q8_0");
  EXPECT_EQ(fallback.tensors().at("output.weight").type, "Q8_0");
  EXPECT_EQ(fallback.tensors().at("output_norm.weight").type, "F32");

  Config config = source.model.config;
  config.dim = config.hidden_dim = 256;
  config.n_layers = 8;
  const LoadedModel fresh = init_model(*ops_, config, DType::bf16, 1);
  EXPECT_EQ(save_gguf(path, *ops_, fresh.model, {GgufFileType::mostly_q4_k_m, "m", {}}).n_replaced,
            8)
      << "attn_output has rows of 32 elements";
  const GgufFile file(path);
  EXPECT_EQ(file.find("general.file_type")->integer(), 15);
  EXPECT_EQ(file.tensors().at("output.weight").type, "Q6_K");
  EXPECT_EQ(file.tensors().at("token_embd.weight").type, "Q4_K");
  for (const auto& [layer, type] : {std::pair(0, "Q6_K"),
                                    {1, "Q4_K"},
                                    {2, "Q4_K"},
                                    {3, "Q6_K"},
                                    {4, "Q4_K"},
                                    {5, "Q4_K"},
                                    {6, "Q6_K"},
                                    {7, "Q6_K"}}) {
    EXPECT_EQ(file.tensors().at(fmt::format("blk.{}.attn_v.weight", layer)).type, type) << layer;
    EXPECT_EQ(file.tensors().at(fmt::format("blk.{}.ffn_down.weight", layer)).type, type) << layer;
    EXPECT_EQ(file.tensors().at(fmt::format("blk.{}.attn_k.weight", layer)).type, "Q4_K");
  }
  const LoadedModel written = load_model(*ops_, path);
  const auto d =
      compare_models(*ops_, {fresh.model}, {written.model}, some_tokens(config.vocab_size));
  EXPECT_TRUE(d.is_finite);
  EXPECT_LT(d.mean_kl, 0.05);
}

TEST_F(GgufModelTest, WhatHasItsTypeIsCopied) {
  const LoadedModel source = load_model(*ops_, golden("llama.gguf"));
  const fs::path path = folder_.path() / "model.gguf";
  save_gguf(path, *ops_, source.model, {GgufFileType::mostly_q8_0, "m", {}});
  const GgufFile written(path);
  for (const auto& [name, tensor] : source.gguf->tensors()) {
    if (name == kRopeFactors) continue;  // a quotient of quotients
    EXPECT_TRUE(std::ranges::equal(tensor.bytes, written.tensors().at(name).bytes)) << name;
  }
}

TEST_F(GgufModelTest, AdaptersAreTheSameOnEveryLayout) {
  for (const char* name : kGoldenModels) {
    const LoadedModel base = load_model(*ops_, golden(name));
    Adapter adapter = load_adapter(*ops_, base.model, golden(name) / "adapter", DType::f32);
    adapter.blocks[1].wv.scale *= 2;  // modules may differ
    const fs::path path = folder_.path() / "model.gguf", lora = folder_.path() / "lora.gguf";
    save_gguf(path, *ops_, base.model, {GgufFileType::all_f32, name, {}});
    save_gguf_adapter(lora, *ops_, base.model.config, adapter, name);
    const GgufFile file(lora);
    EXPECT_EQ(*file.find("adapter.lora.alpha")->get<double>(), 8);
    const LoadedModel base_gguf = load_model(*ops_, path);
    const auto tokens = some_tokens(base.model.config.vocab_size);
    for (const LoadedModel* on : {&base, &base_gguf}) {
      const Adapter written = load_gguf_adapter(*ops_, on->model.config, lora, DType::f32);
      const auto d = compare_models(*ops_, {base.model, &adapter}, {on->model, &written}, tokens);
      EXPECT_LT(d.largest, 1e-3) << name;
      EXPECT_GT(compare_models(*ops_, {base.model}, {on->model, &written}, tokens).largest, 0.01);
    }
  }
  const Config other = load_model(*ops_, golden("tied")).model.config;
  EXPECT_THAT(
      error_of([&] { load_gguf_adapter(*ops_, other, folder_.path() / "lora.gguf", DType::f32); }),
      HasSubstr("must have shape"));
  EXPECT_THAT(error_of([&] { load_gguf_adapter(*ops_, other, golden("llama.gguf"), DType::f32); }),
              HasSubstr("must be a LoRA adapter"));
}

TEST_F(GgufModelTest, MergingIntoQuantizedWeightsGivesBf16) {
  const LoadedModel source = load_model(*ops_, golden("llama.gguf"));
  Adapter adapter =
      make_adapter(*ops_, source.model, {.rank = 2, .target_modules = {"q_proj"}}, DType::f32, 1);
  const Llama merged = merge_adapter(*ops_, source.model, adapter);
  EXPECT_EQ(merged.blocks[0].wq.dtype, DType::bf16);
  EXPECT_EQ(merged.blocks[0].wk.dtype, DType::q8_0);
}

TEST_F(GgufModelTest, OtherModelsAreRefusedByKey) {
  EXPECT_EQ(error_after([](GgufMetadata&, Tensors&) {}), "no error");
  EXPECT_THAT(error_with("general.architecture", GgufValue::of("qwen2")),
              HasSubstr("general.architecture must be \"llama\", is \"qwen2\""));
  EXPECT_THAT(error_with("general.type", GgufValue::of("adapter")), HasSubstr("is \"adapter\""));
  EXPECT_THAT(error_with("split.count", GgufValue::of(uint32_t(3))), HasSubstr("must be one file"));
  EXPECT_THAT(error_with("llama.expert_count", GgufValue::of(uint32_t(8))),
              HasSubstr("llama.expert_count must be 0"));
  EXPECT_THAT(error_with("llama.rope.scaling.type", GgufValue::of("yarn")),
              HasSubstr("must be none or linear, is yarn"));
  EXPECT_THAT(error_with("llama.block_count", GgufValue::of(1.5f)),
              HasSubstr("llama.block_count must be a whole number, is not"));
  EXPECT_THAT(error_with("llama.embedding_length", GgufValue::of(uint32_t(1) << 30)),
              HasSubstr("hidden_size must be from 1 to"));
  EXPECT_THAT(error_with("llama.rope.dimension_count", GgufValue::of(uint32_t(8))),
              HasSubstr("must be the size of a head, 16, is 8"));
  EXPECT_THAT(error_with("tokenizer.ggml.bos_token_id", GgufValue::of(uint32_t(9999))),
              HasSubstr("bos_token_id must be a token from 0 to 263"));
  EXPECT_THAT(error_after([](GgufMetadata& m, Tensors&) { m.erase("llama.context_length"); }),
              HasSubstr("llama.context_length must be a whole number, is missing"));
  EXPECT_THAT(error_after([](GgufMetadata& m, Tensors&) {
                m.erase("llama.attention.layer_norm_rms_epsilon");
              }),
              HasSubstr("layer_norm_rms_epsilon is missing"));
}

TEST_F(GgufModelTest, DamagedModelsAreRefusedByTensor) {
  const auto erase = [](const std::string& name) {
    return [name](GgufMetadata&, Tensors& tensors) {
      std::erase_if(tensors, [&](const auto& entry) { return entry.first == name; });
    };
  };
  const auto change = [](const std::string& name, const std::function<void(TensorInfo&)>& how) {
    return [name, how](GgufMetadata&, Tensors& tensors) {
      for (auto& [key, info] : tensors)
        if (key == name) how(info);
    };
  };
  EXPECT_EQ(error_after(erase("output.weight")), "no error") << "tied";
  EXPECT_THAT(error_after(erase("blk.1.ffn_up.weight")),
              HasSubstr("tensor 'blk.1.ffn_up.weight' (64, 32) is missing"));
  EXPECT_THAT(error_after(erase("token_embd.weight")),
              HasSubstr("'token_embd.weight' must be there"));
  EXPECT_THAT(error_after(change("blk.0.attn_k.weight",
                                 [](TensorInfo& info) {
                                   info.shape = {8, 64};
                                 })),
              HasSubstr("tensor 'blk.0.attn_k.weight' must have shape (16, 32), has (8, 64)"));
  EXPECT_THAT(error_after([](GgufMetadata&, Tensors& tensors) {
                tensors.push_back({"blk.0.attn_q.bias", tensors[0].second});
              }),
              HasSubstr("tensor 'blk.0.attn_q.bias'"));
  EXPECT_THAT(error_after([](GgufMetadata&, Tensors& tensors) {
                tensors.push_back({"lm_head.weight", tensors[0].second});
              }),
              HasSubstr("is not part of a Llama model"));
  const std::vector<float> zeros(8), huge(8, INFINITY);
  for (const auto* values : {&zeros, &huge})
    EXPECT_THAT(error_after(change(
                    "rope_freqs.weight",
                    [&](TensorInfo& info) { info.bytes = std::as_bytes(std::span(*values)); })),
                HasSubstr("'rope_freqs.weight' must hold positive numbers"));
  const std::vector<float> odd = {1, 2, 1, 2, 1, 2, 1, 3};
  EXPECT_EQ(
      error_after(change("rope_freqs.weight",
                         [&](TensorInfo& info) { info.bytes = std::as_bytes(std::span(odd)); })),
      "no error");
  const LoadedModel loaded = load_model(*ops_, folder_.path() / "damaged.gguf");
  EXPECT_FALSE(loaded.model.config.rope_scaling);
  EXPECT_THAT(error_of([&] {
                save_model(folder_.path() / "out", *ops_, loaded.model, {.dtype = DType::f32});
              }),
              HasSubstr("the rotary frequencies must be those of a config.json"));
}

TEST_F(GgufModelTest, ATypeWeDoNotComputeWithIsRefusedByName) {
  std::string bytes = read_file(golden("llama.gguf"));
  const std::string name = "blk.0.ffn_up.weight";
  const size_t type_at = bytes.find(name) + name.size() + 4 + 2 * 8;
  ASSERT_EQ(bytes[type_at], 8);
  bytes[type_at] = 6;  // q5_0, whose blocks are smaller
  folder_.write("q5.gguf", bytes);
  EXPECT_THAT(error_of([&] { load_model(*ops_, folder_.path() / "q5.gguf"); }),
              AllOf(HasSubstr(name), HasSubstr("Q4_K or Q6_K, is Q5_0")));
}

}  // namespace
}  // namespace chatmem
