#include "synth/retell.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "synth/deixis.h"
#include "synth/marked_text.h"
#include "synth/reference.h"
#include "synth/sentences.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// What the sentences told before this one leave to refer to.
struct Antecedents {
  bool other = false;          // the other was named
  bool last_left_out = false;  // the sentence right before is not told
};

class Retelling {
 public:
  Retelling(const std::vector<Token>& tokens, const Cast& cast, const SentenceReferents& referents,
            const Antecedents& before)
      : tokens_(tokens), cast_(cast), referents_(referents), before_(before) {
    alone_ = std::none_of(tokens_.begin(), tokens_.end(), names_somebody);
  }

  std::optional<std::string> run() {
    if (!referents_.clear || refers_to_what_is_left_out()) return std::nullopt;
    if (before_.last_left_out) skip_connector();
    for (; at_ < tokens_.size() && !unsafe_; at_++) convert();
    if (out_.empty() || unsafe_) return std::nullopt;
    out_[0] = char(std::toupper(static_cast<unsigned char>(out_[0])));
    return out_;
  }

  bool names_other() const { return other_named_; }

 private:
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

  std::string name_of(char person) const { return person == kYouMark ? "you" : cast_.other_name; }

  void convert() {
    const Token& token = tokens_[at_];
    if (!token.word) {
      out_ += token.text;
      return;
    }
    if (token.person) {
      convert_person(token);
    } else if (referents_.of[at_] == Referent::kYou) {
      convert_own_pronoun(token);
    } else if (referents_.of[at_] == Referent::kOther && !before_.other && !other_named_) {
      convert_unnamed_pronoun(token);
    } else if (referents_.of[at_] == Referent::kPair) {
      convert_pair_pronoun(token);
    } else if (token.lower == "they") {
      out_ += token.text;
      plural_verb();
    } else if (convert_named_s(token)) {
    } else if (convert_auxiliary(token)) {
    } else if (convert_have(token)) {
    } else if (convert_verb_of_pair(token)) {
    } else if (verb_follows_conjunction(token)) {
    } else {
      out_ += token.text;
    }
  }

  // "it", "this", "he" of a further person, who stand in the sentence that is not told.
  bool refers_to_what_is_left_out() const {
    if (!before_.last_left_out) return false;
    static const WordSet kThings = {"it",    "it's",   "its",     "this",    "that",      "these",
                                    "those", "there",  "another", "such",    "both",      "one",
                                    "else",  "latter", "former",  "instead", "otherwise", "also"};
    size_t nouns = 0;
    for (size_t i = 0; i < tokens_.size(); i++) {
      const Token& token = tokens_[i];
      if (referents_.of[i] == Referent::kNotYou) return true;
      // With a noun before it, "it" is likely to mean that.
      static const WordSet kArticles = {"a", "an", "the", "his", "her", "your", "their", "some"};
      if (nouns == 0 && kThings.contains(token.lower) && !(token.lower == "that" && i > 0))
        return true;
      nouns += kArticles.contains(token.lower);
    }
    return false;
  }
  // "However, ", "Then ": what they follow is not told.
  void skip_connector() {
    static const WordSet kConnectors = {"however", "then", "therefore", "so",      "thus",
                                        "finally", "but",  "also",      "besides", "afterwards",
                                        "later",   "and",  "moreover",  "still",   "eventually"};
    if (tokens_.empty() || !kConnectors.contains(tokens_[0].lower)) return;
    at_ = 1;
    while (at_ < tokens_.size() && !tokens_[at_].word) at_++;
  }

  // "his keys" of the other, who was not named yet: "Kate's keys".
  void convert_unnamed_pronoun(const Token& token) {
    const std::string& word = token.lower;
    other_named_ = other_mentioned_ = true;
    if (word == "he" || word == "she") {
      out_ += cast_.other_name;
      subject_verb(kOtherMark);
    } else if (word == "his" || (word == "her" && is_possessive_her())) {
      out_ += cast_.other_name + "'s";
    } else if (word == "him" || word == "her") {
      out_ += cast_.other_name;
    } else {
      unsafe_ = true;
    }
  }

  // "they" of the two: "the two of you", but "you" where both were just named.
  void convert_pair_pronoun(const Token& token) {
    const bool again = (you_named_ && other_named_) || out_.find("the two of you") != out_.npos;
    const std::string two = again ? "you" : "the two of you";
    const std::string& word = token.lower;
    if (word == "they") {
      pair_subject_ |= out_.empty();
      out_ += two;
      const bool proposed = previous_is("suggests") || previous_is("proposes");
      if (next_is("both")) skip_word();
      if (!proposed) plural_verb();
    } else if (word == "their") {
      out_ += "your";
    } else if (word == "themselves") {
      out_ += "yourselves";
    } else if (word == "they'll") {
      out_ += two + " would";
    } else if (word == "they're") {
      out_ += two + " were";
    } else if (word == "they've") {
      out_ += two + " had";
    } else if (word == "them") {
      out_ += "you";
      plural_verb();
    } else {
      unsafe_ = true;
    }
  }
  void skip_word() { at_ = next_place(at_ + 1); }

  // A pronoun that means the reader: "his keys" are yours.
  void convert_own_pronoun(const Token& token) {
    const std::string& word = token.lower;
    if (word == "he" || word == "she") {
      out_ += "you";
      subject_verb(kYouMark);
    } else if (word == "his" || word == "hers") {
      out_ += word == "hers" || ends_clause() ? "yours" : "your";
    } else if (word == "him") {
      out_ += "you";
    } else if (word == "her") {
      out_ += is_possessive_her() ? "your" : "you";
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
      convert_s(kYouMark, "you");
      // "he's lost": is or has; and never "your" for "he's".
      unsafe_ |= out_.ends_with("your");
    }
  }

  // "her keys", not "asks her to wait".
  bool is_possessive_her() const {
    const Token* next = next_word();
    return next && !ends_clause() && !next->person && !follows_object(next->lower);
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

  // A verb of the third person that no noun of the same letters could stand for after a person.
  bool is_verb_after_person(const Token* token) const {
    static const WordSet kRarelyNouns = {"needs",   "likes", "tries",  "looks", "hopes",
                                         "worries", "cares", "starts", "stops", "stays"};
    return token && (is_auxiliary(token->lower) || kRarelyNouns.contains(token->lower) ||
                     (!is_also_noun(token->lower) && !past_of_third_person(token->lower).empty()));
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
    if (token.person == kYouMark) return name;
    const bool again = std::exchange(other_mentioned_, true);
    Gender gender = gender_of(cast_.other_name);
    if (gender == Gender::kUnknown) gender = cast_.other_gender;
    if (!again || !alone_ || gender == Gender::kUnknown || next_is("and") || previous_is("or") ||
        next_is("or"))
      return name;
    if (previous_is("and") && !(begins_clause_after_and() && token.ending.empty())) return name;
    const Pronouns& pronouns = pronouns_of(gender);
    const Token* next = next_word();
    if (!token.ending.empty()) {
      if (token.ending == "'ll") return std::string(pronouns.subject);
      if (token.ending != "'s" || ends_clause()) return name;
      if (stands_for_verb()) return is_subject() ? std::string(pronouns.subject) : name;
      // Not one that owns what is not named.
      return is_possessive_her() ? std::string(pronouns.possessive) : name;
    }
    if (is_verb_after_person(next)) return std::string(pronouns.subject);
    if (is_subject() && next &&
        (next->lower.ends_with("ed") || (follows_proposal() && !past_of_base(next->lower).empty())))
      return std::string(pronouns.subject);
    if (is_subject()) return name;
    static const WordSet kPrepositions = {"to",   "with", "for",  "of",      "about", "at",
                                          "from", "by",   "near", "without", "after", "on"};
    const Token* before = previous_word();
    const bool object = before && (kPrepositions.contains(before->lower) ||
                                   !past_of_third_person(before->lower).empty() ||
                                   !past_of_base(before->lower).empty());
    return object ? std::string(pronouns.object) : name;
  }
  bool follows_proposal() const {
    return previous_is("suggests") || previous_is("recommends") || previous_is("proposes");
  }
  // "asks for tea and Kate agrees", not "for Max and Kate".
  bool begins_clause_after_and() const {
    if (at_ < 4 || !is_verb_after_person(next_word())) return false;
    const Token& joined = tokens_[at_ - 4];
    return tokens_[at_ - 3].text == " " && joined.word && !joined.person && !is_capital(joined);
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
    (token.person == kYouMark ? you_named_ : other_named_) = true;
    if (token.ending.empty()) {
      out_ += name;
      const Token* next = next_word();
      const bool joined = next && !past_of_base(next->lower).empty() && previous_and_person();
      if (is_subject() || joined || is_verb_after_person(next))
        subject_verb(token.person);
      else if (token.person == kYouMark)
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
    // A possessive pronoun already, or one that the verb goes with.
    if (person == kOtherMark && name != cast_.other_name && !stands_for_verb()) {
      out_ += name;
      return;
    }
    if (!next || ends_clause()) {  // "a friend of #Person1#'s"
      if (person == kYouMark)
        out_ += "yours";
      else
        out_ += name + "'s";
      return;
    }
    switch (verb_of_s()) {
      case SVerb::kHas:
        out_ += name + " had";
        break;
      case SVerb::kIs:
        out_ += name + (person == kYouMark ? " were" : " was");
        break;
      case SVerb::kUnclear:
        unsafe_ = true;
        break;
      case SVerb::kNone:
        out_ += person == kYouMark ? "your" : name + "'s";
        break;
    }
  }

  enum class SVerb { kNone, kIs, kHas, kUnclear };  // kNone: a genitive
  bool stands_for_verb() const {
    const SVerb verb = verb_of_s();
    return verb == SVerb::kIs || verb == SVerb::kHas;
  }
  // Whether the "'s" of the person here is a verb; something must follow in the clause.
  SVerb verb_of_s() const {
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
        "against",     "willing",   "grateful",  "thankful",  "delighted", "eager",
        "keen",        "aware",     "jealous",   "fond",      "reluctant", "hesitant",
        "doubtful",    "skeptical", "cautious",  "lucky",     "optimistic"};
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
    const bool gerund =
        next->lower.size() > 4 && next->lower.ends_with("ing") && !kNouns.contains(next->lower);
    const bool was = kAfterIs.contains(next->lower) || gerund || is_state_after_is(after);
    // "'s charged the wrong fee": is or has.
    static const WordSet kArticles = {"the", "a", "an"};
    if (!had && !was && next->lower.size() > 5 && next->lower.ends_with("ed") &&
        after < tokens_.size() && kArticles.contains(tokens_[after].lower))
      return SVerb::kUnclear;
    if (compound || (!had && !was)) return SVerb::kNone;
    // "coming to #Person1#'s housewarming party": no subject, no verb.
    if (!is_subject() && gerund && after < tokens_.size() && !follows_object(tokens_[after].lower))
      return SVerb::kNone;
    // "got #Person1#'s from the shop": what of the person's?
    if (!is_subject()) return SVerb::kUnclear;
    return had ? SVerb::kHas : SVerb::kIs;
  }
  // "'s astonished to", "'s dissatisfied with", not "'s used car".
  bool is_state_after_is(size_t after) const {
    static const WordSet kAfter = {"to", "by", "at", "about", "that", "with", "because", "for"};
    const Token* next = next_word();
    return next->lower.size() > 5 && next->lower.ends_with("ed") &&
           (after >= tokens_.size() || kAfter.contains(tokens_[after].lower));
  }

  // "Paul's been promoted", "Jake's going": of a further person.
  bool convert_named_s(const Token& token) {
    if (!token.lower.ends_with("'s") || !names_somebody(token)) return false;
    const Token* next = next_word();
    if (!next || ends_clause()) return false;
    const std::string name = token.text.substr(0, token.text.size() - 2);
    static const WordSet kAfterIs = {"going", "coming", "not",   "a",    "an",    "the",
                                     "very",  "too",    "so",    "in",   "at",    "on",
                                     "sick",  "ill",    "angry", "sad",  "happy", "getting",
                                     "late",  "busy",   "out",   "also", "always"};
    if (next->lower == "been" || next->lower == "got" || next->lower == "already")
      out_ += name + " had";
    else if (kAfterIs.contains(next->lower))
      out_ += name + " was";
    else
      return false;
    return true;
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
    pair_subject_ |= pair && at_ <= 4;
    std::string past;
    if (verb == "is" || verb == "are" || verb == "was" || verb == "were")
      past = person == kYouMark || pair ? "were" : "was";
    else if (verb == "isn't" || verb == "wasn't" || verb == "aren't")
      past = person == kYouMark || pair ? "weren't" : "wasn't";
    else if (pair)
      past = past_of_base(verb).empty() ? past_of_third_person(verb) : past_of_base(verb);
    else
      past = past_of_third_person(verb);
    if (past.empty()) {
      // An unknown verb of the third person would be wrong after "you": "you frobs".
      unsafe_ |= person == kYouMark && !pair && verb.size() > 3 && verb.ends_with('s') &&
                 verb != "always" && verb != "sometimes" && verb != "perhaps";
      return;
    }
    write_until(place);
    out_ += past == "lied" && lies_somewhere(place) ? "lay" : past;
  }
  // "lies awake", "lies in bed": not a lie.
  bool lies_somewhere(size_t place) const {
    static const WordSet kWhere = {"awake", "down", "in", "on", "under", "there", "flat", "beside"};
    const size_t next = next_place(place + 1);
    return next < tokens_.size() && kWhere.contains(tokens_[next].lower);
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
    // "you and your former husband Martin"
    for (int words = 0; conjunction && words < 3 && conjunction->lower != "and"; words++) {
      if (conjunction->person || is_auxiliary(conjunction->lower) ||
          !past_of_third_person(conjunction->lower).empty())
        return false;
      conjunction = back();
    }
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
        {"haven't", "hadn't"},
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
    if (before && before->person == kYouMark && past == "was") past = "were";
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

  // "the players have arrived", not "would have arrived" or "to have".
  bool convert_have(const Token& token) {
    const Token* before = previous_word();
    if (token.lower != "have" || !before || before->person) return false;
    static const WordSet kSubjects = {"they", "who", "which", "that", "people", "both"};
    static const WordSet kNoPlurals = {"always", "as", "sometimes", "besides", "perhaps", "helps"};
    const bool plural =
        before->lower.size() > 3 && before->lower.ends_with('s') &&
        !before->lower.ends_with("ss") && !kNoPlurals.contains(before->lower) &&
        (past_of_third_person(before->lower).empty() || is_also_noun(before->lower));
    static const WordSet kModals = {"to",     "will",     "would",    "may",      "might",
                                    "must",   "should",   "could",    "can",      "not",
                                    "cannot", "couldn't", "wouldn't", "shouldn't"};
    const bool perfect =
        next_is("been") && !kModals.contains(before->lower) && !is_adverb(before->lower);
    if (!plural && !perfect && !kSubjects.contains(before->lower)) return false;
    out_ += "had";
    return true;
  }

  // "You and Kate talk about tea and decide": a second verb of the two, unless one in the
  // infinitive or after a modal verb may share the conjunction.
  bool convert_verb_of_pair(const Token& token) {
    static const WordSet kVerbs = {"decide", "discuss", "agree",   "think",   "go",       "want",
                                   "find",   "enjoy",   "meet",    "feel",    "say",      "begin",
                                   "become", "prefer",  "believe", "arrange", "cooperate"};
    static const WordSet kOpen = {"to",    "will",   "would", "can",     "could", "may",
                                  "might", "should", "let",   "they'll", "must",  "suggests"};
    if (!pair_subject_ || !kVerbs.contains(token.lower)) return false;
    if (!previous_is("and") && !previous_is("but") && !previous_is("then")) return false;
    for (size_t i = 0; i < at_; i++) {
      const size_t next = next_place(i + 1);
      const bool infinitive =
          tokens_[i].lower != "to" || (next < at_ && !past_of_base(tokens_[next].lower).empty());
      if (kOpen.contains(tokens_[i].lower) && infinitive) return false;
    }
    out_ += past_of_base(token.lower);
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
    if (before && follows_noun_subject(token)) {
      out_ += past;
      return true;
    }
    static const WordSet kBefore = {"and", "but", "then", "or",      "who",  "he",
                                    "she", "it",  "also", "finally", "that", "which"};
    const bool conjunction = before && (before->lower == "and" || before->lower == "or");
    const bool named = before && (is_given_name(before->text) || before->lower == "somebody");
    // A list of deeds: "leads you to the table, recommends the fish".
    const bool listed = !before && at_ >= 2 && tokens_[at_ - 2].text == "," &&
                        (!is_also_noun(token.lower) || followed_by_object());
    if (listed) {
      out_ += past;
      return true;
    }
    if (!before || (!kBefore.contains(before->lower) && !named && !is_adverb(before->lower)))
      return false;
    if (conjunction && is_also_noun(token.lower) && !followed_by_object()) return false;
    if (before->lower == "that" && is_also_noun(token.lower)) return false;
    out_ += past;
    return true;
  }

  // "The vet offers", "that her colleague finds": a determiner, a noun, this verb.
  bool follows_noun_subject(const Token& token) const {
    if (!followed_by_object() &&
        (is_also_noun(token.lower) || (!is_irregular(token.lower) && !followed_by_particle())))
      return false;
    static const WordSet kDeterminers = {"the", "a",   "an",    "his",  "her",   "their",
                                         "my",  "our", "every", "your", "their", "no"};
    static const WordSet kBefore = {"that",  "because", "but",    "and",    "when",  "since",
                                    "as",    "if",      "so",     "while",  "where", "which",
                                    "until", "after",   "before", "though", "what",  "how"};
    size_t i = at_;
    for (int words = 0; words < 4; words++) {
      if (i < 2 || tokens_[i - 1].text != " ") return false;
      i -= 2;
      const Token& word = tokens_[i];
      const bool genitive = word.lower.ends_with("'s") || word.ending == "'s";
      if ((word.person && !genitive) || !word.word) return false;
      if (kDeterminers.contains(word.lower) || genitive) {
        if (words == 0) return false;
        if (i == 0) return true;
        if (i < 2) return false;
        return tokens_[i - 1].text == ", " || tokens_[i - 2].text == "," ||
               kBefore.contains(tokens_[i - 2].lower);
      }
      if (is_auxiliary(word.lower) || kBefore.contains(word.lower) || word.lower == "to" ||
          word.lower == "of" || word.lower == "or")
        return false;
    }
    return false;
  }
  bool followed_by_particle() const {
    static const WordSet kParticles = {"up",   "out",  "in",   "off",  "at",   "on",     "from",
                                       "with", "into", "when", "so",   "if",   "well",   "too",
                                       "very", "back", "down", "away", "over", "because"};
    const Token* next = next_word();
    return ends_clause() || (next && kParticles.contains(next->lower));
  }
  static bool is_irregular(const std::string& lower) {
    const std::string past = past_of_third_person(lower);
    return !past.ends_with("ed");
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
    static const WordSet kObjects = {"a",    "an", "the", "to",    "some", "that", "him", "her",
                                     "them", "it", "his", "their", "two",  "for",  "not"};
    return next && (next->person || kObjects.contains(next->lower));
  }

  const std::vector<Token>& tokens_;
  const Cast& cast_;
  const SentenceReferents& referents_;
  const Antecedents& before_;
  size_t at_ = 0;
  std::string out_;
  bool you_named_ = false, other_named_ = false;  // in this sentence so far
  bool alone_ = false;                            // nobody else is named in the sentence
  bool pair_subject_ = false;                     // the sentence tells of the two together
  bool other_mentioned_ = false;                  // the other has been named in the sentence
  bool unsafe_ = false;                           // what is left would not be grammatical
};

// "told you you could wait" as "told you that you could wait".
void join_clauses(std::string& text) {
  for (const std::string_view verb : {"told", "informed", "reminded", "assured", "promised"}) {
    const std::string twice = fmt::format(" {} you you ", verb);
    for (size_t at; (at = text.find(twice)) != text.npos;)
      text.insert(at + twice.size() - std::string_view("you ").size(), "that ");
  }
}

// Whether one of the two is never named while a further person is: he may be that one.
bool hides_a_person(const std::vector<MarkedSentence>& sentences) {
  bool you = false, other = false, further = false;
  for (const MarkedSentence& sentence : sentences)
    for (const Token& token : sentence.tokens) {
      you |= token.person == kYouMark;
      other |= token.person == kOtherMark;
      const bool somebody = token.actor || (token.word && !token.person && names_somebody(token));
      further |= somebody && !token.lower.ends_with("'s");
    }
  return further && !(you && other);
}

}  // namespace

std::vector<std::string> retell(std::string_view summary, const Cast& cast) {
  const std::vector<MarkedSentence> sentences = marked_sentences(summary, cast);
  const References references = resolve_pronouns(sentences, cast.you_gender, cast.other_gender);
  std::vector<std::string> told;
  if (hides_a_person(sentences)) return told;
  Antecedents antecedents;
  for (size_t i = 0; i < sentences.size(); i++) {
    Retelling retelling(sentences[i].tokens, cast, references.sentences[i], antecedents);
    std::optional<std::string> text;
    if (!sentences[i].dated) text = retelling.run();
    if (text && text->back() != '!' && text->back() != '?') *text += '.';
    if (text) join_clauses(*text);
    if (text && !reads_well(*text, cast.other_name)) text.reset();
    antecedents.last_left_out = !text;
    antecedents.other |= text && retelling.names_other();
    if (text) told.push_back(std::move(*text));
  }
  return told;
}

}  // namespace chatmem
