// The flags of every verb that buys answers of a language model, and the environment's part in
// them.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "llm/llm_access.h"

namespace chatmem {

struct MoneyFlags {
  std::string price, prices;
  double budget = -1;
};

// Declares --budget, --price and --prices on a verb, in a group of its help.
void add_money_flags(CLI::App& verb, MoneyFlags& flags, const std::string& group);
void apply_money_flags(const MoneyFlags& flags, LlmAccess& access);

// --requests-a-minute.
void add_pace_flag(CLI::App& verb, FlowOptions& flow, const std::string& group);

// The key and, where no flag gave it, the base URL of a provider: ANTHROPIC_API_KEY and
// ANTHROPIC_BASE_URL, or OPENAI_API_KEY and OPENAI_BASE_URL.
void fill_from_environment(std::string_view provider, LlmEndpoint& endpoint);

}  // namespace chatmem
