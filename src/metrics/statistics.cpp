#include "metrics/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/random.h"

namespace chatmem {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum / double(values.size());
}

}  // namespace

Statistics statistics_of(std::span<const double> values) {
  if (values.empty()) return {kUndefined, kUndefined, kUndefined, kUndefined, kUndefined};
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  Statistics result;
  result.mean = mean_of(values);
  result.median = quantile(sorted, 0.5);
  result.min = sorted.front(), result.max = sorted.back();
  double squares = 0;
  for (const double x : values) squares += (x - result.mean) * (x - result.mean);
  result.std = values.size() < 2 ? kUndefined : std::sqrt(squares / double(values.size() - 1));
  return result;
}

double quantile(std::span<const double> sorted, double q) {
  CHECK(q >= 0 && q <= 1);
  if (sorted.empty()) return kUndefined;
  const double position = q * double(sorted.size() - 1);
  const size_t below = size_t(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (position - double(below)) * (sorted[below + 1] - sorted[below]);
}

Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options) {
  CHECK(options.resamples > 0 && options.confidence > 0 && options.confidence < 1);
  if (values.empty()) return {kUndefined, kUndefined};
  Random random(options.seed);
  std::vector<double> means(size_t(options.resamples));
  for (double& mean : means) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); i++) sum += values[random.below(values.size())];
    mean = sum / double(values.size());
  }
  std::sort(means.begin(), means.end());
  const double outside = (1 - options.confidence) / 2;
  return {quantile(means, outside), quantile(means, 1 - outside)};
}

}  // namespace chatmem
