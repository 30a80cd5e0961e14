// adapter_config.json, by which PEFT describes a LoRA adapter. What is read is what an adapter
// needs to be applied; what we could not apply is refused by name. Written is the subset of keys
// that old and new readers know: indent 2, sorted keys.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace chatmem {

struct AdapterConfig {
  int rank = 16;
  double alpha = 32, dropout = 0;
  bool rslora = false;  // the scale is alpha / sqrt(rank), not alpha / rank (Kalajdzievski 2023)
  bool dora = false;    // a trained length for each row of the weight (Liu et al. 2024)
  // Names of modules, matched at the end of their path. Empty: a pattern that only PEFT evaluates;
  // the tensors in the file say what is adapted.
  std::vector<std::string> target_modules;
  // Other ranks and alphas, by the end of a module's path ("^" in front: the whole path). The first
  // that matches counts.
  std::vector<std::pair<std::string, int>> rank_pattern;
  std::vector<std::pair<std::string, double>> alpha_pattern;
  bool all_layers = true;  // neither layers_to_transform nor exclude_modules
  std::string base_model;  // base_model_name_or_path

  // Of a module such as "model.layers.0.self_attn.q_proj".
  int rank_of(std::string_view module) const;
  double scale_of(std::string_view module) const;
};

// Throws Error for what is missing, out of range, or would change the result and is not supported:
// biases, modules_to_save, fan_in_fan_out, initializations that change the base model, ...
AdapterConfig parse_adapter_config(const Json& json, std::string_view where);
Json adapter_config_to_json(const AdapterConfig& config);

AdapterConfig read_adapter_config(const fs::path& path);
void write_adapter_config(const fs::path& path, const AdapterConfig& config);

}  // namespace chatmem
