// config.json in the spellings of the transformers versions, and the errors that name what is
// wrong.
#include "model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "format/safetensors.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Meta's file of Llama-3.1-8B-Instruct.
constexpr std::string_view kLlama31 = R"({
  "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
  "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "hidden_act": "silu",
  "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
  "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama",
  "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
  "pretraining_tp": 1, "rms_norm_eps": 1e-05,
  "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                   "original_max_position_embeddings": 8192, "rope_type": "llama3"},
  "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
  "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 128256})";

Json llama31() { return parse_json(kLlama31, "test"); }

std::string error_of(const std::function<void(Json&)>& change) {
  Json json = llama31();
  change(json);
  try {
    parse_config(json, "'config.json'");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

std::string error_with(const char* key, const Json& value) {
  return error_of([&](Json& json) { json[key] = value; });
}

TEST(Config, Llama31) {
  const Config config = parse_config(llama31(), "test");
  EXPECT_EQ(config.dim, 4096);
  EXPECT_EQ(config.hidden_dim, 14336);
  EXPECT_EQ(config.n_layers, 32);
  EXPECT_EQ(config.n_heads, 32);
  EXPECT_EQ(config.n_kv_heads, 8);
  EXPECT_EQ(config.head_dim, 128);
  EXPECT_EQ(config.q_dim(), 4096);
  EXPECT_EQ(config.kv_dim(), 1024);
  EXPECT_EQ(config.vocab_size, 128256);
  EXPECT_EQ(config.max_seq_len, 131072);
  EXPECT_EQ(config.rope_theta, 500000);
  EXPECT_EQ(config.norm_eps, 1e-5f);
  ASSERT_TRUE(config.rope_scaling);
  EXPECT_EQ(config.rope_scaling->factor, 8);
  EXPECT_EQ(config.rope_scaling->low_freq_factor, 1);
  EXPECT_EQ(config.rope_scaling->high_freq_factor, 4);
  EXPECT_EQ(config.rope_scaling->original_max_seq_len, 8192);
  EXPECT_FALSE(config.tied_embeddings);
  EXPECT_EQ(config.rope_layout, RopeLayout::half);
  EXPECT_EQ(config.dtype, DType::bf16);
  EXPECT_EQ(config.bos_id, 128000);
  EXPECT_THAT(config.eos_ids, ElementsAre(128001, 128008, 128009));
  EXPECT_EQ(config.n_parameters(),
            8030261248u);  // as the model card's index file says, 2 bytes each
}

TEST(Config, WrittenIsReadBack) {
  for (const std::string_view source : {kLlama31, std::string_view(R"({"hidden_size": 64,
      "head_dim": 32, "intermediate_size": 100, "num_hidden_layers": 2, "num_attention_heads": 6,
      "max_position_embeddings": 99, "vocab_size": 10, "tie_word_embeddings": true,
      "eos_token_id": 3, "rms_norm_eps": 1e-6})")}) {
    const Config config = parse_config(parse_json(source, "test"), "test");
    const Json written = config_to_json(config);
    EXPECT_EQ(dump_json(config_to_json(parse_config(written, "test"))), dump_json(written));
  }
  // Nothing of Meta's file is lost but the version.
  Json expected = llama31();
  expected.erase("transformers_version");
  expected["head_dim"] = 128;
  EXPECT_EQ(nlohmann::json(config_to_json(parse_config(llama31(), "test"))),
            nlohmann::json(expected));
}

TEST(Config, SpellingsOfAllVersionsMeanTheSame) {
  const std::string expected = dump_json(config_to_json(parse_config(llama31(), "test")));
  Json old = llama31();
  old["rope_scaling"]["type"] = old["rope_scaling"]["rope_type"];
  old["rope_scaling"].erase("rope_type");
  EXPECT_EQ(dump_json(config_to_json(parse_config(old, "test"))), expected);

  Json v5 = llama31();
  v5["rope_parameters"] = v5["rope_scaling"];
  v5["rope_parameters"]["rope_theta"] = v5["rope_theta"];
  v5["dtype"] = v5["torch_dtype"];
  for (const char* key : {"rope_scaling", "rope_theta", "torch_dtype"}) v5.erase(key);
  EXPECT_EQ(dump_json(config_to_json(parse_config(v5, "test"))), expected);
}

TEST(Config, Llama32TiedWithHeadDim) {
  Json json = llama31();
  json["hidden_size"] = 3072;
  json["num_attention_heads"] = 24;
  json["num_hidden_layers"] = 28;
  json["intermediate_size"] = 8192;
  json["tie_word_embeddings"] = true;
  json["rope_scaling"]["factor"] = 32.0;
  json["head_dim"] = 128;
  const Config config = parse_config(json, "test");
  EXPECT_TRUE(config.tied_embeddings);
  EXPECT_EQ(config.rope_scaling->factor, 32);
  EXPECT_EQ(config.n_parameters(), 3212749824u);  // Llama-3.2-3B
  json["head_dim"] = 64;
  EXPECT_EQ(parse_config(json, "test").q_dim(), 24 * 64);
}

TEST(Config, DefaultsOfTransformers) {
  const Json json =
      parse_json(R"({"hidden_size": 64, "intermediate_size": 100, "num_hidden_layers": 2,
      "num_attention_heads": 4, "max_position_embeddings": 99, "vocab_size": 10,
      "rope_scaling": null, "eos_token_id": null, "rope_parameters": {"rope_type": "default",
      "rope_theta": 20000.0}})",
                 "test");
  const Config config = parse_config(json, "test");
  EXPECT_EQ(config.n_kv_heads, 4);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.rope_theta, 20000);
  EXPECT_FALSE(config.rope_scaling);
  EXPECT_EQ(config.norm_eps, 1e-6f);
  EXPECT_EQ(config.dtype, DType::f32);
  EXPECT_EQ(config.bos_id, -1);
  EXPECT_TRUE(config.eos_ids.empty());
}

TEST(Config, ErrorsNameKeyAndFile) {
  EXPECT_THAT(error_of([](Json& json) { json = 3; }), HasSubstr("must be an object"));
  for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size",
                          "num_attention_heads", "max_position_embeddings"}) {
    EXPECT_THAT(error_of([&](Json& json) { json.erase(key); }), HasSubstr(key));
    EXPECT_THAT(error_with(key, 0), HasSubstr(key));
    EXPECT_THAT(error_with(key, -7), HasSubstr("is -7"));
    EXPECT_THAT(error_with(key, "7"), HasSubstr("must be an integer"));
    EXPECT_THAT(error_with(key, 1LL << 40), HasSubstr("'config.json'"));
  }
  EXPECT_THAT(error_with("model_type", "mistral"), HasSubstr("model_type must be \"llama\""));
  EXPECT_THAT(error_with("hidden_act", "gelu"), HasSubstr("hidden_act"));
  EXPECT_THAT(error_with("attention_bias", true), HasSubstr("attention_bias must be false"));
  EXPECT_THAT(error_with("mlp_bias", true), HasSubstr("mlp_bias must be false"));
  EXPECT_THAT(error_with("mlp_bias", 1), HasSubstr("mlp_bias must be true or false"));
  EXPECT_THAT(error_with("quantization_config", 3), HasSubstr("must be an object"));
  for (const auto& [kind, value] :
       {std::pair("unknown", Json{{"bits", 4}}),
        {"gptq", Json{{"quant_method", "gptq"}, {"bits", 4}}},
        {"int8", Json{{"load_in_8bit", true}}},
        {"fp4", Json{{"load_in_4bit", true}}},
        {"fp4", Json{{"quant_method", "bitsandbytes"}, {"bnb_4bit_quant_type", "fp4"}}}})
    EXPECT_THAT(error_with("quantization_config", value),
                HasSubstr(std::string("must be quantized as bitsandbytes' nf4, are as ") + kind));
  EXPECT_EQ(error_with("quantization_config",
                       {{"quant_method", "bitsandbytes"}, {"bnb_4bit_quant_type", "nf4"}}),
            "no error");
  EXPECT_THAT(error_with("num_key_value_heads", 5), HasSubstr("multiple of num_key_value_heads"));
  EXPECT_THAT(error_with("num_attention_heads", 24), HasSubstr("multiple of num_attention_heads"));
  EXPECT_THAT(error_with("head_dim", 127), HasSubstr("head_dim must be even"));
  EXPECT_THAT(error_with("head_dim", 1 << 20), HasSubstr("must not exceed"));
  EXPECT_THAT(error_with("rms_norm_eps", 0), HasSubstr("rms_norm_eps must be a positive"));
  EXPECT_THAT(error_with("rope_theta", -1), HasSubstr("rope_theta must be a positive"));
  EXPECT_THAT(error_with("torch_dtype", "float8"), HasSubstr("dtype must be float32"));
  EXPECT_THAT(error_with("eos_token_id", 128256), HasSubstr("eos_token_id must be a token"));
  EXPECT_THAT(error_with("bos_token_id", -1), HasSubstr("bos_token_id must be a token"));
}

TEST(Config, RopeTypesThatAreNotLlama3AreRefused) {
  for (const char* type : {"linear", "dynamic", "yarn", "longrope"})
    EXPECT_THAT(
        error_of([&](Json& json) { json["rope_scaling"]["rope_type"] = type; }),
        HasSubstr("rope_type must be \"default\" or \"llama3\", is \"" + std::string(type)));
  EXPECT_THAT(error_with("rope_scaling", 3), HasSubstr("must be an object"));
  EXPECT_THAT(error_of([](Json& json) { json["rope_scaling"].erase("factor"); }),
              HasSubstr("rope_scaling: key 'factor' is missing"));
  EXPECT_THAT(error_of([](Json& json) { json["rope_scaling"]["high_freq_factor"] = 1; }),
              HasSubstr("must exceed low_freq_factor"));
  EXPECT_THAT(error_of([](Json& json) { json["rope_scaling"]["partial_rotary_factor"] = 0.5; }),
              HasSubstr("partial_rotary_factor"));
}

// tests/golden/rope.safetensors holds what transformers computes. PyTorch's vectorized powers may
// differ from the C library's by one unit in the last place.
TEST(Config, InverseFrequenciesAreThoseOfTransformers) {
  const SafetensorsFile golden(fs::path(CHATMEM_SOURCE_DIR) / "tests/golden/rope.safetensors");
  Config config = parse_config(llama31(), "test");
  for (const auto& [name, factor] : {std::pair("llama31", 8.0f), std::pair("llama32", 32.0f)}) {
    config.rope_scaling->factor = factor;
    const std::vector<float> found = rope_inv_freq(config);
    const TensorInfo& info = golden.tensors().at(name);
    ASSERT_EQ(info.bytes.size(), found.size() * sizeof(float));
    std::vector<float> expected(found.size());
    std::memcpy(expected.data(), info.bytes.data(), info.bytes.size());
    for (size_t i = 0; i < found.size(); i++)
      EXPECT_NEAR(found[i], expected[i], 1.2e-7 * expected[i]) << name << " " << i;
    EXPECT_EQ(found[0], 1) << name;  // a short wave is kept
  }
}

TEST(Config, LongWavesAreStretchedByTheFactor) {
  Config config = parse_config(llama31(), "test");
  const float scaled = rope_inv_freq(config)[63];
  config.rope_scaling.reset();
  EXPECT_EQ(scaled, rope_inv_freq(config)[63] / 8);
  EXPECT_NEAR(rope_inv_freq(config)[32], 1 / std::sqrt(500000.0), 1e-9);
}

}  // namespace
}  // namespace chatmem
