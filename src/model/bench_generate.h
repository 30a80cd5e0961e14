// The speed and memory of serving at the size of a real model, on random weights.
#pragma once
#include "compute/profiled_ops.h"
#include "model/random_model.h"

namespace chatmem {

enum class ServeWork : uint8_t {
  prefill,  // prompts of random tokens, each alone with nothing cached
  decode,   // tokens made one by one from an empty cache, requests together
};

struct GenerateBenchOptions {
  Config config;
  WeightFormats formats;
  DType activations = DType::bf16;
  std::optional<DType> kv_dtype = {};  // absent: activations
  ServeWork work = ServeWork::decode;
  int tokens = 128;          // of each request
  int requests = 1;          // at once
  int prefill_tokens = 512;  // of prompts in one step
  int rounds = 3;            // that are measured, after one that is not
  uint64_t seed = 1;
};

struct GenerateBenchResult {
  double best_s = 0, median_s = 0;  // of a round
  int64_t tokens = 0, steps = 0;    // of a round
  double gflops = 0;                // of the best round: products and attention
  size_t weight_bytes = 0;          // that a step reads: all but the embedding
  size_t allocated_bytes = 0;
  std::map<std::string, OpProfile> profile;  // of the measured rounds
};

GenerateBenchResult bench_generate(std::unique_ptr<Ops> ops, const GenerateBenchOptions& options);

}  // namespace chatmem
