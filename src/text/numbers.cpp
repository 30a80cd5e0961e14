#include "text/numbers.h"

#include <array>
#include <charconv>
#include <string>
#include <unordered_map>

#include "base/chars.h"
#include "text/words.h"

namespace chatmem {
namespace {

// "seven" 7, "forty" 40, "hundred" 100; 0 for other words.
double spelled_value(const std::string& lower) {
  static const std::unordered_map<std::string, double> kValues = {
      {"one", 1},      {"two", 2},        {"three", 3},     {"four", 4},       {"five", 5},
      {"six", 6},      {"seven", 7},      {"eight", 8},     {"nine", 9},       {"ten", 10},
      {"eleven", 11},  {"twelve", 12},    {"thirteen", 13}, {"fourteen", 14},  {"fifteen", 15},
      {"sixteen", 16}, {"seventeen", 17}, {"eighteen", 18}, {"nineteen", 19},  {"twenty", 20},
      {"thirty", 30},  {"forty", 40},     {"fifty", 50},    {"sixty", 60},     {"seventy", 70},
      {"eighty", 80},  {"ninety", 90},    {"hundred", 100}, {"thousand", 1e3}, {"million", 1e6}};
  const auto found = kValues.find(lower);
  return found == kValues.end() ? 0 : found->second;
}

class NumberFinder {
 public:
  explicit NumberFinder(std::string_view text) : text_(text) {}

  std::vector<NumberMention> run() {
    for (size_t i = 0; i < text_.size();) {
      if (is_digit(text_[i]))
        i = digits(i);
      else if (is_alphabetic(text_[i]))
        i = word(i);
      else
        i++;
    }
    return std::move(found_);
  }

 private:
  char at(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  size_t word_end(size_t i) const {
    while (is_word_char(at(i))) i++;
    return i;
  }
  size_t digits_end(size_t i) const {
    while (is_digit(at(i))) i++;
    return i;
  }
  std::string lower(size_t begin, size_t end) const {
    return to_lower_ascii(text_.substr(begin, end - begin));
  }

  // "am", "p.m." at i, after at most one space: the hours to add.
  std::optional<int> half_of_day(size_t i, size_t& end) const {
    if (at(i) == ' ') i++;
    const char first = at(i) | 0x20;
    if (first != 'a' && first != 'p') return std::nullopt;
    const bool dotted = at(i + 1) == '.';
    const size_t m = i + (dotted ? 2 : 1);
    if ((at(m) | 0x20) != 'm' || is_word_char(at(m + 1))) return std::nullopt;
    end = m + 1 + (dotted && at(m + 1) == '.' ? 1 : 0);
    return first == 'a' ? 0 : 12;
  }
  bool clock_word(size_t i, size_t& end) const {
    if (lower(i, std::min(i + 8, text_.size())) != " o'clock") return false;
    end = i + 8;
    return true;
  }
  // A time of day that begins with this hour, when the text at i says that it is one.
  bool add_clock(size_t begin, size_t i, double hour, double minute, bool certain) {
    size_t end = i;
    const auto half = half_of_day(i, end);
    if (!half && !clock_word(i, end) && !certain) return false;
    if (hour > 24 || minute > 59 || (half && hour > 12)) return false;
    if (half) hour = int(hour) % 12 + *half;
    found_.push_back({begin, end, hour * 60 + minute, true});
    return true;
  }

  size_t digits(size_t begin) {
    size_t end = digits_end(begin);
    std::string plain(text_.substr(begin, end - begin));
    if (at(end) == ':' && is_digit(at(end + 1)) && is_digit(at(end + 2)) && plain.size() <= 2) {
      const double minute = (at(end + 1) - '0') * 10 + at(end + 2) - '0';
      const bool added = add_clock(begin, digits_end(end + 1), number(plain), minute, true);
      return added ? found_.back().end : digits_end(end + 1);
    }
    if (plain.size() <= 2 && add_clock(begin, end, number(plain), 0, false))
      return found_.back().end;
    // "5,000" and "3.5"
    while (at(end) == ',' && is_digit(at(end + 1)) && digits_end(end + 1) == end + 4) {
      plain += text_.substr(end + 1, 3);
      end += 4;
    }
    if (at(end) == '.' && is_digit(at(end + 1))) {
      const size_t fraction = digits_end(end + 1);
      plain += text_.substr(end, fraction - end);
      end = fraction;
    }
    const size_t last = word_end(end);
    const std::string ending = lower(end, last);  // "k", "rd", "kg"
    found_.push_back({begin, end, number(plain) * (ending == "k" ? 1000 : 1)});
    return last;
  }
  static double number(const std::string& plain) {
    double value = 0;
    std::from_chars(plain.data(), plain.data() + plain.size(), value);
    return value;
  }

  // "twenty-five", "two hundred and ten": the words up to the first that is no number.
  size_t word(size_t begin) {
    const size_t first_end = word_end(begin);
    double total = 0, group = 0;
    size_t end = begin, next = begin, n_words = 0;
    if (lower(begin, first_end) == "a" && at(first_end) == ' ' &&
        spelled_value(lower(first_end + 1, word_end(first_end + 1))) >= 100)
      group = 1, next = first_end + 1;
    double last = 1e9;
    for (;;) {
      const size_t stop = word_end(next);
      const double value = spelled_value(lower(next, stop));
      // "two three" are two numbers, "twenty three" is one.
      if (value == 0 || (value < 100 && !(last >= 100 || (last >= 20 && value < 10)))) break;
      if (value >= 1000)
        total += std::max(group, 1.0) * value, group = 0;
      else
        group = value == 100 ? std::max(group, 1.0) * 100 : group + value;
      last = value, end = stop, n_words++;
      if (at(stop) != ' ' && at(stop) != '-') break;
      next = stop + 1;
      if (value >= 100 && lower(next, word_end(next)) == "and" && at(next + 3) == ' ') next += 4;
    }
    if (n_words == 0) return first_end;
    const double value = total + group;
    if (value <= 12 && add_clock(begin, end, value, 0, false)) return found_.back().end;
    if (value != 1) found_.push_back({begin, end, value});
    return end;
  }

  std::string_view text_;
  std::vector<NumberMention> found_;
};

}  // namespace

std::vector<NumberMention> numbers_in(std::string_view text) { return NumberFinder(text).run(); }

}  // namespace chatmem
