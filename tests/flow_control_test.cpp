// Flow control played in virtual time against a server with a true token bucket.
#include "llm/flow_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <vector>

#include "base/error.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

LlmFailure overloaded(int status, std::optional<double> retry_after_s = {}) {
  return {.message = "[llm] h: status " + std::to_string(status) + ": no",
          .retry_after_s = retry_after_s,
          .overloaded = true};
}
LlmFailure broken() {
  return {.message = "[http] http://h/: no connection: refused", .unreachable = true};
}

// The server: limits a minute as token buckets, full at first; 0: none.
struct Bucket {
  double a_minute = 0, level = a_minute, at = 0;
  bool take(double now, double need) {
    if (a_minute <= 0) return true;
    level = std::min(a_minute, level + a_minute / 60 * (now - at));
    at = now;
    if (level < need) return false;
    level -= need;
    return true;
  }
  LlmLimit said() const {
    if (a_minute <= 0) return {};
    return {int64_t(a_minute), int64_t(level), std::ceil((a_minute - level) / (a_minute / 60))};
  }
};

struct Simulation {
  // What is set before run().
  FlowOptions options = {.concurrency = 64};
  int n_requests = 1'000;
  Bucket requests, input, output;
  int64_t input_tokens = 300, output_tokens = 1'000;
  std::function<int64_t(int)> size = [](int) { return int64_t(1); };  // times the tokens
  double latency_s = 1;
  bool says_limits = true;
  std::function<std::optional<LlmFailure>(double now)> fault = [](double) { return std::nullopt; };

  // What came of it.
  double end_s = 0;
  int n_done = 0, n_failed = 0, n_429 = 0, n_sent = 0, most_in_flight = 0;
  int most_attempts = 0;
  bool gave_up = false;
  double lowest_window = kInfinity, highest_window = 0, longest_silence_s = 0;
  std::vector<double> sent_at;
  std::string waited_for;

  struct Item {
    int id = 0, attempt = 1;
    double at = 0;  // ready, or done
    std::optional<LlmFailure> failure;
    LlmLimits limits;
  };

  void run() {
    FlowControl flow(options);
    Random random(7);
    std::deque<Item> waiting;
    std::vector<Item> flying;
    for (int id = 0; id < n_requests; id++) waiting.push_back({.id = id});
    double now = 0;
    while (n_done + n_failed < n_requests) {
      if (flow.gave_up(now)) {
        gave_up = true;
        break;
      }
      const double next_start = send(now, flow, random, waiting, flying);
      const double next = std::min(next_start, next_end(flying));
      ASSERT_LT(next, kInfinity) << "nothing will ever happen again, at " << now;
      ASSERT_LT(next, 1e5);
      now = std::max(now, next);
      finish(now, flow, waiting, flying);
      if (waited_for.empty()) waited_for = flow.waiting_for(now);
      lowest_window = std::min(lowest_window, flow.window());
      highest_window = std::max(highest_window, flow.window());
    }
    end_s = now;
  }

 private:
  // Sends what may go; the time at which something else may.
  double send(double now, FlowControl& flow, Random& random, std::deque<Item>& waiting,
              std::vector<Item>& flying) {
    for (;;) {
      double ready_at = kInfinity;
      for (const Item& item : waiting) ready_at = std::min(ready_at, item.at);
      const auto it = std::find_if(waiting.begin(), waiting.end(),
                                   [&](const Item& item) { return item.at <= now; });
      if (it == waiting.end()) return ready_at;
      const double wait =
          flow.wait_s(now, input_tokens * size(it->id), output_tokens * size(it->id));
      // A step at least, so that what rounding leaves over does not stop the clock.
      if (wait > 0) return now + std::max(wait, 1e-6);
      Item item = *it;
      waiting.erase(it);
      flow.started(now, input_tokens * size(item.id), output_tokens * size(item.id));
      answer(now, random, item);
      flying.push_back(item);
      most_in_flight = std::max(most_in_flight, flow.in_flight());
      if (!sent_at.empty()) longest_silence_s = std::max(longest_silence_s, now - sent_at.back());
      sent_at.push_back(now);
      n_sent++;
    }
  }
  void answer(double now, Random& random, Item& item) {
    item.failure = fault(now);
    if (!item.failure) {
      const double in = double(input_tokens * size(item.id));
      const double out = double(output_tokens * size(item.id));
      if (!requests.take(now, 1) || !input.take(now, in) || !output.take(now, out)) {
        item.failure = overloaded(429, 1);
        n_429++;
      }
    }
    if (says_limits)
      item.limits = {.requests = requests.said(),
                     .input_tokens = input.said(),
                     .output_tokens = output.said(),
                     .tokens = {}};
    item.at = now + (item.failure ? 0.05 : latency_s * (0.5 + random.uniform()));
  }
  static double next_end(const std::vector<Item>& flying) {
    double next = kInfinity;
    for (const Item& item : flying) next = std::min(next, item.at);
    return next;
  }
  void finish(double now, FlowControl& flow, std::deque<Item>& waiting, std::vector<Item>& flying) {
    for (size_t i = 0; i < flying.size();) {
      if (flying[i].at > now) {
        i++;
        continue;
      }
      Item item = flying[i];
      flying.erase(flying.begin() + ptrdiff_t(i));
      most_attempts = std::max(most_attempts, item.attempt);
      if (!item.failure) {
        flow.succeeded(now, item.limits,
                       {.input = input_tokens * size(item.id),
                        .cache_read = 5'000,
                        .output = output_tokens * size(item.id)});
        n_done++;
      } else if (const auto wait = flow.failed(now, *item.failure, item.attempt, item.limits)) {
        waiting.push_front({.id = item.id, .attempt = item.attempt + 1, .at = now + *wait});
      } else {
        n_failed++;
      }
    }
  }
};

TEST(FlowControl, RequestsAMinuteAreLearntAndNotOverrun) {
  Simulation sim;
  sim.requests = {.a_minute = 600};
  sim.run();
  // 600 are there at once, 400 come at ten a second.
  EXPECT_EQ(sim.n_done, 1'000);
  EXPECT_GE(sim.end_s, 40);
  EXPECT_LE(sim.end_s, 44);
  EXPECT_LE(sim.n_429, 5);
  EXPECT_EQ(sim.most_in_flight, 64);
}

TEST(FlowControl, TokensAMinuteToo) {
  Simulation sim;
  sim.n_requests = 400;
  sim.output = {.a_minute = 200'000};
  sim.input = {.a_minute = 1'000'000};
  sim.run();
  EXPECT_EQ(sim.n_done, 400);
  EXPECT_GE(sim.end_s, 60);  // 200 at once, 200 more in a minute
  EXPECT_LE(sim.end_s, 64);
  EXPECT_LE(sim.n_429, 5);
}

TEST(FlowControl, AServerThatSaysNoLimitsIsFeltOut) {
  Simulation sim;
  sim.requests = {.a_minute = 600};
  sim.says_limits = false;
  sim.run();
  EXPECT_EQ(sim.n_done, 1'000);
  EXPECT_LE(sim.end_s, 80);
  EXPECT_LE(sim.n_429, 200);
}

TEST(FlowControl, OptionsHoldWhateverTheHeadersSay) {
  Simulation sim;
  sim.n_requests = 300;
  sim.requests = {.a_minute = 60'000};
  sim.options.requests_a_minute = 120;
  sim.run();
  EXPECT_EQ(sim.n_done, 300);
  for (size_t i = 0; i < sim.sent_at.size(); i++) {  // in no minute more than the burst above it
    const auto end = std::upper_bound(sim.sent_at.begin(), sim.sent_at.end(), sim.sent_at[i] + 60);
    EXPECT_LE(end - sim.sent_at.begin() - ptrdiff_t(i), 123);
  }
  EXPECT_NEAR(sim.end_s, 150, 5);
}

TEST(FlowControl, ABurstOf529IsSurvived) {
  Simulation sim;
  sim.fault = [](double now) {
    return now > 5 && now < 9 ? std::optional(overloaded(529)) : std::nullopt;
  };
  sim.run();
  EXPECT_EQ(sim.n_done, 1'000);
  EXPECT_LE(sim.lowest_window, 2);
  EXPECT_EQ(sim.highest_window, 64);
  EXPECT_LE(sim.most_attempts, 7);
  EXPECT_LE(sim.end_s, 60);
}

TEST(FlowControl, NobodyStartsBeforeARetryAfterIsOver) {
  Simulation sim;
  bool asked = false;
  sim.fault = [&](double now) -> std::optional<LlmFailure> {
    if (now < 5 || asked) return std::nullopt;
    asked = true;
    return overloaded(429, 20);
  };
  sim.run();
  EXPECT_EQ(sim.n_done, 1'000);
  EXPECT_GE(sim.longest_silence_s, 19);
  EXPECT_THAT(sim.waited_for,
              AllOf(HasSubstr("h: status 429: no; next try in "), testing::EndsWith(" s")));
}

TEST(FlowControl, ADeadServerGivesUp) {
  Simulation sim;
  sim.options.give_up_s = 900;
  sim.fault = [](double) { return broken(); };
  sim.run();
  EXPECT_TRUE(sim.gave_up);
  EXPECT_EQ(sim.n_done, 0);
  EXPECT_LT(sim.n_sent, 40);  // 8 until the breaker opens, then one in 15, 30, 60, 120, ... s
  EXPECT_GE(sim.n_sent, 15);
  EXPECT_GE(sim.end_s, 900);
  EXPECT_LE(sim.end_s, 1'050);
  EXPECT_THAT(sim.waited_for, HasSubstr("no connection: refused; next try in 1"));

  Simulation back;  // one that comes back in time loses nothing
  back.fault = [](double now) {
    return now > 3 && now < 300 ? std::optional(broken()) : std::nullopt;
  };
  back.run();
  EXPECT_FALSE(back.gave_up);
  EXPECT_EQ(back.n_done, 1'000);
  EXPECT_LE(back.end_s, 300 + 120 + 40);
}

TEST(FlowControl, LargeRequestsAreNotStarved) {
  Simulation sim;
  sim.n_requests = 200;
  sim.output = {.a_minute = 60'000};
  sim.size = [](int id) { return int64_t(id % 20 == 7 ? 30 : 1); };
  sim.options.max_attempts = 8;
  sim.run();
  EXPECT_EQ(sim.n_done, 200);
  EXPECT_LE(sim.most_attempts, 3);
  EXPECT_LE(sim.end_s, 490 - 60 + 30);  // 490,000 tokens, a minute's worth at once
  // One larger than a whole minute's limit starts all the same, when the minute is full.
  FlowControl flow({.output_tokens_a_minute = 600});
  EXPECT_EQ(flow.wait_s(0, 1, 100'000), 0);
  flow.started(0, 1, 100'000);
  flow.abandoned(0);
  EXPECT_NEAR(flow.wait_s(0, 1, 1), 10'000, 20);
  EXPECT_THAT(flow.waiting_for(1), HasSubstr("the limit of 600 output tokens a minute; next"));
}

TEST(FlowControl, TheSameSeedGivesTheSameRun) {
  const auto run = [](uint64_t seed) {
    Simulation sim;
    sim.n_requests = 300;
    sim.options.seed = seed;
    sim.fault = [](double now) {
      return std::fmod(now, 5) < 1 ? std::optional(overloaded(529)) : std::nullopt;
    };
    sim.run();
    EXPECT_EQ(sim.n_done, 300);
    return sim.sent_at;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(FlowControl, TheWindowGrowsAndHalves) {
  FlowControl flow({.concurrency = 16});
  const auto start = [&](int n) {
    for (int i = 0; i < n; i++) {
      ASSERT_EQ(flow.wait_s(0, 1, 1), 0);
      flow.started(0, 1, 1);
    }
  };
  start(4);
  EXPECT_EQ(flow.wait_s(0, 1, 1), kInfinity);
  for (int i = 0; i < 4; i++) flow.succeeded(1, {}, {});
  EXPECT_EQ(flow.window(), 8);
  start(8);
  for (int i = 0; i < 8; i++) EXPECT_TRUE(flow.failed(2, overloaded(429), 1, {}));
  EXPECT_EQ(flow.window(), 4);  // once for all that were in flight
  start(4);
  for (int i = 0; i < 4; i++) flow.succeeded(3, {}, {});
  EXPECT_NEAR(flow.window(), 5, 0.2);  // now by one in a round
  for (int i = 0; i < 1'000; i++) {
    flow.started(4, 1, 1);
    flow.succeeded(4, {}, {});
  }
  EXPECT_EQ(flow.window(), 16);
  EXPECT_EQ(FlowControl({.concurrency = 1}).window(), 1);
  EXPECT_EQ(flow.in_flight(), 0);
  EXPECT_EQ(flow.waiting_for(5), "");
}

TEST(FlowControl, WaitsOfOneRequest) {
  FlowControl flow({.concurrency = 16, .max_attempts = 8, .breaker_failures = 100});
  const auto fail = [&](LlmFailure failure, int attempt) {
    flow.started(0, 1, 1);
    return flow.failed(0, failure, attempt, {});
  };
  for (int attempt = 1; attempt < 8; attempt++) {
    const double most = std::min(8.0, 0.5 * std::exp2(attempt - 1));
    const double wait = fail(broken(), attempt).value();
    EXPECT_LE(wait, most);
    EXPECT_GE(wait, 0.75 * most);
  }
  EXPECT_FALSE(fail(broken(), 8));
  LlmFailure later = broken();
  later.retry_after_s = 33;
  EXPECT_EQ(fail(later, 1), 33);
  EXPECT_EQ(flow.wait_s(0, 1, 1), 0);  // no overload: only this request waits
  for (const LlmVerdict verdict : {LlmVerdict::fail_row, LlmVerdict::stop_run})
    EXPECT_FALSE(fail({.verdict = verdict}, 1));
  EXPECT_EQ(fail(overloaded(429, 40), 1), 40);
  EXPECT_EQ(flow.wait_s(10, 1, 1), 30);
  EXPECT_FALSE(flow.gave_up(0));
  fail(overloaded(429, 5'000), 1);
  EXPECT_TRUE(flow.gave_up(0));  // longer than anybody waits
}

TEST(FlowControl, TheBreakerSendsOneProbeAtATime) {
  const auto about = [](double wait, double most) { return wait <= most && wait >= 0.75 * most; };
  FlowControl flow(
      {.concurrency = 64, .breaker_failures = 3, .breaker_wait_s = 10, .breaker_max_wait_s = 30});
  for (int i = 0; i < 4; i++) flow.started(0, 1, 1);
  for (int i = 0; i < 3; i++) flow.failed(0, broken(), 1, {});
  EXPECT_TRUE(about(flow.wait_s(0, 1, 1), 10));  // the fourth hangs, and holds nobody back
  EXPECT_EQ(flow.wait_s(10, 1, 1), 0);
  flow.started(10, 1, 1);
  EXPECT_EQ(flow.wait_s(10, 1, 1), kInfinity);
  EXPECT_THAT(flow.waiting_for(10), HasSubstr("trying again"));
  flow.failed(11, broken(), 2, {});
  EXPECT_TRUE(about(flow.wait_s(11, 1, 1), 20));  // doubled
  flow.started(31, 1, 1);
  flow.failed(31, overloaded(529), 3, {});
  EXPECT_TRUE(about(flow.wait_s(31, 1, 1), 30));  // the longest
  flow.started(61, 1, 1);
  flow.succeeded(62, {}, {});
  EXPECT_EQ(flow.waiting_for(62), "");
  EXPECT_EQ(flow.wait_s(62, 1, 1), 0);
  flow.succeeded(62, {}, {});  // the one that hung
  EXPECT_EQ(flow.in_flight(), 0);
}

TEST(FlowControl, LimitsLongerThanAMinute) {
  FlowControl flow({});
  flow.started(0, 1, 1);  // 8,640 seconds for 1,000 of 10,000: a limit a day
  flow.succeeded(0, {.requests = {10'000, 9'000, 8'640}}, {});
  EXPECT_EQ(flow.wait_s(0, 1, 1), 0);
  flow.started(0, 1, 1);
  flow.succeeded(0, {.requests = {10'000, 0, 86'400}}, {});
  EXPECT_NEAR(flow.wait_s(0, 1, 1), 8.64, 0.01);
}

}  // namespace
}  // namespace chatmem
