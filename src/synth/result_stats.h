// generate --stats: what a result folder holds, in numbers.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
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
  std::vector<std::string> first_unreadable;                      // with the reason
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
  // of the words of two summaries, over 2,000 pairs of a sample of at most 2,000 rows, which
  // follows from their ids.
  std::vector<std::pair<std::string, int64_t>> openings;
  double distinct_1 = 0, distinct_2 = 0, self_overlap = 0;
};

// Counts different hashes in 8 bytes each (16 while it sorts).
class DistinctCount {
 public:
  void add(uint64_t hash);
  int64_t count();

 private:
  void merge();
  std::vector<uint64_t> sorted_, fresh_;
};

// Takes rows one by one, in any order, and keeps numbers of them: some 60 bytes a row, beside the
// hashes of different words and word pairs and a sample of summaries as hashes.
class ResultStatsBuilder {
 public:
  void add(const ResultRow& row);
  void add_errors(const std::string& reason, int64_t count = 1);
  // To be called once.
  ResultStats finish();

 private:
  struct Sampled {
    uint64_t rank = 0;  // a hash of the id: the lowest are kept
    std::vector<uint64_t> words;
    bool operator<(const Sampled& other) const { return rank < other.rank; }
  };
  void add_diversity(const Conversation& conversation);
  double self_overlap();

  ResultStats stats_;
  std::vector<int> conversations_, messages_, days_, spans_, summary_words_;  // a row each
  std::map<std::string, int64_t> reasons_;
  std::unordered_map<std::string, int64_t> openings_;
  DistinctCount ones_, twos_;
  int64_t n_ones_ = 0, n_twos_ = 0;
  std::vector<Sampled> sample_;  // a heap, the highest rank first
};

// Of all that a folder holds.
ResultStats folder_stats(const fs::path& folder);
std::string format_stats(const ResultStats& stats);  // a table for a terminal
Json stats_json(const ResultStats& stats);

}  // namespace chatmem
