// Classes of the bytes of UTF-8 text, whatever the locale.
#pragma once

namespace chatmem {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_ascii(char c) { return (c & 0x80) == 0; }
// A letter, or a byte of a character beyond ASCII.
constexpr bool is_alphabetic(char c) { return is_letter(c) || !is_ascii(c); }
constexpr bool is_word_char(char c) { return is_alphabetic(c) || is_digit(c); }

}  // namespace chatmem
