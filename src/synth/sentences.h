// Sentences of a human summary, before and after it is retold.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

// The sentences without their full stops and surrounding blanks; "Mr." and "a.m." end none. Bytes 1
// and 2, which stand for persons, may follow a full stop without a blank.
std::vector<std::string> sentences_of(std::string_view text);

// Whether a retold sentence can stand in a summary, whatever made it: it begins with one of the two
// and a verb in the past, or with no person; no verb is left in the present ("she works", "people
// say", "can"); and nothing stands in it that no correct sentence has ("you your", ", ,").
bool reads_well(const std::string& sentence, const std::string& other_name);

// The sentence as it goes on after a date and a comma: its first letter small where it begins with
// a word known to be no name. A name that is in no list keeps its capital, and so does what is in
// doubt: a wrong capital is less wrong than "sam called".
std::string with_small_start(std::string sentence, std::string_view other_name);

// Whether "talked about" can go before the topic: "a leaking roof", "buying a car", "night shifts
// at the hospital", but neither "book a room" nor "job interview", which lacks its article.
bool reads_as_noun(std::string_view topic);

}  // namespace chatmem
