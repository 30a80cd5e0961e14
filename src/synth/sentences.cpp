#include "synth/sentences.h"

#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "base/chars.h"
#include "synth/marked_text.h"
#include "synth/retell.h"
#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

}  // namespace

std::vector<std::string> sentences_of(std::string_view text) {
  static const WordSet kAbbreviations = {"Mr",  "Mrs",  "Ms",  "Dr",  "Prof", "St",
                                         "etc", "Jan",  "Feb", "Mar", "Apr",  "Aug",
                                         "Sep", "Sept", "Oct", "Nov", "Dec",  "No"};
  // These may end a sentence: a small letter must follow.
  static const WordSet kInside = {"U.S", "U.K", "a.m", "p.m", "etc"};
  const auto goes_on = [&](size_t i) {
    return i + 2 < text.size() && text[i + 1] == ' ' &&
           std::islower(static_cast<unsigned char>(text[i + 2]));
  };
  std::vector<std::string> sentences;
  size_t begin = 0;
  const auto add = [&](size_t end) {
    std::string sentence(text.substr(begin, end - begin));
    while (!sentence.empty() && std::isspace(static_cast<unsigned char>(sentence.front())))
      sentence.erase(0, 1);
    while (!sentence.empty() && (std::isspace(static_cast<unsigned char>(sentence.back())) ||
                                 sentence.back() == '.' || sentence.back() == ','))
      sentence.pop_back();
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
    begin = end;
  };
  for (size_t i = 0; i < text.size(); i++) {
    const bool price = i > 0 && i + 2 < text.size() && text[i] == '.' && text[i + 1] == ' ' &&
                       std::isdigit(static_cast<unsigned char>(text[i - 1])) &&
                       std::isdigit(static_cast<unsigned char>(text[i + 2]));  // "$29. 99"
    const bool stop = !price && (text[i] == '.' || text[i] == '!' || text[i] == '?');
    if (!stop && text[i] != '\n') continue;
    if (stop && i + 1 < text.size() && !std::isspace(static_cast<unsigned char>(text[i + 1])) &&
        static_cast<unsigned char>(text[i + 1]) > '\x02')
      continue;
    size_t word = i;
    while (word > begin && (is_word_char(text[word - 1]) || text[word - 1] == '.')) word--;
    const std::string_view before = text.substr(word, i - word);
    if (text[i] == '.' &&
        (kInside.contains(before) ? goes_on(i)
                                  : kAbbreviations.contains(before) && i + 1 < text.size()))
      continue;
    add(i + 1);
  }
  add(text.size());
  return sentences;
}

namespace {

// "hiring" of "hire", "running" of "run"; not "Beijing" or "Fleming".
bool is_gerund(const std::string& lower) {
  if (lower.size() < 6 || !lower.ends_with("ing")) return false;
  std::string stem = lower.substr(0, lower.size() - 3);
  if (!past_of_base(stem).empty() || !past_of_base(stem + 'e').empty()) return true;
  const bool doubled = stem.back() == stem[stem.size() - 2];
  stem.pop_back();
  return doubled && !past_of_base(stem).empty();
}

}  // namespace

std::string with_small_start(std::string sentence, std::string_view other_name) {
  static const WordSet kNoNames = {"the",      "a",        "an",        "no",
                                   "one",      "two",      "three",     "four",
                                   "neither",  "nobody",   "nothing",   "someone",
                                   "somebody", "everyone", "both",      "all",
                                   "some",     "many",     "more",      "most",
                                   "another",  "each",     "since",     "because",
                                   "although", "though",   "while",     "when",
                                   "after",    "before",   "during",    "until",
                                   "if",       "as",       "but",       "however",
                                   "then",     "finally",  "so",        "once",
                                   "instead",  "at",       "in",        "on",
                                   "with",     "without",  "from",      "to",
                                   "for",      "under",    "over",      "by",
                                   "despite",  "thanks",   "back",      "there",
                                   "it",       "its",      "they",      "their",
                                   "that",     "this",     "these",     "those",
                                   "you",      "your",     "something", "unfortunately",
                                   "born",     "sore",     "things",    "now",
                                   "here",     "he",       "she",       "his",
                                   "her"};
  if (sentence.starts_with(other_name)) return sentence;
  const std::string word = sentence.substr(0, sentence.find_first_of(" ,;:.'!?-"));
  const std::string lower = to_lower_ascii(word);
  // "May" and "Will" are names at least as often; "A" of "A-levels" is none but keeps its capital.
  const bool letter = word.size() == 1 && sentence.size() > 1 && sentence[1] != ' ';
  if (word == "I" || word == "May" || word == "Will" || letter) return sentence;
  if (kNoNames.contains(lower) || (is_stopword(lower) && !is_given_name(word)) ||
      (is_gerund(lower) && !is_given_name(word)))
    sentence[0] = char(std::tolower(static_cast<unsigned char>(sentence[0])));
  return sentence;
}

bool reads_as_noun(std::string_view topic) {
  static const WordSet kDeterminers = {"a", "an", "the", "some", "two", "three"};
  static const WordSet kGerundLike = {"morning", "evening", "wedding",  "building", "meeting",
                                      "housing", "during",  "clothing", "something"};
  static const WordSet kPrepositions = {"in", "at",   "of",   "for", "on",
                                        "to", "with", "from", "by",  "about"};
  static const WordSet kMass = {"weather",  "food",     "music",      "education",  "work",
                                "health",   "money",    "homework",   "love",       "marriage",
                                "business", "life",     "insurance",  "technology", "pollution",
                                "traffic",  "politics", "travel",     "shopping",   "fashion",
                                "art",      "history",  "employment", "English",    "sport"};
  if (topic.empty() || !std::islower(static_cast<unsigned char>(topic[0]))) return false;
  for (const char c : topic)
    if (!is_word_char(c) && c != ' ' && c != '-' && c != '\'') return false;
  std::vector<std::string> words;
  for (size_t begin = 0; begin < topic.size();) {
    const size_t end = std::min(topic.find(' ', begin), topic.size());
    if (end > begin) words.emplace_back(topic.substr(begin, end - begin));
    begin = end + 1;
  }
  if (words.size() > 8) return false;
  const std::string& first = words.front();
  if (kDeterminers.contains(first)) return words.size() > 1;
  if (first.size() > 4 && first.ends_with("ing") && !kGerundLike.contains(first)) return true;
  if (first.find('\'') != first.npos) return false;  // "grandfather's memoirs": whose?
  if (!past_of_base(first).empty()) return false;    // "order food"
  size_t head = 0;
  while (head + 1 < words.size() && !kPrepositions.contains(words[head + 1])) head++;
  const std::string& noun = words[head];
  if (kMass.contains(noun)) return true;
  return noun.size() > 3 && noun.ends_with('s') && !noun.ends_with("ss") && !noun.ends_with("us") &&
         !noun.ends_with("is") && !noun.ends_with("'s");
}

namespace {

// What no correct sentence has, whatever made it.
bool is_impossible(const std::string& sentence, const std::string& other_name) {
  static constexpr std::string_view kPatterns[] = {" you was ",
                                                   " you wasn't ",
                                                   " yous ",
                                                   " your your ",
                                                   " you you ",
                                                   " you your ",
                                                   " was was ",
                                                   " were were ",
                                                   " and and ",
                                                   " the the ",
                                                   " was from your",
                                                   " a the ",
                                                   " to to ",
                                                   " you and was ",
                                                   " the your ",
                                                   " a your ",
                                                   " your to ",
                                                   " your the ",
                                                   " told told ",
                                                   " you advised you ",
                                                   " you invited you ",
                                                   " you thanked you ",
                                                   " you helped you ",
                                                   " you warned you ",
                                                   " you recommended you ",
                                                   " you persuaded you ",
                                                   " you encouraged you ",
                                                   " you interviewed you "};
  static constexpr std::string_view kMarks[] = {", ,", " .", "()", "( )", " ,",
                                                "  ",  "''", "#",  ",."};
  std::string words = " ";
  for (const char c : to_lower_ascii(sentence))
    words += c == '.' || c == ',' || c == ';' || c == '!' || c == '?' ? ' ' : c;
  words += ' ';
  if (words.starts_with(" you and you ")) return true;
  // "gave you your keys": two objects.
  for (const std::string_view verb :
       {" told you", " asked you", " gave you", " showed you", " sent you", " offered you",
        " informed you", " reminded you", " assured you", " promised you"})
    for (size_t at = 0; (at = words.find(verb, at)) != words.npos; at += verb.size())
      if (std::string_view(words).substr(at + verb.size()).starts_with(" your"))
        words.erase(at + verb.size() - 4, 4);
  // "came to you and Betty's party"
  for (size_t at = 0; (at = words.find(" you and ", at)) != words.npos; at += 5) {
    const size_t begin = at + std::string_view(" you and ").size();
    if (words.substr(begin, words.find(' ', begin) - begin).ends_with("'s")) return true;
  }
  const std::string name = ' ' + to_lower_ascii(other_name) + ' ';
  return std::any_of(std::begin(kPatterns), std::end(kPatterns),
                     [&](std::string_view p) { return words.find(p) != words.npos; }) ||
         std::any_of(std::begin(kMarks), std::end(kMarks),
                     [&](std::string_view p) { return sentence.find(p) != sentence.npos; }) ||
         words.find(name + name.substr(1)) != words.npos;
}

// A verb that should be in the past by now. base: behind one that leaves it in its base form.
bool is_left_in_present(const std::vector<Token>& words, size_t i, bool base) {
  static const WordSet kPresent = {
      "is",      "are",  "has",   "does",    "doesn't", "don't",  "isn't",  "aren't", "hasn't",
      "haven't", "am",   "can",   "can't",   "cannot",  "will",   "won't",  "it's",   "there's",
      "that's",  "he's", "she's", "they're", "what's",  "who's",  "i",      "we",     "my",
      "our",     "i'm",  "i'll",  "i've",    "he'll",   "she'll", "they'll"};
  static const WordSet kBeforeNouns = {
      "the", "a",    "an",  "his",   "her",  "your",  "their", "its", "some", "any",  "no",
      "of",  "for",  "in",  "on",    "with", "from",  "about", "two", "more", "many", "other",
      "new", "such", "few", "three", "all",  "these", "those", "at",  "by",   "as",   "both"};
  static const WordSet kObjects = {
      "a",    "an",  "the",  "to",   "some",  "that", "him",  "her",     "it",
      "them", "his", "your", "you",  "like",  "how",  "what", "for",     "in",
      "but",  "and", "at",   "on",   "their", "its",  "if",   "whether", "some",
      "any",  "two", "more", "from", "with",  "by",   "off",  "up",      "out"};
  static const WordSet kSubjects = {"he",    "she",   "it",      "they",     "who",
                                    "which", "that",  "people",  "children", "both",
                                    "men",   "women", "parents", "police",   "everyone"};
  const std::string& word = words[i].lower;
  if (kPresent.contains(word) && !(word == "will" && words[i].text == "Will")) return true;
  const Token* before = i > 0 ? &words[i - 1] : nullptr;
  const bool named = before && (is_capital(*before) || before->lower.ends_with("ing"));
  if (!past_of_third_person(word).empty() && past_of_third_person(word) != word) {
    if (!is_also_noun(word)) return true;
    const bool object = i + 1 < words.size() && kObjects.contains(words[i + 1].lower);
    const bool noun =
        before && (kBeforeNouns.contains(before->lower) || before->lower.ends_with("'s"));
    return !noun && (object || named || !before || kSubjects.contains(before->lower));
  }
  if (base || past_of_base(word).empty() || is_past_form(word) || !before) return false;
  const std::string& subject = before->lower;
  const bool plural = subject.size() > 3 && subject.ends_with('s') && !subject.ends_with("ss") &&
                      !subject.ends_with("'s") && past_of_third_person(subject).empty() &&
                      !is_stopword(subject);
  return kSubjects.contains(subject) || plural;
}

// "you normally export": a word behind "you" that no list of verbs has, and that is not given, told
// or shown to the reader either.
bool may_be_unknown_verb(const std::vector<Token>& words, size_t i) {
  static const WordSet kGive = {
      "gave",  "told",   "asked",  "offered", "showed",  "sent", "brought",  "bought", "lent",
      "made",  "taught", "got",    "wished",  "owed",    "paid", "promised", "cost",   "served",
      "sold",  "handed", "called", "allowed", "found",   "keep", "give",     "tell",   "show",
      "offer", "bring",  "send",   "giving",  "telling", "lend", "make",     "teach",  "buy"};
  if (i + 1 >= words.size() || words[i].lower != "you") return false;
  size_t next = i + 1;
  while (next < words.size() && is_adverb(words[next].lower)) next++;
  if (next >= words.size()) return false;
  const std::string& word = words[next].lower;
  const bool given = i > 0 && kGive.contains(words[i - 1].lower);
  return !given && !is_past_form(word) && !is_stopword(word) && !is_auxiliary(word) &&
         !word.ends_with("ing") && !word.ends_with("ly") && past_of_base(word).empty() &&
         !is_capital(words[next]) && !std::isdigit(static_cast<unsigned char>(word[0]));
}

// "ate pizza and talk about cooking": a verb of the same subject, left behind in the present.
bool is_second_verb_left(const std::vector<Token>& words, size_t i) {
  static const WordSet kAfter = {"about", "to",    "with", "a",    "an",  "the", "his",
                                 "her",   "their", "you",  "your", "for", "it",  "together",
                                 "each",  "that",  "him",  "them", "how", "on",  "some"};
  static const WordSet kOpen = {"to",          "would",    "could",    "might",    "should",
                                "must",        "let",      "helped",   "make",     "made",
                                "did",         "didn't",   "wouldn't", "couldn't", "suggested",
                                "recommended", "proposed", "will",     "can",      "may",
                                "not",         "saw",      "heard",    "advised",  "insisted"};
  if (i < 2 || words[i - 1].lower != "and") return false;
  const std::string& verb = words[i].lower;
  if (past_of_base(verb).empty() || is_past_form(verb)) return false;
  // "a drink and talk": a noun; "sat together and talk" is none.
  const bool last = i + 1 == words.size() && words[i - 2].lower == "together";
  if (!last && (i + 1 == words.size() || !kAfter.contains(words[i + 1].lower))) return false;
  return std::none_of(words.begin(), words.begin() + std::ptrdiff_t(i),
                      [](const Token& word) { return kOpen.contains(word.lower); });
}

// "Helen told Brazil was": whom?
bool tells_nobody(const std::vector<Token>& words, size_t i, const std::string& other_name) {
  static const WordSet kTell = {"told", "informed", "reminded", "assured", "convinced"};
  static const WordSet kWhat = {"him",    "her",  "them", "it",    "everyone", "everybody",
                                "that",   "a",    "an",   "the",   "his",      "their",
                                "your",   "how",  "of",   "about", "himself",  "some",
                                "people", "what", "all",  "both",  "others"};
  if (!kTell.contains(words[i].lower) || i + 1 >= words.size()) return false;
  const Token& next = words[i + 1];
  if (i > 0 &&
      (words[i - 1].lower == "was" || words[i - 1].lower == "were" || words[i - 1].lower == "been"))
    return false;
  return next.lower != "you" && !kWhat.contains(next.lower) && !next.lower.ends_with("self") &&
         !other_name.starts_with(next.text) && !names_somebody(next);
}

// "You agreed", "Max also said", "The two of you went", "Max's car was": the subject has its verb.
bool begins_well(const std::vector<Token>& words, const std::string& other_name) {
  size_t next = 0;
  const std::vector<Token> name = tokenize(other_name);
  const size_t n_name =
      size_t(std::count_if(name.begin(), name.end(), [](const Token& t) { return t.word; }));
  if (words[0].lower == "you") {
    next = 1;
  } else if (words.size() > n_name && words[0].text == name[0].text) {
    next = n_name;
  } else {
    // "The shop was shut"; but who is "Yamada"?
    return is_stopword(words[0].lower) && !is_given_name(words[0].text) && !is_title(words[0].text);
  }
  // "You and Rose recollect": both, then a verb in the past.
  if (next + 1 < words.size() && words[next].lower == "and") {
    if (words[next + 1].lower == "you")
      next += 2;
    else if (words[next + 1].text == name[0].text)
      next += 1 + n_name;
    else
      return true;
  }
  while (next < words.size() && is_adverb(words[next].lower)) next++;
  return next < words.size() && is_past_form(words[next].lower);
}

}  // namespace

bool reads_well(const std::string& sentence, const std::string& other_name) {
  if (is_impossible(sentence, other_name)) return false;
  std::vector<Token> words = tokenize(sentence);
  std::erase_if(words, [](const Token& token) { return !token.word; });
  if (words.size() < 2 || words.size() > 45) return false;
  const bool genitive = sentence.starts_with(other_name + "'s ");
  if (!genitive && !begins_well(words, other_name)) return false;
  // After these a verb stands in its base form: "let you go", "suggested you rest".
  static const WordSet kBase = {
      "let",       "make",        "made",     "help",     "helped", "see",   "saw",     "hear",
      "suggested", "recommended", "proposed", "insisted", "watch",  "heard", "advised", "demanded"};
  bool base = false;
  for (size_t i = 0; i < words.size(); i++) {
    if (i > 0) base |= kBase.contains(words[i - 1].lower);
    if (is_left_in_present(words, i, base) || tells_nobody(words, i, other_name)) return false;
    if (is_second_verb_left(words, i) || (!base && may_be_unknown_verb(words, i))) return false;
    const std::string& word = words[i].lower;
    if (i == 0) continue;
    const bool of_you = words[i - 1].lower == "you" || words[i - 1].text == other_name;
    if (of_you && !base && !past_of_base(word).empty() && !is_past_form(word)) return false;
    // "Susan and she": one person twice.
    if (i > 1 && (word == "she" || word == "he") && words[i - 1].lower == "and" &&
        words[i - 2].text == words[0].text)
      return false;
  }
  return true;
}

}  // namespace chatmem
