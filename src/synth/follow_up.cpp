#include "synth/follow_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <unordered_set>
#include <utility>

#include "synth/deixis.h"
#include "synth/marked_text.h"
#include "synth/sentences.h"
#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// When a script fits. The first six, the kinds of sayings in their order, come back to one of
// B's.
enum class Use {
  kOpinion,
  kAdvice,
  kTrouble,
  kPlan,
  kFact,
  kAnswer,    // B's, to a question of A's
  kThanks,    // A thanked B in the first dialogue
  kPersonal,  // not between a clerk and a customer, or strangers
  kAnybody,
  kNothingElse,  // anybody, when no other script fits
};

// A writes first, B answers; of "[x|y]" one is chosen. {b}: " Sandra" as A calls B, {,b}: ",
// Sandra", both empty where nobody does; {day}: of the first dialogue; {talk}: what was talked
// about then. In told, {A} and {B} are "you" or a name, so that no verb may change between the two.
struct Script {
  Use use;
  int min_gap, min_age;  // days since the conversation before, since the first
  std::string_view lines, told;
};

constexpr Script kScripts[] = {
    {Use::kOpinion, 0, 0,
     "A:[Hi|Hello]{b}. [Something you said on {day} has stayed with me|I keep coming back to "
     "something you said on {day}]: {quote} [Do you still see it that way?|Is that still how you "
     "see it?]\n"
     "B:[Yes, I do.|Yes, I still do.] [Nothing has changed my mind.|I haven't changed my mind.]\n"
     "A:[Good to know.|All right, I only wondered.]",
     "{A} came back to something that {B} had said: {quote} {B^} still saw it that way."},
    {Use::kOpinion, 0, 7,
     "A:[Do you remember|You may remember] {talk}{,b}[?|, I hope?] You told me: {quote}\n"
     "B:[I remember.|Yes, I remember.] [Why do you ask?|What about it?]\n"
     "A:[I wanted to know if you have changed your mind.|I wondered if you think so still.]\n"
     "B:[No, I haven't.|No, I think just the same.]",
     "{A} wondered whether {B} had had second thoughts after saying: {quote} {B^} had none."},
    {Use::kAdvice, 0, 0,
     "A:[Hi|Hello]{b}. I've [thought about|gone over] what you told me on {day}: {quote}\n"
     "B:[And what do you think now?|And have you made up your mind?]\n"
     "A:[I think you're right.|I think there is a lot in it.] [It just took me a while to see "
     "it.|I needed some time to see it.]\n"
     "B:[I'm glad to hear that.|That's good to hear.]",
     "{A} told {B} that the advice had been right: {quote}"},
    {Use::kAdvice, 0, 14,
     "A:[Do you still stand by your advice|Would you still give me the same advice]{,b}? You said: "
     "{quote}\n"
     "B:[Yes, I'd say the same again.|Yes, I would say it again.]\n"
     "A:[Then I'll keep it in mind.|All right, I'll keep to it.]",
     "{A} asked whether {B} would still give the same advice: {quote} {B^} would."},
    {Use::kTrouble, 0, 0,
     "A:[Hi|Hello]{b}. On {day} you told me: {quote} [Is it any better now?|Have things got any "
     "better?]\n"
     "B:[A little, thank you.|Yes, a little, thanks for asking.] [These things take time.|I'm "
     "taking it day by day.]\n"
     "A:[That's good to hear.|I'm glad to hear that.] [Let me know if I can help.|Tell me if there "
     "is anything I can do.]\n"
     "B:[I will.|Thank you, I will.]",
     "{A} asked whether things had got better since {B} said: {quote} They had, a little."},
    {Use::kPlan, 0, 3,
     "A:[Hi|Hello]{b}. On {day} you said: {quote} [How are things going with that?|How is that "
     "going?]\n"
     "B:[So far, so good.|Well enough so far, thanks.] [There is still a lot to do.|It takes "
     "longer than I thought.]\n"
     "A:[That's often the way.|It usually does take a while.] [Keep me posted.|Let me know how it "
     "goes on.]\n"
     "B:[I will.|I'll do that.]",
     "{A} asked {B} how this was going: {quote} It was going well so far, said {B}."},
    {Use::kFact, 0, 0,
     "A:[Hi|Hello]{b}. On {day} you [wrote|said]: {quote} [Have I remembered that right?|Do I "
     "remember that correctly?]\n"
     "B:[Yes, exactly.|Yes, that's right.] [Those were my words.|That's what I said.]\n"
     "A:[Thank you, that's all I wanted to know.|Good, then I needn't look it up.]",
     "{A} asked {B} to confirm something from {day}: {quote} {B^} did."},
    {Use::kFact, 0, 7,
     "A:[May I check something with you|Just to check something]{,b}. You told me: {quote} [Is "
     "that "
     "still so?|Does that still hold?]\n"
     "B:[As far as I know, yes.|Yes, I haven't heard otherwise.]\n"
     "A:[Good, thank you.|Thanks, that helps.]\n"
     "B:[You're welcome.|No problem.]",
     "{A} checked something with {B}: {quote} As far as {B} knew, that still held."},
    {Use::kAnswer, 0, 0,
     "A:[Hi|Hello]{b}. [I found our messages of {day} again.|I was reading our messages of {day}.] "
     "I had asked you: {question} And you wrote: {quote}\n"
     "B:[Yes, I remember that.|I remember.] [Are you still thinking about it?|Is it still on your "
     "mind?]\n"
     "A:[Now and then.|Sometimes.]",
     "{A} came back to a question: {question} {B's} answer had been: {quote}"},
    {Use::kAnswer, 0, 7,
     "A:[Do you remember what I asked you on {day}|You may remember what I asked you on "
     "{day}]{,b}? It was: {question}\n"
     "B:[I do.|Yes, I do.] I wrote: {quote}\n"
     "A:[Right.|That's it.] [I only wanted to see if you remembered.|I had nearly forgotten it.]",
     "{A} asked {B} about an old question: {question} {B^} still knew the answer: {quote}"},
    {Use::kThanks, 0, 0,
     "A:[Hello|Hi]{b}. I wanted to say thank you again for {day}.\n"
     "B:[You're welcome.|Not at all.] [I was glad to do it.|It was no trouble.]\n"
     "A:[Even so, it helped.|It was a help, really.]\n"
     "B:[Then I'm happy.|That's good to hear.]",
     "{A} thanked {B} once more for that first talk."},
    {Use::kPersonal, 0, 2,
     "A:[How has your week been|How is your week going]{,b}?\n"
     "B:[Busy, but fine.|Not bad, only busy.] And yours?\n"
     "A:[Quiet so far.|Much the same.] [I've thought about {talk} now and then.|I was thinking "
     "about "
     "{talk} again.]\n"
     "B:[So was I.|Funny, so was I.] [We should come back to it some time.|There is more to say "
     "about it.]",
     "{A} asked {B} about the week, and the two of you came back to {talk}."},
    {Use::kPersonal, 0, 1,
     "A:[I've been going over {talk}|I went over {talk} in my mind again]{,b}. [I think I "
     "understand "
     "you better now.|Now I see better what you meant.]\n"
     "B:[I'm glad.|That's good to hear.] [I wasn't sure I had put it well.|I wondered if I had "
     "been "
     "clear.]\n"
     "A:[You were clear.|You put it well.] It just took me a while.",
     "{A} told {B} that {talk} made more sense after some thought."},
    {Use::kPersonal, 0, 5,
     "A:[Are you free to talk some time{,b}?|Shall we talk again some time{,b}?]\n"
     "B:[Gladly.|Yes, I'd like that.] [Is it about anything special?|Is there something you want "
     "to talk about?]\n"
     "A:[Nothing special.|No, nothing special.] [I liked {talk}, that's all.|I just enjoyed "
     "{talk}.]\n"
     "B:[Then write when it suits you.|All right, whenever you have time.]",
     "{A} proposed another talk, and {B} liked the idea."},
    {Use::kPersonal, 0, 10,
     "A:[I mentioned {talk} to a friend|I spoke to a friend of {talk}]{,b}. I hope you don't "
     "mind.\n"
     "B:[Not at all.|I don't mind.] [What did your friend say?|And?]\n"
     "A:[Not much, but it was good to talk about it.|It made for a long conversation.]",
     "{A} told {B} that {talk} had come up with a friend, and {B} did not mind."},
    {Use::kAnybody, 0, 0,
     "A:[Hi|Hello]{b}. Do you have a minute?\n"
     "B:[Sure.|Yes, of course.] [What is it?|Go ahead.]\n"
     "A:[I was thinking of {talk}.|I just thought of {talk}.] [Is there anything new since "
     "then?|Has "
     "anything changed since then?]\n"
     "B:[Nothing that I know of.|Not that I know.]\n"
     "A:[Good, that's all.|All right, I only wanted to ask.]",
     "{A} asked {B} whether anything had changed since {talk}; nothing had."},
    {Use::kAnybody, 0, 0,
     "A:[I've been thinking about {talk}|I thought about {talk} again]{,b}. [Did we leave anything "
     "open?|Is there anything we forgot?]\n"
     "B:[I don't think so.|Not as far as I can see.] [Did you have something in mind?|Why do you "
     "ask?]\n"
     "A:[No, I only wanted to be sure.|Just to be on the safe side.]",
     "{A} asked {B} whether {talk} had left anything open; it had not."},
    {Use::kNothingElse, 0, 0,
     "A:[Hello|Hi]{b}. Can I reach you here if I have a question?\n"
     "B:[Yes, any time.|Of course.] [I usually answer the same day.|I look at my messages in the "
     "evening.]\n"
     "A:[Thank you.|Good to know.] [I'll keep it short.|I won't write too often.]",
     "{A} asked whether it was all right to write with questions, and {B} agreed."},
    {Use::kAnybody, 4, 0,
     "A:[Hello|Hi]{b}. How have you been?\n"
     "B:[Fine, thanks, a little busy.|Quite well, thank you.] And you?\n"
     "A:[I can't complain.|The same here.] I only wanted to say hello.\n"
     "B:[That's kind of you.|That's nice.] [All the best.|Take care.]",
     "{A} wrote to {B} just to say hello, and there was nothing to complain of."},
    {Use::kAnybody, 18, 0,
     "A:[It's been a while|We haven't been in touch for a while]{,b}. [Is everything all right?|Is "
     "all well with you?]\n"
     "B:[Yes, everything is fine.|All is well, thanks.] [The weeks just go by.|Time flies.]\n"
     "A:[It does.|I know.] [I'm well too.|All is well here too.]",
     "after some silence {A} asked whether all was well, and {B} said that it was."},
    {Use::kNothingElse, 0, 3,
     "A:[I read through our messages of {day} again|I had another look at our messages of "
     "{day}]{,b}.\n"
     "B:[Oh? What for?|Really? Why?]\n"
     "A:[I wanted to have it straight.|I had forgotten half of it.] [Now I have it all.|Now I know "
     "again.]\n"
     "B:[Good.|Then that's settled.]",
     "{A} told {B} of having read the messages of {day} again."},
    {Use::kNothingElse, 0, 1,
     "A:[I tried to call you earlier|I tried to ring you earlier]{,b}.\n"
     "B:[Sorry, I missed that.|Sorry, I didn't hear it.] [Was it important?|Is it urgent?]\n"
     "A:[No, nothing urgent.|Not at all.] [It can wait.|It'll keep.]",
     "{A} had tried in vain to call {B}, but it was nothing urgent."},
    {Use::kNothingElse, 0, 30,
     "A:[Do you still remember {talk}|Do you ever think of {talk}]{,b}? That was [a while|some "
     "time] "
     "ago.\n"
     "B:[I do.|Yes, I do.] [It doesn't feel that long.|It doesn't seem so long.]\n"
     "A:[No, it doesn't.|Not to me either.]",
     "{A} asked {B} about {talk}; neither of you had forgotten it."},
    {Use::kNothingElse, 0, 2,
     "A:[Will you be around in the next few days|Are you there in the next few days]{,b}?\n"
     "B:[Yes, most of the time.|Yes, I should be.] [What is it about?|Why do you ask?]\n"
     "A:[I may have a question about {talk}.|Something else about {talk} may come up.]\n"
     "B:[Then just write.|Write whenever you like.]",
     "{A} told {B} that a question might come up, and {B} said to write any time."},
};
constexpr size_t kNoScript = std::size(kScripts);

bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(),
                     [&](std::string_view start) { return text.starts_with(start); });
}

// What a sentence may not have to be quoted at all.
bool can_be_quoted(std::string_view sentence, size_t n_words, size_t fewest) {
  if (n_words < fewest || n_words > 20) return false;
  if (!std::isupper(static_cast<unsigned char>(sentence[0]))) return false;
  for (const char c : sentence)
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~' ||
        std::string_view("\"#:;()[]{}<>*_/\\").find(c) != std::string_view::npos)
      return false;
  for (const std::string_view mark : {"..", "--", " - ", " ,", " .", " ?", " !", " '", "' ", "  "})
    if (sentence.find(mark) != sentence.npos) return false;
  if (begins_with_any(sentence, {"But ", "And ", "So ", "Or ", "Because "})) return false;
  for (const Token& token : tokenize(sentence))
    if (is_capital(token) && is_given_name(token.text)) return false;
  return !has_time_word_of_now(sentence) && !names_calendar_date(sentence);
}

bool has_word_of(const std::vector<std::string>& words, const WordSet& set) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return set.contains(word); });
}

// Politeness, and what is no laughing matter or too much of one.
const WordSet& unquotable() {
  static const WordSet kWords = {
      "okay",    "ok",     "oh",     "well",    "yes",   "no",    "yeah",   "please",  "thank",
      "thanks",  "sorry",  "sir",    "madam",   "hello", "bye",   "hi",     "let",     "let's",
      "kill",    "die",    "dead",   "death",   "gun",   "drunk", "sex",    "stupid",  "hell",
      "idiot",   "crazy",  "guess",  "welcome", "shut",  "damn",  "god",    "ashamed", "joking",
      "kidding", "minute", "moment", "second",  "hey",   "hm",    "ah",     "um",      "uh",
      "ma'am",   "kiss",   "baby",   "darling", "honey", "dear",  "toilet", "wow",     "ha"};
  return kWords;
}

// Nothing that must be seen or was said before.
bool stands_alone(const std::vector<std::string>& words) {
  static const WordSet kOpen = {
      "this", "that",    "these",   "those",  "here",    "there", "it",     "its",
      "it's", "they",    "them",    "their",  "he",      "she",   "him",    "her",
      "his",  "they're", "that's",  "ones",   "too",     "then",  "now",    "such",
      "same", "else",    "another", "either", "neither", "both",  "here's", "there's",
      "he's", "she's",   "they'll", "it'll",  "i'll",    "we'll", "that'll"};
  return !has_word_of(words, kOpen) && !has_word_of(words, unquotable());
}

bool has_number(const std::vector<std::string>& words) {
  static const WordSet kNumbers = {"two",      "three",   "four",   "five",   "six",
                                   "seven",    "eight",   "nine",   "ten",    "hundred",
                                   "thousand", "percent", "half",   "dozen",  "twice",
                                   "every",    "daily",   "weekly", "monthly"};
  return has_word_of(words, kNumbers) ||
         std::any_of(words.begin(), words.end(), [](const std::string& word) {
           return std::isdigit(static_cast<unsigned char>(word[0])) != 0;
         });
}

std::optional<Saying> saying_of(std::string_view sentence, const std::vector<std::string>& words) {
  static const WordSet kYouOrUs = {"you",    "your",     "you're", "you'll", "we",
                                   "us",     "our",      "i'll",   "we'll",  "we're",
                                   "you've", "yourself", "i'd",    "let",    "should"};
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (begins_with_any(
          sentence,
          {"I'm worried about ", "I'm so worried about ", "I'm nervous about ", "I can't sleep",
           "I don't feel well", "I'm not feeling well", "I feel terrible",
           "I haven't been sleeping", "I've been feeling", "I have a headache",
           "I've got a headache", "I have a cold", "I've got a cold", "I'm under a lot of",
           "I have trouble", "I've been having trouble", "I feel lonely"}))
    return Saying::kTrouble;
  if (begins_with_any(sentence, {"You should ", "You'd better ", "You ought to ", "If I were you",
                                 "I suggest you ", "I'd advise you ", "I advise you "}) &&
      words.size() > 5 && words[1] != "know" && words[2] != "have" && words[2] != "know")
    return Saying::kAdvice;
  if (begins_with_any(sentence, {"I think ", "I believe ", "I don't think ", "In my opinion",
                                 "I prefer ", "I like ", "I don't like ", "I love "}) &&
      !has_word_of(rest, kYouOrUs))
    return Saying::kOpinion;
  static const WordSet kNoPlan = {"be",       "have",  "tell", "call",   "take", "go",     "order",
                                  "try",      "give",  "ask",  "bed",    "say",  "do",     "check",
                                  "the",      "leave", "put",  "report", "show", "speak",  "talk",
                                  "complain", "you",   "your", "get",    "buy",  "return", "book"};
  if (begins_with_any(sentence,
                      {"I'm going to ", "I'm planning to ", "I plan to ", "I've decided to ",
                       "I'm thinking of ", "I'm thinking about ", "I hope to ", "I want to learn ",
                       "I want to study ", "I want to become ", "I'm trying to "}) &&
      !has_word_of(rest, kNoPlan))
    return Saying::kPlan;
  static const WordSet kFinite = {"is",   "are",   "was",   "were",   "has",   "have",    "will",
                                  "can",  "need",  "needs", "cost",   "costs", "takes",   "take",
                                  "open", "opens", "close", "closes", "offer", "provide", "must"};
  if (begins_with_any(sentence, {"The ", "We ", "Our ", "My ", "Your ", "There ", "A ", "Most "}) &&
      has_word_of(words, kFinite) && (has_number(words) || sentence.starts_with("The ")) &&
      !has_word_of(words, {"i", "i'm", "i'll", "should", "if", "but", "love", "what", "will"}))
    return Saying::kFact;
  return std::nullopt;
}

// "Why do you want to be a teacher?", not "Can I help you?"
bool is_real_question(std::string_view sentence, const std::vector<std::string>& words) {
  return sentence.ends_with('?') && words.size() > 4 &&
         begins_with_any(sentence, {"What ", "Why ", "Where ", "When ", "Which ", "How ", "Do you ",
                                    "Did you ", "Have you ", "Is the ", "Are the ", "Does "}) &&
         !begins_with_any(sentence, {"How may ", "How can I ", "How are you", "How about ",
                                     "What about ", "What can I ", "Why don't ", "How come",
                                     "What do you mean", "How do you do", "Do you mind",
                                     "What seems ", "What's wrong", "Where to"}) &&
         sentence.find("would you like") == sentence.npos && stands_alone(words);
}

std::string with_stop(std::string sentence) {
  if (sentence.back() != '?' && sentence.back() != '!') sentence += '.';
  return sentence;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size())
    text.replace(at, what.size(), by);
}

// Of every "[x|y]" one, without nesting.
std::string with_choices_made(std::string_view text, Random& random) {
  std::string made;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] != '[') {
      made += text[at];
      continue;
    }
    const size_t end = text.find(']', at);
    CHECK(end != text.npos);
    std::string_view choices = text.substr(at + 1, end - at - 1);
    for (uint64_t skip =
             random.below(uint64_t(std::count(choices.begin(), choices.end(), '|')) + 1);
         skip > 0; skip--)
      choices.remove_prefix(choices.find('|') + 1);
    made += choices.substr(0, choices.find('|'));
    at = end;
  }
  return made;
}

// The words that say what a dialogue is about.
class Terms {
 public:
  explicit Terms(std::string_view matter) {
    for (const std::string& word : words_of(matter))
      if (counts(word)) terms_.insert(base_form(word));
  }
  int in(const std::vector<std::string>& words) const {
    std::set<std::string> found;
    for (const std::string& word : words)
      if (counts(word) && terms_.contains(base_form(word))) found.insert(base_form(word));
    return int(found.size());
  }

 private:
  static bool counts(const std::string& word) {
    return word.size() > 2 && !is_stopword(word) && !word.starts_with("person");
  }
  std::set<std::string> terms_;
};

}  // namespace

std::vector<Quotable> quotables(const std::vector<Line>& lines, std::string_view matter) {
  const Terms terms(matter);
  std::vector<Quotable> found;
  std::string question;  // the last turn's, when it ends with one
  for (size_t i = 0; i < lines.size(); i++) {
    const std::vector<std::string> sentences = sentences_of(lines[i].text);
    const bool reader = lines[i].speaker == kReader;
    bool answers = i > 0 && !question.empty() && lines[i - 1].speaker != lines[i].speaker;
    for (const std::string& sentence : sentences) {
      const std::vector<std::string> words = words_of(sentence);
      const bool whole = sentence.back() != '?' && sentence.back() != '!' &&
                         can_be_quoted(sentence, words.size(), 4) &&
                         !has_word_of(words, unquotable());
      std::optional<Saying> saying;
      if (whole && stands_alone(words)) saying = saying_of(sentence, words);
      if (whole && !saying && answers && terms.in(words) > 0) saying = Saying::kAnswer;
      const bool again = std::any_of(found.begin(), found.end(),
                                     [&](const Quotable& q) { return q.text == sentence + '.'; });
      if (saying && !again)
        found.push_back({*saying, reader, sentence + '.',
                         *saying == Saying::kAnswer ? question : std::string()});
      answers = false;
    }
    question.clear();
    if (!sentences.empty() && is_real_question(sentences.back(), words_of(sentences.back())) &&
        can_be_quoted(sentences.back(), 5, 5))
      question = sentences.back();
  }
  return found;
}

std::string quoted(const std::vector<Line>& lines, std::string_view matter) {
  const Terms terms(matter);
  const auto weight = [&](const std::string& sentence) { return terms.in(words_of(sentence)); };
  // The sentence with the most of the matter: of equals the last one said, the first one answered.
  const auto best_of = [&](const Line& line, bool last) {
    std::string best;
    for (const std::string& sentence : sentences_of(line.text)) {
      if (!can_be_quoted(sentence, words_of(sentence).size(), 3)) continue;
      const int more = weight(sentence) - (best.empty() ? -1 : weight(best));
      if (more > 0 || (more == 0 && last)) best = sentence;
    }
    return best;
  };
  std::string told;
  int most = 0;
  for (size_t i = 0; i + 1 < lines.size(); i++) {
    if (lines[i].speaker == lines[i + 1].speaker) continue;
    const std::string said = best_of(lines[i], true), answer = best_of(lines[i + 1], false);
    if (said.empty() || answer.empty()) continue;
    const bool asked = said.back() == '?';
    const int worth = 1 + 2 * (weight(said) + weight(answer)) + (asked ? 2 : 0) - int(i > 5);
    if (worth <= most) continue;
    most = worth;
    told = fmt::format("{} {}: \"{}\" {} {}: \"{}\"", lines[i].speaker, asked ? "asked" : "said",
                       with_stop(said), lines[i + 1].speaker, asked ? "answered" : "replied",
                       with_stop(answer));
  }
  return told;
}

FollowUps::FollowUps(const std::vector<Line>& first, std::string_view topic,
                     std::string_view summary, Date first_day, bool personal, Callers callers)
    : quotables_(quotables(first, fmt::format("{} {}", topic, summary))),
      topic_(reads_as_noun(topic) && !topic.starts_with("being ") ? topic : ""),
      first_day_(first_day),
      personal_(personal),
      callers_(std::move(callers)) {
  bool thanked[2] = {};
  for (const Line& line : first)
    for (const std::string& word : words_of(line.text))
      thanked[line.speaker == kReader] |= word == "thank" || word == "thanks";
  if (thanked[0] != thanked[1]) thankful_ = thanked[1];
}

// Who writes first in a script, and what he comes back to.
struct FollowUps::Choice {
  size_t script = kNoScript;
  bool a_is_you = false;
  size_t quotable = 0;  // of quotables_, where the script has a quote
};

std::vector<FollowUps::Choice> FollowUps::choices(int gap, int age) const {
  std::vector<Choice> found;
  for (size_t i = 0; i < std::size(kScripts); i++) {
    const Script& script = kScripts[i];
    if (taken_.contains(i) || gap < script.min_gap || age < script.min_age) continue;
    if (script.use == Use::kThanks) {
      if (thankful_ >= 0) found.push_back({i, thankful_ == 1, 0});
    } else if (script.use >= Use::kPersonal) {
      if (script.use == Use::kPersonal && !personal_) continue;
      for (const bool you : {false, true}) found.push_back({i, you, 0});
    } else {
      for (size_t q = 0; q < quotables_.size(); q++)
        if (quotables_[q].saying == Saying(int(script.use)))
          found.push_back({i, !quotables_[q].you, q});
    }
  }
  return found;
}

FollowUp FollowUps::next(Date day, Date before, Random& random) {
  std::vector<Choice> all = choices(int((day - before).count()), int((day - first_day_).count()));
  CHECK(!all.empty());
  const auto needed = [](const Choice& c) { return kScripts[c.script].use == Use::kNothingElse; };
  if (!std::all_of(all.begin(), all.end(), needed)) std::erase_if(all, needed);
  // A saying wherever there is one, but not three running.
  const auto quotes = [](const Choice& c) { return kScripts[c.script].use < Use::kThanks; };
  const bool some = std::any_of(all.begin(), all.end(), quotes);
  const bool others = !std::all_of(all.begin(), all.end(), quotes);
  const bool quote = some && (quoted_running_ < 2 || !others);
  std::erase_if(all, [&](const Choice& c) { return quotes(c) != quote; });
  const Choice choice = all[random.below(all.size())];
  quoted_running_ = quote ? quoted_running_ + 1 : 0;
  taken_.insert(choice.script);
  FollowUp made = written(choice, random);
  if (quote) quotables_.erase(quotables_.begin() + std::ptrdiff_t(choice.quotable));
  return made;
}

FollowUp FollowUps::written(const Choice& choice, Random& random) const {
  const Script& script = kScripts[choice.script];
  const std::string day = format_long_date(first_day_);
  const bool name_topic = !topic_.empty() && random.below(3) > 0;
  const std::string talk = name_topic            ? "talk about " + topic_
                           : random.below(2) > 0 ? "talk on " + day
                                                 : "conversation of " + day;
  std::string quote, question;
  if (script.use < Use::kThanks) {
    quote = '"' + quotables_[choice.quotable].text + '"';
    question = '"' + quotables_[choice.quotable].question + '"';
  }
  const std::string& call = choice.a_is_you ? callers_.other : callers_.you;
  std::string lines = with_choices_made(script.lines, random);
  replace_all(lines, "{b}", call.empty() ? "" : ' ' + call);
  replace_all(lines, "{,b}", call.empty() ? "" : ", " + call);
  replace_all(lines, "{talk}", "our " + talk);
  FollowUp made;
  made.told = script.told;
  const std::string& name = callers_.other_name;
  replace_all(made.told, "{A}", choice.a_is_you ? "you" : name);
  replace_all(made.told, "{B}", choice.a_is_you ? name : "you");
  replace_all(made.told, "{B^}", choice.a_is_you ? name : "You");
  replace_all(made.told, "{B's}", choice.a_is_you ? name + "'s" : "Your");
  replace_all(made.told, "{talk}", "your " + talk);
  for (std::string* text : {&lines, &made.told}) {
    replace_all(*text, "{day}", day);
    replace_all(*text, "{quote}", quote);
    replace_all(*text, "{question}", question);
  }
  made.told[0] = char(std::toupper(static_cast<unsigned char>(made.told[0])));
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = std::min(lines.find('\n', begin), lines.size());
    const bool a = lines[begin] == 'A';
    made.lines.push_back(
        {a == choice.a_is_you ? kReader : name, lines.substr(begin + 2, end - begin - 2)});
    begin = end + 1;
  }
  return made;
}

}  // namespace chatmem
