#include "base/markdown.h"

#include <algorithm>

#include "base/json.h"
#include "base/utf8.h"

namespace chatmem {

std::string in_table(std::string_view text) {
  std::string line;
  for (const char c : replace_invalid_utf8(text)) {
    if (uint8_t(c) < ' ')
      line += ' ';
    else
      line += c == '|' || c == '`' || c == '<' ? '_' : c;
  }
  return line;
}

std::string in_yaml(std::string_view text) {
  const std::string line = in_table(text);
  // a word that begins with a letter is no number, no date and no mark of YAML's
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool plain = !line.empty() && is_letter(line[0]) && std::ranges::all_of(line, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  });
  constexpr std::string_view kWords[] = {"true", "false", "yes", "no", "on",
                                         "off",  "null",  "y",   "n"};
  std::string lower = line;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return plain && std::ranges::find(kWords, lower) == std::end(kWords) ? line : dump_json(line);
}

}  // namespace chatmem
