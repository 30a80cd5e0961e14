// Storylines of friends: work, school, machines, news, and whatever else.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kJob, Between::kFriends, R"(
A: {hi} I'm bringing my CV up to date. [It's five years old.|The last one is five years old.] Would
  you read it?
B: [Sure.|Of course.] Are you looking for something?
A: No, I just want to have it ready.
= {A} asked {B} to read {a's} CV, which was five years old.

B: I've read your CV. [It's good, but too long.|Good, but much too long.]
A: [Where would you cut?|What would you leave out?]
B: The hobbies, and everything before school ended.
= {B} found {a's} CV good but too long.

A: The CV is down to two pages.
B: [Very good.|That's better.] And the photo?
A: I have one from a wedding. [I look happy in it.|At least I'm smiling.]
B: Take a new one.
= {A} cut the CV down to two pages, and {B} recommended a new photo.

&A: I had a proper photo taken. [I had to hold my chin up.|"Chin up," they kept saying.]
B: And do you look like yourself?
A: [Like my own boss.|More serious than I am.]
= {A} told {B} about having a proper photo taken.

A: What do you say when somebody asks about your weaknesses?
B: That I take on too much, [and what I do about it|and how I deal with it].
A: [I'll remember that.|Good answer.]
= {A} asked {B} how to answer a question about weaknesses.

A: I've put my name down for [an evening course|a course in the evening]. Spreadsheets.
B: [That's always useful.|That can't hurt.] Is it dull?
A: A bit. But it goes into the CV.
= {A} told {B} about an evening course on spreadsheets.

B: How is the spreadsheet course?
A: [I can sort columns now.|I've learned to sort columns.] Life has changed.
B: [I don't believe you.|You're joking.]
= {B} asked about the evening course, in which {A} had learned to sort columns.

A: Shall I look through your CV in return?
B: [Mine is in an old folder somewhere.|I'd have to find it first.]
A: Then it's high time{,n}.
= {A} offered to look through {b's} CV in return.
)"},
    {Field::kJob, Between::kFriends, R"(
A: {hi} [May I ask you something?|Can you help me with something?] [How early should one arrive for
  an interview|How early do you arrive for an interview]?
B: Ten minutes. [Earlier makes everybody nervous.|More than that is awkward.]
A: [That's what I thought.|Good.]
= {A} asked {B} how early to arrive for an interview, and {B} recommended ten minutes.

A: What would you wear to an interview?
B: [One step better than on a working day.|A little better than every day.] And clean shoes.
A: [The shoes!|I always forget the shoes.]
= {A} asked {B} what to wear to an interview.

B: I've read that people who ask questions make the better impression.
A: [What sort of questions?|Which questions?]
B: About the work itself. [Not about the holidays.|Holidays come later.]
= {B} told {A} that people who asked questions made the better impression.

A: I've made a list of what I do well. [It was harder than I thought.|That was quite hard.]
B: How many points?
A: Seven. [Then I ran out.|I stopped there.]
= {A} told {B} about a list of seven strengths.

&B: I made such a list too. I got to five.
A: [Shall I help you with the sixth?|I know a sixth.]
B: [What would it be?|Go on.]
A: You listen well.
= {B} got to five strengths, and {A} found a sixth: {b} listened well.

A: Do you know where one can practise speaking freely?
B: There are [clubs for that|speakers' clubs], they meet in the evening.
A: [I'll look for one.|I'll see if there's one near me.]
= {A} asked {B} where to practise speaking freely, and {B} named speakers' clubs.

&A: I went to the speakers' club and talked for two minutes.
B: [What about?|What did you talk about?]
A: About bread. [They clapped.|People were kind.]
= {A} told {B} about two minutes at the speakers' club.

B: [Are you still at it with your speeches?|Have you held another speech?]
A: Four minutes by now. [My hands hardly shake.|I hardly shake any more.]
B: [That's a fine step.|Respect.]
= {B} asked about speaking, and {A} had got to four minutes.
)"},
    {Field::kStudy, Between::kFriends, R"(
A: {hi} [I've bought cards to learn words with.|I've started to learn words with cards.] Twenty a
  day.
B: [Twenty is a lot.|That's a lot.] When do you do it?
A: On the bus.
= {A} told {B} about learning twenty words a day with cards on the bus.

B: How many words are you at?
A: A hundred and forty. [I know about half of them.|Half of them stick.]
B: [That's not bad at all.|That's quite something.]
= {B} asked about the words, and {A} knew half of a hundred and forty.

A: Do you want to [study together|learn together] once a week? It's easier for two.
B: [Yes.|Good idea.] At the library?
A: [In the café beside it.|Better in the café, we can talk there.]
= {A} suggested studying together in a café, and {B} agreed.

&B: I got more done in the café with you than in a week alone.
A: [Me too.|So did I.] And the cake is good.
B: That's [why I come|half the reason].
= {B} told {A} that studying in the café had brought more than a week alone.

A: I've lost ten of my cards[ on the bus|, on the bus of all places].
B: [Then somebody else is learning them now.|Somebody is glad of them.]
A: [I hope so.|Let's hope they're useful.]
= {A} told {B} about losing ten cards on the bus.

B: Can you explain to me again how you [make your plan for the week|plan your week]?
A: I write down the three hardest things first. They get the mornings.
B: [My mornings are for sleeping.|I'm not awake in the morning.]
= {B} asked how {A} planned the week: the hardest things got the mornings.

A: I read a whole newspaper page without a dictionary.
B: [Really?|A whole page!] What was it about?
A: [Snow.|The weather.] But every word of it.
= {A} told {B} about reading a newspaper page without a dictionary.

A: I've put the cards away. [I don't need them now.|I know nearly all of them.]
B: Can I have them?
A: [Gladly, all but ten.|Yes, but ten are missing.]
= {A} put the cards away, and {B} asked to have them.
)"},
    {Field::kStudy, Between::kFriends, R"(
A: {hi} [May I ask you something?|I'd like to ask you something.] How do you learn things by heart?
B: I read them aloud, [walking up and down|while I walk up and down].
A: [Aloud?|That's new to me.] I'll try it.
= {A} asked {B} how to learn by heart, and {B} recommended reading aloud while walking.

B: Have you tried reading aloud?
A: Yes. [My neighbours must think I'm mad.|I only hope that nobody heard me.] But I remembered it.
B: [That's what counts.|Then it works for you.]
= {B} asked about reading aloud, and it had helped {A} to remember.

A: Is it better to study in the morning or at night?
B: [In the morning, I'd say.|For me, the morning.] At night I only think I'm studying.
A: [That's well put.|I know what you mean.]
= {A} asked {B} about the best time to study, and {B} preferred the morning.

A: I've made myself a plan, half an hour a day.
B: [Half an hour is good.|That's a good length.] It's short enough to really do it.
A: That was the idea.
= {A} told {B} about a plan to study for half an hour a day.

&B: Are you keeping to your half hour?
A: [Five days out of seven.|Not at weekends.] But it adds up.
B: [It does.|Certainly.]
= {B} asked about the half hour of study, and {A} kept to it on most days.

A: Do you know a dictionary with good examples?
B: The thick one in the reading room. [I use it myself.|It has an example for every word.]
A: [I'll have a look at it.|Then I'll go there.]
= {A} asked {B} for a good dictionary and heard of the one in the reading room.

&A: I spent an hour with the thick dictionary.
B: [A whole hour?|That long?]
A: I looked up one word and read twenty.
= {A} told {B} about an hour with the thick dictionary.

A: I've understood something that [I'd given up on|always puzzled me].
B: [How did you manage that?|What helped?]
A: I explained it to someone else.
B: [That's the best way.|That always helps.]
= {A} told {B} about understanding something by explaining it.
)"},
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
    {Field::kTechnology, Between::kFriends, R"(
A: {hi} My computer is full. [How do you get rid of things?|What do you do about that?]
B: I look for the biggest files first. It's always videos.
A: [I have forty videos of my cat.|You're right, it's videos.]
= {A} asked {B} about a full computer, and {B} suspected videos.

&A: I've thrown away the videos, and it's twice as fast.
B: [All of them?|Even the best ones?]
A: I kept three.
= {A} told {B} that the computer was twice as fast without the videos.

B: Do you make copies of your pictures?
A: [I mean to.|No.] Why?
B: My sister's phone fell into the lake, with four years of pictures.
A: I'll do it tonight.
= {B} told {A} about pictures lost in a lake, and {A} promised to make copies.

&A: I've made copies of everything, on two disks.
B: One of them should lie somewhere else. [At your sister's, for example.|Not at home.]
A: I'll bring you one.
= {A} made copies of everything, and {B} recommended keeping one somewhere else.

A: I get sixty mails a day that I never asked for.
B: There's a line at the very bottom, "unsubscribe". [Five minutes a day.|Do five a day.]
= {A} complained to {B} about unwanted mails, and {B} recommended unsubscribing.

B: Can you help me set up my parents' computer? They only want to see the grandchildren on it.
A: Yes. [Big letters and three buttons.|We'll make the letters big.]
B: Three buttons would be perfect.
= {B} asked {A} to help with a computer for the parents.

&B: My parents call every evening since you set up their computer.
A: [Is that good or bad?|Do they see you well?]
B: They hold it so that I see the ceiling.
= {B} told {A} that the parents now called every evening.

A: I've taken one day without any screen.
B: [And how was it?|How did it go?]
A: Long. I read a newspaper and cleaned all my shoes.
= {A} told {B} about a day without any screen.
)"},
    {Field::kCar, Between::kFriends, R"(
A: {hi} My car makes a noise in left turns. [Only in left turns.|Never in right turns.]
B: Have you looked into the boot? Mine did that, and it was a bottle.
A: I'll look.
= {A} told {B} about a noise in left turns, and {B} suspected a bottle in the boot.

&A: It was a tin of paint, rolling about in the boot.
B: [Closed, I hope.|Was it closed?]
A: Thank goodness, yes.
= {A} told {B} that the noise had been a tin of paint.

B: Could you give me a lift on Saturday? I have to take a chair to my sister.
A: [Sure.|Of course.] Will it fit in?
B: If I put it on my knees.
= {B} asked {A} for a lift with a chair, and {A} agreed.

&B: Thank you for driving me and the chair.
A: [How does it look?|Did it survive?]
B: My sister sits in it already.
= {B} thanked {A} for driving the chair.

A: I've left the car at home for a week, as a test.
B: How did you get around?
A: By bus, and [on foot when it was dry|on my old bicycle].
= {A} told {B} about a week without the car.

A: Where do you have your car checked? My garage has closed.
B: At the one by the railway bridge. [They explain everything.|They're slow but honest.]
= {A} asked {B} for a garage, and {B} named the one by the railway bridge.

&A: I was at the garage by the railway bridge. They only changed one bulb.
B: [That's what I like about them.|Others would have found more.]
= {A} told {B} that the garage had only changed a bulb.

B: I stood in traffic for an hour. I know every song on the radio now.
A: Next time take the road by the river. [Nobody knows it.|It's always empty.]
= {B} complained of an hour in traffic, and {A} recommended the road by the river.
)"},
    {Field::kNews, Between::kFriends, R"(
A: {hi} I've given up reading the news in bed.
B: [And when do you read it?|Does that help?]
A: Once, at noon, on paper. I sleep better.
= {A} told {B} about reading the news only at noon.

B: Did you hear that they want to close our library on Mondays?
A: [No!|I hadn't heard.] Can one do anything about it?
B: There's a list one can sign.
= {B} told {A} about the plan to close the library on Mondays and a list to sign.

&A: I've signed the list for the library. There were four pages of names.
B: [Then it may help.|I'm on page two.]
= {A} told {B} about signing the list for the library.

A: There's a meeting about the new bicycle road. Shall we go and listen?
B: [Is it open to everybody?|May everybody come?]
A: Yes, in the school, in the evening.
= {A} suggested a meeting about the bicycle road to {B}.

&B: That meeting on the bicycle road was better than the theatre.
A: The man with the goat!
B: [I'd vote for the goat.|The goat was right.]
= {B} told {A} of having enjoyed the meeting.

A: I'm helping to plant trees along our street. They need people on Saturday.
B: [I have boots.|I have a spade.] What time?
A: At ten.
= {A} looked for people to plant trees, and {B} wanted to help.

&B: I walked past our trees today. All of them are standing.
A: [Even the crooked one?|Mine too?]
B: Even the crooked one.
= {B} told {A} that all the planted trees were standing.

A: I've taken a newspaper back to the shop: two pages were missing.
B: [Which ones?|The best ones?]
A: The ones with the weather and the puzzle.
= {A} told {B} about a newspaper with two pages missing.
)"},
    {Field::kWork, Between::kFriends, R"(
A: {hi} We've got new chairs at work. Mine has seven levers.
B: [What do they do?|Seven?]
A: I've found out about three.
= {A} told {B} about a new chair at work with seven levers.

B: How was your day? Mine had four meetings.
A: [I had one, and it lasted until noon.|Only one meeting, but a long one.]
B: You win.
= {B} told {A} about a day with four meetings.

A: There's a place free in our firm, half days. Do you know anybody?
B: My neighbour is looking for something like that. [I'll ask her.|Shall I ask her?]
A: Please do.
= {A} looked for somebody to work half days, and {B} thought of a neighbour.

&B: My neighbour has talked to your firm.
A: I know, I saw her in the hall. [They liked her.|They were pleased.]
B: So did she.
= {B} told {A} that the neighbour had talked to the firm, and it had gone well.

A: I've asked for one day at home each week. They said yes.
B: [Which day?|Good for you!]
A: Wednesday. I'm still wearing slippers.
= {A} told {B} about working at home on Wednesdays.

B: What do you do when somebody at work talks and talks?
A: I stand up. [It's friendly, but they notice.|Then we both walk, and it ends.]
= {B} asked what to do about talkers at work, and {A} recommended standing up.

&B: I tried it and stood up. He stood up as well and went on.
A: [Then walk to the lift.|Then you need the lift.]
= {B} told {A} that standing up had not helped.

A: Today I was thanked for something I did in spring.
B: [Better late than never.|By whom?]
A: By mail, with a copy to everybody.
= {A} told {B} about late thanks at work.
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
    {Field::kPeople, Between::kFriends, R"(
A: {hi} I'm clearing out my shelves. Would you like to come and choose some books?
B: [With pleasure.|Always.] How many may I take?
A: As many as you can carry.
= {A} asked {B} to come and choose some books.

&B: I'm reading the third of your books. Are you sure you want to give them away?
A: [Now that you say it...|Which one is it?]
B: You can borrow it back.
= {B} told {A} about reading the third of the books.

A: How do you keep in touch with people who move away?
B: Badly. [I write on Sundays.|I send pictures of food.] It's better than nothing.
= {A} asked {B} how to keep in touch, and {B} found it hard too.

B: I walked past the place where we first met. It's a flower shop now.
A: [Did you go in?|Flowers!]
B: I bought a cactus.
= {B} told {A} about a flower shop in the place of the first meeting.

A: I've got two tickets for an evening of short plays. Are you free on Saturday?
B: [I am now.|Yes!] Is it far?
A: It's in the fire station.
= {A} had two tickets for a Saturday, and {B} wanted to come.

&B: I liked the play with the two chairs best.
A: [Me too.|So did I.] They never sat down once.
= {B} liked the play with the two chairs best.

B: Do you have a minute to look at something? I've written a letter of complaint.
A: Is it polite?
B: [It was, in the beginning.|In the first line.]
A: Send it to me first.
= {B} asked {A} to look at a letter of complaint.

&B: The letter worked. They've apologised and sent a voucher.
A: [Polite letters do.|You see?]
B: You took out all the best parts.
= {B} told {A} that the letter had worked.
)"},
    {Field::kCar, Between::kFriends, R"(
A: {hi} I've counted how long I stand at red lights: twenty minutes a day.
B: [What do you do meanwhile?|You counted?]
A: I've started to learn Italian from a recording.
= {A} told {B} about twenty minutes a day at red lights and learning Italian there.

B: How is your Italian?
A: I can order two coffees and ask for the station.
B: [What more do you need?|Then you could travel.]
= {B} asked about the Italian, and {A} could order coffee and ask for the station.

A: Would you share the ride to work with me? We go the same way.
B: [That's a good idea.|Why didn't we think of it before?] You drive, I bring the coffee?
A: It's a deal.
= {A} suggested sharing the ride to work: {A} wanted to drive, and {B} to bring the coffee.

&B: I like our rides. I've never known so much about the news.
A: [And I've never had such good coffee.|It's the coffee that keeps me awake.]
= {B} told {A} of liking the shared rides.

A: Somebody has scratched my door and left a note with a number.
B: [That's decent.|At least a note.] Did you call?
A: Yes. It was an old lady, very sorry, with a plate of biscuits.
= {A} told {B} about a scratched door and an old lady who was sorry.

B: Do you know how to change a tyre? I've never done it.
A: I'll show you on Saturday. [It's easier than it looks.|You need old trousers.]
= {B} wanted to learn how to change a tyre, and {A} promised to show it.

&B: I've changed a tyre all alone!
A: [You learn quickly.|Well done!] Did you tighten the screws crosswise?
B: Crosswise, as you showed me.
= {B} told {A} about changing a tyre alone.
)"},
    {Field::kNews, Between::kFriends, R"(
A: {hi} I've been reading how people lived here a hundred years ago. There was a tram in our street!
B: [A tram!|Really?] Where did it go?
A: To the river, for swimming.
= {A} told {B} about a tram that had run in the street a hundred years before.

B: My grandmother remembers your tram. It had open windows, she says.
A: [May I ask her about it?|I'd love to talk to her.]
B: She'd be delighted.
= {B} told {A} that a grandmother remembered the tram.

&A: Your grandmother talked for two hours. I've filled a notebook.
B: [Did she tell you of the horse?|She's been happy ever since.]
A: Twice.
= {A} filled a notebook with what {b's} grandmother told.

A: Do you talk about politics with your family?
B: Only until the soup. [After that we talk about football.|Then my mother changes the subject.]
= {A} asked {B} about politics in the family, which ended with the soup.

B: I've read an article on plastic. Now I see it everywhere.
A: [So do I.|I know that.] I've begun with bags: I have one in every coat.
= {B} told {A} about an article on plastic, and {A} kept a bag in every coat.

A: There's a talk at the museum on Thursday, on old maps of the town. Will you come?
B: [Gladly.|If I may sit at the aisle.] Bring your notebook.
= {A} asked {B} along to a talk on old maps, and {B} agreed.

&B: I liked the map with the sea monster. There has never been a sea here.
A: [He was paid by the monster.|That was the best one.]
= {B} liked the map with the sea monster at the talk.
)"},
    {Field::kTechnology, Between::kFriends, R"(
A: {hi} Do you still write things by hand? I've noticed that I can't read my own writing any more.
B: [Only shopping lists.|Lists, mostly.] Mine looks like a doctor's.
A: I've bought a pen, to practise.
= {A} told {B} about practising to write by hand with a new pen.

A: My phone has asked me how I feel. What do I say?
B: [Tell it the truth.|Say it's none of its business.]
A: I said that it's raining.
= {A} told {B} about a phone that asked how {a} felt.

B: Which program do you use for your pictures? I have ten thousand and find none.
A: I make a folder for each year, and in it one for each month. [It's dull, but it works.|That's
  all.]
= {B} asked how to keep pictures in order, and {A} recommended folders by year and month.

&B: I've put three years of pictures in order. I found one of you with a beard of foam.
A: [Please burn it.|Send it to me!]
= {B} put three years of pictures in order and found a funny one of {A}.

A: Our connection is so slow in the evening that I read a page while a page loads.
B: Put the box higher up. [Mine stands on the cupboard.|On a cupboard, for example.]
= {A} complained of a slow connection, and {B} advised to put the box higher up.

&A: The box stands on the cupboard, and it's twice as fast.
B: [You see?|I'm glad.] The cat can't sit on it there, either.
= {A} told {B} that the connection was twice as fast with the box on the cupboard.

B: I've forgotten my password for the third time this month.
A: [Write it backwards on a calendar.|Take the name of a song.] I shouldn't know it, though.
= {B} told {A} about a forgotten password.
)"},
    {Field::kWork, Between::kFriends, R"(
A: {hi} I've been asked to say something at a colleague's farewell. What does one say?
B: Something true, something funny, [and then stop|and no more].
A: In that order?
B: In that order.
= {A} asked {B} what to say at a farewell: something true, something funny.

&A: The farewell speech went well. They laughed at the true part.
B: [That happens.|Even better.] Did you stop in time?
A: The cake stopped me.
= {A} told {B} that the farewell speech had gone well.

B: My desk is by the window now. I've waited three years for it.
A: [What do you see?|Congratulations!]
B: A wall, and if I lean out, a tree.
= {B} told {A} about a desk by the window at last.

A: I come home and still think about work. What do you do against it?
B: I change my shoes. [It sounds odd, but then it's over.|Work stays in the shoes.]
= {A} told {B} about thinking of work at home, and {B} recommended changing shoes.

&A: I change my shoes now when I come home. It helps!
B: [You see?|I told you.] Mine are red.
= {A} told {B} that changing shoes helped.

A: There's a new one in our team. She asks so many questions that I've begun to think again.
B: [That's the best sort.|Keep her.]
= {A} told {B} about a new colleague who asked many questions.

B: I'm thinking of working four days a week. What would you do with a free day?
A: [Sleep, at first.|Nothing, at first.] Then I'd learn to swim properly.
= {B} thought of a free day each week, and {A} would have learned to swim properly.
)"},
};

}  // namespace

std::span<const Storyline> daily_storylines() { return kStorylines; }

}  // namespace chatmem
