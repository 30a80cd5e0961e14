// When conversations take place: how many, over what span, at what minutes of the day.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/date.h"
#include "base/random.h"

namespace chatmem {

// The original pipeline's length guidance.
struct LengthGuidance {
  int min_days, max_days;  // from the first conversation to the last
  int min_conversations, max_conversations;
};

// By the sum of the id's character codes modulo 3. 0: the class of the topic by its whole words
// (health, medical, relationship, career, education: 3 to 6 months, 6 to 8 conversations;
// directions, order, quick question, find: 1 to 2 weeks, 2 to 3; else 1 to 2 months, 4 to 5); 1:
// several months, 6 to 8; 2: 1 to 2 months, 4 to 5.
LengthGuidance length_guidance(std::string_view id, std::string_view topic);

struct Calendar {
  std::vector<Date> days;  // increasing
  Date today;              // 1 to 60 days after the last
};

// All within one year.
Calendar lay_days(const LengthGuidance& guidance, int n_conversations, int year, Random& random);

// The minutes of one conversation's messages, not decreasing, between 08:00 and 22:30; a longer
// text takes longer to write.
std::vector<Minute> lay_minutes(Date day, const std::vector<size_t>& text_bytes, Random& random);

}  // namespace chatmem
