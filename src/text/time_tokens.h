// The words of a text as the finder of time expressions reads them.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

enum class TimeWord {
  none,
  month,     // 1 to 12
  weekday,   // 0 is Sunday
  season,    // 0 is winter
  unit,      // a TimeUnit
  weekend,   //
  day_part,  // morning, afternoon, evening, night
  day_name,  // today 0, yesterday -1, tomorrow 1
  count,     // "a" 1, "two" 2
  vague,     // couple, few, several, some, dozen
  half,
  ordinal,   // "first" to "thirty-first"
  modifier,  // this, last, next, following, ...
  part,      // early, beginning, late, end, ...
  hedge      // about, over, almost, ...
};

struct TimeToken {
  size_t begin = 0, end = 0;  // bytes of the text
  std::string lower;          // "mid-May" without its "mid-"
  TimeWord kind = TimeWord::none;
  int value = 0;        // of the kind
  bool plural = false;  // of a unit
  bool capital = false;
  char prefix = 0;  // of "early-May", "mid-May", "late-May": their first letter
  // Digits at the beginning: "27th", "2024".
  int number = -1;  // -1: none, or more than four
  size_t n_digits = 0;
  bool ordinal = false;  // "27th"

  bool digits_alone() const { return number >= 0 && lower.size() == n_digits; }
};

// A text as tokens, and questions about the words around a place. Places beyond the end hold an
// empty token.
class TimeText {
 public:
  // Tokens are runs of letters, digits and hyphens between letters. Punctuation beyond ASCII
  // (U+2000 to U+203F) separates as that of ASCII does.
  explicit TimeText(std::string_view text);

  size_t size() const { return tokens_.size(); }
  const TimeToken& at(size_t i) const;
  TimeWord kind(size_t i) const { return at(i).kind; }
  bool is(size_t i, std::string_view word) const { return at(i).lower == word; }
  bool is_any(size_t i, std::initializer_list<std::string_view> words) const;
  // The word before i is one of these.
  bool after_any(size_t i, std::initializer_list<std::string_view> words) const;
  // The bytes between token i and the next; empty behind the last one.
  std::string_view gap(size_t i) const;
  // Only spaces or one line end are between token i and the next.
  bool blank(size_t i) const;
  bool is_hyphen(size_t i) const { return gap(i) == "-" || gap(i) == "\u2013"; }
  // Token i is there, and only spaces are before it.
  bool joined(size_t i) const { return i > 0 && i < size() && blank(i - 1); }

 private:
  std::string_view text_;
  std::vector<TimeToken> tokens_;
};

}  // namespace chatmem
