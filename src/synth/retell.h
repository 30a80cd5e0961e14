// A human summary in the third person told to one of its persons: "#Person1# tells Sarah the shop
// is shut." becomes "You told Sarah the shop was shut."
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "text/names.h"

namespace chatmem {

struct Cast {
  int you = 1, other = 2;                 // the placeholder numbers
  std::string you_name;                   // as it stands in the source; may be empty
  std::string other_source_name;          // the other's name in the source; may be empty
  std::string other_name;                 // what the other is called in the result
  std::map<int, std::string> bystanders;  // further placeholders and their names
  std::vector<std::string> actors;        // names in the summary, see actors_of
  Gender you_gender = Gender::kUnknown, other_gender = Gender::kUnknown;
};

// The sentences of the summary in the past tense. One in which a pronoun may mean either person,
// that names a calendar date, or that does not read well then (see sentences.h), is left out.
std::vector<std::string> retell(std::string_view summary, const Cast& cast);

// The past of a verb in the third person singular ("tells": "told") when the word is a verb that
// summaries use; empty otherwise.
std::string past_of_third_person(std::string_view verb);
// The same from the base form: "talk" gives "talked".
std::string past_of_base(std::string_view verb);
// "told", "had", "wouldn't", and whatever ends like a past.
bool is_past_form(std::string_view word);

}  // namespace chatmem
