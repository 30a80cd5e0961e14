#include "synth/marked_text.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/chars.h"
#include "synth/deixis.h"
#include "synth/dialogue.h"
#include "synth/sentences.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

// "Mr.#" and "Mr. #" where the name alone was known: the mark is the whole name.
void merge_titles(std::string& text) {
  for (const std::string_view title :
       {"Mr.", "Mrs.", "Ms.", "Dr.", "Mr", "Mrs", "Ms", "Miss", "Dr", "Doctor", "Professor"})
    for (const char* blank : {" ", ""})
      for (const char mark : {kYouMark, kOtherMark}) {
        const std::string titled = std::string(title) + blank + mark;
        for (size_t at; (at = text.find(titled)) != text.npos;)
          text.replace(at, titled.size(), 1, mark);
      }
}

// "John Bradley" of "Mr. Bradley", "Ann Baker" of "Ann".
bool is_longer_form(std::string_view actor, std::string_view name) {
  if (name.empty() || actor.size() <= name.size() || is_title(actor)) return false;
  const size_t blank = name.find(' ');
  if (blank == name.npos) return actor.starts_with(std::string(name) + ' ');
  const Gender gender = gender_of(actor), titled = gender_of(name);
  return is_title(name) && actor.ends_with(name.substr(blank)) && gender != Gender::kUnknown &&
         (titled == Gender::kUnknown || titled == gender);
}

}  // namespace

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
    if (text[i] == kYouMark || text[i] == kOtherMark) {
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

std::string mark_persons(std::string_view summary, const Cast& cast) {
  std::map<int, std::string> persons = cast.bystanders;
  persons[cast.you] = std::string(1, kYouMark);
  persons[cast.other] = std::string(1, kOtherMark);
  std::string text = without_placeholders(summary, persons);
  for (const std::string& actor : cast.actors)
    for (const auto& [name, mark] :
         {std::pair(&cast.you_name, kYouMark), std::pair(&cast.other_source_name, kOtherMark)})
      if (is_longer_form(actor, *name))
        for (size_t at; (at = text.find(actor)) != text.npos;)
          text.replace(at, actor.size(), 1, mark);
  text = replace_name(text, cast.you_name, std::string(1, kYouMark));
  text = replace_name(text, cast.other_source_name, std::string(1, kOtherMark));
  for (size_t at; (at = text.find("\xE2\x80\x99")) != text.npos;) text.replace(at, 3, "'");
  merge_titles(text);
  // Blanks that the source forgot or has too many: "#'s" for "# 's", "# will" for "#will".
  for (size_t i = 0; i + 1 < text.size(); i++) {
    if (text[i] != kYouMark && text[i] != kOtherMark) continue;
    if (text.compare(i + 1, 3, " 's") == 0) text.erase(i + 1, 1);
    if (std::isalnum(static_cast<unsigned char>(text[i + 1]))) text.insert(i + 1, " ");
  }
  // The blank that the source forgot after a full stop.
  for (size_t i = 0; i + 1 < text.size(); i++)
    if (text[i] == '.' && (text[i + 1] == kYouMark || text[i + 1] == kOtherMark))
      text.insert(i + 1, " ");
  return text;
}

namespace {

// The reader is told to by "you" alone: not "Six-year-old you", not "You, a shop assistant,".
class ReaderTrimmer {
 public:
  explicit ReaderTrimmer(std::vector<Token>& tokens) : tokens_(tokens) {}

  void run() {
    trim_front();
    for (size_t i = 0; i < tokens_.size(); i++)
      if (is_reader(i)) {
        i = trim_relation(i);
        trim_apposition(i);
      }
  }

 private:
  bool is_reader(size_t i) const {
    return tokens_[i].person == kYouMark && tokens_[i].ending.empty();
  }
  bool is_comma(size_t i) const { return i < tokens_.size() && tokens_[i].text == ","; }
  void erase(size_t begin, size_t end) {
    tokens_.erase(tokens_.begin() + std::ptrdiff_t(begin), tokens_.begin() + std::ptrdiff_t(end));
  }

  // "A hospital visitor, you, got", "Twins you and Ella argue".
  void trim_front() {
    size_t at = 0;
    while (at < tokens_.size() && !tokens_[at].person) at++;
    if (at < 2 || at > 12 || at >= tokens_.size() || !is_reader(at)) return;
    static const std::unordered_set<std::string_view> kArticles = {"a", "an", "the", "of", "year"};
    if (at == 6 && tokens_[2].lower == "year" && tokens_[4].lower == "old") return erase(0, at);
    for (size_t i = 0; i < at; i++) {
      const Token& token = tokens_[i];
      const bool comma = is_comma(i) && i + 2 == at;
      if (!token.word
              ? token.text != " " && token.text != "-" && !comma
              : is_verb(token) || (is_stopword(token.lower) && !kArticles.contains(token.lower)) ||
                    is_adverb(token.lower) || token.lower.ends_with("ing"))
        return;
    }
    const bool between_commas = at >= 2 && is_comma(at - 2) && is_comma(at + 1);
    // "Allan you": a longer name that is not the reader's.
    const Token& last = tokens_[at - 2];
    const bool capital = std::isupper(static_cast<unsigned char>(last.text[0])) != 0;
    if (capital && !last.lower.ends_with('s') && !names_somebody(last)) return;
    if (is_comma(at - 2) != between_commas) return;
    if (between_commas) erase(at + 1, at + 2);
    erase(0, at);
  }

  // "His friend you advised him": the relation says whose friend, "you" says who. Returns where the
  // reader is then.
  size_t trim_relation(size_t at) {
    size_t begin = at;
    for (int words = 0; words < 3; words++) {
      if (begin < 2 || tokens_[begin - 1].text != " " || !tokens_[begin - 2].word) return at;
      begin -= 2;
      const Token& token = tokens_[begin];
      if (words == 0 && !names_somebody(token)) return at;
      if (words > 0 && (token.lower == "his" || token.lower == "her" || token.lower == "the")) {
        erase(begin, at);
        return begin;
      }
      if (token.person || is_verb(token)) return at;
    }
    return at;
  }

  // "You, sixty-eight, book", "told you, who has never run, that".
  void trim_apposition(size_t at) {
    if (!is_comma(at + 1) || at + 3 >= tokens_.size()) return;
    const Token& first = tokens_[at + 3];
    static const std::unordered_set<std::string_view> kGoesOn = {
        "and", "but", "or", "so", "because", "then", "which", "while"};
    if (!first.word || first.person || kGoesOn.contains(first.lower) || first.actor) return;
    size_t end = at + 3;
    while (end < tokens_.size() && !is_comma(end)) end++;
    if (first.lower == "who") {
      erase(at + 1, std::min(end + 1, tokens_.size()));
      return;
    }
    if (end + 2 >= tokens_.size()) return;
    size_t next = end + 2;
    while (next + 2 < tokens_.size() && is_adverb(tokens_[next].lower)) next += 2;
    for (size_t i = at + 3; i < end; i++)
      if (is_verb(tokens_[i]) && !is_also_noun(tokens_[i].lower)) return;
    if (is_verb(tokens_[next]) || tokens_[next].lower == "to" || tokens_[next].lower == "that" ||
        tokens_[next].lower == "whether")
      erase(at + 1, end + 1);
  }

  std::vector<Token>& tokens_;
};

}  // namespace

std::vector<MarkedSentence> marked_sentences(std::string_view summary, const Cast& cast) {
  const std::string marked = mark_persons(summary, cast);
  std::unordered_set<std::string> names;
  for (const std::string& actor : cast.actors)
    for (const Token& token : tokenize(actor)) names.insert(token.text);
  std::vector<MarkedSentence> sentences;
  for (const std::string& sentence : sentences_of(marked)) {
    sentences.push_back({tokenize(shift_time_words(sentence)), names_calendar_date(sentence)});
    for (Token& token : sentences.back().tokens) {
      std::string_view word = token.text;
      if (word.ends_with("'s")) word.remove_suffix(2);
      token.actor = token.word && names.contains(std::string(word));
    }
    ReaderTrimmer(sentences.back().tokens).run();
  }
  return sentences;
}

bool is_gendered_pronoun(const std::string& lower) {
  static const WordSet kWords = {"he",      "she",  "him",   "her",   "his",    "hers", "himself",
                                 "herself", "he's", "she's", "he'll", "she'll", "he'd", "she'd"};
  return kWords.contains(lower);
}

bool is_adverb(const std::string& word) {
  static const WordSet kAdverbs = {"also",   "then",     "finally",    "still",     "just",
                                   "always", "never",    "only",       "really",    "even",
                                   "often",  "usually",  "first",      "now",       "already",
                                   "both",   "kindly",   "strongly",   "patiently", "later",
                                   "gladly", "politely", "eventually", "mainly",    "actually"};
  return kAdverbs.contains(word) || (word.size() > 4 && word.ends_with("ly"));
}

bool is_also_noun(const std::string& lower) {
  static const WordSet kAlsoNouns = {
      "helps",       "plans",      "needs",       "works",      "looks",      "calls",
      "offers",      "orders",     "talks",       "plays",      "shows",      "uses",
      "changes",     "reports",    "promises",    "requests",   "visits",     "books",
      "checks",      "answers",    "questions",   "hopes",      "wishes",     "studies",
      "drinks",      "travels",    "drives",      "walks",      "runs",       "cuts",
      "hits",        "sets",       "stops",       "starts",     "returns",    "turns",
      "stays",       "tries",      "signs",       "points",     "states",     "lists",
      "phones",      "emails",     "presents",    "shops",      "interviews", "tastes",
      "smokes",      "cooks",      "doubts",      "demands",    "purchases",  "results",
      "compliments", "views",      "doctors",     "guides",     "lies",       "dreams",
      "cares",       "worries",    "likes",       "causes",     "bills",      "clashes",
      "controls",    "dates",      "delays",      "deposits",   "designs",    "desires",
      "functions",   "grants",     "guarantees",  "guesses",    "issues",     "lands",
      "lasts",       "logs",       "notes",       "processes",  "tests",      "texts",
      "values",      "updates",    "witnesses",   "objects",    "nails",      "hums",
      "benefits",    "matches",    "labels",      "locks",      "loads",      "jumps",
      "kicks",       "drains",     "crashes",     "cracks",     "cries",      "escapes",
      "hunts",       "messes",     "pauses",      "poses",      "ranks",      "rewards",
      "rolls",       "screams",    "seats",       "senses",     "slips",      "splashes",
      "stains",      "storms",     "stretches",   "sweats",     "switches",   "ties",
      "traces",      "trades",     "tricks",      "twists",     "vacuums",    "waters",
      "whispers",    "wires",      "wrecks",      "arms",       "attacks",    "attempts",
      "backs",       "bases",      "blocks",      "boards",     "boasts",     "brews",
      "chairs",      "challenges", "claims",      "clicks",     "climbs",     "coaches",
      "concerns",    "conducts",   "contests",    "converts",   "crowds",     "damages",
      "debates",     "defeats",    "delights",    "details",    "disputes",   "divorces",
      "drills",      "exhibits",   "features",    "files",      "fires",      "floods",
      "flows",       "forms",      "frames",      "gains",      "glances",    "grins",
      "guards",      "harms",      "heads",       "highlights", "jokes",      "judges",
      "launches",    "smells",     "sounds",      "snows",      "sponsors",   "suits",
      "lifts",       "focuses",    "closes",      "bids",       "bends",      "tears",
      "casts",       "forecasts",  "sinks",       "slides",     "spreads",    "splits",
      "beats",       "swallows",   "compromises", "estimates",  "ruins",      "surprises",
      "surrenders",  "upgrades",   "violates",    "drifts",     "drags",      "sighs",
      "trims",       "straps",     "strolls",     "stumbles",   "warms",      "bans",
      "bores",       "boils",      "doubles",     "rips",       "weeds",      "remedies",
      "complements"};
  return kAlsoNouns.contains(lower);
}

namespace {

const WordSet& men() {
  static const WordSet kMen = {
      "man",      "guy",      "fellow",    "gentleman",   "boy",       "son",         "husband",
      "father",   "brother",  "boyfriend", "uncle",       "dad",       "grandfather", "grandpa",
      "grandad",  "granddad", "nephew",    "grandson",    "waiter",    "policeman",   "daddy",
      "salesman", "widower",  "fiance",    "businessman", "bridegroom"};
  return kMen;
}
const WordSet& women() {
  static const WordSet kWomen = {"woman",   "girl",          "daughter", "wife",  "mother",
                                 "sister",  "girlfriend",    "aunt",     "mom",   "grandmother",
                                 "grandma", "gran",          "granny",   "niece", "lady",
                                 "mum",     "granddaughter", "waitress", "mommy", "widow",
                                 "fiancee", "actress",       "bride"};
  return kWomen;
}
const WordSet& people() {
  static const WordSet kPeople = {
      "friend",    "boss",         "baby",      "roommate",  "colleague",   "neighbor",
      "teacher",   "doctor",       "child",     "customer",  "manager",     "cousin",
      "kid",       "professor",    "neighbour", "student",   "flatmate",    "partner",
      "coworker",  "secretary",    "landlord",  "nurse",     "patient",     "coach",
      "tutor",     "officer",      "mechanic",  "driver",    "instructor",  "librarian",
      "clerk",     "assistant",    "employee",  "owner",     "guest",       "parent",
      "stranger",  "receptionist", "dentist",   "plumber",   "agent",       "volunteer",
      "conductor", "engineer",     "passenger", "applicant", "interviewer", "tenant",
      "reporter",  "trainer",      "client",    "visitor",   "lawyer",      "shopkeeper",
      "carpenter", "supervisor"};
  return kPeople;
}

// "mother's": the word alone.
std::string_view without_genitive(const std::string& lower) {
  std::string_view word = lower;
  if (word.ends_with("'s")) word.remove_suffix(2);
  return word;
}

}  // namespace

bool names_somebody(const Token& token) {
  const std::string_view word = without_genitive(token.lower);
  const bool capital = std::isupper(static_cast<unsigned char>(token.text[0])) != 0;
  // "will" and "may" are names only with a capital.
  return men().contains(word) || women().contains(word) || people().contains(word) ||
         (capital && (is_given_name(std::string_view(token.text).substr(0, word.size())) ||
                      is_title(token.text)));
}

Gender gender_of_somebody(const Token& token) {
  const std::string_view word = without_genitive(token.lower);
  if (men().contains(word)) return Gender::kMale;
  if (women().contains(word)) return Gender::kFemale;
  if (people().contains(word)) return Gender::kUnknown;
  return gender_of(std::string_view(token.text).substr(0, word.size()));
}

bool is_human_verb(const std::string& lower) {
  static const WordSet kVerbs = {
      "tells",      "asks",      "says",       "thinks",     "wants",      "invites",
      "explains",   "advises",   "agrees",     "suggests",   "warns",      "phones",
      "apologizes", "complains", "learns",     "refuses",    "decides",    "promises",
      "hopes",      "admits",    "persuades",  "thanks",     "believes",   "orders",
      "buys",       "visits",    "introduces", "recommends", "encourages", "reminds",
      "worries",    "calls",     "rings",      "confesses",  "discovers",  "books"};
  return kVerbs.contains(lower);
}

bool is_auxiliary(const std::string& lower) {
  static const WordSet kAuxiliaries = {
      "is",      "was",    "are",      "were",     "has",      "have",   "had",    "will",
      "would",   "can",    "could",    "may",      "might",    "must",   "should", "does",
      "doesn't", "didn't", "did",      "won't",    "can't",    "cannot", "isn't",  "wasn't",
      "hasn't",  "hadn't", "couldn't", "wouldn't", "shouldn't"};
  return kAuxiliaries.contains(lower);
}

bool is_capital(const Token& token) {
  return token.word && std::isupper(static_cast<unsigned char>(token.text[0])) != 0;
}

bool is_verb(const Token& token) {
  return is_auxiliary(token.lower) || !past_of_third_person(token.lower).empty();
}

bool follows_object(std::string_view word) {
  static const std::unordered_set<std::string_view> kWords = {
      "to",      "that",  "if",     "in",   "on",    "for",   "with",     "and",     "about",
      "how",     "what",  "when",   "who",  "where", "why",   "at",       "from",    "as",
      "because", "so",    "but",    "the",  "a",     "an",    "not",      "by",      "into",
      "off",     "up",    "out",    "some", "any",   "two",   "until",    "whether", "or",
      "again",   "after", "before", "is",   "his",   "their", "this",     "no",      "another",
      "one",     "more",  "he",     "she",  "they",  "it",    "which",    "while",   "since",
      "unless",  "than",  "back",   "home", "it's",  "every", "something"};
  return kWords.contains(word);
}

}  // namespace chatmem
