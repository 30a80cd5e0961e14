#include "serve/request_fields.h"

#include <fmt/format.h>

#include <cmath>

namespace chatmem {

Json parse_body(std::string_view body) {
  Json json;
  try {
    json = parse_json(body, "body");
  } catch (const Error& e) {
    throw ApiError(400, e.what());
  }
  if (!json.is_object()) throw ApiError(400, "the body must be a JSON object");
  return json;
}

// The field, or null when it is absent or null.
const Json* find_field(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

void refuse_field(const std::string& param, const std::string& must) {
  throw ApiError(400, fmt::format("'{}' {}", param, must), param);
}

std::optional<double> number_field(const Json& object, const char* name, double low, double high) {
  const Json* value = find_field(object, name);
  if (value == nullptr) return std::nullopt;
  const double x = value->is_number() ? value->get<double>() : std::nan("");
  if (!(x >= low && x <= high))
    refuse_field(name, fmt::format("must be a number from {} to {}", low, high));
  return x;
}

std::optional<int> integer_field(const Json& object, const char* name, int low, int high) {
  const Json* value = find_field(object, name);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_unsigned() ? value->get<uint64_t>() <= uint64_t(INT64_MAX)
                                                : value->is_number_integer();
  const int64_t x = fits ? value->get<int64_t>() : int64_t(low) - 1;
  if (x < low || x > high)
    refuse_field(name, fmt::format("must be an integer from {} to {}", low, high));
  return int(x);
}

bool boolean_field(const Json& object, const char* name) {
  const Json* value = find_field(object, name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) refuse_field(name, "must be true or false");
  return value->get<bool>();
}

std::string text_field(const Json& object, const char* name) {
  const Json* value = find_field(object, name);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse_field(name, "must be a string");
  return value->get<std::string>();
}

std::vector<int> token_ids(const Json& value, const char* name, int vocab_size) {
  const std::string must = fmt::format("must have tokens, integers from 0 to {}", vocab_size - 1);
  if (!value.is_array()) refuse_field(name, must);
  std::vector<int> tokens;
  for (const Json& one : value) {
    if (!one.is_number_unsigned() || one.get<uint64_t>() >= uint64_t(vocab_size))
      refuse_field(name, must);
    tokens.push_back(one.get<int>());
  }
  return tokens;
}

}  // namespace chatmem
