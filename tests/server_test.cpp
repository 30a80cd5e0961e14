// Chat completions over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "raw_socket.h"
#include "script_server.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST_F(Server, AnswersWhole) {
  start();
  const HttpResponse response = post("\"model\":\"any\",\"temperature\":0,\"seed\":4");
  EXPECT_EQ(response.status, 200);
  const Json json = parse_json(response.body, "body");
  EXPECT_EQ(json["choices"][0]["message"]["content"], "Hello world");
  EXPECT_EQ(json["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(json["model"], "any");
  EXPECT_EQ(json["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(json["usage"]["completion_tokens"], 3);
  EXPECT_NE(find_header(response.headers, "x-request-id"), nullptr);
  const EngineRequest asked = engine_.last_request();
  EXPECT_THAT(asked.prompt, ElementsAre('H', 'i'));
  EXPECT_THAT(asked.stop_tokens, ElementsAre(7));
  EXPECT_EQ(asked.max_tokens, 98);
  EXPECT_EQ(asked.sampling.seed, 4u);
  EXPECT_EQ(asked.sampling.temperature, 0);
}

TEST_F(Server, Streams) {
  start();
  const HttpResponse response = post("\"stream\":true");
  EXPECT_EQ(*find_header(response.headers, "content-type"), "text/event-stream");
  EXPECT_TRUE(response.body.starts_with(": ping\n\n"));
  EXPECT_EQ(story(response.body), "Hel|lo| world|stop");
  EXPECT_THAT(response.body, Not(HasSubstr("usage")));

  const std::string counted =
      post("\"stream\":true,\"stream_options\":{\"include_usage\":true}").body;
  EXPECT_EQ(story(counted), "Hel|lo| world|stop");
  const std::vector<std::string> data = events(counted);
  EXPECT_THAT(data.front(), HasSubstr("\"usage\":null"));
  EXPECT_EQ(parse_json(data.at(data.size() - 2), "chunk")["usage"]["completion_tokens"], 3);
}

TEST_F(Server, MaxTokens) {
  start();
  EXPECT_EQ(story(post("\"stream\":true,\"max_tokens\":2").body), "Hel|lo|length");
  const Json warm = parse_json(post("\"max_tokens\":0").body, "body");
  EXPECT_EQ(warm["choices"][0]["message"]["content"], "");
  EXPECT_EQ(warm["choices"][0]["finish_reason"], "length");
}

TEST_F(Server, StopStringsAndCharactersSplitOverTokens) {
  codec_.pieces = {"a\xF0\x9F", "\x98", "\x80 E", "N", "D never", " shown"};
  start();
  EXPECT_EQ(story(post("\"stream\":true,\"stop\":[\"END\",\"x\"]").body),
            "a|\xF0\x9F\x98\x80 |stop");
  EXPECT_EQ(engine_.tokens_made, 5) << "the engine must be told to end";
  const Json json = parse_json(post("\"stop\":\"END\"").body, "body");
  EXPECT_EQ(json["choices"][0]["message"]["content"], "a\xF0\x9F\x98\x80 ");
  EXPECT_EQ(story(post("\"stream\":true,\"max_tokens\":4").body), "a|\xF0\x9F\x98\x80 E|N|length");
  EXPECT_EQ(story(post("\"stream\":true,\"max_tokens\":4,\"stop\":\"END\"").body),
            "a|\xF0\x9F\x98\x80 |EN|length");
}

// All choices of a stream: their contents joined by "|", then the finish reason.
std::map<int, std::string> stories(const std::vector<std::string>& data) {
  std::map<int, std::string> found;
  for (const std::string& event : data) {
    if (event == "[DONE]") continue;
    const Json chunk = parse_json(event, "chunk");
    for (const Json& choice : chunk["choices"]) {
      std::string& story = found[choice["index"]];
      if (choice["delta"].contains("content"))
        story += choice["delta"]["content"].get<std::string>() + "|";
      if (!choice["finish_reason"].is_null()) story += choice["finish_reason"].get<std::string>();
    }
  }
  return found;
}

TEST_F(Server, SeveralChoices) {
  start();
  const Json json = parse_json(post("\"n\":3,\"seed\":1").body, "body");
  ASSERT_EQ(json["choices"].size(), 3u);
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ(json["choices"][size_t(i)]["index"], i);
    EXPECT_EQ(json["choices"][size_t(i)]["message"]["content"], "Hello world");
  }
  EXPECT_EQ(json["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(json["usage"]["completion_tokens"], 9);
  EXPECT_EQ(json["system_fingerprint"], "fp_0");
  const std::vector<std::string> data =
      events(post("\"n\":2,\"stream\":true,\"stream_options\":{\"include_usage\":true}").body);
  EXPECT_EQ(data.back(), "[DONE]");
  EXPECT_THAT(stories(data), ElementsAre(std::pair(0, "|Hel|lo| world|stop"),
                                         std::pair(1, "|Hel|lo| world|stop")));
  EXPECT_EQ(parse_json(data.at(data.size() - 2), "chunk")["usage"]["completion_tokens"], 6);
}

TEST_F(Server, LogprobsGoWithTheirText) {
  codec_.pieces = {"a", "\xC3", "\xA9 ", "EN", "D", "x"};
  start();
  const Json whole =
      parse_json(post("\"logprobs\":true,\"top_logprobs\":1,\"stop\":\"END\"").body, "b");
  EXPECT_EQ(engine_.last_request().top_logprobs, 1);
  const Json& entries = whole["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(entries.size(), 3u) << "those of the stop string are cut with it";
  EXPECT_EQ(entries[0]["token"], "a");
  EXPECT_EQ(entries[0]["logprob"], -0.5);
  EXPECT_EQ(entries[1]["bytes"], Json::array({0xC3}));
  EXPECT_EQ(entries[1]["top_logprobs"].size(), 1u);
  size_t n = 0;
  for (const std::string& event : events(post("\"logprobs\":true,\"stream\":true").body)) {
    if (event == "[DONE]") continue;
    const Json logprobs = parse_json(event, "chunk")["choices"][0]["logprobs"];
    n += logprobs.is_null() ? 0 : logprobs["content"].size();
  }
  EXPECT_EQ(n, 6u);
  EXPECT_TRUE(parse_json(post("").body, "b")["choices"][0]["logprobs"].is_null());
}

TEST_F(Server, BiasOfTokensThatAreNone) {
  start();
  EXPECT_EQ(post("\"logit_bias\":{\"127\":5}").status, 200);
  EXPECT_EQ(error(post("\"logit_bias\":{\"128\":5}"))["param"], "logit_bias");
}

const std::string kTools =
    R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",
    "properties":{"a":{"type":"integer"}},"required":["a"]}}}],"tool_choice":"required")";

TEST_F(Server, ACallIsAnswered) {
  codec_.pieces = {"{\"na", "me\": \"f\", \"para", "meters\": {\"", "a\": 4", "}", "}"};
  start();
  const Json whole = parse_json(post(kTools).body, "body")["choices"][0];
  EXPECT_TRUE(engine_.constrained);
  EXPECT_EQ(whole["finish_reason"], "tool_calls");
  EXPECT_TRUE(whole["message"]["content"].is_null());
  const Json call = whole["message"]["tool_calls"][0];
  EXPECT_EQ(call["function"]["name"], "f");
  EXPECT_EQ(call["function"]["arguments"], R"({"a": 4})");

  std::string arguments, name, id, reason;
  for (const std::string& event : events(post(kTools + ",\"stream\":true").body)) {
    if (event == "[DONE]") continue;
    const Json choice = parse_json(event, "chunk")["choices"][0];
    if (!choice["finish_reason"].is_null()) reason = choice["finish_reason"];
    if (!choice["delta"].contains("tool_calls")) continue;
    const Json& delta = choice["delta"]["tool_calls"][0];
    EXPECT_EQ(delta["index"], 0);
    if (delta.contains("id")) id = delta["id"], name = delta["function"]["name"];
    arguments += delta["function"]["arguments"].get<std::string>();
  }
  EXPECT_EQ(name, "f");
  EXPECT_TRUE(id.starts_with("call_"));
  EXPECT_EQ(arguments, R"({"a": 4})");
  EXPECT_EQ(reason, "tool_calls");

  const Json cut = parse_json(post(kTools + ",\"max_tokens\":5").body, "body")["choices"][0];
  EXPECT_EQ(cut["finish_reason"], "length");
  EXPECT_EQ(cut["message"]["tool_calls"][0]["function"]["arguments"], R"({"a": 4})");
}

TEST_F(Server, WrongSchemasAreRefusedBeforeTheStream) {
  start();
  const HttpResponse response = post(
      R"("stream":true,"response_format":{"type":"json_schema","json_schema":{"name":"x",
      "schema":{"type":"object","properties":{"a":{"not":{}}}}}})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(error(response)["param"], "response_format");
  EXPECT_THAT(error(response)["message"].get<std::string>(), HasSubstr("at '/properties/a'"));
}

TEST_F(Server, APromptThatDoesNotFitIsRefusedBeforeTheStream) {
  start();
  const HttpResponse response = post("\"stream\":true", std::string(100, 'x'));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(error(response)["n_prompt_tokens"], 100);
  EXPECT_EQ(error(response)["n_ctx"], 100);
  EXPECT_EQ(post("\"max_tokens\":0", std::string(100, 'x')).status, 200);
  EXPECT_EQ(post("", std::string(99, 'x')).status, 200);
  EXPECT_EQ(engine_.last_request().max_tokens, 1);
  EXPECT_EQ(post("\"n\":0").status, 400);
}

TEST_F(Server, AFullQueueIsSaid) {
  engine_.capacity = 0;
  start({.retry_after_s = 3});
  const HttpResponse response = post("\"stream\":true");
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(*find_header(response.headers, "retry-after"), "3");
  EXPECT_EQ(error(response)["type"], "rate_limit_error");
  engine_.capacity = 1;
  EXPECT_EQ(post("").status, 200);
}

TEST_F(Server, HealthAndModelsFollowTheModel) {
  start({}, false);
  EXPECT_EQ(http_request({.url = url("/health")}).status, 503);
  EXPECT_EQ(post("").status, 503);
  EXPECT_EQ(http_request({.url = url("/v1/models")}).status, 503);
  set_model();
  EXPECT_EQ(http_request({.url = url("/health")}).body, "{\"status\":\"ok\"}");
  const Json list = parse_json(http_request({.url = url("/v1/models")}).body, "body");
  EXPECT_EQ(list["data"][0]["id"], "tiny");
  EXPECT_EQ(http_request({.url = url("/v1/models/t%69ny")}).status, 200);
  EXPECT_EQ(http_request({.url = url("/v1/models/other")}).status, 404);
}

TEST_F(Server, HeadersComeAtOnceAndPingsWhileItWaits) {
  engine_.holds = true;
  start({.ping_interval_ms = 30});
  RawSocket socket(server_->port());
  socket.send(raw_post("\"stream\":true"));
  const std::string waiting = socket.receive(": ping\n\n\r\n8\r\n: ping");
  EXPECT_THAT(waiting, AllOf(HasSubstr("200 OK"), HasSubstr("8\r\n: ping\n\n\r\n8\r\n: ping")));
  engine_.holds = false;
  EXPECT_THAT(socket.receive("[DONE]"), HasSubstr("Hel"));
}

TEST_F(Server, AClientThatLeavesCancels) {
  engine_.holds = true;
  start();
  for (const char* fields : {"\"stream\":true", "\"stream\":false"}) {
    RawSocket socket(server_->port());
    socket.send(raw_post(fields));
    EXPECT_TRUE(eventually([&] { return engine_.running() == 1; }));
    socket.close();
    EXPECT_TRUE(eventually([&] { return engine_.running() == 0; }));
  }
  EXPECT_EQ(engine_.cancelled, 2);
}

TEST_F(Server, AnErrorOfTheEngineIsAnswered) {
  engine_.fails = true;
  start();
  const HttpResponse whole = post("");
  EXPECT_EQ(whole.status, 500);
  EXPECT_THAT(error(whole)["message"], HasSubstr("out of memory"));
  const std::vector<std::string> data = events(post("\"stream\":true").body);
  EXPECT_THAT(data.back(), HasSubstr("{\"error\":{\"message\":\"[engine] out of memory\""));
}

TEST_F(Server, KeysAreAskedFor) {
  TestFolder folder;
  const fs::path keys = folder.write("keys", "sk-one\n");
  fs::permissions(keys, fs::perms::owner_read);
  ChatServerOptions options;
  options.keys_file = keys;
  start(options);
  EXPECT_EQ(error(post(""))["type"], "authentication_error");
  EXPECT_EQ(post("", "Hi", {{"Authorization", "Bearer sk-two"}}).status, 401);
  EXPECT_EQ(post("", "Hi", {{"Authorization", "Bearer sk-one"}}).status, 200);
  EXPECT_EQ(http_request({.url = url("/v1/models")}).status, 401);
  EXPECT_EQ(http_request({.url = url("/health")}).status, 200);

  options.key = "sk-three";
  server_.reset();
  start(options);
  EXPECT_EQ(post("", "Hi", {{"Authorization", "Bearer sk-one"}}).status, 200);
  EXPECT_EQ(post("", "Hi", {{"Authorization", "Bearer sk-three"}}).status, 200);
  EXPECT_EQ(post("", "Hi", {{"Authorization", "Bearer sk-two"}}).status, 401);
}

TEST_F(Server, StopDrains) {
  engine_.pause_ms = 50;
  start();
  std::string stream;
  std::thread client([&] { stream = post("\"stream\":true").body; });
  EXPECT_TRUE(eventually([&] { return engine_.running() == 1; }));
  server_->stop(5'000);
  client.join();
  EXPECT_EQ(story(stream), "Hel|lo| world|stop");
}

TEST_F(Server, StopCutsWhatTakesTooLong) {
  engine_.holds = true;
  start();
  RawSocket socket(server_->port());
  socket.send(raw_post("\"stream\":true"));
  socket.receive(": ping");
  server_->stop(20);
  server_.reset();
  EXPECT_EQ(engine_.cancelled, 1);
  EXPECT_THAT(socket.receive_all(), Not(HasSubstr("[DONE]")));
}

TEST_F(Server, ThirtyClientsOfWhichAThirdLeave) {
  engine_.pause_ms = 1;
  engine_.repeats = engine_.context = 10'000'000;  // only leaving ends an answer without max_tokens
  start();
  std::string expected;
  for (int i = 0; i < 20; i++) expected += "Hel|lo| world|";
  expected += "length";
  std::atomic<int> whole = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 30; i++)
    clients.emplace_back([&, i] {
      if (i % 3 == 0) {
        RawSocket socket(server_->port());
        socket.send(raw_post("\"stream\":true"));
        socket.receive("world");
        return;
      }
      whole += story(post("\"stream\":true,\"max_tokens\":60").body) == expected;
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(whole, 20);
  EXPECT_TRUE(eventually([&] { return engine_.running() == 0; }));
  EXPECT_EQ(http_request({.url = url("/health")}).status, 200);
}

}  // namespace
}  // namespace chatmem
