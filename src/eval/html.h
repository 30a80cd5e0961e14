// Text in pages of HTML.
#pragma once
#include <string>
#include <string_view>

namespace chatmem {

// With & < > " ' as entities, for an element's text or a quoted attribute. Control characters other
// than line ends and tabs become spaces.
std::string html_text(std::string_view text);

// The first bytes of a text, at most max_bytes, whole characters; with what is left out said behind
// them.
std::string html_text_cut(std::string_view text, size_t max_bytes);

}  // namespace chatmem
