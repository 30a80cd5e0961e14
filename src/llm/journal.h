// What was asked and what was answered, on disk before anything is made of it: a JSON Lines file
// that only grows. An answer is found again by the content of its request, so the same run, started
// again after a kill, buys nothing twice. Its lines are described in docs/formats.md.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/file.h"

namespace chatmem {

// One answer as it was received, of any status.
struct JournalAnswer {
  int status = 0;
  std::string request_id;
  std::string body;
  double cost_usd = 0;
};

struct JournalBatch {
  std::string id;                 // empty: it was about to be created when the program was killed
  std::vector<std::string> keys;  // of its requests; also their custom_ids
  std::string created_at;         // RFC 3339, by this machine's clock
  bool ended = false;             // all its results are in the journal
};

class Journal {
 public:
  // Creates it, or reads it: the index is in memory, the bodies stay on disk. A last line that a
  // kill has torn is cut off. Throws Error for a broken line within.
  explicit Journal(const fs::path& path);

  std::optional<JournalAnswer> find(const std::string& key) const;
  bool contains(const std::string& key) const;

  // A request goes out; bound_usd is what it can cost at most. Written at once, not flushed.
  void sent(const std::string& key, double bound_usd);
  // Flushed to disk before it returns.
  void received(const std::string& key, const JournalAnswer& answer);
  // An attempt ended without an answer that counts; cost_usd: what it may have cost.
  void failed(const std::string& key, double cost_usd, const std::string& reason);

  void batch_begins(const std::vector<std::string>& keys, const std::string& created_at);
  void batch_created(const std::string& id);  // of the last one begun
  void batch_ended(const std::string& id);
  const std::vector<JournalBatch>& batches() const;

  // Answers paid, what attempts without answer may have cost, and the bounds of what is in flight.
  double spent_usd() const;
  double committed_usd() const;  // spent, and the bounds of what is in flight
  // What was in flight when the last process ended without leave: it may be bought again. Its
  // bounds count as spent.
  int64_t lost_requests() const;
  double lost_usd() const;
};

// Of a request's content: 32 hexadecimal digits, good as a custom_id.
std::string journal_key(std::string_view content);

}  // namespace chatmem
