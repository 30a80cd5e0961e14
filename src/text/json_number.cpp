#include "text/json_number.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr int kMaxDigits = 15;

// Paths over least to most digits, each from 0 to `last`.
void add_digits(ByteGrammar& grammar, int from, int least, int most, int to, char last = '9') {
  for (int n = 0;; n++) {
    if (n >= least) grammar.add_empty(from, to);
    if (n == most) break;
    const int next = grammar.add_state();
    grammar.add_bytes(from, '0', last, next);
    from = next;
  }
}

// Paths over the numbers between two that have the same number of digits. Behind the digits that
// they share, those that stay on the lower or upper bound go on by the bound's next digit; all
// others are free.
void add_same_length(ByteGrammar& grammar, int from, const std::string& low,
                     const std::string& high, int to) {
  const size_t n = low.size();
  std::vector<int> free(n + 1, -1);  // before this many digits of any kind
  free[0] = to;
  const auto before = [&](size_t digits) {
    for (size_t k = 1; k <= digits; k++)
      if (free[k] < 0) {
        free[k] = grammar.add_state();
        grammar.add_bytes(free[k], '0', '9', free[k - 1]);
      }
    return free[digits];
  };
  const auto digit = [&](int at, char first, char last, int next) {
    if (first <= last) grammar.add_bytes(at, first, last, next);
  };
  size_t i = 0;
  for (; i < n && low[i] == high[i]; i++) {
    const int next = i + 1 == n ? to : grammar.add_state();
    digit(from, low[i], low[i], next);
    from = next;
  }
  if (i == n) return;
  digit(from, char(low[i] + 1), char(high[i] - 1), before(n - i - 1));
  int on_low = i + 1 == n ? to : grammar.add_state();
  int on_high = i + 1 == n ? to : grammar.add_state();
  digit(from, low[i], low[i], on_low);
  digit(from, high[i], high[i], on_high);
  for (i++; i < n; i++) {
    const bool last = i + 1 == n;
    const int next_low = last ? to : grammar.add_state();
    const int next_high = last ? to : grammar.add_state();
    digit(on_low, low[i], low[i], next_low);
    digit(on_low, char(low[i] + 1), '9', before(n - i - 1));
    digit(on_high, high[i], high[i], next_high);
    digit(on_high, '0', char(high[i] - 1), before(n - i - 1));
    on_low = next_low, on_high = next_high;
  }
}

// Paths over the naturals from low to high, none where low > high.
void add_naturals(ByteGrammar& grammar, int from, int64_t low, int64_t high, int to) {
  CHECK(low >= 0 && high <= kMaxInteger);
  for (int64_t first = 0, last = 9; first <= high; first = last + 1, last = last * 10 + 9)
    if (const int64_t a = std::max(first, low), b = std::min(last, high); a <= b)
      add_same_length(grammar, from, std::to_string(a), std::to_string(b), to);
}

int fresh_after(ByteGrammar& grammar, int from, char byte) {
  const int to = grammar.add_state();
  grammar.add_bytes(from, byte, byte, to);
  return to;
}

}  // namespace

void add_integers(ByteGrammar& grammar, int from, int64_t low, int64_t high, int to) {
  add_naturals(grammar, from, std::max<int64_t>(low, 0), high, to);
  if (low < 0)
    add_naturals(grammar, fresh_after(grammar, from, '-'), std::max<int64_t>(-high, 1), -low, to);
}

void add_numbers(ByteGrammar& grammar, int from, int64_t low, int64_t high, int to) {
  // Magnitudes: below the last one with any fraction, the last one with zeros alone.
  const auto magnitudes = [&](int begin, int64_t least, int64_t most) {
    const int whole = grammar.add_state(), end = grammar.add_state();
    if (least < most) add_naturals(grammar, begin, least, most - 1, whole);
    grammar.add_empty(whole, to);
    add_digits(grammar, fresh_after(grammar, whole, '.'), 1, kMaxDigits, to);
    add_naturals(grammar, begin, most, most, end);
    grammar.add_empty(end, to);
    add_digits(grammar, fresh_after(grammar, end, '.'), 1, kMaxDigits, to, '0');
  };
  if (high >= 0) magnitudes(from, std::max<int64_t>(low, 0), high);
  if (low < 0) magnitudes(fresh_after(grammar, from, '-'), std::max<int64_t>(-high, 0), -low);
}

void add_any_number(ByteGrammar& grammar, int from, int to) {
  const int unsigned_begin = fresh_after(grammar, from, '-'), whole = grammar.add_state();
  grammar.add_empty(from, unsigned_begin);
  add_naturals(grammar, unsigned_begin, 0, kMaxInteger, whole);
  const int mantissa = grammar.add_state();
  grammar.add_empty(whole, mantissa);
  add_digits(grammar, fresh_after(grammar, whole, '.'), 1, kMaxDigits, mantissa);
  grammar.add_empty(mantissa, to);
  const int exponent = grammar.add_state(), magnitude = grammar.add_state();
  for (const char e : {'E', 'e'}) grammar.add_bytes(mantissa, e, e, exponent);
  for (const char sign : {'+', '-'}) grammar.add_bytes(exponent, sign, sign, magnitude);
  grammar.add_empty(exponent, magnitude);
  add_digits(grammar, magnitude, 1, 2, to);
}

}  // namespace chatmem
