// libFuzzer: the expressions of time, the numbers and the names of any text are spans in order and
// without overlap, ranges are not reversed, and every judgement is one that can be counted. The
// first line is the summary, the rest a chat.
#include <cstdint>

#include "base/error.h"
#include "metrics/grounding.h"
#include "metrics/temporal.h"
#include "text/numbers.h"

namespace {

using namespace chatmem;

template <typename Mentions>
void check_spans(const Mentions& mentions, std::string_view text) {
  size_t end = 0;
  for (const auto& mention : mentions) {
    CHECK(mention.begin >= end && mention.begin < mention.end && mention.end <= text.size());
    end = mention.end;
  }
}

void check_times(std::string_view text, Date as_of) {
  const auto found = time_expressions(text, {.as_of = as_of});
  check_spans(found, text);
  for (const TimeExpression& expression : found) {
    CHECK(expression.month >= 0 && expression.month <= 12);
    CHECK(expression.day >= 0 && expression.day <= 31);
    for (const auto& range : {expression.when, expression.or_else})
      if (range) CHECK(range->earliest <= range->latest);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  // Days from 1 of our era to 9999.
  const Date as_of = Date(std::chrono::days(-719'000 + 55 * (data[0] * 256 + data[1])));
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view summary = input.substr(0, end);
  check_times(input, as_of);
  check_spans(numbers_in(input), input);
  Conversation chat;
  chat.as_of = as_of;
  chat.messages.push_back({format_date(as_of - std::chrono::days(3)) + " 10:00",
                           "Nora: " + std::string(input.substr(end))});
  const ChatFacts facts(chat);
  const TemporalJudgement judgement = judge_times(summary, facts);
  const TemporalCounts& counts = judgement.counts;
  CHECK(counts.right <= counts.counted && counts.counted <= int(judgement.times.size()));
  CHECK(counts.told_days <= counts.days && counts.days_off >= 0);
  const Grounding grounding = ground(summary, facts);
  check_spans(grounding.names, summary);
  check_spans(grounding.numbers, summary);
  return 0;
}
