#include "anthropic_ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/hash.h"

namespace chatmem {
namespace {

std::string hex(uint64_t hash) { return fmt::format("{:016x}", hash); }

}  // namespace

int64_t epoch_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Json to_json(const LedgerSummary& summary) {
  Json statuses = Json::object();
  for (const auto& [status, count] : summary.statuses) statuses[std::to_string(status)] = count;
  return {{"requests", summary.requests},
          {"messages", summary.messages},
          {"bought", summary.bought},
          {"lost", summary.lost},
          {"repeats", summary.repeats},
          {"bought_again", summary.bought_again},
          {"max_in_flight", summary.max_in_flight},
          {"batches", summary.batches},
          {"batch_items", summary.batch_items},
          {"batch_items_again", summary.batch_items_again},
          {"statuses", std::move(statuses)}};
}

AnthropicLedger::AnthropicLedger(const fs::path& path) {
  if (path.empty()) return;
  file_.open(path, std::ios::app);
  if (!file_) throw Error(fmt::format("[ledger] {} cannot be opened", path.string()));
}

void AnthropicLedger::write(const Json& line) {
  if (file_.is_open()) file_ << dump_json(line) + "\n" << std::flush;
}

int64_t AnthropicLedger::arrived(std::string_view kind, std::string_view body,
                                 std::string_view request_id) {
  const std::lock_guard lock(mutex_);
  LedgerEntry entry;
  entry.kind = kind;
  entry.request_id = request_id;
  entry.hash = hash64(body, hash64(kind));
  entry.attempt = attempts_[entry.hash]++;
  entry.arrived_ms = epoch_ms();
  entry.index = n_of_kind_[entry.kind]++;
  counts_.requests++;
  if (kind == "messages") {
    counts_.messages++;
    counts_.repeats += entry.attempt > 0;
    counts_.max_in_flight = std::max(counts_.max_in_flight, ++in_flight_);
  }
  const int64_t number = int64_t(entries_.size());
  write({{"event", "request"},
         {"n", number},
         {"t", entry.arrived_ms},
         {"kind", kind},
         {"hash", hex(entry.hash)},
         {"attempt", entry.attempt}});
  entries_.push_back(std::move(entry));
  return number;
}

void AnthropicLedger::answering(int64_t number, int status) {
  const std::lock_guard lock(mutex_);
  entries_[size_t(number)].status = status;
  counts_.statuses[status]++;
}

// Open no more.
void AnthropicLedger::leave(LedgerEntry& entry) {
  if (entry.state == LedgerState::open && entry.kind == "messages") in_flight_--;
  entry.ended_ms = epoch_ms();
}

void AnthropicLedger::sent(int64_t number) {
  const std::lock_guard lock(mutex_);
  LedgerEntry& entry = entries_[size_t(number)];
  if (entry.state != LedgerState::open) return;
  leave(entry);
  entry.state = LedgerState::sent;
  if (entry.kind == "messages" && entry.status == 200) {
    counts_.bought++;
    counts_.bought_again += bought_[entry.hash]++ > 0;
  }
  write({{"event", "sent"}, {"n", number}, {"t", entry.ended_ms}, {"status", entry.status}});
}

void AnthropicLedger::broken(int64_t number) {
  const std::lock_guard lock(mutex_);
  LedgerEntry& entry = entries_[size_t(number)];
  if (entry.state == LedgerState::broken) return;
  const bool was_sent = entry.state == LedgerState::sent;
  leave(entry);
  entry.state = LedgerState::broken;
  if (entry.kind == "messages" && entry.status == 200) {
    counts_.lost++;
    if (was_sent) {
      counts_.bought--;
      counts_.bought_again -= --bought_[entry.hash] > 0;
    }
  }
  write({{"event", "broken"}, {"n", number}, {"t", entry.ended_ms}, {"status", entry.status}});
}

void AnthropicLedger::batch_created() {
  const std::lock_guard lock(mutex_);
  counts_.batches++;
}

void AnthropicLedger::batch_item(const std::string& batch, const std::string& custom_id,
                                 std::string_view params) {
  const std::lock_guard lock(mutex_);
  const uint64_t hash = hash64(params);
  counts_.batch_items++;
  counts_.batch_items_again += items_[hash]++ > 0;
  write({{"event", "item"},
         {"batch", batch},
         {"custom_id", custom_id},
         {"hash", hex(hash)},
         {"t", epoch_ms()}});
}

void AnthropicLedger::batch_item_canceled(std::string_view params) {
  const std::lock_guard lock(mutex_);
  counts_.batch_items--;
  counts_.batch_items_again -= --items_[hash64(params)] > 0;
}

LedgerEntry AnthropicLedger::entry(int64_t number) const {
  const std::lock_guard lock(mutex_);
  return entries_[size_t(number)];
}

std::vector<LedgerEntry> AnthropicLedger::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

LedgerSummary AnthropicLedger::summary() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace chatmem
