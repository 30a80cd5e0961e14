// Message batches against a real server that keeps a ledger of what was bought, with faults by
// script and a process that dies at every step.
#include "llm/message_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>

#include "base/date.h"
#include "base/error.h"
#include "net/http_server.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Killed {};  // the process dies here; no Error, so that nothing catches it

// What counts the steps of a run and ends it at one of them.
struct Fuse {
  int steps = 0, dies_at = 0;
  void step() {
    if (++steps == dies_at) throw Killed{};
  }
};

// A small format of our own: the tests are about batches, not about messages.
class TestApi : public LlmApi {
 public:
  std::string name() const override { return "test"; }
  std::string host() const override { return "test.host"; }
  HttpCall call(const LlmRequest&) const override { return {}; }
  Json body(const LlmRequest& request) const override {
    if (fuse) fuse->step();
    return {{"model", request.model},
            {"prompt", request.messages.at(0).content},
            {"max_tokens", request.max_tokens},
            {"stream", true}};
  }
  LlmAnswer parse_answer(std::string_view body) const override {
    if (fuse) fuse->step();
    const Json json = parse_json(body, "answer");
    LlmAnswer answer{.text = json_string(json, "text", "answer")};
    answer.usage = {.input = json_int(json, "in", "answer"), .output = json_int(json, "out", "a")};
    return answer;
  }
  LlmFailure parse_failure(const HttpOutcome& outcome) const override {
    if (fuse) fuse->step();
    LlmFailure failure;
    const int status = outcome.response.status;
    failure.message = outcome.error ? outcome.error->what() : "status " + std::to_string(status);
    if (!outcome.error && status < 500 && status != 429 && status != 408)
      failure.verdict = status == 401 ? LlmVerdict::stop_run : LlmVerdict::fail_row;
    if (const std::string* after = find_header(outcome.response.headers, "retry-after"))
      failure.retry_after_s = std::stod(*after);
    return failure;
  }
  LlmLimits parse_limits(const HttpHeaders&) const override { return {}; }
  std::string request_id(const HttpHeaders&) const override { return {}; }
  std::optional<HttpCall> count_tokens_call(const LlmRequest&) const override { return {}; }
  int64_t parse_count_tokens(std::string_view) const override { return 0; }
  Fuse* fuse = nullptr;
};

std::string succeeded(const std::string& key, const std::string& prompt) {
  return R"({"custom_id":")" + key + R"(","result":{"type":"succeeded","message":{"text":"re )" +
         prompt + R"(","in":1000,"out":100}}})";
}
std::string errored(const std::string& key, const std::string& type) {
  return R"({"custom_id":")" + key + R"(","result":{"type":"errored","error":{"type":"error",)" +
         R"("error":{"type":")" + type + R"(","message":"because"},"request_id":"req_9"}}})";
}
std::string without_result(const std::string& key, const std::string& type) {
  return R"({"custom_id":")" + key + R"(","result":{"type":")" + type + "\"}}";
}

// The server's side of Message Batches.
class Double {
 public:
  struct Batch {
    std::string id, created_at;
    std::vector<std::pair<std::string, std::string>> requests;  // custom_id, prompt
    int polls_left = 0;
    bool gone = false;
  };
  enum class Cut { none, before_creation, after_creation };

  Double() {
    std::vector<HttpRoute> routes;
    const auto serve = [this](HttpRequest request, std::unique_ptr<ResponseStream> stream) {
      answer(request, *stream);
    };
    for (const char* path : {"/v1/messages/batches", "/v1/messages/batches/*"}) {
      routes.push_back({"GET", path, serve});
      routes.push_back({"POST", path, serve});
    }
    server_ = std::make_unique<HttpServer>(HttpServerOptions{}, std::move(routes));
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  Batch& add(const std::string& created_at, std::vector<std::string> keys, int n_polls = 1) {
    batches.push_back({.id = "msgbatch_" + std::to_string(batches.size()),
                       .created_at = created_at,
                       .polls_left = n_polls});
    for (const std::string& key : keys) batches.back().requests.emplace_back(key, key);
    return batches.back();
  }

  std::vector<Batch> batches;
  std::map<std::string, int> bought;  // by custom_id: how often it was submitted
  std::function<std::string(const std::string& key, const std::string& prompt, int nth)> result =
      [](const std::string& key, const std::string& prompt, int) { return succeeded(key, prompt); };
  std::vector<int> statuses;  // of the next calls, before anything else; 0: none
  Cut cut = Cut::none;        // of the next creation
  int page = 1000;
  bool half_results = false;  // the next results break off
  int polls = 1;              // until a batch has ended
  std::vector<std::string> calls;
  std::set<std::string> keys_seen;
  size_t largest_body = 0;

 private:
  void answer(const HttpRequest& request, ResponseStream& stream) {
    const std::lock_guard lock(mutex_);
    calls.push_back(request.method + " " + request.path);
    keys_seen.insert(*find_header(request.headers, "x-api-key"));
    if (!statuses.empty()) {
      const int status = statuses.front();
      statuses.erase(statuses.begin());
      if (status) return stream.respond(status, {{"retry-after", "0"}}, "{}");
    }
    const std::string rest = request.path.substr(std::string("/v1/messages/batches").size());
    if (request.method == "POST") return create(request, stream);
    if (rest.empty()) return list(request, stream);
    const std::string id = rest.substr(1, rest.find('/', 1) - 1);
    for (Batch& batch : batches)
      if (batch.id == id && !batch.gone)
        return rest.ends_with("/results") ? results(batch, stream) : state(batch, stream);
    stream.respond(404, {}, "{}");
  }
  void create(const HttpRequest& request, ResponseStream& stream) {
    largest_body = std::max(largest_body, request.body.size());
    const Cut now = std::exchange(cut, Cut::none);
    if (now == Cut::before_creation) return cut_off(stream);
    Batch& batch = add(now_iso8601(), {}, polls);
    const Json json = parse_json(request.body, "batch");
    for (const Json& item : json["requests"]) {
      const std::string key = item["custom_id"];
      EXPECT_FALSE(item["params"].contains("stream"));
      batch.requests.emplace_back(key, item["params"]["prompt"]);
      bought[key]++;
    }
    if (now == Cut::after_creation) return cut_off(stream);
    stream.respond(200, {}, dump_json(describe(batch)));
  }
  static void cut_off(ResponseStream& stream) {
    stream.start(200, {});
    stream.write("{");
  }
  static Json describe(const Batch& batch) {
    const bool ended = batch.polls_left <= 0;
    const auto n = batch.requests.size();
    return {{"id", batch.id},
            {"type", "message_batch"},
            {"processing_status", ended ? "ended" : "in_progress"},
            {"request_counts", {{"processing", ended ? 0 : n}, {"succeeded", ended ? n : 0}}},
            {"created_at", batch.created_at}};
  }
  void list(const HttpRequest& request, ResponseStream& stream) const {
    size_t at = batches.size();
    if (const size_t after = request.query.find("after_id="); after != std::string::npos)
      while (at > 0 && batches[at - 1].id != request.query.substr(after + 9)) at--;
    if (at < batches.size()) at--;
    Json data = Json::array();
    for (; at > 0 && int(data.size()) < page; at--) data.push_back(describe(batches[at - 1]));
    stream.respond(200, {}, dump_json({{"data", data}, {"has_more", at > 0}}));
  }
  void state(Batch& batch, ResponseStream& stream) const {
    batch.polls_left--;
    stream.respond(200, {}, dump_json(describe(batch)));
  }
  // In the reverse order, in small pieces.
  void results(const Batch& batch, ResponseStream& stream) {
    std::string lines;
    for (size_t i = batch.requests.size(); i-- > 0;) {
      const auto& [key, prompt] = batch.requests[i];
      const auto times = bought.find(key);
      const std::string line = result(key, prompt, times == bought.end() ? 0 : times->second);
      if (!line.empty()) lines += line + '\n';
    }
    stream.start(200, {});
    const bool half = std::exchange(half_results, false);
    if (half) lines.resize(lines.size() / 2);
    for (size_t i = 0; i < lines.size(); i += 50) stream.write(lines.substr(i, 50));
    if (!half) stream.end();
  }

  std::mutex mutex_;
  std::unique_ptr<HttpServer> server_;
};

class MessageBatches : public ::testing::Test {
 protected:
  // Runs like a fresh process on the same journal.
  BatchOutcome run() {
    Journal journal(path_);
    return run(journal);
  }
  BatchOutcome run(Journal& journal) {
    api_.fuse = &fuse_;
    BatchEvents events;
    events.received = [&](const std::string& key) {
      EXPECT_TRUE(journal.contains(key));
      received_.push_back(key);
      fuse_.step();
    };
    events.failed = [&](const std::string& key, const LlmFailure& failure) {
      failures_[key] = failure.message;
      fuse_.step();
    };
    events.progress = [&](const BatchProgress& progress) {
      fuse_.step();
      last_ = progress;
      EXPECT_LE(journal.committed_usd(), options_.budget_usd);
      return stop_after_ < 0 || stop_after_-- > 0;
    };
    events.warn = [&](const std::string& text) {
      warnings_.push_back(text);
      fuse_.step();
    };
    const BatchSupply supply = [&](const std::function<void(BatchItem)>& take) {
      for (int i = 0; i < n_; i++) {
        fuse_.step();
        BatchItem item{.key = "k" + std::to_string(i), .input_tokens = 1000};
        item.request = {.model = "m", .max_tokens = 100};
        item.request.messages = {{"user", "prompt " + std::to_string(i)}};
        take(std::move(item));
      }
    };
    LlmEndpoint endpoint;
    endpoint.base_url = server_.url() + "/";
    endpoint.api_key = "sk-1";
    return run_message_batches({api_, endpoint, {}, price_, journal, options_, events}, supply);
  }
  std::string error() {
    try {
      run();
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), Not(HasSubstr("sk-1")));
      return e.what();
    }
    return "no error";
  }
  void expect_all_received() {
    const Journal journal(path_);
    for (int i = 0; i < n_; i++) {
      const auto answer = journal.find("k" + std::to_string(i));
      ASSERT_TRUE(answer) << i;
      EXPECT_EQ(answer->body,
                "{\"text\":\"re prompt " + std::to_string(i) + "\",\"in\":1000,\"out\":100}");
    }
    // Exactly once each: by the lines, not by the index.
    std::map<std::string, int> lines;
    for_each_json_line(path_, [&](Json& event, size_t) {
      if (event.value("event", "") == "received") lines[event["key"]]++;
    });
    EXPECT_EQ(int(lines.size()), n_);
    for (const auto& [key, count] : lines) EXPECT_EQ(count, 1) << key;
    EXPECT_DOUBLE_EQ(journal.committed_usd(), n_ * 0.0011 / 2);
    for (const JournalBatch& batch : journal.batches()) EXPECT_TRUE(batch.ended);
  }
  void expect_bought_once() {
    EXPECT_EQ(int(server_.bought.size()), n_);
    for (const auto& [key, count] : server_.bought) EXPECT_EQ(count, 1) << key;
  }

  TestFolder folder_;
  fs::path path_ = folder_.path() / "journal.jsonl";
  Double server_;
  TestApi api_;
  Fuse fuse_;
  int n_ = 7;
  int stop_after_ = -1;  // calls of progress; -1: never
  Price price_{.input = 1, .output = 1, .batch = 0.5};
  BatchOptions options_{.max_requests = 3,
                        .poll_ms = 1,
                        .max_poll_ms = 2,
                        .backoff_ms = 1,
                        .max_backoff_ms = 2,
                        .max_attempts = 4,
                        .settle_ms = 1};
  std::vector<std::string> received_, warnings_;
  std::map<std::string, std::string> failures_;
  BatchProgress last_;
};

TEST_F(MessageBatches, SendsInBatchesAndReceivesAll) {
  const BatchOutcome outcome = run();
  EXPECT_EQ(outcome.received, 7);
  EXPECT_FALSE(outcome.stopped);
  ASSERT_EQ(server_.batches.size(), 3u);
  EXPECT_EQ(server_.batches[2].requests.size(), 1u);
  expect_all_received();
  expect_bought_once();
  EXPECT_EQ(last_.received, 7);
  EXPECT_THAT(server_.keys_seen, ElementsAre("sk-1"));
  server_.calls.clear();
  EXPECT_EQ(run().received, 0);  // nothing is left to do, so nobody is asked
  EXPECT_TRUE(server_.calls.empty());
}

TEST_F(MessageBatches, BatchesKeepToTheirBytes) {
  options_ = {.max_requests = 100, .max_bytes = 210, .poll_ms = 1, .settle_ms = 1};
  run();
  expect_all_received();
  EXPECT_GT(server_.batches.size(), 2u);
  EXPECT_LE(server_.largest_body, 210u);
  EXPECT_GT(server_.largest_body, 120u);
  options_.max_bytes = 60;
  n_ = 8;
  EXPECT_EQ(run().failed, 1);
  EXPECT_THAT(failures_["k7"], HasSubstr("a batch may have 60"));
}

TEST_F(MessageBatches, PartialSuccessesStayAndOnlyFailuresGoAgain) {
  server_.result = [](const std::string& key, const std::string& prompt, int nth) {
    if (key == "k1" && nth == 1) return errored(key, "overloaded_error");
    if (key == "k2" && nth <= 2) return without_result(key, "expired");
    if (key == "k3" && nth == 1) return without_result(key, "canceled");
    if (key == "k4") return errored(key, "invalid_request_error");
    if (key == "k5") return errored(key, "api_error");
    return succeeded(key, prompt);
  };
  const BatchOutcome outcome = run();
  EXPECT_EQ(outcome.received, 5);
  EXPECT_EQ(outcome.failed, 2);
  EXPECT_THAT(failures_["k4"], HasSubstr("invalid_request_error: because (req_9)"));
  EXPECT_THAT(failures_["k5"], HasSubstr("api_error"));
  const std::map<std::string, int> expected = {{"k0", 1}, {"k1", 2}, {"k2", 3}, {"k3", 2},
                                               {"k4", 1}, {"k5", 3}, {"k6", 1}};
  EXPECT_EQ(server_.bought, expected);
  EXPECT_DOUBLE_EQ(Journal(path_).committed_usd(), 5 * 0.0011 / 2);
}

TEST_F(MessageBatches, TheBudgetIsNeverPassed) {
  // Each request is bounded by (1000 * 1.25 + 100) / 2 = 675 millionths, and costs 550.
  options_.budget_usd = 2900e-6;
  const BatchOutcome outcome = run();
  EXPECT_EQ(outcome.received, 5);  // 4 by their bounds; then what they left over is enough for one
  EXPECT_EQ(outcome.over_budget, 2);
  EXPECT_EQ(run().received, 0);
  options_.budget_usd = 1;
  EXPECT_EQ(run().received, 2);
  expect_all_received();
  expect_bought_once();
}

TEST_F(MessageBatches, StopsWhereItIsAndPollsOnLater) {
  server_.polls = 5;
  stop_after_ = 6;
  EXPECT_TRUE(run().stopped);
  EXPECT_EQ(server_.bought.size(), 7u);
  EXPECT_EQ(last_.open_batches, 3);
  EXPECT_EQ(last_.in_flight, 7);
  stop_after_ = -1;
  EXPECT_EQ(run().received, 7);
  expect_all_received();
  expect_bought_once();
}

TEST_F(MessageBatches, FailuresOfCallsAreRepeated) {
  server_.statuses = {429, 529, 0, 0, 0, 503, 408, 500, 0, 529, 0, 500};
  server_.half_results = true;
  run();
  expect_all_received();
  expect_bought_once();
}

TEST_F(MessageBatches, ARefusedKeyStopsAtOnce) {
  for (const int status : {401, 403}) {
    server_.calls.clear();
    server_.statuses = {status};
    EXPECT_THAT(error(), HasSubstr("status " + std::to_string(status)));
    EXPECT_EQ(server_.calls.size(), 1u);
  }
  EXPECT_EQ(Journal(path_).committed_usd(), 0);  // surely not created
  run();
  expect_bought_once();
}

TEST_F(MessageBatches, GivesUpOnAServerThatStaysAway) {
  server_.statuses = {529, 529, 529, 529};
  EXPECT_THAT(error(), HasSubstr("status 529"));
  EXPECT_EQ(server_.calls.size(), 4u);
  run();
  expect_all_received();
}

// The answer to the creation is cut off, once the batch exists and once it does not.
TEST_F(MessageBatches, ACreationCutOffIsLookedFor) {
  server_.cut = Double::Cut::after_creation;
  run();
  server_.cut = Double::Cut::before_creation;
  n_ = 9;
  run();
  expect_all_received();
  expect_bought_once();
}

// Killed between the creation and its answer, among batches of others: older ones, newer ones of
// the same size that have ended, are in progress, or whose results are gone.
TEST_F(MessageBatches, ABatchWithoutANameIsFoundAmongForeignOnes) {
  server_.add("2020-01-01T00:00:00Z", {"k0", "k1", "k2"}, 0);
  server_.add(now_iso8601(), {"a", "b", "c"}, 0);
  server_.page = 2;
  server_.cut = Double::Cut::after_creation;
  {
    Journal journal(path_);
    n_ = 3;
    // The supply and body step three times each, progress once; parse_failure is the first step
    // after the creation.
    fuse_.dies_at = 8;
    EXPECT_THROW(run(journal), Killed);
  }
  ASSERT_EQ(server_.bought.size(), 3u);
  server_.add(now_iso8601(), {"k0", "k1", "x"}, 3);
  server_.add(now_iso8601(), {"k0", "k1"}, 0);
  server_.add(now_iso8601(), {"d", "e", "f"}, 0).gone = true;
  fuse_ = {};
  n_ = 7;
  EXPECT_EQ(run().received, 7);
  expect_all_received();
  expect_bought_once();
  EXPECT_EQ(Journal(path_).batches()[0].id, "msgbatch_2");
}

TEST_F(MessageBatches, ForgottenResultsAreBoughtAgainWithAWarning) {
  {
    Journal journal(path_);
    journal.batch_begins({{"k0", 0.5}, {"k1", 0.25}}, "2020-01-01T00:00:00Z");
    journal.batch_created("msgbatch_old");
    journal.received("k0", {200, "", "old", 0.125});
  }
  n_ = 3;
  EXPECT_EQ(run().received, 2);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("msgbatch_old of 2020-01-01T00:00:00Z")));
  EXPECT_EQ(server_.bought, (std::map<std::string, int>{{"k1", 1}, {"k2", 1}}));
  EXPECT_DOUBLE_EQ(Journal(path_).spent_usd(), 0.125 + 0.25 + 2 * 0.00055);
}

// A young batch that is unknown belongs to another key: to buy it again would be wrong.
TEST_F(MessageBatches, AYoungUnknownBatchIsAnError) {
  {
    Journal journal(path_);
    journal.batch_begins({{"k0", 0.5}}, now_iso8601());
    journal.batch_created("msgbatch_other");
  }
  EXPECT_THAT(error(), HasSubstr("batch msgbatch_other of"));
  EXPECT_TRUE(Journal(path_).in_batch("k0"));
  EXPECT_FALSE(server_.bought.contains("k0"));
}

TEST_F(MessageBatches, MissingAndStrangeResultsAreSentAgain) {
  server_.result = [](const std::string& key, const std::string& prompt, int nth) {
    if (key == "k0" && nth == 1) return std::string();
    if (key == "k1" && nth == 1) return std::string("{\"custom_id\":\"k1\"");
    if (key == "k2" && nth == 1) return succeeded("stranger", prompt);
    return succeeded(key, prompt);
  };
  EXPECT_EQ(run().received, 7);
  expect_all_received();
  EXPECT_EQ(server_.bought["k0"] + server_.bought["k1"] + server_.bought["k2"], 6);
  EXPECT_THAT(warnings_, ::testing::Contains(HasSubstr("3 of 3 results are missing")));
}

// A message that is none of the API's is paid all the same, and kept.
TEST_F(MessageBatches, AnAnswerThatCannotBeReadCostsItsBound) {
  n_ = 1;
  server_.result = [](const std::string& key, const std::string&, int) {
    return R"({"custom_id":")" + key + R"(","result":{"type":"succeeded","message":{"x":1}}})";
  };
  EXPECT_EQ(run().received, 1);
  const Journal journal(path_);
  EXPECT_EQ(journal.find("k0")->body, "{\"x\":1}");
  EXPECT_DOUBLE_EQ(journal.spent_usd(), 675e-6);
}

// The process dies at each of its steps in turn, the first creation is cut off, and a fresh process
// ends the work: every answer is in the journal once, and nothing was bought twice that had not
// failed.
TEST(MessageBatchesKilled, AtEveryStepNothingIsBoughtTwice) {
  class Run : public MessageBatches {
   public:
    void TestBody() override {}
    bool dies_at(int step) {
      SCOPED_TRACE(step);
      server_.cut = step % 2 ? Double::Cut::after_creation : Double::Cut::before_creation;
      server_.result = [](const std::string& key, const std::string& prompt, int nth) {
        return key == "k3" && nth == 1 ? errored(key, "api_error") : succeeded(key, prompt);
      };
      fuse_.dies_at = step;
      bool died = false;
      try {
        run();
      } catch (const Killed&) {
        died = true;
      }
      fuse_ = {};
      run();
      expect_all_received();
      EXPECT_EQ(std::exchange(server_.bought["k3"], 1), 2);
      expect_bought_once();
      return died;
    }
  };
  int step = 1;
  while (Run().dies_at(step)) step++;
  EXPECT_GT(step, 50);
}

}  // namespace
}  // namespace chatmem
