// Reads the shape of a Llama from a GGUF's metadata; the names are llama.cpp's (gguf-py,
// constants.py).
#include "model/gguf_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <set>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr float kSameFactor = 1e-5f;  // relative: factors are rounded to f32 on their way

struct NamePair {
  std::string_view ours, theirs;
};
constexpr NamePair kGlobalNames[] = {{"model.embed_tokens.weight", "token_embd.weight"},
                                     {"model.norm.weight", "output_norm.weight"},
                                     {"lm_head.weight", "output.weight"}};
constexpr NamePair kBlockNames[] = {
    {"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"}, {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"}};

// The metadata of one file, with errors that name it.
class Keys {
 public:
  explicit Keys(const GgufFile& file) : file_(file) {}

  [[noreturn]] void fail(std::string_view what, std::string hint = {}) const {
    throw Error(fmt::format("[model] '{}': {}", file_.path().string(), what), std::move(hint));
  }
  bool has(const std::string& key) const { return file_.find(key) != nullptr; }
  int64_t integer(const std::string& key) const {
    const GgufValue* value = file_.find(key);
    const auto number = value ? value->integer() : std::nullopt;
    if (!number)
      fail(fmt::format("{} must be a whole number, is {}", key, value ? "not" : "missing"));
    return *number;
  }
  int64_t integer(const std::string& key, int64_t fallback) const {
    return has(key) ? integer(key) : fallback;
  }
  double number(const std::string& key, double fallback) const {
    const GgufValue* value = file_.find(key);
    if (!value) return fallback;
    const double* number = value->get<double>();
    if (!number) fail(fmt::format("{} must be a floating-point number, is not", key));
    return *number;
  }
  std::string text(const std::string& key, std::string_view fallback) const {
    const GgufValue* value = file_.find(key);
    if (!value) return std::string(fallback);
    const std::string* text = value->get<std::string>();
    if (!text) fail(fmt::format("{} must be a string, is not", key));
    return *text;
  }

 private:
  const GgufFile& file_;
};

// What would compute something else than this engine does.
void refuse_other_files(const Keys& keys) {
  const std::string type = keys.text("general.type", "model");
  if (type != "model")
    keys.fail(fmt::format("general.type must be \"model\", is \"{}\"", type),
              type == "adapter" ? "give its base as the model" : "");
  const std::string architecture = keys.text("general.architecture", "");
  if (architecture != "llama")
    keys.fail(fmt::format("general.architecture must be \"llama\", is \"{}\"", architecture),
              "only the Llama 2 and 3 architecture is supported");
  if (keys.integer("split.count", 1) > 1)
    keys.fail("must be one file, is a part of several", "join them with llama-gguf-split --merge");
  if (keys.integer("llama.expert_count", 0) != 0)
    keys.fail("llama.expert_count must be 0: mixtures of experts are not supported");
  const std::string scaling = keys.text("llama.rope.scaling.type", "none");
  const bool is_linear = scaling == "linear";
  for (const char* key : {"llama.rope.scaling.factor", "llama.rope.scale_linear"})
    if (const double factor = keys.number(key, 1); scaling != "none" && factor != 1)
      keys.fail(fmt::format("{} must be 1, is {}", key, factor));
  if (scaling != "none" && !is_linear)
    keys.fail(fmt::format("llama.rope.scaling.type must be none or linear, is {}", scaling));
}

int64_t rows_of(const GgufFile& file, const Keys& keys, const std::string& name) {
  const auto it = file.tensors().find(name);
  if (it == file.tensors().end() || it->second.shape.size() != 2)
    keys.fail(fmt::format("tensor '{}' must be there, a matrix", name));
  return it->second.shape[0];
}

// The tokens that llama.cpp takes for the end of an answer: by their keys, and by the names of
// Llama 3's among the control tokens.
Json eos_ids(const GgufFile& file, const Keys& keys) {
  std::set<int64_t> ids;
  for (const char* which : {"eos", "eot", "eom"})
    if (const std::string key = fmt::format("tokenizer.ggml.{}_token_id", which); keys.has(key))
      ids.insert(keys.integer(key));
  const GgufValue* tokens = file.find("tokenizer.ggml.tokens");
  const auto* names = tokens ? tokens->get<std::vector<std::string>>() : nullptr;
  if (names)
    for (const char* name : {"<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"})
      if (const auto it = std::ranges::find(*names, name); it != names->end())
        ids.insert(it - names->begin());
  return ids.empty() ? Json(nullptr) : Json(ids);
}

// The shape in the words of config.json, so that one reader checks both.
Json as_config_json(const GgufFile& file, const Keys& keys) {
  const int64_t heads = keys.integer("llama.attention.head_count");
  const double missing = -1;
  const double eps = keys.number("llama.attention.layer_norm_rms_epsilon", missing);
  if (eps == missing) keys.fail("llama.attention.layer_norm_rms_epsilon is missing");
  Json json = {{"model_type", "llama"},
               {"hidden_size", keys.integer("llama.embedding_length")},
               {"intermediate_size", keys.integer("llama.feed_forward_length")},
               {"num_hidden_layers", keys.integer("llama.block_count")},
               {"num_attention_heads", heads},
               {"num_key_value_heads", keys.integer("llama.attention.head_count_kv", heads)},
               {"vocab_size", rows_of(file, keys, "token_embd.weight")},
               {"max_position_embeddings", keys.integer("llama.context_length")},
               {"rms_norm_eps", eps},
               {"rope_theta", keys.number("llama.rope.freq_base", 10000)},
               {"tie_word_embeddings", !file.tensors().contains("output.weight")},
               {"eos_token_id", eos_ids(file, keys)}};
  if (keys.has("llama.attention.key_length"))
    json["head_dim"] = keys.integer("llama.attention.key_length");
  if (keys.has("tokenizer.ggml.bos_token_id"))
    json["bos_token_id"] = keys.integer("tokenizer.ggml.bos_token_id");
  return json;
}

// What each inverse frequency is divided by; empty where the file has no factors.
std::vector<float> rope_factors(const GgufFile& file, int head_dim) {
  const auto it = file.tensors().find(kRopeFactors);
  if (it == file.tensors().end()) return {};
  const GgufTensor& tensor = it->second;
  std::vector<float> factors(size_t(head_dim / 2));
  const Keys keys(file);
  if (tensor.dtype != DType::f32 || tensor.shape != std::vector<int64_t>{head_dim / 2})
    keys.fail(fmt::format("tensor '{}' must be ({}) of F32, is not", kRopeFactors, head_dim / 2));
  std::memcpy(factors.data(), tensor.bytes.data(), tensor.bytes.size());
  for (const float factor : factors)
    if (!(factor > 0) || !std::isfinite(factor))
      keys.fail(
          fmt::format("tensor '{}' must hold positive numbers, has {}", kRopeFactors, factor));
  return factors;
}

std::vector<float> unscaled_inv_freq(Config config) {
  config.rope_scaling = std::nullopt;
  return rope_inv_freq(config);
}

// Llama 3.1's scaling with low_freq_factor 1 and high_freq_factor 4 (other pairs are as good with
// another original length) that gives these factors, so that the model can be written with a
// config.json; nullopt when none does.
std::optional<RopeScaling> scaling_of(const std::vector<float>& factors, const Config& config) {
  RopeScaling scaling;
  scaling.factor = std::ranges::max(factors);
  const std::vector<float> base = unscaled_inv_freq(config);
  double original = 0, kept = 0, scaled = 0;  // wavelengths in tokens
  for (size_t i = 0; i < factors.size(); i++) {
    const double wavelength = 2 * std::numbers::pi / double(base[i]);
    const double f = double(factors[i]), all = double(scaling.factor);
    if (factors[i] == 1) {
      kept = std::max(kept, wavelength);
    } else if (factors[i] == scaling.factor) {
      scaled = scaled == 0 ? wavelength : std::min(scaled, wavelength);
    } else {  // 1 / f = (1 - t) / all + t, t = (original / wavelength - 1) / 3
      original = wavelength * (1 + 3 * (1 / f - 1 / all) / (1 - 1 / all));
    }
  }
  if (original == 0) original = scaled > 0 ? std::floor(scaled) : std::ceil(4 * kept) + 1;
  scaling.original_max_seq_len = int(std::clamp(std::round(original), 1.0, double(1 << 24)));
  Config candidate = config;
  candidate.rope_scaling = scaling;
  const std::vector<float> inv_freq = rope_inv_freq(candidate);
  for (size_t i = 0; i < factors.size(); i++)
    if (std::abs(inv_freq[i] * factors[i] / base[i] - 1) > kSameFactor) return std::nullopt;
  return scaling;
}

}  // namespace

std::string gguf_name(std::string_view name) {
  for (const auto& [ours, theirs] : kGlobalNames)
    if (name == ours) return std::string(theirs);
  constexpr std::string_view kLayers = "model.layers.", kWeight = ".weight";
  CHECK(name.starts_with(kLayers) && name.ends_with(kWeight));
  const std::string_view path =
      name.substr(kLayers.size(), name.size() - kLayers.size() - kWeight.size());
  const size_t dot = path.find('.');
  const auto it = std::ranges::find(kBlockNames, path.substr(dot + 1), &NamePair::ours);
  CHECK(it != std::end(kBlockNames));
  return fmt::format("blk.{}.{}.weight", path.substr(0, dot), it->theirs);
}

Config gguf_config(const GgufFile& file) {
  const Keys keys(file);
  refuse_other_files(keys);
  Config config = parse_config(
      as_config_json(file, keys),
      fmt::format("'{}', its metadata in the words of config.json", file.path().string()));
  config.rope_layout = RopeLayout::interleaved;
  for (const char* key : {"llama.rope.dimension_count", "llama.attention.value_length"})
    if (const int64_t value = keys.integer(key, config.head_dim); value != config.head_dim)
      keys.fail(
          fmt::format("{} must be the size of a head, {}, is {}", key, config.head_dim, value));
  const auto first = file.tensors().find("blk.0.attn_q.weight");
  if (first != file.tensors().end() && first->second.dtype) config.dtype = *first->second.dtype;
  const std::vector<float> factors = rope_factors(file, config.head_dim);
  if (std::ranges::any_of(factors, [](float factor) { return factor != 1; }))
    config.rope_scaling = scaling_of(factors, config);
  return config;
}

std::vector<float> gguf_inv_freq(const GgufFile& file, const Config& config) {
  std::vector<float> inv_freq = unscaled_inv_freq(config);
  const std::vector<float> factors = rope_factors(file, config.head_dim);
  for (size_t i = 0; i < factors.size(); i++) inv_freq[i] /= factors[i];
  return inv_freq;
}

}  // namespace chatmem
