// Storylines of guests and travellers, and those who serve them.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kFood, Between::kCustomer, R"(
A: {hi} [I left my umbrella with you, I think.|I think I left an umbrella with you.] A grey one.
B: Yes, we have it. [It's behind the counter.|It stands behind the counter.]
A: Wonderful, [I'll come by for it|I'll pick it up].
= {A} asked {B} about a grey umbrella, which stood behind the counter.

&A: Thanks for keeping my umbrella. [It rained on the way home.|I needed it at once.]
B: [Just in time, then.|How fitting.]
A: [Exactly.|It was.]
= {A} thanked {B} for keeping the umbrella.

A: Do you have a table [in the corner|in a quiet corner] some evening? We'd be four.
B: On most evenings before seven, yes.
A: [Before seven is fine.|Then we'll come at six.]
= {A} asked {B} for a quiet table for four, and there was one on most evenings before seven.

&A: All four of us had a fine evening with you.
B: [That's good to hear.|I'm glad.] Was the corner quiet enough?
A: We were the loudest.
= {A} told {B} that all four had had a fine evening.

A: Does your kitchen do anything without [nuts|any nuts]? I'm asking for a guest.
B: [Most of it is without nuts.|Most dishes have none.] Tell us when you come, and the kitchen takes
  care.
A: [Thank you, I will.|I'll do that.]
= {A} asked about dishes without nuts for a guest, and {B} told {A} that most had none.

B: We have a new menu [since today|from today]. There is pumpkin soup.
A: [I love pumpkin.|Pumpkin is my favourite.] With ginger?
B: With ginger and a little orange.
= {B} told {A} about a new menu with pumpkin soup.

&A: I had the pumpkin soup. [Would you give me the recipe?|Is the recipe a secret?]
B: [The cook smiles and says nothing.|The cook keeps it to himself.] Only this much: roast the
  pumpkin first.
A: [That's the trick!|That already helps.]
= {A} asked for the recipe of the soup and learned only that the pumpkin was roasted first.

A: I've recommended you to my neighbours. [They'll come soon.|They want to come soon.]
B: [Thank you!|That's very kind.] Tell them to ask for the corner table.
A: [I'll tell them.|They will.]
= {A} told {B} of recommending the place to neighbours.
)"},
    {Field::kHotel, Between::kCustomer, R"(
A: {hi} [I'm missing a scarf.|I can't find my scarf.] Could it be with you? It's dark blue.
B: [I'll ask the housekeeping.|I'll have somebody look.] In which room were you?
A: [I'd have to look it up|It's in your books], on the quiet side.
= {A} asked {B} about a dark blue scarf, and {B} had somebody look for it.

&B: We've found your scarf. [It lay behind the chair.|It was behind the chair.]
A: [Thank goodness!|What a relief!] Can you send it to me?
B: Yes, it goes out today.
= {B} told {A} that the scarf had been found behind the chair and sent it.

&A: The scarf has arrived, thank you. [It even smelled fresh.|It's been washed, I think.]
B: [We washed it.|We thought we'd wash it.]
A: [That was kind.|That's service.]
= {A} thanked {B} for the scarf, which had been washed.

A: Could I have a copy of the bill? It's for my papers.
B: [I'll send it by mail.|You'll get it by mail.] To the address we have?
A: Yes, please.
= {A} asked {B} for a copy of the bill.

B: How did you like it with us? [An honest word helps us.|Please be honest.]
A: [The breakfast was very good.|I liked the breakfast.] The pillow was too soft.
B: We have firm ones too, just ask next time.
= {B} asked how {A} had liked the stay: the breakfast was good, the pillow too soft.

A: Do you have [a room with a balcony|rooms with a balcony] later in the year?
B: [Two of them.|There are two.] Outside the holidays one is mostly free.
A: Then I'll write to you again.
= {A} asked about a room with a balcony, and {B} had two.

A: Is it far from you to the [old town|centre] on foot?
B: A quarter of an hour, [along the river|by the river]. I'd walk.
A: [Then I'll walk.|Good, I like walking.]
= {A} asked about the way into town on foot, and {B} recommended the walk along the river.

B: We've made a list of places nearby where one eats well. May I send it to you?
A: [Yes, please.|Gladly.] Nothing too noisy, I hope.
B: [I've marked the quiet ones.|The quiet ones are marked.]
= {B} offered {A} a list of places to eat nearby.
)"},
    {Field::kTravel, Between::kCustomer, R"(
A: {hi} Could you send me [everything in writing|the details in writing]? I like to have it on
  paper.
B: [Certainly.|Of course.] You'll have it today.
A: [Thank you.|That's very kind.]
= {A} asked {B} for the details in writing.

&A: I have your letter, thank you. [Is the time on it the local time?|Is that the local time?]
B: Yes, [always local time|it's the local time, always].
A: Good, then I've understood it.
= {A} thanked {B} for the letter and made sure that it gave the local time.

A: May I take a folding bicycle along?
B: In a bag, yes. [It counts as luggage.|Then it counts as luggage.]
A: [I have a bag for it.|The bag I have.]
= {A} asked to take a folding bicycle along, and {B} allowed it in a bag.

B: Please be [a little early|there a little early] at the moment, the queues are long.
A: [How early is early?|How early?]
B: Half an hour more than usual.
= {B} recommended that {A} come half an hour early because of long queues.

A: It all went well. [I was there early, as you said.|I even had time for a coffee.]
B: [I'm glad.|That's good to hear.] And the staff?
A: Friendly, all of them.
= {A} told {B} that all had gone well and the staff had been friendly.

A: I think I've left my sunglasses behind. [Where do I ask?|Whom do I ask?]
B: [The lost property office.|At the lost property office.] They keep things for three months.
A: Then there's hope.
= {A} asked {B} about lost sunglasses and heard of the lost property office.

&A: They had my sunglasses! [And eleven others.|Next to eleven others.]
B: [Lucky you.|That's lucky.] Not a scratch?
A: [Not one.|None.]
= {A} told {B} about getting the sunglasses back.

B: May I ask you for a line on how you liked our service?
A: [You were quick and patient.|Quick, and patient with me.]
B: [Thank you.|That will please us all.] We hope to see you again.
= {B} asked for a line on the service, and {A} found it quick and patient.
)"},
    {Field::kFood, Between::kCustomer, R"(
A: {hi} I'd like to celebrate my father's birthday at your place. Would you have room for eight?
B: [In the back room, yes.|Yes, in the back room.] On which day?
A: A Saturday. I'll let you know which one.
= {A} asked {B} about room for eight for {a's} father's birthday; there was the back room.

&B: I'm filling the book for the back room. Do you know your Saturday?
A: The last one of the month, at seven.
B: [It's yours.|Then it's yours, for eight.]
= {A} took the back room for the last Saturday of the month, at seven.

A: Two of us don't eat meat. Is that a problem?
B: Not at all. There are three dishes without meat[, and the cook likes a challenge|].
A: [That will please them.|Very good.]
= {A} told {B} about two guests who ate no meat, and three dishes fitted.

A: May we bring our own cake?
B: Of course. We keep it cool and bring it in [with the candles lit|with candles on it].
A: That's exactly what I hoped.
= {A} asked to bring a cake, and {B} offered to bring it in with candles.

A: Thank you for the birthday dinner. My father [talks of nothing else|was delighted].
B: We enjoyed it too. He shook hands with the whole kitchen.
A: [That's my father.|He does that.]
= {A} thanked {B} for the birthday dinner, which had delighted {a's} father.

&B: Somebody left a pair of glasses on your table that evening.
A: [My uncle!|They're my uncle's.] He's been looking for them everywhere.
B: They're at the bar, [whenever he comes by|he can come any time].
= {B} told {A} about glasses left on the table; they belonged to {a's} uncle.

B: On Fridays we have music now. [I thought of you.|Perhaps that's something for you.]
A: What kind of music?
B: A piano and a double bass, nothing loud.
= {B} told {A} about quiet music on Fridays.

A: What goes into your house dressing? My sister keeps asking.
B: Mustard, honey and a little orange juice. [The rest stays here.|More I may not say.]
A: That's enough to try it.
= {A} asked for the dressing, and {B} named mustard, honey and orange juice.
)"},
    {Field::kFood, Between::kCustomer, R"(
A: {hi} Do you also do lunch to take away? I work [round the corner|nearby].
B: From half past eleven. Write to us, and it's ready when you come.
A: [Then I'll do that.|That suits me well.]
= {A} asked {B} about lunch to take away, which could be ordered by message.

A: One vegetable soup with bread for a quarter past twelve, please.
B: [Noted.|It'll be ready.] Anything to drink?
A: No, thank you, just the soup.
= {A} ordered a vegetable soup with bread for a quarter past twelve.

B: How do you like our lunches? [Be honest.|Please be frank.]
A: The soups are excellent. The sandwiches have too much mayonnaise.
B: I'll tell the kitchen.
= {B} asked about the lunches: {A} praised the soups and found too much mayonnaise in the
  sandwiches.

&A: Less mayonnaise today! I noticed.
B: [The cook took it to heart.|The cook will be glad you did.]
A: Please thank the cook for me.
= {A} noticed that there was less mayonnaise and asked {B} to thank the cook.

A: Could I order for five of us? It's for the office.
B: [Of course.|With pleasure.] If you write before ten, it's no trouble.
A: Then you'll have our list before ten.
= {A} asked to order for five, and {B} wanted the list before ten.

&B: Were your colleagues content with their lunch?
A: Very. Two of them want to order for themselves from now on.
B: [The more, the better.|That's the best praise.]
= {B} asked about the lunch for five, and the colleagues had been very content.

B: There are cards now, and every tenth lunch is free. Shall I make you one?
A: Yes, please. [Do the old lunches count?|I must be at eight already.]
B: I've stamped five of them for you.
= {B} made {A} a card with five stamps; every tenth lunch was free.

A: You won't see me for a while, I'm on leave.
B: [Enjoy it.|Have a good rest.] The soup will be here when you're back.
= {A} told {B} about being on leave for a while.
)"},
    {Field::kHotel, Between::kCustomer, R"(
A: {hi} I'd like to book with you once more, for two nights. Is there a quiet room?
B: Yes, [the rooms to the courtyard are the quietest|one to the courtyard].
A: Then one of those, please. I'll send you the dates.
= {A} asked {B} for a quiet room for two nights, and {B} recommended the courtyard.

&B: The room to the courtyard is booked for you. Will you come by car?
A: Yes, by car. [Is there somewhere to park?|Where may I park?]
B: There is a garage, and I've kept a place for you.
= {B} booked {A} the room to the courtyard and kept a place in the garage.

A: We have to leave before seven. Is there breakfast at that hour?
B: Not yet, but we'll pack you a bag. [Coffee too?|With coffee?]
A: [That would be perfect.|Yes, please, with coffee.]
= {A} had to leave before seven, and {B} offered to pack a breakfast.

&A: Thank you for the breakfast bag. We had it [at the station|on the way].
B: Was the coffee still hot?
A: [It was.|Hot enough.]
= {A} thanked {B} for the packed breakfast; the coffee had still been hot.

B: You've slept in the courtyard room now. Was it quiet enough?
A: [Yes.|Perfectly.] All I heard was a blackbird in the morning.
B: We can't do anything about the blackbird.
= {B} asked about the courtyard room: all {A} had heard was a blackbird.

A: My parents think of staying with you for a week. Is there a discount?
B: Ten per cent from the fifth night on.
A: [They'll like that.|I'll tell them.] They'll write to you themselves.
= {A} asked about a longer stay for {a's} parents: ten per cent less from the fifth night on.

&B: Your parents have written to us. They'll come in the quiet season.
A: [Please give them the courtyard.|They'd love the courtyard too.]
B: It's theirs.
= {B} told {A} that the parents had written, and they got the courtyard too.

B: We're painting the first floor this season. If you come, I'll put you on the third.
A: Thank you for telling me. [I don't mind stairs.|The third is fine with me.]
= {B} told {A} about painters on the first floor and offered rooms higher up.
)"},
    {Field::kTravel, Between::kCustomer, R"(
A: {hi} How much luggage may I take? I'd like to pack sensibly.
B: One large suitcase and one small bag for each person.
A: [That's plenty.|I'll manage with that.]
= {A} asked {B} about luggage: one large suitcase and one small bag.

A: Would an aisle seat be possible? I have long legs.
B: I've made a note of it. [It costs nothing extra.|There's no charge for that.]
A: [Thank you.|My knees thank you.]
= {A} asked for an aisle seat, and {B} made a note of it.

B: The departure has been moved by twenty minutes.
A: [Earlier or later?|To an earlier time?]
B: Later. Everything else stays as it is.
= {B} told {A} that the departure would be twenty minutes later.

A: I'm back. [It was well organized.|Everything went as planned.]
B: I'm glad to hear it. And the weather?
A: Two days of rain, and sun for the rest.
= {A} told {B} about being back: all had been well organized, with two days of rain.

&B: Would you write two lines about your trip for our page?
A: [Gladly.|Yes.] May I mention the driver? He was very patient.
B: He'll be proud of it.
= {B} asked for two lines about the trip, and {A} wanted to mention the patient driver.

A: I'm looking for something short for two people, without flying.
B: By train to the coast, perhaps? I'll send you two suggestions.
A: [The coast sounds good.|I like the coast.]
= {A} asked for a short trip for two without flying, and {B} thought of the coast.

&B: Here are the two: a hotel at the harbour, or a guesthouse on the hill.
A: The guesthouse, please. [I like to look down on the boats.|The view decides it.]
B: Then I'll reserve it.
= {B} named a hotel and a guesthouse, and {A} chose the guesthouse on the hill.

B: Our new brochure is out. [Shall I send you one?|May I send it to you?]
A: Yes, please. I like to leaf through it in the evening.
= {B} offered {A} the new brochure.
)"},
    {Field::kRide, Between::kCustomer, R"(
A: {hi} Could I book a car for a ride to the airport?
B: [Of course.|Certainly.] At what time, and with how much luggage?
A: Early in the morning, with two suitcases. I'll send you the day.
= {A} asked {B} for a ride to the airport, early in the morning with two suitcases.

&B: About your ride to the airport: when shall the car be there?
A: At half past five. [Please don't ring, they're asleep here.|But please don't ring the bell.]
B: It will wait in front of the door.
= {A} ordered the car for half past five, without ringing.

&A: Thank you, the car was there [to the minute|on the dot]. I was the first at the gate.
B: Good. And the flight?
A: Bumpy, but on time.
= {A} thanked {B}: the car had been on time, and the flight bumpy.

A: I think I've left my gloves in the car. Brown ones.
B: [They're here.|They were on the back seat.] You can get them at our office.
A: [I'm glad they're found.|Thank you, I'll come by.]
= {A} asked about brown gloves, which had been found in the car.

A: My mother comes to visit. Could somebody pick her up at the station?
B: Yes. How do we recognise her?
A: By a red hat and far too many bags.
= {A} asked {B} to have {a's} mother picked up at the station.

&B: Your mother has been brought home safely, with all her bags.
A: She told me. She knows everything about the driver now.
B: [And the driver about her garden.|He said the same.]
= {B} told {A} that the mother had been brought home safely.

B: You can pay by card in all our cars now.
A: [At last.|That's good.] I never have change.
= {B} told {A} that one could pay by card now.

A: Do you have a car with room for a bicycle?
B: One of them has a rack. [Say so when you book.|Just tell us in time.]
A: I will, thank you.
= {A} asked about a car for a bicycle, and one had a rack.
)"},
};

}  // namespace

std::span<const Storyline> guest_storylines() { return kStorylines; }

}  // namespace chatmem
