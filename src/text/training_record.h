// The records that training reads, told apart by their content (docs/formats.md).
#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/prompt.h"

namespace chatmem {

// Turns of a chat: {"messages":[{"role","content"}]} as OpenAI has it, or
// {"conversations":[{"from","value"}]} as ShareGPT.
struct ChatRecord {
  std::string id;
  std::vector<Turn> turns;
  std::vector<uint8_t> learnt;  // of each turn: 1 for the assistant's, unless its "weight" is 0
};

// {"prompt","completion"}: plain text.
struct CompletionRecord {
  std::string id, prompt, completion;
};

// {"input_ids","labels"}: a label is -100, or the token itself where it carries loss.
struct TokenRecord {
  std::string id;
  std::vector<int> tokens;
  std::vector<uint8_t> target;  // 1 where the label is the token
};

// The records of one file are of one kind.
using TrainingRecords = std::variant<std::vector<Conversation>, std::vector<ChatRecord>,
                                     std::vector<CompletionRecord>, std::vector<TokenRecord>>;

// A JSONL file. A record without an id is named "line N". Throws Error with file and line for a
// record of no kind or of two, of another kind than those before it, an id that comes twice, a role
// that the chat template does not have, and what it could not render (tools, pictures).
TrainingRecords read_training_records(const fs::path& path);

// "conversations", "chats", "completions", "token records".
std::string_view kind_of(const TrainingRecords& records);

}  // namespace chatmem
