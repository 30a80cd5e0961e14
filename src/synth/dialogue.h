// Dialogues with placeholders: "#Person1#: Hi, Mr. Smith." read into turns; who bears which name.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "text/names.h"

namespace chatmem {

struct Utterance {
  int person = 0;  // the number of the placeholder
  std::string text;
};

struct Dialogue {
  std::vector<Utterance> turns;
  std::vector<int> persons;          // sorted, each once
  std::map<int, std::string> names;  // found in the text: "I'm Doctor Hawkins", "Thanks, Sarah"
  std::set<int> surely_named;        // by an introduction or a greeting
  std::string summary;               // the row's, see casting.h
  std::vector<std::string> actors;   // names in the summary
  std::map<int, Gender> genders;     // see casting.h
};

// Lines that begin with no placeholder continue the turn before. Turns without text are left out.
// Throws Error when a line before the first turn has text, or there is no turn.
Dialogue parse_dialogue(std::string_view text);

// The names by introductions and forms of address. A word with a capital that stands where a name
// does is one when it is a given name or one of the known.
void find_names(Dialogue& dialogue, const std::vector<std::string>& known);

// "Pizza House", "City Taxi": who is called so is at work there.
bool is_business(std::string_view name);

// "Mom", "Daddy": what a child calls a parent.
bool is_parent_name(std::string_view name);

// The names in one turn that stand where the other's would: "Thanks, Sarah", "Tom, wake up!".
std::vector<std::string> addressed_in(std::string_view text);

// Corrects the bearers by the row's summary, which calls a person either by name or by placeholder:
// a name beside its own placeholder is the other's where that one's is missing, else a third's. Who
// is surely named keeps the name: then it is the summary that takes one person for the other.
// Returns whether there was any such contradiction.
bool settle_names(Dialogue& dialogue, std::string_view summary);

// For exact duplicates: lower case, runs of anything but letters and digits as one space.
std::string normalized_dialogue(std::string_view text);

// Every "#PersonN#" (also "#personN#", "#PersonN", "PersonN#") replaced by persons.at(N), or by
// "someone" when N is not among them; other placeholders ("#PhoneNumber#") by plausible words.
std::string without_placeholders(std::string_view text, const std::map<int, std::string>& persons);

// Whether any "#Name#" or "PersonN" is left.
bool has_placeholder(std::string_view text);

// Every whole-word occurrence of a name, and of its part alone ("Smith" of "Mr. Smith" with any
// title, "Judy" of "Judy Liao"), replaced.
std::string replace_name(std::string_view text, std::string_view name, std::string_view by);
bool has_name(std::string_view text, std::string_view name);

// The spoken-of gender of the person addressed with "sir", "madam" and the like in these words:
// 'm', 'f', or 0 when there is none or both.
char form_of_address(std::string_view text);

}  // namespace chatmem
