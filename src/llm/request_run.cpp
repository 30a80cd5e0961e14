#include "llm/request_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "base/error.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kStatusSeconds = 0.2;
constexpr int64_t kFramingTokens = 2000;  // what an API adds to roles, schema and system text
constexpr double kBytesPerToken = 3.5;    // of English, about
constexpr double kFirstOutputTokens = 1500;
// So many requests refused before the first answer: then it is not the rows, but what they share.
constexpr int64_t kRefusedAtFirst = 8;

size_t bytes_of(const LlmRequest& request) {
  size_t bytes = request.system.size();
  for (const LlmMessage& message : request.messages) bytes += message.content.size();
  if (request.schema) bytes += dump_json(*request.schema).size();
  return bytes;
}

class RequestRun {
 public:
  RequestRun(const LlmApi& api, Journal& journal, const RequestRunOptions& options,
             const std::function<std::optional<LlmJob>()>& next,
             const std::function<std::optional<LlmJob>(const LlmJobEnd&)>& done)
      : api_(api),
        journal_(journal),
        options_(options),
        next_(next),
        done_(done),
        flow_(options.flow) {}

  RequestRunResult run() {
    for (;;) {
      const double wait_s = fill();
      report(false);
      if (multi_.in_flight() == 0 && (ending() || nothing_left())) break;
      multi_.poll(int(std::ceil(std::clamp(wait_s, 0.001, kStatusSeconds) * 1000)));
      read_answers();
      if (!ending()) look_at_limits();
    }
    report(true);
    result_.status = status();
    return std::move(result_);
  }

 private:
  struct Attempt {
    LlmJob job;
    int64_t input_bound = 0;  // tokens; kept, because every look at the next request needs it
    int number = 1;
    double bound_usd = 0;
  };
  struct Answer {  // in the journal, not yet read
    Attempt attempt;
    HttpOutcome outcome;
  };

  double now() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  bool ending() const { return result_.end != RunEnd::completed; }
  bool nothing_left() const { return exhausted_ && ready_.empty() && waiting_.empty(); }

  void end(RunEnd how, std::string reason, std::string hint = {}) {
    if (ending()) return;  // the first reason is the cause of the others
    result_.end = how;
    result_.reason = std::move(reason);
    result_.hint = std::move(hint);
  }

  void look_at_limits() {
    if (options_.stop != nullptr && *options_.stop)
      end(RunEnd::stopped, "stopped by request");
    else if (flow_.gave_up(now()))
      end(RunEnd::gave_up,
          fmt::format("{} has not recovered within {:.0f} s: {}", api_.host(),
                      options_.flow.give_up_s, flow_.last_failure()),
          "what was answered is kept: the same command goes on from here");
  }

  // Sends what may be sent now; seconds until it is worth another look.
  double fill() {
    const double time = now();
    while (!waiting_.empty() && waiting_.begin()->first <= time) {
      ready_.push_front(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
    while (!ending()) {
      if (!proven_ && multi_.in_flight() > 0) break;
      if (ready_.empty() && !take_next()) break;
      Attempt& attempt = ready_.front();
      const double wait = flow_.wait_s(now(), input_estimate(attempt), int64_t(output_));
      if (wait > 0) return std::min(wait, until_retry());
      if (!affordable(attempt)) break;
      send(std::move(attempt));
      ready_.pop_front();
    }
    return until_retry();
  }

  double until_retry() const {
    return waiting_.empty() ? kStatusSeconds : std::max(0.0, waiting_.begin()->first - now());
  }

  bool take_next() {
    if (exhausted_) return false;
    std::optional<LlmJob> job = next_();
    if (job) ready_.push_back(first_attempt(std::move(*job)));
    exhausted_ = !job;
    return !exhausted_;
  }

  static Attempt first_attempt(LlmJob job) {
    const int64_t bound = input_tokens_bound(job.request);
    return {std::move(job), bound};
  }
  static int64_t input_estimate(const Attempt& attempt) {
    return int64_t(double(attempt.input_bound - kFramingTokens) / kBytesPerToken);
  }

  // Whether the worst case of this request fits what is left. When requests in flight may give back
  // some of their bounds, it waits for them.
  bool affordable(Attempt& attempt) {
    if (!options_.price) return true;
    attempt.bound_usd =
        options_.price->bound_usd(attempt.input_bound, attempt.job.request.max_tokens, false);
    if (journal_.committed_usd() + attempt.bound_usd <= options_.budget_usd) return true;
    if (multi_.in_flight() == 0)
      end(RunEnd::out_of_budget,
          fmt::format("the next request could cost ${:.4f}, of the budget of ${:.2f} are ${:.4f} "
                      "left",
                      attempt.bound_usd, options_.budget_usd,
                      std::max(0.0, options_.budget_usd - journal_.committed_usd())),
          "a higher --budget goes on from here");
    return false;
  }

  void send(Attempt attempt) {
    HttpCall call = api_.call(attempt.job.request);
    journal_.sent(attempt.job.key, attempt.bound_usd);
    flow_.started(now(), input_estimate(attempt), int64_t(output_));
    multi_.start(std::move(call),
                 [this, attempt = std::move(attempt)](HttpOutcome outcome) mutable {
                   finish(std::move(attempt), std::move(outcome));
                 });
  }

  void finish(Attempt attempt, HttpOutcome outcome) {
    const HttpResponse& response = outcome.response;
    if (outcome.error || response.status / 100 != 2)
      return fail(std::move(attempt), outcome, api_.parse_failure(outcome));
    journal_.received(
        attempt.job.key,
        {response.status, api_.request_id(response.headers), response.body, attempt.bound_usd},
        Durability::batched);
    answers_.push_back({std::move(attempt), std::move(outcome)});
  }

  // One flush for all that have come together; then they are safe, and may be read.
  void read_answers() {
    if (answers_.empty()) return;
    journal_.flush();
    for (Answer& answer : std::exchange(answers_, {}))
      read(std::move(answer.attempt), answer.outcome);
  }

  void read(Attempt attempt, const HttpOutcome& outcome) {
    const HttpResponse& response = outcome.response;
    std::optional<LlmUsage> usage;
    try {
      usage = api_.parse_answer(response.body).usage;
    } catch (const Error&) {
      // What was sold keeps its bound; the caller says what is wrong with it. A gateway's error
      // that only looks like an answer was not sold.
      const LlmFailure failure = api_.parse_failure(outcome);
      if (!failure.maybe_billed) {
        journal_.cost_less(attempt.job.key, attempt.bound_usd);
        return fail(std::move(attempt), outcome, failure);
      }
      flow_.failed(now(), failure, attempt.number, api_.parse_limits(response.headers));
    }
    if (usage) settle(attempt, *usage, api_.parse_limits(response.headers));
    proven_ = true;
    answered_++;
    follow({attempt.job, true, "", "", api_.request_id(response.headers)});
  }

  // What an answer has cost.
  void settle(const Attempt& attempt, const LlmUsage& usage, const LlmLimits& limits) {
    flow_.succeeded(now(), limits, usage);
    const double cost_usd = options_.price ? options_.price->cost_usd(usage, false) : 0;
    if (cost_usd < attempt.bound_usd)
      journal_.cost_less(attempt.job.key, attempt.bound_usd - cost_usd);
    usage_.input += usage.input;
    usage_.cache_write += usage.cache_write;
    usage_.cache_read += usage.cache_read;
    usage_.output += usage.output;
    if (usage.output > 0) output_ += (double(usage.output) - output_) / 16;
  }

  void fail(Attempt attempt, const HttpOutcome& outcome, const LlmFailure& failure) {
    journal_.failed(attempt.job.key, failure.maybe_billed ? attempt.bound_usd : 0, failure.message);
    const LlmLimits limits = api_.parse_limits(outcome.response.headers);
    const std::optional<double> wait = flow_.failed(now(), failure, attempt.number, limits);
    if (failure.verdict == LlmVerdict::stop_run) {
      end(RunEnd::refused, failure.message, failure.hint);
      return;  // the row itself has done nothing wrong: it stays for another run
    }
    if (failure.verdict == LlmVerdict::retry && wait) {
      retries_++;
      attempt.number++;
      waiting_.emplace(now() + *wait, std::move(attempt));
      return;
    }
    failed_++;
    if (!proven_ && failed_ >= kRefusedAtFirst)
      end(RunEnd::refused,
          fmt::format("none of the first {} requests was answered, the last one: {}", failed_,
                      failure.message),
          failure.hint);
    follow({attempt.job, false, failure.message, outcome.response.body,
            api_.request_id(outcome.response.headers)});
  }

  void follow(const LlmJobEnd& job_end) {
    if (std::optional<LlmJob> job = done_(job_end))
      ready_.push_front(first_attempt(std::move(*job)));
  }

  RequestRunStatus status() const {
    return {multi_.in_flight(),      answered_, failed_, retries_, usage_, journal_.spent_usd(),
            flow_.waiting_for(now())};
  }

  void report(bool last) {
    if (!options_.on_status || (!last && now() - reported_s_ < kStatusSeconds)) return;
    reported_s_ = now();
    options_.on_status(status());
  }

  const LlmApi& api_;
  Journal& journal_;
  const RequestRunOptions& options_;
  const std::function<std::optional<LlmJob>()>& next_;
  const std::function<std::optional<LlmJob>(const LlmJobEnd&)>& done_;
  const Clock::time_point begin_ = Clock::now();

  FlowControl flow_;
  std::deque<Attempt> ready_;
  std::vector<Answer> answers_;
  std::multimap<double, Attempt> waiting_;  // for their next try, by its time
  bool exhausted_ = false;                  // next() has no more
  bool proven_ = false;                     // an answer came
  double output_ = kFirstOutputTokens;      // tokens of an answer, a moving mean
  double reported_s_ = -1;
  int64_t answered_ = 0, failed_ = 0, retries_ = 0;
  LlmUsage usage_;
  RequestRunResult result_;
  HttpMulti multi_;  // ends first: its calls refer to the rest
};

}  // namespace

int64_t input_tokens_bound(const LlmRequest& request) {
  return int64_t(bytes_of(request)) + kFramingTokens;
}

int64_t input_tokens_estimate(const LlmRequest& request) {
  return int64_t(double(bytes_of(request)) / kBytesPerToken);
}

RequestRunResult run_requests(const LlmApi& api, Journal& journal, const RequestRunOptions& options,
                              const std::function<std::optional<LlmJob>()>& next,
                              const std::function<std::optional<LlmJob>(const LlmJobEnd&)>& done) {
  return RequestRun(api, journal, options, next, done).run();
}

}  // namespace chatmem
