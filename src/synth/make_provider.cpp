#include "synth/make_provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "synth/llm_provider.h"
#include "text/tokenizer.h"

namespace chatmem {
namespace {

constexpr size_t kCountedRows = 20;
constexpr double kRepairShare = 0.1;              // of rows, at the high end
constexpr double kTokensPerSecond[] = {60, 150};  // of one answer: slow, fast

bool is_anthropic(const GenerateOptions& options) { return options.provider == "anthropic"; }

LlmProviderOptions provider_options(const GenerateOptions& options) {
  const AskOptions& ask = options.ask;
  LlmProviderOptions made;
  made.model = chosen_model(options.provider, ask);
  made.format = ask.format;
  made.max_tokens = ask.max_tokens;
  made.temperature = ask.temperature;
  made.seed = options.seed;
  made.year = options.year;
  made.journal = options.output / "journal.jsonl";
  made.run.flow = ask.flow;
  made.run.price = price_of(options.provider, ask, made.model);
  made.run.budget_usd = ask.budget_usd;
  made.run.stop = options.stop;
  made.batch = ask.batch;
  made.endpoint = ask.endpoint;
  return made;
}

// How far the true count of a few requests lies from their estimate: the API's, else a tokenizer's.
struct Counted {
  double ratio = 1;
  std::string by = "bytes / 3.5";
};

// None when the API does not answer now. Throws Error when it refuses, for it would refuse the run,
// too.
std::optional<int64_t> count_by_api(const LlmApi& api, const LlmRequest& request) {
  HttpOutcome outcome;
  try {
    outcome.response = http_request(*api.count_tokens_call(request));
  } catch (const HttpError& error) {
    outcome.error = error;
  }
  if (!outcome.error && outcome.response.status / 100 == 2)
    return api.parse_count_tokens(outcome.response.body);
  const LlmFailure failure = api.parse_failure(outcome);
  if (failure.verdict == LlmVerdict::retry) return std::nullopt;
  throw Error(failure.message, failure.hint);
}

int64_t count_by_tokenizer(const Tokenizer& tokenizer, const LlmRequest& request) {
  size_t tokens = tokenizer.encode(request.system).size();
  for (const LlmMessage& message : request.messages)
    tokens += tokenizer.encode(message.content).size();
  return int64_t(tokens);
}

// The count of each; none when one of them is none.
template <typename Count>
std::optional<double> count_all(const std::vector<LlmRequest>& requests, const Count& count) {
  double sum = 0;
  for (const LlmRequest& request : requests) {
    const std::optional<int64_t> tokens = count(request);
    if (!tokens) return std::nullopt;
    sum += double(*tokens);
  }
  return sum;
}

// api: null when it cannot be asked.
Counted count_tokens(const LlmApi* api, const std::optional<fs::path>& tokenizer_path,
                     const std::vector<LlmRequest>& few) {
  const double estimated = std::max(1.0, *count_all(few, [](const LlmRequest& request) {
                                      return std::optional(input_tokens_estimate(request));
                                    }));
  Counted uncounted;
  if (api != nullptr && api->count_tokens_call(few.front())) {
    const std::optional<double> counted =
        count_all(few, [&](const LlmRequest& request) { return count_by_api(*api, request); });
    if (counted) return {*counted / estimated, fmt::format("count_tokens of {} rows", few.size())};
    uncounted.by += fmt::format(", for {} does not count now", api->host());
  }
  if (!tokenizer_path) return uncounted;
  const Tokenizer tokenizer = Tokenizer::load(*tokenizer_path);
  const double counted = *count_all(few, [&](const LlmRequest& request) {
    return std::optional(count_by_tokenizer(tokenizer, request));
  });
  return {counted / estimated, fmt::format("the tokenizer of {} rows", few.size())};
}

// By the mean request: prices may depend on how long a prompt is.
void price_estimate(const Price& price, int64_t system_tokens, bool batch,
                    GenerateEstimate& estimate) {
  const int64_t n = estimate.to_ask, input = estimate.input_tokens / n;
  const int64_t cached = std::min(system_tokens, input);
  const LlmUsage low{input - cached, 0, cached, estimate.output_tokens_low / n};
  const LlmUsage high{input, 0, 0, estimate.output_tokens_high / n};
  estimate.usd_low = double(n) * price.cost_usd(low, batch);
  estimate.usd_high = double(n) * (1 + kRepairShare) * price.cost_usd(high, batch);
}

}  // namespace

std::unique_ptr<Provider> make_provider(const GenerateOptions& options,
                                        const std::vector<SourceRow>& rows) {
  if (options.provider == "offline")
    return make_offline_provider(rows, {options.seed, options.year, options.threads});
  if (options.provider != "anthropic" && options.provider != "openai")
    throw Error(fmt::format("[generate] the provider must be anthropic, openai or offline, is '{}'",
                            options.provider),
                "", kUsage);
  if (options.ask.batch && !is_anthropic(options))
    throw Error("[generate] batches are of the anthropic provider alone", "leave out --batch",
                kUsage);
  std::unique_ptr<LlmApi> api = make_llm_api(options.provider, options.ask);
  return make_llm_provider(rows, std::move(api), provider_options(options));
}

GenerateEstimate estimate_asking(const GenerateOptions& options, const std::vector<SourceRow>& rows,
                                 std::span<const RowTask> tasks) {
  GenerateEstimate estimate;
  estimate.to_ask = options.provider == "offline" ? 0 : int64_t(tasks.size());
  if (estimate.to_ask == 0) return estimate;
  // Without a key Anthropic's API counts nothing, but a price can be told all the same.
  const bool reachable = !is_anthropic(options) || !options.ask.endpoint.api_key.empty();
  const std::unique_ptr<LlmApi> api =
      reachable ? make_llm_api(options.provider, options.ask) : nullptr;
  const LlmProviderOptions made = provider_options(options);
  estimate.model = made.model;
  std::vector<LlmRequest> few;
  int64_t system_tokens = 0;
  estimate.to_ask = 0;
  for (const RowTask& row_task : tasks) {
    const SourceRow& row = rows[row_task.index];
    ExpansionTask task;
    try {
      task = expansion_task(row, options.seed, options.year);
    } catch (const Error&) {
      continue;  // it goes to errors/ without a question
    }
    LlmRequest request = first_request(row, task, made);
    const TokenRange answer = expansion_answer_tokens(row, task);
    estimate.to_ask++;
    estimate.input_tokens += input_tokens_estimate(request);
    estimate.output_tokens_low += answer.low;
    estimate.output_tokens_high += answer.high;
    system_tokens = input_tokens_estimate({.system = request.system});
    if (few.size() < kCountedRows) few.push_back(std::move(request));
  }
  if (few.empty()) return estimate;
  const Counted counted = count_tokens(api.get(), options.ask.tokenizer, few);
  estimate.counted_by = counted.by;
  estimate.input_tokens = int64_t(double(estimate.input_tokens) * counted.ratio);
  system_tokens = int64_t(double(system_tokens) * counted.ratio);
  if (made.run.price) price_estimate(*made.run.price, system_tokens, options.ask.batch, estimate);
  if (options.ask.batch) {  // what the API promises
    estimate.seconds_high = 24 * 3600;
    return estimate;
  }
  const double answers = double(estimate.to_ask) / std::max(1, options.ask.flow.concurrency);
  const double rows_asked = double(estimate.to_ask);
  estimate.seconds_low =
      answers * double(estimate.output_tokens_low) / rows_asked / kTokensPerSecond[1];
  estimate.seconds_high =
      answers * double(estimate.output_tokens_high) / rows_asked / kTokensPerSecond[0];
  return estimate;
}

}  // namespace chatmem
