// What is wrong on the wire or in a body is refused, harms nobody, and reaches no engine; the
// server answers as before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "raw_socket.h"
#include "script_server.h"

namespace chatmem {
namespace {

using namespace std::string_literals;

class Refusal : public Server {
 protected:
  // The status line of the first answer; what follows it must be no second answer.
  std::string status(std::string_view bytes) {
    RawSocket socket(server_->port());
    socket.send(bytes);
    const std::string got = socket.receive_all();
    EXPECT_TRUE(socket.closed_by_server()) << bytes.substr(0, 100);
    EXPECT_EQ(got.find("HTTP/1.1 ", 1), got.npos) << got;
    return got.substr(0, 12);
  }
  // As before: healthy, and it answers.
  void expect_well() {
    EXPECT_EQ(engine_.tokens_made, 0) << "nothing of this may reach the engine";
    EXPECT_EQ(get("/health").body, "{\"status\":\"ok\"}");
    EXPECT_EQ(post("").status, 200);
    engine_.tokens_made = 0;
  }
};

const std::string kHead = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n";

TEST_F(Refusal, RequestsThatTwoServersWouldReadInTwoWays) {
  start();
  const std::string hidden = raw_post("");  // what a proxy would not have seen
  const std::string length = "Content-Length: " + std::to_string(hidden.size()) + "\r\n";
  for (const std::string& head : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + hidden,
           "Content-Length: 0\r\n" + length + "\r\n" + hidden,
           "Content-Length: 0, 5\r\n\r\n" + hidden,
           "Content-Length: +5\r\n\r\n" + hidden,
           "Content-Length: 0x5\r\n\r\n" + hidden,
           "Content-Length: 5 5\r\n\r\n" + hidden,
           "Content-Length : 5\r\n\r\n" + hidden,
           " Content-Length: 5\r\n\r\n" + hidden,
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
           "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
           "Transfer-Encoding:\x0b"
           "chunked\r\n\r\n0\r\n\r\n" +
               hidden,
           "X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
           "X: a\r\n folded\r\nContent-Length: 0, 0\r\n\r\n" + hidden,
           "X: a\0b\r\nContent-Length: 5\r\n\r\n"s + hidden,
       })
    EXPECT_EQ(status(kHead + head), "HTTP/1.1 400") << head;
  for (const std::string coding : {"xchunked", "gzip, chunked", "chunked, chunked", "identity"})
    EXPECT_EQ(status(kHead + "Transfer-Encoding: " + coding + "\r\n\r\n0\r\n\r\n" + hidden),
              "HTTP/1.1 501")
        << coding;
  EXPECT_EQ(status("POST /v1/chat/completions HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                   "\r\n" +
                   hidden),
            "HTTP/1.1 400");
  expect_well();
}

TEST_F(Refusal, ChunksThatAreNone) {
  start();
  const std::string hidden = raw_post("");
  for (const std::string chunks :
       {"zz\r\nab\r\n0\r\n\r\n", "-1\r\nab\r\n0\r\n\r\n", "0x2\r\nab\r\n0\r\n\r\n",
        "2\r\nabc\r\n0\r\n\r\n", "2 \r\nabX0\r\n\r\n", "fffffffffffffffff\r\nab\r\n0\r\n\r\n",
        "\r\nab\r\n0\r\n\r\n"})
    EXPECT_EQ(status(kHead + "Transfer-Encoding: chunked\r\n\r\n" + chunks + hidden),
              "HTTP/1.1 400")
        << chunks;
  EXPECT_EQ(status(kHead + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"), "HTTP/1.1 413");
  expect_well();
}

TEST_F(Refusal, TooMuch) {
  ChatServerOptions options;
  options.http.max_body_bytes = 100'000;
  start(options);
  EXPECT_EQ(status(kHead + "X: " + std::string(20'000, 'a') + "\r\n\r\n"), "HTTP/1.1 431");
  std::string many = kHead;
  for (int i = 0; i < 5'000; i++) many += "X" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(status(many + "\r\n"), "HTTP/1.1 431");
  EXPECT_EQ(status("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n"),
            "HTTP/1.1 431");
  EXPECT_EQ(status(kHead + "Content-Length: 100001\r\n\r\n"), "HTTP/1.1 413");
  expect_well();
}

TEST_F(Refusal, BodiesThatAreNoRequests) {
  start();
  std::string deep = "{\"messages\":";
  for (int i = 0; i < 10'000; i++) deep += '[';
  std::string wide = "{";
  for (int i = 0; i < 9'000; i++) wide += "\"k" + std::to_string(i) + "\":0,";
  for (const std::string& text : {std::string(),
                                  std::string("{"),
                                  std::string("null"),
                                  std::string("[]"),
                                  std::string("5"),
                                  std::string("{\"messages\":[]}"),
                                  std::string(body("").substr(0, 20)),
                                  body("", "\xFF\xFE"),
                                  body("", "\xC0\xAF"),
                                  body("", "\xED\xA0\x80"),
                                  body("", "a\x01"),
                                  body("", "\\ud800"),
                                  deep,
                                  deep + std::string(10'000, ']') + "}",
                                  wide + "\"z\":0}",
                                  body("\"temperature\":1e999"),
                                  body("\"max_tokens\":99999999999999999999"),
                                  body("\"n\":-1"),
                                  body("\"n\":129"),
                                  body("\"logprobs\":true,\"top_logprobs\":21"),
                                  body("\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]"),
                                  body("\"seed\":1.5"),
                                  body("\"stream\":\"yes\""),
                                  body("") + "{}",
                                  "\xEF\xBB\xBF{"s}) {
    for (const char* path :
         {"/v1/chat/completions", "/v1/completions", "/summarize", "/tokenize", "/detokenize"}) {
      const HttpResponse response = post_to(path, text);
      EXPECT_EQ(response.status, 400) << path << " " << text.substr(0, 60);
      EXPECT_EQ(error(response)["type"], "invalid_request_error");
    }
  }
  expect_well();
}

TEST_F(Refusal, TooManyMessages) {
  engine_.context = 100'000;
  start();
  std::string messages;
  for (int i = 0; i < 10'001; i++)
    messages += std::string(i == 0 ? "" : ",") + R"({"role":"user","content":"a"})";
  EXPECT_EQ(error(post_to("/v1/chat/completions", "{\"messages\":[" + messages + "]}"))["param"],
            "messages");
  expect_well();
}

// Many clients that send a byte now and then hold nobody up, and end at the time limits.
TEST_F(Refusal, SlowClients) {
  ChatServerOptions options;
  options.http.header_timeout_ms = options.http.body_timeout_ms = 300;
  start(options);
  std::vector<std::unique_ptr<RawSocket>> slow;
  for (int i = 0; i < 100; i++) {
    slow.push_back(std::make_unique<RawSocket>(server_->port()));
    slow.back()->send(i % 2 ? kHead : kHead + "Content-Length: 50\r\n\r\n{");
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(post("").status, 200);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(250));
  engine_.tokens_made = 0;
  int ended = 0;
  for (int round = 0; round < 200 && ended < 100; round++) {
    ended = 0;
    for (const auto& socket : slow) {
      socket->send("a");
      socket->receive("", 2);
      ended += socket->closed_by_server();
    }
  }
  EXPECT_EQ(ended, 100);
  expect_well();
}

TEST_F(Refusal, PipelinedRequestsAreAnsweredInOrderUpToABadOne) {
  start();
  RawSocket socket(server_->port());
  const std::string post_one = raw_post("\"max_tokens\":1");
  socket.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n" + post_one +
              "GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\nBAD\r\n\r\n" + post_one);
  const std::string got = socket.receive_all();
  const size_t health = got.find("\"ok\""), answer = got.find("\"Hel\""),
               models = got.find("\"list\""), bad = got.find("HTTP/1.1 400");
  EXPECT_LT(health, answer);
  EXPECT_LT(answer, models);
  EXPECT_LT(models, bad);
  EXPECT_NE(bad, got.npos);
  EXPECT_EQ(engine_.tokens_made, 1) << "what follows a bad request is not read";
  engine_.tokens_made = 0;
  expect_well();
}

}  // namespace
}  // namespace chatmem
