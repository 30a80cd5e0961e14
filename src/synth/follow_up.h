// Follow-ups of a first dialogue: a small story of its field, told in short exchanges, and where
// the dialogue has words that bear it an exchange that comes back to them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "base/random.h"
#include "synth/storylines.h"
#include "text/names.h"

namespace chatmem {

constexpr const char* kReader = "You";  // as a speaker

struct Line {
  std::string speaker, text;
};

// A sentence of the first dialogue that may be spoken of later.
enum class Saying {
  kAdvice,   // "You should ...": said to the other
  kTrouble,  // "I'm worried about ..."
  kPlan,     // "I'm going to ..."
  kAnswer,   // to a question, which must be told with it
};
struct Quotable {
  Saying saying;
  bool you;  // said by the reader
  std::string text, question;
};
// The sentences that stand alone: whole, short, about nothing that must be seen ("this", "here"),
// without days that count from another ("tomorrow"). Each once, in their order.
std::vector<Quotable> quotables(const std::vector<Line>& lines, std::string_view matter);

// What the reader and the other said first to the matter, as the sentences of a summary: "You asked
// Sandra: \"Where is it?\" Sandra answered: \"Here.\"". The pair of turns with the most words of
// the matter is quoted; empty when no two turns can be.
std::string quoted(const std::vector<Line>& lines, std::string_view matter);

// The two, as they call each other.
struct Callers {
  std::string you;         // what the other calls the reader; may be empty
  std::string other;       // what the reader calls the other
  std::string other_name;  // the other in the summary
  Gender other_gender = Gender::kUnknown;
};

// The first dialogue, as far as what follows depends on it.
struct FirstTalk {
  const std::vector<Line>& lines;
  std::string_view topic, summary;
  Date day;
  Callers callers;
};

struct FollowUp {
  std::vector<Line> lines;
  std::string told;  // for the summary, in the past
};

// A story of its field, one beat for each of the n days, at most eight; where the dialogue has a
// sentence that can be quoted, one may come back to it first. No beat comes twice.
std::vector<FollowUp> follow_ups(const FirstTalk& first, size_t n, Random& random);

// Every beat of a story, written out with whoever of the two is A: for tests.
std::vector<FollowUp> whole_story(const Storyline& story, bool a_is_you, const FirstTalk& first,
                                  Random& random);

}  // namespace chatmem
