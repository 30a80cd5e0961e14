// What a chat says that a summary can be held against: its days, the days it speaks of, its names
// and its numbers.
#pragma once
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "text/conversation.h"
#include "text/date_ranges.h"

namespace chatmem {

struct ChatFacts {
  Date as_of{};
  bool as_of_assumed = false;  // it is end_date, or the last message's day
  std::vector<Date> days;      // on which messages were written, in order, each once
  // Days that messages name ("on Friday", "June 3rd"), told from the message's day: in order,
  // apart from each other. A day without a year that was over is also that of the year to come.
  std::vector<DateRange> named_days;
  // Longer stretches that messages name ("next week", "in September"), each once, by their begin.
  std::vector<DateRange> named_stretches;
  std::unordered_set<std::string> words;  // lower case, speakers included, without "'s"
  // Written with a capital letter within a sentence, and the speakers: lower case.
  std::unordered_set<std::string> capitalized;
  std::unordered_set<double> numbers;
  // Minutes from midnight of a 12 hour clock: what is said, and when messages were written.
  std::unordered_set<int> clock_times;

  explicit ChatFacts(const Conversation& conversation);
};

// A word that may be a name.
struct CapitalWord {
  size_t begin = 0, end = 0;  // bytes of the text; a possessive 's is not part of it
  bool first_of_sentence = false;
};
// The words that begin with A to Z. A sentence begins at the start, behind . ! ? : and a space, on
// a new line and with a quotation; not behind a title ("Dr.") or an initial.
std::vector<CapitalWord> capital_words(std::string_view text);

}  // namespace chatmem
