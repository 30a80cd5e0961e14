// What the pronouns of a summary mean: the reader, somebody else, the two together.
#pragma once
#include <vector>

#include "synth/marked_text.h"
#include "text/names.h"

namespace chatmem {

// kOther: the other of the two and nobody else; kNotYou: he, or a further person.
enum class Referent : unsigned char { kNone, kYou, kOther, kNotYou, kPair };

struct SentenceReferents {
  std::vector<Referent> of;  // by token; kNone where there is no pronoun
  bool clear = true;         // every pronoun of it is understood
};

struct References {
  std::vector<SentenceReferents> sentences;
  Gender you = Gender::kUnknown, other = Gender::kUnknown;  // as known, or as the pronouns demand
};

// Sentences in their order, with the genders known before. A pronoun is understood when only one
// person can be meant: by gender, because nobody objects to himself in his own clause, or because
// its subject is the last sentence's and nobody else of the gender was spoken of.
References resolve_pronouns(const std::vector<MarkedSentence>& sentences, Gender you, Gender other);

}  // namespace chatmem
