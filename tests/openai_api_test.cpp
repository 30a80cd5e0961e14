#include "serve/openai_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/utf8.h"
#include "serve/answer_json.h"
#include "serve/answer_text.h"
#include "serve/api_keys.h"
#include "serve/cors_policy.h"
#include "serve/request_record.h"
#include "serve/server_metrics.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kMessages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

ChatCompletionRequest parse(const std::string& fields) {
  return parse_chat_completion("{" + kMessages + (fields.empty() ? "" : ",") + fields + "}");
}

// "STATUS PARAM" of the error that parsing these fields gives.
std::string refused(const std::function<void()>& action) {
  try {
    action();
  } catch (const ApiError& e) {
    const Json error = parse_json(e.body(), "body")["error"];
    EXPECT_EQ(error["type"], "invalid_request_error");
    return std::to_string(e.status()) + " " +
           (error["param"].is_null() ? "-" : error["param"].get<std::string>());
  }
  return "taken";
}
std::string refused(const std::string& fields) {
  return refused([&] { parse(fields); });
}

TEST(OpenAi, DefaultsAndFields) {
  const ChatCompletionRequest plain = parse("");
  EXPECT_FALSE(plain.max_tokens);
  EXPECT_FALSE(plain.seed);
  EXPECT_EQ(plain.sampling.temperature, 1);
  EXPECT_EQ(plain.sampling.top_p, 1);
  EXPECT_FALSE(plain.stream);
  const ChatCompletionRequest full = parse(
      "\"model\":\"m\",\"max_tokens\":9,\"max_completion_tokens\":7,\"temperature\":0,\"top_p\":0."
      "5,"
      "\"top_k\":40,\"min_p\":0.1,\"seed\":5,\"stop\":[\"a\",\"b\"],\"stream\":true,"
      "\"stream_options\":{\"include_usage\":true},\"whatever\":{\"x\":1},"
      "\"prediction\":{\"type\":\"content\",\"content\":[{\"type\":\"text\",\"text\":\"so\"}]}");
  EXPECT_EQ(full.prediction, "so");
  EXPECT_EQ(full.model, "m");
  EXPECT_EQ(full.max_tokens, 7);
  EXPECT_EQ(full.sampling.temperature, 0);
  EXPECT_EQ(full.sampling.top_p, 0.5f);
  EXPECT_EQ(full.sampling.top_k, 40);
  EXPECT_EQ(full.sampling.min_p, 0.1f);
  EXPECT_EQ(full.seed, 5u);
  EXPECT_THAT(full.stop, ElementsAre("a", "b"));
  EXPECT_TRUE(full.stream && full.include_usage);
  EXPECT_EQ(parse("\"max_tokens\":0").max_tokens, 0);
  EXPECT_EQ(parse("\"top_k\":-1,\"seed\":null,\"stop\":null").sampling.top_k, 0);
}

// What the test suites of OpenAI's own clients send with "all parameters" (research: 200 expected).
TEST(OpenAi, TakesWhatTheClientsTestsSend) {
  const ChatCompletionRequest request = parse_chat_completion(
      R"({"messages":[{"role":"developer","name":"n","content":"D"}],"model":"gpt-5.4",
      "frequency_penalty":0,"presence_penalty":0,"function_call":"none","functions":[],
      "logit_bias":{"foo":0},"logprobs":false,"top_logprobs":0,"max_completion_tokens":0,
      "metadata":{"foo":"string"},"modalities":["text"],"n":1,"parallel_tool_calls":true,
      "prediction":{"content":"x","type":"content"},"reasoning_effort":"none",
      "response_format":{"type":"text"},"seed":-9007199254740991,"service_tier":"auto",
      "stop":"\n","store":true,"stream":false,"stream_options":{"include_usage":true},
      "tool_choice":"none","tools":[{"type":"function","function":{"name":"f"}}],"user":"u"})");
  EXPECT_EQ(request.turns[0].role, "system");
  EXPECT_EQ(request.seed, uint64_t(-9007199254740991));
  EXPECT_THAT(request.stop, ElementsAre("\n"));
}

TEST(OpenAi, TextPartsAreJoined) {
  const ChatCompletionRequest request = parse_chat_completion(
      R"({"messages":[{"role":"system","content":[{"type":"text","text":"a"},)"
      R"({"type":"text","text":"b"}]},{"role":"assistant","content":""}]})");
  EXPECT_EQ(request.turns[0].content, "ab");
  EXPECT_EQ(request.turns[1].role, "assistant");
}

TEST(OpenAi, RefusesByName) {
  EXPECT_EQ(refused("\"n\":0"), "400 n");
  EXPECT_EQ(refused("\"n\":129"), "400 n");
  EXPECT_EQ(refused("\"n\":\"1\""), "400 n");
  EXPECT_EQ(refused("\"temperature\":2.5"), "400 temperature");
  EXPECT_EQ(refused("\"temperature\":\"hot\""), "400 temperature");
  EXPECT_EQ(refused("\"top_p\":-0.1"), "400 top_p");
  EXPECT_EQ(refused("\"max_tokens\":-1"), "400 max_tokens");
  EXPECT_EQ(refused("\"max_tokens\":1.5"), "400 max_tokens");
  EXPECT_EQ(refused("\"max_tokens\":99999999999999999999"), "400 max_tokens");
  EXPECT_EQ(refused("\"max_tokens\":18446744073709551615"), "400 max_tokens");
  EXPECT_EQ(refused("\"seed\":0.5"), "400 seed");
  EXPECT_EQ(refused("\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]"), "400 stop");
  EXPECT_EQ(refused("\"stop\":\"\""), "400 stop");
  EXPECT_EQ(refused("\"stop\":[1]"), "400 stop");
  EXPECT_EQ(refused("\"stream\":1"), "400 stream");
  EXPECT_EQ(refused("\"stream_options\":[]"), "400 stream_options");
  EXPECT_EQ(refused("\"logprobs\":1"), "400 logprobs");
  EXPECT_EQ(refused("\"top_logprobs\":2"), "400 top_logprobs");
  EXPECT_EQ(refused("\"logprobs\":true,\"top_logprobs\":21"), "400 top_logprobs");
  for (const char* bias : {"{\"5\":101}", "{\"5\":\"1\"}", "{\"x\":1}", "{\"-5\":1}", "{\"5x\":1}",
                           "{\"99999999999\":1}", "[]"})
    EXPECT_EQ(refused(std::string("\"logit_bias\":") + bias), "400 logit_bias") << bias;
  EXPECT_EQ(refused("\"presence_penalty\":2.1"), "400 presence_penalty");
  EXPECT_EQ(refused("\"frequency_penalty\":-3"), "400 frequency_penalty");
  EXPECT_EQ(refused("\"repetition_penalty\":0"), "400 repetition_penalty");
  EXPECT_EQ(refused("\"prediction\":\"so\""), "400 prediction");
  EXPECT_EQ(refused("\"prediction\":{\"type\":\"content\"}"), "400 prediction.content");
  EXPECT_EQ(refused("\"model\":3"), "400 model");
}

TEST(OpenAi, SamplingAndChoices) {
  const ChatCompletionRequest request = parse(
      R"("n":3,"logprobs":true,"top_logprobs":20,"frequency_penalty":0.5,"presence_penalty":-2,
      "repetition_penalty":1.1,"logit_bias":{"7":-100,"9":1.5,"word":0})");
  EXPECT_EQ(request.n, 3);
  EXPECT_EQ(request.top_logprobs, 20);
  EXPECT_EQ(request.sampling.frequency_penalty, 0.5f);
  EXPECT_EQ(request.sampling.presence_penalty, -2);
  EXPECT_EQ(request.sampling.repetition_penalty, 1.1f);
  EXPECT_THAT(request.sampling.logit_bias, ElementsAre(std::pair(7, -100.f), std::pair(9, 1.5f)));
  EXPECT_EQ(parse("").top_logprobs, -1);
  EXPECT_EQ(parse("\"logprobs\":true").top_logprobs, 0);
}

TEST(OpenAi, Formats) {
  EXPECT_FALSE(parse(R"("response_format":{"type":"text"})").grammar);
  EXPECT_TRUE(parse(R"("response_format":{"type":"json_object"})").grammar);
  EXPECT_TRUE(parse(R"("response_format":{"type":"json_schema","json_schema":{"name":"a-1",
      "strict":true,"schema":{"type":"object"}}})")
                  .grammar);
  for (const char* format :
       {"3", "{}", R"({"type":"xml"})", R"({"type":"json_schema"})",
        R"({"type":"json_schema","json_schema":{"name":"a"}})",
        R"({"type":"json_schema","json_schema":{"schema":{}}})",
        R"({"type":"json_schema","json_schema":{"name":"a b","schema":{}}})",
        R"({"type":"json_schema","json_schema":{"name":"a","schema":{"type":"x"}}})"})
    EXPECT_EQ(refused(std::string("\"response_format\":") + format), "400 response_format")
        << format;
  try {
    parse(R"("response_format":{"type":"json_schema","json_schema":{"name":"a","schema":
        {"properties":{"b":{"not":{}}}}}})");
    FAIL();
  } catch (const ApiError& e) {
    EXPECT_THAT(e.what(), HasSubstr("keyword 'not' at '/properties/b' is not supported"));
  }
}

TEST(OpenAi, Tools) {
  const std::string tools = R"("tools":[{"type":"function","function":{"name":"f","parameters":
      {"type":"object"}}},{"type":"function","function":{"name":"g"}}])";
  EXPECT_FALSE(parse(tools).grammar);  // auto
  EXPECT_TRUE(parse(tools + R"(,"tool_choice":"none")").functions.empty());
  const ChatCompletionRequest any = parse(tools + R"(,"tool_choice":"required")");
  EXPECT_TRUE(any.grammar);
  EXPECT_EQ(any.functions.size(), 2u);
  const ChatCompletionRequest one =
      parse(tools + R"(,"tool_choice":{"type":"function","function":{"name":"g"}})");
  ASSERT_EQ(one.functions.size(), 1u);
  EXPECT_EQ(one.functions[0]["function"]["name"], "g");
  EXPECT_EQ(refused(tools + R"(,"tool_choice":{"type":"function","function":{"name":"h"}})"),
            "400 tool_choice");
  EXPECT_EQ(refused(tools + R"(,"tool_choice":"all")"), "400 tool_choice");
  EXPECT_EQ(refused("\"tool_choice\":{\"type\":\"function\"}"), "400 tool_choice");
  EXPECT_EQ(refused(R"("tool_choice":"required")"), "400 tools");
  EXPECT_EQ(refused(R"("tool_choice":"required","tools":[{"type":"function"}])"), "400 tools[0]");
  EXPECT_EQ(refused(R"("tool_choice":"required","tools":[{"type":"function","function":
      {"name":"f","parameters":{"type":"x"}}}])"),
            "400 tools");
}

TEST(OpenAi, CallsAndTheirResultsAreTurns) {
  const ChatCompletionRequest request = parse_chat_completion(
      R"({"messages":[{"role":"user","content":"u"},{"role":"assistant","content":null,"tool_calls":
      [{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}}]},
      {"role":"tool","tool_call_id":"c","content":"4 \"x\""}]})");
  EXPECT_EQ(request.turns[1].content, R"({"name": "f", "parameters": {"a": 1}})");
  EXPECT_EQ(request.turns[2].role, "ipython");
  EXPECT_EQ(request.turns[2].content, R"("4 \"x\"")");
  EXPECT_EQ(refused([] {
              parse_chat_completion(
                  R"({"messages":[{"role":"assistant","tool_calls":[{"function":{}}]}]})");
            }),
            "400 messages[0].tool_calls");
}

TEST(OpenAi, RefusesMessagesThatAreNone) {
  const auto body = [](const std::string& text) {
    return refused([&] { parse_chat_completion(text); });
  };
  EXPECT_EQ(body("{}"), "400 messages");
  EXPECT_EQ(body("{\"messages\":[]}"), "400 messages");
  EXPECT_EQ(body("{\"messages\":[7]}"), "400 messages[0]");
  EXPECT_EQ(body("{\"messages\":[{\"role\":\"robot\",\"content\":\"x\"}]}"),
            "400 messages[0].role");
  EXPECT_EQ(body("{\"messages\":[{\"role\":\"user\"}]}"), "400 messages[0].content");
  EXPECT_EQ(body("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}"),
            "400 messages[0].content");
  EXPECT_EQ(body("[]"), "400 -");
  EXPECT_EQ(body("{\"messages\":"), "400 -");
  EXPECT_EQ(body("{\"x\":\"\xFF\"}"), "400 -");
  EXPECT_EQ(body(std::string(100'000, '[')), "400 -");
}

TEST(OpenAi, ShapesOfAnswers) {
  AnswerHead head{"chatcmpl-1", "m", 1'730'000'000};
  const Usage usage{9, 8, 2};
  const AnswerChoice choice{"Hel\"lo", {}, nullptr, "length"};
  EXPECT_EQ(whole_answer(head, std::vector{choice}, usage),
            R"({"id":"chatcmpl-1","object":"chat.completion","created":1730000000,"model":"m",)"
            R"("choices":[{"index":0,"message":{"role":"assistant","content":"Hel\"lo",)"
            R"("refusal":null},"logprobs":null,"finish_reason":"length"}],"usage":{)"
            R"("prompt_tokens":9,"completion_tokens":2,"total_tokens":11,)"
            R"("prompt_tokens_details":{"cached_tokens":8}}})");
  const std::string start =
      R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1730000000,"model":"m",)";
  EXPECT_EQ(role_chunk(head, 0),
            start + R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},)"
                    R"("logprobs":null,"finish_reason":null}]})");
  EXPECT_EQ(content_chunk(head, 0, "x", nullptr),
            start + R"("choices":[{"index":0,"delta":{"content":"x"},)"
                    R"("logprobs":null,"finish_reason":null}]})");
  EXPECT_EQ(
      finish_chunk(head, 0, "stop", nullptr),
      start + R"("choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})");
  head.include_usage = true;
  EXPECT_TRUE(parse_json(content_chunk(head, 0, "x", nullptr), "chunk")["usage"].is_null());
  EXPECT_THAT(content_chunk(head, 0, "x", nullptr), HasSubstr("\"usage\":null"));
  const Json last = parse_json(usage_chunk(head, usage), "chunk");
  EXPECT_TRUE(last["choices"].empty());
  EXPECT_EQ(last["usage"]["total_tokens"], 11);
  EXPECT_EQ(model_list(std::vector<std::string_view>{"m"}, 5),
            R"({"object":"list","data":[{"id":"m","object":"model","created":5,)"
            R"("owned_by":"chatmem"}]})");
}

TEST(OpenAi, ShapesOfCallsAndLogprobs) {
  const AnswerHead head{"chatcmpl-1", "m", 5, "fp_1"};
  const FunctionCall call{"call_1", "f", "{}"};
  const Json whole =
      parse_json(whole_answer(head,
                              std::vector{AnswerChoice{"", {}, nullptr, "stop"},
                                          AnswerChoice{"", call, nullptr, "tool_calls"}},
                              {}),
                 "body");
  EXPECT_EQ(whole["system_fingerprint"], "fp_1");
  EXPECT_EQ(whole["choices"][1]["index"], 1);
  EXPECT_EQ(dump_json(whole["choices"][1]["message"]),
            R"({"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_1",)"
            R"("type":"function","function":{"name":"f","arguments":"{}"}}]})");
  const Json delta = parse_json(call_chunk(head, 2, call), "chunk")["choices"][0];
  EXPECT_EQ(delta["index"], 2);
  EXPECT_EQ(dump_json(delta["delta"]),
            R"({"tool_calls":[{"index":0,"id":"call_1","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]})");
  EXPECT_EQ(
      dump_json(parse_json(arguments_chunk(head, 0, "x", nullptr), "c")["choices"][0]["delta"]),
      R"({"tool_calls":[{"index":0,"function":{"arguments":"x"}}]})");
  const NamedLogprob half{"\xC3", "\xC3", -0.5f}, end{"<|eot_id|>", "", -INFINITY};
  const Json entries = Json::array({logprob_entry(half, std::vector{half, end}, 0)});
  const Json chunk = parse_json(content_chunk(head, 0, "x", entries), "chunk");
  EXPECT_EQ(dump_json(chunk["choices"][0]["logprobs"]),
            "{\"content\":[{\"token\":\"\xEF\xBF\xBD\""
            R"(,"logprob":-0.5,"bytes":[195],"top_logprobs":[)"
            "{\"token\":\"\xEF\xBF\xBD\""
            R"(,"logprob":-0.5,"bytes":[195]},)"
            R"({"token":"<|eot_id|>","logprob":-9999.0,"bytes":null}]}],"refusal":null})");
}

TEST(OpenAi, ShapesOfErrors) {
  EXPECT_EQ(ApiError(429, "full", "", "queue_full").body(),
            R"({"error":{"message":"full","type":"rate_limit_error","param":null,)"
            R"("code":"queue_full"}})");
  const Json error = parse_json(ApiError::too_long(300, 256, "messages").body(), "body")["error"];
  EXPECT_EQ(error["type"], "exceed_context_size_error");
  EXPECT_EQ(error["n_prompt_tokens"], 300);
  EXPECT_EQ(error["n_ctx"], 256);
}

CompletionRequest completion(const std::string& fields) {
  return parse_completion("{" + fields + "}", 100);
}

TEST(OpenAi, Completions) {
  const CompletionRequest plain = completion(R"("prompt":"<s>[INST] a [/INST]")");
  EXPECT_EQ(plain.prompt, "<s>[INST] a [/INST]");
  EXPECT_EQ(plain.max_tokens, 16);
  EXPECT_EQ(plain.top_logprobs, -1);
  EXPECT_FALSE(plain.echo);
  EXPECT_EQ(
      completion(R"("prompt":["a"],"max_tokens":3,"logprobs":0,"echo":true,"best_of":1)").prompt,
      "a");
  EXPECT_EQ(completion(R"("prompt":"","logprobs":5)").top_logprobs, 5);
  EXPECT_THAT(completion(R"("prompt":[1,99])").tokens, ElementsAre(1, 99));
  EXPECT_THAT(completion(R"("prompt":[[7]])").tokens, ElementsAre(7));
  const auto no = [](const std::string& fields) { return refused([&] { completion(fields); }); };
  for (const char* prompt : {"", R"("prompt":5)", R"("prompt":["a","b"])", R"("prompt":[[1],[2]])",
                             R"("prompt":[100])", R"("prompt":[-1])", R"("prompt":[1.5])",
                             R"("prompt":[])", R"("prompt":[[]])", R"("prompt":{})"})
    EXPECT_EQ(no(prompt), "400 prompt") << prompt;
  EXPECT_EQ(no(R"("prompt":"a","best_of":2)"), "400 best_of");
  EXPECT_EQ(no(R"("prompt":"a","logprobs":true)"), "400 logprobs");
}

TEST(OpenAi, ShapesOfCompletions) {
  AnswerHead head{"cmpl-1", "m", 5, "fp_1"};
  head.shape = AnswerShape::text;
  const Json entries = Json::array(
      {logprob_entry({"a", "a", {}}, {}, 0),
       logprob_entry({"b", "b", -0.5f}, std::vector{NamedLogprob{"c", "c", -0.25f}}, 1)});
  const AnswerChoice choice{"ab", {}, entries, "length"};
  const std::string logprobs =
      R"({"tokens":["a","b"],"token_logprobs":[null,-0.5],"top_logprobs":[null,{"c":-0.25}],)"
      R"("text_offset":[0,1]})";
  EXPECT_EQ(whole_answer(head, std::vector{choice}, {2, 0, 1}),
            R"({"id":"cmpl-1","object":"text_completion","created":5,"model":"m",)"
            R"("system_fingerprint":"fp_1","choices":[{"text":"ab","index":0,"logprobs":)" +
                logprobs +
                R"(,"finish_reason":"length"}],"usage":{"prompt_tokens":2,"completion_tokens":1,)"
                R"("total_tokens":3,"prompt_tokens_details":{"cached_tokens":0}}})");
  EXPECT_EQ(content_chunk(head, 1, "x", nullptr),
            R"({"id":"cmpl-1","object":"text_completion","created":5,"model":"m",)"
            R"("system_fingerprint":"fp_1","choices":[{"text":"x","index":1,"logprobs":null,)"
            R"("finish_reason":null}]})");
  EXPECT_EQ(parse_json(finish_chunk(head, 0, "stop", nullptr), "c")["choices"][0]["text"], "");
  EXPECT_EQ(parse_json(progress_chunk(head, 9, 3, 5), "c")["prompt_progress"].dump(),
            R"({"total":9,"cache":3,"processed":5})");
}

SummaryRequest summary(
    const std::string& fields,
    const std::string& chat = "2024-05-01 09:00 | You: a\\n2024-05-04 09:00 | Ana: b") {
  return parse_summary("{\"chat\":\"" + chat + "\"" + fields + "}");
}

TEST(OpenAi, SummaryRequests) {
  const SummaryRequest all = summary("");
  EXPECT_EQ(all.conversation.messages.size(), 2u);
  EXPECT_FALSE(all.conversation.as_of);
  EXPECT_EQ(all.sampling.temperature, 0);
  const SummaryRequest one = summary(
      R"(,"from":"2024-05-02","to":"","as_of":"2024-06-01","temperature":0.5,"stream":true)");
  ASSERT_EQ(one.conversation.messages.size(), 1u);
  EXPECT_EQ(one.conversation.start_date, "2024-05-04");
  EXPECT_EQ(format_date(*one.conversation.as_of), "2024-06-01");
  EXPECT_EQ(one.sampling.temperature, 0.5f);
  EXPECT_TRUE(one.stream);
  const auto no = [](const std::string& fields) { return refused([&] { summary(fields); }); };
  EXPECT_EQ(no(R"(,"from":"May")"), "400 from");
  EXPECT_EQ(no(R"(,"to":7)"), "400 to");
  EXPECT_EQ(no(R"(,"as_of":"2024-02-30")"), "400 as_of");
  EXPECT_EQ(no(R"(,"from":"2024-05-02","to":"2024-05-01")"), "400 from");
  EXPECT_EQ(no(R"(,"from":"2024-06-01")"), "400 from");
  EXPECT_EQ(no(R"(,"to":"2024-04-01")"), "400 to");
  EXPECT_EQ(refused([] { summary("", "no chat"); }), "400 chat");
  EXPECT_EQ(refused([] { parse_summary("{}"); }), "400 chat");
  EXPECT_EQ(refused([] { parse_summary("[]"); }), "400 -");
}

HttpRequest from_page(const std::string& origin, const std::string& host = "127.0.0.1:8080") {
  HttpRequest request;
  request.method = "POST";
  request.headers = {{"Host", host}, {"Origin", origin}};
  return request;
}

TEST(Cors, PagesOfOthersMustBeNamed) {
  const CorsPolicy none({}), some({"https://app.example", "http://localhost:3000"}), all({"*"});
  EXPECT_TRUE(none.allows({}));
  EXPECT_TRUE(none.allows(from_page("http://127.0.0.1:8080")));
  EXPECT_TRUE(none.allows(from_page("https://chat.example", "chat.example")));
  EXPECT_FALSE(none.allows(from_page("https://app.example")));
  EXPECT_FALSE(none.allows(from_page("null")));
  EXPECT_FALSE(none.allows(from_page("http://", "")));
  EXPECT_TRUE(some.allows(from_page("https://app.example")));
  EXPECT_FALSE(some.allows(from_page("https://app.example.evil")));
  EXPECT_TRUE(all.allows(from_page("null")));
  EXPECT_TRUE(none.headers(from_page("https://app.example")).empty());
  EXPECT_EQ(some.headers(from_page("https://other.example")), (HttpHeaders{{"vary", "origin"}}));
  const HttpHeaders headers = some.headers(from_page("https://app.example"));
  EXPECT_EQ(*find_header(headers, "access-control-allow-origin"), "https://app.example");
  EXPECT_EQ(find_header(headers, "access-control-allow-methods"), nullptr);
  HttpRequest before = from_page("http://localhost:3000");
  before.method = "OPTIONS";
  before.headers.push_back({"Access-Control-Request-Headers", "authorization,x-stainless-os"});
  EXPECT_EQ(*find_header(some.headers(before), "access-control-allow-headers"),
            "authorization,x-stainless-os");
  for (const char* wrong : {"app.example", "https://", "https://a/b", "ftp://a", "https://a b"})
    EXPECT_THROW(CorsPolicy({wrong}), Error) << wrong;
}

TEST(Records, LinesOfTheLogAndMetrics) {
  RequestRecord record;
  record.id = "req_1", record.method = "POST", record.route = "/v1/chat/completions";
  record.status = 200, record.model = "m", record.streams = true, record.n = 1;
  record.usage = Usage{100, 60, 11};
  record.finish = "stop";
  const auto at = [&](int ms) { return record.begun + std::chrono::milliseconds(ms); };
  record.started = at(2), record.first_token = at(200), record.last_token = at(700);
  record.ended = at(701);
  EXPECT_EQ(log_line(record, "T"),
            R"({"time":"T","id":"req_1","method":"POST","route":"/v1/chat/completions",)"
            R"("status":200,"model":"m","stream":true,"n":1,"prompt_tokens":100,)"
            R"("cached_tokens":60,"completion_tokens":11,"finish":"stop","queue_ms":2.0,)"
            R"("ttft_ms":200.0,"total_ms":701.0})");
  ServerMetrics metrics;
  metrics.count(record);
  RequestRecord refused;
  refused.status = 400;
  metrics.count(refused);
  const std::string text = metrics.text(nullptr, 0);
  for (const char* line :
       {"chatmem_ready 0\n",
        "chatmem_requests_total{route=\"/v1/chat/completions\",status=\"200\"} 1\n",
        "chatmem_requests_total{route=\"other\",status=\"400\"} 1\n",
        "chatmem_time_to_first_token_seconds_bucket{le=\"0.1\"} 0\n",
        "chatmem_time_to_first_token_seconds_bucket{le=\"0.25\"} 1\n",
        "chatmem_time_to_first_token_seconds_bucket{le=\"+Inf\"} 1\n",
        "chatmem_time_to_first_token_seconds_sum 0.2\n",
        "chatmem_time_per_output_token_seconds_sum 0.05\n",
        "chatmem_time_per_output_token_seconds_bucket{le=\"0.025\"} 0\n",
        "chatmem_time_per_output_token_seconds_bucket{le=\"0.05\"} 1\n",
        "chatmem_prompt_tokens_total 100\n", "chatmem_prompt_tokens_cached_total 60\n",
        "chatmem_prefix_cache_hits_total 1\n"})
    EXPECT_THAT(text, HasSubstr(line));
}

// All that comes out, whatever the pieces.
std::string sent(const std::string& text, std::vector<std::string> stop, size_t piece_bytes) {
  AnswerText answer(std::move(stop));
  std::string out;
  for (size_t at = 0; at < text.size() && !answer.stopped(); at += piece_bytes) {
    const std::string piece = answer.push(text.substr(at, piece_bytes));
    EXPECT_EQ(find_invalid_utf8(piece), piece.npos);
    out += piece;
  }
  return out + answer.finish();
}

TEST(AnswerText, StopStringsAndCharactersSplitAnywhere) {
  for (size_t n = 1; n <= 12; n++) {
    EXPECT_EQ(sent("one two END three", {"END"}, n), "one two ");
    EXPECT_EQ(sent("aaab", {"aab"}, n), "a");
    EXPECT_EQ(sent("abcabd!", {"abd", "zz"}, n), "abc");
    EXPECT_EQ(sent("EN E", {"END"}, n), "EN E");
    EXPECT_EQ(sent("x\xF0\x9F\x98\x80y", {"\xF0\x9F\x98\x81"}, n), "x\xF0\x9F\x98\x80y");
    EXPECT_EQ(sent("x\xF0\x9F\x98\x80y", {"\xF0\x9F\x98\x80"}, n), "x");
    EXPECT_EQ(sent("a\xFFz\xE2\x82", {}, n), "a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(sent("END", {"END"}, n), "");
  }
}

TEST(AnswerText, HoldsBackNoMoreThanItMust) {
  AnswerText answer({"STOP"});
  EXPECT_EQ(answer.push("go S"), "go ");
  EXPECT_EQ(answer.push("U"), "SU");
  EXPECT_EQ(answer.push("\xC3"), "");
  EXPECT_EQ(answer.push("\xBC ST"), "\xC3\xBC ");
  EXPECT_EQ(answer.push("OP and more"), "");
  EXPECT_TRUE(answer.stopped());
  EXPECT_EQ(answer.push("more"), "");
  EXPECT_EQ(answer.finish(), "");
}

TEST(FunctionCallText, TakesACallApartWhereverItIsCut) {
  for (const std::string text : {R"({"name": "f", "parameters": {"a":{"b":"é}"}}})",
                                 R"({"name":"f","parameters":{"a":{"b":"é}"}}})"})
    for (size_t n = 1; n <= text.size(); n++) {
      AnswerText characters({});
      FunctionCallText call;
      std::string value;
      for (size_t at = 0; at < text.size(); at += n) {
        const std::string sure = call.push(characters.push(text.substr(at, n)));
        EXPECT_EQ(find_invalid_utf8(sure), sure.npos);
        value += sure;
      }
      FunctionCallText cut = call;
      EXPECT_EQ(value + cut.finish(false), R"({"a":{"b":"é}"}}})");
      EXPECT_EQ(value + call.finish(true), R"({"a":{"b":"é}"}})");
      EXPECT_EQ(call.name(), "f");
    }
  FunctionCallText early;
  EXPECT_EQ(early.push(R"({"name": "f", "param)") + early.finish(false), "");
  EXPECT_EQ(early.name(), "");
}

TEST(ApiKeys, LoadAndAllow) {
  TestFolder folder;
  const fs::path path = folder.write("keys", "# ours\n\nalpha\nbeta-2\n");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  const ApiKeys keys = ApiKeys::load(path);
  EXPECT_TRUE(keys.allow("Bearer alpha"));
  EXPECT_TRUE(keys.allow("bearer beta-2"));
  for (const char* wrong : {"", "Bearer ", "Bearer alph", "Bearer alphaa", "Bearer alphaalpha",
                            "alpha", "Basic alpha", "Bearer # ours"})
    EXPECT_FALSE(keys.allow(wrong)) << wrong;
  EXPECT_TRUE(ApiKeys().allow(""));

  fs::permissions(path, fs::perms::group_read, fs::perm_options::add);
  try {
    ApiKeys::load(path);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("640"));
    EXPECT_THAT(e.hint(), HasSubstr("chmod 600"));
  }
  const fs::path none = folder.write("none", "# nothing\n");
  fs::permissions(none, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THROW(ApiKeys::load(none), Error);
  EXPECT_THROW(ApiKeys::load(folder.path() / "absent"), Error);
}

}  // namespace
}  // namespace chatmem
