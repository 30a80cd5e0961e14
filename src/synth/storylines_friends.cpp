// Storylines of friends: what they eat, how they live, whom they like.
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

A: I didn't write down a thing all day.
B: [Was it that bad?|What happened?]
A: There was a birthday with three kinds of cake. [From here on I begin again.|Now I begin again.]
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
    {Field::kHealth, Between::kFriends, R"(
A: {hi} I'm trying to drink more water. [How do you remember to drink|Do you have a trick for that]?
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
    {Field::kHome, Between::kFriends, R"(
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

A: We had pesto from my own basil today.
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
    {Field::kPeople, Between::kFriends, R"(
A: {hi} I want to write a real letter to an old friend. [How does one begin?|I don't know how to
  begin.]
B: [Just begin with why you thought of it.|Begin with what made you think of it.]
A: [That's a good way.|Yes, that could work.]
= {A} asked {B} how to begin a letter to an old friend, and {B} recommended beginning with what had
  brought it to mind.

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
    {Field::kFood, Between::kFriends, R"(
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
    {Field::kLove, Between::kFriends, R"(
A: {hi} May I ask you something? I've met somebody nice.
B: [Of course!|Tell me everything!] Where?
A: In the queue at the baker's. We talked until it was our turn.
= {A} told {B} about meeting somebody nice in the queue at the baker's.

A: I've been at the baker's three times this week. Nobody in the queue but old men.
B: [You'll get round.|At least you have bread.] Try it at the same hour as the first time.
A: That's an idea.
= {A} told {B} about going to the baker's in vain, and {B} advised to try the same hour.

&A: It worked! We had a coffee together.
B: [And?|How was it?]
A: We both talked too much. It was lovely.
= {A} told {B} about a coffee with the new acquaintance.

&B: [Have you seen each other again?|Do you still see each other?]
A: On Sunday. We walked around the lake twice.
B: Twice is a good sign.
= {B} asked whether they had met again: they had walked around the lake twice.

A: What would you cook for somebody for the first time?
B: Something you can do in your sleep. [No experiments.|Don't try anything new.]
A: Then it will be pasta.
= {A} asked {B} what to cook for a first dinner, and {B} warned of experiments.

&A: The pasta stuck together, and we laughed all evening.
B: [Then it was perfect.|That's better than good pasta.]
= {A} told {B} about sticky pasta and an evening of laughter.

B: When do I get to meet your new friend?
A: Soon. [You're next after my sister.|First my sister, then you.]
B: I'll behave.
= {B} wanted to meet the new friend, and {A} promised it for soon.

A: We've known each other for a while now, and I'm still nervous before we meet.
B: [Keep it that way.|I envy you a little.]
= {A} told {B} about still being nervous before each meeting.
)"},
    {Field::kLove, Between::kFriends, R"(
A: {hi} You've known me for a long time. Am I hard to live with?
B: [A little, in the mornings.|Before your first coffee, yes.] Why?
A: I'm only wondering.
= {A} asked {B} about being hard to live with, and {B} named the mornings.

A: I've decided to do more on my own. I went to a concert alone.
B: [Good for you.|That takes courage.] How was it?
A: Nobody talked during the slow part.
= {A} told {B} about going to a concert alone.

B: If you feel like company, come over. There's soup.
A: [What kind of soup?|When?]
B: Lentil soup, at seven.
A: I'll be there.
= {B} asked {A} over for lentil soup, and {A} came gladly.

&A: Thank you for the soup, and for listening.
B: [Any time.|You'd do the same.] Did you sleep well?
A: For the first time in a while.
= {A} thanked {B} for the soup and for listening.

A: I've taken down the old pictures and painted the wall.
B: Which colour?
A: Yellow. [It's like a new room.|The room looks bigger.]
= {A} told {B} about painting a wall yellow after taking down the old pictures.

B: How are things? [You've been quiet.|I haven't heard from you for a bit.]
A: Better. Some days I don't think about it at all.
B: I'm glad.
= {B} asked how things stood, and {A} felt better.

A: My cousin wants to introduce me to somebody. What do you think?
B: [Go.|Why not?] The worst that can happen is a dull evening.
A: I've had worse.
= {A} asked {B} about being introduced to somebody, and {B} found it a good idea.

&B: How was your cousin's evening?
A: Not dull. [That's all I say.|More I won't say.]
B: That's a lot.
= {B} asked about the cousin's evening, which had not been dull.
)"},
    {Field::kNature, Between::kFriends, R"(
A: {hi} I've started to write down the weather, every morning.
B: [What for?|Why?]
A: My grandfather did it for forty years. I found his books.
= {A} told {B} about writing down the weather every morning, as {a's} grandfather had done.

B: What does your weather book say?
A: That it rains on Tuesdays. [Nearly always.|I can prove it.]
B: I could have told you that.
= {B} asked about the weather book: it seemed to rain on Tuesdays.

A: Shall we go for a walk when it's dry? I know a path with a view.
B: [Gladly.|Yes, let's.] If it's ever dry again.
= {A} suggested a walk to a view, and {B} agreed.

&B: That was a fine walk. My boots are still wet.
A: [It only rained at the end.|The view was worth it.]
B: It was worth it.
= {B} told {A} that the walk had been fine in spite of wet boots.

B: There was such a wind last night that my flower pots are at the neighbour's.
A: [All of them?|Are they whole?]
B: Two are. The third was ugly anyway.
= {B} told {A} about flower pots blown to the neighbour's.

A: I've put a barrel under the gutter, for the plants. One night, and it's full.
B: [Free water!|Clever.] My neighbour does that too.
= {A} told {B} about a barrel that had filled with rain in one night.

B: Have you seen the sky this evening?
A: I'm on the balcony. [It's all red.|Everything is pink.]
B: Write it in your book.
= {B} pointed out the evening sky, which {A} saw from the balcony.

A: In grandfather's book there's snow on the day of his wedding, in May!
B: [In May!|Does he say anything else?]
A: "Cold. Happy."
= {A} told {B} about snow in May in the grandfather's book.
)"},
    {Field::kPets, Between::kFriends, R"(
A: {hi} A cat has moved into our yard. It looks at me as if it knew me.
B: [Don't feed it.|If you feed it, it's yours.]
A: Too late.
= {A} told {B} about feeding a cat in the yard.

A: I've asked around. Nobody misses the cat.
B: Has it been to a vet? [They can see if it has an owner.|They can read the chip.]
A: I'll take it there.
= {A} told {B} that nobody missed the cat, and {B} advised to see a vet.

&A: The vet says she's two years old and in good health, and has no owner.
B: [She does now.|Congratulations.] What's her name?
A: We're still looking for one.
= {A} told {B} that the cat had no owner and was in good health.

B: Does the cat have a name by now?
A: Tuesday. [She came on a Tuesday.|It's the day she came.]
= {B} asked about the cat's name, which was Tuesday.

A: Could you feed the cat while I'm away for two days?
B: [Of course.|Gladly.] Does she bite?
A: Only shoelaces.
= {A} asked {B} to feed the cat for two days, and {B} agreed.

&B: Your cat ate everything and then slept on my coat.
A: [Then she likes you.|That's an honour.]
= {B} told {A} that the cat had slept on {b's} coat.

B: My neighbours are giving away a rabbit hutch. Do you know anybody with rabbits?
A: [My niece!|Yes, my niece.] She has two, and they have no garden.
= {B} had heard of a rabbit hutch to give away, and {A} thought of a niece.

A: The cat caught a mouse and let it go in the hall.
B: And now?
A: [Now we have a mouse.|Now I have two animals.]
= {A} told {B} about a mouse that the cat had let go in the hall.
)"},
    {Field::kPeople, Between::kFriends, R"(
A: {hi} I've never been good with birthdays. When is yours, really?
B: [You've asked me before.|You came to it once!] In autumn, on the first Sunday, mostly.
A: I'm writing it down, in ink.
= {A} asked {B} about {b's} birthday, which fell in autumn.

B: My niece is going to be six. What does one give at that age?
A: Something with wheels. [Or a torch.|Or something that glows.]
B: A torch!
= {B} asked {A} about a present for a niece of six, and you thought of a torch.

&B: The torch was the best present of all. She reads under the blanket now.
A: [I'm sorry.|Her parents will hate me.]
= {B} told {A} that the torch had been the best present.

A: I'm baking for the neighbours' party and need a big bowl.
B: [Mine is as big as a bath.|Take my big one.] Come and get it.
= {A} needed a big bowl, and {B} had one to lend.

&A: Here's your bowl back, with a piece of cake in it.
B: [That's how I like to lend things.|You may borrow it any time.] How was the party?
A: We danced in the stairwell.
= {A} gave back the bowl with a piece of cake in it.

B: We haven't had a proper evening for a long time. Cards?
A: [Cards!|Yes!] I'll bring olives.
B: Friday, then.
= {B} suggested an evening of cards on a Friday, and {A} agreed.

&A: I'm still ashamed of how I lost at cards.
B: [You want to play again, then.|I kept the list.]
A: Of course.
= {A} told {B} of still being ashamed of a game lost at cards, and of wanting to play again.

A: I've written three postcards, to people I think of and never call.
B: Did I get one?
A: [You get the fourth.|You I call.]
= {A} told {B} about three postcards.
)"},
    {Field::kFood, Between::kFriends, R"(
A: {hi} I've found a place with soups from all over the world. Shall we try it?
B: [Yes!|I'm in.] When?
A: On Friday after work.
= {A} suggested a place with soups to {B}, and you settled on a Friday.

&B: I still think of that soup on Friday.
A: The hot one?
B: [I couldn't feel my tongue.|The hot one.] I'd have it again.
= {B} told {A} of still thinking of the hot soup.

A: I'd like to cook for more than one. What do you do for six people?
B: One big pot. [And bread.|Then nobody waits.]
A: One big pot it is.
= {A} asked {B} what to cook for six, and {B} recommended one big pot.

B: Do you still have the recipe for that cake with the oranges?
A: I'd have to look. [It's my mother's.|My mother has it.]
B: There's no hurry.
= {B} asked {A} for the recipe of a cake with oranges.

&A: Here's the cake: four eggs, two oranges, and don't open the oven.
B: [Not even a little?|Not at all?]
A: Not even a little.
= {A} gave {B} the recipe of the cake with oranges.

&B: I didn't open the oven, and the cake is perfect.
A: [My mother will be pleased.|You see?]
= {B} told {A} that the cake was perfect.

A: I've eaten no sweets for a week.
B: [Is it hard?|How is it?]
A: At four in the afternoon, yes.
= {A} told {B} about a week without sweets.

A: My balcony has given me three tomatoes.
B: [A harvest!|Three!] What will you make of them?
A: A photo first.
= {A} told {B} about three tomatoes from the balcony.
)"},
    {Field::kNature, Between::kFriends, R"(
A: {hi} I'd like to see the sun come up over the lake once. Would you get up for that?
B: [For the sun? Yes.|If there's coffee.] When?
A: On the first clear Saturday.
= {A} asked {B} to come and see the sun rise over the lake, and {B} agreed.

&B: I still see that sunrise. It was worth the alarm clock.
A: [The fog was the best.|And the herons!] I've never been so cold.
= {B} told {A} that the sunrise had been worth getting up for.

B: It's so hot that my candles bend. What do you do at night?
A: I hang a wet sheet in front of the window. [It helps a little.|My grandmother did that.]
= {B} complained of the heat, and {A} recommended a wet sheet in front of the window.

A: I've sown poppies along the fence, where nothing ever grew.
B: [Do they come up?|Give them time.] Mine never did.
A: There's something green. It may be grass.
= {A} told {B} about sowing poppies along the fence.

B: Did you hear the thunder? My dog is under the bed.
A: [So am I, nearly.|Here it only rained.] Is your window closed?
B: It is now.
= {B} told {A} about a thunderstorm and a frightened dog.

A: I've collected chestnuts with the child next door. Four bags!
B: [What do you do with four bags?|What for?]
A: We're feeding the whole zoo, she says.
= {A} told {B} about four bags of chestnuts.

B: There's fresh air today. A walk around the pond?
A: [In ten minutes at the gate.|Yes, I've sat all day.]
= {B} suggested a walk around the pond, and {A} came along.
)"},
};

}  // namespace

std::span<const Storyline> friend_storylines() { return kStorylines; }

}  // namespace chatmem
