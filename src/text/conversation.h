// The conversation record: what every verb reads and writes (docs/formats.md).
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "base/json.h"

namespace chatmem {

struct Message {
  std::string timestamp;  // as the source has it; "YYYY-MM-DD HH:MM" where it can be read
  std::string content;    // "Speaker: text"

  std::optional<Minute> time() const { return parse_minute(timestamp); }
  std::string_view speaker()
      const;  // before the first ": ", when that is a plausible name; else empty
  std::string_view text() const;  // after it; else all
};

struct Conversation {
  std::string id;
  std::string start_date, end_date;  // "YYYY-MM-DD"
  std::optional<Date> as_of;         // the day the summary is written from
  std::vector<Message> messages;
  std::string summary;
  Json source = Json::object();  // the record as read: unknown keys are written back

  // The days on which messages were written, in order, each once; messages without a readable time
  // have none.
  std::vector<Date> days() const;
  // The speaker other than "You" with the most messages; empty when there is none.
  std::string other_speaker() const;
};

// From one JSON object; `where` names the place in errors. id and messages are required; start_date
// and end_date are taken from the messages when absent; as_of also under the name today_date.
Conversation conversation_from_json(const Json& json, std::string_view where);
Json conversation_to_json(const Conversation& conversation);

// A JSONL file. Throws Error with file and line for a broken line or the same id twice.
std::vector<Conversation> read_conversations(const fs::path& path);

// id -> as_of from a JSONL file of {"id","as_of"}; sets as_of where the conversation has none.
// Returns how many.
int join_as_of(std::vector<Conversation>& conversations, const fs::path& path);

// `*_finetune.txt`: [START DATE] [END DATE] [CHAT MESSAGES] [SUMMARY] sections.
Conversation parse_finetune_text(std::string_view text, std::string_view where);
std::string format_finetune_text(const Conversation& conversation);

// Plain lines `YYYY-MM-DD HH:MM | Name: text`; a line without a date continues the message before
// it.
Conversation parse_plain_chat(std::string_view text, std::string_view where);

// Any of the three by content: JSONL (all its records), finetune text, plain lines.
std::vector<Conversation> read_any_conversations(const fs::path& path);

}  // namespace chatmem
