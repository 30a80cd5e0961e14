#include "base/utf8.h"

namespace chatmem {
namespace {

// The length of the valid character at the start of `s`; 0 when it is invalid or cut off.
size_t valid_length(std::string_view s) {
  const auto byte = [&](size_t i) { return i < s.size() ? uint8_t(s[i]) : uint8_t(0); };
  const auto next = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t a = byte(0), b = byte(1);
  if (a < 0x80) return 1;
  if (a < 0xC2) return 0;
  if (a < 0xE0) return next(1) ? 2 : 0;
  if (a < 0xF0) {
    if ((a == 0xE0 && b < 0xA0) || (a == 0xED && b >= 0xA0)) return 0;
    return next(1) && next(2) ? 3 : 0;
  }
  if (a > 0xF4 || (a == 0xF0 && b < 0x90) || (a == 0xF4 && b >= 0x90)) return 0;
  return next(1) && next(2) && next(3) ? 4 : 0;
}

}  // namespace

size_t find_invalid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t n = valid_length(text.substr(i));
    if (n == 0) return i;
    i += n;
  }
  return std::string_view::npos;
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += char(0xC0 | c >> 6);
    out += char(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += char(0xE0 | c >> 12);
    out += char(0x80 | (c >> 6 & 0x3F));
    out += char(0x80 | (c & 0x3F));
  } else {
    out += char(0xF0 | c >> 18);
    out += char(0x80 | (c >> 12 & 0x3F));
    out += char(0x80 | (c >> 6 & 0x3F));
    out += char(0x80 | (c & 0x3F));
  }
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t n = valid_length(text.substr(i));
    if (n == 0) {
      append_utf8(out, 0xFFFD);
      i += 1;
    } else {
      out.append(text, i, n);
      i += n;
    }
  }
  return out;
}

size_t incomplete_utf8_suffix(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); back++) {
    const uint8_t c = uint8_t(text[text.size() - back]);
    if ((c & 0xC0) == 0x80) continue;
    const size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 1;
    return need > back ? back : 0;
  }
  return 0;
}

}  // namespace chatmem
