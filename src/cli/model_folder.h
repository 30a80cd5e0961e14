// The folders of models and adapters: weights, configs, tokenizer, and the card that says what they
// are.
#pragma once
#include <functional>

#include "cli/open_model.h"
#include "format/gguf.h"
#include "train/model_card.h"

namespace chatmem {

struct ModelFolder {
  const Llama& model;
  DType dtype;                 // of the weights written
  const ModelOptions& source;  // where tokenizer and generation settings come from
  const LoadedModel& loaded;   // what was opened of it
};

// Writes all of it, then calls `check` with where it lies for now, then puts it in the place of a
// model that `path` held: a failure, of the check too, leaves that one whole.
// generation_config.json is the base's where it has one.
void write_model_folder(
    const fs::path& path, Ops& ops, const ModelFolder& folder, const ModelCard& card,
    const std::function<void(const fs::path&)>& check = [](const fs::path&) {});

// README.md, and training.json where the training is known.
void write_card(const fs::path& folder, const ModelCard& card);

// The name of a model by its path: of the folder, or of the file without its ending.
std::string name_of(const fs::path& path);

// A card's base and family for what is made from the model at `path`. What was trained from a fresh
// initialisation has neither.
struct Descent {
  std::string base;
  const LlamaFamily* family = nullptr;
};
Descent descent_of(const fs::path& path, const Config& config);

// The card as the keys general.* of a GGUF (gguf-py, constants.py).
void add_card(const ModelCard& card, GgufMetadata& metadata);

}  // namespace chatmem
