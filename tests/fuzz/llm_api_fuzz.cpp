// libFuzzer: bodies and headers of answers, by either API, are read or refused with an Error; what
// is read is in bounds, and no message is long or shows the key. The first byte chooses the API,
// the second the status and how the connection ended; a first line is the value of every header.
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "base/utf8.h"
#include "llm/wire.h"

namespace {

using namespace chatmem;

const std::string kKey = "sk-secret";

const LlmApi& api_of(uint8_t choice) {
  static const auto anthropic = make_anthropic_api({.api_key = kKey});
  static const auto openai = make_openai_api({.api_key = kKey});
  return choice % 2 == 0 ? *anthropic : *openai;
}

void check_shown(const std::string& text) {
  CHECK(text.size() < 2'000);
  CHECK(text.find(kKey) == text.npos);
  CHECK(find_invalid_utf8(text) == text.npos);
}

void check_answer(const LlmApi& api, std::string_view body) {
  try {
    const LlmAnswer answer = api.parse_answer(body);
    CHECK(find_invalid_utf8(answer.text) == answer.text.npos);
    check_shown(answer.stop_detail);
    const LlmUsage& usage = answer.usage;
    for (const int64_t count : {usage.input, usage.cache_write, usage.cache_read, usage.output})
      CHECK(count >= 0 && count <= 1'000'000'000'000);
  } catch (const Error&) {
    // Refused in words.
  }
  try {
    CHECK(api.parse_count_tokens(body) >= 0);
  } catch (const Error&) {
    // The same.
  }
}

void check_limit(const LlmLimit& limit) {
  CHECK(limit.limit >= -1 && limit.remaining >= -1);
  CHECK(std::isfinite(limit.reset_s) && (limit.reset_s >= 0 || limit.reset_s == -1));
}

HttpHeaders headers_with(const std::string& value) {
  HttpHeaders headers;
  for (const char* name : {"date", "retry-after", "x-should-retry", "request-id", "x-request-id",
                           "anthropic-ratelimit-requests-limit", "x-ratelimit-limit-tokens",
                           "anthropic-ratelimit-requests-remaining", "x-ratelimit-reset-tokens",
                           "anthropic-ratelimit-requests-reset"})
    headers.emplace_back(name, value);
  return headers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const LlmApi& api = api_of(data[0]);
  std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::string value(input.substr(0, input.find('\n')));
  input.remove_prefix(std::min(input.size(), value.size() + 1));
  check_answer(api, input);
  constexpr int kStatuses[] = {0, 200, 400, 401, 404, 429, 500, 529};
  HttpOutcome outcome{{kStatuses[data[1] % 8], headers_with(value), std::string(input)}, {}};
  if (data[1] / 8 % 8 < 6) outcome.error.emplace(HttpFailure(data[1] / 8 % 8), "[http] broken");
  const LlmFailure failure = api.parse_failure(outcome);
  check_shown(failure.message);
  CHECK(!failure.message.empty());
  CHECK(failure.retry_after_s.value_or(0) >= 0 && failure.retry_after_s.value_or(0) <= 1e7);
  const LlmLimits limits = api.parse_limits(outcome.response.headers);
  for (const LlmLimit& limit :
       {limits.requests, limits.input_tokens, limits.output_tokens, limits.tokens})
    check_limit(limit);
  check_shown(api.request_id(outcome.response.headers));
  return 0;
}
