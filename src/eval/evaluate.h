// Scores of a system on a test set, with the floors beside it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "eval/floors.h"
#include "eval/predictions.h"
#include "eval/scores.h"
#include "metrics/statistics.h"
#include "metrics/temporal.h"

namespace chatmem {

// The conversations of a test set that are evaluated: as_of joined where a file is given, the first
// `limit` of them unless it is 0. Throws Error naming the conversations without a summary to score
// against.
std::vector<Conversation> read_test_set(const fs::path& data, const fs::path& as_of, int limit);

struct MeanScore {
  double mean = 0;
  Interval interval;  // 95%, bootstrap
};

// Of what a system's summaries mention, how much their chats have.
struct MentionCounts {
  int mentioned = 0, found = 0;
  double precision() const;  // NaN where nothing is mentioned
};

// A row of the table. Sums over all summaries where it says counts; see docs/temporal.md.
struct SystemScores {
  std::string name;
  std::vector<ItemScores> items;
  MeanScore rouge1, rouge2, rougeL;  // F1
  TemporalCounts dates;
  MentionCounts names, numbers;
  double mean_words = 0;
};

// How fast the answers came; over those where it was measured.
struct Speed {
  int n = 0;
  Statistics ttft_ms, total_ms;
  double tokens_per_second = 0;  // after each first token; 0 where the server counts none
};

struct Evaluation {
  // The system first, then the floors, all over the conversations that the system answered.
  std::vector<SystemScores> systems;
  Speed speed;
  std::vector<Failure> failures;
  size_t n_conversations = 0;
  const SystemScores& system() const { return systems.front(); }
};

// Throws Error when no conversation has a prediction. `seed` is of the floors and the intervals.
Evaluation evaluate(const std::vector<Conversation>& conversations, const Predictions& predictions,
                    const std::string& system_name, uint64_t seed = 1);

}  // namespace chatmem
