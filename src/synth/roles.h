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
};

// The relation for which the cues speak most. Without any they are friends, or strangers when they
// talk as strangers do ("sir", prices).
Relation relation_of(const FirstTalk& first);

}  // namespace chatmem
