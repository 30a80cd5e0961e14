// Storylines that fit whatever two people spoke of first, and those of callers and authorities.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kCall, Between::kServed, R"(
A: {hi} I called on {day}. [May I write to you if I can't get through?|May I also write to you?]
B: Of course. [I read everything that comes in.|I read what comes in every hour.]
A: [That's a relief.|Very good.] Your line is often busy.
= {A} asked {B} whether writing was all right too, because the line was often busy.

A: When is the best time to call?
B: [Between ten and eleven.|From ten to eleven.] After that most of us are in meetings.
A: [Then I'll call at ten.|Thank you, ten is fine.]
= {A} asked {B} for the best time to call, and {B} recommended the hour after ten.

&A: At ten I got through at once. [Thank you for the hint.|Thanks for telling me.]
B: [I'm glad.|Very good.] Did you get what you needed?
A: [All of it.|Everything.]
= {A} thanked {B}: a call at ten had gone through at once.

B: Could you spell your name for me once more? [I want it right in our list.|It's for our list.]
A: Gladly, [I'll send you a card with everything on it|I'll send you my card].
B: Thank you, [that's the safest|that makes it easy].
= {B} asked how to spell {a's} name, and {A} promised to send a card.

&B: Your card has come. [Now everything is right in our list.|The list is correct now.]
A: [Was it very wrong before?|How was it spelled before?]
B: Only one letter was wrong.
= {B} told {A} that the card had come; only one letter had been wrong in the list.

A: Is there a direct number, [so that I needn't bother you|to save you the trouble]?
B: [It's no bother.|You don't bother me.] But yes, I'll send it to you.
A: Thank you very much.
= {A} asked for a direct number, and {B} promised to send it.

B: We're closed [on the holiday|over the holidays], as a warning.
A: Good that you tell me. [Is there anybody in an emergency?|What if it's urgent?]
B: There is a machine. [Somebody listens to it every evening.|It's listened to every evening.]
= {B} told {A} that they were closed over the holidays, with a machine for urgent cases.

A: You've always been friendly on the phone. [I wanted to say that.|I thought I'd tell you.]
B: [That makes my day.|Thank you!] Most people only notice when we aren't.
A: [I notice both.|That's how it is.]
= {A} praised {B} for being friendly on the phone.
)"},
    {Field::kAuthority, Between::kServed, R"(
A: {hi} [Where can I ask how things stand since {day}?|Whom do I ask how things stand since {day}?]
B: [Here.|You can ask me.] It takes us a few weeks as a rule.
A: Then I'll wait.
= {A} asked {B} how things stood, and {B} said that it took a few weeks as a rule.

A: Do I have to come in person, or [may I send my papers|is it enough to send the papers]?
B: [A copy is enough.|You may send a copy.] Keep the original with you.
A: [Good, that saves me a day.|Thank you, that saves me the way.]
= {A} asked about coming in person, and {B} explained that a copy was enough.

&A: I've sent the copy. [Has it arrived?|Did it arrive?]
B: [It's here.|Yes.] The stamp on it is from this morning.
A: [That was quick.|Very good.]
= {A} asked about the copy, and it had arrived.

A: When are your counters open?
B: From eight to twelve, [not in the afternoon|and not after that].
A: [Then I'll ask for an hour off.|I'll have to get up early.]
= {A} asked {B} about the opening hours: from eight to twelve.

B: Please check whether we have your right address. [It's only for the files.|It's for our files.]
A: [It's still the same.|Nothing has changed.] There is a new name on the door, that's all.
B: [Thank you.|I'll make a note of it.]
= {B} asked {A} to check the address, which was still the same.

A: I was at the counter early, [and there were only two people before me|as one of the first].
B: [You chose well.|Early is always good.] At eleven it's full.
A: [Your colleague was kind.|I was out in ten minutes.]
= {A} told {B} about being early at the counter.

A: Is there a fee for a second copy?
B: [Not for the first one.|The first one is free.] After that a small one.
A: [One is all I need.|I only need one.]
= {A} asked about a fee, and {B} explained that the first copy was free.

A: Thank you for explaining everything. [One doesn't hear that every day, I guess.|I mean it.]
B: [No, one doesn't.|We don't hear that often.] All the best to you.
A: [To you too.|The same to you.]
= {A} thanked {B} for explaining everything.
)"},
    {Field::kNeutral, Between::kFriends, R"(
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

A: The film is at the shop. [It takes a week.|They need a week for it.]
B: [A whole week!|And you can't look before?] Are you nervous?
A: Terribly.
= {A} told {B} that the film was at the shop for a week.

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
    {Field::kNeutral, Between::kFriends, R"(
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
    {Field::kNeutral, Between::kFriends, R"(
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
    {Field::kNeutral, Between::kServed, R"(
A: {hi} I have one question after {talk}. [Whom do I ask for when I come again?|For whom do I ask
  when I come again?]
B: [Ask for me.|Just ask for me.] If I'm out, anybody can help you.
A: [Good, thank you.|That's good to know.]
= {A} asked {B} whom to ask for the next time.

A: Do you close at noon?
B: [For half an hour.|Half an hour, from twelve on.] Before and after that somebody is here.
A: [Then I'll come later.|Thank you, I'll remember.]
= {A} asked whether {B} closed at noon, and it was half an hour.

B: I thought of you just now: [we have a new leaflet|there is a new leaflet]. Shall I send it?
A: [Yes, please.|Gladly.] I like to read things in peace.
B: [It's in the mail.|It goes out today.]
= {B} offered {A} a leaflet and sent it.

&A: The leaflet came. [It answers everything.|It answers all my questions.]
B: [That's what it was made for.|I'm glad.]
A: Page three above all.
= {A} told {B} that the leaflet answered everything.

A: Where does one park near you?
B: [Behind the building.|At the back.] The first hour costs nothing.
A: [I'll manage in an hour.|An hour is enough.]
= {A} asked {B} where to park, and the first hour behind the building cost nothing.

B: We've moved the entrance, it's on the left side now. [Please don't wonder.|In case you look for
  it.]
A: Thank you. [I'd have stood at the wrong door.|I would have knocked at the wrong one.]
B: [You wouldn't be the first.|Some people do.]
= {B} told {A} that the entrance had moved to the left side.

A: I was with you today, [but it was too full|and the queue was long].
B: [Sorry about that.|I'm sorry.] Early afternoon is the best time.
A: [I'll try that.|Then I'll come after lunch.]
= {A} found it too full, and {B} recommended the early afternoon.

A: I've been told to thank you. [My neighbour came to you on my advice.|I had sent my neighbour to
  you.]
B: [How nice.|Thank you for that.] Was everything all right?
A: Everything.
= {A} thanked {B} on behalf of a neighbour.
)"},
    {Field::kNeutral, Between::kAnyone, R"(
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
    {Field::kNeutral, Between::kAnyone, R"(
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
    {Field::kNeutral, Between::kAnyone, R"(
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
};

}  // namespace

std::span<const Storyline> neutral_storylines() { return kStorylines; }

}  // namespace chatmem
