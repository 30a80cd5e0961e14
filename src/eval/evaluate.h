// Scores of systems on a test set, with floors and a ceiling beside them.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/floors.h"
#include "eval/judge.h"
#include "eval/scores.h"
#include "eval/sources.h"
#include "metrics/faults.h"
#include "metrics/grounding.h"
#include "metrics/statistics.h"
#include "metrics/temporal.h"

namespace chatmem {

// The conversations of a test set that are evaluated: as_of joined where a file is given, the first
// `limit` of them unless it is 0.
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

// How fast the answers came; over those where it was measured. The columns are sorted.
struct Speed {
  int n = 0;
  std::vector<double> ttft_ms, total_ms;
  std::vector<double> tokens_per_second;  // of each answer after its first token, where counted
  double all_tokens_per_second = 0;       // of all together; 0 where the server counts none
};

// One summary of one chat, and what is found in it.
struct SummaryCase {
  std::string text;                  // as it came
  Diagnosis diagnosis;               // of floors and references: all of the text, without faults
  TemporalJudgement times;           // of summary() where there is one; the places are those in it
  Grounding grounding;               // the same
  int words = 0;                     // of summary()
  double length_ratio = 0;           // to the mean words of its references
  double ttft_ms = 0, total_ms = 0;  // 0 where it was not measured
  int completion_tokens = 0;

  std::string_view summary() const {
    return std::string_view(text).substr(diagnosis.begin, diagnosis.end - diagnosis.begin);
  }
  double tokens_per_second() const;  // after the first token; 0 where it is not known
  MentionCounts names() const;
};

// Of a system's F1 less another's on the same chats.
struct ScoreDifference {
  std::string against;
  bool is_to_floor = false;
  PairedDifference rouge1, rouge2, rougeL;
};

// What a row of the table is: a system that is evaluated; what needs no model; a reference, scored
// against the other references.
enum class SystemKind { system, floor, reference };

// A row of the table. Sums over all summaries where it says counts; see docs/temporal.md.
struct SystemScores {
  std::string name;
  SystemKind kind = SystemKind::system;
  std::vector<SummaryCase> cases;
  // Of the summaries, without echo. Empty for the reference that is the only one.
  std::vector<ItemScores> items;
  std::vector<ItemScores> items_with_echo;  // of the texts as they came
  MeanScore rouge1, rouge2, rougeL;         // F1 of items; NaN without them
  MeanScore rouge1_with_echo;
  MeanScore rouge1_missing_as_0;  // what is empty or no summary counts 0
  double rouge1_precision = 0, rouge1_recall = 0;
  std::vector<double> rouge1_by_reference;   // mean F1 against each
  std::vector<ScoreDifference> differences;  // of a system: to each floor and each other system
  TemporalCounts dates;
  MentionCounts names, numbers;
  double mean_words = 0, mean_length_ratio = 0;
  Speed speed;

  int count(Fault fault) const;
  const ScoreDifference* difference_to(std::string_view name) const;  // null where there is none
};

struct EvaluateOptions {
  std::string data;     // what the test set is called
  ScoreOptions scores;  // how several references combine
  uint64_t seed = 1;    // of the floors, the intervals and the tests
};

struct Evaluation {
  EvaluateOptions options;
  std::vector<Conversation> conversations;  // those that every system answered
  ReferenceTexts references;                // of them
  // The systems as given, the floors, each reference; all over the same conversations.
  std::vector<SystemScores> systems;
  std::vector<Failure> failures;
  std::optional<JudgeReport> judge;  // put here by the caller, where one was asked
  size_t n_conversations = 0;        // asked for

  const SystemScores& system() const { return systems.front(); }
  std::vector<const SystemScores*> of_kind(SystemKind kind) const;
};

// Throws Error when there is no conversation that all systems answered, and for two systems of one
// name.
Evaluation evaluate(const std::vector<Conversation>& conversations,
                    const ReferenceTexts& references, std::vector<SystemAnswers> systems,
                    const EvaluateOptions& options = {});

}  // namespace chatmem
