// Storylines of jobs, offices, study and money.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kJob, Between::kServed, R"(
A: {hi} I'd like to thank you for {talk}. [It gave me a good picture.|I enjoyed it.]
B: [Thank you for taking the time.|Thank you for coming.] Do you have any questions left?
A: Only one: [to whom do I send my references|where should I send my references]?
B: To me, please.
= {A} thanked {B} for that talk and asked where to send {a's} references.

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

B: My colleagues would like to see [a sample of your work|something you have done].
  Is that possible?
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
    {Field::kJob, Between::kAnyone, R"(
A: {hi} After {talk} I have another question. [How early should one arrive for an interview|How
  early do you arrive for an interview]?
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
    {Field::kOffice, Between::kFriends, R"(
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
    {Field::kOffice, Between::kAnyone, R"(
A: {hi} Since {talk} I've tried to keep better notes. [How do you do that|How do you keep yours]?
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
    {Field::kStudy, Between::kAnyone, R"(
A: {hi} After {talk} I'd like to ask you something. How do you learn things by heart?
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
A: [Yesterday's supper.|What was left from supper.]
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
    {Field::kMoney, Between::kServed, R"(
A: {hi} One more question after {talk}: [may I get my papers by mail|can I have the papers by mail]?
B: Yes. [We only need your address.|I only need your address.]
A: [I'll send it right away.|You have it already, I think.]
= {A} asked {B} for the papers by mail.

&A: The papers have come. [Where do I sign?|I don't see where to sign.]
B: [On the last page, at the bottom.|At the bottom of the last page.]
A: [I see it now.|Thank you.]
= {A} asked {B} where to sign: at the bottom of the last page.

B: We have new opening hours: [we're open until six|we don't close before six].
A: [That helps me.|Very good for me.] I work until five.
B: [See you then.|Good.]
= {B} told {A} of new opening hours until six.

A: I've moved my papers into one folder. How long must I keep them?
B: [Keep them for ten years, to be safe.|Ten years is the safe answer.]
A: [That's a big folder.|Then I need a bigger folder.]
= {A} asked {B} how long to keep papers: ten years, to be safe.

A: There was a strange message in your name. It asked for my password.
B: [That wasn't us.|It isn't from us.] We never ask for that. Please delete it.
A: [I thought so.|I've done it.]
= {A} told {B} about a message that asked for a password, and {B} said to delete it.

&B: Thank you for telling us about that message. [Others had it too.|You weren't the only one.]
A: [Did anybody answer it?|I hope nobody answered.]
B: Nobody, as far as we know.
= {B} thanked {A} for speaking of the message, which others had got too.

A: Can I [come by without an appointment|simply come by]?
B: Before noon, always. [After that it gets busy.|In the afternoon it gets busy.]
A: [Then before noon.|Thank you.]
= {A} asked to come by without an appointment, and {B} recommended the time before noon.

A: [Everything is settled.|Everything is in order now.] Thank you for your patience.
B: [It was a pleasure.|You're welcome.] You know where to find us.
A: [I do.|Indeed.]
= {A} thanked {B} because everything was settled.
)"},
    {Field::kMoney, Between::kAnyone, R"(
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
};

}  // namespace

std::span<const Storyline> work_storylines() { return kStorylines; }

}  // namespace chatmem
