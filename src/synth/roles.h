// Who the two of a dialogue are to each other, as far as their words show it.
#pragma once
#include "synth/dialogue.h"

namespace chatmem {

// Whether nothing is said that shows a customer and a clerk, a patient, an applicant, an officer,
// strangers, or a family.
bool may_be_friends(const Dialogue& dialogue);

}  // namespace chatmem
