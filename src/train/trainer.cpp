#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/random.h"
#include "model/checkpoint.h"
#include "model/lora.h"
#include "train/backward.h"
#include "train/batches.h"
#include "train/optimizer.h"
#include "train/plan.h"
#include "train/run_folder.h"
#include "train/trainable.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

void check_data(const Dataset& data, const Config& config, int max_tokens) {
  if (data.examples.empty())
    throw Error("[train] the training data must hold at least one example, it is empty");
  for (const Example& e : data.examples) {
    if (e.tokens.size() != e.target.size() || e.tokens.size() < 2 || e.target[0] ||
        e.n_targets() == 0)
      throw Error(fmt::format(
          "[train] example '{}' must have a prompt and at least one target token", e.id));
    if (int(e.tokens.size()) > max_tokens)
      throw Error(fmt::format("[train] example '{}' has {} tokens, more than --max-tokens {}", e.id,
                              e.tokens.size(), max_tokens));
    if (int(e.tokens.size()) > config.max_seq_len)
      throw Error(
          fmt::format("[train] example '{}' has {} tokens, more than the model's context of {}",
                      e.id, e.tokens.size(), config.max_seq_len));
    for (const int token : e.tokens)
      if (token < 0 || token >= config.vocab_size)
        throw Error(
            fmt::format("[train] example '{}' has token {}, outside the model's vocabulary of {}",
                        e.id, token, config.vocab_size));
  }
}

// Rows of all steps. By epochs the last step may have fewer than the others.
int64_t count_positions(int n_rows, const TrainOptions& options) {
  constexpr double kMost = double(int64_t(1) << 62);
  const double rows = options.steps > 0 ? options.steps * double(rows_of_step(options))
                                        : std::ceil(n_rows * options.epochs);
  return int64_t(std::clamp(rows, 1.0, kMost));
}

int steps_of(int64_t n_positions, const TrainOptions& options) {
  if (options.steps > 0) return options.steps;
  const int64_t steps = (n_positions - 1) / rows_of_step(options) + 1;
  return int(std::min(steps, int64_t(std::numeric_limits<int>::max())));
}

class Trainer {
 public:
  Trainer(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data, const Dataset& validation,
          const TrainOptions& options);
  TrainReport run();
  BatchTime measure();

 private:
  struct StepResult {
    double loss = 0, grad_norm = 0, lr = 0;
    int64_t tokens = 0, targets = 0;
  };
  using Clock = std::chrono::steady_clock;

  void add_parameters();
  TrainState resume();
  void choose_rows();
  StepResult step();
  uint64_t dropout_key(size_t begin) const;
  [[noreturn]] void refuse_step(const StepResult& result);
  double evaluate();
  void count(const StepResult& result, Clock::time_point start);
  void evaluate_into(StepLog& row, Progress& progress);
  std::string describe(const StepResult& result) const;
  void finish(bool is_evaluated);
  std::string fingerprint() const;
  void check_peers();
  bool is_first() const { return peers_.rank() == 0; }
  void save() {
    if (is_first()) folder_.save(state_, optimizer_);
  }
  bool last_step() const { return state_.step >= schedule_.total_steps; }
  bool stop_requested() const;
  bool out_of_patience() const {
    return options_.patience > 0 && state_.evals_since_best >= options_.patience;
  }

  Ops& ops_;
  Llama& model_;
  Adapter* adapter_;
  const TrainOptions& options_;
  Peers alone_;
  Peers& peers_;
  const Dataset& data_;
  std::vector<std::vector<int>> rows_, val_rows_;
  RowOrder order_;
  Optimizer optimizer_;
  RunFolder folder_;
  std::unique_ptr<BatchBuilder> batches_, val_batches_;
  Workspace ws_;
  Tape tape_;
  BackwardSpace space_;
  Adapter grad_adapter_;
  Llama grad_weights_;
  Gradients gradients_;
  Schedule schedule_;
  TrainState state_;
  int64_t n_positions_;         // rows of all steps
  std::vector<int> step_rows_;  // of the step at work
  int64_t n_tokens_ = 0, n_targets_ = 0;
  TrainReport report_;
};

Trainer::Trainer(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data,
                 const Dataset& validation, const TrainOptions& options)
    : ops_(ops),
      model_(model),
      adapter_(adapter),
      options_(options),
      peers_(options.peers ? *options.peers : alone_),
      data_(data),
      rows_(pack(data, options.max_tokens, options.packing)),
      val_rows_(pack(validation, options.max_tokens, Packing::on)),
      order_(int(rows_.size()), options.shuffle, options.seed),
      optimizer_(ops, options.optimizer),
      folder_(options.output, options.keep_checkpoints) {
  batches_ =
      std::make_unique<BatchBuilder>(ops, model.config, data, rows_, options.micro_batch,
                                     options.dtype, kv_layers(model.config, options.recompute));
  int max_tokens = batches_->max_tokens();
  if (!val_rows_.empty()) {
    val_batches_ = std::make_unique<BatchBuilder>(ops, model.config, validation, val_rows_, 1,
                                                  options.dtype, 1);
    max_tokens = std::max(max_tokens, val_batches_->max_tokens());
  }
  const AdapterShape shape = shape_of(adapter);
  ws_ = make_workspace(ops, model.config,
                       {.max_tokens = max_tokens,
                        .adapter = shape,
                        .dtype = options.dtype,
                        .training = true,
                        .dropout = options.lora_dropout > 0});
  tape_ = make_tape(ops, model.config, ws_, options.recompute);
  space_ = make_backward_space(ops, model.config, ws_, {.adapter = shape});
  add_parameters();
  n_positions_ = count_positions(int(rows_.size()), options);
  schedule_ = {.kind = options.schedule,
               .lr = options.lr,
               .warmup_steps = options.warmup_steps,
               .total_steps = steps_of(n_positions_, options),
               .cycles = options.cycles,
               .decay_share = options.decay_share};
  if (options.warmup_steps < 0)
    schedule_.warmup_steps = int(options.warmup_share * schedule_.total_steps);
  state_.fingerprint = fingerprint();
}

TrainReport Trainer::run() {
  if (options_.resume == Resume::yes)
    state_ = resume();
  else if (is_first())
    folder_.refuse_earlier_run();
  check_peers();
  if (is_first()) folder_.open_logs(state_.step);
  if (state_.step == 0 && val_batches_) {
    state_.first_val_loss = report_.last_val_loss = evaluate();
    if (is_first()) folder_.log_first(state_.first_val_loss);
  }
  int evaluated = state_.step == 0 ? 0 : -1;  // the step of last_val_loss

  Progress progress("step", schedule_.total_steps, state_.step);
  const auto start = Clock::now();
  while (!last_step() && !stop_requested() && !out_of_patience()) {
    const StepResult r = step();
    count(r, start);
    StepLog row{state_.step, r.loss,    r.grad_norm, r.lr,
                r.tokens,    r.targets, {},          report_.tokens_per_second};
    if (val_batches_ && options_.eval_every > 0 &&
        (state_.step % options_.eval_every == 0 || last_step())) {
      evaluate_into(row, progress);
      evaluated = state_.step;
    }
    if (is_first()) folder_.log(row);
    if (options_.save_every > 0 && state_.step % options_.save_every == 0) save();
    progress.update(state_.step, describe(r));
  }
  progress.finish();
  finish(evaluated == state_.step);
  return report_;
}

// What a stopped run ends with is the best so far, as of one that came to its end.
void Trainer::finish(bool is_evaluated) {
  save();
  if (!is_evaluated) report_.last_val_loss = evaluate();
  report_.step = state_.step;
  report_.total_steps = schedule_.total_steps;
  report_.out_of_patience = !last_step() && out_of_patience();
  report_.stopped = !last_step() && !report_.out_of_patience;
  report_.first_val_loss = state_.first_val_loss;
  if (state_.best_step == 0 || options_.keep_best == KeepBest::no) return;
  report_.best_step = state_.best_step;
  report_.best_val_loss = state_.best_val_loss;
  if (!is_first()) return;
  folder_.load_best(state_.best_step, optimizer_);
  if (adapter_) update_dora(ops_, model_, *adapter_);
}

void Trainer::evaluate_into(StepLog& row, Progress& progress) {
  const double loss = evaluate();
  row.val_loss = report_.last_val_loss = loss;
  // A loss that is not finite is never the best.
  const bool is_best = loss < (state_.best_step > 0 ? state_.best_val_loss
                                                    : std::numeric_limits<double>::infinity());
  state_.evals_since_best = is_best ? 0 : state_.evals_since_best + 1;
  if (is_best && is_first()) folder_.save_best(state_.step, optimizer_);
  if (is_best) state_.best_step = state_.step, state_.best_val_loss = loss;
  progress.message(fmt::format("step {}: validation loss {:.4f}{}", state_.step, loss,
                               is_best ? ", the lowest so far" : ""));
}

std::string Trainer::describe(const StepResult& r) const {
  std::string text =
      fmt::format("loss {:.4f}  grad_norm {:.3f}  lr {:.2e}  {:.0f} tok/s ({:.0f} target)", r.loss,
                  r.grad_norm, r.lr, report_.tokens_per_second, report_.target_tokens_per_second);
  if (options_.peak_gflops > 0)
    text += fmt::format("  {:.0f}% of peak", 100 * report_.gflops / options_.peak_gflops);
  return text;
}

void Trainer::count(const StepResult& r, Clock::time_point start) {
  n_tokens_ += r.tokens, n_targets_ += r.targets;
  report_.train_loss = r.loss;
  report_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report_.tokens_per_second = double(n_tokens_) / report_.seconds;
  report_.target_tokens_per_second = double(n_targets_) / report_.seconds;
  report_.gflops =
      report_.tokens_per_second * train_flops_per_token(model_.config, adapter_) * 1e-9;
}

BatchTime Trainer::measure() {
  choose_rows();
  const size_t n = std::min(step_rows_.size(), size_t(options_.micro_batch));
  const Batch batch = batches_->build(std::span(step_rows_).first(n), adapter_);
  const auto start = Clock::now();
  loss_and_backward(ops_, model_, batch, batches_->targets(), 1.0f, ws_, tape_, space_, gradients_);
  optimizer_.gradient_norm();  // waits for the device
  return {std::chrono::duration<double>(Clock::now() - start).count(),
          int64_t(batch.tokens.size())};
}

void Trainer::add_parameters() {
  if (adapter_) {
    for_each_lora(*adapter_, [&](const std::string&, Lora& lora) {
      CHECK(lora.a.dtype == options_.dtype && lora.b.dtype == options_.dtype);
    });
    grad_adapter_ = make_trainable(optimizer_, *adapter_);
    gradients_.adapter = &grad_adapter_;
    return;
  }
  for_each_tensor(model_, [&](const std::string&, Tensor& t, TensorKind kind) {
    CHECK(kind == TensorKind::norm || t.dtype == options_.dtype);
  });
  grad_weights_ = make_trainable(optimizer_, model_);
  gradients_.weights = &grad_weights_;
}

TrainState Trainer::resume() {
  TrainState state = folder_.resume(optimizer_, state_.fingerprint);
  if (adapter_) update_dora(ops_, model_, *adapter_);
  return state;
}

void Trainer::choose_rows() {
  const int64_t n = rows_of_step(options_);
  const int64_t begin = state_.step * n, end = std::min(begin + n, n_positions_);
  step_rows_.clear();
  for (int64_t i = begin; i < end; i++) step_rows_.push_back(order_.at(i));
}

Trainer::StepResult Trainer::step() {
  choose_rows();
  StepResult result{.lr = schedule_.at(state_.step)};
  for (const int row : step_rows_) result.targets += batches_->n_targets(row);
  optimizer_.zero_gradients();
  double sums[] = {0, 0};  // of losses and tokens
  // Every process takes the next micro-batch in turn.
  const size_t micro_batch = size_t(options_.micro_batch);
  for (size_t begin = size_t(peers_.rank()) * micro_batch; begin < step_rows_.size();
       begin += size_t(peers_.size()) * micro_batch) {
    const size_t n = std::min(micro_batch, step_rows_.size() - begin);
    const auto rows = std::span(step_rows_).subspan(begin, n);
    Batch batch = batches_->build(rows, adapter_);
    if (adapter_) batch.dropout = {float(options_.lora_dropout), dropout_key(begin)};
    sums[0] += loss_and_backward(ops_, model_, batch, batches_->targets(),
                                 1.0f / float(result.targets), ws_, tape_, space_, gradients_);
    sums[1] += double(batch.tokens.size());
  }
  peers_.sum(std::span<double>(sums));
  optimizer_.sum_gradients(peers_);
  result.loss = sums[0] / double(result.targets);
  result.tokens = int64_t(sums[1]);
  result.grad_norm = optimizer_.gradient_norm();
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm)) refuse_step(result);
  const bool clip = options_.grad_clip > 0 && result.grad_norm > options_.grad_clip;
  optimizer_.step({.lr = float(result.lr),
                   .weight_decay = float(options_.weight_decay),
                   .grad_scale = clip ? float(options_.grad_clip / result.grad_norm) : 1.0f,
                   .step = state_.step + 1});
  if (adapter_) update_dora(ops_, model_, *adapter_);
  state_.step++;
  return result;
}

// Of the batch whose first row is the begin-th of this step: a resumed run meets the same.
uint64_t Trainer::dropout_key(size_t begin) const {
  const uint64_t step_key =
      Random(options_.seed ^ hash64("dropout")).next() + uint64_t(state_.step);
  return Random(Random(step_key).next() + begin).next();
}

void Trainer::refuse_step(const StepResult& result) {
  save();
  peers_.barrier();  // an error ends all processes: not before this is saved
  std::vector<std::string> ids;
  for (const int row : step_rows_)
    for (const int i : rows_[size_t(row)]) ids.push_back(data_.examples[size_t(i)].id);
  throw Error(fmt::format("[train] the loss must be finite, step {} gave loss {} and gradient norm "
                          "{}; its examples: {}",
                          state_.step + 1, result.loss, result.grad_norm, fmt::join(ids, ", ")),
              "the state before this step is saved; try a lower --lr");
}

double Trainer::evaluate() {
  if (!val_batches_) return std::numeric_limits<double>::quiet_NaN();
  double sums[] = {0, 0};  // of losses and targets
  for (int row = peers_.rank(); row < int(val_rows_.size()); row += peers_.size()) {
    const Batch batch = val_batches_->build({&row, 1}, adapter_);
    sums[0] += loss_only(ops_, model_, batch, val_batches_->targets(), ws_, space_.logits);
    sums[1] += double(val_batches_->targets().size());
  }
  peers_.sum(std::span<double>(sums));
  return sums[0] / sums[1];
}

bool Trainer::stop_requested() const {
  double n = options_.stop && options_.stop->load() ? 1 : 0;
  peers_.sum(std::span<double>(&n, 1));
  return n > 0;
}

// All must have read the same data, options and checkpoint.
void Trainer::check_peers() {
  const uint64_t hash = hash64(fmt::format("{} {}", state_.fingerprint, state_.step));
  const double own[] = {double(hash >> 32), double(hash & 0xFFFFFFFF)};
  double sums[] = {own[0], own[1]};
  peers_.sum(std::span<double>(sums));
  if (sums[0] != own[0] * peers_.size() || sums[1] != own[1] * peers_.size())
    throw Error("[mpi] all processes must read the same data, options and checkpoint, they differ",
                "--data and --output must be the same files on every machine");
}

// The rate is left out: to go on with a lower one is a way out of a loss that is not finite.
std::string Trainer::fingerprint() const {
  uint64_t hash =
      hash64(fmt::format("{} {} {} {} {} {} {}", options_.seed, options_.max_tokens,
                         rows_of_step(options_), int(options_.packing), int(options_.shuffle),
                         dtype_name(options_.dtype), options_.lora_dropout));
  if (options_.optimizer != OptimizerKind::adamw) hash = hash64("adamw8bit", hash);
  hash = hash64(dump_json(config_to_json(model_.config)), hash);
  if (adapter_)
    for_each_lora(std::as_const(*adapter_), [&](const std::string& name, const Lora& lora) {
      hash = hash64(fmt::format("{} {} {} {}", name, lora.a.rows, lora.scale, bool(lora.magnitude)),
                    hash);
    });
  for (const Example& e : data_.examples) {
    hash = hash64(fmt::format("{}", e.tokens.size()), hash);
    hash = hash64({reinterpret_cast<const char*>(e.tokens.data()), e.tokens.size() * sizeof(int)},
                  hash);
    hash = hash64({reinterpret_cast<const char*>(e.target.data()), e.target.size()}, hash);
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace

int64_t rows_of_step(const TrainOptions& options) {
  return int64_t(options.micro_batch) * options.grad_accum_steps *
         (options.peers ? options.peers->size() : 1);
}

TrainPlan plan_training(const Dataset& data, const Config& config, bool is_lora,
                        const TrainOptions& options) {
  const DatasetStatistics s = statistics(data);
  TrainPlan plan{.n_tokens = s.n_tokens, .n_targets = s.n_targets};
  plan.n_rows = int(pack(data, options.max_tokens, options.packing).size());
  plan.n_positions = count_positions(plan.n_rows, options);
  plan.steps = steps_of(plan.n_positions, options);
  plan.fill = double(s.n_tokens) / (double(plan.n_rows) * options.max_tokens);
  plan.gflop_per_token = train_flops_per_token(config, is_lora, options.recompute) * 1e-9;
  return plan;
}

int count_steps(const Dataset& data, const TrainOptions& options) {
  const auto rows = pack(data, options.max_tokens, options.packing);
  return steps_of(count_positions(int(rows.size()), options), options);
}

TrainReport train(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data,
                  const Dataset& validation, const TrainOptions& options) {
  check_data(data, model.config, options.max_tokens);
  if (!validation.examples.empty()) check_data(validation, model.config, options.max_tokens);
  if (options.patience > 0 && (validation.examples.empty() || options.eval_every == 0))
    throw Error("[train] patience needs validation data and evaluations on the way",
                "give --val-data or --val-share, and --eval-every", kUsage);
  return Trainer(ops, model, adapter, data, validation, options).run();
}

BatchTime measure_batch(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data,
                        const TrainOptions& options) {
  check_data(data, model.config, options.max_tokens);
  return Trainer(ops, model, adapter, data, {}, options).measure();
}

double measure_peak_gflops(Ops& ops, DType dtype) {
  constexpr int kSize = 1024;
  const Tensor x = make_tensor(ops, kSize, kSize, dtype), w = make_tensor(ops, kSize, kSize, dtype),
               y = make_tensor(ops, kSize, kSize, DType::f32);
  double best = 0;
  for (int i = 0; i < 3; i++) {
    const auto start = Clock::now();
    ops.matmul(y, x, w, 1, Accumulate::no);
    ops.sum_squares(y);  // waits for the device
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2e-9 * kSize * kSize * kSize / seconds);
  }
  return best;
}

double evaluate_loss(Ops& ops, const Llama& model, const Adapter* adapter, const Dataset& data,
                     DType dtype) {
  check_data(data, model.config, model.config.max_seq_len);
  const auto rows = pack(data, 1, Packing::off);
  BatchBuilder batches(ops, model.config, data, rows, 1, dtype, 1);
  Workspace ws = make_workspace(
      ops, model.config,
      {.max_tokens = batches.max_tokens(), .adapter = shape_of(adapter), .dtype = dtype});
  const Tensor logits =
      make_tensor(ops, std::min(64, batches.max_tokens()), model.config.vocab_size, DType::f32);
  double loss = 0;
  int64_t n = 0;
  for (int row = 0; row < int(rows.size()); row++) {
    const Batch batch = batches.build({&row, 1}, adapter);
    loss += loss_only(ops, model, batch, batches.targets(), ws, logits);
    n += int64_t(batches.targets().size());
  }
  return loss / double(n);
}

}  // namespace chatmem
