#include "eval/scores.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/csv.h"
#include "metrics/statistics.h"

namespace chatmem {
namespace {

struct Part {
  const char *key, *csv_name, *title;
  double RougeScore::*value;
};
constexpr std::array<Part, 3> kParts = {
    {{"precision", "precision", "precision", &RougeScore::precision},
     {"recall", "recall", "recall", &RougeScore::recall},
     {"f1", "fmeasure", "F1", &RougeScore::f1}}};

std::vector<double> values_of(std::span<const ItemScores> items, const RougeMetric& metric,
                              const Part& part) {
  std::vector<double> values;
  for (const ItemScores& item : items) values.push_back(item.rouge.*metric.score.*part.value);
  return values;
}

// Calls visit(metric, part) for the measures in their order.
template <typename Visit>
void for_each_measure(const RougeSet& metrics, const Visit& visit) {
  for (size_t i = 0; i < kRougeMetrics.size(); i++)
    for (const Part& part : kParts)
      if (metrics[i]) visit(kRougeMetrics[i], part);
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

std::string scores_csv(std::span<const ItemScores> items, const RougeSet& metrics) {
  std::string csv;
  for_each_measure(metrics, [&](const RougeMetric& metric, const Part& part) {
    csv += fmt::format("{}_{},", metric.key, part.csv_name);
  });
  csv += "id\n";
  for (const ItemScores& item : items) {
    for_each_measure(metrics, [&](const RougeMetric& metric, const Part& part) {
      csv += python_repr(item.rouge.*metric.score.*part.value) + ',';
    });
    csv += csv_field(item.id) + '\n';
  }
  return csv;
}

Json scores_json(std::span<const ItemScores> items, const RougeSet& metrics) {
  Json json = {{"n", items.size()}};
  for_each_measure(metrics, [&](const RougeMetric& metric, const Part& part) {
    const Statistics s = statistics_of(values_of(items, metric, part));
    json[std::string(metric.key)][part.key] = {
        {"mean", s.mean}, {"median", s.median}, {"std", s.std}, {"min", s.min}, {"max", s.max}};
  });
  return json;
}

std::string scores_table(std::span<const ItemScores> items, const RougeSet& metrics) {
  // Wide enough for the longest, "ROUGE-Lsum precision".
  const int width = metrics[kRougeLsum] ? 21 : 18;
  std::string table =
      fmt::format("{:<{}}{:>9}{:>9}{:>9}{:>9}{:>9}\n", fmt::format("n = {}", items.size()), width,
                  "mean", "median", "std", "min", "max");
  for_each_measure(metrics, [&](const RougeMetric& metric, const Part& part) {
    const Statistics s = statistics_of(values_of(items, metric, part));
    table +=
        fmt::format("{:<{}}{}{}{}{}{}\n", fmt::format("{} {}", metric.title, part.title), width,
                    cell(s.mean), cell(s.median), cell(s.std), cell(s.min), cell(s.max));
  });
  return table;
}

std::vector<double> f1_values(std::span<const ItemScores> items, size_t metric) {
  return values_of(items, kRougeMetrics[metric], kParts[2]);
}

}  // namespace chatmem
