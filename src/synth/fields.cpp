#include <algorithm>
#include <string>

#include "synth/storylines.h"
#include "text/words.h"

namespace chatmem {
namespace {

// topic: one of these in the topic is enough. talk: words of the dialogue, of which several are
// needed. "check_in" is two words running.
struct FieldWords {
  Field field;
  const char *topic, *talk;
};
constexpr FieldWords kFields[] = {
    {Field::kAuthority,
     "police officer theft robbery stolen customs court visa immigration fine speeding "
     "driving_license",
     "officer police stolen thief arrest passport customs declare visa license court judge "
     "speeding "
     "fine ticket"},
    {Field::kCall, "phone_call telephone_call leave_a_message call_back make_a_call connect",
     "message speaking line hold extension call_back take_a_message speak_to dial"},
    {Field::kHotel, "hotel check-in checkout check_in check_out",
     "hotel suite double single reception luggage bellboy checkout guest room floor lobby key"},
    {Field::kJob, "job jobs applicant resume cv recruitment hiring employment",
     "position apply applied resume salary company experience qualification qualifications hire "
     "hired applicant graduated bonus job degree secretary advertisement application employer"},
    {Field::kHealth,
     "doctor health healthy medical patient dentist sick sickness illness disease hospital weight "
     "smoking diet headache fever medicine surgery toothache insomnia flu",
     "doctor medicine hospital fever headache cough throat pain prescription pills hurts hurt sick "
     "symptoms blood dentist tooth nurse patient stomach allergic flu diet disease"},
    {Field::kEncounter, "directions direction way taxi route stranger subway",
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
     "budget stock stocks finance mortgage cheque",
     "account bank deposit loan interest savings credit card cheque check cash bill budget "
     "withdraw balance transfer currency passbook"},
    {Field::kShopping,
     "shopping clothes dress shoes buy buying purchase shop suit shirt store bargain refund jeans "
     "sale goods dress_up coat skirt jewelry supermarket price",
     "size color colour dress shirt shoes skirt store price discount cheap expensive sale try fit "
     "receipt refund brand cotton silk buy suit"},
    {Field::kTravel,
     "travel trip flight vacation tour holiday tourism plane airport train luggage sightseeing "
     "journey traveling travelling camping passport boarding",
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

// " a b c "
std::string padded(std::string_view text) {
  std::string words = " ";
  for (const std::string& word : words_of(text)) words += word + ' ';
  return words;
}

// How many of the known stand in the padded words.
int hits(const std::string& words, std::string_view known) {
  int found = 0;
  for (size_t begin = 0; begin < known.size();) {
    const size_t end = std::min(known.find(' ', begin), known.size());
    std::string phrase = ' ' + std::string(known.substr(begin, end - begin)) + ' ';
    std::replace(phrase.begin(), phrase.end(), '_', ' ');
    found += words.find(phrase) != words.npos;
    begin = end + 1;
  }
  return found;
}

}  // namespace

Field field_of(std::string_view topic, std::string_view talk) {
  const std::string of_topic = padded(topic), of_talk = padded(talk);
  for (const FieldWords& words : kFields)
    if (hits(of_topic, words.topic) > 0) return words.field;
  Field best = Field::kNeutral;
  int most = 2;
  for (const FieldWords& words : kFields)
    if (const int found = hits(of_talk, words.talk); found > most) {
      most = found;
      best = words.field;
    }
  return best;
}

}  // namespace chatmem
