// generate by Message Batches against the test double: what is sent, found again and resubmitted.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "anthropic_answer.h"
#include "generate_llm_fixture.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class GenerateBatchTest : public GenerateLlmTest {
 protected:
  GenerateOptions batch_options(const std::string& base_url, const std::string& output = "out") {
    GenerateOptions made = options(base_url, csv(), output);
    made.ask.batch = true;
    return made;
  }
};

Json item_rule(int row, std::string_view fault, Json further = Json::object()) {
  Json made = {{"on", "batch_item"}, {"contains", kFruits[row]}, {"fault", fault}};
  made.update(further);
  return made;
}

TEST_F(GenerateBatchTest, FailuresAreResubmittedAndRepairsAreABatch) {
  AnthropicDouble api(
      {.script = {
           {"rules",
            {item_rule(1, "errored", {{"times", 1}}), item_rule(2, "expired", {{"times", 1}}),
             item_rule(3, "errored",
                       {{"type", "invalid_request_error"}, {"message", "prompt is too long"}}),
             item_rule(4, "wrong_schema", {{"times", 1}}), item_rule(5, "refusal")}}}});
  // Its "/v1" belongs to the paths; both forms of the base URL are in use.
  const GenerateOptions made = batch_options(api.base_url() + "/v1");
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.end_reason, "");
  EXPECT_EQ(report.succeeded, kRows - 2);
  EXPECT_EQ(report.failed, 2);
  EXPECT_THAT(std::string(error_file(made, 3)["error"]), HasSubstr("prompt is too long"));
  EXPECT_THAT(std::string(error_file(made, 5)["error"]), HasSubstr("refused"));
  const LedgerSummary summary = api.summary();
  EXPECT_EQ(summary.messages, 0);
  EXPECT_EQ(summary.batches, 2);
  EXPECT_EQ(summary.batch_items, kRows - 1 + 1);  // without the invalid one, with the repair
  EXPECT_EQ(summary.batch_items_again, 0);

  // One by one in another folder gives the same, at twice the price.
  GenerateOptions single = options(api.base_url(), csv(), "single");
  const GenerateReport other = generate(single);
  EXPECT_EQ(read_file(made.output / "success/conversation_row_0_original.json"),
            read_file(single.output / "success/conversation_row_0_original.json"));
  EXPECT_LT(*report.spent_usd, *other.spent_usd);
}

TEST_F(GenerateBatchTest, StoppedWhilePollingGoesOnWithTheSameBatch) {
  AnthropicDouble api({.script = {{"batches", {{"polls", 1000}}}}});
  GenerateOptions made = batch_options(api.base_url());
  std::atomic<bool> stop = false;
  made.stop = &stop;
  std::thread stopper([&] {
    for (int i = 0; i < 1000; i++) {
      const std::vector<LedgerEntry> ledger = api.ledger();
      if (!ledger.empty() && ledger.back().kind == "poll") break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    stop = true;
  });
  GenerateReport report = generate(made);
  stopper.join();
  EXPECT_EQ(report.left, kRows);
  EXPECT_THAT(report.end_reason, HasSubstr("stopped"));
  EXPECT_EQ(api.summary().batches, 1);
  stop = false;
  api.set_script({{"batches", {{"polls", 1}}}});
  report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  EXPECT_EQ(api.summary().batches, 1);
  EXPECT_EQ(api.summary().batch_items, kRows);
}

// A run that ends in an error keeps what had come by then.
TEST_F(GenerateBatchTest, WhatCameIsKeptWhenALaterCallIsRefused) {
  AnthropicDouble api({.script = {{"rules",
                                   {item_rule(4, "wrong_schema", {{"times", 1}}),
                                    {{"on", "batches"}, {"index", 1}, {"fault", "forbidden"}}}}}});
  const GenerateOptions made = batch_options(api.base_url());
  GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, kRows - 1);
  EXPECT_EQ(report.left, 1);
  EXPECT_THAT(report.end_reason, AllOf(HasSubstr("403"), Not(HasSubstr("[llm] [llm]"))));
  EXPECT_EQ(read_conversations(made.output / "training_data.jsonl").size(), size_t(kRows) - 1);
  report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  EXPECT_EQ(api.summary().batch_items_again, 0);
}

TEST_F(GenerateBatchTest, BudgetBoundsTheBatch) {
  AnthropicDouble api;
  GenerateOptions made = batch_options(api.base_url());
  made.ask.price = Price{.input = 1, .output = 10, .batch = 0.5};
  made.ask.max_tokens = 4'000;
  made.ask.budget_usd = 0.04;
  GenerateReport report = generate(made);
  EXPECT_GT(report.succeeded, 0);
  EXPECT_GT(report.left, 0);
  EXPECT_LE(*report.spent_usd, 0.04);
  EXPECT_THAT(report.end_reason, HasSubstr("budget"));
  made.ask.budget_usd = 10;
  EXPECT_EQ(generate(made).succeeded, kRows);
  EXPECT_EQ(api.summary().batch_items, kRows);
}

}  // namespace
}  // namespace chatmem
