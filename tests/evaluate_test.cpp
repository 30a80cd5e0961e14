// Evaluation with summarizers of all tempers, and over HTTP against a little server.
#include "eval/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>

#include "base/error.h"
#include "error_of.h"
#include "eval/report.h"
#include "net/http_server.h"
#include "net/sse.h"
#include "test_folder.h"
#include "text/prompt.h"
#include "text/words.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using OnText = std::function<void(std::string_view)>;

Conversation conversation(const std::string& id, const std::string& topic) {
  Conversation c;
  c.id = id, c.start_date = "2024-03-01", c.end_date = "2024-03-09";
  c.messages = {
      {"2024-03-01 10:00", "You: I have started to learn the " + topic + " this week."},
      {"2024-03-01 10:02", "Mara: A " + topic + " takes patience, I can lend you a book."},
      {"2024-03-09 18:30", "You: The book about the " + topic + " is wonderful, thanks!"}};
  c.summary = "In early March you began with the " + topic + " and Mara lent you a book.";
  return c;
}

std::vector<Conversation> five_conversations() {
  return {conversation("a", "cello"), conversation("b", "loom"), conversation("c", "kiln"),
          conversation("d", "canoe"), conversation("e", "telescope")};
}

ChatResult answer(const std::string& text) {
  ChatResult result;
  result.text = text;
  result.finish_reason = "stop";
  result.ttft_ms = 100, result.total_ms = 1100, result.completion_tokens = 21;
  return result;
}

// A summarizer that copies the reference, notes who asked, and fails for some.
struct Scribe {
  std::set<std::string> failing;
  std::vector<std::string> asked;
  std::mutex mutex;
  Summarize summarize() {
    return [this](const Conversation& c, const OnText& on_text) {
      {
        const std::lock_guard lock(mutex);
        asked.push_back(c.id);
      }
      if (failing.contains(c.id)) throw Error("[llm] status 500: no " + c.id);
      on_text("You began ");
      on_text("with it.");
      return answer("You began with it.");
    };
  }
};

class Evaluate : public ::testing::Test {
 protected:
  Predictions collect(Scribe& scribe, CollectOptions options = {}) {
    options.output = folder_.path() / "out";
    if (options.settings.empty()) options.settings = "model=m";
    return collect_predictions(conversations_, scribe.summarize(), options);
  }
  Evaluation evaluated(const Predictions& predictions, const std::string& name) const {
    const std::vector<std::string> summary = {"summary"};
    return evaluate(conversations_, read_references(conversations_, summary),
                    {{name, predictions}});
  }
  std::string journal() const { return read_file(journal_path()); }
  fs::path journal_path() const { return folder_.path() / "out/predictions.jsonl"; }
  fs::path errors_path() const { return folder_.path() / "out/errors.jsonl"; }

  TestFolder folder_;
  std::vector<Conversation> conversations_ = five_conversations();
};

TEST_F(Evaluate, KeepsPredictionsAndAsksForNothingTwice) {
  Scribe first, second;
  EXPECT_EQ(collect(first).n_resumed, 0);
  EXPECT_EQ(first.asked.size(), 5u);
  const Predictions again = collect(second);
  EXPECT_THAT(second.asked, ElementsAre());
  EXPECT_EQ(again.n_resumed, 5);
  EXPECT_EQ(again.of[3]->id, "d");
  EXPECT_EQ(again.of[3]->text, "You began with it.");
  EXPECT_EQ(again.of[3]->completion_tokens, 21);
  EXPECT_EQ(again.of[3]->ttft_ms, 100);
}

TEST_F(Evaluate, AKilledRunGoesOnAfterItsLastWholeLine) {
  Scribe first;
  collect(first, {.concurrency = 1});
  const std::string whole = journal();
  for (const size_t cut : {size_t(1), size_t(2), size_t(40), whole.size() / 2, whole.size()}) {
    write_file_atomic(journal_path(), whole.substr(0, whole.size() - cut));
    const std::string kept = journal();
    size_t n_whole = size_t(std::count(kept.begin(), kept.end(), '\n'));
    if (cut == 1) n_whole++;  // all but the line break was written
    Scribe second;
    collect(second, {.concurrency = 1});
    EXPECT_EQ(second.asked.size(), 5 - n_whole) << cut;
    EXPECT_EQ(journal(), whole) << cut;
  }
}

TEST_F(Evaluate, FailuresAreNamedAndAskedAgain) {
  Scribe first, second;
  first.failing = {"b", "e"};
  const Predictions some = collect(first);
  ASSERT_EQ(some.failures.size(), 2u);
  EXPECT_EQ(some.failures[0].id, "b");
  EXPECT_THAT(some.failures[1].error, HasSubstr("status 500: no e"));
  EXPECT_FALSE(some.of[1]);
  EXPECT_TRUE(some.of[2]);
  EXPECT_THAT(read_file(errors_path()), HasSubstr("\"error\":\"[llm] status 500: no b\""));
  const Evaluation evaluation = evaluated(some, "m");
  EXPECT_EQ(evaluation.system().items.size(), 3u);
  EXPECT_EQ(evaluation.failures.size(), 2u);
  for (const SystemScores& system : evaluation.systems) EXPECT_EQ(system.cases.size(), 3u);
  EXPECT_EQ(evaluation_json(evaluation)["failed"][1]["id"], "e");

  const Predictions all = collect(second);
  EXPECT_THAT(second.asked, ::testing::UnorderedElementsAre("b", "e"));
  EXPECT_TRUE(all.failures.empty());
  EXPECT_FALSE(fs::exists(errors_path()));
}

TEST_F(Evaluate, WhenAllFailThereIsNothingToScore) {
  Scribe scribe;
  scribe.failing = {"a", "b", "c", "d", "e"};
  const Predictions none = collect(scribe);
  EXPECT_THAT(error_of([&] { evaluated(none, "m"); }), HasSubstr("no a"));
}

TEST_F(Evaluate, RefusesToMixSettingsOrData) {
  Scribe scribe;
  collect(scribe);
  const std::string before = journal();
  EXPECT_THAT(error_of([&] { collect(scribe, {.settings = "model=other"}); }),
              HasSubstr("same data and settings"));
  conversations_[2].messages[0].content += " Really.";
  EXPECT_THAT(error_of([&] { collect(scribe); }), HasSubstr("that of 'c'"));
  EXPECT_EQ(scribe.asked.size(), 5u);
  EXPECT_EQ(journal(), before);
}

TEST_F(Evaluate, ABrokenJournalIsNamedByLine) {
  folder_.write("out/predictions.jsonl", "{\"id\":\"a\"\n{\"id\":\"b\"}\n");
  Scribe scribe;
  EXPECT_THAT(error_of([&] { collect(scribe); }), HasSubstr("line 1"));
  folder_.write("out/predictions.jsonl",
                "{\"id\":\"a\",\"prediction\":\"x\",\"finish_reason\":\"stop\",\"ttft_ms\":1,"
                "\"total_ms\":2,\"prompt_tokens\":-4,\"completion_tokens\":1,\"request\":\"0\"}\n");
  EXPECT_THAT(error_of([&] { collect(scribe); }), HasSubstr("count of tokens"));
}

TEST_F(Evaluate, AFullDiskEndsTheRun) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is absent";
  fs::create_directories(folder_.path() / "out");
  fs::create_symlink("/dev/full", folder_.path() / "out/predictions.jsonl");
  std::atomic<int> n_asked = 0;
  const Summarize summarize = [&](const Conversation&, const OnText&) {
    n_asked++;
    return answer("text");
  };
  // /dev/full cannot be read to its end, so resume must not try: it is no regular file.
  EXPECT_THAT(error_of([&] {
                collect_predictions(conversations_, summarize,
                                    {.output = folder_.path() / "out", .concurrency = 1});
              }),
              HasSubstr("No space left"));
  EXPECT_EQ(n_asked, 1);
}

TEST_F(Evaluate, ShowsEachCaseAsItStreams) {
  Scribe scribe;
  scribe.failing = {"b"};
  const fs::path path = folder_.path() / "live.txt";
  std::FILE* live = std::fopen(path.c_str(), "w");
  ASSERT_NE(live, nullptr);
  conversations_.resize(2);
  conversations_[0].summary = "the \x1B[2Jreference";
  collect(scribe, {.concurrency = 1, .live = live});
  std::fclose(live);
  EXPECT_EQ(read_file(path),
            "a  2024-03-01 to 2024-03-09\n\nYou began with it.\n\n"
            "reference:\nthe [2Jreference\n\n"
            "b  2024-03-01 to 2024-03-09\n\n\nfailed: [llm] status 500: no b\n\n");
}

TEST_F(Evaluate, TheTableHasTheSystemAndItsFloors) {
  Predictions copies;
  for (const Conversation& c : conversations_) {
    Prediction& prediction = copies.of.emplace_back().emplace();
    prediction.id = c.id, prediction.text = c.summary;
    prediction.ttft_ms = 100, prediction.total_ms = 1100, prediction.completion_tokens = 21;
  }
  const Evaluation evaluation = evaluated(copies, "copyist");
  ASSERT_EQ(evaluation.systems.size(), 5u);
  EXPECT_EQ(evaluation.systems[0].rouge1.mean, 1);
  EXPECT_EQ(evaluation.systems[0].rouge1.interval.low, 1);
  EXPECT_EQ(evaluation.systems[0].mean_words, 14);
  // Another chat's reference differs in one of fourteen words, in two of thirteen bigrams.
  EXPECT_NEAR(evaluation.systems[1].rouge1.mean, 13.0 / 14, 1e-12);
  EXPECT_NEAR(evaluation.systems[1].rouge2.mean, 11.0 / 13, 1e-12);
  EXPECT_NEAR(evaluation.systems[1].rougeL.mean, 13.0 / 14, 1e-12);
  const double lead = rouge(lead_of_chat(conversations_[0]), conversations_[0].summary).rouge1.f1;
  EXPECT_EQ(evaluation.systems[2].items[0].rouge.rouge1.f1, lead);
  EXPECT_EQ(evaluation.systems[3].name, "extractive engine");
  EXPECT_GT(evaluation.systems[3].rouge1.mean, 0);
  EXPECT_EQ(evaluation.system().speed.all_tokens_per_second, 20);

  const std::string table = systems_table(evaluation);
  EXPECT_THAT(table, HasSubstr("copyist                      1.0000  1.0000-1.0000  1.0000"));
  EXPECT_THAT(table,
              HasSubstr("first token after 100 ms, whole answer 1.1 s (medians of 5), 20.0"));
  const Json json = evaluation_json(evaluation);
  EXPECT_EQ(json["n"], 5);
  EXPECT_EQ(json["rouge1"]["f1"]["mean"], 1.0);
  EXPECT_EQ(json["systems"][1]["system"], "reference of another chat");
  EXPECT_EQ(json["speed"]["ttft_ms"]["median"], 100.0);
  write_report(evaluation, folder_.path() / "report");
  EXPECT_EQ(read_json(folder_.path() / "report/report.json"), json);
  EXPECT_THAT(read_file(folder_.path() / "report/scores.csv"),
              HasSubstr("\n1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,1.0,a,copyist,1.0,14,1.0,"));
}

TEST(Floors, AreTheSameForTheSameSeed) {
  for (const size_t n : {2, 3, 19, 100}) {
    const std::vector<size_t> order = derangement(n, 7);
    EXPECT_EQ(order, derangement(n, 7));
    EXPECT_EQ(std::set<size_t>(order.begin(), order.end()).size(), n);
    for (size_t i = 0; i < n; i++) EXPECT_NE(order[i], i);
  }
  EXPECT_NE(derangement(19, 7), derangement(19, 8));
  const std::vector<Conversation> conversations = five_conversations();
  const std::vector<std::string> references = {"A", "B", "C", "D", "E"};
  const auto first = floor_systems(conversations, references, 3);
  const auto second = floor_systems(conversations, references, 3);
  for (size_t i = 0; i < 5; i++) EXPECT_NE(first[0].texts[i], references[i]);
  for (size_t i = 0; i < 3; i++) EXPECT_EQ(first[i].texts, second[i].texts);
  EXPECT_EQ(
      floor_systems(std::span(conversations).first(1), std::span(references).first(1), 3).size(),
      2u);
}

TEST(Floors, TheLeadEndsInsideAMessage) {
  const Conversation c = conversation("a", "cello");
  EXPECT_EQ(lead_of_chat(c, 12), "You: I have started to learn the cello this week. Mara: A");
  EXPECT_EQ(count_words(lead_of_chat(c)), 30);
  EXPECT_EQ(lead_of_chat({}), "");
}

TEST_F(Evaluate, PredictionsFromAFile) {
  const auto texts = [&](std::string_view bytes) {
    const std::string path = folder_.write("p.jsonl", bytes).string();
    return read_system_answers(conversations_, path + ":p").predictions;
  };
  conversations_.resize(2);
  const Predictions by_id =
      texts("{\"id\":\"x\",\"p\":\"0\"}\n{\"id\":\"b\",\"p\":\"1\"}\n{\"id\":\"a\",\"p\":\"2\"}\n");
  EXPECT_EQ(by_id.of[0]->text, "2");
  EXPECT_EQ(by_id.of[1]->text, "1");
  EXPECT_EQ(texts("{\"p\":\"0\"}\n{\"p\":\"1\"}\n").of[1]->text, "1");
  EXPECT_THAT(error_of([&] { texts("{\"id\":\"b\",\"p\":\"1\"}"); }), HasSubstr("lacks 1: a"));
  EXPECT_THAT(error_of([&] { texts("{\"p\":\"1\"}"); }), HasSubstr("has 1 for 2"));
}

TEST_F(Evaluate, ATestSetNeedsReferences) {
  const std::string message = "\"messages\":[{\"timestamp\":\"\",\"content\":\"You: hi\"}]";
  const fs::path path = folder_.write("test.jsonl", "{\"id\":\"x\"," + message +
                                                        ",\"summary\":\"s\"}\n{\"id\":\"y\"," +
                                                        message + ",\"summary\":\" \"}\n");
  const fs::path as_of = folder_.write("as_of.jsonl", "{\"id\":\"x\",\"as_of\":\"2024-04-02\"}\n");
  const std::vector<Conversation> both = read_test_set(path, {}, 0);
  const std::vector<std::string> summary = {"summary"};
  EXPECT_THAT(error_of([&] { read_references(both, summary); }), HasSubstr("lacks 1: y"));
  const std::vector<Conversation> first = read_test_set(path, as_of, 1);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].as_of, parse_date("2024-04-02"));
}

// A server that repeats what it was asked for, and cuts the stream for one chat.
class EvaluateOverHttp : public Evaluate {
 protected:
  EvaluateOverHttp() {
    server_ = std::make_unique<HttpServer>(
        HttpServerOptions{},
        std::vector<HttpRoute>{{"POST", "/v1/chat/completions",
                                [this](HttpRequest request, std::unique_ptr<ResponseStream> s) {
                                  play(request, *s);
                                }}});
  }
  void play(const HttpRequest& request, ResponseStream& stream) {
    const Json body = parse_json(request.body, "body");
    const std::string prompt = body["messages"].back()["content"];
    const std::lock_guard lock(mutex_);
    bodies_.push_back(body);
    stream.start(200, {{"content-type", "text/event-stream"}});
    const auto say = [&](const Json& delta, const Json& finish) {
      stream.write(sse_event(
          dump_json({{"choices", {{{"index", 0}, {"delta", delta}, {"finish_reason", finish}}}}})));
    };
    say({{"content", "In early March you began"}}, nullptr);
    if (cut_ && prompt.find("kiln") != prompt.npos) return;  // the connection breaks here
    say({{"content", " something new."}}, nullptr);
    say(Json::object(), "stop");
    stream.write(kSseDone);
    stream.end();
  }
  Predictions ask() {
    ChatRequest request;
    request.model = "little";
    request.max_tokens = 330;
    const std::string url = "http://127.0.0.1:" + std::to_string(server_->port());
    return collect_predictions(conversations_,
                               endpoint_summarizer({.base_url = url, .max_retries = 0}, request),
                               {.output = folder_.path() / "out", .settings = "little"});
  }
  bool cut_ = true;
  std::mutex mutex_;
  std::vector<Json> bodies_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(EvaluateOverHttp, HalfAStreamIsAFailureAndTheRestCompletes) {
  const Predictions some = ask();
  ASSERT_EQ(some.failures.size(), 1u);
  EXPECT_EQ(some.failures[0].id, "c");
  EXPECT_EQ(some.of[0]->text, "In early March you began something new.");
  EXPECT_EQ(some.of[0]->finish_reason, "stop");
  EXPECT_GT(some.of[0]->total_ms, 0);
  EXPECT_EQ(bodies_.size(), 5u);
  const std::vector<Turn> turns = summary_request(conversations_[0]);
  EXPECT_EQ(bodies_[0]["messages"].size(), turns.size());
  EXPECT_EQ(bodies_[0]["messages"][0]["content"], turns[0].content);
  EXPECT_EQ(bodies_[0]["max_tokens"], 330);
  cut_ = false;
  EXPECT_TRUE(ask().failures.empty());
  EXPECT_EQ(bodies_.size(), 6u);
  EXPECT_THAT(journal(), Not(HasSubstr("you began\"")));  // the half is not kept
}

}  // namespace
}  // namespace chatmem
