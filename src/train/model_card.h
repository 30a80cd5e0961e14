// What goes with a model or an adapter for those who use it: training.json, which a training run
// writes about itself, and README.md, a model card in Hugging Face's form
// (huggingface.co/docs/hub/model-cards). What is not known is said to be unknown.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/config.h"
#include "train/dataset.h"
#include "train/trainer.h"

namespace chatmem {

inline constexpr const char* kTrainingFile = "training.json";
inline constexpr const char* kCardFile = "README.md";

// A generation of Llama whose licence what is made from it must follow.
struct LlamaFamily {
  std::string_view name;      // "Llama 3.1"
  std::string_view hub_name;  // of the licence, as Hugging Face's cards spell it
  std::string_view licence, url;
  std::string_view notice;  // what must be shown with a model that is made of it
  std::string_view prefix;  // what the name of such a model must begin with
};
// By vocabulary, frequencies and context. nullptr: none of Meta's Llama 3.
const LlamaFamily* llama_family(const Config& config);
const LlamaFamily* find_llama_family(std::string_view name);

struct TrainingSummary {
  std::string base;    // name of its folder or file; empty: trained from a fresh initialisation
  std::string family;  // LlamaFamily::name of the base, or empty
  std::string method;  // "LoRA of rank 16 ..."
  std::string quantize = "off";  // the base while it was trained on: off, nf4
  std::string data_file, data_fingerprint, prompt_template;
  int64_t examples = 0, tokens = 0, target_tokens = 0, validation_examples = 0;
  int64_t steps = 0, best_step = 0;  // best_step 0: the values are of the last step
  double train_loss = 0;             // of the last step
  // Without validation data there are none.
  std::optional<double> first_val_loss, last_val_loss, best_val_loss;
  std::vector<std::pair<std::string, std::string>> settings;
  std::string version;  // of chatmem
};

// Of the data and the report of a run; the rest is the caller's.
TrainingSummary summarize_training(const Dataset& training, const Dataset& validation,
                                   const TrainOptions& options, const TrainReport& report);

Json training_to_json(const TrainingSummary& summary);
// Throws Error for what is missing or of another type.
TrainingSummary training_from_json(const Json& json, std::string_view where);
// FOLDER/training.json, where the folder has one that a training run of ours wrote.
std::optional<TrainingSummary> read_training(const fs::path& folder);

enum class CardKind { adapter, model };

struct ModelCard {
  CardKind kind = CardKind::model;
  std::string name;                     // of the folder or file
  std::string base;                     // as of TrainingSummary
  const LlamaFamily* family = nullptr;  // of the base
  std::string made;                     // what was done: "the adapter A merged into ..."
  std::string format;                   // of the weights
  std::optional<TrainingSummary> training;
  std::optional<Json> scores;  // report.json of evaluate
  std::string version;         // of chatmem
};

// The name with what the base's licence wants before it.
std::string model_name(const ModelCard& card);
// Throws Error for scores that are no report of evaluate.
std::string model_card(const ModelCard& card);

}  // namespace chatmem
