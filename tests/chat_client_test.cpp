// The client against a real server that answers by script, faults included.
#include "llm/chat_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "net/http_server.h"
#include "net/sse.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string delta(std::string_view content) {  // content is raw JSON string text
  return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + std::string(content) +
         "\"},\"finish_reason\":null}]}\n\n";
}
const std::string kRole =
    "data: "
    "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":null}\n\n";
const std::string kFinish =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const std::string kUsage =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n";

struct Answer {
  int status = 200;
  HttpHeaders headers = {{"content-type", "text/event-stream"}};
  std::vector<std::string> pieces;
  bool reset = false;  // the connection breaks after the pieces
  int pause_ms = 0;    // between the pieces
};

class Client : public ::testing::Test {
 protected:
  Client() {
    std::vector<HttpRoute> routes;
    const auto by_script = [this](HttpRequest request, std::unique_ptr<ResponseStream> stream) {
      play(std::move(request), std::move(stream));
    };
    routes.push_back({"POST", "/v1/chat/completions", by_script});
    routes.push_back({"POST", "/v1/completions", by_script});
    routes.push_back({"GET", "/v1/models", by_script});
    server_ = std::make_unique<HttpServer>(HttpServerOptions{}, std::move(routes));
    endpoint_.base_url = "http://127.0.0.1:" + std::to_string(server_->port());
    endpoint_.api_key = "sk-secret";
  }
  ~Client() override {
    for (std::thread& thread : threads_) thread.join();
  }
  // The last answer of the script is given again and again.
  void play(HttpRequest request, std::unique_ptr<ResponseStream> stream) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    const Answer answer = script_.at(std::min(requests_.size(), script_.size()) - 1);
    threads_.emplace_back([answer, s = std::move(stream)] {
      s->start(answer.status, answer.headers);
      for (const std::string& piece : answer.pieces) {
        s->write(piece);
        std::this_thread::sleep_for(std::chrono::milliseconds(answer.pause_ms));
      }
      if (!answer.reset) s->end();
    });
  }
  ChatResult ask() {
    return ChatClient(endpoint_).stream(
        {.model = "m", .messages = {{"user", "Hello"}}, .max_tokens = 5, .stop = {"x"}},
        [this](std::string_view piece) { pieces_.emplace_back(piece); });
  }
  std::string error() {
    try {
      ask();
    } catch (const ChatError& e) {
      EXPECT_THAT(e.what() + e.hint(), Not(HasSubstr("secret")));
      raw_ = e.raw();
      return "(" + std::string(chat_fault_name(e.fault())) + ") " + e.what();
    }
    return "no error";
  }

  ChatEndpoint endpoint_;
  std::string raw_;  // of the last error
  std::vector<Answer> script_;
  std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::vector<std::string> pieces_;
  std::vector<std::thread> threads_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Client, StreamsAndSaysWhatItWants) {
  script_ = {{.pieces = {": ping\n\n", kRole, delta("Hel"), delta("lo"), kFinish, kUsage,
                         std::string(kSseDone)}}};
  const ChatResult result = ask();
  EXPECT_EQ(result.text, "Hello");
  EXPECT_THAT(pieces_, ElementsAre("Hel", "lo"));
  EXPECT_EQ(result.finish_reason, "stop");
  EXPECT_EQ(result.prompt_tokens, 9);
  EXPECT_EQ(result.completion_tokens, 2);
  EXPECT_GT(result.ttft_ms, 0);
  EXPECT_GE(result.total_ms, result.ttft_ms);
  EXPECT_THAT(result.raw, HasSubstr(": ping"));
  const Json body = parse_json(requests_[0].body, "body");
  EXPECT_EQ(body["messages"][0]["content"], "Hello");
  EXPECT_EQ(body["stream"], true);
  EXPECT_EQ(body["stream_options"]["include_usage"], true);
  EXPECT_EQ(body["max_tokens"], 5);
  EXPECT_FALSE(body.contains("temperature"));
  EXPECT_EQ(*find_header(requests_[0].headers, "authorization"), "Bearer sk-secret");
}

TEST_F(Client, CharactersSplitOverEventsAreJoined) {
  script_ = {{.pieces = {delta("a\xF0\x9F"), delta("\x98\x80"), delta("\xC3"), delta("z"),
                         delta("\\ud83d\\ude00\xF4\x8F\xBF\xBD"), delta("\xE2\x82"), kFinish}}};
  EXPECT_EQ(ask().text,
            "a\xF0\x9F\x98\x80\xEF\xBF\xBDz\xF0\x9F\x98\x80\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  for (const std::string& piece : pieces_) EXPECT_FALSE(piece.empty());
}

TEST_F(Client, RetriesBeforeTheFirstText) {
  script_ = {{.status = 429,
              .headers = {{"retry-after", "0"}},
              .pieces = {"{\"error\":{\"message\":\"busy\"}}"}},
             {.pieces = {kRole}, .reset = true},
             {.pieces = {delta("ok"), kFinish}}};
  EXPECT_EQ(ask().text, "ok");
  EXPECT_EQ(requests_.size(), 3u);
}

TEST_F(Client, GivesUpAfterItsRetriesWithTheServersMessage) {
  endpoint_.max_retries = 1;
  script_ = {
      {.status = 500, .headers = {{"retry-after", "0"}}, .pieces = {"{\"message\":\"flat\"}"}}};
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("(refused)"), HasSubstr("status 500: flat")));
  EXPECT_EQ(raw_, "{\"message\":\"flat\"}");
  EXPECT_EQ(requests_.size(), 2u);
}

TEST_F(Client, DoesNotRetryWhatCannotSucceed) {
  script_ = {{.status = 400, .pieces = {"{\"error\":{\"message\":\"too long\"}}"}}};
  EXPECT_THAT(error(), HasSubstr("status 400: too long"));
  script_ = {{.status = 429, .headers = {{"retry-after", "3600"}}, .pieces = {"<html>slow down"}}};
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("<html>slow down"), HasSubstr("wait 3600 s")));
  EXPECT_EQ(requests_.size(), 2u);
}

TEST_F(Client, FaultsWithinTheStreamAreErrors) {
  script_ = {{.pieces = {delta("half")}, .reset = true}};
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("(broken)"), HasSubstr("broke")));
  const size_t before = requests_.size();  // the reset may come before the text, and is tried again
  script_ = {{.pieces = {delta("half")}}};
  EXPECT_THAT(error(), HasSubstr("(cut_off)"));
  EXPECT_EQ(raw_, delta("half"));
  script_ = {{.pieces = {delta("half"), "data: {\"error\":{\"message\":\"out of cards\"}}\n\n"}}};
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("(failed)"), HasSubstr("out of cards")));
  script_ = {{.pieces = {"event: error\ndata: {\"message\":\"flat\"}\n\n"}}};
  EXPECT_THAT(error(), HasSubstr("flat"));
  script_ = {{.pieces = {"data: {\"choices\": garbage " + std::string(999, 'x') + "\n\n"}}};
  EXPECT_THAT(error(),
              testing::AllOf(HasSubstr("(garbage)"), HasSubstr("garbage xxx"), HasSubstr("...")));
  script_ = {{.pieces = {"data: {\"hello\":1}\n\n"}}};
  EXPECT_THAT(error(), HasSubstr("must have choices"));
  script_ = {{.pieces = {"data: {\"choices\":[{\"delta\":\"no\"}],\"usage\":7}\n\n", kFinish}}};
  EXPECT_EQ(ask().text, "");
  EXPECT_EQ(requests_.size(), before + 6);  // none was tried again
}

TEST_F(Client, WhatIsNoStreamIsShown) {
  script_ = {{.headers = {{"content-type", "text/html"}}, .pieces = {"<html>", "busy</html>"}}};
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("(garbage)"), HasSubstr("<html>busy</html>")));
  script_ = {{.pieces = {std::string("\x01\xFF\x00\xFE", 4), "\n\n"}}};
  EXPECT_THAT(error(), HasSubstr("(garbage)"));
  EXPECT_EQ(raw_, std::string("\x01\xFF\x00\xFE\n\n", 6));
  for (const char* begun : {": ping\n\n", "data: {\"choi", "da"}) {
    script_ = {{.pieces = {begun}}};
    EXPECT_THAT(error(), HasSubstr("(cut_off)")) << begun;
  }
}

TEST_F(Client, GoesOnFromPlainText) {
  script_ = {
      {.pieces = {"data: {\"choices\":[{\"text\":\"on \"}]}\n\n",
                  "data: {\"choices\":[{\"text\":\"and on\",\"finish_reason\":\"length\"}]}\n\n",
                  kUsage}}};
  const ChatResult result = ChatClient(endpoint_).stream({.model = "m", .prompt = "Go"});
  EXPECT_EQ(result.text, "on and on");
  EXPECT_EQ(result.finish_reason, "length");
  EXPECT_EQ(requests_[0].path, "/v1/completions");
  const Json body = parse_json(requests_[0].body, "body");
  EXPECT_EQ(body["prompt"], "Go");
  EXPECT_FALSE(body.contains("messages"));
}

TEST_F(Client, TakesAnAnswerThatIsNotAStream) {
  script_ = {{.headers = {{"content-type", "application/json; charset=utf-8"}},
              .pieces = {"{\"choices\":[{\"message\":{\"content\":\"wh", "ole\"},",
                         "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":3}}"}}};
  const ChatResult result = ask();
  EXPECT_EQ(result.text, "whole");
  EXPECT_EQ(result.finish_reason, "length");
  EXPECT_EQ(result.prompt_tokens, 3);
}

TEST_F(Client, SlowStreamsAreWaitedForAndSilenceIsNot) {
  endpoint_.idle_timeout_ms = 1'000;
  endpoint_.max_retries = 0;
  script_ = {{.pieces = {delta("a"), delta("b"), delta("c"), kFinish}, .pause_ms = 400}};
  EXPECT_EQ(ask().text, "abc");
  script_ = {{.pieces = {delta("a"), delta("b")}, .pause_ms = 2'500}};
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("(stalled)"), HasSubstr("no byte came for 1.0 s")));
}

TEST_F(Client, RefusedConnectionsAndBadEndpoints) {
  endpoint_.max_retries = 0;
  endpoint_.base_url =
      "http://127.0.0.1:" + std::to_string(HttpServer(HttpServerOptions{}, {}).port());
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("(unreachable)"), HasSubstr("no connection")));
  EXPECT_THROW(ChatClient({.base_url = "127.0.0.1:80"}), Error);
  EXPECT_THROW(ChatClient({.base_url = "http://x", .api_key = "a\nb"}), Error);
}

TEST_F(Client, FirstModel) {
  script_ = {{.headers = {}, .pieces = {"{\"object\":\"list\",\"data\":[{\"id\":\"llama\"}]}"}},
             {.headers = {}, .pieces = {"{\"data\":[]}"}}};
  EXPECT_EQ(ChatClient(endpoint_).first_model(), "llama");
  EXPECT_THROW(ChatClient(endpoint_).first_model(), Error);
}

TEST_F(Client, AnErrorOfTheCallerIsThrownOn) {
  script_ = {{.pieces = {delta("a"), kFinish}}};
  EXPECT_THROW(ChatClient(endpoint_).stream({.model = "m"},
                                            [](std::string_view) { throw Error("[test] full"); }),
               Error);
  EXPECT_EQ(requests_.size(), 1u);
}

}  // namespace
}  // namespace chatmem
