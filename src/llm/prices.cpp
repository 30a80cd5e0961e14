#include "llm/prices.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/date.h"
#include "base/error.h"
#include "llm/prices_json.h"

namespace chatmem {
namespace {

constexpr double kMaxPrice = 1e6;  // more for a million tokens is a slip of the pen
constexpr size_t kMaxFileBytes = size_t(1) << 20;

struct PriceKey {
  const char* name;
  double Price::*value;
};
constexpr PriceKey kKeys[] = {{"input", &Price::input},
                              {"output", &Price::output},
                              {"cache_write", &Price::cache_write},
                              {"cache_read", &Price::cache_read},
                              {"batch", &Price::batch},
                              {"long_input", &Price::long_input},
                              {"long_output", &Price::long_output}};

Price read_price(const Json& json, const std::string& where) {
  Price price;
  json_number(json, "input", where);
  json_number(json, "output", where);
  for (const auto& [name, value] : json.items()) {
    if (name == "long_prompt_tokens") {
      price.long_prompt_tokens = json_int(json, name, where);
      if (price.long_prompt_tokens < 0)
        throw Error(fmt::format("[prices] {}: '{}' must not be negative", where, name));
      continue;
    }
    const auto key =
        std::find_if(std::begin(kKeys), std::end(kKeys),
                     [&key_name = name](const PriceKey& k) { return k.name == key_name; });
    if (key == std::end(kKeys))
      throw Error(fmt::format("[prices] {}: '{}' is no known key", where, name),
                  "docs/formats.md lists the keys of a price");
    const double number = json_number(json, name, where);
    if (!(number >= 0 && number <= kMaxPrice))
      throw Error(fmt::format("[prices] {}: '{}' must be from 0 to {}, is {}", where, name,
                              kMaxPrice, number));
    price.*key->value = number;
  }
  const bool has_long = json.contains("long_input") && json.contains("long_output");
  if (price.long_prompt_tokens > 0 && !has_long)
    throw Error(fmt::format(
        "[prices] {}: 'long_prompt_tokens' needs 'long_input' and 'long_output'", where));
  return price;
}

// "claude-haiku-5-5" of "claude-haiku-5-5-20261001"; else the same.
std::string_view without_date(std::string_view model) {
  constexpr size_t kDigits = 8;
  if (model.size() <= kDigits + 1 || model[model.size() - kDigits - 1] != '-') return model;
  const std::string_view digits = model.substr(model.size() - kDigits);
  if (digits.find_first_not_of("0123456789") != digits.npos) return model;
  return model.substr(0, model.size() - kDigits - 1);
}

}  // namespace

double Price::cost_usd(const LlmUsage& usage, bool in_batch) const {
  const int64_t prompt = usage.input + usage.cache_write + usage.cache_read;
  const bool is_long = long_prompt_tokens > 0 && prompt > long_prompt_tokens;
  const double in = double(usage.input) + cache_write * double(usage.cache_write) +
                    cache_read * double(usage.cache_read);
  const double usd =
      in * (is_long ? long_input : input) + double(usage.output) * (is_long ? long_output : output);
  return usd / 1e6 * (in_batch ? batch : 1);
}

double Price::bound_usd(int64_t input_tokens, int64_t max_tokens, bool in_batch) const {
  CHECK(input_tokens >= 0 && max_tokens >= 0);
  // Whichever share of it is written to the cache or read from it.
  const double factor = std::max({1.0, cache_write, cache_read});
  const auto bound = [&](int64_t tokens, double in, double out) {
    return (double(tokens) * factor * in + double(max_tokens) * out) / 1e6 * (in_batch ? batch : 1);
  };
  if (long_prompt_tokens == 0 || input_tokens <= long_prompt_tokens)
    return bound(input_tokens, input, output);
  return std::max(bound(input_tokens, long_input, long_output),
                  bound(long_prompt_tokens, input, output));
}

PriceList PriceList::built_in() {
  PriceList list;
  list.read(parse_json(kPricesJson, "src/llm/prices.json"), "src/llm/prices.json");
  return list;
}

PriceList PriceList::load(const fs::path& path) {
  PriceList list = built_in();
  list.read(read_json(path, kMaxFileBytes), fmt::format("'{}'", path.string()));
  return list;
}

void PriceList::read(const Json& list, const std::string& where) {
  const std::string as_of = json_string_or(list, "as_of", "", where);
  if (!as_of.empty() && !parse_date(as_of))
    throw Error(fmt::format("[prices] {}: 'as_of' must be a day, YYYY-MM-DD", where));
  for (const auto& [model, json] : json_object(list, "models", where).items()) {
    Price price = read_price(json, fmt::format("{}, model '{}'", where, model));
    price.as_of = as_of;
    const auto same = [&name = model](const auto& entry) { return entry.first == name; };
    const auto it = std::find_if(prices_.begin(), prices_.end(), same);
    if (it == prices_.end())
      prices_.emplace_back(model, std::move(price));
    else
      it->second = std::move(price);
  }
}

std::optional<Price> PriceList::find(const std::string& model) const {
  for (const std::string_view name : {std::string_view(model), without_date(model)})
    for (const auto& [known, price] : prices_)
      if (known == name) return price;
  return std::nullopt;
}

std::vector<std::string> PriceList::models() const {
  std::vector<std::string> names;
  for (const auto& [model, price] : prices_) names.push_back(model);
  return names;
}

Price parse_price(const std::string& text) {
  Price price;
  const char *at = text.data(), *end = at + text.size();
  for (double* value : {&price.input, &price.output}) {
    const auto [after, error] = std::from_chars(at, end, *value, std::chars_format::fixed);
    const bool ends_well = value == &price.input ? after != end && *after == ',' : after == end;
    if (error != std::errc() || !ends_well || !(*value >= 0 && *value <= kMaxPrice))
      throw Error(fmt::format("[prices] a price must be two numbers from 0 to {}, is '{}'",
                              kMaxPrice, text),
                  "give dollars for a million tokens in and out, such as --price 0.10,0.50",
                  kUsage);
    at = after + 1;
  }
  return price;
}

}  // namespace chatmem
