// What turns one row of the input into dated conversations with a personal summary. One class, one
// file each.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/date.h"
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

class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string name() const = 0;
  // rows[index] expanded. Throws Error, whose message goes to errors/, when the row cannot be used.
  // May be called from several threads at once; the result does not depend on the order of calls.
  virtual Transformed expand(size_t index) const = 0;
};

struct OfflineOptions {
  uint64_t seed = 0;
  int year = 2024;  // of today, and of all messages
};

// Lays each dialogue and others of the rows that belong to it on dates. The rows must outlive it.
std::unique_ptr<Provider> make_offline_provider(const std::vector<SourceRow>& rows,
                                                const OfflineOptions& options);

}  // namespace chatmem
