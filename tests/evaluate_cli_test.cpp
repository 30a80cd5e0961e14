// chatmem evaluate as a user runs it: against endpoints that fail in every way, as the original
// project's client asked, and with a language model as judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "anthropic_answer.h"
#include "anthropic_double.h"
#include "net/sse.h"
#include "openai_double.h"
#include "run_command.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const std::vector<std::string> kThings = {"cello", "loom", "kiln", "canoe", "telescope", "anvil"};

std::vector<Json> rows_of(const fs::path& path) {
  std::vector<Json> rows;
  for_each_json_line(path, [&](Json& row, size_t) { rows.push_back(std::move(row)); });
  return rows;
}

std::vector<std::string> ids_of(const fs::path& path) {
  std::vector<std::string> ids;
  for (const Json& row : rows_of(path)) ids.push_back(row["id"]);
  return ids;
}

class EvaluateCli : public ::testing::Test {
 protected:
  EvaluateCli() {
    std::string lines;
    for (const std::string& thing : kThings)
      lines += dump_json({{"id", thing},
                          {"start_date", "2024-03-01"},
                          {"end_date", "2024-03-09"},
                          {"as_of", "2024-03-20"},
                          {"messages",
                           {{{"timestamp", "2024-03-01 10:00"},
                             {"content", "You: I have started to learn the " + thing + "."}},
                            {{"timestamp", "2024-03-09 18:30"},
                             {"content", "Mara: I lend you a book on it."}}}},
                          {"summary", "In early March you began with the " + thing + "."}}) +
               "\n";
    data_ = folder_.write("test.jsonl", lines).string();
  }
  CommandResult run(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    arguments.insert(arguments.begin(), {"evaluate", "--data", data_, "--output", out()});
    return run_command(std::move(arguments), {.environment = std::move(environment)});
  }
  std::string out() const { return (folder_.path() / "out").string(); }
  fs::path at(const std::string& name) const { return folder_.path() / "out" / name; }

  TestFolder folder_;
  std::string data_;
};

// An endpoint that streams, and does to the chat about a thing what the script says.
class StreamingEndpoint {
 public:
  enum class Fault { none, stall, reset, garbage, half };

  StreamingEndpoint() {
    std::vector<HttpRoute> routes;
    for (const char* path : {"/v1/chat/completions", "/v1/completions"})
      routes.push_back(
          {"POST", path, [this](HttpRequest request, std::unique_ptr<ResponseStream> stream) {
             play(std::move(request), std::move(stream));
           }});
    server_ = std::make_unique<HttpServer>(HttpServerOptions{}, std::move(routes));
  }
  std::string base_url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }

  std::map<std::string, Fault> faults;  // by thing; not while a command runs
  std::vector<HttpRequest> requests;

 private:
  void play(HttpRequest request, std::unique_ptr<ResponseStream> stream) {
    const std::lock_guard lock(mutex_);
    requests.push_back(request);
    Fault fault = Fault::none;
    std::string thing;
    for (const std::string& one : kThings)
      if (request.body.find(one) != request.body.npos) thing = one;
    if (const auto it = faults.find(thing); it != faults.end()) fault = it->second;
    const bool text = request.path == "/v1/completions";
    const auto say = [&](const std::string& piece, const Json& finish) {
      Json choice = {{"index", 0}, {"finish_reason", finish}};
      if (text)
        choice["text"] = piece;
      else
        choice["delta"] = {{"content", piece}};
      stream->write(sse_event(dump_json({{"choices", {choice}}})));
    };
    stream->start(200, {{"content-type", "text/event-stream"}});
    if (fault == Fault::garbage) {
      stream->write("\x16\x03\xFF\x02 <html>who are you?</html>");
      return stream->end();
    }
    say("In early March you began", nullptr);
    if (fault == Fault::stall) return stalled_.push_back(std::move(stream));
    if (fault == Fault::reset) return;  // the connection ends without the end of the answer
    if (fault == Fault::half) return stream->end();
    say(" with the " + thing + ".", nullptr);
    say("", "stop");
    stream->write(kSseDone);
    stream->end();
  }

  std::mutex mutex_;
  std::unique_ptr<HttpServer> server_;
  std::vector<std::unique_ptr<ResponseStream>> stalled_;  // end before the server, which waits
};

// The case is marked with what happened, the rest completes, the exit code is 3, and a rerun asks
// only for what is missing.
TEST_F(EvaluateCli, AnEndpointThatStallsResetsSendsGarbageOrHalfAStream) {
  using Fault = StreamingEndpoint::Fault;
  StreamingEndpoint endpoint;
  endpoint.faults = {{"loom", Fault::stall},
                     {"kiln", Fault::reset},
                     {"canoe", Fault::garbage},
                     {"telescope", Fault::half}};
  const std::vector<std::string> command = {
      "--endpoint", endpoint.base_url(), "--model", "m", "--timeout-ms", "1000", "--retries", "0"};
  const CommandResult first = run(command);
  EXPECT_EQ(first.code, 3) << first.err;
  EXPECT_THAT(ids_of(at("predictions.jsonl")), UnorderedElementsAre("cello", "anvil"));
  std::map<std::string, std::string> faults;
  for (const Json& row : rows_of(at("errors.jsonl"))) faults[row["id"]] = row["fault"];
  const std::map<std::string, std::string> expected = {
      {"loom", "stalled"}, {"kiln", "broken"}, {"canoe", "garbage"}, {"telescope", "cut_off"}};
  EXPECT_EQ(faults, expected);
  EXPECT_THAT(first.err, AllOf(HasSubstr("4 of 6 requests failed"), HasSubstr("canoe: ")));
  const Json report = read_json(at("report.json"));
  EXPECT_EQ(report["n"], 2);
  ASSERT_EQ(report["failed"].size(), 4u);
  EXPECT_EQ(report["failed"][0]["fault"], "stalled");

  // What came is kept, half streams too.
  std::map<std::string, std::string> streams;
  for (const Json& row : rows_of(at("streams.jsonl"))) streams[row["id"]] = row["stream"];
  EXPECT_EQ(streams.size(), 6u);
  EXPECT_THAT(streams["cello"], AllOf(HasSubstr(" with the cello"), HasSubstr("[DONE]")));
  EXPECT_THAT(streams["telescope"], AllOf(HasSubstr("you began"), Not(HasSubstr("with the"))));
  EXPECT_THAT(streams["canoe"], HasSubstr("who are you?"));

  endpoint.faults.clear();
  endpoint.requests.clear();
  const CommandResult second = run(command);
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(endpoint.requests.size(), 4u);
  EXPECT_THAT(second.err, HasSubstr("2 of 6 predictions were in"));
  EXPECT_FALSE(fs::exists(at("errors.jsonl")));
  EXPECT_EQ(read_json(at("report.json"))["n"], 6);
  EXPECT_EQ(run(command).code, 0);
  EXPECT_EQ(endpoint.requests.size(), 4u);
}

TEST_F(EvaluateCli, AnEndpointThatAlwaysFailsIsAnError) {
  StreamingEndpoint endpoint;
  for (const std::string& thing : kThings) endpoint.faults[thing] = StreamingEndpoint::Fault::half;
  const CommandResult result = run({"--endpoint", endpoint.base_url(), "--model", "m"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("at least one of 6 requests must succeed"));
}

TEST_F(EvaluateCli, PresetOriginalAsksAsTheOriginalsClientDid) {
  StreamingEndpoint endpoint;
  const CommandResult result =
      run({"--endpoint", endpoint.base_url(), "--model", "tgi", "--preset", "original"},
          {"HF_TOKEN=hf_secret"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("preset original: --template seed --max-tokens 330"));
  EXPECT_THAT(result.err, Not(HasSubstr("hf_secret")));
  ASSERT_EQ(endpoint.requests.size(), 6u);
  const HttpRequest& request = endpoint.requests[0];
  EXPECT_EQ(request.path, "/v1/chat/completions");
  EXPECT_EQ(*find_header(request.headers, "authorization"), "Bearer hf_secret");
  const Json body = parse_json(request.body, "body");
  EXPECT_EQ(body["max_tokens"], 330);
  EXPECT_EQ(body["temperature"], 0.8);
  EXPECT_EQ(body["stream"], true);
  ASSERT_EQ(body["messages"].size(), 1u);
  EXPECT_EQ(body["messages"][0]["role"], "user");
  EXPECT_THAT(std::string(body["messages"][0]["content"]),
              AllOf(HasSubstr("[INST] You are a chat summarization assistant."),
                    HasSubstr("[END DATE]\n2024-03-09\n[CHAT MESSAGES]\n2024-03-01 10:00 | You: "),
                    HasSubstr("[/INST]"), Not(HasSubstr("2024-03-20"))));
  // A flag wins; other settings are another folder's.
  const CommandResult other = run({"--endpoint", endpoint.base_url(), "--model", "tgi", "--preset",
                                   "original", "--temperature", "0.5"});
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, HasSubstr("must come from the same data and settings"));
}

TEST_F(EvaluateCli, TheSeedTemplateGoesAsText) {
  StreamingEndpoint endpoint;
  const CommandResult result =
      run({"--endpoint", endpoint.base_url(), "--model", "m", "--template", "seed"});
  EXPECT_EQ(result.code, 0) << result.err;
  ASSERT_EQ(endpoint.requests.size(), 6u);
  EXPECT_EQ(endpoint.requests[0].path, "/v1/completions");
  const Json body = parse_json(endpoint.requests[0].body, "body");
  EXPECT_THAT(std::string(body["prompt"]), ::testing::StartsWith("<s>[INST] You are a chat"));
  EXPECT_EQ(rows_of(at("predictions.jsonl"))[0]["finish_reason"], "stop");
}

TEST_F(EvaluateCli, FlagsThatDoNotGoTogetherAreNamed) {
  const std::vector<std::vector<std::string>> refused = {
      {},
      {"--model", "m", "--judge", "openai"},
      {"--endpoint", "http://x", "--api", "completions"},
      {"--endpoint", "http://x", "--adapter", "a"},
      {"--model", "m", "--api", "chat"}};
  for (const std::vector<std::string>& arguments : refused)
    EXPECT_EQ(run(arguments).code, 2) << ::testing::PrintToString(arguments);
}

// A judge for tests: what names the thing wins, else a tie; if `place` is set, what is shown there.
std::string judge_answer(const std::string& prompt, const std::string& place = "") {
  const size_t a = prompt.find("[SUMMARY A]"), b = prompt.find("[SUMMARY B]");
  std::string_view first(prompt), second(prompt);
  first = first.substr(a, b - a), second = second.substr(b);
  const auto good = [](std::string_view text) { return text.find("good") != text.npos; };
  std::string winner = good(first) == good(second) ? "tie" : good(first) ? "A" : "B";
  if (!place.empty()) winner = place;
  return dump_json({{"reason", "It names \xE2\x80\x9Cgood\xE2\x80\x9D."},
                    {"faithful", winner},
                    {"times", "tie"},
                    {"complete", winner},
                    {"readable", "tie"},
                    {"overall", winner}});
}

class EvaluateJudge : public EvaluateCli {
 protected:
  // The first `n_good` of the six predictions are good; no reference is.
  std::string predictions(int n_good, const std::string& file = "p.jsonl") const {
    std::string lines;
    for (size_t i = 0; i < kThings.size(); i++)
      lines += dump_json({{"id", kThings[i]},
                          {"text", int(i) < n_good ? "You began, good." : "You began."}}) +
               "\n";
    return folder_.write(file, lines).string() + ":text";
  }
};

TEST_F(EvaluateJudge, BothOrdersAreAskedOnceAndCounted) {
  AnthropicDoubleOptions options;
  options.answer = [](const Json& request) {
    return judge_answer(content_text(request["messages"][0]["content"]));
  };
  AnthropicDouble server(std::move(options));
  const std::vector<std::string> environment = {"ANTHROPIC_API_KEY=sk-ant-judge",
                                                "ANTHROPIC_BASE_URL=" + server.base_url()};
  const std::vector<std::string> command = {"--predictions", predictions(4), "--judge",
                                            "anthropic",     "--budget",     "1"};
  const CommandResult first = run(command, environment);
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr("judge: model claude-haiku-5-5"), HasSubstr("spent $"),
                               Not(HasSubstr("sk-ant-judge"))));
  EXPECT_THAT(
      first.out,
      AllOf(HasSubstr("judge claude-haiku-5-5, against reference summary (n = 6)"),
            HasSubstr("overall        4     2       0\n"), HasSubstr("both orders agree in 100%")));
  const Json report = read_json(at("report.json"));
  const Json& judge = report["judge"];
  EXPECT_EQ(judge["overall"], Json({{"wins", 4}, {"ties", 2}, {"losses", 0}}));
  EXPECT_EQ(judge["criteria"]["times"]["ties"], 6);
  EXPECT_NEAR(judge["win_share"]["mean"].get<double>(), 5.0 / 6, 1e-12);
  EXPECT_EQ(judge["agreement"], 1.0);
  EXPECT_EQ(judge["first_share"], 0.5);
  EXPECT_GT(judge["spent_usd"].get<double>(), 0);
  EXPECT_THAT(read_file(at("report.html")), AllOf(HasSubstr("A language model as judge"),
                                                  HasSubstr("both orders agree in 100%")));
  const std::vector<Json> lines = rows_of(at("judge.jsonl"));
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0]["verdict"], "win");
  EXPECT_EQ(lines[0]["orders"][1]["overall"], "win");
  EXPECT_EQ(lines[5]["verdict"], "tie");
  EXPECT_EQ(server.summary().bought, 12);

  // Nothing is bought again; a report without a judge has no lines of one.
  EXPECT_EQ(run(command, environment).code, 0);
  EXPECT_EQ(server.summary().bought, 12);
  EXPECT_EQ(run({"--predictions", predictions(4)}).code, 0);
  EXPECT_FALSE(fs::exists(at("judge.jsonl")));
  EXPECT_FALSE(read_json(at("report.json")).contains("judge"));
}

TEST_F(EvaluateJudge, AJudgeThatPrefersAPlaceShows) {
  OpenAiDouble server(
      [](const Json& request) { return judge_answer(request["messages"][1]["content"], "A"); });
  const std::vector<std::string> command = {
      "--predictions",    predictions(6),
      "--predictions",    "second=" + predictions(0, "q.jsonl"),
      "--judge",          "openai",
      "--judge-endpoint", server.base_url(),
      "--judge-model",    "j",
      "--judge-against"};
  std::vector<std::string> named = command, unknown = command;
  named.push_back("second"), unknown.push_back("third");
  const CommandResult refused = run(unknown);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("one of: second, "));
  const CommandResult result = run(named, {"OPENAI_API_KEY=sk-judge"});
  EXPECT_EQ(result.code, 0) << result.err;
  const Json judge = read_json(at("report.json"))["judge"];
  EXPECT_EQ(judge["model"], "j");
  EXPECT_EQ(judge["against"], "second");
  EXPECT_EQ(judge["overall"]["ties"], 6);
  EXPECT_EQ(judge["agreement"], 0.0);
  EXPECT_EQ(judge["first_share"], 1.0);
  EXPECT_EQ(judge["spent_usd"], nullptr);
  EXPECT_EQ(server.last_key(), "Bearer sk-judge");
  const Json request = server.requests()[0];
  EXPECT_EQ(request["response_format"]["json_schema"]["strict"], true);
  EXPECT_THAT(std::string(request["messages"][1]["content"]),
              AllOf(HasSubstr("2024-03-01 10:00 | You: I have"), HasSubstr("[AS OF]\n2024-03-20"),
                    HasSubstr("[SUMMARY A]\n"), HasSubstr("\n\n[SUMMARY B]\n")));
}

// An answer that is none leaves its case open, by name; --retry-errors asks for it again.
TEST_F(EvaluateJudge, AnswersThatCannotBeUsed) {
  std::atomic<bool> good = false;
  OpenAiDouble server([&](const Json& request) {
    const std::string prompt = request["messages"][1]["content"];
    if (!good && prompt.find("kiln") != prompt.npos) return std::string("{\"overall\":\"C\"}");
    return judge_answer(prompt);
  });
  const std::vector<std::string> command = {"--predictions", predictions(6),     "--judge",
                                            "openai",        "--judge-endpoint", server.base_url()};
  const CommandResult first = run(command);
  EXPECT_EQ(first.code, 3) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr("1 cases were not judged"), HasSubstr("kiln: ")));
  const Json judge = read_json(at("report.json"))["judge"];
  EXPECT_EQ(judge["model"], "double-1");
  EXPECT_EQ(judge["n"], 5);
  EXPECT_EQ(judge["failed"][0]["id"], "kiln");
  EXPECT_EQ(server.requests().size(), 12u);
  good = true;
  EXPECT_EQ(run(command).code, 3);
  EXPECT_EQ(server.requests().size(), 12u);
  std::vector<std::string> again = command;
  again.push_back("--retry-errors");
  EXPECT_EQ(run(again).code, 0);
  EXPECT_EQ(server.requests().size(), 14u);
  EXPECT_EQ(read_json(at("report.json"))["judge"]["n"], 6);
  EXPECT_EQ(run(command).code, 0);
  EXPECT_EQ(server.requests().size(), 14u);
}

TEST_F(EvaluateJudge, TheBudgetEndsIt) {
  OpenAiDouble server(
      [](const Json& request) { return judge_answer(request["messages"][1]["content"]); });
  std::vector<std::string> command = {
      "--predictions",   predictions(6), "--judge", "openai",        "--judge-endpoint",
      server.base_url(), "--price",      "1,10",    "--concurrency", "1",
      "--budget",        "0.05"};
  const CommandResult first = run(command);
  EXPECT_EQ(first.code, 3) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr("the judge ended early: the next request could cost"),
                               HasSubstr("hint: a higher --budget")));
  const size_t n = server.requests().size();
  EXPECT_GT(n, 0u);
  EXPECT_LT(n, 12u);
  const Json judge = read_json(at("report.json"))["judge"];
  EXPECT_LE(judge["spent_usd"].get<double>(), 0.05);
  command.back() = "5";
  EXPECT_EQ(run(command).code, 0);
  EXPECT_EQ(server.requests().size(), 12u);
}

}  // namespace
}  // namespace chatmem
