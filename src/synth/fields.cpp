#include <algorithm>
#include <string>

#include "synth/storylines.h"
#include "text/words.h"

namespace chatmem {
namespace {

// topic: words of topics. talk: words of dialogues and summaries. "check_in" is two words running,
// of "movie*" any ending counts.
struct FieldWords {
  Field field;
  const char *topic, *talk;
};
constexpr FieldWords kFields[] = {
    {Field::kWrongNumber, "wrong_number misdial* dial_the_wrong",
     "wrong_number dialed_the_wrong the_wrong_number have_the_wrong"},
    {Field::kSurvey, "survey questionnaire poll",
     "survey doing_a_survey doing_a_study questionnaire answering_some_questions channel_5"},
    {Field::kHotel,
     "hotel* check-in checkout check-out check_in check_out room room_service book_a_room "
     "reserve_a_room wake-up_call morning_call accommodation* accomodation rooms room_reservation "
     "motel inn hostel",
     "hotel inn motel reservation suite double_room single_room reception luggage bellboy "
     "check_out check_in checkout "
     "guest* room rooms floor lobby front_desk per_night nights housekeeping wake-up_call"},
    {Field::kRide, "taxi* cab rent_a_car car_rental car_renting hire_a_car bus bus_pass",
     "taxi driver cab where_to fare rent_a_car meter drive traffic get_off"},
    {Field::kCare, "hair* haircut* hairdress* barber* manicure nail* beauty_salon beauty salon",
     "hair haircut shave manicure shampoo perm trim nails massage sides hairstyle dye bangs"},
    {Field::kPost, "parcel post post_office mail* letter* stamp* package send_a_package delivery",
     "parcel stamp* airmail post_office package registered letter postage mail send deliver* "
     "weigh"},
    {Field::kLibrary, "library borrow_books borrow_a_book return_books library_service",
     "library librarian borrow* library_card due overdue reference renew catalogue shelves"},
    {Field::kRepair,
     "repair* maintenance service_call washing_machine broken plumber computer_problem* fix* "
     "car_repair* leak* garage gas_station after-sales_service installation complaint* copier "
     "air_conditioner",
     "repair* fix* broken leak* mechanic technician garage engine brake* tire* pipe plumber "
     "install* washing_machine air_conditioner heater oil guarantee warranty"},
    {Field::kClothes,
     "cloth* dress* shoe* suit* shirt* jeans coat* skirt* sweater* hat* jacket* tie fashion "
     "clothing tailor* size laundry boots pants blouse glove* dry-cleaning",
     "dress shirt* shoe* skirt try_it_on sweater jacket* coat pants suit wear fit cotton silk "
     "blouse jeans tie tight color colour sleeve* leather laundry"},
    {Field::kFood,
     "food restaurant* dinner* lunch breakfast meal* cooking cook dish* menu recipe* eating eat "
     "coffee drink* wine cake* cuisine beer tea barbecue snack* dessert* ice_cream pizza fruit* "
     "cafeteria chinese_food supper waiter bar diner fast_food order_food vegetable* mango* soup "
     "hungry chocolate dumpling* hot_pot dine order steak hamburger* vegetarian treat_meal "
     "cafe pub book_a_table reserve_a_table",
     "menu waiter steak soup salad dessert delicious dish* chicken beef fish wine beer rice cake "
     "eat dinner hungry taste* restaurant vegetable* cook* spicy meal lunch breakfast coffee tea "
     "pizza sandwich* bread fruit drink* food table_for order noodle* cream cheese potato*"},
    {Field::kMoney,
     "bank* account* money loan* credit* deposit insurance investment* saving* bill* tax* budget "
     "stock* finance mortgage cheque* currency exchange_rate remittance fund* bond* salary "
     "cash_the_check save_money thrifty expense* wealth gambling lottery price* debt",
     "account bank deposit loan interest savings cheque* budget withdraw* balance currency "
     "passbook invest* insurance tax fund* exchange_rate teller"},
    {Field::kTravel,
     "travel* trip* flight* vacation* tour* holiday* tourism plane airport* train* luggage "
     "sightseeing journey camping boarding ticket* airline* cruise visit_places abroad "
     "book_a_ticket china rail_service beach museum honeymoon passport seaside canada australia "
     "paris new_york hometown map hitchhik* subway",
     "flight ticket plane airport train trip tour* travel* beach passport luggage visit seat "
     "boarding gate sightseeing island vacation holiday hotel abroad sea mountain* museum city "
     "country hiking resort"},
    {Field::kShopping,
     "shopping buy* purchase* shop* store* bargain* refund* sale* goods jewel* supermarket "
     "bookstore market mall department_store necklace watch camera furniture flower* ring perfume "
     "gift online_shopping dress_up toy* mp3 return_goods",
     "price discount cheap expensive sale try receipt refund brand buy store shop shopping cost "
     "mall market bargain gift cash on_sale counter camera"},
    {Field::kHealth,
     "doctor* health* medical patient* dentist* sick* ill* disease* hospital weight smok* diet* "
     "headache fever medicine surgery toothache insomnia flu cold lose_weight sleep* keep_fit "
     "stomachache ailment pain stress fat tired vitamin* allerg* injur* cancer quit_smoking yoga "
     "high_blood_pressure mental_health drunk drinking_problem healthcare aging acupuncture",
     "doctor medicine hospital fever headache cough throat pain* pills hurt* sick symptoms dentist "
     "tooth nurse stomach allergic flu diet disease weight smok* healthy health sleep tired "
     "exercise fat calories cigarette* stress ill feel_better pounds"},
    {Field::kJob,
     "job* interview* applicant* resume cv recruit* hiring employment unemployment career* "
     "job_hunting find_a_job part-time_job quit_the_job new_job fired layoff* self-introduction "
     "recommendation_letter job_application occupation profession vocation",
     "position apply applied resume salary experience qualification* hire* applicant graduated job "
     "degree advertisement employer interview unemployed career fired laid_off"},
    {Field::kWork,
     "office* work* business* meeting* project* report* colleague* boss promotion company "
     "contract* negotiation conference* presentation secretary overtime deadline fax_machine "
     "retirement raise leave business_trip speech schedule appointment",
     "office meeting boss report project manager company colleague* department work document* "
     "deadline client* contract conference secretary overtime promotion promoted business retire* "
     "working"},
    {Field::kStudy,
     "school* exam* study* studying english language* university college class* course* education "
     "learn* test* homework teacher* student* library essay* thesis lecture* math history "
     "graduat* major degree scholarship campus semester reading_skill chinese dictionary science "
     "philosophy biology physics cheat* procrastination dormitory dorm professor childhood "
     "vocabulary translation writing paper homesick",
     "exam* class classes teacher school homework study studying professor course* english grade* "
     "test university student* lecture library semester vocabulary paper term college graduat* "
     "learn* language campus major chinese essay dictionary pronunciation"},
    {Field::kHome,
     "house* apartment* rent* housing flat* repair* moving move furniture garden* housework home* "
     "roommate* landlord housekeeping decorat* cleaning neighbor* neighbour* kitchen room* "
     "household household_chores chore* laundry dish_washing tidy* burglar* heater fix_the_pipe "
     "air_conditioner refrigerator plumbing suburb* bedroom bathroom blackout get_up daily_routine "
     "interior furnishing",
     "apartment* rent landlord kitchen bedroom furniture lease bathroom utilities tenant roof "
     "garden sofa carpet furnished housework dishes clean* neighbor* house neighborhood move "
     "roommate* paint wall* window* curtain* laundry vacuum"},
    {Field::kLove,
     "love* dating date* break* divorce relationship* girlfriend* boyfriend* marriage marry "
     "propos* "
     "fall_in_love blind_date romance romantic breakup affair* couple valentine* crush engagement "
     "adultery break_up single ex-* flirt* jealous* confess* heartbroken cheat_on girls marital",
     "boyfriend girlfriend love date dating marry married divorce* broke_up break_up together "
     "wedding cheat* relationship engaged romantic kiss handsome attractive ex-boyfriend "
     "ex-girlfriend husband wife feelings"},
    {Field::kPeople,
     "family* birthday* wedding* invit* party parties friend* gift* anniversary christmas "
     "friendship child* parent* reunion gossip visit* guest* neighbor* halloween thanksgiving "
     "congratulat* farewell say_goodbye greeting* social* introduc* daily_casual_talk casual_talk "
     "apolog* argument* quarrel* compliment* gratitude surprise baby son daughter mother father "
     "brother sister twin* festival easter new_year* grand* personalit* character appointment "
     "good_news bad_news thank* hang_out meet* gathering celebrat* evening_plan plan* someone "
     "person people small_talk chat* daily_talk help* lie lying secret* joke* borrow* encourage* "
     "comfort* cheer_up worry advice promise* see_off phone_call persua* blame excuse* "
     "persuade_someone appearance misunderstanding marriage* pregnan* age go_dutch treat request",
     "party birthday wedding parents mother father brother sister gift friend* invite* family "
     "mom dad son daughter cousin aunt uncle tonight come_over guest* dinner christmas present* "
     "children baby kids sorry thank* surprise* news neighbor* friend's glad_to_see see_you "
     "long_time_no_see how_have_you_been goodbye drop_by pick_you_up meet_you promise*"},
    {Field::kSport,
     "sport* football basketball tennis golf swim* soccer baseball gym exercise* run* skiing ski* "
     "skat* fitness work_out workout volleyball ping-pong badminton bowling olympic* match* race "
     "hiking climbing mountain_climbing cycling bike* bicycl* jog* fish* yoga tai_chi marathon "
     "chess game team athlete* world_cup boxing horse* keep_fit competition",
     "team football basketball tennis swim* gym match play_golf golf soccer baseball ski* skating "
     "exercise player* race score* won win coach jogging run running bike volleyball championship "
     "climb* training olympic* workout"},
    {Field::kLeisure,
     "movie* film* music concert* hobb* dance dancing book* reading tv television show* weekend "
     "play theater theatre painting game* sing* song* guitar piano opera photo* picture* novel* "
     "magazine* newspaper* program* art exhibition* radio free_time spare_time leisure actor* "
     "band museum night_club karaoke cartoon* evening_activities puzzle* amusement_park circus "
     "dream* poem* poetry disco relax* entertainment pop_star oscars comics take_pictures picnic "
     "video_games saturday_plan weekend_plan hobby collecting flea_market watch_tv ticket* "
     "superstition palmistry fortune_telling horoscope magic",
     "movie* film* music song* concert dance dancing book* novel guitar piano show channel play "
     "program* theater actor* actress sing* band tv watch picture* camera read reading writer "
     "weekend painting museum game* magazine museum hobby hobbies story exhibition tickets"},
    {Field::kTechnology,
     "computer* internet phone* mobile* cell_phone* software email* e-mail* online* website* "
     "technolog* laptop* virus printer network robot* facebook blog* video machine* digital "
     "download* cellphone* dvd camera* invention* wifi search_engine* gadget* e-book* ipod "
     "informania information_overload web* cable telephone*",
     "computer* internet email* e-mail* software website* online laptop program* screen file* "
     "virus mouse keyboard download* cell_phone mobile_phone phone printer web password click "
     "digital disk messages technology network"},
    {Field::kCar,
     "car cars driv* traffic* parking vehicle* accident* car_accident commut* motorcycle* road "
     "driving_license driving_test ticket bus crowded_bus transportation taxi get_lost jam late "
     "being_late be_late traffic_jam speeding truck gas bike",
     "car drive driving traffic road driver accident license bus park parking highway brake* "
     "engine speed gas crash* truck late subway lane rush_hour jam wheel"},
    {Field::kPets, "pet* dog* cat* animal* bird* puppy rabbit* zoo fish_tank kitten* vet panda*",
     "dog dogs cat cats pet pets animal* bird* puppy kitten zoo elephant* feed rabbit tiger"},
    {Field::kNature,
     "weather climate rain* season* snow* wind* storm* summer winter spring autumn temperature "
     "nature plant* sun* sky star* space flower* tree* gardening earthquake flood* typhoon "
     "tornado cold_weather hot_weather beach countryside farm* universe mountain* scenery picnic "
     "forest hail beautiful_day outing walk disaster* volcano",
     "weather rain* sunny cold warm hot snow* wind windy summer winter spring autumn sky sun "
     "temperature degrees cloud* flower* tree* forecast umbrella storm* earth garden lake hill* "
     "stars moon outside"},
    {Field::kNews,
     "news politic* vote voting election* environment* pollution war crime* robbery government "
     "law president* society social_problem* religion* culture* cultural* history economy energy "
     "population global_warming tradition* custom* recycl* charity volunteer* protest* tax* "
     "unemployment countries racis* gender equality women's* wom* feminis* immigra* royal lincoln "
     "theft violence drug* terror* nuclear poverty strike privacy philosophy superstition "
     "one-child "
     "animal_protection save_the_environment fire police murder* gun* prison american america* "
     "fame famous newspaper",
     "news government president election vote* environment* pollution war police politic* law "
     "crime* country society economy newspaper world history culture robbed stolen thief killed "
     "candidate* power women tradition* public charity campaign custom* recycl* died"},
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
    if (phrase.ends_with("* ")) phrase.resize(phrase.size() - 2);
    std::replace(phrase.begin(), phrase.end(), '_', ' ');
    found += words.find(phrase) != words.npos;
    begin = end + 1;
  }
  return found;
}

}  // namespace

Field field_of(std::string_view topic, std::string_view talk, std::span<const Field> among) {
  const std::string of_topic = padded(topic), of_talk = padded(talk);
  Field best = Field::kAny;
  int most = 1;
  for (const FieldWords& words : kFields) {
    if (std::find(among.begin(), among.end(), words.field) == among.end()) continue;
    const int found = 4 * hits(of_topic, words.topic) + hits(of_talk, words.talk);
    if (found <= most) continue;
    most = found;
    best = words.field;
  }
  return best;
}

}  // namespace chatmem
