// Ranges of days: units of the calendar, their early and late parts, and steps of so many units.
#pragma once
#include <optional>

#include "base/date.h"

namespace chatmem {

enum class TimeUnit { day, week, month, season, year };

struct DateRange {
  Date earliest{}, latest{};  // both belong to it

  bool contains(Date day) const { return earliest <= day && day <= latest; }
  bool contains(const DateRange& other) const {
    return earliest <= other.earliest && other.latest <= latest;
  }
  // 0 within it.
  int days_from(Date day) const;
  bool operator==(const DateRange&) const = default;
};

DateRange month_range(int year, int month);
// 0 winter (December of the year before to February), 1 spring (March to May), 2 summer, 3 autumn:
// of the northern half of the world.
DateRange season_range(int year, int season);
// The calendar's unit that holds the day. A week is the eight days from a Sunday to the next, for
// weeks that begin on either.
DateRange unit_range(Date day, TimeUnit unit);
// From the unit of the first day to that of the last.
DateRange unit_range(const DateRange& days, TimeUnit unit);

// A third of a range, and a fifteenth of the range around it for tolerance: early May is May 1 to
// 12, mid-May 9 to 22, late May 19 to 31.
enum class RangePart { early, middle, late };
DateRange part_of(const DateRange& range, RangePart part);

// The day so many units later, earlier for a negative count. Whole months and years are those of
// the calendar; a fraction of one is counted in months of 30 days, a season is three months.
Date moved(Date day, double count, TimeUnit unit);
// What may be off when somebody counts in whole units, in days: 0, 3, 15, 46, 182.
int half_of(TimeUnit unit);

// The next such weekday (0 is Sunday) after the day, the last one before it.
Date weekday_after(Date day, int weekday);
Date weekday_before(Date day, int weekday);

}  // namespace chatmem
