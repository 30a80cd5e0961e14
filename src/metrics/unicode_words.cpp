#include "metrics/unicode_words.h"

#include <cwctype>
#include <string>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

// Unicode's simple lower case, whatever the locale of the process.
char32_t lower(char32_t code_point) {
  static const locale_t kLocale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kLocale == nullptr)
    throw Error("[rouge] Unicode words need the locale C.UTF-8, it is not installed");
  return char32_t(towlower_l(wint_t(code_point), kLocale));
}

// The code point at i of valid UTF-8; i is moved behind it.
char32_t next_code_point(std::string_view text, size_t& i) {
  const uint8_t first = uint8_t(text[i++]);
  if (first < 0x80) return first;
  const int n_more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  char32_t code_point = first & (0x3F >> n_more);
  for (int k = 0; k < n_more; k++) code_point = code_point << 6 | (uint8_t(text[i++]) & 0x3F);
  return code_point;
}

constexpr std::string_view kWord =
    "[\\p{Han}\\p{Hiragana}\\p{Katakana}]|"
    "(?:(?![\\p{Han}\\p{Hiragana}\\p{Katakana}])[\\p{L}\\p{M}\\p{N}])+";

}  // namespace

UnicodeWords::UnicodeWords() : expression_(kWord, "[rouge] words of Unicode") {}

void UnicodeWords::for_each(std::string_view text,
                            const std::function<void(std::string_view)>& word) const {
  const bool valid = find_invalid_utf8(text) == text.npos;
  const std::string repaired = valid ? std::string() : replace_invalid_utf8(text);
  if (!valid) text = repaired;
  std::string lowered;
  for (size_t begin = 0, end = 0; expression_.find(text, end, begin, end);) {
    lowered.clear();
    for (size_t i = begin; i < end;) append_utf8(lowered, lower(next_code_point(text, i)));
    word(lowered);
  }
}

}  // namespace chatmem
