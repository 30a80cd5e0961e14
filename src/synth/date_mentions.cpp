#include "synth/date_mentions.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_set>

#include "text/words.h"

namespace chatmem {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_digit(c) || is_letter(c) || uint8_t(c) >= 0x80; }

// "twenty-first" as one token, "27th" as number and ending.
struct Token {
  size_t begin = 0, end = 0;
  std::string lower;
  int number = -1;  // of the digits it begins with; -1: none, or more than four
  size_t n_digits = 0;
  bool ordinal = false;  // "27th"
  bool capital = false;
};

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (size_t i = 0; i < text.size();) {
    if (!is_word(text[i])) {
      i++;
      continue;
    }
    Token token;
    token.begin = i;
    const bool number = is_digit(text[i]);
    while (i < text.size() && (is_word(text[i]) || (!number && text[i] == '-' &&
                                                    i + 1 < text.size() && is_letter(text[i + 1]))))
      i++;
    token.end = i;
    const std::string_view word = text.substr(token.begin, token.end - token.begin);
    token.lower = to_lower_ascii(word);
    token.capital = word[0] >= 'A' && word[0] <= 'Z';
    while (token.n_digits < word.size() && is_digit(word[token.n_digits])) token.n_digits++;
    if (token.n_digits >= 1 && token.n_digits <= 4) {
      token.number = 0;
      for (const char c : word.substr(0, token.n_digits))
        token.number = token.number * 10 + c - '0';
    }
    const std::string_view ending = std::string_view(token.lower).substr(token.n_digits);
    token.ordinal = token.n_digits >= 1 && token.n_digits <= 2 &&
                    (ending == "th" || ending == "st" || ending == "nd" || ending == "rd");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// 1 to 12 for a month's name or its usual short form, else 0.
int month_of_word(const std::string& lower) {
  for (int month = 1; month <= 12; month++) {
    const std::string name = to_lower_ascii(month_name(month));
    if (lower == name || (name.size() > 3 && lower == name.substr(0, 3))) return month;
  }
  return lower == "sept" ? 9 : 0;
}

// 1 to 31 for "first" to "thirty-first", else 0.
int spelled_ordinal(const std::string& lower) {
  static constexpr std::array<std::string_view, 20> kOnes = {
      "first",     "second",      "third",      "fourth",     "fifth",
      "sixth",     "seventh",     "eighth",     "ninth",      "tenth",
      "eleventh",  "twelfth",     "thirteenth", "fourteenth", "fifteenth",
      "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"};
  std::string_view rest = lower;
  int tens = 0;
  if (rest.starts_with("twenty-")) tens = 20, rest.remove_prefix(7);
  if (rest.starts_with("thirty-")) tens = 30, rest.remove_prefix(7);
  if (tens == 0 && rest == "thirtieth") return 30;
  const auto found = std::find(kOnes.begin(), kOnes.end(), rest);
  if (found == kOnes.end()) return 0;
  const int value = tens + int(found - kOnes.begin()) + 1;
  return (tens > 0 && value > tens + 9) || value > 31 ? 0 : value;
}

class MentionFinder {
 public:
  explicit MentionFinder(std::string_view text) : text_(text), tokens_(tokens_of(text)) {}

  std::vector<DateMention> run() {
    for (size_t i = 0; i < tokens_.size();) {
      size_t n = numeric(i);
      if (n == 0) n = month_first(i);
      if (n == 0) n = day_first(i);
      if (n == 0) n = day_alone(i);
      i += std::max<size_t>(n, 1);
    }
    return std::move(found_);
  }

 private:
  // The bytes between token i and the next; empty view with no data when there is no next.
  std::string_view gap(size_t i) const {
    if (i + 1 >= tokens_.size()) return {};
    return text_.substr(tokens_[i].end, tokens_[i + 1].begin - tokens_[i].end);
  }
  bool blank(size_t i) const { return gap(i) == " "; }
  bool is(size_t i, std::string_view word) const {
    return i < tokens_.size() && tokens_[i].lower == word;
  }
  bool is_day(size_t i, bool plain) const {
    if (i >= tokens_.size()) return false;
    const Token& token = tokens_[i];
    if (token.n_digits > 2 || token.number < 1 || token.number > 31) return false;
    return token.ordinal || (plain && token.lower.size() == token.n_digits);
  }
  bool is_number(size_t i, size_t min_digits, size_t max_digits) const {
    return i < tokens_.size() && tokens_[i].number >= 0 &&
           tokens_[i].lower.size() == tokens_[i].n_digits && tokens_[i].n_digits >= min_digits &&
           tokens_[i].n_digits <= max_digits;
  }
  // A year after token i, in place: "May 27th, 2024".
  bool is_year_after(size_t i) const {
    return is_number(i + 1, 4, 4) && tokens_[i + 1].number >= 1900 &&
           tokens_[i + 1].number <= 2199 && (gap(i) == ", " || gap(i) == " ");
  }

  void add(size_t first, size_t last, std::optional<int> year, int month, int day) {
    found_.push_back({tokens_[first].begin, tokens_[last].end, year, month, day});
  }
  // With the year where one follows; how many tokens it took.
  size_t add_with_year(size_t first, size_t last, int month, int day) {
    const bool year = is_year_after(last);
    const size_t end = last + (year ? 1 : 0);
    add(first, end, year ? std::optional(tokens_[end].number) : std::nullopt, month, day);
    return end - first + 1;
  }

  // "2024-05-27", "5/27/2024", "27.5.2024".
  size_t numeric(size_t i) {
    if (i + 2 >= tokens_.size() || gap(i) != gap(i + 1)) return 0;
    if (gap(i) != "-" && gap(i) != "/" && gap(i) != ".") return 0;
    const auto number = [&](size_t k) { return tokens_[k].number; };
    // The time may follow without a blank: "2024-05-27T10:00".
    const bool ends = tokens_[i + 2].n_digits <= 2 && tokens_[i + 2].number >= 0;
    if (is_number(i, 4, 4) && is_number(i + 1, 1, 2) && ends) {
      if (number(i + 1) < 1 || number(i + 1) > 12 || number(i + 2) < 1 || number(i + 2) > 31)
        return 0;
      add(i, i + 2, number(i), number(i + 1), number(i + 2));
      return 3;
    }
    if (!is_number(i, 1, 2) || !is_number(i + 1, 1, 2) || !is_number(i + 2, 4, 4)) return 0;
    int month = number(i), day = number(i + 1);
    if (month > 12) std::swap(month, day);
    if (month < 1 || month > 12 || day < 1 || day > 31) return 0;
    add(i, i + 2, number(i + 2), month, day);
    return 3;
  }

  int month_at(size_t i) const {
    return i < tokens_.size() && tokens_[i].capital ? month_of_word(tokens_[i].lower) : 0;
  }

  // "May 27th", "May the 27th", "Jan. 5", "on May third", and what a range adds.
  size_t month_first(size_t i) {
    const int month = month_at(i);
    if (month == 0 || (!blank(i) && gap(i) != ". ")) return 0;
    size_t day = i + 1;
    if (is(day, "the") && blank(day)) day++;
    static const std::unordered_set<std::string> kBefore = {"on", "since", "until", "by"};
    const bool spoken = i > 0 && kBefore.contains(tokens_[i - 1].lower);
    const int spelled = spoken && day < tokens_.size() ? spelled_ordinal(tokens_[day].lower) : 0;
    if (!is_day(day, true) && spelled == 0) return 0;
    size_t taken = add_with_year(i, day, month, spelled ? spelled : tokens_[day].number);
    return taken + range(i + taken - 1, month);
  }

  // "to 7th" and "-7" after a day of this month at token i.
  size_t range(size_t i, int month) {
    if (month_at(i + 2) != 0) return 0;  // "May 3rd and June 4th", "May 3rd - 4 June"
    if ((gap(i) == "-" || gap(i) == "\u2013") && is_day(i + 1, true)) {
      add(i + 1, i + 1, std::nullopt, month, tokens_[i + 1].number);
      return 1;
    }
    const bool joined = is(i + 1, "and") || is(i + 1, "to") || is(i + 1, "through");
    if (!joined || !blank(i) || !blank(i + 1)) return 0;
    const size_t day = i + 2 + (is(i + 2, "the") && blank(i + 2) ? 1 : 0);
    const bool next_month = blank(day) && (is(day + 1, "of") || month_at(day + 1) != 0);
    if (!is_day(day, false) || next_month) return 0;  // "May 3rd to 7th June"
    add(day, day, std::nullopt, month, tokens_[day].number);
    return day - i;
  }

  // "27th of May", "27 May 2024".
  size_t day_first(size_t i) {
    if (!is_day(i, true) || !blank(i)) return 0;
    const size_t month = i + 1 + (is(i + 1, "of") && blank(i + 1) ? 1 : 0);
    if (month_at(month) == 0) return 0;
    return add_with_year(i, month, month_at(month), tokens_[i].number);
  }

  // "on the 23rd", but not "on the 23rd floor".
  size_t day_alone(size_t i) {
    if (i < 2 || !is_day(i, false) || !is(i - 1, "the") || !is(i - 2, "on") || !blank(i - 2) ||
        !blank(i - 1))
      return 0;
    static const std::unordered_set<std::string> kAfter = {
        "and", "but", "at", "when", "you", "he", "she", "they", "with", "about", "to", "as"};
    const bool last = i + 1 >= tokens_.size();
    if (!last && blank(i) && !kAfter.contains(tokens_[i + 1].lower)) return 0;
    if (!last && gap(i) == "-") return 0;
    add(i, i, std::nullopt, 0, tokens_[i].number);
    return 1;
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::vector<DateMention> found_;
};

}  // namespace

bool DateMention::may_be(Date date) const {
  return day == day_of_month(date) && (month == 0 || month == month_of(date)) &&
         (!year || *year == year_of(date));
}

std::vector<DateMention> date_mentions(std::string_view text) { return MentionFinder(text).run(); }

}  // namespace chatmem
