// The texts of JSON numbers as paths of a ByteGrammar.
#pragma once
#include <cstdint>

#include "text/byte_grammar.h"

namespace chatmem {

constexpr int64_t kMaxInteger = 999'999'999'999'999;  // 15 digits: exact as a double

// Paths over the integers from low to high; |low|, |high| <= kMaxInteger. Never "-0".
void add_integers(ByteGrammar& grammar, int from, int64_t low, int64_t high, int to);

// Paths over the numbers from low to high: of at most 15 digits behind the point, no exponent.
void add_numbers(ByteGrammar& grammar, int from, int64_t low, int64_t high, int to);

// Paths over numbers of at most 15 digits before and behind the point and 2 in the exponent.
void add_any_number(ByteGrammar& grammar, int from, int to);

}  // namespace chatmem
