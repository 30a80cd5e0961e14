#include "base/json.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr int kMaxDepth = 64;
// A key of an ordered object is looked for among all keys before it, so a crafted object would take
// time with the square of its size. The sum of the squares is limited; one object may have 8,192
// keys. Those of up to kFewKeys are not counted: their time is in proportion to the text.
constexpr size_t kFewKeys = 64, kMaxKeySquares = size_t(1) << 26;

// Nesting and keys are limited before parsing: a recursive parser must not be led to overflow the
// stack. Whether brackets match is the parser's affair.
void check_shape(std::string_view text, std::string_view where) {
  int depth = 0;
  size_t n_keys[kMaxDepth + 1] = {}, key_squares = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth)
        throw Error(fmt::format("[json] {}: nesting must not be deeper than {}", where, kMaxDepth));
      n_keys[depth] = 0;
    } else if (c == ':' && depth > 0) {
      // (n + 1)^2 - n^2, and all of n^2 with the first key that counts
      const size_t n = n_keys[depth]++;
      if (n >= kFewKeys) key_squares += n == kFewKeys ? (n + 1) * (n + 1) : 2 * n + 1;
      if (key_squares > kMaxKeySquares)
        throw Error(fmt::format("[json] {}: objects must not have so many keys", where));
    } else if ((c == '}' || c == ']') && depth > 0) {
      depth--;
    }
  }
}

const Json& get(const Json& object, std::string_view key, std::string_view where) {
  if (!object.is_object())
    throw Error(fmt::format("[json] {}: must be an object, is {}", where, object.type_name()));
  const auto it = object.find(std::string(key));
  if (it == object.end()) throw Error(fmt::format("[json] {}: key '{}' is missing", where, key));
  return *it;
}

[[noreturn]] void wrong_type(const Json& value, std::string_view key, std::string_view must_be,
                             std::string_view where) {
  throw Error(
      fmt::format("[json] {}: key '{}' must be {}, is {}", where, key, must_be, value.type_name()));
}

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  if (const size_t bad = find_invalid_utf8(text); bad != text.npos)
    throw Error(fmt::format("[json] {}: must be UTF-8, byte {} is not", where, bad));
  check_shape(text, where);
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    std::string_view what = e.what();
    if (const size_t colon = what.find(": "); colon != what.npos) what.remove_prefix(colon + 2);
    throw Error(fmt::format("[json] {}: not valid JSON: {}", where, what));
  } catch (const Json::exception& e) {
    throw Error(fmt::format("[json] {}: {}", where, e.what()));
  }
}

Json read_json(const fs::path& path, size_t max_bytes) {
  return parse_json(read_file(path, max_bytes), fmt::format("'{}'", path.string()));
}

void for_each_json_line(const fs::path& path, const std::function<void(Json&, size_t)>& row) {
  for_each_line(path, [&](std::string_view text, size_t number) {
    if (text.find_first_not_of(" \t") == text.npos) return;
    const std::string where = fmt::format("'{}', line {}", path.string(), number);
    Json value = parse_json(text, where);
    if (!value.is_object())
      throw Error(fmt::format("[json] {}: must be an object, is {}", where, value.type_name()));
    row(value, number);
  });
}

Json json_or_null(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

std::string dump_json(const Json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const Json::exception& e) {
    throw Error(fmt::format("[json] cannot write: {}", e.what()));
  }
}

const std::string& json_string(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = get(object, key, where);
  if (!value.is_string()) wrong_type(value, key, "a string", where);
  return value.get_ref<const std::string&>();
}

std::string json_string_or(const Json& object, std::string_view key, std::string_view fallback,
                           std::string_view where) {
  const auto it = object.find(std::string(key));
  if (it == object.end() || it->is_null()) return std::string(fallback);
  return json_string(object, key, where);
}

long long json_int(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = get(object, key, where);
  if (!value.is_number_integer()) wrong_type(value, key, "an integer", where);
  if (value.is_number_unsigned() && value.get<unsigned long long>() > (~0ull >> 1))
    wrong_type(value, key, "an integer of at most 63 bits", where);
  return value.get<long long>();
}

double json_number(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = get(object, key, where);
  if (!value.is_number()) wrong_type(value, key, "a number", where);
  return value.get<double>();
}

const Json& json_array(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = get(object, key, where);
  if (!value.is_array()) wrong_type(value, key, "an array", where);
  return value;
}

const Json& json_object(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = get(object, key, where);
  if (!value.is_object()) wrong_type(value, key, "an object", where);
  return value;
}

}  // namespace chatmem
