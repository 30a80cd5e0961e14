// Compares the log-probabilities of two models row by row.
#include "model/compare.h"

#include <algorithm>
#include <cmath>

#include "model/sampler.h"

namespace chatmem {
namespace {

void to_logprobs(std::span<float> row) {
  const float most = *std::ranges::max_element(row);
  double sum = 0;
  for (const float x : row) sum += std::exp(double(x - most));
  const float log_sum = most + float(std::log(sum));
  for (float& x : row) x -= log_sum;
}

std::vector<float> all_logprobs(Ops& ops, ModelRef of, std::span<const int> tokens) {
  const size_t vocab = size_t(of.model.config.vocab_size);
  std::vector<float> all(tokens.size() * vocab);
  visit_logits(
      ops, of.model, tokens, of.adapter, of.dtype, of.prefill_tokens,
      [&](int begin, Tensor logits) { ops.copy_out(all.data() + size_t(begin) * vocab, logits); });
  for (size_t row = 0; row < tokens.size(); row++)
    to_logprobs(std::span(all).subspan(row * vocab, vocab));
  return all;
}

}  // namespace

LogitsDifference compare_models(Ops& ops, ModelRef reference, ModelRef other,
                                std::span<const int> tokens) {
  CHECK(!tokens.empty() && reference.model.config.vocab_size == other.model.config.vocab_size);
  const std::vector<float> a = all_logprobs(ops, reference, tokens),
                           b = all_logprobs(ops, other, tokens);
  const size_t vocab = size_t(reference.model.config.vocab_size);
  LogitsDifference difference;
  for (size_t row = 0; row < tokens.size(); row++) {
    const auto p = std::span(a).subspan(row * vocab, vocab),
               q = std::span(b).subspan(row * vocab, vocab);
    double kl = 0;
    for (size_t i = 0; i < vocab; i++) {
      const double gap = double(p[i]) - double(q[i]);
      if (!std::isfinite(gap)) difference.is_finite = false;
      difference.largest = std::max(difference.largest, std::abs(gap));
      kl += std::exp(double(p[i])) * gap;
    }
    difference.kl.push_back(kl);
    difference.mean_kl += kl / double(tokens.size());
    difference.same_top += double(argmax(p) == argmax(q)) / double(tokens.size());
  }
  return difference;
}

}  // namespace chatmem
