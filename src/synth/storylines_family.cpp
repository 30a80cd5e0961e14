// Storylines of couples, of children and parents.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kAny, Between::kCouple, R"(
A: {hi} Could you bring some bread on your way home?
B: Yes. [Anything else?|What else do we need?]
A: Butter, and something nice for afterwards.
= {A} asked {B} to bring bread, butter and something nice.

A: The washing machine is making that noise again.
B: I'll look at it tonight.
A: [Please do.|It walks through the bathroom.]
= {A} told {B} that the washing machine made a noise.

&A: The washing machine is quiet now. What was it?
B: A coin in the filter. [I'm keeping it.|That's my wages.]
= {A} asked why the washing machine was quiet, and {B} had found a coin in the filter.

B: Shall we go away for a weekend, only the two of us?
A: Yes! To the sea or to the hills?
B: [The sea.|To the sea.]
= {B} suggested a weekend for two, and you chose the sea.

&A: I've booked us a room by the sea, with breakfast.
B: [You're wonderful.|I could hug you.] When do we leave?
A: On Friday, right after work.
= {A} booked a room by the sea.

&B: I'm still thinking of our weekend by the sea.
A: The fish on the pier?
B: That, and [sleeping until nine|the long mornings].
= {B} told {A} of still thinking of the weekend by the sea.

A: I'll be late tonight. [Don't wait with dinner.|Eat without me.]
B: I'll keep a plate warm for you.
= {A} expected to be late, and {B} offered to keep a plate warm.

B: I've gone through our bills. We pay for two newspapers.
A: Which one do you read?
B: [Neither.|None of them.]
A: Then let's give up both.
= {B} found out that you paid for two newspapers, and {A} wanted to give up both.
)"},
    {Field::kAny, Between::kCouple, R"(
A: {hi} I've measured the wall. The big bookcase would fit.
B: [The one from the flea market?|You mean the old one from the flea market?]
A: Yes. We'd only need somebody to carry it.
= {A} told {B} that the big bookcase would fit the wall.

&A: The bookcase stands. Now half of it is empty.
B: [Not for long.|Wait a month.] My books are still in the cellar.
= {A} told {B} that the bookcase stood and half of it was empty.

B: Which evening are you free? I'd like to cook for us.
A: Thursday. What will it be?
B: [A surprise.|That's a secret.] With a lot of garlic.
= {B} wanted to cook for the two of you on a Thursday.

&A: That was the best dinner in a long time.
B: [In spite of the kitchen?|Even with that kitchen afterwards?]
A: I'd wash up for it again.
= {A} praised the dinner that {B} had cooked.

A: My aunt has asked us for Sunday. Shall we go?
B: If there's her apple cake.
A: [There is always apple cake.|I've asked. There is.]
= {A} asked {B} about a Sunday at an aunt's, and {B} hoped for her apple cake.

B: I've thought about the summer. What if we stayed at home and went somewhere each day?
A: [With a picnic?|Like tourists?]
B: With a picnic and a map.
A: I like that.
= {B} suggested a summer at home with trips, and {A} liked it.

A: Did you put the car keys somewhere?
B: In the blue bowl. [That's what it's for.|As always.]
A: I looked everywhere but there.
= {A} looked for the car keys, which lay in the blue bowl.

B: I passed the place where we used to have coffee. It's a bank now.
A: [Oh no.|What a pity.] Then we need a new place.
B: I've already found one.
= {B} told {A} that the old café had become a bank.
)"},
    {Field::kAny, Between::kChild, R"(
B: {hi} Will you be there for dinner?
A: Yes, but [a bit late|not before eight].
B: I'll keep something warm for you.
= {B} asked about dinner, and {A} expected to be late.

A: What do you put into your potato soup? I want to make it for friends.
B: Leek, and a little nutmeg at the end.
A: [So it's the nutmeg.|The nutmeg, of course.]
= {A} asked {B} for the potato soup, which had leek and nutmeg in it.

&A: They ate up all the potato soup!
B: [You see?|I knew it.] It's your great-grandmother's.
= {A} told {B} that the friends had eaten up the potato soup.

B: Your aunt turns fifty. What could we give her?
A: A book with pictures of all of us?
B: [She'd love that.|That's a lovely idea.] Will you make it?
A: I'll try.
= {B} asked about a present for an aunt, and {A} thought of a book of pictures.

&A: The book of pictures for her birthday is done.
B: I'm sure she'll cry.
A: [That's the plan.|I hope so.]
= {A} finished the book of pictures for the aunt.

B: Could you help me with my new phone? The letters are so small.
A: That can be set. [I'll do it when I see you.|I'll show you tonight.]
= {B} asked for help with a new phone, and {A} promised it.

A: Thank you for the ride this morning. I'd have been late.
B: [Any time.|That's all right.] Did you have your jacket?
A: I had it, yes.
= {A} thanked {B} for a ride in the morning.

B: I've found your old drawings in the attic. May I throw them away?
A: [No!|Please don't!] Let me see them first.
= {B} found old drawings of {A} in the attic, and {A} wanted to see them first.
)"},
    {Field::kAny, Between::kChild, R"(
A: {hi} I've tidied my room. Really.
B: [Under the bed too?|And under the bed?]
A: I'm not finished yet.
= {A} told {B} about tidying the room, though not yet under the bed.

A: I've got a bad tooth, I think. Can you call the dentist for me?
B: I've done it. [You go there after lunch.|There's time for you this afternoon.]
A: Will you come with me?
B: Of course.
= {A} had toothache, and {B} called the dentist and wanted to come along.

&A: It didn't hurt at the dentist's. It was only a little hole.
B: [You were brave.|I'm glad.] No sweets tonight, then.
= {A} told {B} that it had not hurt at the dentist's.

B: Who ate the rest of the cake?
A: It wasn't only me.
B: [That's not an answer.|Who else?]
A: It was a very small rest.
= {B} asked who had eaten the rest of the cake, and {A} half admitted it.

A: May I go to the lake with the others on Saturday?
B: Who is driving?
A: We'd go by bike. [I'd be back at six.|We're back at six.]
B: Then yes. Take your helmet.
= {A} asked to go to the lake by bike, and {B} agreed.

&B: How was it at the lake?
A: Cold! But [we stayed in longest|I was in the water first].
B: I've seen your towel. It's still in the bag.
= {B} asked about the lake, and {A} had found it cold.

B: Would you water the plants while we're out this evening?
A: [All of them?|The big one too?]
B: All but the cactus.
= {B} asked {A} to water all the plants but the cactus.

A: I've saved half of what the guitar costs.
B: [Half already?|So much?] Then I'll pay a quarter.
A: Then I only need a quarter!
= {A} had saved half of what a guitar cost, and {B} offered to pay a quarter.
)"},
    {Field::kAny, Between::kChild, R"(
B: {hi} I've found a recipe for those waffles you like. Shall I make them on Sunday?
A: [Yes, please!|Oh yes!] With cherries?
B: With cherries.
= {B} offered to make waffles on a Sunday, and {A} wanted them with cherries.

&A: I could eat those waffles every day.
B: [I noticed.|You had five.] Next time you do the dishes.
= {A} praised the waffles, and {B} wanted help with the dishes next time.

A: Do we still have the tent?
B: It should be in the attic, behind the suitcases. [What do you need it for?|Why?]
A: For a weekend by the river with friends.
= {A} asked {B} about the tent, which lay in the attic.

&A: The tent has a hole. But it didn't rain.
B: [Lucky you.|Then you were lucky.] We'll mend it together.
= {A} told {B} about a hole in the tent, and {B} offered to mend it together.

B: Don't forget your grandmother's call. She waits for it.
A: I'll call her right away. [What should I ask her?|Is she well?]
B: Ask her about her tomatoes.
= {B} reminded {A} to call the grandmother.

&A: We talked for an hour, grandma and I. Only ten minutes of it were tomatoes.
B: [She's so happy now.|She has already told me.]
= {A} told {B} about an hour on the phone with the grandmother.

A: I've been thinking: could I learn to drive next summer?
B: [We can talk about it.|Let's talk about it.] Who would pay?
A: Half and half?
= {A} asked {B} about learning to drive, with both paying half.

B: I'm proud of you, you know. I don't say it often enough.
A: [You just did.|Thank you.] You can say it again on Sunday.
= {B} told {A} of being proud.
)"},
    {Field::kAny, Between::kCouple, R"(
B: {hi} Shall I cook tonight, or shall we have something brought?
A: [Have it brought.|Let's have it brought.] You've cooked three times this week.
B: The usual, then?
A: The usual.
= {B} asked whether to cook, and {A} preferred to have something brought.

A: I'm in front of the shelf with the lamps. Round or square?
B: Round. [No, wait: what does it cost?|Is it very bright?]
A: Less than the square one.
B: Then round.
= {A} asked {B} about a lamp, and you chose a round one.

&B: The lamp looks good. Now one sees that the ceiling needs paint.
A: [Turn it off.|I knew it.]
= {B} liked the lamp but saw that the ceiling needed paint.

A: My back hurts from that mattress. Shall we look for another one?
B: [Yes.|High time.] On Saturday? We could lie down in every shop.
= {A} suggested another mattress, and {B} wanted to try some on a Saturday.

&A: The mattress has come. The stairs were the worst part.
B: I've been lying on it for an hour. [It's wonderful.|I won't get up again.]
= {A} told {B} that the mattress had come, and {B} enjoyed it.

B: Can you be here when the man reads the meter? I can't get away.
A: [Yes.|I can.] When does he come?
B: Between eight and noon, as always.
= {B} asked {A} to be there when the meter was read, and {A} agreed.

A: I'd like to see more of you. One evening a week, without phones?
B: [I'd like that too.|Yes.] Wednesday?
A: Wednesday.
= {A} wished for one evening a week without phones, and you chose Wednesday.
)"},
};

}  // namespace

std::span<const Storyline> family_storylines() { return kStorylines; }

}  // namespace chatmem
