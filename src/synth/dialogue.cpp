#include "synth/dialogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <unordered_set>

#include "base/chars.h"
#include "base/error.h"
#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

bool is_capital(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

// Reads "#Person12#" or a damaged form of it at text[at]; returns its length, or 0.
size_t placeholder_at(std::string_view text, size_t at, int& person) {
  size_t i = at;
  const bool hash = i < text.size() && text[i] == '#';
  i += hash;
  if (to_lower_ascii(text.substr(i, 6)) != "person") return 0;
  if (!hash && at > 0 && is_letter(text[at - 1])) return 0;
  i += 6;
  size_t digits = i;
  person = 0;
  while (digits < text.size() && is_digit(text[digits]) && digits - i < 3)
    person = person * 10 + (text[digits++] - '0');
  const bool closed = digits < text.size() && text[digits] == '#';
  if (digits == i && !(hash && closed)) return 0;  // "person" is a word; "#Person#" is not
  return digits + closed - at;
}

void add_turn(Dialogue& dialogue, int person, std::string_view text) {
  text = trim(text);
  if (text.empty()) return;
  dialogue.turns.push_back({person, std::string(text)});
}

// Words that follow "I'm" or "Hi," with a capital and are no names.
bool is_no_name(const std::string& lower) {
  static const std::unordered_set<std::string> kWords = {
      "american",    "chinese",    "english",   "french",    "german",     "japanese",
      "italian",     "spanish",    "canadian",  "british",   "australian", "russian",
      "korean",      "indian",     "i",         "i'm",       "there",      "sir",
      "madam",       "ma'am",      "dear",      "honey",     "darling",    "sweetie",
      "guys",        "everyone",   "everybody", "folks",     "ladies",     "god",
      "christmas",   "tv",         "ok",        "okay",      "yes",        "no",
      "well",        "what",       "how",       "why",       "when",       "where",
      "who",         "good",       "oh",        "the",       "a",          "this",
      "that",        "it",         "please",    "sorry",     "thank",      "thanks",
      "monday",      "tuesday",    "wednesday", "thursday",  "friday",     "saturday",
      "sunday",      "english",    "mandarin",  "internet",  "may",        "can",
      "do",          "is",         "are",       "welcome",   "miss",       "mister",
      "son",         "boys",       "girls",     "man",       "boy",        "hello",
      "hi",          "hey",        "catholic",  "christian", "muslim",     "jewish",
      "buddhist",    "capricorn",  "gemini",    "leo",       "virgo",      "libra",
      "scorpio",     "aries",      "taurus",    "pisces",    "aquarius",   "sagittarius",
      "cancer",      "professor",  "doctor",    "officer",   "waiter",     "captain",
      "coach",       "teacher",    "nurse",     "boss",      "air",        "room",
      "bank",        "hotel",      "customer",  "reception", "service",    "operator",
      "information", "admissions", "morning",   "afternoon", "evening",    "family",
      "taxi",        "passport",   "sis",       "bro",       "vet",        "wonder",
      "internet",    "barista",    "seven",     "key",       "alas",       "august",
      "class",       "team",       "all",       "saliva",    "friends",    "children",
      "kids",        "security",   "police",    "front",     "manager"};
  return kWords.contains(lower);
}

// A name at text[at]: a title and a capitalised word, or one or two capitalised words.
std::string name_at(std::string_view text, size_t at) {
  size_t end = at, words = 0;
  bool titled = false;
  std::string name;
  while (end < text.size() && is_capital(text[end]) && words < 3) {
    size_t stop = end;
    while (stop < text.size() && (is_letter(text[stop]) || text[stop] == '-')) stop++;
    const std::string_view word = text.substr(end, stop - end);
    const bool title = words == 0 && is_title(word);
    if (title && (word == "Sir" || word == "Madam")) return "";
    if (titled && is_stopword(to_lower_ascii(word))) return "";
    if (words == 0 && !title && is_no_name(to_lower_ascii(word))) return "";
    if (words > 0 && !titled && is_no_name(to_lower_ascii(word))) break;
    if (words > 0) name += ' ';
    name += word;
    words++;
    titled |= title;
    if (title && stop < text.size() && text[stop] == '.') {
      name += '.';
      stop++;
    }
    if (stop >= text.size() || text[stop] != ' ') {
      end = stop;
      break;
    }
    end = stop + 1;
  }
  if (words == 0 || (titled && words == 1)) return "";
  if (words == 1 && name.size() < 2) return "";
  if (is_business(name)) return "";
  return name;
}

constexpr int kSure = 2;  // votes of one greeting; an introduction has three
struct NameVotes {
  std::map<std::string, int> votes;
  void add(const std::string& name, int weight) {
    if (!name.empty()) votes[name] += weight;
  }
};

// Whether the name is one of those, or a part of one: "Leila" of "Leila Haddad".
bool is_known(const std::string& name, const std::vector<std::string>& known) {
  return !name.empty() && std::any_of(known.begin(), known.end(), [&](const std::string& other) {
    return other == name || other.starts_with(name + " ") || other.ends_with(" " + name);
  });
}

// "I'm Doctor Hawkins", "My name is Judy Liao", "This is Tom speaking".
void find_introductions(std::string_view text, const std::vector<std::string>& names,
                        NameVotes& own) {
  struct Form {
    std::string_view words;
    bool certain;  // any capitalised word is the name; otherwise it must be a known one
  };
  static constexpr Form kForms[] = {{"my name is ", true}, {"my name's ", true},
                                    {"i'm ", false},       {"i am ", false},
                                    {"this is ", false},   {"call me ", true}};
  const std::string lower = to_lower_ascii(text);
  for (const Form& form : kForms)
    for (size_t at = lower.find(form.words); at != lower.npos;
         at = lower.find(form.words, at + 1)) {
      if (at > 0 && is_letter(lower[at - 1])) continue;
      const std::string name = name_at(text, at + form.words.size());
      const std::string_view first = std::string_view(name).substr(0, name.find(' '));
      const bool known = is_given_name(first) || is_title(first) || is_known(name, names);
      // "This is Mary" may present a third person; on the telephone it does not.
      if (form.words == "this is " && lower.find("speaking") == lower.npos && at > 12) continue;
      if (form.certain || known) own.add(name, 3);
    }
}

// "Mr. " before text[at].
bool follows_title(std::string_view text, size_t at) {
  if (at < 3 || text[at - 2] != '.') return false;
  size_t begin = at - 2;
  while (begin > 0 && is_letter(text[begin - 1])) begin--;
  return is_title(text.substr(begin, at - 2 - begin));
}

// "Bob, Ann, and Tom", "Tom, Bob and I", "I like Ann, Tom": names beside the one at
// text[begin, end).
bool stands_in_list(std::string_view text, size_t begin, size_t end) {
  if (end + 2 < text.size() && text[end] == ',') {
    const std::string_view next =
        text.substr(end + 2, text.find_first_of(" ,.!?", end + 2) - end - 2);
    if (next == "and" || next == "or" || is_given_name(next)) return true;
  }
  if (begin < 2 || text[begin - 2] != ',') return false;
  size_t word = begin - 2;
  while (word > 0 && is_letter(text[word - 1])) word--;
  return is_given_name(text.substr(word, begin - 2 - word));
}

// "Hi, Mr. Smith.", "Thanks, Sarah", "Tom, wake up!", "Are you there, Tom?"
void find_vocatives(std::string_view text, const std::vector<std::string>& known,
                    NameVotes& addressed) {
  static constexpr std::string_view kGreetings[] = {"hi ",
                                                    "hi, ",
                                                    "hello ",
                                                    "hello, ",
                                                    "hey ",
                                                    "hey, ",
                                                    "thanks, ",
                                                    "thank you, ",
                                                    "good morning, ",
                                                    "good afternoon, ",
                                                    "good evening, ",
                                                    "good morning ",
                                                    "bye, ",
                                                    "goodbye, ",
                                                    "thank you very much, ",
                                                    "thanks a lot, ",
                                                    "good night, ",
                                                    "nice to meet you, "};
  const std::string lower = to_lower_ascii(text);
  const auto stops = [&](size_t end) {
    return end >= text.size() || text[end] == '.' || text[end] == ',' || text[end] == '!' ||
           text[end] == '?';
  };
  for (const std::string_view greeting : kGreetings)
    for (size_t at = lower.find(greeting); at != lower.npos; at = lower.find(greeting, at + 1)) {
      if (at > 0 && is_letter(lower[at - 1])) continue;
      const std::string name = name_at(text, at + greeting.size());
      if (!name.empty() && stops(at + greeting.size() + name.size())) addressed.add(name, 2);
    }
  for (size_t i = 0; i < text.size(); i++) {
    const bool begins =
        i == 0 || (i >= 2 && text[i - 1] == ' ' && text.find_last_of(".!?,", i) == i - 2);
    if (!begins || !is_capital(text[i]) || follows_title(text, i)) continue;
    const std::string name = name_at(text, i);
    if (name.empty() || !stops(i + name.size())) continue;
    const std::string_view first = std::string_view(name).substr(0, name.find(' '));
    const bool after_comma = i >= 2 && text[i - 2] == ',';
    const bool before_comma = i + name.size() < text.size() && text[i + name.size()] == ',';
    const bool alone = !after_comma && !before_comma;  // a sentence of its own
    if (alone && !(i == 0 && is_parent_name(name))) continue;
    if (stands_in_list(text, i, i + name.size())) continue;
    if (is_given_name(first) || is_title(first) || is_known(name, known) ||
        (alone && is_parent_name(name)))
      addressed.add(name, 1);
  }
}

std::string best_of(const NameVotes& votes, const NameVotes& of_other) {
  std::string best;
  int best_votes = 0;
  for (const auto& [name, count] : votes.votes) {
    const auto other = of_other.votes.find(name);
    const int margin = count - (other == of_other.votes.end() ? 0 : other->second);
    if (margin > best_votes) best = name, best_votes = margin;
  }
  return best;
}

}  // namespace

bool is_business(std::string_view name) {
  static const std::unordered_set<std::string> kWords = {
      "agency",       "restaurant", "company",   "office",    "house",       "airlines",
      "airways",      "garage",     "bistro",    "computers", "consulting",  "service",
      "services",     "shop",       "store",     "industry",  "software",    "club",
      "zoo",          "associates", "corporate", "travel",    "taxi",        "export",
      "incorporated", "bank",       "hotel",     "center",    "centre",      "airline",
      "corporation",  "department", "inn",       "hospital",  "clinic",      "school",
      "university",   "college",    "library",   "museum",    "cafe",        "limited",
      "supertravel",  "police",     "station",   "market",    "reservations"};
  const std::vector<std::string> words = words_of(name);
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return kWords.contains(word); });
}

bool is_parent_name(std::string_view name) {
  static const std::unordered_set<std::string_view> kNames = {
      "Dad", "Daddy", "Mom", "Mommy", "Mum", "Mummy", "Mama", "Grandma", "Grandpa"};
  return kNames.contains(name);
}

std::vector<std::string> addressed_in(std::string_view text) {
  NameVotes addressed;
  find_vocatives(text, {}, addressed);
  std::vector<std::string> names;
  for (const auto& [name, votes] : addressed.votes) names.push_back(name);
  return names;
}

void find_names(Dialogue& dialogue, const std::vector<std::string>& known) {
  dialogue.names.clear();
  dialogue.surely_named.clear();
  if (dialogue.persons.size() != 2) return;
  std::map<int, NameVotes> votes;
  for (const Utterance& turn : dialogue.turns) {
    const int other = dialogue.persons[turn.person == dialogue.persons[0]];
    find_introductions(turn.text, known, votes[turn.person]);
    find_vocatives(turn.text, known, votes[other]);
  }
  const int a = dialogue.persons[0], b = dialogue.persons[1];
  const std::string name_a = best_of(votes[a], votes[b]), name_b = best_of(votes[b], votes[a]);
  if (name_a == name_b) return;
  for (const auto& [person, name] : {std::pair(a, name_a), std::pair(b, name_b)}) {
    if (name.empty()) continue;
    dialogue.names[person] = name;
    if (votes[person].votes[name] >= kSure) dialogue.surely_named.insert(person);
  }
}

namespace {

// "#PhoneNumber#" at text[at]: letters between number signs; returns its length, or 0.
size_t other_placeholder_at(std::string_view text, size_t at) {
  if (text[at] != '#') return 0;
  size_t end = at + 1;
  while (end < text.size() && (is_letter(text[end]) || text[end] == '_')) end++;
  return end - at > 3 && end < text.size() && text[end] == '#' ? end + 1 - at : 0;
}

std::string_view stand_in(std::string_view placeholder) {
  const std::string lower = to_lower_ascii(placeholder);
  if (lower.find("phone") != lower.npos) return "555-0142";
  if (lower.find("mail") != lower.npos) return "mail@example.com";
  if (lower.find("address") != lower.npos) return "14 Mill Lane";
  if (lower.find("birth") != lower.npos) return "the 4th of May";
  if (lower.find("number") != lower.npos) return "4417";
  return "that";
}

void replace_whole(std::string& text, std::string_view what, std::string_view by) {
  if (what.size() < 2) return;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at)) {
    const size_t end = at + what.size();
    const bool whole = (at == 0 || !is_word_char(text[at - 1])) &&
                       (end == text.size() || !is_word_char(text[end]));
    if (whole) text.replace(at, what.size(), by);
    at += whole ? by.size() : 1;
  }
}

}  // namespace

Dialogue parse_dialogue(std::string_view text) {
  Dialogue dialogue;
  int person = -1;
  std::string words;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = trim(text.substr(begin, end - begin));
    begin = end + 1;
    int number = 0;
    const size_t length = placeholder_at(line, 0, number);
    const std::string_view after = line.substr(length);
    const size_t colon = after.starts_with(':')              ? 1
                         : after.starts_with(" :")           ? 2
                         : after.starts_with("\xEF\xBC\x9A") ? 3
                                                             : 0;
    if (length > 0 && colon > 0) {
      if (person >= 0) add_turn(dialogue, person, words);
      person = number;
      words = after.substr(colon);
    } else if (!line.empty()) {
      if (person < 0)
        throw Error(fmt::format("a dialogue must begin with '#Person1#:', begins with '{}'",
                                line.substr(0, 40)));
      words += ' ';
      words += line;
    }
  }
  if (person >= 0) add_turn(dialogue, person, words);
  if (dialogue.turns.empty()) throw Error("the row must have a dialogue, it has none");
  for (const Utterance& turn : dialogue.turns) dialogue.persons.push_back(turn.person);
  std::sort(dialogue.persons.begin(), dialogue.persons.end());
  dialogue.persons.erase(std::unique(dialogue.persons.begin(), dialogue.persons.end()),
                         dialogue.persons.end());
  find_names(dialogue, {});
  return dialogue;
}

bool settle_names(Dialogue& dialogue, std::string_view summary) {
  if (dialogue.persons.size() != 2) return false;
  std::set<int> placeholders;
  for (size_t i = 0; i < summary.size(); i++)
    if (int person = 0; placeholder_at(summary, i, person)) placeholders.insert(person);
  const std::map<int, std::string> found = dialogue.names;
  bool contradicted = false;
  for (const auto& [person, name] : found) {
    if (!placeholders.contains(person) || replace_name(summary, name, "") == summary) continue;
    contradicted = true;
    if (dialogue.surely_named.contains(person)) continue;
    const int other = dialogue.persons[person == dialogue.persons[0]];
    dialogue.names.erase(person);
    if (!placeholders.contains(other) && !found.contains(other)) dialogue.names[other] = name;
  }
  return contradicted;
}

std::string normalized_dialogue(std::string_view text) {
  std::string out;
  for (const char c : to_lower_ascii(text)) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || uint8_t(c) >= 0x80;
    if (kept)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string without_placeholders(std::string_view text, const std::map<int, std::string>& persons) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    int person = 0;
    if (const size_t length = placeholder_at(text, i, person)) {
      const auto it = persons.find(person);
      out += it == persons.end() ? "someone" : it->second;
      i += length;
    } else if (const size_t other = other_placeholder_at(text, i)) {
      out += stand_in(text.substr(i, other));
      i += other;
    } else {
      out += text[i++];
    }
  }
  return out;
}

bool has_placeholder(std::string_view text) {
  int person = 0;
  for (size_t i = 0; i < text.size(); i++)
    if (placeholder_at(text, i, person) || other_placeholder_at(text, i)) return true;
  return text.find("#Person") != text.npos;
}

std::string replace_name(std::string_view text, std::string_view name, std::string_view by) {
  std::string out(text);
  if (name.empty()) return out;
  replace_whole(out, name, by);
  const size_t space = name.find(' ');
  if (space == name.npos) return out;
  const std::string_view first = name.substr(0, space), last = name.substr(name.rfind(' ') + 1);
  for (const std::string_view title : {"Mr. ", "Mr ", "Mrs. ", "Mrs ", "Ms. ", "Ms ", "Miss ",
                                       "Dr. ", "Dr ", "Doctor ", "Professor ", "Prof. "})
    replace_whole(out, std::string(title) + std::string(last), by);
  replace_whole(out, last, by);
  if (!is_title(first)) replace_whole(out, first, by);
  return out;
}

bool has_name(std::string_view text, std::string_view name) {
  return replace_name(text, name, "") != text;
}

char form_of_address(std::string_view text) {
  static const std::unordered_set<std::string> kMale = {"sir", "mister"};
  static const std::unordered_set<std::string> kFemale = {"madam", "ma'am", "maam", "miss", "lady"};
  bool male = false, female = false;
  for (const std::string& word : words_of(text)) {
    male |= kMale.contains(word);
    female |= kFemale.contains(word) && word != "miss";
  }
  for (const char* form : {", Miss.", ", miss.", ", Miss?", ", miss?", "Yes, Miss", "Hello, Miss"})
    female |= text.find(form) != text.npos;
  return male == female ? 0 : male ? 'm' : 'f';
}

}  // namespace chatmem
