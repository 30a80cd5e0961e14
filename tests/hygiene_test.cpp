// Duplicates of the input, the split by content, and its leaks.
#include "synth/hygiene.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "synth/dialogue.h"
#include "synth/generate.h"
#include "test_folder.h"
#include "text/words.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string words(int from, int n) {
  std::string text = "#Person1#:";
  for (int i = 0; i < n; i++) text += fmt::format(" w{}", from + i);
  return text;
}

std::vector<SourceRow> rows_of(const std::vector<std::string>& dialogues) {
  std::vector<SourceRow> rows;
  for (size_t i = 0; i < dialogues.size(); i++)
    rows.push_back({fmt::format("r{}", i), dialogues[i], "", "", i + 2});
  return rows;
}

// The measure by its definition, each row with each.
double jaccard_by_sets(const std::string& a, const std::string& b) {
  const auto runs = [](const std::string& text) {
    const std::string normalized = normalized_dialogue(text);
    std::vector<std::string> all;
    for (size_t begin = 0; begin < normalized.size();) {
      const size_t end = std::min(normalized.find(' ', begin), normalized.size());
      all.push_back(normalized.substr(begin, end - begin));
      begin = end + 1;
    }
    std::set<std::vector<std::string>> set;
    if (all.size() < 5) set.insert(all);
    for (size_t i = 0; i + 5 <= all.size(); i++)
      set.insert(std::vector<std::string>(all.begin() + long(i), all.begin() + long(i) + 5));
    return set;
  };
  const auto x = runs(a), y = runs(b);
  size_t common = 0;
  for (const auto& run : x) common += y.count(run);
  return double(common) / double(x.size() + y.size() - common);
}

TEST(Hygiene, ExactAndNearDuplicatesAreOneGroup) {
  // r1 is r0 in another case; r2 has two other words at its end; r3 is far; r4 is near r2 alone.
  const std::vector<SourceRow> rows =
      rows_of({words(0, 60), "#person1#:  W0" + words(0, 60).substr(13) + "!",
               words(0, 58) + " x y", words(500, 60), words(8, 50) + " x y"});
  const DuplicateReport report = find_duplicates(rows);
  EXPECT_EQ(report.exact, 1);
  EXPECT_THAT(report.first_same, ElementsAre(0, 0, 2, 3, 4));
  for (const DuplicatePair& pair : report.near) {
    EXPECT_NEAR(
        pair.jaccard,
        jaccard_by_sets(rows[size_t(pair.first)].dialogue, rows[size_t(pair.second)].dialogue),
        1e-12);
    EXPECT_GE(pair.jaccard, 0.7);
  }
  EXPECT_THAT(report.group, ElementsAre(0, 0, 0, 3, 0));
  EXPECT_EQ(report.near_rows, 2);
  EXPECT_EQ(report.groups, 2);
}

TEST(Hygiene, NearPairsAreThoseOfAComparisonOfEachWithEach) {
  Random random(3);
  std::vector<std::string> dialogues;
  for (int i = 0; i < 200; i++) {
    const int base = int(random.below(40)) * 1000;
    std::string text = words(base, 80);
    for (uint64_t k = random.below(5); k-- > 0;) {
      const size_t at = text.find(fmt::format(" w{} ", base + int(random.below(70))));
      if (at != text.npos) text[at + 1] = 'q';
    }
    dialogues.push_back(text);
  }
  const std::vector<SourceRow> rows = rows_of(dialogues);
  const DuplicateReport report = find_duplicates(rows);
  std::set<std::pair<int, int>> expected, found;
  for (int a = 0; a < 200; a++)
    for (int b = a + 1; b < 200; b++)
      if (report.first_same[size_t(a)] == a && report.first_same[size_t(b)] == b &&
          jaccard_by_sets(dialogues[size_t(a)], dialogues[size_t(b)]) >= 0.7)
        expected.insert({a, b});
  for (const DuplicatePair& pair : report.near) found.insert({pair.first, pair.second});
  EXPECT_GT(expected.size(), 50u);
  EXPECT_EQ(found, expected);
}

TEST(Hygiene, EmptyAndShortDialogues) {
  const DuplicateReport report = find_duplicates(
      rows_of({"", "", "#Person1#: Hi", "#Person1#: Hi!", "#Person1#: Ho", "...", "\xC3\xA9"}));
  EXPECT_EQ(report.exact, 1);
  EXPECT_THAT(report.near, IsEmpty());
  EXPECT_EQ(report.groups, 6);
  EXPECT_EQ(find_duplicates({}).groups, 0);
}

TEST(Hygiene, SplitIsByContentAndKeepsGroupsTogether) {
  std::vector<std::string> dialogues;
  for (int i = 0; i < 2000; i++) dialogues.push_back(words(i * 100, 60));
  for (int i = 0; i < 300; i++) dialogues.push_back(words(i * 100, 58) + " other end");
  const std::vector<SourceRow> rows = rows_of(dialogues);
  const DuplicateReport report = find_duplicates(rows);
  const std::vector<Side> sides = split_rows(rows, report, {0.1, 0.2});
  EXPECT_THAT(find_leaks(rows, sides), IsEmpty());
  std::map<Side, int> counts;
  for (size_t i = 0; i < 2000; i++) counts[sides[i]]++;
  EXPECT_NEAR(counts[Side::validation], 200, 45);
  EXPECT_NEAR(counts[Side::test], 400, 60);
  // More rows move none of those there before.
  const std::vector<SourceRow> fewer(rows.begin(), rows.begin() + 1000);
  const std::vector<Side> before = split_rows(fewer, find_duplicates(fewer), {0.1, 0.2});
  EXPECT_TRUE(std::equal(before.begin(), before.end(), sides.begin()));
}

TEST(Hygiene, LeaksAreFound) {
  const std::vector<SourceRow> rows = rows_of({words(0, 60), words(0, 60), words(0, 58) + " x y"});
  using enum Side;
  EXPECT_THAT(find_leaks(rows, {train, train, train}), IsEmpty());
  EXPECT_THAT(find_leaks(rows, {train, test, train}),
              ElementsAre("'r0' (train) and 'r1' (test) have the same dialogue"));
  EXPECT_THAT(find_leaks(rows, {train, train, validation}),
              ElementsAre(HasSubstr("'r0' (train) and 'r2' (validation) have nearly the same")));
  EXPECT_EQ(find_leaks(rows, {train, test, validation}, 1).size(), 1u);
}

TEST(Hygiene, SharesAreParsed) {
  const SplitShares shares = parse_split_shares("0.1,0.05");
  EXPECT_EQ(shares.validation, 0.1);
  EXPECT_EQ(shares.test, 0.05);
  EXPECT_NO_THROW(parse_split_shares("0,0"));
  for (const char* bad : {"", "0.1", "0.5,0.5", "-0.1,0.2", "1,0", "a,b", "0.1,0.2,0.3", "nan,0"})
    EXPECT_THROW(parse_split_shares(bad), Error) << bad;
}

TEST(Hygiene, DialogSum) {
  const fs::path path = shared_data() / "dialogsum/train.csv";
  if (!fs::exists(path)) GTEST_SKIP() << "shared/data is absent";
  const std::vector<SourceRow> rows = read_source_rows(path);
  const std::clock_t start = std::clock();  // of the processor: others may use it too
  const DuplicateReport report = find_duplicates(rows);
  const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
  fmt::print("{} rows: {} exact, {} near pairs, {} rows near an earlier one, {} groups, {:.1f} s\n",
             rows.size(), report.exact, report.near.size(), report.near_rows, report.groups,
             seconds);
  EXPECT_EQ(report.exact, 1093);
  EXPECT_EQ(report.near_rows, 788);
  const std::vector<Side> sides = split_rows(rows, report, {0.05, 0.05});
  EXPECT_THAT(find_leaks(rows, sides), IsEmpty());
}

}  // namespace
}  // namespace chatmem
