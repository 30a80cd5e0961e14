// Who writes summaries, and how: the flags that evaluate and summarize share.
#pragma once
#include <CLI/CLI.hpp>
#include <memory>
#include <span>
#include <string>

#include "cli/model_summarizer.h"

namespace chatmem {

struct SummaryFlags {
  std::string endpoint;
  ModelOptions model;  // its model is a name where an endpoint is asked
  std::string prompt_template = "temporal", api = "auto";
  int max_tokens = 330;
  double temperature = 0;
  int concurrency = 4, timeout_ms = 600'000, retries = 2;
};

// Declares --endpoint, --model, --adapter, --tokenizer, --template, --api, --max-tokens,
// --temperature, --concurrency, --timeout-ms, --retries, --device, --threads and --dtype on a verb.
void add_summary_flags(CLI::App& verb, SummaryFlags& flags);

struct SummaryWriter {
  std::string name;                        // of the model
  std::string settings;                    // what decides a summary beside its conversation
  Summarize summarize;                     // valid as long as this struct
  std::unique_ptr<ModelSummarizer> model;  // null where an endpoint writes
};

// Asks the endpoint, where one is given, else opens the model; one of the two must be given. `seed`
// is of what a model in this process draws. Throws Error (usage) for flags that do not go together.
SummaryWriter open_summary_writer(const SummaryFlags& flags, uint64_t seed,
                                  std::span<const Conversation> conversations);

}  // namespace chatmem
