#include "serve/request_record.h"

#include <cmath>

#include "base/json.h"
#include "base/utf8.h"

namespace chatmem {

std::string log_line(const RequestRecord& r, std::string_view time) {
  Json line = {
      {"time", time}, {"id", r.id}, {"method", r.method}, {"route", r.route}, {"status", r.status}};
  if (!r.error.empty()) line["error"] = replace_invalid_utf8(r.error);
  if (!r.model.empty()) {
    line["model"] = replace_invalid_utf8(r.model);
    line["stream"] = r.streams;
    line["n"] = r.n;
  }
  if (r.usage) {
    line["prompt_tokens"] = r.usage->prompt_tokens;
    line["cached_tokens"] = r.usage->cached_tokens;
    line["completion_tokens"] = r.usage->completion_tokens;
  }
  if (!r.finish.empty()) line["finish"] = r.finish;
  const auto add_ms = [&](const char* name, std::optional<RequestRecord::Clock::time_point> at) {
    if (!at) return;
    const double ms = std::chrono::duration<double, std::milli>(*at - r.begun).count();
    line[name] = std::round(ms * 10) / 10;
  };
  add_ms("queue_ms", r.started);
  add_ms("ttft_ms", r.first_token);
  add_ms("total_ms", r.ended);
  if (!r.question.empty()) line["question"] = replace_invalid_utf8(r.question);
  if (!r.answer.empty()) line["answer"] = replace_invalid_utf8(r.answer);
  return dump_json(line);
}

}  // namespace chatmem
