#include "anthropic_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "base/date.h"
#include "base/hash.h"
#include "base/random.h"

namespace chatmem {
namespace {

struct Turn {
  int person;
  std::string text;
};

struct Task {
  Date today;
  int conversations = 2, min_days = 1, max_days = 14;
  std::string other = "Morgan";
  int reader = 1;  // the person who is "You"
  std::vector<Turn> turns;
};

struct Line {
  Minute time;
  std::string content;  // "Speaker: text"
};

struct Chat {
  std::vector<Line> lines;
};

std::string_view value_of(std::string_view text, std::string_view mark) {
  for (size_t at = 0; (at = text.find(mark, at)) != text.npos; at++) {
    if (at > 0 && text[at - 1] != '\n') continue;
    const size_t begin = at + mark.size();
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  return {};
}

int number_at(std::string_view text, size_t at) {
  int number = 0;
  if (at < text.size()) std::from_chars(text.data() + at, text.data() + text.size(), number);
  return number;
}

// Other placeholders, "#PhoneNumber#", become words: an answer may leave none.
std::string without_placeholders(std::string_view text, const Task& task) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text[at] == '#' ? text.find('#', at + 1) : text.npos;
    const std::string_view inside =
        end == text.npos ? std::string_view() : text.substr(at + 1, end - at - 1);
    const bool placeholder =
        !inside.empty() && inside.find_first_of(" .,!?#:") == inside.npos && inside.size() < 30;
    if (!placeholder) {
      out += text[at++];
      continue;
    }
    const int person = inside.starts_with("Person") ? number_at(inside, 6) : 0;
    out += person == 0 ? "something" : person == task.reader ? "you" : task.other;
    at = end + 1;
  }
  return out;
}

void read_turns(std::string_view text, Task& task) {
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    const size_t colon = line.find("#:");
    if (!line.starts_with("#Person") || colon == line.npos || colon > 12) continue;
    std::string said = without_placeholders(line.substr(colon + 2), task);
    said.erase(0, said.find_first_not_of(' '));
    const bool has_word = std::ranges::any_of(
        said, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || (c & 0x80); });
    if (has_word) task.turns.push_back({number_at(line, 7), std::move(said)});
  }
}

std::optional<Task> read_task(std::string_view text) {
  const auto today = parse_date(value_of(text, "Today's date: ").substr(0, 10));
  if (!today) return std::nullopt;
  Task task;
  task.today = *today;
  const auto range = [&](std::string_view mark) {
    const std::string_view value = value_of(text, mark);
    const size_t to = value.find(" to ");
    return std::pair(number_at(value, 0), to == value.npos ? 0 : number_at(value, to + 4));
  };
  if (const auto [low, high] = range("Conversations: "); low > 0)
    task.conversations = low + int(hash64(text) % uint64_t(std::max(high - low, 0) + 1));
  if (const auto [low, high] = range("Span: "); high > 0) {
    task.min_days = low;
    task.max_days = std::max(low, high);
  }
  const std::string_view other = value_of(text, "Other speaker: ");
  if (!other.empty() && !other.starts_with("choose ")) task.other = std::string(other);
  const size_t reader = text.find("# is the reader here: You.");
  if (reader != text.npos && reader > 0) task.reader = number_at(text, reader - 1);
  read_turns(text, task);
  if (task.turns.empty()) return std::nullopt;
  return task;
}

std::string speaker_of(const Turn& turn, const Task& task) {
  const int other = task.reader == 1 ? 2 : 1;
  if (turn.person == task.reader) return "You";
  return turn.person == other ? task.other : fmt::format("Guest {}", turn.person);
}

// The days of the conversations: uneven, increasing, the last one some days before today.
std::vector<Date> lay_days(const Task& task, Random& random) {
  const int span = task.conversations < 2 ? 0 : random.between(task.min_days, task.max_days);
  const Date last = task.today - std::chrono::days(random.between(1, 9));
  std::vector<Date> days;
  for (int i = 0; i < task.conversations; i++) {
    const int steps = std::max(task.conversations - 1, 1);
    days.push_back(last - std::chrono::days(span - span * i / steps));
  }
  return days;
}

Chat first_chat(const Task& task, Date day, Random& random) {
  Chat chat;
  Minute time = day + std::chrono::minutes(random.between(8 * 60, 18 * 60));
  for (const Turn& turn : task.turns) {
    chat.lines.push_back({time, speaker_of(turn, task) + ": " + turn.text});
    time += std::chrono::minutes(random.between(1, 4));
    time = std::min<Minute>(time, day + std::chrono::minutes(23 * 60 + 59));
  }
  return chat;
}

Chat follow_up(const Task& task, Date day, Random& random) {
  static constexpr std::string_view kOpenings[] = {
      "I have been thinking about what we said.", "There is news about our last talk.",
      "Do you have a moment to go on where we stopped?", "It did not go quite as planned."};
  static constexpr std::string_view kReplies[] = {
      "Tell me, I have time now.", "I hoped you would write.", "Then let us change the plan.",
      "Good, that is one thing less to worry about."};
  static constexpr std::string_view kFacts[] = {
      "The appointment is settled.", "It will cost about forty dollars more.",
      "My sister will help with it.", "We need two more weeks.", "The first part is done."};
  Chat chat;
  Minute time = day + std::chrono::minutes(random.between(8 * 60, 20 * 60));
  const bool you_begin = random.below(2) == 0;
  const int n = random.between(2, 5);
  for (int i = 0; i < n; i++) {
    const std::string who = (i % 2 == 0) == you_begin ? "You" : task.other;
    const std::string_view text = i == 0   ? kOpenings[random.below(std::size(kOpenings))]
                                  : i == 1 ? kReplies[random.below(std::size(kReplies))]
                                           : kFacts[random.below(std::size(kFacts))];
    chat.lines.push_back({time, fmt::format("{}: {}", who, text)});
    time += std::chrono::minutes(random.between(1, 30));
  }
  return chat;
}

std::string ago(Date then, Date today) {
  const int days = int((today - then).count());
  if (days == 1) return "yesterday";
  if (days < 14) return fmt::format("{} days ago", days);
  return fmt::format("{} weeks ago", (days + 3) / 7);
}

std::string summary_of(const Task& task, const std::vector<Chat>& chats) {
  std::string text = fmt::format("As of {}, you and {} are still in touch about what began {}.",
                                 format_long_date(task.today), task.other,
                                 ago(date_of(chats[0].lines[0].time), task.today));
  static constexpr std::string_view kHappened[] = {
      "you talked about how things had gone since and what was left to do",
      "the two of you changed the plan a little and agreed on the next step",
      "you heard news that made the matter easier and settled one open question",
      "you went through the details again and found what had been forgotten"};
  for (size_t i = 0; i < chats.size(); i++) {
    const Date day = date_of(chats[i].lines[0].time);
    const std::string_view what =
        i == 0 ? "you had the first exchange, and everything after it goes back to what was said"
               : kHappened[(i - 1) % std::size(kHappened)];
    text += fmt::format(" On {}, {}, {}.", format_long_date(day), ago(day, task.today), what);
  }
  text += fmt::format(
      " What is still open is small: {} promised to write when there is more to say, and you mean "
      "to keep an eye on it until then.",
      task.other);
  return text;
}

std::string as_json(const Task& task, const std::vector<Chat>& chats) {
  Json conversations = Json::array();
  for (const Chat& chat : chats) {
    Json messages = Json::array();
    for (const Line& line : chat.lines)
      messages.push_back({{"timestamp", format_minute(line.time)}, {"content", line.content}});
    conversations.push_back(
        {{"date", format_date(date_of(chat.lines[0].time))}, {"messages", std::move(messages)}});
  }
  return dump_json(Json{{"today_date", format_date(task.today)},
                        {"conversations", std::move(conversations)},
                        {"personal_summary", summary_of(task, chats)}});
}

std::string as_text(const Task& task, const std::vector<Chat>& chats) {
  std::string text = fmt::format("[TODAY] {}\n", format_date(task.today));
  for (const Chat& chat : chats) {
    text += fmt::format("[CONVERSATION] {}\n", format_date(date_of(chat.lines[0].time)));
    for (const Line& line : chat.lines) {
      const size_t colon = line.content.find(": ");
      text += fmt::format("{} | {}: {}\n", format_minute(line.time).substr(11),
                          line.content.substr(0, colon), line.content.substr(colon + 2));
    }
  }
  return text + "[SUMMARY] " + summary_of(task, chats) + "\n";
}

// Of the subset that structured outputs take, without references.
Json instance_of(const Json& schema) {
  if (!schema.is_object()) return nullptr;
  if (schema.contains("const")) return schema["const"];
  if (schema.contains("enum") && !schema["enum"].empty()) return schema["enum"][0];
  for (const char* choice : {"anyOf", "allOf"})
    if (schema.contains(choice) && !schema[choice].empty()) return instance_of(schema[choice][0]);
  const Json type = schema.value("type", Json("string"));
  if (type == "object") {
    Json object = Json::object();
    const Json properties = schema.value("properties", Json::object());
    for (const auto& item : properties.items()) object[item.key()] = instance_of(item.value());
    return object;
  }
  if (type == "array") return Json::array({instance_of(schema.value("items", Json::object()))});
  if (type == "integer") return 7;
  if (type == "number") return 7.5;
  if (type == "boolean") return true;
  if (type == "null") return nullptr;
  return "some text";
}

}  // namespace

std::string content_text(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (!content.is_array()) return text;
  for (const Json& block : content)
    if (block.is_object() && block.contains("text") && block["text"].is_string())
      text += block["text"].get<std::string>() + "\n";
  return text;
}

std::string default_anthropic_answer(const Json& request) {
  const Json format = request.value("output_config", Json::object()).value("format", Json());
  // A repair turn follows the task, so the task is in the first message that has one.
  std::string last;
  for (const Json& message : request.at("messages")) {
    last = content_text(message.at("content"));
    const auto task = read_task(last);
    if (!task) continue;
    Random random(hash64(last));
    const std::vector<Date> days = lay_days(*task, random);
    std::vector<Chat> chats = {first_chat(*task, days[0], random)};
    for (size_t i = 1; i < days.size(); i++) chats.push_back(follow_up(*task, days[i], random));
    return format.is_object() ? as_json(*task, chats) : as_text(*task, chats);
  }
  if (format.is_object()) return dump_json(instance_of(format.value("schema", Json::object())));
  return fmt::format("This is the double's answer to a message of {} bytes.", last.size());
}

}  // namespace chatmem
