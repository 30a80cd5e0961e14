#include "eval/report.h"

#include <fmt/format.h>

#include <cmath>

#include "base/staged_folder.h"

namespace chatmem {
namespace {

Json to_json(const MeanScore& score) {
  return {{"mean", score.mean}, {"low", score.interval.low}, {"high", score.interval.high}};
}

Json to_json(const Statistics& s) {
  return {{"mean", s.mean}, {"median", s.median}, {"min", s.min}, {"max", s.max}};
}

// Null for a ratio of nothing.
Json number(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

Json to_json(const TemporalCounts& dates) {
  return {{"n", dates.counted},
          {"invented", dates.counted - dates.right},
          {"precision", number(dates.precision())},
          {"recall", number(dates.recall())},
          {"f1", number(dates.f1())},
          {"mean_days_off", number(dates.mean_days_off())},
          {"event_order", number(dates.event_order())}};
}

Json to_json(const MentionCounts& mentions) {
  return {{"n", mentions.mentioned},
          {"found", mentions.found},
          {"precision", number(mentions.precision())}};
}

// "-" for a ratio of nothing.
std::string ratio(double value) { return std::isnan(value) ? "-" : fmt::format("{:.3f}", value); }

std::string milliseconds(double ms) {
  return ms < 1000 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.1f} s", ms / 1000);
}

}  // namespace

std::string systems_table(const Evaluation& evaluation) {
  size_t width = 6;
  for (const SystemScores& system : evaluation.systems) width = std::max(width, system.name.size());
  std::string table = fmt::format("{:<{}}{:>8}{:>15}{:>8}{:>8}{:>9}{:>9}{:>9}{:>7}{:>7}{:>6}\n",
                                  "system", width, "R1", "95% of R1", "R2", "RL", "dates P",
                                  "dates R", "dates F", "names", "words", "n");
  for (const SystemScores& system : evaluation.systems) {
    const Interval& interval = system.rouge1.interval;
    table += fmt::format("{:<{}}{:>8.4f}{:>15}{:>8.4f}{:>8.4f}{:>9}{:>9}{:>9}{:>7}{:>7.0f}{:>6}\n",
                         system.name, width, system.rouge1.mean,
                         fmt::format("{:.4f}-{:.4f}", interval.low, interval.high),
                         system.rouge2.mean, system.rougeL.mean, ratio(system.dates.precision()),
                         ratio(system.dates.recall()), ratio(system.dates.f1()),
                         ratio(system.names.precision()), system.mean_words, system.items.size());
  }
  const Speed& speed = evaluation.speed;
  if (speed.n == 0) return table;
  table += fmt::format("\n{}: first token after {}, whole answer {} (medians of {})",
                       evaluation.system().name, milliseconds(speed.ttft_ms.median),
                       milliseconds(speed.total_ms.median), speed.n);
  if (speed.tokens_per_second > 0)
    table += fmt::format(", {:.1f} tokens/s", speed.tokens_per_second);
  return table + '\n';
}

Json evaluation_json(const Evaluation& evaluation) {
  Json json = scores_json(evaluation.system().items);
  json["system"] = evaluation.system().name;
  json["systems"] = Json::array();
  for (const SystemScores& system : evaluation.systems)
    json["systems"].push_back({{"system", system.name},
                               {"n", system.items.size()},
                               {"words", system.mean_words},
                               {"rouge1", to_json(system.rouge1)},
                               {"rouge2", to_json(system.rouge2)},
                               {"rougeL", to_json(system.rougeL)},
                               {"dates", to_json(system.dates)},
                               {"names", to_json(system.names)},
                               {"numbers", to_json(system.numbers)}});
  const Speed& speed = evaluation.speed;
  json["speed"] = nullptr;
  if (speed.n > 0)
    json["speed"] = {{"n", speed.n},
                     {"ttft_ms", to_json(speed.ttft_ms)},
                     {"total_ms", to_json(speed.total_ms)},
                     {"tokens_per_second", speed.tokens_per_second}};
  json["failed"] = Json::array();
  for (const Failure& failure : evaluation.failures)
    json["failed"].push_back({{"id", failure.id}, {"error", failure.error}});
  return json;
}

void write_report(const Evaluation& evaluation, const fs::path& folder) {
  remove_stale_temporaries(folder);
  StagedFolder staged(folder, "report.json");
  write_file_atomic(staged.path() / "scores.csv", scores_csv(evaluation.system().items));
  write_file_atomic(staged.path() / "report.json",
                    dump_json(evaluation_json(evaluation), 2) + '\n');
  staged.commit([](const std::string&) { return false; });
}

}  // namespace chatmem
