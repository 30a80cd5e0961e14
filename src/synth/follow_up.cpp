#include "synth/follow_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "synth/deixis.h"
#include "synth/dialogue.h"
#include "synth/marked_text.h"
#include "synth/roles.h"
#include "synth/sentences.h"
#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// What comes back to one of B's sentences, by its kind and in the form of a storyline's beat; {day}
// is that of the first dialogue.
struct Return {
  Saying saying;
  std::string_view beat;
};
constexpr Return kReturns[] = {
    {Saying::kAdvice, R"(
A: {hi} I've [thought about|gone over] what you told me on {day}: {quote}
B: [And what do you think now?|And have you made up your mind?]
A: [I think you're right.|I think there is a lot in it.]
= {A} told {B} that there was a lot in the advice: {quote}
)"},
    {Saying::kTrouble, R"(
A: {hi} On {day} you told me: {quote} [Is it any better now?|Have things got any better?]
B: [A little, thank you.|Yes, a little, thanks for asking.] [These things take time.|I'm taking it
  day by day.]
A: [Let me know if I can help.|Tell me if there is anything I can do.]
= {A} asked whether things had got better since {B} said: {quote} They had, a little.
)"},
    {Saying::kPlan, R"(
A: {hi} On {day} you said: {quote} [How are things going with that?|How is that going?]
B: [So far, so good.|Well enough so far, thanks.] [There is still a lot to do.|It takes longer
  than I thought.]
A: [Keep me posted.|Let me know how it goes on.]
= {A} asked {B} how this was going: {quote} It was going well so far.
)"},
    {Saying::kAnswer, R"(
A: [I was reading our messages of {day}|I found our messages of {day} again]{,n}. I had asked you:
  {question} And you wrote: {quote}
B: [Yes, I remember that.|I remember.] [Are you still thinking about it?|Is it still on your mind?]
A: [Now and then.|Sometimes.]
= {A} came back to a question: {question} {B's} answer had been: {quote}
)"},
};

// How those begin again of whom nothing is known but that they talked.
constexpr std::string_view kReminder =
    "{hi} [I still think of our talk on {day}.|I haven't forgotten our talk on {day}.|We talked on "
    "{day}, and I said to myself that I'd write again.]";

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
bool needs_no_context(const std::vector<std::string>& words) {
  static const WordSet kOpen = {
      "this", "that",    "these",   "those",  "here",    "there", "it",     "its",
      "it's", "they",    "them",    "their",  "he",      "she",   "him",    "her",
      "his",  "they're", "that's",  "ones",   "too",     "then",  "now",    "such",
      "same", "else",    "another", "either", "neither", "both",  "here's", "there's",
      "he's", "she's",   "they'll", "it'll",  "i'll",    "we'll", "that'll"};
  return !has_word_of(words, kOpen) && !has_word_of(words, unquotable());
}

// "I'm going to a disco", "to London": over by the evening.
bool goes_somewhere(std::string_view sentence, const std::vector<std::string>& words) {
  constexpr std::string_view kGoing = "I'm going to ";
  static const WordSet kPlaces = {"a",    "an",     "my",     "his",  "her",  "our",  "their",
                                  "down", "town",   "school", "work", "some", "this", "that",
                                  "one",  "church", "class",  "see",  "meet", "miss"};
  return sentence.starts_with(kGoing) &&
         (kPlaces.contains(words[3]) ||
          std::isupper(static_cast<unsigned char>(sentence[kGoing.size()])));
}

std::optional<Saying> saying_of(std::string_view sentence, const std::vector<std::string>& words) {
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
  static const WordSet kNoPlan = {"be",       "have",  "tell", "call",   "take", "go",     "order",
                                  "try",      "give",  "ask",  "bed",    "say",  "do",     "check",
                                  "the",      "leave", "put",  "report", "show", "speak",  "talk",
                                  "complain", "you",   "your", "get",    "buy",  "return", "book"};
  if (begins_with_any(sentence,
                      {"I'm going to ", "I'm planning to ", "I plan to ", "I've decided to ",
                       "I'm thinking of ", "I'm thinking about ", "I hope to ", "I want to learn ",
                       "I want to study ", "I want to become ", "I'm trying to "}) &&
      !has_word_of(rest, kNoPlan) && !goes_somewhere(sentence, words))
    return Saying::kPlan;
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
         sentence.find("would you like") == sentence.npos && needs_no_context(words);
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
      if (whole && needs_no_context(words)) saying = saying_of(sentence, words);
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

namespace {

bool are_equals(Between between) {
  return between == Between::kFriends || between == Between::kCouple ||
         between == Between::kColleagues || between == Between::kStrangers;
}

// Whether two such people come back to it.
bool may_come_back(Between between, Saying saying) {
  switch (between) {
    case Between::kFriends:
      return true;
    case Between::kCouple:
    case Between::kChild:
    case Between::kColleagues:
      return saying != Saying::kAnswer;
    case Between::kStudent:
    case Between::kPatient:
      return saying == Saying::kAdvice;
    default:
      return false;
  }
}

// Who is who in a story, and the words for what they have in common.
class StoryWriter {
 public:
  StoryWriter(const FirstTalk& first, Between between, bool a_is_you, Random& random)
      : first_(first), between_(between), a_is_you_(a_is_you), random_(random) {}

  // greet: a beat that does not begin with {hi} may begin with it all the same.
  FollowUp written(std::string_view beat, const Quotable* quotable, bool greet) {
    FollowUp made;
    for (const std::string& line : lines_of(beat)) {
      std::string text = line.substr(line.find(' ') + 1);
      if (line[0] == '=') {
        made.told = told(std::move(text), quotable);
        continue;
      }
      const bool greets = text.find("{hi}") != text.npos || text.find("{,n}") != text.npos ||
                          text.starts_with("Hello");
      if (made.lines.empty() && greet && !greets) text.insert(0, "{hi} ");
      const bool you = (line[0] == 'A') == a_is_you_;
      made.lines.push_back(
          {you ? kReader : first_.callers.other_name, said(std::move(text), you, quotable)});
    }
    return made;
  }

 private:
  // A line that begins with a blank goes on with the one before; the mark of a dependent beat is
  // none of the text.
  static std::vector<std::string> lines_of(std::string_view beat) {
    std::vector<std::string> lines;
    for (size_t begin = 0; begin < beat.size();) {
      const size_t end = std::min(beat.find('\n', begin), beat.size());
      std::string_view line = beat.substr(begin, end - begin);
      begin = end + 1;
      if (line.empty()) continue;
      if (line[0] == ' ')
        lines.back() += line.substr(1);
      else
        lines.emplace_back(line.substr(line[0] == '&' ? 1 : 0));
    }
    return lines;
  }

  std::string said(std::string text, bool by_you, const Quotable* quotable) {
    replace_all(text, "{hi}", "[Hi{n}.|Hello{n}.|Hi{n}!]");
    text = with_choices_made(text, random_);
    const std::string call = called(by_you);
    replace_all(text, "{n}", call.empty() ? "" : ' ' + call);
    replace_all(text, "{,n}", call.empty() ? "" : ", " + call);
    put_quote(text, quotable);
    return text;
  }

  // What the speaker calls the other. A child says what it said, and only equals call each other by
  // a name that was not said.
  std::string called(bool by_you) const {
    const std::string& name = by_you ? first_.callers.other : first_.callers.you;
    if (between_ == Between::kChild && by_you == a_is_you_) return parent_called(by_you);
    const bool said = std::any_of(first_.lines.begin(), first_.lines.end(), [&](const Line& line) {
      return line.text.find(name) != line.text.npos;
    });
    return said || are_equals(between_) ? name : "";
  }
  std::string parent_called(bool by_you) const {
    const std::string& name = by_you ? first_.callers.other : first_.callers.you;
    for (const Line& line : first_.lines)
      if ((line.speaker == kReader) == by_you)
        for (const std::string& word : words_of(line.text))
          for (const char* const parent : {"Daddy", "Mommy", "Mummy", "Mom", "Mum", "Dad"})
            if (word == to_lower_ascii(parent) && (name == parent || !is_parent_name(name)))
              return parent;
    return is_parent_name(name) ? name : "";
  }

  std::string told(std::string text, const Quotable* quotable) {
    const std::string& name = first_.callers.other_name;
    const Pronouns& other = pronouns_of(first_.callers.other_gender);
    const bool known = first_.callers.other_gender != Gender::kUnknown;
    for (const bool a : {true, false}) {
      const char letter = a ? 'A' : 'B', small = a ? 'a' : 'b';
      const bool you = a == a_is_you_;
      const std::string subject = you ? "you" : known ? std::string(other.subject) : name;
      const std::string owner = you ? "your" : known ? std::string(other.possessive) : name + "'s";
      replace_all(text, fmt::format("{{{}}}", letter), you ? "you" : name);
      replace_all(text, fmt::format("{{{}'s}}", letter), you ? "Your" : name + "'s");
      replace_all(text, fmt::format("{{{}}}", small), subject);
      replace_all(text, fmt::format("{{{}'s}}", small), owner);
    }
    put_quote(text, quotable);
    text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
    return text;
  }

  void put_quote(std::string& text, const Quotable* quotable) const {
    replace_all(text, "{day}", format_long_date(first_.day));
    if (!quotable) return;
    replace_all(text, "{quote}", '"' + quotable->text + '"');
    replace_all(text, "{question}", '"' + quotable->question + '"');
  }

  const FirstTalk& first_;
  const Between between_;
  const bool a_is_you_;
  Random& random_;
};

std::vector<std::string_view> beats_of(std::string_view story) {
  std::vector<std::string_view> beats;
  for (size_t begin = story.find_first_not_of('\n'); begin < story.size();) {
    const size_t end = std::min(story.find("\n\n", begin), story.size());
    beats.push_back(story.substr(begin, end - begin));
    begin = story.find_first_not_of('\n', end);
  }
  return beats;
}

// n of them in their order: the first, and none without the one that it needs.
std::vector<std::string_view> some_of(std::vector<std::string_view> beats, size_t n,
                                      Random& random) {
  CHECK(n <= beats.size());
  while (beats.size() > n) {
    std::vector<size_t> free;
    for (size_t i = n > 0; i < beats.size(); i++)
      if (i + 1 == beats.size() || beats[i + 1][0] != '&') free.push_back(i);
    beats.erase(beats.begin() + std::ptrdiff_t(free[random.below(free.size())]));
  }
  return beats;
}

std::vector<const Storyline*> stories_between(Between between) {
  std::vector<const Storyline*> found;
  for (const auto stories : {customer_storylines(), guest_storylines(), work_storylines(),
                             encounter_storylines(), family_storylines(), friend_storylines(),
                             leisure_storylines(), daily_storylines(), anybody_storylines()})
    for (const Storyline& story : stories)
      if (story.between == between) found.push_back(&story);
  return found;
}

// One of the relation's and of the dialogue's field; where the relation is not sure, of none.
const Storyline& story_for(const FirstTalk& first, const Relation& relation, Random& random) {
  std::string talk(first.summary);
  for (const Line& line : first.lines) talk += ' ' + line.text;
  std::vector<const Storyline*> stories = stories_between(relation.between);
  std::vector<Field> fields;
  for (const Storyline* story : stories) fields.push_back(story->field);
  const Field field = relation.sure ? field_of(first.topic, talk, fields) : Field::kAny;
  std::erase_if(stories, [&](const Storyline* story) { return story->field != field; });
  CHECK(!stories.empty());
  return *stories[random.below(stories.size())];
}

}  // namespace

std::vector<FollowUp> whole_story(const Storyline& story, bool a_is_you, const FirstTalk& first,
                                  Random& random) {
  StoryWriter writer(first, story.between, a_is_you, random);
  std::vector<FollowUp> made;
  for (const std::string_view beat : beats_of(story.beats))
    made.push_back(writer.written(beat, nullptr, false));
  return made;
}

std::vector<FollowUp> follow_ups(const FirstTalk& first, size_t n, Random& random) {
  std::vector<FollowUp> made;
  std::vector<Quotable> quotes =
      quotables(first.lines, fmt::format("{} {}", first.topic, first.summary));
  const Relation relation = relation_of(first);
  // "Cash or card?" is no question that anybody comes back to.
  std::erase_if(quotes, [&](const Quotable& quote) {
    return !may_come_back(relation.between, quote.saying);
  });
  if (n > 2 && !quotes.empty() && random.below(2) > 0) {
    const Quotable& quote = quotes[random.below(quotes.size())];
    StoryWriter writer(first, relation.between, !quote.you, random);
    for (const Return& back : kReturns)
      if (back.saying == quote.saying) made.push_back(writer.written(back.beat, &quote, false));
  }
  const Storyline& story = story_for(first, relation, random);
  StoryWriter writer(first, relation.between, relation.a_is_you.value_or(random.below(2) > 0),
                     random);
  const bool reminds = made.empty() && !relation.sure;
  for (const std::string_view beat : some_of(beats_of(story.beats), n - made.size(), random)) {
    std::string text(beat);
    if (reminds && made.empty()) replace_all(text, "{hi}", kReminder);
    made.push_back(writer.written(text, nullptr, random.below(3) == 0));
  }
  return made;
}

}  // namespace chatmem
