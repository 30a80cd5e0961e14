#include "synth/date_mentions.h"

#include "text/time_expressions.h"

namespace chatmem {

bool DateMention::may_be(Date date) const {
  return day == day_of_month(date) && (month == 0 || month == month_of(date)) &&
         (!year || *year == year_of(date));
}

std::vector<DateMention> date_mentions(std::string_view text) {
  std::vector<DateMention> mentions;
  // As they are written: whichever day they are told from.
  for (const TimeExpression& expression : time_expressions(text, {}))
    if (expression.day != 0)
      mentions.push_back(
          {expression.begin, expression.end, expression.year, expression.month, expression.day});
  return mentions;
}

}  // namespace chatmem
