// The table of time_words.h.
#include "text/time_words.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr std::array<std::string_view, 12> kNumbers = {"one",  "two", "three",  "four",
                                                       "five", "six", "seven",  "eight",
                                                       "nine", "ten", "eleven", "twelve"};

int days_between(Date from, Date to) { return int((to - from).count()); }

// "a week", "three weeks".
std::string count_of(int n, std::string_view unit) {
  return n == 1 ? fmt::format("a {}", unit) : fmt::format("{} {}s", number_word(n), unit);
}

std::string months(int n) { return n == 6 ? "half a year" : count_of(n, "month"); }

// Whole calendar months from one day to a later one.
int whole_months(Date from, Date to) {
  int n = (year_of(to) - year_of(from)) * 12 + month_of(to) - month_of(from);
  if (add_months(from, n) > to) n--;
  return n;
}

// Whether two days lie in neighbouring weeks, whether weeks begin on Sunday or on Monday.
bool in_neighbouring_weeks(Date earlier, Date later) {
  const auto week = [](Date day, int first_weekday) {
    return day - std::chrono::days((weekday_of(day) - first_weekday + 7) % 7);
  };
  const auto neighbours = [&](int first) {
    return days_between(week(earlier, first), week(later, first)) == 7;
  };
  return neighbours(0) && neighbours(1);
}

std::string years_span(Date from, Date to, int n_months) {
  const int n = n_months / 12, rest = n_months % 12;
  if (rest == 11) return "almost " + count_of(n + 1, "year");
  if (rest > 0) return "over " + count_of(n, "year");
  const bool to_the_day = add_months(from, n_months) == to;
  return (to_the_day ? "" : "about ") + count_of(n, "year");
}

std::string months_span(Date from, Date to, int n) {
  const int gone = days_between(add_months(from, n), to);
  const int missing = days_between(to, add_months(from, n + 1));
  if (gone == 0) return months(n);
  if (gone <= 10) return "about " + months(n);
  if (n == 11 && missing <= 14) return "almost a year";
  if (missing <= 7) return (n == 5 ? "about " : "almost ") + months(n + 1);
  return "over " + months(n);
}

std::string weeks_span(int n_days) {
  const int n = n_days / 7, gone = n_days % 7;
  if (gone == 0) return count_of(n, "week");
  if (gone <= 3) return "about " + count_of(n, "week");
  return "almost " + (n == 3 ? std::string("a month") : count_of(n + 1, "week"));
}

// The words for the time between two days at least two days apart.
std::string span_words(Date from, Date to) {
  const int n_days = days_between(from, to);
  if (n_days < 7) return count_of(n_days, "day");
  const int n_months = whole_months(from, to);
  if (n_months >= 12) return years_span(from, to, n_months);
  if (n_months >= 1) return months_span(from, to, n_months);
  return n_days >= 25 ? "almost a month" : weeks_span(n_days);
}

}  // namespace

std::string number_word(int number) {
  if (number < 1 || number > int(kNumbers.size())) return fmt::format("{}", number);
  return std::string(kNumbers[size_t(number - 1)]);
}

std::string relative_time(Date when, Date as_of) {
  if (when == as_of) return "today";
  const bool past = when < as_of;
  const Date earlier = past ? when : as_of, later = past ? as_of : when;
  const int days = days_between(earlier, later);
  if (days == 1) return past ? "yesterday" : "tomorrow";
  if (days > 7 && days <= 10 && in_neighbouring_weeks(earlier, later))
    return past ? "last week" : "next week";
  const std::string words = span_words(earlier, later);
  return past ? words + " ago" : "in " + words;
}

}  // namespace chatmem
