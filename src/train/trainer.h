// The training loop: packed batches, gradient accumulation, AdamW, evaluation, early stopping, the
// best of the run, logs, checkpoints, resume.
#pragma once
#include <atomic>
#include <functional>
#include <string>

#include "model/llama.h"
#include "train/batches.h"
#include "train/dataset.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace chatmem {

enum class Resume { no, yes };
enum class KeepBest { no, yes };

struct TrainOptions {
  fs::path output;  // logs, checkpoints
  OptimizerKind optimizer = OptimizerKind::adamw;
  ScheduleKind schedule = ScheduleKind::cosine;
  double lr = 2e-4;
  int warmup_steps = -1;  // -1: warmup_share of all steps
  double warmup_share = 0.05;
  int cycles = 1;                             // Schedule::cycles
  double decay_share = 0.2;                   // Schedule::decay_share
  double weight_decay = 0.01, grad_clip = 1;  // grad_clip 0: off
  int max_tokens = 4096;                      // capacity of a packed row
  int micro_batch = 1;                        // rows that go through the model together
  int grad_accum_steps = 1;
  int steps = 0;  // 0: by epochs
  double epochs = 3;
  Packing packing = Packing::on;
  Shuffle shuffle = Shuffle::on;
  uint64_t seed = 1;
  double lora_dropout = 0;   // of what an adapter sees, from 0 to below 1
  DType dtype = DType::f32;  // of activations
  Recompute recompute = Recompute::cheap;
  int eval_every = 0;  // steps; 0: at the beginning and the end
  int patience = 0;    // stop after so many evaluations that are no better; 0: never
  KeepBest keep_best = KeepBest::yes;  // end with the values of the lowest validation loss, where
                                       // eval_every asks for it on the way
  int save_every = 0;                  // steps; 0: at the end
  int keep_checkpoints = 2;            // at least 1
  Resume resume = Resume::no;
  double peak_gflops = 0;                   // of the device, for the progress line; 0: not known
  const std::atomic<bool>* stop = nullptr;  // set by a signal: finish the step, save, return
  Peers* peers = nullptr;                   // the processes that train together; null: this alone
};

// Of all micro-batches of all processes.
int64_t rows_of_step(const TrainOptions& options);

struct TrainReport {
  int step = 0, total_steps = 0;
  bool stopped = false;          // by TrainOptions::stop, before the last step
  bool out_of_patience = false;  // stopped early
  int best_step = 0;             // whose values the run ended with; 0: those of the last step
  double best_val_loss = 0;      // of it
  double train_loss = 0;         // of the last step
  double first_val_loss = 0, last_val_loss = 0;  // NaN without validation data
  double seconds = 0, tokens_per_second = 0, target_tokens_per_second = 0, gflops = 0;
};

// Trains the adapter, or without one all weights of the model, in place. Weights to be trained must
// be writable and in options.dtype. Loss is normalised by the target tokens of the whole step.
// By epochs the last step takes the rows that are left. Writes the files of RunFolder; with
// Resume::yes continues after the newest checkpoint, bit for bit as if it had never stopped. The
// last checkpoint is of the last step, also where the values end as those of the best. Several
// processes make the steps that one would make with as many times their grad_accum_steps, but for
// the order of sums; the first alone writes and ends with the best. A stop of one stops all. Throws
// Error for examples without targets or too long (by name), ids outside the vocabulary, a folder
// that holds another run, patience without evaluations, and a loss that is not finite (after a
// checkpoint of the step before).
TrainReport train(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data,
                  const Dataset& validation, const TrainOptions& options);

// A training run, without running it.
struct TrainPlan {
  int n_rows = 0;           // of an epoch
  int64_t n_positions = 0;  // rows of all steps
  int steps = 0;
  int64_t n_tokens = 0, n_targets = 0;  // of an epoch
  double fill = 0;                      // share of the rows' capacity that has tokens
  double gflop_per_token = 0;           // of its GEMMs, forward and backward
};
TrainPlan plan_training(const Dataset& data, const Config& config, bool is_lora,
                        const TrainOptions& options);
int count_steps(const Dataset& data, const TrainOptions& options);

// Seconds that one micro-batch takes, forward and backward, and its tokens. Nothing is written, and
// no value is changed.
struct BatchTime {
  double seconds = 0;
  int64_t tokens = 0;
};
BatchTime measure_batch(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data,
                        const TrainOptions& options);

// The best of three GEMMs of 1024 x 1024 x 1024 in this dtype, in GFLOP/s: what the device can do.
double measure_peak_gflops(Ops& ops, DType dtype);

// Mean negative log-likelihood of a data set's targets.
double evaluate_loss(Ops& ops, const Llama& model, const Adapter* adapter, const Dataset& data,
                     DType dtype);

}  // namespace chatmem
