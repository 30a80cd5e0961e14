#include "extractive/sentences.h"

#include <algorithm>
#include <cctype>

#include "base/chars.h"
#include "extractive/word_lists.h"
#include "text/words.h"

namespace chatmem {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Whether the full stop at text[at] belongs to a title, initials, an abbreviation, or the number of
// a list or a day.
bool is_abbreviation(std::string_view text, size_t at) {
  size_t begin = at;
  while (begin > 0 && !is_space(text[begin - 1])) begin--;
  const std::string_view word = text.substr(begin, at - begin);
  const bool initials = word.size() % 2 == 1 && word.size() <= 5;  // "J", "J.K"
  if (initials && std::all_of(word.begin(), word.end(), [&](const char& c) {
        return (&c - word.data()) % 2 ? c == '.' : std::isupper(static_cast<unsigned char>(c));
      }))
    return word != "I";
  if (!word.empty() && word.size() <= 2 && std::all_of(word.begin(), word.end(), is_digit))
    return at + 1 < text.size();
  static const PhraseSet kShort = phrase_set("Mr|Mrs|Ms|Dr|St|Prof|vs|e.g|i.e|etc|Mt");
  if (word == "No" && at + 2 < text.size()) return is_digit(text[at + 2]);
  return kShort.contains(word);
}

bool is_closing(char c) { return c == '"' || c == '\'' || c == ')' || c == ']'; }

// The length of the mark at text[at] that ends a sentence wherever it stands: ideographic and
// Arabic marks, which no space need follow; 0 when there is none.
size_t wide_end_mark(std::string_view text, size_t at) {
  for (const std::string_view mark : {"。", "！", "？", "؟", "।"})
    if (text.substr(at).starts_with(mark)) return mark.size();
  return 0;
}

// "hey tom", "thanks so much, tom": an opener word followed by nothing or a name.
bool is_opener(std::string_view phrase, const CalledNames& names) {
  static const PhraseSet kOpeners = phrase_set(
      "well|oh|ah|yes|yeah|yea|yep|no|nope|ok|okay|sure|so|hey|hi|hello|actually|right|great|"
      "thanks|wow|alright|absolutely|exactly|honestly|listen|look|anyway|and|but|um|hm|hmm|haha|"
      "hah|ha|lol|ugh|aww|perfect|definitely|of course|thank you|you know|by the way|good morning|"
      "good afternoon|good evening|i mean|sorry|also|then|now|true|fine|no problem|all right|"
      "that's great|good|unfortunately|congratulations|aw|sounds good|in fact|to be honest|"
      "finally|awesome|my goodness|whew|phew");
  static const PhraseSet kGreetings = phrase_set(
      "hey|hi|hello|thanks|oh|yes|no|ok|okay|well|dear|sorry|morning|congratulations|congrats|"
      "sure|yeah");
  if (phrase.empty() || phrase.size() > 40) return false;
  const std::string lower = to_lower_ascii(phrase);
  if (names.contains(lower) || kOpeners.contains(lower)) return true;
  const size_t space = lower.find(' ');
  if (space == lower.npos || !kGreetings.contains(std::string_view(lower).substr(0, space)))
    return false;
  const std::string_view rest = phrase.substr(space + 1);
  const bool named = !rest.empty() && std::isupper(static_cast<unsigned char>(rest[0])) &&
                     rest.size() < 20 && std::count(rest.begin(), rest.end(), ' ') <= 2;
  return named || kOpeners.contains(std::string_view(lower).substr(space + 1)) || rest == "there";
}

// "I wanted to let you know that the offer came": what follows is the sentence.
std::string_view without_announcement(std::string_view text) {
  static const std::vector<std::string_view> kAnnouncements = phrase_list(
      "i just wanted to let you know that |i just wanted to let you know |"
      "i wanted to let you know that |i wanted to let you know |"
      "just wanted to let you know that |just wanted to let you know |just letting you know that |"
      "i just wanted to share that |i wanted to share that |i have to say |i have to say, |"
      "i must say |i must say, |i have to admit |i have to admit, |i'm happy to report that |"
      "i'm happy to report |i'm pleased to report |i wanted to tell you that |"
      "i wanted to tell you ");
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

}  // namespace

std::vector<std::string_view> split_sentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  size_t begin = 0;
  const auto end_at = [&](size_t end) {
    const std::string_view sentence = trim(text.substr(begin, end - begin));
    if (!sentence.empty()) sentences.push_back(sentence);
    begin = end;
  };
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (c == '\n') end_at(i);
    if (static_cast<unsigned char>(c) >= 0x80) {
      const size_t mark = wide_end_mark(text, i);
      if (mark > 0) end_at(i + mark), i += mark - 1;
    }
    if (c != '.' && c != '!' && c != '?') continue;
    size_t end = i + 1;
    while (end < text.size() && (text[end] == '.' || text[end] == '!' || text[end] == '?')) end++;
    while (end < text.size() && is_closing(text[end])) end++;
    const bool at_end = end == text.size() || is_space(text[end]);
    size_t next = end;
    while (next < text.size() && is_space(text[next])) next++;
    // "it ... took hours": an ellipsis before a small letter goes on.
    const bool goes_on = next < text.size() && c == '.' && end - i > 1 &&
                         std::islower(static_cast<unsigned char>(text[next]));
    if (at_end && !goes_on && !(c == '.' && is_abbreviation(text, i))) end_at(end);
    i = end - 1;
  }
  end_at(text.size());
  return sentences;
}

CalledNames called_names(const std::vector<std::string>& names) {
  CalledNames called;
  for (const std::string& name : names) {
    const std::string lower = to_lower_ascii(name);
    called.insert(lower.substr(0, lower.find(' ')));
    called.insert(lower);
  }
  return called;
}

std::string_view without_openers(std::string_view sentence, const CalledNames& names) {
  std::string_view rest = trim(sentence);
  for (;;) {
    const size_t cut = rest.find_first_of(",!-:");
    if (cut == rest.npos || cut == 0 || cut + 1 >= rest.size()) break;
    const bool inside_word = !is_space(rest[cut + 1]) && rest[cut] != ',';
    if (inside_word || !is_opener(trim(rest.substr(0, cut)), names)) break;
    rest = trim(rest.substr(cut + 1));
  }
  for (const std::string_view word : {"And ", "But ", "So ", "Well ", "Oh ", "Because ", "Then "})
    if (rest.starts_with(word) && rest.size() > word.size() + 3)
      rest = trim(rest.substr(word.size()));
  return without_announcement(rest);
}

std::string_view without_address(std::string_view sentence, const CalledNames& names) {
  const size_t comma = sentence.rfind(',');
  if (comma == sentence.npos) return sentence;
  std::string_view last = trim(sentence.substr(comma + 1));
  last = last.substr(0, last.find_last_not_of(".!?") + 1);
  return names.contains(to_lower_ascii(last)) ? sentence.substr(0, comma) : sentence;
}

bool has_end_mark(std::string_view sentence) {
  while (!sentence.empty() && is_closing(sentence.back())) sentence.remove_suffix(1);
  if (sentence.empty()) return false;
  const char end = sentence.back();
  if (end == '.' || end == '!' || end == '?') return true;
  return (sentence.size() >= 2 && wide_end_mark(sentence, sentence.size() - 2) == 2) ||
         (sentence.size() >= 3 && wide_end_mark(sentence, sentence.size() - 3) == 3);
}

SentenceKind kind_of(std::string_view sentence) {
  // How greetings, thanks, good wishes and assent begin.
  static const std::vector<std::string_view> kCourtesies = phrase_list(
      "thank|hi |hi,|hello|hey |good morning|good afternoon|good evening|good night|bye|goodbye|"
      "see you|talk soon|talk to you|you're welcome|you are welcome|you're very welcome|no problem|"
      "my pleasure|nice to meet|congrat|take care|sounds |that sounds|of course|let me know|"
      "please let me|don't hesitate|i'd be happy to|i'd love to|happy to help|glad to|good luck|"
      "keep up|keep me|have a |sure|absolutely|me too|i see|i agree|that's great|that's wonderful|"
      "that's fantastic|that's awesome|that's good|can't wait|looking forward|i look forward|"
      "i'm looking forward|i appreciate|i really appreciate|i can't thank|it's my pleasure|"
      "don't worry|i'm sorry to hear|i'm so sorry|you too|i hope|feel free|i'm here|kind regards|"
      "best wishes|i'll let you know|no worries|i'm glad|i'm so glad|i'm happy|i'm so happy|"
      "excuse me|pleased to|how |what a |oh my|fingers crossed|that would be|i couldn't agree|"
      "welcome|i'm always here|i knew you|great |that's amazing|that's so|i'm thrilled|"
      "you've got this|i understand|my name is|my name's|"
      "<media omitted>|this message was deleted|messages are end-to-end|messages to this");
  std::string_view text = trim(sentence);
  while (!text.empty() && is_closing(text.back())) text.remove_suffix(1);
  if (text.ends_with('?') || text.ends_with("?!") || text.ends_with("？") || text.ends_with("؟"))
    return SentenceKind::kQuestion;
  const std::string lower = to_lower_ascii(text.substr(0, 24));
  for (const std::string_view start : kCourtesies)
    if (lower.starts_with(start)) return SentenceKind::kCourtesy;
  return SentenceKind::kStatement;
}

}  // namespace chatmem
