// The fields of a request's JSON body, checked. What is wrong with one throws ApiError (400) that
// names it.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/api_error.h"

namespace chatmem {

// The body, which must be a JSON object.
Json parse_body(std::string_view body);

// The field, or null when it is absent or null.
const Json* find_field(const Json& object, const char* name);

// Throws ApiError: "'PARAM' must ...".
[[noreturn]] void refuse_field(const std::string& param, const std::string& must);

// Absent or null: nullopt, false, "".
std::optional<double> number_field(const Json& object, const char* name, double low, double high);
std::optional<int> integer_field(const Json& object, const char* name, int low, int high);
bool boolean_field(const Json& object, const char* name);
std::string text_field(const Json& object, const char* name);

// An array of token ids from 0 to vocab_size - 1.
std::vector<int> token_ids(const Json& value, const char* name, int vocab_size);

}  // namespace chatmem
