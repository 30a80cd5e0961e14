// Records of training from JSON.
#include "text/training_record.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr int kNoLoss = -100;         // PyTorch's ignore_index
constexpr int kMaxTokenId = 1 << 24;  // what the vocabulary has is checked by who knows it

[[noreturn]] void fail_record(std::string_view where, std::string_view what,
                              std::string hint = {}) {
  throw Error(fmt::format("[records] {}: {}", where, what), std::move(hint));
}

void check_content(std::string_view text, std::string_view what, std::string_view where) {
  if (text.size() > kMaxContentBytes)
    fail_record(where, fmt::format("{} may have at most {} bytes, has {}", what, kMaxContentBytes,
                                   text.size()));
}

enum class Kind { conversation, chat, completion, tokens };
constexpr std::array<std::string_view, 4> kKindNames = {"conversations", "chats", "completions",
                                                        "token records"};

// Messages of a chat have a role, those of a conversation a timestamp.
bool has_roles(const Json& messages) {
  return messages.is_array() && !messages.empty() && messages[0].is_object() &&
         (messages[0].contains("role") || messages[0].contains("from"));
}

Kind kind_of_record(const Json& json, std::string_view where) {
  const auto messages = json.find("messages");
  const bool chat =
      json.contains("conversations") || (messages != json.end() && has_roles(*messages));
  const bool kinds[] = {messages != json.end() && !chat, chat,
                        json.contains("prompt") && json.contains("completion"),
                        json.contains("input_ids")};
  int found = -1;
  for (int kind = 0; kind < 4; kind++) {
    if (!kinds[kind]) continue;
    if (found >= 0)
      fail_record(where, fmt::format("must be of one kind, has the keys of {} and of {}",
                                     kKindNames[size_t(found)], kKindNames[size_t(kind)]));
    found = kind;
  }
  if (found < 0)
    fail_record(
        where, "must be a record of training, has none of their keys",
        "id and messages with timestamps; messages with role and content; conversations with from "
        "and value; prompt and completion; input_ids and labels");
  return Kind(found);
}

// The id of a record that need not have one.
std::string id_or_line(const Json& json, size_t line, std::string_view where) {
  const auto id = json.find("id");
  if (id == json.end() || id->is_null()) return fmt::format("line {}", line);
  if (id->is_number_integer()) return id->dump();
  if (!id->is_string()) fail_record(where, "an id must be a string or an integer");
  std::string text = *id;
  if (text.empty() || text.size() > kMaxIdBytes)
    fail_record(where,
                fmt::format("an id must have 1 to {} bytes, has {}", kMaxIdBytes, text.size()));
  return text;
}

// A string, or an array of {"type":"text","text":...} whose texts are joined.
std::string content_of(const Json& turn, const char* key, std::string_view where) {
  const auto content = turn.find(key);
  if (content == turn.end() || !content->is_array()) return json_string(turn, key, where);
  std::string text;
  for (const Json& part : *content) {
    if (!part.is_object() || json_string_or(part, "type", "", where) != "text")
      fail_record(where, "a part of a content must be of type 'text'",
                  "only text can be trained on");
    text += json_string(part, "text", where);
    check_content(text, "a content", where);
  }
  return text;
}

bool is_set(const Json& json, const char* key) {
  const auto value = json.find(key);
  return value != json.end() && !value->is_null() && !(value->is_array() && value->empty());
}

void refuse_tools(const Json& json, std::string_view where) {
  for (const char* key : {"tools", "functions", "tool_calls", "function_call"})
    if (is_set(json, key))
      fail_record(where,
                  fmt::format("must have no '{}': the chat template of training has no tools", key),
                  "take these records out of the data");
}

Turn turn_from_json(const Json& json, std::string_view where) {
  static const std::unordered_map<std::string_view, const char*> kRoles = {
      {"system", "system"},
      {"user", "user"},
      {"human", "user"},
      {"gpt", "assistant"},
      {"assistant", "assistant"}};
  if (!json.is_object())
    fail_record(where, fmt::format("must be an object, is {}", json.type_name()));
  refuse_tools(json, where);
  const bool share_gpt = json.contains("from");
  const std::string& role = json_string(json, share_gpt ? "from" : "role", where);
  const auto known = kRoles.find(role);
  if (known == kRoles.end())
    fail_record(
        where,
        fmt::format("the role must be system, user (human) or assistant (gpt), is '{}'", role));
  Turn turn{known->second, content_of(json, share_gpt ? "value" : "content", where)};
  check_content(turn.content, "a content", where);
  return turn;
}

// OpenAI's weight is 0 for an answer that is not to be learnt.
bool is_learnt(const Json& turn, std::string_view role, std::string_view where) {
  const long long weight = is_set(turn, "weight") ? json_int(turn, "weight", where) : 1;
  if (weight != 0 && weight != 1)
    fail_record(where, fmt::format("a weight must be 0 or 1, is {}", weight));
  return role == "assistant" && weight == 1;
}

ChatRecord chat_from_json(const Json& json, size_t line, std::string_view where) {
  refuse_tools(json, where);
  ChatRecord record{id_or_line(json, line, where), {}, {}};
  const Json& turns =
      json_array(json, json.contains("conversations") ? "conversations" : "messages", where);
  if (turns.size() > kMaxMessages)
    fail_record(where,
                fmt::format("may have at most {} messages, has {}", kMaxMessages, turns.size()));
  for (size_t i = 0; i < turns.size(); i++) {
    const std::string place = fmt::format("{}, message {}", where, i + 1);
    record.turns.push_back(turn_from_json(turns[i], place));
    record.learnt.push_back(is_learnt(turns[i], record.turns.back().role, place));
  }
  return record;
}

CompletionRecord completion_from_json(const Json& json, size_t line, std::string_view where) {
  CompletionRecord record{id_or_line(json, line, where), json_string(json, "prompt", where),
                          json_string(json, "completion", where)};
  check_content(record.prompt, "a prompt", where);
  check_content(record.completion, "a completion", where);
  return record;
}

int token_at(const Json& array, size_t i, const char* key, int least, std::string_view where) {
  const Json& value = array[i];
  if (!value.is_number_integer() || value < least || value > kMaxTokenId)
    fail_record(where, fmt::format("{}[{}] must be an integer from {} to {}, is {}", key, i, least,
                                   kMaxTokenId, value.dump().substr(0, 40)));
  return value.get<int>();
}

TokenRecord tokens_from_json(const Json& json, size_t line, std::string_view where) {
  TokenRecord record{id_or_line(json, line, where), {}, {}};
  const Json &ids = json_array(json, "input_ids", where),
             &labels = json_array(json, "labels", where);
  if (ids.size() != labels.size())
    fail_record(where, fmt::format("labels must be as many as input_ids ({}), are {}", ids.size(),
                                   labels.size()));
  record.tokens.reserve(ids.size()), record.target.reserve(ids.size());
  for (size_t i = 0; i < ids.size(); i++) {
    const int token = token_at(ids, i, "input_ids", 0, where),
              label = token_at(labels, i, "labels", kNoLoss, where);
    if (label != kNoLoss && label != token)
      fail_record(
          where,
          fmt::format("labels[{}] must be {} or the token {}, is {}", i, kNoLoss, token, label),
          "labels are not shifted: a label stands at its own token");
    record.tokens.push_back(token);
    record.target.push_back(label != kNoLoss);
  }
  return record;
}

class RecordReader {
 public:
  void add(const Json& json, size_t line, std::string_view where) {
    const Kind kind = kind_of_record(json, where);
    if (first_line_ == 0) {
      start(kind);
      first_line_ = line;
    }
    if (size_t(kind) != records_.index())
      fail_record(where,
                  fmt::format("the records of a file must be of one kind, line {} is one of {}, "
                              "this one of {}",
                              first_line_, kind_of(records_), kKindNames[size_t(kind)]));
    const std::string& id = append(kind, json, line, where);
    const auto [seen, is_new] = lines_.emplace(id, line);
    if (!is_new)
      fail_record(where, fmt::format("the id '{}' was seen on line {}", id, seen->second),
                  "ids must be unique: rename or remove one of the records");
  }
  TrainingRecords take() { return std::move(records_); }

 private:
  void start(Kind kind) {
    if (kind == Kind::chat) records_.emplace<std::vector<ChatRecord>>();
    if (kind == Kind::completion) records_.emplace<std::vector<CompletionRecord>>();
    if (kind == Kind::tokens) records_.emplace<std::vector<TokenRecord>>();
  }
  const std::string& append(Kind kind, const Json& json, size_t line, std::string_view where) {
    switch (kind) {
      case Kind::chat:
        return std::get<1>(records_).emplace_back(chat_from_json(json, line, where)).id;
      case Kind::completion:
        return std::get<2>(records_).emplace_back(completion_from_json(json, line, where)).id;
      case Kind::tokens:
        return std::get<3>(records_).emplace_back(tokens_from_json(json, line, where)).id;
      default:
        return std::get<0>(records_).emplace_back(conversation_from_json(json, where)).id;
    }
  }

  TrainingRecords records_;
  std::unordered_map<std::string, size_t> lines_;
  size_t first_line_ = 0;
};

}  // namespace

std::string_view kind_of(const TrainingRecords& records) { return kKindNames[records.index()]; }

TrainingRecords read_training_records(const fs::path& path) {
  RecordReader reader;
  for_each_json_line(path, [&](Json& json, size_t line) {
    reader.add(json, line, fmt::format("'{}', line {}", path.string(), line));
  });
  return reader.take();
}

}  // namespace chatmem
