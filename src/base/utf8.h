// UTF-8: validation, decoding, encoding.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace chatmem {

// The byte offset of the first byte that is not valid UTF-8 (overlong forms, surrogates and code
// points over U+10FFFF are invalid), or npos.
size_t find_invalid_utf8(std::string_view text);

// Appends a code point in UTF-8.
void append_utf8(std::string& out, char32_t code_point);

// The text with each invalid byte replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

// The number of bytes at the end of `text` that begin a character but do not complete it (0 to 3):
// what a stream must hold back until more bytes come.
size_t incomplete_utf8_suffix(std::string_view text);

}  // namespace chatmem
