#include "synth/reference.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// Who may be meant. The last three are further persons, of which only the gender is known.
enum Entity { kYou, kSecond, kMan, kWoman, kSomebody, kEntities };
constexpr Entity kNobody = kEntities;
constexpr Entity kAllEntities[] = {kYou, kSecond, kMan, kWoman, kSomebody};

enum class Case { kSubject, kObject, kPossessive, kReflexive };

Gender pronoun_gender(const std::string& lower) {
  return lower.starts_with("hi") || lower == "he" || lower.starts_with("he'") ? Gender::kMale
                                                                              : Gender::kFemale;
}

bool is_plural_pronoun(const std::string& lower) {
  static const WordSet kPlural = {"they",    "them",    "their",  "theirs",    "they'll",
                                  "they're", "they've", "they'd", "themselves"};
  return kPlural.contains(lower);
}

// What "they" may mean besides the two.
bool is_plural_noun(const Token& token) {
  static const WordSet kGroups = {"people",   "children", "family",   "parents", "police",
                                  "team",     "company",  "everyone", "someone", "everybody",
                                  "somebody", "men",      "women",    "anyone",  "staff",
                                  "class",    "student",  "person",   "both"};
  static const WordSet kNoPlurals = {"his",  "this", "is",      "was",     "has",  "as",
                                     "its",  "yes",  "always",  "does",    "us",   "thus",
                                     "less", "hers", "perhaps", "besides", "yours"};
  if (token.person || !token.word) return false;
  if (kGroups.contains(token.lower)) return true;
  return token.lower.size() > 3 && token.lower.ends_with('s') && !token.lower.ends_with("ss") &&
         !token.lower.ends_with("'s") && !kNoPlurals.contains(token.lower) &&
         (past_of_third_person(token.lower).empty() || is_also_noun(token.lower));
}

// Of these "they" may decide and want.
bool is_people_noun(const Token& token) {
  static const WordSet kPeople = {
      "people",     "children", "family",       "parents",    "police",    "team",
      "company",    "everyone", "everybody",    "men",        "women",     "staff",
      "class",      "student",  "students",     "friends",    "kids",      "boys",
      "girls",      "guests",   "customers",    "clients",    "employees", "workers",
      "teachers",   "doctors",  "companies",    "players",    "neighbors", "brothers",
      "sisters",    "sons",     "daughters",    "colleagues", "couple",    "americans",
      "englishmen", "lovers",   "twins",        "strangers",  "members",   "applicants",
      "neighbours", "cousins",  "grandparents", "classmates", "roommates", "managers",
      "passengers", "visitors", "tourists",     "voters",     "drivers",   "scientists",
      "experts",    "dogs",     "cats",         "animals",    "birds",     "teenagers",
      "adults",     "elders",   "bosses",       "committee",  "council",   "school",
      "hotel",      "bank",     "government",   "airline",    "shop"};
  if (!token.word || token.person) return false;
  if (kPeople.contains(token.lower)) return true;
  // "directors", "readers", "tourists", not "doors" and "papers".
  static const WordSet kThings = {
      "letters", "papers",  "flowers", "dinners", "numbers", "computers", "matters",  "hours",
      "doors",   "colors",  "colours", "floors",  "errors",  "favors",    "showers",  "manners",
      "orders",  "offers",  "covers",  "drawers", "answers", "trousers",  "sneakers", "suitors",
      "powers",  "towers",  "corners", "posters", "lists",   "suppers",   "sweaters", "wonders",
      "burgers", "centers", "gathers", "wears",   "refers",  "remembers", "considers"};
  return token.lower.size() > 4 && !kThings.contains(token.lower) &&
         (token.lower.ends_with("ors") || token.lower.ends_with("ers") ||
          token.lower.ends_with("ists")) &&
         past_of_third_person(token.lower).empty();
}

// What two persons do together, in the form that follows "they".
bool is_done_by_two(const std::string& verb) {
  static const WordSet kVerbs = {
      "agree",     "decide",   "talk",      "discuss", "arrange",  "argue",  "chat",      "plan",
      "settle",    "debate",   "toast",     "compare", "promise",  "joke",   "meet",      "go",
      "will",      "want",     "hope",      "think",   "chose",    "choose", "like",      "enjoy",
      "share",     "exchange", "would",     "believe", "make",     "order",  "say",       "also",
      "then",      "finally",  "both",      "start",   "continue", "order",  "buy",       "eat",
      "leave",     "prefer",   "find",      "feel",    "complain", "try",    "set",       "wish",
      "keep",      "end",      "negotiate", "play",    "watch",    "wait",   "celebrate", "see",
      "cooperate", "marry",    "dance",     "travel",  "visit"};
  return kVerbs.contains(verb);
}

class Resolver {
 public:
  Resolver(Gender you, Gender other) : genders_{you, other, Gender::kMale, Gender::kFemale} {
    genders_[kSomebody] = Gender::kUnknown;
  }

  SentenceReferents resolve(const std::vector<Token>& tokens) {
    begin(tokens);
    SentenceReferents result;
    result.of.assign(tokens.size(), Referent::kNone);
    for (at_ = 0; at_ < tokens.size(); at_++) {
      const Token& token = tokens[at_];
      if (!token.word) continue;
      if (token.lower == "themself" || token.lower == "oneself" || token.lower == "him/her")
        result.clear = false;
      std::optional<Referent> referent = Referent::kNone;
      if (token.person || is_somebody(at_))
        mention(entity_of(token));
      else if (is_gendered_pronoun(token.lower))
        referent = gendered(token);
      else if (is_plural_pronoun(token.lower))
        referent = plural(token);
      else
        follow_clause(token);
      result.clear &= referent.has_value();
      result.of[at_] = referent.value_or(Referent::kNone);
    }
    end();
    return result;
  }

  // Whether every gendered pronoun could mean somebody, were the genders these.
  bool feasible() const { return !impossible_; }
  Gender gender(Entity entity) const { return genders_[size_t(entity)]; }

 private:
  void begin(const std::vector<Token>& tokens) {
    tokens_ = &tokens;
    here_ = {};
    main_subject_ = clause_subject_ = object_ = recent_ = kNobody;
    controlled_ = false;
    plural_here_ = people_here_ = false;
    pronoun_ = kNobody;
    owns_again_ = false;
    began_with_pair_ = begins_with_pair();
    here_pair_ = false;
  }
  void end() {
    before_ = here_;
    for (size_t e = 0; e < kEntities; e++) ever_[e] |= here_[e];
    last_subject_ = main_subject_;
    plural_before_ = plural_here_;
    people_before_ = people_here_;
    pair_before_ = began_with_pair_ ||
                   (here_[kYou] && here_[kSecond] && alone() && !plural_here_) ||
                   (pair_before_ && began_with_they());
  }

  const Token& token(size_t i) const { return (*tokens_)[i]; }
  size_t next_place(size_t from) const {
    while (from < tokens_->size() && !token(from).word) from++;
    return from;
  }
  const Token* next_word() const {
    const size_t i = next_place(at_ + 1);
    return i < tokens_->size() ? &token(i) : nullptr;
  }
  const Token* word_after_next() const {
    const size_t i = next_place(next_place(at_ + 1) + 1);
    return i < tokens_->size() ? &token(i) : nullptr;
  }
  // The word before with only a blank between.
  const Token* previous_word(size_t from) const {
    return from >= 2 && token(from - 1).text == " " && token(from - 2).word ? &token(from - 2)
                                                                            : nullptr;
  }
  bool is_first_word() const {
    return std::none_of(tokens_->begin(), tokens_->begin() + std::ptrdiff_t(at_),
                        [](const Token& t) { return t.word; });
  }
  bool begins_with_pair() const {
    const size_t a = next_place(0), b = next_place(a + 1), c = next_place(b + 1);
    return c < tokens_->size() && token(a).person && token(b).lower == "and" && token(c).person;
  }
  bool began_with_they() const {
    const size_t first = next_place(0);
    return first < tokens_->size() && token(first).lower.starts_with("they");
  }

  static bool is_verb(const Token& token) {
    return is_auxiliary(token.lower) || !past_of_third_person(token.lower).empty();
  }
  // Names that no list has are persons where they do something or own something.
  bool is_somebody(size_t i) const {
    const Token& here = token(i);
    if (here.actor || names_somebody(here)) return true;
    if (!std::isupper(static_cast<unsigned char>(here.text[0])) || here.text.size() < 3)
      return false;
    if (is_stopword(here.lower) || is_adverb(here.lower) || is_gendered_pronoun(here.lower) ||
        is_plural_pronoun(here.lower))
      return false;
    const size_t next = next_place(i + 1);
    const Token* before = previous_word(i);
    return before &&
           ((next < tokens_->size() && is_verb(token(next)) && !is_also_noun(token(next).lower)) ||
            !past_of_third_person(before->lower).empty());
  }
  Entity entity_of(const Token& token) const {
    if (token.person) return token.person == kYouMark ? kYou : kSecond;
    const Gender gender = gender_of_somebody(token);
    return gender == Gender::kMale ? kMan : gender == Gender::kFemale ? kWoman : kSomebody;
  }

  bool alone() const { return !here_[kMan] && !here_[kWoman] && !here_[kSomebody]; }

  bool does_what_follows() const {
    size_t i = next_place(at_ + 1);
    while (i < tokens_->size() && is_adverb(token(i).lower)) i = next_place(i + 1);
    return i < tokens_->size() && is_verb(token(i));
  }

  void mention(Entity entity) {
    const Token& here = token(at_);
    here_[entity] = true;
    recent_ = entity;
    owns_again_ = here.ending == "'s" && entity == clause_subject_;
    if (here.ending.starts_with("'s") || here.lower.ends_with("'s") || here.ending == "'") return;
    if (does_what_follows()) {
      set_subject(entity);
    } else {
      object_ = entity;
      object_at_ = at_;
    }
  }
  void set_subject(Entity entity) {
    controlled_ = false;
    clause_subject_ = entity;
    if (main_subject_ == kNobody) main_subject_ = entity;
  }

  // Words that change who does what comes next.
  void follow_clause(const Token& here) {
    plural_here_ |= is_plural_noun(here);
    people_here_ |= is_people_noun(here);
    static const WordSet kClause = {"that",  "because", "since",  "if",    "when", "as",  "while",
                                    "and",   "but",     "so",     "what",  "how",  "why", "whether",
                                    "after", "before",  "though", "which", "where"};
    static const WordSet kNoPerson = {"the",   "a",    "an",    "his",  "her",
                                      "their", "its",  "it",    "it's", "this",
                                      "there", "that", "these", "some", "no"};
    const Token* next = next_word();
    const bool goes_on = (here.lower == "and" || here.lower == "but") && next && is_verb(*next);
    if (goes_on && at_ >= 2 && token(at_ - 2).text == ",")
      clause_subject_ = main_subject_;  // "recommends a dress for Kate, who is late, and tells"
    else if (here.lower == "who" && recent_ != kNobody)
      clause_subject_ = recent_;
    else if (here.lower == "to" && object_ != kNobody && object_at_ + 2 == at_)
      clause_subject_ = object_, controlled_ = true;
    else if (kClause.contains(here.lower) && next && kNoPerson.contains(next->lower))
      clause_subject_ = kNobody;
  }

  // "her keys", not "asks her to wait".
  bool is_possessive_her() const {
    const Token* next = next_word();
    const bool ends = at_ + 1 >= tokens_->size() || token(at_ + 1).text != " ";
    return next && !ends && !next->person && !follows_object(next->lower);
  }
  Case case_of(const Token& here) const {
    if (here.lower.ends_with("self")) return Case::kReflexive;
    if (here.lower == "him") return Case::kObject;
    if (here.lower == "his" || here.lower == "hers") return Case::kPossessive;
    if (here.lower == "her") return is_possessive_her() ? Case::kPossessive : Case::kObject;
    return Case::kSubject;
  }

  // "gives him", "tells the news to her": not the subject of that verb.
  bool objects_to_clause_subject() const {
    static const WordSet kPrepositions = {"to",   "with", "for", "of",   "about",
                                          "from", "by",   "at",  "after"};
    const Token* before = previous_word(at_);
    if (!before) return false;
    const Token* verb = before;
    if (kPrepositions.contains(before->lower)) verb = previous_word(at_ - 2);
    return verb && (!past_of_third_person(verb->lower).empty() ||
                    !past_of_base(verb->lower).empty() || verb->lower == "not");
  }

  bool follows_suggestion() const {
    static const WordSet kVerbs = {"suggests", "recommends", "proposes", "demands", "requests"};
    const Token* before = previous_word(at_);
    if (before && before->lower == "that") before = previous_word(at_ - 2);
    return before && kVerbs.contains(before->lower);
  }

  struct Candidates {
    std::array<bool, kEntities> strong{}, weak{};
    bool has(Entity e) const { return e != kNobody && (strong[e] || weak[e]); }
    bool any() const {
      for (size_t e = 0; e < kEntities; e++)
        if (strong[e] || weak[e]) return true;
      return false;
    }
    void remove(Entity e) { strong[e] = weak[e] = false; }
  };
  Candidates candidates(Gender gender) const {
    Candidates found;
    for (size_t e = 0; e < kEntities; e++) {
      const bool known = here_[e] || before_[e] || (e <= kSecond && ever_[e]);
      if (!known) continue;
      found.strong[e] = genders_[e] == gender;
      found.weak[e] = genders_[e] == Gender::kUnknown;
    }
    return found;
  }

  // "In her first lesson, Beatriz stalls": the pronoun goes before.
  Entity named_later(Gender gender) const {
    for (size_t i = at_ + 1; i < tokens_->size(); i++) {
      if (!token(i).word || (!token(i).person && !is_somebody(i))) continue;
      const Entity e = entity_of(token(i));
      if (genders_[e] == gender || genders_[e] == Gender::kUnknown) return e;
    }
    return kNobody;
  }

  std::optional<Referent> gendered(const Token& here) {
    const Gender gender = pronoun_gender(here.lower);
    const Case grammatical = case_of(here);
    Candidates found = candidates(gender);
    if (grammatical == Case::kObject && clause_subject_ != kNobody && objects_to_clause_subject()) {
      Candidates others = found;
      others.remove(clause_subject_);
      // Nobody else: the verb before is another's.
      if (others.any() || main_subject_ == clause_subject_) found = others;
    }
    // Nobody suggests that he himself should do a thing.
    if (grammatical == Case::kSubject && clause_subject_ != kNobody && follows_suggestion())
      found.remove(clause_subject_);
    Entity meant = kNobody;
    if (!found.any()) {
      meant = named_later(gender);
      if (meant == kNobody) impossible_ = true;
    } else if (grammatical == Case::kReflexive) {
      meant = found.has(clause_subject_) ? clause_subject_ : only(found);
    } else {
      meant = choose(found, grammatical);
    }
    if (meant == kNobody) return std::nullopt;
    const bool strong = found.strong[meant];
    found.remove(meant);
    const bool sole = !found.any();
    if (!sole && !is_certain(meant, strong, found, grammatical)) return std::nullopt;
    note(meant, gender, grammatical, sole);
    if (meant == kYou) return Referent::kYou;
    return meant == kSecond && sole ? Referent::kOther : Referent::kNotYou;
  }

  // Whether none of the rivals can be meant in earnest. One whose gender is not known may be,
  // unless the pronoun's clause is about the one meant.
  bool is_certain(Entity meant, bool strong, const Candidates& rivals, Case grammatical) const {
    const bool rival_here =
        std::any_of(std::begin(kAllEntities), std::end(kAllEntities),
                    [&](Entity e) { return rivals.has(e) && (here_[e] || rivals.strong[e]); });
    if (grammatical == Case::kPossessive && owns_again_ && meant == recent_) return true;
    if (meant != clause_subject_ && !(is_first_word() && meant == last_subject_)) return false;
    if (grammatical == Case::kReflexive || !rival_here) return true;
    const bool strong_rival = std::any_of(std::begin(kAllEntities), std::end(kAllEntities),
                                          [&](Entity e) { return rivals.strong[e]; });
    return strong && !strong_rival && grammatical != Case::kObject;
  }

  void note(Entity meant, Gender gender, Case grammatical, bool sole) {
    if (meant == kYou || (meant == kSecond && sole)) genders_[meant] = gender;
    here_[meant] = true;
    recent_ = pronoun_ = meant;
    if (grammatical == Case::kSubject) set_subject(meant);
    if (grammatical == Case::kObject) object_ = meant, object_at_ = at_;
  }

  // The only candidate, or for several that are not the reader any of them: the pronoun stays.
  static Entity only(const Candidates& found) {
    if (found.has(kYou)) {
      Candidates rest = found;
      rest.remove(kYou);
      return rest.any() ? kNobody : kYou;
    }
    for (const Entity e : {kSecond, kMan, kWoman, kSomebody})
      if (found.strong[e]) return e;
    for (const Entity e : {kSecond, kSomebody})
      if (found.weak[e]) return e;
    return kNobody;
  }

  Entity choose(const Candidates& found, Case grammatical) const {
    if (const Entity e = only(found); e != kNobody) return e;
    // From here on the reader is one of several.
    const bool opens = grammatical == Case::kSubject && is_first_word();
    const Entity preferred = opens ? last_subject_ : controlled_ ? kNobody : clause_subject_;
    Candidates rivals = found;
    rivals.remove(kYou);
    // The same pronoun again in one sentence means the same.
    if (pronoun_ != kNobody && found.has(pronoun_) && grammatical != Case::kObject) return pronoun_;
    // "tells about Kate's job and her family": the subject, just named again.
    if (grammatical == Case::kPossessive && owns_again_ && found.has(recent_)) return recent_;
    const bool strong_rival =
        std::any_of(rivals.strong.begin(), rivals.strong.end(), [](bool b) { return b; });
    if (found.strong[kYou] && !strong_rival) {
      const bool second = rivals.has(kSecond);
      return preferred == kYou || recent_ == kYou || !second ? kYou : kNobody;
    }
    if (found.weak[kYou] && strong_rival) {
      if (preferred != kNobody && rivals.strong[preferred]) return preferred;
      if (recent_ != kNobody && rivals.strong[recent_] && grammatical != Case::kSubject &&
          is_addressed())
        return recent_;
      const bool further = recent_ == kMan || recent_ == kWoman;
      return further && preferred == kNobody && rivals.strong[recent_] ? recent_ : kNobody;
    }
    return subject_alone(rivals, preferred, grammatical, opens);
  }

  // Two may be meant alike: the subject, where the other was not spoken of beside it.
  Entity subject_alone(const Candidates& rivals, Entity preferred, Case grammatical,
                       bool opens) const {
    const std::array<bool, kEntities>& beside = opens ? before_ : here_;
    const auto rival_beside = [&] {
      for (size_t e = 0; e < kEntities; e++)
        if ((here_[e] || before_[e]) && rivals.has(Entity(e))) return true;
      return false;
    };
    if (grammatical == Case::kObject) return kNobody;
    if (preferred == kYou && !rival_beside()) return kYou;
    if (rivals.has(preferred) && !beside[kYou] && !before_[kYou]) return preferred;
    return kNobody;
  }

  // "asks Mary to bring her": what is asked of somebody concerns him.
  bool is_addressed() const {
    static const WordSet kDirected = {
        "asks",    "invites",     "encourages", "advises", "suggests",      "reminds", "accuses",
        "helps",   "teaches",     "offers",     "thanks",  "congratulates", "warns",   "interviews",
        "praises", "compliments", "persuades",  "wants",   "urges",         "orders",  "gives"};
    for (size_t i = at_; i-- > 0;)
      if (token(i).word && !past_of_third_person(token(i).lower).empty())
        return kDirected.contains(token(i).lower);
    return false;
  }

  std::optional<Referent> plural(const Token& here) {
    const Token* before = previous_word(at_);
    const Token* next = next_word();
    const bool seen = (ever_[kYou] || here_[kYou]) && (ever_[kSecond] || here_[kSecond]);
    const bool first = is_first_word();
    const bool done = next && here.lower == "they" && is_done_by_two(next->lower);
    const bool people = people_here_ || (first && people_before_);
    // "says they will fit" is said of two more guests, "they will meet" of the two.
    const Token* verb = next && is_auxiliary(next->lower) ? word_after_next() : next;
    const bool modal = here.lower == "they'll" || verb != next;
    const bool of_pair = began_with_pair_ || (first && pair_before_) || here_pair_ ||
                         (verb && is_done_by_two(verb->lower));
    if ((done || modal) && !people && (modal ? seen && of_pair : seen || alone())) {
      here_pair_ = true;
      return Referent::kPair;
    }
    const Token* both = before && before->lower == "of" ? previous_word(at_ - 2) : nullptr;
    if (here.lower == "them" && both && both->lower == "both" && seen && alone() && !people)
      return Referent::kPair;
    if (next && next->lower == "both" && seen && alone()) return Referent::kPair;
    if (before && here.lower == "they" &&
        (before->lower == "suggests" || before->lower == "proposes") && (seen || alone()))
      return Referent::kPair;
    if (first) {
      static const WordSet kTogether = {"agree", "decide",  "talk",    "discuss", "arrange",
                                        "argue", "chat",    "plan",    "settle",  "debate",
                                        "toast", "compare", "promise", "joke"};
      if (pair_before_ && here.lower.starts_with("they")) return Referent::kPair;
      if (next && seen && kTogether.contains(next->lower) && here.lower == "they")
        return Referent::kPair;
      return people_before_ ? std::optional(Referent::kNotYou) : std::nullopt;
    }
    // "so that the boxes were full and they could not": the two, or the boxes?
    if (people_here_ || (here.lower == "them" && (plural_here_ || plural_before_)))
      return Referent::kNotYou;
    if (alone() && (began_with_pair_ || (pair_before_ && began_with_they())))
      return here.lower == "theirs" ? std::nullopt : std::optional(Referent::kPair);
    return std::nullopt;
  }

  const std::vector<Token>* tokens_ = nullptr;
  size_t at_ = 0;
  std::array<Gender, kEntities> genders_{};
  std::array<bool, kEntities> here_{}, before_{}, ever_{};  // spoken of: in this sentence and so on
  Entity main_subject_ = kNobody, clause_subject_ = kNobody, object_ = kNobody, recent_ = kNobody;
  Entity last_subject_ = kNobody;
  size_t object_at_ = 0;
  bool controlled_ = false;  // the clause's subject is the object of the verb before: "asks Bob to"
  bool owns_again_ = false;  // the last person spoken of is the clause's subject, as an owner
  Entity pronoun_ = kNobody;  // whom the last gendered pronoun of the sentence means
  bool plural_here_ = false, plural_before_ = false;
  bool people_here_ = false, people_before_ = false;
  bool began_with_pair_ = false, pair_before_ = false;
  bool here_pair_ = false;  // a "they" of the sentence means the two
  bool impossible_ = false;
};

// The genders under which every pronoun can mean somebody, as far as all of them agree.
void demand_genders(const std::vector<MarkedSentence>& sentences, Gender& you, Gender& other) {
  const auto choices = [](Gender known) {
    return known == Gender::kUnknown ? std::vector{Gender::kFemale, Gender::kMale}
                                     : std::vector{known};
  };
  std::vector<std::pair<Gender, Gender>> possible;
  for (const Gender a : choices(you))
    for (const Gender b : choices(other)) {
      Resolver resolver(a, b);
      for (const MarkedSentence& sentence : sentences) resolver.resolve(sentence.tokens);
      if (resolver.feasible()) possible.emplace_back(a, b);
    }
  if (possible.empty()) return;
  const auto all = [&](auto member) {
    return std::all_of(possible.begin(), possible.end(),
                       [&](const auto& p) { return p.*member == possible[0].*member; });
  };
  if (all(&std::pair<Gender, Gender>::first)) you = possible[0].first;
  if (all(&std::pair<Gender, Gender>::second)) other = possible[0].second;
}

}  // namespace

References resolve_pronouns(const std::vector<MarkedSentence>& sentences, Gender you,
                            Gender other) {
  const bool asked = std::any_of(sentences.begin(), sentences.end(), [](const MarkedSentence& s) {
    return std::any_of(s.tokens.begin(), s.tokens.end(),
                       [](const Token& token) { return is_gendered_pronoun(token.lower); });
  });
  if (asked && (you == Gender::kUnknown || other == Gender::kUnknown))
    demand_genders(sentences, you, other);
  Resolver resolver(you, other);
  References references;
  for (const MarkedSentence& sentence : sentences)
    references.sentences.push_back(resolver.resolve(sentence.tokens));
  references.you = resolver.gender(kYou);
  references.other = resolver.gender(kSecond);
  return references;
}

}  // namespace chatmem
