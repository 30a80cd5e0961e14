// What is said of a column of scores.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace chatmem {

struct Statistics {
  double mean = 0, median = 0;
  double std = 0;  // of a sample, n - 1; NaN for fewer than two values
  double min = 0, max = 0;
};

// All NaN without values.
Statistics statistics_of(std::span<const double> values);

// The value below which the fraction q in [0, 1] of the sorted values lies, interpolated linearly
// between neighbours (numpy's default). NaN without values.
double quantile(std::span<const double> sorted, double q);

struct Interval {
  double low = 0, high = 0;
};

struct BootstrapOptions {
  int resamples = 2000;
  double confidence = 0.95;
  uint64_t seed = 1;
};

// The percentile bootstrap interval of the mean (Efron 1979): values are drawn again with
// replacement, and the interval holds the middle of the means. NaN without values.
Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options = {});

struct PairedDifference {
  double mean = 0;       // of a - b
  Interval interval;     // of it, as bootstrap_mean over the pairs
  double p_value = 0;    // of no difference
  int permutations = 0;  // that p_value was estimated with
};

// Two systems on the same items. p_value is that of the paired permutation test (Fisher 1935,
// Pitman 1937), two-sided: which system a score belongs to is exchanged at random in each pair, and
// p is (1 + the times the mean is at least as far from 0) / (1 + permutations). NaN without values.
PairedDifference paired_difference(std::span<const double> a, std::span<const double> b,
                                   const BootstrapOptions& options = {}, int permutations = 10'000);

}  // namespace chatmem
