// What the completion APIs have in common on the wire: endpoints and keys, errors in words, waits
// and limits in headers. What comes from a server is bounded and made printable before it is shown.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/date.h"
#include "base/json.h"
#include "llm/api.h"

namespace chatmem {

inline constexpr const char *kAnthropicUrl = "https://api.anthropic.com",
                            *kAnthropicVersion = "2026-10-21";

// Without "/" at its end. Throws Error unless it begins with http:// or https:// and a host.
std::string api_base_url(std::string url);
// The same of an OpenAI-compatible endpoint: "/v1" is added when there is no path.
std::string openai_base_url(std::string url);
// "api.anthropic.com" of "https://api.anthropic.com/v1", with its port if it has one.
std::string host_of(std::string_view url);
// Throws Error, without the key, unless it can be the value of a header.
void check_api_key(const std::string& key);

// A start of the text that fits on a line of an error message, without `key`.
std::string shortened(std::string_view text, const std::string& key = {});

// The body of an error in any of the usual forms: {"error":{"type","code","message"}} (code also as
// details.error_code), {"error":"..."}, {"message"}, {"detail"}; else the text is the message.
struct ApiErrorBody {
  std::string type, code, message;  // as they came; empty where not said
  int status = 0;                   // a number as "code": gateways put the status there
};
ApiErrorBody read_error_body(std::string_view body);
// Its message, shortened.
std::string error_message(std::string_view body, const std::string& key = {});

// A count of tokens; a wrong type counts as not sent: 0. At most 10^12.
int64_t count_of(const Json& object, const char* key);

bool is_retryable_status(int status);  // 408, 409, 429, 5xx

// "retry-after-ms", or "retry-after" in seconds or as a date. At most 30 days.
std::optional<double> retry_after_seconds(const HttpHeaders& headers);
// The server's clock: its "date", else ours.
Moment server_time(const HttpHeaders& headers);
// "6m0s", "1h2m3.5s", "20ms", "12.5": in seconds.
std::optional<double> parse_duration(std::string_view text);

struct LimitHeaders {
  std::string limit, remaining, reset;  // names
};
// `seconds` reads the reset time.
LlmLimit read_limit(const HttpHeaders& headers, const LimitHeaders& names,
                    const std::function<std::optional<double>(std::string_view)>& seconds);

// What a failed attempt means by its status alone, with "x-should-retry" obeyed; APIs refine it.
// `error` is of the body; the status is error.status where that is one.
LlmFailure failure_of_status(const HttpResponse& response, const ApiErrorBody& error,
                             const LlmEndpoint& endpoint);
// What a connection that failed means. `error` must be there.
LlmFailure failure_of_connection(const HttpOutcome& outcome);
// What a 2xx that is none of the API's answers means: paid perhaps, so it is not asked for again.
LlmFailure failure_of_answer(const std::string& message);

}  // namespace chatmem
