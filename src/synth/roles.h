// Who the two of a dialogue are to each other, as far as their words show it.
#pragma once
#include "synth/dialogue.h"

namespace chatmem {

enum class Relation {
  kUnknown,
  kService,   // one serves the other: a shop, a hotel, an office
  kFamiliar,  // family or a couple
};

struct Roles {
  Relation relation = Relation::kUnknown;
  int serving = 0;  // the placeholder number of who serves; 0 when nobody does
};

Roles roles_of(const Dialogue& dialogue);

}  // namespace chatmem
