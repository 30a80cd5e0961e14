// PEFT's adapter_config.json; keys as of peft 0.19, tuners/lora/config.py.
#include "format/adapter_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr int kMaxRank = 1 << 16;
constexpr size_t kMaxPatterns = 1 << 14;

// Keys that change what an adapter computes, and must be absent, null, false or empty.
constexpr const char* kUnsupported[] = {
    "fan_in_fan_out",    "lora_bias",         "modules_to_save",         "trainable_token_indices",
    "target_parameters", "layer_replication", "alora_invocation_tokens", "use_qalora",
    "use_bdlora",        "kasa_config",       "monteclora_config"};

[[noreturn]] void fail(std::string_view where, std::string_view what, std::string hint = {}) {
  throw Error(fmt::format("[adapter] {}: {}", where, what), std::move(hint));
}

bool is_set(const Json& json, const char* key) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null() || *it == false) return false;
  return !((it->is_array() || it->is_object()) && it->empty());
}

void refuse_unsupported(const Json& json, std::string_view where) {
  const std::string hint = "merge this adapter into its base model with PEFT, then use the result";
  const std::string type = json_string_or(json, "peft_type", "LORA", where);
  if (type != "LORA") fail(where, fmt::format("peft_type must be LORA, is {}", type), hint);
  for (const char* key : kUnsupported)
    if (is_set(json, key))
      fail(where, fmt::format("{} is not supported, is {}", key, dump_json(json.at(key))), hint);
  const std::string bias = json_string_or(json, "bias", "none", where);
  if (bias != "none") fail(where, fmt::format("bias must be \"none\", is \"{}\"", bias), hint);
  // Some initializations take their part out of the base model, which the file then does not fit.
  const auto init = json.find("init_lora_weights");
  if (init != json.end() && init->is_string())
    if (const std::string name = *init; name != "gaussian" && name != "eva" && name != "orthogonal")
      fail(where, fmt::format("init_lora_weights must not change the base, is \"{}\"", name), hint);
}

int read_rank(const Json& json, const char* key, std::string_view where) {
  const long long rank = json_int(json, key, where);
  if (rank < 1 || rank > kMaxRank)
    fail(where, fmt::format("{} must be from 1 to {}, is {}", key, kMaxRank, rank));
  return int(rank);
}

double read_alpha(const Json& json, const char* key, std::string_view where) {
  const double alpha = json_number(json, key, where);
  if (!std::isfinite(alpha)) fail(where, fmt::format("{} must be finite", key));
  return alpha;
}

// PEFT takes the keys for regular expressions; nearly all are plain ends of module paths, and only
// these are supported: an expression from a file could be made to run for ever.
std::string plain_pattern(const std::string& key, std::string_view where) {
  std::string plain;
  for (size_t i = 0; i < key.size(); i++) {
    if (key[i] == '\\' && i + 1 < key.size() && key[i + 1] == '.') i++;
    const char c = key[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '_' && c != '.' && !(c == '^' && i == 0))
      fail(where, fmt::format("must be the end of a module's path, '{}' is a pattern", key));
    plain += c;
  }
  return plain;
}

template <typename T, typename Read>
std::vector<std::pair<std::string, T>> read_patterns(const Json& json, const char* key,
                                                     std::string_view where, Read read) {
  std::vector<std::pair<std::string, T>> patterns;
  if (!is_set(json, key)) return patterns;
  const Json& object = json_object(json, key, where);
  if (object.size() > kMaxPatterns)
    fail(where, fmt::format("{} must not have more than {} keys", key, kMaxPatterns));
  const std::string place = fmt::format("{}, {}", where, key);
  for (const auto& [name, value] : object.items())
    patterns.emplace_back(plain_pattern(name, place), read(object, name.c_str(), place));
  return patterns;
}

std::vector<std::string> read_target_modules(const Json& json, std::string_view where) {
  std::vector<std::string> modules;
  const auto it = json.find("target_modules");
  if (it == json.end() || it->is_null() || it->is_string()) return modules;
  for (const Json& name : json_array(json, "target_modules", where)) {
    if (!name.is_string()) fail(where, "target_modules must hold names");
    modules.push_back(name);
  }
  return modules;
}

bool matches(std::string_view module, std::string_view pattern) {
  if (pattern.starts_with('^')) return module == pattern.substr(1);
  return module == pattern || (module.size() > pattern.size() && module.ends_with(pattern) &&
                               module[module.size() - pattern.size() - 1] == '.');
}

template <typename T>
T value_of(std::string_view module, const std::vector<std::pair<std::string, T>>& patterns,
           T fallback) {
  for (const auto& [pattern, value] : patterns)
    if (matches(module, pattern)) return value;
  return fallback;
}

// A whole number without a point: some readers want an integer.
Json number(double value) {
  if (value == std::trunc(value) && std::abs(value) < 1e15) return int64_t(value);
  return value;
}

}  // namespace

int AdapterConfig::rank_of(std::string_view module) const {
  return value_of(module, rank_pattern, rank);
}

double AdapterConfig::scale_of(std::string_view module) const {
  const double r = rank_of(module);
  return value_of(module, alpha_pattern, alpha) / (rslora ? std::sqrt(r) : r);
}

AdapterConfig parse_adapter_config(const Json& json, std::string_view where) {
  if (!json.is_object()) fail(where, fmt::format("must be an object, is {}", json.type_name()));
  refuse_unsupported(json, where);
  AdapterConfig config;
  config.rank = read_rank(json, "r", where);
  config.alpha = json.contains("lora_alpha") ? read_alpha(json, "lora_alpha", where) : 8;
  config.dropout = json.contains("lora_dropout") ? read_alpha(json, "lora_dropout", where) : 0;
  if (!(config.dropout >= 0 && config.dropout < 1))
    fail(where, fmt::format("lora_dropout must be from 0 to below 1, is {}", config.dropout));
  config.rslora = is_set(json, "use_rslora");
  config.dora = is_set(json, "use_dora");
  config.target_modules = read_target_modules(json, where);
  config.rank_pattern = read_patterns<int>(json, "rank_pattern", where, read_rank);
  config.alpha_pattern = read_patterns<double>(json, "alpha_pattern", where, read_alpha);
  config.all_layers = !is_set(json, "layers_to_transform") && !is_set(json, "exclude_modules");
  config.base_model = json_string_or(json, "base_model_name_or_path", "", where);
  return config;
}

Json adapter_config_to_json(const AdapterConfig& config) {
  Json rank_pattern = Json::object(), alpha_pattern = Json::object();
  for (const auto& [name, rank] : config.rank_pattern) rank_pattern[name] = rank;
  for (const auto& [name, alpha] : config.alpha_pattern) alpha_pattern[name] = number(alpha);
  return {{"alpha_pattern", alpha_pattern},
          {"auto_mapping", nullptr},
          {"base_model_name_or_path", config.base_model},
          {"bias", "none"},
          {"fan_in_fan_out", false},
          {"inference_mode", true},
          {"init_lora_weights", true},
          {"layers_pattern", nullptr},
          {"layers_to_transform", nullptr},
          {"lora_alpha", number(config.alpha)},
          {"lora_dropout", config.dropout},
          {"modules_to_save", nullptr},
          {"peft_type", "LORA"},
          {"r", config.rank},
          {"rank_pattern", rank_pattern},
          {"revision", nullptr},
          {"target_modules", config.target_modules},
          {"task_type", "CAUSAL_LM"},
          {"use_dora", config.dora},
          {"use_rslora", config.rslora}};
}

AdapterConfig read_adapter_config(const fs::path& path) {
  constexpr size_t kMaxBytes = 16 << 20;
  return parse_adapter_config(read_json(path, kMaxBytes), fmt::format("'{}'", path.string()));
}

void write_adapter_config(const fs::path& path, const AdapterConfig& config) {
  write_file_atomic(path, dump_json(adapter_config_to_json(config), 2));
}

}  // namespace chatmem
