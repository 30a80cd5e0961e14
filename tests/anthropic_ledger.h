// What reached the test double of the Anthropic API and what became of it: the proof of what was
// bought, and how often. As a file it is JSON Lines, each written when it happens, "t" in
// milliseconds since 1970:
//   {"event":"request","n":0,"t":..,"kind":"messages","hash":"..","attempt":0}
//   {"event":"sent","n":0,"t":..,"status":200}     all bytes handed to the system, client there
//   {"event":"broken","n":0,"t":..,"status":200}   cut, or reset (also after "sent")
//   {"event":"item","batch":"..","custom_id":"..","hash":"..","t":..}   bought by a batch
#pragma once
#include <cstdint>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace chatmem {

enum class LedgerState { open, sent, broken };

struct LedgerEntry {
  std::string kind;     // as in the script
  uint64_t hash = 0;    // of the body
  int64_t attempt = 0;  // how often this body had come before
  int64_t arrived_ms = 0, ended_ms = 0;
  int status = 0;  // 0: none was begun
  LedgerState state = LedgerState::open;
  int64_t index = 0;       // among those of its kind
  std::string request_id;  // as the answer names it
};

struct LedgerSummary {
  int64_t requests = 0;       // of all kinds
  int64_t messages = 0;       // POST /v1/messages
  int64_t bought = 0;         // messages answered with 200, sent whole and not reset
  int64_t lost = 0;           // messages whose answer of 200 broke
  int64_t repeats = 0;        // messages whose body had come before
  int64_t bought_again = 0;   // messages answered with 200, of a body bought before
  int64_t max_in_flight = 0;  // messages at once
  int64_t batches = 0, batch_items = 0, batch_items_again = 0;
  std::map<int, int64_t> statuses;  // of all kinds, begun answers
};
Json to_json(const LedgerSummary& summary);

// Safe for several threads.
class AnthropicLedger {
 public:
  explicit AnthropicLedger(const fs::path& path = {});  // empty: in memory only

  // The number of the request.
  int64_t arrived(std::string_view kind, std::string_view body, std::string_view request_id);
  // Before the answer's first byte is handed over.
  void answering(int64_t number, int status);
  void sent(int64_t number);
  void broken(int64_t number);
  void batch_created();
  // An item that will succeed, at its batch's creation: it is paid though nobody may fetch it.
  void batch_item(const std::string& batch, const std::string& custom_id, std::string_view params);
  void batch_item_canceled(std::string_view params);

  LedgerEntry entry(int64_t number) const;
  std::vector<LedgerEntry> entries() const;
  LedgerSummary summary() const;

 private:
  void write(const Json& line);
  void leave(LedgerEntry& entry);

  mutable std::mutex mutex_;  // guards all that follows
  std::ofstream file_;
  std::vector<LedgerEntry> entries_;
  std::map<std::string, int64_t, std::less<>> n_of_kind_;
  std::unordered_map<uint64_t, int64_t> attempts_, bought_, items_;
  LedgerSummary counts_;
  int64_t in_flight_ = 0;
};

int64_t epoch_ms();

}  // namespace chatmem
