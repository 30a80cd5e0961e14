// The folder of a training run: OUTPUT/log.csv, log.jsonl and events.out.tfevents.chatmem (for
// TensorBoard) with one row a step, OUTPUT/checkpoints/step-N with what a run needs to go on as if
// it had never stopped, and checkpoints/best-N.safetensors with the values of the step that had the
// lowest validation loss.
#pragma once
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "train/event_file.h"
#include "train/optimizer.h"

namespace chatmem {

struct StepLog {
  int step = 0;  // steps done, from 1
  double loss = 0, grad_norm = 0, lr = 0;
  int64_t tokens = 0, targets = 0;
  std::optional<double> val_loss;  // where it was measured
  double tokens_per_second = 0;    // in the events alone: no two runs have the same
};

// What a checkpoint holds beside the optimizer's tensors. The order of the data is a function of
// the step, so nothing else is needed.
struct TrainState {
  int step = 0;  // steps done
  double first_val_loss = std::numeric_limits<double>::quiet_NaN();
  double best_val_loss = std::numeric_limits<double>::quiet_NaN();
  int best_step = 0;         // of best_val_loss; 0: none is kept
  int evals_since_best = 0;  // evaluations in a row that were no better
  std::string fingerprint;   // of the data and options that a continued run must share
};

class RunFolder {
 public:
  // keep_checkpoints, at least 1: save() removes older ones.
  RunFolder(fs::path folder, int keep_checkpoints);

  // Before the first step of a new run. Throws Error when the folder holds checkpoints: they would
  // mix with the new ones, and may be days of work.
  void refuse_earlier_run() const;
  // Loads the newest checkpoint into the optimizer; one that was not written to its end is passed
  // over. Throws Error when there is none or it has another fingerprint.
  TrainState resume(Optimizer& optimizer, const std::string& fingerprint) const;
  // Writes checkpoints/step-N; state.json is last and marks it whole. Nothing is done when that
  // step is saved already.
  void save(const TrainState& state, const Optimizer& optimizer) const;

  // Writes the values as those of the best step so far. Those of earlier ones stay while a
  // checkpoint refers to them.
  void save_best(int step, const Optimizer& optimizer) const;
  void load_best(int step, Optimizer& optimizer) const;

  // Opens the logs with the rows of the first `step` steps that they hold; later ones, of a run
  // that was cut after its last checkpoint, are dropped: their steps are made again.
  void open_logs(int step);
  // On disk when it returns.
  void log(const StepLog& row);
  // In the events alone: the validation loss before the first step.
  void log_first(double val_loss);

 private:
  fs::path checkpoint(int step) const;
  fs::path best(int step) const;
  std::vector<int> checkpoint_steps() const;  // of the whole ones, in order
  void remove_old() const;
  void remove_old_best(int best_step) const;

  fs::path folder_;
  int keep_checkpoints_;
  std::unique_ptr<AppendFile> csv_, jsonl_;
  std::unique_ptr<EventFile> events_;
};

}  // namespace chatmem
