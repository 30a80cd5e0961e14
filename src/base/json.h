// JSON: nlohmann's library behind limits and messages that name file and line.
#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace chatmem {

// Keeps the order of keys, so that what was read is written back as it was.
using Json = nlohmann::ordered_json;

// Parses one value. `where` names the source in errors ("FILE, line N"). Throws Error on bad
// syntax, invalid UTF-8, a NUL byte, nesting deeper than 64, or an object of more than 8,192 keys.
Json parse_json(std::string_view text, std::string_view where);
Json read_json(const fs::path& path, size_t max_bytes = size_t(1) << 30);

// Calls row(value, number) for each non-empty line of a JSON Lines file; every value must be an
// object.
void for_each_json_line(const fs::path& path, const std::function<void(Json&, size_t)>& row);

// NaN as null.
Json json_or_null(double value);

// Compact, or indented by `indent` spaces; throws Error on invalid UTF-8 in a string.
std::string dump_json(const Json& value, int indent = -1);

// The value of a key, with its type checked; errors say "[json] WHERE: key 'x' must be a string, is
// a number".
const std::string& json_string(const Json& object, std::string_view key, std::string_view where);
std::string json_string_or(const Json& object, std::string_view key, std::string_view fallback,
                           std::string_view where);
long long json_int(const Json& object, std::string_view key, std::string_view where);
double json_number(const Json& object, std::string_view key, std::string_view where);
const Json& json_array(const Json& object, std::string_view key, std::string_view where);
const Json& json_object(const Json& object, std::string_view key, std::string_view where);

}  // namespace chatmem
