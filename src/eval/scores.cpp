#include "eval/scores.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/csv.h"
#include "metrics/statistics.h"

namespace chatmem {
namespace {

struct Metric {
  const char *key, *title;
  RougeScore RougeScores::*score;
};
constexpr std::array<Metric, 3> kMetrics = {{{"rouge1", "ROUGE-1", &RougeScores::rouge1},
                                             {"rouge2", "ROUGE-2", &RougeScores::rouge2},
                                             {"rougeL", "ROUGE-L", &RougeScores::rougeL}}};

struct Part {
  const char *key, *csv_name, *title;
  double RougeScore::*value;
};
constexpr std::array<Part, 3> kParts = {
    {{"precision", "precision", "precision", &RougeScore::precision},
     {"recall", "recall", "recall", &RougeScore::recall},
     {"f1", "fmeasure", "F1", &RougeScore::f1}}};

Statistics statistics_of_part(std::span<const ItemScores> items, const Metric& metric,
                              const Part& part) {
  std::vector<double> values;
  for (const ItemScores& item : items) values.push_back(item.rouge.*metric.score.*part.value);
  return statistics_of(values);
}

std::string cell(double value) {
  return std::isnan(value) ? fmt::format("{:>9}", "-") : fmt::format("{:>9.4f}", value);
}

}  // namespace

std::string python_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[64];
  const auto write = [&](std::chars_format format) {
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr;
    return std::string(buffer, end);
  };
  const std::string scientific = write(std::chars_format::scientific);
  int exponent = 0;
  const char* digits = scientific.c_str() + scientific.find('e') + 1;
  if (*digits == '+') digits++;  // from_chars takes no plus
  std::from_chars(digits, scientific.c_str() + scientific.size(), exponent);
  if (exponent < -4 || exponent >= 16) return scientific;
  const std::string fixed = write(std::chars_format::fixed);
  return fixed.find('.') == fixed.npos ? fixed + ".0" : fixed;
}

std::string scores_csv(std::span<const ItemScores> items) {
  std::string csv;
  for (const Metric& metric : kMetrics)
    for (const Part& part : kParts) csv += fmt::format("{}_{},", metric.key, part.csv_name);
  csv += "id\n";
  for (const ItemScores& item : items) {
    for (const Metric& metric : kMetrics)
      for (const Part& part : kParts)
        csv += python_repr(item.rouge.*metric.score.*part.value) + ',';
    csv += csv_field(item.id) + '\n';
  }
  return csv;
}

Json scores_json(std::span<const ItemScores> items) {
  Json json = {{"n", items.size()}};
  for (const Metric& metric : kMetrics)
    for (const Part& part : kParts) {
      const Statistics s = statistics_of_part(items, metric, part);
      json[metric.key][part.key] = {
          {"mean", s.mean}, {"median", s.median}, {"std", s.std}, {"min", s.min}, {"max", s.max}};
    }
  return json;
}

std::string scores_table(std::span<const ItemScores> items) {
  std::string table =
      fmt::format("{:<18}{:>9}{:>9}{:>9}{:>9}{:>9}\n", fmt::format("n = {}", items.size()), "mean",
                  "median", "std", "min", "max");
  for (const Metric& metric : kMetrics)
    for (const Part& part : kParts) {
      const Statistics s = statistics_of_part(items, metric, part);
      table += fmt::format("{:<18}{}{}{}{}{}\n", fmt::format("{} {}", metric.title, part.title),
                           cell(s.mean), cell(s.median), cell(s.std), cell(s.min), cell(s.max));
    }
  return table;
}

}  // namespace chatmem
