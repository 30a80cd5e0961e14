// What two people may write to each other after their first dialogue: small stories of eight beats
// each, by the field of the dialogue. They begin something new, so that nothing in them depends on
// what the first dialogue said, beyond its field and who serves whom.
#pragma once
#include <span>
#include <string_view>

namespace chatmem {

// In the order in which they are recognised.
enum class Field {
  kAuthority,  // police, customs, courts
  kCall,       // whoever answers for somebody else
  kHotel,
  kJob,
  kHealth,
  kEncounter,  // the way, a taxi, strangers
  kFood,
  kStudy,
  kMoney,  // also phones and contracts
  kShopping,
  kTravel,
  kHome,
  kPeople,  // family, friends, invitations
  kOffice,
  kLeisure,
  kNeutral,
};

// Whom a story fits.
enum class Between {
  kServed,   // A is the customer, patient, guest, applicant or asks the way, B serves
  kFriends,  // equals who know each other
  kAnyone,
};

// The beats stand in order of time, with a blank line between. The first is always told; of the
// others any may be missing, but one marked "&" needs the one before it. In each,
//   "A: text", "B: text"   is a message; a line that begins with a blank goes on with it; of
//                          "[x|y]" one is chosen;
//   "= text"               is what the summary says of it.
// In messages {hi} is a greeting, {,n} a comma and what the speaker calls the other, {talk} the
// first dialogue ("our talk about sailing"), {day} its day. In summaries {A} and {B} are "you" or a
// name, {a} and {b} "you" or a pronoun, {a's} and {b's} "your", "his" or "her".
struct Storyline {
  Field field;
  Between between;
  std::string_view beats;
};

// By the topic's words, the fields in their order; else the field with the most words in the talk,
// of equals the first; kNeutral where there are fewer than three.
Field field_of(std::string_view topic, std::string_view talk);

std::span<const Storyline> life_storylines();     // health, home, people, leisure
std::span<const Storyline> work_storylines();     // jobs, offices, study, money
std::span<const Storyline> service_storylines();  // food, hotels, travel, shops, encounters
std::span<const Storyline> neutral_storylines();  // whatever the field

}  // namespace chatmem
