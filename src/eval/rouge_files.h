// The rouge verb: texts of files, paired and scored.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "eval/scores.h"

namespace chatmem {

// "FILE.csv:column", the texts of a column; "FILE:key", those under a key of a JSONL file; without
// a key a text a line.
struct TextSource {
  fs::path path;
  std::string key;
  std::string name() const { return key.empty() ? path.string() : path.string() + ":" + key; }
};
// The key is what follows the last colon, unless a slash is in it. Throws Error (usage) for *.jsonl
// and *.csv without one.
TextSource parse_text_source(std::string_view argument);

struct TextRow {
  std::optional<std::string> id;  // from the key or column "id": a string, or an integer in digits
  std::string text;
  size_t line = 0;
};
// Throws Error with file and line when the key is missing or not a string, an id comes twice, or
// only some of the rows have ids; and for a file without rows.
std::vector<TextRow> read_text_rows(const TextSource& source);

struct TextPair {
  std::string id;  // the number of the row, from 1, where the files have no ids
  std::string prediction;
  std::vector<std::string> references;  // at least one
};
// In the order of the first references. Predictions and each source of references are paired by id
// when both have ids: then both must have the same ones; else by order: then both must have as many
// rows.
std::vector<TextPair> pair_texts(const TextSource& predictions,
                                 std::span<const TextSource> references);

// What several references make of an item. mean: of each measure over the references. best: for
// each metric the reference with the largest F1 (rouge_score's score_multi). best_by_one: all
// metrics with the reference whose F1 by one metric is the largest.
enum class ReferenceRule { mean, best, best_by_one };

struct ScoreOptions {
  RougeOptions rouge;
  ReferenceRule rule = ReferenceRule::mean;  // of one reference all are the same
  size_t best_by = 0;                        // of kRougeMetrics; must be among rouge.metrics
  int n_threads = 1;
};
// The scores do not depend on the number of threads.
std::vector<ItemScores> score_pairs(std::span<const TextPair> pairs,
                                    const ScoreOptions& options = {});

}  // namespace chatmem
