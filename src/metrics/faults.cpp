#include "metrics/faults.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "metrics/language.h"
#include "text/prompt.h"
#include "text/words.h"

namespace chatmem {
namespace {

constexpr size_t kMinEchoBytes = 20;  // shorter messages ("You: ok") may stand in any text
constexpr int kMinSummaryWords = 5;
constexpr size_t kMinSummaryBytes = 60;  // of a script that does not part its words
constexpr int kMinHeadWords = 15;        // before an echo, to be a summary
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kMarker = "[SUMMARY]", kEndMarker = "[/SUMMARY]";

// What stands in prompts and in no summary: of the templates of text/prompt.h.
constexpr std::string_view kPromptMarks[] = {"[INST]", "[CHAT MESSAGES]", "[START DATE]",
                                             "[END DATE]", "<|start_header_id|>"};
constexpr std::string_view kSeedInstruction = "You are a chat summarization assistant";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == text.npos ? std::string_view()
                            : text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

template <typename Visit>
void for_each_text_line(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (const std::string_view line = trimmed(text.substr(0, end)); !line.empty()) visit(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Where the prompt's own text stands in a prediction.
struct Echo {
  bool found = false;
  size_t begin = 0;  // of its first piece
  size_t end = 0;    // of its last one
};

Echo find_echo(std::string_view text, const Conversation& chat) {
  Echo echo{.begin = text.npos};
  const auto piece = [&](size_t at, size_t n_bytes) {
    echo.begin = std::min(echo.begin, at);
    echo.end = std::max(echo.end, at + n_bytes);
  };
  int n_long = 0, n_found = 0;
  for (const Message& message : chat.messages) {
    const std::string_view content = trimmed(message.content);
    if (content.size() < kMinEchoBytes) continue;
    n_long++;
    if (const size_t at = text.find(content); at != text.npos) n_found++, piece(at, content.size());
  }
  bool instruction = false;
  const std::string system =
      chat.messages.empty() ? std::string() : summary_request(chat).front().content;
  for (const std::string_view sentence : {std::string_view(system), kSeedInstruction})
    if (const size_t at = sentence.empty() ? text.npos : text.find(sentence); at != text.npos)
      instruction = true, piece(at, sentence.size());
  echo.found = instruction || n_found >= 2 || (n_found == 1 && n_long == 1);
  if (!echo.found) return echo;
  for (const std::string_view mark : kPromptMarks)
    if (const size_t at = text.find(mark); at < echo.begin) echo.begin = at;
  return echo;
}

// Behind the echo: what the templates put between the last message and the summary.
size_t skip_prompt_end(std::string_view text, size_t at) {
  static constexpr std::string_view kEnds[] = {
      "[/INST]",           "[END DATE]", "[AS OF]", "<|eot_id|>", "<|start_header_id|>",
      "<|end_header_id|>", "assistant",  "</s>"};
  while (true) {
    at = std::min(text.find_first_not_of(kSpace, at), text.size());
    const std::string_view rest = text.substr(at);
    const auto end = std::find_if(std::begin(kEnds), std::end(kEnds),
                                  [&](std::string_view mark) { return rest.starts_with(mark); });
    if (end != std::end(kEnds))
      at += end->size();
    else if (const std::string_view day = rest.substr(0, 10);
             parse_date(day) && (rest.size() == 10 || rest[10] == '\n' || rest[10] == '<'))
      at += day.size();
    else
      return at;
  }
}

// Lines of a chat: "2024-05-27 14:32 | You: text" (stamped), or "You: text" by who speaks in it.
class ChatLines {
 public:
  ChatLines(std::string_view text, const Conversation& chat) {
    for (const Message& message : chat.messages)
      if (const std::string_view speaker = message.speaker(); !speaker.empty())
        speakers_.insert(speaker);
    for_each_text_line(text, [&](std::string_view line) {
      const bool stamped = is_stamped(line), spoken = begins_with_speaker(line);
      if (n_lines_++ == 0) first_ = stamped || spoken;
      n_stamped_ += stamped;
      n_chat_ += stamped || spoken;
    });
  }
  bool any() const { return first_ || n_stamped_ > 0 || n_chat_ >= 2; }
  // Chat from the start, and no prose that would outweigh it.
  bool instead_of_summary() const { return first_ && (n_stamped_ > 0 || 2 * n_chat_ >= n_lines_); }

 private:
  bool begins_with_speaker(std::string_view line) const {
    const size_t colon = line.find(':');
    return colon != line.npos && colon + 1 < line.size() && line[colon + 1] == ' ' &&
           speakers_.contains(trimmed(line.substr(0, colon)));
  }
  // A date, a time, then " | name: " or a speaker.
  bool is_stamped(std::string_view line) const {
    if (line.starts_with("<s>")) line = trimmed(line.substr(3));
    const size_t end = std::min(line.find_first_not_of("0123456789-/.: "), line.size());
    if (end < 5 || std::count_if(line.begin(), line.begin() + std::ptrdiff_t(end),
                                 [](char c) { return c >= '0' && c <= '9'; }) < 4)
      return false;
    if (end == line.size() || line[end] != '|') return begins_with_speaker(line.substr(end));
    const std::string_view rest = trimmed(line.substr(end + 1));
    const size_t colon = rest.find(':');
    return rest.starts_with('[') || (colon != rest.npos && colon > 0 && colon <= 60);
  }

  std::unordered_set<std::string_view> speakers_;
  int n_lines_ = 0, n_stamped_ = 0, n_chat_ = 0;
  bool first_ = false;
};

// Another prompt, or more after the mark of the end.
bool goes_on_behind_marks(std::string_view summary) {
  for (const std::string_view mark : kPromptMarks)
    if (summary.find(mark) != summary.npos) return true;
  const size_t end = summary.find(kEndMarker);
  return end != summary.npos && count_words(summary.substr(end + kEndMarker.size())) > 0;
}

bool is_list_item(std::string_view line) {
  for (const std::string_view mark : {"- ", "* ", "+ ", "\u2022 "})
    if (line.starts_with(mark)) return true;
  const size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  return digits > 0 &&
         (line.substr(digits).starts_with(". ") || line.substr(digits).starts_with(") "));
}

// Whether it ends with a mark of the end of a sentence, or a picture, closing marks passed over.
bool ends_a_sentence(std::string_view text) {
  static constexpr std::string_view kClosing[] = {"\"", "'",      ")",      "]",      "*",
                                                  "_",  "\u201D", "\u2019", "\u00BB", "\u300D"};
  static constexpr std::string_view kEnds[] = {".",      "!",      "?",      "\u2026", "\u3002",
                                               "\uFF01", "\uFF1F", "\u061F", "\u0964"};
  const auto strip = [&] {
    return std::any_of(std::begin(kClosing), std::end(kClosing), [&](std::string_view mark) {
      if (!text.ends_with(mark)) return false;
      text.remove_suffix(mark.size());
      return true;
    });
  };
  while (strip()) text = trimmed(text);
  const bool ends = std::any_of(std::begin(kEnds), std::end(kEnds),
                                [&](std::string_view mark) { return text.ends_with(mark); });
  const bool picture =
      text.ends_with("\uFE0F") || (text.size() >= 4 && uint8_t(text[text.size() - 4]) == 0xF0);
  return ends || picture;
}

bool is_cut_off(std::string_view summary, std::string_view finish_reason) {
  if (finish_reason == "length") return true;
  if (summary.find(kEndMarker) != summary.npos) return false;
  summary = trimmed(summary);
  for (const std::string_view token : {"</s>", "<|eot_id|>", "<|end_of_text|>"})
    if (summary.ends_with(token)) return false;
  const size_t line = summary.rfind('\n') + 1;  // 0 when there is none
  return !ends_a_sentence(summary) && !is_list_item(trimmed(summary.substr(line)));
}

double repeated_trigrams(std::string_view text) {
  const std::vector<std::string> words = words_of(text);
  if (words.size() < 3) return 0;
  std::unordered_set<std::string> seen;
  int repeated = 0;
  for (size_t i = 0; i + 3 <= words.size(); i++)
    repeated += !seen.insert(words[i] + ' ' + words[i + 1] + ' ' + words[i + 2]).second;
  return double(repeated) / double(words.size() - 2);
}

// Sets begin and end of the summary, or all of the text and no_summary.
void find_summary(std::string_view text, const Echo& echo, const Conversation& chat,
                  Diagnosis& diagnosis) {
  size_t begin = 0, end = text.size();
  const size_t marker = text.rfind(kMarker);
  const std::string_view head = text.substr(0, echo.found ? echo.begin : 0);
  if (marker != text.npos && count_words(text.substr(marker + kMarker.size())) > 0)
    begin = marker + kMarker.size();
  else if (echo.found && count_words(head) >= kMinHeadWords)
    end = echo.begin;
  else if (echo.found)
    begin = skip_prompt_end(text, echo.end);
  const std::string_view summary = text.substr(begin, end - begin);
  const bool too_short =
      count_words(summary) < kMinSummaryWords && trimmed(summary).size() < kMinSummaryBytes;
  const bool none = too_short || ChatLines(summary, chat).instead_of_summary();
  diagnosis.faults.set(size_t(Fault::no_summary), none);
  if (!none) diagnosis.begin = begin, diagnosis.end = end;
}

}  // namespace

Diagnosis diagnose(std::string_view prediction, const Conversation& chat,
                   std::string_view reference, std::string_view finish_reason) {
  Diagnosis diagnosis{.end = prediction.size()};
  const auto set = [&](Fault fault, bool holds) { diagnosis.faults.set(size_t(fault), holds); };
  if (words_of(prediction).empty()) {
    set(Fault::empty, true);
    return diagnosis;
  }
  const Echo echo = find_echo(prediction, chat);
  set(Fault::prompt_echo, echo.found);
  find_summary(prediction, echo, chat, diagnosis);
  // Of a text without a summary, what comes behind its echo.
  std::string_view rest = prediction.substr(diagnosis.begin, diagnosis.end - diagnosis.begin);
  if (!diagnosis.has_summary() && echo.found)
    rest = prediction.substr(skip_prompt_end(prediction, echo.end));
  set(Fault::continued_chat, ChatLines(rest, chat).any() || goes_on_behind_marks(rest) ||
                                 diagnosis.end < prediction.size());
  set(Fault::cut_off, !rest.empty() && is_cut_off(rest, finish_reason));
  diagnosis.repeated_trigrams = repeated_trigrams(rest);
  set(Fault::repetition, diagnosis.repeated_trigrams > kManyRepeats);
  const std::string_view ours = language_of(rest), wanted = language_of(reference);
  set(Fault::wrong_language, !ours.empty() && !wanted.empty() && ours != wanted);
  return diagnosis;
}

}  // namespace chatmem
