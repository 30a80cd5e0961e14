// Load on `chatmem serve`, half a minute of it for the tests and more for ./dev soak: clients that
// stream answers, a third of which leave at a random moment, and one in twenty of which sends what
// is no request. Fails when a request is stuck or not whole, when /health is slow, when the
// server's memory grows, when it answers nobody at the end, or does not end when told to.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "net/http_client.h"
#include "net/sse.h"
#include "raw_socket.h"
#include "run_command.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kMaxClients = 2000, kMaxSeconds = 3600;
constexpr int kStuckMs = 60'000;  // without a byte; the server pings every 5 s
constexpr double kMaxGrowthMb = 64;

struct Flags {
  std::string model;
  int clients = 64, seconds = 60;
  double health_ms_p99 = 50;
};

struct Tally {
  std::atomic<int64_t> whole = 0, left = 0, busy = 0, refused = 0, failed = 0;
  std::mutex mutex;
  std::vector<std::string> failures;  // the first few

  void fail(const std::string& what) {
    failed++;
    const std::lock_guard lock(mutex);
    if (failures.size() < 5) failures.push_back(what);
  }
};

// The server under load.
class Server {
 public:
  explicit Server(const std::string& model)
      : command_({"serve", "--model", model, "--port", "0", "--max-requests", "16", "--max-queue",
                  std::to_string(kMaxClients)}) {
    if (!command_.wait_for("listening on"))
      throw Error("[load] the server must start: " + command_.err());
    const std::string out = command_.out();
    port_ = std::atoi(out.c_str() + out.rfind(':') + 1);
  }
  int port() const { return port_; }
  std::string url(std::string_view path) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  // VmRSS, in MiB.
  double resident_mb() const {
    double kib = 0;
    for_each_line(fmt::format("/proc/{}/status", command_.pid()),
                  [&](std::string_view line, size_t) {
                    if (line.starts_with("VmRSS:"))
                      kib = std::strtod(std::string(line.substr(6)).c_str(), nullptr);
                  });
    if (kib <= 0) throw Error("[load] the server must have memory, has none: it ended");
    return kib / 1024;
  }
  bool ends_when_told() {
    command_.send(SIGTERM);
    return command_.wait().code == kDone;
  }

 private:
  RunningCommand command_;
  int port_ = 0;
};

std::string request_body(Random& random) {
  std::string text;
  for (uint64_t i = random.below(100); i > 0; i--) text += "2024-05-01 10:00 | Ana: hello\n";
  return dump_json(
      {{"messages", Json::array({Json{{"role", "user"}, {"content", text + "And now?"}}})},
       {"max_tokens", 4 + int64_t(random.below(60))},
       {"seed", int64_t(random.below(1000))},
       {"stream", true}});
}

// One streamed answer. The client goes away after `leave_after` events or that many half seconds,
// be it in the queue; -1: it stays.
void ask(const Server& server, Random& random, int leave_after, Tally& tally) {
  const auto leave_at = Clock::now() + leave_after * milliseconds(500);
  int events = 0;
  bool done = false;
  SseDecoder decoder([&](const SseEvent& event) {
    events++;
    done = event.data == "[DONE]";
  });
  HttpCall call{.method = "POST",
                .url = server.url("/v1/chat/completions"),
                .headers = {{"content-type", "application/json"}},
                .body = request_body(random),
                .idle_timeout_ms = kStuckMs};
  call.on_body = [&](const HttpResponse& head, std::string_view bytes) {
    if (head.status == 200) decoder.feed(bytes);
    return leave_after < 0 || (events < leave_after && Clock::now() < leave_at);
  };
  try {
    const HttpResponse response = http_request(call);
    if (response.status == 429 || response.status == 503) {
      tally.busy++;
      std::this_thread::sleep_for(milliseconds(500 + random.below(1000)));  // Retry-After: 1
    } else if (response.status != 200) {
      tally.fail(fmt::format("status {}", response.status));
    } else if (!done) {
      tally.fail(fmt::format("a stream ended after {} events without [DONE]", events));
    } else {
      tally.whole++;
    }
  } catch (const HttpError& e) {
    if (e.failure() == HttpFailure::aborted)
      tally.left++;
    else
      tally.fail(e.what());
  }
}

// Sends what must be refused, on the wire or in the body.
void ask_wrongly(const Server& server, Random& random, Tally& tally) {
  const std::string head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n";
  const std::string wrong[] = {
      "\x16\x03\x01 nonsense\r\n\r\n",
      head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
      head + "X: " + std::string(20'000, 'a') + "\r\n\r\n",
      head + "Connection: close\r\nContent-Length: 9\r\n\r\n{\"a\":[[[[",
      head + "Connection: close\r\nContent-Length: 14\r\n\r\n{\"messages\":5}"};
  RawSocket socket(server.port());
  socket.send(wrong[random.below(std::size(wrong))]);
  const std::string got = socket.receive("\r\n\r\n", kStuckMs);
  if (got.starts_with("HTTP/1.1 4"))
    tally.refused++;
  else if (got.starts_with("HTTP/1.1 503"))  // too many connections
    tally.busy++;
  else
    tally.fail(fmt::format("a wrong request gave '{}'", got.substr(0, 40)));
}

// Latencies of /health in milliseconds, ten a second.
std::vector<double> watch_health(const Server& server, Clock::time_point end, Tally& tally) {
  std::vector<double> latencies_ms;
  while (Clock::now() < end) {
    const auto begin = Clock::now();
    try {
      const HttpResponse response = http_request({.url = server.url("/health")});
      if (response.status != 200) tally.fail(fmt::format("/health gave {}", response.status));
    } catch (const HttpError& e) {
      tally.fail(fmt::format("/health: {}", e.what()));
    }
    latencies_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    std::this_thread::sleep_for(milliseconds(100));
  }
  std::sort(latencies_ms.begin(), latencies_ms.end());
  return latencies_ms;
}

double percentile(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0 : sorted[std::min(sorted.size() - 1, size_t(share * sorted.size()))];
}

// After the load a fresh request must be answered whole and soon: no place is left occupied.
bool answers_at_once(const Server& server) {
  Random random(7);
  Tally tally;
  const auto begin = Clock::now();
  while (tally.whole == 0 && tally.failed == 0 && Clock::now() - begin < std::chrono::seconds(20))
    ask(server, random, -1, tally);
  return tally.whole == 1;
}

int run(const Flags& flags) {
  Server server(flags.model);
  Tally tally;
  const auto begin = Clock::now(), end = begin + std::chrono::seconds(flags.seconds);
  std::vector<std::thread> clients;
  for (int i = 0; i < flags.clients; i++)
    clients.emplace_back([&server, &tally, end, i] {
      Random random(uint64_t(i) + 1);
      while (Clock::now() < end)
        if (random.below(20) == 0)
          ask_wrongly(server, random, tally);
        else
          ask(server, random, random.below(3) == 0 ? int(random.below(20)) : -1, tally);
    });
  // What the first requests allocate is kept by design; growth is counted from there.
  std::this_thread::sleep_until(begin + std::chrono::seconds(flags.seconds) / 4);
  const double early_mb = server.resident_mb();
  const std::vector<double> health = watch_health(server, end, tally);
  for (std::thread& client : clients) client.join();
  const double late_mb = server.resident_mb(), p99 = percentile(health, 0.99);

  fmt::print(
      "{} clients, {} s: {} answers whole, {} left early, {} told to come back, {} refused, "
      "{} failed\n",
      flags.clients, flags.seconds, tally.whole.load(), tally.left.load(), tally.busy.load(),
      tally.refused.load(), tally.failed.load());
  fmt::print("/health: {:.1f} ms median, {:.1f} ms p99, {:.1f} ms at most, {} times\n",
             percentile(health, 0.5), p99, percentile(health, 1), health.size());
  fmt::print("memory: {:.1f} MiB, then {:.1f} MiB\n", early_mb, late_mb);
  for (const std::string& failure : tally.failures) fmt::print("failure: {}\n", failure);
  bool good = true;
  const auto must = [&](bool holds, const char* what) {
    if (!holds) fmt::print("failure: {}\n", what);
    good = good && holds;
  };
  must(tally.failed == 0, "a request failed");
  must(tally.whole > 0 && tally.left > 0, "some answers must be whole, and some clients leave");
  must(tally.refused > 0, "some requests must be wrong, and refused");
  must(p99 <= flags.health_ms_p99, "/health was slow");
  must(late_mb - early_mb <= kMaxGrowthMb, "memory grew");
  must(answers_at_once(server), "a request after the load was not answered");
  must(server.ends_when_told(), "the server did not end when told to");
  return good ? kDone : kFailed;
}

}  // namespace
}  // namespace chatmem

int main(int argc, char** argv) {
  CLI::App app("Load on chatmem serve");
  chatmem::Flags flags;
  app.add_option("--model", flags.model)->required();
  app.add_option("--clients", flags.clients)->check(CLI::Range(1, chatmem::kMaxClients));
  app.add_option("--seconds", flags.seconds)->check(CLI::Range(1, chatmem::kMaxSeconds));
  app.add_option("--health-ms-p99", flags.health_ms_p99)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    return chatmem::run(flags);
  } catch (const chatmem::Error& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return chatmem::kFailed;
  }
}
