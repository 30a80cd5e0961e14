#include "serve/answer_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "serve/request_fields.h"

namespace chatmem {
namespace {

constexpr size_t kMaxStops = 4;
constexpr size_t kMaxStopBytes = 1'000;
constexpr size_t kMaxBiases = 1'024;
constexpr int kMost = std::numeric_limits<int>::max();
constexpr int kMaxChoices = 128;

std::vector<std::string> parse_stop(const Json& body) {
  const Json* stop = find_field(body, "stop");
  if (stop == nullptr) return {};
  const std::string must = fmt::format(
      "must be a string or at most {} strings, each of 1 to {} bytes", kMaxStops, kMaxStopBytes);
  const Json list = stop->is_array() ? *stop : Json::array({*stop});
  if (list.size() > kMaxStops) refuse_field("stop", must);
  std::vector<std::string> strings;
  for (const Json& one : list) {
    if (!one.is_string()) refuse_field("stop", must);
    strings.push_back(one.get<std::string>());
    if (strings.back().empty() || strings.back().size() > kMaxStopBytes) refuse_field("stop", must);
  }
  return strings;
}

// Clients send negative seeds too; every 64-bit integer is one.
std::optional<uint64_t> parse_seed(const Json& body) {
  const Json* seed = find_field(body, "seed");
  if (seed == nullptr) return std::nullopt;
  if (!seed->is_number_integer()) refuse_field("seed", "must be an integer");
  return seed->is_number_unsigned() ? seed->get<uint64_t>() : uint64_t(seed->get<int64_t>());
}

// Clients' own tests send words instead of ids, with a bias of 0, which changes nothing.
std::vector<std::pair<int, float>> parse_logit_bias(const Json& body) {
  const Json* biases = find_field(body, "logit_bias");
  std::vector<std::pair<int, float>> parsed;
  if (biases == nullptr) return parsed;
  if (!biases->is_object() || biases->size() > kMaxBiases)
    refuse_field("logit_bias", fmt::format("must be an object of at most {} tokens", kMaxBiases));
  for (const auto& [key, value] : biases->items()) {
    const double bias = value.is_number() ? value.get<double>() : std::nan("");
    if (!(bias >= -100 && bias <= 100))
      refuse_field("logit_bias", "must have a number from -100 to 100 for each token");
    if (bias == 0) continue;
    int token = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc() || end != key.data() + key.size() || token < 0)
      refuse_field("logit_bias", "must have ids of tokens as keys");
    parsed.push_back({token, float(bias)});
  }
  return parsed;
}

SamplingOptions parse_sampling(const Json& body) {
  const auto real = [&](const char* name, double low, double high, double otherwise) {
    return float(number_field(body, name, low, high).value_or(otherwise));
  };
  SamplingOptions options;
  options.temperature = real("temperature", 0, 2, 1);
  options.top_p = real("top_p", 0, 1, 1);
  options.min_p = real("min_p", 0, 1, 0);
  options.top_k =
      std::max(0, integer_field(body, "top_k", -1, kMost).value_or(0));  // -1: all, as in vLLM
  options.repetition_penalty = real("repetition_penalty", 0.1, 10, 1);
  options.frequency_penalty = real("frequency_penalty", -2, 2, 0);
  options.presence_penalty = real("presence_penalty", -2, 2, 0);
  options.logit_bias = parse_logit_bias(body);
  return options;
}

}  // namespace

AnswerSettings parse_answer_settings(const Json& body) {
  AnswerSettings settings;
  settings.model = text_field(body, "model");
  const auto older = integer_field(body, "max_tokens", 0, kMost);
  settings.max_tokens = integer_field(body, "max_completion_tokens", 0, kMost);
  if (!settings.max_tokens) settings.max_tokens = older;
  settings.sampling = parse_sampling(body);
  settings.seed = parse_seed(body);
  settings.stop = parse_stop(body);
  settings.n = integer_field(body, "n", 1, kMaxChoices).value_or(1);
  settings.stream = boolean_field(body, "stream");
  settings.progress = boolean_field(body, "return_progress");
  if (const Json* options = find_field(body, "stream_options")) {
    if (!options->is_object()) refuse_field("stream_options", "must be an object");
    settings.include_usage = boolean_field(*options, "include_usage");
  }
  return settings;
}

}  // namespace chatmem
