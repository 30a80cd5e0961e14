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

PairedDifference paired_difference(std::span<const double> a, std::span<const double> b,
                                   const BootstrapOptions& options, int permutations) {
  CHECK(a.size() == b.size() && permutations > 0);
  std::vector<double> differences(a.size());
  for (size_t i = 0; i < a.size(); i++) differences[i] = a[i] - b[i];
  PairedDifference result{.interval = bootstrap_mean(differences, options),
                          .permutations = permutations};
  if (differences.empty()) {
    result.mean = result.p_value = kUndefined;
    return result;
  }
  result.mean = mean_of(differences);
  // Equal sums in another order of additions must count as equal.
  const double observed = std::fabs(result.mean) * double(a.size()) * (1 - 1e-12);
  Random random(options.seed);
  int as_far = 0;
  for (int k = 0; k < permutations; k++) {
    double sum = 0;
    uint64_t signs = 0;
    for (size_t i = 0; i < differences.size(); i++, signs >>= 1) {
      if (i % 64 == 0) signs = random.next();
      sum += signs & 1 ? differences[i] : -differences[i];
    }
    as_far += std::fabs(sum) >= observed;
  }
  result.p_value = (1.0 + as_far) / (1.0 + permutations);
  return result;
}

}  // namespace chatmem
