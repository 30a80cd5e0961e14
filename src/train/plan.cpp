#include "train/plan.h"

#include "compute/counting_ops.h"
#include "model/checkpoint.h"
#include "model/kv_cache.h"
#include "model/lora.h"
#include "train/backward.h"
#include "train/trainable.h"

namespace chatmem {

size_t MemoryPlan::total_bytes() const {
  size_t total = 0;
  for (const Row& row : rows) total += row.bytes;
  return total;
}

MemoryPlan plan_memory(const Llama& shape, const MemoryPlanOptions& options) {
  CountingOps ops;
  MemoryPlan plan;
  size_t before = 0;
  const auto row = [&](std::string what) {
    plan.rows.push_back({std::move(what), ops.allocated_bytes() - before});
    before = ops.allocated_bytes();
  };
  Llama model = shape;
  size_t other_weights = 0;
  for_each_tensor(model, [&](const std::string&, Tensor& t, TensorKind kind) {
    t = make_tensor(ops, t.rows, t.cols, t.dtype);
    if (kind == TensorKind::embedding || kind == TensorKind::lm_head)
      other_weights += t.size_bytes();
  });
  if (model.config.tied_embeddings) model.lm_head = model.embed;
  row("weights");
  plan.rows.back().bytes -= other_weights;
  plan.rows.push_back({"embedding and lm_head", other_weights});

  Optimizer optimizer(ops, options.optimizer);
  std::optional<Adapter> adapter;
  if (options.lora) {
    adapter = make_adapter(ops, model, *options.lora, options.dtype, 0);
    row("adapter");
    make_trainable(optimizer, *adapter);
  } else {
    make_trainable(optimizer, model);
  }
  row("values in f32, gradients, AdamW's moments");

  const Config& c = model.config;
  const int pages = options.batch_pages > 0 ? options.batch_pages : pages_for(options.batch_tokens);
  const KvPages kv(ops, c, pages, options.dtype, kv_layers(c, options.recompute));
  row("keys and values");
  const AdapterShape adapter_shape = shape_of(adapter ? &*adapter : nullptr);
  const Workspace ws = make_workspace(ops, c,
                                      {.max_tokens = options.batch_tokens,
                                       .adapter = adapter_shape,
                                       .dtype = options.dtype,
                                       .training = true,
                                       .dropout = options.lora && options.lora->dropout > 0});
  row("activations of one block");
  make_tape(ops, c, ws, options.recompute);
  row("activations kept for backward");
  make_backward_space(ops, c, ws, {.adapter = adapter_shape});
  row("gradients of activations, logits");
  return plan;
}

std::optional<Recompute> choose_recompute(const Llama& shape, MemoryPlanOptions options,
                                          size_t memory_bytes) {
  for (const Recompute recompute : kRecomputeLadder) {
    if (recompute < options.recompute) continue;
    options.recompute = recompute;
    if (plan_memory(shape, options).total_bytes() <= memory_bytes) return recompute;
  }
  return std::nullopt;
}

double train_flops_per_token(const Config& c, bool is_lora, Recompute recompute) {
  const double block =
      double(c.dim) * (2.0 * c.q_dim() + 2.0 * c.kv_dim()) + 3.0 * c.dim * c.hidden_dim;
  const double per_weight = (is_lora ? 4 : 6) + (recompute == Recompute::blocks ? 2 : 0);
  return per_weight * c.n_layers * block;
}

}  // namespace chatmem
