// The cleanliness of an input: dialogues that are the same or nearly so, and a split into training,
// validation and test that keeps them on one side.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "synth/provider.h"

namespace chatmem {

// Two dialogues are near duplicates when the sets of their runs of five words have a Jaccard
// similarity of at least this. Words are those of normalized_dialogue; a dialogue of fewer than
// five words has one run, all of them. Speakers' placeholders count as words.
constexpr double kNearDuplicateJaccard = 0.7;

struct DuplicatePair {
  int first = 0, second = 0;  // indexes of rows, first < second
  double jaccard = 0;
};

struct DuplicateReport {
  // By row: the first row with the same dialogue, itself where there is none before.
  std::vector<int> first_same;
  int64_t exact = 0;  // rows whose dialogue an earlier row has
  // Pairs of different dialogues (the first row of each) that are near, in order.
  std::vector<DuplicatePair> near;
  int64_t near_rows = 0;  // rows, exact duplicates left out, that are near an earlier one
  // By row: the first row of its group, where groups are joined by exact and near duplicates.
  std::vector<int> group;
  int64_t groups = 0;
};

// Candidates are found by MinHash and locality-sensitive hashing (Broder 1997; Indyk and Motwani
// 1998: 128 hashes in 32 bands of 4), then compared exactly. A pair of similarity s is missed with
// probability (1 - s^4)^32: under 0.02% at 0.7. Deterministic. Rows without a dialogue are no
// duplicates of each other.
DuplicateReport find_duplicates(const std::vector<SourceRow>& rows);

enum class Side { train, validation, test };
std::string_view side_name(Side side);  // "train", "validation", "test"

struct SplitShares {
  double validation = 0, test = 0;  // of the groups; the rest is training
};

// "0.1,0.05": the shares of validation and test. Throws Error unless each is in [0, 1) and their
// sum below 1.
SplitShares parse_split_shares(const std::string& text);

// The side of each row, by a hash of the text of its group's first member: it does not depend on
// order or number of other rows, but for a new row that joins two groups or comes before the first
// of its group.
std::vector<Side> split_rows(const std::vector<SourceRow>& rows, const DuplicateReport& duplicates,
                             const SplitShares& shares);

// Pairs of rows on different sides with the same or nearly the same dialogue, each a sentence; at
// most `limit`. Empty: no leak. Compares the rows anew: does not rest on a report.
std::vector<std::string> find_leaks(const std::vector<SourceRow>& rows,
                                    const std::vector<Side>& sides, size_t limit = 10);

}  // namespace chatmem
