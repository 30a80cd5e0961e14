// What all requests for answers have in common.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/sampler.h"

namespace chatmem {

constexpr int kMaxTopLogprobs = 20;

struct AnswerSettings {
  std::string model;              // as asked; empty: none is named
  std::optional<int> max_tokens;  // max_completion_tokens, or the older max_tokens
  SamplingOptions sampling;       // without the seed; tokens of logit_bias are 0 or more
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;
  int n = 1;
  int top_logprobs = -1;  // -1: no logprobs
  bool stream = false, include_usage = false;
  bool progress = false;  // of the prompt is told in the stream
};

// All but top_logprobs. Throws ApiError (400) that names the parameter.
AnswerSettings parse_answer_settings(const Json& body);

}  // namespace chatmem
