#include "synth/schedule.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "text/words.h"

namespace chatmem {
namespace {

constexpr LengthGuidance kShort{7, 14, 2, 3}, kMedium{30, 60, 4, 5}, kExtended{90, 180, 6, 8};
constexpr int kFirstMinute = 8 * 60, kLastMinute = 22 * 60 + 30;

}  // namespace

LengthGuidance length_guidance(std::string_view id, std::string_view topic) {
  unsigned sum = 0;
  for (const char c : id) sum += static_cast<unsigned char>(c);
  if (sum % 3 == 1) return kExtended;
  if (sum % 3 == 2) return kMedium;
  std::string padded = " ";
  for (const std::string& word : words_of(topic)) padded += word + ' ';
  const auto has = [&](std::initializer_list<std::string_view> phrases) {
    return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view phrase) {
      return padded.find(' ' + std::string(phrase) + ' ') != padded.npos;
    });
  };
  if (has({"health", "medical", "relationship", "career", "education"})) return kExtended;
  if (has({"directions", "order", "quick question", "find"})) return kShort;
  return kMedium;
}

Calendar lay_days(const LengthGuidance& guidance, int n_conversations, int year, Random& random) {
  const int span =
      n_conversations < 2
          ? 0
          : std::max(n_conversations - 1, random.between(guidance.min_days, guidance.max_days));
  const int gap = random.between(1, 60);
  const Date first = std::chrono::year(year) / 1 / 1, last = std::chrono::year(year) / 12 / 31;
  const int room = int((last - first).count()) - span - gap;  // 365 - 180 - 60 at the least
  const Date start = first + std::chrono::days(random.between(0, room));
  // Each a third of its share to either side of where even steps would put it.
  std::set<int> offsets = {0};
  for (int i = 1; i < n_conversations; i++) {
    const int even = span * i / (n_conversations - 1), aside = span / (n_conversations - 1) / 3;
    offsets.insert(i + 1 == n_conversations ? span : random.between(even - aside, even + aside));
  }
  CHECK(int(offsets.size()) == n_conversations);
  Calendar schedule;
  for (const int offset : offsets) schedule.days.push_back(start + std::chrono::days(offset));
  schedule.today = schedule.days.back() + std::chrono::days(gap);
  return schedule;
}

std::vector<Minute> lay_minutes(Date day, const std::vector<size_t>& text_bytes, Random& random) {
  std::vector<int> offsets;
  int at = 0;
  for (const size_t bytes : text_bytes) {
    offsets.push_back(at);
    // About 80 characters a minute, and now and then a pause.
    at += random.between(0, 2) + int(std::min<size_t>(bytes / 80, 3));
    if (random.below(8) == 0) at += random.between(2, 6);
  }
  const int length = offsets.empty() ? 0 : offsets.back();
  const int available = kLastMinute - kFirstMinute;
  if (length > available)  // hundreds of turns: closer together
    for (int& offset : offsets) offset = int(int64_t(offset) * available / length);
  const int start = random.between(kFirstMinute, kLastMinute - std::min(length, available));
  std::vector<Minute> minutes;
  for (const int offset : offsets)
    minutes.push_back(Minute(day) + std::chrono::minutes(start + offset));
  return minutes;
}

}  // namespace chatmem
