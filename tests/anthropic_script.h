// The script of the test double of the Anthropic API: how long it takes, what limits it has, and
// which requests meet which fault.
//
// {"latency_ms": 2000, "thinking": true,      every answer begins with a thinking block
//  "limits": {"requests": 50, "input_tokens": 40000, "output_tokens": 8000},     a minute
//  "batches": {"polls": 3, "delay_ms": 0, "done_before_cancel": 1},
//  "rules": [{"on": "messages", "index": 3, "fault": "overloaded"}, ...]}
//
// Every key may be left out. A batch ends once it was asked for `polls` times and is `delay_ms`
// old. The first rule that holds for a request decides. A rule's conditions, all of which must
// hold:
//   on        "messages" (the default), "count_tokens", "models", "batches" (creation), "poll"
//             (retrieval), "list", "cancel", "delete", "results", "batch_item", "any"
//   index     of the request among those of its kind, from 0: a number or [from, to]
//   attempt   which time this body comes, from 0: a number or [from, to]
//   contains  a text that the body (of a batch item: its params) must have
//   share     0 to 1: of the requests, chosen by "seed", the body and the attempt, not by the time
//   times     it holds so often, then no more
// Its fault, and what further keys say about it:
//   rate_limit       429; "retry_after" and "retry_after_ms" (numbers or strings), "should_retry"
//   spend_limit      429 with error_code enforced_spend_limit_reached, without retry-after
//   overloaded 529, server_error 500, timeout 504, billing 402, forbidden 403: take those keys, too
//   status           any "status", with "type" and "message"
//   html             a proxy's page, 502 or "status"
//   reset            resets the connection before any byte of the answer
//   reset_mid_body   the same after "bytes" of the body (default: half)
//   close_mid_body   ends the connection there without a reset
//   slow             "bytes_per_second"
//   stall            sends nothing for "ms" after "bytes" of the body, then the rest
//   truncated_body   a well-framed answer whose JSON stops half way
//   invalid_body     an answer of 200 that is no JSON
//   truncated_json, invalid_json, wrong_schema   of the model's text, with stop_reason end_turn
//   refusal, max_tokens, empty   stop reasons; max_tokens cuts the text in half
//   thinking         the answer's first block is `thinking`
//   text             the model says "text"
//   sse_error        the stream's second half is an event: error, overloaded_error
//   errored          of a batch item: "type" (default api_error), "message"
//   expired          of a batch item
//   none             nothing; for a rule that exempts requests from those after it
// Any fault takes "delay_ms", beside latency_ms.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace chatmem {

enum class FaultKind {
  none,
  status,
  html,
  reset,
  reset_mid_body,
  close_mid_body,
  slow,
  stall,
  truncated_body,
  invalid_body,
  truncated_json,
  invalid_json,
  wrong_schema,
  refusal,
  max_tokens,
  empty,
  thinking,
  text,
  sse_error,
  errored,
  expired,
};

struct Fault {
  FaultKind kind = FaultKind::none;
  int status = 0;
  std::string error_type, message, error_code;
  std::string retry_after, retry_after_ms, should_retry;  // header values; empty: not sent
  double bytes_per_second = 0;
  int64_t bytes = -1;  // of the body; -1: half
  int stall_ms = 0, delay_ms = 0;
  std::string text;
};

struct ScriptedRequest {
  std::string_view kind, body;
  int64_t index = 0, attempt = 0;
};

class AnthropicScript {
 public:
  // Throws Error that says what is wrong with it.
  explicit AnthropicScript(const Json& script = Json::object());

  int latency_ms = 0;
  bool thinking = false;
  double requests_a_minute = 0, input_tokens_a_minute = 0, output_tokens_a_minute = 0;  // 0: none
  int batch_polls = 1, batch_delay_ms = 0, done_before_cancel = 0;

  // Counts the rule as used. Not safe for several threads.
  Fault fault_for(const ScriptedRequest& request);

 private:
  using Range = std::pair<int64_t, int64_t>;
  struct Rule {
    std::string on, contains;
    std::optional<Range> index, attempt;
    double share = 1;
    uint64_t seed = 0;
    int64_t times = -1;  // left; -1: without end
    Fault fault;
  };
  static Rule parse_rule(const Json& json, const std::string& where);
  static bool holds(const Rule& rule, const ScriptedRequest& request);
  std::vector<Rule> rules_;
};

}  // namespace chatmem
