// The training loop on a tiny fresh model: it learns, it accumulates as it should, and a run that
// was stopped anywhere and resumed is the run that was not.
#include "train/trainer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "compute/forwarding_ops.h"
#include "model/lora.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Config tiny_config() {
  Config c;
  c.dim = 32, c.hidden_dim = 64, c.n_layers = 2, c.n_heads = 4, c.n_kv_heads = 2, c.head_dim = 8;
  c.vocab_size = 48, c.max_seq_len = 64, c.tied_embeddings = true;
  return c;
}

// Examples that can be learnt: a prompt of random tokens, and its tokens each plus one.
Dataset examples(int n, uint64_t seed = 1) {
  Dataset data{{"temporal", "0", 48, 64}, {}};
  Random random(seed);
  for (int i = 0; i < n; i++) {
    Example e{fmt::format("e{}", i), {}, {}};
    const int length = random.between(3, 9);
    for (int k = 0; k < length; k++) e.tokens.push_back(random.between(2, 20));
    e.tokens.push_back(1);
    for (int k = 0; k < length; k++) e.tokens.push_back(e.tokens[size_t(k)] + 21);
    e.target.assign(e.tokens.size(), 0);
    std::fill(e.target.end() - length, e.target.end(), uint8_t(1));
    data.examples.push_back(std::move(e));
  }
  return data;
}

enum class Method { full, lora };

// Stands for a process that is killed.
struct Death {};

// Sets `stop` in the optimizer of a step, or dies there.
class WatchedOps final : public ForwardingOps {
 public:
  using ForwardingOps::ForwardingOps;
  void adamw(Tensor w, Tensor copy, Tensor grad, Tensor m, Tensor v,
             const AdamwStep& step) override {
    if (step.step == die_at) throw Death();
    if (step.step == stop_at) stop = true;
    ForwardingOps::adamw(w, copy, grad, m, v, step);
  }
  void matmul(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) override {
    if (++n_calls == die_at_call) throw Death();
    ForwardingOps::matmul(y, x, w, scale, accumulate);
  }
  void copy_out(void* host, Tensor src) override {  // while a checkpoint is written, too
    if (++n_calls == die_at_call) throw Death();
    ForwardingOps::copy_out(host, src);
  }
  int die_at = -1, stop_at = -1, die_at_call = -1, n_calls = 0;
  std::atomic<bool> stop{false};
};

// A model, and everything that one run needs, from the same seed every time.
struct TinyRun {
  explicit TinyRun(Method method, DType dtype = DType::f32)
      : ops(std::make_unique<WatchedOps>(make_cpu_ops({.n_threads = 1}))),
        loaded(init_model(*ops, tiny_config(), dtype, 3)) {
    options.output = folder.path() / "out";
    options.dtype = dtype;
    options.max_tokens = 40;
    options.lr = 1e-2;
    if (method == Method::full) return;
    // The frozen head of a fresh model can tell tokens apart by 0.02 sqrt(dim) at most: too little
    // to learn anything below it.
    Tensor& embed = loaded.model.embed;
    const Tensor wide = make_tensor(*ops, embed.rows, embed.cols, DType::f32);
    ops->copy(wide, embed);
    for (size_t i = 0; i < wide.size(); i++) wide.f32()[i] *= 25;
    ops->copy(embed, wide);
    adapter =
        make_adapter(*ops, loaded.model,
                     {.rank = 4, .alpha = 8, .target_modules = all_target_modules()}, dtype, 5);
  }
  // Asks the loop to stop after so many steps.
  void stop_at(int step) {
    ops->stop_at = step;
    ops->stop = step == 0;
    options.stop = &ops->stop;
  }
  TrainReport run(const Dataset& data, const Dataset& validation = {}) {
    return train(*ops, loaded.model, adapter ? &*adapter : nullptr, data, validation, options);
  }
  std::string error(const Dataset& data) {
    try {
      run(data);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }
  // The bytes of what was trained, by name.
  std::map<std::string, std::vector<std::byte>> trained() {
    std::map<std::string, std::vector<std::byte>> all;
    const auto put = [&](const std::string& name, Tensor t) {
      all[name].resize(t.size_bytes());
      ops->copy_out(all[name].data(), t);
    };
    if (adapter)
      for_each_lora(*adapter, [&](const std::string& name, Lora& lora) {
        put(name + ".A", lora.a), put(name + ".B", lora.b);
      });
    else
      for_each_tensor(loaded.model,
                      [&](const std::string& name, Tensor& t, TensorKind) { put(name, t); });
    return all;
  }
  std::vector<Json> log() const {
    std::vector<Json> rows;
    for_each_json_line(options.output / "log.jsonl",
                       [&](Json& row, size_t) { rows.push_back(row); });
    return rows;
  }
  std::vector<double> losses() const {
    std::vector<double> all;
    for (const Json& row : log()) all.push_back(row["loss"]);
    return all;
  }
  std::set<std::string> checkpoints() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(options.output / "checkpoints"))
      names.insert(entry.path().filename());
    return names;
  }

  TestFolder folder;
  std::unique_ptr<WatchedOps> ops;
  LoadedModel loaded;
  std::optional<Adapter> adapter;
  TrainOptions options;
};

TEST(Schedule, WarmsUpThenFalls) {
  for (const ScheduleKind kind :
       {ScheduleKind::constant, ScheduleKind::linear, ScheduleKind::cosine}) {
    const Schedule s{kind, 1.0, 0.1, 10, 110};
    EXPECT_DOUBLE_EQ(s.at(0), 0.1);
    EXPECT_DOUBLE_EQ(s.at(4), 0.5);
    EXPECT_DOUBLE_EQ(s.at(9), 1.0);
    EXPECT_DOUBLE_EQ(s.at(10), 1.0);
    const bool constant = kind == ScheduleKind::constant;
    EXPECT_DOUBLE_EQ(s.at(60), constant ? 1 : 0.55);
    EXPECT_NEAR(s.at(110), constant ? 1 : 0.1, 1e-12);
    EXPECT_NEAR(s.at(500), constant ? 1 : 0.1, 1e-12);
  }
  const Schedule linear{ScheduleKind::linear, 1.0, 0, 10, 110},
      cosine{ScheduleKind::cosine, 1.0, 0, 10, 110};
  EXPECT_DOUBLE_EQ(linear.at(35), 0.75);
  EXPECT_NEAR(cosine.at(35), 0.5 + std::sqrt(0.5) / 2, 1e-12);
  EXPECT_DOUBLE_EQ((Schedule{ScheduleKind::linear, 1.0, 0, 0, 10}.at(0)), 1.0);
  EXPECT_EQ(parse_schedule("cosine"), ScheduleKind::cosine);
  EXPECT_EQ(parse_schedule("other"), std::nullopt);
}

// The values of transformers' get_cosine_with_hard_restarts_schedule_with_warmup, shifted by the
// warm-up's first step, which there has rate 0.
TEST(Schedule, CosineBeginsAgainWithEachCycle) {
  const Schedule s{ScheduleKind::cosine_restarts, 1.0, 0.1, 10, 110, 4};
  for (const int begin : {10, 35, 60, 85}) {
    EXPECT_NEAR(s.at(begin), 1.0, 1e-12);
    EXPECT_NEAR(s.at(begin + 5), 0.1 + 0.9 * 0.5 * (1 + std::cos(M_PI * 0.2)), 1e-12);
    EXPECT_LT(s.at(begin + 24), 0.11);
  }
  EXPECT_NEAR(s.at(110), 0.1, 1e-12);
  const Schedule one{ScheduleKind::cosine_restarts, 1.0, 0, 10, 110, 1},
      cosine{ScheduleKind::cosine, 1.0, 0, 10, 110};
  for (int step = 0; step < 120; step++) EXPECT_NEAR(one.at(step), cosine.at(step), 1e-12);
  EXPECT_EQ(parse_schedule("cosine_restarts"), ScheduleKind::cosine_restarts);
}

TEST(Schedule, WsdStaysThenFallsAsOneMinusTheRoot) {
  const Schedule s{ScheduleKind::wsd, 1.0, 0.1, 10, 110, 1, 0.4};
  EXPECT_DOUBLE_EQ(s.at(4), 0.5);
  for (const int step : {10, 40, 66}) EXPECT_DOUBLE_EQ(s.at(step), 1.0);
  EXPECT_NEAR(s.at(66 + 11), 0.55, 1e-12);  // a quarter of 44 steps: 1 - sqrt(1 / 4)
  EXPECT_NEAR(s.at(110), 0.1, 1e-12);
  EXPECT_EQ(parse_schedule("wsd"), ScheduleKind::wsd);
}

TEST(RowOrder, EveryEpochHasEachRowOnceInAnOrderOfItsOwn) {
  RowOrder order(50, Shuffle::on, 7), again(50, Shuffle::on, 7), other(50, Shuffle::on, 8);
  std::vector<std::vector<int>> epochs;
  for (int epoch = 0; epoch < 4; epoch++) {
    std::vector<int> rows;
    for (int i = 0; i < 50; i++) rows.push_back(order.at(epoch * 50 + i));
    EXPECT_EQ(std::set<int>(rows.begin(), rows.end()).size(), 50u);
    EXPECT_EQ(again.at(epoch * 50 + 13), rows[13]);  // a function of the position alone
    for (const auto& before : epochs) {
      int same = 0;
      for (size_t i = 0; i < 50; i++) same += before[i] == rows[i];
      EXPECT_LT(same, 10);
    }
    epochs.push_back(rows);
  }
  EXPECT_NE(epochs[1][0] * 50 + epochs[1][1], other.at(0) * 50 + other.at(1));
  RowOrder plain(3, Shuffle::off, 7);
  EXPECT_EQ(plain.at(4), 1);
}

TEST(CountSteps, FollowsRowsEpochsAndBatch) {
  const Dataset data = examples(10);
  TrainOptions o;
  o.packing = Packing::off;
  o.epochs = 3;
  EXPECT_EQ(count_steps(data, o), 30);
  o.micro_batch = 2, o.grad_accum_steps = 2;
  EXPECT_EQ(count_steps(data, o), 8);
  o.epochs = 0.1;
  EXPECT_EQ(count_steps(data, o), 1);
  o.epochs = 1e300;
  EXPECT_EQ(count_steps(data, o), std::numeric_limits<int>::max());
  o.steps = 5;
  EXPECT_EQ(count_steps(data, o), 5);
  o = {};
  o.epochs = 1, o.max_tokens = 1000;
  EXPECT_EQ(count_steps(data, o), 1);  // all in one row
}

TEST(Plan, SaysWhatTheRunWillDo) {
  const Dataset data = examples(10);
  const DatasetStatistics s = statistics(data);
  TrainOptions o;
  o.packing = Packing::off;
  o.max_tokens = 40, o.epochs = 1.5, o.micro_batch = 2, o.grad_accum_steps = 2;
  const TrainPlan plan = plan_training(data, tiny_config(), true, o);
  EXPECT_EQ(plan.n_rows, 10);
  EXPECT_EQ(plan.n_positions, 15);
  EXPECT_EQ(plan.steps, 4);
  EXPECT_EQ(plan.n_tokens, s.n_tokens);
  EXPECT_EQ(plan.n_targets, s.n_targets);
  EXPECT_DOUBLE_EQ(plan.fill, double(s.n_tokens) / 400);
  // Two blocks of q and o (32 x 32), k and v (16 x 32), three of 64 x 32; forward and dX.
  EXPECT_DOUBLE_EQ(plan.gflop_per_token * 1e9, 4.0 * 2 * (2 * 1024 + 2 * 512 + 3 * 2048));
  o.packing = Packing::on;
  EXPECT_GT(plan_training(data, tiny_config(), true, o).fill, plan.fill);
}

TEST(Plan, MeasuringABatchChangesAndWritesNothing) {
  TinyRun s(Method::lora), fresh(Method::lora);
  const BatchTime one = measure_batch(*s.ops, s.loaded.model, &*s.adapter, examples(4), s.options);
  EXPECT_GT(one.seconds, 0);
  EXPECT_GT(one.tokens, 0);
  EXPECT_EQ(s.trained(), fresh.trained());
  EXPECT_FALSE(fs::exists(s.options.output));
  EXPECT_GT(measure_peak_gflops(*s.ops, DType::f32), 0);
}

class TrainerTest : public ::testing::TestWithParam<Method> {};
INSTANTIATE_TEST_SUITE_P(Methods, TrainerTest, ::testing::Values(Method::full, Method::lora),
                         [](const auto& which) {
                           return which.param == Method::full ? "full" : "lora";
                         });

TEST_P(TrainerTest, OverfitsOneExample) {
  TinyRun s(GetParam());
  s.options.steps = GetParam() == Method::full ? 60 : 300;
  s.options.lr = GetParam() == Method::full ? 1e-2 : 5e-3;
  const Dataset one = examples(1);
  const TrainReport report = s.run(one);
  EXPECT_GT(s.losses().front(), 3);  // log(48) is 3.87
  EXPECT_LT(report.train_loss, 0.02);
  EXPECT_EQ(report.step, s.options.steps);
  EXPECT_FALSE(report.stopped);
  EXPECT_TRUE(std::isnan(report.last_val_loss));
  EXPECT_LT(
      evaluate_loss(*s.ops, s.loaded.model, s.adapter ? &*s.adapter : nullptr, one, DType::f32),
      0.02);
}

// The frozen weights of LoRA stay as they were.
TEST(Trainer, LoraLeavesTheModelAlone) {
  TinyRun s(Method::lora), fresh(Method::lora);
  s.options.steps = 3;
  s.run(examples(4));
  EXPECT_NE(s.trained(), fresh.trained());
  s.adapter.reset(), fresh.adapter.reset();
  EXPECT_EQ(s.trained(), fresh.trained());
}

TEST_P(TrainerTest, ValidationLossFalls) {
  TinyRun s(GetParam());
  s.options.steps = 40;
  const TrainReport report = s.run(examples(40), examples(8, 2));
  EXPECT_LT(report.last_val_loss, report.first_val_loss - 0.3);
  TinyRun other(GetParam());
  other.options = s.options;
  other.options.output = other.folder.path() / "out";
  other.options.eval_every = 15;
  const TrainReport often = other.run(examples(40), examples(8, 2));
  EXPECT_EQ(often.first_val_loss, report.first_val_loss);
  EXPECT_EQ(often.last_val_loss, report.last_val_loss);
  std::vector<int> measured;
  for (const Json& row : other.log())
    if (row.contains("val_loss")) measured.push_back(row["step"]);
  EXPECT_THAT(measured, ElementsAre(15, 30, 40));
}

std::vector<double> losses_with(Method method, const std::function<void(TrainOptions&)>& change) {
  TinyRun s(method);
  s.options.steps = 8;
  s.options.micro_batch = 2, s.options.grad_accum_steps = 2;
  change(s.options);
  s.run(examples(11));
  return s.losses();
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); i++) EXPECT_NEAR(a[i], b[i], tolerance) << "step " << i + 1;
}

// Also where there are fewer rows than a batch takes, and where a batch spans two epochs.
TEST_P(TrainerTest, MicroBatchesAddUpToTheStep) {
  for (const Packing packing : {Packing::on, Packing::off}) {
    const auto with = [&](int micro_batch, int grad_accum_steps) {
      return losses_with(GetParam(), [&](TrainOptions& o) {
        o.packing = packing;
        o.micro_batch = micro_batch, o.grad_accum_steps = grad_accum_steps;
      });
    };
    const auto whole = with(4, 1);
    expect_near(with(1, 4), whole, 1e-5);
    expect_near(with(2, 2), whole, 1e-5);
    const auto large = with(32, 1);
    expect_near(with(1, 32), large, 1e-5);
  }
}

TEST_P(TrainerTest, RecomputationChangesNothing) {
  const auto kept = losses_with(GetParam(), [](TrainOptions&) {});
  const auto again =
      losses_with(GetParam(), [](TrainOptions& o) { o.recompute = Recompute::blocks; });
  expect_near(again, kept, 1e-6);
}

// By epochs the last step has the rows that are left, and is normalised by their targets alone:
// with a rate of nothing it has the loss and the gradient of a run of these rows only.
TEST_P(TrainerTest, ALastPartialStepIsNormalisedByItsOwnTargets) {
  const Dataset data = examples(5);
  TinyRun s(GetParam());
  s.options.packing = Packing::off;
  s.options.shuffle = Shuffle::off;
  s.options.lr = 1e-30, s.options.weight_decay = 0;
  s.options.micro_batch = 2, s.options.grad_accum_steps = 2;
  s.options.epochs = 1;
  EXPECT_EQ(s.run(data).step, 2);
  TinyRun alone(GetParam());
  alone.options = s.options;
  alone.options.output = alone.folder.path() / "out";
  Dataset last{data.info, {data.examples.back()}};
  alone.options.micro_batch = alone.options.grad_accum_steps = 1;
  alone.run(last);
  const Json row = s.log().at(1), expected = alone.log().at(0);
  EXPECT_EQ(row["target_tokens"], data.examples.back().n_targets());
  EXPECT_EQ(row["tokens"], expected["tokens"]);
  EXPECT_NEAR(row["loss"].get<double>(), expected["loss"].get<double>(), 1e-6);
  EXPECT_NEAR(row["grad_norm"].get<double>() / expected["grad_norm"].get<double>(), 1, 1e-4);
}

// The gradient too, not the loss alone, is that of the whole step.
TEST_P(TrainerTest, AccumulatedGradientsAreThoseOfOneBatch) {
  const auto norms = [&](int micro_batch, int grad_accum_steps) {
    TinyRun s(GetParam());
    s.options.packing = Packing::off;
    s.options.steps = 3;
    s.options.micro_batch = micro_batch, s.options.grad_accum_steps = grad_accum_steps;
    s.run(examples(7));
    std::vector<double> all;
    for (const Json& row : s.log()) all.push_back(row["grad_norm"]);
    return all;
  };
  const std::vector<double> one = norms(4, 1), four = norms(1, 4);
  for (size_t i = 0; i < one.size(); i++) EXPECT_NEAR(four[i] / one[i], 1, 1e-4) << i;
}

// Validation data that training on other data makes worse, after a first gain.
Dataset contrary_examples() {
  Dataset data = examples(6, 2);
  for (Example& e : data.examples) e.tokens.back() = 2;
  return data;
}

TinyRun& set_watched(TinyRun& s) {
  s.options.steps = 40;
  s.options.eval_every = 2;
  s.options.lr = 2e-2;
  return s;
}

double lowest_val_loss(const TinyRun& s, int* at = nullptr) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const Json& row : s.log())
    if (row.contains("val_loss") && row["val_loss"] < lowest) {
      lowest = row["val_loss"];
      if (at) *at = row["step"];
    }
  return lowest;
}

TEST_P(TrainerTest, EndsWithTheValuesOfTheLowestValidationLoss) {
  TinyRun s(GetParam());
  const Dataset val = contrary_examples();
  const TrainReport report = set_watched(s).run(examples(4), val);
  int at = 0;
  const double lowest = lowest_val_loss(s, &at);
  ASSERT_LT(at, 40) << "the test needs data on which training goes wrong";
  EXPECT_EQ(report.best_step, at);
  EXPECT_EQ(report.best_val_loss, lowest);
  EXPECT_GT(report.last_val_loss, lowest);
  const auto loss = [&](TinyRun& run) {
    return evaluate_loss(*run.ops, run.loaded.model, run.adapter ? &*run.adapter : nullptr, val,
                         DType::f32);
  };
  EXPECT_NEAR(loss(s), lowest, 1e-5);
  // The last checkpoint is of the last step: without the best it is what a run ends with.
  TinyRun last(GetParam());
  set_watched(last).options.keep_best = KeepBest::no;
  EXPECT_EQ(last.run(examples(4), val).best_step, 0);
  EXPECT_NEAR(loss(last), report.last_val_loss, 1e-5);
  EXPECT_EQ(read_file(s.options.output / "checkpoints/step-000040/optimizer.safetensors"),
            read_file(last.options.output / "checkpoints/step-000040/optimizer.safetensors"));
  EXPECT_THAT(s.checkpoints(),
              ElementsAre(fmt::format("best-{:06}.safetensors", at), "step-000040"));
}

TEST_P(TrainerTest, StopsWhenItsPatienceIsOver) {
  TinyRun s(GetParam());
  set_watched(s).options.patience = 3;
  const TrainReport report = s.run(examples(4), contrary_examples());
  EXPECT_TRUE(report.out_of_patience);
  EXPECT_FALSE(report.stopped);
  EXPECT_EQ(report.step, report.best_step + 6);  // three evaluations of two steps each
  EXPECT_EQ(s.log().size(), size_t(report.step));
  // Resumed, it is still over; with more of it the run goes on.
  s.options.resume = Resume::yes;
  EXPECT_EQ(s.run(examples(4), contrary_examples()).step, report.step);
  TinyRun more(GetParam());
  more.options = s.options;
  more.options.patience = 4;
  EXPECT_GT(more.run(examples(4), contrary_examples()).step, report.step);
  TinyRun blind(GetParam());
  blind.options.patience = 1;
  EXPECT_THAT(blind.error(examples(4)), HasSubstr("patience"));
  EXPECT_FALSE(fs::exists(blind.options.output));
}

// A step's loss is the mean over its target tokens, not over its examples.
TEST(Trainer, LossIsTheMeanOverTargetTokens) {
  TinyRun s(Method::full);
  const Dataset data = examples(6);
  const double mean = evaluate_loss(*s.ops, s.loaded.model, nullptr, data, DType::f32);
  s.options.steps = 1;
  s.options.packing = Packing::off;
  s.options.micro_batch = 2, s.options.grad_accum_steps = 3;
  EXPECT_NEAR(s.run(data).train_loss, mean, 1e-5);
  const Json row = s.log().at(0);
  const DatasetStatistics all = statistics(data);
  EXPECT_EQ(row["target_tokens"], all.n_targets);
  EXPECT_EQ(row["tokens"], all.n_tokens - all.n_examples);  // the last is no input
}

struct ResumeCase {
  Method method;
  DType dtype;
};
std::string name_of(ResumeCase which) {
  return std::string(which.method == Method::full ? "full" : "lora") +
         (which.dtype == DType::f32 ? "_f32" : "_bf16");
}
class ResumeTest : public ::testing::TestWithParam<ResumeCase> {};
INSTANTIATE_TEST_SUITE_P(All, ResumeTest,
                         ::testing::Values(ResumeCase{Method::full, DType::f32},
                                           ResumeCase{Method::full, DType::bf16},
                                           ResumeCase{Method::lora, DType::f32},
                                           ResumeCase{Method::lora, DType::bf16}),
                         [](const auto& which) { return name_of(which.param); });

class ResumeRun {
 public:
  explicit ResumeRun(ResumeCase which) : setup_(which.method, which.dtype) {
    setup_.options.steps = 12;
    setup_.options.packing = Packing::off;
    setup_.options.micro_batch = 2;  // 4.5 steps an epoch: batches span two
  }
  TrainReport run() { return setup_.run(examples(9), examples(3, 2)); }
  // A new process that goes on in the folder of `first`.
  TrainReport resume(const ResumeRun& first) {
    setup_.options.output = first.setup_.options.output;
    setup_.options.resume = Resume::yes;
    return run();
  }
  TinyRun& setup() { return setup_; }

 private:
  TinyRun setup_;
};

void expect_same_run(ResumeRun& resumed, ResumeRun& whole, const std::string& which) {
  EXPECT_EQ(resumed.setup().trained(), whole.setup().trained()) << which;
  for (const char* name : {"log.jsonl", "log.csv"})
    EXPECT_EQ(read_file(resumed.setup().options.output / name),
              read_file(whole.setup().options.output / name))
        << which;
}

TEST_P(ResumeTest, AfterAStopIsTheUninterruptedRun) {
  ResumeRun whole(GetParam());
  const TrainReport expected = whole.run();
  for (const int stop_at : {0, 1, 5, 11, 12}) {
    ResumeRun first(GetParam()), second(GetParam());
    first.setup().stop_at(stop_at);
    const TrainReport stopped = first.run();
    EXPECT_EQ(stopped.step, stop_at);
    EXPECT_EQ(stopped.stopped, stop_at < 12);
    const TrainReport report = second.resume(first);
    EXPECT_EQ(report.step, 12);
    EXPECT_FALSE(report.stopped);
    EXPECT_EQ(report.first_val_loss, expected.first_val_loss) << stop_at;
    EXPECT_EQ(report.last_val_loss, expected.last_val_loss) << stop_at;
    expect_same_run(second, whole, fmt::format("stopped at {}", stop_at));
  }
}

// A run that dies between two checkpoints has rows in its log that are made again.
TEST_P(ResumeTest, AfterADeathIsTheUninterruptedRun) {
  ResumeRun whole(GetParam());
  whole.run();
  ResumeRun first(GetParam()), second(GetParam());
  first.setup().options.save_every = 3;
  first.setup().ops->die_at = 9;
  EXPECT_THROW(first.run(), Death);
  EXPECT_EQ(first.setup().log().size(), 8u);
  fs::create_directories(first.setup().options.output / "checkpoints/step-000009");  // not whole
  second.resume(first);
  expect_same_run(second, whole, "died at 9");
}

// Evaluations, the best of the run and its patience included, at moments that no one chose.
TEST(Trainer, AfterTwentyRandomDeathsIsTheUninterruptedRun) {
  const auto set = [](TinyRun& s) {
    s.options.steps = 14;
    s.options.eval_every = 2, s.options.patience = 3, s.options.save_every = 3;
    s.options.lr = 2e-2;
    s.options.keep_checkpoints = 1;
  };
  const Dataset data = examples(4), val = contrary_examples();
  TinyRun whole(Method::lora);
  set(whole);
  const TrainReport expected = whole.run(data, val);
  const int n_calls = whole.ops->n_calls;
  Random random(11);
  for (int i = 0; i < 20; i++) {
    TestFolder folder;
    std::vector<int> deaths = {random.between(1, n_calls), random.between(1, n_calls)};
    deaths.push_back(-1);
    TrainReport report;
    std::map<std::string, std::vector<std::byte>> trained;
    for (const int death : deaths) {
      TinyRun s(Method::lora);
      set(s);
      s.options.output = folder.path() / "out";
      s.ops->die_at_call = death;
      bool has_checkpoint = false;
      std::error_code missing;
      for (const auto& entry : fs::directory_iterator(s.options.output / "checkpoints", missing))
        has_checkpoint = has_checkpoint || fs::exists(entry.path() / "state.json");
      s.options.resume = has_checkpoint ? Resume::yes : Resume::no;
      try {
        report = s.run(data, val);
      } catch (const Death&) {
        continue;
      }
      trained = s.trained();
    }
    const std::string which = fmt::format("died at {} and {} of {}", deaths[0], deaths[1], n_calls);
    EXPECT_EQ(trained, whole.trained()) << which;
    EXPECT_EQ(report.step, expected.step) << which;
    EXPECT_EQ(report.best_step, expected.best_step) << which;
    EXPECT_EQ(report.best_val_loss, expected.best_val_loss) << which;
    EXPECT_EQ(report.out_of_patience, expected.out_of_patience) << which;
    for (const char* name : {"log.jsonl", "log.csv"})
      EXPECT_EQ(read_file(folder.path() / "out" / name), read_file(whole.options.output / name))
          << which;
  }
}

TEST(Trainer, KeepsTheLastCheckpoints) {
  TinyRun s(Method::lora);
  s.options.steps = 10;
  s.options.save_every = 3;
  s.options.keep_checkpoints = 2;
  s.run(examples(4));
  EXPECT_THAT(s.checkpoints(), ElementsAre("step-000009", "step-000010"));
}

TEST(Trainer, OtherFoldersBesideCheckpointsAreLeftAlone) {
  TinyRun s(Method::lora);
  const fs::path checkpoints = s.options.output / "checkpoints";
  for (const char* name : {"step-5.old/state.json", "step-x/state.json", "step-000099/optimizer"})
    write_file_atomic(checkpoints / name, "{}");
  s.options.steps = 3;
  s.options.save_every = s.options.keep_checkpoints = 1;
  s.run(examples(4));
  EXPECT_THAT(s.checkpoints(), ElementsAre("step-000003", "step-000099", "step-5.old", "step-x"));
}

TEST(Trainer, RefusesAFolderOfAnEarlierRun) {
  TinyRun s(Method::lora);
  s.options.steps = 2;
  s.run(examples(4));
  const auto log = read_file(s.options.output / "log.csv");
  EXPECT_THAT(s.error(examples(4)), AllOf(HasSubstr("earlier run"), HasSubstr("2 steps")));
  EXPECT_EQ(read_file(s.options.output / "log.csv"), log);
}

TEST(Trainer, RefusesToResumeWhatIsNotTheSameRun) {
  TinyRun s(Method::lora);
  s.options.resume = Resume::yes;
  EXPECT_THAT(s.error(examples(4)), HasSubstr("must hold a checkpoint"));
  s.options.resume = Resume::no;
  s.options.steps = 2;
  s.run(examples(4));
  s.options.resume = Resume::yes;
  const auto error_after = [&](const std::function<void(TinyRun&, Dataset&)>& change) {
    TinyRun other(Method::lora);
    other.options = s.options;
    Dataset data = examples(4);
    change(other, data);
    return other.error(data);
  };
  EXPECT_EQ(error_after([](TinyRun&, Dataset&) {}), "no error");
  EXPECT_EQ(error_after([](TinyRun& o, Dataset&) { o.options.lr = 1e-4; }), "no error");
  const auto refused = HasSubstr("other data or options");
  EXPECT_THAT(error_after([](TinyRun&, Dataset& d) { d.examples[0].tokens[1] = 1; }), refused);
  EXPECT_THAT(error_after([](TinyRun&, Dataset& d) { d.examples[0].target[1] = 1; }), refused);
  EXPECT_THAT(error_after([](TinyRun&, Dataset& d) { std::swap(d.examples[0], d.examples[1]); }),
              refused);
  EXPECT_THAT(error_after([](TinyRun&, Dataset& d) { d.examples.pop_back(); }), refused);
  EXPECT_THAT(error_after([](TinyRun& o, Dataset&) { o.options.seed = 9; }), refused);
  EXPECT_THAT(error_after([](TinyRun& o, Dataset&) { o.options.micro_batch = 3; }), refused);
  EXPECT_THAT(error_after([](TinyRun& o, Dataset&) { o.options.packing = Packing::off; }), refused);
  EXPECT_THAT(error_after([](TinyRun& o, Dataset&) { o.adapter.reset(); }), refused);
  EXPECT_THAT(error_after([](TinyRun& o, Dataset&) {
                for_each_lora(*o.adapter, [](const std::string&, Lora& l) { l.scale = 1; });
              }),
              refused);
}

TEST(Trainer, RefusesABrokenCheckpointByName) {
  TinyRun s(Method::lora);
  s.options.steps = 2;
  s.run(examples(4));
  s.options.resume = Resume::yes;
  const fs::path folder = s.options.output / "checkpoints/step-000002";
  const std::string state = read_file(folder / "state.json"),
                    tensors = read_file(folder / "optimizer.safetensors");
  for (const std::string& broken :
       {std::string(), std::string("{}"), state.substr(0, 40), std::string("[1]")}) {
    write_file_atomic(folder / "state.json", broken);
    EXPECT_THAT(s.error(examples(4)), HasSubstr("state.json"));
  }
  Json json = parse_json(state, "test");
  json["step"] = -5;
  write_file_atomic(folder / "state.json", dump_json(json));
  EXPECT_THAT(s.error(examples(4)), HasSubstr("state.json"));
  write_file_atomic(folder / "state.json", state);
  write_file_atomic(folder / "optimizer.safetensors", tensors.substr(0, tensors.size() / 2));
  EXPECT_THAT(s.error(examples(4)), HasSubstr("optimizer.safetensors"));
  fs::remove(folder / "optimizer.safetensors");
  EXPECT_THAT(s.error(examples(4)), HasSubstr("optimizer.safetensors"));
  write_file_atomic(folder / "optimizer.safetensors", tensors);
  EXPECT_EQ(s.error(examples(4)), "no error");
}

TEST(Trainer, RefusesExamplesByName) {
  TinyRun s(Method::lora);
  const auto error_with = [&](const std::function<void(Example&)>& change) {
    Dataset data = examples(5);
    change(data.examples[3]);
    return s.error(data);
  };
  const auto named = [](const char* what) { return AllOf(HasSubstr("'e3'"), HasSubstr(what)); };
  EXPECT_THAT(error_with([](Example& e) { e.target.assign(e.target.size(), 0); }), named("target"));
  EXPECT_THAT(error_with([](Example& e) { e.target[0] = 1; }), named("prompt"));
  EXPECT_THAT(error_with([](Example& e) { e.target.pop_back(); }), named("target"));
  EXPECT_THAT(error_with([](Example& e) { e.tokens = {1}, e.target = {1}; }), named("prompt"));
  EXPECT_THAT(error_with([](Example& e) { e.tokens[2] = 48; }), named("token 48"));
  EXPECT_THAT(error_with([](Example& e) { e.tokens[2] = -1; }), named("token -1"));
  const auto lengthen = [](size_t n) {
    return [n](Example& e) { e.tokens.resize(n, 2), e.target.resize(n, 1); };
  };
  EXPECT_THAT(error_with(lengthen(41)), named("more than --max-tokens 40"));
  s.options.max_tokens = 100;
  EXPECT_THAT(error_with(lengthen(65)), named("context of 64"));
  EXPECT_THAT(s.error({}), HasSubstr("at least one example"));
  EXPECT_FALSE(fs::exists(s.options.output));  // nothing was begun
  s.options.micro_batch = 1 << 20;
  EXPECT_THAT(s.error(examples(3)), HasSubstr("a batch must have at most"));
}

TEST_P(TrainerTest, ALossThatIsNotFiniteStopsWithItsExamples) {
  TinyRun s(GetParam());
  s.options.steps = 10;
  s.options.lr = 1e30;
  s.options.warmup_steps = 0;
  s.options.schedule = ScheduleKind::constant;
  s.options.packing = Packing::off;
  s.options.micro_batch = 2;
  const std::string error = s.error(examples(5));
  EXPECT_THAT(error, AllOf(HasSubstr("must be finite"), HasSubstr("e")));
  const size_t done = s.log().size();
  ASSERT_GE(done, 1u);
  EXPECT_THAT(error, HasSubstr(fmt::format("step {} gave", done + 1)));
  RowOrder order(5, Shuffle::on, s.options.seed);
  for (const int64_t i : {0, 1})
    EXPECT_THAT(error, HasSubstr(fmt::format("e{}", order.at(int64_t(done) * 2 + i))));
  EXPECT_THAT(s.checkpoints(), ElementsAre(fmt::format("step-{:06}", done)));
}

}  // namespace
}  // namespace chatmem
