// Storylines of those who work, trade, study or cure, with whom they do it.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kAny, Between::kPatient, R"(
A: {hi} [Could you send me|Would you send me] the main points of what you told me on {day} in
  writing? I'm afraid I'll forget half.
B: Of course. [I'll put them in a short note.|You'll get a short note from us.]
A: Thank you[, that helps a lot|, that's very kind].
= {A} asked {B} for the main points in writing, and {B} promised a short note.

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
    {Field::kAny, Between::kApplicant, R"(
A: {hi} I'd like to thank you for your time on {day}. It gave me a good picture.
B: [Thank you for taking the time.|Thank you for coming.] Do you have any questions left?
A: Only one: [to whom do I send my references|where should I send my references]?
B: To me, please.
= {A} thanked {B} for the time and asked where to send {a's} references.

&A: I've sent you my references today.
B: [They've arrived, thank you.|Thank you, I have them.] It will take me a few days to read them.
A: [Of course.|Take your time.]
= {A} sent {B} the references.

B: One page of your papers is [hard to read|almost blank]. Could you send it again?
A: [I'm sorry.|Of course.] I'll scan it once more tonight.
B: [Thank you.|That's kind.]
= {B} asked for a page of {a's} papers once more, and {A} promised to scan it.

&A: Did the new scan arrive?
B: Yes, [now I can read it|it's perfectly clear].
A: Good. [My scanner is old.|It was my old scanner.]
= {A} asked whether the new scan had arrived, and {B} found it readable.

A: May I ask how people in your house usually start the day?
B: With a short round at nine. [It takes a quarter of an hour.|It's over in fifteen minutes.]
A: [That sounds sensible.|I like that.]
= {A} asked {B} how the day began there, and heard of a short round at nine.

B: My colleagues would like to see [a sample of your work|something you have done]. Is that
  possible?
A: Yes. [I have a short report that I may show.|There's a report that I'm allowed to show.]
B: [Two pages are enough.|A page or two will do.]
= {B} asked for a sample of {a's} work, and {A} offered a short report.

&B: Thank you for your report. [It was read with interest.|My colleagues read it with interest.]
A: I'm glad. [Were there any questions?|Did they ask anything?]
B: Only how long it took you.
A: Three days.
= {B} thanked {A} for the report, which had taken three days.

A: My phone number has changed. [Here is the new one.|I'm sending you the new one.]
B: Thank you, [I've put it in your file|it's in your file now]. Then I know where to reach you.
A: [Best in the evening.|Evenings are best.]
= {A} gave {B} a new phone number.
)"},
    {Field::kAny, Between::kColleagues, R"(
A: {hi} [I've got to write the report on this quarter.|The quarterly report is mine this time.]
  Would you read the draft?
B: [Yes, send it.|Gladly.] When do you need it back?
A: [In a few days.|There is no great hurry.]
= {A} asked {B} to read the draft of a quarterly report.

&B: I've read your draft. The figures are clear, [the beginning is too long|but the beginning is too
  long].
A: [I thought so myself.|That's what I feared.] I'll cut it by half.
B: Then it's good.
= {B} found the figures of the draft clear and the beginning too long.

A: The deadline has been moved up by two days.
B: [Ouch.|Oh no.] Can I take anything off you?
A: Could you check the tables?
B: [I'll do it this afternoon.|You'll have them back tonight.]
= {A} told {B} that the deadline had moved up by two days, and {B} took over checking the tables.

B: Two of your tables [don't add up|have a wrong sum]. It's the same line in both.
A: [Thank goodness you looked.|Thank you for looking.] I'll correct it at once.
B: [That's what four eyes are for.|Anybody can overlook that.]
= {B} found two wrong tables, and {A} wanted to correct them at once.

A: The report is handed in.
B: [Congratulations!|Well done.] And now?
A: Now I tidy my desk. [I haven't seen it for days.|There's a desk under all this paper.]
= {A} told {B} that the report had been handed in.

B: What did they say about the report?
A: [They liked the pictures best.|The pictures got the praise.] Nobody mentioned the figures.
B: [That's how it is.|The figures were right, that's why.]
= {B} asked how the report had been received, and the pictures had got the praise.

A: I'm making a template, so that the next one goes faster.
B: [That's a good idea.|I'd use that too.] May I have a copy?
A: [Of course.|You'll be the first.]
= {A} told {B} about making a template, and {B} asked for a copy.

A: To thank you for your help I've brought cake[. It's in the kitchen|, it stands in the kitchen].
B: [I can smell it from here.|I'm on my way.] What kind?
A: Apple. [Hurry.|You'd better hurry.]
= {A} brought an apple cake to thank {B} for the help.
)"},
    {Field::kAny, Between::kColleagues, R"(
A: {hi} I'm trying to keep better notes. [How do you do that|How do you keep yours]?
B: One page a day, and at the end three lines [on what is open|about what is still open].
A: [Three lines I can do.|That's not too much.]
= {A} asked {B} how to keep notes, and {B} recommended a page a day with three lines at the end.

B: Do your notes help?
A: Yes. [I forget less.|I'm less afraid of forgetting things.]
B: [That's the idea.|That's what they are for.]
= {B} asked whether the notes helped {A}, and they did.

A: We had a meeting today that [could have been a letter|was worth one line].
B: [I know that kind.|We have those too.] How long did it take?
A: Ninety minutes.
= {A} told {B} about a meeting of ninety minutes that had not been worth it.

B: I've put a clock on the table for meetings.
A: [Does it help?|And?]
B: [We finish on time now.|Since then we've been finishing on time.] Everybody looks at it.
= {B} told {A} about a clock on the table that ended meetings on time.

&A: I've copied your clock on the table.
B: [With success?|And, did it work?]
A: We were done after forty minutes.
= {A} told {B} that with a clock on the table a meeting had taken forty minutes.

A: I've cleared my inbox, [down to the last message|all of it].
B: [How did you do that?|All of it? How?]
A: I answered the short ones first.
= {A} told {B} about clearing the inbox by answering the short messages first.

B: How do you say no when [you have too much to do|your hands are full]?
A: I say what I can do, and by when.
B: [That's a friendly no.|Nobody can object to that.]
= {B} asked how to say no, and {A} recommended saying what one could do and by when.

A: I've taken an afternoon off. [My desk can wait.|Without any reason.]
B: [Good.|You've earned it.] What will you do?
A: Sit in the park.
= {A} told {B} about taking an afternoon off to sit in the park.
)"},
    {Field::kAny, Between::kPatient, R"(
A: {hi} I'm getting better slowly. Do I have to come back for a check?
B: Yes, please. [It takes ten minutes.|It won't take long.]
A: Then I'll ask for an appointment at the desk.
= {A} told {B} about getting better slowly, and {B} wanted to see {A} for a check.

&A: Thank you for explaining everything at the check.
B: [That's what I'm here for.|Not at all.] It all looked fine to me.
A: I was relieved.
= {A} thanked {B} for explaining everything at the check, where all had looked fine.

A: I've lost the slip with your instructions. Could you send it again?
B: [You'll have it today.|It's on its way.] Until then, simply rest.
A: [Thank you.|I can do that.]
= {A} had lost the slip with the instructions, and {B} sent it again.

A: When may I do sports again?
B: Begin with walking. Stop at once if anything hurts.
A: [All right, walking.|Then I'll begin with walking.]
= {A} asked about sports, and {B} recommended beginning with walking.

&A: I've been walking for an hour, without any trouble.
B: [Very good.|I'm pleased.] You may do a little more now.
= {A} told {B} about walking for an hour without trouble.

A: My insurance asks for a note with the date of my visit.
B: It will lie [at the desk for you|ready for you at the desk].
A: Thank you, I'll come by for it.
= {A} needed a note for the insurance, and {B} left it at the desk.

B: We'll be closed for a week in the holidays. My colleague next door takes our patients.
A: [Good to know.|Thank you.] I hope that I won't need it.
= {B} told {A} that a colleague would take the patients during the holidays.

A: I feel like myself again. [I wanted you to know.|I thought you'd like to know.]
B: That's the nicest message of the day.
= {A} told {B} about feeling well again.
)"},
    {Field::kAny, Between::kPatient, R"(
A: {hi} A question that I forgot to ask: may I drink coffee?
B: One cup in the morning is all right. [Not after lunch, though.|None after lunch.]
A: One cup is better than none.
= {A} asked {B} about coffee: one cup in the morning was all right.

B: Would you measure your blood pressure for a week, mornings and evenings?
A: [Yes.|I'll do that.] My sister has a device.
B: Then send me the numbers.
= {B} asked {A} to measure the blood pressure for a week.

&A: Here are my numbers: 128 over 82, on the average.
B: [That's fine.|That's quite all right.] Once a week is enough from now on.
A: I'm glad.
= {A} sent the numbers of the blood pressure, and {B} found them fine.

A: I lie awake for a long time at night.
B: Put the phone away an hour before bed, and keep the room cool.
A: [The phone will be the hard part.|I'll try it.]
= {A} told {B} about lying awake, and {B} advised to put the phone away and keep the room cool.

&B: Do you sleep any better now?
A: Since the phone stays in the hall, yes.
B: [Good.|You see.] Keep it there.
= {B} asked about the sleep, which had got better since the phone stayed in the hall.

B: The flu shots have come in. [Would you like one?|Shall I put you down for one?]
A: Yes, please. Does one need an appointment?
B: No, any morning will do.
= {B} offered {A} a flu shot, any morning.

&A: I've had the flu shot, and my arm is sore. Is that normal?
B: Yes, [for a day or two|that passes in a day or two]. Keep moving it.
= {A} asked about a sore arm after the flu shot, which {B} called normal.

A: I've written down my questions for the next visit. There are seven.
B: [Bring them.|Bring the list.] That saves us both time.
= {A} told {B} about seven questions for the next visit.
)"},
    {Field::kAny, Between::kApplicant, R"(
B: {hi} Thank you for coming on {day}. We'd like to see you a second time, with the head of the
  department.
A: [I'm very glad.|That's good news.] How long should I plan for it?
B: Half an hour.
= {B} invited {A} to a second meeting with the head of the department.

&A: May I ask how I can prepare for the second meeting?
B: Have a look at our last two projects. They're on our website.
A: [I will, thank you.|I'll read about both.]
= {A} asked how to prepare, and {B} named the last two projects.

&A: Thank you for the second meeting. I liked the tour of the office.
B: We were pleased too. [You asked good questions.|Your questions were good.]
= {A} thanked {B} for the second meeting, which had pleased both.

B: We're still talking to two others, so it takes a little longer.
A: Thank you for telling me. [I can wait.|I'm glad to know.]
= {B} told {A} that the decision took longer because of two other candidates.

A: Could I see the place where I'd work? An hour would be enough.
B: [Yes, of course.|Gladly.] Ask for me at the reception.
= {A} asked to see the place of work, and {B} agreed.

B: What is the earliest day you could start?
A: The first of a month. [I have to give four weeks' notice.|My notice is four weeks.]
B: That would suit us.
= {B} asked when {A} could start: on the first of a month, after four weeks' notice.

B: I'm happy to say that we'd like to offer you the position.
A: [That's wonderful!|What wonderful news!] Thank you very much.
B: You'll get the contract by mail.
= {B} offered {A} the position and announced the contract.

&A: The contract has come. I've signed it and sent it back.
B: [Welcome to us!|Then welcome!] I'll show you to your desk myself.
= {A} signed the contract, and {B} said welcome.
)"},
    {Field::kAny, Between::kApplicant, R"(
A: {hi} Thank you for your time on {day}. I forgot to mention that I could also work on Saturdays.
B: [That's good to know.|That's useful.] I've added it to your papers.
= {A} told {B} about being able to work on Saturdays too.

B: We'd like to invite you for a day of work with us, as a trial. Would you do that?
A: [Gladly.|Very much.] When should I be there?
B: At half past eight, at the front desk.
= {B} invited {A} to a day of work as a trial.

&A: Thank you for the trial day. [It went by quickly.|I learned a lot.]
B: The others said that you fit in well.
A: I'm glad to hear that.
= {A} thanked {B} for the trial day, and the others had found that {a} fitted in well.

B: We still need a copy of your last certificate.
A: You'll have it today.
B: [There is no rush.|Thank you.] Then your papers are complete.
= {B} asked for a copy of the last certificate.

&A: Has the copy of my certificate arrived?
B: Yes, [this morning|just now]. Nothing is missing any more.
= {A} asked about the certificate, which had arrived.

A: May I ask by when you'll decide?
B: By the end of the month. We'll write to everybody, whatever we decide.
A: [That's fair.|I appreciate that.]
= {A} asked when the decision would be made: by the end of the month.

A: To be open with you: I've had another offer. But I'd rather work for you.
B: Thank you for being frank. I'll speak to the director [today|this afternoon].
= {A} told {B} about another offer and about preferring this one.

&B: The director agrees. The place is yours, if you still want it.
A: [I do!|Yes, I do!] When can I sign?
B: Whenever you come by.
= {B} told {A} that the place was {a's}, and {A} wanted it.
)"},
    {Field::kAny, Between::kColleagues, R"(
A: {hi} I'm collecting for a present for our receptionist. She's leaving after twenty years. Are you
  in?
B: [Of course.|Certainly.] How much does everybody give?
A: Five. It's going to be something for her garden.
= {A} collected for a farewell present for the receptionist, and {B} joined in.

&B: Is there enough for the receptionist's present?
A: More than enough. We can add flowers.
B: [Tulips, she likes tulips.|She likes tulips.]
= {B} asked about the present, and there was enough for flowers too.

A: Would you say a few words at her farewell? You've known her longest.
B: Me? [Two minutes, not more.|Well, two minutes.]
A: Two minutes are perfect.
= {A} asked {B} for a few words at the receptionist's farewell, and {B} agreed to two minutes.

&A: Your speech was just right. Everybody laughed in the right places.
B: My knees were shaking.
A: [Nobody saw it.|You couldn't tell.]
= {A} praised {B} for the speech at the farewell.

B: Who answers the phones until somebody new comes?
A: We take turns. [Yours is Tuesday.|You have Tuesdays.]
B: All right, Tuesdays.
= {B} asked who answered the phones, and Tuesday fell to {B}.

A: The printer on the second floor is out of order again.
B: Use ours. [The code is on the lid.|You find the code on the lid.]
A: You've saved my afternoon.
= {A} told {B} about a broken printer, and {B} offered another.

B: The new receptionist has started. Shall we take her out to lunch?
A: [Good idea.|Yes, let's.] The noodle place?
B: The noodle place.
= {B} suggested taking the new receptionist to lunch, and you settled on noodles.

&A: That was a nice lunch with our new receptionist.
B: She knows all our names already.
A: [I still mix up the two from accounting.|Better than I do.]
= {A} told {B} that the lunch with the new receptionist had been nice.
)"},
    {Field::kAny, Between::kColleagues, R"(
A: {hi} I'd like to take two weeks off. Could you look after my clients?
B: If you leave me a list. [When will it be?|When do you go?]
A: As soon as it's approved.
= {A} asked {B} to look after {a's} clients for two weeks, and {B} wanted a list.

&A: My leave is approved. The list is on your desk.
B: Three pages!
A: [Only the first one matters.|The first page is what counts.]
= {A} left {B} a list of three pages.

&A: I'm back at my desk. Did anything happen?
B: One complaint, and it's settled. Your plant is alive too.
A: [I owe you a lunch.|Lunch is on me.]
= {A} came back from leave; {B} had settled a complaint and kept the plant alive.

B: Which form do you use for the minutes of a meeting?
A: The short one. [I'll send it to you.|You'll have it in a minute.]
= {B} asked for the form for minutes, and {A} sent the short one.

B: Could you look over my slides? [I can't see the mistakes any more.|I'm blind to them by now.]
A: Send them. How many are there?
B: Fourteen.
= {B} asked {A} to look over fourteen slides.

&A: I've read your slides. Number six says the same as number four.
B: [You're right.|So it does.] I'll take it out.
A: Otherwise they're clear.
= {A} found the slides clear but for one that repeated another.

&B: The presentation went well. There were only two questions.
A: Was one of them from the back row?
B: [Both.|Of course.]
= {B} told {A} that the presentation had gone well.

A: Are you going to the training for the new software?
B: [I have to.|Yes.] Shall we sit together?
A: Then one of us listens and the other one clicks.
= {A} asked {B} about the training for the new software, and you wanted to sit together.
)"},
    {Field::kAny, Between::kEmployee, R"(
B: {hi} Could you write the minutes at our weekly meeting?
A: Yes. [Is there a form?|Is there a model I can follow?]
B: The last ones are in the shared folder.
= {B} asked {A} to write the minutes at the weekly meeting.

&A: The minutes are in the folder. Is that detailed enough?
B: [Just right.|Yes.] Put the decisions at the top, please.
A: I'll change that.
= {A} wrote the minutes, and {B} wanted the decisions at the top.

A: May I leave at four one day this week? I have to see the dentist.
B: Yes. [Just tell the front desk.|Tell the front desk which day.]
A: Thank you.
= {A} asked to leave at four one day because of the dentist, and {B} agreed.

B: A client has praised your work. [I thought you should know.|I wanted you to hear it.]
A: Thank you! Which one?
B: The one in the north, who is never satisfied.
= {B} told {A} that a difficult client had praised {a's} work.

A: There is a course on spreadsheets in the evenings. Would the company pay for it?
B: Send me the programme, and I'll see what I can do.
A: [You have it in your mail.|I'll send it right away.]
= {A} asked about a course on spreadsheets, and {B} wanted to see the programme.

&B: Your course is approved, [all of it|the whole fee].
A: [That's generous.|Thank you very much.] I'll sign up today.
= {B} approved the course.

&A: The course was useful. I've made a new sheet for our orders.
B: [Show it to everybody on Monday.|I'd like you to show it on Monday.]
A: With pleasure.
= {A} made a new sheet for the orders after the course, and {B} wanted it shown.

B: It's time for our yearly talk. Please write down what you'd like to do next.
A: [How long should it be?|Is half a page enough?]
B: Half a page is enough.
= {B} asked {A} to write down wishes for the yearly talk.
)"},
    {Field::kAny, Between::kEmployee, R"(
A: {hi} The figures of the month are in your folder.
B: Thank you. Is there anything unusual in them?
A: The travel costs are [up by a tenth|a tenth higher].
= {A} gave {B} the figures of the month; the travel costs had risen by a tenth.

&B: Why are the travel costs so high?
A: Two of us went to the trade fair.
B: [That explains it.|I see.] Add a note to the table, please.
= {B} asked about the travel costs, which came from the trade fair.

B: Could you stay an hour longer on Thursday? A delivery is late.
A: Yes, [that's possible|I can do that].
B: I won't forget it.
= {B} asked {A} to stay an hour longer on a Thursday, and {A} agreed.

&B: Thank you for staying for the delivery. Take an afternoon off for it.
A: [That's kind.|Thank you.] Would Friday be all right?
B: Friday is fine.
= {B} gave {A} a free Friday afternoon for staying longer.

A: My computer takes ten minutes to start. Could I get another one?
B: Fill in a request, and I'll sign it.
A: [It's on your desk.|I'll do it today.]
= {A} asked for another computer, and {B} agreed to sign the request.

&A: The other computer is here. [It starts in ten seconds.|It's so fast.]
B: Then I can expect your reports earlier.
A: I walked into that.
= {A} told {B} that the other computer had come.

B: We get a trainee. I'd like you to show her around.
A: [Gladly.|With pleasure.] For how long?
B: For the first week.
= {B} asked {A} to show a trainee around for a week.

&A: The trainee learns quickly. She has already found a mistake in our list.
B: [One of yours?|Whose mistake was it?]
A: One of mine.
= {A} told {B} that the trainee had found one of {a's} own mistakes.
)"},
    {Field::kAny, Between::kBusiness, R"(
A: {hi} Thank you for our talk on {day}. Could you send us three samples?
B: [They'll go out at once.|Certainly.] To your office?
A: Yes, to my attention, please.
= {A} asked {B} for three samples.

&A: The samples have arrived in good order.
B: What is your impression?
A: The quality is good. [The second one is closest to what we need.|We like the second one best.]
= {A} found the quality of the samples good and liked the second one best.

A: How long would a first delivery take?
B: Four weeks from your confirmation.
A: We'd need it in three.
B: [I'll speak to our production.|Let me talk to our production.]
= {A} asked for delivery in three weeks instead of four, and {B} promised to ask.

&B: Three weeks are possible, if you confirm in writing.
A: [You'll have it today.|Very good, you'll have our letter.]
= {B} found three weeks possible, and {A} promised to confirm in writing.

B: Our price list has changed. For you the old prices hold until the end of the quarter.
A: [We appreciate that.|That's very fair.] I'll tell our purchasing department.
= {B} told {A} that the old prices held until the end of the quarter.

A: Our order has gone out to you today.
B: It's here and confirmed. [Thank you for your trust.|Thank you.]
= {A} sent the order, and {B} confirmed it.

&A: The goods are here. Two cartons were damaged on the way.
B: [I'm sorry about that.|I'm very sorry.] We'll replace them at our expense.
= {A} reported two damaged cartons, and {B} promised to replace them.

&A: The two cartons have been replaced. That was quick.
B: [We want you to be satisfied.|It was the least we could do.]
A: We are. We'll order again.
= {A} told {B} that the cartons had been replaced and that there would be another order.
)"},
    {Field::kAny, Between::kBusiness, R"(
B: {hi} We have a stand at the trade fair this season. Will you be there?
A: Yes, two of us. [Where do we find you?|In which hall are you?]
B: In hall three, near the entrance.
= {B} told {A} about a stand at the trade fair, in hall three.

&A: It was good to see you at the fair. Your stand was crowded.
B: We ran out of catalogues. [I've kept one for you.|One is kept for you.]
= {A} told {B} that the stand at the fair had been crowded.

A: Could we see your plant? Our engineer would like to look at it.
B: You're welcome. [We only need a few days' notice.|Just tell us a few days before.]
= {A} asked to see the plant, and {B} agreed.

&A: Thank you for showing us the plant. Our engineer still talks about it.
B: [About which part?|What did he like?]
A: The packing hall.
= {A} thanked {B} for the visit to the plant, where the packing hall had impressed the engineer.

B: A small matter: one of our invoices is still open.
A: [I'm sorry.|That mustn't happen.] I'll ask our accountants at once.
= {B} mentioned an open invoice, and {A} promised to ask the accountants.

&A: Your invoice has been paid.
B: We've received it, [thank you|many thanks]. I hope it was no trouble.
A: It had slipped behind a folder.
= {A} told {B} that the invoice had been paid.

A: Our lawyer has two remarks on the draft.
B: [Send them.|Please send them to me.] I'm sure we'll find the words.
= {A} had two remarks on the draft, and {B} wanted to read them.

B: While I'm on leave, my colleague will answer you. She knows all our papers.
A: Thank you. [Enjoy your leave.|Have a good rest.]
= {B} named a colleague for the time of a leave.
)"},
    {Field::kAny, Between::kStudent, R"(
A: {hi} May I come to your office hour? I have a question about the reading list.
B: [Of course.|You're welcome.] On Tuesdays, from two to four.
A: Thank you, I'll come at two.
= {A} asked to come to {b's} office hour with a question about the reading list.

&A: Thank you for your time on Tuesday. I've begun with the short book, as you advised.
B: [And how do you find it?|How do you like it?]
A: Much clearer than the long one.
= {A} began with the short book as {B} had advised and found it clear.

A: I've found a subject for my paper: how towns grew around railways.
B: That's a wide subject. Take one town.
A: [That makes sense.|You're right.] Then I'll take mine.
= {A} wanted to write on towns and railways, and {B} advised to take one town.

&A: The archive of my town has old maps. May I use them in the paper?
B: [By all means.|Certainly.] They're the best source you can have.
= {A} asked about using old maps, and {B} called them the best source.

A: May I show you the outline of my paper?
B: Put it in my mailbox. You'll have my remarks in a few days.
A: [Thank you very much.|Thank you.]
= {A} asked {B} to look at the outline of the paper.

&B: I've read your outline. The third part is the strongest, so put it first.
A: [I hadn't thought of that.|That's a good idea.] I'll change it.
= {B} found the third part of the outline the strongest.

A: I've handed in my paper, a day early.
B: [That's rare.|I noticed.] I'm looking forward to reading it.
= {A} told {B} about handing in the paper a day early.

&B: I've read your paper. It's good work. Only the sources could be quoted more carefully.
A: [Thank you.|I'm so glad.] I'll take more care next time.
= {B} praised the paper and asked for more care with the sources.
)"},
    {Field::kAny, Between::kStudent, R"(
A: {hi} Could you give me some more exercises? I need the practice.
B: I'll put two pages together. [Ten minutes a day are enough.|Do ten minutes a day.]
A: Thank you very much.
= {A} asked {B} for more exercises, and {B} recommended ten minutes a day.

&A: I've done both pages. There were six mistakes.
B: [Six is not bad.|Six are not many.] Which ones did you find yourself?
A: Four of them.
= {A} did both pages with six mistakes and found four of them without help.

B: We're looking for somebody who says a few words at our open day. Would you?
A: In front of everybody? [How long?|How long would it be?]
B: Three minutes.
A: All right.
= {B} asked {A} to say a few words at the open day, and {A} agreed.

&B: You did well at the open day. I could hear you in the last row.
A: I was so nervous that I skipped a sentence.
B: [Nobody noticed.|It wasn't missed.]
= {B} praised {A} for the words at the open day.

A: I have to miss a lesson because of the dentist. What should I catch up on?
B: Chapter five, the first exercise. [The rest can wait.|That's enough.]
= {A} had to miss a lesson, and {B} named what to catch up on.

A: Can you recommend a book that isn't too hard for me?
B: A short crime story. [One wants to know how it ends.|They pull you along.]
A: I'll look for one.
= {A} asked for a book that was not too hard, and {B} recommended a crime story.

&A: I've read a whole crime story, to the end!
B: Congratulations. [How many words did you look up?|Did you need the dictionary often?]
A: Thirty-one. I counted.
= {A} told {B} about reading a whole crime story.

B: I've been going through my notes. You've made good progress.
A: [I hoped so.|That's good to hear.] It feels slow.
B: It always does from the inside.
= {B} told {A} that {a} had made good progress.
)"},
    {Field::kAny, Between::kEmployee, R"(
A: {hi} The clients have changed the day of their visit. It's on Thursday, not on Wednesday.
B: [Good that you tell me.|Thank you.] Is the meeting room free then?
A: I've booked it from ten to twelve.
= {A} told {B} that the clients would come on a Thursday and that the meeting room had been booked.

&B: The clients were pleased with their visit. That was well prepared.
A: [Thank you.|I'm glad.] The only thing missing was a second pot of coffee.
B: I noticed.
= {B} praised the visit of the clients as well prepared.

A: May I work from home on one day? I'd have fewer interruptions.
B: [Let's try it.|We can try that.] Which day?
A: Tuesday, if that suits you.
= {A} asked to work from home on one day, and {B} agreed to try it.

&B: How is it going with your day at home?
A: [Very well.|Well.] I've finished the list that lay there for months.
B: Then we'll keep it.
= {B} asked about the day at home, and it went so well that it stayed.

B: I need somebody for the first-aid course. [Would you do it?|Would that be something for you?]
A: Yes. How long does it take?
B: A day, and it counts as work.
= {B} asked {A} to take a first-aid course, and {A} agreed.

A: There's a mistake in the address on our new letter paper.
B: [Oh no.|Good eyes!] How many have been printed?
A: Only the first box. I've stopped the rest.
= {A} found a mistake in the new letter paper and stopped the printing.

B: You wanted to know about your holidays: they're approved.
A: [Wonderful.|Thank you very much.] I'll write down what is left open for my colleague.
= {B} told {A} that the holidays were approved.
)"},
    {Field::kAny, Between::kBusiness, R"(
A: {hi} I've reported to our board what we spoke about. They're interested.
B: [I'm glad to hear it.|That's good news.] Is there anything that they'd like to know?
A: How long you've been in the market, above all.
= {A} told {B} that the board was interested and wanted to know more about the firm.

B: I've sent you a short paper on our firm, with three references.
A: [Thank you, it has arrived.|It's here, thank you.] May we call them?
B: Please do.
= {B} sent a paper on the firm with three references, and {A} wanted to call them.

&A: We've called your references. They speak well of you.
B: [That's good to hear.|I'm pleased.] They've been with us for years.
= {A} told {B} that the references had spoken well of the firm.

A: Could you come to us and show it to our people? An hour would do.
B: [With pleasure.|Gladly.] I'd bring our engineer.
A: Very good.
= {A} asked {B} to come and show it, and {B} wanted to bring an engineer.

&A: Thank you for coming. Our people had more questions than you had time.
B: [I've written them down.|Your people know what they want.] You'll have the answers in writing.
= {A} thanked {B} for coming, and {B} promised written answers to the questions.

B: Our office is closed over the holidays. In urgent cases you reach me by phone.
A: [Thank you.|Good to know.] I hope it won't be necessary.
= {B} told {A} that the office was closed over the holidays.

A: Would you agree to yearly meetings? It helps to see each other.
B: [Very much so.|I'd like that.] Next time it's our turn to invite.
= {A} suggested yearly meetings, and {B} agreed.
)"},
};

}  // namespace

std::span<const Storyline> work_storylines() { return kStorylines; }

}  // namespace chatmem
