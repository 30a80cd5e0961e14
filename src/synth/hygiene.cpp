#include "synth/hygiene.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <span>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "synth/dialogue.h"

namespace chatmem {
namespace {

constexpr size_t kRunWords = 5;
constexpr size_t kBands = 32, kBandHashes = 4, kHashes = kBands * kBandHashes;
// Rows in one bucket that are compared each with each; of larger buckets every row is compared with
// the first ones only. Nothing but text of one phrase repeated fills such a bucket.
constexpr size_t kMaxBucket = 400;

// Hashes of the runs of five words, sorted, each once. 64 bits: among 10^7 runs two different ones
// meet with a probability of 3 in a million.
std::vector<uint64_t> runs_of(std::string_view normalized) {
  std::vector<size_t> begins;
  for (size_t i = 0; i < normalized.size(); i++)
    if (i == 0 || normalized[i - 1] == ' ') begins.push_back(i);
  std::vector<uint64_t> runs;
  const size_t n = begins.size();
  for (size_t i = 0; i < n && (i == 0 || i + kRunWords <= n); i++) {
    const size_t end = i + kRunWords < n ? begins[i + kRunWords] - 1 : normalized.size();
    runs.push_back(hash64(normalized.substr(begins[i], end - begins[i])));
  }
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  return runs;
}

double jaccard(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  size_t common = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j])
      common++, i++, j++;
    else if (a[i] < b[j])
      i++;
    else
      j++;
  }
  const size_t all = a.size() + b.size() - common;
  return all ? double(common) / double(all) : 0;
}

// Keys of the bands: equal in two rows with probability s^4 for a band.
std::array<uint64_t, kBands> bands_of(const std::vector<uint64_t>& runs) {
  static const auto kSeeds = [] {
    std::array<std::pair<uint64_t, uint64_t>, kHashes> seeds;
    Random random(5);
    for (auto& [factor, offset] : seeds) factor = random.next() | 1, offset = random.next();
    return seeds;
  }();
  std::array<uint64_t, kHashes> least;
  least.fill(~uint64_t(0));
  for (const uint64_t run : runs)
    for (size_t h = 0; h < kHashes; h++) {
      // Multiply and shift (Dietzfelbinger 1996), with the high half mixed in.
      const uint64_t x = (run ^ kSeeds[h].second) * kSeeds[h].first;
      least[h] = std::min(least[h], x ^ x >> 32);
    }
  std::array<uint64_t, kBands> bands;
  for (size_t b = 0; b < kBands; b++) {
    uint64_t key = b;
    for (size_t h = 0; h < kBandHashes; h++)
      key = (key ^ least[b * kBandHashes + h]) * 0x9E3779B97F4A7C15ull;
    bands[b] = key;
  }
  return bands;
}

class Groups {
 public:
  explicit Groups(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0); }
  // The first row of the group.
  int find(int row) {
    while (parent_[size_t(row)] != row) {
      parent_[size_t(row)] = parent_[size_t(parent_[size_t(row)])];
      row = parent_[size_t(row)];
    }
    return row;
  }
  void join(int a, int b) {
    a = find(a), b = find(b);
    if (a != b) parent_[size_t(std::max(a, b))] = std::min(a, b);
  }

 private:
  std::vector<int> parent_;
};

// Near pairs among these rows, whose runs are given by row.
std::vector<DuplicatePair> near_pairs(const std::vector<int>& rows,
                                      const std::vector<std::vector<uint64_t>>& runs) {
  std::vector<std::array<uint64_t, kBands>> bands;
  bands.reserve(rows.size());
  for (const int row : rows) bands.push_back(bands_of(runs[size_t(row)]));
  std::vector<std::pair<int, int>> candidates;
  for (size_t b = 0; b < kBands; b++) {
    std::unordered_map<uint64_t, std::vector<int>> buckets;
    for (size_t i = 0; i < rows.size(); i++) {
      std::vector<int>& bucket = buckets[bands[i][b]];
      for (const int other : bucket) candidates.emplace_back(other, rows[i]);
      if (bucket.size() < kMaxBucket) bucket.push_back(rows[i]);
    }
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  std::vector<DuplicatePair> pairs;
  for (const auto& [a, b] : candidates) {
    const double similarity = jaccard(runs[size_t(a)], runs[size_t(b)]);
    if (similarity >= kNearDuplicateJaccard) pairs.push_back({a, b, similarity});
  }
  return pairs;
}

// The same bytes on every machine in [0, 1).
double share_of(std::string_view normalized) {
  return double(Random(hash64(normalized)).next() >> 11) * 0x1.0p-53;
}

}  // namespace

DuplicateReport find_duplicates(const std::vector<SourceRow>& rows) {
  DuplicateReport report;
  Groups groups(rows.size());
  std::unordered_map<std::string, int> seen;
  std::vector<std::vector<uint64_t>> runs(rows.size());
  std::vector<int> distinct;
  for (size_t i = 0; i < rows.size(); i++) {
    std::string text = normalized_dialogue(rows[i].dialogue);
    report.first_same.push_back(int(i));
    if (text.empty()) continue;
    runs[i] = runs_of(text);
    const auto [it, fresh] = seen.try_emplace(std::move(text), int(i));
    if (fresh) {
      distinct.push_back(int(i));
      continue;
    }
    runs[i].clear();
    report.first_same[i] = it->second;
    report.exact++;
    groups.join(it->second, int(i));
  }
  report.near = near_pairs(distinct, runs);
  std::vector<char> near(rows.size(), 0);
  for (const DuplicatePair& pair : report.near) {
    groups.join(pair.first, pair.second);
    near[size_t(pair.second)] = 1;
  }
  report.near_rows = std::count(near.begin(), near.end(), 1);
  for (size_t i = 0; i < rows.size(); i++) {
    report.group.push_back(groups.find(int(i)));
    report.groups += report.group[i] == int(i);
  }
  return report;
}

std::string_view side_name(Side side) {
  static constexpr std::array<std::string_view, 3> kNames = {"train", "validation", "test"};
  return kNames[size_t(side)];
}

SplitShares parse_split_shares(const std::string& text) {
  SplitShares shares;
  const char *at = text.data(), *end = at + text.size();
  double* const values[] = {&shares.validation, &shares.test};
  bool good = true;
  for (int i = 0; i < 2 && good; i++) {
    const auto [stop, error] = std::from_chars(at, end, *values[i]);
    good = error == std::errc() && *values[i] >= 0 && *values[i] < 1 &&
           (i == 0 ? stop < end && *stop == ',' : stop == end);
    at = stop + 1;
  }
  if (!good || shares.validation + shares.test >= 1)
    throw Error(fmt::format("[generate] the split must be two shares such as 0.1,0.1 with a sum "
                            "below 1, is '{}'",
                            text),
                "the first is validation, the second test, the rest is training", kUsage);
  return shares;
}

std::vector<Side> split_rows(const std::vector<SourceRow>& rows, const DuplicateReport& duplicates,
                             const SplitShares& shares) {
  CHECK(duplicates.group.size() == rows.size());
  std::vector<Side> sides(rows.size());
  for (size_t i = 0; i < rows.size(); i++) {
    const size_t first = size_t(duplicates.group[i]);
    if (first < i) {
      sides[i] = sides[first];
      continue;
    }
    // A row without words goes by its id, or all such rows would lie on one side.
    std::string text = normalized_dialogue(rows[i].dialogue);
    if (text.empty()) text = rows[i].id;
    const double share = share_of(text);
    sides[i] = share < shares.test                       ? Side::test
               : share < shares.test + shares.validation ? Side::validation
                                                         : Side::train;
  }
  return sides;
}

std::vector<std::string> find_leaks(const std::vector<SourceRow>& rows,
                                    const std::vector<Side>& sides, size_t limit) {
  CHECK(sides.size() == rows.size());
  const DuplicateReport report = find_duplicates(rows);
  std::vector<std::string> leaks;
  const auto tell = [&](int a, int b, const std::string& how) {
    if (leaks.size() < limit)
      leaks.push_back(fmt::format("'{}' ({}) and '{}' ({}) have {} dialogue", rows[size_t(a)].id,
                                  side_name(sides[size_t(a)]), rows[size_t(b)].id,
                                  side_name(sides[size_t(b)]), how));
  };
  for (size_t i = 0; i < rows.size(); i++)
    if (sides[i] != sides[size_t(report.first_same[i])])
      tell(report.first_same[i], int(i), "the same");
  for (const DuplicatePair& pair : report.near)
    if (sides[size_t(pair.first)] != sides[size_t(pair.second)])
      tell(pair.first, pair.second,
           fmt::format("nearly the same ({:.0f}% of its runs of five words)", pair.jaccard * 100));
  return leaks;
}

}  // namespace chatmem
