#include "cli/lora_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace chatmem {
namespace {

constexpr int kMaxRank = 1024;

// Entries MODULE=VALUE.
template <typename T>
std::vector<std::pair<std::string, T>> read_patterns(const std::vector<std::string>& entries,
                                                     const char* flag) {
  std::vector<std::pair<std::string, T>> patterns;
  for (const std::string& entry : entries) {
    const size_t equals = entry.find('=');
    const std::string module = entry.substr(0, equals);
    T value{};
    const char* end = entry.data() + entry.size();
    const bool is_read = equals != entry.npos && !module.empty() &&
                         std::from_chars(entry.data() + equals + 1, end, value).ptr == end &&
                         value > 0;
    if (!is_read || !std::isfinite(double(value)))
      throw CLI::ValidationError(flag, fmt::format("must be MODULE=NUMBER, is '{}'", entry));
    if constexpr (std::is_integral_v<T>)
      if (value > kMaxRank)
        throw CLI::ValidationError(
            flag, fmt::format("a rank must be from 1 to {}, is {}", kMaxRank, value));
    if (std::ranges::find(patterns, module, &std::pair<std::string, T>::first) != patterns.end())
      throw CLI::ValidationError(flag, fmt::format("'{}' must be given once", module));
    patterns.emplace_back(module, value);
  }
  return patterns;
}

}  // namespace

void add_pattern_flags(CLI::App& verb, AdapterConfig& lora, const std::string& group) {
  verb.add_option_function<std::vector<std::string>>(
          "--rank-pattern",
          [&lora](const std::vector<std::string>& entries) {
            lora.rank_pattern = read_patterns<int>(entries, "--rank-pattern");
          },
          "other ranks, MODULE=RANK,...: by the end of a module's path, as "
          "layers.0.self_attn.q_proj or down_proj; the first that matches counts")
      ->delimiter(',')
      ->group(group);
  verb.add_option_function<std::vector<std::string>>(
          "--alpha-pattern",
          [&lora](const std::vector<std::string>& entries) {
            lora.alpha_pattern = read_patterns<double>(entries, "--alpha-pattern");
          },
          "other alphas, MODULE=ALPHA,...")
      ->delimiter(',')
      ->group(group);
}

std::string describe(const AdapterConfig& lora) {
  std::string text = fmt::format("{}{} of rank {}, alpha {}", lora.rslora ? "rs" : "",
                                 lora.dora ? "DoRA" : "LoRA", lora.rank, lora.alpha);
  if (lora.dropout > 0) text += fmt::format(", dropout {}", lora.dropout);
  text += fmt::format(", of {}", fmt::join(lora.target_modules, ", "));
  for (const auto& [module, rank] : lora.rank_pattern)
    text += fmt::format("; rank {} of {}", rank, module);
  for (const auto& [module, alpha] : lora.alpha_pattern)
    text += fmt::format("; alpha {} of {}", alpha, module);
  return text;
}

}  // namespace chatmem
