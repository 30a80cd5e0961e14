// Which language a text is in, as far as its letters and commonest words tell.
#pragma once
#include <string_view>

namespace chatmem {

// "English", "German", "French", "Spanish", "Italian", "Portuguese", "Dutch", told apart by their
// commonest words; for other letters than Latin the script: "Cyrillic", "Greek", "Arabic",
// "Hebrew", "Devanagari", "Thai", "Chinese", "Japanese", "Korean". Empty for a text of fewer than
// 20 letters, and for one in Latin letters with fewer than five of those words or as many of two
// languages.
std::string_view language_of(std::string_view text);

}  // namespace chatmem
