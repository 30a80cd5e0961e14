#include "model/sampler.h"

#include <algorithm>
#include <cmath>

namespace chatmem {

int argmax(std::span<const float> values) {
  return int(std::max_element(values.begin(), values.end()) - values.begin());
}

int Sampler::sample(std::span<const float> logits) {
  if (options_.temperature <= 0) return argmax(logits);
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); i++)
    if (!std::isnan(logits[i]))  // which has no place in an order
      candidates_.push_back({logits[i] / options_.temperature, int(i), 0});
  if (candidates_.empty()) return 0;
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  const size_t top_k = options_.top_k > 0 ? size_t(options_.top_k) : candidates_.size();
  if (top_k < candidates_.size()) {
    std::nth_element(candidates_.begin(), candidates_.begin() + ptrdiff_t(top_k), candidates_.end(),
                     likelier);
    candidates_.resize(top_k);
  }
  std::sort(candidates_.begin(), candidates_.end(), likelier);

  double sum = 0;
  for (Candidate& c : candidates_)
    sum += c.probability = std::exp(double(c.logit) - candidates_[0].logit);
  double kept = 0;
  size_t n = 0;
  while (n < candidates_.size()) {
    const double p = candidates_[n].probability;
    if (n > 0 && (kept >= options_.top_p * sum || p < options_.min_p)) break;
    kept += p;
    n++;
  }
  double point = random_.uniform() * kept;
  for (size_t i = 0; i < n; i++)
    if ((point -= candidates_[i].probability) < 0) return candidates_[i].token;
  return candidates_[n - 1].token;
}

}  // namespace chatmem
