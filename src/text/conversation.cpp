// Conversations from and to JSON, finetune text and plain lines.
#include "text/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr size_t kMaxSpeakerBytes = 60;
constexpr size_t kMaxWrittenTimestampBytes = 40;  // before " | " in a text

[[noreturn]] void fail(std::string_view where, std::string_view what, std::string hint = {}) {
  throw Error(fmt::format("[conversation] {}: {}", where, what), std::move(hint));
}

void check_size(size_t size, size_t limit, std::string_view what, std::string_view where) {
  if (size > limit)
    fail(where, fmt::format("{} may have at most {} bytes, has {}", what, limit, size));
}

void check_id(std::string_view id, std::string_view where) {
  if (id.empty()) fail(where, "the id must not be empty");
  check_size(id.size(), kMaxIdBytes, "an id", where);
}

// Start and end from the messages where the record does not say.
void fill_dates(Conversation& conversation) {
  const std::vector<Date> days = conversation.days();
  if (days.empty()) return;
  if (conversation.start_date.empty()) conversation.start_date = format_date(days.front());
  if (conversation.end_date.empty()) conversation.end_date = format_date(days.back());
}

Date checked_date(std::string_view text, std::string_view what, std::string_view where) {
  const auto date = parse_date(text);
  if (!date) fail(where, fmt::format("{} must be a day, YYYY-MM-DD, is '{}'", what, text));
  return *date;
}

// A date of the record, or "" when it is absent, null or empty.
std::string date_or_empty(const Json& json, std::string_view key, std::string_view where) {
  std::string text = json_string_or(json, key, "", where);
  if (!text.empty()) checked_date(text, key, where);
  return text;
}

Message message_from_json(const Json& json, size_t index, std::string_view where) {
  const std::string place = fmt::format("{}, message {}", where, index + 1);
  if (!json.is_object()) fail(place, fmt::format("must be an object, is {}", json.type_name()));
  Message message{json_string_or(json, "timestamp", "", place),
                  json_string(json, "content", place)};
  check_size(message.timestamp.size(), kMaxTimestampBytes, "a timestamp", place);
  check_size(message.content.size(), kMaxContentBytes, "a message", place);
  return message;
}

std::string_view as_of_key(const Json& source) {
  const bool other_name = !source.contains("as_of") && source.contains("today_date");
  return other_name ? "today_date" : "as_of";
}

Json messages_to_json(const Conversation& conversation) {
  const auto old = conversation.source.find("messages");
  const size_t n = conversation.messages.size();
  const bool keep = old != conversation.source.end() && old->is_array() && old->size() == n;
  Json array = Json::array();
  for (size_t i = 0; i < n; i++) {
    Json item = keep && (*old)[i].is_object() ? (*old)[i] : Json::object();
    const Message& message = conversation.messages[i];
    if (!message.timestamp.empty() || !keep || item.contains("timestamp"))
      item["timestamp"] = message.timestamp;
    item["content"] = message.content;
    array.push_back(std::move(item));
  }
  return array;
}

// A key of the record: written when there is something to say or the source had it.
void put(Json& json, const std::string& key, const std::string& value) {
  const auto old = json.find(key);
  if (old == json.end() && value.empty()) return;
  if (old != json.end() && old->is_null() && value.empty()) return;
  json[key] = value;
}

// Collects the records of a JSONL text and refuses an id that comes twice.
class RecordCollector {
 public:
  void add(const Json& json, std::string_view where, size_t line) {
    Conversation conversation = conversation_from_json(json, where);
    const auto [seen, is_new] = lines_.emplace(conversation.id, line);
    if (!is_new)
      fail(where, fmt::format("the id '{}' was seen on line {}", conversation.id, seen->second),
           "ids must be unique: rename or remove one of the records");
    records_.push_back(std::move(conversation));
  }
  std::vector<Conversation> take() { return std::move(records_); }

 private:
  std::vector<Conversation> records_;
  std::unordered_map<std::string, size_t> lines_;
};

// Calls line(text, number) for each line of a text, without "\n" and "\r\n"; UTF-8 is checked.
template <typename Line>
void for_each_text_line(std::string_view text, std::string_view where, const Line& line) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (size_t number = 1; !text.empty(); number++) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.ends_with('\r')) one.remove_suffix(1);
    if (one.find('\0') != one.npos)
      fail(fmt::format("{}, line {}", where, number), "must not hold a NUL byte");
    if (const size_t bad = find_invalid_utf8(one); bad != one.npos)
      fail(fmt::format("{}, line {}", where, number),
           fmt::format("must be UTF-8, byte {} is not", bad));
    line(one, number);
  }
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == line.npos; }

bool starts_with_time(std::string_view text) {
  const auto digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  const size_t colon = digit(0) && digit(1) ? 2 : 1;
  return digit(0) && text.size() > colon && text[colon] == ':' && digit(colon + 1) &&
         digit(colon + 2);
}

std::optional<Date> leading_date(std::string_view text) {
  if (text.size() > 10 && text[10] != ' ' && text[10] != 'T') return std::nullopt;
  return parse_date(text.substr(0, 10));
}

// Whether a line without a date can begin a message: in a finetune text, where timestamps that
// cannot be read keep their place.
enum class Undated { continues, may_begin };

// The message that begins with this line, if one does.
std::optional<Message> message_of_line(std::string_view line, Undated undated) {
  size_t bar = line.find(" | ");
  size_t content = bar + 3;
  if (bar == line.npos && line.ends_with(" |")) {  // an empty message, its space trimmed
    bar = line.size() - 2;
    content = line.size();
  }
  if (bar == line.npos || bar > kMaxWrittenTimestampBytes) return std::nullopt;
  const std::string_view head = line.substr(0, bar);
  const bool dated = leading_date(head).has_value();
  if (!dated && (undated == Undated::continues || !(head.empty() || starts_with_time(head))))
    return std::nullopt;
  return Message{std::string(head), std::string(line.substr(content))};
}

// Adds a line of chat: a message, or more of the message before. Blank lines between messages are
// passed over; inside a message they are kept.
class ChatLines {
 public:
  ChatLines(std::vector<Message>& messages, Undated undated)
      : messages_(messages), undated_(undated) {}

  void add(std::string_view line, std::string_view where, size_t number) {
    const auto place = [&] { return fmt::format("{}, line {}", where, number); };
    if (auto message = message_of_line(line, undated_)) {
      blank_lines_ = 0;
      if (messages_.size() == kMaxMessages)
        fail(place(), fmt::format("a chat may have at most {} messages", kMaxMessages));
      check_size(message->content.size(), kMaxContentBytes, "a message", place());
      messages_.push_back(std::move(*message));
    } else if (is_blank(line)) {
      blank_lines_++;
    } else if (messages_.empty()) {
      fail(place(), "a message must begin with 'YYYY-MM-DD HH:MM | '",
           "formats: one JSON object a line, a *_finetune.txt, or lines of "
           "YYYY-MM-DD HH:MM | Name: text");
    } else {
      std::string& content = messages_.back().content;
      content.append(std::min(blank_lines_, kMaxContentBytes) + 1, '\n');
      blank_lines_ = 0;
      check_size(content.size() + line.size(), kMaxContentBytes, "a message", place());
      content += line;
    }
  }

 private:
  std::vector<Message>& messages_;
  Undated undated_;
  size_t blank_lines_ = 0;
};

enum class Section { none, start_date, end_date, as_of, messages, summary };

Section section_of_line(std::string_view line) {
  while (line.ends_with(' ')) line.remove_suffix(1);
  if (line == "[START DATE]") return Section::start_date;
  if (line == "[END DATE]") return Section::end_date;
  if (line == "[AS OF]") return Section::as_of;
  if (line == "[CHAT MESSAGES]") return Section::messages;
  if (line == "[SUMMARY]") return Section::summary;
  return Section::none;
}

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\n");
  if (begin == text.npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1));
}

// The lines of a message in a finetune text: none but the first may look like a message or section.
void append_message(std::string& out, const Message& message) {
  out += message.timestamp;
  out += " | ";
  std::string_view rest = message.content;
  for (bool first = true;; first = false) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    const bool ambiguous =
        section_of_line(line) != Section::none || message_of_line(line, Undated::may_begin);
    if (!first && ambiguous) out += ' ';
    out += line;
    out += '\n';
    if (end == rest.size()) return;
    rest.remove_prefix(end + 1);
  }
}

// "conversation_train%2059_finetune.txt" names the record "train 59".
std::string id_of_file(const fs::path& path) {
  if (path == "-") return "chat";
  std::string_view name;
  const std::string stem = path.stem().string();
  name = stem;
  constexpr std::string_view kBefore = "conversation_", kAfter = "_finetune";
  if (!name.starts_with(kBefore) || !name.ends_with(kAfter) ||
      name.size() <= kBefore.size() + kAfter.size())
    return stem;
  name = name.substr(kBefore.size(), name.size() - kBefore.size() - kAfter.size());
  const auto hex = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
  };
  std::string id;
  for (size_t i = 0; i < name.size(); i++) {
    const bool escape =
        name[i] == '%' && i + 2 < name.size() && hex(name[i + 1]) >= 0 && hex(name[i + 2]) >= 0;
    id += escape ? char(hex(name[i + 1]) * 16 + hex(name[i + 2])) : name[i];
    if (escape) i += 2;
  }
  return id;
}

}  // namespace

std::optional<Date> Message::date() const { return leading_date(timestamp); }

std::string_view Message::speaker() const {
  const std::string_view all = content;
  const size_t colon = all.substr(0, kMaxSpeakerBytes + 2).find(": ");
  if (colon == all.npos) return {};
  const std::string_view name = all.substr(0, colon);
  return is_blank(name) || name.find('\n') != name.npos ? std::string_view() : name;
}

std::string_view Message::text() const {
  const std::string_view name = speaker();
  return std::string_view(content).substr(name.empty() ? 0 : name.size() + 2);
}

std::vector<Date> Conversation::days() const {
  std::set<Date> days;
  for (const Message& message : messages)
    if (const auto day = message.date()) days.insert(*day);
  return {days.begin(), days.end()};
}

std::vector<size_t> Conversation::unreadable_times() const {
  std::vector<size_t> indexes;
  for (size_t i = 0; i < messages.size(); i++)
    if (!messages[i].time()) indexes.push_back(i);
  return indexes;
}

std::string Conversation::other_speaker() const {
  std::vector<std::pair<std::string_view, int>>
      counts;  // in order of appearance: ties go to the first
  std::unordered_map<std::string_view, size_t> place;
  for (const Message& message : messages) {
    const std::string_view name = message.speaker();
    if (name.empty() || name == "You") continue;
    const auto [it, is_new] = place.emplace(name, counts.size());
    if (is_new) counts.emplace_back(name, 0);
    counts[it->second].second++;
  }
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  return most == counts.end() ? std::string() : std::string(most->first);
}

Conversation conversation_from_json(const Json& json, std::string_view where) {
  if (!json.is_object()) fail(where, fmt::format("must be an object, is {}", json.type_name()));
  Conversation conversation;
  conversation.id = json_string(json, "id", where);
  check_id(conversation.id, where);
  conversation.start_date = date_or_empty(json, "start_date", where);
  conversation.end_date = date_or_empty(json, "end_date", where);
  const std::string as_of = date_or_empty(json, as_of_key(json), where);
  if (!as_of.empty()) conversation.as_of = parse_date(as_of);
  const Json& messages = json_array(json, "messages", where);
  if (messages.size() > kMaxMessages)
    fail(where, fmt::format("may have at most {} messages, has {}", kMaxMessages, messages.size()));
  conversation.messages.reserve(messages.size());
  for (size_t i = 0; i < messages.size(); i++)
    conversation.messages.push_back(message_from_json(messages[i], i, where));
  conversation.summary = json_string_or(json, "summary", "", where);
  check_size(conversation.summary.size(), kMaxContentBytes, "a summary", where);
  fill_dates(conversation);
  conversation.source = json;
  return conversation;
}

Json conversation_to_json(const Conversation& conversation) {
  Json json = conversation.source.is_object() ? conversation.source : Json::object();
  put(json, "id", conversation.id);
  put(json, "start_date", conversation.start_date);
  put(json, "end_date", conversation.end_date);
  const std::string as_of(as_of_key(json));
  put(json, as_of, conversation.as_of ? format_date(*conversation.as_of) : "");
  json["messages"] = messages_to_json(conversation);
  put(json, "summary", conversation.summary);
  return json;
}

std::vector<Conversation> read_conversations(const fs::path& path) {
  RecordCollector records;
  for_each_json_line(path, [&](Json& json, size_t line) {
    records.add(json, fmt::format("'{}', line {}", path.string(), line), line);
  });
  return records.take();
}

int join_as_of(std::vector<Conversation>& conversations, const fs::path& path) {
  std::unordered_map<std::string, Date> days;
  for_each_json_line(path, [&](Json& json, size_t line) {
    const std::string where = fmt::format("'{}', line {}", path.string(), line);
    const std::string& id = json_string(json, "id", where);
    const Date day = checked_date(json_string(json, "as_of", where), "as_of", where);
    if (!days.emplace(id, day).second) fail(where, fmt::format("the id '{}' comes twice", id));
  });
  int joined = 0;
  for (Conversation& conversation : conversations) {
    const auto it = days.find(conversation.id);
    if (conversation.as_of || it == days.end()) continue;
    conversation.as_of = it->second;
    joined++;
  }
  return joined;
}

Conversation parse_finetune_text(std::string_view text, std::string_view where) {
  Conversation conversation;
  ChatLines chat(conversation.messages, Undated::may_begin);
  std::array<bool, 6> seen{};
  Section section = Section::none;
  for_each_text_line(text, where, [&](std::string_view line, size_t number) {
    const std::string place = fmt::format("{}, line {}", where, number);
    // The summary is all that follows its header, whatever it looks like.
    const Section next = section == Section::summary ? Section::none : section_of_line(line);
    if (next != Section::none) {
      section = next;
      if (seen[size_t(section)]) fail(place, fmt::format("the section {} comes twice", line));
      seen[size_t(section)] = true;
    } else if (section == Section::messages) {
      chat.add(line, where, number);
    } else if (section == Section::summary) {
      conversation.summary += line;
      conversation.summary += '\n';
    } else if (!is_blank(line)) {
      if (section == Section::none) fail(place, "must begin with [START DATE]");
      const std::string day = trimmed(line);
      const Date date = checked_date(day, "a date section", place);
      if (section == Section::as_of) conversation.as_of = date;
      if (section == Section::start_date) conversation.start_date = day;
      if (section == Section::end_date) conversation.end_date = day;
    }
  });
  if (!seen[size_t(Section::messages)]) fail(where, "has no section [CHAT MESSAGES]");
  conversation.summary = trimmed(conversation.summary);
  check_size(conversation.summary.size(), kMaxContentBytes, "a summary", where);
  fill_dates(conversation);
  return conversation;
}

std::string format_finetune_text(const Conversation& conversation) {
  std::string out = fmt::format("[START DATE]\n{}\n[END DATE]\n{}\n[CHAT MESSAGES]\n",
                                conversation.start_date, conversation.end_date);
  for (const Message& message : conversation.messages) append_message(out, message);
  out += "[SUMMARY]\n" + conversation.summary;  // as the original: no line end of our own
  return out;
}

Conversation parse_plain_chat(std::string_view text, std::string_view where) {
  Conversation conversation;
  ChatLines chat(conversation.messages, Undated::continues);
  for_each_text_line(text, where,
                     [&](std::string_view line, size_t number) { chat.add(line, where, number); });
  if (conversation.messages.empty()) fail(where, "has no messages");
  fill_dates(conversation);
  return conversation;
}

std::vector<Conversation> parse_any_conversations(std::string_view text, std::string_view where,
                                                  std::string_view id) {
  std::string first;  // line that is not blank
  for_each_text_line(text, where, [&](std::string_view line, size_t) {
    if (first.empty() && !is_blank(line)) first = trimmed(line);
  });
  if (first.starts_with('{')) {
    RecordCollector records;
    for_each_text_line(text, where, [&](std::string_view line, size_t number) {
      if (is_blank(line)) return;
      const std::string place = fmt::format("{}, line {}", where, number);
      records.add(parse_json(line, place), place, number);
    });
    return records.take();
  }
  const bool sections = section_of_line(first) != Section::none;
  std::vector<Conversation> one;
  one.push_back(sections ? parse_finetune_text(text, where) : parse_plain_chat(text, where));
  one.front().id = id;
  check_id(one.front().id, where);
  return one;
}

std::vector<Conversation> read_any_conversations(const fs::path& path) {
  std::string text;
  for_each_line(path, [&](std::string_view line, size_t) {
    text += line;
    text += '\n';
  });
  const std::string where = path == "-" ? "standard input" : fmt::format("'{}'", path.string());
  return parse_any_conversations(text, where, id_of_file(path));
}

std::vector<int> keep_days(Conversation& conversation, std::optional<Date> from,
                           std::optional<Date> to) {
  std::vector<int> places;
  std::vector<Message> kept;
  bool inside = !from;
  for (int i = 0; i < int(conversation.messages.size()); i++) {
    Message& message = conversation.messages[size_t(i)];
    if (const auto day = message.date()) inside = (!from || *day >= *from) && (!to || *day <= *to);
    if (!inside) continue;
    places.push_back(i);
    kept.push_back(std::move(message));
  }
  const bool all = kept.size() == conversation.messages.size();
  conversation.messages = std::move(kept);
  if (all) return places;
  conversation.start_date.clear(), conversation.end_date.clear();
  fill_dates(conversation);
  return places;
}

}  // namespace chatmem
