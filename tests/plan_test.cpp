// A plan of memory is what the training then allocates.
#include "train/plan.h"

#include <gtest/gtest.h>

#include "model/kv_cache.h"
#include "model/lora.h"
#include "model/random_model.h"
#include "train/backward.h"
#include "train/trainable.h"

namespace chatmem {
namespace {

Config small_config() {
  Config c;
  c.dim = 256, c.hidden_dim = 512, c.n_layers = 3, c.n_heads = 4, c.n_kv_heads = 2, c.head_dim = 64;
  c.vocab_size = 1000, c.max_seq_len = 512;
  return c;
}

size_t row_of(const MemoryPlan& plan, std::string_view what) {
  for (const MemoryPlan::Row& row : plan.rows)
    if (row.what == what) return row.bytes;
  ADD_FAILURE() << "no row " << what;
  return 0;
}

TEST(Plan, IsWhatATrainingAllocates) {
  const Config c = small_config();
  for (const char* formats : {"f32", "bf16", "q4_k", "nf4"})
    for (const Recompute recompute : kRecomputeLadder) {
      MemoryPlanOptions options;
      options.batch_tokens = 100;
      options.recompute = recompute;
      options.lora = AdapterConfig{.rank = 4, .dropout = 0.1, .dora = true};
      options.lora->target_modules = all_target_modules();
      const WeightFormats weights = *parse_weight_formats(formats);
      const MemoryPlan plan = plan_memory(shape_of_formats(c, weights), options);

      const auto ops = make_cpu_ops();
      const Llama model = random_model(*ops, c, weights, 1);
      EXPECT_EQ(row_of(plan, "weights") + row_of(plan, "embedding and lm_head") +
                    model.inv_freq.size_bytes(),
                ops->allocated_bytes());
      Adapter adapter = make_adapter(*ops, model, *options.lora, DType::bf16, 1);
      const size_t scratch = ops->allocated_bytes();  // dora_factor's buffers are none of the plan
      Optimizer optimizer(*ops);
      make_trainable(optimizer, adapter);
      const KvPages pages(*ops, c, pages_for(100), DType::bf16, kv_layers(c, recompute));
      const Workspace ws = make_workspace(*ops, c,
                                          {.max_tokens = 100,
                                           .adapter = shape_of(&adapter),
                                           .dtype = DType::bf16,
                                           .training = true,
                                           .dropout = true});
      make_tape(*ops, c, ws, recompute);
      make_backward_space(*ops, c, ws, {.adapter = shape_of(&adapter)});
      size_t planned = 0;
      for (const char* what : {"values in f32, gradients, AdamW's moments", "keys and values",
                               "activations of one block", "activations kept for backward",
                               "gradients of activations, logits"})
        planned += row_of(plan, what);
      EXPECT_EQ(planned, ops->allocated_bytes() - scratch) << formats;
    }
}

TEST(Plan, TakesTheFastestRungThatFits) {
  const Llama shape =
      shape_of_formats(*known_config("llama-3.1-8b"), *parse_weight_formats("bf16"));
  MemoryPlanOptions options;
  options.lora = AdapterConfig{};
  options.lora->target_modules = all_target_modules();
  size_t before = SIZE_MAX;
  for (const Recompute recompute : kRecomputeLadder) {
    options.recompute = recompute;
    const size_t total = plan_memory(shape, options).total_bytes();
    EXPECT_LT(total, before);
    options.recompute = Recompute::nothing;
    EXPECT_EQ(choose_recompute(shape, options, total), recompute);
    before = total;
  }
  options.recompute = Recompute::cheap;
  EXPECT_EQ(choose_recompute(shape, options, SIZE_MAX), Recompute::cheap);
  EXPECT_EQ(choose_recompute(shape, options, before - 1), std::nullopt);
  EXPECT_GT(before, size_t(16'000'000'000));  // the weights alone
}

}  // namespace
}  // namespace chatmem
