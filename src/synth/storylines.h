// What two people may write to each other after their first dialogue: small stories of seven or
// eight beats each, by who they are to each other and the field of the dialogue. They begin
// something new, so that nothing in them depends on what the first dialogue said, beyond these two.
#pragma once
#include <span>
#include <string_view>

namespace chatmem {

// Who the two of a story are to each other. Where they differ, the first named is A.
enum class Between {
  kFriends,  // also classmates, roommates, neighbours: equals who know each other
  kCouple,
  kChild,  // and father or mother
  kColleagues,
  kEmployee,     // and superior
  kBusiness,     // buyer and seller, of two firms
  kStudent,      // and who teaches or advises
  kPatient,      // and who treats
  kApplicant,    // and who hires
  kTenant,       // also buyer of a home, and landlord or agent
  kCustomer,     // also guest, passenger, and who serves
  kCaller,       // and who took the call, for somebody else or by mistake
  kCitizen,      // and officer or official
  kInterviewed,  // and reporter or host
  kWayfarer,     // and the stranger who helped
  kStrangers,    // who met for the first time
};

// What the dialogue is about, as far as stories differ by it.
enum class Field {
  kAny,  // none of the others, and stories that fit whatever the field is
  kWrongNumber,
  kSurvey,
  // Of customers.
  kHotel,
  kRide,  // taxis, rented cars
  kCare,  // hair, nails
  kPost,
  kLibrary,
  kRepair,
  kClothes,
  // Of customers and friends.
  kFood,
  kMoney,
  kShopping,
  kTravel,
  // Of friends.
  kHealth,
  kJob,  // looking for one
  kWork,
  kStudy,
  kHome,
  kLove,
  kPeople,  // family, birthdays, invitations
  kSport,
  kLeisure,  // films, books, music, games
  kTechnology,
  kCar,
  kPets,
  kNature,  // weather, gardens, landscapes
  kNews,    // politics, society, environment
};

// The beats stand in order of time, with a blank line between. The first is always told; of the
// others any may be missing, but one marked "&" needs the one before it. Two beats may lie two days
// or two months apart, so none counts days from another. In each,
//   "A: text", "B: text"   is a message; a line that begins with a blank goes on with it; of
//                          "[x|y]" one is chosen;
//   "= text"               is what the summary says of it.
// In messages {hi} is a greeting, {,n} a comma and what the speaker calls the other, {day} the day
// of the first dialogue. In summaries {A} and {B} are "you" or a name, {a} and {b} "you" or a
// pronoun, {a's} and {b's} "your", "his" or "her".
struct Storyline {
  Field field;
  Between between;
  std::string_view beats;
};

// Those of the fields with the most of their words in topic and talk, a word of the topic counting
// as four; of equals the first. kAny where there are fewer than two words.
Field field_of(std::string_view topic, std::string_view talk, std::span<const Field> among);

std::span<const Storyline> customer_storylines();
std::span<const Storyline> guest_storylines();
std::span<const Storyline> work_storylines();
std::span<const Storyline> encounter_storylines();
std::span<const Storyline> family_storylines();
std::span<const Storyline> friend_storylines();
std::span<const Storyline> leisure_storylines();
std::span<const Storyline> daily_storylines();
std::span<const Storyline> anybody_storylines();

}  // namespace chatmem
