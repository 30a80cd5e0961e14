#include "text/time_amounts.h"

#include <algorithm>

namespace chatmem {
namespace {

using std::chrono::days;

// "one" to "twelve", "a", "250"; 0 for what is no number.
int number_at(const TimeText& text, size_t i) {
  if (text.kind(i) == TimeWord::count) return text.at(i).value;
  return text.at(i).digits_alone() && text.at(i).n_digits <= 3 ? text.at(i).number : 0;
}

bool and_a_half(const TimeText& text, size_t i) {
  return text.joined(i) && text.is(i, "and") && text.joined(i + 1) && text.is(i + 1, "a") &&
         text.joined(i + 2) && text.is(i + 2, "half");
}

void add_half(const TimeText& text, Amount& amount) {
  if (!and_a_half(text, amount.next)) return;
  amount.low += 0.5, amount.high += 0.5;
  amount.next += 3;
}

// "a couple of", "few"
std::optional<Amount> vague_at(const TimeText& text, size_t i) {
  const size_t word = text.is(i, "a") && text.blank(i) ? i + 1 : i;
  if (text.kind(word) != TimeWord::vague) return std::nullopt;
  Amount amount{.low = 2, .high = 5, .next = word + 1};  // few, some
  if (text.is(word, "couple")) amount.high = 3;
  if (text.is(word, "several")) amount.low = 3, amount.high = 7;
  if (text.is(word, "dozen")) amount.low = amount.high = 12;
  if (text.is(word + 1, "of") && text.blank(word)) amount.next++;
  return amount;
}

}  // namespace

std::optional<Amount> count_at(const TimeText& text, size_t i) {
  if (text.kind(i) == TimeWord::half) {
    if (!text.is_any(i + 1, {"a", "an"}) || !text.blank(i)) return std::nullopt;
    return Amount{.low = 0.5, .high = 0.5, .next = i + 2};
  }
  if (const auto vague = vague_at(text, i)) return vague;
  const double number = number_at(text, i);
  if (number == 0) return std::nullopt;
  Amount amount{.low = number, .high = number, .next = i + 1};
  if (text.is_hyphen(i) && number_at(text, i + 1) > 0) amount.next = i + 2;
  if (text.blank(i) && text.is_any(i + 1, {"or", "to"}) && text.blank(i + 1) &&
      number_at(text, i + 2) > 0)
    amount.next = i + 3;
  if (amount.next > i + 1) amount.high = number_at(text, amount.next - 1);
  if (amount.high < amount.low) return std::nullopt;
  add_half(text, amount);
  return amount;
}

std::optional<Amount> amount_at(const TimeText& text, size_t i) {
  std::optional<Amount> amount = count_at(text, i);
  if (!amount && text.kind(i) == TimeWord::unit && text.at(i).plural)
    amount = Amount{.low = 2, .high = 5, .next = i};
  if (!amount) return std::nullopt;
  const size_t unit = amount->next;
  if (text.kind(unit) != TimeWord::unit || (unit > i && !text.joined(unit))) return std::nullopt;
  amount->unit = TimeUnit(text.at(unit).value);
  if (text.at(unit).lower.starts_with("fortnight")) amount->low *= 2, amount->high *= 2;
  amount->next++;
  add_half(text, *amount);
  return amount;
}

Hedge hedge_at(const TimeText& text, size_t i, size_t& next) {
  next = i;
  if (text.kind(i) != TimeWord::hedge || !text.blank(i)) return Hedge::none;
  if (text.is_any(i, {"more", "less"})) {
    if (!text.is(i + 1, "than") || !text.blank(i + 1)) return Hedge::none;
    next++;
  }
  next++;
  if (text.is_any(i, {"over", "more"})) return Hedge::over;
  return text.is_any(i, {"almost", "nearly", "under", "less"}) ? Hedge::under : Hedge::about;
}

DateRange stepped(const DateRange& from, const Amount& amount, Hedge hedge, int sign) {
  double near = amount.low, far = amount.high;
  int tolerance = half_of(amount.unit);
  if (hedge == Hedge::about) tolerance = std::max(tolerance, 2);
  if (hedge == Hedge::over) far += 1, tolerance = 0;
  if (hedge == Hedge::under) near -= 0.5, tolerance = 0;
  const days off(tolerance);
  if (sign > 0)
    return {std::max(from.earliest, moved(from.earliest, near, amount.unit) - off),
            moved(from.latest, far, amount.unit) + off};
  return {moved(from.earliest, -far, amount.unit) - off,
          std::min(from.latest, moved(from.latest, -near, amount.unit) + off)};
}

}  // namespace chatmem
