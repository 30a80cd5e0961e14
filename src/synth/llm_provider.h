// The provider that asks a language model: a prompt for each row, the answer read and checked, one
// repair turn, all of it through the journal.
#pragma once
#include <optional>

#include "llm/request_run.h"
#include "synth/expansion.h"
#include "synth/provider.h"

namespace chatmem {

struct LlmProviderOptions {
  std::string model;
  AnswerFormat format = AnswerFormat::json;
  int max_tokens = 16'000;
  std::optional<double> temperature;  // sent only when it is asked for
  uint64_t seed = 0;
  int year = 2024;
  fs::path journal;       // a file; opened when expand() begins
  RequestRunOptions run;  // its on_status is the provider's own
  bool batch = false;     // Message Batches: Anthropic's, with a price
  LlmEndpoint endpoint;   // of the batches
};

// What the first request of a row asks.
LlmRequest first_request(const SourceRow& row, const ExpansionTask& task,
                         const LlmProviderOptions& options);

// The rows must outlive it.
std::unique_ptr<Provider> make_llm_provider(const std::vector<SourceRow>& rows,
                                            std::unique_ptr<LlmApi> api,
                                            LlmProviderOptions options);

}  // namespace chatmem
