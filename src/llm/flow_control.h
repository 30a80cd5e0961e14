// How many requests may be in flight, and when the next may start: limits a minute learnt from the
// answers, additive increase and multiplicative decrease, a circuit breaker. Pure logic: times are
// seconds of the caller's monotone clock, so that tests play them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/random.h"
#include "llm/api.h"

namespace chatmem {

struct FlowOptions {
  int concurrency = 16;          // never more in flight
  double requests_a_minute = 0;  // 0: what the headers say, else no limit
  double input_tokens_a_minute = 0, output_tokens_a_minute = 0;
  int max_attempts = 8;      // of one request, until the failure counts as final
  int breaker_failures = 8;  // in a row, without a success between: all sending pauses
  double breaker_wait_s = 15, breaker_max_wait_s = 120;  // less up to a quarter, by chance
  double give_up_s = 900;  // without one success while the breaker is open: the run ends
  uint64_t seed = 0;       // of the spread of waits
};

class FlowControl {
 public:
  explicit FlowControl(FlowOptions options);

  // Seconds until a request of about so many tokens may start; 0: now. Infinity: not before another
  // ends. Tokens read from a cache count for no limit. A request larger than a whole minute's limit
  // starts when the minute is full.
  double wait_s(double now, int64_t input_tokens, int64_t output_tokens) const;
  void started(double now, int64_t input_tokens, int64_t output_tokens);
  // Each started request ends with exactly one of these three.
  void succeeded(double now, const LlmLimits& limits, const LlmUsage& usage);
  // Seconds after which the attempt may be repeated (retry-after, else the back-off 0.5 s * 2^n up
  // to 8 s, spread by a quarter); none when attempt (from 1) was the last or the verdict says so.
  // There is no last one while the breaker is open for an endpoint that is dead or overloaded.
  std::optional<double> failed(double now, const LlmFailure& failure, int attempt,
                               const LlmLimits& limits);
  void abandoned(double now);

  int in_flight() const { return in_flight_; }
  double window() const { return window_; }  // of requests in flight that the endpoint bears
  // What it waits for, for a person: "api.anthropic.com: status 529 overloaded_error: Overloaded;
  // next try in 14 s"; empty while it sends.
  std::string waiting_for(double now) const;
  const std::string& last_failure() const { return last_failure_; }  // that may pass
  // The breaker has been open for give_up_s without a success, or the endpoint has asked for a
  // longer wait than that.
  bool gave_up(double now) const;

 private:
  // A bucket that `rate` fills. Without a limit (rate 0) it holds nothing back.
  struct Bucket {
    std::string of;      // "requests"
    bool fixed = false;  // by an option: headers do not change it
    double rate = 0;     // a second
    double capacity = 0, level = 0, at = 0;
    double reserved = 0;  // estimates of what is in flight

    void limit_to(double a_minute);
    double level_at(double now) const;
    double wait_s(double now, double need) const;
    void take(double now, double need);
    // One of in_flight requests has ended, having used so much (none: not known).
    void settle(double now, int in_flight, std::optional<double> used);
    void learn(double now, const LlmLimit& limit);
  };
  enum { kRequests, kInput, kOutput, kTokens, kBuckets };

  void learn(double now, const LlmLimits& limits);
  void end_one(double now, const std::optional<LlmUsage>& usage);
  void overload(double now, const LlmFailure& failure);
  void count_failure(double now);
  void close_breaker();
  double limits_wait_s(double now, int64_t input_tokens, int64_t output_tokens) const;

  FlowOptions options_;
  Random random_;
  int in_flight_ = 0;
  double window_;
  bool slow_start_ = true;
  // Requests that were in flight at the last overload: until as many have ended, further overloads
  // are the same one.
  int same_round_ = 0;
  double cool_until_;  // the end of the latest retry-after
  Bucket buckets_[kBuckets];
  int64_t last_input_tokens_ = 0, last_output_tokens_ = 0;

  bool open_ = false;  // the breaker
  bool probed_ = false;
  int failures_in_row_ = 0;
  int stragglers_ = 0;  // in flight since before it opened
  double open_since_ = 0, open_until_ = 0, open_wait_s_;
  std::string last_failure_;
};

}  // namespace chatmem
