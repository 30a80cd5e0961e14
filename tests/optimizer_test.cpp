// Training with moments in 8 bits: nearly the losses of f32, the same bits after a resume, and the
// memory that was planned.
#include "train/optimizer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/json.h"
#include "base/random.h"
#include "compute/forwarding_ops.h"
#include "error_of.h"
#include "model/checkpoint.h"
#include "test_folder.h"
#include "train/plan.h"
#include "train/trainable.h"
#include "train/trainer.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;

// Of which the matrices of queries and outputs and all of the feed-forward have 4,096 values or
// more.
Config small_config() {
  Config c;
  c.dim = 64, c.hidden_dim = 128, c.n_layers = 2, c.n_heads = 4, c.n_kv_heads = 2, c.head_dim = 16;
  c.vocab_size = 80, c.max_seq_len = 64;
  return c;
}

// A prompt of random tokens, then each plus one.
Dataset examples(int n) {
  Dataset data{{"temporal", "0", 80, 64}, {}};
  Random random(1);
  for (int i = 0; i < n; i++) {
    Example e{fmt::format("e{}", i), {}, {}};
    for (int k = 0; k < 8; k++) e.tokens.push_back(random.between(2, 30));
    e.tokens.push_back(1);
    for (int k = 0; k < 8; k++) e.tokens.push_back(e.tokens[size_t(k)] + 31);
    e.target.assign(e.tokens.size(), 0);
    std::fill(e.target.end() - 8, e.target.end(), uint8_t(1));
    data.examples.push_back(std::move(e));
  }
  return data;
}

// Asks the loop to stop in the optimizer of a step.
class StoppingOps final : public ForwardingOps {
 public:
  using ForwardingOps::ForwardingOps;
  void adamw_8bit(Tensor w, Tensor copy, Tensor grad, Moment8 m, Moment8 v,
                  const AdamwStep& step) override {
    if (step.step == stop_at) stop = true;
    ForwardingOps::adamw_8bit(w, copy, grad, m, v, step);
  }
  int stop_at = -1;
  std::atomic<bool> stop{false};
};

struct SmallRun {
  explicit SmallRun(OptimizerKind kind, DType dtype = DType::f32)
      : ops(std::make_unique<StoppingOps>(make_cpu_ops({.n_threads = 1}))),
        loaded(init_model(*ops, small_config(), dtype, 3)) {
    options.output = folder.path() / "out";
    options.optimizer = kind;
    options.dtype = dtype;
    options.max_tokens = 40;
    options.lr = 3e-3;
    options.steps = 120;
    options.stop = &ops->stop;
  }
  TrainReport run() { return train(*ops, loaded.model, nullptr, examples(4), {}, options); }
  std::vector<double> losses() const {
    std::vector<double> all;
    for_each_json_line(options.output / "log.jsonl",
                       [&](Json& row, size_t) { all.push_back(row["loss"]); });
    return all;
  }

  TestFolder folder;
  std::unique_ptr<StoppingOps> ops;
  LoadedModel loaded;
  TrainOptions options;
};

TEST(Adamw8BitTraining, ReachesNearlyTheLossOfF32) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    SmallRun wide(OptimizerKind::adamw, dtype), narrow(OptimizerKind::adamw8bit, dtype);
    wide.run(), narrow.run();
    const std::vector<double> want = wide.losses(), got = narrow.losses();
    EXPECT_EQ(got[0], want[0]);  // before any step
    EXPECT_GT(want[0], 4);       // log(80) is 4.4
    EXPECT_LT(want.back(), 0.3);
    EXPECT_NE(got.back(), want.back());
    EXPECT_NEAR(got.back(), want.back(), 0.05);
    for (size_t i = 0; i < want.size(); i++) EXPECT_NEAR(got[i], want[i], 0.25) << i;
  }
}

TEST(Adamw8BitTraining, ResumesWithTheSameBits) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    SmallRun whole(OptimizerKind::adamw8bit, dtype), cut(OptimizerKind::adamw8bit, dtype),
        rest(OptimizerKind::adamw8bit, dtype), other(OptimizerKind::adamw, dtype);
    whole.run();
    cut.ops->stop_at = 37;
    EXPECT_EQ(cut.run().step, 37);
    rest.options.output = other.options.output = cut.options.output;
    rest.options.resume = other.options.resume = Resume::yes;
    EXPECT_EQ(rest.run().step, 120);
    const auto bytes = [](SmallRun& s) {
      return read_file(s.options.output / "checkpoints/step-000120/optimizer.safetensors");
    };
    EXPECT_EQ(bytes(rest), bytes(whole));
    EXPECT_EQ(rest.losses(), whole.losses());
    EXPECT_THAT(error_of([&] { other.run(); }), HasSubstr("other data or options"));
  }
}

size_t moments_of(const Config& config, OptimizerKind kind) {
  MemoryPlanOptions options;
  options.batch_tokens = 40;
  options.dtype = DType::f32;
  options.optimizer = kind;
  const MemoryPlan plan = plan_memory(model_shape(config, DType::f32), options);
  for (const MemoryPlan::Row& row : plan.rows)
    if (row.what == "values in f32, gradients, AdamW's moments") return row.bytes;
  return 0;
}

TEST(Adamw8BitTraining, TakesTheMemoryThatWasPlanned) {
  const Config c = small_config();
  const auto ops = make_cpu_ops({.n_threads = 1});
  Llama model = init_model(*ops, c, DType::f32, 1).model;
  const size_t before = ops->allocated_bytes();
  Optimizer optimizer(*ops, OptimizerKind::adamw8bit);
  make_trainable(optimizer, model);
  EXPECT_EQ(ops->allocated_bytes() - before, moments_of(c, OptimizerKind::adamw8bit));
  // Of a large tensor, 4 bytes for the gradient and 2 for the moments, and a scale of each for 256.
  size_t want = 0;
  for_each_tensor(model, [&](const std::string&, const Tensor& t, TensorKind) {
    const bool narrow = t.size() >= 4096;
    want += t.size() * (narrow ? 6 : 12) + (narrow ? 8 * moment_blocks(t.size()) : 0);
  });
  EXPECT_EQ(moments_of(c, OptimizerKind::adamw8bit), want);
  EXPECT_LT(want, moments_of(c, OptimizerKind::adamw) * 2 / 3);
}

}  // namespace
}  // namespace chatmem
