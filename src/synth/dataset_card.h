// README.md of a result folder: a dataset card in Hugging Face's form
// (huggingface.co/docs/hub/datasets-cards): a YAML header, then Markdown.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "synth/result_stats.h"

namespace chatmem {

struct CardSplit {
  std::string name, file;  // "train", "training_data.jsonl"
  int64_t rows = 0;
};

struct DatasetCard {
  std::string title = "Dated conversations with personal summaries";
  std::string license;  // a Hugging Face identifier; empty: "unknown"
  std::string input_file, input_fingerprint;
  int64_t input_rows = 0, exact_duplicates = 0, near_duplicates = 0;
  std::string provider, model;  // model is empty for the offline provider
  std::string prompt_hash;      // of the fixed part of the prompt; empty without one
  uint64_t seed = 0;
  int year = 2024;
  std::string version, command;  // command from command_line()
  std::optional<double> cost_usd;
  ResultStats stats;
  std::vector<CardSplit> splits;
  int64_t leaks = 0;  // pairs across splits, as find_leaks counts them
};

// The card's text. Deterministic; every value is escaped for its place.
std::string dataset_card(const DatasetCard& card);

// Arguments as a shell would take them, without secrets: the values of options whose names speak of
// keys, tokens, passwords or secrets, what looks like a key ("sk-..."), and of URLs the user part
// and the query are "***".
std::string command_line(const std::vector<std::string>& arguments);

}  // namespace chatmem
