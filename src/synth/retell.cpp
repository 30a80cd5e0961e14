#include "synth/retell.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "synth/deixis.h"
#include "synth/dialogue.h"
#include "synth/sentences.h"
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

// What the sentences before leave for the pronouns of the next one.
struct Context {
  bool pair = false;      // "they" may be the two
  bool somebody = false;  // somebody but the reader was spoken of
};

class Retelling {
 public:
  Retelling(std::vector<Token> tokens, const Cast& cast, Context before)
      : tokens_(std::move(tokens)),
        cast_(cast),
        after_pair_(before.pair),
        first_(!before.somebody) {
    pair_ = begins_with_pair() || after_pair_;
    for (const Token& token : tokens_) {
      has_you_ |= token.person == kYou;
      has_other_ |= token.person == kOther;
    }
    alone_ = std::none_of(tokens_.begin(), tokens_.end(), names_somebody);
  }

  std::optional<std::string> run() {
    if (has_unclear_pronoun() || has_unclear_plural()) return std::nullopt;
    for (at_ = 0; at_ < tokens_.size() && !unsafe_; at_++) convert();
    if (out_.empty() || unsafe_) return std::nullopt;
    out_[0] = char(std::toupper(static_cast<unsigned char>(out_[0])));
    return out_;
  }

  // "#Person1# and #Person2# ...": "they" of the next sentence are the two.
  bool begins_with_pair() const {
    const std::vector<size_t> words = word_places();
    return words.size() > 2 && tokens_[words[0]].person && tokens_[words[1]].lower == "and" &&
           tokens_[words[2]].person;
  }

  bool speaks_of_others() const { return has_other_ || !alone_; }
  bool begins_with_they() const { return !tokens_.empty() && tokens_[0].lower == "they"; }

  // "#Person1# invites #Person2#": nobody else "they" of the next sentence could mean.
  bool has_both_alone() const {
    return has_you_ && has_other_ && alone_ && !has_plural(tokens_.size());
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
    if (only_you()) return false;  // they become the second person
    // Of the other alone they are the other's, even if the reader has the same gender.
    const Gender you = alone_ && !has_you_ ? Gender::kUnknown : gender_of(cast_.you_name);
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

  // Whether "they" at tokens_[until] may mean several things or persons named before it.
  bool has_plural(size_t until) const {
    static const WordSet kGroups = {"people",   "children", "family",   "parents",   "police",
                                    "team",     "company",  "everyone", "everybody", "someone",
                                    "somebody", "men",      "women",    "anyone",    "staff",
                                    "class",    "student",  "person",   "both"};
    static const WordSet kNoPlurals = {"his", "this",   "is",      "was",  "has", "as",   "its",
                                       "yes", "always", "perhaps", "does", "us",  "thus", "less"};
    for (size_t i = 0; i < until; i++) {
      const Token& token = tokens_[i];
      if (token.person || !token.word) continue;
      if (kGroups.contains(token.lower)) return true;
      if (token.lower.size() > 3 && token.lower.ends_with('s') && !token.lower.ends_with("ss") &&
          !token.lower.ends_with("'s") && !kNoPlurals.contains(token.lower) &&
          (past_of_third_person(token.lower).empty() || kAlsoNouns.contains(token.lower)))
        return true;
    }
    return false;
  }

  // "they" of one person: the source uses it for people whose gender it does not know.
  bool has_unclear_plural() const {
    static const WordSet kPlural = {"they",    "them",    "their",  "theirs",    "they'll",
                                    "they're", "they've", "they'd", "themselves"};
    for (size_t i = 0; i < tokens_.size(); i++) {
      const std::string& lower = tokens_[i].lower;
      if (lower == "themself" || lower == "oneself" || lower == "him/her" || lower == "he/she")
        return true;
      if (kPlural.contains(lower) && !pair_ && !has_plural(i)) return true;
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
    const bool capital = std::isupper(static_cast<unsigned char>(token.text[0])) != 0;
    // "will" and "may" are names only with a capital.
    return kPeople.contains(token.lower) ||
           (capital && (is_given_name(token.text) || is_title(token.text)));
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
    } else if (convert_own_pronoun(token)) {
    } else if (convert_inner_plural(token)) {
    } else if (token.lower == "they") {
      out_ += token.text;
      plural_verb();
    } else if (convert_auxiliary(token)) {
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

  // Nobody but the reader whom "he" or "she" could mean, and named before the first of them.
  bool only_you() const {
    if (!first_ || !has_you_ || has_other_ || !alone_) return false;
    for (const Token& token : tokens_) {
      if (token.person) return true;
      if (gendered_pronouns().contains(token.lower)) return false;
    }
    return false;
  }

  // "#Person1# lost his keys": your keys.
  bool convert_own_pronoun(const Token& token) {
    if (!gendered_pronouns().contains(token.lower) || !only_you()) return false;
    const std::string& word = token.lower;
    if (word == "he" || word == "she") {
      out_ += "you";
      subject_verb(kYou);
    } else if (word == "his" || (word == "her" && is_possessive_her())) {
      out_ += word == "his" && ends_clause() ? "yours" : "your";
    } else if (word.ends_with("self")) {
      // "Mary herself", of a name that the lists do not have, is not the reader.
      const Token* before = previous_word();
      unsafe_ |= before && std::isupper(static_cast<unsigned char>(before->text[0]));
      out_ += "yourself";
    } else if (word.ends_with("'ll")) {
      out_ += "you would";
    } else if (word.ends_with("'d")) {
      out_ += "you'd";
    } else {
      unsafe_ = true;  // "he's": is or has; "him": hardly the subject of the same sentence
    }
    return true;
  }

  // "her keys", not "asks her to wait".
  bool is_possessive_her() const {
    static const WordSet kAfterObject = {
        "to",   "that", "if",  "in",    "on",      "for", "with",  "and",   "about",   "how",
        "what", "when", "who", "where", "why",     "at",  "from",  "as",    "because", "so",
        "but",  "the",  "a",   "an",    "not",     "by",  "into",  "off",   "up",      "out",
        "some", "any",  "two", "until", "whether", "or",  "again", "after", "before"};
    const Token* next = next_word();
    return next && !ends_clause() && !next->person && !kAfterObject.contains(next->lower);
  }

  // "You and Kate sold their car": yours. Where something else is plural it may own or be owned.
  bool convert_inner_plural(const Token& token) {
    if (!pair_ || at_ == 0 || !alone_ || has_plural(at_)) return false;
    if (token.lower == "they") {
      out_ += "you";
      plural_verb();
    } else if (token.lower == "their") {
      out_ += "your";
    } else if (token.lower == "themselves") {
      out_ += "yourselves";
    } else {
      return false;
    }
    return true;
  }

  // "Allan #Person1#", "#Person1# Lin": a longer name that holds the person's.
  bool is_part_of_a_name() const {
    const auto capital = [&](size_t i) {
      return i < tokens_.size() && tokens_[i].word && !tokens_[i].person &&
             std::isupper(static_cast<unsigned char>(tokens_[i].text[0])) &&
             tokens_[i].lower != "i";
    };
    const bool blank_before = at_ >= 2 && tokens_[at_ - 1].text == " ";
    if (at_ >= 1 && tokens_[at_ - 1].word) return true;  // no blank at all
    if (blank_before && capital(at_ - 2) && !is_stopword(tokens_[at_ - 2].lower) &&
        !is_adverb(tokens_[at_ - 2].lower) && !is_subject())
      return true;
    const bool blank_after = at_ + 1 < tokens_.size() && tokens_[at_ + 1].text == " ";
    return blank_after && capital(at_ + 2) && is_subject();
  }

  bool is_auxiliary(const Token* token) const {
    static const WordSet kAuxiliaries = {
        "is",      "was",    "are",      "were",     "has",      "have",   "had",    "will",
        "would",   "can",    "could",    "may",      "might",    "must",   "should", "does",
        "doesn't", "didn't", "did",      "won't",    "can't",    "cannot", "isn't",  "wasn't",
        "hasn't",  "hadn't", "couldn't", "wouldn't", "shouldn't"};
    return token && kAuxiliaries.contains(token->lower);
  }

  // A verb of the third person that no noun of the same letters could stand for after a person.
  bool is_verb_after_person(const Token* token) const {
    static const WordSet kRarelyNouns = {"needs",   "likes", "tries",  "looks", "hopes",
                                         "worries", "cares", "starts", "stops", "stays"};
    return token &&
           (is_auxiliary(token) || kRarelyNouns.contains(token->lower) ||
            (!kAlsoNouns.contains(token->lower) && !past_of_third_person(token->lower).empty()));
  }

  // "the fish you orders": a plural may follow an object, but only of a verb or a preposition.
  bool is_subject_of_relative_clause() const {
    const Token* next = next_word();
    const Token* before = previous_word();
    return next && !next->person && before && !past_of_third_person(next->lower).empty() &&
           past_of_third_person(before->lower).empty() && past_of_base(before->lower).empty() &&
           !before->lower.ends_with("ing") && !before->lower.ends_with("ed") &&
           before->lower.size() > 4;
  }

  // "Kate said she was late": the pronoun for the other's second mention, where it can mean nobody
  // else and its case is certain; else the name again.
  std::string mention_of(const Token& token) {
    const std::string name = name_of(token.person);
    if (token.person == kYou) return name;
    const bool again = std::exchange(other_mentioned_, true);
    const Gender gender = gender_of(cast_.other_name);
    if (!again || !alone_ || gender == Gender::kUnknown || previous_is("and") || next_is("and") ||
        previous_is("or") || next_is("or"))
      return name;
    const Pronouns& pronouns = pronouns_of(gender);
    const Token* next = next_word();
    if (!token.ending.empty()) {
      // Not "'s" for "is" or "has", nor one that owns what is not named.
      const bool owner = !is_subject() && is_possessive_her() && !next->lower.ends_with("ing");
      return token.ending == "'s" && owner ? std::string(pronouns.possessive) : name;
    }
    if (is_verb_after_person(next)) return std::string(pronouns.subject);
    if (is_subject()) return name;
    static const WordSet kPrepositions = {"to",   "with", "for",  "of",      "about", "at",
                                          "from", "by",   "near", "without", "after", "on"};
    const Token* before = previous_word();
    const bool object = before && (kPrepositions.contains(before->lower) ||
                                   !past_of_third_person(before->lower).empty() ||
                                   !past_of_base(before->lower).empty());
    return object ? std::string(pronouns.object) : name;
  }
  bool previous_is(std::string_view word) const {
    const Token* before = previous_word();
    return before && before->lower == word;
  }
  bool next_is(std::string_view word) const {
    const Token* next = next_word();
    return next && next->lower == word;
  }
  // Whether punctuation or the end follows.
  bool ends_clause() const { return at_ + 1 >= tokens_.size() || tokens_[at_ + 1].text != " "; }

  void convert_person(const Token& token) {
    if (is_part_of_a_name()) {
      unsafe_ = true;
      return;
    }
    const std::string name = mention_of(token);
    if (token.ending.empty()) {
      out_ += name;
      if (is_subject() || is_verb_after_person(next_word()))
        subject_verb(token.person);
      else if (token.person == kYou)
        unsafe_ |= is_subject_of_relative_clause();
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
      unsafe_ = true;
    }
  }

  // "'s": of a person, "is" or "has".
  void convert_s(char person, const std::string& name) {
    const Token* next = next_word();
    if (person == kOther && name != cast_.other_name) {  // a possessive pronoun already
      out_ += name;
      return;
    }
    if (!next || ends_clause()) {  // "a friend of #Person1#'s"
      if (person == kYou)
        out_ += "yours";
      else
        out_ += name + "'s";
      return;
    }
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
    const bool had = next->lower == "been" || next->lower == "got" || next->lower == "had" ||
                     next->lower == "never" || next->lower == "already";
    const bool was =
        kAfterIs.contains(next->lower) ||
        (next->lower.size() > 4 && next->lower.ends_with("ing") && !kNouns.contains(next->lower));
    if (!compound && (had || was) && !is_subject()) {
      // "got #Person1#'s from the shop": what of the person's?
      unsafe_ = true;
    } else if (!compound && had) {
      out_ += name + " had";
    } else if (!compound && was) {
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
      past = past_of_base(verb).empty() ? past_of_third_person(verb) : past_of_base(verb);
    else
      past = past_of_third_person(verb);
    if (past.empty()) {
      // An unknown verb of the third person would be wrong after "you": "you frobs".
      unsafe_ |= person == kYou && !pair && verb.size() > 3 && verb.ends_with('s') &&
                 verb != "always" && verb != "sometimes" && verb != "perhaps";
      return;
    }
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
        {"there're", "there were"},
        {"that's", "that was"},
        {"what's", "what was"},
        {"where's", "where was"},
        {"they're", "they were"},
        {"they'll", "they would"},
        {"they've", "they had"},
        {"it'll", "it would"},
        {"he'll", "he would"},
        {"she'll", "she would"},
        {"may", "might"},
        {"he's", "he was"},
        {"she's", "she was"},
        {"who's", "who was"}};
    const auto it = kPast.find(token.lower);
    if (it == kPast.end() || (token.lower == "may" && token.text == "May")) return false;
    const Token* before = previous_word();
    static const WordSet kDeterminers = {"the", "a", "an", "his", "her", "their", "your"};
    if (before && kDeterminers.contains(before->lower)) return false;
    std::string_view past = it->second;
    if (before && before->person == kYou && past == "was") past = "were";
    const Token* next = next_word();
    // "she's got", "it's finished": has, unless it is.
    const bool has = token.lower.ends_with("'s") && next &&
                     (next->lower == "got" || next->lower == "been" || next->lower == "had" ||
                      next->lower == "never");
    if (has)
      out_ += std::string(past.substr(0, past.find(' '))) + " had";
    else
      out_ += past;
    return true;
  }

  // "and tells", ", then asks": a second verb of the same subject; only verbs that are no nouns.
  bool verb_follows_conjunction(const Token& token) {
    const std::string past = past_of_third_person(token.lower);
    if (past.empty()) return false;
    const Token* before = previous_word();
    if (before && (is_surely_verb(token.lower) || only_names_before())) {
      out_ += past;
      return true;
    }
    // Names and other subjects: "Jack agrees", "he thinks", "who works".
    static const WordSet kBefore = {"and", "but", "then", "or",      "who",  "he",
                                    "she", "it",  "also", "finally", "that", "which"};
    const bool conjunction = before && (before->lower == "and" || before->lower == "or");
    const bool named = before && (is_given_name(before->text) || before->lower == "somebody");
    // A list of deeds: "leads you to the table, recommends the fish".
    const bool listed = !before && at_ >= 2 && tokens_[at_ - 2].text == "," &&
                        (!kAlsoNouns.contains(token.lower) || followed_by_object());
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

  // "Ted Bell falls": whatever stands before in the sentence is the subject's name.
  bool only_names_before() const {
    for (size_t i = 0; i < at_; i++)
      if (tokens_[i].word ? tokens_[i].person || tokens_[i].lower == "the" ||
                                !std::isupper(static_cast<unsigned char>(tokens_[i].text[0])) ||
                                tokens_[i].lower.ends_with("'s")
                          : tokens_[i].text != " ")
        return false;
    const std::string& first = tokens_[0].lower;
    return at_ > 0 && (is_given_name(tokens_[0].text) ||
                       (at_ == 2 && !is_stopword(first) && !first.ends_with('s')));
  }

  // In the third person these are verbs wherever they stand.
  static bool is_surely_verb(const std::string& lower) {
    static const WordSet kVerbs = {
        "tells",   "says",    "thinks",    "asks",       "wants",      "knows",     "agrees",
        "gives",   "makes",   "gets",      "goes",       "comes",      "believes",  "recommends",
        "takes",   "invites", "decides",   "describes",  "introduces", "explains",  "refuses",
        "accepts", "admires", "admits",    "advises",    "becomes",    "begins",    "brings",
        "buys",    "chooses", "complains", "considers",  "convinces",  "disagrees", "enjoys",
        "expects", "feels",   "forgets",   "hears",      "informs",    "insists",   "learns",
        "loses",   "meets",   "pays",      "persuades",  "prefers",    "receives",  "remembers",
        "reminds", "sees",    "sells",     "sends",      "speaks",     "spends",    "suggests",
        "teaches", "wonders", "writes",    "apologizes", "includes",   "seems",     "allows"};
    return kVerbs.contains(lower);
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
  bool after_pair_, first_;
  size_t at_ = 0;
  std::string out_;
  bool has_you_ = false, has_other_ = false;
  bool pair_ = false;             // "they" may be the two
  bool alone_ = false;            // nobody else is named in the sentence
  bool other_mentioned_ = false;  // the other has been named in the sentence
  bool unsafe_ = false;           // what is left would not be grammatical
};

// "Mr.#" and "Mr. #" where the name alone was known: the mark is the whole name.
void merge_titles(std::string& text) {
  for (const std::string_view title :
       {"Mr.", "Mrs.", "Ms.", "Dr.", "Mr", "Mrs", "Ms", "Miss", "Dr", "Doctor", "Professor"})
    for (const char* blank : {" ", ""})
      for (const char mark : {kYou, kOther}) {
        const std::string titled = std::string(title) + blank + mark;
        for (size_t at; (at = text.find(titled)) != text.npos;)
          text.replace(at, titled.size(), 1, mark);
      }
}

std::string mark_persons(std::string_view summary, const Cast& cast) {
  std::map<int, std::string> persons = cast.bystanders;
  persons[cast.you] = std::string(1, kYou);
  persons[cast.other] = std::string(1, kOther);
  std::string text = without_placeholders(summary, persons);
  text = replace_name(text, cast.you_name, std::string(1, kYou));
  text = replace_name(text, cast.other_source_name, std::string(1, kOther));
  for (size_t at; (at = text.find("\xE2\x80\x99")) != text.npos;) text.replace(at, 3, "'");
  merge_titles(text);
  // Blanks that the source forgot or has too many: "#'s" for "# 's", "# will" for "#will".
  for (size_t i = 0; i + 1 < text.size(); i++) {
    if (text[i] != kYou && text[i] != kOther) continue;
    if (text.compare(i + 1, 3, " 's") == 0) text.erase(i + 1, 1);
    if (std::isalnum(static_cast<unsigned char>(text[i + 1]))) text.insert(i + 1, " ");
  }
  // The blank that the source forgot after a full stop.
  for (size_t i = 0; i + 1 < text.size(); i++)
    if (text[i] == '.' && (text[i + 1] == kYou || text[i + 1] == kOther)) text.insert(i + 1, " ");
  return text;
}

}  // namespace

std::vector<std::string> retell(std::string_view summary, const Cast& cast) {
  std::vector<std::string> told;
  Context context;
  for (const std::string& sentence : sentences_of(mark_persons(summary, cast))) {
    Retelling retelling(tokenize(shift_time_words(sentence)), cast, context);
    context.pair = retelling.begins_with_pair() || retelling.has_both_alone() ||
                   (context.pair && retelling.begins_with_they());
    context.somebody |= retelling.speaks_of_others();
    if (names_calendar_date(sentence)) continue;
    if (auto text = retelling.run()) {
      if (text->back() != '!' && text->back() != '?') *text += '.';
      if (!is_impossible(*text, cast.other_name)) told.push_back(std::move(*text));
    }
  }
  return told;
}

}  // namespace chatmem
