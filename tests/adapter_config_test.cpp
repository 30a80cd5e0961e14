// PEFT's adapter_config.json: read, written, and refused by name where we could not apply it.
#include "format/adapter_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kQ0 = "model.layers.0.self_attn.q_proj";

Json example() {
  return parse_json(
      R"({"alpha_pattern": {}, "auto_mapping": null, "bias": "none", "corda_config": null,
      "base_model_name_or_path": "meta-llama/Llama-3.1-8B-Instruct", "fan_in_fan_out": false,
      "inference_mode": true, "init_lora_weights": true, "layers_pattern": null,
      "layers_to_transform": null, "lora_alpha": 16, "lora_bias": false, "lora_dropout": 0.05,
      "modules_to_save": null, "peft_type": "LORA", "r": 8, "rank_pattern": {}, "revision": null,
      "target_modules": ["v_proj", "q_proj"], "task_type": "CAUSAL_LM", "use_dora": false,
      "use_rslora": false})",
      "test");
}

std::string error_with(const char* key, const Json& value) {
  Json json = example();
  json[key] = value;
  try {
    parse_adapter_config(json, "'a'");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(AdapterConfig, IsRead) {
  const AdapterConfig config = parse_adapter_config(example(), "test");
  EXPECT_EQ(config.rank, 8);
  EXPECT_EQ(config.alpha, 16);
  EXPECT_EQ(config.dropout, 0.05);
  EXPECT_FALSE(config.rslora);
  EXPECT_TRUE(config.all_layers);
  EXPECT_THAT(config.target_modules, ElementsAre("v_proj", "q_proj"));
  EXPECT_EQ(config.base_model, "meta-llama/Llama-3.1-8B-Instruct");
  EXPECT_EQ(config.scale_of(kQ0), 2);
}

TEST(AdapterConfig, ScaleOfRsLoraAndPatterns) {
  AdapterConfig config = parse_adapter_config(example(), "test");
  config.rslora = true;
  config.rank = 16;
  EXPECT_EQ(config.scale_of(kQ0), 4);
  config.rslora = false;
  config.rank_pattern = {{"^model.layers.0.self_attn.q_proj", 2}, {"q_proj", 4}, {"proj", 99}};
  config.alpha_pattern = {{"0.self_attn.q_proj", 10}};
  EXPECT_EQ(config.rank_of(kQ0), 2);
  EXPECT_EQ(config.scale_of(kQ0), 5);
  EXPECT_EQ(config.rank_of("model.layers.10.self_attn.q_proj"), 4);
  EXPECT_EQ(config.scale_of("model.layers.10.self_attn.q_proj"), 4);  // "0.self_attn" is no part
  EXPECT_EQ(config.rank_of("model.layers.1.self_attn.v_proj"), 16);
}

TEST(AdapterConfig, WrittenAsPeftDoes) {
  TestFolder folder;
  AdapterConfig config = parse_adapter_config(example(), "test");
  config.rank_pattern = {{"q_proj", 4}};
  config.alpha_pattern = {{"v_proj", 0.5}};
  const fs::path path = folder.path() / "adapter_config.json";
  write_adapter_config(path, config);
  const std::string text = read_file(path);
  EXPECT_THAT(text, HasSubstr("\n  \"lora_alpha\": 16,\n  \"lora_dropout\": 0.05,\n"));
  const nlohmann::json sorted = nlohmann::json::parse(text);  // a sorted map
  EXPECT_EQ(text, sorted.dump(2));

  const AdapterConfig read = read_adapter_config(path);
  EXPECT_EQ(dump_json(adapter_config_to_json(read)), dump_json(adapter_config_to_json(config)));
  EXPECT_EQ(read.rank_of(kQ0), 4);
}

// The golden adapters are written in PEFT's spelling by Python.
TEST(AdapterConfig, GoldenIsWrittenBackAsItWas) {
  const fs::path path =
      fs::path(CHATMEM_SOURCE_DIR) / "tests/golden/tied/adapter/adapter_config.json";
  EXPECT_EQ(dump_json(adapter_config_to_json(read_adapter_config(path)), 2), read_file(path));
}

TEST(AdapterConfig, WhatWouldComputeSomethingElseIsRefused) {
  for (const char* key :
       {"fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora", "kasa_config"}) {
    EXPECT_THAT(error_with(key, true), HasSubstr(std::string(key) + " is not supported"));
    EXPECT_EQ(error_with(key, nullptr), "no error");
  }
  for (const char* key : {"modules_to_save", "target_parameters", "alora_invocation_tokens"}) {
    EXPECT_THAT(error_with(key, {"lm_head"}), HasSubstr(std::string(key) + " is not supported"));
    EXPECT_EQ(error_with(key, Json::array()), "no error");
  }
  EXPECT_THAT(error_with("bias", "all"), HasSubstr("bias must be \"none\""));
  EXPECT_THAT(error_with("peft_type", "IA3"), HasSubstr("peft_type must be LORA"));
  EXPECT_THAT(error_with("init_lora_weights", "pissa"), HasSubstr("must not change the base"));
  EXPECT_EQ(error_with("init_lora_weights", "gaussian"), "no error");
  EXPECT_EQ(error_with("key_of_a_later_version", 7), "no error");
}

TEST(AdapterConfig, ValuesAreChecked) {
  EXPECT_THAT(error_with("r", 0), HasSubstr("r must be from 1"));
  EXPECT_THAT(error_with("r", "8"), HasSubstr("must be an integer"));
  EXPECT_THAT(error_with("lora_alpha", "8"), HasSubstr("must be a number"));
  EXPECT_THAT(error_with("target_modules", {1}), HasSubstr("target_modules must hold names"));
  EXPECT_EQ(error_with("target_modules", "all-linear"), "no error");
  EXPECT_THAT(error_with("rank_pattern", {{"q_proj", -1}}), HasSubstr("rank_pattern: q_proj must"));
  EXPECT_THAT(error_with("rank_pattern", {{"(a*)*b", 2}}), HasSubstr("'(a*)*b' is a pattern"));
  EXPECT_EQ(error_with("rank_pattern", {{"^model\\.layers\\.0\\.mlp.up_proj", 2}}), "no error");
  Json json = example();
  json.erase("r");
  EXPECT_THROW(parse_adapter_config(json, "'a'"), Error);
  EXPECT_THROW(parse_adapter_config(Json(3), "'a'"), Error);
}

}  // namespace
}  // namespace chatmem
