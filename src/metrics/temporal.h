// How a summary keeps to the times of its chat. Rules, limits and figures: docs/temporal.md.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "metrics/chat_facts.h"
#include "text/time_expressions.h"

namespace chatmem {

enum class TimeStanding {
  written,   // a message was written on one of the days meant
  named,     // a message names one of them, or a stretch that lies within them
  told_now,  // it is as_of itself, "as of today", with no message on it
  invented,  // neither
  untold     // the text does not tell which day
};

struct JudgedTime {
  TimeExpression expression;
  TimeStanding standing = TimeStanding::untold;
  int days_off = 0;  // to the nearest day of the chat; 0 unless it is invented

  // Whether it counts in the figures: not stretches ("the past few months"), as_of, or what the
  // text leaves open.
  bool counts() const {
    return expression.kind != TimeKind::period && standing != TimeStanding::told_now &&
           standing != TimeStanding::untold;
  }
};

// Sums that can be added over summaries. Ratios of nothing are NaN.
struct TemporalCounts {
  int counted = 0, right = 0;          // expressions; right: written or named
  int days = 0, told_days = 0;         // of the chat; an expression tells of one day at most
  int in_order = 0, out_of_order = 0;  // pairs of counted expressions whose days do not overlap
  double days_off = 0;                 // the sum over counted expressions

  double precision() const;
  double recall() const;
  double f1() const;  // 0 when nothing was right
  double mean_days_off() const;
  // Kendall's tau of the order in the text against the order of the days; overlapping days are ties
  // and left out.
  double event_order() const;
  TemporalCounts& operator+=(const TemporalCounts& other);
};

struct TemporalJudgement {
  std::vector<JudgedTime> times;  // in the order of the text
  TemporalCounts counts;
};

// Time O(n log n) in the expressions and days.
TemporalJudgement judge_times(std::string_view summary, const ChatFacts& chat);

}  // namespace chatmem
