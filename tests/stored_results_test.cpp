// Result folders as statistics, as a page, and as a card.
#include "synth/stored_results.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/json.h"
#include "synth/dataset_card.h"
#include "synth/result_stats.h"
#include "synth/viewer.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

std::string original(const std::string& id, const std::string& summary, const std::string& text) {
  return dump_json(
      {{"original_id", id},
       {"topic", "garden"},
       {"original_summary", "x"},
       {"transformed_conversations",
        {{"today_date", "2024-08-20"},
         {"personal_summary", summary},
         {"conversations",
          {{{"date", "2024-06-03"},
            {"messages",
             {{{"timestamp", "2024-06-03 17:02"}, {"content", "You: " + text}},
              {{"timestamp", "2024-06-03 17:10"}, {"content", "Sarah: Sure."}}}}},
           {{"date", "2024-07-04"},
            {"messages", {{{"timestamp", "2024-07-04 19:00"}, {"content", "Sarah: Done."}}}}}}}}},
       {"timestamp", "2024-08-20T12:00:00Z"}});
}

struct ReadRows {
  StoredResults results;
  std::vector<ResultRow> rows;
};

ReadRows read_all(const fs::path& folder) {
  ReadRows all;
  all.results = read_stored_results(folder, [&](const ResultRow& row) { all.rows.push_back(row); });
  return all;
}

std::string page_of(const fs::path& folder) {
  ViewerPage page;
  const StoredResults results =
      read_stored_results(folder, [&](const ResultRow& row) { page.add(row); });
  return page.html(results.name);
}

class StoredResultsTest : public ::testing::Test {
 protected:
  StoredResultsTest() {
    folder_.write("success/conversation_r10_original.json",
                  original("r10", "As of August 20th, all is well since July 4th.", "Hello"));
    folder_.write("success/conversation_r9_original.json",
                  original("r9", "You met two months ago, on June 3rd. On June 5th you left.",
                           "</script><script>alert(1)</script><!--"));
    folder_.write("errors/conversation_r1_original.json",
                  R"({"original_id":"r1","error":"refused after 12 s"})");
    folder_.write("errors/conversation_r2_original.json",
                  R"({"original_id":"r2","error":"refused after 7 s"})");
  }
  TestFolder folder_;
};

TEST_F(StoredResultsTest, IsReadInTheOrderOfIds) {
  folder_.write("success/conversation_bad_original.json", "{");
  const ReadRows read = read_all(folder_.path());
  ASSERT_EQ(read.rows.size(), 2u);
  EXPECT_EQ(read.results.rows, 2);
  EXPECT_EQ(read.rows[0].conversation.id, "r9");
  EXPECT_EQ(read.rows[0].n_conversations, 2);
  EXPECT_EQ(read.rows[0].conversation.messages.size(), 3u);
  EXPECT_EQ(read.results.unreadable, 1);
  EXPECT_THAT(read.results.first_unreadable,
              ElementsAre(HasSubstr("conversation_bad_original.json")));
  EXPECT_THAT(read.results.errors_by_reason, ElementsAre(Pair("refused after N s", 2)));
}

TEST_F(StoredResultsTest, TrainingDataAloneIsEnough) {
  TestFolder other;
  other.write("training_data.jsonl",
              R"({"id":"a","messages":[{"timestamp":"2024-06-03 17:02","content":"You: x"}],)"
              R"("summary":"You met."})"
              "\n");
  const ReadRows read = read_all(other.path());
  ASSERT_EQ(read.rows.size(), 1u);
  EXPECT_EQ(read.rows[0].n_conversations, 1);
  TestFolder empty;
  EXPECT_THROW(read_all(empty.path()), Error);
}

TEST_F(StoredResultsTest, StatsCountWhatIsThere) {
  const ResultStats stats = folder_stats(folder_.path());
  EXPECT_EQ(stats.rows, 2);
  EXPECT_EQ(stats.errors, 2);
  EXPECT_EQ(stats.messages, 6);
  EXPECT_EQ(stats.today_named, 1);
  EXPECT_EQ(stats.with_today, 2);
  EXPECT_EQ(stats.dates, 3);        // July 4th, June 3rd, June 5th
  EXPECT_EQ(stats.dates_found, 2);  // not June 5th
  EXPECT_EQ(stats.relative_summaries, 1);
  EXPECT_EQ(stats.span_days.median, 31);
  EXPECT_EQ(stats.days.max, 2);
  EXPECT_EQ(stats.summary_words.min, 10);
  EXPECT_EQ(stats.summary_words.max, 13);
  EXPECT_THAT(stats.openings,
              ElementsAre(Pair("as of august 20th", 1), Pair("you met two months", 1)));
  EXPECT_GT(stats.distinct_2, stats.distinct_1);
  const std::string table = format_stats(stats);
  EXPECT_THAT(table, HasSubstr("2 rows, 6 messages, 2 errors"));
  EXPECT_THAT(table, HasSubstr("     2  refused after N s"));
  EXPECT_THAT(table, HasSubstr("3 named, 66.7% are days of messages"));
  EXPECT_EQ(stats_json(stats)["dates_found"], 2);
}

TEST(ResultStats, OfNoRowsAreNoNumbers) {
  const ResultStats stats = ResultStatsBuilder().finish();
  EXPECT_EQ(format_stats(stats), "0 rows, 0 messages, 0 errors\n");
  EXPECT_TRUE(stats_json(stats)["span_days"].is_null());
  EXPECT_NO_THROW(dump_json(stats_json(stats)));
}

ResultRow numbered_row(int i) {
  ResultRow row;
  row.conversation.id = "r" + std::to_string(i);
  row.conversation.summary = "word" + std::to_string(i % 7) + " and word" + std::to_string(i % 11);
  row.n_conversations = i;
  return row;
}

// The sample follows from the ids alone, so a folder read in another order says the same.
TEST(ResultStats, DoNotDependOnTheOrderOfRows) {
  ResultStatsBuilder up, down;
  for (int i = 0; i < 5000; i++) {
    up.add(numbered_row(i));
    down.add(numbered_row(4999 - i));
  }
  const ResultStats stats = up.finish();
  EXPECT_EQ(dump_json(stats_json(stats)), dump_json(stats_json(down.finish())));
  EXPECT_EQ(stats.conversations.median, 2499.5);
  EXPECT_NEAR(stats.self_overlap, 0.330, 0.02);  // over all pairs of the 77 different summaries
}

TEST(DistinctCountTest, CountsAsASetDoes) {
  DistinctCount count;
  for (int round = 0; round < 3; round++)
    for (uint64_t i = 0; i < 100'000; i++) count.add(i * i % 90'001);
  std::set<uint64_t> expected;
  for (uint64_t i = 0; i < 100'000; i++) expected.insert(i * i % 90'001);
  EXPECT_EQ(count.count(), int64_t(expected.size()));
}

// The JSON in the page.
Json page_data(const std::string& page) {
  const std::string open = "<script type=\"application/json\" id=\"data\">";
  const size_t begin = page.find(open) + open.size();
  return parse_json(page.substr(begin, page.find("</script>", begin) - begin), "page");
}

TEST_F(StoredResultsTest, PageHoldsTheRowsAsTextOnly) {
  const std::string page = page_of(folder_.path());
  const Json data = page_data(page);
  ASSERT_EQ(data["rows"].size(), 2u);
  EXPECT_EQ(data["rows"][0]["messages"][0][3], "</script><script>alert(1)</script><!--");
  EXPECT_EQ(data["rows"][0]["summary"],
            parse_json(R"(["You met two months ago, on ",["June 3rd","2024-06-03"],". On ",
                           ["June 5th",""]," you left."])",
                       "test"));
  EXPECT_EQ(data["rows"][1]["summary"][1], parse_json(R"(["August 20th","today"])", "test"));
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  // Two elements of ours, and nothing asked for from outside.
  size_t scripts = 0;
  for (size_t at = page.find("</script"); at != page.npos; at = page.find("</script", at + 1))
    scripts++;
  EXPECT_EQ(scripts, 2u);
  for (const char* outside : {"http://", "https://", " src=", "<link", "@import", "url(", "fetch(",
                              "innerHTML", "outerHTML", "document.write", "eval("})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
}

TEST_F(StoredResultsTest, PageHasALimitAndSaysSo) {
  const ResultRow row = read_all(folder_.path()).rows[0];
  ViewerPage page;
  for (size_t i = 0; i < kMaxViewerRows + 5; i++) page.add(row);
  const Json data = page_data(page.html("many"));
  EXPECT_EQ(data["name"], "many");
  EXPECT_EQ(data["rows"].size(), kMaxViewerRows);
  EXPECT_EQ(data["total"], kMaxViewerRows + 5);
}

TEST_F(StoredResultsTest, OriginalFolderIsRead) {
  const fs::path seed = shared_data() / "seed";
  if (!fs::exists(seed / "success")) GTEST_SKIP() << "shared/data is absent";
  const ResultStats stats = folder_stats(seed);
  EXPECT_GE(stats.rows, 3);
  EXPECT_GE(stats.errors, 3);
  EXPECT_EQ(stats.unreadable, 0);
  EXPECT_GT(stats.messages, 30);
}

DatasetCard card() {
  DatasetCard made;
  made.input_file = "rows.csv";
  made.input_fingerprint = "00ff";
  made.input_rows = 12;
  made.provider = "anthropic";
  made.model = "claude-x";
  made.prompt_hash = "abcd";
  made.seed = 3;
  made.version = "0.1.0";
  made.command = "chatmem generate --rows 12";
  made.cost_usd = 0.0123;
  made.splits = {{"train", "training_data.jsonl", 10}, {"test", "test.jsonl", 2}};
  return made;
}

TEST_F(StoredResultsTest, CardTellsProvenanceCountsAndLicence) {
  DatasetCard made = card();
  made.stats = folder_stats(folder_.path());
  const std::string text = dataset_card(made);
  EXPECT_THAT(text, testing::StartsWith("---\n"));
  for (const char* part :
       {"license: unknown\n", "language:\n- en\n", "task_categories:\n- summarization\n",
        "  - split: train\n    path: training_data.jsonl\n", "  - split: test\n", "CC BY-NC-SA 4.0",
        "rows.csv", "00ff", "claude-x", "abcd", "$0.0123", "chatmem generate --rows 12",
        "| conversations | 2 | 2 | 2 | 2 | 2 |", "refused after N s"})
    EXPECT_THAT(text, HasSubstr(part));
  made.license = "mit";
  EXPECT_THAT(dataset_card(made), HasSubstr("license: mit\n"));
}

TEST(DatasetCardTest, ValuesCannotBreakTheHeaderOrTheTable) {
  DatasetCard made = card();
  made.license = "mit\nevil: yes";
  made.input_file = "a|b`c\n# x.csv";
  made.splits[0].file = "a: b\n.jsonl";
  const std::string text = dataset_card(made);
  EXPECT_THAT(text, Not(HasSubstr("\nevil")));
  EXPECT_THAT(text, Not(HasSubstr("\n# x.csv")));
  EXPECT_THAT(text, HasSubstr("path: \"a: b .jsonl\"\n"));
}

TEST(DatasetCardTest, CommandLosesItsSecrets) {
  EXPECT_EQ(
      command_line({"chatmem", "generate", "--api-key", "sk-1", "--topic", "it's",
                    "--base-url=https://u:p@host/v1?key=1", "x=sk-ant-api03-abc"}),
      "chatmem generate --api-key *** --topic 'it'\\''s' '--base-url=https://***@host/v1?***' "
      "***");
}

}  // namespace
}  // namespace chatmem
