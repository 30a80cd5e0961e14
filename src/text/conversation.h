// The conversation record: what every verb reads and writes (docs/formats.md).
#pragma once
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
  // The day the timestamp begins with, also where the rest of it is not a time ("2024-07-09 phone
  // call - 47 min").
  std::optional<Date> date() const;
  // Before the first ": " when that is 1 to 60 bytes of one line, not all spaces; else empty.
  std::string_view speaker() const;
  std::string_view text() const;  // after it; all of the content when there is no speaker
};

struct Conversation {
  std::string id;
  std::string start_date, end_date;  // "YYYY-MM-DD"
  std::optional<Date> as_of;         // the day the summary is written from
  std::vector<Message> messages;
  std::string summary;
  Json source = Json::object();  // the record as read: unknown keys are written back

  // The days on which messages were written, in order, each once; messages without a readable date
  // have none.
  std::vector<Date> days() const;
  // The indexes of the messages whose timestamp is not "YYYY-MM-DD HH:MM": they keep it and their
  // place; whoever reads a file may want to say so.
  std::vector<size_t> unreadable_times() const;
  // The speaker other than "You" with the most messages; empty when there is none.
  std::string other_speaker() const;
};

// Limits of a record; what is over them is refused.
constexpr size_t kMaxIdBytes = 512, kMaxTimestampBytes = 256, kMaxMessages = 1'000'000;
constexpr size_t kMaxContentBytes = size_t(16) << 20;  // also of a summary

// From one JSON object; `where` names the place in errors. id and messages are required; start_date
// and end_date are taken from the messages when absent; as_of also under the name today_date.
Conversation conversation_from_json(const Json& json, std::string_view where);
// The record as read with our fields put in their places; a fresh record in the order of the
// struct. Unknown keys of the messages are kept as long as their number has not changed.
Json conversation_to_json(const Conversation& conversation);

// A JSONL file. Throws Error with file and line for a broken line or the same id twice.
std::vector<Conversation> read_conversations(const fs::path& path);

// id -> as_of from a JSONL file of {"id","as_of"}; sets as_of where the conversation has none.
// Returns how many. Throws Error for the same id twice or what is no day; other ids are passed
// over.
int join_as_of(std::vector<Conversation>& conversations, const fs::path& path);

// `*_finetune.txt`: the sections [START DATE], [END DATE], [CHAT MESSAGES] (lines `timestamp |
// content`, others continue the message before) and [SUMMARY] (all that follows). On reading, the
// dates and the summary may be absent, an [AS OF] section is understood, and a message begins with
// a date, a time, or nothing before its " | ". The id is left empty. On writing, a line of a
// message that would read as a message or a section is indented by a space.
Conversation parse_finetune_text(std::string_view text, std::string_view where);
std::string format_finetune_text(const Conversation& conversation);

// Plain lines `YYYY-MM-DD HH:MM | Name: text`; a line without a date continues the message before
// it. The id is left empty.
Conversation parse_plain_chat(std::string_view text, std::string_view where);

// Any of the three by content: JSONL (all its records), finetune text, plain lines, which get the
// id.
std::vector<Conversation> parse_any_conversations(std::string_view text, std::string_view where,
                                                  std::string_view id);
// The same of a file. A text's id is its file's name without ending, or ID for
// `conversation_ID_finetune.txt`. "-" reads standard input.
std::vector<Conversation> read_any_conversations(const fs::path& path);

// Keeps the messages of the days from..to, either of which may be absent; one without a date goes
// with the one before it. Where any is left out, start_date and end_date become the first and the
// last day that is left. Returns the indexes that the kept ones had.
std::vector<int> keep_days(Conversation& conversation, std::optional<Date> from,
                           std::optional<Date> to);

}  // namespace chatmem
