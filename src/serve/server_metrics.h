// The server's counters, in the text format of Prometheus (exposition format 0.0.4).
#pragma once
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "serve/engine.h"
#include "serve/request_record.h"

namespace chatmem {

// Safe to use from several threads.
class ServerMetrics {
 public:
  ServerMetrics();
  void count(const RequestRecord& ended);
  // connections: open now. The engine may be null while the model loads.
  std::string text(const Engine* engine, int connections) const;

 private:
  // Counts of observations up to each bound, and beyond the last.
  struct Histogram {
    std::vector<double> bounds;  // seconds, rising
    std::vector<int64_t> counts;
    double sum = 0;

    explicit Histogram(std::vector<double> upper);
    void observe(double seconds);
    std::string text(const char* name, const char* help) const;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int64_t> requests_;  // by route and status
  Histogram ttft_, tpot_, seconds_;
  int64_t prompt_tokens_ = 0, cached_tokens_ = 0, completion_tokens_ = 0, hits_ = 0, asked_ = 0;
};

}  // namespace chatmem
