// Counted units of time: "two weeks", "a couple of months", "two and a half years", and what hedges
// such as "about" and "over" make of them.
#pragma once
#include <optional>

#include "text/date_ranges.h"
#include "text/time_tokens.h"

namespace chatmem {

// From low to high units. A couple is 2 or 3, a few (and "weeks" alone) 2 to 5, several 3 to 7.
struct Amount {
  double low = 1, high = 1;
  TimeUnit unit = TimeUnit::day;
  size_t next = 0;  // the token behind it
};

// "two", "a couple of", "two or three", "2-3", "half a", "two and a half": without a unit.
std::optional<Amount> count_at(const TimeText& text, size_t i);
// With its unit; "weeks" alone is a few.
std::optional<Amount> amount_at(const TimeText& text, size_t i);

enum class Hedge { none, about, over, under };
// The hedge at token i, and the token behind it: i itself when there is none.
Hedge hedge_at(const TimeText& text, size_t i, size_t& next);

// The days so many units after the range (sign 1) or before it (sign -1), never on its other side.
// Half a unit either way (half_of) is tolerance, two days for "about ten days". "Over two months"
// is two to three, "almost two months" one and a half to two, without tolerance.
DateRange stepped(const DateRange& from, const Amount& amount, Hedge hedge, int sign);

}  // namespace chatmem
