// The speed and memory of training steps at the size of a real model, on random weights.
#pragma once
#include <string>

#include "compute/profiled_ops.h"
#include "format/adapter_config.h"
#include "model/random_model.h"

namespace chatmem {

struct TrainBenchOptions {
  Config config;
  WeightFormats formats;
  DType activations = DType::bf16;
  AdapterConfig lora;
  int tokens = 512;           // of one packed row: one example
  double target_share = 0.3;  // of the tokens, at the end
  int steps = 3;              // after one that is not counted
  Recompute recompute = Recompute::cheap;
  uint64_t seed = 1;
};

struct TrainBenchResult {
  std::vector<double> losses;       // of each step, the first included
  double best_s = 0, median_s = 0;  // of a step
  double gflops = 0;                // of the best step: products and attention, recomputed ones too
  double peak_gflops = 0;           // of one large product in the dtype of the activations
  size_t allocated_bytes = 0;
  std::map<std::string, OpProfile> profile;  // of the counted steps
};

// A LoRA step is forward, backward and AdamW.
TrainBenchResult bench_train(std::unique_ptr<Ops> ops, const TrainBenchOptions& options);

}  // namespace chatmem
