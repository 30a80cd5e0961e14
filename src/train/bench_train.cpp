#include "train/bench_train.h"

#include <algorithm>
#include <chrono>

#include "base/random.h"
#include "model/lora.h"
#include "train/backward.h"
#include "train/batches.h"
#include "train/optimizer.h"
#include "train/trainable.h"
#include "train/trainer.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Dataset one_example(const TrainBenchOptions& options) {
  Random random(options.seed);
  Example example{"bench", {}, {}};
  const int n = options.tokens + 1;  // the last is only predicted
  const int first_target = n - std::max(1, int(options.tokens * options.target_share));
  for (int i = 0; i < n; i++) {
    example.tokens.push_back(int(random.below(uint64_t(options.config.vocab_size))));
    example.target.push_back(i >= first_target);
  }
  Dataset data;
  data.examples.push_back(std::move(example));
  return data;
}

}  // namespace

TrainBenchResult bench_train(std::unique_ptr<Ops> device, const TrainBenchOptions& options) {
  TrainBenchResult result;
  ProfiledOps ops(std::move(device));
  const Config& config = options.config;
  const Llama model = random_model(ops, config, options.formats, options.seed);
  Adapter adapter = make_adapter(ops, model, options.lora, options.activations, options.seed);
  Optimizer optimizer(ops);
  Adapter gradient = make_trainable(optimizer, adapter);

  const Dataset data = one_example(options);
  const std::vector<std::vector<int>> rows = {{0}};
  BatchBuilder batches(ops, config, data, rows, 1, options.activations,
                       kv_layers(config, options.recompute));
  const AdapterShape shape = shape_of(&adapter);
  const bool dropout = options.lora.dropout > 0;
  Workspace ws = make_workspace(ops, config,
                                {.max_tokens = batches.max_tokens(),
                                 .adapter = shape,
                                 .dtype = options.activations,
                                 .training = true,
                                 .dropout = dropout});
  Tape tape = make_tape(ops, config, ws, options.recompute);
  BackwardSpace space = make_backward_space(ops, config, ws, {.adapter = shape});
  result.allocated_bytes = ops.allocated_bytes();

  std::vector<double> seconds;
  for (int step = 0; step <= options.steps; step++) {
    if (step == 1) ops.reset();
    const auto begin = Clock::now();
    const int row = 0;
    Batch batch = batches.build({&row, 1}, &adapter);
    if (dropout) batch.dropout = {float(options.lora.dropout), uint64_t(step)};
    optimizer.zero_gradients();
    const double n = double(batches.targets().size());
    const double loss = loss_and_backward(ops, model, batch, batches.targets(), float(1 / n), ws,
                                          tape, space, {.adapter = &gradient});
    optimizer.gradient_norm();
    optimizer.step({.lr = 1e-4f, .step = step + 1});
    update_dora(ops, model, adapter);
    result.losses.push_back(loss / n);
    if (step > 0) seconds.push_back(seconds_since(begin));
  }
  result.profile = ops.profile();
  const double flops = ops.total().flops / double(seconds.size());
  std::ranges::sort(seconds);
  result.best_s = seconds.front();
  result.median_s = seconds[seconds.size() / 2];
  result.gflops = 1e-9 * flops / result.best_s;
  result.peak_gflops = measure_peak_gflops(ops, options.activations);
  return result;
}

}  // namespace chatmem
