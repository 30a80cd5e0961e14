// Summaries by a model in this process: the engine of serve without its HTTP.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "cli/open_model.h"
#include "eval/predictions.h"
#include "serve/batch_engine.h"
#include "serve/chat_codec.h"
#include "text/prompt.h"

namespace chatmem {

struct ModelSummarizerOptions {
  PromptTemplate prompt_template = PromptTemplate::temporal;
  int max_tokens = 330;
  double temperature = 0;  // 0: greedy
  uint64_t seed = 1;       // with the conversation's id it decides what is drawn
  int concurrency = 4;     // summaries that are decoded together
};

class ModelSummarizer {
 public:
  // Opens the model, with room for the longest of the conversations that will run together. Throws
  // Error for a model or tokenizer that cannot be used.
  ModelSummarizer(const ModelOptions& model, std::span<const Conversation> conversations,
                  const ModelSummarizerOptions& options);

  // Called by up to `concurrency` threads at once, whose summaries are decoded together; none
  // depends on the others. Times are from the call on. Throws Error for a prompt that does not fit
  // the model's context together with max_tokens.
  ChatResult summarize(const Conversation& conversation,
                       const std::function<void(std::string_view)>& on_text);

  const std::string& name() const { return name_; }  // of the model's folder or file
  // What decides a summary beside its conversation: weights, template, sampling.
  const std::string& settings() const { return settings_; }

 private:
  std::string settings_of(const ModelOptions& model) const;

  const ModelSummarizerOptions options_;
  OpenModel open_;
  Llama3Codec codec_;
  std::string name_, settings_;
  // The engine ends before the generator that it steps.
  std::unique_ptr<Generator> generator_;
  std::unique_ptr<BatchEngine> engine_;
};

}  // namespace chatmem
