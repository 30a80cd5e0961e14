// Tokens as the test double counts them: of requests, of the prompt cache, of the limits a minute.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "net/http.h"

namespace chatmem {

// A request as far as tokens go.
struct MeasuredPrompt {
  struct Prefix {
    uint64_t hash;
    int64_t tokens;
    bool one_hour;
  };
  int64_t tokens = 0;            // all input
  std::vector<Prefix> prefixes;  // that end with a cache mark and are long enough to be kept
};
MeasuredPrompt measure_prompt(const Json& params);

struct FakeUsage {
  int64_t input = 0, cache_write_5m = 0, cache_write_1h = 0, cache_read = 0, output = 0,
          thinking = 0;
};
Json to_json(const FakeUsage& usage, const std::string& service_tier);

// Prefixes never expire: a test is over before five minutes are.
class PromptCache {
 public:
  FakeUsage read(const MeasuredPrompt& prompt) const;
  void store(const MeasuredPrompt& prompt);

 private:
  std::unordered_set<uint64_t> kept_;
};

// Token buckets that fill continuously and hold a minute's amount at most.
class RateLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  RateLimits(double requests, double input_tokens, double output_tokens, Time now);

  // Takes the request; or takes nothing, and says how many seconds to wait. Cache reads are not
  // counted; output may overdraw its bucket, for it is known only afterwards.
  std::optional<double> take(const FakeUsage& usage, Time now);
  // anthropic-ratelimit-*; none without limits.
  HttpHeaders headers(Time now);

 private:
  struct Bucket {
    double limit = 0, level = 0;  // limit 0: none
    void fill(double seconds);
    double wait_s(double amount) const;
  };
  void fill(Time now);
  Bucket requests_, input_, output_;
  Time filled_;
};

// "2026-11-22T19:03:17Z", so many seconds from now.
std::string rfc3339_in(double seconds);

}  // namespace chatmem
