// Words that mean a day only from where they were said: "tonight", "next week", "June seventh". A
// dialogue laid on another day keeps its own; what is told of it later must not.
#pragma once
#include <string>
#include <string_view>

namespace chatmem {

// "a table for tonight" as told later: "a table for that evening"; "yesterday" the day before,
// "next month" the following month, "this Friday" that Friday, "two days ago" two days before.
std::string shift_time_words(std::string_view text);

// Whether anything is left that shift_time_words would change.
bool has_time_word_of_now(std::string_view text);

// Whether a day of the calendar is named, in digits or spelled: "June 7th", "June seventh", "the
// 25th of May", "Monday the 5th", "on the fifteenth", "12/5/2004". A month or year alone is none.
bool names_calendar_date(std::string_view text);

}  // namespace chatmem
