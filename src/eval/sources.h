// The texts of a test set that come from files: what summaries are scored against, and summaries
// that exist.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/predictions.h"
#include "eval/rouge_files.h"
#include "text/conversation.h"

namespace chatmem {

// One or several references for each conversation.
struct ReferenceTexts {
  std::vector<std::string> names;               // as the report names them, each once
  std::vector<std::vector<std::string>> texts;  // texts[r][i]: by names[r] for conversation i
  size_t size() const { return names.size(); }
};

// Each argument is "KEY" of the conversations' own records, or a source of texts (FILE.jsonl:key,
// FILE.csv:column); either may stand after "NAME=". The rows of a source are paired by id, or by
// order when they have none; rows of other ids are left out. Throws Error for a name that comes
// twice, and naming the conversations that have no words to be scored against.
ReferenceTexts read_references(std::span<const Conversation> conversations,
                               std::span<const std::string> arguments);

// What a system answered, under its name.
struct SystemAnswers {
  std::string name;
  Predictions predictions;
};

// Summaries of a source, "FILE.jsonl:key" or "NAME=FILE.jsonl:key"; paired as references are. Of a
// JSONL file that `evaluate` wrote the times, counts of tokens and reasons to stop are read, too.
SystemAnswers read_system_answers(std::span<const Conversation> conversations,
                                  std::string_view argument);

}  // namespace chatmem
