// The expressions of time in an English text and the days they mean: "May 27th", "mid-May", "last
// Friday", "about two and a half months ago", "a few days later". docs/temporal.md has the rules,
// the tolerances and the limits.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "text/date_ranges.h"

namespace chatmem {

enum class TimeKind {
  calendar,  // named by the calendar: "May 27th", "mid-May", "in 2023"
  relative,  // told from as_of: "yesterday", "three weeks ago", "last Tuesday", "this summer"
  anchored,  // told from the expression before it: "a few days later", "the following Monday"
  period     // a stretch that ends at as_of: "over the past few months"
};

struct TimeExpression {
  size_t begin = 0, end = 0;  // bytes of the text
  TimeKind kind = TimeKind::calendar;
  TimeUnit granularity = TimeUnit::day;  // how exactly it is told
  // The days it may mean, vagueness included; absent where the text does not tell ("a few days
  // later" with nothing before it) and for a day that is not in the calendar.
  std::optional<DateRange> when;
  std::optional<DateRange> or_else;  // where there are two readings: "last Tuesday", 5/6/2024
  // A calendar day as it is written; day is 0 for anything else.
  std::optional<int> year;
  int month = 0;  // 0: not written ("on the 23rd")
  int day = 0;    // 1 to 31; not checked against the month
  // Within a quotation: somebody's own words, told from a day that is not known. Without `when`,
  // unless the calendar names it.
  bool quoted = false;

  // Whether the day is among those meant, by either reading.
  bool may_be(Date date) const;
  // From the nearer reading; 0 for a day that may be meant. Without a reading: absent.
  std::optional<int> days_from(Date date) const;
};

struct TimeContext {
  Date as_of{};  // the day the text is told from
  // The first day it can tell of. A day or month without a year is the last one from here to as_of;
  // without one there, or without a first day, the last one up to 92 days after as_of.
  std::optional<Date> since;
};

// In order, without overlap. A range is two expressions ("May 24-26" is "May 24" and "26"); a
// leading "the" and prepositions are not part of one. Durations ("for three weeks"), habits ("every
// Tuesday"), times of day and holidays are none. Time and memory are O(n).
std::vector<TimeExpression> time_expressions(std::string_view text, const TimeContext& context);

}  // namespace chatmem
