#include "cli/buy_summaries.h"

#include "base/error.h"
#include "text/prompt.h"

namespace chatmem {
namespace {

constexpr int64_t kSummaryTokens = 300;  // of one, about: 220 words

// What is asked, and of which conversations.
struct Asked {
  std::vector<Question> questions;
  std::vector<size_t> of;            // the conversation of each question
  std::vector<QuestionEnd> refused;  // as the conversations: why one cannot be asked about
};

Asked questions_of(std::span<const Conversation> conversations, const BuyOptions& options,
                   const std::string& model) {
  Asked asked;
  asked.refused.resize(conversations.size());
  for (size_t i = 0; i < conversations.size(); i++) {
    try {
      std::vector<Turn> turns = summary_request(conversations[i]);
      LlmRequest request;
      request.model = model;
      request.system = std::move(turns.at(0).content);
      request.messages.push_back({"user", std::move(turns.at(1).content)});
      request.max_tokens = options.max_tokens;
      request.temperature = options.temperature;
      asked.questions.push_back({conversations[i].id, std::move(request)});
      asked.of.push_back(i);
    } catch (const Error& error) {
      asked.refused[i].failure = error.what();
    }
  }
  return asked;
}

QuestionOptions question_options(const BuyOptions& options, const std::optional<Price>& price) {
  QuestionOptions asking;
  asking.journal = options.folder / "journal.jsonl";
  asking.run.flow = options.access.flow;
  asking.run.price = price;
  asking.run.budget_usd = options.access.budget_usd;
  asking.run.stop = options.stop;
  if (options.batch) asking.batch = options.access.endpoint;
  asking.ask_again = options.ask_again;
  asking.stage = "summarize";
  return asking;
}

}  // namespace

QuestionReport buy_summaries(std::span<const Conversation> conversations,
                             const BuyOptions& options) {
  const std::unique_ptr<LlmApi> api = make_llm_api(options.provider, options.access);
  const std::string model = chosen_model(options.provider, options.access);
  const std::optional<Price> price = price_of(options.provider, options.access, model);
  Asked asked = questions_of(conversations, options, model);
  QuestionOptions asking = question_options(options, price);
  asking.introduction = what_is_asked(*api, model, price, options.batch);
  QuestionReport report = ask_questions(*api, asked.questions, asking);
  for (size_t k = 0; k < asked.of.size(); k++)
    asked.refused[asked.of[k]] = std::move(report.ends[k]);
  report.ends = std::move(asked.refused);
  return report;
}

BuyEstimate estimate_buying(std::span<const Conversation> conversations,
                            const BuyOptions& options) {
  const std::unique_ptr<LlmApi> api = make_llm_api(options.provider, options.access);
  BuyEstimate estimate;
  estimate.model = chosen_model(options.provider, options.access);
  const std::optional<Price> price = price_of(options.provider, options.access, estimate.model);
  const Asked asked = questions_of(conversations, options, estimate.model);
  double usd = 0, usd_at_most = 0;
  for (const size_t k : open_questions(*api, asked.questions, question_options(options, price))) {
    const LlmRequest& request = asked.questions[k].request;
    const int64_t input = input_tokens_estimate(request);
    estimate.to_ask++;
    estimate.input_tokens += input;
    estimate.output_tokens += kSummaryTokens;
    if (!price) continue;
    usd += price->cost_usd({.input = input, .output = kSummaryTokens}, options.batch);
    usd_at_most += price->bound_usd(input_tokens_bound(request), request.max_tokens, options.batch);
  }
  if (price) estimate.usd = usd, estimate.usd_at_most = usd_at_most;
  return estimate;
}

}  // namespace chatmem
