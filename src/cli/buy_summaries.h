// Summaries bought from a language model elsewhere: references for an evaluation, say.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llm/llm_access.h"
#include "llm/questions.h"
#include "text/conversation.h"

namespace chatmem {

struct BuyOptions {
  std::string provider;  // anthropic, openai
  LlmAccess access;
  int max_tokens = 8'000;             // of an answer, thinking included
  std::optional<double> temperature;  // sent only when it is asked for
  fs::path folder;                    // of the journal
  bool batch = false;                 // Message Batches, of anthropic alone
  bool ask_again = false;
  const std::atomic<bool>* stop = nullptr;
};

// Asks for each conversation what summary_request says; the ends are as the conversations. One
// without messages fails without a question.
QuestionReport buy_summaries(std::span<const Conversation> conversations,
                             const BuyOptions& options);

struct BuyEstimate {
  int64_t to_ask = 0, input_tokens = 0;
  int64_t output_tokens = 0;  // for summaries of the usual length, without thinking
  std::string model;
  std::optional<double> usd, usd_at_most;  // none where no price is known
};
// What buying would cost, without a question being sent.
BuyEstimate estimate_buying(std::span<const Conversation> conversations, const BuyOptions& options);

}  // namespace chatmem
