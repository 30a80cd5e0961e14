// What turns rows of the input into dated conversations with a personal summary. One class, one
// file each.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "base/json.h"
#include "text/conversation.h"

namespace chatmem {

struct SourceRow {
  std::string id, dialogue, summary, topic;
  size_t line = 0;  // of the input file, from 1
};

struct DatedChat {
  Date date;
  std::vector<Message> messages;  // in order of time
};

struct Transformed {
  Date today;
  std::string personal_summary;
  std::vector<DatedChat> conversations;  // in order of date
};

struct RowTask {
  size_t index = 0;  // of the rows
  int attempt = 1;   // from 1; more when an earlier run has failed on it and it is tried again
};

// What became of a row.
struct Expanded {
  std::optional<Transformed> transformed;
  std::string failure;  // why there is none
  std::string raw;      // the answer as it came, where there was one
  std::string request_id;
};

// What takes the results.
class ExpandSink {
 public:
  virtual ~ExpandSink() = default;
  // From any thread, several at once, rows in any order.
  virtual void done(const RowTask& task, const Expanded& expanded) = 0;
  // What goes on, beside the count of rows: money, waits. Empty: nothing to say.
  virtual void status(std::string_view detail) = 0;
  // A line that stays.
  virtual void message(std::string_view line) = 0;
};

// Why rows were left, when they were: the run is to be continued.
struct ExpandEnd {
  std::string reason, hint;         // reason empty: all rows are done
  std::optional<double> spent_usd;  // by all runs of the folder, where prices are known
};

class Provider {
 public:
  virtual ~Provider() = default;
  // What its results depend on, beside the rows: two runs that agree in it give the same.
  virtual Json settings() const = 0;
  // Each row's result does not depend on the other tasks or their order.
  virtual ExpandEnd expand(std::span<const RowTask> tasks, ExpandSink& sink) = 0;
};

struct OfflineOptions {
  uint64_t seed = 0;
  int year = 2024;  // of today, and of all messages
  int threads = 0;  // 0: as many as the machine has
};

// Lays each dialogue and others of the rows that belong to it on dates. The rows must outlive it.
std::unique_ptr<Provider> make_offline_provider(const std::vector<SourceRow>& rows,
                                                const OfflineOptions& options);

}  // namespace chatmem
