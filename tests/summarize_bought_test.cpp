// chatmem summarize with a language model elsewhere: references that are made, not only read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "anthropic_answer.h"
#include "anthropic_double.h"
#include "openai_double.h"
#include "run_command.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kChats = 8;
constexpr const char* kKey = "sk-ant-truth";

class SummarizeBought : public ::testing::Test {
 protected:
  SummarizeBought() {
    std::string lines;
    for (int i = 0; i < kChats; i++)
      lines += dump_json({{"id", fmt::format("chat_{}", i)},
                          {"colour", "green"},
                          {"messages",
                           {{{"timestamp", "2024-03-01 10:00"},
                             {"content", fmt::format("You: I bought {} apples.", 100 + i)}},
                            {{"timestamp", "2024-03-09 18:30"}, {"content", "Mara: Lovely."}}}},
                          {"summary", "You bought apples."}}) +
               "\n";
    data_ = folder_.write("test.jsonl", lines).string();
  }
  static std::string summary_of(const std::string& prompt) {
    const size_t at = prompt.find("I bought ");
    return "On March 1st you bought " + prompt.substr(at + 9, 3) + " apples.";
  }
  AnthropicDoubleOptions anthropic(Json script = Json::object()) const {
    AnthropicDoubleOptions options;
    options.script = std::move(script);
    options.keys = {kKey};
    options.answer = [](const Json& request) {
      return summary_of(content_text(request["messages"][0]["content"]));
    };
    return options;
  }
  std::string output() const { return (folder_.path() / "truth.jsonl").string(); }
  std::vector<std::string> command(std::vector<std::string> more) const {
    std::vector<std::string> all = {"summarize",     "--data",   data_,   "--key",
                                    "truth_summary", "--output", output()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  static CommandOptions with_key(const AnthropicDouble& server) {
    return {.environment = {fmt::format("ANTHROPIC_API_KEY={}", kKey),
                            "ANTHROPIC_BASE_URL=" + server.base_url()}};
  }
  std::vector<Json> rows() const {
    std::vector<Json> all;
    for_each_json_line(output(), [&](Json& row, size_t) { all.push_back(std::move(row)); });
    return all;
  }
  void expect_all() const {
    const std::vector<Json> all = rows();
    ASSERT_EQ(all.size(), size_t(kChats));
    for (int i = 0; i < kChats; i++) {
      const Json& row = all[size_t(i)];
      EXPECT_EQ(row["id"], fmt::format("chat_{}", i));
      EXPECT_EQ(row["truth_summary"], fmt::format("On March 1st you bought {} apples.", 100 + i));
      EXPECT_EQ(row["summary"], "You bought apples.");
      EXPECT_EQ(row["colour"], "green");
      EXPECT_EQ(row["messages"].size(), 2u);
      EXPECT_FALSE(row.contains("as_of"));
    }
  }

  TestFolder folder_;
  std::string data_;
};

TEST_F(SummarizeBought, ByClaudeOnce) {
  AnthropicDouble server(anthropic());
  const auto bought = command({"--provider", "anthropic", "--budget", "1"});
  const CommandResult first = run_command(bought, with_key(server));
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr("model claude-haiku-5-5 at"), HasSubstr("spent $"),
                               Not(HasSubstr(kKey))));
  expect_all();
  EXPECT_EQ(server.summary().bought, kChats);
  const std::string before = read_file(output());
  fs::remove(output());
  const CommandResult again = run_command(bought, with_key(server));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("8 answers were there from an earlier run"));
  EXPECT_EQ(read_file(output()), before);
  EXPECT_EQ(server.summary().bought, kChats);
}

TEST_F(SummarizeBought, ByAnyEndpointThatIsCompatible) {
  OpenAiDouble server(
      [](const Json& request) { return summary_of(request["messages"].back()["content"]); });
  const CommandResult result =
      run_command(command({"--endpoint", server.base_url(), "--model", "gpt", "--max-tokens", "500",
                           "--temperature", "0.2"}),
                  {.environment = {"OPENAI_API_KEY=sk-test"}});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("spent")));
  expect_all();
  EXPECT_EQ(server.last_key(), "Bearer sk-test");
  const Json request = server.requests()[0];
  EXPECT_EQ(request["model"], "gpt");
  EXPECT_EQ(request["max_tokens"], 500);
  EXPECT_EQ(request["temperature"], 0.2);
  EXPECT_THAT(std::string(request["messages"][0]["content"]),
              HasSubstr("Write a personal summary of the dated chat"));
}

// Only what was in flight at the kill may be bought again.
TEST_F(SummarizeBought, GoesOnAfterAKill) {
  AnthropicDouble server(anthropic({{"latency_ms", 150}}));
  const auto bought = command({"--provider", "anthropic", "--concurrency", "1"});
  RunningCommand killed(bought, with_key(server));
  for (int i = 0; i < 10'000 && server.summary().bought < 3; i++)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  killed.send(SIGKILL);
  EXPECT_EQ(killed.wait().code, -1);
  EXPECT_FALSE(fs::exists(output()));
  const CommandResult result = run_command(bought, with_key(server));
  EXPECT_EQ(result.code, 0) << result.err;
  expect_all();
  EXPECT_LE(server.summary().messages, kChats + 1);
  EXPECT_LE(server.summary().bought_again, 1);
}

TEST_F(SummarizeBought, WhatFailsIsNamedAndAskedAgain) {
  const Json refusing = {{"rules",
                          {{{"contains", "bought 103"}, {"fault", "refusal"}},
                           {{"contains", "bought 105"}, {"fault", "status"}, {"status", 400}}}}};
  AnthropicDouble server(anthropic(refusing));
  const auto bought = command({"--provider", "anthropic"});
  const CommandResult first = run_command(bought, with_key(server));
  EXPECT_EQ(first.code, 3) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr("2 of 8 summaries failed"),
                               HasSubstr("chat_3: the model "
                                         "refused"),
                               HasSubstr("chat_5: ")));
  EXPECT_EQ(rows().size(), size_t(kChats - 2));
  server.set_script(Json::object());
  const int64_t before = server.summary().messages;
  EXPECT_EQ(run_command(bought, with_key(server)).code, 3);  // the refusal was paid
  EXPECT_EQ(server.summary().messages, before + 1);
  auto again = bought;
  again.push_back("--retry-errors");
  const CommandResult last = run_command(again, with_key(server));
  EXPECT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(server.summary().messages, before + 2);
  expect_all();
}

TEST_F(SummarizeBought, ARefusedKeyAndAnEmptyBudgetBuyNothing) {
  AnthropicDouble server(anthropic());
  const auto bought = command({"--provider", "anthropic", "--budget", "0"});
  const CommandResult poor = run_command(bought, with_key(server));
  EXPECT_EQ(poor.code, 1);
  EXPECT_THAT(poor.err, AllOf(HasSubstr("error: ended early, 8 left"), HasSubstr("hint: ")));
  EXPECT_EQ(server.summary().messages, 0);
  const CommandResult refused = run_command(
      command({"--provider", "anthropic"}),
      {.environment = {"ANTHROPIC_API_KEY=other", "ANTHROPIC_BASE_URL=" + server.base_url()}});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("401"));
  EXPECT_EQ(server.summary().messages, 1);
  EXPECT_FALSE(fs::exists(output()));
}

TEST_F(SummarizeBought, ADryRunTellsThePriceAndBuysNothing) {
  AnthropicDouble server(anthropic());
  auto dry = command({"--provider", "anthropic", "--dry-run"});
  const CommandResult result = run_command(dry, with_key(server));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("8, of which 8 are to be asked for"),
                                HasSubstr("model           claude-haiku-5-5"),
                                HasSubstr("price           about $")));
  EXPECT_EQ(server.summary().messages, 0);
  EXPECT_FALSE(fs::exists(output() + ".journal"));
  EXPECT_EQ(run_command(command({"--provider", "anthropic"}), with_key(server)).code, 0);
  EXPECT_THAT(run_command(dry, with_key(server)).out, HasSubstr("of which 0 are"));
}

TEST_F(SummarizeBought, InBatchesAtHalfThePrice) {
  AnthropicDouble server(anthropic({{"batches", {{"polls", 1}}}}));
  const auto bought = command({"--provider", "anthropic", "--batch"});
  const CommandResult first = run_command(bought, with_key(server));
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("times 0.5 in a batch"));
  expect_all();
  EXPECT_EQ(server.summary().messages, 0);
  EXPECT_EQ(server.summary().batch_items, kChats);
  EXPECT_EQ(run_command(bought, with_key(server)).code, 0);
  EXPECT_EQ(server.summary().batch_items, kChats);
}

TEST_F(SummarizeBought, FlagsThatDoNotGoTogetherAreNamed) {
  const std::vector<std::vector<std::string>> refused = {
      {"summarize", data_, "--provider", "anthropic"},
      {"summarize", data_, "--dry-run"},
      {"summarize", data_, "--endpoint", "http://x", "--output", output(), "--batch"},
      {"summarize", data_, "--json", "--key", "x"},
      {"summarize", data_, "--key", "messages"},
      {"summarize", data_, "--endpoint", "http://x"},
      {"summarize", data_, "--provider", "openai", "--output", output()},
      {"summarize", data_, "--provider", "anthropic", "--output", output(), "--template", "seed"}};
  for (const std::vector<std::string>& arguments : refused)
    EXPECT_EQ(run_command(arguments).code, 2) << ::testing::PrintToString(arguments);
}

// The built-in engine writes files and records, too.
TEST_F(SummarizeBought, TheBuiltInEngineFillsAKey) {
  const CommandResult result = run_command(command({}));
  EXPECT_EQ(result.code, 0) << result.err;
  ASSERT_EQ(rows().size(), size_t(kChats));
  EXPECT_THAT(std::string(rows()[2]["truth_summary"]), HasSubstr("102 apples"));
  EXPECT_EQ(rows()[2]["summary"], "You bought apples.");
  EXPECT_FALSE(rows()[2].contains("as_of"));
}

}  // namespace
}  // namespace chatmem
