#include "synth/retell.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "synth/dialogue.h"
#include "text/words.h"

namespace chatmem {
namespace {

// The two persons while a sentence is worked on; bytes that no checked input holds.
constexpr char kYou = '\x01', kOther = '\x02';
using WordSet = std::unordered_set<std::string_view>;

struct Token {
  std::string text, lower;
  bool word = false;   // letters, digits, apostrophes; or a person
  char person = 0;     // kYou, kOther or 0
  std::string ending;  // of a person: "'s", "'ll" and the like
};

bool is_word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
}

std::vector<Token> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  const auto word_end = [&](size_t i) {
    while (i < text.size() && (is_word_char(text[i]) || (text[i] == '\'' && i + 1 < text.size() &&
                                                         is_word_char(text[i + 1]))))
      i++;
    return i;
  };
  for (size_t i = 0; i < text.size();) {
    Token token;
    size_t end = i + 1;
    if (text[i] == kYou || text[i] == kOther) {
      token.person = text[i];
      token.word = true;
      if (end < text.size() && text[end] == '\'') end = word_end(end + 1);
      token.ending = to_lower_ascii(text.substr(i + 1, end - i - 1));
    } else if (is_word_char(text[i])) {
      token.word = true;
      end = word_end(i);
    }
    token.text = text.substr(i, end - i);
    token.lower = to_lower_ascii(token.text);
    tokens.push_back(std::move(token));
    i = end;
  }
  return tokens;
}

std::vector<std::string> sentences_of(std::string_view text) {
  static const WordSet kAbbreviations = {"Mr", "Mrs", "Ms",  "Dr", "Prof",
                                         "St", "etc", "a.m", "p.m"};
  std::vector<std::string> sentences;
  size_t begin = 0;
  const auto add = [&](size_t end) {
    std::string sentence(text.substr(begin, end - begin));
    while (!sentence.empty() && std::isspace(static_cast<unsigned char>(sentence.front())))
      sentence.erase(0, 1);
    while (!sentence.empty() &&
           (std::isspace(static_cast<unsigned char>(sentence.back())) || sentence.back() == '.'))
      sentence.pop_back();
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
    begin = end;
  };
  for (size_t i = 0; i < text.size(); i++) {
    const bool stop = text[i] == '.' || text[i] == '!' || text[i] == '?';
    if (!stop && text[i] != '\n') continue;
    if (stop && i + 1 < text.size() && !std::isspace(static_cast<unsigned char>(text[i + 1])) &&
        text[i + 1] != kYou && text[i + 1] != kOther)
      continue;
    size_t word = i;
    while (word > begin && (is_word_char(text[word - 1]) || text[word - 1] == '.')) word--;
    if (text[i] == '.' && kAbbreviations.contains(text.substr(word, i - word)) &&
        i + 1 < text.size())
      continue;
    add(i + 1);
  }
  add(text.size());
  return sentences;
}

// A date of the calendar in the source's words belongs to another year.
bool names_a_date(const std::vector<Token>& tokens) {
  static const WordSet kMonths = {"January", "February",  "March",   "April",    "June",     "July",
                                  "August",  "September", "October", "November", "December", "May"};
  const auto number = [&](size_t i) {
    return i < tokens.size() && std::isdigit(static_cast<unsigned char>(tokens[i].text[0]));
  };
  for (size_t i = 0; i < tokens.size(); i++)
    if (kMonths.contains(tokens[i].text) &&
        (number(i + 2) || number(i + 3) || (i >= 2 && number(i - 2)) || (i >= 4 && number(i - 4))))
      return true;
  return false;
}

const WordSet& gendered_pronouns() {
  static const WordSet kWords = {"he",      "she",  "him",   "her",   "his",    "hers", "himself",
                                 "herself", "he's", "she's", "he'll", "she'll", "he'd", "she'd"};
  return kWords;
}

bool is_adverb(const std::string& word) {
  static const WordSet kAdverbs = {"also",   "then",     "finally",    "still",     "just",
                                   "always", "never",    "only",       "really",    "even",
                                   "often",  "usually",  "first",      "now",       "already",
                                   "both",   "kindly",   "strongly",   "patiently", "later",
                                   "gladly", "politely", "eventually", "mainly",    "actually"};
  return kAdverbs.contains(word) || (word.size() > 4 && word.ends_with("ly"));
}

// Verbs in the third person that are plural nouns too.
const WordSet kAlsoNouns = {
    "helps",   "plans",   "needs",   "works",   "looks",     "calls",   "offers",      "orders",
    "talks",   "plays",   "shows",   "uses",    "changes",   "reports", "promises",    "requests",
    "visits",  "books",   "checks",  "answers", "questions", "hopes",   "wishes",      "studies",
    "drinks",  "travels", "drives",  "walks",   "runs",      "cuts",    "hits",        "sets",
    "stops",   "starts",  "returns", "turns",   "stays",     "tries",   "signs",       "points",
    "states",  "lists",   "phones",  "emails",  "presents",  "shops",   "interviews",  "tastes",
    "smokes",  "cooks",   "doubts",  "demands", "purchases", "results", "compliments", "views",
    "doctors", "guides",  "lies",    "dreams",  "cares",     "worries", "likes"};

class Retelling {
 public:
  Retelling(std::vector<Token> tokens, const Cast& cast, bool after_pair)
      : tokens_(std::move(tokens)), cast_(cast), after_pair_(after_pair) {}

  std::optional<std::string> run() {
    if (names_a_date(tokens_) || has_unclear_pronoun()) return std::nullopt;
    for (at_ = 0; at_ < tokens_.size(); at_++) convert();
    if (out_.empty()) return std::nullopt;
    out_[0] = char(std::toupper(static_cast<unsigned char>(out_[0])));
    return out_;
  }

  // "#Person1# and #Person2# ...": "they" of the next sentence are the two.
  bool begins_with_pair() const {
    const std::vector<size_t> words = word_places();
    return words.size() > 2 && tokens_[words[0]].person && tokens_[words[1]].lower == "and" &&
           tokens_[words[2]].person;
  }

 private:
  std::vector<size_t> word_places() const {
    std::vector<size_t> places;
    for (size_t i = 0; i < tokens_.size(); i++)
      if (tokens_[i].word) places.push_back(i);
    return places;
  }

  // A pronoun of one gender is clear when it cannot mean the reader: somebody of that gender, other
  // than the reader, was named before in the sentence, and the reader's name has not this gender.
  bool has_unclear_pronoun() const {
    const Gender you = gender_of(cast_.you_name);
    bool you_before = false, someone_before = false;
    for (const Token& token : tokens_) {
      if (token.person == kYou) you_before = true;
      if (token.person == kOther || names_somebody(token)) someone_before = true;
      if (!gendered_pronouns().contains(token.lower)) continue;
      const bool male = token.lower.starts_with("hi") || token.lower.starts_with("he's") ||
                        token.lower == "he" || token.lower.starts_with("he'") ||
                        token.lower == "himself";
      const Gender gender = male ? Gender::kMale : Gender::kFemale;
      if (you == gender) return true;
      if (!someone_before) return true;
      if (you == Gender::kUnknown && you_before && !names_before(token)) return true;
      const Gender other = gender_of(cast_.other_name);
      if (other != Gender::kUnknown && other != gender && !names_before(token)) return true;
    }
    return false;
  }

  static bool names_somebody(const Token& token) {
    static const WordSet kPeople = {
        "man",      "woman",     "boy",      "girl",    "son",    "daughter",    "wife",
        "husband",  "mother",    "father",   "brother", "sister", "boyfriend",   "girlfriend",
        "friend",   "boss",      "uncle",    "aunt",    "baby",   "grandmother", "grandfather",
        "roommate", "colleague", "neighbor", "teacher", "doctor", "mom",         "dad",
        "child",    "customer",  "manager",  "cousin",  "kid",    "professor"};
    return kPeople.contains(token.lower) || is_given_name(token.text) ||
           (is_title(token.text) && std::isupper(static_cast<unsigned char>(token.text[0])));
  }
  bool names_before(const Token& until) const {
    for (const Token& token : tokens_) {
      if (&token == &until) return false;
      if (names_somebody(token)) return true;
    }
    return false;
  }

  size_t next_place(size_t from) const {
    while (from < tokens_.size() && !tokens_[from].word) from++;
    return from;
  }
  const Token* next_word() const {
    const size_t i = next_place(at_ + 1);
    return i < tokens_.size() ? &tokens_[i] : nullptr;
  }
  // The word before, or null at the start and after punctuation.
  const Token* previous_word() const {
    for (size_t i = at_; i-- > 0;) {
      if (tokens_[i].word) return &tokens_[i];
      if (tokens_[i].text != " ") return nullptr;
    }
    return nullptr;
  }

  std::string name_of(char person) const { return person == kYou ? "you" : cast_.other_name; }

  void convert() {
    const Token& token = tokens_[at_];
    if (!token.word) {
      out_ += token.text;
      return;
    }
    if (token.person) {
      convert_person(token);
    } else if (after_pair_ && at_ == 0 && convert_pair_pronoun(token)) {
    } else if (token.lower == "they") {
      out_ += token.text;
      plural_verb();
    } else if (convert_reflexive(token) || convert_auxiliary(token)) {
    } else if (verb_follows_conjunction(token)) {
    } else {
      out_ += token.text;
    }
  }

  bool convert_pair_pronoun(const Token& token) {
    static const std::unordered_map<std::string_view, std::string_view> kForms = {
        {"they", "the two of you"},
        {"they'll", "the two of you would"},
        {"they're", "the two of you were"},
        {"they've", "the two of you had"}};
    const auto it = kForms.find(token.lower);
    if (it == kForms.end()) return false;
    out_ += it->second;
    if (token.lower == "they") plural_verb();
    return true;
  }

  // "himself" right after "you" and a verb.
  bool convert_reflexive(const Token& token) {
    if (token.lower != "themselves" && token.lower != "themself") return false;
    if (persons_so_far_ != 1 || last_person_ != kYou) return false;
    out_ += "yourself";
    return true;
  }

  void convert_person(const Token& token) {
    const std::string name = name_of(token.person);
    last_person_ = token.person;
    persons_so_far_++;
    if (token.ending.empty()) {
      out_ += name;
      if (is_subject() || unmistakable_verb_follows()) subject_verb(token.person);
      return;
    }
    const std::string& ending = token.ending;
    if (ending == "'s" || ending == "'") {
      convert_s(token.person, name);
    } else if (ending == "'ll") {
      out_ += name + " would";
    } else if (ending == "'d") {
      out_ += name + "'d";
    } else if (ending == "'ve") {
      out_ += name + " had";
    } else {
      out_ += name;
    }
  }

  // "'s": of a person, "is" or "has".
  void convert_s(char person, const std::string& name) {
    const Token* next = next_word();
    static const WordSet kAfterIs = {
        "not",         "a",         "an",        "the",       "very",      "too",
        "so",          "about",     "at",        "in",        "on",        "from",
        "glad",        "happy",     "angry",     "sad",       "sorry",     "afraid",
        "ill",         "sick",      "late",      "new",       "sure",      "unable",
        "able",        "busy",      "ready",     "going",     "mad",       "proud",
        "here",        "also",      "still",     "always",    "just",      "hungry",
        "thirsty",     "fine",      "free",      "curious",   "nervous",   "unhappy",
        "upset",       "anxious",   "confident", "available", "concerned", "responsible",
        "interested",  "surprised", "tired",     "worried",   "satisfied", "excited",
        "impressed",   "bored",     "scared",    "shocked",   "annoyed",   "disappointed",
        "pleased",     "confused",  "amazed",    "supposed",  "married",   "frightened",
        "embarrassed", "really",    "quite",     "leaving",   "more",      "allergic",
        "against",     "willing"};
    static const WordSet kNouns = {"feeling", "feelings", "wedding",       "building", "opening",
                                   "meeting", "booking",  "understanding", "painting", "clothing",
                                   "evening", "morning",  "training",      "spelling", "writing"};
    static const WordSet kCompounds = {"washing", "swimming", "living",  "dining",   "shopping",
                                       "parking", "boarding", "driving", "sleeping", "working",
                                       "reading", "cooking",  "waiting", "eating"};
    static const WordSet kHeads = {"machine", "pool",   "room",       "list",       "bag",
                                   "lot",     "pass",   "hours",      "license",    "habits",
                                   "habit",   "skills", "ability",    "experience", "environment",
                                   "test",    "speed",  "conditions", "place"};
    const size_t after = next ? next_place(next_place(at_ + 1) + 1) : tokens_.size();
    const bool compound = next && kCompounds.contains(next->lower) && after < tokens_.size() &&
                          kHeads.contains(tokens_[after].lower);
    if (compound) {
      out_ += person == kYou ? "your" : name + "'s";
    } else if (next && (next->lower == "been" || next->lower == "got" || next->lower == "had" ||
                        next->lower == "never")) {
      out_ += name + " had";
    } else if (next && (kAfterIs.contains(next->lower) ||
                        (next->lower.size() > 4 && next->lower.ends_with("ing") &&
                         !kNouns.contains(next->lower)))) {
      out_ += name + (person == kYou ? " were" : " was");
    } else {
      out_ += person == kYou ? "your" : name + "'s";
    }
  }

  // Whether the person just written does the verb that follows.
  bool is_subject() const {
    const Token* before = previous_word();
    if (!before || before->person) return true;
    static const WordSet kBefore = {
        "and",    "but",      "because",  "that",   "if",       "when",   "while",  "as",
        "so",     "since",    "then",     "which",  "what",     "how",    "where",  "why",
        "who",    "whether",  "after",    "before", "although", "though", "thinks", "says",
        "hopes",  "believes", "knows",    "until",  "finally",  "or",     "wishes", "feels",
        "agrees", "finds",    "suggests", "than",   "once"};
    return kBefore.contains(before->lower);
  }

  bool unmistakable_verb_follows() const {
    const Token* next = next_word();
    return next && !kAlsoNouns.contains(next->lower) && !past_of_third_person(next->lower).empty();
  }

  // Skips adverbs between subject and verb; returns the verb's place.
  size_t verb_place() const {
    size_t i = next_place(at_ + 1);
    while (i < tokens_.size() && is_adverb(tokens_[i].lower)) i = next_place(i + 1);
    return i;
  }
  void write_until(size_t place) {
    for (at_++; at_ < place; at_++) out_ += tokens_[at_].text;
  }

  void subject_verb(char person) {
    const size_t place = verb_place();
    if (place >= tokens_.size() || tokens_[place].person) return;
    const std::string& verb = tokens_[place].lower;
    const bool pair = previous_and_person();
    std::string past;
    if (verb == "is" || verb == "are" || verb == "was" || verb == "were")
      past = person == kYou || pair ? "were" : "was";
    else if (verb == "isn't" || verb == "wasn't" || verb == "aren't")
      past = person == kYou || pair ? "weren't" : "wasn't";
    else if (pair)
      past = past_of_base(verb);
    else
      past = past_of_third_person(verb);
    // An unknown verb of the third person would be wrong after "you": "you frobs".
    if (past.empty()) return;
    write_until(place);
    out_ += past;
  }

  void plural_verb() {
    const size_t place = verb_place();
    if (place >= tokens_.size()) return;
    const std::string& verb = tokens_[place].lower;
    std::string past = verb == "are" || verb == "were" ? "were" : past_of_base(verb);
    if (past.empty()) return;
    write_until(place);
    out_ += past;
  }

  // "you and Sarah": the person before "and", right before this one.
  bool previous_and_person() const {
    size_t i = at_;
    const auto back = [&]() -> const Token* {
      while (i-- > 0)
        if (tokens_[i].word) return &tokens_[i];
      return nullptr;
    };
    const Token* conjunction = back();
    if (!conjunction || conjunction->lower != "and") return false;
    const Token* first = back();
    return first && ((first->person && first->ending.empty()) || is_given_name(first->text));
  }

  // Auxiliaries of anybody else move into the past with the rest.
  bool convert_auxiliary(const Token& token) {
    static const std::unordered_map<std::string_view, std::string_view> kPast = {
        {"is", "was"},
        {"are", "were"},
        {"isn't", "wasn't"},
        {"aren't", "weren't"},
        {"will", "would"},
        {"won't", "wouldn't"},
        {"can", "could"},
        {"can't", "couldn't"},
        {"cannot", "could not"},
        {"has", "had"},
        {"hasn't", "hadn't"},
        {"doesn't", "didn't"},
        {"don't", "didn't"},
        {"it's", "it was"},
        {"there's", "there was"},
        {"they're", "they were"},
        {"they'll", "they would"},
        {"they've", "they had"},
        {"it'll", "it would"},
        {"he'll", "he would"},
        {"she'll", "she would"},
        {"may", "might"}};
    const auto it = kPast.find(token.lower);
    if (it == kPast.end() || (token.lower == "may" && token.text == "May")) return false;
    const Token* before = previous_word();
    static const WordSet kDeterminers = {"the", "a", "an", "his", "her", "their", "your"};
    if (before && kDeterminers.contains(before->lower)) return false;
    std::string_view past = it->second;
    if (before && before->person == kYou && past == "was") past = "were";
    out_ += past;
    return true;
  }

  // "and tells", ", then asks": a second verb of the same subject; only verbs that are no nouns.
  bool verb_follows_conjunction(const Token& token) {
    const std::string past = past_of_third_person(token.lower);
    if (past.empty()) return false;
    const Token* before = previous_word();
    // Names and other subjects: "Jack agrees", "he thinks", "who works".
    static const WordSet kBefore = {"and", "but", "then", "or",      "who",  "he",
                                    "she", "it",  "also", "finally", "that", "which"};
    const bool conjunction = before && (before->lower == "and" || before->lower == "or");
    const bool named = before && (is_given_name(before->text) || before->lower == "somebody");
    // A list of deeds: "leads you to the table, recommends the fish".
    const bool listed =
        !before && at_ >= 2 && tokens_[at_ - 2].text == "," && !kAlsoNouns.contains(token.lower);
    if (listed) {
      out_ += past;
      return true;
    }
    if (!before || (!kBefore.contains(before->lower) && !named && !is_adverb(before->lower)))
      return false;
    if (conjunction && kAlsoNouns.contains(token.lower) && !followed_by_object()) return false;
    if (before->lower == "that" && kAlsoNouns.contains(token.lower)) return false;
    out_ += past;
    return true;
  }

  // "orders a pizza", "helps you": a noun would not be followed so.
  bool followed_by_object() const {
    const Token* next = next_word();
    static const WordSet kObjects = {"a",   "an",   "the", "to",  "some",  "that", "him",
                                     "her", "them", "it",  "his", "their", "two",  "for"};
    return next && (next->person || kObjects.contains(next->lower));
  }

  std::vector<Token> tokens_;
  const Cast& cast_;
  bool after_pair_;
  size_t at_ = 0;
  std::string out_;
  char last_person_ = 0;
  int persons_so_far_ = 0;
};

std::string mark_persons(std::string_view summary, const Cast& cast) {
  std::map<int, std::string> persons = cast.bystanders;
  persons[cast.you] = std::string(1, kYou);
  persons[cast.other] = std::string(1, kOther);
  std::string text = without_placeholders(summary, persons);
  text = replace_name(text, cast.you_name, std::string(1, kYou));
  text = replace_name(text, cast.other_source_name, std::string(1, kOther));
  for (size_t at; (at = text.find("\xE2\x80\x99")) != text.npos;) text.replace(at, 3, "'");
  // The blank that the source forgot after a full stop.
  for (size_t i = 0; i + 1 < text.size(); i++)
    if (text[i] == '.' && (text[i + 1] == kYou || text[i + 1] == kOther)) text.insert(i + 1, " ");
  return text;
}

}  // namespace

std::vector<std::string> retell(std::string_view summary, const Cast& cast) {
  std::vector<std::string> told;
  bool after_pair = false;
  for (const std::string& sentence : sentences_of(mark_persons(summary, cast))) {
    Retelling retelling(tokenize(sentence), cast, after_pair);
    after_pair = retelling.begins_with_pair();
    if (auto text = retelling.run()) {
      if (*text != "" && text->back() != '!' && text->back() != '?') *text += '.';
      told.push_back(std::move(*text));
    }
  }
  return told;
}

}  // namespace chatmem
