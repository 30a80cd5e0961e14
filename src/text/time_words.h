// How long ago, in words: "yesterday", "about two weeks ago", "over two months ago".
#pragma once
#include <string>

#include "base/date.h"

namespace chatmem {

// The day `when` as spoken of on the day `as_of`. Months and years are those of the calendar: from
// January 15th to March 15th it is two months. With n such units gone by:
//
//   0, 1 day               today, yesterday
//   2 to 6 days            two days ago ... six days ago
//   7, 14, 21 days         a week ago, two weeks ago, three weeks ago
//   up to 3 days more      last week where it is that, by weeks from Sunday and from Monday; else
//                          about a week ago; about two weeks ago, about three weeks ago
//   4 to 6 days more       almost two, three weeks ago; almost a month ago from 25 days on
//   n months to the day    a month ago, two months ago; half a year ago for six
//   up to 10 days more     about n months ago
//   7 days less or fewer   almost n months ago; about half a year ago for six
//   else                   over n months ago
//   n years to the day     a year ago, two years ago
//   up to a month more     about n years ago
//   a month less or fewer  almost n years ago (14 days less or fewer for one year)
//   else                   over n years ago
//
// A day after `as_of` is "tomorrow", "in two days", "next week", "in about two weeks" by the same
// table.
std::string relative_time(Date when, Date as_of);

// 1 to 12 in words, other numbers in digits.
std::string number_word(int number);

}  // namespace chatmem
