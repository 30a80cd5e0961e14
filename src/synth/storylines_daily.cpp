// Storylines of friends: work, school, machines, news and what else fills their days.
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
