// Many requests on one thread, against a real server and its faults.
#include "net/http_multi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "net/http_server.h"
#include "raw_socket.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Listens, and answers one connection with the bytes it is given, however wrong.
class RawServer {
 public:
  explicit RawServer(std::string bytes) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(fd_, 1) == 0);
    CHECK(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(bytes)] {
      const int client = ::accept(fd_, nullptr, nullptr);
      char buffer[4096];
      CHECK(::recv(client, buffer, sizeof buffer, 0) > 0);
      CHECK(::send(client, answer.data(), answer.size(), MSG_NOSIGNAL) == ssize_t(answer.size()));
      ::shutdown(client, SHUT_WR);
      while (::recv(client, buffer, sizeof buffer, 0) > 0) continue;
      ::close(client);
    });
  }
  ~RawServer() {
    thread_.join();
    ::close(fd_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  int fd_, port_ = 0;
  std::thread thread_;
};

class Multi : public ::testing::Test {
 protected:
  Multi() {
    std::vector<HttpRoute> routes;
    routes.push_back({"POST", "/echo", [](HttpRequest request, auto stream) {
                        stream->respond(200, {{"x-name", "echo"}}, request.body);
                      }});
    routes.push_back({"GET", "/held", [this](HttpRequest, auto stream) {
                        const std::lock_guard lock(mutex_);
                        held_.push_back(std::move(stream));
                      }});
    routes.push_back({"GET", "/slow", [this](HttpRequest, auto stream) {
                        stream->start(200, {{"x-name", "slow"}});
                        stream->write("half");
                        const std::lock_guard lock(mutex_);
                        held_.push_back(std::move(stream));
                      }});
    routes.push_back({"GET", "/cut", [](HttpRequest, auto stream) {
                        stream->start(200, {{"request-id", "r1"}});
                        stream->write("half");
                      }});
    server_ = std::make_unique<HttpServer>(HttpServerOptions{}, std::move(routes));
  }
  ~Multi() override {
    const std::lock_guard lock(mutex_);
    held_.clear();
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  HttpCall echo(std::string body) const {
    return {.method = "POST", .url = url("/echo"), .body = std::move(body)};
  }
  size_t held() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }
  bool clients_gone() {
    const std::lock_guard lock(mutex_);
    return std::ranges::all_of(held_, [](const auto& stream) { return stream->client_gone(); });
  }
  void answer_held() {  // the last first
    const std::lock_guard lock(mutex_);
    for (; !held_.empty(); held_.pop_back())
      held_.back()->respond(200, {}, std::to_string(held_.size()));
  }
  void finish(HttpMulti& multi) const {
    const auto begin = Clock::now();
    while (multi.in_flight() > 0 && seconds_since(begin) < 20) multi.poll(1'000);
    EXPECT_EQ(multi.in_flight(), 0);
  }
  HttpOutcome outcome_of(HttpCall call) const {
    HttpMulti multi;
    HttpOutcome got;
    int calls = 0;
    multi.start(std::move(call), [&](HttpOutcome outcome) {
      got = std::move(outcome);
      calls++;
    });
    EXPECT_EQ(calls, 0);  // only poll calls it
    finish(multi);
    EXPECT_EQ(calls, 1);
    return got;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<ResponseStream>> held_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Multi, ManyInFlightKeepTheirConnections) {
  HttpMulti multi;
  int next = 0, right = 0, most = 0;
  std::function<void()> start = [&] {
    const std::string body = std::to_string(next++);
    multi.start(echo(body), [&, body](HttpOutcome outcome) {
      right += !outcome.error && outcome.response.status == 200 && outcome.response.body == body;
      most = std::max(most, server_->connections());
      if (next < 2'000) start();
    });
  };
  for (int i = 0; i < 80; i++) start();
  EXPECT_EQ(multi.in_flight(), 80);
  finish(multi);
  EXPECT_EQ(right, 2'000);
  EXPECT_LE(most, 80);
  EXPECT_GT(most, 40);
  // A single one afterwards takes one of those that are there.
  const int before = server_->connections();
  multi.start(echo("again"), [](HttpOutcome outcome) { EXPECT_FALSE(outcome.error); });
  finish(multi);
  EXPECT_LE(server_->connections(), before);
}

TEST_F(Multi, AnswersComeInAnyOrderAndWaitingCostsNothing) {
  HttpMulti multi;
  std::set<std::string> bodies;
  for (int i = 0; i < 64; i++)
    multi.start({.url = url("/held")},
                [&](HttpOutcome outcome) { bodies.insert(outcome.response.body); });
  const auto begin = Clock::now();
  while (held() < 64 && seconds_since(begin) < 20) multi.poll(20);
  ASSERT_EQ(held(), 64u);
  const std::clock_t cpu = std::clock();
  const auto waiting = Clock::now();
  int polls = 0;
  for (; seconds_since(waiting) < 1; polls++) multi.poll(250);
  EXPECT_LT(polls, 100);
  EXPECT_LT(double(std::clock() - cpu) / CLOCKS_PER_SEC, 0.1);
  EXPECT_TRUE(bodies.empty());
  answer_held();
  finish(multi);
  EXPECT_EQ(bodies.size(), 64u);
}

TEST_F(Multi, WhatCannotBeginIsAnOutcomeToo) {
  const std::string port = std::to_string(HttpServer({}, {}).port());
  const HttpOutcome refused = outcome_of(
      {.url = "http://me:secret@127.0.0.1:" + port + "/x?secret", .headers = {{"k", "secret"}}});
  ASSERT_TRUE(refused.error);
  EXPECT_EQ(refused.error->failure(), HttpFailure::connect);
  EXPECT_EQ(refused.response.status, 0);
  EXPECT_THAT(refused.error->what(), HasSubstr("127.0.0.1:" + port + "/x"));
  EXPECT_THAT(refused.error->what() + refused.error->hint(), Not(HasSubstr("secret")));
  for (const char* bad : {"", "no url at all", "http://", "file:///etc/passwd", "gopher://x/"})
    EXPECT_EQ(outcome_of({.url = bad}).error.value().failure(), HttpFailure::invalid) << bad;
  EXPECT_EQ(outcome_of({.url = url("/held"), .headers = {{"a", "b\nc: d"}}}).error->failure(),
            HttpFailure::invalid);
}

TEST_F(Multi, WhatCameOfACutAnswerIsKept) {
  const HttpOutcome cut = outcome_of({.url = url("/cut")});
  ASSERT_TRUE(cut.error);
  EXPECT_EQ(cut.error->failure(), HttpFailure::broken);
  EXPECT_EQ(cut.response.status, 200);
  EXPECT_EQ(cut.response.body, "half");
  EXPECT_EQ(*find_header(cut.response.headers, "request-id"), "r1");

  const RawServer short_body("HTTP/1.1 429 Slow\r\ncontent-length: 100\r\n\r\n{\"error\"");
  const HttpOutcome error = outcome_of({.url = short_body.url()});
  ASSERT_TRUE(error.error);
  EXPECT_EQ(error.error->failure(), HttpFailure::broken);
  EXPECT_EQ(error.response.status, 429);
  EXPECT_EQ(error.response.body, "{\"error\"");

  const RawServer nothing("");
  EXPECT_EQ(outcome_of({.url = nothing.url()}).error.value().failure(), HttpFailure::broken);
  const RawServer garbage("SSH-2.0-OpenSSH_9\r\n");
  EXPECT_EQ(outcome_of({.url = garbage.url()}).error.value().failure(), HttpFailure::broken);
}

// Answers the first request of a connection, then closes it upon the second; counts all requests.
class ClosingServer {
 public:
  ClosingServer() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(fd_, 4) == 0);
    CHECK(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int client; (client = ::accept(fd_, nullptr, nullptr)) >= 0; ::close(client))
        serve(client);
    });
  }
  ~ClosingServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  ClosingServer(const ClosingServer&) = delete;
  ClosingServer& operator=(const ClosingServer&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  int requests() const { return requests_; }

 private:
  void serve(int client) {
    static constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    char buffer[4096];
    if (::recv(client, buffer, sizeof buffer, 0) <= 0) return;
    requests_++;
    CHECK(::send(client, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) == ssize_t(kAnswer.size()));
    if (::recv(client, buffer, sizeof buffer, 0) > 0) requests_++;
  }
  int fd_, port_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

// libcurl would send the second one again by itself, and it may have been paid already.
TEST_F(Multi, ARequestIsSentOnceThoughAKeptConnectionBreaks) {
  const ClosingServer server;
  const HttpCall call{.method = "POST", .url = server.url(), .body = "x"};
  HttpMulti multi;
  std::vector<HttpOutcome> outcomes;
  for (int i = 0; i < 2; i++) {
    multi.start(call, [&](HttpOutcome outcome) { outcomes.push_back(std::move(outcome)); });
    finish(multi);
  }
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].response.body, "ok");
  ASSERT_TRUE(outcomes[1].error);
  EXPECT_EQ(outcomes[1].error->failure(), HttpFailure::broken);
  EXPECT_THAT(outcomes[1].error->what(), HasSubstr("broke before an answer"));
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(Multi, SilenceEndsARequestAndNoOther) {
  HttpMulti multi;
  std::vector<double> ended;
  std::vector<HttpOutcome> outcomes;
  const auto begin = Clock::now();
  const auto done = [&](HttpOutcome outcome) {
    ended.push_back(seconds_since(begin));
    outcomes.push_back(std::move(outcome));
  };
  multi.start({.url = url("/slow"), .idle_timeout_ms = 500}, done);
  multi.start({.url = url("/held"), .idle_timeout_ms = 300}, done);
  multi.start({.url = url("/held"), .idle_timeout_ms = 60'000}, [](HttpOutcome) {});
  while (ended.size() < 2 && seconds_since(begin) < 20) multi.poll(10'000);
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_GE(ended[0], 0.3);
  EXPECT_GE(ended[1], 0.5);
  EXPECT_LT(ended[1], 5);  // poll's own limit was longer
  EXPECT_EQ(outcomes[0].error.value().failure(), HttpFailure::idle);
  EXPECT_EQ(outcomes[0].response.status, 0);
  EXPECT_EQ(outcomes[1].error.value().failure(), HttpFailure::idle);
  EXPECT_THAT(outcomes[1].error->what(), HasSubstr("no byte came for 0.5 s"));
  EXPECT_EQ(outcomes[1].response.body, "half");
  EXPECT_EQ(multi.in_flight(), 1);
}

TEST_F(Multi, LimitsAndTheCallersOwnEnds) {
  HttpCall large = echo(std::string(1'000, 'x'));
  large.max_response_bytes = 999;
  EXPECT_EQ(outcome_of(large).error.value().failure(), HttpFailure::too_large);
  HttpCall aborted = echo("x");
  aborted.on_body = [](const HttpResponse& head, std::string_view) { return head.status != 200; };
  EXPECT_EQ(outcome_of(aborted).error.value().failure(), HttpFailure::aborted);
}

TEST_F(Multi, WhatIsThrownIsThrownOnAndTheOthersArrive) {
  HttpMulti multi;
  int done = 0, thrown = 0;
  HttpCall throwing = echo("x");
  throwing.on_body = [](auto&, auto) -> bool { throw std::out_of_range("body"); };
  multi.start(throwing, [&](HttpOutcome) { done += 100; });
  multi.start(echo("y"), [&](HttpOutcome) { throw std::out_of_range("done"); });
  for (int i = 0; i < 5; i++) multi.start(echo("z"), [&](HttpOutcome) { done++; });
  const auto begin = Clock::now();
  while (multi.in_flight() > 0 && seconds_since(begin) < 20) {
    try {
      multi.poll(1'000);
    } catch (const std::out_of_range&) {
      thrown++;
    }
  }
  EXPECT_EQ(done, 5);
  EXPECT_EQ(thrown, 2);
}

TEST_F(Multi, WakesFromAnotherThread) {
  HttpMulti multi;
  multi.start({.url = url("/held")}, [](HttpOutcome) {});
  const auto begin = Clock::now();
  while (held() == 0 && seconds_since(begin) < 20) multi.poll(20);
  std::thread waker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    multi.wake();
  });
  const auto waiting = Clock::now();
  multi.poll(10'000);
  EXPECT_LT(seconds_since(waiting), 5);
  waker.join();
  HttpMulti idle;  // nothing in flight: it waits all the same, and a wake before it counts
  const auto alone = Clock::now();
  idle.poll(100);
  EXPECT_GE(seconds_since(alone), 0.09);
  idle.wake();
  idle.poll(10'000);
  EXPECT_LT(seconds_since(alone), 5);
}

TEST_F(Multi, DestroyedInFlight) {
  {
    HttpMulti multi;
    const auto never = [](HttpOutcome) { ADD_FAILURE(); };
    for (int i = 0; i < 10; i++) multi.start({.url = url(i % 2 == 0 ? "/held" : "/slow")}, never);
    const auto begin = Clock::now();
    while (held() < 10 && seconds_since(begin) < 20) multi.poll(20);
    for (int i = 0; i < 10; i++) multi.start(echo("never begun"), never);
    EXPECT_EQ(multi.in_flight(), 20);
  }
  const auto begin = Clock::now();
  while (!clients_gone() && seconds_since(begin) < 20)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(clients_gone());  // cut, so that the server learns of it
}

TEST(Urls, WhatMayBeShownAndWhatIsThisMachine) {
  EXPECT_EQ(shown_url("https://me:pw@h:1/v1?key=1#x"), "https://h:1/v1");
  EXPECT_EQ(shown_url("h/a@b"), "h/a@b");
  for (const char* url :
       {"http://127.0.0.1:80/x", "http://localhost", "https://[::1]:9/", "localhost"})
    EXPECT_TRUE(is_loopback_url(url)) << url;
  for (const char* url :
       {"http://localhost.example.com/", "http://127.example.com", "http://h/127.0.0.1",
        "http://localhost@example.com/", "http://10.0.0.1", ""})
    EXPECT_FALSE(is_loopback_url(url)) << url;
}

}  // namespace
}  // namespace chatmem
