// The flags of train, its presets, and the options that come out of them.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "cli/data_flags.h"
#include "cli/memory_table.h"
#include "cli/open_model.h"
#include "train/trainer.h"

namespace chatmem {

struct TrainFlags {
  ModelOptions model;
  DataFlags data;
  std::string init, init_adapter, val_data, output, preset;
  std::string method = "auto", schedule = "cosine", packing = "on", shuffle = "on",
              completion_only_loss = "on", quantize = "off", keep_best = "on", optimizer = "adamw";
  MemoryFlags memory;
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

// With --init-adapter: takes the shape of the adapter, and its dropout unless a flag gives another.
// Throws Error (kUsage) for a flag that gives another shape, by name.
void take_adapter_shape(const CLI::App& verb, TrainFlags& flags, size_t n_layers);

}  // namespace chatmem
