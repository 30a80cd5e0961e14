// Direct speech to reported speech: "I'm moving to Leeds" said by Hanna becomes "she was moving to
// Leeds". Only what is safe is converted: first and second person with a verb whose past is known.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "text/names.h"

namespace chatmem {

struct ReportedSpeech {
  bool by_you = false;  // the speaker is the reader of the summary
  Gender speaker_gender = Gender::kUnknown;
  Gender addressee_gender = Gender::kUnknown;  // of the one other person, for a speaker "You"
  bool two_people = true;                      // with more, "you" does not say who is meant
};

// The clause after "said that", without final punctuation; nothing when a safe conversion is not
// known: "we", an unknown verb after "I" or "you", an imperative, a fragment.
std::optional<std::string> reported_clause(std::string_view sentence, const ReportedSpeech& speech);

}  // namespace chatmem
