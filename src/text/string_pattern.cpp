#include "text/string_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

using Ranges = std::vector<CodeRange>;

constexpr char32_t kLastCodePoint = 0x10FFFF;
constexpr size_t kMaxPatternBytes = 2'000;
constexpr int kMaxGroups = 32;  // within each other
constexpr int kMaxRepeats = 10'000;

// Sorted, apart, and joined where they touch.
Ranges merged(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const CodeRange& a, const CodeRange& b) { return a.first < b.first; });
  Ranges out;
  for (const CodeRange& range : ranges)
    if (!out.empty() && range.first <= out.back().last + 1)
      out.back().last = std::max(out.back().last, range.last);
    else
      out.push_back(range);
  return out;
}

Ranges complement(const Ranges& ranges) {
  Ranges out;
  char32_t next = 0;
  for (const CodeRange& range : merged(ranges)) {
    if (range.first > next) out.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLastCodePoint) out.push_back({next, kLastCodePoint});
  return out;
}

// A range of one length in UTF-8 whose bytes vary independently is one chain of byte ranges; others
// are split until they are (the construction of Cox's RE2).
void add_utf8(ByteGrammar& grammar, int from, CodeRange range, int to) {
  for (const char32_t end : {U'\x7F', U'\x7FF', U'\xD7FF', U'\xDFFF', U'\xFFFF'})
    if (range.first <= end && range.last > end) {
      add_utf8(grammar, from, {range.first, end}, to);
      return add_utf8(grammar, from, {end + 1, range.last}, to);
    }
  if (range.first >= 0xD800 && range.last <= 0xDFFF) return;  // surrogates are no characters
  for (int bits = 6; bits <= 18; bits += 6) {
    const char32_t low = (char32_t(1) << bits) - 1;
    if (range.last <= 0x7F || (range.first & ~low) == (range.last & ~low)) continue;
    if ((range.first & low) != 0) {
      add_utf8(grammar, from, {range.first, range.first | low}, to);
      return add_utf8(grammar, from, {(range.first | low) + 1, range.last}, to);
    }
    if ((range.last & low) != low) {
      add_utf8(grammar, from, {range.first, (range.last & ~low) - 1}, to);
      return add_utf8(grammar, from, {range.last & ~low, range.last}, to);
    }
  }
  std::string first, last;
  append_utf8(first, range.first);
  append_utf8(last, range.last);
  CHECK(first.size() == last.size());
  for (size_t i = 0; i < first.size(); i++) {
    const int next = i + 1 == first.size() ? to : grammar.add_state();
    grammar.add_bytes(from, uint8_t(first[i]), uint8_t(last[i]), next);
    from = next;
  }
}

std::string escaped(char32_t c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return fmt::format("\\u{:04x}", unsigned(c));
  }
}

const Ranges kDigits = {{'0', '9'}};
const Ranges kWord = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
// ECMA 262's WhiteSpace and LineTerminator.
const Ranges kSpace = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                       {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                       {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
const Ranges kLineEnds = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
const Ranges kAll = {{0, kLastCodePoint}};

std::vector<char32_t> code_points_of(std::string_view text) {
  std::vector<char32_t> points;
  for (size_t i = 0; i < text.size();) {
    const uint8_t lead = uint8_t(text[i]);
    const size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = n == 1 ? lead : lead & (0x7Fu >> n);
    for (size_t k = 1; k < n; k++) point = point << 6 | (uint8_t(text[i + k]) & 0x3F);
    points.push_back(point);
    i += n;
  }
  return points;
}

// Reads an expression and makes its paths at once. A repeated piece is read again for each copy.
class PatternParser {
 public:
  PatternParser(ByteGrammar& grammar, std::string_view pattern, std::string_view where)
      : grammar_(grammar), where_(where) {
    if (pattern.size() > kMaxPatternBytes)
      refuse(fmt::format("must have at most {} bytes", kMaxPatternBytes));
    if (find_invalid_utf8(pattern) != pattern.npos) refuse("must be UTF-8");
    text_ = code_points_of(pattern);
  }

  void whole(int from, int to) {
    do {
      const int begin = grammar_.add_state();
      grammar_.add_empty(from, begin);
      const bool anchored = take('^');
      if (!anchored) any_characters(begin);
      int last = begin;
      const bool is_empty = at_branch_end() || peek() == U'$';
      if (is_empty && !anchored && peek() != U'$' && text_.size() > 0)
        refuse("must not have an empty alternative");
      if (!is_empty) last = sequence(begin);
      const bool ends = take('$');
      if (!at_branch_end()) refuse("must have $ at the end of an alternative alone");
      if (!ends && !(is_empty && !anchored)) {
        const int rest = grammar_.add_state();
        grammar_.add_empty(last, rest);
        any_characters(rest);
        last = rest;
      }
      grammar_.add_empty(last, to);
    } while (take('|'));
    if (at_ < text_.size()) refuse("must not close a group that was not opened");
  }

 private:
  struct Repeats {
    int least, most;
  };
  [[noreturn]] void refuse(std::string_view must) const {
    throw Error(fmt::format("[schema] the pattern at '{}' {}", where_, must));
  }
  std::optional<char32_t> peek() const {
    return at_ < text_.size() ? std::optional(text_[at_]) : std::nullopt;
  }
  bool take(char32_t c) {
    if (peek() != c) return false;
    at_++;
    return true;
  }
  char32_t next() {
    if (at_ == text_.size()) refuse("must not end within a group, a class or an escape");
    return text_[at_++];
  }
  bool at_branch_end() const { return !peek() || peek() == U'|' || peek() == U')'; }
  void any_characters(int state) { add_code_points(grammar_, state, kAll, state); }

  // Each returns the state at the end of what it read.
  int alternatives(int from) {
    const int to = grammar_.add_state();
    do {
      const int begin = grammar_.add_state();
      grammar_.add_empty(from, begin);
      grammar_.add_empty(sequence(begin), to);
    } while (take('|'));
    return to;
  }

  int sequence(int from) {
    if (at_branch_end()) refuse("must not have an empty alternative");
    while (!at_branch_end() && peek() != U'$') from = repeated(from);
    return from;
  }

  int repeated(int from) {
    const size_t begin = at_;
    int first = fresh(from), last = atom(first);
    const size_t atom_end = at_;
    const Repeats repeats = quantifier();
    const size_t end = at_;
    const auto copy = [&] {
      at_ = begin;
      first = fresh(last);
      last = atom(first);
      CHECK(at_ == atom_end);
    };
    const int out = grammar_.add_state();
    if (repeats.least == 0) grammar_.add_empty(first, out);
    for (int i = 1; i < repeats.least; i++) copy();
    if (repeats.most == ByteGrammar::kUnlimited) {
      grammar_.add_empty(last, first);
    } else {
      for (int i = std::max(1, repeats.least); i < repeats.most; i++) {
        grammar_.add_empty(last, out);
        copy();
      }
    }
    if (repeats.most > 0) grammar_.add_empty(last, out);
    at_ = end;
    return out;
  }

  int fresh(int from) {
    const int state = grammar_.add_state();
    grammar_.add_empty(from, state);
    return state;
  }

  Repeats quantifier() {
    Repeats repeats{1, 1};
    if (take('*')) {
      repeats = {0, ByteGrammar::kUnlimited};
    } else if (take('+')) {
      repeats = {1, ByteGrammar::kUnlimited};
    } else if (take('?')) {
      repeats = {0, 1};
    } else if (take('{')) {
      repeats.least = repeats.most = count();
      if (take(',')) repeats.most = peek() == U'}' ? ByteGrammar::kUnlimited : count();
      if (next() != '}' || repeats.most < repeats.least) refuse("must have {m}, {m,} or {m,n}");
    } else {
      return repeats;
    }
    take('?');  // a lazy one matches the same strings
    if (peek() == U'*' || peek() == U'+' || peek() == U'?' || peek() == U'{')
      refuse("must not repeat a repetition");
    return repeats;
  }

  int count() {
    int value = 0;
    size_t digits = 0;
    for (; peek() && *peek() >= '0' && *peek() <= '9'; digits++) {
      value = value * 10 + int(next() - '0');
      if (value > kMaxRepeats) refuse(fmt::format("must repeat at most {} times", kMaxRepeats));
    }
    if (digits == 0) refuse("must have {m}, {m,} or {m,n}");
    return value;
  }

  int atom(int from) {
    const char32_t c = next();
    if (c == '(') return group(from);
    Ranges ranges;
    if (c == '[')
      ranges = char_class();
    else if (c == '.')
      ranges = complement(kLineEnds);
    else if (c == '\\')
      ranges = escape();
    else if (std::u32string_view(U"^*+?{}]").find(c) != std::u32string_view::npos)
      refuse(
          "must have a character, a class or a group before a repetition, ^ at the beginning "
          "alone, and { } ] after a backslash");
    else
      ranges = {{c, c}};
    const int to = grammar_.add_state();
    add_code_points(grammar_, from, ranges, to);
    return to;
  }

  int group(int from) {
    if (++depth_ > kMaxGroups) refuse(fmt::format("must nest at most {} groups", kMaxGroups));
    if (take('?') && !take(':')) refuse("must have no groups (?...) but (?:...)");
    const int to = alternatives(from);
    if (peek() == U'$') refuse("must have $ at the end of the whole alone");
    if (!take(')')) refuse("must close its groups");
    depth_--;
    return to;
  }

  // After the backslash: a set.
  Ranges escape() {
    const char32_t c = next();
    switch (c) {
      case 'd':
        return kDigits;
      case 'w':
        return kWord;
      case 's':
        return kSpace;
      case 'D':
        return complement(kDigits);
      case 'W':
        return complement(kWord);
      case 'S':
        return complement(kSpace);
      case 'n':
        return {{'\n', '\n'}};
      case 'r':
        return {{'\r', '\r'}};
      case 't':
        return {{'\t', '\t'}};
      case 'f':
        return {{'\f', '\f'}};
      case 'v':
        return {{'\v', '\v'}};
      case 'x':
        return hexadecimal(2);
      case 'u':
        return hexadecimal(4);
      default:
        break;
    }
    if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
      refuse(
          "must escape punctuation, or be one of \\d \\w \\s \\D \\W \\S \\n \\r \\t \\f \\v \\x "
          "\\u");
    return {{c, c}};
  }

  Ranges hexadecimal(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; i++) {
      const char32_t c = next();
      const bool is_digit = c >= '0' && c <= '9', is_letter = (c | 32) >= 'a' && (c | 32) <= 'f';
      if (!is_digit && !is_letter) refuse("must have \\xHH and \\uHHHH");
      value = value << 4 | (is_digit ? c - '0' : (c | 32) - 'a' + 10);
    }
    if (value >= 0xD800 && value <= 0xDFFF) refuse("must have characters, not surrogates");
    return {{value, value}};
  }

  // After the bracket.
  Ranges char_class() {
    const bool negated = take('^');
    Ranges ranges;
    while (!take(']')) {
      const Ranges low = class_item();
      const bool is_one = low.size() == 1 && low[0].first == low[0].last;
      if (peek() == U'-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        at_++;
        const Ranges high = class_item();
        if (!is_one || high.size() != 1 || high[0].first != high[0].last ||
            high[0].first < low[0].first)
          refuse("must have ranges from one character to a later one");
        ranges.push_back({low[0].first, high[0].first});
      } else {
        ranges.insert(ranges.end(), low.begin(), low.end());
      }
    }
    if (ranges.empty()) refuse("must not have an empty class");
    return negated ? complement(ranges) : merged(std::move(ranges));
  }

  Ranges class_item() {
    const char32_t c = next();
    if (c != '\\') return {{c, c}};
    return peek() == U'b' ? (at_++, Ranges{{'\b', '\b'}}) : escape();
  }

  ByteGrammar& grammar_;
  std::string_view where_;
  std::vector<char32_t> text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

void add_code_points(ByteGrammar& grammar, int from, std::span<const CodeRange> ranges, int to) {
  const auto is_escaped = [](char32_t c) { return c < 0x20 || c == '"' || c == '\\'; };
  for (const CodeRange& range : ranges) {
    char32_t first = range.first;
    for (char32_t c = first; c <= std::min<char32_t>(range.last, '\\'); c++) {
      if (!is_escaped(c)) continue;
      grammar.add_literal(from, escaped(c), to);
      if (c > first) add_utf8(grammar, from, {first, c - 1}, to);
      first = c + 1;
    }
    if (first <= range.last) add_utf8(grammar, from, {first, range.last}, to);
  }
}

void add_pattern(ByteGrammar& grammar, int from, std::string_view pattern, int to,
                 std::string_view where) {
  PatternParser(grammar, pattern, where).whole(from, to);
}

}  // namespace chatmem
