// Storylines that anybody may have with anybody: nothing in them says who the two are.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kAny, Between::kFriends, R"(
A: {hi} [I've been given a camera|Somebody gave me a camera], a real one with film in it.
B: [I thought those had died out.|Those still exist?] Can you use it?
A: [Not yet.|I'm learning it.] I have thirty-six tries.
= {A} told {B} about a camera with film and thirty-six tries.

B: Have you taken your thirty-six pictures?
A: Nine. [I think before every one.|I think for minutes before each of them.]
B: [That's the beauty of it.|With my phone I never do.]
= {B} asked about the pictures, and {A} had taken nine.

A: May I take [a picture of you|your picture] some time{,n}?
B: If I don't have to smile.
A: [Nobody smiled in the old days.|You may look as grim as you like.]
= {A} asked to take a picture of {B}, and {b} made one condition: not to have to smile.

A: The film is at the shop. [It takes them for ever.|They take their time.]
B: [And you have to wait!|And you can't look before?] Are you nervous?
A: Terribly.
= {A} told {B} that the film was at the shop and that {a} had to wait.

A: The pictures are back! Five of them are sharp.
B: [Five out of thirty-six?|Only five?]
A: [The shop says that's normal.|The shop says that five is not bad.]
= {A} told {B} that five of the pictures had turned out sharp.

&B: Which of the five do you like best?
A: An empty chair in the sun.
B: [That sounds beautiful.|I'd hang that on the wall.]
= {B} asked for the best picture: an empty chair in the sun.

B: I found some old film in a drawer. [Do you want it?|You can have it.]
A: [Gladly!|Yes, please!] How old is it?
B: Older than my bicycle.
= {B} offered {A} some old film out of a drawer.

A: I've hung three pictures in the hall. [One of them is crooked.|They almost hang straight.]
B: [I'd like to see them.|I'll come and look.]
A: Come when you like. [Bring the camera a new film.|The door is open.]
= {A} hung three pictures in the hall, and {B} wanted to see them.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} [I've got my old bicycle out of the cellar.|My old bicycle is out of the cellar.] Both tyres
  are flat.
B: Do you have a pump?
A: [One without a hose.|Somewhere.] I'll buy one.
= {A} told {B} about getting an old bicycle out of the cellar with two flat tyres.

A: The tyres hold. [Now the brakes squeak.|But the brakes squeak now.]
B: [Then everybody hears you coming.|So you don't need a bell.]
A: The dogs do, above all.
= {A} told {B} that the tyres held but the brakes squeaked.

&B: Did you get the brakes quiet?
A: Yes, [it only took a cloth|with an old cloth]. They were dirty.
B: [So simple.|Then it was nothing.]
= {B} asked about the brakes, which {A} had got quiet with a cloth.

A: I rode to the river and back[ on the bicycle| on the old bicycle].
B: [How far is that?|Is that far?]
A: Far enough. I sat on a cushion all evening.
= {A} told {B} about riding to the river and back.

A: Shall we ride somewhere together{,n}? [Not far.|Only a short way.]
B: [Mine needs air too.|I'd have to pump mine up first.] But yes.
A: [I have a pump now.|I'll bring the pump.]
= {A} suggested a ride together, and {B} agreed.

&B: [That was a good ride.|I enjoyed our ride.] My legs still feel it.
A: [Mine too.|So do mine.] The ice cream was worth it.
B: [It was.|The second one as well.]
= {B} told {A} of having enjoyed the ride together.

A: I forgot my bicycle at the station and walked home.
B: [How does one forget a bicycle?|You forgot it?]
A: I was talking. [It was still there.|Nobody took it.]
= {A} told {B} about forgetting the bicycle at the station.

A: The bicycle has a basket now. [For bread and books.|It holds bread and books.]
B: [Next comes a bell.|Then it needs a bell too.]
A: It rattles enough without one.
= {A} told {B} about a basket for the bicycle.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} I've borrowed a neighbour's dog [for the mornings|to walk in the mornings].
B: [What is it like?|A big one?]
A: Small, old and stubborn. We get on well.
= {A} told {B} about walking a neighbour's dog in the mornings.

B: How is the dog?
A: [He sat down in the middle of the road today.|He wouldn't cross the road today.] I carried him.
B: [So he walks you.|He's no fool.]
= {B} asked about the dog, which {A} had had to carry.

A: The dog has found every baker in the district.
B: [Does he get something?|And do they give him anything?]
A: [Everywhere.|At every one.] He's getting round.
= {A} told {B} that the dog got something at every baker's.

A: It rained this morning, and the dog wanted to go [all the same|anyway].
B: [And you?|Did you go?]
A: I went too. [We were both wet.|We both dripped.]
= {A} told {B} about walking the dog in the rain.

B: Could I come along [some morning|one morning]?
A: [Sure.|Of course.] We start at seven.
B: Seven! [Well, all right.|I'll set two alarms.]
= {B} asked to come along with the dog some morning, and {A} named seven o'clock.

&A: The dog liked you, [he only barked twice|you only got two barks].
B: [Is that good?|Only twice?]
A: [I got eleven the first time.|At me he barked all morning.]
= {A} told {B} that the dog had barked only twice this time.

A: The neighbour asked if I could take the dog for a weekend.
B: [And can you?|What did you say?]
A: He's lying on my feet right now.
= {A} told {B} about having the dog for a weekend.

A: Since I've had the dog in the mornings, I know the whole street.
B: [Nobody talks to you without a dog.|Dogs do that.]
A: [They greet him, not me.|They know his name, not mine.]
= {A} told {B} about knowing the whole street thanks to the dog.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} [I'm collecting good advice.|I've begun to collect good advice.] What is the best you've
  ever been given?
B: Never answer a letter while you're angry.
A: [That's going to the top.|That's number one.]
= {A} asked {B} for a good piece of advice: never to answer a letter in anger.

B: How many pieces of advice do you have by now?
A: [Nine.|Nine already.] Three of them are about shoes.
B: [Shoes?|About shoes?]
A: People feel strongly about shoes.
= {B} asked about the collection of advice, and three of {a's} nine pieces were about shoes.

A: I wrote an angry letter and left it in the drawer[. Your advice|, as you told me].
B: [And today?|Did you read it again?]
A: Today I tore it up.
= {A} told {B} about tearing up an angry letter instead of sending it.

A: Do you get up at once or do you lie there for a while?
B: [I lie there and plan.|I lie there and plan the day.] Then I forget the plan.
A: [Same here.|I know that.]
= {A} asked {B} about getting up: {b} planned in bed and forgot the plan.

B: Here's another one for your collection: [buy the good umbrella|don't buy cheap umbrellas].
A: [From experience?|Did you learn it the hard way?]
B: I've lost four bad ones.
= {B} gave {A} another piece of advice, on umbrellas.

&A: I bought the good umbrella. [It hasn't rained since.|Since then it's been dry.]
B: [That's how it works.|You see how well it works?]
A: [Then it was worth it.|I can't complain.]
= {A} bought a good umbrella, and it had not rained since.

A: I asked a child for advice. [It said: more pancakes.|The answer was: more pancakes.]
B: [I'd take that.|That's hard to beat.]
A: It's on the list.
= {A} told {B} about a child's advice, more pancakes.

A: The collection fills a whole notebook now.
B: [And do you follow it?|Which do you follow?]
A: [The one about the letter.|Mostly the one about letters.]
= {A} told {B} that the collection filled a notebook.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} [I've hung a bird feeder outside my window.|There's a bird feeder outside my window now.]
  Nobody comes.
B: [Give it a week.|It takes a week.] They have to get used to it.
A: [I'm not patient.|A week!]
= {A} told {B} about a bird feeder where nobody came, and {B} recommended patience.

A: The first bird was here! [It was small and brown.|Small and brown.]
B: [A sparrow.|That'll be a sparrow.] They're always the first.
A: I was so pleased that it flew off.
= {A} told {B} about the first bird, probably a sparrow.

B: How many birds come by now?
A: [Five or six.|Half a dozen.] And a squirrel, which takes everything.
B: [The squirrel is the cleverest.|Then hang it higher.]
= {B} asked about the birds, and {A} had a squirrel too.

&A: The squirrel has learned to open the lid.
B: [I told you.|Of course it has.]
A: [I put out nuts for it now.|It gets its own nuts now.]
= {A} told {B} that the squirrel had learned to open the lid.

B: I heard a bird this morning, [three notes, the last one high|three notes and the last one high].
  What is that?
A: [A great tit.|That's a great tit.] Mine does that too.
B: [Then I have one as well.|Now I know.]
= {B} asked {A} about a bird with three notes: a great tit.

A: I've borrowed a book about birds. [I know eleven of them.|I can tell eleven apart.]
B: [From the window?|All from your window?]
A: The twelfth was a glove in a tree.
= {A} told {B} about a book on birds and telling eleven apart.

B: I've hung up a feeder too. [You're to blame.|That's your doing.]
A: [Has anybody come?|And?]
B: A cat. [It sat underneath.|It sits below and waits.]
= {B} told {A} about a feeder too, with a cat underneath.

A: In the mornings I have my coffee at the window with the birds.
B: [That's a good start.|I can see that.] Better than the news.
A: [Much.|Much better.] And louder.
= {A} told {B} about coffee at the window with the birds.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} I'm doing a big jigsaw puzzle, [two thousand pieces|of two thousand pieces]. Where does one
  begin?
B: With the edge.
A: [There's sky on three sides.|Three sides are sky.]
= {A} asked {B} where to begin a puzzle of two thousand pieces: with the edge.

B: Is the edge of your puzzle done?
A: All but one piece. [It's the corner.|The corner is missing.]
B: [Look under the table.|Have you looked under the table?]
= {B} asked about the puzzle, whose edge lacked one piece.

&A: The corner was in my sleeve.
B: [Well, then.|There you are.] Now the sky?
A: I'm doing the boat first.
= {A} told {B} that the missing corner had been in {a's} sleeve.

A: We can't use the table any more, [we eat in the kitchen|so we eat in the kitchen].
B: [For how long?|And for how long is that?]
A: [Until the sky is finished.|As long as there's sky to do.]
= {A} told {B} about eating in the kitchen because of the puzzle.

B: I've been thinking about your sky. [Sort the pieces by shape.|Try sorting the pieces by shape.]
A: [By shape!|Not by colour?] That's good.
B: It's all blue anyway.
= {B} recommended sorting the pieces of the sky by shape.

A: Somebody opened the window, and [part of the sky flew away|the wind took part of the sky].
B: [Oh no.|No!] Did you find it all?
A: I think so. [I'm counting.|I've counted twice.]
= {A} told {B} that the wind had taken part of the puzzle's sky.

A: The puzzle is finished[. I just sat and looked at it|, and I sat and looked at it].
B: [Congratulations!|Well done!] No gap?
A: One, in the sail. [It looks like a window.|One sees it only from nearby.]
= {A} finished the puzzle but for a gap in the sail.

B: Do you want another puzzle? [I have one of a meadow.|There's one of a meadow here.]
A: How many greens?
B: [I'd rather not say.|Many.]
A: Bring it.
= {B} offered {A} another puzzle, of a meadow, and {A} accepted.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} I'm learning a word of Portuguese a day. [Today's is the one for breakfast.|Today it was the
  word for breakfast.]
B: [Why Portuguese?|What made you choose that?]
A: A song on the radio. I'd like to know what it's about.
= {A} told {B} about learning a word of Portuguese a day because of a song.

B: How many words of Portuguese do you have by now?
A: [About thirty.|Thirty or so.] Most of them can be eaten.
B: [Then you won't starve.|The most important ones, then.]
= {B} asked {A} about the Portuguese words, about thirty, most of them food.

A: I ordered a coffee in Portuguese today. [The waiter was from Poland.|The waiter turned out to be
  Polish.]
B: [And did you get it?|Did it work?]
A: Two of them. We both nodded a lot.
= {A} told {B} about ordering a coffee in Portuguese from a Polish waiter.

A: How do you remember numbers? [I mix up six and seven.|Six and seven won't stay apart.]
B: [Read out prices|Say the prices aloud] when you're shopping.
A: People will wonder about me. [I'll do it.|But I'll try it.]
= {A} asked {B} how to remember numbers, and {b} recommended reading out prices.

&B: Do the prices help?
A: Yes. [I know six and seven now.|Six and seven are safe.] Eleven is next.
B: [One after the other.|There's always a next one.]
= {B} asked whether the prices helped, and {A} knew six and seven now.

A: I've understood a whole line of the song. It's about a bus that is late.
B: [No love in it?|And I thought of the sea.]
A: So far only the bus. [There are two more verses.|Two verses are left.]
= {A} told {B} of having understood a line of the song: a bus is late.

B: I heard Portuguese on the train and thought of you.
A: [What did they say?|Did you understand anything?]
B: I only understood "breakfast".
= {B} told {A} of hearing Portuguese on the train and understanding one word.

A: A hundred words! [I bought myself a cake.|I celebrated with cake.]
B: [Congratulations.|Well done.] Do you know the word for cake?
A: That was number two.
= {A} told {B} of having reached a hundred words.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} I've drawn a line across the map of the city. [On Sundays I walk along it, bit by bit.|Every
  Sunday I walk a bit of it.]
B: A straight line? [Through the houses?|And the houses?]
A: Around those.
= {A} told {B} about walking along a line across the map, a bit every Sunday.

B: How far have you got with your line?
A: [To the canal.|As far as the canal.] I had to look for a bridge.
B: [Straight on isn't so easy.|Lines don't know about water.]
= {B} asked about the line, and {A} had come as far as the canal.

A: I met a man on my walk who [keeps bees on a garage|has bees on the roof of a garage].
B: [In the middle of the city?|Here?] What is the honey like?
A: Dark. I've got a glass of it.
= {A} told {B} about a man on the way who keeps bees on a garage.

A: The line goes through a barracks. [What would you do?|How would you do that?]
B: [Ask at the gate.|I'd ask at the gate.] They can only say no.
A: [That's true.|Right.] On Sunday I'll ask.
= {A} asked {B} what to do about a barracks on the line, and {b} recommended asking at the gate.

&A: They said no at the barracks. [But very politely.|They were nice about it.]
B: [So you went around.|And then?]
A: Around, and past a bakery that I didn't know.
= {A} told {B} that the barracks had said no, politely.

B: Does your line touch my street?
A: [By two houses.|It misses it by two houses.] I looked it up.
B: [A pity.|So close!] I'd have put a chair out.
= {B} asked whether the line touched {b's} street, and it missed it by two houses.

A: I walked in the rain on Sunday and was alone [with the ducks|with a few ducks].
B: [Nobody else was so brave.|They had the right clothes.]
A: They looked at me like that, too.
= {A} told {B} about a walk in the rain, alone with the ducks.

A: I'm through! The line ends [at a bus stop|at the stop of a bus] in a field.
B: [What now?|And what next?]
A: I took the bus home. It took nineteen minutes.
= {A} told {B} of having come to the end of the line, a bus stop in a field.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} I've bought an old clock [at a flea market|from a junk shop]. It strikes whenever it likes.
B: [Does it show the right time?|And the time?]
A: Twice a day.
= {A} told {B} about an old clock that struck whenever it liked.

B: Does the clock go by now?
A: Yes, but [ten minutes fast|it gains ten minutes] a day.
B: [Then you'll never be late.|There are worse faults.]
= {B} asked about the clock, which gained ten minutes a day.

A: It struck thirteen last night. [I counted.|I counted along.]
B: [Were you frightened?|What did you do?]
A: I put a sock on the bell.
= {A} told {B} that the clock had struck thirteen and had a sock on its bell now.

A: Do you know anybody who mends clocks?
B: [There's an old man behind the market.|An old man behind the market does.] He doesn't like to be
  hurried.
A: [A man after my heart.|Then he's the right one.]
= {A} asked {B} for somebody who mends clocks, and {b} knew an old man behind the market.

&A: The man behind the market has my clock. [He listened to it for a long time.|First he only
  listened.]
B: [Like a doctor.|What did he say?]
A: "She's tired." In two weeks I'll know more.
= {A} told {B} that the clock was with the man behind the market.

A: I've noticed how quiet it is without a clock in the room.
B: [Too quiet?|Do you like it?]
A: [I catch myself listening.|I keep listening for it.]
= {A} told {B} how quiet the room was without a clock.

B: My watch stopped today, and nobody noticed, not even me.
A: [For how long?|How long did it take?]
B: Until lunch. I was hungry at half past eight.
= {B} told {A} that {b's} watch had stopped and nobody had noticed.

A: I set the clock by the radio now, [every morning|each morning].
B: [A good habit.|So you start the day on time.]
A: It's nice to be needed.
= {A} told {B} about setting the clock by the radio every morning.
)"},
    {Field::kAny, Between::kFriends, R"(
A: {hi} [I've joined a choir.|I sing in a choir now.] They take everybody.
B: [I didn't know that you sing.|Do you sing well?]
A: Nor did I. I stand at the back.
= {A} told {B} about having joined a choir that takes everybody.

B: How is the singing?
A: [I'm a bass, it seems.|It turns out that I belong to the low voices.] We have few notes, but
  important ones.
B: [Somebody has to.|Without you it all falls down.]
= {B} asked about the singing, and {A} belonged to the low voices.

A: Where can one practise without [annoying the neighbours|anybody hearing it]?
B: In the car. [At red lights people think you're on the phone.|Nobody hears you there.]
A: [Very good.|That's it.] I drive past my exit anyway.
= {A} asked {B} where to practise singing, and {b} recommended the car.

&B: Do you sing in the car?
A: Every day. [Somebody at the lights sang along.|A man at the lights joined in.]
B: [What luck.|Ask him to join.]
= {B} asked about singing in the car, where somebody had sung along with {A}.

A: Our conductor says that we should [look happier|smile more].
B: [Is it a happy song?|What do you sing?]
A: It's about a shipwreck.
= {A} told {B} that the choir should look happier while singing about a shipwreck.

A: I lost my place today and sang [something of my own|something else] for a whole page.
B: [Did anybody notice?|And the others?]
A: The man beside me followed me.
= {A} told {B} about losing the place and singing something else for a page.

A: We sing in public soon, in the hall of [the old school|the school]. Would you come?
B: [Gladly.|Of course.] Where do I have to look?
A: At the back, on the left. I'm the one behind somebody tall.
= {A} invited {B} to hear the choir sing, and {b} promised to come.

B: I caught myself humming while I was doing the dishes.
A: [That's how it begins.|That's how it began with me.] We have free chairs.
B: [Let me hum for a while.|First I'll hum some more.]
= {B} told {A} of humming over the dishes, and {A} spoke of free chairs in the choir.
)"},
};

}  // namespace

std::span<const Storyline> anybody_storylines() { return kStorylines; }

}  // namespace chatmem
