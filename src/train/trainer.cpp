#include "train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/random.h"
#include "model/checkpoint.h"
#include "model/lora.h"
#include "train/batches.h"
#include "train/optimizer.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

// The order in which packed rows are visited: a function of the seed and the position alone, so
// that a resumed run needs no more state than its step.
class RowOrder {
 public:
  RowOrder(int n_rows, Shuffle shuffle, uint64_t seed)
      : n_rows_(n_rows), shuffle_(shuffle), seed_(seed) {}
  int at(int64_t position) {
    const int64_t epoch = position / n_rows_;
    if (epoch != epoch_) {
      epoch_ = epoch;
      order_.resize(size_t(n_rows_));
      std::iota(order_.begin(), order_.end(), 0);
      Random random(seed_ + uint64_t(epoch) * 0x9E3779B97F4A7C15ull);
      if (shuffle_ == Shuffle::on) random.shuffle(std::span(order_));
    }
    return order_[size_t(position % n_rows_)];
  }

 private:
  int n_rows_;
  Shuffle shuffle_;
  uint64_t seed_;
  int64_t epoch_ = -1;
  std::vector<int> order_;
};

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

// Floating-point operations of one token's GEMMs: 2 a weight forward, 2 for dX, 2 for dW where the
// weight is trained.
double flops_per_token(const Config& c, const Adapter* adapter) {
  const double block =
      double(c.dim) * (2.0 * c.q_dim() + 2.0 * c.kv_dim()) + 3.0 * c.dim * c.hidden_dim;
  return (adapter ? 4.0 : 6.0) * c.n_layers * block;
}

class Trainer {
 public:
  Trainer(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data, const Dataset& validation,
          const TrainOptions& options)
      : ops_(ops),
        model_(model),
        adapter_(adapter),
        options_(options),
        data_(data),
        validation_(validation),
        rows_(pack(data, options.max_tokens, options.packing)),
        val_rows_(pack(validation, options.max_tokens, Packing::on)),
        order_(int(rows_.size()), options.shuffle, options.seed),
        optimizer_(ops) {
    const int kv_layers = options.recompute == Recompute::blocks ? 1 : model.config.n_layers;
    batches_ = std::make_unique<BatchBuilder>(ops, model.config, data, rows_, options.micro_batch,
                                              options.dtype, kv_layers);
    int max_tokens = batches_->max_tokens();
    if (!val_rows_.empty()) {
      val_batches_ = std::make_unique<BatchBuilder>(ops, model.config, validation, val_rows_, 1,
                                                    options.dtype, 1);
      max_tokens = std::max(max_tokens, val_batches_->max_tokens());
    }
    const int rank = largest_rank(adapter);
    ws_ = make_workspace(
        ops, model.config,
        {.max_tokens = max_tokens, .lora_rank = rank, .dtype = options.dtype, .training = true});
    tape_ = make_tape(ops, model.config, ws_, options.recompute);
    space_ = make_backward_space(ops, model.config, ws_, {.lora_rank = rank});
    add_parameters();
    rows_per_step_ = options.micro_batch * options.grad_accum_steps;
    schedule_ = {options.schedule, options.lr, 0, options.warmup_steps, count_steps(data, options)};
    if (options.warmup_steps < 0) schedule_.warmup_steps = schedule_.total_steps / 20;
  }

  TrainReport run() {
    if (options_.resume == Resume::yes) resume();
    open_logs();
    const int first = step_;
    if (first == 0) report_.first_val_loss = evaluate();
    Progress progress("step", schedule_.total_steps);
    const auto start = Clock::now();
    int64_t tokens = 0, targets = 0;
    for (; step_ < schedule_.total_steps && !stop_requested();) {
      const StepResult result = step();
      tokens += result.tokens, targets += result.targets;
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      report_.train_loss = result.loss;
      report_.tokens_per_second = double(tokens) / seconds;
      report_.target_tokens_per_second = double(targets) / seconds;
      const bool last = step_ == schedule_.total_steps;
      if (options_.eval_every > 0 && (step_ % options_.eval_every == 0 || last)) {
        report_.last_val_loss = evaluate();
        progress.message(
            fmt::format("step {}: validation loss {:.4f}", step_, report_.last_val_loss));
      }
      log(result);
      if (options_.save_every > 0 && step_ % options_.save_every == 0) save();
      progress.update(
          step_,
          fmt::format("loss {:.4f}  grad_norm {:.3f}  lr {:.2e}  {:.0f} tok/s ({:.0f} target)",
                      result.loss, result.grad_norm, result.lr, report_.tokens_per_second,
                      report_.target_tokens_per_second));
    }
    progress.finish();
    report_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    report_.gflops = report_.tokens_per_second * flops_per_token(model_.config, adapter_) * 1e-9;
    if (options_.eval_every == 0) report_.last_val_loss = evaluate();
    save();
    report_.step = step_;
    report_.total_steps = schedule_.total_steps;
    report_.stopped = step_ < schedule_.total_steps;
    return report_;
  }

 private:
  struct StepResult {
    double loss = 0, grad_norm = 0, lr = 0;
    int64_t tokens = 0, targets = 0;
  };

  bool stop_requested() const { return options_.stop && options_.stop->load(); }

  void add_parameters() {
    if (adapter_) {
      grad_adapter_ = *adapter_;
      std::vector<Lora*> grads;
      for_each_lora(grad_adapter_, [&](const std::string&, Lora& lora) { grads.push_back(&lora); });
      size_t i = 0;
      for_each_lora(*adapter_, [&](const std::string& name, Lora& lora) {
        Lora& grad = *grads[i++];
        grad.a = optimizer_.add(name + ".lora_A", lora.a, WeightDecay::on);
        grad.b = optimizer_.add(name + ".lora_B", lora.b, WeightDecay::on);
      });
      gradients_.adapter = &grad_adapter_;
      return;
    }
    grad_weights_ = model_;
    std::vector<Tensor*> grads;
    for_each_tensor(grad_weights_,
                    [&](const std::string&, Tensor& t, TensorKind) { grads.push_back(&t); });
    size_t i = 0;
    for_each_tensor(model_, [&](const std::string& name, Tensor& t, TensorKind kind) {
      const WeightDecay decay = kind == TensorKind::norm ? WeightDecay::off : WeightDecay::on;
      *grads[i++] = optimizer_.add(name, t, decay);
    });
    if (model_.config.tied_embeddings) grad_weights_.lm_head = grad_weights_.embed;
    gradients_.weights = &grad_weights_;
  }

  StepResult step() {
    step_rows_.clear();
    int n_targets = 0;
    for (int i = 0; i < rows_per_step_; i++) {
      step_rows_.push_back(order_.at(int64_t(step_) * rows_per_step_ + i));
      n_targets += batches_->n_targets(step_rows_.back());
    }
    StepResult result{.lr = schedule_.at(step_)};
    optimizer_.zero_gradients();
    double loss = 0;
    for (int i = 0; i < options_.grad_accum_steps; i++) {
      const auto rows =
          std::span(step_rows_)
              .subspan(size_t(i * options_.micro_batch), size_t(options_.micro_batch));
      const Batch batch = batches_->build(rows, adapter_);
      loss += loss_and_backward(ops_, model_, batch, batches_->targets(), 1.0f / float(n_targets),
                                ws_, tape_, space_, gradients_);
      result.tokens += int64_t(batch.tokens.size());
    }
    result.targets = n_targets;
    result.loss = loss / n_targets;
    result.grad_norm = optimizer_.gradient_norm();
    if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm)) refuse_step(result);
    const bool clip = options_.grad_clip > 0 && result.grad_norm > options_.grad_clip;
    optimizer_.step({.lr = float(result.lr),
                     .weight_decay = float(options_.weight_decay),
                     .grad_scale = clip ? float(options_.grad_clip / result.grad_norm) : 1.0f,
                     .step = step_ + 1});
    step_++;
    return result;
  }

  [[noreturn]] void refuse_step(const StepResult& result) {
    save();
    std::vector<std::string> ids;
    for (const int row : step_rows_)
      for (const int i : rows_[size_t(row)]) ids.push_back(data_.examples[size_t(i)].id);
    throw Error(fmt::format("[train] the loss must be finite, step {} gave loss {} and gradient "
                            "norm {}; its examples: {}",
                            step_ + 1, result.loss, result.grad_norm, fmt::join(ids, ", ")),
                "the state before this step is saved; try a lower --lr");
  }

  double evaluate() {
    if (!val_batches_) return std::numeric_limits<double>::quiet_NaN();
    double loss = 0;
    int64_t n = 0;
    for (int row = 0; row < int(val_rows_.size()); row++) {
      const Batch batch = val_batches_->build({&row, 1}, adapter_);
      loss += loss_only(ops_, model_, batch, val_batches_->targets(), ws_, space_.logits);
      n += int64_t(val_batches_->targets().size());
    }
    return loss / double(n);
  }

  // -- logs and checkpoints
  fs::path checkpoint_folder(int step) const {
    return options_.output / "checkpoints" / fmt::format("step-{:06}", step);
  }
  // What a checkpoint must agree with to be resumed.
  std::string fingerprint() const {
    uint64_t hash = hash64(fmt::format("{} {} {} {} {} {} {}", options_.seed, options_.max_tokens,
                                       rows_per_step_, int(options_.packing), int(options_.shuffle),
                                       optimizer_.n_values(), dtype_name(options_.dtype)));
    for (const Example& e : data_.examples)
      hash = hash64({reinterpret_cast<const char*>(e.tokens.data()), e.tokens.size() * sizeof(int)},
                    hash);
    return fmt::format("{:016x}", hash);
  }

  void save() {
    const fs::path folder = checkpoint_folder(step_);
    if (fs::exists(folder / "state.json")) return;
    remove_stale_temporaries(folder);
    optimizer_.save(folder / "optimizer.safetensors");
    const Json state = {{"format", "chatmem checkpoint 1"},
                        {"step", step_},
                        {"fingerprint", fingerprint()},
                        {"first_val_loss", report_.first_val_loss}};
    write_file_atomic(folder / "state.json", dump_json(state, 1) + "\n");  // last: marks it whole
    const std::vector<int> steps = checkpoint_steps();
    for (size_t i = 0; i + size_t(options_.keep_checkpoints) < steps.size(); i++)
      fs::remove_all(checkpoint_folder(steps[i]));
  }

  // Steps of the whole checkpoints, in order.
  std::vector<int> checkpoint_steps() const {
    std::vector<int> steps;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(options_.output / "checkpoints", missing)) {
      int step = 0;
      if (std::sscanf(entry.path().filename().c_str(), "step-%d", &step) == 1 &&
          fs::exists(entry.path() / "state.json"))
        steps.push_back(step);
    }
    std::sort(steps.begin(), steps.end());
    return steps;
  }

  void resume() {
    const std::vector<int> steps = checkpoint_steps();
    if (steps.empty())
      throw Error(fmt::format("[resume] '{}' holds no checkpoint", options_.output.string()),
                  "run without --resume");
    const fs::path folder = checkpoint_folder(steps.back());
    const std::string where = fmt::format("'{}'", (folder / "state.json").string());
    const Json state = read_json(folder / "state.json");
    if (json_string(state, "fingerprint", where) != fingerprint())
      throw Error(fmt::format("[resume] {} was written with other data or options", where),
                  "resume with the data and options that the training was begun with");
    optimizer_.load(folder / "optimizer.safetensors");
    step_ = int(json_int(state, "step", where));
    const auto first = state.find("first_val_loss");
    report_.first_val_loss = first != state.end() && first->is_number()
                                 ? first->get<double>()
                                 : std::numeric_limits<double>::quiet_NaN();
  }

  // Rows of steps after the one resumed from are written again.
  void open_logs() {
    std::string csv = "step,loss,grad_norm,lr,tokens,target_tokens,val_loss\n", jsonl;
    const auto keep = [&](const fs::path& path, auto&& use) {
      if (options_.resume == Resume::yes && fs::exists(path)) for_each_line(path, use);
    };
    keep(options_.output / "log.csv", [&](std::string_view line, size_t number) {
      if (number > 1 && std::atoi(std::string(line).c_str()) <= step_)
        csv += fmt::format("{}\n", line);
    });
    keep(options_.output / "log.jsonl", [&](std::string_view line, size_t) {
      int step = 0;
      if (std::sscanf(std::string(line).c_str(), "{\"step\":%d", &step) == 1 && step <= step_)
        jsonl += fmt::format("{}\n", line);
    });
    write_file_atomic(options_.output / "log.csv", csv);
    write_file_atomic(options_.output / "log.jsonl", jsonl);
    remove_stale_temporaries(options_.output);
    log_csv_ = std::make_unique<AppendFile>(options_.output / "log.csv");
    log_jsonl_ = std::make_unique<AppendFile>(options_.output / "log.jsonl");
  }

  void log(const StepResult& r) {
    const bool evaluated = options_.eval_every > 0 &&
                           (step_ % options_.eval_every == 0 || step_ == schedule_.total_steps) &&
                           val_batches_;
    Json row = {{"step", step_}, {"loss", r.loss},     {"grad_norm", r.grad_norm},
                {"lr", r.lr},    {"tokens", r.tokens}, {"target_tokens", r.targets}};
    if (evaluated) row["val_loss"] = report_.last_val_loss;
    log_jsonl_->append(dump_json(row) + "\n");
    log_csv_->append(fmt::format("{},{},{},{},{},{},{}\n", step_, r.loss, r.grad_norm, r.lr,
                                 r.tokens, r.targets,
                                 evaluated ? fmt::format("{}", report_.last_val_loss) : ""));
  }

  Ops& ops_;
  Llama& model_;
  Adapter* adapter_;
  const TrainOptions& options_;
  const Dataset &data_, &validation_;
  std::vector<std::vector<int>> rows_, val_rows_;
  RowOrder order_;
  Optimizer optimizer_;
  std::unique_ptr<BatchBuilder> batches_, val_batches_;
  Workspace ws_;
  Tape tape_;
  BackwardSpace space_;
  Adapter grad_adapter_;
  Llama grad_weights_;
  Gradients gradients_;
  Schedule schedule_;
  int rows_per_step_ = 1, step_ = 0;
  std::vector<int> step_rows_;
  std::unique_ptr<AppendFile> log_csv_, log_jsonl_;
  TrainReport report_;
};

}  // namespace

int count_steps(const Dataset& data, const TrainOptions& options) {
  if (options.steps > 0) return options.steps;
  const double rows = double(pack(data, options.max_tokens, options.packing).size());
  return std::max(
      1, int(std::ceil(rows * options.epochs / (options.micro_batch * options.grad_accum_steps))));
}

TrainReport train(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data,
                  const Dataset& validation, const TrainOptions& options) {
  check_data(data, model.config, options.max_tokens);
  if (!validation.examples.empty()) check_data(validation, model.config, options.max_tokens);
  return Trainer(ops, model, adapter, data, validation, options).run();
}

double evaluate_loss(Ops& ops, const Llama& model, const Adapter* adapter, const Dataset& data,
                     DType dtype) {
  check_data(data, model.config, model.config.max_seq_len);
  const auto rows = pack(data, 1, Packing::off);
  BatchBuilder batches(ops, model.config, data, rows, 1, dtype, 1);
  Workspace ws = make_workspace(
      ops, model.config,
      {.max_tokens = batches.max_tokens(), .lora_rank = largest_rank(adapter), .dtype = dtype});
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
