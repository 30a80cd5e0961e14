#include "eval/html.h"

#include <fmt/format.h>

#include <cstdint>

namespace chatmem {

std::string html_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += (uint8_t(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F ? ' ' : c;
    }
  return out;
}

std::string html_text_cut(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return html_text(text);
  size_t end = max_bytes;
  while (end > 0 && (uint8_t(text[end]) & 0xC0) == 0x80) end--;
  return html_text(text.substr(0, end)) +
         fmt::format("<span class=\"dim\"> &hellip; {} more bytes</span>", text.size() - end);
}

}  // namespace chatmem
