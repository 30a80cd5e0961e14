// Requests as they go out, answers as they come, and what each failure means, for both APIs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "llm/api.h"
#include "llm/wire.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kKey = "sk-ant-very-secret";

std::unique_ptr<LlmApi> anthropic(std::string url = {}) {
  return make_anthropic_api({.base_url = std::move(url), .api_key = kKey});
}
std::unique_ptr<LlmApi> openai(std::string url = {}) {
  return make_openai_api({.base_url = std::move(url), .api_key = kKey});
}

LlmRequest request() {
  return {.model = "m",
          .system = "Be brief.",
          .messages = {{"user", "Hi"}, {"assistant", "Hello"}, {"user", "Again \xC3\xA9"}},
          .max_tokens = 500,
          .schema = Json{{"type", "object"}, {"additionalProperties", false}}};
}

std::string header(const HttpCall& call, std::string_view name) {
  const std::string* value = find_header(call.headers, name);
  return value ? *value : "none";
}

LlmFailure failure(const LlmApi& api, int status, std::string body, HttpHeaders headers = {}) {
  HttpOutcome outcome;
  outcome.response = {status, std::move(headers), std::move(body)};
  const LlmFailure failure = api.parse_failure(outcome);
  EXPECT_THAT(failure.message + failure.hint, Not(HasSubstr(kKey)));
  EXPECT_FALSE(failure.message.empty());
  EXPECT_LT(failure.message.size(), 700u);
  return failure;
}
LlmFailure failure(const LlmApi& api, HttpFailure how, int status = 0, std::string body = {}) {
  HttpOutcome outcome;
  outcome.response = {status, {}, std::move(body)};
  outcome.error.emplace(how, "[http] https://h/: it failed");
  return api.parse_failure(outcome);
}
LlmVerdict verdict(const LlmApi& api, int status, std::string body = {}, HttpHeaders headers = {}) {
  return failure(api, status, std::move(body), std::move(headers)).verdict;
}

std::string error_of(std::string type, std::string message, std::string more = {}) {
  return "{\"type\":\"error\",\"error\":{\"type\":\"" + type + "\",\"message\":\"" + message +
         "\"" + more + "},\"request_id\":\"req_1\"}";
}

TEST(AnthropicApi, SendsExactlyThis) {
  const auto api = anthropic();
  const HttpCall call = api->call(request());
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.url, "https://api.anthropic.com/v1/messages");
  EXPECT_EQ(header(call, "x-api-key"), kKey);
  EXPECT_EQ(header(call, "anthropic-version"), "2026-10-21");
  EXPECT_EQ(header(call, "content-type"), "application/json");
  EXPECT_EQ(call.body,
            R"({"model":"m","max_tokens":500,"system":[{"type":"text","text":"Be brief.",)"
            R"("cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"Hi"},)"
            R"({"role":"assistant","content":"Hello"},{"role":"user","content":"Again é"}],)"
            R"("output_config":{"format":{"type":"json_schema","schema":{"type":"object",)"
            R"("additionalProperties":false}}}})");
  EXPECT_EQ(dump_json(api->body(request())), call.body);
  LlmRequest plain{.model = "m", .messages = {{"user", "Hi"}}, .max_tokens = 5};
  EXPECT_EQ(api->call(plain).body,
            R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]})");
  plain.temperature = 0.5;
  EXPECT_THAT(api->call(plain).body, HasSubstr(R"("temperature":0.5)"));
  const HttpCall count = api->count_tokens_call(plain).value();
  EXPECT_EQ(count.url, "https://api.anthropic.com/v1/messages/count_tokens");
  EXPECT_EQ(count.body, R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})");
  EXPECT_EQ(api->parse_count_tokens(R"({"input_tokens":14})"), 14);
  for (const char* bad : {"{}", "[]", "", R"({"input_tokens":-1})", R"({"input_tokens":"14"})"})
    EXPECT_THROW(api->parse_count_tokens(bad), Error) << bad;
  plain.messages[0].content = "\xFF";
  EXPECT_THROW(api->call(plain), Error);
}

TEST(AnthropicApi, EndpointsAndKeys) {
  for (const char* url : {"http://127.0.0.1:8080", "http://127.0.0.1:8080/",
                          "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/"}) {
    EXPECT_EQ(anthropic(url)->call(request()).url, "http://127.0.0.1:8080/v1/messages") << url;
    EXPECT_EQ(anthropic(url)->host(), "127.0.0.1:8080");
  }
  EXPECT_EQ(anthropic("https://gate.example/claude/")->call(request()).url,
            "https://gate.example/claude/v1/messages");
  EXPECT_EQ(anthropic("https://me:pw@gate.example/x")->host(), "gate.example");
  for (const char* bad : {"api.anthropic.com", "ftp://x", "http://", "https:///v1", "http://a b"})
    EXPECT_THROW(anthropic(bad), Error) << bad;
  try {
    make_anthropic_api({.api_key = ""});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.hint(), HasSubstr("ANTHROPIC_API_KEY"));
  }
  try {
    make_anthropic_api({.api_key = kKey + "\n"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what() + e.hint(), Not(HasSubstr(kKey)));
  }
}

std::string message(std::string content, std::string stop, std::string more = {}) {
  return R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-5-5",)"
         R"("content":)" +
         content + R"(,"stop_reason":)" + stop +
         R"(,"stop_sequence":null,"usage":{"input_tokens":7,)" +
         R"("cache_creation_input_tokens":100,"cache_read_input_tokens":2000,"output_tokens":30})" +
         more + "}";
}

TEST(AnthropicApi, ReadsAnswersByTheTypeOfTheirBlocks) {
  const auto api = anthropic();
  const LlmAnswer answer = api->parse_answer(message(
      R"([{"type":"thinking","thinking":"hm","signature":"x"},{"type":"text","text":"a\u00e9"},)"
      R"({"type":"yet_unknown"},{"type":"text","text":"b"}])",
      "\"end_turn\""));
  EXPECT_EQ(answer.text,
            "a\xC3\xA9"
            "b");
  EXPECT_EQ(answer.stop, LlmStop::end);
  EXPECT_EQ(answer.stop_detail, "end_turn");
  EXPECT_EQ(answer.model, "claude-haiku-5-5");
  EXPECT_EQ(answer.usage.input, 7);
  EXPECT_EQ(answer.usage.cache_write, 100);
  EXPECT_EQ(answer.usage.cache_read, 2000);
  EXPECT_EQ(answer.usage.output, 30);
  const std::pair<const char*, LlmStop> reasons[] = {
      {"stop_sequence", LlmStop::end},
      {"max_tokens", LlmStop::max_tokens},
      {"model_context_window_exceeded", LlmStop::max_tokens},
      {"refusal", LlmStop::refusal},
      {"tool_use", LlmStop::other},
      {"pause_turn", LlmStop::other}};
  for (const auto& [reason, stop] : reasons)
    EXPECT_EQ(api->parse_answer(message("[]", "\"" + std::string(reason) + "\"")).stop, stop);
  const LlmAnswer refused = api->parse_answer(
      message("[]", "\"refusal\"",
              R"(,"stop_details":{"type":"refusal","category":"cyber","explanation":"No."})"));
  EXPECT_EQ(refused.stop_detail, "refusal (cyber): No.");
  EXPECT_EQ(api->request_id({{"Request-Id", "req_7"}}), "req_7");
  EXPECT_EQ(api->request_id({}), "");
}

TEST(AnthropicApi, EachErrorMeansSomething) {
  const auto api = anthropic();
  for (const int status : {401, 402, 403, 404, 307})
    EXPECT_EQ(verdict(*api, status, error_of("x_error", "no")), LlmVerdict::stop_run) << status;
  for (const int status : {400, 413, 422})
    EXPECT_EQ(verdict(*api, status, error_of("x_error", "no")), LlmVerdict::fail_row) << status;
  for (const int status : {408, 409, 429, 500, 502, 503, 504, 529}) {
    const LlmFailure got = failure(*api, status, error_of("x_error", "later"));
    EXPECT_EQ(got.verdict, LlmVerdict::retry) << status;
    EXPECT_EQ(got.overloaded, status == 429 || status == 529) << status;
    EXPECT_FALSE(got.maybe_billed);
  }
  EXPECT_EQ(failure(*api, 529, error_of("overloaded_error", "Overloaded")).message,
            "[llm] api.anthropic.com: status 529 overloaded_error: Overloaded");
  const LlmFailure spent =
      failure(*api, 429,
              error_of("rate_limit_error", "Spend limit",
                       R"(,"details":{"error_code":"enforced_spend_limit_reached"})"),
              {{"x-should-retry", "true"}});
  EXPECT_EQ(spent.verdict, LlmVerdict::stop_run);
  EXPECT_THAT(spent.hint, HasSubstr("limit"));
  for (const char* words :
       {"You have reached your specified API usage limits. You will regain access",
        "Your credit balance is too low to access the Anthropic API."})
    EXPECT_EQ(verdict(*api, 400, error_of("invalid_request_error", words)), LlmVerdict::stop_run);
  EXPECT_EQ(verdict(*api, 500, "", {{"x-should-retry", "false"}}), LlmVerdict::fail_row);
  EXPECT_EQ(verdict(*api, 401, "", {{"x-should-retry", "false"}}), LlmVerdict::stop_run);
  EXPECT_EQ(verdict(*api, 400, "", {{"x-should-retry", "true"}}), LlmVerdict::retry);
  EXPECT_THAT(failure(*api, 401, error_of("authentication_error", "bad key " + kKey)).message,
              HasSubstr("bad key [key]"));
  EXPECT_THAT(failure(*api, 502, "<html>\n" + std::string(999, 'x') + kKey).message,
              AllOf(HasSubstr("<html> xxx"), HasSubstr("...")));
}

TEST(AnthropicApi, BrokenConnectionsAndAnswers) {
  const auto api = anthropic();
  EXPECT_EQ(failure(*api, HttpFailure::connect).verdict, LlmVerdict::retry);
  EXPECT_FALSE(failure(*api, HttpFailure::connect).maybe_billed);
  for (const HttpFailure how : {HttpFailure::idle, HttpFailure::broken}) {
    EXPECT_EQ(failure(*api, how).verdict, LlmVerdict::retry);
    EXPECT_TRUE(failure(*api, how, 200, "{\"id").maybe_billed);
    EXPECT_FALSE(failure(*api, how, 429, "{\"typ").maybe_billed);  // an error, though cut
    EXPECT_TRUE(failure(*api, how, 529, "{\"typ").overloaded);
  }
  EXPECT_EQ(failure(*api, HttpFailure::too_large, 200).verdict, LlmVerdict::fail_row);
  EXPECT_EQ(failure(*api, HttpFailure::invalid).verdict, LlmVerdict::stop_run);
  const LlmFailure no_json = failure(*api, 200, "{\"type\": " + kKey);
  EXPECT_EQ(no_json.verdict, LlmVerdict::fail_row);  // received, and perhaps paid
  EXPECT_TRUE(no_json.maybe_billed);
}

TEST(LlmApis, HostileBodiesAreErrors) {
  const auto used = [](std::string usage) {
    return R"({"type":"message","content":[],"stop_reason":"end_turn","usage":)" + usage + "}";
  };
  const std::string deep(100'000, '[');
  const std::string good = message(R"([{"type":"text","text":"a"}])", "\"end_turn\"");
  const std::string bad[] = {"",
                             "null",
                             "7",
                             "[]",
                             "{}",
                             "{\"type\":7}",
                             deep,
                             "{\"choices\":" + deep,
                             "\xFF\xFE",
                             good.substr(0, good.size() / 2),
                             good + "x",
                             message("7", "\"end_turn\""),
                             message("[]", "null"),
                             message("[]", "7"),
                             message("[{\"type\":\"text\"}]", "\"end_turn\""),
                             message("[{\"type\":\"text\",\"text\":\"\xC3\"}]", "\"end_turn\""),
                             message("[{\"type\":7}]", "\"end_turn\""),
                             R"({"type":"message","content":[],"stop_reason":"end_turn"})",
                             used("[]"),
                             used(R"({"input_tokens":1})"),
                             used(R"({"input_tokens":1.5,"output_tokens":1})"),
                             used(R"({"input_tokens":-1,"output_tokens":1})"),
                             used(R"({"input_tokens":1e999,"output_tokens":1})"),
                             R"({"choices":[]})",
                             R"({"choices":[7]})",
                             R"({"choices":[{}]})",
                             R"({"choices":{"0":{}}})",
                             R"({"choices":[{"message":7}]})",
                             R"({"choices":[{"message":{"content":7}}]})",
                             R"({"choices":[{"message":{"content":[{"type":"text"}]}}]})",
                             R"({"choices":[{"message":{"content":"a"},"finish_reason":7}]})",
                             R"({"choices":[{"message":{"content":"a"}}],"model":7})"};
  for (const auto& api : {anthropic(), openai()})
    for (const std::string& body : bad) {
      EXPECT_THROW(api->parse_answer(body), Error) << api->name() << body.substr(0, 90);
      for (const int status : {0, 100, 200, 302, 400, 429, 500, 999}) failure(*api, status, body);
    }
  EXPECT_EQ(anthropic()->parse_answer(good).text, "a");
  const std::string huge = std::to_string(~uint64_t(0));
  const LlmUsage usage =
      anthropic()
          ->parse_answer(
              R"({"type":"message","content":[],"stop_reason":"x","usage":{"output_tokens":)" +
              huge + R"(,"input_tokens":5,"cache_read_input_tokens":"many"}})")
          .usage;
  EXPECT_EQ(usage.output, 1'000'000'000'000);
  EXPECT_EQ(usage.cache_read, 0);
}

TEST(LlmApis, LimitsInHeaders) {
  const HttpHeaders headers = {{"date", "Sun, 22 Nov 2026 18:35:00 GMT"},
                               {"anthropic-ratelimit-requests-limit", "1000"},
                               {"anthropic-ratelimit-requests-remaining", "998"},
                               {"anthropic-ratelimit-requests-reset", "2026-11-22T18:35:12Z"},
                               {"anthropic-ratelimit-input-tokens-limit", "2000000"},
                               {"anthropic-ratelimit-input-tokens-reset", "2026-11-22T18:34:00Z"},
                               {"anthropic-ratelimit-output-tokens-limit", "-5"},
                               {"anthropic-ratelimit-output-tokens-remaining", "1e300"},
                               {"anthropic-ratelimit-output-tokens-reset", "soon"},
                               {"x-ratelimit-limit-requests", "60"},
                               {"x-ratelimit-remaining-requests", "59"},
                               {"x-ratelimit-reset-requests", "6m0s"},
                               {"x-ratelimit-limit-tokens", "150000"},
                               {"x-ratelimit-reset-tokens", "20ms"}};
  const LlmLimits limits = anthropic()->parse_limits(headers);
  EXPECT_EQ(limits.requests.limit, 1000);
  EXPECT_EQ(limits.requests.remaining, 998);
  EXPECT_EQ(limits.requests.reset_s, 12);
  EXPECT_EQ(limits.input_tokens.limit, 2'000'000);
  EXPECT_EQ(limits.input_tokens.remaining, -1);
  EXPECT_EQ(limits.input_tokens.reset_s, 0);
  EXPECT_EQ(limits.output_tokens.limit, -1);
  EXPECT_EQ(limits.output_tokens.remaining, 1'000'000'000'000);
  EXPECT_EQ(limits.output_tokens.reset_s, -1);
  EXPECT_EQ(limits.tokens.limit, -1);
  const LlmLimits other = openai()->parse_limits(headers);
  EXPECT_EQ(other.requests.limit, 60);
  EXPECT_EQ(other.requests.remaining, 59);
  EXPECT_EQ(other.requests.reset_s, 360);
  EXPECT_EQ(other.tokens.limit, 150'000);
  EXPECT_EQ(other.tokens.remaining, -1);
  EXPECT_DOUBLE_EQ(other.tokens.reset_s, 0.02);
}

TEST(LlmApis, DurationsAndRetryAfter) {
  EXPECT_DOUBLE_EQ(parse_duration("1h2m3.5s").value(), 3723.5);
  EXPECT_DOUBLE_EQ(parse_duration("1s").value(), 1);
  EXPECT_DOUBLE_EQ(parse_duration("12.5").value(), 12.5);
  for (const char* bad : {"", "s", "1x", "1s ", "-1s", "1..2s", "ms1"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
  EXPECT_DOUBLE_EQ(retry_after_seconds({{"retry-after", "2.5"}}).value(), 2.5);
  EXPECT_DOUBLE_EQ(retry_after_seconds({{"retry-after", "7"}, {"Retry-After-Ms", "1500"}}).value(),
                   1.5);
  EXPECT_DOUBLE_EQ(retry_after_seconds({{"retry-after", "7"}, {"retry-after-ms", "x"}}).value(), 7);
  const std::string now = "Sun, 22 Nov 2026 18:35:00 GMT";
  EXPECT_EQ(retry_after_seconds({{"retry-after", "Sun, 22 Nov 2026 18:36:10 GMT"}, {"date", now}}),
            70);
  EXPECT_EQ(retry_after_seconds({{"retry-after", "Sun, 22 Nov 2026 18:30:00 GMT"}, {"date", now}}),
            0);
  EXPECT_EQ(retry_after_seconds({{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}}),
            0);  // our clock
  EXPECT_EQ(retry_after_seconds({{"retry-after", "1e300"}}), 30 * 86'400);
  for (const char* bad : {"", "-1", "nan", "inf", "soon", "Sun, 99 Nov 2026 18:36:10 GMT"})
    EXPECT_FALSE(retry_after_seconds({{"retry-after", bad}})) << bad;
  EXPECT_EQ(failure(*anthropic(), 429, "", {{"retry-after", "3600"}}).retry_after_s, 3600);
}

TEST(OpenAiApi, SendsExactlyThis) {
  EXPECT_EQ(openai()->call(request()).body,
            R"({"model":"m","max_completion_tokens":500,"messages":[{"role":"system",)"
            R"("content":"Be brief."},)"
            R"({"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},)"
            R"({"role":"user","content":"Again é"}],"response_format":{"type":"json_schema",)"
            R"("json_schema":{"name":"answer","strict":true,"schema":{"type":"object",)"
            R"("additionalProperties":false}}}})");
  EXPECT_EQ(header(openai()->call(request()), "authorization"), "Bearer " + kKey);
  LlmRequest plain{.model = "m", .messages = {{"user", "Hi"}}, .max_tokens = 5, .temperature = 1.0};
  const auto local = make_openai_api({.base_url = "http://127.0.0.1:9"});
  const HttpCall call = local->call(plain);
  EXPECT_EQ(call.body, R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":"Hi"}],)"
                       R"("temperature":1.0})");
  EXPECT_EQ(header(call, "authorization"), "none");
  EXPECT_FALSE(local->count_tokens_call(plain));
  EXPECT_THROW(local->parse_count_tokens("{}"), Error);
  EXPECT_EQ(openai()->call(plain).url, "https://api.openai.com/v1/chat/completions");
  for (const char* url : {"http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"})
    EXPECT_EQ(openai(url)->call(plain).url, "http://h:1/v1/chat/completions") << url;
  EXPECT_EQ(openai("https://h/api/v3/")->call(plain).url, "https://h/api/v3/chat/completions");
  EXPECT_THROW(make_openai_api({.api_key = ""}), Error);
}

TEST(OpenAiApi, ReadsAnswers) {
  const auto api = openai();
  const LlmAnswer answer = api->parse_answer(
      R"({"id":"c","object":"chat.completion","model":"gpt","choices":[{"index":0,"message":{)"
      R"("role":"assistant","content":"Hello","refusal":null},"finish_reason":"stop"}],"usage":{)"
      R"("prompt_tokens":100,"completion_tokens":9,"total_tokens":109,)"
      R"("prompt_tokens_details":{"cached_tokens":64,"cache_write_tokens":6}}})");
  EXPECT_EQ(answer.text, "Hello");
  EXPECT_EQ(answer.stop, LlmStop::end);
  EXPECT_EQ(answer.model, "gpt");
  EXPECT_EQ(answer.usage.input, 30);
  EXPECT_EQ(answer.usage.cache_read, 64);
  EXPECT_EQ(answer.usage.cache_write, 6);
  EXPECT_EQ(answer.usage.output, 9);
  const auto stop = [&](std::string reason) {
    return api->parse_answer(R"({"choices":[{"message":{"content":null},"finish_reason":)" +
                             reason + "}]}");
  };
  EXPECT_EQ(stop("\"length\"").stop, LlmStop::max_tokens);
  EXPECT_EQ(stop("\"content_filter\"").stop, LlmStop::refusal);
  EXPECT_EQ(stop("\"tool_calls\"").stop, LlmStop::other);
  EXPECT_EQ(stop("null").stop_detail, "no finish_reason");
  EXPECT_EQ(stop("null").usage.output, 0);
  const LlmAnswer refused = api->parse_answer(
      R"({"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"image"}],)"
      R"("refusal":"I cannot."},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,)"
      R"("prompt_tokens_details":{"cached_tokens":9}}})");
  EXPECT_EQ(refused.stop, LlmStop::refusal);
  EXPECT_EQ(refused.stop_detail, "refusal: I cannot.");
  EXPECT_EQ(refused.text, "a");
  EXPECT_EQ(refused.usage.input, 0);  // never below, whatever is said of the cache
  EXPECT_EQ(api->request_id({{"x-request-id", "r"}}), "r");
}

TEST(OpenAiApi, EachErrorMeansSomething) {
  const auto api = openai("http://127.0.0.1:1");
  const auto error = [](std::string type, std::string code) {
    return R"({"error":{"message":"no","type":")" + type + R"(","param":null,"code":)" + code +
           "}}";
  };
  EXPECT_EQ(verdict(*api, 429, error("tokens", "\"rate_limit_exceeded\"")), LlmVerdict::retry);
  EXPECT_EQ(verdict(*api, 429, error("insufficient_quota", "null")), LlmVerdict::stop_run);
  EXPECT_EQ(verdict(*api, 429, error("x", "\"insufficient_quota\"")), LlmVerdict::stop_run);
  EXPECT_EQ(verdict(*api, 400, error("x", "\"model_not_found\"")), LlmVerdict::stop_run);
  EXPECT_EQ(verdict(*api, 400, error("invalid_request_error", "null")), LlmVerdict::fail_row);
  for (const int status : {401, 402, 403, 404})
    EXPECT_EQ(verdict(*api, status, error("x", "null")), LlmVerdict::stop_run) << status;
  EXPECT_TRUE(failure(*api, 503, "loading model").overloaded);
  EXPECT_EQ(failure(*api, 200, error("x", "429")).verdict, LlmVerdict::retry);  // a gateway's
  EXPECT_EQ(failure(*api, 200, error("x", "401")).verdict, LlmVerdict::stop_run);
  EXPECT_EQ(failure(*api, 400, R"([{"error":{"message":"in a list"}}])").message,
            "[llm] 127.0.0.1:1: status 400: in a list");
  EXPECT_EQ(failure(*api, 400, R"({"detail":"of FastAPI"})").message,
            "[llm] 127.0.0.1:1: status 400: of FastAPI");
}

}  // namespace
}  // namespace chatmem
