// The memory of a training run before it begins: the same allocations are made on a device that
// only counts.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/adapter_config.h"
#include "model/llama.h"
#include "train/optimizer.h"

namespace chatmem {

struct MemoryPlan {
  struct Row {
    std::string what;
    size_t bytes = 0;
  };
  std::vector<Row> rows;
  size_t total_bytes() const;
};

struct MemoryPlanOptions {
  std::optional<AdapterConfig> lora;  // none: all weights are trained
  int batch_tokens = 4096;            // of all packed rows of a batch together
  int batch_pages = 0;                // of keys and values; 0: as for one example
  DType dtype = DType::bf16;          // of activations
  Recompute recompute = Recompute::cheap;
  OptimizerKind optimizer = OptimizerKind::adamw;
};

// `shape`: the model as model_shape gives it, with the types that its weights have. Mapped weights
// count as memory too: a step reads them all. Not counted: the tokenizer, the data, the program and
// what a device's library takes for itself.
MemoryPlan plan_memory(const Llama& shape, const MemoryPlanOptions& options);

// The fastest rung of the ladder, from options.recompute on, whose plan fits. nullopt when none
// does.
std::optional<Recompute> choose_recompute(const Llama& shape, MemoryPlanOptions options,
                                          size_t memory_bytes);

// Floating-point operations of one token's GEMMs in the blocks: 2 a weight forward, 2 for dX, 2 for
// dW where the weight is trained, and forward again where blocks are recomputed. Attention and
// lm_head, which sees targets alone, are not counted: the time at a device's peak is a lower bound.
double train_flops_per_token(const Config& config, bool is_lora,
                             Recompute recompute = Recompute::nothing);

}  // namespace chatmem
