#include "extractive/reported.h"

#include <cctype>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/words.h"

namespace chatmem {
namespace {

using Words = std::unordered_set<std::string_view>;

struct Token {
  std::string text;   // as written
  std::string lower;  // with straight apostrophes
  bool word = false;
};

bool is_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
}

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
    const bool word = is_letter(text[i]);
    if (word)
      while (end < text.size() &&
             (is_letter(text[end]) ||
              (text[end] == '\'' && end + 1 < text.size() && is_letter(text[end + 1]))))
        end++;
    Token token{text.substr(i, end - i), {}, word};
    token.lower = to_lower_ascii(token.text);
    tokens.push_back(std::move(token));
    i = end;
  }
  return tokens;
}

// The past of verbs that often follow "I" or "you"; only forms that are the same for all persons.
const std::unordered_map<std::string_view, std::string_view>& past_forms() {
  static const std::unordered_map<std::string_view, std::string_view> kPast = {
      {"need", "needed"},
      {"want", "wanted"},
      {"think", "thought"},
      {"know", "knew"},
      {"hope", "hoped"},
      {"love", "loved"},
      {"like", "liked"},
      {"feel", "felt"},
      {"look", "looked"},
      {"plan", "planned"},
      {"understand", "understood"},
      {"agree", "agreed"},
      {"believe", "believed"},
      {"guess", "guessed"},
      {"remember", "remembered"},
      {"appreciate", "appreciated"},
      {"wonder", "wondered"},
      {"work", "worked"},
      {"live", "lived"},
      {"get", "got"},
      {"go", "went"},
      {"see", "saw"},
      {"mean", "meant"},
      {"find", "found"},
      {"prefer", "preferred"},
      {"enjoy", "enjoyed"},
      {"expect", "expected"},
      {"suggest", "suggested"},
      {"recommend", "recommended"},
      {"promise", "promised"},
      {"have", "had"},
      {"do", "did"},
      {"am", "was"},
      {"are", "were"},
      {"take", "took"},
      {"make", "made"},
      {"use", "used"},
      {"try", "tried"},
      {"hate", "hated"},
      {"wish", "wished"},
      {"deserve", "deserved"},
      {"suppose", "supposed"},
      {"miss", "missed"},
      {"keep", "kept"},
      {"help", "helped"},
      {"seem", "seemed"},
      {"start", "started"},
      {"intend", "intended"},
      {"own", "owned"},
      {"play", "played"},
      {"study", "studied"},
      {"travel", "travelled"},
      {"stay", "stayed"},
      {"run", "ran"},
      {"teach", "taught"},
      {"come", "came"},
      {"give", "gave"},
      {"say", "said"},
      {"spend", "spent"},
      {"realize", "realized"},
      {"usually", ""},
      {"don't", "didn't"},
      {"haven't", "hadn't"},
      {"aren't", "weren't"},
      {"can", "could"},
      {"can't", "couldn't"},
      {"cannot", "could not"},
      {"will", "would"},
      {"won't", "wouldn't"},
      {"may", "might"},
      {"shall", "should"}};
  return kPast;
}

// Verb forms that reported speech leaves as they are.
bool is_settled_verb(const std::string& word) {
  static const Words kSettled = {
      "would",    "could",    "should",    "might",   "must",   "had",    "was",     "did",
      "wouldn't", "couldn't", "shouldn't", "didn't",  "wasn't", "hadn't", "were",    "weren't",
      "got",      "went",     "saw",       "took",    "made",   "found",  "thought", "knew",
      "felt",     "came",     "gave",      "told",    "said",   "heard",  "met",     "left",
      "lost",     "bought",   "sent",      "spent",   "won",    "ran",    "ate",     "wrote",
      "broke",    "began",    "chose",     "drove",   "fell",   "forgot", "grew",    "kept",
      "led",      "paid",     "put",       "read",    "sold",   "slept",  "spoke",   "taught",
      "woke",     "wore",     "caught",    "brought", "built",  "held",   "meant",   "understood",
      "used",     "ended",    "saved",     "set"};
  if (kSettled.contains(word)) return true;
  // "needed"; but "need", "feed", "speed" are no past forms.
  return word.size() > 4 && word.ends_with("ed") && !word.ends_with("eed");
}

bool is_adverb(const std::string& word) {
  static const Words kAdverbs = {
      "really",     "just",       "also",      "still",    "always",    "never",    "definitely",
      "actually",   "already",    "only",      "often",    "usually",   "even",     "totally",
      "completely", "probably",   "finally",   "truly",    "certainly", "recently", "originally",
      "absolutely", "honestly",   "sometimes", "now",      "simply",    "both",     "almost",
      "quite",      "personally", "genuinely", "currently"};
  return kAdverbs.contains(word);
}

// "I'm", "you've": pronoun and rest.
bool split_contraction(const std::string& word, std::string& subject, std::string& verb) {
  const size_t quote = word.find('\'');
  if (quote == word.npos) return false;
  subject = word.substr(0, quote);
  verb = word.substr(quote);
  return true;
}

class Converter {
 public:
  Converter(std::vector<Token> tokens, const ReportedSpeech& speech)
      : tokens_(std::move(tokens)),
        speech_(speech),
        speaker_(pronouns_of(speech.speaker_gender)),
        addressee_(pronouns_of(speech.addressee_gender)) {}

  std::optional<std::string> run() {
    if (!opens_with_a_clause()) return std::nullopt;
    for (at_ = 0; at_ < tokens_.size(); at_++) {
      if (!tokens_[at_].word) {
        out_ += tokens_[at_].text;
        continue;
      }
      if (!convert_word()) return std::nullopt;
    }
    return out_;
  }

 private:
  const Token* next_word(size_t from) const {
    for (size_t i = from; i < tokens_.size(); i++) {
      if (tokens_[i].word) return &tokens_[i];
      if (tokens_[i].text != " ") return nullptr;  // punctuation ends the search
    }
    return nullptr;
  }
  const Token* previous_word() const {
    for (size_t i = at_; i-- > 0;) {
      if (tokens_[i].word) return &tokens_[i];
      if (tokens_[i].text != " ") return nullptr;
    }
    return nullptr;
  }

  // The sentence must begin with a subject: a pronoun, or a determiner or possessive.
  bool opens_with_a_clause() const {
    if (tokens_.empty() || !tokens_[0].word) return false;
    static const Words kOpeners = {
        "i",        "i'm",    "i've",    "i'll",    "i'd",  "my",      "you",   "you're",
        "you've",   "you'll", "you'd",   "your",    "the",  "there's", "there", "it's",
        "it",       "they",   "they're", "they've", "she",  "she's",   "he",    "he's",
        "everyone", "nobody", "someone", "some",    "many", "most",    "both"};
    if (!kOpeners.contains(tokens_[0].lower)) return false;
    const Token* second = next_word(1);
    if (!second) return false;
    if (tokens_[0].lower == "you" && (second->lower == "know" || second->lower == "see"))
      return false;  // fillers
    return has_finite_verb();
  }

  // A clause has a verb that shows its tense; fragments ("The cheap train?") have none.
  bool has_finite_verb() const {
    static const Words kFinite = {"is",     "are",   "was",     "were",   "am",    "has",
                                  "have",   "had",   "will",    "would",  "can",   "could",
                                  "should", "may",   "might",   "must",   "do",    "does",
                                  "did",    "don't", "doesn't", "didn't", "won't", "can't"};
    for (const Token& token : tokens_)
      if (token.word &&
          (kFinite.contains(token.lower) || is_settled_verb(token.lower) ||
           past_forms().contains(token.lower) ||
           (token.lower.find('\'') != token.lower.npos && !token.lower.ends_with("'s")) ||
           token.lower == "it's" || token.lower == "there's"))
        return true;
    return false;
  }

  bool convert_word() {
    const std::string& word = tokens_[at_].lower;
    // "We" may or may not include the reader; "Mum", "here" and "this" are clear only in the
    // speaker's own words.
    static const Words kUnsafe = {"we",  "we're", "we've",     "we'll", "we'd",  "us",
                                  "our", "ours",  "ourselves", "let's", "y'all", "mom",
                                  "dad", "mum",   "here",      "this",  "that's"};
    if (kUnsafe.contains(word)) return convert_time();
    if (convert_time()) return true;
    if (convert_first_person(word) || convert_second_person(word)) return !failed_;
    if (failed_) return false;
    convert_other(word);
    return true;
  }

  // "today" was the day of the message, not the day of the summary.
  bool convert_time() {
    static const std::unordered_map<std::string_view, std::string_view> kDays = {
        {"today", "that day"},
        {"tomorrow", "the next day"},
        {"yesterday", "the day before"},
        {"tonight", "that night"}};
    static const Words kPeriods = {"morning", "afternoon", "evening", "week",
                                   "weekend", "month",     "year",    "summer",
                                   "winter",  "spring",    "fall",    "semester"};
    static const Words kWeekdays = {"monday", "tuesday",  "wednesday", "thursday",
                                    "friday", "saturday", "sunday"};
    const std::string& word = tokens_[at_].lower;
    if (const auto it = kDays.find(word); it != kDays.end()) {
      out_ += it->second;
      return true;
    }
    const Token* next = next_word(at_ + 1);
    if (!next || !(kPeriods.contains(next->lower) || kWeekdays.contains(next->lower))) return false;
    const Token* before = previous_word();
    const bool after_the = before && (before->lower == "the" || before->lower == "my" ||
                                      before->lower == "your" || before->lower == "our");
    if (after_the) return false;
    if (word == "this")
      out_ += "that";
    else if (word == "next")
      out_ += "the following";
    else if (word == "last")
      out_ += "the previous";
    else
      return false;
    return true;
  }

  void emit(std::string_view text) { out_ += text; }

  // Writes the verb phrase after a subject that was just written. `plural` is the number of the
  // new subject for "was".
  bool convert_verb(bool plural) {
    size_t i = at_ + 1;
    std::string between;
    for (; i < tokens_.size(); i++) {
      if (!tokens_[i].word) {
        if (tokens_[i].text != " ") return false;
        between += " ";
        continue;
      }
      if (!is_adverb(tokens_[i].lower)) break;
      between += tokens_[i].lower;
    }
    if (i >= tokens_.size()) return false;
    const std::string& verb = tokens_[i].lower;
    std::string past;
    if (verb == "am" || verb == "was" || verb == "are" || verb == "were")
      past = plural ? "were" : "was";
    else if (verb == "wasn't" || verb == "weren't" || verb == "aren't")
      past = plural ? "weren't" : "wasn't";
    else if (const auto it = past_forms().find(verb);
             it != past_forms().end() && !it->second.empty())
      past = it->second;
    else if (is_settled_verb(verb))
      past = verb;
    else
      return false;
    out_ += between + past;
    at_ = i;
    return true;
  }

  // Subject and contracted verb: "'m" "'ve" "'ll" "'d" "'re".
  bool convert_contraction(const std::string& subject, const std::string& verb, bool plural) {
    out_ += subject;
    if (verb == "'m" || verb == "'re")
      out_ += plural ? " were" : " was";
    else if (verb == "'ve")
      convert_perfect();
    else if (verb == "'ll")
      out_ += " would";
    else if (verb == "'d")
      out_ += "'d";
    else
      return false;
    return true;
  }

  // "I've seen" becomes "had seen"; "I've got", which means having, becomes "had".
  void convert_perfect() {
    out_ += " had";
    const Token* next = next_word(at_ + 1);
    if (next && next->lower == "got") at_ = size_t(next - tokens_.data());
  }

  bool convert_first_person(const std::string& word) {
    const std::string self(speech_.by_you ? "you" : speaker_.subject);
    const bool plural = speech_.by_you || speaker_.plural;
    std::string subject, verb;
    if (word == "i") {
      out_ += self;
      if (!convert_verb(plural)) failed_ = true;
      return true;
    }
    if (split_contraction(word, subject, verb) && subject == "i") {
      failed_ = !convert_contraction(self, verb, plural);
      return true;
    }
    if (word == "me")
      emit(speech_.by_you ? "you" : speaker_.object);
    else if (word == "my")
      emit(speech_.by_you ? "your" : speaker_.possessive);
    else if (word == "mine")
      emit(speech_.by_you ? "yours" : speaker_.possessive_alone);
    else if (word == "myself")
      emit(speech_.by_you ? "yourself" : speaker_.reflexive);
    else
      return false;
    return true;
  }

  // Whether the word "you" here is a subject: a verb or adverb and verb follow.
  bool you_is_subject() const {
    static const Words kCausatives = {"let",      "make",   "made", "help",    "helped",
                                      "see",      "seeing", "hear", "hearing", "watch",
                                      "watching", "have",   "to",   "for"};
    const Token* before = previous_word();
    if (before && kCausatives.contains(before->lower)) return false;
    size_t i = at_ + 1;
    const Token* next = next_word(i);
    while (next && is_adverb(next->lower)) {
      while (&tokens_[i] != next) i++;
      next = next_word(++i);
    }
    return next && (past_forms().contains(next->lower) || is_settled_verb(next->lower));
  }

  bool convert_second_person(const std::string& word) {
    std::string subject, verb;
    const bool contracted = split_contraction(word, subject, verb) && subject == "you";
    static const Words kForms = {"you", "your", "yours", "yourself"};
    if (!contracted && !kForms.contains(word)) return false;
    if (!speech_.two_people) {
      failed_ = true;
      return true;
    }
    if (!speech_.by_you) {
      if (contracted)
        failed_ = !convert_contraction("you", verb, true);
      else if (word == "you" && you_is_subject()) {
        out_ += "you";
        failed_ = !convert_verb(true);
      } else
        emit(word);
      return true;
    }
    if (contracted)
      failed_ = !convert_contraction(std::string(addressee_.subject), verb, addressee_.plural);
    else if (word == "your")
      emit(addressee_.possessive);
    else if (word == "yours")
      emit(addressee_.possessive_alone);
    else if (word == "yourself")
      emit(addressee_.reflexive);
    else if (you_is_subject()) {
      emit(addressee_.subject);
      failed_ = !convert_verb(addressee_.plural);
    } else if (you_is_object())
      emit(addressee_.object);
    else
      failed_ = true;
    return true;
  }

  bool you_is_object() const {
    static const Words kBefore = {"to",    "for",   "with", "of",      "about", "at",   "from",
                                  "on",    "by",    "see",  "help",    "tell",  "give", "send",
                                  "show",  "told",  "gave", "support", "love",  "miss", "meet",
                                  "ask",   "bring", "let",  "call",    "sent",  "like", "behind",
                                  "thank", "want",  "need", "get"};
    const Token* before = previous_word();
    const Token* next = next_word(at_ + 1);
    static const Words kAfter = {"to",   "a",       "the",   "some",  "on",    "in",
                                 "at",   "for",     "with",  "out",   "about", "and",
                                 "more", "my",      "soon",  "again", "later", "when",
                                 "if",   "through", "there", "know",  "all"};
    return before && kBefore.contains(before->lower) && (!next || kAfter.contains(next->lower));
  }

  // Auxiliaries of the third person move into the past; everything else stays.
  void convert_other(const std::string& word) {
    static const std::unordered_map<std::string_view, std::string_view> kPast = {
        {"is", "was"},           {"are", "were"},
        {"isn't", "wasn't"},     {"aren't", "weren't"},
        {"will", "would"},       {"won't", "wouldn't"},
        {"can", "could"},        {"can't", "couldn't"},
        {"has", "had"},          {"hasn't", "hadn't"},
        {"doesn't", "didn't"},   {"there's", "there was"},
        {"it'll", "it would"},   {"they're", "they were"},
        {"they've", "they had"}, {"they'll", "they would"},
        {"she'll", "she would"}, {"he'll", "he would"}};
    if (word == "it's" || word == "she's" || word == "he's") {
      const Token* next = next_word(at_ + 1);
      const bool perfect = next && (next->lower == "been" || next->lower == "got" ||
                                    (is_settled_verb(next->lower) && next->lower != "used"));
      out_ += word.substr(0, word.find('\'')) + (perfect ? " had" : " was");
    } else if (const auto it = kPast.find(word); it != kPast.end() && is_verb_position()) {
      out_ += it->second;
    } else {
      out_ += at_ == 0 ? word : tokens_[at_].text;
    }
  }

  // "the will", "a can": nouns.
  bool is_verb_position() const {
    const Token* before = previous_word();
    static const Words kDeterminers = {"the", "a", "an", "my", "your", "his", "her", "their"};
    return !before || !kDeterminers.contains(before->lower);
  }

  std::vector<Token> tokens_;
  const ReportedSpeech& speech_;
  const Pronouns& speaker_;
  const Pronouns& addressee_;
  size_t at_ = 0;
  bool failed_ = false;
  std::string out_;
};

}  // namespace

std::optional<std::string> reported_clause(std::string_view sentence,
                                           const ReportedSpeech& speech) {
  std::string text = with_straight_apostrophes(sentence);
  while (!text.empty() && (text.back() == '.' || text.back() == '!')) text.pop_back();
  // Several sentences, quotations and questions are left in the speaker's words.
  if (text.empty() || text.find_first_of("?!\"();:") != text.npos ||
      text.find("...") != text.npos || text.find(" - ") != text.npos)
    return std::nullopt;
  return Converter(tokenize(text), speech).run();
}

}  // namespace chatmem
