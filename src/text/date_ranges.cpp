#include "text/date_ranges.h"

#include <cmath>

#include "base/error.h"

namespace chatmem {
namespace {

using std::chrono::days;
using std::chrono::month;
using std::chrono::year;

}  // namespace

int DateRange::days_from(Date day) const {
  if (day < earliest) return int((earliest - day).count());
  return day > latest ? int((day - latest).count()) : 0;
}

DateRange month_range(int year_number, int month_number) {
  const Date first = Date(year(year_number) / month(unsigned(month_number)) / 1);
  return {first, add_months(first, 1) - days(1)};
}

DateRange season_range(int year_number, int season) {
  CHECK(season >= 0 && season <= 3);
  const Date first = add_months(Date(year(year_number) / month(3) / 1), 3 * (season - 1));
  return {first, add_months(first, 3) - days(1)};
}

DateRange unit_range(Date day, TimeUnit unit) {
  switch (unit) {
    case TimeUnit::day:
      return {day, day};
    case TimeUnit::week: {
      const Date monday = day - days((weekday_of(day) + 6) % 7);
      return {monday - days(1), monday + days(6)};
    }
    case TimeUnit::month:
      return month_range(year_of(day), month_of(day));
    case TimeUnit::season: {
      const int season = month_of(day) % 12 / 3;
      return season_range(year_of(day) + (month_of(day) == 12 ? 1 : 0), season);
    }
    case TimeUnit::year:
      return {Date(year(year_of(day)) / 1 / 1), Date(year(year_of(day)) / 12 / 31)};
  }
  CHECK(false);
}

DateRange unit_range(const DateRange& range, TimeUnit unit) {
  return {unit_range(range.earliest, unit).earliest, unit_range(range.latest, unit).latest};
}

DateRange part_of(const DateRange& range, RangePart part) {
  const int length = int((range.latest - range.earliest).count()) + 1;
  const int third = length / 3, two_thirds = 2 * length / 3, tolerance = length / 15;
  switch (part) {
    case RangePart::early:
      return {range.earliest, range.earliest + days(third + tolerance - 1)};
    case RangePart::middle:
      return {range.earliest + days(third - tolerance),
              range.earliest + days(two_thirds + tolerance - 1)};
    case RangePart::late:
      return {range.earliest + days(two_thirds - tolerance), range.latest};
  }
  CHECK(false);
}

Date moved(Date day, double count, TimeUnit unit) {
  if (unit == TimeUnit::day) return day + days(std::lround(count));
  if (unit == TimeUnit::week) return day + days(std::lround(count * 7));
  const double months = count * (unit == TimeUnit::year ? 12 : unit == TimeUnit::season ? 3 : 1);
  const double whole = std::trunc(months);
  return add_months(day, int(whole)) + days(std::lround((months - whole) * 30));
}

int half_of(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::day:
      return 0;
    case TimeUnit::week:
      return 3;
    case TimeUnit::month:
      return 15;
    case TimeUnit::season:
      return 46;
    case TimeUnit::year:
      return 182;
  }
  CHECK(false);
}

Date weekday_after(Date day, int weekday) {
  return day + days((weekday - weekday_of(day) + 6) % 7 + 1);
}

Date weekday_before(Date day, int weekday) {
  return day - days((weekday_of(day) - weekday + 6) % 7 + 1);
}

}  // namespace chatmem
