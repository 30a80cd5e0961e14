// Calendar days and minutes, without time zones: what chat exports and summaries speak in. And the
// moments of servers.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace chatmem {

using Date = std::chrono::sys_days;
using Minute = std::chrono::sys_time<std::chrono::minutes>;
using Moment = std::chrono::sys_seconds;

// "YYYY-MM-DD", a real day of the calendar; nothing else.
std::optional<Date> parse_date(std::string_view text);
// "YYYY-MM-DD HH:MM"; nothing else.
std::optional<Minute> parse_minute(std::string_view text);
// Moments as servers write them, to the second: "2024-05-27T14:32:05Z" (a fraction of a second is
// cut off, "+02:00" taken into account), and "Mon, 27 May 2024 14:32:05 GMT".
std::optional<Moment> parse_rfc3339(std::string_view text);
std::optional<Moment> parse_http_date(std::string_view text);

std::string format_date(Date date);                               // 2024-05-27
std::string format_minute(Minute time);                           // 2024-05-27 14:32
std::string format_long_date(Date date, bool with_year = false);  // May 27th, or May 27th, 2024

Date date_of(Minute time);
Date today();               // in UTC
std::string now_iso8601();  // 2024-05-27T14:32:05Z

int year_of(Date date);
int month_of(Date date);                     // 1 to 12
int day_of_month(Date date);                 // 1 to 31
int weekday_of(Date date);                   // 0 is Sunday
std::string_view month_name(int month);      // 1: January
std::string_view weekday_name(int weekday);  // 0: Sunday
// The same day of another month; the last day of it where it is shorter.
Date add_months(Date date, int months);

}  // namespace chatmem
