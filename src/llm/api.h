// The wire format of a completion API: requests to HTTP calls, answers back, failures named. No
// network here, and no state: what is sent when is for llm/request_run. One API, one file.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "net/http_multi.h"

namespace chatmem {

struct LlmMessage {
  std::string role, content;  // "user" or "assistant"
};

struct LlmRequest {
  std::string model;
  std::string
      system;  // the part that many requests share: first, and cached where that is possible
  std::vector<LlmMessage> messages;
  int max_tokens = 16'000;
  std::optional<Json> schema;  // of the answer, when it must be JSON
  std::optional<double> temperature;
};

// Tokens; input is without what was written to or read from the cache.
struct LlmUsage {
  int64_t input = 0, cache_write = 0, cache_read = 0, output = 0;
};

enum class LlmStop { end, max_tokens, refusal, other };

struct LlmAnswer {
  std::string text;
  LlmStop stop = LlmStop::end;
  std::string stop_detail;  // the API's own word, and its explanation of a refusal
  LlmUsage usage;
  std::string model;
};

// What a failed attempt means for what follows.
enum class LlmVerdict {
  retry,     // the same request may succeed: 408, 409, 429, 5xx, broken connections
  fail_row,  // it will not: the row goes to errors/
  stop_run,  // nor will any other: key refused, credit or spend limit used up, unknown model
};

struct LlmFailure {
  LlmVerdict verdict = LlmVerdict::retry;
  std::string message;  // for a person: status, type and the server's words; never a header
  std::string hint;
  std::optional<double> retry_after_s;  // retry-after-ms, retry-after in seconds or as a date
  bool overloaded = false;              // 429 or 529: send less
  bool unreachable = false;             // no connection: the request was not even sent
  bool maybe_billed = false;            // cut off or broken within the answer
};

// What an answer's headers say about one limit a minute. -1: not said.
struct LlmLimit {
  int64_t limit = -1, remaining = -1;
  double reset_s = -1;  // from now until it is full again
};
struct LlmLimits {
  LlmLimit requests, input_tokens, output_tokens, tokens;
};

class LlmApi {
 public:
  virtual ~LlmApi() = default;
  virtual std::string name() const = 0;  // "anthropic", "openai"
  virtual std::string host() const = 0;  // for messages

  virtual HttpCall call(const LlmRequest& request) const = 0;
  // The body alone, as `call` sends it: the params of a batch.
  virtual Json body(const LlmRequest& request) const = 0;
  // Of the body of a 2xx. Throws Error when it is none of this API's.
  virtual LlmAnswer parse_answer(std::string_view body) const = 0;
  // Of anything else: another status, no answer, a body that parse_answer refused.
  virtual LlmFailure parse_failure(const HttpOutcome& outcome) const = 0;
  virtual LlmLimits parse_limits(const HttpHeaders& headers) const = 0;
  virtual std::string request_id(const HttpHeaders& headers) const = 0;
  // Asks how many tokens the request has; none where the API cannot say.
  virtual std::optional<HttpCall> count_tokens_call(const LlmRequest& request) const = 0;
  virtual int64_t parse_count_tokens(std::string_view body) const = 0;
};

struct LlmEndpoint {
  std::string base_url;  // empty: the API's own
  std::string api_key;   // never logged
  int timeout_ms = 600'000;
  int connect_timeout_ms = 10'000;
};

// Throw Error for a URL or key that cannot be one.
std::unique_ptr<LlmApi> make_anthropic_api(LlmEndpoint endpoint);
// Any OpenAI-compatible endpoint. Schemas go as response_format json_schema.
std::unique_ptr<LlmApi> make_openai_api(LlmEndpoint endpoint);

}  // namespace chatmem
