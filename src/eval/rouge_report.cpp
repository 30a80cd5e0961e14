#include "eval/rouge_report.h"

#include <fmt/format.h>

#include <unordered_map>

#include "base/error.h"

namespace chatmem {
namespace {

BootstrapOptions bootstrap_of(const RougeReport& report) { return {.seed = report.options.seed}; }

template <typename Visit>
void for_each_metric(const RougeReport& report, const Visit& visit) {
  for (size_t i = 0; i < kRougeMetrics.size(); i++)
    if (report.options.scores.rouge.metrics[i]) visit(i);
}

PairedDifference difference_of(const RougeReport& report, size_t metric) {
  return paired_difference(f1_values(report.items, metric), f1_values(report.against, metric),
                           bootstrap_of(report));
}

// The other system's items in the order of ours: both follow the first references.
void check_same_items(const std::vector<ItemScores>& items, const std::vector<ItemScores>& others) {
  CHECK(items.size() == others.size());
  for (size_t i = 0; i < items.size(); i++)
    if (items[i].id != others[i].id)
      throw Error(
          fmt::format("[rouge] both systems must have the same ids, row {} is '{}' and '{}'", i + 1,
                      items[i].id, others[i].id));
}

std::string conventions(const RougeReport& report) {
  const ScoreOptions& scores = report.options.scores;
  std::string text = fmt::format(
      "{} words, {}", scores.rouge.words == WordRule::unicode ? "unicode" : "rouge_score",
      scores.rouge.stemming == Stemming::on ? "stemmed" : "not stemmed");
  if (report.options.references.size() > 1)
    text += fmt::format("; {} references: {}", report.options.references.size(),
                        reference_rule_name(scores));
  return text;
}

Json with_intervals(const RougeReport& report, const std::vector<ItemScores>& items) {
  Json json = scores_json(items, report.options.scores.rouge.metrics);
  for_each_metric(report, [&](size_t i) {
    const Interval interval = bootstrap_mean(f1_values(items, i), bootstrap_of(report));
    json["f1_intervals"][std::string(kRougeMetrics[i].key)] = {{"low", interval.low},
                                                               {"high", interval.high}};
  });
  return json;
}

}  // namespace

std::string reference_rule_name(const ScoreOptions& options) {
  if (options.rule == ReferenceRule::mean) return "mean";
  if (options.rule == ReferenceRule::best) return "best";
  return fmt::format("best-by-{}", kRougeMetrics[options.best_by].key);
}

// Which rule is meant must be said: the published figures differ by it more than by the system.
void read_reference_rule(std::string_view combine, size_t n_references, ScoreOptions& options) {
  constexpr std::string_view kBestBy = "best-by-";
  if (combine.empty()) {
    if (n_references == 1) return;
    throw Error(
        fmt::format("[rouge] {} references need a rule, --combine is not given", n_references),
        "--combine mean, best, or best-by-rouge1 and the like", kUsage);
  }
  if (combine == "mean") {
    options.rule = ReferenceRule::mean;
  } else if (combine == "best") {
    options.rule = ReferenceRule::best;
  } else if (combine.starts_with(kBestBy)) {
    const auto metric = parse_rouge_metric(combine.substr(kBestBy.size()));
    if (!metric || !options.rouge.metrics[*metric])
      throw Error(fmt::format("[rouge] --combine best-by-METRIC must name a metric that is "
                              "computed, is '{}'",
                              combine),
                  "", kUsage);
    options.rule = ReferenceRule::best_by_one;
    options.best_by = *metric;
  } else {
    throw Error(
        fmt::format("[rouge] --combine must be mean, best or best-by-METRIC, is '{}'", combine), "",
        kUsage);
  }
}

RougeReport rouge_files(const RougeFilesOptions& options) {
  RougeReport report{.options = options};
  const auto scored = [&](const TextSource& predictions) {
    return score_pairs(pair_texts(predictions, options.references), options.scores);
  };
  report.items = scored(options.predictions);
  if (options.against) {
    report.against = scored(*options.against);
    check_same_items(report.items, report.against);
  }
  if (!options.csv.empty())
    write_file_atomic(options.csv, scores_csv(report.items, options.scores.rouge.metrics));
  return report;
}

std::string rouge_table(const RougeReport& report) {
  const RougeSet& metrics = report.options.scores.rouge.metrics;
  const BootstrapOptions bootstrap = bootstrap_of(report);
  std::string table = scores_table(report.items, metrics) + '\n' + conventions(report) + '\n';
  for_each_metric(report, [&](size_t i) {
    const std::vector<double> values = f1_values(report.items, i);
    const Interval interval = bootstrap_mean(values, bootstrap);
    table += fmt::format("{:<11} F1 {:.4f}, {:.0f}% interval {:.4f} to {:.4f}\n",
                         kRougeMetrics[i].title, statistics_of(values).mean,
                         100 * bootstrap.confidence, interval.low, interval.high);
  });
  table += fmt::format("percentile bootstrap, {} resamples, seed {}\n", bootstrap.resamples,
                       bootstrap.seed);
  if (report.against.empty()) return table;
  table += fmt::format("\nagainst {}\n", report.options.against->name());
  int permutations = 0;
  for_each_metric(report, [&](size_t i) {
    const PairedDifference difference = difference_of(report, i);
    permutations = difference.permutations;
    table += fmt::format("{:<11} F1 {:.4f}, difference {:+.4f}, {:+.4f} to {:+.4f}, p = {:.4f}\n",
                         kRougeMetrics[i].title, statistics_of(f1_values(report.against, i)).mean,
                         difference.mean, difference.interval.low, difference.interval.high,
                         difference.p_value);
  });
  return table + fmt::format("paired permutation test, two-sided, {} permutations, seed {}\n",
                             permutations, bootstrap.seed);
}

Json rouge_json(const RougeReport& report) {
  const RougeFilesOptions& options = report.options;
  const BootstrapOptions bootstrap = bootstrap_of(report);
  Json json = with_intervals(report, report.items);
  json["tokenizer"] = options.scores.rouge.words == WordRule::unicode ? "unicode" : "rouge_score";
  json["stemmer"] = options.scores.rouge.stemming == Stemming::on;
  json["references"] = options.references.size();
  json["reference_rule"] = nullptr;
  if (options.references.size() > 1) json["reference_rule"] = reference_rule_name(options.scores);
  json["bootstrap"] = {{"resamples", bootstrap.resamples},
                       {"confidence", bootstrap.confidence},
                       {"seed", bootstrap.seed}};
  if (report.against.empty()) return json;
  json["against"] = with_intervals(report, report.against);
  Json& differences = json["difference"];
  for_each_metric(report, [&](size_t i) {
    const PairedDifference difference = difference_of(report, i);
    differences[std::string(kRougeMetrics[i].key)] = {{"mean", difference.mean},
                                                      {"low", difference.interval.low},
                                                      {"high", difference.interval.high},
                                                      {"p", difference.p_value}};
    differences["permutations"] = difference.permutations;
  });
  differences["test"] = "paired permutation, two-sided";
  return json;
}

}  // namespace chatmem
