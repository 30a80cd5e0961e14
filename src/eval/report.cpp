#include "eval/report.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/csv.h"
#include "base/staged_folder.h"
#include "eval/report_page.h"
#include "eval/rouge_report.h"
#include "eval/verdict.h"

namespace chatmem {
namespace {

// Null for a ratio of nothing.
Json to_json(const MeanScore& score) {
  return {{"mean", json_or_null(score.mean)},
          {"low", json_or_null(score.interval.low)},
          {"high", json_or_null(score.interval.high)}};
}

Json to_json(const PairedDifference& d) {
  return {{"mean", json_or_null(d.mean)},
          {"low", json_or_null(d.interval.low)},
          {"high", json_or_null(d.interval.high)},
          {"p", json_or_null(d.p_value)}};
}

Json to_json(const TemporalCounts& dates) {
  return {{"n", dates.counted},
          {"invented", dates.counted - dates.right},
          {"precision", json_or_null(dates.precision())},
          {"recall", json_or_null(dates.recall())},
          {"f1", json_or_null(dates.f1())},
          {"mean_days_off", json_or_null(dates.mean_days_off())},
          {"event_order", json_or_null(dates.event_order())}};
}

Json to_json(const MentionCounts& mentions) {
  return {{"n", mentions.mentioned},
          {"found", mentions.found},
          {"precision", json_or_null(mentions.precision())}};
}

// Of sorted values.
Json column_json(const std::vector<double>& values) {
  const Statistics s = statistics_of(values);
  return {{"mean", json_or_null(s.mean)},
          {"median", json_or_null(s.median)},
          {"min", json_or_null(s.min)},
          {"max", json_or_null(s.max)},
          {"p90", json_or_null(quantile(values, 0.9))},
          {"p99", json_or_null(quantile(values, 0.99))}};
}

Json to_json(const Speed& speed) {
  if (speed.n == 0) return nullptr;
  return {{"n", speed.n},
          {"ttft_ms", column_json(speed.ttft_ms)},
          {"total_ms", column_json(speed.total_ms)},
          {"tokens_per_second", speed.all_tokens_per_second},
          {"tokens_per_second_of_each", column_json(speed.tokens_per_second)}};
}

Json faults_json(const Diagnosis& diagnosis) {
  Json names = Json::array();
  for (const FaultName& fault : kFaults)
    if (diagnosis.has(fault.fault)) names.push_back(fault.key);
  return names;
}

Json case_json(const Evaluation& evaluation, const SystemScores& system, size_t i) {
  const SummaryCase& one = system.cases[i];
  Json json = {{"id", evaluation.conversations[i].id}, {"words", one.words}};
  if (!system.items.empty())
    for (const auto& [key, metric] :
         {std::pair{"rouge1", &RougeScores::rouge1}, std::pair{"rouge2", &RougeScores::rouge2},
          std::pair{"rougeL", &RougeScores::rougeL}})
      json[key] = (system.items[i].rouge.*metric).f1;
  if (system.kind != SystemKind::system) return json;
  json["rouge1_with_echo"] = system.items_with_echo[i].rouge.rouge1.f1;
  json["length_ratio"] = one.length_ratio;
  json["faults"] = faults_json(one.diagnosis);
  json["invented_dates"] = Json::array();
  for (const JudgedTime& time : one.times.times)
    if (time.standing == TimeStanding::invented && time.counts())
      json["invented_dates"].push_back(
          {{"text", one.summary().substr(time.expression.begin,
                                         time.expression.end - time.expression.begin)},
           {"days_off", time.days_off}});
  json["unknown_names"] = Json::array();
  for (const CheckedMention& name : one.grounding.names)
    if (!name.found)
      json["unknown_names"].push_back(one.summary().substr(name.begin, name.end - name.begin));
  json["speed"] = nullptr;
  if (one.total_ms > 0)
    json["speed"] = {{"ttft_ms", one.ttft_ms},
                     {"total_ms", one.total_ms},
                     {"tokens_per_second", one.tokens_per_second()}};
  return json;
}

std::string_view kind_name(SystemKind kind) {
  return kind == SystemKind::system ? "system" : kind == SystemKind::floor ? "floor" : "reference";
}

Json system_json(const Evaluation& evaluation, const SystemScores& system) {
  Json json = {{"system", system.name},
               {"kind", kind_name(system.kind)},
               {"n", system.cases.size()},
               {"words", system.mean_words},
               {"rouge1", to_json(system.rouge1)},
               {"rouge2", to_json(system.rouge2)},
               {"rougeL", to_json(system.rougeL)},
               {"rouge1_precision", json_or_null(system.rouge1_precision)},
               {"rouge1_recall", json_or_null(system.rouge1_recall)},
               {"rouge1_by_reference", system.rouge1_by_reference},
               {"length_ratio", system.mean_length_ratio},
               {"dates", to_json(system.dates)},
               {"names", to_json(system.names)},
               {"numbers", to_json(system.numbers)}};
  if (system.kind == SystemKind::system) {
    json["rouge1_with_echo"] = to_json(system.rouge1_with_echo);
    json["rouge1_missing_as_0"] = to_json(system.rouge1_missing_as_0);
    for (const FaultName& fault : kFaults)
      json["faults"][std::string(fault.key)] = system.count(fault.fault);
    for (const ScoreDifference& difference : system.differences)
      json["differences"].push_back({{"against", difference.against},
                                     {"rouge1", to_json(difference.rouge1)},
                                     {"rouge2", to_json(difference.rouge2)},
                                     {"rougeL", to_json(difference.rougeL)}});
    json["speed"] = to_json(system.speed);
  }
  for (size_t i = 0; i < system.cases.size(); i++)
    json["cases"].push_back(case_json(evaluation, system, i));
  return json;
}

// "-" for a ratio of nothing.
std::string ratio(double value, int digits = 3) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, digits);
}

std::string milliseconds(double ms) {
  return ms < 1000 ? fmt::format("{:.0f} ms", ms) : fmt::format("{:.1f} s", ms / 1000);
}

std::string speed_line(const SystemScores& system) {
  const Speed& speed = system.speed;
  if (speed.n == 0) return {};
  std::string line = fmt::format("{}: first token after {}, whole answer {} (medians of {})",
                                 system.name, milliseconds(quantile(speed.ttft_ms, 0.5)),
                                 milliseconds(quantile(speed.total_ms, 0.5)), speed.n);
  if (speed.all_tokens_per_second > 0)
    line += fmt::format(", {:.1f} tokens/s", speed.all_tokens_per_second);
  return line + '\n';
}

std::string table_row(const SystemScores& system, size_t width) {
  const Interval& interval = system.rouge1.interval;
  const std::string range = std::isnan(interval.low)
                                ? std::string("-")
                                : fmt::format("{:.4f}-{:.4f}", interval.low, interval.high);
  return fmt::format("{:<{}}{:>8}{:>15}{:>8}{:>8}{:>9}{:>9}{:>9}{:>7}{:>7.0f}{:>6}\n", system.name,
                     width, ratio(system.rouge1.mean, 4), range, ratio(system.rouge2.mean, 4),
                     ratio(system.rougeL.mean, 4), ratio(system.dates.precision()),
                     ratio(system.dates.recall()), ratio(system.dates.f1()),
                     ratio(system.names.precision()), system.mean_words, system.cases.size());
}

std::string csv_row(const SystemScores& system, size_t i) {
  const SummaryCase& one = system.cases[i];
  const TemporalCounts& dates = one.times.counts;
  std::string row = scores_csv(std::span(&system.items[i], 1)).substr(scores_csv({}).size());
  row.back() = ',';
  row += fmt::format("{},{},{},{},{},{},{},{},{},{}", csv_field(system.name),
                     python_repr(system.items_with_echo[i].rouge.rouge1.f1), one.words,
                     python_repr(one.length_ratio), python_repr(dates.precision()),
                     python_repr(dates.recall()), python_repr(dates.f1()),
                     dates.counted - dates.right, python_repr(one.names().precision()),
                     python_repr(one.diagnosis.repeated_trigrams));
  for (const FaultName& fault : kFaults) row += one.diagnosis.has(fault.fault) ? ",1" : ",0";
  return row + '\n';
}

}  // namespace

std::string systems_table(const Evaluation& evaluation) {
  size_t width = 6;
  for (const SystemScores& system : evaluation.systems) width = std::max(width, system.name.size());
  std::string text;
  for (const SystemScores* system : evaluation.of_kind(SystemKind::system)) {
    text += verdict_headline(*system) + '\n';
    for (const std::string& sentence : verdict_sentences(evaluation, *system))
      text += "  " + sentence + '\n';
    text += fmt::format("  Faults: {}.\n\n", fault_counts(*system));
  }
  if (evaluation.references.size() > 1)
    text += fmt::format("{} references: {}\n", evaluation.references.size(),
                        reference_rule_name(evaluation.options.scores));
  text += fmt::format("{:<{}}{:>8}{:>15}{:>8}{:>8}{:>9}{:>9}{:>9}{:>7}{:>7}{:>6}\n", "system",
                      width, "R1", "95% of R1", "R2", "RL", "dates P", "dates R", "dates F",
                      "names", "words", "n");
  for (const SystemScores& system : evaluation.systems) text += table_row(system, width);
  std::string speeds;
  for (const SystemScores& system : evaluation.systems) speeds += speed_line(system);
  return speeds.empty() ? text : text + '\n' + speeds;
}

Json evaluation_json(const Evaluation& evaluation) {
  Json json = scores_json(evaluation.system().items);
  json["system"] = evaluation.system().name;
  json["references"] = evaluation.references.names;
  json["reference_rule"] = nullptr;
  if (evaluation.references.size() > 1)
    json["reference_rule"] = reference_rule_name(evaluation.options.scores);
  json["seed"] = evaluation.options.seed;
  json["systems"] = Json::array();
  for (const SystemScores& system : evaluation.systems)
    json["systems"].push_back(system_json(evaluation, system));
  json["speed"] = to_json(evaluation.system().speed);
  json["failed"] = Json::array();
  for (const Failure& failure : evaluation.failures)
    json["failed"].push_back(
        {{"id", failure.id}, {"error", failure.error}, {"fault", failure.fault}});
  if (evaluation.judge) json["judge"] = judge_json(*evaluation.judge);
  return json;
}

std::string cases_csv(const Evaluation& evaluation) {
  std::string csv = scores_csv({});
  csv.back() = ',';
  csv +=
      "system,rouge1_fmeasure_with_echo,words,length_ratio,dates_precision,dates_recall,dates_f1,"
      "invented_dates,names_precision,repeated_trigrams";
  for (const FaultName& fault : kFaults) csv += fmt::format(",{}", fault.key);
  csv += '\n';
  for (const SystemScores* system : evaluation.of_kind(SystemKind::system))
    for (size_t i = 0; i < system->cases.size(); i++) csv += csv_row(*system, i);
  return csv;
}

void write_report(const Evaluation& evaluation, const fs::path& folder) {
  remove_stale_temporaries(folder);
  StagedFolder staged(folder, "report.json");
  write_file_atomic(staged.path() / "scores.csv", cases_csv(evaluation));
  write_file_atomic(staged.path() / "report.html", report_page(evaluation));
  write_file_atomic(staged.path() / "report.json",
                    dump_json(evaluation_json(evaluation), 2) + '\n');
  if (evaluation.judge)
    write_file_atomic(staged.path() / "judge.jsonl", judge_lines(*evaluation.judge));
  staged.commit([](const std::string& name) { return name == "judge.jsonl"; });
}

}  // namespace chatmem
