#include "cli/llm_flags.h"

#include <fmt/format.h>

#include <cstdlib>

namespace chatmem {
namespace {

// CLI11's own check names the largest double.
CLI::Validator from_zero() {
  return CLI::Validator(
      [](std::string& text) {
        double value = -1;
        const bool number = CLI::detail::lexical_cast(text, value);
        return number && value >= 0 && value <= 1e9
                   ? std::string()
                   : fmt::format("must be a number from 0 on, is '{}'", text);
      },
      "");
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

void add_money_flags(CLI::App& verb, MoneyFlags& flags, const std::string& group) {
  verb.add_option("--budget", flags.budget,
                  "what this output may cost at most, over all its runs (default: no limit)")
      ->type_name("USD")
      ->check(from_zero())
      ->group(group);
  verb.add_option("--price", flags.price,
                  "dollars for a million tokens in and out (default: what the list says)")
      ->type_name("IN,OUT")
      ->group(group);
  verb.add_option("--prices", flags.prices,
                  "more prices, as docs/formats.md describes them (default: the built-in list)")
      ->type_name("FILE")
      ->group(group);
}

void apply_money_flags(const MoneyFlags& flags, LlmAccess& access) {
  if (flags.budget >= 0) access.budget_usd = flags.budget;
  if (!flags.price.empty()) access.price = parse_price(flags.price);
  if (!flags.prices.empty()) access.prices = flags.prices;
}

void add_pace_flag(CLI::App& verb, FlowOptions& flow, const std::string& group) {
  verb.add_option("--requests-a-minute", flow.requests_a_minute,
                  "at most (default: what the answers' headers say)")
      ->type_name("N")
      ->check(from_zero())
      ->group(group);
}

void fill_from_environment(std::string_view provider, LlmEndpoint& endpoint) {
  const bool anthropic = provider == "anthropic";
  if (endpoint.base_url.empty())
    endpoint.base_url = variable(anthropic ? "ANTHROPIC_BASE_URL" : "OPENAI_BASE_URL");
  endpoint.api_key = variable(anthropic ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY");
}

}  // namespace chatmem
