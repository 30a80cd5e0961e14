// A language model's answer read. Two forms:
//
// JSON: the transformed_conversations object, also as the member of that name, fenced with ``` or
// with words around it.
//
// Brackets, the original pipeline's way:
//
//   [TODAY] 2024-08-20
//   [CONVERSATION] 2024-05-27
//   14:32 | You: Did the guitar come?
//   14:40 | Nora: This morning.
//   [SUMMARY] As of August 20th, ...
//
// A tag may be in any case, bold, a heading, with a colon, with words after it in the brackets
// ("[CONVERSATION 2 DATE]", "[TODAY'S DATE]"), its value on the next line. A message may have its
// day before the time, seconds, "AM" or "PM", and bold around the speaker. Other lines continue
// the message before them; the summary goes to the next tag or the end.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/chars.h"
#include "base/error.h"
#include "base/utf8.h"
#include "synth/date_mentions.h"
#include "synth/expansion.h"
#include "text/words.h"

namespace chatmem {
namespace {

// No answer of a model is as large; what is over it is refused before it is read.
constexpr size_t kMaxAnswerBytes = size_t(4) << 20;
constexpr size_t kMaxConversations = 1000, kMaxAnswerMessages = 20'000;

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// What an error shows of the answer.
std::string shown(std::string_view text) {
  std::string part = replace_invalid_utf8(text.substr(0, 60));
  std::replace(part.begin(), part.end(), '\n', ' ');
  return text.size() > 60 ? part + "..." : part;
}

// The JSON library shows the answer up to any byte, so its words may end within a character.
[[noreturn]] void refuse(const std::string& what) {
  throw Error("[answer] " + replace_invalid_utf8(what));
}

// "2024-05-27", with words or marks around it, or written out with its year.
std::optional<Date> day_in(std::string_view text) {
  for (const DateMention& mention : date_mentions(text)) {
    if (!mention.year || mention.month == 0) continue;
    return parse_date(fmt::format("{:04}-{:02}-{:02}", *mention.year, mention.month, mention.day));
  }
  return std::nullopt;
}

struct ClockTime {
  int minutes = 0;
  size_t bytes = 0;  // of the text that it took
};

// "9:05", "09:05:30", "9:05 PM" at the beginning of the text.
std::optional<ClockTime> clock_at(std::string_view text) {
  size_t i = 0;
  const auto number = [&](size_t max_digits) {
    int value = -1;
    for (size_t n = 0; n < max_digits && i < text.size() && is_digit(text[i]); n++, i++)
      value = std::max(value, 0) * 10 + (text[i] - '0');
    return value;
  };
  int hour = number(2);
  if (hour < 0 || i >= text.size() || text[i++] != ':') return std::nullopt;
  const int minute = number(2);
  if (minute < 0 || minute > 59) return std::nullopt;
  if (i + 2 < text.size() && text[i] == ':' && is_digit(text[i + 1])) {
    i++;
    number(2);
  }
  const std::string after = to_lower_ascii(text.substr(i, 3));
  const size_t blank = after.starts_with(' ') ? 1 : 0;
  const std::string half = after.substr(blank, 2);
  if (half == "am" || half == "pm") {
    if (hour < 1 || hour > 12) return std::nullopt;
    hour = hour % 12 + (half == "pm" ? 12 : 0);
    i += blank + 2;
  }
  if (hour > 23) return std::nullopt;
  return ClockTime{hour * 60 + minute, i};
}

// "YYYY-MM-DD HH:MM" from what a model writes for it; what cannot be read stays, for the check to
// name it.
std::string checked_timestamp(std::string_view text, Date day) {
  text = trim(text);
  std::string_view rest = text;
  if (const auto own = parse_date(rest.substr(0, 10))) {
    day = *own;
    rest.remove_prefix(10);
    if (rest.starts_with('T') || rest.starts_with(',')) rest.remove_prefix(1);
    rest = trim(rest);
  }
  const auto clock = clock_at(rest);
  if (!clock) return std::string(text.substr(0, kMaxTimestampBytes));
  const std::string_view zone = rest.substr(clock->bytes);
  if (!zone.empty() && zone != "Z" && !zone.starts_with('.') && !zone.starts_with('+'))
    return std::string(text.substr(0, kMaxTimestampBytes));
  return format_minute(Minute(day) + std::chrono::minutes(clock->minutes));
}

// The end of the JSON object that begins at text[begin] (past its brace), or npos.
size_t object_end(std::string_view text, size_t begin) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = begin; i < text.size(); i++) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') i++;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      depth++;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return text.npos;
}

// The answer's object among whatever words stand around it: the first brace that begins one with
// the keys asked for.
Json find_object(std::string_view answer) {
  std::string reason;
  int tries = 0;
  for (size_t at = answer.find('{'); at != answer.npos && tries < 8; tries++) {
    const size_t end = object_end(answer, at);
    if (end == answer.npos) {
      if (reason.empty()) reason = "the JSON object must end with '}', the answer stops within it";
      break;
    }
    try {
      Json found = parse_json(answer.substr(at, end - at), "answer");
      if (found.contains("transformed_conversations")) return found["transformed_conversations"];
      if (found.contains("conversations") || found.contains("today_date")) return found;
      if (reason.empty()) reason = "the JSON object must have the key 'conversations', has not";
    } catch (const Error& error) {
      if (reason.empty()) reason = error.what();
    }
    at = answer.find('{', end);
  }
  if (reason.empty())
    reason = fmt::format("must hold a JSON object, begins with '{}'", shown(trim(answer)));
  refuse(reason);
}

DatedChat chat_of(const Json& value, const std::string& where) {
  if (!value.is_object()) refuse(where + " must be an object");
  DatedChat chat;
  const std::string& date = json_string(value, "date", where);
  const auto day = day_in(date);
  if (!day) refuse(fmt::format("{}: date must be a day YYYY-MM-DD, is '{}'", where, shown(date)));
  chat.date = *day;
  const Json& messages = json_array(value, "messages", where);
  if (messages.size() > kMaxAnswerMessages)
    refuse(fmt::format("{} must have at most {} messages", where, kMaxAnswerMessages));
  for (size_t i = 0; i < messages.size(); i++) {
    const std::string place = fmt::format("{}, message {}", where, i + 1);
    if (!messages[i].is_object()) refuse(place + " must be an object");
    const std::string& content = json_string(messages[i], "content", place);
    chat.messages.push_back(
        {checked_timestamp(json_string(messages[i], "timestamp", place), chat.date),
         std::string(trim(content))});
  }
  return chat;
}

Transformed parse_object(std::string_view answer) {
  const Json object = find_object(answer);
  if (!object.is_object()) refuse("transformed_conversations must be an object");
  Transformed result;
  const std::string& today = json_string(object, "today_date", "answer");
  const auto day = day_in(today);
  if (!day) refuse(fmt::format("today_date must be a day YYYY-MM-DD, is '{}'", shown(today)));
  result.today = *day;
  result.personal_summary = trim(json_string(object, "personal_summary", "answer"));
  const Json& conversations = json_array(object, "conversations", "answer");
  if (conversations.empty()) refuse("conversations must have at least one, is empty");
  if (conversations.size() > kMaxConversations)
    refuse(fmt::format("there must be at most {} conversations, are {}", kMaxConversations,
                       conversations.size()));
  for (size_t i = 0; i < conversations.size(); i++)
    result.conversations.push_back(
        chat_of(conversations[i], fmt::format("conversation {}", i + 1)));
  return result;
}

enum class Tag { none, today, conversation, summary };

struct TaggedLine {
  Tag tag = Tag::none;
  std::string_view value;
};

// "**[Today's Date]:** 2024-08-20", "## [SUMMARY]".
TaggedLine tagged(std::string_view line) {
  std::string_view rest = line;
  while (!rest.empty() && std::string_view("*#_> \t").find(rest[0]) != rest.npos)
    rest.remove_prefix(1);
  const size_t close = rest.find(']');
  if (!rest.starts_with('[') || close == rest.npos || close > 40) return {};
  const std::string name = to_lower_ascii(rest.substr(1, close - 1));
  TaggedLine result;
  // "[CONVERSATION SUMMARY]" is a summary, "[TODAY'S DATE]" no conversation.
  if (name.find("summary") != name.npos)
    result.tag = Tag::summary;
  else if (name.find("today") != name.npos)
    result.tag = Tag::today;
  else if (name.find("conversation") != name.npos)
    result.tag = Tag::conversation;
  rest.remove_prefix(close + 1);
  while (!rest.empty() && std::string_view("*_: \t").find(rest[0]) != rest.npos)
    rest.remove_prefix(1);
  result.value = trim(rest);
  return result;
}

class BracketParser {
 public:
  explicit BracketParser(std::string_view answer) : answer_(answer) {}

  Transformed run() {
    for (size_t begin = 0; begin <= answer_.size();) {
      const size_t end = std::min(answer_.find('\n', begin), answer_.size());
      number_++;
      line(trim(answer_.substr(begin, end - begin)));
      begin = end + 1;
    }
    if (!today_) refuse("the line '[TODAY] YYYY-MM-DD' is missing");
    close_conversation();
    if (result_.conversations.empty()) refuse("there is no '[CONVERSATION] YYYY-MM-DD' line");
    result_.today = *today_;
    result_.personal_summary = trim(result_.personal_summary);
    if (result_.personal_summary.empty()) refuse("the [SUMMARY] at the end is missing");
    return std::move(result_);
  }

 private:
  void line(std::string_view text) {
    if (text.starts_with("```")) return;
    const TaggedLine found = tagged(text);
    if (found.tag != Tag::none) {
      if (found.tag == Tag::conversation) {
        close_conversation();
        open_ = true;
      }
      section_ = found.tag;
      text = found.value;
    }
    switch (section_) {
      case Tag::none:
        return;  // words before the first tag
      case Tag::today:
        if (!today_) today_ = day_in(text);
        if (!today_ && !text.empty()) refuse_line("'[TODAY]' must have a day YYYY-MM-DD", text);
        return;
      case Tag::summary:
        result_.personal_summary += text;
        result_.personal_summary += '\n';
        return;
      case Tag::conversation:
        if (!text.empty()) conversation_line(text);
    }
  }

  void conversation_line(std::string_view text) {
    if (!chat_date_) {
      chat_date_ = day_in(text);
      if (!chat_date_)
        refuse_line(fmt::format("conversation {} must begin with its day YYYY-MM-DD",
                                result_.conversations.size() + 1),
                    text);
      result_.conversations.push_back({*chat_date_, {}});
      if (result_.conversations.size() > kMaxConversations)
        refuse(fmt::format("there must be at most {} conversations", kMaxConversations));
      return;
    }
    std::vector<Message>& messages = result_.conversations.back().messages;
    const size_t bar = text.find('|');
    std::string_view when = bar == text.npos ? "" : trim(text.substr(0, bar));
    while (!when.empty() && std::string_view("*_-[( ").find(when[0]) != when.npos)
      when.remove_prefix(1);
    while (!when.empty() && std::string_view("*_]) ").find(when.back()) != when.npos)
      when.remove_suffix(1);
    const std::string timestamp = checked_timestamp(when, *chat_date_);
    if (parse_minute(timestamp) || (!when.empty() && is_digit(when[0]) && when.size() <= 20)) {
      messages.push_back({timestamp, without_bold(trim(text.substr(bar + 1)))});
      if (messages.size() > kMaxAnswerMessages) refuse_line("there are too many messages", text);
    } else if (!messages.empty()) {
      messages.back().content += ' ';
      messages.back().content += text;
    } else {
      refuse_line("a conversation must begin with a line 'HH:MM | Speaker: text'", text);
    }
  }

  // "**You:** text" and "**You**: text" as "You: text".
  static std::string without_bold(std::string_view content) {
    std::string text(content);
    const size_t colon = text.find(':');
    if (!text.starts_with("**") || colon == text.npos) return text;
    const size_t close = text.find("**", 2);
    if (close == text.npos || close > colon + 1) return text;
    text.erase(close, 2);
    return text.substr(2);
  }

  void close_conversation() {
    if (open_ && !chat_date_)
      refuse(fmt::format("conversation {} has no day after its tag, before line {}",
                         result_.conversations.size() + 1, number_));
    chat_date_.reset();
    open_ = false;
  }
  [[noreturn]] void refuse_line(std::string_view what, std::string_view text) const {
    refuse(fmt::format("{}, is '{}', line {}", what, shown(text), number_));
  }

  std::string_view answer_;
  size_t number_ = 0;
  Tag section_ = Tag::none;
  bool open_ = false;
  std::optional<Date> today_, chat_date_;
  Transformed result_;
};

}  // namespace

Transformed parse_expansion(std::string_view answer, AnswerFormat format) {
  if (answer.size() > kMaxAnswerBytes)
    refuse(fmt::format("must have at most {} bytes, has {}", kMaxAnswerBytes, answer.size()));
  if (const size_t bad = find_invalid_utf8(answer); bad != answer.npos)
    refuse(fmt::format("must be UTF-8, is not at byte {}", bad));
  if (trim(answer).empty()) refuse("must not be empty");
  return format == AnswerFormat::json ? parse_object(answer) : BracketParser(answer).run();
}

}  // namespace chatmem
