// Whether a system is better than doing nothing, in sentences for a newcomer. The terminal and
// report.html say the same.
#pragma once
#include <string>
#include <vector>

#include "eval/evaluate.h"

namespace chatmem {

enum class FloorVerdict {
  better,     // its ROUGE-1 F1 is above that of every floor, each time with p < 0.05
  not_shown,  // above every floor, but chance may have made a difference
  no_better   // some floor is as high
};
FloorVerdict verdict_of(const SystemScores& system);

// "No. NAME is not better than doing nothing."
std::string verdict_headline(const SystemScores& system);

// What stands behind it: score with interval beside floors and ceiling; the difference to the
// extractive engine and whether it is significant; faults, with the score with and without echo;
// days, names.
std::vector<std::string> verdict_sentences(const Evaluation& evaluation,
                                           const SystemScores& system);

// "repeat the prompt: 19 of 19", for each fault that occurs.
std::string fault_counts(const SystemScores& system);

// "significant (p = 0.003)", "not significant (p = 0.41)".
std::string significance(const PairedDifference& difference);

}  // namespace chatmem
