#include "llm/llm_access.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/progress.h"
#include "llm/chat_client.h"

namespace chatmem {
namespace {

bool is_anthropic(std::string_view provider) { return provider == "anthropic"; }

}  // namespace

std::unique_ptr<LlmApi> make_llm_api(std::string_view provider, const LlmAccess& access) {
  const LlmEndpoint& endpoint = access.endpoint;
  if (!is_anthropic(provider)) {
    if (endpoint.base_url.empty())
      throw Error("[llm] the openai provider must have an endpoint, none is given",
                  "--endpoint http://127.0.0.1:8080/v1, or https://api.openai.com/v1 with "
                  "OPENAI_API_KEY in the environment or in .env",
                  kUsage);
    return make_openai_api(endpoint);
  }
  if (endpoint.api_key.empty())
    throw Error(
        "[llm] the anthropic provider must have a key, none is set",
        "put ANTHROPIC_API_KEY=sk-ant-... into .env or the environment; generate --provider "
        "offline, and summarize without a provider, need no key and no network");
  return make_anthropic_api(endpoint);
}

std::string chosen_model(std::string_view provider, const LlmAccess& access) {
  if (!access.model.empty()) return access.model;
  if (is_anthropic(provider)) return std::string(kDefaultAnthropicModel);
  return ChatClient({.base_url = access.endpoint.base_url,
                     .api_key = access.endpoint.api_key,
                     .connect_timeout_ms = access.endpoint.connect_timeout_ms})
      .first_model();
}

std::optional<Price> price_of(std::string_view provider, const LlmAccess& access,
                              const std::string& model) {
  if (access.price) return access.price;
  const PriceList list = access.prices ? PriceList::load(*access.prices) : PriceList::built_in();
  std::optional<Price> price = list.find(model);
  const bool must = is_anthropic(provider) || std::isfinite(access.budget_usd);
  if (!price && must)
    throw Error(fmt::format("[llm] the price of '{}' must be known, it is not", model),
                fmt::format("--price IN,OUT in dollars for a million tokens, or a file with "
                            "--prices; known: {}",
                            fmt::join(list.models(), ", ")));
  return price;
}

std::string what_is_asked(const LlmApi& api, const std::string& model,
                          const std::optional<Price>& price, bool in_batch) {
  std::string line = fmt::format("model {} at {}", model, api.host());
  if (price)
    line += fmt::format(": ${:.2f} in, ${:.2f} out for a million tokens{}{}", price->input,
                        price->output,
                        in_batch ? fmt::format(", times {} in a batch", price->batch) : "",
                        price->as_of.empty() ? "" : fmt::format(" (prices of {})", price->as_of));
  return line;
}

std::string run_detail(const RequestRunStatus& status, bool priced) {
  std::string text = fmt::format("{} in flight", status.in_flight);
  if (priced) text += fmt::format("  ${:.4f}", status.spent_usd);
  if (status.retries > 0) text += fmt::format("  {} repeated", format_count(status.retries));
  if (!status.waiting_for.empty()) text += "  " + status.waiting_for;
  return text;
}

}  // namespace chatmem
