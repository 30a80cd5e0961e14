// Time to pick one token from logits at the vocabulary of Llama 3, and to find its logprobs.
#include <benchmark/benchmark.h>

#include "model/sampler.h"

namespace chatmem {
namespace {

// Most tokens far below a few likely ones, as in a language model; or nearly all alike.
std::vector<float> logits_like(bool peaked) {
  Random random(1);
  std::vector<float> logits(128'256);
  for (float& logit : logits) logit = float((peaked ? 2.5 : 0.3) * random.normal());
  for (int i = 0; peaked && i < 50; i++)
    logits[size_t(random.below(logits.size()))] = float(20 - 0.2 * i);
  return logits;
}

void pick(benchmark::State& state, SamplingOptions options, bool peaked) {
  const std::vector<float> logits = logits_like(peaked);
  Sampler sampler(options);
  for (auto _ : state) benchmark::DoNotOptimize(sampler.sample(logits));
}

void logprobs(benchmark::State& state) {
  const std::vector<float> logits = logits_like(true);
  for (auto _ : state) benchmark::DoNotOptimize(token_logprobs(logits, 5, 20));
}

BENCHMARK_CAPTURE(pick, greedy, SamplingOptions{}, true);
BENCHMARK_CAPTURE(pick, plain, SamplingOptions{.temperature = 1}, true);
BENCHMARK_CAPTURE(pick, top_k_40, SamplingOptions{.temperature = 0.8f, .top_k = 40}, true);
BENCHMARK_CAPTURE(pick, top_p_0_9, SamplingOptions{.temperature = 0.8f, .top_p = 0.9f}, true);
BENCHMARK_CAPTURE(pick, min_p_0_05, SamplingOptions{.temperature = 0.8f, .min_p = 0.05f}, true);
BENCHMARK_CAPTURE(pick, all_of_it,
                  SamplingOptions{.temperature = 0.8f,
                                  .top_p = 0.95f,
                                  .min_p = 0.01f,
                                  .top_k = 100,
                                  .repetition_penalty = 1.1f,
                                  .frequency_penalty = 0.2f,
                                  .logit_bias = {{7, 1.f}}},
                  true);
BENCHMARK_CAPTURE(pick, top_p_0_9_flat, SamplingOptions{.temperature = 1, .top_p = 0.9f}, false);
BENCHMARK_CAPTURE(pick, top_k_40_flat, SamplingOptions{.temperature = 1, .top_k = 40}, false);
BENCHMARK(logprobs);

}  // namespace
}  // namespace chatmem
