#include "extractive/sentences.h"

#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "text/names.h"
#include "text/words.h"

namespace chatmem {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Whether the full stop at text[at] belongs to a title, an initial or an abbreviation.
bool is_abbreviation(std::string_view text, size_t at) {
  size_t begin = at;
  while (begin > 0 && !is_space(text[begin - 1])) begin--;
  const std::string_view word = text.substr(begin, at - begin);
  if (word.size() == 1 && std::isupper(static_cast<unsigned char>(word[0]))) return word[0] != 'I';
  static const std::unordered_set<std::string_view> kShort = {
      "Mr", "Mrs", "Ms", "Dr", "St", "Prof", "vs", "e.g", "i.e", "etc", "No", "Mt"};
  if (word == "No" && at + 2 < text.size()) return std::isdigit(text[at + 2]) != 0;
  return kShort.contains(word);
}

bool is_closing(char c) { return c == '"' || c == '\'' || c == ')' || c == ']'; }

const std::unordered_set<std::string_view>& opener_words() {
  static const std::unordered_set<std::string_view> kWords = {"well",
                                                              "oh",
                                                              "ah",
                                                              "yes",
                                                              "yeah",
                                                              "yep",
                                                              "no",
                                                              "nope",
                                                              "ok",
                                                              "okay",
                                                              "sure",
                                                              "so",
                                                              "hey",
                                                              "hi",
                                                              "hello",
                                                              "actually",
                                                              "right",
                                                              "great",
                                                              "thanks",
                                                              "wow",
                                                              "alright",
                                                              "absolutely",
                                                              "exactly",
                                                              "honestly",
                                                              "listen",
                                                              "look",
                                                              "anyway",
                                                              "and",
                                                              "but",
                                                              "um",
                                                              "haha",
                                                              "perfect",
                                                              "definitely",
                                                              "of course",
                                                              "thank you",
                                                              "you know",
                                                              "by the way",
                                                              "good morning",
                                                              "good afternoon",
                                                              "good evening",
                                                              "i mean",
                                                              "sorry",
                                                              "also",
                                                              "then",
                                                              "now",
                                                              "true",
                                                              "fine",
                                                              "no problem",
                                                              "all right",
                                                              "that's great",
                                                              "good",
                                                              "unfortunately",
                                                              "congratulations",
                                                              "aw",
                                                              "sounds good",
                                                              "in fact",
                                                              "to be honest",
                                                              "finally",
                                                              "awesome",
                                                              "my goodness"};
  return kWords;
}

bool is_name(std::string_view text, const std::vector<std::string>& names) {
  const std::string lower = to_lower_ascii(text);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const std::string known = to_lower_ascii(name);
    return lower == known || lower == known.substr(0, known.find(' '));
  });
}

// "hey tom", "thanks so much, tom": an opener word followed by nothing or a name.
bool is_opener(std::string_view phrase, const std::vector<std::string>& names) {
  if (phrase.empty() || phrase.size() > 40) return false;
  if (is_name(phrase, names)) return true;
  const std::string lower = to_lower_ascii(phrase);
  if (opener_words().contains(lower)) return true;
  const size_t space = lower.find(' ');
  if (space == lower.npos) return false;
  const std::string first = lower.substr(0, space);
  static const std::unordered_set<std::string_view> kGreetings = {
      "hey",      "hi",   "hello", "thanks", "oh",    "yes",     "no",
      "ok",       "okay", "well",  "dear",   "sorry", "morning", "congratulations",
      "congrats", "sure", "yeah"};
  if (!kGreetings.contains(first)) return false;
  const std::string_view rest = phrase.substr(space + 1);
  const bool named = std::isupper(static_cast<unsigned char>(rest[0])) && rest.size() < 20 &&
                     std::count(rest.begin(), rest.end(), ' ') <= 2;
  return named || opener_words().contains(to_lower_ascii(rest)) || rest == "there";
}

// "I wanted to let you know that the offer came": what follows is the sentence.
std::string_view without_announcement(std::string_view text) {
  static constexpr std::string_view kAnnouncements[] = {"i just wanted to let you know that ",
                                                        "i just wanted to let you know ",
                                                        "i wanted to let you know that ",
                                                        "i wanted to let you know ",
                                                        "just wanted to let you know that ",
                                                        "just wanted to let you know ",
                                                        "just letting you know that ",
                                                        "i just wanted to share that ",
                                                        "i wanted to share that ",
                                                        "i have to say ",
                                                        "i have to say, ",
                                                        "i must say ",
                                                        "i must say, ",
                                                        "i have to admit ",
                                                        "i have to admit, ",
                                                        "i'm happy to report that ",
                                                        "i'm happy to report ",
                                                        "i'm pleased to report ",
                                                        "i wanted to tell you that ",
                                                        "i wanted to tell you "};
  const std::string lower = to_lower_ascii(text.substr(0, 48));
  for (const std::string_view start : kAnnouncements)
    if (lower.starts_with(start) && text.size() > start.size() + 8)
      return text.substr(start.size());
  // "I have some exciting news - the project got approved!"
  for (const std::string_view dash : {" - ", " \xE2\x80\x93 ", " \xE2\x80\x94 ", ": "}) {
    const size_t at = lower.find(dash);
    if (at == lower.npos) continue;
    const std::string_view head = std::string_view(lower).substr(0, at);
    if (head.ends_with("news") || head.ends_with("update") || head.ends_with("guess what"))
      return trim(text.substr(at + dash.size()));
  }
  return text;
}

// How greetings, thanks, good wishes and assent begin, in small letters.
// clang-format off: one line each would hide the function below
constexpr std::string_view kCourtesies[] = {
    "thank",
    "thanks",
    "hi ",
    "hi,",
    "hello",
    "hey ",
    "good morning",
    "good afternoon",
    "good evening",
    "good night",
    "bye",
    "goodbye",
    "see you",
    "talk soon",
    "talk to you",
    "you're welcome",
    "you are welcome",
    "no problem",
    "my pleasure",
    "nice to meet",
    "congrat",
    "take care",
    "sounds ",
    "that sounds",
    "of course",
    "let me know",
    "please let me",
    "don't hesitate",
    "i'd be happy to",
    "i'd love to",
    "happy to help",
    "glad to",
    "good luck",
    "keep up",
    "keep me",
    "have a ",
    "sure",
    "absolutely",
    "me too",
    "i see",
    "i agree",
    "that's great",
    "that's wonderful",
    "that's fantastic",
    "that's awesome",
    "that's good",
    "can't wait",
    "looking forward",
    "i look forward",
    "i'm looking forward",
    "i appreciate",
    "i really appreciate",
    "i can't thank",
    "it's my pleasure",
    "don't worry",
    "i'm sorry to hear",
    "i'm so sorry",
    "you too",
    "i hope",
    "feel free",
    "i'm here",
    "kind regards",
    "best wishes",
    "i'll let you know",
    "no worries",
    "i'm glad",
    "i'm so glad",
    "i'm happy",
    "i'm so happy",
    "excuse me",
    "pleased to",
    "how ",
    "what a ",
    "oh my",
    "fingers crossed",
    "that would be",
    "i couldn't agree",
    "thanks",
    "welcome",
    "i'm always here",
    "i knew you",
    "great ",
    "that's amazing",
    "that's so",
    "i'm thrilled",
    "you've got this",
    "i understand",
};
// clang-format on

void capitalize(std::string& text) {
  if (!text.empty()) text[0] = char(std::toupper(static_cast<unsigned char>(text[0])));
}

}  // namespace

std::vector<std::string> split_sentences(std::string_view text) {
  std::vector<std::string> sentences;
  const auto add = [&](std::string_view piece) {
    piece = trim(piece);
    if (!piece.empty()) sentences.emplace_back(piece);
  };
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (c == '\n') {
      add(text.substr(begin, i - begin));
      begin = i + 1;
      continue;
    }
    if (c != '.' && c != '!' && c != '?') continue;
    size_t end = i + 1;
    while (end < text.size() && (text[end] == '.' || text[end] == '!' || text[end] == '?')) end++;
    while (end < text.size() && is_closing(text[end])) end++;
    const bool at_end = end == text.size() || is_space(text[end]);
    if (!at_end || (c == '.' && is_abbreviation(text, i))) {
      i = end - 1;
      continue;
    }
    size_t next = end;
    while (next < text.size() && is_space(text[next])) next++;
    // "it ... took hours": an ellipsis before a small letter goes on.
    if (next < text.size() && std::islower(static_cast<unsigned char>(text[next])) && c == '.' &&
        end - i > 1) {
      i = end - 1;
      continue;
    }
    add(text.substr(begin, end - begin));
    begin = end;
    i = end - 1;
  }
  add(text.substr(std::min(begin, text.size())));
  return sentences;
}

std::string without_openers(std::string_view sentence, const std::vector<std::string>& names) {
  std::string_view rest = trim(sentence);
  for (;;) {
    const size_t cut = rest.find_first_of(",!-");
    if (cut == rest.npos || cut == 0 || cut + 1 >= rest.size()) break;
    if (rest[cut] == '-' && rest[cut - 1] != ' ' && rest[cut + 1] != ' ') break;
    if (!is_opener(trim(rest.substr(0, cut)), names)) break;
    rest = trim(rest.substr(cut + 1));
  }
  for (const std::string_view word : {"And ", "But ", "So ", "Well ", "Oh ", "Because ", "Then "})
    if (rest.starts_with(word) && rest.size() > word.size() + 3) rest.remove_prefix(word.size());
  rest = without_announcement(rest);
  // A name at the end: "See you at three, Tom."
  const size_t comma = rest.rfind(',');
  if (comma != rest.npos) {
    std::string_view last = trim(rest.substr(comma + 1));
    const size_t stop = last.find_last_not_of(".!?");
    if (stop != last.npos && is_name(last.substr(0, stop + 1), names)) {
      std::string kept(rest.substr(0, comma));
      kept += last.substr(stop + 1);
      capitalize(kept);
      return kept;
    }
  }
  std::string kept(rest);
  capitalize(kept);
  return kept;
}

SentenceKind kind_of(std::string_view sentence) {
  std::string_view text = trim(sentence);
  while (!text.empty() && is_closing(text.back())) text.remove_suffix(1);
  if (text.ends_with('?') || text.ends_with("?!")) return SentenceKind::kQuestion;
  const std::string lower = to_lower_ascii(text);
  for (const std::string_view start : kCourtesies)
    if (lower.starts_with(start)) return SentenceKind::kCourtesy;
  return SentenceKind::kStatement;
}

}  // namespace chatmem
