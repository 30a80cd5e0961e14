#include "synth/make_provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "llm/chat_client.h"
#include "synth/llm_provider.h"

namespace chatmem {
namespace {

constexpr double kBytesPerToken = 3.5;  // of English, about
constexpr size_t kCountedRows = 20;
constexpr double kRepairShare = 0.1;              // of rows, at the high end
constexpr double kTokensPerSecond[] = {60, 150};  // of one answer: slow, fast

bool is_anthropic(const GenerateOptions& options) { return options.provider == "anthropic"; }

std::string chosen_model(const GenerateOptions& options) {
  const AskOptions& ask = options.ask;
  if (!ask.model.empty()) return ask.model;
  if (is_anthropic(options)) return std::string(kDefaultAnthropicModel);
  return ChatClient({.base_url = ask.endpoint.base_url,
                     .api_key = ask.endpoint.api_key,
                     .connect_timeout_ms = ask.endpoint.connect_timeout_ms})
      .first_model();
}

std::unique_ptr<LlmApi> make_api(const GenerateOptions& options) {
  const LlmEndpoint& endpoint = options.ask.endpoint;
  if (!is_anthropic(options)) {
    if (endpoint.base_url.empty())
      throw Error("[generate] the openai provider must have an endpoint, none is given",
                  "--endpoint http://127.0.0.1:8080/v1, or https://api.openai.com/v1 with "
                  "OPENAI_API_KEY in the environment or in .env",
                  kUsage);
    return make_openai_api(endpoint);
  }
  if (endpoint.api_key.empty())
    throw Error("[generate] the anthropic provider must have a key, none is set",
                "put ANTHROPIC_API_KEY=sk-ant-... into .env or the environment; --provider offline "
                "needs no key and no network");
  return make_anthropic_api(endpoint);
}

// None: nothing is counted, which only an endpoint of one's own may want.
std::optional<Price> price_of(const GenerateOptions& options, const std::string& model) {
  const AskOptions& ask = options.ask;
  if (ask.price) return ask.price;
  const PriceList list = ask.prices ? PriceList::load(*ask.prices) : PriceList::built_in();
  std::optional<Price> price = list.find(model);
  const bool must = is_anthropic(options) || std::isfinite(ask.budget_usd);
  if (!price && must)
    throw Error(fmt::format("[generate] the price of '{}' must be known, it is not", model),
                fmt::format("--price IN,OUT in dollars for a million tokens, or a file with "
                            "--prices; known: {}",
                            fmt::join(list.models(), ", ")));
  return price;
}

LlmProviderOptions provider_options(const GenerateOptions& options) {
  const AskOptions& ask = options.ask;
  LlmProviderOptions made;
  made.model = chosen_model(options);
  made.format = ask.format;
  made.max_tokens = ask.max_tokens;
  made.temperature = ask.temperature;
  made.seed = options.seed;
  made.year = options.year;
  made.journal = options.output / "journal.jsonl";
  made.run.flow = ask.flow;
  made.run.price = price_of(options, made.model);
  made.run.budget_usd = ask.budget_usd;
  made.run.stop = options.stop;
  made.batch = ask.batch;
  made.endpoint = ask.endpoint;
  return made;
}

int64_t estimated_tokens(const LlmRequest& request) {
  return int64_t(double(input_tokens_bound(request)) / kBytesPerToken);
}

[[noreturn]] void throw_failure(const LlmFailure& failure) {
  throw Error(failure.message, failure.hint);
}

// Of n requests that are all alike: a price may depend on the length of one.
double cost_of_all(const Price& price, LlmUsage usage, int64_t n, bool in_batch) {
  for (int64_t* tokens : {&usage.input, &usage.cache_write, &usage.cache_read, &usage.output})
    *tokens = (*tokens + n / 2) / n;
  return double(n) * price.cost_usd(usage, in_batch);
}

// Of the whole run, by how far the API's count of a few rows lies from the estimate.
double counted_ratio(const LlmApi& api, const std::vector<LlmRequest>& requests) {
  double counted = 0, estimated = 0;
  for (const LlmRequest& request : requests) {
    const HttpResponse response = http_request(*api.count_tokens_call(request));
    if (response.status / 100 != 2) throw_failure(api.parse_failure({response, std::nullopt}));
    counted += double(api.parse_count_tokens(response.body));
    estimated += double(estimated_tokens(request));
  }
  return estimated > 0 ? counted / estimated : 1;
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
    throw Error(fmt::format("[generate] batches must be those of anthropic, the provider is {}",
                            options.provider),
                "leave out --batch", kUsage);
  std::unique_ptr<LlmApi> api = make_api(options);
  return make_llm_provider(rows, std::move(api), provider_options(options));
}

GenerateEstimate estimate_asking(const GenerateOptions& options, const std::vector<SourceRow>& rows,
                                 std::span<const RowTask> tasks) {
  GenerateEstimate estimate;
  estimate.to_ask = options.provider == "offline" ? 0 : int64_t(tasks.size());
  if (estimate.to_ask == 0) return estimate;
  const bool has_key = !options.ask.endpoint.api_key.empty();
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
    estimate.input_tokens += estimated_tokens(request);
    estimate.output_tokens_low += answer.low;
    estimate.output_tokens_high += answer.high;
    system_tokens = int64_t(double(request.system.size()) / kBytesPerToken);
    if (few.size() < kCountedRows) few.push_back(std::move(request));
  }
  if (few.empty()) return estimate;
  estimate.counted_by = fmt::format("bytes / {}", kBytesPerToken);
  if (has_key || !is_anthropic(options)) {
    const std::unique_ptr<LlmApi> api = make_api(options);
    if (api->count_tokens_call(few.front())) {
      const double ratio = counted_ratio(*api, few);
      estimate.input_tokens = int64_t(double(estimate.input_tokens) * ratio);
      system_tokens = int64_t(double(system_tokens) * ratio);
      estimate.counted_by = fmt::format("count_tokens of {} rows", few.size());
    }
  }
  if (made.run.price) {
    const int64_t cached = system_tokens * (estimate.to_ask - 1);
    const auto cost = [&](const LlmUsage& usage) {
      return cost_of_all(*made.run.price, usage, estimate.to_ask, options.ask.batch);
    };
    estimate.usd_low =
        cost({estimate.input_tokens - cached, 0, cached, estimate.output_tokens_low});
    estimate.usd_high =
        (1 + kRepairShare) * cost({estimate.input_tokens, 0, 0, estimate.output_tokens_high});
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
