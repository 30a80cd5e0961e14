// Storylines of health, home, family and friends, and leisure.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kHealth, Between::kFriends, R"(
A: {hi} [I've decided to go to bed earlier|I've made up my mind to go to bed earlier]. Last night I
  was in bed at ten.
B: [And did you sleep?|Did it help?]
A: No, I lay there and looked at my phone until midnight.
= {A} told {B} about going to bed at ten and then looking at the phone until midnight.

A: The phone stays in the kitchen at night now.
B: [What do you use as an alarm?|And how do you wake up?]
A: I bought a little alarm clock. [It's awfully loud.|It's loud enough for the whole street.]
= {A} told {B} that the phone now stayed in the kitchen at night and that {a} had bought a loud
  little alarm clock.

B: [How is the sleeping going?|Are you still going to bed early?]
A: Better. Last night I fell asleep [at half past ten|before eleven].
B: [That's early for you!|I'm impressed.]
= {B} asked {A} about the early nights, and they were going better.

A: I've stopped drinking coffee after lunch.
B: [Isn't that hard?|I couldn't do that.] What do you drink instead?
A: Peppermint tea. [It's better than I expected.|I've come to like it.]
= {A} told {B} about drinking peppermint tea instead of coffee in the afternoon.

&B: I tried your peppermint tea in the afternoon.
A: [And?|How was it?]
B: [I missed my coffee|I'd rather have coffee], but I slept well.
= {B} told {A} about trying peppermint tea too; {b} had missed the coffee but slept well.

A: Bad night{,n}. I watched three episodes of a series and went to bed at two.
B: [One late night won't hurt.|That happens to everyone.] Just go to bed on time tonight.
A: I will. [I could sleep right now.|I'm yawning as I write this.]
= {A} admitted to {B} that {a} had watched a series until two in the morning.

A: This morning I woke up before the alarm clock, [for the first time in years|I can't believe it].
B: So it works! [How do you feel?|Are you less tired?]
A: Much less tired. [I even had time for breakfast.|There was even time for a real breakfast.]
= {A} told {B} about waking up before the alarm and feeling much less tired.

B: You've talked me into it. [I go to bed at eleven now.|My lights are out at eleven now.]
A: [Wonderful!|Good for you!] How is it?
B: My evenings are shorter, but the mornings are nicer.
= {B} told {A} about going to bed at eleven now and enjoying the mornings more.
)"},
    {Field::kHealth, Between::kFriends, R"(
A: {hi} I've started to write down everything I eat[, every single day|, down to the last biscuit].
B: [Everything? Why?|What for?]
A: I want to know where all the sugar comes from.
= {A} told {B} about writing down every meal to find out where all the sugar came from.

B: What does your food list say so far?
A: Too many biscuits[, mostly in the afternoon|, and always in the afternoon].
B: [Mine would look the same.|I'd rather not see mine.]
= {B} asked what the food list showed, and {A} admitted to too many biscuits in the afternoon.

A: There is a bowl of apples on my desk now[ instead of biscuits|, and no biscuits].
B: [And do you eat them?|Does it work?]
A: Two a day, so far.
= {A} told {B} about keeping apples on the desk and eating two a day.

A: [Do you know|Do you have] a good soup without much work{,n}?
B: Carrots, ginger and a potato. [Twenty minutes|It takes twenty minutes], and it keeps for three
  days.
A: [Thanks, I'll try that.|That sounds easy enough for me.]
= {A} asked {B} for an easy soup, and {B} suggested carrots, ginger and a potato.

&A: I made your carrot soup.
B: [How was it?|Did it turn out well?]
A: [A bit too much ginger|Rather hot, I took too much ginger], but I finished the pot.
= {A} told {B} that the carrot soup had got too much ginger, but {a} had finished it.

A: Yesterday I didn't write down a thing.
B: [Was it that bad?|What happened?]
A: There was a birthday with three kinds of cake. [I start again today.|Today I begin again.]
= {A} told {B} about a day without the food list because of a birthday with three cakes.

B: Are you still writing your list[?|, or have you given up?]
A: Only on weekdays now. I think I know the rest by heart.
B: [That's a good sign.|Then it has done its job.]
= {A} told {B} that {a} kept the food list only on weekdays now.

A: I've had more energy lately[, I really notice it|, it's quite a difference].
B: [Good to hear!|I'm glad!] Then the list was worth it.
A: It was. [Thank you for asking about it.|And thanks for keeping me at it.]
= {A} told {B} of having more energy lately, and you both found that the list had been worth it.
)"},
    {Field::kHealth, Between::kServed, R"(
A: {hi} [Could you send me|Would you send me] the main points of {talk} in writing? I'm
  afraid I'll forget half.
B: Of course. [I'll put them in a short note.|You'll get a short note from us.]
A: Thank you[, that helps a lot|, that's very kind].
= {A} asked {B} for the main points of that talk in writing, and {B} promised a short note.

&A: The note has arrived, thank you.
B: [Is everything clear?|Can you read it all?]
A: Yes, [it's on my fridge now|I've put it on the fridge].
= {A} thanked {B} for the note, which now hung on {a's} fridge.

B: Hello. [I just wanted to ask how you are.|I'm writing to ask how you are getting on.]
A: [Not bad, thank you|Quite all right, thanks]. I'm keeping to what you told me.
B: [Good.|I'm glad.] Write down anything that seems unusual to you.
= {B} asked how things stood with {A} and recommended writing down anything unusual.

A: I'd like to come by again. When is it least busy?
B: [Early in the morning, just after eight.|Mornings, right after eight.]
A: [Then I'll come early.|Eight suits me well.]
= {A} asked when it was least busy, and {B} recommended coming just after eight.

&A: Thanks for seeing me so early.
B: [You're welcome.|Not at all.] [Was the way all right?|Did you get to work in time?]
A: Yes, [no problem at all|it went smoothly].
= {A} thanked {B} for an early visit.

A: I've begun to walk for half an hour [every day|each day]. Is that enough?
B: [It's a very good start.|For a start it's fine.] It matters more that you do it regularly.
A: [Then I'll keep it up.|Good, I can manage that.]
= {A} asked whether half an hour of walking a day was enough, and {B} called it a good start.

B: A reminder: [please bring your papers up to date|please check that we have your right address].
A: My address hasn't changed, [only my phone number|but I have a new phone number].
B: Then just send us the new number.
A: I'll do that today.
= {B} sent a reminder about the papers, and {A} promised to send the new phone number.

A: [I wanted to say thank you|This is only to say thank you] for all your patience.
B: [That's kind of you.|How nice of you.] Come back in good time for the next check.
A: I will. [It's already in my calendar.|I've written it into my calendar.]
= {A} thanked {B} for the patience and had the next check in the calendar already.
)"},
    {Field::kHealth, Between::kAnyone, R"(
A: {hi} I'm trying to drink more water. [How do you remember to drink|Do you have a trick for
  that]?
B: I keep a full bottle where I can see it.
A: [Simple enough.|That's easy.] I'll try it.
= {A} asked {B} how to remember to drink more water, and {B} recommended a bottle in plain sight.

B: How is it going with the water?
A: [One bottle a day|A bottle a day], mostly. On busy days I forget.
B: [Busy days are the hardest.|I know those days.]
= {B} asked about the water, and {A} managed a bottle on most days.

A: I've begun to stretch for five minutes every morning.
B: [Does it help?|Do you notice anything?]
A: My back thinks so.
= {A} told {B} that five minutes of stretching every morning did {a's} back good.

&B: I tried your five minutes of stretching.
A: [And how was it?|How did it go?]
B: [I'm stiffer than I thought.|I couldn't reach my toes.]
= {B} told {A} about trying the five minutes too and finding them hard.

A: Do you happen to know a good book on healthy cooking?
B: [The library has a whole shelf of them.|There is a whole shelf of them at the library.]
A: [Good idea|Of course], I hadn't thought of the library.
= {A} asked {B} for a book on healthy cooking, and {B} pointed to the library.

&A: I've borrowed two cookbooks from the library.
B: Have you cooked anything yet?
A: A lentil stew. [It was really good.|I'd make it again.]
= {A} told {B} about two cookbooks from the library and a lentil stew that had turned out well.

B: [Do you still stretch in the morning?|Are you still doing your exercises?]
A: [Most mornings.|Nearly every day.] I've made it ten minutes.
B: [You're an example to me.|That puts me to shame.]
= {A} told {B} that {a} now stretched for ten minutes on most mornings.

A: Small habits do help. [I really feel better.|I feel better than I did.]
B: [I'm glad to hear it.|That's good to hear.]
A: [Thanks for the trick with the bottle.|And your bottle is still on my table.]
= {A} told {B} of feeling better thanks to small habits.
)"},
    {Field::kHome, Between::kFriends, R"(
A: {hi} [I'm going to paint my room.|I've decided to paint my room.] Which colour would you take?
B: A light green[. It makes a room look bigger|, it makes a room look bigger].
A: I had thought of yellow. [I'll get samples of both.|I'll buy a little of both.]
= {A} asked {B} about a colour for {a's} room: {B} preferred light green, {A} had thought of yellow.

A: Both colours are on the wall now, one stripe each.
B: [And which one wins?|Which do you like better?]
A: The green. [You were right.|I have to admit it.]
= {A} told {B} that green had won over yellow.

A: [Can you lend me a ladder|Do you have a ladder] for the painting?
B: Yes, [a small one|but only a small one]. You can have it tonight.
A: [That will do.|Small is fine.] Thank you!
= {A} asked {B} for a ladder, and {B} had a small one to lend.

&A: [Your ladder is clean again.|I've got the paint off your ladder.] Well, nearly.
B: [A little green suits it.|I don't mind a few spots.]
A: I'll bring it back at the weekend.
= {A} promised to bring the ladder back to {B} at the weekend, with a few spots of paint.

B: Is your room finished?
A: Three walls are. [My arms hurt.|I can't lift my arms any more.]
B: Then take a break. [The wall won't run away.|The last wall can wait.]
= {B} asked about the room; three walls were finished, and {B} told {A} to take a break.

A: Finished! [Everything is back in its place.|All the furniture is back in its place.]
B: [Congratulations!|Well done!] Does it still smell of paint?
A: A little. I sleep with the window open.
= {A} told {B} that the painting was finished and that it still smelled a little.

A: The empty wall looks bare now. [A picture or a shelf?|Should I hang a picture or a shelf?]
B: A shelf. [You can change what stands on it.|Then you can put plants on it.]
A: [True.|That makes sense.] A shelf it is.
= {A} asked {B} whether a picture or a shelf fitted the bare wall, and you settled on a shelf.

&B: Does your shelf hold?
A: Yes, [and it's even straight|and almost straight]. There are three plants on it.
B: [Send me a picture.|I'd like to see that.]
= {B} asked about the shelf, which held and had three plants on it.
)"},
    {Field::kHome, Between::kServed, R"(
A: {hi} I have one more question about {talk}. [Whom do I call if something breaks?|Whom may I call
  if there is a problem?]
B: [Call me first.|Just call me.] If I don't answer, leave a message.
A: [Good, thank you.|All right, that's easy.]
= {A} asked {B} whom to call in case of a problem, and {B} offered to take the call.

A: Is there a place where I can leave old cardboard?
B: [The blue containers at the corner.|There are blue containers at the corner.]
A: Thank you, [I'd walked right past them|I must have walked past them].
= {A} asked where to leave cardboard, and {B} named the blue containers at the corner.

B: Hello. A short notice: the water will be off [tomorrow|on the next weekday] from nine to eleven.
A: [Thanks for telling me.|Thank you for the warning.] I'll fill a few bottles.
B: [Good idea.|That's wise.]
= {B} told {A} that the water would be off from nine to eleven, and {A} wanted to fill bottles.

&A: The water was back before eleven.
B: [Good.|Glad to hear it.] Is it clear?
A: It was brown at first, [now it's clear|but it's clear now].
= {A} told {B} that the water had come back, brown at first and then clear.

A: One of my windows doesn't close properly. [Could you have a look|Can you take a look] some time?
B: Yes. [Would the late afternoon suit you?|Is the late afternoon all right?]
A: That's fine, I'm back at five.
= {A} asked {B} to look at a window, and you agreed on a late afternoon.

&A: The window closes again. [Thank you for coming so quickly.|Thanks for the quick help.]
B: It was only [a loose screw|one loose screw].
A: [I should have seen that.|So simple!]
= {A} thanked {B} for the window, which had only had a loose screw.

A: May I put [a small bench|a bench] in front of the door?
B: If there is room to pass, [yes|certainly].
A: It's very narrow. [Thank you.|I'll send you a picture.]
= {A} asked to put a bench in front of the door, and {B} allowed it.

B: [Is everything in order with you?|Is everything all right with you?]
A: Yes, [everything works|all is well]. And it's pleasantly quiet.
B: [That's what I like to hear.|Good to know.]
= {B} asked whether all was in order, and {A} found everything working and quiet.
)"},
    {Field::kHome, Between::kAnyone, R"(
A: {hi} [I've bought a few pots of herbs.|I've got myself some herbs in pots.] Do you know how much
  water basil needs?
B: A little every day[, best in the morning|, and never from above].
A: [Thanks.|Good to know.] My last one lived for a week.
= {A} asked {B} how to water basil, and {B} said a little every day.

B: Is the basil still alive?
A: [It is!|Yes!] It has new leaves, even.
B: [Then you've done it right.|Very good.]
= {B} asked about the basil, which had new leaves.

A: I've cleared out a cupboard[ at last|, it was time]. What do you do with old things?
B: [I take them to the charity shop.|The charity shop takes nearly everything.]
A: [Then I'll do that too.|I'll load the car on Saturday.]
= {A} asked {B} what to do with old things, and {B} named the charity shop.

&A: The charity shop took four boxes.
B: [Four!|That many?] And do you miss anything?
A: Nothing yet.
= {A} told {B} that the charity shop had taken four boxes and nothing was missed.

A: One of my taps drips. [Can one mend that oneself|Can I mend that myself]?
B: It's usually the washer. [Turn the water off first|Just turn the water off before you start].
A: [That's the part I would have forgotten.|Good advice.]
= {A} asked {B} about a dripping tap, and {B} suspected the washer.

&A: The tap has stopped dripping.
B: So it was the washer?
A: Yes, [it cost next to nothing|a tiny thing].
= {A} told {B} that a new washer had cured the dripping tap.

B: I've put herbs on my windowsill too. [You gave me the idea.|That was your idea.]
A: [Which ones?|What did you take?]
B: Basil and parsley. [We'll see.|Let's see who lasts longer.]
= {B} told {A} about growing basil and parsley too.

A: We had pesto from my own basil yesterday.
B: [That's a success.|How did it taste?] The pot must be bare now.
A: [It is.|Completely bare.] But it was worth it.
= {A} told {B} about pesto made from {a's} own basil.
)"},
    {Field::kPeople, Between::kFriends, R"(
A: {hi} [I've found a box of old photos.|There was a box of old photos in my cupboard.] I'm thinking
  of making an album.
B: [What a nice idea.|I like that.] On paper?
A: On paper, [with a pen and glue|with real glue].
= {A} told {B} about a box of old photos and the plan to make an album on paper.

B: How is the album coming along?
A: I've sorted [the first hundred|about a hundred] pictures. Half of them have no date.
B: [Look at the haircuts.|The haircuts tell you the year.]
= {B} asked about the album; {A} had sorted a hundred pictures, half of them without a date.

A: Do you have any pictures from [a few years ago|the last few years] that I could copy?
B: [Some.|A few.] I'll look tonight.
A: [There is no hurry.|Take your time.]
= {A} asked {B} for pictures to copy, and {B} wanted to look for some.

&B: I found six pictures for you.
A: [Six!|That's wonderful.] Can I come and get them?
B: [I've just sent them to you|They are already on their way]. Look at your mail.
= {B} told {A} of six pictures that {b} had sent for the album.

A: I've called two cousins because of the album. We hadn't talked in ages.
B: [And, how was it?|What did they say?]
A: [We talked for an hour.|The call took an hour.] They both want a copy.
= {A} told {B} about calling two cousins, who both wanted a copy of the album.

A: Half the album is glued. [My fingers too.|So are my fingers.]
B: [Show it to me when it's done.|I want to see it when it's done.]
A: You'll be the first.
= {A} told {B} that half the album was done and that {b} would see it first.

A: [The album is finished.|I've finished the album.] Forty pages!
B: [Congratulations.|Wonderful.] When may I look at it?
A: Come for coffee [tonight|later today], I'll bake something.
= {A} finished the album of forty pages and asked {B} to come and look at it over coffee.

&B: Thank you for the coffee and the album. [I laughed a lot.|It was lovely.]
A: [The swimsuit page?|At the swimsuits?]
B: Exactly that page.
= {B} thanked {A} for the coffee and the album, which had been fun to look at.
)"},
    {Field::kPeople, Between::kFriends, R"(
A: {hi} [I'd like to get a few people together for a meal.|I'm planning a meal with a few people.]
  Would you come?
B: [Gladly!|Of course!] What can I bring?
A: A salad, [if you like|if it's no trouble].
= {A} invited {B} to a meal with a few people, and {B} offered to bring a salad.

A: We're [six|six at the table] so far. I only have five chairs.
B: I have two folding chairs [in the cellar|you can have].
A: [You're saving my evening.|That's perfect.]
= {A} had six guests and five chairs, and {B} offered two folding chairs.

B: Is there anybody who [doesn't eat meat|eats no meat]?
A: Two of us. I'll cook [a big vegetable curry|a vegetable curry] for all.
B: [Good for me too.|I like that.]
= {B} asked about guests who ate no meat, and {A} planned a vegetable curry for all.

A: We'll begin the meal at eight, not at seven. [Two of the guests work late.|Two guests have to
  work.]
B: That's no problem. [I'm never on time anyway.|Eight is better for me too.]
A: [Thanks for taking it so well.|Then it's settled.]
= {A} told {B} that the meal would begin at eight because two guests had to work.

B: Thank you for the lovely evening. [The curry was great.|I ate far too much curry.]
A: [And your salad was gone first.|Your salad was gone in no time.]
B: [I saw that!|I was proud of it.]
= {B} thanked {A} for the evening, and you praised each other's curry and salad.

&A: Is the blue bowl here yours{,n}?
B: Yes, [the one from the salad|it's my salad bowl].
A: [I'll bring it next time.|I'll bring it along when we meet.]
= {A} found a blue bowl, and {B} had left it there with the salad.

B: Next time you're all invited to my place.
A: [What will you cook?|Will there be curry?]
B: [Pizza from the tray.|Pizza, I can't do much else.] Everybody puts on what they like.
= {B} promised to have everybody over for pizza.

A: [I've written down the curry for you.|Here is my curry on paper.] The secret is a spoon of peanut
  butter.
B: [So that was it!|I'd never have guessed.]
A: Don't tell anyone.
= {A} let {B} know the secret of the curry: a spoon of peanut butter.
)"},
    {Field::kPeople, Between::kAnyone, R"(
A: {hi} I want to write a real letter to an old friend. [How does one begin?|I don't know how to
  begin.]
B: [Just begin with why you thought of it.|Begin with what made you think of it.]
A: [That's a good way.|Yes, that could work.]
= {A} asked {B} how to begin a letter to an old friend, and {B} recommended
  beginning with what had brought it to mind.

B: Is your letter written?
A: [Two pages.|Two pages, by hand.] I haven't sent it yet.
B: Then send it[ before you change your mind|, and don't read it again].
= {B} asked about the letter, and {A} had two pages but had not sent them.

&A: The letter is in the post.
B: [Well done.|Very good.] Now you have to wait.
A: [That's the hard part.|I know.]
= {A} told {B} that the letter was in the post.

A: I wrote down the birthdays of everybody I know. I keep forgetting them.
B: [Good idea.|I should do that too.] When is yours?
A: [In the holidays|Always in the holidays]. That's why everybody forgets it.
= {A} told {B} about a list of birthdays and about {a's} own, which fell in the holidays.

A: What do you give somebody who has [everything|everything already]?
B: [Time.|An afternoon together.] A walk and a piece of cake, for example.
A: [I like that.|That costs little and means a lot.]
= {A} asked {B} about a gift for somebody who had everything, and {B} recommended time together.

&A: My present was a success, the walk and the cake.
B: [I'm glad.|How nice.] Where did you go?
A: Along the river, [in the sun|and the sun came out].
= {A} told {B} that the walk and the cake had been a success as a present.

B: [Have you had an answer from your old friend?|Did your old friend write back?]
A: Yes! [Four pages.|Four whole pages.] We're going to meet.
B: Then the letter was worth the trouble.
= {B} asked about the old friend, who had answered {A} with four pages.

A: I've begun to call somebody I like every Sunday.
B: [A good habit.|That's a nice habit.] Who's next?
A: [I draw lots.|Whoever comes next in my address book.]
= {A} told {B} about calling somebody every Sunday.
)"},
    {Field::kLeisure, Between::kFriends, R"(
A: {hi} [I've signed up for a dance class.|I've put my name down for a dance class.] Eight evenings.
B: You? [I'd like to see that.|I'd pay to see that.]
A: [I can't do a single step yet.|I don't know one step yet.] That's the point.
= {A} told {B} about signing up for a dance class of eight evenings.

B: How was the first dance lesson?
A: [I stepped on everybody's feet.|I stepped on a lot of feet.] But we laughed all evening.
B: That's what matters.
= {B} asked about the first dance lesson, in which {A} had stepped on many feet.

A: I've bought shoes with smooth soles for the class.
B: [Is it getting serious?|So it's serious now.]
A: With trainers I couldn't turn.
= {A} told {B} about shoes with smooth soles for the dance class.

A: [They're looking for people for next term's class.|There are free places in the next class.]
  Wouldn't that be something for you{,n}?
B: [I have two left feet.|Me? I have two left feet.] Let me think about it.
A: [So did I.|Think, but not too long.]
= {A} suggested the dance class to {B}: {b} wanted to think about it.

&B: I've thought about the dance class. I'll come and watch once.
A: [Only watch?|Nobody only watches there.]
B: We'll see.
= {B} agreed to come and watch the dance class once.

A: We learned [the slow waltz|a slow waltz]. I can do it without counting.
B: Really? [Then you must show me.|That was quick.]
A: [Almost without counting.|Well, I count quietly.]
= {A} told {B} about learning the slow waltz.

A: My knees hurt from all that dancing.
B: Then [skip one evening|leave out one evening].
A: [I'd miss the tango.|But the tango is next.]
= {A} complained to {B} of knees that hurt from dancing.

A: The last dance evening is over. [There was cake and music.|We ended with cake and music.]
B: [And now?|Will you go on?]
A: I've signed up for the next class.
= {A} told {B} that the dance class was over and that {a} had signed up for the next.
)"},
    {Field::kLeisure, Between::kFriends, R"(
A: {hi} I've made a list of ten films that I've always meant to see.
B: [Good idea.|Am I in it?] What's at the top?
A: [An old black and white comedy.|A very old comedy.]
= {A} told {B} about a list of ten films, with an old comedy at the top.

A: The old comedy was wonderful. [I laughed aloud.|I laughed until I cried.]
B: [One down, nine to go.|Then only nine are left.]
A: [Exactly.|I have time.]
= {A} told {B} that the old comedy had been wonderful.

B: How many films are left on your list?
A: Six. [One of them was terribly dull.|I fell asleep in one of them.]
B: [That happens.|They can't all be good.]
= {B} asked about the list, and six films were left.

A: The little cinema shows one of my ten tonight. [Are you coming along?|Do you want to come?]
B: [Yes, gladly.|With pleasure.] Is it a long one?
A: Three hours. [I'll bring sandwiches.|We'd better eat first.]
= {A} asked {B} along to a film of three hours at the little cinema, and {B} agreed.

&B: I'm still thinking about that film at the little cinema.
A: [Me too.|So am I.] The ending especially.
B: [I didn't see it coming.|I'd never have expected it.]
= {B} told {A} that the film at the little cinema was still on {b's} mind, and so it was with {A}.

B: Here's one for your next list: [a film about a lighthouse|a film about a lighthouse keeper].
A: [Is it sad?|Will I cry?]
B: A little. But the pictures are beautiful.
= {B} recommended a film about a lighthouse to {A}.

&A: I saw your lighthouse film.
B: [And, did you cry?|Did you cry?]
A: [Of course.|Twice.] Thank you for it.
= {A} thanked {B} for the lighthouse film after seeing it.

A: [The list is done, all ten.|I've seen all ten films now.]
B: [Congratulations!|And what is the best?]
A: The comedy is still the best. [Now I need a new list.|I'm starting a new list.]
= {A} told {B} that the list of films was done and the comedy had been the best.
)"},
    {Field::kLeisure, Between::kAnyone, R"(
A: {hi} I'm looking for something to read. [What was the last book you liked?|Which book did you
  like lately?]
B: A crime novel on an island[. You won't guess the end|, with an end you won't guess].
A: [I'll look for it.|That sounds like me.]
= {A} asked {B} for something to read, and {B} recommended a crime novel on an island.

A: I'm on page fifty of your crime novel. It's the gardener, [isn't it|right]?
B: [I won't say a word.|You won't hear a word from me.]
A: So it isn't the gardener.
= {A} suspected the gardener in the crime novel, and {B} gave nothing away.

&A: I've finished the crime novel. It wasn't the gardener!
B: [I told you that you wouldn't guess it.|Nobody guesses it.]
A: I read until [two in the morning|two].
= {A} told {B} about reading the crime novel to the end, until two in the morning.

B: Is there something that you'd recommend to me?
A: A travel book about [the north|the far north]. It's short and funny.
B: [Short is good.|That's what I need.]
= {B} asked for a book, and {A} recommended a short one about the north.

&B: I liked the book about the north.
A: [Did you get to the part with the sledge?|And the part with the sledge?]
B: [I laughed out loud on the bus.|People looked at me on the bus.]
= {B} told {A} that the book about the north had been something to laugh about on the bus.

A: I go to the library on Saturdays now.
B: [How nice.|That's a good habit.] Do you sit and read there?
A: An hour, mostly. [It's the quietest hour of my week.|Nobody can reach me there.]
= {A} told {B} about an hour of reading at the library on Saturdays.

A: The radio played an old song today, [and I've hummed it ever since|and now I can't stop humming
  it].
B: Which one?
A: [I don't know the name|I have no idea what it's called]. That's the worst of it.
= {A} told {B} about humming an old song without knowing its name.

B: [What will you read next?|What's next on your shelf?]
A: Something thick, [for long evenings|for the long evenings].
B: [Tell me if it's good.|Let me know how you like it.]
= {B} asked what came next, and {A} wanted to read something thick.
)"},
};

}  // namespace

std::span<const Storyline> life_storylines() { return kStorylines; }

}  // namespace chatmem
