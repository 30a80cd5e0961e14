#include "metrics/chat_facts.h"

#include <algorithm>

#include "base/chars.h"
#include "text/names.h"
#include "text/numbers.h"
#include "text/time_expressions.h"
#include "text/words.h"

namespace chatmem {
namespace {

using std::chrono::days;

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// Whether the text at i begins with an apostrophe, of ASCII or U+2019; how many bytes it takes.
size_t apostrophe(std::string_view text, size_t i) {
  if (i >= text.size()) return 0;
  if (text[i] == '\'') return 1;
  return text.substr(i).starts_with("\xE2\x80\x99") ? 3 : 0;
}

// Letters beyond ASCII belong to words, its punctuation (U+2000 to U+203F) does not.
size_t word_bytes(std::string_view text, size_t i) {
  if (is_letter(text[i]) || is_digit(text[i])) return 1;
  if (uint8_t(text[i]) < 0x80) return 0;
  return text.substr(i).starts_with("\xE2\x80") ? 0 : 1;
}

// The end of the word at i, with inner apostrophes ("don't", "O'Brien") but not a final "'s".
size_t word_end(std::string_view text, size_t i) {
  while (i < text.size()) {
    if (const size_t n = word_bytes(text, i); n > 0) {
      i += n;
      continue;
    }
    const size_t mark = apostrophe(text, i);
    if (mark == 0 || i + mark >= text.size() || word_bytes(text, i + mark) == 0) break;
    const bool possessive =
        text[i + mark] == 's' && (i + mark + 1 >= text.size() || !word_bytes(text, i + mark + 1));
    if (possessive) break;
    i += mark;
  }
  return i;
}

template <typename Visit>
void for_each_word(std::string_view text, const Visit& visit) {
  for (size_t i = 0; i < text.size();) {
    if (word_bytes(text, i) == 0) {
      i++;
      continue;
    }
    const size_t end = word_end(text, i);
    visit(i, end);
    const size_t mark = apostrophe(text, end);
    i = end + (mark > 0 && text.substr(end + mark).starts_with('s') ? mark + 1 : 0);
  }
}

// Whether the marks between two words end a sentence, or a quotation begins.
bool ends_sentence(std::string_view gap, std::string_view word_before) {
  if (gap.find_first_of("\n\"") != gap.npos || gap.find("\u201C") != gap.npos) return true;
  const size_t mark = gap.find_first_of(".!?:");
  if (mark == gap.npos || gap.find(' ', mark) == gap.npos) return false;
  const bool shortened = word_before.size() == 1 || is_title(word_before);
  return gap[mark] != '.' || !shortened;
}

// What the words may mean to those who write on this day. Plans are of the year to come, also where
// a summary would mean the year before.
std::vector<DateRange> readings(const TimeExpression& expression, std::string_view text, Date day) {
  std::vector<DateRange> found;
  for (const auto& range : {expression.when, expression.or_else})
    if (range) found.push_back(*range);
  const std::string_view words = text.substr(expression.begin, expression.end - expression.begin);
  const bool has_year = expression.year || words.find("20") != words.npos;
  if (!found.empty() && expression.kind == TimeKind::calendar && !has_year &&
      found.front().latest < day)
    found.push_back({moved(found.front().earliest, 1, TimeUnit::year),
                     moved(found.front().latest, 1, TimeUnit::year)});
  return found;
}

void add_message(const Message& message, const Date fallback, ChatFacts& facts,
                 std::vector<DateRange>& named) {
  const Date day = message.date().value_or(fallback);
  const std::string_view text = message.text();
  for_each_word(message.content, [&](size_t begin, size_t end) {
    facts.words.insert(
        to_lower_ascii(std::string_view(message.content).substr(begin, end - begin)));
  });
  for (const CapitalWord& word : capital_words(text))
    if (!word.first_of_sentence)
      facts.capitalized.insert(to_lower_ascii(text.substr(word.begin, word.end - word.begin)));
  for (const CapitalWord& word : capital_words(message.speaker()))
    facts.capitalized.insert(
        to_lower_ascii(message.speaker().substr(word.begin, word.end - word.begin)));
  for (const NumberMention& number : numbers_in(text)) {
    if (number.clock)
      facts.clock_times.insert(int(number.value) % 720);
    else
      facts.numbers.insert(number.value);
  }
  if (const auto time = message.time())
    facts.clock_times.insert(int((*time - Minute(date_of(*time))).count()) % 720);
  for (const TimeExpression& expression : time_expressions(text, {.as_of = day}))
    for (const auto& range : readings(expression, text, day))
      (expression.granularity == TimeUnit::day ? named : facts.named_stretches).push_back(range);
}

// In order, with those that overlap or touch made one.
std::vector<DateRange> merged(std::vector<DateRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const DateRange& a, const DateRange& b) { return a.earliest < b.earliest; });
  std::vector<DateRange> apart;
  for (const DateRange& range : ranges) {
    if (!apart.empty() && range.earliest <= apart.back().latest + days(1))
      apart.back().latest = std::max(apart.back().latest, range.latest);
    else
      apart.push_back(range);
  }
  return apart;
}

}  // namespace

ChatFacts::ChatFacts(const Conversation& conversation) : days(conversation.days()) {
  const std::optional<Date> end = parse_date(conversation.end_date);
  as_of_assumed = !conversation.as_of;
  as_of = conversation.as_of ? *conversation.as_of
          : end              ? *end
          : days.empty()     ? Date{}
                             : days.back();
  std::vector<DateRange> named;
  for (const Message& message : conversation.messages) add_message(message, as_of, *this, named);
  named_days = merged(std::move(named));
  const auto order = [](const DateRange& a, const DateRange& b) {
    return std::pair(a.earliest, a.latest) < std::pair(b.earliest, b.latest);
  };
  std::sort(named_stretches.begin(), named_stretches.end(), order);
  named_stretches.erase(std::unique(named_stretches.begin(), named_stretches.end()),
                        named_stretches.end());
}

std::vector<CapitalWord> capital_words(std::string_view text) {
  std::vector<CapitalWord> words;
  size_t last_begin = 0, last_end = 0;
  for_each_word(text, [&](size_t begin, size_t end) {
    const bool first =
        last_end == 0 || ends_sentence(text.substr(last_end, begin - last_end),
                                       text.substr(last_begin, last_end - last_begin));
    if (is_capital(text[begin])) words.push_back({begin, end, first});
    last_begin = begin, last_end = end;
  });
  return words;
}

}  // namespace chatmem
