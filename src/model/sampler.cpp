#include "model/sampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace chatmem {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLeastTemperature = 1e-5f;  // as in vLLM: greedy below
constexpr float kReach = 48;  // natural logarithms below the likeliest: impossible beyond

// e^x for x <= 0, to 2e-7 of its value; 0 below -kReach and for NaN. Without branches and calls,
// so that the compiler makes vectors of it: 2^n e^r with |r| <= ln(2) / 2 and Taylor's polynomial.
inline float exp_down(float x) {
  constexpr float kRound = 12582912;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const float inside = x >= -kReach ? x : -kReach;
  const float shifted = inside * 1.44269504f + kRound;
  const float n = shifted - kRound;
  const float r = inside - n * 0.693145752f - n * 1.42860677e-6f;
  const float p =
      1 + r * (1 + r * (0.5f + r * (0.166666667f +
                                    r * (0.0416666667f + r * (0.00833333f + r * 0.00138889f)))));
  const int exponent = std::bit_cast<int>(shifted) - std::bit_cast<int>(kRound);
  const float power = std::bit_cast<float>((exponent + 127) << 23);
  return x >= -kReach ? p * power : 0;
}

// In lanes, so that no value waits for the one before.
constexpr size_t kLanes = 16;

float largest(std::span<const float> values) {
  std::array<float, kLanes> most;
  most.fill(-kInfinity);
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (size_t k = 0; k < kLanes; k++) most[k] = values[i + k] > most[k] ? values[i + k] : most[k];
  for (; i < values.size(); i++) most[0] = values[i] > most[0] ? values[i] : most[0];
  return *std::max_element(most.begin(), most.end());
}

// The sum of e^((score - best) * scale).
double mass_of(std::span<const float> scores, float best, float scale) {
  // f32 within a block, f64 between: the sum is as exact as its terms.
  constexpr size_t kBlock = 32 * kLanes;
  double sum = 0;
  for (size_t at = 0; at < scores.size(); at += kBlock) {
    const auto block = scores.subspan(at, std::min(kBlock, scores.size() - at));
    std::array<float, kLanes> part = {};
    size_t i = 0;
    for (; i + kLanes <= block.size(); i += kLanes)
      for (size_t k = 0; k < kLanes; k++) part[k] += exp_down((block[i + k] - best) * scale);
    for (; i < block.size(); i++) part[0] += exp_down((block[i] - best) * scale);
    float total = 0;
    for (const float p : part) total += p;
    sum += double(total);
  }
  return sum;
}

constexpr auto kLikelier = [](const auto& a, const auto& b) {
  return a.score != b.score ? a.score > b.score : a.token < b.token;
};

}  // namespace

int argmax(std::span<const float> values) {
  const auto best = std::find(values.begin(), values.end(), largest(values));
  return best == values.end() ? 0 : int(best - values.begin());
}

Sampler::Sampler(const SamplingOptions& options, std::span<const int> prompt, TokenFilter* filter)
    : options_(options), filter_(filter), random_(options.seed) {
  if (options_.repetition_penalty != 1) seen_.insert(prompt.begin(), prompt.end());
}

bool Sampler::penalizes() const {
  return options_.repetition_penalty != 1 || options_.frequency_penalty != 0 ||
         options_.presence_penalty != 0;
}

int Sampler::sample(std::span<const float> logits) {
  const std::span<const float> scores = adjusted(logits);
  const int token = options_.temperature >= kLeastTemperature ? draw(scores) : argmax(scores);
  if (penalizes()) {
    seen_.insert(token);
    counts_[token]++;
  }
  if (filter_ != nullptr) filter_->accept(token);
  return token;
}

std::span<const float> Sampler::adjusted(std::span<const float> logits) {
  if (filter_ == nullptr && options_.logit_bias.empty() && !penalizes()) return logits;
  scores_.assign(logits.begin(), logits.end());
  for (const auto& [token, bias] : options_.logit_bias) scores_.at(size_t(token)) += bias;
  if (const float r = options_.repetition_penalty; r != 1)
    for (const int token : seen_) {
      float& score = scores_.at(size_t(token));
      score = score > 0 ? score / r : score * r;
    }
  for (const auto& [token, count] : counts_)
    scores_[size_t(token)] -= options_.frequency_penalty * float(count) + options_.presence_penalty;
  if (filter_ != nullptr) apply_filter();
  return scores_;
}

// What is allowed stays above what is not, whatever its logit: so an allowed token is always found.
void Sampler::apply_filter() {
  allowed_.assign((scores_.size() + 31) / 32, 0);
  filter_->allow(allowed_);
  for (size_t i = 0; i < scores_.size(); i++) {
    const bool allowed = allowed_[i / 32] >> i % 32 & 1;
    const float kept = scores_[i] >= std::numeric_limits<float>::lowest()
                           ? scores_[i]
                           : std::numeric_limits<float>::lowest();
    scores_[i] = allowed ? kept : -kInfinity;
  }
}

int Sampler::draw(std::span<const float> scores) {
  const float best = largest(scores);
  if (!std::isfinite(best)) return argmax(scores);
  const bool cuts_k = options_.top_k > 0 && size_t(options_.top_k) < scores.size();
  const bool cuts_p = options_.top_p < 1;
  if (!cuts_k && !cuts_p && options_.min_p <= 0) return draw_of_all(scores, best);
  if (cuts_k) keep_top_k(scores, best);
  if (cuts_p) keep_top_p(scores, best);
  if (!cuts_k && !cuts_p) collect(scores, best, {best - kReach * options_.temperature});
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < options_.min_p; });
  double point = random_.uniform() * candidates_mass();
  for (const Candidate& c : candidates_)
    if ((point -= double(c.weight)) < 0) return c.token;
  return candidates_.back().token;  // the point was lost to rounding
}

// Finds the block of the drawn point first, then the token in it.
int Sampler::draw_of_all(std::span<const float> scores, float best) {
  constexpr size_t kBlock = 1024;
  const float scale = 1 / options_.temperature;
  const auto block = [&](size_t at) {
    return scores.subspan(at, std::min(kBlock, scores.size() - at));
  };
  std::vector<double> mass;
  double sum = 0;
  for (size_t at = 0; at < scores.size(); at += kBlock)
    sum += mass.emplace_back(mass_of(block(at), best, scale));
  double point = random_.uniform() * sum;
  while (mass.back() == 0) mass.pop_back();  // so that a point lost to rounding ends in a token
  size_t b = 0;
  while (b + 1 < mass.size() && point >= mass[b]) point -= mass[b++];
  const std::span<const float> inside = block(b * kBlock);
  int last = 0;
  for (size_t i = 0; i < inside.size(); i++) {
    const float weight = exp_down((inside[i] - best) * scale);
    if (weight > 0) last = int(i);
    if ((point -= double(weight)) < 0) break;
  }
  return int(b * kBlock) + last;
}

// The candidates within the boundary, in the order of their ids.
void Sampler::collect(std::span<const float> scores, float best, Boundary boundary) {
  candidates_.clear();
  const float scale = 1 / options_.temperature;
  for (size_t i = 0; i < scores.size(); i++) {
    const float score = scores[i];
    if (!(score >= boundary.score)) continue;
    if (score == boundary.score && int(i) > boundary.token) continue;
    candidates_.push_back({score, exp_down((score - best) * scale), int(i)});
  }
}

double Sampler::candidates_mass() const {
  double sum = 0;
  for (const Candidate& c : candidates_) sum += double(c.weight);
  return sum;
}

// Both look among the few that come near the likeliest, and further down while these do not do.
// What is kept is told by its last one and collected anew, in the order of ids: so the token drawn
// does not depend on how a library selects.
void Sampler::keep_top_k(std::span<const float> scores, float best) {
  const size_t k = size_t(options_.top_k);
  for (float reach = 3; reach <= kReach; reach *= 2) {
    collect(scores, best, {best - reach * options_.temperature});
    if (candidates_.size() >= k) break;
  }
  if (candidates_.size() <= k) return;
  const auto last = candidates_.begin() + ptrdiff_t(k) - 1;
  std::nth_element(candidates_.begin(), last, candidates_.end(), kLikelier);
  collect(scores, best, {last->score, last->token});
}

void Sampler::keep_top_p(std::span<const float> scores, float best) {
  const bool after_top_k = options_.top_k > 0 && size_t(options_.top_k) < scores.size();
  const double sum =
      after_top_k ? candidates_mass() : mass_of(scores, best, 1 / options_.temperature);
  double wanted = double(options_.top_p) * sum;
  for (float reach = 3; !after_top_k && reach <= kReach; reach *= 2) {
    collect(scores, best, {best - reach * options_.temperature});
    if (candidates_mass() >= wanted) break;
  }
  // Halves the range in which the wanted mass is reached.
  auto begin = candidates_.begin(), end = candidates_.end();
  while (end - begin > 32) {
    const auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end, kLikelier);
    double mass = 0;
    for (auto c = begin; c != middle; ++c) mass += double(c->weight);
    if (mass >= wanted) {
      end = middle;
    } else {
      wanted -= mass;
      begin = middle;
    }
  }
  std::sort(begin, end, kLikelier);
  auto last = begin;
  while (last + 1 < end && (wanted -= double(last->weight)) > 0) ++last;
  collect(scores, best, {last->score, last->token});
}

TokenLogprobs token_logprobs(std::span<const float> logits, int token, int n_top) {
  const float best = largest(logits);
  const double log_sum = double(best) + std::log(mass_of(logits, best, 1));
  const auto logprob = [&](size_t i) { return float(double(logits[i]) - log_sum); };
  std::vector<TokenLogprob> top;  // holds logits at first
  const size_t n = std::min(size_t(n_top), logits.size());
  for (size_t i = 0; i < logits.size() && n > 0; i++) {
    if (top.size() == n && !(logits[i] > top.back().logprob)) continue;
    if (std::isnan(logits[i])) continue;
    if (top.size() == n) top.pop_back();
    const auto place = std::find_if(top.begin(), top.end(), [&](const TokenLogprob& other) {
      return other.logprob < logits[i];
    });
    top.insert(place, {int(i), logits[i]});
  }
  for (TokenLogprob& one : top) one.logprob = logprob(size_t(one.token));
  return {logprob(size_t(token)), std::move(top)};
}

}  // namespace chatmem
