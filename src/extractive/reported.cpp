#include "extractive/reported.h"

#include <cctype>
#include <vector>

#include "base/chars.h"
#include "extractive/word_lists.h"
#include "text/words.h"

namespace chatmem {
namespace {

struct Token {
  std::string text;   // as written
  std::string lower;  // with straight apostrophes
  bool word = false;
};

// Typographic apostrophes become straight ones, so that one table serves both.
std::string with_straight_apostrophes(std::string_view text) {
  std::string out(text);
  for (size_t at; (at = out.find("\xE2\x80\x99")) != out.npos;) out.replace(at, 3, "'");
  return out;
}

std::vector<Token> tokenize(const std::string& text) {
  std::vector<Token> tokens;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    const bool word = is_word_char(text[i]);
    if (word)
      while (end < text.size() &&
             (is_word_char(text[end]) ||
              (text[end] == '\'' && end + 1 < text.size() && is_word_char(text[end + 1]))))
        end++;
    Token token{text.substr(i, end - i), {}, word};
    token.lower = to_lower_ascii(token.text);
    tokens.push_back(std::move(token));
    i = end;
  }
  return tokens;
}

// The past of verbs that often follow "I" or "you"; only forms that are the same for all persons.
const PhraseMap& past_forms() {
  static const PhraseMap kPast = phrase_map(
      "need needed|want wanted|think thought|know knew|hope hoped|love loved|like liked|feel felt|"
      "look looked|plan planned|understand understood|agree agreed|believe believed|guess guessed|"
      "remember remembered|appreciate appreciated|wonder wondered|work worked|live lived|get got|"
      "go went|see saw|mean meant|find found|prefer preferred|enjoy enjoyed|expect expected|"
      "suggest suggested|recommend recommended|promise promised|have had|do did|am was|are were|"
      "take took|make made|use used|try tried|hate hated|wish wished|deserve deserved|"
      "suppose supposed|miss missed|keep kept|help helped|seem seemed|start started|"
      "intend intended|own owned|play played|study studied|travel travelled|stay stayed|run ran|"
      "teach taught|come came|give gave|say said|spend spent|realize realized|don't didn't|"
      "haven't hadn't|aren't weren't|can could|can't couldn't|cannot could not|will would|"
      "won't wouldn't|may might|shall should");
  return kPast;
}

// Verb forms that reported speech leaves as they are.
bool is_settled_verb(std::string_view word) {
  static const PhraseSet kSettled = phrase_set(
      "would|could|should|might|must|had|was|did|wouldn't|couldn't|shouldn't|didn't|wasn't|hadn't|"
      "were|weren't|got|went|saw|took|made|found|thought|knew|felt|came|gave|told|said|heard|met|"
      "left|lost|bought|sent|spent|won|ran|ate|wrote|broke|began|chose|drove|fell|forgot|grew|"
      "kept|led|paid|put|read|sold|slept|spoke|taught|woke|wore|caught|brought|built|held|meant|"
      "understood|used|ended|saved|set");
  if (kSettled.contains(word)) return true;
  // "needed"; but "need", "feed", "speed" are no past forms.
  return word.size() > 4 && word.ends_with("ed") && !word.ends_with("eed");
}

// The past of a known verb in the third person ("feels": "felt"); empty for other words.
std::string_view past_of_she_form(std::string_view word) {
  if (word == "has") return "had";
  if (!word.ends_with('s')) return {};
  const std::string_view stem = word.substr(0, word.size() - 1);
  std::vector<std::string> bases = {std::string(stem)};
  if (stem.ends_with('e')) bases.emplace_back(stem.substr(0, stem.size() - 1));
  if (stem.ends_with("ie")) bases.push_back(std::string(stem.substr(0, stem.size() - 2)) + 'y');
  for (const std::string& base : bases)
    if (const auto it = past_forms().find(base); it != past_forms().end()) return it->second;
  return {};
}

bool is_adverb(std::string_view word) {
  static const PhraseSet kAdverbs = phrase_set(
      "really|just|also|still|always|never|definitely|actually|already|only|often|usually|even|"
      "totally|completely|probably|finally|truly|certainly|recently|originally|absolutely|"
      "honestly|sometimes|now|simply|both|almost|quite|personally|genuinely|currently");
  return kAdverbs.contains(word);
}

class Converter {
 public:
  Converter(std::vector<Token> tokens, const ReportedSpeech& speech)
      : tokens_(std::move(tokens)),
        speech_(speech),
        speaker_(pronouns_of(speech.speaker_gender)),
        addressee_(pronouns_of(speech.addressee_gender)) {}

  std::optional<std::string> run() {
    if (!opens_with_a_clause() || has_pronoun_of_ours()) return std::nullopt;
    for (at_ = 0; at_ < tokens_.size() && !failed_; at_++) {
      if (tokens_[at_].word)
        convert_word();
      else
        out_ += tokens_[at_].text;
    }
    return failed_ ? std::nullopt : std::optional(out_);
  }

 private:
  const Token* next_word(size_t from) const {
    for (size_t i = from; i < tokens_.size(); i++) {
      if (tokens_[i].word) return &tokens_[i];
      if (tokens_[i].text != " ") return nullptr;  // punctuation ends the search
    }
    return nullptr;
  }
  const Token* next_word() const { return next_word(at_ + 1); }
  const Token* previous_word() const {
    for (size_t i = at_; i-- > 0;) {
      if (tokens_[i].word) return &tokens_[i];
      if (tokens_[i].text != " ") return nullptr;
    }
    return nullptr;
  }
  bool is_after(const PhraseSet& words) const {
    const Token* before = previous_word();
    return before && words.contains(before->lower);
  }
  // The index of the verb that follows, adverbs passed over, or nothing.
  std::optional<size_t> verb_ahead() const {
    for (const Token* next = next_word(); next; next = next_word(next - tokens_.data() + 1))
      if (!is_adverb(next->lower)) return next - tokens_.data();
    return std::nullopt;
  }

  // The sentence must begin with a subject: a pronoun, or a determiner or possessive.
  bool opens_with_a_clause() const {
    static const PhraseSet kOpeners = phrase_set(
        "i|i'm|i've|i'll|i'd|my|you|you're|you've|you'll|you'd|your|the|there's|there|it's|it|they|"
        "they're|they've|she|she's|he|he's|everyone|nobody|someone|some|many|most|both");
    if (tokens_.empty() || !kOpeners.contains(tokens_[0].lower)) return false;
    const Token* second = next_word(1);
    if (!second) return false;
    if (tokens_[0].lower == "you" && (second->lower == "know" || second->lower == "see"))
      return false;  // fillers
    return has_finite_verb();
  }

  // A clause has a verb that shows its tense; fragments ("The cheap train?") have none.
  bool has_finite_verb() const {
    static const PhraseSet kFinite = phrase_set("is|has|does|doesn't|it's|there's");
    for (const Token& token : tokens_)
      if (token.word &&
          (kFinite.contains(token.lower) || is_settled_verb(token.lower) ||
           past_forms().contains(token.lower) ||
           (token.lower.find('\'') != token.lower.npos && !token.lower.ends_with("'s"))))
        return true;
    return false;
  }

  // "He just retired", said by Tom, must not become "Tom said that he just retired".
  bool has_pronoun_of_ours() const {
    if (speech_.by_you && !speech_.two_people) return false;
    const Pronouns& ours = speech_.by_you ? addressee_ : speaker_;
    for (const Token& token : tokens_) {
      const std::string_view word = std::string_view(token.lower).substr(0, token.lower.find('\''));
      for (const std::string_view pronoun :
           {ours.subject, ours.object, ours.possessive, ours.possessive_alone, ours.reflexive})
        if (word == pronoun) return true;
    }
    return false;
  }

  void convert_word() {
    // "We" may or may not include the reader; "Mum", "here" and "this" are clear only in the
    // speaker's own words.
    static const PhraseSet kUnsafe = phrase_set(
        "we|we're|we've|we'll|we'd|us|our|ours|ourselves|let's|y'all|mom|dad|mum|here|this|that's|"
        "what's|who's|where's|how's");
    const std::string& word = tokens_[at_].lower;
    if (convert_time()) return;
    if (kUnsafe.contains(word))
      failed_ = true;
    else if (!convert_first_person(word) && !convert_second_person(word) &&
             !convert_third_person(word))
      convert_other(word);
  }

  // "today" was the day of the message, not the day of the summary.
  bool convert_time() {
    static const PhraseMap kDays = phrase_map(
        "today that day|tomorrow the next day|yesterday the day before|tonight that night|"
        "today's that day's|tomorrow's the next day's|tonight's that night's|ago before");
    static const PhraseMap kBeforePartOfDay =
        phrase_map("tomorrow the next|yesterday the previous");
    static const PhraseMap kBeforePeriod =
        phrase_map("this that|next the following|last the previous");
    static const PhraseSet kPartsOfDay = phrase_set("morning|afternoon|evening|night");
    static const PhraseSet kPeriods = phrase_set(
        "morning|afternoon|evening|night|week|weekend|month|year|summer|winter|spring|fall|autumn|"
        "semester|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|april|"
        "june|july|august|september|october|november|december");
    static const PhraseSet kDeterminers = phrase_set("the|my|your|our");
    const auto replace = [&](const PhraseMap& map) {
      const auto it = map.find(tokens_[at_].lower);
      if (it != map.end()) out_ += it->second;
      return it != map.end();
    };
    static const PhraseSet kWeekdays =
        phrase_set("monday|tuesday|wednesday|thursday|friday|saturday|sunday");
    static const PhraseSet kTellsWhich = phrase_set("this|next|last|every|each");
    if (kWeekdays.contains(tokens_[at_].lower)) {
      failed_ = !is_after(kTellsWhich);  // "on Friday": of the week of the message
      return false;
    }
    const Token* next = next_word();
    if (next && kPartsOfDay.contains(next->lower) && replace(kBeforePartOfDay)) return true;
    if (replace(kDays)) {
      static const PhraseSet kAfterBefore = phrase_set("after|before");
      failed_ = is_after(kAfterBefore);  // "the day after tomorrow"
      return true;
    }
    return next && kPeriods.contains(next->lower) && !is_after(kDeterminers) &&
           replace(kBeforePeriod);
  }

  // Writes the verb phrase after a subject that was just written. `plural` is the number of the
  // new subject for "was". An unknown verb is not safe.
  void convert_verb(bool plural) {
    begin_clause();
    const std::optional<size_t> ahead = verb_ahead();
    if (!ahead) {
      failed_ = true;
      return;
    }
    const std::string& verb = tokens_[*ahead].lower;
    static const PhraseSet kBe = phrase_set("am|was|are|were");
    static const PhraseSet kNotBe = phrase_set("wasn't|weren't|aren't");
    if (kBe.contains(verb))
      write_verb(*ahead, plural ? "were" : "was");
    else if (kNotBe.contains(verb))
      write_verb(*ahead, plural ? "weren't" : "wasn't");
    else if (const auto it = past_forms().find(verb); it != past_forms().end())
      write_verb(*ahead, it->second);
    else if (is_settled_verb(verb))
      write_verb(*ahead, verb);
    else
      failed_ = true;
  }

  // The adverbs up to tokens_[verb], then `past` in its place.
  void write_verb(size_t verb, std::string_view past) {
    for (size_t i = at_ + 1; i < verb; i++) out_ += tokens_[i].lower;
    out_ += past;
    note_verb(tokens_[verb].lower);
    at_ = verb;
  }

  void begin_clause() { clause_seen_ = true, infinitive_ = false; }
  // After a modal or "to", verbs joined by "and" stay in their base form.
  void note_verb(std::string_view word) {
    static const PhraseSet kBeforeInfinitives = phrase_set(
        "to|can|could|will|would|may|might|must|shall|should|let|help|can't|couldn't|won't|wouldn'"
        "t");
    infinitive_ |= kBeforeInfinitives.contains(word);
  }

  // Subject and contracted verb: "'m" "'ve" "'ll" "'d" "'re".
  void convert_contraction(std::string_view subject, std::string_view verb, bool plural) {
    begin_clause();
    out_ += subject;
    if (verb == "'m" || verb == "'re") {
      out_ += plural ? " were" : " was";
    } else if (verb == "'ve") {
      out_ += " had";
      // "I've got", which means having, becomes "had".
      const Token* next = next_word();
      if (next && next->lower == "got") at_ = size_t(next - tokens_.data());
    } else if (verb == "'ll" || verb == "'d") {
      out_ += verb == "'ll" ? " would" : "'d";
      infinitive_ = true;
    } else {
      failed_ = true;
    }
  }

  bool convert_first_person(const std::string& word) {
    const std::string_view self = speech_.by_you ? "you" : speaker_.subject;
    const bool plural = speech_.by_you || speaker_.plural;
    static const PhraseSet kAnd = phrase_set("and");
    if (word == "i") {
      out_ += self;
      if (!clause_seen_ && is_after(kAnd)) failed_ = true;  // "my friend and I"
      convert_verb(plural);
    } else if (word.starts_with("i'")) {
      convert_contraction(self, std::string_view(word).substr(1), plural);
    } else if (word == "me") {
      out_ += speech_.by_you ? "you" : speaker_.object;
    } else if (word == "my") {
      out_ += speech_.by_you ? "your" : speaker_.possessive;
    } else if (word == "mine") {
      out_ += speech_.by_you ? "yours" : speaker_.possessive_alone;
    } else if (word == "myself") {
      out_ += speech_.by_you ? "yourself" : speaker_.reflexive;
    } else {
      return false;
    }
    return true;
  }

  bool convert_second_person(const std::string& word) {
    static const PhraseSet kForms = phrase_set("you|your|yours|yourself");
    const bool contracted = word.starts_with("you'");
    if (!contracted && !kForms.contains(word)) return false;
    const bool by_you = speech_.by_you, plural = !by_you || addressee_.plural;
    const std::string_view subject = by_you ? addressee_.subject : "you";
    if (!speech_.two_people) {
      failed_ = true;
    } else if (contracted) {
      convert_contraction(subject, std::string_view(word).substr(3), plural);
    } else if (word == "your") {
      out_ += by_you ? addressee_.possessive : "your";
    } else if (word == "yours") {
      out_ += by_you ? addressee_.possessive_alone : "yours";
    } else if (word == "yourself") {
      out_ += by_you ? addressee_.reflexive : "yourself";
    } else if (you_is_subject()) {
      out_ += subject;
      convert_verb(plural);
    } else if (by_you ? you_is_object() : !you_may_be_subject()) {
      out_ += by_you ? addressee_.object : "you";
    } else {
      failed_ = true;
    }
    return true;
  }

  // Whether the word "you" here is a subject: a known verb follows.
  bool you_is_subject() const {
    static const PhraseSet kCausatives =
        phrase_set("let|make|made|help|helped|see|seeing|hear|hearing|watch|watching|have|to|for");
    const std::optional<size_t> verb = verb_ahead();
    return !is_after(kCausatives) && verb &&
           (past_forms().contains(tokens_[*verb].lower) || is_settled_verb(tokens_[*verb].lower));
  }
  bool you_may_be_subject() const {
    static const PhraseSet kBeforeSubjects = phrase_set(
        "and|but|or|that|if|when|because|as|so|what|how|where|once|while|until|since|before|after|"
        "think|hope|know|guess|sure|glad|whenever|whatever|which|soon");
    return !previous_word() || is_after(kBeforeSubjects);
  }
  bool you_is_object() const {
    static const PhraseSet kBefore = phrase_set(
        "to|for|with|of|about|at|from|on|by|see|help|tell|give|send|show|told|gave|support|love|"
        "miss|meet|ask|bring|let|call|sent|like|behind|thank|want|need|get");
    static const PhraseSet kAfter = phrase_set(
        "to|a|the|some|on|in|at|for|with|out|about|and|more|my|soon|again|later|when|if|through|"
        "there|know|all");
    const Token* next = next_word();
    return is_after(kBefore) && (!next || kAfter.contains(next->lower));
  }

  // "She means": the verb follows its subject into the past. An unknown verb in the present ("it
  // shows") is not safe.
  bool convert_third_person(const std::string& word) {
    static const PhraseSet kSubjects = phrase_set("he|she|they|it|who|which");
    static const PhraseSet kNoVerbs = phrase_set("as|this|was|us|its|his|across|perhaps|less|plus");
    if (!kSubjects.contains(word)) return false;
    out_ += at_ == 0 ? word : tokens_[at_].text;
    if (word != "it") begin_clause();
    const std::optional<size_t> ahead = verb_ahead();
    if (!ahead) return true;
    const std::string& verb = tokens_[*ahead].lower;
    std::string_view past = past_of_she_form(verb);
    if (word == "they" && past_forms().contains(verb)) past = past_forms().at(verb);
    if (!past.empty()) {
      write_verb(*ahead, past);
    } else if (!past_auxiliaries().contains(verb) && !is_settled_verb(verb)) {
      const bool always_subject = word == "he" || word == "she" || word == "they";
      failed_ = always_subject || (verb.ends_with('s') && !kNoVerbs.contains(verb));
    }
    return true;
  }

  static const PhraseMap& past_auxiliaries() {
    static const PhraseMap kPast = phrase_map(
        "is was|are were|isn't wasn't|aren't weren't|will would|won't wouldn't|can could|"
        "can't couldn't|may might|has had|hasn't hadn't|doesn't didn't|"
        "it'll it would|they're they were|they've they had|they'll they would|she'll she would|"
        "he'll he would");
    return kPast;
  }

  // Verbs of the third person move into the past where they are known to be verbs; everything else
  // stays.
  void convert_other(const std::string& word) {
    static const PhraseSet kDeterminers = phrase_set("the|a|an|my|your|his|her|their");
    static const PhraseSet kVerbsOnly = phrase_set(
        "feels|means|makes|gives|seems|comes|gets|knows|says|keeps|thinks|goes|takes|does");
    const auto auxiliary = past_auxiliaries().find(word);
    const bool verb_place = !is_after(kDeterminers);  // "the will", "a can": nouns
    if (word.ends_with("'s")) {
      convert_s(word);
    } else if (is_joined_present(word)) {
      failed_ = true;
    } else if (auxiliary != past_auxiliaries().end() && verb_place) {
      clause_seen_ = true;
      out_ += auxiliary->second;
    } else if (kVerbsOnly.contains(word) && verb_place) {
      out_ += past_of_she_form(word);
    } else {
      clause_seen_ |= is_settled_verb(word);
      out_ += at_ == 0 ? word : tokens_[at_].text;
    }
    note_verb(word);
  }

  // "I called and was told", "I went there and have a ticket": the second verb belongs to the
  // subject that has changed.
  bool is_joined_present(const std::string& word) const {
    static const PhraseSet kConjunctions = phrase_set("and|but|or|then");
    if (word == "am") return true;
    if (!is_after(kConjunctions)) return false;
    if (word == "was" || word == "wasn't") return speech_.by_you || speaker_.plural;
    return past_forms().contains(word) && !past_auxiliaries().contains(word) &&
           (!infinitive_ || word.find('\'') != word.npos);
  }

  // "'s" of a pronoun is "was" or "had"; of a noun it is safe only where it cannot be a verb.
  void convert_s(const std::string& word) {
    static const PhraseSet kPronouns = phrase_set("it's|she's|he's|there's");
    static const PhraseSet kAfterVerb = phrase_set("been|got|not|a|an|the|so|going");
    const std::optional<size_t> ahead = verb_ahead();
    const std::string next = ahead ? tokens_[*ahead].lower : "";
    if (!kPronouns.contains(word)) {
      failed_ = kAfterVerb.contains(next) || next.ends_with("ing");
      out_ += tokens_[at_].text;
      return;
    }
    const bool perfect = next == "been" || next == "got";
    // "It's made": has or is?
    failed_ = !perfect && is_settled_verb(next) && next != "used" && next != "supposed";
    clause_seen_ = true;
    out_ += word.substr(0, word.size() - 2) + (perfect ? " had" : " was");
  }

  std::vector<Token> tokens_;
  const ReportedSpeech& speech_;
  const Pronouns& speaker_;
  const Pronouns& addressee_;
  size_t at_ = 0;
  bool failed_ = false;
  bool clause_seen_ = false;  // a subject with its verb came before
  bool infinitive_ = false;   // a modal or "to" came since the last subject
  std::string out_;
};

// Without full stops, laughter and pictures at the end.
std::string_view without_trimmings(std::string_view text) {
  const auto ends_with_picture = [&] {
    return text.size() >= 4 && static_cast<unsigned char>(text[text.size() - 4]) >= 0xF0;
  };
  for (size_t before = text.size() + 1; text.size() < before;) {
    before = text.size();
    while (!text.empty() && std::string_view(".! ,").find(text.back()) != text.npos)
      text.remove_suffix(1);
    if (ends_with_picture()) text.remove_suffix(4);
    for (const std::string_view laughter : {" haha", " lol", " hehe", " Haha", " LOL", "\uFE0F"})
      if (text.ends_with(laughter)) text.remove_suffix(laughter.size());
  }
  return text;
}

}  // namespace

std::optional<std::string> reported_clause(std::string_view sentence,
                                           const ReportedSpeech& speech) {
  constexpr size_t kMaxBytes = 400;
  const std::string_view trimmed = without_trimmings(sentence);
  // Several sentences, quotations, questions, lists and code are left in the speaker's words.
  const bool plain = trimmed.find_first_of("?!\"();:[]<>{}`*|\n") == trimmed.npos;
  if (trimmed.empty() || trimmed.size() > kMaxBytes || !plain) return std::nullopt;
  for (const std::string_view mark : {"...", " - ", "–", "—", "…", "\xF0"})
    if (trimmed.find(mark) != trimmed.npos) return std::nullopt;
  return Converter(tokenize(with_straight_apostrophes(trimmed)), speech).run();
}

}  // namespace chatmem
