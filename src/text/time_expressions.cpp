// A pass over the words with one function for each form of expression. Each looks at the words from
// a place on and says what it means and how many words it took; the first that matches decides.
#include "text/time_expressions.h"

#include <algorithm>
#include <initializer_list>

#include "base/error.h"
#include "text/quotations.h"
#include "text/time_amounts.h"
#include "text/time_tokens.h"

namespace chatmem {
namespace {

using std::chrono::days;

// What the words up to `next` mean.
struct Meaning {
  TimeKind kind = TimeKind::calendar;
  TimeUnit granularity = TimeUnit::day;
  std::optional<DateRange> when, or_else;
  size_t next = 0;
};

// Months that are also names, or verbs: a preposition of time must say that they are meant.
bool is_name_too(int month) { return (month >= 3 && month <= 6) || month == 8; }

std::optional<Date> day_of(int year, int month, int day) {
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                            std::chrono::day(unsigned(day))};
  if (!date.ok()) return std::nullopt;
  return Date(date);
}

DateRange one_day(Date day) { return {day, day}; }

std::optional<DateRange> range_of(std::optional<Date> day) {
  if (!day) return std::nullopt;
  return one_day(*day);
}

// What an expression may be told from.
struct Anchor {
  std::optional<DateRange> days;
  TimeUnit granularity = TimeUnit::day;
};

class Finder : TimeText {
 public:
  Finder(std::string_view text, const TimeContext& context)
      : TimeText(text),
        context_(context),
        as_of_(context.as_of),
        text_(text),
        quotations_(quotations(text)) {}

  std::vector<TimeExpression> run() {
    for (size_t i = 0; i < size();) {
      const TimeToken& token = at(i);
      i += token.kind == TimeWord::none && token.number < 0 ? 1 : std::max<size_t>(1, find(i));
    }
    return std::move(found_);
  }

 private:
  // How many tokens from i on are an expression.
  size_t find(size_t i) {
    size_t taken = 0;
    for (const auto rule : {&Finder::numeric, &Finder::weekday_and_date, &Finder::month_first,
                            &Finder::day_first, &Finder::day_alone})
      if (taken = (this->*rule)(i); taken > 0) return taken;
    // Such a day is told from what was before, and what follows from the day before the comma.
    const bool again = tells_again(i);
    const Anchor own = anchor_;
    if (again) anchor_ = before_;
    for (const auto rule :
         {&Finder::part, &Finder::ordinal_part, &Finder::rest_of, &Finder::counted, &Finder::period,
          &Finder::named_day, &Finder::deictic, &Finder::anchored, &Finder::beside_anchor,
          &Finder::bare_month, &Finder::bare_season, &Finder::bare_year, &Finder::bare_weekday})
      if (const auto meaning = (this->*rule)(i)) {
        taken = add(i, *meaning);
        break;
      }
    if (again) anchor_ = own;
    return taken;
  }

  // The day behind a comma is that before it, told a second time: "on June 9th, four days later".
  bool tells_again(size_t i) const {
    if (found_.empty() || found_.back().kind != TimeKind::calendar) return false;
    const size_t end = found_.back().end;
    const std::string_view between = text_.substr(end, at(i).begin - end);
    return between == ", " || between == ", the " || between == " (" || between == " (the ";
  }
  bool in_quotation(size_t begin) {
    while (next_quotation_ < quotations_.size() && quotations_[next_quotation_].end <= begin)
      next_quotation_++;
    return next_quotation_ < quotations_.size() && quotations_[next_quotation_].begin < begin;
  }

  // --- calendar days ---

  bool is_day(size_t i, bool plain) const {
    const TimeToken& token = at(i);
    if (token.n_digits > 2 || token.number < 1 || token.number > 31) return false;
    return token.ordinal || (plain && token.digits_alone());
  }
  bool is_number(size_t i, size_t min_digits, size_t max_digits) const {
    const TimeToken& token = at(i);
    return token.digits_alone() && token.n_digits >= min_digits && token.n_digits <= max_digits;
  }
  bool is_year(size_t i) const {
    return is_number(i, 4, 4) && at(i).number >= 1900 && at(i).number <= 2199;
  }
  bool is_month(size_t i) const { return kind(i) == TimeWord::month && at(i).prefix == 0; }

  // Of the ranges of years, the last that can be meant, see TimeContext::since.
  template <typename RangeOfYear>
  std::optional<DateRange> last_one(const RangeOfYear& range_of_year) const {
    std::optional<DateRange> last;
    // Within eight years there is a February 29th.
    for (int year = year_of(as_of_) + 1; year >= year_of(as_of_) - 8; year--) {
      const std::optional<DateRange> range = range_of_year(year);
      if (!range || range->earliest > as_of_ + days(92)) continue;
      if (!last) last = range;
      if (!context_.since || range->latest < *context_.since) break;
      if (range->earliest <= as_of_) return range;
    }
    return last;
  }
  std::optional<DateRange> resolved(std::optional<int> year, int month, int day) const {
    if (year) return range_of(day_of(*year, month, day));
    if (month == 0) return std::nullopt;
    return last_one([&](int y) { return range_of(day_of(y, month, day)); });
  }

  size_t add(size_t first, const Meaning& meaning) {
    TimeExpression expression{.begin = at(first).begin,
                              .end = at(meaning.next - 1).end,
                              .kind = meaning.kind,
                              .granularity = meaning.granularity,
                              .when = meaning.when,
                              .or_else = meaning.or_else};
    push(std::move(expression));
    return meaning.next - first;
  }
  void push(TimeExpression expression) {
    expression.quoted = in_quotation(expression.begin);
    if (expression.quoted && expression.kind != TimeKind::calendar)
      expression.when = expression.or_else = std::nullopt;
    // What follows is told from this one, unless it is the day of telling or a stretch up to it.
    const bool frame = expression.when && *expression.when == one_day(as_of_);
    if (expression.when && !frame && expression.kind != TimeKind::period) {
      before_ = anchor_;
      anchor_ = {expression.when, expression.granularity};
    }
    found_.push_back(std::move(expression));
  }
  void add_day(size_t first, size_t last, std::optional<int> year, int month, int day) {
    push({.begin = at(first).begin,
          .end = at(last).end,
          .when = resolved(year, month, day),
          .year = year,
          .month = month,
          .day = day});
  }
  // With the year where one follows; how many tokens it took.
  size_t add_with_year(size_t first, size_t last, int month, int day) {
    const bool year = is_year(last + 1) && (gap(last) == ", " || blank(last));
    const size_t end = last + (year ? 1 : 0);
    add_day(first, end, year ? std::optional(at(end).number) : std::nullopt, month, day);
    return end - first + 1;
  }

  // "2024-05-27", "5/27/2024", "27.5.2024".
  size_t numeric(size_t i) {
    if (i + 2 >= size() || gap(i) != gap(i + 1)) return 0;
    if (gap(i) != "-" && gap(i) != "/" && gap(i) != ".") return 0;
    const auto number = [&](size_t k) { return at(k).number; };
    // The time may follow without a blank: "2024-05-27T10:00".
    const bool ends = at(i + 2).n_digits <= 2 && at(i + 2).number >= 0;
    if (is_number(i, 4, 4) && is_number(i + 1, 1, 2) && ends) {
      if (number(i + 1) < 1 || number(i + 1) > 12 || number(i + 2) < 1 || number(i + 2) > 31)
        return 0;
      add_day(i, i + 2, number(i), number(i + 1), number(i + 2));
      return 3;
    }
    if (!is_number(i, 1, 2) || !is_number(i + 1, 1, 2) || !is_number(i + 2, 4, 4)) return 0;
    int month = number(i), day = number(i + 1);
    if (month > 12) std::swap(month, day);
    if (month < 1 || month > 12 || day < 1 || day > 31) return 0;
    add_day(i, i + 2, number(i + 2), month, day);
    if (day <= 12 && day != month)  // the day may have come first
      found_.back().or_else = range_of(day_of(number(i + 2), day, month));
    return 3;
  }

  // "Sunday, May 5th", "Monday the 10th of June".
  size_t weekday_and_date(size_t i) {
    if (kind(i) != TimeWord::weekday || (!blank(i) && gap(i) != ", ")) return 0;
    const size_t date = i + 1 + (is(i + 1, "the") && blank(i + 1) ? 1 : 0);
    size_t taken = month_first(date);
    if (taken == 0) taken = day_first(date);
    if (taken == 0) return 0;
    const auto first = std::find_if(found_.rbegin(), found_.rend(), [&](const auto& expression) {
      return expression.begin == at(date).begin;
    });
    CHECK(first != found_.rend());
    first->begin = at(i).begin;
    return date - i + taken;
  }

  // "May 27th", "May the 27th", "Jan. 5", "on May third", and what a range adds.
  size_t month_first(size_t i) {
    if (!is_month(i) || (!blank(i) && gap(i) != ". ")) return 0;
    const int month = at(i).value;
    size_t day = i + 1;
    if (is(day, "the") && blank(day)) day++;
    const bool spoken =
        kind(day) == TimeWord::ordinal && after_any(i, {"on", "since", "until", "by"});
    if (!is_day(day, true) && !spoken) return 0;
    const size_t taken = add_with_year(i, day, month, spoken ? at(day).value : at(day).number);
    return taken + range_end(i + taken - 1, month);
  }

  // "to 7th" and "-7" after a day of this month at token i. A year behind it is that of both.
  size_t range_end(size_t i, int month) {
    if (is_month(i + 2)) return 0;  // "May 3rd and June 4th", "May 3rd - 4 June"
    if (is_hyphen(i) && is_day(i + 1, true)) return add_range_end(i + 1, month);
    const bool through = is(i + 1, "to") || is(i + 1, "through");
    if ((!through && !is(i + 1, "and")) || !blank(i) || !blank(i + 1)) return 0;
    const size_t day = i + 2 + (is(i + 2, "the") && blank(i + 2) ? 1 : 0);
    const bool next_month = blank(day) && (is(day + 1, "of") || is_month(day + 1));
    if (!is_day(day, through) || next_month) return 0;  // "May 3rd to 7th June"
    // "May 3 to 7 people", "May 3 to 7:30"
    const bool counts = !at(day).ordinal && (blank(day) || gap(day) == ":") && !is_year(day + 1);
    if (counts && !is_any(day + 1, {"you", "he", "she", "they", "we", "it", "the", "a", "and"}))
      return 0;
    return day - i - 1 + add_range_end(day, month);
  }
  size_t add_range_end(size_t day, int month) {
    TimeExpression& first = found_.back();
    std::optional<int> year = first.year;
    const bool behind = is_year(day + 1) && (gap(day) == ", " || blank(day));
    if (behind) {
      year = at(day + 1).number;
      first.year = year;
      first.when = resolved(year, month, first.day);
    }
    add_day(day, day + (behind ? 1 : 0), year, month, at(day).number);
    return behind ? 2 : 1;
  }

  // "27th of May", "27 May 2024"; "4th and the 8th of March" is two.
  size_t day_first(size_t i) {
    if (!is_day(i, true) || !blank(i)) return 0;
    const size_t month = i + 1 + (is(i + 1, "of") && blank(i + 1) ? 1 : 0);
    if (is_month(month)) return add_with_year(i, month, at(month).value, at(i).number);
    if (!at(i).ordinal || !is_any(i + 1, {"and", "to", "through", "or"}) || !blank(i + 1)) return 0;
    const size_t other = i + 2 + (is(i + 2, "the") && blank(i + 2) ? 1 : 0);
    if (!is_day(other, true) || !blank(other)) return 0;
    const size_t shared = other + 1 + (is(other + 1, "of") && blank(other + 1) ? 1 : 0);
    if (!is_month(shared)) return 0;
    add_day(i, i, std::nullopt, at(shared).value, at(i).number);
    return 1;
  }

  // "on the 23rd", but not "on the 23rd floor".
  size_t day_alone(size_t i) {
    if (i < 2 || !is_day(i, false) || !after_any(i, {"the"}) || !after_any(i - 1, {"on"})) return 0;
    const bool last = i + 1 >= size();
    if (!last && blank(i) &&
        !is_any(i + 1, {"and", "but", "at", "when", "you", "he", "she", "they", "with", "about",
                        "to", "as"}))
      return 0;
    if (gap(i) == "-") return 0;
    add_day(i, i, std::nullopt, 0, at(i).number);
    place_in_month(found_.back());
    return 1;
  }
  // The first such day from the expression before it on, else the last one, or the next, from
  // as_of.
  void place_in_month(TimeExpression& expression) {
    if (expression.quoted) return;
    const auto near = [&](Date from, int step) -> std::optional<DateRange> {
      for (int n = 0; n <= 3; n++) {
        const Date month = add_months(from - days(day_of_month(from) - 1), n * step);
        const auto day = day_of(year_of(month), month_of(month), expression.day);
        if (day && (step > 0 ? *day >= from : *day <= from)) return one_day(*day);
      }
      return std::nullopt;
    };
    if (anchor_.days) {
      expression.when = near(anchor_.days->earliest, 1);
    } else {
      expression.when = near(as_of_, -1);
      expression.or_else = near(as_of_, 1);
    }
    if (expression.when) anchor_ = {expression.when, TimeUnit::day};
  }

  // --- months, seasons, years ---

  // The year behind a month or season: "May 2024", "summer of 2023", "January of this year".
  std::optional<int> year_behind(size_t i, size_t& next) const {
    next = i + 1;
    if (is_year(i + 1) && (blank(i) || gap(i) == ", ")) {
      next = i + 2;
      return at(i + 1).number;
    }
    if (!is(i + 1, "of") || !blank(i) || !blank(i + 1)) return std::nullopt;
    if (is_year(i + 2)) {
      next = i + 3;
      return at(i + 2).number;
    }
    if (!is(i + 3, "year") || !blank(i + 2)) return std::nullopt;
    if (!is_any(i + 2, {"this", "last", "next"})) return std::nullopt;
    next = i + 4;
    return year_of(as_of_) + step_of(at(i + 2).lower);
  }
  template <typename RangeOfYear>
  Meaning yearly_at(size_t i, TimeUnit unit, const RangeOfYear& range) const {
    Meaning meaning{.granularity = unit};
    const std::optional<int> year = year_behind(i, meaning.next);
    meaning.when = year ? range(*year) : last_one([&](int y) { return std::optional(range(y)); });
    return meaning;
  }
  Meaning month_at(size_t i) const {
    const int month = at(i).value;
    return yearly_at(i, TimeUnit::month, [&](int y) { return month_range(y, month); });
  }
  Meaning season_at(size_t i) const {
    const int season = at(i).value;
    return yearly_at(i, TimeUnit::season, [&](int y) { return season_range(y, season); });
  }
  Meaning year_at(size_t i) const {
    return {.granularity = TimeUnit::year,
            .when = unit_range(*day_of(at(i).number, 1, 1), TimeUnit::year),
            .next = i + 1};
  }

  std::optional<Meaning> bare_month(size_t i) {
    if (!is_month(i)) return std::nullopt;
    const Meaning meaning = month_at(i);
    if (meaning.next > i + 1) return meaning;  // its year says that it is one
    if (after_any(i, {"in", "since", "until", "till", "throughout", "during", "between", "around"}))
      return meaning;
    // "from April to June", "between March and June"
    const bool leads =
        joined(i + 1) && is_any(i + 1, {"to", "through", "until"}) && is_month(i + 2);
    const bool follows = after_any(i, {"and", "to", "through", "or"}) && i >= 2 && ends_at(i - 2);
    if (leads || follows) return meaning;
    if (is_name_too(at(i).value)) {
      if (after_any(i, {"by"}) && !blank(i)) return meaning;  // "by May,"
    } else if (after_any(i, {"from", "before", "after", "by", "of", "through"})) {
      return meaning;
    }
    return std::nullopt;
  }
  // Whether the last expression ends with token i.
  bool ends_at(size_t i) const { return !found_.empty() && found_.back().end == at(i).end; }
  std::optional<Meaning> bare_season(size_t i) {
    if (kind(i) != TimeWord::season || at(i).plural) return std::nullopt;
    const Meaning meaning = season_at(i);
    if (meaning.next > i + 1) return meaning;
    const bool the = after_any(i, {"the"});
    if (after_any(the ? i - 1 : i, {"in", "since", "until", "during", "throughout"}) &&
        (the || !is_any(i, {"fall"})))
      return meaning;
    return std::nullopt;
  }
  std::optional<Meaning> bare_year(size_t i) {
    if (!is_year(i) ||
        !after_any(i, {"in", "since", "until", "during", "throughout", "from", "by"}))
      return std::nullopt;
    if (is_hyphen(i) || gap(i) == "/") return std::nullopt;
    return year_at(i);
  }

  // --- parts of a unit ---

  struct Part {
    RangePart first, last;
    size_t next;
  };
  std::optional<RangePart> part_word(size_t i) const {
    if (at(i).prefix == 'e' || is(i, "early")) return RangePart::early;
    if (at(i).prefix == 'm' || is(i, "mid")) return RangePart::middle;
    if (at(i).prefix == 'l' || is(i, "late")) return RangePart::late;
    return std::nullopt;
  }
  // "early", "mid-", "early to mid-", "beginning of", "the end of the".
  std::optional<Part> part_at(size_t i) const {
    if (const auto first = part_word(i)) {
      if (at(i).prefix != 0) return Part{*first, *first, i};
      const bool hyphen = is_hyphen(i);
      if (!blank(i) && !hyphen) return std::nullopt;
      const auto last =
          is_any(i + 1, {"to", "or"}) && blank(i + 1) ? part_word(i + 2) : std::nullopt;
      if (last && *last > *first) return Part{*first, *last, at(i + 2).prefix != 0 ? i + 2 : i + 3};
      return Part{*first, *first, i + 1};
    }
    if (!is(i + 1, "of") || !blank(i) || !blank(i + 1)) return std::nullopt;
    const size_t next = i + 2 + (is_any(i + 2, {"the", "that"}) && blank(i + 2) ? 1 : 0);
    if (is_any(i, {"beginning", "start"})) return Part{RangePart::early, RangePart::early, next};
    if (is(i, "middle")) return Part{RangePart::middle, RangePart::middle, next};
    if (is(i, "end")) return Part{RangePart::late, RangePart::late, next};
    return std::nullopt;
  }
  std::optional<Meaning> part(size_t i) {
    const auto part = part_at(i);
    if (!part) return std::nullopt;
    const size_t k = part->next;
    std::optional<Meaning> whole;
    if (kind(k) == TimeWord::month) whole = month_at(k);
    if (kind(k) == TimeWord::season) whole = season_at(k);
    if (is_year(k)) whole = year_at(k);
    if (kind(k) == TimeWord::unit && !at(k).plural && after_any(k, {"the", "that"}))
      whole = unit_told(k);
    if (!whole) whole = deictic(k);
    if (!whole || whole->granularity == TimeUnit::day) return std::nullopt;
    if (whole->when)
      whole->when = DateRange{part_of(*whole->when, part->first).earliest,
                              part_of(*whole->when, part->last).latest};
    if (whole->or_else) whole->or_else.reset();
    if (whole->granularity == TimeUnit::month) whole->granularity = TimeUnit::week;
    if (whole->granularity == TimeUnit::year) whole->granularity = TimeUnit::season;
    return whole;
  }
  // "the month": that of the expression before it, else of as_of; "that month" needs one.
  Meaning unit_told(size_t i) const {
    const bool told = anchor_.days || is(i - 1, "that");
    Meaning meaning{.kind = told ? TimeKind::anchored : TimeKind::relative,
                    .granularity = TimeUnit(at(i).value),
                    .next = i + 1};
    if (anchor_.days || !told)
      meaning.when = unit_range(anchor_.days.value_or(one_day(as_of_)), meaning.granularity);
    return meaning;
  }

  // "first week of June", "second half of February".
  std::optional<Meaning> ordinal_part(size_t i) {
    const bool last = is(i, "last");
    if ((kind(i) != TimeWord::ordinal && !last) || !blank(i) || !is(i + 2, "of") || !blank(i + 1) ||
        !joined(i + 3) || !is_month(i + 3))
      return std::nullopt;
    const int n = last ? 0 : at(i).value;
    Meaning meaning = month_at(i + 3);
    const DateRange month = *meaning.when;
    if (is(i + 1, "half")) {
      if (n > 2) return std::nullopt;
      meaning.when = n == 1 ? DateRange{month.earliest, month.earliest + days(14)}
                            : DateRange{month.earliest + days(14), month.latest};
    } else if (is(i + 1, "week") && n <= 4) {
      // Weeks are counted from the first day or from the first Monday: two days either way.
      const Date first = last ? month.latest - days(6) : month.earliest + days(7 * (n - 1));
      meaning.when = DateRange{std::max(month.earliest, first - days(2)),
                               std::min(month.latest, first + days(8))};
    } else {
      return std::nullopt;
    }
    meaning.granularity = TimeUnit::week;
    return meaning;
  }

  // "earlier this month", "later that week", "earlier in the year", "earlier today".
  std::optional<Meaning> rest_of(size_t i) {
    const bool earlier = is(i, "earlier");
    if ((!earlier && !is(i, "later")) || !blank(i)) return std::nullopt;
    if (is(i + 1, "today"))
      return Meaning{.kind = TimeKind::relative, .when = one_day(as_of_), .next = i + 2};
    size_t k = i + 1;
    if (is(k, "in") && blank(k)) k++;
    if (!is_any(k, {"this", "that", "the"}) || !blank(k)) return std::nullopt;
    if (is(k, "the") && k == i + 1) return std::nullopt;
    const bool told = !is(k, "this");
    TimeUnit unit;
    if (kind(k + 1) == TimeWord::unit && !at(k + 1).plural)
      unit = TimeUnit(at(k + 1).value);
    else if (kind(k + 1) == TimeWord::season)
      unit = TimeUnit::season;
    else
      return std::nullopt;
    Meaning meaning{
        .kind = told ? TimeKind::anchored : TimeKind::relative, .granularity = unit, .next = k + 2};
    if (told && !anchor_.days) return meaning;
    const DateRange from = told ? *anchor_.days : one_day(as_of_);
    DateRange whole = unit_range(from, unit);
    if (unit == TimeUnit::season && !told) whole = *season_by("this", at(k + 1).value).when;
    meaning.when = earlier ? DateRange{whole.earliest, std::min(from.latest, whole.latest)}
                           : DateRange{std::max(from.earliest, whole.earliest), whole.latest};
    return meaning;
  }

  // --- counted units ---

  // A clause ends before token i, so that "the day before" has no object.
  bool clause_ends(size_t i) const {
    if (i >= size() || !blank(i - 1)) return true;
    if (is_any(i, {"that", "and", "but"})) return true;
    return is_any(i, {"you", "he", "she", "they", "we", "it", "i"}) && is(i + 1, "had");
  }

  // "about two weeks ago", "a few days later", "three days earlier", "two weeks from now".
  std::optional<Meaning> counted(size_t i) {
    size_t first;
    const Hedge hedge = hedge_at(*this, i, first);
    const auto amount = amount_at(*this, first);
    if (!amount || !joined(amount->next)) return std::nullopt;
    const size_t word = amount->next;
    Meaning meaning{.kind = TimeKind::relative, .granularity = amount->unit, .next = word + 1};
    if (is(word, "ago")) {
      meaning.when = stepped(one_day(as_of_), *amount, hedge, -1);
      return meaning;
    }
    if (is(word, "from") && is_any(word + 1, {"now", "today"}) && blank(word)) {
      meaning.when = stepped(one_day(as_of_), *amount, hedge, 1);
      meaning.next++;
      return meaning;
    }
    // "for a few weeks after that" is how long.
    const bool lasts = after_any(i, {"for"}) || (after_any(i, {"a"}) && after_any(i - 1, {"for"}));
    const bool alone = clause_ends(word + 1) && !lasts;
    const bool forward = is(word, "later") || (is(word, "after") && alone);
    if (kind(first) == TimeWord::unit) return std::nullopt;  // "weeks later" than a count before it
    const bool back = is(word, "earlier") || (is_any(word, {"before", "prior"}) && alone);
    if ((!forward && !back) || (is(word + 1, "than") && blank(word))) return std::nullopt;
    return from_anchor(meaning, *amount, hedge, forward ? 1 : -1);
  }
  Meaning from_anchor(Meaning meaning, const Amount& amount, Hedge hedge, int sign) const {
    meaning.kind = TimeKind::anchored;
    if (!anchor_.days) return meaning;
    meaning.granularity = std::max(amount.unit, anchor_.granularity);
    meaning.when = stepped(*anchor_.days, amount, hedge, sign);
    return meaning;
  }

  // "the past few months", "the last two weeks"; "over the past week", "over the last year".
  std::optional<Meaning> period(size_t i) {
    const bool past = is(i, "past");
    if ((!past && !is(i, "last")) || !blank(i) || !after_any(i, {"the", "these"}))
      return std::nullopt;
    auto amount = count_at(*this, i + 1) ? amount_at(*this, i + 1) : std::nullopt;
    if (!amount && kind(i + 1) == TimeWord::unit && (past || at(i + 1).plural || within(i - 1))) {
      amount = Amount{.unit = TimeUnit(at(i + 1).value), .next = i + 2};
      if (at(i + 1).plural) amount->low = 2, amount->high = 5;
    }
    if (!amount) return std::nullopt;
    return Meaning{.kind = TimeKind::period,
                   .granularity = amount->unit,
                   .when = DateRange{moved(as_of_, -amount->high, amount->unit), as_of_},
                   .next = amount->next};
  }
  // The word before i says that a stretch follows.
  bool within(size_t i) const {
    return after_any(i, {"over", "for", "during", "in", "within", "throughout"});
  }

  // --- days told from as_of ---

  std::optional<Meaning> named_day(size_t i) {
    const auto day = [&](int step, size_t next) {
      return Meaning{
          .kind = TimeKind::relative, .when = one_day(as_of_ + days(step)), .next = next};
    };
    if (kind(i) == TimeWord::day_name) return day(at(i).value, i + 1);
    if (is(i, "day") && blank(i) && blank(i + 1)) {
      if (is(i + 1, "before") && is(i + 2, "yesterday")) return day(-2, i + 3);
      if (is(i + 1, "after") && is(i + 2, "tomorrow")) return day(2, i + 3);
    }
    if (is(i, "last") && is(i + 1, "night") && blank(i)) return day(-1, i + 2);
    if (is(i, "this") && kind(i + 1) == TimeWord::day_part && blank(i)) return day(0, i + 2);
    return std::nullopt;
  }

  // "last week", "this past Tuesday", "next month", "last summer", "this weekend", "last May".
  std::optional<Meaning> deictic(size_t i) {
    if (!is_any(i, {"this", "last", "next"}) || !blank(i)) return std::nullopt;
    std::string_view which = at(i).lower;
    size_t k = i + 1;
    const bool past = which == "this" && is(k, "past");
    if (past || (which == "this" && is(k, "coming"))) {
      which = past ? "last" : "next";
      if (!blank(k)) return std::nullopt;
      k++;
    }
    if (which == "next" && after_any(i, {"the"})) return std::nullopt;  // told from an anchor
    if (at(k).plural || at(k).prefix != 0) return std::nullopt;
    std::optional<Meaning> meaning;
    if (kind(k) == TimeWord::unit) meaning = unit_by(which, TimeUnit(at(k).value), past);
    if (kind(k) == TimeWord::weekend) meaning = weekend_by(which);
    if (kind(k) == TimeWord::weekday) meaning = weekday_by(which, at(k).value);
    if (kind(k) == TimeWord::season) meaning = season_by(which, at(k).value);
    if (kind(k) == TimeWord::month) meaning = month_by(which, at(k).value);
    if (meaning) meaning->next = k + 1;
    return meaning;
  }
  static int step_of(std::string_view which) {
    return which == "this" ? 0 : which == "last" ? -1 : 1;
  }

  std::optional<Meaning> unit_by(std::string_view which, TimeUnit unit, bool past) const {
    if (unit == TimeUnit::day) return std::nullopt;
    Meaning meaning{.kind = TimeKind::relative, .granularity = unit};
    meaning.when = past ? DateRange{moved(as_of_, -1, unit), as_of_}
                        : unit_range(moved(as_of_, step_of(which), unit), unit);
    return meaning;
  }
  Meaning weekend_by(std::string_view which) const {
    const auto until_sunday = [](Date sunday) { return DateRange{sunday - days(1), sunday}; };
    const Date last = weekday_before(as_of_, 0);
    const Date now = last + days(7);  // ends today or later
    Meaning meaning{.kind = TimeKind::relative, .granularity = TimeUnit::week};
    if (which == "last") {
      meaning.when = until_sunday(last);
    } else if (which == "this") {
      meaning.when = until_sunday(now);
      meaning.or_else = until_sunday(last);
    } else {
      meaning.when = until_sunday(now);
      meaning.or_else = until_sunday(now + days(7));
    }
    return meaning;
  }
  Meaning weekday_by(std::string_view which, int weekday) const {
    // Of the calendar week, from Monday, so many weeks away.
    const auto of_week = [&](int step) {
      const Date monday = unit_range(as_of_, TimeUnit::week).earliest + days(1);
      return one_day(monday + days((weekday + 6) % 7 + 7 * step));
    };
    Meaning meaning{.kind = TimeKind::relative};
    if (which == "last") {
      meaning.when = one_day(weekday_before(as_of_, weekday));
      meaning.or_else = of_week(-1);
    } else if (which == "this") {
      meaning.when = of_week(0);
      meaning.or_else = one_day(weekday_after(as_of_, weekday));
    } else {
      meaning.when = one_day(weekday_after(as_of_, weekday));
      meaning.or_else = of_week(1);
    }
    if (meaning.or_else == meaning.when) meaning.or_else.reset();
    return meaning;
  }
  // The ranges of neighbouring years in order: "last" is the last that has ended, "next" the first
  // to come, "this" the nearest.
  template <typename RangeOfYear>
  Meaning yearly_by(std::string_view which, TimeUnit unit, const RangeOfYear& range) const {
    Meaning meaning{.kind = TimeKind::relative, .granularity = unit};
    const int year = year_of(as_of_);
    for (int y = year - 2; y <= year + 2; y++) {
      const DateRange candidate = range(y);
      if (which == "last" && candidate.latest < as_of_) {
        meaning.or_else = meaning.when;
        meaning.when = candidate;
      } else if (which == "next" && candidate.earliest > as_of_ && !meaning.when) {
        meaning.when = candidate;
      } else if (which == "this" &&
                 (!meaning.when || candidate.days_from(as_of_) < meaning.when->days_from(as_of_))) {
        meaning.when = candidate;
      }
    }
    return meaning;
  }
  Meaning season_by(std::string_view which, int season) const {
    return yearly_by(which, TimeUnit::season, [&](int y) { return season_range(y, season); });
  }
  Meaning month_by(std::string_view which, int month) const {
    return yearly_by(which, TimeUnit::month, [&](int y) { return month_range(y, month); });
  }

  std::optional<Meaning> bare_weekday(size_t i) {
    if (kind(i) != TimeWord::weekday ||
        after_any(i, {"every", "each", "most", "black", "good", "ash", "palm"}))
      return std::nullopt;
    Meaning meaning{.kind = TimeKind::relative, .next = i + 1};
    meaning.when = one_day(weekday_before(as_of_, at(i).value));
    meaning.or_else = one_day(weekday_after(as_of_, at(i).value));
    return meaning;
  }

  // --- days told from the expression before ---

  // "the following Monday", "the next day", "the same evening", "that week", "the previous month".
  std::optional<Meaning> anchored(size_t i) {
    const bool that = is(i, "that");
    if (!that &&
        (!is_any(i, {"following", "next", "previous", "same"}) || !after_any(i, {"the", "that"})))
      return std::nullopt;
    if (!blank(i) || at(i + 1).plural || at(i + 1).prefix != 0) return std::nullopt;
    if (!that && !is(i, "same") && within(i - 1) && !is(i - 2, "in")) return std::nullopt;
    if (is(i, "next") && i >= 2 && is(i - 2, "in")) return std::nullopt;
    const int step = that || is(i, "same") ? 0 : is(i, "previous") ? -1 : 1;
    Meaning meaning{.kind = TimeKind::anchored, .next = i + 2};
    const size_t k = i + 1;
    switch (kind(k)) {
      case TimeWord::day_part:
        meaning.when = unit_beside(TimeUnit::day, step);
        break;
      case TimeWord::unit:
        meaning.granularity = TimeUnit(at(k).value);
        meaning.when = unit_beside(meaning.granularity, step);
        break;
      case TimeWord::season:
        if (step != 0) return std::nullopt;
        meaning.granularity = TimeUnit::season;
        meaning.when = unit_beside(TimeUnit::season, 0);
        break;
      case TimeWord::weekend:
        meaning.granularity = TimeUnit::week;
        meaning.when = weekdays_beside(6, step);
        if (meaning.when) meaning.when->latest += days(1);
        break;
      case TimeWord::weekday:
        meaning.when = weekdays_beside(at(k).value, step);
        break;
      default:
        return std::nullopt;
    }
    meaning.granularity =
        std::max(meaning.granularity, anchor_.days ? anchor_.granularity : TimeUnit::day);
    return meaning;
  }
  // The unit of the anchor, or the one beside it; a week beside it is a week away.
  std::optional<DateRange> unit_beside(TimeUnit unit, int step) const {
    if (!anchor_.days) return std::nullopt;
    if (unit == TimeUnit::day)
      return DateRange{anchor_.days->earliest + days(step), anchor_.days->latest + days(step)};
    if (unit == TimeUnit::week && step != 0)
      return stepped(*anchor_.days, {.unit = unit}, Hedge::none, step);
    const DateRange whole = unit_range(*anchor_.days, unit);
    return unit_range({moved(whole.earliest, step, unit), moved(whole.latest, step, unit)}, unit);
  }
  // The weekdays next to the first and to the last day of the anchor; with step 0 the anchor's own
  // days count too.
  std::optional<DateRange> weekdays_beside(int weekday, int step) const {
    if (!anchor_.days) return std::nullopt;
    if (step < 0)
      return DateRange{weekday_before(anchor_.days->earliest, weekday),
                       weekday_before(anchor_.days->latest, weekday)};
    const days own(step == 0 ? 1 : 0);
    return DateRange{weekday_after(anchor_.days->earliest - own, weekday),
                     weekday_after(anchor_.days->latest - own, weekday)};
  }

  // "the day before", "the week after", where nothing follows that they would be told from.
  std::optional<Meaning> beside_anchor(size_t i) {
    if (kind(i) != TimeWord::unit || at(i).plural || !after_any(i, {"the"}) || !blank(i) ||
        !is_any(i + 1, {"before", "after", "prior"}) || !clause_ends(i + 2))
      return std::nullopt;
    return from_anchor({.next = i + 2}, {.unit = TimeUnit(at(i).value)}, Hedge::none,
                       is(i + 1, "after") ? 1 : -1);
  }

  TimeContext context_;
  Date as_of_;
  std::string_view text_;
  std::vector<Quotation> quotations_;
  size_t next_quotation_ = 0;
  Anchor anchor_;  // what "later" is told from
  Anchor before_;  // what it was before the last expression that became one
  std::vector<TimeExpression> found_;
};

}  // namespace

bool TimeExpression::may_be(Date date) const {
  return (when && when->contains(date)) || (or_else && or_else->contains(date));
}

std::optional<int> TimeExpression::days_from(Date date) const {
  if (!when) return std::nullopt;
  const int off = when->days_from(date);
  return or_else ? std::min(off, or_else->days_from(date)) : off;
}

std::vector<TimeExpression> time_expressions(std::string_view text, const TimeContext& context) {
  return Finder(text, context).run();
}

}  // namespace chatmem
