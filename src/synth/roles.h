// Who the two of a dialogue are to each other, as far as their words show it.
#pragma once
#include "synth/dialogue.h"

namespace chatmem {

// Whether nothing is said that shows a customer and a clerk, a patient, an applicant, an officer,
// strangers, or a family.
bool may_be_friends(const Dialogue& dialogue);

// The person (a number of the dialogue's) whom the other serves, treats, interviews or shows the
// way; 0 when their words do not show it.
int served_person(const Dialogue& dialogue);

}  // namespace chatmem
