#include "eval/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chatmem {
namespace {

constexpr double kSignificant = 0.05;

std::string score_and_interval(const MeanScore& score) {
  return fmt::format("{:.4f} (95% interval {:.4f} to {:.4f})", score.mean, score.interval.low,
                     score.interval.high);
}

std::string joined(const std::vector<std::string>& items) {
  return fmt::format("{}", fmt::join(items, ", "));
}

std::string score_sentence(const Evaluation& evaluation, const SystemScores& system) {
  std::vector<std::string> floors;
  for (const SystemScores* floor : evaluation.of_kind(SystemKind::floor))
    floors.push_back(fmt::format("{} {:.4f}", floor->name, floor->rouge1.mean));
  std::string text = fmt::format("ROUGE-1 F1 is {}; without any model: {}.",
                                 score_and_interval(system.rouge1), joined(floors));
  const auto references = evaluation.of_kind(SystemKind::reference);
  if (references.size() < 2)
    return text + " There is no ceiling beside it: that takes a second reference.";
  std::vector<std::string> ceilings;
  for (const SystemScores* reference : references)
    ceilings.push_back(fmt::format("{} {:.4f}", reference->name, reference->rouge1.mean));
  return text + fmt::format(" Ceiling, each reference against the other{}: {}.",
                            references.size() > 2 ? "s" : "", joined(ceilings));
}

std::string difference_sentence(const SystemScores& system) {
  const ScoreDifference* difference = system.difference_to(kExtractiveFloor);
  const auto part = [](std::string_view title, const PairedDifference& d) {
    return fmt::format("{} {:+.4f} ({:+.4f} to {:+.4f}), {}", title, d.mean, d.interval.low,
                       d.interval.high, significance(d));
  };
  return fmt::format("Difference to the extractive engine, paired: {}; {}.",
                     part("ROUGE-1", difference->rouge1), part("ROUGE-2", difference->rouge2));
}

std::string missing_sentence(const SystemScores& system) {
  const int missing = system.count(Fault::no_summary) + system.count(Fault::empty);
  if (missing == 0) return {};
  return fmt::format("{} of {} have no summary; counted as 0, ROUGE-1 F1 is {:.4f}.", missing,
                     system.cases.size(), system.rouge1_missing_as_0.mean);
}

std::string echo_sentence(const SystemScores& system) {
  const int echoes = system.count(Fault::prompt_echo);
  if (echoes == 0) return {};
  return fmt::format(
      "{} of {} repeat the prompt: ROUGE-1 F1 is {:.4f} with the echo and {:.4f} without (what has "
      "no summary behind its echo is scored as it came).",
      echoes, system.cases.size(), system.rouge1_with_echo.mean, system.rouge1.mean);
}

std::string mentions_sentence(const SystemScores& system) {
  const TemporalCounts& dates = system.dates;
  const int invented = dates.counted - dates.right;
  std::string text = dates.counted == 0
                         ? std::string("It tells no dates")
                         : fmt::format(
                               "Of {} dates {} {} invented (precision {:.3f}, recall "
                               "{:.3f}, F1 {:.3f})",
                               dates.counted, invented, invented == 1 ? "is" : "are",
                               dates.precision(), dates.recall(), dates.f1());
  if (system.names.mentioned > 0)
    text += fmt::format("; of {} names {} {} not in the chat", system.names.mentioned,
                        system.names.mentioned - system.names.found,
                        system.names.mentioned - system.names.found == 1 ? "is" : "are");
  return text + ".";
}

}  // namespace

FloorVerdict verdict_of(const SystemScores& system) {
  FloorVerdict verdict = FloorVerdict::better;
  for (const ScoreDifference& difference : system.differences) {
    if (!difference.is_to_floor) continue;
    if (!(difference.rouge1.mean > 0)) return FloorVerdict::no_better;
    if (difference.rouge1.p_value >= kSignificant) verdict = FloorVerdict::not_shown;
  }
  return verdict;
}

std::string verdict_headline(const SystemScores& system) {
  switch (verdict_of(system)) {
    case FloorVerdict::better:
      return fmt::format("Yes. {} is better than doing nothing.", system.name);
    case FloorVerdict::not_shown:
      return fmt::format("Not shown. {} is above doing nothing, but that may be chance.",
                         system.name);
    case FloorVerdict::no_better:
      return fmt::format("No. {} is not better than doing nothing.", system.name);
  }
  return {};
}

std::vector<std::string> verdict_sentences(const Evaluation& evaluation,
                                           const SystemScores& system) {
  std::vector<std::string> sentences;
  for (std::string& sentence : std::vector<std::string>{
           missing_sentence(system), echo_sentence(system), score_sentence(evaluation, system),
           difference_sentence(system), mentions_sentence(system)})
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
  return sentences;
}

std::string fault_counts(const SystemScores& system) {
  std::vector<std::string> counts;
  for (const FaultName& fault : kFaults)
    if (const int n = system.count(fault.fault))
      counts.push_back(fmt::format("{} {}", fault.title, n));
  return counts.empty() ? "none found" : joined(counts);
}

std::string significance(const PairedDifference& difference) {
  if (std::isnan(difference.p_value)) return "not tested";
  const double p = difference.p_value;
  return fmt::format("{} (p {})", p < kSignificant ? "significant" : "not significant",
                     p < 0.001 ? std::string("< 0.001") : fmt::format("= {:.3f}", p));
}

}  // namespace chatmem
