// Picks the next token from logits.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

namespace chatmem {

struct SamplingOptions {
  float temperature = 0;  // 0: the likeliest token
  float top_p = 1;        // smallest set of likeliest tokens whose probabilities sum to top_p
  float min_p = 0;        // tokens at least min_p times as likely as the likeliest
  int top_k = 0;          // the k likeliest; 0: all
  uint64_t seed = 0;
};

class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options) : options_(options), random_(options.seed) {}
  // Filters in the order top_k, top_p, min_p on the distribution at the given temperature; ties go
  // to the smaller id.
  int sample(std::span<const float> logits);

 private:
  struct Candidate {
    float logit;
    int token;
    double probability;
  };
  SamplingOptions options_;
  Random random_;
  std::vector<Candidate> candidates_;
};

// The index of the largest value, the first of equals.
int argmax(std::span<const float> values);

}  // namespace chatmem
