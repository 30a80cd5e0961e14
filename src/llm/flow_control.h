// How many requests may be in flight, and when the next may start: limits a minute learnt from the
// answers, additive increase and multiplicative decrease, a circuit breaker. Pure logic: times are
// seconds of the caller's monotone clock, so that tests play them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "llm/api.h"

namespace chatmem {

struct FlowOptions {
  int concurrency = 16;          // never more in flight
  double requests_a_minute = 0;  // 0: what the headers say, else no limit
  double input_tokens_a_minute = 0, output_tokens_a_minute = 0;
  int max_attempts = 8;      // of one request, until the failure counts as final
  int breaker_failures = 8;  // in a row, without a success between: all sending pauses
  double breaker_wait_s = 15, breaker_max_wait_s = 120;
  double give_up_s = 900;  // without one success while the breaker is open: the run ends
  uint64_t seed = 0;       // of the spread of waits
};

class FlowControl {
 public:
  explicit FlowControl(FlowOptions options);

  // Seconds until a request of about so many tokens may start; 0: now. Infinity: not before another
  // ends.
  double wait_s(double now, int64_t input_tokens, int64_t output_tokens) const;
  void started(double now, int64_t input_tokens, int64_t output_tokens);
  // Each started request ends with exactly one of these three.
  void succeeded(double now, const LlmLimits& limits, const LlmUsage& usage);
  // Seconds after which the attempt may be repeated (retry-after, else the back-off 0.5 s * 2^n up
  // to 8 s, spread by a quarter); none when attempt (from 1) was the last.
  std::optional<double> failed(double now, const LlmFailure& failure, int attempt,
                               const LlmLimits& limits);
  void abandoned(double now);

  int in_flight() const;
  double window() const;  // of requests in flight that the endpoint has shown to bear
  // What it waits for, for a person: "api.anthropic.com is overloaded (529), next try in 14 s";
  // empty while it sends.
  std::string waiting_for(double now) const;
  // The breaker has been open for give_up_s without a success.
  bool gave_up(double now) const;

 private:
  FlowOptions options_;
};

}  // namespace chatmem
