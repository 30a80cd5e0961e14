// What one request was and what became of it: a line of the log, and what the metrics count.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "serve/engine.h"

namespace chatmem {

struct RequestRecord {
  using Clock = std::chrono::steady_clock;

  std::string id, method;
  std::string route = "other";  // a path that is served; one that is not is "other"
  Clock::time_point begun = Clock::now();
  std::optional<Clock::time_point> ended;
  // Of HTTP; where an answer broke off after its headers, what it would have had: 499 when the
  // client left, 500, 504.
  int status = 0;
  std::string error;  // empty: none

  // Of requests that ask a model
  std::string model;
  bool streams = false;
  int n = 1;  // answers
  std::optional<Usage> usage;
  std::string finish;  // reasons of the answers, joined by ","
  std::optional<Clock::time_point> started, first_token, last_token;
  std::string question, answer;  // with --log-content
};

// One line of JSON; times in ms since it came: when it left the queue, of its first token, of its
// end.
std::string log_line(const RequestRecord& record, std::string_view time);

}  // namespace chatmem
