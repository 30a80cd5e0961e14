// The vocabulary of time.
#include "text/time_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>

#include "base/chars.h"
#include "base/date.h"
#include "text/date_ranges.h"
#include "text/time_words.h"
#include "text/words.h"

namespace chatmem {
namespace {

struct Entry {
  TimeWord kind = TimeWord::none;
  int value = 0;
  bool plural = false;
};
using Vocabulary = std::unordered_map<std::string, Entry>;

constexpr std::array<std::string_view, 20> kOrdinals = {
    "first",     "second",    "third",       "fourth",     "fifth",      "sixth",      "seventh",
    "eighth",    "ninth",     "tenth",       "eleventh",   "twelfth",    "thirteenth", "fourteenth",
    "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"};

void add_all(Vocabulary& words, TimeWord kind, std::initializer_list<const char*> list) {
  for (const char* word : list) words[word] = {kind};
}

void add_calendar(Vocabulary& words) {
  for (int month = 1; month <= 12; month++) {
    const std::string name = to_lower_ascii(month_name(month));
    words[name] = words[name.substr(0, 3)] = {TimeWord::month, month};
  }
  words["sept"] = {TimeWord::month, 9};
  for (int day = 0; day < 7; day++)
    words[to_lower_ascii(weekday_name(day))] = {TimeWord::weekday, day};
  words["winter"] = {TimeWord::season, 0}, words["spring"] = {TimeWord::season, 1};
  words["summer"] = {TimeWord::season, 2};
  words["autumn"] = words["fall"] = {TimeWord::season, 3};
}

void add_units(Vocabulary& words) {
  const auto add = [&](const std::string& name, TimeUnit unit) {
    words[name] = {TimeWord::unit, int(unit)};
    words[name + "s"] = {TimeWord::unit, int(unit), true};
  };
  add("day", TimeUnit::day);
  add("week", TimeUnit::week);
  add("month", TimeUnit::month);
  add("year", TimeUnit::year);
  words["fortnight"] = {TimeWord::unit, int(TimeUnit::week)};
  words["fortnights"] = {TimeWord::unit, int(TimeUnit::week), true};
  words["weekend"] = {TimeWord::weekend};
  add_all(words, TimeWord::day_part, {"morning", "afternoon", "evening", "night"});
  words["today"] = words["tonight"] = {TimeWord::day_name, 0};
  words["yesterday"] = {TimeWord::day_name, -1};
  words["tomorrow"] = {TimeWord::day_name, 1};
}

void add_counts(Vocabulary& words) {
  for (int n = 1; n <= 12; n++) words[number_word(n)] = {TimeWord::count, n};
  words["a"] = words["an"] = {TimeWord::count, 1};
  for (int n = 1; n <= 20; n++)
    words[std::string(kOrdinals[size_t(n - 1)])] = {TimeWord::ordinal, n};
  for (int n = 1; n <= 9; n++)
    words[fmt::format("twenty-{}", kOrdinals[size_t(n - 1)])] = {TimeWord::ordinal, 20 + n};
  words["thirtieth"] = {TimeWord::ordinal, 30};
  words["thirty-first"] = {TimeWord::ordinal, 31};
}

const Vocabulary& vocabulary() {
  static const Vocabulary kWords = [] {
    Vocabulary words;
    add_calendar(words);
    add_units(words);
    add_counts(words);
    add_all(words, TimeWord::vague, {"couple", "few", "several", "some", "dozen"});
    add_all(words, TimeWord::half, {"half"});
    add_all(words, TimeWord::modifier,
            {"this", "last", "next", "past", "coming", "following", "previous", "same", "that"});
    add_all(words, TimeWord::part,
            {"early", "earlier", "mid", "middle", "late", "later", "beginning", "start", "end"});
    add_all(words, TimeWord::hedge,
            {"about", "around", "roughly", "approximately", "over", "more", "almost", "nearly",
             "under", "less"});
    return words;
  }();
  return kWords;
}

// How many bytes at i separate words; 0 for those of a word.
size_t separator(std::string_view text, size_t i) {
  const uint8_t c = uint8_t(text[i]);
  if (c < 0x80) return is_digit(text[i]) || is_letter(text[i]) ? 0 : 1;
  const std::string_view rest = text.substr(i);
  if (rest.starts_with("\xE2\x80")) return std::min<size_t>(3, rest.size());
  return rest.starts_with("\xC2\xA0") ? 2 : 0;  // the space that does not break
}

void read_digits(std::string_view word, TimeToken& token) {
  while (token.n_digits < word.size() && is_digit(word[token.n_digits])) token.n_digits++;
  if (token.n_digits == 0 || token.n_digits > 4) return;
  token.number = 0;
  for (const char c : word.substr(0, token.n_digits)) token.number = token.number * 10 + c - '0';
  const std::string_view ending = std::string_view(token.lower).substr(token.n_digits);
  token.ordinal =
      token.n_digits <= 2 && (ending == "th" || ending == "st" || ending == "nd" || ending == "rd");
}

void look_up(TimeToken& token, std::string_view word) {
  for (const std::string_view prefix : {"early-", "mid-", "late-"})
    if (token.lower.starts_with(prefix)) {
      token.prefix = prefix[0];
      token.lower.erase(0, prefix.size());
      word.remove_prefix(prefix.size());
    }
  token.capital = !word.empty() && word[0] >= 'A' && word[0] <= 'Z';
  const auto entry = vocabulary().find(token.lower);
  if (entry == vocabulary().end()) return;
  token.kind = entry->second.kind;
  token.value = entry->second.value;
  token.plural = entry->second.plural;
  // "may", "march", "sun": the names of the calendar have a capital letter.
  if ((token.kind == TimeWord::month || token.kind == TimeWord::weekday) && !token.capital)
    token.kind = TimeWord::none;
}

}  // namespace

TimeText::TimeText(std::string_view text) : text_(text) {
  for (size_t i = 0; i < text.size();) {
    if (const size_t n = separator(text, i); n > 0) {
      i += n;
      continue;
    }
    TimeToken token;
    token.begin = i;
    const bool number = is_digit(text[i]);
    while (i < text.size() &&
           (separator(text, i) == 0 ||
            (!number && text[i] == '-' && i + 1 < text.size() && is_letter(text[i + 1]))))
      i++;
    token.end = i;
    const std::string_view word = text.substr(token.begin, token.end - token.begin);
    token.lower = to_lower_ascii(word);
    read_digits(word, token);
    look_up(token, word);
    tokens_.push_back(std::move(token));
  }
}

const TimeToken& TimeText::at(size_t i) const {
  static const TimeToken kNone;
  return i < tokens_.size() ? tokens_[i] : kNone;
}

bool TimeText::is_any(size_t i, std::initializer_list<std::string_view> words) const {
  return std::find(words.begin(), words.end(), at(i).lower) != words.end();
}

bool TimeText::after_any(size_t i, std::initializer_list<std::string_view> words) const {
  return joined(i) && is_any(i - 1, words);
}

std::string_view TimeText::gap(size_t i) const {
  if (i + 1 >= tokens_.size()) return {};
  return text_.substr(tokens_[i].end, tokens_[i + 1].begin - tokens_[i].end);
}

bool TimeText::blank(size_t i) const {
  const std::string_view between = gap(i);
  if (between == "\xC2\xA0") return true;
  return !between.empty() && between.size() <= 4 && between != "\n\n" &&
         between.find_first_not_of(" \t\r\n") == between.npos;
}

}  // namespace chatmem
