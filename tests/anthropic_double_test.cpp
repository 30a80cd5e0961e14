// The test double of the Anthropic API, asked through the product's own client.
#include "anthropic_double.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "anthropic_answer.h"
#include "anthropic_script.h"
#include "base/date.h"
#include "base/error.h"
#include "net/http_client.h"
#include "net/sse.h"
#include "raw_socket.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

Json hello(const std::string& text = "Hello") {
  return {{"model", "claude-haiku-5-5"},
          {"max_tokens", 4000},
          {"messages", {{{"role", "user"}, {"content", text}}}}};
}

HttpCall call_of(const AnthropicDouble& server, const std::string& path, const Json& body) {
  return {.method = "POST",
          .url = server.base_url() + path,
          .headers = {{"x-api-key", "k"}, {"anthropic-version", "2026-10-21"}},
          .body = dump_json(body)};
}

HttpResponse post(const AnthropicDouble& server, const Json& body,
                  const std::string& path = "/v1/messages") {
  return http_request(call_of(server, path, body));
}

HttpResponse get(const AnthropicDouble& server, const std::string& path) {
  HttpCall call = call_of(server, path, Json());
  call.method = "GET";
  return http_request(call);
}

Json json_of(const HttpResponse& response) { return parse_json(response.body, "the answer"); }

std::string text_of(const HttpResponse& response) {
  return json_of(response).at("content").back().at("text");
}

std::unique_ptr<AnthropicDouble> serve(const std::string& script = "{}") {
  AnthropicDoubleOptions options;
  options.script = parse_json(script, "the test's script");
  return std::make_unique<AnthropicDouble>(std::move(options));
}

bool eventually(const std::function<bool()>& condition) {
  for (const auto end = Clock::now() + 10s; Clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return condition();
}

const char* const kPrompt =
    "Today's date: 2024-08-20\nConversations: 4 to 5\nSpan: 30 to 60 days\nOther speaker: Sarah\n"
    "\n#Person1#: Can you fix my #Thing# today?\n#Person2#: Call me, #Person1#, tomorrow.\n"
    "#Person1#: I will.\n";

// Of the shape alone: what chatmem makes of it is its own tests' affair.
TEST(AnthropicDouble, AnswersAPromptWithAValidHistory) {
  const auto server = serve();
  Json request = hello(kPrompt);
  request["output_config"]["format"] = {
      {"type", "json_schema"},
      {"schema",
       {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}}}};
  const std::string text = text_of(post(*server, request));
  const Json history = parse_json(text, "the answer");
  EXPECT_EQ(history["today_date"], "2024-08-20");
  const Json& chats = history["conversations"];
  ASSERT_GE(chats.size(), 4u);
  ASSERT_LE(chats.size(), 5u);
  EXPECT_EQ(chats[0]["messages"][0]["content"], "You: Can you fix my something today?");
  EXPECT_EQ(chats[0]["messages"][1]["content"], "Sarah: Call me, you, tomorrow.");
  std::optional<Minute> last;
  for (const Json& chat : chats) {
    for (const Json& message : chat["messages"]) {
      const auto time = parse_minute(message["timestamp"].get<std::string>());
      ASSERT_TRUE(time.has_value()) << message;
      EXPECT_EQ(format_date(date_of(*time)), chat["date"]);
      EXPECT_GE(*time, last.value_or(*time));
      last = time;
    }
    EXPECT_THAT(history["personal_summary"].get<std::string>(),
                HasSubstr(format_long_date(*parse_date(chat["date"].get<std::string>()))));
  }
  EXPECT_LT(date_of(*last), *parse_date("2024-08-20"));
  EXPECT_THAT(text, HasSubstr("As of August 20th, you"));
  EXPECT_EQ(text, text_of(post(*server, request))) << "the same request, the same answer";
  EXPECT_THAT(text_of(post(*server, hello(kPrompt))), StartsWith("[TODAY] 2024-08-20\n"));
}

TEST(AnthropicDouble, StreamsTheSameMessage) {
  const auto server = serve(R"({"thinking": true})");
  Json request = hello(kPrompt);
  const std::string whole = text_of(post(*server, request));
  request["stream"] = true;
  std::string text, stop;
  std::vector<std::string> events;
  SseDecoder decoder([&](const SseEvent& event) {
    if (events.empty() || events.back() != event.event) events.push_back(event.event);
    const Json data = parse_json(event.data, "event");
    EXPECT_EQ(data["type"], event.event);
    if (event.event == "content_block_delta" && data["delta"]["type"] == "text_delta")
      text += data["delta"]["text"].get<std::string>();
    if (event.event == "message_delta") stop = data["delta"]["stop_reason"];
  });
  decoder.feed(post(*server, request).body);
  EXPECT_EQ(text, whole);
  EXPECT_EQ(stop, "end_turn");
  EXPECT_EQ(events.front(), "message_start");
  EXPECT_EQ(events.back(), "message_stop");
}

TEST(AnthropicDouble, RefusesWhatTheApiRefuses) {
  const auto server = serve();
  const auto status = [&](const std::function<void(Json&)>& change) {
    Json body = hello();
    change(body);
    return post(*server, body).status;
  };
  EXPECT_EQ(status([](Json&) {}), 200);
  EXPECT_EQ(status([](Json& b) { b["model"] = "claude-0"; }), 404);
  EXPECT_EQ(status([](Json& b) { b.erase("max_tokens"); }), 400);
  EXPECT_EQ(status([](Json& b) { b["max_tokens"] = 0; }), 400);
  EXPECT_EQ(status([](Json& b) { b["max_tokens"] = 21'334; }), 400);
  EXPECT_EQ(status([](Json& b) { b["max_tokens"] = 21'334, b["stream"] = true; }), 200);
  EXPECT_EQ(status([](Json& b) { b["top_p"] = 0.5; }), 400);
  EXPECT_EQ(status([](Json& b) { b["n"] = 1; }), 400);
  EXPECT_EQ(status([](Json& b) { b["messages"] = "Hello"; }), 400);
  EXPECT_EQ(status([](Json& b) { b["messages"][0]["role"] = "robot"; }), 400);
  EXPECT_EQ(status([](Json& b) { b["messages"][0].erase("content"); }), 400);
  EXPECT_EQ(status([](Json& b) { b["messages"][0]["content"] = Json::array({"x"}); }), 400);
  EXPECT_EQ(status([](Json& b) { b["system"] = {{{"type", "image"}}}; }), 400);
  EXPECT_EQ(status([](Json& b) { b["output_config"]["format"] = {{"type", "json"}}; }), 400);
  HttpCall call = call_of(*server, "/v1/messages", hello());
  call.body = "{\"model\": ";
  EXPECT_EQ(http_request(call).status, 400);
  call.body = std::string((size_t(32) << 20) + 1, ' ');
  EXPECT_EQ(http_request(call).status, 413);
  call.headers = {{"x-api-key", "k"}};
  EXPECT_EQ(http_request(call).status, 400);
  call.headers = {{"anthropic-version", "2023-06-01"}};
  const HttpResponse unauthorized = http_request(call);
  EXPECT_EQ(unauthorized.status, 401);
  EXPECT_EQ(json_of(unauthorized)["error"]["type"], "authentication_error");
  EXPECT_EQ(get(*server, "/v1/nothing").status, 404);
}

TEST(AnthropicDouble, FaultsOfTheTransport) {
  const auto failure = [](const std::string& fault) {
    const auto server = serve(R"({"rules": [{"times": 1, "fault": ")" + fault + "\"}]}");
    std::optional<HttpFailure> found;
    try {
      post(*server, hello());
    } catch (const HttpError& e) {
      found = e.failure();
    }
    EXPECT_TRUE(eventually([&] { return server->ledger()[0].state == LedgerState::broken; }));
    EXPECT_EQ(server->summary().bought, 0);
    EXPECT_EQ(post(*server, hello()).status, 200);
    EXPECT_TRUE(eventually([&] { return server->summary().bought == 1; }));
    EXPECT_EQ(server->summary().bought_again, 0);
    EXPECT_EQ(server->summary().repeats, 1);
    return found;
  };
  EXPECT_EQ(failure("reset"), HttpFailure::broken);
  EXPECT_EQ(failure("reset_mid_body"), HttpFailure::broken);
  EXPECT_EQ(failure("close_mid_body"), HttpFailure::broken);
  const auto server = serve(
      R"({"rules": [{"index": 0, "fault": "stall", "ms": 300},
                    {"index": 1, "fault": "slow", "bytes_per_second": 2000}]})");
  for (int i = 0; i < 2; i++) {
    const auto begin = Clock::now();
    EXPECT_THAT(text_of(post(*server, hello())), HasSubstr("5 bytes"));
    EXPECT_GE(Clock::now() - begin, 250ms) << i;
  }
}

TEST(AnthropicDouble, RulesChooseRequests) {
  const auto server = serve(R"({"rules": [
    {"contains": "poison", "attempt": [0, 1], "fault": "rate_limit", "retry_after": 7},
    {"contains": "poison", "attempt": 2, "fault": "spend_limit"},
    {"contains": "half", "share": 0.5, "seed": 3, "fault": "overloaded"},
    {"on": "count_tokens", "fault": "html"}]})");
  const HttpResponse limited = post(*server, hello("poison"));
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(*find_header(limited.headers, "retry-after"), "7");
  EXPECT_EQ(post(*server, hello("poison")).status, 429);
  const HttpResponse spent = post(*server, hello("poison"));
  EXPECT_EQ(json_of(spent)["error"]["details"]["error_code"], "enforced_spend_limit_reached");
  EXPECT_EQ(find_header(spent.headers, "retry-after"), nullptr);
  EXPECT_EQ(post(*server, hello("poison")).status, 200);
  int overloaded = 0;
  for (int i = 0; i < 100; i++)
    overloaded += post(*server, hello("half " + std::to_string(i))).status == 529;
  EXPECT_GT(overloaded, 30);
  EXPECT_LT(overloaded, 70);
  Json count = hello();
  count.erase("max_tokens");
  EXPECT_THAT(post(*server, count, "/v1/messages/count_tokens").body, HasSubstr("<html>"));
  EXPECT_THROW(AnthropicScript(parse_json(R"({"rules": [{"fault": "none", "x": 1}]})", "s")),
               Error);
  EXPECT_THROW(AnthropicScript(parse_json(R"({"rules": [{"fault": "fire"}]})", "s")), Error);
}

TEST(AnthropicDouble, FaultsOfTheModel) {
  const auto answer = [](const std::string& fault) {
    const auto server = serve(R"({"rules": [{"fault": ")" + fault + "\"}]}");
    return json_of(post(*server, hello(kPrompt)));
  };
  EXPECT_EQ(answer("refusal")["stop_reason"], "refusal");
  EXPECT_EQ(answer("max_tokens")["stop_reason"], "max_tokens");
  EXPECT_TRUE(answer("empty")["content"].empty());
  EXPECT_EQ(answer("thinking")["content"][0]["type"], "thinking");
  const Json plain = answer("none"), cut = answer("truncated_json");
  EXPECT_LT(cut["content"][0]["text"].get<std::string>().size(),
            plain["content"][0]["text"].get<std::string>().size());
  EXPECT_EQ(cut["stop_reason"], "end_turn");
  const std::string wrong = answer("wrong_schema")["content"][0]["text"];
  EXPECT_FALSE(parse_json(wrong, "wrong").contains("today_date"));
  EXPECT_THROW(parse_json(answer("invalid_json")["content"][0]["text"].get<std::string>(), "x"),
               Error);
  EXPECT_THROW(answer("invalid_body"), Error);
  EXPECT_THROW(answer("truncated_body"), Error);
}

TEST(AnthropicDouble, RateLimitsAreTokenBuckets) {
  const auto server = serve(R"({"limits": {"requests": 3, "output_tokens": 100000}})");
  for (int left = 2; left >= 0; left--) {
    const HttpResponse response = post(*server, hello());
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(*find_header(response.headers, "anthropic-ratelimit-requests-remaining"),
              std::to_string(left));
  }
  const HttpResponse refused = post(*server, hello());
  EXPECT_EQ(refused.status, 429);
  const int wait = std::stoi(*find_header(refused.headers, "retry-after"));
  EXPECT_GE(wait, 1);
  EXPECT_LE(wait, 20);
}

TEST(AnthropicDouble, ManyRequestsWaitWithoutThreads) {
  const auto server = serve(R"({"latency_ms": 300})");
  constexpr int kThreads = 8, kRequests = 64;
  std::vector<std::unique_ptr<RawSocket>> sockets;
  const std::string body = dump_json(hello());
  const std::string request =
      "POST /v1/messages HTTP/1.1\r\nHost: a\r\nx-api-key: k\r\nanthropic-version: 2023-06-01\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body;
  for (int i = 0; i < kRequests; i++) {
    sockets.push_back(std::make_unique<RawSocket>(server->port()));
    sockets.back()->send(request);
  }
  for (auto& socket : sockets) EXPECT_THAT(socket->receive("\"speed\""), HasSubstr(" 200 "));
  EXPECT_GT(server->summary().max_in_flight, kThreads);
  EXPECT_TRUE(eventually([&] { return server->summary().bought == kRequests; }));
  EXPECT_EQ(server->summary().bought_again, kRequests - 1);
}

TEST(AnthropicDouble, TheLedgerTellsWhatWasReceived) {
  const TestFolder folder;
  AnthropicDoubleOptions options;
  options.ledger = folder.path() / "ledger.jsonl";
  options.answer = [](const Json&) { return "an answer"; };
  const AnthropicDouble server(std::move(options));
  const std::string body = dump_json(hello());
  {
    RawSocket socket(server.port());
    socket.send(
        "POST /v1/messages HTTP/1.1\r\nHost: a\r\nx-api-key: k\r\nanthropic-version: 2023-06-01\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_TRUE(eventually([&] { return server.summary().bought == 1; }));
  }  // gone without having read it: the answer was not received
  EXPECT_TRUE(eventually([&] { return server.summary().bought == 0; }));
  post(server, hello());
  post(server, hello());
  EXPECT_TRUE(eventually([&] { return server.summary().bought == 2; }));
  EXPECT_EQ(server.summary().bought_again, 1);
  EXPECT_EQ(server.summary().lost, 1);
  std::vector<std::string> events;
  for_each_json_line(folder.path() / "ledger.jsonl",
                     [&](Json& row, size_t) { events.push_back(row["event"]); });
  EXPECT_EQ(events, (std::vector<std::string>{"request", "sent", "broken", "request", "sent",
                                              "request", "sent"}));
}

TEST(AnthropicDouble, BatchesEndAfterPolls) {
  const auto server = serve(R"({"batches": {"polls": 2}, "rules": [
    {"on": "batch_item", "contains": "bad", "attempt": 0, "fault": "errored"}]})");
  const auto create = [&](const std::vector<std::string>& texts) {
    Json requests = Json::array();
    for (const std::string& text : texts)
      requests.push_back({{"custom_id", "id-" + text}, {"params", hello(text)}});
    return json_of(post(*server, {{"requests", requests}}, "/v1/messages/batches"))["id"]
        .get<std::string>();
  };
  const std::string path = "/v1/messages/batches/" + create({"good", "bad"});
  EXPECT_EQ(get(*server, path + "/results").status, 404);
  EXPECT_EQ(json_of(get(*server, path))["processing_status"], "in_progress");
  const Json ended = json_of(get(*server, path));
  EXPECT_EQ(ended["processing_status"], "ended");
  EXPECT_EQ(ended["request_counts"]["errored"], 1);
  EXPECT_EQ(ended["results_url"], server->base_url() + path + "/results");
  const std::string results = get(*server, path + "/results").body;
  EXPECT_THAT(results, HasSubstr("\"succeeded\""));
  EXPECT_EQ(std::count(results.begin(), results.end(), '\n'), 2);
  create({"bad"});
  EXPECT_EQ(server->summary().batch_items_again, 0) << "the one that failed was not paid";
  create({"good"});
  EXPECT_EQ(server->summary().batch_items_again, 1);
  EXPECT_EQ(server->summary().batches, 3);
}

}  // namespace
}  // namespace chatmem
