#include "serve/server_metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace chatmem {
namespace {

double seconds_between(RequestRecord::Clock::time_point from, RequestRecord::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string one_value(const char* name, const char* type, const char* help, double value) {
  return fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}
std::string counter(const char* name, const char* help, int64_t value) {
  return one_value(name, "counter", help, double(value));
}
std::string gauge(const char* name, const char* help, double value) {
  return one_value(name, "gauge", help, value);
}

std::string engine_text(const EngineStats& s) {
  return gauge("chatmem_requests_waiting", "Requests in the queue.", s.waiting) +
         gauge("chatmem_requests_running", "Requests that the model works on.", s.running) +
         counter("chatmem_draft_tokens_total", "Tokens guessed ahead.", s.tokens.drafted_tokens) +
         counter("chatmem_draft_tokens_accepted_total", "Tokens guessed ahead that were right.",
                 s.tokens.accepted_tokens) +
         gauge("chatmem_kv_bytes", "Bytes of the pool of keys and values.",
               double(s.kv.total_bytes)) +
         gauge("chatmem_kv_used_bytes", "Bytes of it that running requests hold.",
               double(s.kv.used_bytes)) +
         gauge("chatmem_kv_cached_bytes", "Bytes of it that hold the beginnings of earlier ones.",
               double(s.kv.cached_bytes));
}

}  // namespace

ServerMetrics::Histogram::Histogram(std::vector<double> upper)
    : bounds(std::move(upper)), counts(bounds.size() + 1) {}

void ServerMetrics::Histogram::observe(double seconds) {
  const auto bucket = std::ranges::lower_bound(bounds, seconds);
  counts[size_t(bucket - bounds.begin())]++;
  sum += seconds;
}

std::string ServerMetrics::Histogram::text(const char* name, const char* help) const {
  std::string out = fmt::format("# HELP {0} {1}\n# TYPE {0} histogram\n", name, help);
  int64_t total = 0;
  for (size_t i = 0; i < bounds.size(); i++) {
    total += counts[i];
    out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bounds[i], total);
  }
  total += counts.back();
  out +=
      fmt::format("{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name, total, sum);
  return out;
}

ServerMetrics::ServerMetrics()
    : ttft_({0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}),
      tpot_({0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}),
      seconds_({0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}) {}

void ServerMetrics::count(const RequestRecord& r) {
  const std::lock_guard lock(mutex_);
  requests_[{r.route, r.status}]++;
  if (r.first_token) ttft_.observe(seconds_between(r.begun, *r.first_token));
  if (!r.usage) return;
  if (r.ended) seconds_.observe(seconds_between(r.begun, *r.ended));
  const int more = r.usage->completion_tokens / std::max(r.n, 1) - 1;  // of one answer
  if (r.first_token && r.last_token && more > 0)
    tpot_.observe(seconds_between(*r.first_token, *r.last_token) / more);
  prompt_tokens_ += r.usage->prompt_tokens;
  cached_tokens_ += r.usage->cached_tokens;
  completion_tokens_ += r.usage->completion_tokens;
  asked_++;
  if (r.usage->cached_tokens > 0) hits_++;
}

std::string ServerMetrics::text(const Engine* engine, int connections) const {
  std::string out = gauge("chatmem_ready", "1 when the model is loaded.", engine != nullptr);
  out += gauge("chatmem_connections", "Open connections.", connections);
  if (engine != nullptr) out += engine_text(engine->stats());
  const std::lock_guard lock(mutex_);
  out += "# HELP chatmem_requests_total Requests that have ended.\n";
  out += "# TYPE chatmem_requests_total counter\n";
  for (const auto& [key, count] : requests_)
    out += fmt::format("chatmem_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first,
                       key.second, count);
  out += ttft_.text("chatmem_time_to_first_token_seconds",
                    "From the request to the first token of its answer.");
  out += tpot_.text("chatmem_time_per_output_token_seconds",
                    "Of the tokens of an answer after the first.");
  out += seconds_.text("chatmem_request_seconds", "From the request to the end of its answer.");
  out += counter("chatmem_prompt_tokens_total", "Tokens of prompts.", prompt_tokens_);
  out += counter("chatmem_prompt_tokens_cached_total", "Those that needed no computation.",
                 cached_tokens_);
  out += counter("chatmem_completion_tokens_total", "Tokens of answers.", completion_tokens_);
  out += counter("chatmem_prefix_cache_queries_total", "Requests with an answer.", asked_);
  out += counter("chatmem_prefix_cache_hits_total",
                 "Those of which a part of the prompt needed no computation.", hits_);
  return out;
}

}  // namespace chatmem
