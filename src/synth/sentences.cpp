#include "synth/sentences.h"

#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "synth/retell.h"
#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
}

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
    const bool stop = text[i] == '.' || text[i] == '!' || text[i] == '?';
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

bool is_impossible(const std::string& sentence, const std::string& other_name) {
  static constexpr std::string_view kPatterns[] = {" you is ",
                                                   " you was ",
                                                   " you has ",
                                                   " you tells ",
                                                   " you says ",
                                                   " you wants ",
                                                   " you asks ",
                                                   " you thinks ",
                                                   " you needs ",
                                                   " you likes ",
                                                   " you does ",
                                                   " you doesn't ",
                                                   " you hasn't ",
                                                   " you isn't ",
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
                                                   " you agrees ",
                                                   " you takes ",
                                                   " you gets ",
                                                   " you gives ",
                                                   " you feels ",
                                                   " you knows ",
                                                   " you decides ",
                                                   " you and was ",
                                                   " the your ",
                                                   " a your ",
                                                   " your the ",
                                                   " does you ",
                                                   " is you ",
                                                   " has you ",
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
  const std::string name = ' ' + to_lower_ascii(other_name) + ' ';
  return std::any_of(std::begin(kPatterns), std::end(kPatterns),
                     [&](std::string_view p) { return words.find(p) != words.npos; }) ||
         std::any_of(std::begin(kMarks), std::end(kMarks),
                     [&](std::string_view p) { return sentence.find(p) != sentence.npos; }) ||
         words.find(name + name.substr(1)) != words.npos;
}

}  // namespace chatmem
