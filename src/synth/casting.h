// Who the two persons of a row are: names and genders, from the dialogue and its human summary.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "synth/dialogue.h"

namespace chatmem {

// The row's dialogue with names and genders: found in the dialogue, corrected by the summary. A
// name that stands in the summary alone is the person's whom the summary calls by no other; so is a
// role, which gets the person's placeholder in the result's summary.
Dialogue cast_dialogue(std::string_view text, std::string_view summary);

}  // namespace chatmem
