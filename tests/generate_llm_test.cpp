// generate by Anthropic's API, one request at a time, against the test double: what is sent, what
// each fault leads to, what is bought, and what a folder holds afterwards.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <thread>

#include "anthropic_answer.h"
#include "anthropic_usage.h"
#include "generate_llm_fixture.h"
#include "synth/expansion.h"
#include "synth/llm_provider.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The fault for a row's first request alone.
Json rule(int row, std::string_view fault, Json further = Json::object()) {
  Json made = {{"contains", kFruits[row]}, {"times", 1}, {"fault", fault}};
  made.update(further);
  return made;
}

Json script(const std::vector<Json>& rules, int latency_ms = 5) {
  return {{"latency_ms", latency_ms}, {"rules", rules}};
}

bool is_of_row(const Json& request, int row) {
  return dump_json(request["messages"]).find(kFruits[row]) != std::string::npos;
}

// Each success is in the files, and stands the check.
void expect_good(const GenerateOptions& made, const std::vector<SourceRow>& rows) {
  std::map<std::string, Conversation> by_id;
  for (Conversation& c : read_conversations(made.output / "training_data.jsonl"))
    by_id[c.id] = std::move(c);
  EXPECT_EQ(by_id.size(), rows.size());
  for (const SourceRow& row : rows) {
    const fs::path base = made.output / "success" / ("conversation_" + row.id + "_");
    const Json file = read_json(base.string() + "original.json");
    EXPECT_EQ(file["original_id"], row.id);
    EXPECT_EQ(file["topic"], row.topic);
    EXPECT_EQ(file["original_summary"], row.summary);
    const Json& answer = file["transformed_conversations"];
    const Transformed transformed = parse_expansion(dump_json(answer), AnswerFormat::json);
    const ExpansionTask task = expansion_task(row, made.seed, made.year);
    EXPECT_THAT(check_expansion(row, task, transformed), ::testing::IsEmpty()) << row.id;
    EXPECT_EQ(by_id[row.id].as_of, task.today);
    EXPECT_EQ(answer["today_date"], format_date(task.today));
    EXPECT_THAT(read_file(base.string() + "finetune.txt"), HasSubstr(transformed.personal_summary));
  }
}

TEST_F(GenerateLlmTest, EveryRowOnceAndTheFirstAlone) {
  std::mutex mutex;
  std::vector<Json> requests;
  AnthropicDouble api(
      {.script = {{"latency_ms", 30}, {"thinking", true}}, .answer = [&](const Json& request) {
         const std::lock_guard lock(mutex);
         requests.push_back(request);
         return default_anthropic_answer(request);
       }});
  const GenerateOptions made = options(api.base_url(), csv());
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  EXPECT_EQ(report.end_reason, "");
  expect_good(made, read_source_rows(made.input));
  EXPECT_EQ(read_json(made.output / "all_results.json").size(), size_t(kRows));

  const std::vector<LedgerEntry> ledger = api.ledger();
  ASSERT_EQ(ledger.size(), size_t(kRows));
  EXPECT_EQ(api.summary().repeats, 0);
  EXPECT_GT(api.summary().max_in_flight, 1);
  for (size_t i = 1; i < ledger.size(); i++)
    EXPECT_GE(ledger[i].arrived_ms, ledger[0].arrived_ms + 29) << "while the first was open";
  for (const Json& request : requests) {
    for (const char* sampling : {"temperature", "top_p", "top_k"})
      EXPECT_FALSE(request.contains(sampling));
    EXPECT_EQ(request["system"], requests[0]["system"]);
    EXPECT_EQ(request["system"][0]["cache_control"]["type"], "ephemeral");
    EXPECT_EQ(request["output_config"]["format"]["type"], "json_schema");
  }
  int64_t cached = 0;
  for (const Json& event : journal_events(made.output / "journal.jsonl", "received")) {
    const Json usage = parse_json(std::string(event["body"]), "body")["usage"];
    cached += usage["cache_read_input_tokens"].get<int64_t>() > 0;
  }
  EXPECT_EQ(cached, kRows - 1);
}

TEST_F(GenerateLlmTest, BracketsGiveTheSameFiles) {
  AnthropicDouble api({.script = script({})});
  GenerateOptions made = options(api.base_url(), csv(6));
  made.ask.format = AnswerFormat::text;
  EXPECT_EQ(generate(made).succeeded, 6);
  expect_good(made, read_source_rows(made.input));
  EXPECT_EQ(generate(made).kept, 6);
  EXPECT_EQ(api.summary().messages, 6);
}

TEST_F(GenerateLlmTest, RowsThatCannotBeAskedAboutGoToErrors) {
  AnthropicDouble api({.script = script({})});
  const GenerateOptions made =
      options(api.base_url(), csv(2) + "row_2,,nothing,none\nrow_3,#Person1#: Alone.,one,none\n");
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, 2);
  EXPECT_EQ(report.failed, 2);
  EXPECT_EQ(api.summary().messages, 2);
  EXPECT_THAT(std::string(error_file(made, 2)["error"]), HasSubstr("must have a dialogue"));
  EXPECT_THAT(std::string(error_file(made, 3)["error"]), HasSubstr("two speakers"));
  EXPECT_TRUE(error_file(made, 3)["raw_response"].is_null());
}

TEST_F(GenerateLlmTest, FaultsThatPassAreAskedAgain) {
  AnthropicDouble api({.script = script({
                           rule(0, "server_error"),
                           rule(1, "rate_limit", {{"retry_after_ms", 50}}),
                           rule(2, "rate_limit"),
                           rule(3, "overloaded"),
                           rule(4, "timeout"),
                           rule(5, "reset"),
                           rule(6, "reset_mid_body"),
                           rule(7, "close_mid_body"),
                           rule(8, "html"),
                           rule(9, "stall", {{"ms", 8000}}),
                           rule(10, "slow", {{"bytes_per_second", 40'000}}),
                           rule(11, "status", {{"status", 400}, {"should_retry", true}}),
                       })});
  GenerateOptions made = options(api.base_url(), csv());
  made.ask.endpoint.timeout_ms = 2'000;
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, kRows) << report.end_reason;
  expect_good(made, read_source_rows(made.input));
  const LedgerSummary summary = api.summary();
  EXPECT_EQ(summary.messages, kRows + 11);  // a slow answer is an answer
  EXPECT_EQ(summary.bought, kRows);
  EXPECT_EQ(summary.bought_again, 0);
  EXPECT_GE(summary.lost, 2);  // and the stalled one, once its rest has nowhere to go
  for (const auto& [status, count] :
       std::map<int, int64_t>{{400, 1}, {429, 2}, {500, 1}, {502, 1}, {504, 1}, {529, 1}})
    EXPECT_EQ(summary.statuses.at(status), count) << status;
}

TEST_F(GenerateLlmTest, BurstOfOverloadSlowsDownAndLosesNothing) {
  AnthropicDouble api({.script = script({Json{{"index", {1, 6}}, {"fault", "overloaded"}}})});
  const GenerateOptions made = options(api.base_url(), csv());
  EXPECT_EQ(generate(made).succeeded, kRows);
  EXPECT_EQ(api.summary().messages, kRows + 6);
  EXPECT_EQ(api.summary().bought_again, 0);
}

struct LastingFault {
  const char* name;
  Json further;
  const char* reason;
};

// What was sold goes to errors/ as it came; it is asked for again only when that is said.
TEST_F(GenerateLlmTest, AnswersWithoutUseGoToErrorsWithTheirText) {
  const std::vector<LastingFault> faults = {
      {"refusal", Json::object(), "the model refused: refusal (general_harms)"},
      {"max_tokens", Json::object(), "cut off at max_tokens (16000)"},
      {"empty", Json::object(), "the answer is empty"},
      {"truncated_body", Json::object(), "JSON"},
      {"invalid_body", Json::object(), "JSON"},
      {"status", {{"status", 400}, {"message", "prompt is too long"}}, "prompt is too long"},
      {"server_error", {{"should_retry", false}}, "status 500"},
  };
  std::vector<Json> rules;
  for (size_t i = 0; i < faults.size(); i++)
    rules.push_back(rule(int(i) + 1, faults[i].name, faults[i].further));
  AnthropicDouble api({.script = script(rules)});
  GenerateOptions made = options(api.base_url(), csv());
  GenerateReport report = generate(made);
  EXPECT_EQ(report.failed, int64_t(faults.size()));
  EXPECT_EQ(report.end_reason, "");
  for (size_t i = 0; i < faults.size(); i++) {
    const Json error = error_file(made, int(i) + 1);
    EXPECT_THAT(std::string(error["error"]), HasSubstr(faults[i].reason)) << faults[i].name;
    ASSERT_TRUE(error["raw_response"].is_string()) << faults[i].name;
    EXPECT_FALSE(std::string(error["raw_response"]).empty());
    EXPECT_FALSE(std::string(error["request_id"]).empty());
    EXPECT_THAT(std::string(error["original_data"]["dialogue"]), HasSubstr(kFruits[i + 1]));
  }
  EXPECT_EQ(api.summary().messages, kRows);
  EXPECT_EQ(generate(made).kept, kRows);
  EXPECT_EQ(api.summary().messages, kRows) << "without --retry-errors";

  api.set_script(script({}));
  made.ask.retry_errors = true;
  report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  EXPECT_EQ(report.failed, 0);
  EXPECT_FALSE(has_error(made, 1));
  EXPECT_EQ(api.summary().messages, kRows + int64_t(faults.size()));
}

// The fault of each leaves earlier answers, and the same command ends the work.
TEST_F(GenerateLlmTest, RefusalsOfTheAccountEndTheRunAndKeepWhatCame) {
  for (const auto& [fault, reason] : std::map<std::string, std::string>{
           {"spend_limit", "429"}, {"billing", "402"}, {"forbidden", "403"}}) {
    AnthropicDouble api({.script = script({Json{{"index", {3, 100}}, {"fault", fault}}})});
    const GenerateOptions made = options(api.base_url(), csv(), fault);
    GenerateReport report = generate(made);
    EXPECT_EQ(report.succeeded, 3) << fault;
    EXPECT_EQ(report.failed, 0) << fault;
    EXPECT_EQ(report.left, kRows - 3) << fault;
    EXPECT_THAT(report.end_reason, HasSubstr(reason));
    EXPECT_EQ(read_conversations(made.output / "training_data.jsonl").size(), 3u);
    api.set_script(script({}));
    report = generate(made);
    EXPECT_EQ(report.succeeded, kRows) << fault;
    EXPECT_EQ(report.kept, 3) << fault;
    EXPECT_EQ(api.summary().bought, kRows) << fault;
    EXPECT_EQ(api.summary().bought_again, 0) << fault;
  }
}

TEST_F(GenerateLlmTest, RefusedKeyIsOneRequest) {
  AnthropicDouble api({.script = script({}), .keys = {"sk-another"}});
  const GenerateOptions made = options(api.base_url(), csv());
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, 0);
  EXPECT_EQ(report.left, kRows);
  EXPECT_THAT(report.end_reason, AllOf(HasSubstr("401"), Not(HasSubstr("sk-ant-test-key"))));
  EXPECT_THAT(report.end_hint, HasSubstr("API key"));
  EXPECT_EQ(api.summary().requests, 1);
}

TEST_F(GenerateLlmTest, SettingThatEveryRequestIsRefusedForEndsTheRun) {
  AnthropicDouble api({.script = script({})});
  GenerateOptions made = options(api.base_url(), csv());
  made.ask.temperature = 0.7;  // the model takes none
  const GenerateReport report = generate(made);
  EXPECT_EQ(api.summary().messages, 8);
  EXPECT_EQ(report.failed, 8);
  EXPECT_EQ(report.left, kRows - 8);
  EXPECT_THAT(report.end_reason, AllOf(HasSubstr("none of the first 8"), HasSubstr("temperature")));
}

// A text that is no good answer, from one that is.
std::string spoilt(int row, std::string text) {
  Json answer = parse_json(text, "answer");
  Json& last = answer["conversations"].back()["messages"].back()["content"];
  std::string summary = answer["personal_summary"];
  switch (row) {
    case 1:
      answer["today_date"] = "2023-02-01";
      break;
    case 2:
      last = std::string(last) + " Call #PhoneNumber#.";
      break;
    case 3:
      answer["personal_summary"] = summary + " On January 1st, 2019, you slept.";
      break;
    case 4:
      last = "Stranger: I come out of nowhere.";
      break;
    case 5:
      answer["conversations"].erase(1);
      while (answer["conversations"].size() > 1) answer["conversations"].erase(1);
      break;
    default:
      return text;
  }
  return dump_json(answer);
}

TEST_F(GenerateLlmTest, OneRepairTurnSaysWhatWasWrong) {
  AnthropicDouble api({.script = script({rule(6, "truncated_json"), rule(7, "invalid_json"),
                                         rule(8, "wrong_schema")}),
                       .answer = [](const Json& request) {
                         std::string text = default_anthropic_answer(request);
                         if (request["messages"].size() > 1) return text;
                         for (int row = 1; row <= 5; row++)
                           if (is_of_row(request, row)) return spoilt(row, text);
                         return text;
                       }});
  const GenerateOptions made = options(api.base_url(), csv());
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, kRows);
  expect_good(made, read_source_rows(made.input));
  EXPECT_EQ(api.summary().messages, kRows + 8);
  EXPECT_EQ(api.summary().bought_again, 0);
}

TEST_F(GenerateLlmTest, WhatStaysWrongIsKeptWithBothReasons) {
  std::atomic<bool> wrong = true;
  AnthropicDouble api({.script = script({}), .answer = [&](const Json& request) {
                         std::string text = default_anthropic_answer(request);
                         if (!wrong || !is_of_row(request, 2)) return text;
                         return spoilt(request["messages"].size() > 1 ? 2 : 1, text);
                       }});
  GenerateOptions made = options(api.base_url(), csv(5));
  EXPECT_EQ(generate(made).failed, 1);
  const Json error = error_file(made, 2);
  EXPECT_THAT(std::string(error["error"]),
              AllOf(HasSubstr("after a repair turn: "), HasSubstr("#PhoneNumber#"),
                    HasSubstr("Before it: "), HasSubstr("2023-02-01")));
  EXPECT_THAT(std::string(error["raw_response"]), HasSubstr("#PhoneNumber#"));
  EXPECT_EQ(error["attempt"], 1);
  generate(made);
  EXPECT_EQ(api.summary().messages, 6);
  made.ask.retry_errors = true;
  EXPECT_EQ(generate(made).failed, 1);
  EXPECT_EQ(error_file(made, 2)["attempt"], 2);
  EXPECT_EQ(api.summary().messages, 8);
  wrong = false;
  EXPECT_EQ(generate(made).succeeded, 5);
  EXPECT_EQ(api.summary().messages, 9);
}

TEST_F(GenerateLlmTest, FailedRepairTurnKeepsTheAnswerBeforeIt) {
  AnthropicDouble api(
      {.script = script({Json{{"contains", "assistant"},
                              {"fault", "status"},
                              {"status", 400},
                              {"message", "no more turns"}}}),
       .answer = [](const Json& request) { return spoilt(1, default_anthropic_answer(request)); }});
  const GenerateOptions made = options(api.base_url(), csv(2));
  EXPECT_EQ(generate(made).failed, 2);
  const Json error = error_file(made, 1);
  EXPECT_THAT(std::string(error["error"]),
              AllOf(HasSubstr("repair turn"), HasSubstr("no more turns")));
  EXPECT_THAT(std::string(error["raw_response"]), HasSubstr("2023-02-01"));
}

// Counts what the double sells, by its own tokens.
struct Till {
  std::mutex mutex;
  int64_t input = 0, output = 0;
  std::string sell(const Json& request) {
    std::string text = default_anthropic_answer(request);
    const std::lock_guard lock(mutex);
    input += measure_prompt(request).tokens;
    output += count_fake_tokens(text);
    return text;
  }
};

TEST_F(GenerateLlmTest, BudgetIsNeverExceededAlsoAcrossRuns) {
  Till till;
  AnthropicDouble api({.script = script({Json{{"index", {2, 4}}, {"fault", "reset_mid_body"}}}, 20),
                       .answer = [&](const Json& request) { return till.sell(request); }});
  GenerateOptions made = options(api.base_url(), csv());
  // Caching costs nothing here and saves nothing, so that the sum does not depend on who was first.
  made.ask.price = Price{.input = 1, .output = 10, .cache_write = 1, .cache_read = 1};
  made.ask.max_tokens = 4'000;
  const auto sold = [&] { return (double(till.input) + 10 * double(till.output)) / 1e6; };
  double before = 0;
  for (const double budget : {0.0, 0.03, 0.08, 0.15, 0.25, 0.4}) {
    made.ask.budget_usd = budget;
    const GenerateReport report = generate(made);
    EXPECT_LE(sold(), budget);
    EXPECT_LE(*report.spent_usd, budget);
    EXPECT_GE(*report.spent_usd + 1e-9, sold());
    if (report.left == 0) continue;
    EXPECT_THAT(report.end_reason, HasSubstr("budget"));
    EXPECT_THAT(report.end_hint, HasSubstr("--budget"));
    EXPECT_GE(sold(), before);
    before = sold();
  }
  EXPECT_GT(before, 0);
  made.ask.budget_usd = 10;
  EXPECT_EQ(generate(made).succeeded, kRows);
  EXPECT_EQ(api.summary().bought, kRows);
  EXPECT_EQ(api.summary().bought_again, 0);
}

TEST_F(GenerateLlmTest, StoppedRunGoesOn) {
  std::atomic<bool> stop = false;
  std::atomic<int> answers = 0;
  AnthropicDouble api({.script = script({}, 20), .answer = [&](const Json& request) {
                         if (++answers == 4) stop = true;
                         return default_anthropic_answer(request);
                       }});
  GenerateOptions made = options(api.base_url(), csv());
  made.ask.flow.concurrency = 2;
  made.stop = &stop;
  const GenerateReport report = generate(made);
  EXPECT_THAT(report.end_reason, HasSubstr("stopped"));
  EXPECT_GE(report.succeeded, 4);
  EXPECT_LE(report.succeeded, 6);
  EXPECT_EQ(report.left, kRows - report.succeeded);
  EXPECT_EQ(api.summary().bought, report.succeeded) << "what was in flight is waited for";
  stop = false;
  EXPECT_EQ(generate(made).kept, report.succeeded);
  EXPECT_EQ(api.summary().bought, kRows);
  EXPECT_EQ(api.summary().bought_again, 0);
  const GenerateOptions whole = options(api.base_url(), csv(), "whole");
  generate(whole);
  EXPECT_EQ(results(made.output), results(whole.output));
}

TEST_F(GenerateLlmTest, SecondRunOnTheFolderIsRefused) {
  std::string refused;
  GenerateOptions made;
  std::once_flag once;
  AnthropicDouble api({.script = script({}), .answer = [&](const Json& request) {
                         std::call_once(once, [&] { refused = error_of(made); });
                         return default_anthropic_answer(request);
                       }});
  made = options(api.base_url(), csv(3));
  EXPECT_EQ(generate(made).succeeded, 3);
  EXPECT_THAT(refused, HasSubstr("another"));
  EXPECT_EQ(api.summary().messages, 3);
}

class CrashingSink final : public ExpandSink {
 public:
  explicit CrashingSink(int crash_at) : left_(crash_at) {}
  void done(const RowTask&, const Expanded& expanded) override {
    if (--left_ == 0) throw Error("crash");
    good += expanded.transformed.has_value();
  }
  void status(std::string_view) override {}
  void message(std::string_view) override {}
  int good = 0;

 private:
  int left_;
};

// A crash right after each answer in turn: what was received is never asked for again.
TEST_F(GenerateLlmTest, CrashAtEachAnswerBuysNothingTwice) {
  for (const int concurrency : {1, 4}) {
    AnthropicDouble api({.script = script({}, concurrency == 1 ? 1 : 10)});
    const std::vector<SourceRow> rows = read_source_rows(folder_.write("in.csv", csv()));
    std::vector<RowTask> tasks;
    for (size_t i = 0; i < rows.size(); i++) tasks.push_back({i});
    LlmProviderOptions asked;
    asked.model = kDefaultAnthropicModel;
    asked.journal = folder_.path() / fmt::format("journal{}.jsonl", concurrency);
    asked.run.flow.concurrency = concurrency;
    const auto run = [&](int crash_at) {
      CrashingSink sink(crash_at);
      const auto provider = make_llm_provider(
          rows, make_anthropic_api({.base_url = api.base_url(), .api_key = "key"}), asked);
      try {
        provider->expand(tasks, sink);
      } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "crash");
      }
      return sink.good;
    };
    for (int crash_at = 1; crash_at <= kRows; crash_at++)
      EXPECT_EQ(run(crash_at), crash_at - 1) << concurrency;
    EXPECT_EQ(run(0), kRows);
    std::set<std::string> keys;
    const auto received = journal_events(asked.journal, "received");
    for (const Json& event : received) keys.insert(std::string(event["key"]));
    EXPECT_EQ(received.size(), keys.size());
    EXPECT_EQ(keys.size(), size_t(kRows));
    if (concurrency > 1) continue;  // what was on its way may have come to the other end
    EXPECT_EQ(api.summary().bought, kRows);
    EXPECT_EQ(api.summary().bought_again, 0);
  }
}

TEST_F(GenerateLlmTest, FolderOfTheOriginalIsContinued) {
  AnthropicDouble api({.script = script({})});
  const GenerateOptions made = options(api.base_url(), csv(4));
  const std::string kept = R"({
    "original_id": "row_1", "topic": "t", "original_summary": "s",
    "transformed_conversations": {"today_date": "2024-05-01", "personal_summary": "You talked.",
      "conversations": [{"date": "2024-04-01", "messages": [
        {"timestamp": "2024-04-01 09:00", "content": "You: Hi."}]}]},
    "timestamp": "2024-11-02T10:00:00.123456"})";
  for (const char* folder : {"success", "errors"}) fs::create_directories(made.output / folder);
  write_file_atomic(made.output / "success/conversation_row_1_original.json", kept);
  write_file_atomic(made.output / "success/conversation_row_1_finetune.txt", "as it was");
  write_file_atomic(made.output / "errors/conversation_row_2_original.json",
                    R"({"original_id": "row_2", "error": "no", "timestamp": "2024-11-02T10:00:01",
                        "original_data": {"topic": "t", "summary": "s", "dialogue": "d"}})");
  write_file_atomic(made.output / "errors/conversation_row_3_original.json",
                    R"({"original_id": "row_3", "err)");
  write_file_atomic(made.output / "progress.json",
                    R"({"processed_ids": ["row_1", "row_2"], "last_index": 2})");
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, 4);
  EXPECT_EQ(report.kept, 1);
  EXPECT_EQ(api.summary().messages, 3);
  EXPECT_EQ(read_file(made.output / "success/conversation_row_1_original.json"), kept);
  EXPECT_EQ(read_file(made.output / "success/conversation_row_1_finetune.txt"), "as it was");
  for (const int i : {2, 3}) EXPECT_FALSE(has_error(made, i));
  EXPECT_EQ(read_conversations(made.output / "training_data.jsonl").size(), 4u);
}

TEST_F(GenerateLlmTest, SplitsPartTheTrainingDataWithoutLeaks) {
  AnthropicDouble api({.script = script({})});
  std::string input = csv();
  std::string same = row_csv(4);
  same.replace(0, same.find(','), "row_4_again");
  GenerateOptions made = options(api.base_url(), input + same);
  made.split = SplitShares{0.25, 0.25};
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.succeeded, kRows + 1) << "the same dialogue twice is two rows";
  EXPECT_EQ(report.duplicates, 1);
  EXPECT_EQ(report.near_duplicates, 0);
  EXPECT_TRUE(report.leaks.empty());
  std::multiset<std::string> whole, parts;
  std::map<std::string, std::string> side_of;
  for (const Conversation& c : read_conversations(made.output / "training_data.jsonl"))
    whole.insert(c.id);
  for (const char* side : {"train", "validation", "test"}) {
    const fs::path path = made.output / "splits" / fmt::format("{}.jsonl", side);
    if (fs::file_size(path) == 0) continue;
    for (const Conversation& c : read_conversations(path)) {
      parts.insert(c.id);
      side_of[c.id] = side;
    }
  }
  EXPECT_EQ(whole, parts);
  std::set<std::string> sides;
  for (const auto& [id, side] : side_of) sides.insert(side);
  EXPECT_GE(sides.size(), 2u);
  EXPECT_EQ(whole.size(), size_t(kRows) + 1);
  EXPECT_EQ(side_of["row_4"], side_of["row_4_again"]);
}

TEST_F(GenerateLlmTest, EstimateBuysNothingAndEnclosesThePrice) {
  AnthropicDouble api({.script = script({})});
  GenerateOptions made = options(api.base_url(), csv());
  const GenerateEstimate estimate = estimate_generate(made);
  EXPECT_EQ(api.summary().messages, 0);
  EXPECT_EQ(api.summary().requests, kRows);
  EXPECT_EQ(estimate.to_ask, kRows);
  EXPECT_EQ(estimate.model, kDefaultAnthropicModel);
  EXPECT_THAT(estimate.counted_by, HasSubstr("count_tokens of 12 rows"));
  EXPECT_FALSE(fs::exists(made.output));
  const GenerateReport report = generate(made);
  EXPECT_LE(*estimate.usd_low, *report.spent_usd);
  EXPECT_GE(*estimate.usd_high, *report.spent_usd);
  EXPECT_EQ(estimate_generate(made).to_ask, 0);
  made.output = folder_.path() / "another";
  made.ask.endpoint.base_url = "http://127.0.0.1:1";  // nobody is there
  const GenerateEstimate blind = estimate_generate(made);
  EXPECT_THAT(blind.counted_by, HasSubstr("bytes"));
  EXPECT_LT(std::abs(std::log2(double(blind.input_tokens) / double(estimate.input_tokens))), 1);
}

TEST_F(GenerateLlmTest, EndpointThatIsDownIsGivenUp) {
  GenerateOptions made = options("http://127.0.0.1:1", csv(1));
  made.ask.flow.breaker_failures = 2;
  made.ask.flow.max_attempts = 2;  // fewer than there are tries: its row is not to blame
  made.ask.flow.breaker_wait_s = 0.05;
  made.ask.flow.give_up_s = 1;
  const GenerateReport report = generate(made);
  EXPECT_EQ(report.left, 1);
  EXPECT_EQ(report.failed, 0);
  EXPECT_THAT(report.end_reason, AllOf(HasSubstr("127.0.0.1:1"), HasSubstr("connect")));
  EXPECT_THAT(report.end_hint, HasSubstr("same command"));
}

}  // namespace
}  // namespace chatmem
