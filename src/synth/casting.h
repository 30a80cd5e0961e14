// Who the two persons of a row are: names and genders, from the dialogue and its human summary.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "synth/dialogue.h"

namespace chatmem {

// The names that the summary gives to those who act in it, "Mrs. Doyle" and "Freya" but not
// "Aberdeen", each once, in their order.
std::vector<std::string> actors_of(std::string_view summary);

// The row's dialogue with names and genders: found in the dialogue, corrected by the summary. A
// name that stands in the summary alone is the person's whom the summary calls by no other.
Dialogue cast_dialogue(std::string_view text, std::string_view summary);

}  // namespace chatmem
