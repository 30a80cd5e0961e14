// Storylines of customers and those who serve them.
#include "synth/storylines.h"

namespace chatmem {
namespace {

constexpr Storyline kStorylines[] = {
    {Field::kMoney, Between::kCustomer, R"(
A: {hi} One more question: [may I get my papers by mail|can I have the papers by mail]?
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
    {Field::kShopping, Between::kCustomer, R"(
A: {hi} [Until when are you open on weekdays?|How long are you open on weekdays?]
B: [Until seven.|We close at seven.] Are you looking for something else?
A: Yes, a birthday present. [I have no idea yet.|I don't know what yet.]
= {A} asked {B} about the opening hours because of a birthday present.

A: What would you give somebody who likes to cook?
B: [We have good knives.|A good knife.] Or an apron, if you want to be safe.
A: [An apron, then.|The apron sounds safe.]
= {A} asked {B} for a present for somebody who liked to cook, and {a} chose an apron.

&A: The apron was a success[, thank you for the idea|. Thank you for the idea].
B: [I'm glad.|That's lovely to hear.] Was the colour right?
A: Quite right.
= {A} told {B} that the apron had been a success.

B: We've got new goods in. [Some things for the kitchen too.|There are things for the kitchen as
  well.]
A: [Do you have a small teapot?|Is there a small teapot?]
B: Three. I'll put one aside for you.
= {B} told {A} about new goods and put a small teapot aside.

&A: I came for the teapot, but you weren't there. [Your colleague helped me.|I got it from your
  colleague.]
B: [Good.|Very well.] Does it pour without dripping?
A: [Not a drop.|It doesn't drip at all.]
= {A} told {B} about picking up the teapot, which did not drip.

A: Do you wrap things as presents?
B: Of course, [it costs nothing|for nothing]. Blue or white paper?
A: Blue, please.
= {A} asked {B} whether things were wrapped as presents, and chose blue paper.

A: I told a friend about your shop. [She'll come by.|She's coming by soon.]
B: [Thank you!|That's kind of you.] Does she look for anything special?
A: [She never knows before.|She finds out when she sees it.]
= {A} told {B} about recommending the shop to a friend.

B: Our sale begins soon. [I thought you might like to know.|You're the first to know.]
A: [Are there tablecloths in it?|Tablecloths too?]
B: Yes, and towels.
= {B} told {A} about the sale, with tablecloths and towels.
)"},
    {Field::kAny, Between::kCustomer, R"(
A: {hi} One more question: whom do I ask for when I come again?
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
    {Field::kAny, Between::kCustomer, R"(
A: {hi} Thank you again for your help on {day}.
B: You're welcome. [Did everything work out?|Is everything in order now?]
A: [Yes, so far.|So far, yes.] I'll write if there is anything else.
= {A} thanked {B} for the help; so far everything had worked out.

A: What are your hours on Saturdays?
B: From nine to four. [Before noon there is hardly a queue.|It's quietest before noon.]
A: Thank you, [then I'll come early|I'll come early then].
= {A} asked {B} about the hours on Saturdays: from nine to four, quietest before noon.

B: We're asking our customers what we could do better. Could you give us a line or two?
A: Everybody was friendly. I only had to wait [rather long|a little long].
B: [Thank you, I'll pass that on.|That's useful, thank you.]
= {B} asked what could be done better, and {A} found everybody friendly but the wait too long.

&B: Because of comments like yours there are two of us at the desk now.
A: [That was quick.|I'm impressed.] I didn't think anybody would read it.
B: We read all of them.
= {B} told {A} that because of such comments there were two people at the desk now.

A: A friend of mine needs the same as I did. Can she come to you directly?
B: Yes. [She should ask for me.|Tell her to ask for me.]
A: I'll tell her, thank you.
= {A} asked whether a friend could come directly, and {B} agreed.

&B: Your friend was here today.
A: [Could you help her?|I hope you could help her.]
B: We could. She was out again in twenty minutes.
= {B} told {A} that the friend had come and had been helped in twenty minutes.

A: Do you also send bills by e-mail?
B: Yes. [I only need your address.|Just give me your e-mail address.]
A: I'll send it to you[ right away|].
= {A} asked for bills by e-mail, and {B} needed only the address.

B: We'll be closed on the last Friday of the month, because the floor is being redone.
A: Thanks for telling me. [I'd have stood at a locked door.|I might have come just then.]
= {B} told {A} that they would be closed on the last Friday of the month for a new floor.
)"},
    {Field::kShopping, Between::kCustomer, R"(
A: {hi} I was with you on {day}. How long may one exchange things?
B: For thirty days, with the receipt.
A: [Good, I have the receipt.|Thank you, I've kept the receipt.]
= {A} asked {B} how long things could be exchanged: for thirty days, with the receipt.

A: My sister would like to have a look at your shop. On which day is it quiet?
B: [On Tuesdays.|Tuesday mornings.] Then there's time to advise her.
A: She'll like that.
= {A} asked for a quiet day for {a's} sister, and {B} recommended Tuesday.

&B: Your sister was here. [She has a good eye.|She knows what she wants.]
A: Did she find something?
B: Two things, and she's coming back for a third.
= {B} told {A} that the sister had found two things.

A: Do you deliver? I have no car.
B: In town, yes. [Over a hundred it's free.|It's free above a hundred.]
A: [That's good to know.|Then I needn't carry everything.]
= {A} asked about delivery, which was free above a hundred.

A: Do you have gift vouchers?
B: Yes, [for any amount|of any amount]. Shall I prepare one?
A: One for fifty, please. It's for my nephew.
= {A} ordered a gift voucher of fifty for a nephew.

&A: Has my nephew been in with his voucher?
B: [For an hour.|Yes, for a whole hour.] He left with a big smile.
A: Then it was the right present.
= {A} asked about the nephew, who had come with the voucher and left with a smile.

B: We have a customer card now. You'd get three per cent back. [Would you like one?|Do you want
  one?]
A: What does it cost?
B: Nothing.
A: Then yes, please.
= {B} offered {A} a customer card with three per cent back, and {A} accepted.

B: Our sale begins soon, and customers with an address get a card. May we send you one?
A: [Gladly.|Yes, you may.] I'll write the address below.
= {B} offered to send a card about the sale, and {A} agreed.
)"},
    {Field::kClothes, Between::kCustomer, R"(
A: {hi} Do you also shorten trousers? I have a pair that is too long.
B: Our tailor is here [on Tuesdays and Thursdays|twice a week, Tuesdays and Thursdays].
A: Then I'll bring them on a Thursday.
= {A} asked {B} to have a pair of trousers shortened; the tailor came on Tuesdays and Thursdays.

&B: Your trousers are ready.
A: [So soon?|That was quick.] What do I owe you?
B: Twelve. You can pay when you come.
= {B} told {A} that the shortened trousers were ready, for twelve.

&A: The trousers are just right now.
B: [I'll tell the tailor.|That will please our tailor.]
A: Do, please. I have another pair.
= {A} told {B} that the trousers were just right now and that there was another pair.

A: What does one wear to a wedding in the open air?
B: Something light, in blue or beige. And flat shoes, because of the grass.
A: [I hadn't thought of the grass.|The grass, of course.]
= {A} asked what to wear to a wedding in the open air: something light, and flat shoes.

B: Linen jackets have just come in. [I thought of you.|There's one in your size.]
A: In which colours?
B: Sand and dark blue. I can put one aside.
A: Dark blue, please.
= {B} told {A} about linen jackets and put a dark blue one aside.

&A: I like the linen jacket, but it creases.
B: [Linen does that.|That's linen.] Hang it in the bathroom while you shower.
A: [So that's the trick.|I'll try that.]
= {A} told {B} that the linen jacket creased, and {B} advised to hang it in the bathroom.

A: At how many degrees should I wash wool?
B: At thirty, [inside out|turned inside out], and never in the dryer.
A: Too late for one pullover. But thank you.
= {A} asked how to wash wool: at thirty degrees, inside out, never in the dryer.

B: The winter things go down by a third from Monday on. You wanted to know, I think.
A: [Yes, thank you.|That's good news.] I need a scarf.
B: Then come early.
= {B} told {A} that winter things would cost a third less, and {A} needed a scarf.
)"},
    {Field::kMoney, Between::kCustomer, R"(
A: {hi} I'd like to do more by computer. How do I register for online banking?
B: With your card and your phone. I'll send you [the instructions|a page with the steps].
A: [Thank you.|That's kind.] I'm slow with such things.
= {A} asked {B} how to register for online banking, and {B} promised instructions.

&A: I've registered, but no code has come.
B: It comes by mail, in two letters, [for safety|to be safe].
A: [Then I'll wait.|I see, so I'll wait.]
= {A} missed the code, and {B} explained that it came in two letters.

&B: Have both letters with the codes arrived?
A: Yes, and it works. I've paid my first bill from the sofa.
B: [Very good.|Well done.]
= {B} asked about the letters with the codes, and {A} had paid a first bill online.

A: A machine didn't take my card today. [Is it blocked?|Is something wrong with it?]
B: No, it isn't blocked. The chip may be worn. I'll order you a new card.
A: Thank you. I'll use the old one as long as it works.
= {A} told {B} that a machine had not taken the card, and {B} ordered a new one.

&A: The new card is here. Is the number still the same?
B: The PIN is, the card number isn't. [And please sign it.|Please sign it on the back.]
A: Done.
= {A} got the new card, with the same PIN and another number.

B: You could have your statements without paper. It saves you the fee.
A: [Then without paper, please.|Gladly.] I have three folders full.
= {B} offered statements without paper, and {A} accepted.

A: What does it cost to send money abroad?
B: It depends on the country. [To most it's a flat five.|For most of them it's five, flat.]
A: That's less than I thought.
= {A} asked about sending money abroad, which cost five for most countries.

B: We're moving to the other side of the square at the end of the month.
A: Does my account number stay?
B: [Of course.|It does.] Only the door is another.
= {B} told {A} that the branch was moving across the square.
)"},
    {Field::kCare, Between::kCustomer, R"(
A: {hi} Which shampoo would you recommend for me?
B: A mild one, and not every day.
A: [Then I've been washing it too often.|I see, I wash it too often.]
= {A} asked {B} for a shampoo, and {B} recommended a mild one, not every day.

A: I'd like to come again. Is there something free late in the afternoon?
B: [Thursday at five.|Thursdays at five I'm free.]
A: I'll take Thursday at five.
= {A} took an appointment with {B} on a Thursday at five.

&A: I'm pleased with how it turned out on Thursday.
B: [I'm glad.|That's nice to hear.] Can you manage it at home?
A: With the brush you showed me, yes.
= {A} told {B} about being pleased with the result of Thursday.

A: My sister wants to come to you for a new colour.
B: [She should bring a picture.|Tell her to bring a picture.] That helps more than words.
= {A} recommended {B} to {a's} sister, who should bring a picture.

&B: Your sister brought three pictures, all of them different.
A: That's my sister. [Which one was it in the end?|And which one did she get?]
B: A little of each. She left happy.
= {B} told {A} that the sister had come with three different pictures and left happy.

A: I tried to cut it myself in front. [Don't laugh.|Please don't laugh.]
B: I'm not laughing. Come by, that takes me five minutes.
A: [You're saving me.|I'm on my way.]
= {A} had tried to cut {a's} own hair, and {B} offered to put it right.

&A: Thank you for the rescue. Nobody can see it now.
B: And the scissors?
A: In the drawer, where they belong.
= {A} thanked {B} for putting the hair right.

B: From the first of the month we're open on Mondays as well.
A: [Good to know.|That's good.] Mondays are my quiet days.
= {B} told {A} about being open on Mondays as well.
)"},
    {Field::kPost, Between::kCustomer, R"(
A: {hi} How can I see where a parcel is?
B: There is a number on your receipt. Type it in on our page.
A: [I have the receipt here.|Then I'll look for the receipt.] Thank you.
= {A} asked {B} how to follow a parcel: by the number on the receipt.

&A: Your page says that it has been delivered.
B: [Then it has.|You can rely on that.] Was everything whole?
A: Not a scratch, I'm told.
= {A} told {B} that the parcel had been delivered without a scratch.

A: What is the cheapest way to send books?
B: As a book parcel, open at one side. [It takes a few days longer.|But it's slower.]
A: They aren't in a hurry.
= {A} asked for the cheapest way to send books, and {B} named the slower book parcel.

A: A letter of mine has come back. "Address unknown," it says.
B: Check the postal code. [Often two figures are swapped.|It's mostly that.]
A: I'll look at it once more.
= {A} told {B} about a letter that had come back, and {B} suspected the postal code.

&A: You were right, it was the postal code.
B: [It mostly is.|I'm glad.] Then it should arrive this time.
= {A} told {B} that the postal code had been the mistake.

B: There are new stamps, with birds on them.
A: [Would you keep a sheet for me?|Please keep one sheet for me.]
B: It's in the drawer with your name on it.
= {B} told {A} about new stamps with birds and kept a sheet.

A: I'll be away. Can you keep my mail?
B: Yes, for up to four weeks. [There is a form for it.|You fill in a form.]
A: Good, then nothing lies in front of my door.
= {A} asked to have the mail kept, which was possible for four weeks.

&A: I'm back. May I have my mail?
B: [It's quite a bundle.|It's a big bundle.] We have put a string around it.
A: Thank you. Most of it will be bills.
= {A} asked {B} for the mail, a big bundle.
)"},
    {Field::kLibrary, Between::kCustomer, R"(
A: {hi} Could I keep my books for two weeks longer?
B: Yes, unless somebody waits for them. [I've done it for you.|Nobody does, so it's done.]
A: [Thank you.|Very kind.] I'm a slow reader.
= {A} asked {B} to keep some books for two weeks longer, and {B} arranged it.

A: Would you reserve something for me? It's a history of the tea trade, and it's out.
B: [Of course.|With pleasure.] I'll write to you when it's back.
= {A} had a history of the tea trade reserved.

&B: The history of the tea trade is back. It's at the front desk.
A: [I'll come after work.|Then I'll come by.]
B: We keep it for a week.
= {B} told {A} that the history of the tea trade was at the front desk.

&A: There was a train ticket in the book on tea, forty years old.
B: We keep such finds in a box. [Bring it along.|Would you bring it?]
A: I hope that nobody is still on that train.
= {A} told {B} about an old train ticket in the book.

B: On Thursday evening somebody reads here, free of charge.
A: [Who is it?|Who reads?]
B: A writer from the town, with short stories.
= {B} told {A} about a reading of short stories on a Thursday.

&A: I liked the reading. I even bought the book.
B: [So did I.|Me too.] Is yours signed?
A: It is.
= {A} told {B} about liking the reading and buying the book.

A: I'm two days late with a book. What do I owe?
B: Twenty cents a day.
A: [Then I'm not ruined.|I can just afford it.]
= {A} asked what two late days cost: twenty cents each.

A: Do you take old books? I have two boxes full.
B: If they're clean and not too old. [What we can't use goes to our flea market.|The rest goes to
  our flea market.]
A: Then I'll bring them.
= {A} offered {B} two boxes of books.
)"},
    {Field::kRepair, Between::kCustomer, R"(
A: {hi} I forgot to ask you: is there a guarantee on your work?
B: Six months, on parts and labour. [Please keep the bill.|Just keep the bill.]
A: [Good.|That's reassuring.] I've put it in my folder.
= {A} asked {B} about the guarantee: six months, on parts and labour.

A: There's a soft humming now. Is that normal?
B: [Only at the beginning?|When does it hum?]
A: Only when it starts.
B: Then it's normal. If it gets louder, call me.
= {A} asked about a soft humming, and {B} found it normal.

&A: The humming has stopped by itself.
B: [That's how it should be.|Good.] Then everything has settled.
= {A} told {B} that the humming had stopped.

A: My neighbour has much the same trouble. May I give him your number?
B: [Of course.|Please do.] It's best to call before eight.
A: I'll tell him.
= {A} asked to give {b's} number to a neighbour.

&B: I was at your neighbour's. It was only the plug.
A: [Only the plug?|The plug!] He'll be embarrassed.
B: It happens more often than you think.
= {B} told {A} that the neighbour's trouble had only been the plug.

A: There is a line on the bill that I don't understand: "small parts".
B: Those are screws and seals, eight in all.
A: [Then I have no more questions.|That's fair.]
= {A} asked about a line on the bill, and {B} explained it.

B: A check once a year saves trouble. Shall I put you on the list?
A: Yes, please. [I'd forget it.|Otherwise I'd forget.]
= {B} offered a check once a year, and {A} accepted.

A: Everything still runs as it should. I thought you'd like to hear that.
B: [I do.|Very much.] Mostly people write when something is broken.
= {A} told {B} that everything still ran as it should.
)"},
    {Field::kClothes, Between::kCustomer, R"(
A: {hi} I'd like to give a scarf to a friend. Which colour goes with everything?
B: Grey, or a soft green. [If she wears black, take the green.|The green one is friendlier.]
A: The green one, then. I'll come by.
= {A} asked {B} for a scarf that went with everything: grey, or a soft green.

&A: My friend wears the green scarf every day.
B: [I'm glad.|That's nice to hear.] We have gloves to match.
A: Don't tempt me.
= {A} told {B} that the friend wore the green scarf every day.

A: How do I get a wine stain out of cotton?
B: Salt at once, then cold water. [If it's dry, bring it to a cleaner.|No hot water!]
= {A} asked about a wine stain, and {B} recommended salt and cold water.

B: We're having an evening for our regular customers, with a glass of something. Will you come?
A: [Gladly.|How nice.] May I bring somebody?
B: Of course.
= {B} invited {A} to an evening for regular customers.

&A: That was a pleasant evening in your shop.
B: [We enjoyed it too.|I'm so glad.] Your friend tried on every hat.
A: She has no hats. Now she has two.
= {A} thanked {B} for a pleasant evening in the shop.

A: Do you sew on buttons as well? I've lost one, and none of mine fits.
B: We have a jar with hundreds. [Bring it along.|Come by and choose.]
= {A} had lost a button, and {B} had a jar with hundreds.

B: Something that may interest you: the same model has come in dark green.
A: [In my size?|Oh, really?]
B: One piece. I'll keep it until the weekend.
= {B} told {A} about a piece in dark green and kept it until the weekend.
)"},
    {Field::kAny, Between::kCustomer, R"(
A: {hi} I've told others how I was treated on {day}. You were very correct.
B: [That's kind of you.|Thank you for saying so.] We do our best.
= {A} praised {B} for having been very correct.

A: Is it better to call or to write, if I need something?
B: Writing is fine. I answer [within a day|the same day, mostly].
A: [Then I'll write.|Good.]
= {A} asked whether to call or to write, and {B} preferred writing.

B: Our prices go up a little at the end of the quarter. I wanted you to hear it from us.
A: [Thank you for being open.|I appreciate that.] By how much?
B: By three per cent.
= {B} told {A} that the prices would go up by three per cent.

A: I have a new address. Do you need it?
B: Yes, please. [Then nothing gets lost.|I'll change it in our list.]
A: I'll send it right away.
= {A} had a new address, and {B} wanted to change it in the list.

&B: We've sent something to your new address. Did it arrive?
A: [It did.|Yes, without trouble.] Even the house number was right.
= {B} asked about something sent to the new address, which had arrived.

A: Is there anything I can do so that it goes faster next time?
B: Have your number ready. [It's at the top of the bill.|That saves five minutes.]
= {A} asked how things could go faster, and {B} recommended having the number ready.

B: You've been with us for a while. May we send you a calendar at the end of the year?
A: [Gladly.|With pleasure.] I still hang one in the kitchen.
= {B} offered {A} a calendar.
)"},
};

}  // namespace

std::span<const Storyline> customer_storylines() { return kStorylines; }

}  // namespace chatmem
