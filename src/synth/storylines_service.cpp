// Storylines of food, hotels, travel, shops and encounters.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kFood, Between::kFriends, R"(
A: {hi} [I want to learn to bake bread.|I've decided to bake my own bread.] Have you ever done it?
B: [Once.|Only once.] It was as hard as a stone.
A: [Then mine can only be better.|We'll see what mine is like.]
= {A} told {B} about wanting to bake bread; {b's} own had once been as hard as a stone.

A: My first bread is out of the oven. [It's flat|It's rather flat], but it tastes of bread.
B: [That's something.|Taste is what matters.] Did you let it rise?
A: An hour.
B: Give it [a night|the whole night].
= {A} baked a flat first bread, and {B} recommended letting it rise for a night.

&A: A night in the fridge, and the bread is twice as high!
B: [You see?|There you are!] Keep me a slice.
A: [There are two slices left.|You'd better be quick.]
= {A} told {B} that a night in the fridge had made the bread twice as high.

B: What do you put into your bread?
A: Flour, water, salt, [and lately walnuts|and walnuts, lately].
B: [Walnuts!|With walnuts I'd eat it all.]
= {B} asked what went into the bread: flour, water, salt, and lately walnuts.

A: There is half a loaf for you, [it's wrapped up in a cloth|wrapped in a cloth].
B: You're a treasure. [I'll bring the cheese.|I have cheese.]
A: [And I the butter.|Then we have everything.]
= {A} had half a loaf for {B}, and {B} offered cheese.

&B: Your bread didn't last until the evening.
A: [That's praise.|That's the best praise.] What did you have with it?
B: [Nothing.|Nothing at all.] It didn't need anything.
= {B} praised {a's} bread, which had not lasted until the evening.

A: I burnt a loaf. [I was on the phone.|I forgot it while I was on the phone.]
B: [Black all over?|Can you save it?]
A: Only the birds will get it.
= {A} told {B} about burning a loaf while on the phone.

A: I haven't bought bread since I started[, not once|, not a single loaf].
B: [The baker will miss you.|Poor baker.]
A: I still buy his cake.
= {A} told {B} about not having bought any bread since.
)"},
    {Field::kFood, Between::kServed, R"(
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
    {Field::kFood, Between::kAnyone, R"(
A: {hi} Talking of food: [do you know something quick for an evening|what do you cook when time is
  short]?
B: Noodles with lemon and a little cheese. [Ten minutes.|It takes ten minutes.]
A: [That's just what I need.|I can do that.]
= {A} asked {B} for something quick to cook, and {B} recommended noodles with lemon.

&A: I made your noodles with lemon.
B: [And?|How did you like them?]
A: I took too much lemon, [but I ate them all|and ate them all the same].
= {A} told {B} about making the noodles with too much lemon.

B: Where do you buy your vegetables?
A: At the market, [shortly before it closes|just before it closes]. They give you more then.
B: [Good to know.|I always come too early.]
= {B} asked where to buy vegetables, and {A} recommended the market shortly before it closed.

&B: I went to the market late. I came home with [six cabbages|half a dozen cabbages].
A: [What do you do with six cabbages?|All for you?]
B: Soup. For everybody I know.
= {B} told {A} about coming home from the market with six cabbages.

A: I've tried a dish I'd never had, [black beans with rice|rice with black beans].
B: [Was it hot?|Hot?]
A: Very. I drank a jug of water.
= {A} told {B} about a very hot dish of black beans and rice.

B: How do you keep rice from sticking?
A: [I rinse it until the water is clear.|Rinse it until the water stays clear.]
B: [So that's it.|I've never done that.]
= {B} asked how to keep rice from sticking, and {A} recommended rinsing it.

A: I had guests and cooked three courses.
B: [Three!|All by yourself?] Did they like it?
A: They asked for more of the second. [Nobody touched the third.|The third was for nobody.]
= {A} told {B} about cooking three courses for guests.

A: I've started a folder with recipes. Your noodles are on page one.
B: [I'm honoured.|That's an honour.] How many are there?
A: [Eleven.|Eleven so far.]
= {A} told {B} about a folder with eleven recipes, with the noodles on page one.
)"},
    {Field::kHotel, Between::kServed, R"(
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
    {Field::kTravel, Between::kFriends, R"(
A: {hi} I'm thinking of [a few days by a lake|a few days at a lake]. Just me, a book and a boat.
B: That sounds lovely. [Which lake?|Do you know where?]
A: [A small one in the hills.|One in the hills, a small one.] The train goes there.
= {A} told {B} about thinking of a few days by a small lake in the hills.

A: I've found a room by the lake[. The landlady sounds nice|, with a nice landlady].
B: [Does it look onto the water?|Can you see the water?]
A: If you lean out of the window.
= {A} told {B} about finding a room by the lake.

A: What would you pack for the lake?
B: [A raincoat.|A raincoat first of all.] Lakes in the hills make their own weather.
A: [You're no comfort.|I'd hoped for sun.]
= {A} asked {B} what to pack, and {B} recommended a raincoat.

&A: I've packed. Three books and the raincoat.
B: [And something to swim in?|No swimsuit?]
A: [At the very bottom.|That too.]
= {A} told {B} about packing three books and the raincoat.

B: How was it at the lake?
A: [Quiet.|Wonderfully quiet.] I read two books and rowed every morning.
B: [I'm envious.|You make me envious.] And the weather?
A: [It rained twice.|I needed the raincoat.]
= {B} asked {A} about the lake: {a} had read two books and rowed every morning.

&B: Do you have pictures of the lake?
A: [About a hundred.|A hundred or so.] In most of them there's a duck.
B: Show me the ones with the duck.
= {B} asked for pictures of the lake, and {A} had about a hundred, most with a duck.

B: I'd like to get away for a few days as well.
A: [Go by train.|Take the train.] The holiday begins when you sit down.
B: [That's true.|I like that thought.]
= {B} wanted to get away for a few days, and {A} recommended the train.

A: I keep a list of places for next time. [There are twelve by now.|It's twelve by now.]
B: [What is at the top?|And the first one?]
A: An island without cars.
= {A} told {B} about a list of twelve places, with an island without cars at the top.
)"},
    {Field::kTravel, Between::kServed, R"(
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
    {Field::kTravel, Between::kAnyone, R"(
A: {hi} How do you pack [with only one bag|so that one bag is enough]? I never manage.
B: I lay everything out and put half of it back.
A: [Half!|That's brave.] I'll try.
= {A} asked {B} how to pack only one bag, and {B} recommended putting half of everything back.

A: Do you read on the train or [look out of the window|watch the land go by]?
B: [I look out.|The window.] I can read at home.
A: [So do I.|Me too, mostly.]
= {A} asked {B} about reading on trains: {b} preferred the window.

B: I met somebody on the train who has [never flown|never been on a plane].
A: [On purpose?|Out of fear?]
B: "Too fast," he said. "The soul comes after on foot."
= {B} told {A} about a traveller who had never flown.

A: I was in the next town for a day, [just like that|without a plan].
B: [What is there to see?|And, is it nice?]
A: A bridge, a church and very good cake.
= {A} told {B} about a day in the next town, with very good cake.

&B: I went to that next town too. You were right about the cake.
A: [Which did you have?|Which one?]
B: [The one with plums.|Plum cake.]
= {B} told {A} about trying the plum cake in that town.

B: Which map do you use?
A: [A paper one|One of paper], for the whole picture. The phone for the last corner.
B: [That's sensible.|I do it the same way.]
= {B} asked about maps, and {A} used paper and the phone.

A: I've sent a postcard again, the first in years.
B: [To whom?|And to whom?]
A: To myself. [I wanted to see if it arrives.|To see whether it comes.]
= {A} told {B} about a postcard sent to {a's} own address.

&A: My postcard has arrived.
B: [How long did it take?|And how long was it on its way?]
A: Two days[. I was pleased to hear from me|, and I was really pleased].
= {A} told {B} that the postcard had arrived after two days.
)"},
    {Field::kShopping, Between::kFriends, R"(
A: {hi} [I've bought a coat.|I have a new coat.] Now I don't know if the colour suits me.
B: [What colour is it?|Which colour?]
A: Dark red. [In the shop it was brown.|It looked brown in the shop.]
= {A} told {B} about a new coat of dark red and doubts about the colour.

A: You've seen the coat now. [Be honest.|Honestly?]
B: Keep it. [It makes you look awake.|You look awake in it.]
A: [Then I'll cut off the tag.|All right, the tag comes off.]
= {A} asked {B} for an honest word on the coat, and {B} recommended keeping it.

B: Do you wear the red coat?
A: Every day. A stranger asked me where I'd got it.
B: [You see?|I told you so.]
= {B} asked about the coat, and {A} wore it every day.

A: A button came off my coat[ on the third day| already].
B: [Take it back to the shop.|Do you still have the button?] They'll sew it on.
A: [I can sew on a button.|I'll do it myself.] I think.
= {A} told {B} about a button that had come off the coat.

&B: Did you sew on the button?
A: Yes, with blue thread. [Nobody looks that closely.|I had no red.]
B: I will now.
= {B} asked about the button, which {A} had sewn on with blue thread.

B: The shop with the coats has a sale. [Half price.|Everything is half price.]
A: [Don't tell me.|Oh no.] I paid the full price.
B: [Then take me along for advice.|I'll need your advice there.]
= {B} told {A} about a sale at the shop with the coats.

&A: What did you find at the sale?
B: [A green scarf.|A scarf, a green one.] It goes with nothing I have.
A: It goes with my coat!
= {A} asked {B} about the sale: {b} had found a green scarf.

A: I've given away three old jackets. [There's room in the wardrobe.|My wardrobe closes again.]
B: [For what?|What will you put there?]
A: Nothing. [I like the room.|It stays empty.]
= {A} told {B} about giving away three old jackets.
)"},
    {Field::kShopping, Between::kServed, R"(
A: {hi} [Until when are you open on weekdays?|How long are you open on weekdays?]
B: [Until seven.|We close at seven.] Are you looking for something else?
A: Yes, a birthday present. [I have no idea yet.|I don't know what yet.]
= {A} asked {B} about the opening hours and was looking for a birthday present.

A: What would you give somebody who likes to cook?
B: [We have good knives.|A good knife.] Or an apron, if you want to be safe.
A: [An apron, then.|The apron sounds safe.]
= {A} asked {B} for a present for somebody who liked to cook, and {a} chose an apron.

&A: The apron was a success[, thank you for the idea|. Thank you for the idea].
B: [I'm glad.|That's lovely to hear.] Was the colour right?
A: Quite right.
= {A} told {B} that the apron had been a success.

B: We've got new goods in. [Some things for the kitchen too.|There are things for the kitchen as
  well.]
A: [Do you have a small teapot?|Is there a small teapot?]
B: Three. I'll put one aside for you.
= {B} told {A} about new goods and put a small teapot aside.

&A: I came for the teapot, but you weren't there. [Your colleague helped me.|I got it from your
  colleague.]
B: [Good.|Very well.] Does it pour without dripping?
A: [Not a drop.|It doesn't drip at all.]
= {A} told {B} about picking up the teapot, which did not drip.

A: Do you wrap things as presents?
B: Of course, [it costs nothing|for nothing]. Blue or white paper?
A: Blue, please.
= {A} asked {B} whether things were wrapped as presents, and chose blue paper.

A: I told a friend about your shop. [She'll come by.|She's coming by soon.]
B: [Thank you!|That's kind of you.] Does she look for anything special?
A: [She never knows before.|She finds out when she sees it.]
= {A} told {B} about recommending the shop to a friend.

B: Our sale begins soon. [I thought you might like to know.|You're the first to know.]
A: [Are there tablecloths in it?|Tablecloths too?]
B: Yes, and towels.
= {B} told {A} about the sale, with tablecloths and towels.
)"},
    {Field::kShopping, Between::kAnyone, R"(
A: {hi} Where do you look when you need [a good pair of shoes|good shoes]?
B: [In small shops.|At a small shop.] They let you walk up and down in them.
A: [Then I'll go to a small shop.|That's worth something.]
= {A} asked {B} where to buy good shoes, and {B} recommended small shops.

&A: I've found shoes, in a small shop, as you said.
B: [Do they fit?|Are they comfortable?]
A: [Like a glove.|As if I'd always had them.]
= {A} told {B} about finding shoes that fitted in a small shop.

B: How do you keep from buying [too much|things you don't need]?
A: I sleep on it. If I've forgotten it in the morning, I didn't need it.
B: [Simple.|That's wise.]
= {B} asked how not to buy too much, and {A} recommended sleeping on it.

A: I went to the flea market [for a lamp|to find a lamp].
B: [And came home with a chair?|And, did you find one?]
A: I came home with a clock. [It doesn't go.|It stands still.]
= {A} told {B} about a clock that did not go, from the flea market.

&B: Does your clock from the flea market go?
A: [Since yesterday.|Since last night.] I shook it.
B: [Whatever works.|That's how it's done.]
= {B} asked about the clock, which had begun to go after {A} shook it.

A: Do you keep receipts?
B: In a shoebox. [I've never needed one.|I've never looked for one.]
A: [You'd need one if there were no box.|That's because you have the box.]
= {A} asked {B} about receipts: {b} kept them in a shoebox.

B: I've bought a second pair of the same trousers. [Is that dull?|Am I getting old?]
A: [No, it's clever.|It's clever.] They stop making the good ones.
B: That's what I thought.
= {B} told {A} about buying the same trousers twice.

A: I bought nothing all week, except food[. It was easy|, and it was easy].
B: [And how do you feel?|Did you miss anything?]
A: [Richer.|I feel richer.]
= {A} told {B} about a week of buying nothing but food.
)"},
    {Field::kEncounter, Between::kServed, R"(
A: {hi} [Nice to have met you.|It was nice to meet you.] I didn't expect to be in touch again.
B: [Neither did I.|Nor did I.] Have you got everything you needed?
A: I have[, thank you|. Thank you].
= {A} wrote to {B} that it had been nice to meet.

A: May I ask you something else? I'm looking for a good bakery [in these parts|around here].
B: [There's one near the station.|The one near the station.] Ask for the rye bread.
A: [Thank you, I will.|I'll find it.]
= {A} asked {B} for a good bakery, and {B} recommended the one near the station.

&A: I found the bakery, and the rye bread.
B: [Did you like it?|How was it?]
A: [I've been there three times now.|I've gone back twice.]
= {A} told {B} that the rye bread had been worth finding.

B: [Do you know your way around by now?|Are you finding your way around?]
A: [Better and better.|More and more.] I got lost only once this week.
B: [Getting lost is how one learns a place.|That's how one learns it.]
= {B} asked {A} about finding the way around; {a} had got lost only once.

A: Somebody asked me the way today, [and I knew the answer|and I knew it].
B: [Then you belong here.|So now you are the guide.]
A: I was rather proud.
= {A} told {B} about being asked the way and knowing the answer.

A: Which bench has the best view [in your opinion|here]?
B: The one behind the church. [Go in the evening.|In the evening.]
A: [Then I know where I'll be tonight.|I'll go tonight.]
= {A} asked {B} for the best view, and {B} named the bench behind the church.

&A: I sat on the bench behind the church [until it was dark|until dark].
B: [And the view?|Did I promise too much?]
A: [You didn't promise too much.|It was everything you said.]
= {A} told {B} about sitting on the bench behind the church until dark.

B: I saw somebody in the street today and thought it was you.
A: [Where?|Was it me?]
B: By the post office, in a yellow coat.
A: I don't have a yellow coat.
= {B} thought {b} had seen {A} in a yellow coat, but it had been somebody else.
)"},
    {Field::kEncounter, Between::kServed, R"(
A: {hi} You'll remember me from {talk}. [I hope it's all right to write.|I hope I may write.]
B: [Of course.|Certainly.] What can I do for you?
A: [Is there a market in town?|Do you know of a market in town?]
B: Yes, in the square, in the mornings.
= {A} wrote to {B} with a question: there was a market in the square in the mornings.

&A: The market is lovely. I bought [too many apples|more apples than I can carry].
B: [They keep well.|Apples keep.] Did you see the honey?
A: I have two jars of it.
= {A} told {B} about the market, where {a} had bought apples and honey.

A: Is there a library that lends to newcomers?
B: [Yes, you only need something with your address.|You only need proof of your address.]
A: [That I have.|A letter will do, I hope.]
= {A} asked {B} about a library, and {B} explained what one needed.

&A: I have a library card now. [They were very friendly.|It took two minutes.]
B: [What did you borrow?|And the first book?]
A: A book on birds.
= {A} told {B} about the new library card and a book on birds.

B: There's [a concert|music] in the park this evening. It's free.
A: [Thank you for telling me!|How kind of you to think of me.] Does one bring a chair?
B: A blanket is better.
= {B} told {A} about free music in the park.

A: When do the buses stop here in the evening?
B: [Shortly before midnight.|A little before midnight.] After that you walk.
A: [Walking is healthy.|Then I'd better watch the clock.]
= {A} asked {B} how late the buses went: until shortly before midnight.

B: [Did you find somebody to talk to?|Have you met people?]
A: A woman at the market knows my name.
B: [Then you've arrived.|That's a beginning.]
= {B} asked {A} about meeting people, and a woman at the market knew {a's} name.

A: I've told my family about you. [A friendly stranger, I said.|I called you the friendly stranger.]
B: [I've been called worse.|I like that.]
A: [It was meant kindly.|It's a title.]
= {A} told {B} of a report to the family about a friendly stranger.
)"},
};

}  // namespace

std::span<const Storyline> service_storylines() { return kStorylines; }

}  // namespace chatmem
