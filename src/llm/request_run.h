// Many requests to one API, each to its end: sent as flow control allows and the budget covers,
// repeated after failures that may pass, every answer in the journal before anything else is made
// of it. The first request goes alone: a key that is refused costs one refusal, and the cache that
// it fills serves the others.
#pragma once
#include <atomic>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "llm/api.h"
#include "llm/flow_control.h"
#include "llm/journal.h"
#include "llm/prices.h"

namespace chatmem {

struct LlmJob {
  std::string key;  // of the journal, which holds no answer under it
  LlmRequest request;
  size_t tag = 0;  // the caller's
};

// How a job ended. Answered: the journal has the answer under the job's key.
struct LlmJobEnd {
  const LlmJob& job;
  bool answered = false;
  std::string failure;     // for a person
  std::string raw;         // what came, though it was no answer
  std::string request_id;  // of the last attempt
};

struct RequestRunStatus {
  int in_flight = 0;
  int64_t answered = 0, failed = 0, retries = 0;
  LlmUsage usage;  // of the answers of this run
  double spent_usd = 0;
  std::string waiting_for;  // empty while it sends
};

struct RequestRunOptions {
  FlowOptions flow;
  std::optional<Price> price;  // none: nothing is counted
  double budget_usd = std::numeric_limits<double>::infinity();
  const std::atomic<bool>* stop = nullptr;  // set: nothing more is sent, what is in flight ends
  std::function<void(const RequestRunStatus&)> on_status;  // about five times a second
};

enum class RunEnd {
  completed,
  out_of_budget,  // the next request could cost more than is left
  refused,        // no request would succeed: key, credit, model, a setting
  gave_up,        // the endpoint did not recover
  stopped,
};

struct RequestRunResult {
  RunEnd end = RunEnd::completed;
  std::string reason, hint;  // for a person, unless completed
  RequestRunStatus status;
};

// next: the next job, or none when there is no more. done: a job has ended; what it returns goes
// before all others. Both are called on this thread. What they throw ends the run; answers on their
// way are lost then, and counted as such by the next run.
RequestRunResult run_requests(const LlmApi& api, Journal& journal, const RequestRunOptions& options,
                              const std::function<std::optional<LlmJob>()>& next,
                              const std::function<std::optional<LlmJob>(const LlmJobEnd&)>& done);

// A request's input tokens can be no more: no token is shorter than a byte.
int64_t input_tokens_bound(const LlmRequest& request);
// About how many it has, for pacing and for estimates: 3.5 bytes a token.
int64_t input_tokens_estimate(const LlmRequest& request);

}  // namespace chatmem
