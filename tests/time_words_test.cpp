// Relative time in words: the table's rows, and that no phrase claims more than its hedge allows.
#include "text/time_words.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <regex>

namespace chatmem {
namespace {

using std::chrono::days;

Date day(std::string_view text) { return parse_date(text).value(); }

std::string ago(std::string_view when, std::string_view as_of = "2024-08-20") {
  return relative_time(day(when), day(as_of));
}

TEST(TimeWords, RowsOfTheTable) {
  EXPECT_EQ(ago("2024-08-20"), "today");
  EXPECT_EQ(ago("2024-08-19"), "yesterday");
  EXPECT_EQ(ago("2024-08-18"), "two days ago");
  EXPECT_EQ(ago("2024-08-17"), "three days ago");
  EXPECT_EQ(ago("2024-08-14"), "six days ago");
  EXPECT_EQ(ago("2024-08-13"), "a week ago");
  EXPECT_EQ(ago("2024-08-12"), "last week");  // a Tuesday speaks of Monday of the week before
  EXPECT_EQ(ago("2024-08-10"), "about a week ago");  // Saturday: two weeks back from a Tuesday
  EXPECT_EQ(ago("2024-08-09"), "almost two weeks ago");
  EXPECT_EQ(ago("2024-08-06"), "two weeks ago");
  EXPECT_EQ(ago("2024-08-04"), "about two weeks ago");
  EXPECT_EQ(ago("2024-07-30"), "three weeks ago");
  EXPECT_EQ(ago("2024-07-28"), "about three weeks ago");
  EXPECT_EQ(ago("2024-07-26"), "almost a month ago");
  EXPECT_EQ(ago("2024-07-20"), "a month ago");
  EXPECT_EQ(ago("2024-07-15"), "about a month ago");
  EXPECT_EQ(ago("2024-07-05"), "over a month ago");
  EXPECT_EQ(ago("2024-06-25"), "almost two months ago");
  EXPECT_EQ(ago("2024-06-01"), "over two months ago");
  EXPECT_EQ(ago("2024-02-24"), "about half a year ago");
  EXPECT_EQ(ago("2024-02-20"), "half a year ago");
  EXPECT_EQ(ago("2024-02-15"), "about half a year ago");
  EXPECT_EQ(ago("2024-01-20"), "seven months ago");
  EXPECT_EQ(ago("2023-09-01"), "almost a year ago");
  EXPECT_EQ(ago("2023-08-20"), "a year ago");
  EXPECT_EQ(ago("2023-08-01"), "about a year ago");
  EXPECT_EQ(ago("2023-03-01"), "over a year ago");
  EXPECT_EQ(ago("2022-09-01"), "almost two years ago");
  EXPECT_EQ(ago("2004-08-20"), "20 years ago");
}

TEST(TimeWords, TheFuture) {
  EXPECT_EQ(ago("2024-08-21"), "tomorrow");
  EXPECT_EQ(ago("2024-08-24"), "in four days");
  EXPECT_EQ(ago("2024-08-27"), "in a week");
  EXPECT_EQ(ago("2024-08-28"), "next week");
  EXPECT_EQ(ago("2024-09-05"), "in about two weeks");
  EXPECT_EQ(ago("2024-10-20"), "in two months");
}

TEST(TimeWords, EndsOfMonths) {
  EXPECT_EQ(ago("2024-01-31", "2024-02-29"), "a month ago");
  EXPECT_EQ(ago("2024-02-29", "2025-02-28"), "a year ago");
  EXPECT_EQ(ago("2023-12-31", "2024-01-01"), "yesterday");
  EXPECT_EQ(ago("2023-12-01", "2024-01-01"), "a month ago");
}

// What a phrase says, as days: the span it names, and how far its hedge lets the truth lie from it.
struct Claim {
  double low, high;
};

Claim claim_of(const std::string& phrase) {
  if (phrase == "today") return {0, 0};
  if (phrase == "yesterday") return {1, 1};
  if (phrase == "last week") return {8, 10};
  static const std::regex form(
      "(about |almost |over )?(half a|an?|\\w+) (day|week|month|year)(s?) ago");
  std::smatch match;
  if (!std::regex_match(phrase, match, form)) return {1, -1};
  const std::string hedge = match[1], count = match[2], unit = match[3];
  double n = count == "half a" ? 0.5 : count == "a" ? 1 : 0;
  for (int i = 2; i <= 60 && n == 0; i++)
    if (number_word(i) == count) n = i;
  EXPECT_EQ(match[4] == "s", n > 1) << phrase;
  const double size = unit == "day" ? 1 : unit == "week" ? 7 : unit == "month" ? 30.44 : 365.25;
  const double slack = size >= 30 ? 3.1 : 0;  // months are of 28 to 31 days
  const double span = n * size, hedge_days = unit == "year" && n >= 1 ? 31 : size > 7 ? 10 : 3;
  if (hedge == "about ") return {span - hedge_days - slack, span + hedge_days + slack};
  if (hedge == "almost ") return {span - hedge_days - slack, span - 1 + slack};
  if (hedge == "over ") return {span + 1 - slack, span + size + slack};
  return {span - slack, span + slack};
}

TEST(TimeWords, NeverWrongByMoreThanTheHedge) {
  for (int start = 0; start < 400; start += 13) {
    const Date as_of = day("2023-10-01") + days(start);
    for (int n = 0; n < 2000; n++) {
      const std::string phrase = relative_time(as_of - days(n), as_of);
      const Claim claim = claim_of(phrase);
      EXPECT_GE(n, claim.low) << phrase << " on " << format_date(as_of);
      EXPECT_LE(n, claim.high) << phrase << " on " << format_date(as_of);
    }
  }
}

TEST(TimeWords, LastWeekIsLastWeekByAnyCalendar) {
  for (int i = 0; i < 14; i++) {
    const Date as_of = day("2024-08-04") + days(i);
    for (int n = 2; n < 20; n++) {
      const Date when = as_of - days(n);
      if (relative_time(when, as_of) != "last week") continue;
      const int monday = (weekday_of(as_of) + 6) % 7;  // days since Monday
      EXPECT_GT(n, monday);
      EXPECT_LE(n, monday + 7);
      EXPECT_GT(n, weekday_of(as_of));
      EXPECT_LE(n, weekday_of(as_of) + 7);
    }
  }
}

}  // namespace
}  // namespace chatmem
