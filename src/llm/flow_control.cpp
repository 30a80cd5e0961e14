#include "llm/flow_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/progress.h"

namespace chatmem {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kFirstWindow = 4;
// Resets within a minute are those of limits a minute; longer ones belong to limits a day.
constexpr double kMinuteS = 60;
constexpr double kLongerThanAMinuteS = 61;
// The share of an option's limit that may go out at once: with it, no minute is overrun by more.
constexpr double kBurstShare = 1 / 60.0;
constexpr double kFirstBackoffS = 0.5, kMaxBackoffS = 8, kSpread = 0.25;
// Pacing shorter than this is sending, not waiting.
constexpr double kShownWaitS = 2;

}  // namespace

void FlowControl::Bucket::limit_to(double a_minute) {
  if (a_minute <= 0) return;
  fixed = true;
  rate = a_minute / kMinuteS;
  capacity = level = std::max(1.0, a_minute * kBurstShare);
}

double FlowControl::Bucket::level_at(double now) const {
  return std::min(capacity, level + rate * std::max(0.0, now - at));
}

double FlowControl::Bucket::wait_s(double now, double need) const {
  if (rate <= 0) return 0;
  const double missing = std::min(need, capacity) - level_at(now);
  // What rounding leaves missing is less than any request.
  return missing > 1e-6 ? missing / rate : 0;
}

void FlowControl::Bucket::take(double now, double need) {
  reserved += need;
  level = level_at(now) - need;
  at = now;
}

// Which request ended is not known here, so it counts as having reserved the mean; once all have
// ended the sum is right.
void FlowControl::Bucket::settle(double now, int in_flight, std::optional<double> used) {
  const double share = reserved / in_flight;
  reserved = in_flight == 1 ? 0 : reserved - share;
  if (!used || rate <= 0) return;
  level = std::min(capacity, level_at(now) + share - *used);
  at = now;
}

// What headers say may be as old as the request was long, so they only ever lower the level: in
// between, the bucket fills by the limit they name.
void FlowControl::Bucket::learn(double now, const LlmLimit& limit) {
  if (fixed || limit.limit <= 0) return;
  const double remaining =
      limit.remaining >= 0 ? std::min(double(limit.remaining), double(limit.limit)) : kInfinity;
  const bool first = rate <= 0;
  level = std::min(first ? double(limit.limit) : level_at(now), remaining);
  at = now;
  capacity = double(limit.limit);
  rate = capacity / kMinuteS;
  // A window longer than a minute fills as slowly as it says; a full one tells nothing.
  if (limit.reset_s > kLongerThanAMinuteS && remaining < capacity)
    rate = (capacity - remaining) / limit.reset_s;
}

FlowControl::FlowControl(FlowOptions options)
    : options_(options),
      random_(options.seed),
      window_(std::min(options.concurrency, kFirstWindow)),
      cool_until_(-kInfinity),
      open_wait_s_(options.breaker_wait_s) {
  CHECK(options.concurrency >= 1 && options.max_attempts >= 1 && options.breaker_failures >= 1);
  buckets_[kRequests].of = "requests";
  buckets_[kInput].of = "input tokens";
  buckets_[kOutput].of = "output tokens";
  buckets_[kTokens].of = "tokens";
  buckets_[kRequests].limit_to(options.requests_a_minute);
  buckets_[kInput].limit_to(options.input_tokens_a_minute);
  buckets_[kOutput].limit_to(options.output_tokens_a_minute);
}

double FlowControl::limits_wait_s(double now, int64_t input_tokens, int64_t output_tokens) const {
  const double input = double(input_tokens), output = double(output_tokens);
  return std::max({buckets_[kRequests].wait_s(now, 1), buckets_[kInput].wait_s(now, input),
                   buckets_[kOutput].wait_s(now, output),
                   buckets_[kTokens].wait_s(now, input + output)});
}

double FlowControl::wait_s(double now, int64_t input_tokens, int64_t output_tokens) const {
  // While the breaker is open, one probe at a time, beside those that hang since before.
  if (in_flight_ >= (open_ ? stragglers_ + 1 : int(window_))) return kInfinity;
  double wait = std::max(0.0, cool_until_ - now);
  if (open_) wait = std::max(wait, open_until_ - now);
  return std::max(wait, limits_wait_s(now, input_tokens, output_tokens));
}

void FlowControl::started(double now, int64_t input_tokens, int64_t output_tokens) {
  in_flight_++;
  probed_ = open_;
  last_input_tokens_ = input_tokens;
  last_output_tokens_ = output_tokens;
  buckets_[kRequests].take(now, 1);
  buckets_[kInput].take(now, double(input_tokens));
  buckets_[kOutput].take(now, double(output_tokens));
  buckets_[kTokens].take(now, double(input_tokens + output_tokens));
}

// Without usage what was reserved counts as used.
void FlowControl::end_one(double now, const std::optional<LlmUsage>& usage) {
  CHECK(in_flight_ > 0);
  std::optional<double> input, output, both;
  if (usage) {
    input = double(usage->input + usage->cache_write);
    output = double(usage->output);
    both = *input + *output;
  }
  buckets_[kRequests].settle(now, in_flight_, {});
  buckets_[kInput].settle(now, in_flight_, input);
  buckets_[kOutput].settle(now, in_flight_, output);
  buckets_[kTokens].settle(now, in_flight_, both);
  in_flight_--;
  stragglers_ = std::min(stragglers_, in_flight_);
}

void FlowControl::learn(double now, const LlmLimits& limits) {
  buckets_[kRequests].learn(now, limits.requests);
  buckets_[kInput].learn(now, limits.input_tokens);
  buckets_[kOutput].learn(now, limits.output_tokens);
  buckets_[kTokens].learn(now, limits.tokens);
}

void FlowControl::succeeded(double now, const LlmLimits& limits, const LlmUsage& usage) {
  const bool said = usage.input + usage.cache_read + usage.output > 0;
  end_one(now, said ? std::optional(usage) : std::nullopt);
  learn(now, limits);
  close_breaker();
  if (same_round_ > 0)
    same_round_--;
  else
    window_ += slow_start_ ? 1 : 1 / window_;
  window_ = std::min(window_, double(options_.concurrency));
}

std::optional<double> FlowControl::failed(double now, const LlmFailure& failure, int attempt,
                                          const LlmLimits& limits) {
  CHECK(attempt >= 1);
  // What is refused costs no tokens; what broke off may have.
  end_one(now, failure.maybe_billed ? std::nullopt : std::optional(LlmUsage{}));
  learn(now, limits);
  if (failure.verdict != LlmVerdict::retry) {
    close_breaker();  // the endpoint lives: it is this request that it refuses
    same_round_ = std::max(0, same_round_ - 1);
    return std::nullopt;
  }
  last_failure_ = failure.message;
  if (failure.overloaded) {
    overload(now, failure);
  } else {
    same_round_ = std::max(0, same_round_ - 1);
    count_failure(now);
  }
  // A dead or overloaded endpoint is not this request's fault: then the breaker decides.
  const bool of_endpoint = open_ && (failure.unreachable || failure.overloaded);
  if (attempt >= options_.max_attempts && !of_endpoint) return std::nullopt;
  if (failure.retry_after_s) return *failure.retry_after_s;
  // The policy of Anthropic's own clients.
  const double backoff =
      std::min(kFirstBackoffS * std::exp2(std::min(attempt - 1, 30)), kMaxBackoffS);
  return backoff * (1 - kSpread * random_.uniform());
}

void FlowControl::abandoned(double now) {
  end_one(now, {});
  same_round_ = std::max(0, same_round_ - 1);
}

// Those in flight together meet the same overload: it halves the window, and counts for the
// breaker, once.
void FlowControl::overload(double now, const LlmFailure& failure) {
  if (failure.retry_after_s) cool_until_ = std::max(cool_until_, now + *failure.retry_after_s);
  if (!open_) {
    slow_start_ = false;
    if (same_round_ > 0) {
      same_round_--;
      return;
    }
    window_ = std::max(1.0, window_ / 2);
    same_round_ = in_flight_;
  }
  count_failure(now);
}

void FlowControl::count_failure(double now) {
  failures_in_row_++;
  if (open_) {
    // Before the end of the wait no probe was out: that was a straggler.
    if (now < open_until_ || !probed_) return;
    open_wait_s_ = std::min(open_wait_s_ * 2, options_.breaker_max_wait_s);
  } else {
    if (failures_in_row_ < options_.breaker_failures) return;
    open_ = true;
    open_since_ = now;
    stragglers_ = in_flight_;
    same_round_ = 0;
    window_ = 1;  // and up again as at the beginning, once it is over
    slow_start_ = true;
  }
  probed_ = false;
  // Spread too, so that probes do not keep the time of a fault that comes and goes.
  open_until_ = now + open_wait_s_ * (1 - kSpread * random_.uniform());
}

void FlowControl::close_breaker() {
  open_ = false;
  probed_ = false;
  failures_in_row_ = 0;
  open_wait_s_ = options_.breaker_wait_s;
}

std::string FlowControl::waiting_for(double now) const {
  const double pause = std::max(cool_until_, open_ ? open_until_ : -kInfinity) - now;
  std::string_view reason = last_failure_;
  if (reason.starts_with('[')) reason.remove_prefix(std::min(reason.find(' ') + 1, reason.size()));
  if (pause > 0)
    return fmt::format("{}; next try in {}", reason, format_duration(std::ceil(pause)));
  if (open_) return fmt::format("{}; trying again", reason);
  const double wait = limits_wait_s(now, last_input_tokens_, last_output_tokens_);
  if (wait < kShownWaitS) return {};
  const double need[kBuckets] = {1, double(last_input_tokens_), double(last_output_tokens_),
                                 double(last_input_tokens_ + last_output_tokens_)};
  for (int i = 0; i < kBuckets; i++)
    if (buckets_[i].wait_s(now, need[i]) == wait)
      return fmt::format("the limit of {:.0f} {} a minute; next request in {}",
                         buckets_[i].rate * kMinuteS, buckets_[i].of,
                         format_duration(std::ceil(wait)));
  return {};
}

bool FlowControl::gave_up(double now) const {
  return (open_ && now - open_since_ >= options_.give_up_s) ||
         cool_until_ - now > options_.give_up_s;
}

}  // namespace chatmem
