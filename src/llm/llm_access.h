// Which model elsewhere is asked, as whom, at what price and pace: what every verb that buys
// answers has to know, before the first one is bought.
#pragma once
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "llm/api.h"
#include "llm/flow_control.h"
#include "llm/prices.h"
#include "llm/request_run.h"

namespace chatmem {

constexpr std::string_view kDefaultAnthropicModel = "claude-haiku-5-5";

struct LlmAccess {
  std::string model;  // empty: the default of anthropic; the first that an openai endpoint lists
  LlmEndpoint endpoint;
  FlowOptions flow;
  std::optional<Price> price;  // none: as `prices` says
  std::optional<fs::path> prices;
  double budget_usd = std::numeric_limits<double>::infinity();
};

// A provider is "anthropic" or "openai", which is any endpoint that is compatible with OpenAI's.

// Throws Error when the key or the endpoint is missing.
std::unique_ptr<LlmApi> make_llm_api(std::string_view provider, const LlmAccess& access);
// Asks the endpoint for its list where no model is named.
std::string chosen_model(std::string_view provider, const LlmAccess& access);
// None: nothing is counted, which only an endpoint of one's own may want. Throws Error where a
// price is needed and not known.
std::optional<Price> price_of(std::string_view provider, const LlmAccess& access,
                              const std::string& model);
// "model claude-haiku-5-5 at api.anthropic.com: $0.10 in, $0.50 out for a million tokens": to be
// shown before anything is paid.
std::string what_is_asked(const LlmApi& api, const std::string& model,
                          const std::optional<Price>& price, bool in_batch);
// "3 in flight  $0.0012  1 repeated": what goes on.
std::string run_detail(const RequestRunStatus& status, bool priced);

}  // namespace chatmem
