#include "synth/deixis.h"

#include <algorithm>
#include <cctype>
#include <span>
#include <unordered_set>
#include <vector>

#include "base/chars.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// A run of letters, digits, inner hyphens and apostrophes, or what stands between two such runs.
struct Piece {
  std::string text, lower;
  std::string ending;  // "'s" of "tomorrow's", not part of lower
  bool word = false;
};

std::vector<Piece> pieces_of(std::string_view text) {
  std::vector<Piece> pieces;
  const auto inner = [&](size_t i) {
    return is_word_char(text[i]) ||
           ((text[i] == '-' || text[i] == '\'') && i > 0 && is_word_char(text[i - 1]) &&
            i + 1 < text.size() && is_word_char(text[i + 1]));
  };
  for (size_t i = 0, end; i < text.size(); i = end) {
    Piece piece;
    piece.word = is_word_char(text[i]);
    end = i + 1;
    while (end < text.size() && (piece.word ? inner(end) : !is_word_char(text[end]))) end++;
    piece.text = text.substr(i, end - i);
    piece.lower = to_lower_ascii(piece.text);
    if (piece.word && piece.lower.size() > 2 && piece.lower.ends_with("'s")) {
      piece.ending = "'s";
      piece.lower.resize(piece.lower.size() - 2);
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

const WordSet& month_words() {
  static const WordSet kWords = {
      "january",   "february", "march",    "april",    "may", "june", "july", "august",
      "september", "october",  "november", "december", "jan", "feb",  "mar",  "apr",
      "aug",       "sept",     "sep",      "oct",      "nov", "dec"};
  return kWords;
}
const WordSet& weekday_words() {
  static const WordSet kWords = {"monday", "tuesday",  "wednesday", "thursday",
                                 "friday", "saturday", "sunday"};
  return kWords;
}

bool is_month(const Piece& piece) {
  return month_words().contains(piece.lower) &&
         std::isupper(static_cast<unsigned char>(piece.text[0]));
}

// What "this", "next" and "last" make a time of.
bool is_unit(const Piece& piece) {
  static const WordSet kUnits = {"morning", "afternoon", "evening", "weekend",  "week",
                                 "month",   "year",      "term",    "semester", "summer",
                                 "spring",  "winter",    "autumn",  "fall",     "night"};
  return kUnits.contains(piece.lower) || weekday_words().contains(piece.lower) || is_month(piece);
}

struct Phrase {
  std::vector<std::string_view> words;
  std::string_view later;
};
// Longer ones first.
const std::vector<Phrase>& phrases() {
  static const std::vector<Phrase> kPhrases = {
      {{"the", "day", "after", "tomorrow"}, "two days later"},
      {{"the", "day", "before", "yesterday"}, "two days before"},
      {{"tomorrow", "morning"}, "the next morning"},
      {{"tomorrow", "afternoon"}, "the next afternoon"},
      {{"tomorrow", "evening"}, "the next evening"},
      {{"tomorrow", "night"}, "the next night"},
      {{"yesterday", "morning"}, "the previous morning"},
      {{"yesterday", "afternoon"}, "the previous afternoon"},
      {{"yesterday", "evening"}, "the previous evening"},
      {{"last", "night"}, "the night before"},
      {{"these", "days"}, "at the time"},
      {{"right", "now"}, "at that moment"},
      {{"from", "now", "on"}, "from then on"},
      {{"from", "now"}, "from then"},
      {{"tomorrow"}, "the next day"},
      {{"yesterday"}, "the day before"},
      {{"tonight"}, "that evening"},
      {{"today"}, "that day"},
      {{"nowadays"}, "at the time"}};
  return kPhrases;
}

class Shift {
 public:
  explicit Shift(std::string_view text) : pieces_(pieces_of(text)) {}

  std::string run() {
    for (at_ = 0; at_ < pieces_.size();)
      if (!shift_phrase() && !shift_unit() && !shift_ago() && !shift_now() && !shift_here())
        out_ += pieces_[at_++].text;
    return std::move(out_);
  }

 private:
  // The n-th word from here with nothing but a blank between, or null.
  const Piece* word(size_t n) const {
    const size_t i = at_ + 2 * n;
    if (i >= pieces_.size() || !pieces_[i].word) return nullptr;
    for (size_t gap = at_ + 1; gap < i; gap += 2)
      if (pieces_[gap].text != " ") return nullptr;
    return &pieces_[i];
  }
  const Piece* previous() const {
    return at_ >= 2 && pieces_[at_ - 1].text == " " ? &pieces_[at_ - 2] : nullptr;
  }

  void write(std::string later, size_t n_words) {
    const Piece* last = word(n_words - 1);
    if (previous() && previous()->lower == "that" && later.starts_with("that "))
      later.replace(0, 4, "the same");  // "says that that day"
    if (std::isupper(static_cast<unsigned char>(pieces_[at_].text[0])) && at_ == 0)
      later[0] = char(std::toupper(static_cast<unsigned char>(later[0])));
    out_ += later + last->ending;
    at_ += 2 * n_words - 1;
  }

  bool shift_phrase() {
    for (const Phrase& phrase : phrases()) {
      size_t n = 0;
      while (n < phrase.words.size() && word(n) && word(n)->lower == phrase.words[n]) n++;
      if (n < phrase.words.size()) continue;
      write(std::string(phrase.later), n);
      return true;
    }
    return false;
  }

  // "this weekend", "next Friday", "this coming week".
  bool shift_unit() {
    const std::string& first = pieces_[at_].lower;
    if (first != "this" && first != "next" && first != "last") return false;
    // "the next week" is told from another day already.
    static const WordSet kTold = {"the", "that", "his", "her", "their", "your", "very"};
    if (first != "this" && previous() && kTold.contains(previous()->lower)) return false;
    const Piece* second = word(1);
    if (!second) return false;
    const bool coming = first == "this" && second->lower == "coming";
    const bool past = first == "this" && second->lower == "past";
    const size_t unit = coming || past ? 2 : 1;
    if (!word(unit) || !is_unit(*word(unit))) return false;
    std::string later = coming || first == "next" ? "the following "
                        : past || first == "last" ? "the previous "
                                                  : "that ";
    // The ending is written with the last word.
    const Piece& last = *word(unit);
    later += last.text.substr(0, last.text.size() - last.ending.size());
    write(std::move(later), unit + 1);
    return true;
  }

  bool shift_ago() {
    if (pieces_[at_].lower != "ago" || (previous() && previous()->lower == "long")) return false;
    write("before", 1);
    return true;
  }

  // "is busy now but", not "now finds".
  bool shift_now() {
    static const WordSet kAfter = {"but", "and", "because", "so", "or"};
    if (pieces_[at_].lower != "now" || at_ == 0) return false;
    if (previous() &&
        (previous()->lower == "until" || previous()->lower == "by" || previous()->lower == "till"))
      return write("then", 1), true;
    const Piece* next = word(1);
    if (next && !kAfter.contains(next->lower)) return false;
    write("at the time", 1);
    return true;
  }

  // "lives here": there, from another day's place.
  bool shift_here() {
    static const WordSet kShown = {"is", "are", "comes", "you", "we"};
    if (pieces_[at_].lower != "here" || at_ == 0) return false;
    if (const Piece* next = word(1); next && kShown.contains(next->lower)) return false;
    write("there", 1);
    return true;
  }

  std::vector<Piece> pieces_;
  size_t at_ = 0;
  std::string out_;
};

// "7th", "21st"; plain "7" only when allowed.
bool is_day_in_digits(const std::string& word, bool plain) {
  size_t digits = 0;
  int value = 0;
  while (digits < word.size() && digits < 3 && is_digit(word[digits]))
    value = value * 10 + (word[digits++] - '0');
  if (digits == 0 || value < 1 || value > 31) return false;
  const std::string_view ending = std::string_view(word).substr(digits);
  return ending == "th" || ending == "st" || ending == "nd" || ending == "rd" ||
         (plain && ending.empty());
}

bool is_spelled_ordinal(const std::string& word) {
  static const WordSet kOrdinals = {
      "first",        "second",         "third",         "fourth",        "fifth",
      "sixth",        "seventh",        "eighth",        "ninth",         "tenth",
      "eleventh",     "twelfth",        "thirteenth",    "fourteenth",    "fifteenth",
      "sixteenth",    "seventeenth",    "eighteenth",    "nineteenth",    "twentieth",
      "twenty-first", "twenty-second",  "twenty-third",  "twenty-fourth", "twenty-fifth",
      "twenty-sixth", "twenty-seventh", "twenty-eighth", "twenty-ninth",  "thirtieth",
      "thirty-first", "twenty",         "thirty"};
  return kOrdinals.contains(word);
}

// "12/5/2004", "2004-05-12".
bool has_numeric_date(std::string_view text) {
  for (size_t i = 0; i < text.size(); i++) {
    if (!is_digit(text[i]) || (i > 0 && is_digit(text[i - 1]))) continue;
    size_t at = i;
    int groups = 0;
    char separator = 0;
    bool short_groups = true;
    for (;;) {
      const size_t begin = at;
      while (at < text.size() && is_digit(text[at])) at++;
      const size_t length = at - begin;
      if (length == 0) break;
      short_groups &= length <= 2 || length == 4;
      groups++;
      if (at >= text.size() || (text[at] != '/' && text[at] != '-')) break;
      if (separator && text[at] != separator) break;
      separator = text[at++];
    }
    if (groups == 3 && short_groups) return true;
  }
  return false;
}

// The words alone, and whether punctuation follows each.
struct Word {
  const Piece* piece;
  bool stops;
};

// "on the 15th." and "on the 15th at noon", not "on the 15th floor".
bool stands_alone(std::span<const Word> words, size_t i) {
  static const WordSet kAfter = {"of", "and", "at",   "in",      "to", "for",   "with", "because",
                                 "so", "but", "on",   "or",      "if", "until", "from", "when",
                                 "by", "as",  "that", "through", "is", "was"};
  return words[i].stops || i + 1 == words.size() || kAfter.contains(words[i + 1].piece->lower);
}

bool is_day_of_month(std::span<const Word> words, size_t i) {
  const auto lower = [&](size_t k) -> const std::string& { return words[k].piece->lower; };
  const bool digits = is_day_in_digits(lower(i), false);
  if (!digits && !is_spelled_ordinal(lower(i))) return false;
  if (i >= 1 && weekday_words().contains(lower(i - 1))) return digits;
  if (i < 2 || lower(i - 1) != "the") return false;
  if (weekday_words().contains(lower(i - 2))) return true;
  static const WordSet kBefore = {"on", "until", "by", "before", "after", "from", "to", "till"};
  return stands_alone(words, i) && kBefore.contains(lower(i - 2)) &&
         (digits || (lower(i) != "first" && lower(i) != "second" && lower(i - 2) == "on"));
}

}  // namespace

std::string shift_time_words(std::string_view text) { return Shift(text).run(); }

bool has_time_word_of_now(std::string_view text) { return Shift(text).run() != text; }

bool names_calendar_date(std::string_view text) {
  if (has_numeric_date(text)) return true;
  const std::vector<Piece> pieces = pieces_of(text);
  std::vector<Word> words;
  for (size_t i = 0; i < pieces.size(); i++)
    if (pieces[i].word)
      words.push_back({&pieces[i], i + 1 < pieces.size() && pieces[i + 1].text != " "});
  const auto day = [&](size_t i) {
    return i < words.size() && (is_day_in_digits(words[i].piece->lower, true) ||
                                is_spelled_ordinal(words[i].piece->lower));
  };
  const auto is = [&](size_t i, std::string_view word) {
    return i < words.size() && words[i].piece->lower == word;
  };
  for (size_t i = 0; i < words.size(); i++) {
    if (is_day_of_month(words, i)) return true;
    if (!is_month(*words[i].piece)) continue;
    if (day(i + 1) || (is(i + 1, "the") && day(i + 2))) return true;
    if (i >= 1 && day(i - 1)) return true;
    if (i >= 2 && is(i - 1, "of") && day(i - 2)) return true;
  }
  return false;
}

}  // namespace chatmem
