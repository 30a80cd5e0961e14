// Reads and writes config.json, and computes the frequencies of rotary embeddings.
#include "model/config.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr long long kMaxExtent = 1 << 24;  // of any dimension, so that products fit 64 bits
constexpr long long kMaxLayers = 1 << 12;
constexpr size_t kMaxEosIds = 64;

[[noreturn]] void fail(std::string_view where, std::string_view what, std::string hint = {}) {
  throw Error(fmt::format("[config] {}: {}", where, what), std::move(hint));
}

// nullptr where the key is absent or null.
const Json* find(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

int extent(const Json& json, const char* key, std::string_view where,
           std::optional<int> fallback = {}, long long max = kMaxExtent) {
  if (fallback && !find(json, key)) return *fallback;
  const long long value = json_int(json, key, where);
  if (value < 1 || value > max)
    fail(where, fmt::format("{} must be from 1 to {}, is {}", key, max, value));
  return int(value);
}

float positive(const Json& json, const char* key, std::string_view where,
               std::optional<float> fallback = {}) {
  if (fallback && !find(json, key)) return *fallback;
  const float value = float(json_number(json, key, where));
  if (!(value > 0) || !std::isfinite(value))
    fail(where, fmt::format("{} must be a positive number, is {}", key, value));
  return value;
}

bool flag(const Json& json, const char* key, std::string_view where) {
  const Json* value = find(json, key);
  if (!value) return false;
  if (!value->is_boolean())
    fail(where, fmt::format("{} must be true or false, is {}", key, value->type_name()));
  return value->get<bool>();
}

// What would compute something else than this engine does.
void refuse_other_models(const Json& json, std::string_view where) {
  const std::string hint = "only the Llama 2 and 3 architecture is supported";
  const std::string type = json_string_or(json, "model_type", "llama", where);
  if (type != "llama")
    fail(where, fmt::format("model_type must be \"llama\", is \"{}\"", type), hint);
  const std::string act = json_string_or(json, "hidden_act", "silu", where);
  if (act != "silu") fail(where, fmt::format("hidden_act must be \"silu\", is \"{}\"", act), hint);
  for (const char* key : {"attention_bias", "mlp_bias"})
    if (flag(json, key, where)) fail(where, fmt::format("{} must be false, is true", key), hint);
}

// NF4 of bitsandbytes is computed with as it is. The names and the default of bnb_4bit_quant_type
// are those of transformers' BitsAndBytesConfig.
void refuse_other_quantization(const Json& json, std::string_view where) {
  const Json* q = find(json, "quantization_config");
  if (!q) return;
  if (!q->is_object())
    fail(where, fmt::format("quantization_config must be an object, is {}", q->type_name()));
  const std::string place = fmt::format("{}, quantization_config", where);
  const bool in_4bit = flag(*q, "load_in_4bit", place), in_8bit = flag(*q, "load_in_8bit", place);
  std::string kind =
      json_string_or(*q, "quant_method", in_4bit || in_8bit ? "bitsandbytes" : "unknown", place);
  if (kind == "bitsandbytes")
    kind = in_8bit ? "int8" : json_string_or(*q, "bnb_4bit_quant_type", "fp4", place);
  if (kind != "nf4")
    fail(place, fmt::format("weights must be quantized as bitsandbytes' nf4, are as {}", kind),
         "use the original checkpoint or a GGUF file");
}

// `rope` is rope_scaling, or since transformers 5 rope_parameters, which holds rope_theta too.
std::optional<RopeScaling> parse_rope_scaling(const Json& rope, const Config& config,
                                              std::string_view where) {
  if (!rope.is_object()) fail(where, fmt::format("must be an object, is {}", rope.type_name()));
  const std::string old_type = json_string_or(rope, "type", "default", where);
  const std::string type = json_string_or(rope, "rope_type", old_type, where);
  if (const Json* part = find(rope, "partial_rotary_factor"); part && *part != 1.0)
    fail(where, "partial_rotary_factor must be 1 or absent");
  if (type == "default") return std::nullopt;
  if (type != "llama3")
    fail(where, fmt::format("rope_type must be \"default\" or \"llama3\", is \"{}\"", type));
  RopeScaling scaling;
  scaling.factor = positive(rope, "factor", where);
  scaling.low_freq_factor = positive(rope, "low_freq_factor", where);
  scaling.high_freq_factor = positive(rope, "high_freq_factor", where);
  scaling.original_max_seq_len =
      extent(rope, "original_max_position_embeddings", where, config.max_seq_len);
  if (scaling.factor < 1) fail(where, "factor must be at least 1");
  if (scaling.high_freq_factor <= scaling.low_freq_factor)
    fail(where, fmt::format("high_freq_factor must exceed low_freq_factor, is {} against {}",
                            scaling.high_freq_factor, scaling.low_freq_factor));
  return scaling;
}

void parse_rope(const Json& json, std::string_view where, Config& config) {
  const Json* parameters = find(json, "rope_parameters");
  const Json* scaling = find(json, "rope_scaling");
  const std::string place =
      fmt::format("{}, {}", where, parameters ? "rope_parameters" : "rope_scaling");
  config.rope_theta = positive(json, "rope_theta", where, 10000);  // the default of transformers
  if (parameters && parameters->is_object())
    config.rope_theta = positive(*parameters, "rope_theta", place, config.rope_theta);
  if (parameters) scaling = parameters;
  if (scaling) config.rope_scaling = parse_rope_scaling(*scaling, config, place);
}

DType parse_dtype(const Json& json, std::string_view where) {
  const std::string old_name = json_string_or(json, "torch_dtype", "float32", where);
  std::string name = json_string_or(json, "dtype", old_name, where);
  if (name.starts_with("torch.")) name.erase(0, 6);
  if (name == "float32") return DType::f32;
  if (name == "bfloat16") return DType::bf16;
  if (name == "float16") return DType::f16;
  fail(where, fmt::format("dtype must be float32, bfloat16 or float16, is \"{}\"", name));
}

int token_id(const Json& value, const char* key, const Config& config, std::string_view where) {
  if (!value.is_number_integer() || value < 0 || value >= config.vocab_size)
    fail(where, fmt::format("{} must be a token from 0 to {}, is {}", key, config.vocab_size - 1,
                            value.dump()));
  return value.get<int>();
}

void parse_special_tokens(const Json& json, std::string_view where, Config& config) {
  if (const Json* bos = find(json, "bos_token_id"))
    config.bos_id = token_id(*bos, "bos_token_id", config, where);
  const Json* eos = find(json, "eos_token_id");
  if (!eos) return;
  if (!eos->is_array()) {
    config.eos_ids = {token_id(*eos, "eos_token_id", config, where)};
    return;
  }
  if (eos->size() > kMaxEosIds)
    fail(where, fmt::format("eos_token_id must not list more than {} tokens", kMaxEosIds));
  for (const Json& id : *eos) config.eos_ids.push_back(token_id(id, "eos_token_id", config, where));
}

// The double with the float's shortest decimal: 1e-05f becomes 1e-05, not 9.999999747378752e-06.
double shortest(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double result = 0;
  std::from_chars(text, end, result);
  return result;
}

Json rope_scaling_to_json(const std::optional<RopeScaling>& scaling) {
  if (!scaling) return nullptr;
  return {{"factor", shortest(scaling->factor)},
          {"high_freq_factor", shortest(scaling->high_freq_factor)},
          {"low_freq_factor", shortest(scaling->low_freq_factor)},
          {"original_max_position_embeddings", scaling->original_max_seq_len},
          {"rope_type", "llama3"}};
}

Json eos_to_json(const std::vector<int>& ids) {
  if (ids.empty()) return nullptr;
  return ids.size() == 1 ? Json(ids[0]) : Json(ids);
}

std::string_view torch_name(DType dtype) {
  return dtype == DType::f32 ? "float32" : dtype == DType::f16 ? "float16" : "bfloat16";
}

}  // namespace

size_t Config::n_parameters() const {
  const size_t d = size_t(dim), h = size_t(hidden_dim), q = size_t(q_dim()), kv = size_t(kv_dim());
  const size_t block = 2 * d + 2 * q * d + 2 * kv * d + 3 * h * d;  // norms, wq wo, wk wv, FFN
  const size_t table = size_t(vocab_size) * d;
  return size_t(n_layers) * block + d + (tied_embeddings ? 1 : 2) * table;
}

Config parse_config(const Json& json, std::string_view where) {
  if (!json.is_object()) fail(where, fmt::format("must be an object, is {}", json.type_name()));
  refuse_other_models(json, where);
  refuse_other_quantization(json, where);
  Config config;
  config.dim = extent(json, "hidden_size", where);
  config.hidden_dim = extent(json, "intermediate_size", where);
  config.n_layers = extent(json, "num_hidden_layers", where, {}, kMaxLayers);
  config.n_heads = extent(json, "num_attention_heads", where);
  config.n_kv_heads = extent(json, "num_key_value_heads", where, config.n_heads);
  config.vocab_size = extent(json, "vocab_size", where);
  config.max_seq_len = extent(json, "max_position_embeddings", where);
  if (config.n_heads % config.n_kv_heads != 0)
    fail(where, fmt::format("num_attention_heads must be a multiple of num_key_value_heads, is {} "
                            "against {}",
                            config.n_heads, config.n_kv_heads));
  if (!find(json, "head_dim") && config.dim % config.n_heads != 0)
    fail(where, fmt::format("hidden_size must be a multiple of num_attention_heads when head_dim "
                            "is absent, is {} against {}",
                            config.dim, config.n_heads));
  config.head_dim = extent(json, "head_dim", where, config.dim / config.n_heads);
  if (config.head_dim % 2 != 0)
    fail(where, fmt::format("head_dim must be even, is {}", config.head_dim));
  if (size_t(config.n_heads) * size_t(config.head_dim) > size_t(kMaxExtent))
    fail(where, fmt::format("num_attention_heads * head_dim must not exceed {}", kMaxExtent));
  config.norm_eps = positive(json, "rms_norm_eps", where, 1e-6f);
  config.tied_embeddings = flag(json, "tie_word_embeddings", where);
  config.dtype = parse_dtype(json, where);
  parse_rope(json, where, config);
  parse_special_tokens(json, where, config);
  return config;
}

namespace {

// Where published models of the family differ; the rest is alike.
struct KnownShape {
  const char* name;
  int dim, hidden_dim, n_layers, n_heads, head_dim;
  float rope_factor;
  bool tied_embeddings;
};
constexpr KnownShape kKnownShapes[] = {{"llama-3.1-8b", 4096, 14336, 32, 32, 128, 8, false},
                                       {"llama-3.2-1b", 2048, 8192, 16, 32, 64, 32, true},
                                       {"llama-3.2-3b", 3072, 8192, 28, 24, 128, 32, true}};

}  // namespace

std::optional<Config> known_config(std::string_view name) {
  for (const KnownShape& shape : kKnownShapes) {
    if (shape.name != name) continue;
    Config c;
    c.dim = shape.dim, c.hidden_dim = shape.hidden_dim, c.n_layers = shape.n_layers;
    c.n_heads = shape.n_heads, c.n_kv_heads = 8, c.head_dim = shape.head_dim;
    c.vocab_size = 128256, c.max_seq_len = 131072;
    c.rope_scaling = RopeScaling{.factor = shape.rope_factor};
    c.tied_embeddings = shape.tied_embeddings;
    c.bos_id = 128000, c.eos_ids = {128001, 128008, 128009};
    return c;
  }
  return std::nullopt;
}

std::vector<std::string> known_config_names() {
  std::vector<std::string> names;
  for (const KnownShape& shape : kKnownShapes) names.emplace_back(shape.name);
  return names;
}

Json config_to_json(const Config& config) {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"attention_bias", false},
          {"attention_dropout", 0.0},
          {"bos_token_id", config.bos_id < 0 ? Json(nullptr) : Json(config.bos_id)},
          {"eos_token_id", eos_to_json(config.eos_ids)},
          {"head_dim", config.head_dim},
          {"hidden_act", "silu"},
          {"hidden_size", config.dim},
          {"initializer_range", 0.02},
          {"intermediate_size", config.hidden_dim},
          {"max_position_embeddings", config.max_seq_len},
          {"mlp_bias", false},
          {"model_type", "llama"},
          {"num_attention_heads", config.n_heads},
          {"num_hidden_layers", config.n_layers},
          {"num_key_value_heads", config.n_kv_heads},
          {"pretraining_tp", 1},
          {"rms_norm_eps", shortest(config.norm_eps)},
          {"rope_scaling", rope_scaling_to_json(config.rope_scaling)},
          {"rope_theta", shortest(config.rope_theta)},
          {"tie_word_embeddings", config.tied_embeddings},
          {"torch_dtype", torch_name(config.dtype)},
          {"use_cache", true},
          {"vocab_size", config.vocab_size}};
}

// Each step is rounded to f32, and a quotient with a tensor below is a product with its reciprocal:
// so transformers' expressions are evaluated by PyTorch (modeling_rope_utils.py).
std::vector<float> rope_inv_freq(const Config& config) {
  std::vector<float> inv_freq(size_t(config.head_dim / 2));
  for (size_t i = 0; i < inv_freq.size(); i++) {
    const float exponent = float(2 * i) / float(config.head_dim);
    inv_freq[i] = 1 / float(std::pow(double(config.rope_theta), double(exponent)));
  }
  if (!config.rope_scaling) return inv_freq;
  const RopeScaling& s = *config.rope_scaling;
  const float original = float(s.original_max_seq_len);
  const float low = original / s.low_freq_factor, high = original / s.high_freq_factor;
  for (float& f : inv_freq) {
    const float wavelength = (1 / f) * (2 * std::numbers::pi_v<float>);
    if (wavelength > low) {
      f = f / s.factor;
    } else if (wavelength >= high) {
      const float turns = (1 / wavelength) * original;
      const float smooth = (turns - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
      f = (1 - smooth) * f / s.factor + smooth * f;
    }
  }
  return inv_freq;
}

}  // namespace chatmem
