#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "raw_socket.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = 5s) {
  for (const auto end = Clock::now() + limit; Clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return condition();
}

// Echoes, streams for ever until the client leaves, and hands out streams to the test.
class Http : public ::testing::Test {
 protected:
  void start(HttpServerOptions options = {}) {
    options.log = [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      log_ += line;
    };
    std::vector<HttpRoute> routes;
    routes.push_back({"POST", "/echo", [](HttpRequest request, auto stream) {
                        stream->respond(200, {{"content-type", "text/plain"}}, request.body);
                      }});
    routes.push_back({"GET", "/hello/*", [](HttpRequest request, auto stream) {
                        stream->respond(200, {}, request.path.substr(7) + "?" + request.query);
                      }});
    routes.push_back({"GET", "/held", [this](HttpRequest, auto stream) {
                        const std::lock_guard lock(mutex_);
                        held_ = std::move(stream);
                      }});
    routes.push_back({"GET", "/throws", [](HttpRequest, auto) { throw Error("[test] broken"); }});
    routes.push_back({"GET", "/count", [this](HttpRequest, auto stream) {
                        const std::lock_guard lock(mutex_);
                        threads_.emplace_back([s = std::move(stream)] {
                          s->start(200, {});
                          for (int i = 0; i < 100; i++) s->write(std::to_string(i) + ";");
                          s->end();
                        });
                      }});
    server_ = std::make_unique<HttpServer>(options, std::move(routes));
  }
  void TearDown() override {
    for (std::thread& thread : threads_) thread.join();
    held_.reset();
    server_.reset();
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  ResponseStream& held() {
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex_);
      return held_ != nullptr;
    }));
    return *held_;
  }
  // Destroys the stream that is held.
  void take_held() {
    std::unique_ptr<ResponseStream> taken;
    const std::lock_guard lock(mutex_);
    taken = std::move(held_);
  }
  // The whole answer to bytes after which the server closes.
  std::string answer(std::string_view bytes) {
    RawSocket socket(server_->port());
    socket.send(bytes);
    const std::string got = socket.receive_all();
    EXPECT_TRUE(socket.closed_by_server()) << bytes.substr(0, 80);
    return got;
  }

  std::mutex mutex_;
  std::string log_;
  std::unique_ptr<ResponseStream> held_;
  std::vector<std::thread> threads_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Http, AnswersAndRoutes) {
  start();
  const HttpResponse echo =
      http_request({.method = "POST", .url = url("/echo"), .body = std::string(300'000, 'x')});
  EXPECT_EQ(echo.status, 200);
  EXPECT_EQ(echo.body, std::string(300'000, 'x'));
  EXPECT_EQ(*find_header(echo.headers, "Content-Type"), "text/plain");
  EXPECT_THAT(*find_header(echo.headers, "x-request-id"), StartsWith("req_"));
  EXPECT_NE(find_header(echo.headers, "date"), nullptr);
  EXPECT_EQ(http_request({.url = url("/hello/a/b?c=d")}).body, "a/b?c=d");
  EXPECT_EQ(http_request({.url = url("/hello/")}).status, 404);

  const HttpResponse head = http_request({.method = "HEAD", .url = url("/hello/you")});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(*find_header(head.headers, "content-length"), "4");
  const HttpResponse wrong = http_request({.url = url("/echo")});
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(*find_header(wrong.headers, "allow"), "POST, OPTIONS");
  EXPECT_EQ(http_request({.method = "OPTIONS", .url = url("/echo")}).status, 204);
  const HttpResponse none = http_request({.url = url("/none")});
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(parse_json(none.body, "body")["error"]["type"], "not_found_error");
}

TEST_F(Http, AHandlerThatThrowsIsAnsweredAndLogged) {
  start();
  EXPECT_EQ(http_request({.url = url("/throws")}).status, 500);
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(log_, HasSubstr("broken"));
}

TEST_F(Http, StreamsFromAnotherThread) {
  start();
  std::string expected, got;
  for (int i = 0; i < 100; i++) expected += std::to_string(i) + ";";
  const HttpResponse response = http_request(
      {.url = url("/count"), .on_body = [&](const HttpResponse& head, std::string_view bytes) {
         EXPECT_EQ(head.status, 200);
         got += bytes;
         return true;
       }});
  EXPECT_EQ(got, expected);
  EXPECT_EQ(response.body, "");
}

TEST_F(Http, HeadersAreSentAtOnceAndSilenceIsFilled) {
  start();
  RawSocket socket(server_->port());
  socket.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held().start(200, {{"content-type", "text/event-stream"}});
  EXPECT_THAT(socket.receive("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  held_->keep_alive(": ping\n\n", 20);
  EXPECT_EQ(socket.receive("ping\n\n\r\n"), "8\r\n: ping\n\n\r\n");
  EXPECT_TRUE(held_->write("abc"));
  EXPECT_THAT(socket.receive("abc"), HasSubstr("3\r\nabc"));
  held_->end();
  EXPECT_THAT(socket.receive("0\r\n\r\n"), HasSubstr("0\r\n\r\n"));
}

TEST_F(Http, AClientThatLeavesIsNoticedWithoutAWrite) {
  start();
  auto socket = std::make_unique<RawSocket>(server_->port());
  socket->send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held().start(200, {});
  socket->receive("\r\n\r\n");
  EXPECT_FALSE(held_->client_gone());
  socket.reset();
  EXPECT_TRUE(eventually([&] { return held_->client_gone(); }));
  EXPECT_FALSE(held_->write("x"));
}

TEST_F(Http, AStreamGivenUpIsCutOrAnswered) {
  start();
  RawSocket unanswered(server_->port());
  unanswered.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held();
  held_.reset();
  EXPECT_THAT(unanswered.receive("}}"), HasSubstr("500 Internal Server Error"));
  EXPECT_THROW(
      {
        std::thread stop_within([&] {
          held().start(200, {});
          held_->write("half");
          held_.reset();
        });
        try {
          http_request({.url = url("/held")});
        } catch (...) {
          stop_within.join();
          throw;
        }
        stop_within.join();
      },
      HttpError);
}

TEST_F(Http, AReaderThatFallsBehindIsCut) {
  start({.max_queued_bytes = 100'000});
  RawSocket socket(server_->port());
  socket.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held().start(200, {});
  const std::string piece(50'000, 'x');
  bool taken = true;
  for (int i = 0; i < 1'000 && taken; i++) taken = held_->write(piece);
  EXPECT_FALSE(taken);
  EXPECT_TRUE(held_->client_gone());
}

TEST_F(Http, LimitsAreAnswered) {
  start({.max_header_bytes = 1'000, .max_body_bytes = 1'000});
  const std::string host = "Host: x\r\n";
  EXPECT_THAT(answer("GET /hello/a HTTP/1.1\r\n" + host + "X: " + std::string(5'000, 'a')),
              AllOf(StartsWith("HTTP/1.1 431"), HasSubstr("Connection: close")));
  EXPECT_THAT(answer("POST /echo HTTP/1.1\r\n" + host + "Content-Length: 1001\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(answer("POST /echo HTTP/1.1\r\n" + host +
                     "Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2'000, 'x')),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(answer("POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" +
                     std::string(5'000, '0')),
              testing::AnyOf(StartsWith("HTTP/1.1 431"), StartsWith("HTTP/1.1 400")));
}

TEST_F(Http, BodiesThatAreReadHaveOneBudget) {
  start({.threads = 1, .max_body_bytes = 1'000, .max_bodies_bytes = 1'500});
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n";
  RawSocket slow(server_->port());
  slow.send(head + std::string(900, 'a'));
  EXPECT_EQ(http_request({.method = "POST", .url = url("/echo"), .body = "b"}).body, "b");
  EXPECT_THAT(answer(head + std::string(900, 'c')),
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Connection: close")));
  slow.send(std::string(100, 'a'));
  EXPECT_THAT(slow.receive_all(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer(head + std::string(1'000, 'd')), StartsWith("HTTP/1.1 200"));
}

TEST_F(Http, GarbageIsRefused) {
  start();
  const auto status = [&](const std::string& bytes) { return answer(bytes).substr(0, 12); };
  const std::string host = "Host: x\r\n";
  EXPECT_EQ(status("\x16\x03\x01\x02 hello\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /hello/a HTTP/1.1\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /hello/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /hello/a HTTP/1.1\r\n" + host + "A : b\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET hello HTTP/1.1\r\n" + host + "\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /none\xFF HTTP/1.1\r\n" + host + "\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET / HTTP/2.0\r\n" + host + "\r\n"), "HTTP/1.1 505");
  const std::string post = "POST /echo HTTP/1.1\r\n" + host;
  EXPECT_EQ(status(post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "HTTP/1.1 400");
  EXPECT_EQ(status(post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
            "HTTP/1.1 400");
  EXPECT_EQ(status(post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), "HTTP/1.1 400");
  EXPECT_EQ(status(post + "Content-Length: -3\r\n\r\nabc"), "HTTP/1.1 400");
  EXPECT_EQ(status(post + "Content-Length: 99999999999999999999\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status(post + "Transfer-Encoding: gzip\r\n\r\nabc"), "HTTP/1.1 501");
  EXPECT_EQ(status(post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status(post + "Expect: wonders\r\nContent-Length: 3\r\n\r\n"), "HTTP/1.1 417");
  EXPECT_EQ(http_request({.url = url("/hello/still")}).body, "still?");
}

TEST_F(Http, SlowRequestsAndIdleConnectionsEnd) {
  start({.header_timeout_ms = 100, .body_timeout_ms = 100, .idle_timeout_ms = 100});
  EXPECT_THAT(answer("GET /hello/a HTTP/1.1\r\nHo"), StartsWith("HTTP/1.1 408"));
  EXPECT_THAT(answer("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"),
              StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(answer(""), "");
  EXPECT_THAT(answer("GET /hello/a HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  RawSocket drips(server_->port());
  for (int i = 0; i < 100 && !drips.closed_by_server(); i++) {
    drips.send(i == 0 ? "GET / HTTP/1.1\r\n" : "X: y\r\n");
    if (drips.receive("408", 10).find("408") != std::string::npos) return;
  }
  FAIL() << "a header that drips in must end at the time limit";
}

TEST_F(Http, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawSocket socket(server_->port());
  std::string all;
  for (int i = 0; i < 50; i++)
    all += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n#" + std::to_string(100 + i);
  all +=
      "GET /count HTTP/1.1\r\nHost: x\r\n\r\nGET /hello/last HTTP/1.1\r\nHost: x\r\n"
      "Connection: close\r\n\r\n";
  for (size_t at = 0; at < all.size(); at += 37) socket.send(all.substr(at, 37));
  const std::string got = socket.receive_all();
  size_t from = 0;
  for (int i = 0; i < 50; i++) {
    from = got.find("#" + std::to_string(100 + i), from);
    ASSERT_NE(from, got.npos) << i;
  }
  EXPECT_GT(got.find("99;"), from);
  EXPECT_TRUE(got.ends_with("last?"));
}

TEST_F(Http, ExpectContinueAndOldVersions) {
  start();
  RawSocket socket(server_->port());
  socket.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(socket.receive("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("abc");
  EXPECT_THAT(socket.receive("abc"), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("keep-alive")));
  const std::string old = answer("GET /count HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old, AllOf(Not(HasSubstr("chunked")), HasSubstr("\r\n\r\n0;1;2;")));
  EXPECT_TRUE(old.ends_with(";99;"));
}

TEST_F(Http, AHalfClosedClientStillGetsItsAnswer) {
  start();
  RawSocket socket(server_->port());
  socket.send("GET /hello/half HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.close_sending();
  EXPECT_THAT(socket.receive_all(), HasSubstr("half?"));
}

TEST(HttpText, PercentDecoding) {
  EXPECT_EQ(percent_decode("a%2Fb%20c"), "a/b c");
  EXPECT_EQ(percent_decode("%4%zz%41%"), "%4%zzA%");
}

TEST_F(Http, APortInUseIsNamed) {
  start();
  try {
    HttpServer second({.port = server_->port()}, {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("port " + std::to_string(server_->port())));
    EXPECT_THAT(e.hint(), HasSubstr("--port"));
  }
  EXPECT_THROW(HttpServer({.address = "nowhere.example"}, {}), Error);
}

TEST_F(Http, ManyConnectionsAtOnceAndTooMany) {
  // Every request is a connection, and one that its client has closed may still be counted.
  start({.max_connections = 200});
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 50; i++)
    clients.emplace_back([&, i] {
      for (int k = 0; k < 4; k++) {
        const std::string body = std::to_string(i * 10 + k);
        good += http_request({.method = "POST", .url = url("/echo"), .body = body}).body == body;
      }
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 200);
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
  std::vector<std::unique_ptr<RawSocket>> open;
  for (int i = 0; i < 200; i++) open.push_back(std::make_unique<RawSocket>(server_->port()));
  EXPECT_TRUE(eventually([&] { return server_->connections() == 200; }));
  EXPECT_THAT(RawSocket(server_->port()).receive_all(), StartsWith("HTTP/1.1 503"));
}

TEST_F(Http, StopLetsAnswersFinish) {
  start();
  RawSocket idle(server_->port()), socket(server_->port());
  socket.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held().start(200, {});
  std::thread finishes([&] {
    std::this_thread::sleep_for(100ms);
    held_->write("whole");
    held_->end();
    held_.reset();
    EXPECT_THAT(socket.receive_all(), HasSubstr("whole\r\n0\r\n\r\n"));
    socket.close();
  });
  const auto begin = Clock::now();
  server_->stop(5'000);
  EXPECT_LT(Clock::now() - begin, 2s);
  EXPECT_EQ(idle.receive_all(1'000), "");
  EXPECT_TRUE(idle.closed_by_server());
  finishes.join();
  EXPECT_THROW(http_request({.url = url("/hello/a")}), HttpError);
}

TEST_F(Http, StopCutsWhatDoesNotFinish) {
  start();
  RawSocket socket(server_->port());
  socket.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held().start(200, {});
  server_->stop(50);
  EXPECT_TRUE(eventually([&] { return held_->client_gone(); }));
  EXPECT_THAT(socket.receive_all(), Not(HasSubstr("0\r\n\r\n")));
}

HttpFailure failure_of(const HttpCall& call) {
  try {
    http_request(call);
  } catch (const HttpError& e) {
    EXPECT_THAT(e.what(), Not(HasSubstr("secret")));
    return e.failure();
  }
  ADD_FAILURE() << "no error";
  return HttpFailure::invalid;
}

// Under sanitizers: the thread that lets go of the last stream must be done with the server.
TEST_F(Http, EndsOnlyAfterTheThreadOfTheLastStream) {
  for (int i = 0; i < 50; i++) {
    start();
    RawSocket socket(server_->port());
    socket.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    held();
    std::thread holder([stream = std::move(held_)]() mutable {
      while (!stream->client_gone()) std::this_thread::yield();
      stream.reset();
    });
    server_.reset();
    holder.join();
  }
}

TEST_F(Http, TheClientSaysWhyItFailed) {
  start();
  const HttpHeaders key = {{"authorization", "Bearer secret"}};
  const int free_port = HttpServer({}, {}).port();
  EXPECT_EQ(failure_of({.url = "http://127.0.0.1:" + std::to_string(free_port), .headers = key}),
            HttpFailure::connect);
  EXPECT_EQ(failure_of({.url = "file:///etc/passwd"}), HttpFailure::invalid);
  EXPECT_EQ(failure_of({.url = url("/count"), .headers = key, .max_response_bytes = 50}),
            HttpFailure::too_large);
  EXPECT_EQ(failure_of({.url = url("/count"), .on_body = [](auto&, auto) { return false; }}),
            HttpFailure::aborted);
  EXPECT_EQ(failure_of({.url = url("/held"), .headers = key, .idle_timeout_ms = 300}),
            HttpFailure::idle);
  EXPECT_THROW(http_request({.url = url("/count"),
                             .on_body = [](auto&, auto) -> bool { throw std::out_of_range("x"); }}),
               std::out_of_range);
  EXPECT_EQ(failure_of({.url = url("/held"), .headers = {{"a", "b\r\nsecret: c"}}}),
            HttpFailure::invalid);
}

TEST_F(Http, SaysWhetherAnAnswerWasSentOrBroken) {
  start();
  std::vector<Delivery> deliveries;
  const auto note = [&](Delivery delivery) {
    const std::lock_guard lock(mutex_);
    deliveries.push_back(delivery);
  };
  const auto seen = [&](std::vector<Delivery> expected) {
    return eventually([&] {
      const std::lock_guard lock(mutex_);
      return deliveries == expected;
    });
  };
  const std::string request = "GET /held HTTP/1.1\r\nHost: a\r\n\r\n";
  {
    RawSocket socket(server_->port());
    socket.send(request);
    held().on_delivery(note);
    held().respond(200, {}, "whole");
    EXPECT_THAT(socket.receive("whole"), HasSubstr("200"));
    EXPECT_TRUE(seen({Delivery::sent}));
  }  // read to the end, then closed: nothing more to say
  take_held();
  EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
  {
    RawSocket socket(server_->port());
    socket.send(request);
    held().on_delivery(note);
    held().respond(200, {}, "never read");
    EXPECT_TRUE(seen({Delivery::sent, Delivery::sent}));
    EXPECT_TRUE(socket.await_bytes());  // else the end would arrive before them
  }  // closed with bytes unread: the system resets the connection
  EXPECT_TRUE(seen({Delivery::sent, Delivery::sent, Delivery::broken}));
  take_held();
  RawSocket socket(server_->port());
  socket.send(request);
  held().on_delivery(note);
  held().start(200, {});
  socket.close();
  EXPECT_TRUE(eventually([&] { return held().client_gone(); }));
  take_held();
  EXPECT_TRUE(seen({Delivery::sent, Delivery::sent, Delivery::broken, Delivery::broken}));
}

TEST_F(Http, CutResetsTheConnectionWithoutAnAnswer) {
  start();
  RawSocket socket(server_->port());
  socket.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
  held().cut();
  EXPECT_EQ(socket.receive_all(), "");
  EXPECT_TRUE(socket.closed_by_server());
  take_held();
  EXPECT_EQ(http_request({.url = url("/hello/again")}).body, "again?");
}

}  // namespace
}  // namespace chatmem
