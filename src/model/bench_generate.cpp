#include "model/bench_generate.h"

#include <algorithm>
#include <chrono>

#include "base/random.h"
#include "model/checkpoint.h"
#include "model/generate.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

size_t read_each_step(Llama& model) {
  size_t bytes = 0;
  for_each_tensor(model, [&](const std::string&, Tensor& tensor, TensorKind) {
    if (tensor.data != model.embed.data) bytes += tensor.size_bytes();
  });
  return bytes + (model.config.tied_embeddings ? model.lm_head.size_bytes() : 0);
}

}  // namespace

GenerateBenchResult bench_generate(std::unique_ptr<Ops> device,
                                   const GenerateBenchOptions& options) {
  CHECK(options.tokens > 0 && options.requests > 0 && options.rounds > 0);
  GenerateBenchResult result;
  ProfiledOps ops(std::move(device));
  Llama model = random_model(ops, options.config, options.formats, options.seed);
  const bool prefill = options.work == ServeWork::prefill;
  Generator generator(ops, model,
                      {.max_requests = options.requests,
                       .prefill_tokens = prefill ? options.prefill_tokens : options.requests,
                       .kv_tokens = options.requests * kPageTokens * pages_for(options.tokens + 1),
                       .dtype = options.activations,
                       .kv_dtype = options.kv_dtype});
  result.weight_bytes = read_each_step(model);
  result.allocated_bytes = ops.allocated_bytes();

  Random random(options.seed);
  std::vector<double> seconds;
  for (int round = 0; round <= options.rounds; round++) {
    if (round == 1) ops.reset();
    for (int i = 0; i < options.requests; i++) {
      GenerateRequest request{.max_tokens = prefill ? 1 : options.tokens};
      for (int n = prefill ? options.tokens : 1; n > 0; n--)
        request.prompt.push_back(int(random.below(uint64_t(options.config.vocab_size))));
      CHECK(generator.add(i, std::move(request)));
    }
    const auto begin = Clock::now();
    for (result.steps = 0; generator.n_active() > 0; result.steps++) generator.step();
    if (round > 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  result.tokens = int64_t(options.requests) * options.tokens;
  result.profile = ops.profile();
  const double flops = ops.total().flops / double(seconds.size());
  std::ranges::sort(seconds);
  result.best_s = seconds.front();
  result.median_s = seconds[seconds.size() / 2];
  result.gflops = 1e-9 * flops / result.best_s;
  return result;
}

}  // namespace chatmem
