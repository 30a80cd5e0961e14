// Values from outside in the cards that go with data and models: a Markdown table or code, and the
// YAML above it.
#pragma once
#include <string>
#include <string_view>

namespace chatmem {

// One line, with what has a meaning in a Markdown table or code taken out.
std::string in_table(std::string_view text);

// Plain where YAML takes it for a string anyhow, else quoted as JSON, which YAML includes.
std::string in_yaml(std::string_view text);

}  // namespace chatmem
