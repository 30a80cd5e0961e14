#include "synth/casting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "synth/marked_text.h"
#include "synth/reference.h"
#include "synth/sentences.h"
#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

using WordSet = std::unordered_set<std::string_view>;

bool has_placeholder_of(std::string_view summary, int person) {
  return without_placeholders(summary, {{person, "\x01"}}).find('\x01') != std::string::npos;
}

// Whether somebody says what the bearer does or asks for him: "Lisa wins", "speak to Mr. Bell".
bool acts_in(std::string_view text, std::string_view name) {
  for (size_t at = 0; (at = text.find(name, at)) != text.npos; at += name.size()) {
    const std::string_view rest = text.substr(at + name.size());
    if (text.substr(0, at).ends_with("speak to ") || text.substr(0, at).ends_with("talk to "))
      return true;
    if (rest.size() > 1 && rest[0] == ' ' && std::islower(static_cast<unsigned char>(rest[1])))
      return true;
  }
  return false;
}

// The one person without a name whom the summary calls by none of the names or placeholders that
// are known bears the one name that it has besides.
void name_by_elimination(Dialogue& dialogue, std::string_view text, std::string_view summary,
                         const std::vector<std::string>& actors) {
  std::vector<int> nameless;
  for (const int person : dialogue.persons)
    if (!dialogue.names.contains(person) && !has_placeholder_of(summary, person))
      nameless.push_back(person);
  if (nameless.size() != 1) return;
  std::vector<std::string> free, spoken_of;
  for (const std::string& actor : actors) {
    const bool taken =
        std::any_of(dialogue.names.begin(), dialogue.names.end(), [&](const auto& bearer) {
          return has_name(actor, bearer.second) || has_name(bearer.second, actor);
        });
    if (!taken && !is_business(actor) && !acts_in(text, actor))
      (has_name(text, actor) ? spoken_of : free).push_back(actor);
  }
  if (free.empty()) free.swap(spoken_of);
  if (free.size() == 1) dialogue.names[nameless[0]] = free[0];
}

// What one is to the other or does for a living, as a subject or as whom somebody tells or asks.
struct RolePhrase {
  size_t begin, end;  // bytes of the summary
  std::string noun;
  bool subject;
};

bool is_role(const Token& token) {
  static const WordSet kMore = {
      "warden",      "receptionist", "vet",        "baker",     "volunteer",   "conductor",
      "engineer",    "salesman",     "officer",    "caretaker", "hairdresser", "plumber",
      "printer",     "waiter",       "waitress",   "cashier",   "agent",       "host",
      "interviewer", "applicant",    "passenger",  "dentist",   "pharmacist",  "electrician",
      "seller",      "buyer",        "caller",     "tenant",    "captain",     "trainer",
      "carpenter",   "builder",      "chef",       "reporter",  "journalist",  "musician",
      "salesperson", "saleswoman",   "shopkeeper", "colleague", "lecturer",    "supervisor",
      "beginner",    "novice",       "adviser",    "advisor",   "organiser",   "operator",
      "stranger",    "pensioner",    "editor",     "designer",  "policewoman", "steward"};
  return !is_capital(token) && token.lower.find('\'') == std::string::npos &&
         (names_somebody(token) || kMore.contains(token.lower));
}

// "Her father tries", "asks the vet".
std::vector<RolePhrase> role_phrases(std::string_view summary) {
  static const WordSet kDeterminers = {"a", "an", "the", "his", "her", "their"};
  const std::vector<Token> tokens = tokenize(summary);
  std::vector<size_t> offsets = {0};
  for (const Token& token : tokens) offsets.push_back(offsets.back() + token.text.size());
  std::vector<RolePhrase> phrases;
  for (size_t i = 0; i < tokens.size(); i++) {
    if (!kDeterminers.contains(tokens[i].lower)) continue;
    size_t noun = i;
    for (size_t words = 1; words <= 3; words++) {
      if (noun + 2 >= tokens.size() || tokens[noun + 1].text != " " || !tokens[noun + 2].word ||
          is_capital(tokens[noun + 2]) || is_verb(tokens[noun + 2]))
        break;
      noun += 2;
      if (!is_role(tokens[noun])) continue;
      size_t next = noun + 1;
      while (next < tokens.size() && (tokens[next].text == " " || is_adverb(tokens[next].lower)))
        next++;
      const bool compound = next < tokens.size() && is_role(tokens[next]);
      const bool subject = next < tokens.size() && is_verb(tokens[next]);
      const bool told = i >= 2 && is_human_verb(tokens[i - 2].lower);
      if (!compound && (subject || told))
        phrases.push_back({offsets[i], offsets[noun + 1], tokens[noun].lower, subject});
      break;
    }
  }
  return phrases;
}

// A person whom the summary calls neither by name nor by placeholder is the one role in it that
// nobody in the dialogue speaks of: "the vet" becomes "#Person2#, the vet,".
std::string bind_role(const Dialogue& dialogue, std::string_view text, std::string summary) {
  std::vector<int> unmentioned;
  for (const int person : dialogue.persons) {
    const auto name = dialogue.names.find(person);
    if (!has_placeholder_of(summary, person) &&
        (name == dialogue.names.end() || !has_name(summary, name->second)))
      unmentioned.push_back(person);
  }
  if (dialogue.persons.size() != 2 || unmentioned.size() != 1) return summary;
  const std::vector<RolePhrase> phrases = role_phrases(summary);
  const std::string spoken = to_lower_ascii(text);
  std::string role;
  for (const bool subjects : {true, false}) {
    for (const RolePhrase& phrase : phrases) {
      if (phrase.subject != subjects || phrase.noun == role) continue;
      for (const std::string_view owner : {"my ", "your ", "the ", "his ", "her ", "a "})
        if (spoken.find(std::string(owner) + phrase.noun) != spoken.npos) return summary;
      if (!role.empty()) return summary;  // which of the two?
      role = phrase.noun;
    }
    if (!role.empty()) break;
  }
  if (role.empty()) return summary;
  const std::string mark = fmt::format("#Person{}#", unmentioned[0]);
  for (size_t i = phrases.size(); i-- > 0;) {
    const RolePhrase& phrase = phrases[i];
    if (phrase.noun != role) continue;
    const bool first = std::none_of(phrases.begin(), phrases.begin() + std::ptrdiff_t(i),
                                    [&](const RolePhrase& p) { return p.noun == role; });
    std::string words = summary.substr(phrase.begin, phrase.end - phrase.begin);
    if (std::string_view("ATH").find(words[0]) != std::string_view::npos)
      words[0] = char(std::tolower(static_cast<unsigned char>(words[0])));
    const bool stops = phrase.end >= summary.size() || summary[phrase.end] != ' ';
    summary.replace(phrase.begin, phrase.end - phrase.begin,
                    first ? mark + ", " + words + (stops ? "" : ",") : mark);
  }
  return summary;
}

Gender gender_of_letter(char letter) {
  return letter == 'm' ? Gender::kMale : letter == 'f' ? Gender::kFemale : Gender::kUnknown;
}

// By whom they are with, what they are called, what the words show; kUnknown where that is nothing.
Gender shown_gender(const Dialogue& dialogue, int person) {
  const auto name = dialogue.names.find(person);
  if (name != dialogue.names.end())
    if (const Gender gender = gender_of(name->second); gender != Gender::kUnknown) return gender;
  std::string own, others;
  for (const Utterance& turn : dialogue.turns) (turn.person == person ? own : others) += turn.text;
  if (const char letter = form_of_address(others)) return gender_of_letter(letter);
  others = ' ' + to_lower_ascii(others);
  const auto called = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
      for (const char* stop : {".", ",", "!", "?"})
        if (others.find(", " + std::string(word) + stop) != others.npos) return true;
      return false;
    });
  };
  const bool mother = called({"mom", "mum", "mommy", "mummy", "grandma", "my girl"});
  const bool father = called({"dad", "daddy", "grandpa", "my boy"});
  if (mother != father) return mother ? Gender::kFemale : Gender::kMale;
  own = to_lower_ascii(own);
  const auto says = [&](std::string_view words) { return own.find(words) != own.npos; };
  const bool wife = says("my wife") || says("my girlfriend");
  const bool husband = says("my husband") || says("my boyfriend");
  return wife == husband ? Gender::kUnknown : wife ? Gender::kMale : Gender::kFemale;
}

void find_genders(Dialogue& dialogue, std::string_view summary) {
  if (dialogue.persons.size() != 2) return;
  const auto name_of = [&](int person) {
    const auto it = dialogue.names.find(person);
    return it == dialogue.names.end() ? "" : it->second;
  };
  const int a = dialogue.persons[0], b = dialogue.persons[1];
  Cast cast;
  cast.you = a;
  cast.other = b;
  cast.you_name = name_of(a);
  cast.other_source_name = name_of(b);
  cast.actors = dialogue.actors;
  const References references = resolve_pronouns(
      marked_sentences(summary, cast), shown_gender(dialogue, a), shown_gender(dialogue, b));
  dialogue.genders[a] = references.you;
  dialogue.genders[b] = references.other;
}

}  // namespace

Dialogue cast_dialogue(std::string_view text, std::string_view summary) {
  Dialogue dialogue = parse_dialogue(text);
  const std::vector<std::string> actors = actors_of(summary, text);
  dialogue.actors = actors;
  find_names(dialogue, actors);
  const bool contradicted = settle_names(dialogue, summary);
  name_by_elimination(dialogue, text, summary, actors);
  dialogue.summary = bind_role(dialogue, text, std::string(summary));
  find_genders(dialogue, dialogue.summary);
  if (contradicted) dialogue.summary.clear();  // who is who in it is not sure
  return dialogue;
}

}  // namespace chatmem
