#include "metrics/temporal.h"

#include <algorithm>
#include <limits>
#include <queue>

namespace chatmem {
namespace {

double share(double part, double whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN() : part / whole;
}

// The first day of the chat in the range; absent when there is none.
std::optional<Date> day_in(const DateRange& range, const std::vector<Date>& days) {
  const auto day = std::lower_bound(days.begin(), days.end(), range.earliest);
  if (day == days.end() || *day > range.latest) return std::nullopt;
  return *day;
}

bool overlaps(const DateRange& range, const std::vector<DateRange>& apart) {
  const auto after =
      std::upper_bound(apart.begin(), apart.end(), range.latest,
                       [](Date day, const DateRange& other) { return day < other.earliest; });
  return after != apart.begin() && std::prev(after)->latest >= range.earliest;
}

// Whether one of the stretches, in the order of their begins, lies within the range; of weeks,
// which one counts by the calendar and another by sevens of days, half is enough.
bool holds_one(const DateRange& range, TimeUnit granularity,
               const std::vector<DateRange>& stretches) {
  const auto room = std::chrono::days(granularity == TimeUnit::week ? 4 : 0);
  auto stretch =
      std::lower_bound(stretches.begin(), stretches.end(), range.earliest - room,
                       [](const DateRange& one, Date day) { return one.earliest < day; });
  for (; stretch != stretches.end() && stretch->earliest <= range.latest; ++stretch)
    if (stretch->latest <= range.latest + room) return true;
  return false;
}

int days_to_nearest(const DateRange& range, const std::vector<Date>& days) {
  const auto after = std::lower_bound(days.begin(), days.end(), range.earliest);
  int nearest = std::numeric_limits<int>::max();
  if (after != days.end()) nearest = range.days_from(*after);
  if (after != days.begin()) nearest = std::min(nearest, range.days_from(*std::prev(after)));
  return nearest;
}

JudgedTime judge(const TimeExpression& expression, const ChatFacts& chat) {
  JudgedTime judged{expression};
  if (!expression.when) return judged;
  std::vector<DateRange> readings = {*expression.when};
  if (expression.or_else) readings.push_back(*expression.or_else);
  const auto any = [&](const auto& holds) {
    return std::any_of(readings.begin(), readings.end(), holds);
  };
  if (any([&](const DateRange& range) { return day_in(range, chat.days).has_value(); })) {
    judged.standing = TimeStanding::written;
  } else if (readings.front() == DateRange{chat.as_of, chat.as_of}) {
    judged.standing = TimeStanding::told_now;
  } else if (any([&](const DateRange& range) {
               return overlaps(range, chat.named_days) ||
                      holds_one(range, expression.granularity, chat.named_stretches);
             })) {
    judged.standing = TimeStanding::named;
  } else if (chat.days.empty()) {
    judged.standing = TimeStanding::untold;
  } else {
    judged.standing = TimeStanding::invented;
    judged.days_off = days_to_nearest(readings.front(), chat.days);
    if (readings.size() > 1)
      judged.days_off = std::min(judged.days_off, days_to_nearest(readings.back(), chat.days));
  }
  return judged;
}

// The reading by which a message day is meant.
DateRange reading(const JudgedTime& time, const ChatFacts& chat) {
  const auto& [when, or_else] = std::tie(time.expression.when, time.expression.or_else);
  return or_else && !day_in(*when, chat.days) && day_in(*or_else, chat.days) ? *or_else : *when;
}

// The most days that can be told when each range tells of one: a maximum matching of points and
// intervals. Each day goes to the range that ends first (F. Glover 1967).
int matched_days(std::vector<DateRange> ranges, const std::vector<Date>& days) {
  std::sort(ranges.begin(), ranges.end(),
            [](const DateRange& a, const DateRange& b) { return a.earliest < b.earliest; });
  std::priority_queue<Date, std::vector<Date>, std::greater<>> open;  // by their latest days
  size_t next = 0;
  int matched = 0;
  for (const Date day : days) {
    while (next < ranges.size() && ranges[next].earliest <= day) open.push(ranges[next++].latest);
    while (!open.empty() && open.top() < day) open.pop();
    if (open.empty()) continue;
    open.pop();
    matched++;
  }
  return matched;
}

// How many values were added up to a rank: P. M. Fenwick's tree (1994).
class RankCounts {
 public:
  explicit RankCounts(size_t n) : sums_(n + 1) {}
  void add(size_t rank) {
    for (size_t i = rank + 1; i < sums_.size(); i += i & (~i + 1)) sums_[i]++;
  }
  int below(size_t rank) const {  // of ranks 0 ... rank - 1
    int sum = 0;
    for (size_t i = rank; i > 0; i -= i & (~i + 1)) sum += sums_[i];
    return sum;
  }

 private:
  std::vector<int> sums_;
};

void count_order(const std::vector<DateRange>& ranges, TemporalCounts& counts) {
  std::vector<Date> ends;
  for (const DateRange& range : ranges) ends.insert(ends.end(), {range.earliest, range.latest});
  std::sort(ends.begin(), ends.end());
  const auto rank = [&](Date day) {
    return size_t(std::lower_bound(ends.begin(), ends.end(), day) - ends.begin());
  };
  RankCounts earliest(ends.size()), latest(ends.size());
  int n = 0;
  for (const DateRange& range : ranges) {
    counts.in_order += latest.below(rank(range.earliest));
    // Those that begin after its end.
    counts.out_of_order += n - earliest.below(rank(range.latest + std::chrono::days(1)));
    earliest.add(rank(range.earliest));
    latest.add(rank(range.latest));
    n++;
  }
}

}  // namespace

double TemporalCounts::precision() const { return share(right, counted); }
double TemporalCounts::recall() const { return share(told_days, days); }
double TemporalCounts::f1() const {
  if (counted == 0 && days == 0) return std::numeric_limits<double>::quiet_NaN();
  if (right == 0 || told_days == 0) return 0;
  return 2 * precision() * recall() / (precision() + recall());
}
double TemporalCounts::mean_days_off() const { return share(days_off, counted); }
double TemporalCounts::event_order() const {
  return share(in_order - out_of_order, in_order + out_of_order);
}

TemporalCounts& TemporalCounts::operator+=(const TemporalCounts& other) {
  counted += other.counted, right += other.right;
  days += other.days, told_days += other.told_days;
  in_order += other.in_order, out_of_order += other.out_of_order;
  days_off += other.days_off;
  return *this;
}

TemporalJudgement judge_times(std::string_view summary, const ChatFacts& chat) {
  TemporalJudgement judgement;
  TimeContext context{.as_of = chat.as_of};
  if (!chat.days.empty()) context.since = chat.days.front();
  std::vector<DateRange> counted;
  for (const TimeExpression& expression : time_expressions(summary, context)) {
    const JudgedTime& time = judgement.times.emplace_back(judge(expression, chat));
    if (!time.counts()) continue;
    counted.push_back(reading(time, chat));
    judgement.counts.right += time.standing != TimeStanding::invented;
    judgement.counts.days_off += time.days_off;
  }
  judgement.counts.counted = int(counted.size());
  judgement.counts.days = int(chat.days.size());
  judgement.counts.told_days = matched_days(counted, chat.days);
  count_order(counted, judgement.counts);
  return judgement;
}

}  // namespace chatmem
