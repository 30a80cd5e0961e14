// Sampling against an oracle that sorts everything in double precision: its distribution by
// chi-square over many draws, at the vocabulary of Llama 3 as well.
#include "model/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace chatmem {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> random_logits(size_t n, uint64_t seed, double spread = 2) {
  Random random(seed);
  std::vector<float> logits(n);
  for (float& logit : logits) logit = float(spread * random.normal());
  return logits;
}

struct Context {
  std::vector<int> prompt, answer;
  std::set<int> forbidden;
};

// The header's steps, one by one.
std::vector<double> oracle(const std::vector<float>& logits, const SamplingOptions& o,
                           const Context& context = {}) {
  std::vector<double> l(logits.begin(), logits.end());
  for (const auto& [token, bias] : o.logit_bias) l[size_t(token)] += double(bias);
  std::set<int> seen(context.prompt.begin(), context.prompt.end());
  std::map<int, int> counts;
  for (const int token : context.answer) seen.insert(token), counts[token]++;
  for (const int t : seen)
    l[size_t(t)] = l[size_t(t)] > 0 ? l[size_t(t)] / double(o.repetition_penalty)
                                    : l[size_t(t)] * double(o.repetition_penalty);
  for (const auto& [token, count] : counts)
    l[size_t(token)] -= double(o.frequency_penalty) * count + double(o.presence_penalty);
  std::vector<int> order;
  for (size_t i = 0; i < l.size(); i++)
    if (!context.forbidden.contains(int(i)) && !std::isnan(l[i])) order.push_back(int(i));
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return l[size_t(a)] > l[size_t(b)]; });
  std::vector<double> p(l.size());
  const double best = l[size_t(order[0])];
  if (o.top_k > 0) order.resize(std::min(order.size(), size_t(o.top_k)));
  double sum = 0, kept = 0;
  for (const int i : order) sum += std::exp((l[size_t(i)] - best) / double(o.temperature));
  for (const int i : order) {
    const double weight = std::exp((l[size_t(i)] - best) / double(o.temperature));
    if (kept >= double(o.top_p) * sum && kept > 0) break;
    kept += weight;
    if (weight >= double(o.min_p)) p[size_t(i)] = weight;
  }
  const double total = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= total;
  return p;
}

// Chi-square of the counts against p, tokens expected fewer than ten times taken together; in
// standard deviations from its mean. A token of probability 0 must not come.
double surprise(const std::vector<int>& counts, const std::vector<double>& p) {
  const double n = std::accumulate(counts.begin(), counts.end(), 0.0);
  double chi = 0, rare = 0, rare_expected = 0;
  int bins = 0;
  for (size_t i = 0; i < p.size(); i++) {
    if (p[i] == 0 && counts[i] > 0) return kInfinity;
    if (p[i] * n < 10) {
      rare += counts[i];
      rare_expected += p[i] * n;
      continue;
    }
    chi += (counts[i] - p[i] * n) * (counts[i] - p[i] * n) / (p[i] * n);
    bins++;
  }
  if (rare_expected >= 10) {
    chi += (rare - rare_expected) * (rare - rare_expected) / rare_expected;
    bins++;
  }
  const double freedom = std::max(1, bins - 1);
  return (chi - freedom) / std::sqrt(2 * freedom);
}

std::vector<int> draws(const std::vector<float>& logits, const SamplingOptions& options, int n) {
  Sampler sampler(options);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < n; i++) counts[size_t(sampler.sample(logits))]++;
  return counts;
}

// Lets an answer begin with given tokens, then all but some.
class ScriptFilter final : public TokenFilter {
 public:
  ScriptFilter(std::vector<int> begin, std::set<int> forbidden)
      : begin_(std::move(begin)), forbidden_(std::move(forbidden)) {}
  void allow(std::span<uint32_t> bits) override {
    for (size_t i = 0; i < bits.size() * 32; i++) {
      const bool wanted = heard.size() < begin_.size() ? begin_[heard.size()] == int(i)
                                                       : !forbidden_.contains(int(i));
      bits[i / 32] |= uint32_t(wanted) << i % 32;
    }
  }
  void accept(int token) override { heard.push_back(token); }
  std::vector<int> heard;

 private:
  std::vector<int> begin_;
  std::set<int> forbidden_;
};

const SamplingOptions kCases[] = {
    {.temperature = 1, .seed = 1},
    {.temperature = 0.3f, .seed = 2},
    {.temperature = 2, .seed = 3},
    {.temperature = 1, .top_k = 7, .seed = 4},
    {.temperature = 1, .top_p = 0.8f, .seed = 5},
    {.temperature = 0.7f, .min_p = 0.1f, .seed = 6},
    {.temperature = 1.3f, .top_p = 0.6f, .min_p = 0.05f, .top_k = 20, .seed = 7},
    {.temperature = 1, .top_p = 0, .seed = 8},
    {.temperature = 1, .top_k = 1, .seed = 9},
    {.temperature = 1, .min_p = 1, .seed = 10},
    {.temperature = 1, .seed = 11, .logit_bias = {{3, 2.f}, {5, -100.f}, {0, 0.5f}}},
};

TEST(Sampler, DrawsByTheOraclesDistribution) {
  std::vector<float> logits = random_logits(50, 17);
  logits[20] = logits[21] = logits[22] = *std::max_element(logits.begin(), logits.end());  // ties
  for (const SamplingOptions& options : kCases)
    EXPECT_LT(surprise(draws(logits, options, 40'000), oracle(logits, options)), 4)
        << "seed " << options.seed;
}

TEST(Sampler, DrawsByTheOraclesDistributionFromALargeVocabulary) {
  for (const double spread : {2.0, 0.1}) {  // peaked, and nearly flat
    const std::vector<float> logits = random_logits(128'256, 5, spread);
    for (const SamplingOptions& options :
         {SamplingOptions{.temperature = 1, .seed = 1},
          SamplingOptions{.temperature = 0.8f, .top_p = 0.9f, .seed = 2},
          SamplingOptions{.temperature = 1, .top_k = 40, .seed = 3},
          SamplingOptions{.temperature = 1, .min_p = 0.2f, .seed = 4},
          SamplingOptions{
              .temperature = 1, .top_p = 0.7f, .min_p = 0.1f, .top_k = 1000, .seed = 5}})
      EXPECT_LT(surprise(draws(logits, options, 500), oracle(logits, options)), 4)
          << "spread " << spread << ", seed " << options.seed;
  }
}

// What is kept is exactly the oracle's set: with a temperature that makes all of it likely.
TEST(Sampler, KeepsWhatTheOracleKeeps) {
  const std::vector<float> logits = random_logits(300, 23, 0.5);
  for (int i = 1; i < 20; i++) {
    const SamplingOptions options{.temperature = 1,
                                  .top_p = i % 3 ? float(i) / 20 : 1,
                                  .min_p = i % 4 ? 0 : float(i) / 40,
                                  .top_k = i % 2 ? 0 : 10 * i,
                                  .seed = uint64_t(i)};
    const std::vector<int> counts = draws(logits, options, 20'000);
    const std::vector<double> p = oracle(logits, options);
    for (size_t t = 0; t < p.size(); t++)
      EXPECT_EQ(counts[t] > 0, p[t] > 0) << "token " << t << " of case " << i;
  }
}

TEST(Sampler, PenaltiesBiasAndFilterTogether) {
  const std::vector<float> logits = random_logits(30, 41);
  const Context context{{1, 2, 3, 3}, {4, 5, 4, 2}, {7, 8, 29}};
  for (const SamplingOptions& base : {SamplingOptions{.temperature = 1, .repetition_penalty = 1.8f},
                                      SamplingOptions{.temperature = 1, .frequency_penalty = 0.9f},
                                      SamplingOptions{.temperature = 1, .presence_penalty = -1.5f},
                                      SamplingOptions{.temperature = 0.8f,
                                      .top_p = 0.9f,
                                      .repetition_penalty = 0.7f,
                                      .frequency_penalty = -0.5f,
                                      .presence_penalty = 1,
                                      .logit_bias = {{2, -1.f}, {4, 3.f}}}}) {
    std::vector<int> counts(logits.size());
    for (uint64_t seed = 0; seed < 20'000; seed++) {
      SamplingOptions options = base;
      options.seed = seed;
      ScriptFilter filter(context.answer, context.forbidden);
      Sampler sampler(options, context.prompt, &filter);
      for (size_t i = 0; i < context.answer.size(); i++) sampler.sample(logits);
      ASSERT_EQ(filter.heard, context.answer);
      counts[size_t(sampler.sample(logits))]++;
    }
    EXPECT_LT(surprise(counts, oracle(logits, base, context)), 4);
  }
}

TEST(Sampler, SeedDecidesAlone) {
  const std::vector<float> logits = random_logits(1000, 3);
  const auto run = [&](uint64_t seed) {
    Sampler sampler({.temperature = 1, .seed = seed, .presence_penalty = 0.5f});
    std::vector<int> tokens;
    for (int i = 0; i < 50; i++) tokens.push_back(sampler.sample(logits));
    return tokens;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(Sampler, GreedyTakesTheFirstOfTheLikeliest) {
  const float nan = std::nanf("");
  EXPECT_EQ(argmax(std::vector<float>{nan, 1, 3, 3, 2}), 2);
  EXPECT_EQ(Sampler({}).sample(std::vector<float>{nan, 1, 3, 3, 2}), 2);
  EXPECT_EQ(Sampler({.temperature = 1e-6f}).sample(std::vector<float>{0, 1, 0.999f}), 1);
  EXPECT_EQ(Sampler({.logit_bias = {{4, 1.5f}}}).sample(std::vector<float>{0, 1, 3, 3, 2}), 4);
  Sampler frequent({.frequency_penalty = 0.6f});
  const std::vector<float> logits = {1, 2};
  EXPECT_EQ(frequent.sample(logits), 1);
  EXPECT_EQ(frequent.sample(logits), 1);  // 1 against 1.4
  EXPECT_EQ(frequent.sample(logits), 0);  // 1 against 0.8
}

TEST(Sampler, OddLogitsStillGiveATokenThatIsAllowed) {
  const float nan = std::nanf("");
  for (const std::vector<float>& logits :
       {std::vector<float>(70, nan), std::vector<float>(70, -kInfinity),
        std::vector<float>(70, kInfinity), std::vector<float>(70, 0.f)})
    for (const float temperature : {0.f, 1e-30f, 1.f})
      for (const float top_p : {1.f, 0.5f}) {
        std::set<int> forbidden;
        for (int i = 0; i < 70; i++)
          if (i != 33) forbidden.insert(i);
        ScriptFilter filter({}, forbidden);
        Sampler sampler({.temperature = temperature, .top_p = top_p}, {}, &filter);
        for (int i = 0; i < 10; i++) EXPECT_EQ(sampler.sample(logits), 33);
        const int free = Sampler({.temperature = temperature, .top_p = top_p}).sample(logits);
        EXPECT_TRUE(free >= 0 && free < 70);
      }
}

TEST(Sampler, LogprobsAreThoseOfTheWholeDistribution) {
  std::vector<float> logits = random_logits(5000, 9, 4);
  logits[7] = std::nanf("");
  logits[100] = logits[200] = 30;
  double sum = 0;
  for (const float l : logits)
    if (!std::isnan(l)) sum += std::exp(double(l) - 30);
  const TokenLogprobs got = token_logprobs(logits, 4321, 20);
  EXPECT_NEAR(got.logprob, double(logits[4321]) - 30 - std::log(sum), 1e-4);
  ASSERT_EQ(got.top.size(), 20u);
  EXPECT_EQ(got.top[0].token, 100);  // the smaller id of equals
  EXPECT_EQ(got.top[1].token, 200);
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase(order, 7);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return logits[size_t(a)] > logits[size_t(b)]; });
  for (size_t i = 0; i < 20; i++) {
    EXPECT_EQ(got.top[i].token, order[i]);
    EXPECT_NEAR(got.top[i].logprob, double(logits[size_t(order[i])]) - 30 - std::log(sum), 1e-4);
  }
  EXPECT_TRUE(token_logprobs(logits, 1, 0).top.empty());
  EXPECT_EQ(token_logprobs(std::vector<float>{1, 2}, 0, 20).top.size(), 2u);
}

}  // namespace
}  // namespace chatmem
