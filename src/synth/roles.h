// Who the two of a dialogue are to each other, as far as topic, summary and words show it.
#pragma once
#include <optional>

#include "synth/follow_up.h"
#include "synth/storylines.h"

namespace chatmem {

struct Relation {
  Between between = Between::kFriends;
  // Whether the reader is A of the relation's stories; nothing where A and B are alike.
  std::optional<bool> a_is_you;
  // Where not, they are friends for want of better, and only what anybody may tell anybody fits.
  bool sure = true;
};

// The relation for which the cues speak most, where they speak loudly enough; else friends. Not
// sure where they could well be something else: titles, prices, cues that do not reach.
Relation relation_of(const FirstTalk& first);

}  // namespace chatmem
