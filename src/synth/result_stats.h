// generate --stats: what a result folder holds, in numbers.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "synth/stored_results.h"

namespace chatmem {

struct Quartiles {
  double min = 0, q1 = 0, median = 0, q3 = 0, max = 0;  // NaN without values
};

struct ResultStats {
  int64_t rows = 0, messages = 0, errors = 0, unreadable = 0;
  std::vector<std::pair<std::string, int64_t>> errors_by_reason;  // most frequent first
  // A row each: its conversations, messages, days with messages, days from the first to the last,
  // words of its summary.
  Quartiles conversations, messages_a_row, days, span_days, summary_words;
  int64_t with_today = 0;          // rows with as_of
  int64_t today_named = 0;         // of those, summaries that name it
  int64_t dates = 0;               // days that summaries name, today aside
  int64_t dates_found = 0;         // of those, days of messages
  int64_t relative_summaries = 0;  // summaries with "ago", "last week", "yesterday" and the like
  // Of diversity: the first four words of summaries with how many begin so, most frequent first, at
  // most 5; different runs of n words among all (Li et al. 2016); and the mean Jaccard similarity
  // of the words of two summaries, over 2,000 pairs.
  std::vector<std::pair<std::string, int64_t>> openings;
  double distinct_1 = 0, distinct_2 = 0, self_overlap = 0;
};

ResultStats result_stats(const StoredResults& folder);
std::string format_stats(const ResultStats& stats);  // a table for a terminal
Json stats_json(const ResultStats& stats);

}  // namespace chatmem
