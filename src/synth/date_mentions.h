// The days of the calendar that a text names: "May 27th", "2024-05-27", "the 3rd of June, 2024".
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "base/date.h"

namespace chatmem {

struct DateMention {
  size_t begin = 0, end = 0;  // bytes of the text
  std::optional<int> year;    // where it is written
  int month = 0;              // 0: not written ("on the 23rd")
  int day = 0;                // 1 to 31; not checked against the month

  // Whether this day can be meant.
  bool may_be(Date date) const;
};

// The calendar days among time_expressions(): "May 27", "May 27th, 2024", "May 3rd to 7th" (two
// days), "27 May", "the 27th of May", "on May third", "2024-05-27", "5/27/2024" (the month first
// unless it is over 12), "on the 23rd". A month alone is none, nor is "may 5" with a small letter.
std::vector<DateMention> date_mentions(std::string_view text);

}  // namespace chatmem
