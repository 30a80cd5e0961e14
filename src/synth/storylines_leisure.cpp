// Storylines of friends: films and books, sport, journeys, purchases, money.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
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
    {Field::kLeisure, Between::kFriends, R"(
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
    {Field::kMoney, Between::kFriends, R"(
A: {hi} [I've bought a little notebook|I've got myself a notebook] and write down what I spend.
B: [Every coffee?|Even coffee?]
A: Even coffee. That was the first shock.
= {A} told {B} about writing down all expenses, with coffee as the first shock.

B: What does your notebook say?
A: That I pay for two clubs I never go to.
B: [Then you know what to do.|Give them up.]
= {B} asked about the notebook, and {A} had found two useless club fees.

&A: I've left both clubs.
B: [Was it hard?|Easy?]
A: [One letter each.|Two letters, that was all.] I should have done it long ago.
= {A} told {B} about leaving both clubs.

A: I take my lunch from home now. [It saves more than I thought.|It really saves money.]
B: What is in the box?
A: [The rest of the supper.|What was left from supper.]
= {A} told {B} about taking lunch from home to save money.

B: I've started [a jar for coins|to collect coins in a jar].
A: [What for?|And what is it for?]
B: A weekend by the sea.
= {B} told {A} about a jar of coins for a weekend by the sea.

&A: How full is your jar?
B: [A third.|About a third.] I can't close it without shaking it.
A: [I can hear the sea already.|Then the sea is near.]
= {A} asked about the jar, which {B} had filled by a third.

A: My phone plan is [much too big|far too big] for what I use.
B: [Ask them for a smaller one.|Just call and ask for a smaller one.] They don't offer it by
  themselves.
A: I'll do it today.
= {A} had too big a phone plan, and {B} recommended asking for a smaller one.

A: The notebook is full, [from cover to cover|to the last line].
B: [And what have you learned?|Will you buy another?]
A: I know now where my money goes. I've bought a second one.
= {A} told {B} that the notebook was full and that {a} had bought a second one.
)"},
    {Field::kMoney, Between::kFriends, R"(
A: {hi} [I've changed all my passwords.|I have changed every password.] How do you remember yours?
B: I think of a sentence and take the first letters.
A: [That's clever.|Not bad.] I'll try that.
= {A} asked {B} how to remember passwords, and {B} recommended the first letters of a sentence.

&A: The trick with the sentence works.
B: [Good.|I'm glad.] Don't tell me the sentence.
A: [I won't.|Of course not.]
= {A} told {B} that the trick with the sentence worked.

A: I've sorted my bills, [the oldest at the back|with the oldest at the back].
B: [How far back do they go?|And how old is the oldest?]
A: Eight years. [There were some for a bicycle.|One was for a bicycle I no longer have.]
= {A} told {B} about sorting bills that went back eight years.

B: Do you save something every month?
A: I try to, [on the first of the month|right at the beginning]. What is left at the end is too
  little.
B: [I do it the same way.|That's the only way.]
= {B} asked about saving, and {A} tried to do it at the beginning of the month.

A: I've repaired my bag [instead of buying a new one|myself].
B: With a needle?
A: [With a thick one.|A needle and a lot of patience.]
= {A} told {B} about repairing a bag with a needle.

B: I cancelled a magazine that I hadn't opened [for ages|in ages].
A: [Which one?|What was it?]
B: One on gardening. I don't have a garden.
= {B} told {A} about cancelling a gardening magazine.

A: My phone tells me how long I look at it. [I don't like it.|I'd rather not know.]
B: How long is it?
A: [Three hours a day.|Three hours, every day.]
= {A} told {B} about looking at the phone for three hours a day.

&B: You made me look. Two and a half hours.
A: [That's hardly better.|Welcome.]
B: I've put it in a drawer.
= {B} found {b's} own time on the phone to be two and a half hours a day.
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
    {Field::kTravel, Between::kFriends, R"(
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
    {Field::kShopping, Between::kFriends, R"(
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
A: [It does now.|Now it does.] I shook it.
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
    {Field::kSport, Between::kFriends, R"(
A: {hi} I'm going to run ten kilometres this year. There, now I've said it.
B: How far do you get now?
A: [To the bakery.|To the next corner but two.]
= {A} told {B} about the plan to run ten kilometres.

B: How is the running going?
A: Three kilometres without stopping.
B: [That's past the bakery.|That's quite something.] Well done!
= {B} asked about the running, and {A} had got to three kilometres.

A: Do you have an old pair of running shorts? Mine have given up.
B: [Two. You can have the blue ones.|Yes, blue ones.] I never liked blue.
A: Thank you!
= {A} asked {B} for running shorts, and {B} gave away a blue pair.

A: I've got a stitch every time I go uphill. What do you do against it?
B: I breathe out when my left foot comes down. [It sounds silly, but it helps.|Don't ask me why.]
A: I'll try it.
= {A} asked {B} about a stitch, and {B} recommended a way of breathing.

&A: Your breathing trick works. I counted my left foot all the way up.
B: [You see?|I told you.] Now you'll never stop counting.
= {A} told {B} that the trick with the breathing worked.

A: Would you come running with me once? Slowly?
B: [Slowly is my speed.|If it's really slow.] On Sunday morning?
A: On Sunday, at nine.
= {A} asked {B} along for a run on a Sunday, and {B} agreed.

&B: I can't get down the stairs after our run.
A: Take them backwards. [I mean it.|It helps.]
B: It helps!
= {B} had sore legs after the run, and {A} recommended taking stairs backwards.

A: I did it, ten kilometres! I was among the last.
B: [That's ten all the same.|Congratulations!] I'm proud of you.
= {A} told {B} about running ten kilometres.
)"},
    {Field::kSport, Between::kFriends, R"(
A: {hi} Our team needs somebody for Thursday evenings. Badminton, just for fun. Would you?
B: I haven't played since school. [Do you lend rackets?|I don't even have a racket.]
A: We have four too many.
= {A} asked {B} to play badminton on Thursday evenings and had a racket to lend.

&B: I've thought about your badminton. I'll come and try.
A: [Great!|Wonderful!] Bring shoes that leave no marks.
= {B} agreed to try badminton.

&B: I found muscles today that I'd forgotten, thanks to badminton.
A: You played well, honestly.
B: [I hit the lamp twice.|I hit the lamp.]
A: Everybody hits the lamp.
= {B} felt the first evening of badminton, and {A} found that {b} had played well.

A: There's a match in the stadium at the weekend. My brother can't use his ticket. Do you want it?
B: [Yes, please!|Of course I do!] Who's playing?
A: First against last. It may be a long afternoon.
= {A} offered {B} a ticket for a match at the weekend.

&B: First against last, and last wins! What an afternoon.
A: [I've lost my voice.|My ears are still ringing.]
= {B} told {A} of the delight in the match, which the last team had won.

A: I've looked at how much I sit. Nine hours a day!
B: [Then stand up while you read this.|Take the stairs.]
A: I'm standing.
= {A} told {B} about sitting for nine hours a day.

B: Do you know a good way to warm up? I always forget how.
A: Five minutes with a rope. [Then you're warm for certain.|It's enough.]
= {B} asked how to warm up, and {A} recommended five minutes with a rope.

A: I've bought a membership for the pool. Now I have to go.
B: How often must you go until it pays?
A: [Eleven times.|Eleven times, I've counted.] I've been once.
= {A} told {B} about a membership for the pool that paid after eleven visits.
)"},
    {Field::kTravel, Between::kFriends, R"(
A: {hi} I've bought a rail pass for short trips. [Where would you go first?|Where should I go
  first?]
B: To the sea, just for lunch.
A: [I like that.|Just for lunch!] That's decadent.
= {A} asked {B} where to go first with a rail pass, and {B} named the sea.

&A: I took the train to the sea, had lunch and came back.
B: [How was it?|And the lunch?]
A: Fish, wind and a very tired me.
= {A} told {B} about a day by the sea.

B: Have you still got that big suitcase? I'd need it for a week.
A: It's yours. [One wheel squeaks.|One of the wheels is loud.]
B: Then they'll hear me coming.
= {B} asked {A} for a big suitcase, and {A} lent it.

&B: I've brought your suitcase back. The wheel is quiet now.
A: [What did you do?|How?]
B: A drop of salad oil.
= {B} brought back the suitcase with a quiet wheel.

A: Would you come along for a day? There's a castle with a bad reputation.
B: Ghosts?
A: Bad coffee. [But a fine garden.|The garden is fine.]
B: Count me in.
= {A} asked {B} along to a castle, and {B} agreed.

&B: The coffee at the castle was even worse than you said.
A: [And the garden?|But the garden!]
B: The garden made up for it.
= {B} told {A} that the castle's garden had made up for the coffee.

A: I've put a map on the wall with a pin for each place. There are nine.
B: [Which one is farthest away?|Which one do you like best?]
A: The one I haven't been to.
= {A} told {B} about a map with nine pins.

B: If you could go anywhere for a month, where would you go?
A: Somewhere with trains and markets. [You?|And you?]
B: Somewhere without a phone.
= {B} asked {A} about a month anywhere, and {A} named trains and markets.
)"},
};

}  // namespace

std::span<const Storyline> leisure_storylines() { return kStorylines; }

}  // namespace chatmem
