#include "metrics/grounding.h"

#include <algorithm>
#include <string>

#include "text/names.h"
#include "text/numbers.h"
#include "text/time_expressions.h"
#include "text/words.h"

namespace chatmem {
namespace {

// Spans in order, asked for places in order.
class Spans {
 public:
  explicit Spans(std::vector<TimeExpression> times) : times_(std::move(times)) {}
  bool cover(size_t begin, size_t end) {
    while (next_ < times_.size() && times_[next_].end <= begin) next_++;
    return next_ < times_.size() && times_[next_].begin < end;
  }

 private:
  std::vector<TimeExpression> times_;
  size_t next_ = 0;
};

bool is_calendar_word(std::string_view lower) {
  for (int month = 1; month <= 12; month++)
    if (lower == to_lower_ascii(month_name(month))) return true;
  for (int day = 0; day < 7; day++) {
    const std::string name = to_lower_ascii(weekday_name(day));
    if (lower == name || lower == name + "s") return true;
  }
  return false;
}

class NameFinder {
 public:
  NameFinder(std::string_view summary, const ChatFacts& chat) : summary_(summary), chat_(chat) {}

  std::vector<CheckedMention> run(Spans times) {
    for (const CapitalWord& word : capital_words(summary_)) {
      const std::string lower = to_lower_ascii(summary_.substr(word.begin, word.end - word.begin));
      if (times.cover(word.begin, word.end) || !is_name(word, lower)) continue;
      const bool found = chat_.words.contains(lower);
      if (!names_.empty() && !word.first_of_sentence && joins(names_.back().end, word.begin)) {
        names_.back().end = word.end;
        names_.back().found &= found;
      } else {
        names_.push_back({word.begin, word.end, found});
      }
    }
    return std::move(names_);
  }

 private:
  bool is_name(const CapitalWord& word, const std::string& lower) const {
    if (lower == "i" || lower.starts_with("i'") || lower == "ok" || is_title(lower) ||
        is_calendar_word(lower))
      return false;
    if (!word.first_of_sentence) return true;
    return chat_.capitalized.contains(lower) ? !is_stopword(lower) : is_given_name(lower);
  }
  bool joins(size_t end, size_t begin) const { return summary_.substr(end, begin - end) == " "; }

  std::string_view summary_;
  const ChatFacts& chat_;
  std::vector<CheckedMention> names_;
};

}  // namespace

Grounding ground(std::string_view summary, const ChatFacts& chat) {
  const std::vector<TimeExpression> times = time_expressions(summary, {.as_of = chat.as_of});
  Grounding grounding;
  grounding.names = NameFinder(summary, chat).run(Spans(times));
  Spans covered(times);
  for (const NumberMention& number : numbers_in(summary)) {
    if (covered.cover(number.begin, number.end)) continue;
    const bool found = number.clock ? chat.clock_times.contains(int(number.value) % 720)
                                    : chat.numbers.contains(number.value);
    grounding.numbers.push_back({number.begin, number.end, found});
  }
  return grounding;
}

}  // namespace chatmem
