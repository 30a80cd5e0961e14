// A folder that generate wrote, or the original pipeline: what is in it, for statistics and viewer.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "text/conversation.h"

namespace chatmem {

struct ResultRow {
  Conversation conversation;
  std::string topic;        // empty where only training_data.jsonl is there
  int n_conversations = 0;  // as the result says, else the number of its days
};

struct StoredResults {
  std::string name;             // of the folder
  std::vector<ResultRow> rows;  // by id, numbers in it by their value
  int64_t errors = 0;
  std::map<std::string, int64_t> errors_by_reason;  // digits as "N", at most 160 bytes
  std::vector<std::string> unreadable;              // what was passed over, with the reason
};

// From success/*_original.json, else training_data.jsonl here or in success/; and errors/*.json.
// Throws Error when there is none of them.
StoredResults read_stored_results(const fs::path& folder);

}  // namespace chatmem
