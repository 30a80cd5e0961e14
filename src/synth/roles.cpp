#include "synth/roles.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "synth/dialogue.h"
#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

// What speaks for a relation. A line is where the phrases stand, what each is worth, and phrases
// with "|" between them:
//   T of the topic, S of the summary ({a} and {b} are the two), A said by A, B said by B, X said by
//   either.
// A line that begins with a blank goes on with the one before. A phrase stands between ends of
// words; with "*" at its end any ending may follow, " * " is any one word, and one with "^" at its
// beginning is nobody's ("my mom, "). Phrases of one line
// count up to three times its worth, of the topic once, so that no list outweighs who says what.
struct RelationCues {
  Between between;
  std::string_view lines;
};
constexpr RelationCues kCues[] = {
    {Between::kPatient, R"(
T 3 doctor|dentist|doctor's|check-up|checkup|x-ray|diagnosis|physical exam*|medical|patient|nurse
T 1 illness|stomachache|toothache|headache|ailment|flu|fever|cold|medicine|sick|hospital|pain|
  pharmacy
S 4 {b} examines|{b} diagnoses|{b} prescribes|{b} gives {a} a prescription|
  {b} gives {a} some medicine|{b} treats {a}|{b} suggests {a} take medicine|
  {a} goes to see the doctor|{a} sees the doctor|{b} checks {a}
S 3 the doctor|the dentist|doctor|medical department|symptoms|registers with
A 4 doctor,|, doctor|dr.|doctor.|doctor?
A 2 pain*|hurts|fever|sore throat|a cough|throw up|headache*|dizzy|toothache|stomachache|
  stomach ache|rash|my back|swollen|registration office|symptoms
B 4 seems to be the|what's the trouble|where does it hurt|open your mouth|take your temperature|
  your blood pressure|how long have you had|let me examine|examine you|prescription|prescribe|
  take this medicine|any allergies|allergic to any|say ah|your sleeve|run some tests|your symptoms|
  other symptoms|let me have a look at your|times a day|deep breath*|cavity|take some blood|
  your pulse|your appetite|had this before
B 2 x-ray|medicine|pills|surgery|fever|infection|injection|flu|shot|lie down
)"},
    {Between::kApplicant, R"(
T 6 job interview
T 5 interview|an interview|interviewing
T 3 job application|recruitment|applicant|apply for a job|employment
T 4 social benefits|fringe benefits|company benefits
T 2 self-introduction|work experience|education background|resume|salary|interview*
S 8 {a} comes to {b} for an interview|for an interview as requested
S 4 {b} interviews {a}|{b} is interviewing {a}|{a} applies for|{a} is applying for|interviewing {a}|
  {a} is interviewed|{a} wants to apply|{a} comes to apply|{a} comes for|{b} interview {a}|
  {a} is having an interview|{b} asks {a} about {a}'s|{a}'s interview with {b}|
  {a} has an interview with {b}
S 2 position|applicant|qualified|experience|the job
A 4 for the interview|applying for|your advertisement|my last job|my previous job|my former company|
  work for your company|to interview|interviewing me|interview me
A 2 my major|this job|the position|your ad|your company|i graduated from|i majored in|apply for the|
  my resume
B 4 jobs have you had|your previous company|your previous employer|tell me about yourself|
  about yourself|why do you want to work|why should we hire|should i hire|
  your previous job|your last job|your present job|your current job|your strength*|
  greatest strength|strong points|your weakness*|your resume|your greatest|salary expect*|
  expected salary|salary do you expect|why did you leave your|work experience|working experience|
  in touch with you|your qualifications|our decision|educational background|your education|
  apply for this|this position|interested in our company|know about our company|
  interested in working for|application form|your references|are you applying|interested in working|
  working for our company|why you are interested|why are you interested|your chief responsibility|
  you've been employed|full-time employment
B 2 your major|your cv|experience do you have|have you worked|salary|under pressure|team player|
  your degree|foreign language*|when can you start|overtime
)"},
    {Between::kInterviewed, R"(
T 3 interview*
T 2 survey|questionnaire|program*|show|news|celebrity|writer|reporter
S 3 {b} interviews {a}|{b} is interviewing|reporter|journalist|program*|audience|host|survey|
  questionnaire|listeners|{a} is interviewed|is invited to|special guest|guest|
  answers some questions|magazine
B 9 our listeners|our viewers|our readers|my readers
B 5 our program*|our viewers|our audience|our readers|tonight's guest|our guest|
  today's guest|welcome to the show|for joining us|on our show|from channel|reporter|our magazine|
  the school newspaper|school paper|listeners|viewers|the studio|on the program*|doing a survey|
  a survey|questionnaire|ask you a few questions|answer a few questions|some questions about your|
  with us today|with us tonight|with us in the studio|congratulations on your new|our show|
  interview you|with us now|welcome to you and|tell our|special guest|we have invited|joining us|
  doing a study|daily magazine|magazine|journalist|our show today|today we are talking|
  our city program|my readers|how many books have you written|your latest|your new book|
  your new film|today we have|welcome to the program|thank you for being here|our interview
)"},
    {Between::kStudent, R"(
T 4 letter of recommendation|recommendation letter|application for degree
T 2 course*|registration|enroll*|term paper|teacher*|thesis|essay|lecture|class|library|assignment|
  school application|presentation|homework|test result*
S 8 the professor|{b}'s office hours
S 4 {b}'s class|{b} teaches {a}|{a}'s advisor|{a}'s teacher|{b}'s student*|{b} asks {a} to hand in|
  {b} tells {a} about the course*|teacher
S 2 course*|paper|class|homework|assignment
A 5 , teacher|your seminar|professor
A 2 my paper|my essay|my thesis|an extension|my grade*|my advisor|this course|the assignment|
  register|my application|drop the|your class|your course|your lecture*
B 4 your paper|your essay|your homework|my class|my course|your assignment|term paper|
  my office hours|your books|your dissertation|your thesis|your attendance|students must|
  you will need to register|your advisor|credits|required course*|the syllabus|class is over|
  your student id
B 2 your grade*|your exam|your score*|this class|hall pass
)"},
    {Between::kEmployee, R"(
T 3 ask for leave|asking for leave|raise|pay raise|resign*|boss|dictation|secretary|sick leave|
  work arrangement|leave|performance
T 2 schedule|promotion|quit the job|company rules|late for work|being late|be late|work|
  business trip|arrangement
S 4 {b} wants to send {a}|{b} sends {a} to|
  {b}'s secretary|{a} reports to {b}|{b} fires|{b} promotes|{a} asks {b} for a raise|
  {a} asks {b} for leave|{a} asks for leave|{b} approves|{a} resigns|{a}'s boss|{b} dictates|
  {b}'s employee|{a} wants to quit|{b} orders {a} to|{a} asks for a raise|{b} criticizes {a}|
  {a} wants to resign|{b}sacks|{b} sacks|{b} dismisses|{b} gives {a} some tasks|{a} gets fired|
  {a} works for {b}|{a} is fired|{a} explains why {a} is late|{a}'s salary|a day off|
  {b} asks {a} why {a} is late
S 2 boss|employee|company|report|{b} asks {a} to|{b} wants {a} to
A 4 , boss|boss,|yes, sir|right away, sir|, sir|day off|days off|ask for leave|to resign|a raise|
  pay rise|my resignation|sick leave|come to work today|at once, sir|my salary|leave early|i quit|
  my raise|come in late|you wanted to see me|you wanted to see me, sir|call in sick|take a day off|
  two weeks' notice|vacation time
B 4 on a business trip|
  take a memo|take a letter|you're fired|fire you|promote you|your performance|type this|
  make copies|copies of|on my desk|on your desk|i want you to|my schedule|my appointments|
  late again|you're late|be late again|your report|your resignation|our company needs|cancel my|
  arrange a meeting|into my office|in my office|to my office|i'd like you to|your work has|
  in this company|leave early|i can't give you|let you go|you needn't come|your desk|get this done|
  finalized|i need it by|by friday|the company can't|i'm sorry to tell you that you|
  why are you late|on my schedule|your complaints
)"},
    {Between::kColleagues, R"(
T 5 colleague*|coworker*|co-worker*
T 3 office talk|work overtime|office romance|fax machine|copy machine|photocopier|new employee|
  new colleague|business card|company|overtime|promotion|boss
T 2 office|work|meeting|project|business trip|presentation|business|job|report|deadline|conference|
  company rules
S 3 colleague*|coworker*|{a} and {b} work together
S 1 boss|office|company|project|meeting|manager|department|work*
X 2 our boss|the boss|our department|the department|our company|our manager|the manager|the office|
  this office|our project|the project|the deadline|overtime|work late|the report|this quarter|
  our client*|the client*|the photocopier|the copier|the copy machine|fax|conference room|
  sales department|the meeting|staff|coworker*|co-worker*|colleague*|work here|working here|
  promoted|headquarters|the company|head office|lunch break|coffee break|personnel|our sales|
  candidates|requisition|marketing strategy|the figures|demographic*|presentation|sales figures|
  market share|the contract|training session*|memo|the manual|the ceo|our customers
)"},
    {Between::kBusiness, R"(
T 6 business negotiation|commercial negotiation|business negociation|establishing business relations
T 5 business talk
T 4 negotiation*|trade|packing|quotation|joint venture|letter of credit
T 3 business conversation|business cooperation|cooperation|contract|sample*|agent|agency|deal|
  shipment|order goods|price negotiation|bargain over|product*|business
S 3 negotiat*|{a} wants to order|{b} offers {a} a discount|{b}'s company|{b}'s products|
  {b}'s factory|{b}'s offer|{b}'s price|the contract|shipment|business|cooperate|l/c|discount|
  delivery|goods|{b} wants to introduce|consignment|insurance|samples|packing|quotation|agent|
  agency|market
S 2 company|price*|order*|contract|product*
A 2 your offer|your price*|your products|we'd like to order|we want to order|your catalog*|
  your quotation|your sample*|your factory|your delivery|we'd like to place|you can deliver|
  reduce the price|reduce your price|bring down
B 2 our price*|we can offer|our products|our factory|we offer|our catalog*|our sample*|
  our best price|we can deliver|your order|our commission|our usual|our quotation
X 3 your firm|l/c|letter of credit|shipment|c.i.f*|cif|fob|f.o.b*|our products|your products|
  your product|our product|your offer|our offer|our prices|your prices|your price|our price|
  quotation*|bulk|catalog*|dozen|the contract|our agent*|your agent*|terms of payment|payment terms|
  commission|joint venture|our factory|your factory|manufactur*|cooperation|place an order|
  large order|delivery date|business relation*|your corporation|our corporation|sales volume|
  the goods|our customers|your market|our terms|guarantee* the
)"},
    {Between::kTenant, R"(
T 3 rent*|rent an apartment|house renting|find an apartment|find a house|see a house|buy a house|
  housing|house hunting|look for an apartment|apartment hunting|buying a house|room rent*|flat|
  apartment*|house
S 4 {a} wants to rent|{a} is looking for an apartment|{a} rents|{a} will rent|landlady|{a}'s rent|
  {a} wants to see the apartment|{a} wants to buy a house|{b} shows {a} the apartment|
  {b} shows {a} the house|{b} shows {a} around|{a} is looking for a house|
  {a} calls {b} to ask about the apartment|{b} introduces the apartment|tenant|{a} decides to rent|
  {a} asks {b} about the apartment|{a} wants an apartment|{b} comes to fix {a}'s|{b} will fix|
  {b} to fix
S 1 rent|apartment|house
A 4 you advertised|the rent|furnished|about the apartment|see the apartment|the apartment for rent|
  look at the apartment|look at the house|utilities|the lease|looking for a house|
  looking for a flat|rent a house|rent an apartment|rent a room|a room to|move in|your ad|
  three-bedroom*|two-bedroom*|a housing go for|plumbing problem*|leaking pipe|the ad said|
  letting us have|rent was
A 3 i'm looking for an apartment|i am looking for an apartment|i'm moving out|moving out
B 4 the rent|lease|utilities|tenant*|per month|move in|square feet|square meters|furnished|
  two bedrooms|the living room|the apartment has|our apartments|show you around|show you the|
  security deposit|real estate|vacancy|here's the lease|sign the lease|the deposit|your apartment|
  your rent|the building manager
B 2 a month|mortgage
X 3 counter-offer|counteroffer|the owners|home inspection|the seller|real estate
)"},
    {Between::kCustomer, R"(
T 3 order food|check in|check-in|check out|check-out|checkout|hotel service|room service|
  bank service|open an account|buy clothes|restaurant service|book a room|bargain*|refund|
  pay the bill|haircut|at the restaurant|order drinks|book a ticket|buy a ticket|withdraw money|
  deposit money|currency exchange|currency*|reservation|room reservation|take a taxi|rent a car|
  ordering food|food order*|reserve a room|buying clothes|send a parcel|delivery|
  after-sales service|borrow books|shopping|laundry|bookstore|clothing store|taxi|buy tickets|
  cash the check|change money|credit card|make a reservation|book a table|order a meal|
  order the meal|rail service|tour guide|shop|customer*|seat*|restaurant|flight
T 2 buy*|purchase|order*|book*|hotel|bank|boarding|restaurant|account|loan|ticket*|exchange|repair*|
  washing|luggage|insurance
T 1 complaint
S 4 {b} takes {a}'s order|{a} orders|{a} wants to buy|{a} buys|{a} books|{a} reserves|{a} checks in|
  {a} checks out|{b} helps {a} check|{a} wants to order|{a} wants to open|{a} pays|
  {a} wants to return|{a} wants to exchange|{a} comes to buy|{b} serves|{a} would like to buy|
  {a} wants to book|{a} decides to buy|{a} decides to take|{b} sells|{a} bargains|{a} will take|
  {a} wants to send|{a} wants to cash|{a} purchases|{a} wants to have|{a} takes a taxi|{b} drives|
  {a} wants to withdraw|{a} wants to deposit|{a} wants a refund|{a} complains to|
  {a} asks {b} to change|{a} wants to borrow|{a} wants to change|{a}'s order|{a} has {a}'s|
  {b} will take {a} to|{a} asks {b} to put|{a}'s room|{b} packs|{b} repairs|{b} fixes|
  {a} asks for a room|{a} wants a room|{a} rents|{b} gives {a} a discount|{b} helps {a} to|
  {a} with {b}'s assistance|with {b}'s help|with {b}'s assistance|{a} gets a|
  {a} makes a reservation|{a} needs a|{b} cuts|{a} asks for a refund|{b} charges|{a} wants to rent|
  {a} wants to get|{a} would like|{b} persuades {a} to buy|{a} decides to have|{a} wants {b} to
S 2 {b} helps {a}|{b} assists {a}|{b} recommends|{b} shows {a}|{b} checks|{b} offers {a}|
  {b} introduces
A 8 that'll be all|that will be all|that's all, thank
A 4 like to order|like to check in|check out|like to buy|open an account|like to book|
  make a reservation|like to reserve|i'll take it|i'll take them|i'll take this|i'll take that|
  i'll have the|i'll have a|do you have any|can i try|may i try|the menu|waiter|waitress|a refund|
  like a room|to exchange|the bill|check, please|like to return|want to buy|like to send|
  like to cash|like to withdraw|need to withdraw|like to deposit|like to change|a haircut|
  just looking|take me to|
  give me a discount|have a reservation|a table for|a single room|a double room|i'd like some|
  i'd like a|how much do you charge|have them delivered|keep the change|do you accept|
  speak to the manager|like to complain|bring our bill|could i get|can i get|doggie bag*|
  i bought here|i bought in your|in your shop|your store|your hotel|your bank|your shop|
  your restaurant|my order|my account|my credit card|fill it up|to rent a car|i'd like my|my room|
  my flight|i'd like two|send it to|i ordered|my hair|my nails|manicure|is my car|my package|
  this parcel|this letter|airmail|registered mail|a library card|check out this book|
  check out these books|borrow this book|put an ad|for two, please|a ticket to|tickets for|
  two tickets|one ticket|i would like to|how long does it take to|fix it|repair it|i need to send|
  need a room|a wake-up call|i arranged|you arranged|my reservation|cancel my|change my|my luggage|
  debit card
A 3 how much is|how much are|how much does|how much will|how much would|i'm looking for|
  can you recommend|too expensive|do you have this|do you sell|looking for some|can i have|
  could i have|may i have
B 5 can i help you|could i help you|may i help you|how may i help|can i be of|how can i help you|
  help you with|can i do for you|can i get for you|take your order|may i take your|ready to order|
  like to order|are you being helped|are you being served|here's your change|here is your change|
  your bill|cash or credit|cash or charge|will that be all|will that be cash|anything else, sir|
  what size|try it on|fitting room|next please|at your service|sign here|this form|
  for here or to go|your room number|kind of room|your receipt|see your ticket|
  how will you be paying|like to pay|would you care for|would you like to try|
  how would you like your|boarding pass|we accept|that'll be|that will be|it comes to|your account|
  where to|smoking or non-smoking|here is your key|your reservation|how many nights|front desk|
  have you decided|in your party|would you like some dessert|what color do you|the total is|
  per night|your luggage|the special*|we're sold out|fully booked|window seat|one way or|one-way or|
  welcome to our|welcome to lincoln|welcome to iba|our store|our hotel|our shop|our bank|
  our restaurant|your order|bring you|what kind of * would|did you find everything|out of stock|
  sold out|handling fee*|service charge|business counter|is your car|your meal|this way please|
  this way, please|your membership|your card, please|may i have your name|your ticket, please|
  your seat is|show you to your|your steak|your prescription is|our service*|our special*|
  we can deliver|how many tickets|i can give you a discount|have a look around|latest model|
  in our stock|check-in|checkout time|our guests|our customers|we offer|wait a moment, sir|
  one moment, please|fund|your deposit|your tire*|full service|your hair|do you need any help
B 4 excess baggage|insurance plan|full coverage|like to insure
B 3 certainly, sir|certainly, madam|yes, sir|sir|madam|ma'am|we have|discount|on sale|please wait|
  anything else|change|best seller|popular|thank you for coming in|i'll take a look at
X 1 dollars|yuan|pounds|discount|receipt|credit card|how much|customer*|may i|reservation|rmb|
  free of charge|service
)"},
    {Between::kCaller, R"(
T 6 leave a message
T 3 wrong number|telephone message|phone message|take a message|make a call|transfer a call
T 2 phone call|a call|call|telephone*|connect*
S 4 {a} calls to find|{b} takes a message|{b} takes the message|{a} leaves a message|
  leaves a message|leave a message|{a} wants to speak|wrong number|{a} calls to speak|
  is not available|isn't available|not in|isn't in|{b} will tell|{b} answers|{b} will pass|
  phones to find|{a} phones|is out|not at home|isn't home
A 4 could i speak|can i speak|may i speak|this is * calling|leave a message|that i called|
  to call me|call me back|ask him to|ask her to|tell him|tell her|give him a message|
  give her a message|is that|here. is|is * there by any chance|this is directory|the number for|
  wrong number
A 2 speak with|speak to
B 9 wrong number
B 4 speaking.|who's calling|who is calling|who's speaking|may i ask who|take a message|
  leave a message|hold the line|hold on, please|on another line|isn't in|is not in|
  not in not here right now|out put you through|connect you|not home|have him call|have her call|
  that is out of|not available|isn't here|line is busy|on the other line|transfer you|
  not at his desk|not at her desk|he is away|she is away|i am afraid not|directory assistance|
  no listing|he's away|she's away|just stepped out|stepped out|gone for the day|won't be back until|
  my message
B 2 at the moment|will be back|you called|extension|on vacation|out to lunch
)"},
    {Between::kCitizen, R"(
T 4 customs|speeding|theft|arrest|court|immigration|visa|traffic violation|police report|
  report a crime|fine
T 2 robbery|burglary|crime|lost*|parking|ticket|accident|driving test|driving license|passport|
  stolen|car accident
S 4 policeman|policewoman|police officer|customs|{b} gives {a} a ticket|{b} fines|{b} stops {a}|
  {b} arrests|officer|{b} pulls {a}|immigration|{b} checks {a}'s passport|the court|visa|
  interrogates|statement|declaration|arrests|the robber|the thief
S 3 {b} questions {a}|{b} interrogates|{b} suspects
A 8 officer,|, officer|officer.|officer!
A 5 officer|your honor|like to report|report a|was stolen|been stolen|been robbed|my visa
A 2 police
B 5 pulled you over|your license|driver's license|your passport|to declare|were speeding|
  you a ticket|under arrest|out of the car|purpose of your|how long will you be staying|
  how long are you going to stay|immigration|the witness|your visa|open your bag|the suspect|
  your registration|speed limit|a fine|the robber|the thief|police station|can't park here|filing a|
  police department|passport, please|declaration form|your statement|in your luggage|the courtroom|
  ask you to leave|your vehicle|i'm going to have to ask you|filled out the declaration|
  are you carrying|a traveling visa|parking illegally|no-parking|towed|tow your car|you parked
B 4 plead|guilty|where were you
B 2 the accident|the law|the crime|security|your name is|the police|last night
)"},
    {Between::kWayfarer, R"(
T 6 ask directions|ask for directions|ask the way
T 4 directions|direction|the way|way|ask for direction*|street direction*
T 2 take a bus|bus|subway|route|bus stop|lost|transportation|stranger|ask for help
S 4 {a} the way|{a} asks {b} how to get|{a} asks {b} the way|{b} shows {a} the way|
  {b} tells {a} the way|{b} tells {a} how to|{a} asks for directions|{b} gives {a} directions|
  {a} is lost|{b} directs {a}|{a} for directions|{b} for directions|{a} asks {b} where|
  {b} shows {a} how to get|{a} asks {b} the direction*|{a} gets lost
S 2 directions|direction|bus
A 4 how to get to|the way to|do i get to|i get to|i get there|can i get to|where is the nearest|
  nearest|am i on the right|i'm lost|i am lost|lost my way|which bus|where can i catch|near here|
  where's the|where is the|how far is it|is it far|new here|does this bus|what bus|where can i find|
  is there a
B 4 go straight|turn left|turn right|blocks|block|traffic light*|can't miss it|across from|
  on the corner|take bus|the number|walk along|go down|on your left|on your right|a stranger here|
  minutes' walk|straight ahead|the second street|get off|this road|opposite|next to the|bus stop|
  keep walking
)"},
    {Between::kStrangers, R"(
T 3 first meeting|first meet*|introduction*|meet for the first time|small talk|on the plane|
  on the train|meeting new people|self-introduction|making friends|make friends|introduce*|
  get to know each other|know each other|stranger*|online chatting
T 1 greeting*|conversation|social meeting|nationality|name*
S 4 for the first time|strangers|{a} meets {b}|{a} and {b} meet|introduces himself|
  introduces herself|get to know each other|introduce themselves|{a} introduces {a}|know each other|
  sits next to|meets at|meet at|first trip|are strangers
X 4 nice to meet you|pleased to meet you|glad to meet you|nice meeting you|pleasure to meet you|
  we've met|this seat taken|where are you from|where do you come from|have we met|what's your name|
  sitting here|if i sit|may i sit|do you come here often|live around here|are you a student|
  for a living|how do you do|we haven't met|let me introduce myself|i don't believe we|
  are you american|first time here|first visit|i'm from|what do you do|do you mind if i sit|
  mind if i sit|is this your first|here on business|next to you|where are you heading|
  are you here on|sitting next to
)"},
    {Between::kCouple, R"(
T 4 couple|husband|wife|proposal|family budget|honeymoon
T 2 family talk|family conversation|family|quarrel|marriage|housework|baby|children|anniversary|
  home|before-bed*|move|new house
S 4 {a}'s husband|{a}'s wife|{b}'s husband|{b}'s wife|couple|{a} and {b}'s|their son|their daughter|
  their children|their baby|their marriage|their wedding|{a} proposes|their own home|their kids|
  their house|their child|his wife|her husband
X 5 , honey|honey,|honey!|honey?|darling,|, darling|darling.|sweetheart|, sweetie|, my love|
  marry me|our son|our daughter|our kids|our children|our baby|our wedding|our honeymoon|
  our anniversary|i love you|our marriage|my mother-in-law|your parents are|our own home
X 2 the kids|the baby|dear,|, dear|my dear
)"},
    {Between::kChild, R"(
T 2 mother|father|family*|parent*|mom|dad|son|daughter|family member*
T 1 homework|get up|school|clean*|housework|breakfast|pocket money|allowance|curfew
S 5 {a}'s mother|{a}'s father|{a}'s mom|{a}'s dad|{a}'s mum
S 2 mother|father|mom|dad|mum|mommy|daddy|{b}'s son|{b}'s daughter|{b}'s child
A 6 , mom|^mom,|^mom!|^mom?|^mom.|, mum|^mum,|^mum!|^mum?|^mommy|^mummy|, dad|^dad,|^dad!|^dad?|
  ^dad.|^daddy|, mother|^mother,|, father|^father,
B 9 how was school|time to do your homework|you're home late|up for school
B 4 my son|, son|son,|your homework|clean do your homework|brush your teeth|young lady|
  your father and i|your mother and i|your dad and i|your mom and i|, sweetie|sweetie,|grounded
B 2 my boy|my girl|honey|young man|go to bed|your father|your mother|your room|dear,|, dear|
  eat your|finish your
)"},
    {Between::kFriends, R"(
T 6 interview preparation|after interview|job interview preparation
T 5 conversation between friends|between friends|friends|old friend*|friend
T 3 gossip|dinner invitation|party invitation|hang out|movie invitation|concert invitation|
  dance invitation|lunch invitation|break up|weekend plan*|evening plan|saturday plan|love life|
  date|dating|girlfriend|boyfriend|roommate*|daily casual talk|casual talk|social casual talk|
  daily talk|casual chat|daily conversation|birthday*|movie*|film*|music|sports|hobb*|fall in love|
  party|vacation plan*|holiday plan*|weekend*|picnic|school life|exam|campus
S 8 {a} and {b} are looking for|{a} and {b} are seeing|{a} and {b} are satisfied|{a} and {b} go|
  {a} and {b} are going|{a} and {b} are planning|{a} and {b} are choosing|{a} and {b} enjoy|
  {a} and {b} think|{a} and {b} are having|{a} and {b} have a meal|{a} and {b} are taking|
  {a} and {b} are waiting|{a} and {b} are eating
S 4 {a} and {b}|{b} and {a}
S 3 invites {a}|invites {b}|{a} and {b} talk about|{a} and {b} are talking about|
  {a} and {b} discuss|{a}'s friend|{b}'s friend|{a} and {b} plan|{a} and {b} will|
  {a} and {b} decide|{a} and {b} are friends|roommate*|classmate*
X 9 have an interview tomorrow|going for an interview|the interviewer*|go for an interview
X 2 hey|dude|guys|my boyfriend|my girlfriend|our class|roommate*|come over|tonight|let's go|
  long time no see|old friend*|buddy|how have you been|what's up|how's it going|what are you up to|
  guess what|did you hear|do you remember|my mom|my parents|my mother|my sister|my brother|wanna|
  gonna|you look|pick you up|i've been thinking|this weekend|are you doing|cheer up|you know what|
  don't worry|my dad|my husband|my wife|our school|classmate*|what's wrong|i heard|come on|
  good idea|sounds great|sounds good|going on|kidding|joking|congratulations|i bet
X 1 i think|why don't you|why don't we|let's|really?|what do you think
)"},
};

// Strangers talk so, without a cue that says who is what.
constexpr std::string_view kDistant =
    "sir|madam|ma'am|dollars|yuan|passport|receipt|discount|credit card|customer*|your name|"
    "welcome to|ladies|reservation";

// In these both sides use the same words.
bool speak_alike(Between between) {
  return between == Between::kBusiness || between == Between::kInterviewed;
}

// What a relation must reach: less is a word that happens to be there. Clear: nothing speaks for
// friends, little for another relation or for the two the other way round.
int enough_for(Between between, bool clear) {
  switch (between) {
    case Between::kFriends:
      return 5;
    case Between::kChild:  // nobody else is called Mom
    case Between::kColleagues:
      return 6;
    case Between::kStrangers:
      return 8;
    case Between::kCaller:
      return clear ? 7 : 9;
    default:
      return clear ? 7 : 10;
  }
}
// By how much more than for friends must speak for another relation, without and with both of the
// two calling each other by first names.
constexpr int kFriendsMargin = 5, kFirstNamesMargin = 12;
// By how much a clear relation leads all others.
constexpr int kClearMargin = 3;
// A relation that falls short of enough by less than this is still a doubt about the others.
constexpr int kDoubt = 4;

// "Mr. Lee", "Doctor Carter": whom friends would call otherwise.
bool has_title(std::string_view name) { return is_title(name.substr(0, name.find(' '))); }

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)); }

// The words of a text by their hashes: what has no bit here is not in it.
using WordBits = std::bitset<4096>;
constexpr size_t kNoWord = size_t(-1);
// Of the word that begins at text[at], which is a letter or digit.
size_t word_bit(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && in_word(text[end])) end++;
  return hash64(text.substr(at, end - at)) % WordBits().size();
}

struct SearchText {
  std::string text;  // lower case
  WordBits words;
  SearchText() = default;
  explicit SearchText(std::string lower) : text(std::move(lower)) {
    for (size_t i = 0; i < text.size(); i++)
      if (in_word(text[i]) && (i == 0 || !in_word(text[i - 1]))) words.set(word_bit(text, i));
  }
};

struct CuePhrase {
  std::string text;
  bool open_end = false, nobodys = false;
  size_t first = kNoWord;  // bit of its first word, where that stands whole
};
struct CueLine {
  char where;
  int worth;
  std::vector<CuePhrase> phrases;
};
struct Cues {
  Between between;
  std::vector<CueLine> lines;
};

// Separated by "|", also at the end.
void add_phrases(std::string_view text, std::vector<CuePhrase>& phrases) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('|', begin), text.size());
    CuePhrase phrase{std::string(text.substr(begin, end - begin))};
    if (phrase.text.ends_with('*')) {
      phrase.text.pop_back();
      phrase.open_end = true;
    }
    if (phrase.text.starts_with('^')) {
      phrase.text.erase(0, 1);
      phrase.nobodys = true;
    }
    CHECK(!phrase.text.empty());
    const bool one_word = std::all_of(phrase.text.begin(), phrase.text.end(), in_word);
    if (in_word(phrase.text[0]) && !(one_word && phrase.open_end))
      phrase.first = word_bit(phrase.text, 0);
    phrases.push_back(std::move(phrase));
    begin = end + 1;
  }
}

const std::vector<Cues>& all_cues() {
  static const std::vector<Cues> kAll = [] {
    std::vector<Cues> all;
    for (const RelationCues& relation : kCues) {
      Cues cues{relation.between, {}};
      const std::string_view lines = relation.lines;
      for (size_t begin = 1; begin < lines.size();) {
        const size_t end = lines.find('\n', begin);
        const std::string_view line = lines.substr(begin, end - begin);
        begin = end + 1;
        const bool goes_on = line[0] == ' ';
        CHECK(goes_on ? !cues.lines.empty() : line.size() > 4 && line[1] == ' ' && line[3] == ' ');
        if (!goes_on) cues.lines.push_back({line[0], line[2] - '0', {}});
        add_phrases(line.substr(goes_on ? 2 : 4), cues.lines.back().phrases);
      }
      all.push_back(std::move(cues));
    }
    return all;
  }();
  return kAll;
}

// Whether the word before is "my", "Ann's" or the like.
bool is_owned(std::string_view text, size_t at) {
  while (at > 0 && text[at - 1] == ' ') at--;
  const std::string_view before = text.substr(0, at);
  static constexpr std::string_view kOwners[] = {"my",    "your", "his", "her", "our",
                                                 "their", "the",  "a",   "'s"};
  return std::any_of(std::begin(kOwners), std::end(kOwners), [&](std::string_view owner) {
    return before.ends_with(owner) && (owner[0] == '\'' || before.size() == owner.size() ||
                                       !in_word(before[before.size() - owner.size() - 1]));
  });
}

bool has(const SearchText& searched, const CuePhrase& phrase) {
  if (phrase.first != kNoWord && !searched.words[phrase.first]) return false;
  const std::string& text = searched.text;
  const size_t gap = phrase.text.find(" * ");
  const std::string_view what = std::string_view(phrase.text).substr(0, gap);
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) {
    size_t end = at + what.size();
    if (gap != phrase.text.npos) {  // one word, then the rest
      const std::string_view rest = std::string_view(phrase.text).substr(gap + 2);
      end = text.find(' ', end + 1);
      if (end == text.npos || !std::string_view(text).substr(end).starts_with(rest)) continue;
      end += rest.size();
    }
    const bool begins = !in_word(what[0]) || at == 0 || !in_word(text[at - 1]);
    const bool ends = phrase.open_end || !in_word(phrase.text.back()) || end == text.size() ||
                      (!in_word(text[end]) && text[end] != '-');
    if (begins && ends && !(phrase.nobodys && is_owned(text, at))) return true;
  }
  return false;
}

// Lower case; "Let' s" is "let's".
std::string plain(std::string_view text) {
  std::string made;
  for (const char c : to_lower_ascii(text)) {
    if (c == ' ' && !made.empty() && (made.back() == ' ' || made.back() == '\'')) continue;
    made += c == '\n' ? ' ' : c;
  }
  return made;
}

struct Texts {
  SearchText topic, you, other;
  std::array<SearchText, 2> summary;  // the reader as {b}, as {a}
};

Texts texts_of(const FirstTalk& first) {
  Texts texts;
  texts.topic = SearchText(plain(first.topic));
  std::string you, other_said;
  for (const Line& line : first.lines)
    (line.speaker == kReader ? you : other_said) += plain(line.text) + " \n ";
  texts.you = SearchText(std::move(you));
  texts.other = SearchText(std::move(other_said));
  for (const bool a_is_you : {false, true}) {
    const char* const reader = a_is_you ? "{a}" : "{b}";
    const char* const other = a_is_you ? "{b}" : "{a}";
    // The reader is the first placeholder.
    std::string text = without_placeholders(first.summary, {{1, reader}, {2, other}});
    text = replace_name(text, first.callers.other_name, other);
    if (!first.callers.you.empty()) text = replace_name(text, first.callers.you, reader);
    texts.summary[a_is_you] = SearchText(plain(text));
  }
  return texts;
}

struct Score {
  int shared = 0;  // by cues that do not say who is who
  int sided = 0;
  int total() const { return shared + sided; }
};

Score score_of(const Cues& cues, const Texts& texts, bool a_is_you) {
  Score score;
  for (const CueLine& line : cues.lines) {
    int n = 0;
    for (const CuePhrase& phrase : line.phrases) {
      const SearchText& a = a_is_you ? texts.you : texts.other;
      const SearchText& b = a_is_you ? texts.other : texts.you;
      n += line.where == 'T'   ? has(texts.topic, phrase)
           : line.where == 'S' ? has(texts.summary[a_is_you], phrase)
           : line.where == 'A' ? has(a, phrase)
           : line.where == 'B' ? has(b, phrase)
                               : has(a, phrase) || has(b, phrase);
    }
    const int most = line.where == 'T' ? 1 : 3;
    (line.where == 'T' || line.where == 'X' ? score.shared : score.sided) +=
        line.worth * std::min(n, most);
  }
  return score;
}

size_t questions_in(const std::string& text) {
  return size_t(std::count(text.begin(), text.end(), '?'));
}

// Where no cue says so: those who examine ask more, and the others began the talk, but for the
// caller, whose call is answered first.
bool a_may_be_you(Between between, const FirstTalk& first, const Texts& texts) {
  if (between == Between::kApplicant || between == Between::kInterviewed ||
      between == Between::kCitizen || between == Between::kPatient)
    return questions_in(texts.you.text) < questions_in(texts.other.text);
  const bool began = !first.lines.empty() && first.lines[0].speaker == kReader;
  return began != (between == Between::kCaller);
}

bool is_symmetric(Between between) {
  return between == Between::kFriends || between == Between::kCouple ||
         between == Between::kColleagues || between == Between::kStrangers;
}

// Whether they talk as strangers do.
bool is_distant(const Texts& texts) {
  static const std::vector<CuePhrase> kAloof = [] {
    std::vector<CuePhrase> phrases;
    add_phrases(kDistant, phrases);
    return phrases;
  }();
  return std::any_of(kAloof.begin(), kAloof.end(), [&](const CuePhrase& phrase) {
    return has(texts.you, phrase) || has(texts.other, phrase);
  });
}

// "Lucy, come here!": how many of the two call the other by a first name.
int first_names_in(const FirstTalk& first, const Texts& texts) {
  const auto calls = [](const std::string& name, const SearchText& text) {
    return is_given_name(name) && has(text, {to_lower_ascii(name)});
  };
  return calls(first.callers.other, texts.you) + calls(first.callers.you, texts.other);
}

struct Candidate {
  Between between;
  int total;
  std::optional<bool> a_is_you;
  bool one_sided;  // little speaks for the two the other way round
};

std::vector<Candidate> candidates_of(const FirstTalk& first, const Texts& texts) {
  std::vector<Candidate> candidates;
  for (const Cues& cues : all_cues()) {
    const Score as_b = score_of(cues, texts, false), as_a = score_of(cues, texts, true);
    const bool a_is_you = as_a.sided == as_b.sided ? a_may_be_you(cues.between, first, texts)
                                                   : as_a.sided > as_b.sided;
    const Score &score = a_is_you ? as_a : as_b, &swapped = a_is_you ? as_b : as_a;
    const bool alike = is_symmetric(cues.between);
    // One who serves, asks or teaches says or does something that the other does not.
    if (!alike && as_a.sided == as_b.sided && score.shared < 5) continue;
    // Two who speak alike of it: "Your flat?", "Mine has two bedrooms." Who trade may well do so.
    if (!alike && !speak_alike(cues.between) && score.shared < 10 &&
        5 * swapped.sided >= 3 * score.sided)
      continue;
    int total = score.total();
    if (cues.between == Between::kFriends) total += 3 * first_names_in(first, texts);
    candidates.push_back({cues.between, total, alike ? std::nullopt : std::optional(a_is_you),
                          2 * swapped.sided <= score.sided});
  }
  return candidates;
}

}  // namespace

Relation relation_of(const FirstTalk& first) {
  const Texts texts = texts_of(first);
  const std::vector<Candidate> candidates = candidates_of(first, texts);
  const int first_names = first_names_in(first, texts);
  const auto friends = std::find_if(candidates.begin(), candidates.end(), [](const Candidate& c) {
    return c.between == Between::kFriends;
  });
  CHECK(friends != candidates.end());
  const auto is_clear = [&](const Candidate& c) {
    return c.one_sided && friends->total < 4 && first_names == 0 &&
           std::all_of(candidates.begin(), candidates.end(), [&](const Candidate& d) {
             return d.between == c.between || d.total + kClearMargin <= c.total;
           });
  };
  const Candidate* best = nullptr;
  int doubt = 0;  // the most that speaks for a relation that does not reach
  for (const Candidate& c : candidates) {
    if (c.total >= enough_for(c.between, is_clear(c))) {
      if (!best || c.total >= best->total) best = &c;
    } else if (c.a_is_you) {
      doubt = std::max(doubt, c.total);
    }
  }
  // Who goes somewhere together or is on first-name terms is a friend unless much speaks for
  // something else.
  const int margin = first_names > 1 ? kFirstNamesMargin : kFriendsMargin;
  const bool of_roles = best && best->a_is_you && best->between != Between::kChild;
  if (of_roles && best->total < friends->total + margin) best = &*friends;
  if (best && best->between != Between::kFriends) return {best->between, best->a_is_you};
  const bool titles = has_title(first.callers.you) || has_title(first.callers.other_name);
  const bool sure = best ? doubt <= best->total : doubt < kDoubt && !is_distant(texts);
  return {Between::kFriends, std::nullopt, sure && !titles};
}

}  // namespace chatmem
