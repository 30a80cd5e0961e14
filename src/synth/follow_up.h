// Follow-ups that nobody had to hold before: short exchanges that come back to the first dialogue,
// by its own words where it has some that bear it. They fit any two people who had it.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "base/random.h"
#include "text/conversation.h"

namespace chatmem {

constexpr const char* kReader = "You";  // as a speaker

struct Line {
  std::string speaker, text;
};

// A sentence of the first dialogue that may be spoken of later.
enum class Saying {
  kOpinion,  // "I think ..."
  kAdvice,   // "You should ...": said to the other
  kTrouble,  // "I'm worried about ..."
  kPlan,     // "I'm going to ..."
  kFact,     // "We open at nine and close at six."
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
};

struct FollowUp {
  std::vector<Line> lines;
  std::string told;  // for the summary, in the past
};

// Lays follow-ups to one first dialogue; none takes a form or a sentence that another has.
class FollowUps {
 public:
  // topic: where it reads as a noun it is named ("our talk about saving money"). personal: not a
  // clerk and a customer, nor two who meet for the first time.
  FollowUps(const std::vector<Line>& first, std::string_view topic, std::string_view summary,
            Date first_day, bool personal, Callers callers);

  // before: the day of the conversation before this one. The forms suffice for seven.
  FollowUp next(Date day, Date before, Random& random);

 private:
  struct Choice;
  std::vector<Choice> choices(int gap, int age) const;  // days since the one before, the first
  FollowUp written(const Choice& choice, Random& random) const;

  std::vector<Quotable> quotables_;  // not spoken of yet
  std::string topic_;
  Date first_day_;
  bool personal_;
  Callers callers_;
  int thankful_ = -1;       // 1: the reader alone thanked, 0: the other alone; else -1
  std::set<size_t> taken_;  // scripts
  int quoted_running_ = 0;
};

}  // namespace chatmem
