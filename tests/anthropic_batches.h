// The message batches of the test double: created, polled until they end, canceled, deleted.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "anthropic_checks.h"
#include "anthropic_script.h"
#include "base/json.h"

namespace chatmem {

enum class FakeBatchOutcome { succeeded, errored, expired, canceled };

struct FakeBatchItem {
  std::string custom_id;
  Json params;
  FakeBatchOutcome outcome = FakeBatchOutcome::succeeded;
  Json error;   // of an errored one: {"type","message"}
  Fault fault;  // of a succeeded one: what the message suffers
};

// Not safe for several threads. Functions that name a batch answer 404 where there is none.
class AnthropicBatches {
 public:
  template <typename T>
  using Result = std::variant<T, ApiError>;

  // The `message_batch` object. results_base: "http://HOST".
  Json create(std::string id, std::vector<FakeBatchItem> items, const std::string& results_base);
  // Counts as a poll.
  Result<Json> poll(const std::string& id, const AnthropicScript& script,
                    const std::string& results_base);
  // The items that were not done by then become canceled with the next poll, and are given to
  // `undone` now.
  Result<Json> cancel(const std::string& id, const AnthropicScript& script,
                      const std::string& results_base,
                      const std::function<void(const FakeBatchItem&)>& undone);
  Result<Json> erase(const std::string& id);
  Result<std::vector<FakeBatchItem>> results(const std::string& id) const;
  // Most recent first.
  Json list(const std::string& results_base) const;

 private:
  struct Batch {
    std::string id;
    std::vector<FakeBatchItem> items;
    std::string created_at, expires_at, ended_at, cancel_at;
    int64_t created_ms = 0;
    int polls = 0;
    bool ended() const { return !ended_at.empty(); }
  };
  static Json describe(const Batch& batch, const std::string& results_base);
  std::vector<Batch>::iterator find(const std::string& id);

  std::vector<Batch> batches_;  // in the order of creation
};

// One page of a list, most recent first, by limit (1 to 1,000, else 20), after_id and before_id.
AnthropicBatches::Result<Json> page_of(const Json& items, std::string_view query);

}  // namespace chatmem
