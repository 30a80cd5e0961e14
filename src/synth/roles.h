// Who the two of a dialogue are to each other, as far as their words show it.
#pragma once
#include "synth/dialogue.h"

namespace chatmem {

enum class Relation {
  kUnknown,
  kService,   // one serves the other: a shop, a hotel, an office
  kCare,      // a doctor and a patient
  kHiring,    // an interviewer and an applicant
  kLaw,       // an officer and whom he stops or questions
  kFamiliar,  // family or a couple
};

struct Roles {
  Relation relation = Relation::kUnknown;
  int serving = 0;  // the placeholder number of who serves, treats, asks; 0 when nobody does
};

Roles roles_of(const Dialogue& dialogue);

// Whether a turn is said to one who is met for the first time, or asks what one knows of the other
// ever after: where he was born, what his work is.
bool greets_stranger(std::string_view turn);

// Whether somebody is addressed by a name that neither of the two bears.
bool addresses_another(const Dialogue& dialogue);

}  // namespace chatmem
