#include "base/date.h"

#include <fmt/format.h>

#include <array>
#include <ctime>

#include "base/error.h"

namespace chatmem {
namespace {

using std::chrono::year_month_day;

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kWeekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

// The number in text[at, at + n), or -1 when one of them is no digit.
int digits(std::string_view text, size_t at, size_t n) {
  int value = 0;
  for (size_t i = at; i < at + n; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// "HH:MM:SS" of a day; 60 is a leap second.
std::optional<std::chrono::seconds> parse_clock(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const int h = digits(text, 0, 2), m = digits(text, 3, 2), s = digits(text, 6, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60) return std::nullopt;
  return std::chrono::seconds((h * 60 + m) * 60 + s);
}

// "Z" or "+02:00": what local time is ahead of UTC.
std::optional<std::chrono::minutes> parse_zone(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes(0);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int h = digits(text, 1, 2), m = digits(text, 4, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59) return std::nullopt;
  return std::chrono::minutes((text[0] == '-' ? -1 : 1) * (h * 60 + m));
}

std::string_view ordinal_suffix(int day) {
  if (day % 100 >= 11 && day % 100 <= 13) return "th";
  return day % 10 == 1 ? "st" : day % 10 == 2 ? "nd" : day % 10 == 3 ? "rd" : "th";
}

}  // namespace

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int y = digits(text, 0, 4), m = digits(text, 5, 2), d = digits(text, 8, 2);
  if (y < 0 || m < 0 || d < 0) return std::nullopt;
  const year_month_day ymd{std::chrono::year(y), std::chrono::month(unsigned(m)),
                           std::chrono::day(unsigned(d))};
  if (!ymd.ok()) return std::nullopt;
  return Date(ymd);
}

std::optional<Minute> parse_minute(std::string_view text) {
  if (text.size() != 16 || text[10] != ' ' || text[13] != ':') return std::nullopt;
  const auto date = parse_date(text.substr(0, 10));
  const int h = digits(text, 11, 2), m = digits(text, 14, 2);
  if (!date || h < 0 || h > 23 || m < 0 || m > 59) return std::nullopt;
  return Minute(*date) + std::chrono::minutes(h * 60 + m);
}

std::optional<Moment> parse_rfc3339(std::string_view text) {
  if (text.size() < 20 || (text[10] != 'T' && text[10] != 't')) return std::nullopt;
  const auto date = parse_date(text.substr(0, 10));
  const auto clock = parse_clock(text.substr(11, 8));
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    const size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == rest.npos || end == 1) return std::nullopt;
    rest.remove_prefix(end);
  }
  const auto zone = parse_zone(rest);
  if (!date || !clock || !zone) return std::nullopt;
  return Moment(*date) + *clock - *zone;
}

std::optional<Moment> parse_http_date(std::string_view text) {
  if (text.size() != 29 || text[3] != ',' || text[4] != ' ' || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text.substr(25) != " GMT")
    return std::nullopt;
  const auto clock = parse_clock(text.substr(17, 8));
  for (int month = 1; month <= 12 && clock; month++) {
    if (month_name(month).substr(0, 3) != text.substr(8, 3)) continue;
    const auto date =
        parse_date(fmt::format("{}-{:02}-{}", text.substr(12, 4), month, text.substr(5, 2)));
    if (date) return Moment(*date) + *clock;
  }
  return std::nullopt;
}

std::string format_date(Date date) {
  return fmt::format("{:04}-{:02}-{:02}", year_of(date), month_of(date), day_of_month(date));
}

std::string format_minute(Minute time) {
  const Date date = date_of(time);
  const int minutes = int((time - Minute(date)).count());
  return fmt::format("{} {:02}:{:02}", format_date(date), minutes / 60, minutes % 60);
}

std::string format_long_date(Date date, bool with_year) {
  const int day = day_of_month(date);
  std::string text = fmt::format("{} {}{}", month_name(month_of(date)), day, ordinal_suffix(day));
  if (with_year) text += fmt::format(", {}", year_of(date));
  return text;
}

Date date_of(Minute time) { return std::chrono::floor<std::chrono::days>(time); }

Date today() { return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()); }

std::string now_iso8601() {
  const std::time_t now = std::time(nullptr);
  std::tm tm{};
  gmtime_r(&now, &tm);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

int year_of(Date date) { return int(year_month_day(date).year()); }
int month_of(Date date) { return int(unsigned(year_month_day(date).month())); }
int day_of_month(Date date) { return int(unsigned(year_month_day(date).day())); }
int weekday_of(Date date) { return int(std::chrono::weekday(date).c_encoding()); }

std::string_view month_name(int month) {
  CHECK(month >= 1 && month <= 12);
  return kMonths[size_t(month - 1)];
}

std::string_view weekday_name(int weekday) {
  CHECK(weekday >= 0 && weekday <= 6);
  return kWeekdays[size_t(weekday)];
}

Date add_months(Date date, int months) {
  const year_month_day moved = year_month_day(date) + std::chrono::months(months);
  if (moved.ok()) return Date(moved);
  return Date(moved.year() / moved.month() / std::chrono::last);
}

}  // namespace chatmem
