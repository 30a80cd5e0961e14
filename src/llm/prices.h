// What tokens cost, in US dollars: a small JSON file that users may edit; the one compiled in is
// src/llm/prices.json.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "llm/api.h"

namespace chatmem {

// Dollars for a million tokens.
struct Price {
  double input = 0, output = 0;
  double cache_write = 1.25, cache_read = 0.1;  // times input
  double batch = 1;                             // times all, in a batch
  // Prompts above so many tokens, cached ones included, cost other prices; 0: none.
  int64_t long_prompt_tokens = 0;
  double long_input = 0, long_output = 0;
  std::string as_of;  // the day of the list it is from; empty: given by hand

  // What an answer has cost.
  double cost_usd(const LlmUsage& usage, bool in_batch) const;
  // No request of at most so many input tokens and max_tokens can cost more, cached or not.
  double bound_usd(int64_t input_tokens, int64_t max_tokens, bool in_batch) const;
};

class PriceList {
 public:
  static PriceList built_in();
  // The built-in list with the models of this file added or replaced. Throws Error for a file that
  // is none, unknown keys included: a price with a slip of the pen would be no price at all.
  static PriceList load(const fs::path& path);
  // Exact, else by a dated suffix ("claude-haiku-5-5-20261001"); none when the model is unknown.
  std::optional<Price> find(const std::string& model) const;
  std::vector<std::string> models() const;

 private:
  void read(const Json& list, const std::string& where);
  std::vector<std::pair<std::string, Price>> prices_;
};

// "0.10,0.50": dollars for a million tokens in and out. Throws Error.
Price parse_price(const std::string& text);

}  // namespace chatmem
