// The flags of train, its presets, and the options that come out of them.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "cli/data_flags.h"
#include "cli/open_model.h"
#include "train/plan.h"
#include "train/trainer.h"

namespace chatmem {

struct TrainFlags {
  ModelOptions model;
  DataFlags data;
  std::string init, val_data, output, preset;
  std::string method = "auto", schedule = "cosine", packing = "on", shuffle = "on",
              recompute = "cheap", quantize = "off", keep_best = "on";
  double val_share = -1;
  AdapterConfig lora;
  TrainOptions train;  // its options by name are filled in by settle_train_flags
  bool resume = false, dry_run = false;

  bool fresh() const { return !init.empty(); }
  bool full() const { return method == "full"; }
};

void add_train_flags(CLI::App& verb, TrainFlags& flags);

// Applies --config and --preset where no flag says otherwise, prints what the preset sets, and
// checks the flags with each other. Throws Error (kUsage).
void settle_train_flags(CLI::App& verb, TrainFlags& flags);

}  // namespace chatmem
