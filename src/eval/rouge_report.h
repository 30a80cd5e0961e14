// The rouge verb: two systems or one against references, as a table and as JSON.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "eval/rouge_files.h"
#include "metrics/statistics.h"

namespace chatmem {

struct RougeFilesOptions {
  TextSource predictions;
  std::vector<TextSource> references;
  std::optional<TextSource> against;  // the predictions of another system on the same items
  ScoreOptions scores;
  uint64_t seed = 1;  // of the intervals and the test
  fs::path csv;       // each item's scores; empty: not written
};

struct RougeReport {
  RougeFilesOptions options;
  std::vector<ItemScores> items, against;  // in the same order; against may be empty
};
RougeReport rouge_files(const RougeFilesOptions& options);

// "best-by-rouge1" and the like: how several references count.
std::string reference_rule_name(const ScoreOptions& options);
// Sets the rule from the value of --combine: mean, best, best-by-METRIC; it may be empty for one
// reference. Throws Error (usage) where several references have none, and for a metric that is not
// among those of the options.
void read_reference_rule(std::string_view combine, size_t n_references, ScoreOptions& options);

// The statistics of every measure; the mean F1s with their bootstrap intervals; where there is
// another system, the difference of the means with its interval and its p. Conventions are named:
// tokenizer, stemmer, references and their rule, resamples, permutations and seed.
std::string rouge_table(const RougeReport& report);

// scores_json() and
// {"f1_intervals":{"rouge1":{"low","high"},...},"tokenizer","stemmer","references",
// "reference_rule","bootstrap":{"resamples","confidence","seed"}}; with another system
// "against": its scores_json() and "f1_intervals", and "difference":{"rouge1":{"mean","low","high",
// "p"},...,"permutations","test"}.
Json rouge_json(const RougeReport& report);

}  // namespace chatmem
