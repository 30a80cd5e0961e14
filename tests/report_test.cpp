// Several systems against several references, and what the report says of them.
#include "eval/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "error_of.h"
#include "eval/html.h"
#include "eval/report_page.h"
#include "eval/rouge_report.h"
#include "eval/verdict.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Conversation conversation(const std::string& id, const std::string& topic) {
  Conversation c;
  c.id = id, c.start_date = "2024-03-01", c.end_date = "2024-03-09";
  c.as_of = parse_date("2024-03-20");
  c.messages = {
      {"2024-03-01 10:00", "You: I have started to learn the " + topic + " this week."},
      {"2024-03-01 10:02", "Mara: A " + topic + " takes patience, I can lend you a book."},
      {"2024-03-09 18:30", "You: The book about the " + topic + " is wonderful, thanks!"}};
  c.summary = "In early March you began with the " + topic + " and Mara lent you a book.";
  c.source = {{"summary", c.summary}, {"other", "Mara lent you a " + topic + " book."}};
  return c;
}

class Report : public ::testing::Test {
 protected:
  Report() {
    for (const char* topic : {"cello", "loom", "kiln", "canoe", "telescope"})
      conversations_.push_back(conversation(std::string("chat_") + topic, topic));
  }
  template <typename Text>
  SystemAnswers answers(const std::string& name, const Text& text) const {
    SystemAnswers answers{name, {}};
    for (const Conversation& c : conversations_) {
      Prediction& prediction = answers.predictions.of.emplace_back().emplace();
      prediction.id = c.id, prediction.text = text(c);
    }
    return answers;
  }
  SystemAnswers copyist() const {
    return answers("copyist", [](const Conversation& c) { return c.summary; });
  }
  ReferenceTexts references(std::vector<std::string> arguments) const {
    return read_references(conversations_, arguments);
  }
  std::string page(std::vector<SystemAnswers> systems) const {
    return report_page(evaluate(conversations_, references({"summary"}), std::move(systems)));
  }

  TestFolder folder_;
  std::vector<Conversation> conversations_;
};

TEST_F(Report, ReferencesAreKeysOrSourcesWithNames) {
  std::string lines;
  for (const Conversation& c : conversations_)
    lines = "{\"id\":\"" + c.id + "\",\"t\":\"of " + c.id + "\"}\n" + lines;
  const std::string path = folder_.write("truth.jsonl", lines).string();
  const ReferenceTexts found = references({"summary", "short=other", path + ":t"});
  EXPECT_THAT(found.names, ElementsAre("summary", "short", "truth.jsonl:t"));
  EXPECT_EQ(found.texts[1][0], "Mara lent you a cello book.");
  EXPECT_EQ(found.texts[2][1], "of chat_loom");
  EXPECT_THAT(error_of([&] { references({"absent"}); }), HasSubstr("lacks 5: chat_cello, "));
  EXPECT_THAT(error_of([&] { references({"other", "other"}); }), HasSubstr("comes twice"));
  EXPECT_THAT(error_of([&] { references({"=other"}); }), HasSubstr("NAME=SOURCE"));
  conversations_.push_back(conversation("more", "loom"));
  EXPECT_THAT(error_of([&] { references({path + ":t"}); }), HasSubstr("lacks 1: more"));
}

TEST_F(Report, SystemsStandSideBySide) {
  const auto shouting = answers("shouting", [](const Conversation&) { return "LENT LENT!"; });
  const Evaluation evaluation =
      evaluate(conversations_, references({"summary"}), {copyist(), shouting});
  ASSERT_EQ(evaluation.systems.size(), 6u);  // two systems, three floors, the reference
  EXPECT_EQ(evaluation.of_kind(SystemKind::system).size(), 2u);
  const ScoreDifference* difference = evaluation.systems[0].difference_to("shouting");
  ASSERT_NE(difference, nullptr);
  EXPECT_FALSE(difference->is_to_floor);
  EXPECT_NEAR(difference->rouge1.mean, 1 - evaluation.systems[1].rouge1.mean, 1e-12);
  EXPECT_NE(evaluation.systems[1].difference_to(kExtractiveFloor), nullptr);
  const Json json = evaluation_json(evaluation);
  EXPECT_EQ(json["system"], "copyist");
  EXPECT_EQ(json["systems"][1]["system"], "shouting");
  EXPECT_EQ(json["systems"][1]["faults"]["no_summary"], 5);
  EXPECT_EQ(json["systems"][1]["cases"][0]["faults"][0], "no_summary");
  EXPECT_EQ(json["systems"][2]["kind"], "floor");
  const std::string csv = cases_csv(evaluation);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 11);
  EXPECT_THAT(csv, HasSubstr("\n1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,chat_cello,copyist,1.0,14,"));
  EXPECT_THAT(error_of([&] { page({copyist(), copyist()}); }), HasSubstr("'copyist' comes twice"));
}

TEST_F(Report, OnlyChatsThatAllSystemsAnsweredAreCompared) {
  SystemAnswers some = answers("some", [](const Conversation& c) { return c.summary; });
  some.predictions.of[1].reset();
  some.predictions.failures.push_back({"chat_loom", "status 500"});
  const Evaluation evaluation =
      evaluate(conversations_, references({"summary"}), {copyist(), some});
  EXPECT_EQ(evaluation.n_conversations, 5u);
  for (const SystemScores& row : evaluation.systems) EXPECT_EQ(row.cases.size(), 4u) << row.name;
  EXPECT_THAT(report_page(evaluation), HasSubstr("chat_loom: status 500"));
}

TEST_F(Report, TheCeilingIsEachReferenceAgainstTheOther) {
  const ReferenceTexts two = references({"summary", "other"});
  EvaluateOptions options;
  read_reference_rule("mean", 2, options.scores);
  const Evaluation evaluation = evaluate(conversations_, two, {copyist()}, options);
  const auto rows = evaluation.of_kind(SystemKind::reference);
  ASSERT_EQ(rows.size(), 2u);
  const double between = rouge(two.texts[0][0], two.texts[1][0]).rouge1.f1;
  EXPECT_NEAR(rows[0]->items[0].rouge.rouge1.f1, between, 1e-12);
  EXPECT_NEAR(rows[1]->items[0].rouge.rouge1.f1, between, 1e-12);
  EXPECT_NEAR(evaluation.system().items[0].rouge.rouge1.f1, (1 + between) / 2, 1e-12);
  EXPECT_EQ(evaluation.system().rouge1_by_reference[0], 1);
  EXPECT_NEAR(evaluation.system().rouge1_by_reference[1], rows[0]->rouge1.mean, 1e-12);
  EXPECT_EQ(evaluation_json(evaluation)["reference_rule"], "mean");
  EXPECT_THAT(report_page(evaluation), HasSubstr("combined by mean"));
  EXPECT_THAT(error_of([&] { read_reference_rule("", 2, options.scores); }),
              HasSubstr("2 references need a rule"));
  EXPECT_THAT(error_of([&] { read_reference_rule("best-by-rouge3", 2, options.scores); }),
              HasSubstr("that is computed"));
}

TEST_F(Report, AReferenceThatStandsAloneIsNotScored) {
  const Evaluation evaluation = evaluate(conversations_, references({"summary"}), {copyist()});
  const SystemScores& alone = *evaluation.of_kind(SystemKind::reference).front();
  EXPECT_TRUE(alone.items.empty());
  EXPECT_EQ(evaluation_json(evaluation)["systems"].back()["rouge1"]["mean"], nullptr);
  EXPECT_THAT(systems_table(evaluation), HasSubstr("that takes a second reference"));
}

TEST_F(Report, EchoIsLeftOutAndBothScoresAreGiven) {
  const auto parrot = answers("parrot", [](const Conversation& c) {
    std::string text = "[CHAT MESSAGES]\n";
    for (const Message& m : c.messages) text += m.timestamp + " | " + m.content + "\n";
    return text + "[SUMMARY]" + c.summary;
  });
  const Evaluation evaluation = evaluate(conversations_, references({"summary"}), {parrot});
  const SystemScores& row = evaluation.system();
  EXPECT_EQ(row.rouge1.mean, 1);
  EXPECT_LT(row.rouge1_with_echo.mean, 0.7);
  EXPECT_EQ(row.count(Fault::prompt_echo), 5);
  EXPECT_EQ(row.mean_words, 14);
  EXPECT_THAT(systems_table(evaluation), HasSubstr("5 of 5 repeat the prompt: ROUGE-1 F1 is 0."));
  EXPECT_THAT(report_page(evaluation), HasSubstr("left out of the score"));
}

TEST_F(Report, TheVerdictIsThatOfThePairedTest) {
  const Evaluation good = evaluate(conversations_, references({"summary"}), {copyist()});
  // Five pairs: no permutation test can tell.
  EXPECT_EQ(verdict_of(good.system()), FloorVerdict::not_shown);
  for (int i = 0; i < 15; i++)
    conversations_.push_back(
        conversation("chat_" + std::to_string(i), "skill" + std::to_string(i)));
  const auto silent = answers("silent", [](const Conversation&) { return "No."; });
  const Evaluation more = evaluate(conversations_, references({"summary"}), {copyist(), silent});
  EXPECT_EQ(verdict_of(more.systems[0]), FloorVerdict::better);
  EXPECT_EQ(verdict_of(more.systems[1]), FloorVerdict::no_better);
  const std::string html = report_page(more);
  EXPECT_THAT(html, HasSubstr("<b>Yes.</b> copyist is better than doing nothing."));
  EXPECT_THAT(html, HasSubstr("<b>No.</b> silent is not better than doing nothing."));
}

TEST_F(Report, DaysAndNamesAreMarked) {
  const std::string html = page({answers("liar", [](const Conversation&) {
    return "On March 1st you asked Mara about it, and on February 3rd Gustav came along too.";
  })});
  EXPECT_THAT(html, HasSubstr("<mark class=\"found\" title=\"a message was written then\">March "
                              "1st</mark>"));
  EXPECT_THAT(html, HasSubstr("<mark class=\"missing\" title=\"no message is of this day: 27 days "
                              "from the nearest\">February 3rd</mark>"));
  EXPECT_THAT(html, HasSubstr("<mark class=\"found\" title=\"a name of the chat\">Mara</mark>"));
  EXPECT_THAT(html, HasSubstr("title=\"the chat does not have this name\">Gustav</mark>"));
  EXPECT_THAT(html, HasSubstr("what no chat has:"));
}

// Every tag of the page is one of ours: what texts hold never becomes markup.
TEST_F(Report, TextOfFilesIsEscaped) {
  const std::string evil =
      "<script>alert(1)</script><img src=x onerror='alert(2)'>\"&amp;</p>"
      "__CHATMEM_BODY__ </title>";
  conversations_[0].id = evil;
  conversations_[0].start_date = evil;
  conversations_[0].messages[0].timestamp = evil;
  conversations_[0].messages[0].content = evil + ": " + evil;
  conversations_[1].summary = evil;
  SystemAnswers answer = answers(evil, [&](const Conversation&) { return "On May 1st " + evil; });
  answer.predictions.failures.push_back({evil, evil});
  EvaluateOptions options{.data = evil};
  ReferenceTexts texts{{evil}, {{}}};
  for (const Conversation& c : conversations_) texts.texts[0].push_back(c.summary);
  const std::string html = report_page(evaluate(conversations_, texts, {answer}, options));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("onerror='")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  const std::string head = html.substr(0, html.find("</head>"));
  EXPECT_EQ(head.find("</title>"), head.rfind("</title>"));
  EXPECT_TRUE(html.ends_with("</html>\n"));
}

// No address, no script, and every tag that is opened is closed.
TEST_F(Report, ThePageIsWholeAndAsksForNothing) {
  SystemAnswers timed = copyist();
  for (auto& prediction : timed.predictions.of) {
    prediction->ttft_ms = 120, prediction->total_ms = 2120, prediction->completion_tokens = 41;
  }
  const std::string html = page({timed});
  for (const char* word : {"http://", "https://", "src=", "@import", "url(", "<script", "<link"})
    EXPECT_THAT(html, Not(HasSubstr(word)));
  EXPECT_THAT(html, HasSubstr("copyist: first token, ms</th><td>5</td><td>120.0</td>"));
  EXPECT_THAT(html, HasSubstr("copyist: tokens per second</th><td>5</td><td>20.0</td>"));
  static const std::regex kTag("<(/?)([a-z0-9]+)[^>]*?(/?)>");
  std::vector<std::string> open;
  for (std::sregex_iterator it(html.begin(), html.end(), kTag), end; it != end; ++it) {
    const std::string name = (*it)[2];
    if ((*it)[3].length() > 0 || name == "meta") continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty()) << it->str();
    ASSERT_EQ(open.back(), name) << html.substr(size_t(it->position()) - 200, 300);
    open.pop_back();
  }
  EXPECT_THAT(open, ElementsAre());
}

TEST(Html, CutsWholeCharacters) {
  EXPECT_EQ(html_text("a<b>&\"'\x01"), "a&lt;b&gt;&amp;&quot;&#39; ");
  EXPECT_THAT(html_text_cut("aé€", 2), HasSubstr("a<span"));
  EXPECT_THAT(html_text_cut("aé€", 3), HasSubstr("aé<span"));
  EXPECT_EQ(html_text_cut("aé", 3), "aé");
}

TEST_F(Report, AnEarlierRunsMeasurementsComeAlong) {
  conversations_.resize(1);
  const std::string path =
      folder_
          .write("predictions.jsonl",
                 "{\"id\":\"chat_cello\",\"prediction\":\"Mara lent you a book about the cello.\","
                 "\"finish_reason\":\"length\",\"ttft_ms\":81.5,\"total_ms\":912.5,"
                 "\"prompt_tokens\":812,\"completion_tokens\":71,\"request\":\"5be0\"}\n")
          .string();
  const SystemAnswers answers =
      read_system_answers(conversations_, "tuned=" + path + ":prediction");
  EXPECT_EQ(answers.name, "tuned");
  EXPECT_EQ(answers.predictions.of[0]->ttft_ms, 81.5);
  EXPECT_EQ(answers.predictions.of[0]->completion_tokens, 71);
  const Evaluation evaluation = evaluate(conversations_, references({"summary"}), {answers});
  EXPECT_EQ(evaluation.system().count(Fault::cut_off), 1);
  EXPECT_EQ(evaluation.system().speed.n, 1);
  EXPECT_EQ(read_system_answers(conversations_, path + ":prediction").name,
            "predictions.jsonl:prediction");
}

// The original project's own outputs: its headline could not have been misread with this page.
TEST(SeedReport, SaysOnItsFirstScreenWhatTheOriginalsModelIsWorth) {
  const fs::path seed = shared_data() / "seed";
  if (!fs::exists(seed)) GTEST_SKIP() << "shared/data is absent";
  const auto conversations = read_test_set(seed / "test.jsonl", seed / "as_of.jsonl", 0);
  const std::vector<std::string> keys = {"summary"};
  const Evaluation evaluation =
      evaluate(conversations, read_references(conversations, keys),
               {read_system_answers(conversations,
                                    (seed / "all_results.jsonl").string() + ":generated_summary")});
  const SystemScores& system = evaluation.system();
  EXPECT_NEAR(system.rouge1_with_echo.mean, 0.3178, 5e-5);
  EXPECT_NEAR(system.rouge1.mean, 0.4545, 5e-5);
  EXPECT_EQ(system.count(Fault::no_summary), 5);
  EXPECT_EQ(system.count(Fault::prompt_echo), 19);
  const auto floors = evaluation.of_kind(SystemKind::floor);
  for (const SystemScores* floor : floors) {
    EXPECT_GE(floor->rouge1.mean, 0.38) << floor->name;
    EXPECT_LE(floor->rouge1.mean, 0.475) << floor->name;
  }
  EXPECT_LT(floors[0]->rouge1.mean, 0.395);
  EXPECT_GE(floors[2]->rouge1.mean, 0.46);
  EXPECT_GE(floors[2]->rouge2.mean, 0.14);
  EXPECT_EQ(floors[2]->dates.precision(), 1);
  // What has no summary tells no days, though its echo is full of them.
  EXPECT_EQ(system.cases[1].diagnosis.has_summary(), false);
  EXPECT_EQ(system.cases[1].times.counts.counted, 0);
  EXPECT_GT(system.cases[1].times.counts.days, 0);

  const std::string html = report_page(evaluation);
  const std::string first = html.substr(0, html.find("<h2>Faults</h2>"));
  EXPECT_THAT(first, HasSubstr("<b>No.</b> all_results.jsonl:generated_summary is not better"));
  EXPECT_THAT(first, HasSubstr("5 of 19 have no summary"));
  EXPECT_THAT(first, HasSubstr("ROUGE-1 F1 is 0.3178 with the echo and 0.4545 without"));
  EXPECT_THAT(first, HasSubstr("Difference to the extractive engine, paired: ROUGE-1 -0."));
  EXPECT_THAT(first, HasSubstr("not significant (p = "));
}

// Two references: ChatGPT's against Claude's is the published 0.4818, here the ceiling.
TEST(SeedReport, ThePublishedScoreIsTheCeiling) {
  const fs::path seed = shared_data() / "seed";
  if (!fs::exists(seed)) GTEST_SKIP() << "shared/data is absent";
  const auto conversations = read_test_set(seed / "test.jsonl", seed / "as_of.jsonl", 0);
  const std::vector<std::string> keys = {
      "claude=summary", "chatgpt=" + (seed / "test_truth.jsonl").string() + ":truth_summary"};
  EvaluateOptions options;
  read_reference_rule("mean", 2, options.scores);
  const Evaluation evaluation =
      evaluate(conversations, read_references(conversations, keys),
               {read_system_answers(conversations,
                                    (seed / "all_results.jsonl").string() + ":generated_summary")},
               options);
  for (const SystemScores* reference : evaluation.of_kind(SystemKind::reference)) {
    EXPECT_NEAR(reference->rouge1.mean, 0.4818, 5e-5);
    EXPECT_NEAR(reference->rouge2.mean, 0.1191, 5e-5);
    EXPECT_NEAR(reference->rougeL.mean, 0.2407, 5e-5);
  }
  EXPECT_THAT(report_page(evaluation), HasSubstr("reference chatgpt 0.4818"));
}

}  // namespace
}  // namespace chatmem
