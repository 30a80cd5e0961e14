// Scores of many items: the CSV, the statistics and the JSON of the original rouge.py.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "metrics/rouge.h"

namespace chatmem {

struct ItemScores {
  std::string id;
  RougeScores rouge;
};

// The nine columns of the original's rouge_scores_analysis.csv, and id; of other metrics their
// three. Numbers are written as Python writes them: the shortest digits that read back as the same
// double.
std::string scores_csv(std::span<const ItemScores> items, const RougeSet& metrics = kRouge12L);

// {"n":19,"rouge1":{"precision":{"mean","median","std","min","max"},"recall":{...},"f1":{...}},
// "rouge2":{...},"rougeL":{...}}; what is undefined (std of one item) is null.
Json scores_json(std::span<const ItemScores> items, const RougeSet& metrics = kRouge12L);

// The same as an aligned table, a line for each measure.
std::string scores_table(std::span<const ItemScores> items, const RougeSet& metrics = kRouge12L);

// The F1 of each item by the metric at a place of kRougeMetrics.
std::vector<double> f1_values(std::span<const ItemScores> items, size_t metric);

// repr() of a Python float: 0.25, 1.0, 1e-05, nan.
std::string python_repr(double value);

}  // namespace chatmem
