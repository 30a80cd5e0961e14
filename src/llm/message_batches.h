// Anthropic's Message Batches: many requests at half the price, answered within a day. What the
// journal knows is never sent again, a batch whose creation was cut off is found again, and results
// are in the journal before anything else is made of them.
#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "llm/api.h"
#include "llm/journal.h"
#include "llm/prices.h"

namespace chatmem {

struct BatchItem {
  std::string key;  // of the journal, and custom_id: 1 to 64 of a-z A-Z 0-9 _ -
  LlmRequest request;
  int64_t input_tokens = 0;  // at most; 0: as many as the request has bytes
};

// Offers all requests one after another to `take`; the same ones in every pass, of which there is
// one after each round of results. Nothing is kept of an item longer than its batch is sent.
using BatchSupply = std::function<void(const std::function<void(BatchItem)>& take)>;

struct BatchProgress {
  int64_t open_batches = 0;
  int64_t in_flight = 0;    // requests of theirs without a result, as the API last said
  int64_t received = 0;     // by this run
  int64_t failed = 0;       // for good
  int64_t over_budget = 0;  // not sent, by the last pass
};

// What any of them throws ends the run; the journal is whole at each call.
struct BatchEvents {
  std::function<void(const std::string& key)> received;  // it is in the journal
  // For good: invalid, or resubmitted often enough.
  std::function<void(const std::string& key, const LlmFailure&)> failed;
  // At least every half second while it waits. False: leave all as it is; the next run polls on.
  std::function<bool(const BatchProgress&)> progress;
  std::function<void(const std::string&)> warn;
};

struct BatchOptions {
  int max_requests = 10'000;            // of one batch; the API takes 100,000
  size_t max_bytes = size_t(64) << 20;  // of one batch; the API takes 256 MB
  // Never more than this is committed, counting all that the journal knows.
  double budget_usd = std::numeric_limits<double>::infinity();
  int max_resubmissions = 2;  // of a request that the server failed, or that expired
  int poll_ms = 5'000, max_poll_ms = 60'000;     // grows by half each time
  int backoff_ms = 500, max_backoff_ms = 8'000;  // of failed calls; retry-after comes first
  int max_attempts = 8;                          // of one call
  // Before a batch whose creation was cut off counts as never created: how long the server may need
  // to list it, and how far its clock may be from ours.
  int settle_ms = 5'000;
  int clock_skew_minutes = 60;
  uint64_t seed = 0;  // of the spread of waits
};

struct BatchJob {
  const LlmApi& api;  // requests, answers and failures in its format; must outlive the run
  LlmEndpoint endpoint;
  HttpHeaders headers;  // added; "anthropic-version" takes the place of our own
  Price price;
  Journal& journal;
  BatchOptions options = {};
  BatchEvents events = {};
};

struct BatchOutcome {
  int64_t received = 0, failed = 0, over_budget = 0;
  bool stopped = false;  // by progress(): batches may be open
};

// Returns when every request has an answer, has failed or is over the budget, and no batch is open.
// Throws Error when the endpoint refuses (401, 403), and after max_attempts of one call.
BatchOutcome run_message_batches(BatchJob job, const BatchSupply& supply);

}  // namespace chatmem
