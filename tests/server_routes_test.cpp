// Everything of the server but chat completions: completions, summaries, tokens, metrics, the log,
// deadlines, adapters, pages of other places, the page of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "raw_socket.h"
#include "script_server.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// What the server logs, a line for each request that has ended.
struct RequestLog {
  std::function<void(std::string_view)> writer() {
    return [this](std::string_view line) {
      const std::lock_guard lock(mutex);
      lines.push_back(parse_json(line, "log"));
    };
  }
  // Waits for so many lines and returns the last.
  Json line(size_t n) {
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex);
      return lines.size() >= n;
    }));
    const std::lock_guard lock(mutex);
    return lines.empty() ? Json() : lines.back();
  }
  std::mutex mutex;
  std::vector<Json> lines;
};

TEST_F(Server, CompletionsOfTextAsItIs) {
  start();
  const HttpResponse whole =
      post_to("/v1/completions", R"({"prompt":"<s>[INST] Hi [/INST]","max_tokens":2})");
  ASSERT_EQ(whole.status, 200) << whole.body;
  const Json json = parse_json(whole.body, "body");
  EXPECT_EQ(json["object"], "text_completion");
  EXPECT_TRUE(json["id"].get<std::string>().starts_with("cmpl-"));
  EXPECT_EQ(json["choices"][0]["text"], "Hello");
  EXPECT_EQ(json["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(json["usage"]["prompt_tokens"], 21);
  const std::vector<int> prompt = engine_.last_request().prompt;
  EXPECT_EQ(std::string(prompt.begin(), prompt.end()), "\1<s>[INST] Hi [/INST]") << "after bos";

  std::string text, reason;
  const std::string stream =
      post_to("/v1/completions", R"({"prompt":[72,105],"stream":true,"stop":"wor"})").body;
  for (const std::string& event : events(stream)) {
    if (event == "[DONE]") continue;
    const Json choice = parse_json(event, "chunk")["choices"][0];
    EXPECT_FALSE(choice.contains("delta"));
    text += choice["text"].get<std::string>() + "|";
    if (!choice["finish_reason"].is_null()) reason = choice["finish_reason"];
  }
  EXPECT_EQ(text, "Hel|lo| ||");
  EXPECT_EQ(reason, "stop");
  EXPECT_THAT(engine_.last_request().prompt, ElementsAre(72, 105));
}

TEST_F(Server, CompletionsEchoTheirPrompt) {
  start();
  const std::string fields = R"({"prompt":"Hi","echo":true,"logprobs":1,"max_tokens":1)";
  const Json choice =
      parse_json(post_to("/v1/completions", fields + "}").body, "body")["choices"][0];
  EXPECT_EQ(choice["text"], "HiHel");
  EXPECT_EQ(choice["logprobs"]["tokens"], Json({"H", "i", "Hel"}));
  EXPECT_EQ(choice["logprobs"]["token_logprobs"], Json({nullptr, nullptr, -0.5}));
  EXPECT_EQ(choice["logprobs"]["text_offset"], Json({0, 1, 2}));
  const std::vector<std::string> data =
      events(post_to("/v1/completions", fields + R"(,"stream":true,"n":2})").body);
  int echoes = 0;
  for (const std::string& event : data)
    if (event != "[DONE]") echoes += parse_json(event, "chunk")["choices"][0]["text"] == "Hi";
  EXPECT_EQ(echoes, 2);
  EXPECT_EQ(
      parse_json(post_to("/v1/completions", R"({"prompt":"a","max_tokens":0,"echo":true})").body,
                 "body")["choices"][0]["text"],
      "a");
}

TEST_F(Server, SummariesOfPastedChats) {
  engine_.context = 10'000;
  start();
  const std::string chat = R"({"chat":"2024-05-01 09:00 | You: old\n2024-05-04 09:00 | Ana: new")";
  const HttpResponse whole =
      post_to("/summarize", chat + R"(,"from":"2024-05-02","as_of":"2024-06-01"})");
  ASSERT_EQ(whole.status, 200) << whole.body;
  EXPECT_EQ(parse_json(whole.body, "body")["choices"][0]["message"]["content"], "Hello world");
  const std::vector<int> tokens = engine_.last_request().prompt;
  EXPECT_THAT(std::string(tokens.begin(), tokens.end()),
              AllOf(HasSubstr("[START DATE]\n2024-05-04\n[CHAT MESSAGES]\n2024-05-04 09:00 | Ana: "
                              "new\n[END DATE]\n2024-05-04\n[AS OF]\n2024-06-01"),
                    Not(HasSubstr("old"))));
  EXPECT_EQ(engine_.last_request().sampling.temperature, 0);
  EXPECT_EQ(story(post_to("/summarize", chat + R"(,"stream":true})").body), "Hel|lo| world|stop");
  const HttpResponse none = post_to("/summarize", chat + R"(,"from":"2025-01-01"})");
  EXPECT_EQ(none.status, 400);
  EXPECT_THAT(error(none)["message"].get<std::string>(),
              HasSubstr("from 2024-05-01 to 2024-05-04"));
}

TEST_F(Server, TokensAndBack) {
  start();
  const auto tokens = [&](const std::string& body) {
    return parse_json(post_to("/tokenize", body).body, "body").dump();
  };
  EXPECT_EQ(tokens(R"({"content":"Hi"})"), R"({"tokens":[72,105]})");
  EXPECT_EQ(tokens(R"({"content":"H","add_special":true,"with_pieces":true})"),
            R"({"tokens":[{"id":1,"piece":"lo"},{"id":72,"piece":"H"}]})");
  EXPECT_EQ(tokens("{" + body("").substr(1)), R"({"tokens":[72,105]})");
  EXPECT_EQ(error(post_to("/tokenize", "{}"))["param"], "content");
  EXPECT_EQ(post_to("/detokenize", R"({"tokens":[72,0,2]})").body, R"({"content":"HHel world"})");
  EXPECT_EQ(error(post_to("/detokenize", R"({"tokens":[128]})"))["param"], "tokens");
  EXPECT_EQ(error(post_to("/detokenize", R"({"tokens":"a"})"))["param"], "tokens");
}

TEST_F(Server, MetricsCountWhatWasAnswered) {
  start({}, false);
  EXPECT_THAT(get("/metrics").body, HasSubstr("chatmem_ready 0"));
  set_model();
  post("");
  post("\"n\":0");
  get("/nowhere");
  RawSocket(server_->port()).send("nonsense\r\n\r\n");
  const auto has = [&](const std::string& line) {
    return eventually([&] { return get("/metrics").body.find(line + "\n") != std::string::npos; });
  };
  EXPECT_TRUE(has("chatmem_requests_total{route=\"/v1/chat/completions\",status=\"200\"} 1"));
  EXPECT_TRUE(has("chatmem_requests_total{route=\"/v1/chat/completions\",status=\"400\"} 1"));
  EXPECT_TRUE(has("chatmem_requests_total{route=\"other\",status=\"404\"} 1"));
  EXPECT_TRUE(has("chatmem_requests_total{route=\"other\",status=\"400\"} 1"));
  EXPECT_TRUE(has("chatmem_time_to_first_token_seconds_count 1"));
  EXPECT_TRUE(has("chatmem_prompt_tokens_total 2"));
  EXPECT_TRUE(has("chatmem_prompt_tokens_cached_total 1"));
  EXPECT_TRUE(has("chatmem_requests_waiting 2"));
}

TEST_F(Server, ADeadlineIsA504OrAnErrorInTheStream) {
  engine_.holds = true;
  RequestLog log;
  ChatServerOptions options;
  options.deadline_ms = 30;
  options.log_request = log.writer();
  start(options);
  const HttpResponse whole = post("");
  EXPECT_EQ(whole.status, 504);
  EXPECT_EQ(error(whole)["code"], "deadline_exceeded");
  const std::vector<std::string> data = events(post("\"stream\":true").body);
  EXPECT_EQ(parse_json(data.back(), "event")["error"]["code"], "deadline_exceeded");
  EXPECT_EQ(log.line(2)["status"], 504);
  EXPECT_THAT(get("/metrics").body, HasSubstr("{route=\"/v1/chat/completions\",status=\"504\"} 2"));
}

TEST_F(Server, EveryRequestIsALineOfTheLogWithoutItsText) {
  RequestLog log;
  ChatServerOptions options;
  options.log_request = log.writer();
  start(options);
  const HttpResponse answer = post("\"stream\":true,\"model\":\"any\"", "secret");
  const Json line = log.line(1);
  EXPECT_EQ(line["id"], *find_header(answer.headers, "x-request-id"));
  EXPECT_EQ(line["route"], "/v1/chat/completions");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["model"], "tiny");
  EXPECT_EQ(line["stream"], true);
  EXPECT_EQ(line["prompt_tokens"], 6);
  EXPECT_EQ(line["completion_tokens"], 3);
  EXPECT_EQ(line["finish"], "stop");
  EXPECT_LE(line["queue_ms"], line["ttft_ms"]);
  EXPECT_LE(line["ttft_ms"], line["total_ms"]);
  EXPECT_THAT(line.dump(), AllOf(Not(HasSubstr("secret")), Not(HasSubstr("Hello"))));
  post("\"temperature\":9", "secret");
  EXPECT_EQ(log.line(2)["status"], 400);
  EXPECT_THAT(log.line(2)["error"].get<std::string>(), HasSubstr("temperature"));
  get("/health");
  RawSocket(server_->port()).send("GET / HTTP/9\r\n\r\n");
  EXPECT_EQ(log.line(3)["status"], 505) << "that /health is good is no news";
}

TEST_F(Server, TextIsLoggedWhenAsked) {
  RequestLog log;
  ChatServerOptions options;
  options.log_request = log.writer();
  options.log_content = true;
  start(options);
  for (size_t i = 1; const char* fields : {"", "\"stream\":true"}) {
    post(fields, "secret");
    const Json line = log.line(i++);
    EXPECT_THAT(line["question"].get<std::string>(), HasSubstr("secret"));
    EXPECT_EQ(line["answer"], "Hello world");
  }
}

TEST_F(Server, AClientThatLeavesIsLogged) {
  engine_.holds = true;
  RequestLog log;
  ChatServerOptions options;
  options.log_request = log.writer();
  start(options);
  RawSocket socket(server_->port());
  socket.send(raw_post("\"stream\":true"));
  EXPECT_TRUE(eventually([&] { return engine_.running() == 1; }));
  socket.close();
  EXPECT_EQ(log.line(1)["status"], 499);
  engine_.holds = false;
  engine_.pause_ms = 2;
  engine_.repeats = engine_.context = 100'000;
  RawSocket reader(server_->port());
  reader.send(raw_post("\"stream\":true"));
  reader.receive("world");
  reader.close();
  EXPECT_EQ(log.line(2)["status"], 499);
}

TEST_F(Server, TheModelOfARequestChoosesTheAdapter) {
  names_ = {{"tiny", -1}, {"recaps", 0}, {"letters", 1}};
  start();
  EXPECT_EQ(post("").status, 200);
  EXPECT_EQ(engine_.last_request().adapter, -1);
  const Json answer = parse_json(post("\"model\":\"letters\"").body, "body");
  EXPECT_EQ(answer["model"], "letters");
  EXPECT_EQ(engine_.last_request().adapter, 1);
  post_to("/v1/completions", R"({"prompt":"a","model":"recaps"})");
  EXPECT_EQ(engine_.last_request().adapter, 0);
  const HttpResponse other = post("\"model\":\"other\"");
  EXPECT_EQ(other.status, 404);
  EXPECT_EQ(error(other)["code"], "model_not_found");
  std::vector<std::string> listed;
  const Json list = parse_json(get("/v1/models").body, "body");
  for (const Json& one : list["data"]) listed.push_back(one["id"]);
  EXPECT_THAT(listed, ElementsAre("tiny", "recaps", "letters"));
  EXPECT_EQ(get("/v1/models/recaps").status, 200);
}

TEST_F(Server, ProgressIsToldWhenAsked) {
  start();
  const auto progress = [&](const std::string& fields) {
    Json found;
    for (const std::string& event : events(post("\"stream\":true" + fields, "Hello").body))
      if (event.find("prompt_progress") != event.npos)
        found = parse_json(event, "chunk")["prompt_progress"];
    return found.dump();
  };
  EXPECT_EQ(progress(",\"return_progress\":true"), R"({"total":5,"cache":1,"processed":4})");
  EXPECT_EQ(progress(""), "null");
}

TEST_F(Server, PagesOfOtherPlacesAreRefusedUnlessNamed) {
  start();
  const HttpHeaders page = {{"Origin", "https://app.example"}};
  const HttpResponse refused = post("", "Hi", page);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(find_header(refused.headers, "access-control-allow-origin"), nullptr);
  EXPECT_EQ(engine_.tokens_made, 0);
  EXPECT_EQ(post("", "Hi", {{"Origin", url("")}}).status, 200) << "the server's own page";

  ChatServerOptions options;
  options.cors_origins = {"https://app.example"};
  server_.reset();
  start(options);
  const HttpResponse answer = post("\"stream\":true", "Hi", page);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(*find_header(answer.headers, "access-control-allow-origin"), "https://app.example");
  HttpHeaders asks = page;
  asks.push_back({"Access-Control-Request-Method", "POST"});
  asks.push_back({"Access-Control-Request-Headers", "authorization,content-type"});
  const HttpResponse before =
      http_request({.method = "OPTIONS", .url = url("/v1/chat/completions"), .headers = asks});
  EXPECT_EQ(before.status, 204);
  EXPECT_EQ(*find_header(before.headers, "access-control-allow-headers"),
            "authorization,content-type");
  EXPECT_EQ(post("", "Hi", {{"Origin", "https://other.example"}}).status, 403);
}

TEST_F(Server, ItsPageAsksNobodyElse) {
  TestFolder folder;
  const fs::path keys = folder.write("keys", "sk-one\n");
  fs::permissions(keys, fs::perms::owner_read);
  ChatServerOptions options;
  options.keys_file = keys;
  start(options, false);
  const HttpResponse page = get("/");
  ASSERT_EQ(page.status, 200) << "without a key, and while the model loads";
  EXPECT_THAT(page.body, AllOf(HasSubstr("</html>"), Not(HasSubstr("http://")),
                               Not(HasSubstr("https://")), Not(HasSubstr("__NONCE__"))));
  const std::string policy = *find_header(page.headers, "content-security-policy");
  EXPECT_THAT(policy, AllOf(HasSubstr("default-src 'none'"), Not(HasSubstr("unsafe"))));
  const size_t at = page.body.find("<script nonce=\"") + 15;
  const std::string nonce = page.body.substr(at, page.body.find('"', at) - at);
  EXPECT_EQ(nonce.size(), 32u);
  EXPECT_THAT(policy, HasSubstr("'nonce-" + nonce + "'"));
  EXPECT_THAT(get("/").body, Not(HasSubstr(nonce)));
  EXPECT_EQ(post_to("/summarize", "{}").status, 401);
}

}  // namespace
}  // namespace chatmem
