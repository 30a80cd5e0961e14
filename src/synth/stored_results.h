// A folder that generate wrote, or the original pipeline: what is in it, for statistics and viewer.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "text/conversation.h"

namespace chatmem {

struct ResultRow {
  Conversation conversation;
  std::string topic;        // empty where only training_data.jsonl is there
  int n_conversations = 0;  // as the result says, else the number of its days
};

// Of the JSON of a success/*_original.json, ours or the original pipeline's, in which a timestamp
// may be any words: those stay as they are. Throws Error that names `where`.
ResultRow parse_result(const Json& json, const std::string& where);

// Why a row failed, of the JSON of an errors/*.json. Reasons that differ only in numbers are one:
// digits are "N". At most 160 bytes.
std::string error_reason(const Json& json, const std::string& where);

// What a folder holds beside its results.
struct StoredResults {
  std::string name;  // of the folder
  int64_t rows = 0;
  int64_t errors = 0;
  std::map<std::string, int64_t> errors_by_reason;
  int64_t unreadable = 0;                     // files that were passed over
  std::vector<std::string> first_unreadable;  // with the reason, at most 5
};

// Calls row for each of success/*_original.json in the order of ids, numbers in them by their
// value; without any, for each line of training_data.jsonl, here or in success/. Reads
// errors/*.json too. One file is in memory at a time. Throws Error when there is none of them.
StoredResults read_stored_results(const fs::path& folder,
                                  const std::function<void(const ResultRow&)>& row);

}  // namespace chatmem
