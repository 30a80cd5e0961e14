#include "serve/openai_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.h"
#include "serve/answer_text.h"
#include "serve/api_keys.h"
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
  EXPECT_EQ(plain.temperature, 1);
  EXPECT_EQ(plain.top_p, 1);
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
  EXPECT_EQ(full.temperature, 0);
  EXPECT_EQ(full.top_p, 0.5f);
  EXPECT_EQ(full.top_k, 40);
  EXPECT_EQ(full.min_p, 0.1f);
  EXPECT_EQ(full.seed, 5u);
  EXPECT_THAT(full.stop, ElementsAre("a", "b"));
  EXPECT_TRUE(full.stream && full.include_usage);
  EXPECT_EQ(parse("\"max_tokens\":0").max_tokens, 0);
  EXPECT_EQ(parse("\"top_k\":-1,\"seed\":null,\"stop\":null").top_k, 0);
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
  EXPECT_EQ(refused("\"n\":2"), "400 n");
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
  EXPECT_EQ(refused("\"prediction\":\"so\""), "400 prediction");
  EXPECT_EQ(refused("\"prediction\":{\"type\":\"content\"}"), "400 prediction.content");
  EXPECT_EQ(refused("\"logprobs\":true"), "400 logprobs");
  EXPECT_EQ(refused("\"logit_bias\":{\"5\":1}"), "400 logit_bias");
  EXPECT_EQ(refused("\"presence_penalty\":1"), "400 presence_penalty");
  EXPECT_EQ(refused("\"response_format\":{\"type\":\"json_object\"}"), "400 response_format");
  EXPECT_EQ(refused("\"tool_choice\":{\"type\":\"function\"}"), "400 tool_choice");
  EXPECT_EQ(refused("\"model\":3"), "400 model");
}

TEST(OpenAi, RefusesMessagesThatAreNone) {
  const auto body = [](const std::string& text) {
    return refused([&] { parse_chat_completion(text); });
  };
  EXPECT_EQ(body("{}"), "400 messages");
  EXPECT_EQ(body("{\"messages\":[]}"), "400 messages");
  EXPECT_EQ(body("{\"messages\":[7]}"), "400 messages[0]");
  EXPECT_EQ(body("{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}"), "400 messages[0].role");
  EXPECT_EQ(body("{\"messages\":[{\"role\":\"user\"}]}"), "400 messages[0].content");
  EXPECT_EQ(body("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}"),
            "400 messages[0].content");
  EXPECT_EQ(body("[]"), "400 -");
  EXPECT_EQ(body("{\"messages\":"), "400 -");
  EXPECT_EQ(body("{\"x\":\"\xFF\"}"), "400 -");
  EXPECT_EQ(body(std::string(100'000, '[')), "400 -");
}

TEST(OpenAi, ShapesOfAnswers) {
  AnswerHead head{"chatcmpl-1", "m", 1'730'000'000, false};
  const Usage usage{9, 8, 2};
  EXPECT_EQ(chat_completion(head, "Hel\"lo", FinishReason::length, usage),
            R"({"id":"chatcmpl-1","object":"chat.completion","created":1730000000,"model":"m",)"
            R"("choices":[{"index":0,"message":{"role":"assistant","content":"Hel\"lo",)"
            R"("refusal":null},"logprobs":null,"finish_reason":"length"}],"usage":{)"
            R"("prompt_tokens":9,"completion_tokens":2,"total_tokens":11,)"
            R"("prompt_tokens_details":{"cached_tokens":8}}})");
  const std::string start =
      R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1730000000,"model":"m",)";
  EXPECT_EQ(role_chunk(head),
            start + R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},)"
                    R"("logprobs":null,"finish_reason":null}]})");
  EXPECT_EQ(content_chunk(head, "x"), start + R"("choices":[{"index":0,"delta":{"content":"x"},)"
                                              R"("logprobs":null,"finish_reason":null}]})");
  EXPECT_EQ(
      finish_chunk(head, FinishReason::stop),
      start + R"("choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]})");
  head.include_usage = true;
  EXPECT_TRUE(parse_json(content_chunk(head, "x"), "chunk")["usage"].is_null());
  EXPECT_THAT(content_chunk(head, "x"), HasSubstr("\"usage\":null"));
  const Json last = parse_json(usage_chunk(head, usage), "chunk");
  EXPECT_TRUE(last["choices"].empty());
  EXPECT_EQ(last["usage"]["total_tokens"], 11);
  EXPECT_EQ(model_list("m", 5),
            R"({"object":"list","data":[{"id":"m","object":"model","created":5,)"
            R"("owned_by":"chatmem"}]})");
}

TEST(OpenAi, ShapesOfErrors) {
  EXPECT_EQ(ApiError(429, "full", "", "queue_full").body(),
            R"({"error":{"message":"full","type":"rate_limit_error","param":null,)"
            R"("code":"queue_full"}})");
  const Json error = parse_json(ApiError::too_long(300, 256).body(), "body")["error"];
  EXPECT_EQ(error["type"], "exceed_context_size_error");
  EXPECT_EQ(error["n_prompt_tokens"], 300);
  EXPECT_EQ(error["n_ctx"], 256);
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
