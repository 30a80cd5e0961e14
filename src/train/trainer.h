// The training loop: packed batches, gradient accumulation, AdamW, evaluation, logs, checkpoints,
// resume.
#pragma once
#include <atomic>
#include <functional>
#include <string>

#include "model/llama.h"
#include "train/batches.h"
#include "train/dataset.h"
#include "train/schedule.h"

namespace chatmem {

enum class Resume { no, yes };

struct TrainOptions {
  fs::path output;  // logs, checkpoints
  ScheduleKind schedule = ScheduleKind::cosine;
  double lr = 2e-4;
  int warmup_steps = -1;                      // -1: a twentieth of all steps
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
  int eval_every = 0;        // steps; 0: at the beginning and the end
  int save_every = 0;        // steps; 0: at the end
  int keep_checkpoints = 2;  // at least 1
  Resume resume = Resume::no;
  const std::atomic<bool>* stop = nullptr;  // set by a signal: finish the step, save, return
};

struct TrainReport {
  int step = 0, total_steps = 0;
  bool stopped = false;                          // by TrainOptions::stop, before the last step
  double train_loss = 0;                         // of the last step
  double first_val_loss = 0, last_val_loss = 0;  // NaN without validation data
  double seconds = 0, tokens_per_second = 0, target_tokens_per_second = 0, gflops = 0;
};

// Trains the adapter, or without one all weights of the model, in place. Weights to be trained must
// be writable and in options.dtype. Loss is normalised by the target tokens of the whole step.
// Writes OUTPUT/log.csv, OUTPUT/log.jsonl and OUTPUT/checkpoints/step-N; with Resume::yes continues
// after the newest checkpoint, bit for bit as if it had never stopped. Throws Error for examples
// without targets or too long (by name), ids outside the vocabulary, a folder that holds another
// run, and a loss that is not finite (after a checkpoint of the step before).
TrainReport train(Ops& ops, Llama& model, Adapter* adapter, const Dataset& data,
                  const Dataset& validation, const TrainOptions& options);

// Steps of a training run, without running it.
int count_steps(const Dataset& data, const TrainOptions& options);

// Mean negative log-likelihood of a data set's targets.
double evaluate_loss(Ops& ops, const Llama& model, const Adapter* adapter, const Dataset& data,
                     DType dtype);

}  // namespace chatmem
