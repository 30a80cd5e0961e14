#include <algorithm>
#include <iterator>
#include <string>
#include <unordered_set>

#include "synth/storylines.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string>;

// topic: the topic's word is enough. talk: words of the dialogue, of which several are needed.
struct FieldWords {
  Field field;
  const char *topic, *talk;
};
constexpr FieldWords kFields[] = {
    {Field::kHotel, "hotel check-in check-out checkout",
     "hotel suite double single reception luggage bellboy checkout guest room floor lobby key"},
    {Field::kJob, "job jobs applicant resume cv recruitment hiring employment",
     "position apply applied resume salary company experience qualification qualifications hire "
     "hired applicant graduated degree secretary advertisement application employer"},
    {Field::kHealth,
     "doctor health healthy medical patient dentist sick sickness illness disease hospital weight "
     "smoking diet headache fever medicine surgery toothache insomnia flu check-up",
     "doctor medicine hospital fever headache cough throat pain prescription pills hurts hurt sick "
     "symptoms blood dentist tooth nurse patient stomach allergic flu diet disease"},
    {Field::kEncounter, "directions direction way taxi route stranger lost",
     "taxi driver straight blocks corner left right turn cross traffic street subway"},
    {Field::kFood,
     "food restaurant dinner lunch breakfast meal cooking cook dishes dish menu recipe eating eat "
     "coffee drink drinks wine cake cuisine beer tea barbecue snack",
     "menu waiter steak soup salad dessert delicious dish chicken beef fish wine beer rice cake "
     "eat "
     "dinner hungry taste restaurant vegetables cook spicy meal"},
    {Field::kStudy,
     "school exam exams study studying english language university college class classes course "
     "courses education learning test homework teacher student students library essay thesis "
     "lecture math history",
     "exam class classes teacher school homework study professor course english grade grades test "
     "university students lecture library semester vocabulary paper term"},
    {Field::kMoney,
     "bank account money loan credit deposit insurance investment savings bill tax internet phones "
     "budget stock stocks finance salary mortgage cheque",
     "account bank deposit loan interest savings credit card cheque check cash bill budget "
     "withdraw balance transfer currency passbook"},
    {Field::kShopping,
     "shopping clothes dress shoes buy buying purchase shop suit shirt store bargain refund jeans "
     "sale goods coat skirt jewelry supermarket price",
     "size color colour dress shirt shoes skirt store price discount cheap expensive sale try fit "
     "receipt refund brand cotton silk buy suit"},
    {Field::kTravel,
     "travel trip flight vacation tour holiday tourism plane airport train luggage sightseeing "
     "journey traveling travelling customs ticket tickets camping passport boarding",
     "flight ticket plane airport train trip tour travel beach passport luggage visit seat "
     "boarding "
     "gate sightseeing island vacation holiday"},
    {Field::kHome,
     "house apartment rent renting housing flat repair moving furniture garden housework home "
     "roommate landlord housekeeping decoration cleaning",
     "apartment rent landlord kitchen bedroom furniture lease bathroom utilities tenant roof "
     "garden sofa carpet furnished housework dishes clean"},
    {Field::kPeople,
     "family birthday wedding marriage invitation party friends friend relationship love date "
     "dating gift anniversary christmas friendship children parents divorce reunion couple",
     "party birthday wedding married boyfriend girlfriend wife husband parents mother father "
     "brother sister love date gift friend invite family"},
    {Field::kOffice,
     "office work working business meeting project report colleagues colleague boss promotion "
     "company contract negotiation conference presentation secretary overtime",
     "office meeting boss report project manager company colleague department work document "
     "deadline client contract conference copy secretary"},
    {Field::kLeisure,
     "movie movies film films music sports sport game games concert hobby hobbies football "
     "basketball tennis dance dancing book books reading tv television exercise swimming show "
     "weekend play theater painting",
     "movie film music song concert game team football basketball tennis dance dancing book novel "
     "guitar piano swim swimming gym show channel play"},
};

WordSet set_of(std::string_view words) {
  WordSet set;
  for (std::string& word : words_of(words)) set.insert(std::move(word));
  return set;
}

}  // namespace

Field field_of(std::string_view topic, std::string_view talk) {
  const WordSet in_topic = set_of(topic), in_talk = set_of(talk);
  const auto hits = [](const WordSet& words, const char* known) {
    const std::vector<std::string> list = words_of(known);
    return std::count_if(list.begin(), list.end(),
                         [&](const std::string& word) { return words.contains(word); });
  };
  for (const FieldWords& words : kFields)
    if (hits(in_topic, words.topic) > 0) return words.field;
  Field best = Field::kNeutral;
  auto most = hits(WordSet(), "");
  for (const FieldWords& words : kFields)
    if (const auto found = hits(in_talk, words.talk); found >= 3 && found > most) {
      most = found;
      best = words.field;
    }
  return best;
}

}  // namespace chatmem
