// Storylines of strangers, callers, citizens, tenants and guests of the press.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kAny, Between::kTenant, R"(
A: {hi} I have one more question. [Whom do I call if something breaks?|Whom may I call if there is a
  problem?]
B: [Call me first.|Just call me.] If I don't answer, leave a message.
A: [Good, thank you.|All right, that's easy.]
= {A} asked {B} whom to call in case of a problem, and {B} offered to take the call.

A: Is there a place where I can leave old cardboard?
B: [The blue containers at the corner.|There are blue containers at the corner.]
A: Thank you, [I'd walked right past them|I must have walked past them].
= {A} asked where to leave cardboard, and {B} named the blue containers at the corner.

B: Hello. A short notice: there will be no water [on one of the coming mornings|one morning soon],
  from nine to eleven.
A: [Thanks for telling me.|Thank you for the warning.] I'll keep a few bottles filled.
B: [Good idea.|That's wise.]
= {B} told {A} that there would be no water one morning, and {A} wanted to fill bottles.

&A: The morning without water is over. It was back before eleven.
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
    {Field::kAny, Between::kWayfarer, R"(
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
    {Field::kAny, Between::kWayfarer, R"(
A: {hi} You'll remember me from {day}. [I hope it's all right to write.|I hope I may write.]
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
    {Field::kAny, Between::kCaller, R"(
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
    {Field::kAny, Between::kCitizen, R"(
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
    {Field::kAny, Between::kTenant, R"(
A: {hi} I'm still interested. Could I come and see it once more, by daylight?
B: Of course. [After work or at the weekend?|During the week or at the weekend?]
A: At the weekend. I'd bring my sister.
= {A} asked {B} to see the place once more by daylight, together with a sister.

&A: Thank you for showing it again. My sister liked the light.
B: And you?
A: [So did I.|I like it more and more.]
= {A} thanked {B} for the second visit.

A: Who pays for the heating?
B: It's included. [You only pay for electricity.|Electricity is not.]
A: [That's clear, thank you.|Good.]
= {A} asked about the heating, which was included.

B: If you decide for it, I need a copy of your passport and your last pay slip.
A: [Is a scan enough?|May I send scans?]
B: A scan is enough.
= {B} named the papers that were needed: passport and pay slip.

A: I'd like to have it. What happens next?
B: I'll prepare the contract. [It takes me two or three days.|Give me two or three days.]
A: I'm looking forward to it.
= {A} decided for the place, and {B} promised to prepare the contract.

&A: I've read the contract. What does paragraph four mean?
B: That you tell us before you paint the walls.
A: [Then I'll sign.|I can live with that.]
= {A} asked about paragraph four of the contract, which concerned painting the walls.

&B: The keys are ready. You can have them at my office.
A: [I'll come today.|Wonderful!] How many are there?
B: Three, and a small one for the letter box.
= {B} had the keys ready, three and one for the letter box.

&A: I've moved in. Everything fitted but the wardrobe.
B: [Was it the stairs?|The stairs?]
A: The stairs. It's in two pieces now.
= {A} told {B} about moving in; the wardrobe had not fitted through the stairs.
)"},
    {Field::kAny, Between::kCaller, R"(
A: {hi} I called on {day}. Did my message get through?
B: Yes, I passed it on the same day.
A: [Thank you.|I'm glad, thank you.]
= {A} asked {B} whether the message had got through, and {B} had passed it on the same day.

A: I haven't been called back yet. [Should I try again?|Is it better if I call again?]
B: You're on the list for this week. It's been busy here.
A: Then I'll wait, thank you.
= {A} had not been called back yet, and {B} found the call on the list.

&A: I've been called back. Thank you for seeing to it.
B: [Not at all.|You're welcome.] Is everything settled?
A: All but a date.
= {A} told {B} about having been called back.

A: Would an appointment be possible? Some things are easier face to face.
B: Wednesday at ten is free. [Shall I put you down?|Would that do?]
A: Yes, please.
= {A} asked for an appointment, and {B} had Wednesday at ten.

&A: The appointment went well. Thank you for arranging it.
B: [I'm glad.|That's good to hear.] Did you find the door?
A: Only the second one.
= {A} thanked {B} for arranging the appointment.

B: My colleague answers the phone in the mornings now. She knows about you.
A: [Good to know.|Thank you for telling me.] And in the afternoons?
B: In the afternoons it's me.
= {B} told {A} that a colleague answered the phone in the mornings.

A: Is there an address for letters? I'd like to send something on paper.
B: The one on our website. [Write "by hand" on it, then it comes to me.|I open the mail myself.]
= {A} asked {B} for the address for letters.

B: We're changing our numbers. The old one works until the end of the month.
A: [And the new one?|What is the new one?]
B: The same with a one at the end.
= {B} told {A} about a change of the phone numbers.
)"},
    {Field::kWrongNumber, Between::kCaller, R"(
B: {hi} Your number was still in my phone. Did you reach whom you wanted?
A: I did, thank you. I'd mixed up two digits. [Sorry again.|I'm sorry for the trouble.]
B: It's no trouble.
= {B} asked whether {A} had reached the right person; two digits had been mixed up.

A: Now it has happened to me. Somebody called me and ordered a pizza.
B: [What did you say?|And what did you do?]
A: I said it would take very long.
= {A} told {B} about a wrong call for a pizza.

B: Somebody else has called me by mistake. That's the third one.
A: Then it isn't only me. [Perhaps the number is printed wrong somewhere.|Perhaps it's a misprint.]
B: I'd thought of that.
= {B} told {A} about a third wrong call, and {A} suspected a misprint.

&A: I've found out: your number is on the flyer of our choir, with two digits swapped.
B: [That explains it.|So that's it!] Do they want to sing for me?
A: They're printing new ones.
= {A} told {B} that the number was on the flyer of a choir by mistake.

&B: My phone has been quiet since the new flyers.
A: [I'm glad.|Good.] The choir says sorry too.
= {B} told {A} that the phone had been quiet since the new flyers.

&A: As you've heard so much of our choir: there's a concert on Sunday. Would you like to come?
B: [Why not?|After all those calls, I must.] Where is it?
A: In the school hall, at five.
= {A} invited {B} to a choir concert on a Sunday.

&B: I was at your concert, in the last row. It was very good.
A: [You should have said hello!|I wish I'd known!]
B: I didn't know whom to ask for.
= {B} told {A} about having been at the concert.

&B: Somebody called me today and asked for a choir. I gave them the right number.
A: [You're our best secretary.|You're kind.]
= {B} told {A} about giving a caller the right number.
)"},
    {Field::kAny, Between::kCitizen, R"(
A: {hi} Is there anything else that I must do after {day}?
B: No. If we need something from you, you'll get a letter.
A: [Thank you.|Good, then I'll wait.]
= {A} asked {B} whether anything else had to be done, and nothing had.

&A: I've had your letter. It asks for a signature.
B: [Sign it and send it back.|Sign on the second page and send it back.] A copy is for you.
A: I'll do it today.
= {A} told {B} about a letter that asked for a signature, and {B} explained what to do.

A: Has my letter arrived, the signed one?
B: Yes, it's in your file. [That's all we need.|Nothing is missing.]
A: I'm glad.
= {A} asked about the signed letter, which had arrived.

B: We have your old phone number, it seems. Nobody answers there.
A: I have a new one. [I'll write it below.|I'm sending it to you.]
B: Thank you, I've corrected it.
= {B} asked for a phone number, and {A} sent the new one.

A: Can I pay a fee with you by card?
B: At the desk, yes. [By mail you'd need the slip.|With the slip you can also pay at a bank.]
= {A} asked {B} about paying by card, which was possible at the desk.

A: How long do you keep such papers?
B: Five years. [Then they're destroyed.|After that they are destroyed.]
A: [So I'll keep mine for five years too.|That's good to know.]
= {A} asked how long the papers were kept: five years.

B: Your file is closed. You don't need to do anything more.
A: That's a relief. [Thank you for writing.|Thank you for telling me.]
= {B} told {A} that the file was closed.

A: I'd like to say that you were patient with me. Is there somebody I can write that to?
B: [That's kind.|How kind.] To the head of our office. We hear it rarely.
= {A} praised the patience of {B} and wanted to write it to the head of the office.
)"},
    {Field::kAny, Between::kCitizen, R"(
A: {hi} I may have left my umbrella with you on {day}.
B: A black one with a wooden handle?
A: [That's the one.|Exactly.]
B: It's in the room for lost property.
= {A} asked {B} about a black umbrella, which lay with the lost property.

&A: I've got my umbrella back. Your colleague made me describe it first.
B: [That's the rule.|Those are the rules.] You'd be surprised who comes for umbrellas.
= {A} told {B} about getting the umbrella back.

A: By when must I hand in the form that one gets at your desk?
B: Within a month. [By mail is enough.|You may mail it.]
A: Good, then there's time.
= {A} asked about a form, and {B} gave {A} a month.

&A: The form asks for a reference number. Where do I find it?
B: At the top of the first page, [on the right|in the right corner].
A: I see it.
= {A} looked for a reference number, and {B} told {A} where it stood.

B: Your form has come in. One cross is missing, on page two.
A: [Which answer should I have ticked?|Where exactly?]
B: Number nine. Tell me yes or no, and I'll add it.
A: No.
= {B} found a missing cross in the form, and {A} answered the question.

A: Are you open on the day before the holiday?
B: Until noon. [After that only the night bell.|Then only the duty room is open.]
= {A} asked about the hours before the holiday: until noon.

A: I've told my nephew how you work. He'd like to do the same one day.
B: We're looking for young people. [Tell him about our open day.|There is an open day.]
= {A} told {B} about a nephew's interest, and {B} spoke of an open day.

&B: Your nephew came to our open day. He asked more than all the others.
A: [That's him.|He has talked of nothing else.]
= {B} told {A} about the nephew's many questions at the open day.
)"},
    {Field::kAny, Between::kInterviewed, R"(
B: {hi} Thank you again for talking to us on {day}. Could you send a picture of yourself?
A: Yes. [Is a private one all right?|Does it have to be a formal one?]
B: A private one is even better.
= {B} asked {A} for a picture.

&A: I've sent three pictures. Please choose one.
B: The one by the window. [It looks like you.|You look as if you were thinking.]
= {A} sent three pictures, and {B} chose the one by the window.

B: I'd like to check one sentence. You said that it's "always" hard in the beginning?
A: Make it "often". [Always is too strong.|Always isn't true.]
B: I've changed it.
= {B} checked a sentence with {A}, who wanted "often" in place of "always".

A: When can one read or hear it?
B: At the weekend, if all goes well. [I'll send you the link.|You'll get a link from me.]
= {A} asked when it would appear: at the weekend.

&B: It's out. Have you seen it?
A: My mother has shown it to all her neighbours. [She bought ten copies.|I saw it last of all.]
= {B} told {A} that it was out, and {a's} mother had shown it to all the neighbours.

B: We've had a lot of letters about you. [Most are friendly.|Nearly all are friendly.]
A: And the others?
B: One would like to know where you bought your pullover.
= {B} told {A} about letters, most of them friendly.

A: There is a small mistake: my home town is spelled wrong.
B: [I'm sorry!|Oh dear, I'm sorry.] It's corrected on our page.
= {A} told {B} about a misspelled town, and {B} corrected it.

B: We're planning a second part. Would you come again?
A: [Gladly.|Yes, I would.] Next time I'd like to ask you something.
= {B} asked {A} to come again for a second part, and {A} agreed.
)"},
    {Field::kAny, Between::kWayfarer, R"(
A: {hi} It's me whom you helped on {day}. I got there in time, thank you!
B: [Good!|I'm glad.] I wasn't sure about the last corner.
A: There was a sign.
= {A} thanked {B} for the help on the way.

A: I have to go there again. Is there another way?
B: Along the canal. [It's longer, but pretty.|It's a little longer and much nicer.]
A: Then I'll walk along the canal.
= {A} asked {B} for another way, and {B} recommended the canal.

&A: You were right, the way along the canal is nicer.
B: Did you see the houseboats?
A: [One of them had chickens on it.|There were chickens on one of them.]
= {A} told {B} that the way along the canal had been nicer.

B: In case you come by again: the road by the church is closed.
A: [Thank you for thinking of me.|Thanks for the warning.] For how long?
B: Nobody knows. They've found an old wall.
= {B} told {A} that the road by the church was closed.

A: Today somebody asked me the way, and I knew it. I thought of you.
B: [Did you say "you can't miss it"?|You can't miss it?]
A: Of course I did.
= {A} told {B} about being asked the way and knowing it.

A: Is there a place around here where one eats well and cheaply?
B: The canteen in the town hall. It's open to everybody.
A: [I'd never have guessed.|I wouldn't have dared to go in.]
= {A} asked for a cheap place to eat, and {B} named the canteen in the town hall.

&A: I had lunch in the town hall. Dumplings!
B: [Wednesday is dumpling day.|Then it was a Wednesday.]
= {A} told {B} about dumplings in the town hall.

A: May I buy you a coffee, as thanks, if we meet again?
B: [I won't say no.|With pleasure.] The café by the station has the best.
= {A} offered {B} a coffee as thanks.
)"},
    {Field::kAny, Between::kStrangers, R"(
A: {hi} It was nice to talk to you on {day}. How are you?
B: [Nice to hear from you!|How nice of you to write!] Busy, but well.
A: It's the same with me.
= {A} wrote to {B} that it had been nice to talk, and you were both busy but well.

A: I know a café that you might like. It's in the old mill.
B: [I've passed it a hundred times.|I've never been in there.] Is it good?
A: The cake is.
= {A} recommended the café in the old mill to {B}.

&B: I went to the café in the mill. Thank you for the tip!
A: [What did you have?|Did you try the cake?]
B: Two kinds of cake.
= {B} thanked {A} for the tip after two kinds of cake at the mill.

B: There's a street festival at the weekend. Have you heard of it?
A: [No.|Not yet.] Where is it?
B: Between the town hall and the river.
= {B} told {A} about a street festival.

&A: I was at the street festival. I believe I saw you from afar.
B: [With a balloon?|Was I holding a balloon?]
A: Yes!
B: Then it was me.
= {A} thought {a} had seen {B} at the street festival, with a balloon.

A: I've joined a group that goes walking on Sundays. Would you like to come along once?
B: How far do you walk?
A: Three hours, with a long lunch.
B: [The lunch convinces me.|Then I'll come for the lunch.]
= {A} invited {B} to a walk with a group on a Sunday, and {B} agreed.

&B: My legs still remember that Sunday walk. They're nice people.
A: [They liked you too.|They asked about you.]
B: I'd come again.
= {B} told {A} of having liked the Sunday walk.

B: You said you read a lot, I think. Do you know a good second-hand bookshop?
A: I'm not sure I said so, but it's true. [The one behind the market.|There's one behind the
  market.]
= {B} asked for a second-hand bookshop, and {A} named the one behind the market.
)"},
    {Field::kAny, Between::kStrangers, R"(
A: {hi} Do you remember me? We talked on {day}.
B: Of course I do! [What are you up to?|How have you been?]
A: I'm looking for somebody to practise a language with, an hour a week.
B: That could be me.
= {A} looked for somebody to practise a language with, and {B} offered to do it.

&A: Our hour went by quickly. I learned six words.
B: And I learned how often I say "well".
A: [Well.|Shall we do it again?]
= {A} told {B} that the hour of practice had gone by quickly.

B: What's the weather like where you are? Here it's pouring.
A: [The same.|Here too.] I've put a bucket in the hall.
= {B} asked about the weather, and it rained at {a's} place too.

A: I've looked up where you come from, on a map. What should one see there first?
B: The market, early in the morning. [And then the hill.|After that the hill.]
= {A} asked about {b's} home, and {B} named the market and the hill.

B: I cooked a dish from home for my neighbours. They asked for more.
A: [What was it?|What did you cook?]
B: Lamb with plums.
A: I'd have asked for more too.
= {B} told {A} about cooking lamb with plums for the neighbours.

&A: Could you send me the recipe, the lamb with plums?
B: Gladly. [The secret is time.|It only needs patience.] Three hours at least.
= {A} asked for the recipe of the lamb, and {B} promised it.

A: There's a film club here on Tuesdays. Everybody may come.
B: [What do they show?|Which films?]
A: Old ones, and they talk about them afterwards.
= {A} told {B} about a film club on Tuesdays.

B: I've found a flat that's nearer to the centre.
A: [Congratulations!|That's good news.] Do you need help with the boxes?
B: I have four boxes. But thank you.
= {B} told {A} about a flat nearer to the centre.
)"},
    {Field::kAny, Between::kInterviewed, R"(
B: {hi} I've listened again to our talk of {day}. May I ask two more questions?
A: [Of course.|Please.] I hope they're easy ones.
B: Who taught you most, and what did you have for breakfast?
A: My aunt, and toast.
= {B} asked {A} two more questions: who had taught {A} most, and what there had been for breakfast.

A: My aunt is very proud that I named her. May I send her a copy?
B: Give me her address, [and she'll get one from us|and we'll send her one].
= {A} asked for a copy for an aunt, and {B} wanted to send her one.

&B: Your aunt has written to thank us, in a beautiful hand.
A: [That's my aunt.|She writes to everybody.]
= {B} told {A} about a letter of thanks from the aunt.

A: People speak to me in the street now. That's new for me.
B: [Is it pleasant?|What do they say?]
A: Most of them only want to know what you are like.
= {A} told {B} about being spoken to in the street.

B: A school would like to invite you. They've asked us for your address.
A: You may give it to them. [I like schools.|Children ask the best questions.]
= {B} asked to give {a's} address to a school, and {A} agreed.

&A: I was at that school. A boy asked whether I was rich.
B: [What did you say?|And what did you answer?]
A: That I have all I need, except a reply.
= {A} told {B} about a boy at the school who had asked about riches.

B: At the end of the year we ask our guests what they wish for. One sentence?
A: [More time and fewer forms.|More sleep for everybody.]
B: Thank you, I'll quote you.
= {B} asked {A} for a wish in one sentence.
)"},
    {Field::kSurvey, Between::kInterviewed, R"(
B: {hi} Thank you again for answering my questions on {day}. Would you like to hear what came of
  them?
A: Yes, [I'd like that|gladly]. When will it be ready?
B: In a few weeks. There are two hundred answers to count.
= {B} thanked {A} for the answers and offered to tell what came of them.

A: One of my answers was wrong, I think. May I still change it?
B: [Of course.|Certainly.] Which one?
A: How many hours I spend on it. It's rather two than one.
= {A} changed one of the answers, and {B} took it down.

B: Would you answer a few more questions, by mail this time? It takes five minutes.
A: [All right.|Yes, send them.] I'll do it over a coffee.
= {B} asked {A} for a few more answers by mail, and {A} agreed.

&A: I've sent my answers. Number seven made me think for a while.
B: [Everybody says that.|That one is mine.] Thank you for taking the time.
= {A} sent the answers, of which one had been hard.

B: We draw a small prize among all who took part. You've won it: a book voucher.
A: [I never win anything!|Really? I never win.] Thank you!
= {B} told {A} about winning a book voucher.

&A: The voucher has come, and I've already spent it.
B: [On what?|What did you buy?]
A: On a book about statistics, of all things.
= {A} told {B} about spending the voucher on a book about statistics.

B: The results are out. You answered like most people, but for one question.
A: [Which one?|May I guess?]
B: You're one of three who like the rain.
= {B} told {A} about the results, in which {a} belonged to the few who liked rain.

A: My neighbour would like to take part as well. Is it too late?
B: For this one, yes. [I'll put your neighbour on the list for the next.|There will be another.]
= {A} asked whether a neighbour could take part, and {B} spoke of the next time.
)"},
};

}  // namespace

std::span<const Storyline> encounter_storylines() { return kStorylines; }

}  // namespace chatmem
