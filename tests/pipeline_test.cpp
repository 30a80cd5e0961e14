// The whole road as a user walks it, with a tiny model: every verb on what the verb before it left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/json.h"
#include "llm/chat_client.h"
#include "net/http_client.h"
#include "run_command.h"
#include "test_folder.h"
#include "tiny_model.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const fs::path kSamples = fs::path(CHATMEM_SOURCE_DIR) / "samples";

std::vector<Json> rows_of(const fs::path& path) {
  std::vector<Json> rows;
  for_each_json_line(path, [&](Json& row, size_t) { rows.push_back(std::move(row)); });
  return rows;
}

// The stations share a folder; each fails the test where it stands.
class Pipeline : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  CommandResult run(std::vector<std::string> arguments, const std::string& input = {}) const {
    const std::string verb = arguments[0];
    CommandResult result = run_command(std::move(arguments), {.input = input});
    EXPECT_EQ(result.code, 0) << verb << ": " << result.err;
    return result;
  }
  Json run_json(std::vector<std::string> arguments) const {
    const std::string out = run(std::move(arguments)).out;
    const size_t line = out.rfind('\n', out.size() - 2);
    return parse_json(out.substr(line == out.npos ? 0 : line + 1), "the last line");
  }

  void generate() {
    run({"generate", "--provider", "offline", "--input", kSamples / "dialogues.csv", "--rows", "12",
         "--output", at("generated")});
    EXPECT_EQ(rows_of(data()).size(), 12u);
  }
  void encode() {
    const CommandResult result = run({"encode", "--data", data(), "--tokenizer",
                                      kSamples / "tokenizer", "--output", at("shards")});
    EXPECT_THAT(result.out, HasSubstr("12 examples"));
    EXPECT_THAT(result.out, HasSubstr("next: chatmem train"));
  }
  void train() {
    const std::string config = folder_.write("tiny.json", kTinyConfig).string();
    run({"train", "--init", config, "--tokenizer", kSamples / "tokenizer", "--data", at("shards"),
         "--output", at("base"), "--steps", "4", "--packing", "off", "--lr", "1e-2", "--val-share",
         "0.2"});
    EXPECT_EQ(rows_of(at("base/log.jsonl")).size(), 4u);
    for (const char* file : {"config.json", "model.safetensors", "tokenizer.json", "log.csv"})
      EXPECT_TRUE(fs::exists(at("base") + "/" + file)) << file;
    const CommandResult lora =
        run({"train", "--model", at("base"), "--data", data(), "--output", at("adapter"), "--steps",
             "4", "--packing", "off", "--lr", "1e-2", "--lora-rank", "4"});
    EXPECT_THAT(lora.out, HasSubstr("next: chatmem export"));
    EXPECT_TRUE(fs::exists(at("adapter/adapter_model.safetensors")));
  }
  // The merged model says what base and adapter say together, and not what the base says alone.
  void merge() {
    run({"export", "--model", at("base"), "--adapter", at("adapter"), "--output", at("merged")});
    const std::string text = folder_.write("letter.txt", "Hanna found a room in Leeds.\n").string();
    const Json base = run_json({"score", "--model", at("base"), "--text", text, "--json"});
    const Json both = run_json(
        {"score", "--model", at("base"), "--adapter", at("adapter"), "--text", text, "--json"});
    const Json merged = run_json({"score", "--model", at("merged"), "--text", text, "--json"});
    const double perplexity = merged["perplexity"];
    EXPECT_NEAR(both["perplexity"].get<double>() / perplexity, 1, 1e-3);
    EXPECT_GT(std::abs(base["perplexity"].get<double>() / perplexity - 1), 1e-2);
    EXPECT_EQ(merged["logprobs"].size(), merged["n"].get<size_t>());
    const std::string ids = run({"tokenize", "--tokenizer", at("merged")}, read_file(text)).out;
    EXPECT_EQ(parse_json(ids, "ids").size(), merged["n"].get<size_t>() + 1);
    EXPECT_EQ(run({"tokenize", "--tokenizer", at("merged"), "--decode"}, ids).out, read_file(text));
    const std::string tokens = folder_.write("tokens.json", ids).string();
    EXPECT_EQ(run_json({"score", "--model", at("merged"), "--tokens", tokens, "--json"}), merged);
  }
  void talk(const std::string& url) const {
    const HttpResponse health = http_request({.url = url + "/health"});
    EXPECT_EQ(health.status, 200);
    EXPECT_EQ(health.body, R"({"status":"ok"})");
    const ChatClient client(ChatEndpoint{.base_url = url});
    EXPECT_EQ(client.first_model(), "merged");
    ChatRequest request{.model = "merged", .messages = {{"user", "When is the hip?"}}};
    request.max_tokens = 8;
    request.temperature = 0;
    std::string streamed;
    const ChatResult result =
        client.stream(request, [&](std::string_view piece) { streamed += piece; });
    EXPECT_EQ(result.text, streamed);
    const Json asked = {
        {"messages", {{{"role", "user"}, {"content", request.messages[0].content}}}},
        {"max_tokens", 8},
        {"temperature", 0}};
    const HttpResponse plain = http_request({.method = "POST",
                                             .url = url + "/v1/chat/completions",
                                             .headers = {{"content-type", "application/json"}},
                                             .body = dump_json(asked)});
    EXPECT_EQ(plain.status, 200) << plain.body;
    const Json answer = parse_json(plain.body, "answer");
    EXPECT_EQ(answer["choices"][0]["message"]["content"], streamed);
    EXPECT_EQ(answer["usage"]["completion_tokens"], result.completion_tokens);
  }
  void evaluate(const std::string& url) const {
    const std::vector<std::string> command = {
        "evaluate", "--data",   data(),           "--endpoint",   url,
        "--json",   "--output", at("evaluation"), "--max-tokens", "8"};
    const Json report = run_json(command);
    EXPECT_EQ(report["n"], 12);
    EXPECT_EQ(report["systems"].size(), 5u);
    EXPECT_EQ(report["systems"][0]["system"], "merged");
    EXPECT_EQ(report, read_json(at("evaluation/report.json")));
    const std::string predictions = read_file(at("evaluation/predictions.jsonl"));
    const CommandResult again = run(command);
    EXPECT_THAT(again.err, HasSubstr("12 of 12 predictions were in"));
    EXPECT_EQ(read_file(at("evaluation/predictions.jsonl")), predictions);
    const Json rouge =
        run_json({"rouge", "--predictions", at("evaluation/predictions.jsonl") + ":prediction",
                  "--references", data() + ":summary", "--csv", at("rouge.csv"), "--json"});
    EXPECT_EQ(rouge["rouge1"], report["rouge1"]);
    // The same columns come first.
    std::vector<std::string> rows;
    for_each_line(at("evaluation/scores.csv"),
                  [&](std::string_view line, size_t) { rows.emplace_back(line); });
    for_each_line(at("rouge.csv"), [&](std::string_view line, size_t number) {
      ASSERT_LE(number, rows.size());
      EXPECT_THAT(rows[number - 1], StartsWith(std::string(line) + ','));
    });
    EXPECT_THAT(read_file(at("evaluation/report.html")), HasSubstr("<h2>Faults</h2>"));
  }
  // A model in this process writes what the server writes, whatever is decoded together, and is
  // continued; an adapter counts; so does the template that it was trained with.
  void evaluate_in_process() const {
    const auto command = [&](const std::string& output, std::vector<std::string> more) {
      std::vector<std::string> all = {"evaluate", "--data",   data(),     "--max-tokens",
                                      "8",        "--output", at(output), "--json"};
      all.insert(all.end(), more.begin(), more.end());
      return all;
    };
    const auto texts = [&](const std::string& output) {
      std::map<std::string, std::string> of;
      for (const Json& row : rows_of(at(output) + "/predictions.jsonl")) {
        of[row["id"]] = row["prediction"];
        EXPECT_GT(row["total_ms"].get<double>(), 0);
        EXPECT_GT(row["prompt_tokens"].get<int>(), 100);
        EXPECT_GT(row["completion_tokens"].get<int>(), 0);
      }
      return of;
    };
    const Json report = run_json(command("process", {"--model", at("merged")}));
    EXPECT_EQ(report["systems"][0]["system"], "merged");
    EXPECT_EQ(report["n"], 12);
    EXPECT_EQ(texts("process"), texts("evaluation"));
    const std::string log = at("process") + "/predictions.jsonl", whole = read_file(log);
    write_file_atomic(log, whole.substr(0, whole.size() / 2));  // as a kill leaves it
    const CommandResult again =
        run(command("process", {"--model", at("merged"), "--concurrency", "1"}));
    EXPECT_THAT(again.err, HasSubstr(" of 12 predictions were in"));
    EXPECT_EQ(texts("process"), texts("evaluation"));

    // Drawn, as this model is so sure of its commas that an adapter changes no greedy text.
    run(command("adapted",
                {"--model", at("base"), "--adapter", at("adapter"), "--temperature", "1"}));
    run(command("base_alone", {"--model", at("base"), "--temperature", "1"}));
    EXPECT_NE(texts("adapted"), texts("base_alone"));
    EXPECT_EQ(run_command(command("base_alone", {"--model", at("merged")})).code, 1);

    run(command("seeded", {"--model", at("merged"), "--preset", "original"}));
    EXPECT_NE(texts("seeded"), texts("process"));
    run(command("seeded_again",
                {"--model", at("merged"), "--preset", "original", "--concurrency", "5"}));
    EXPECT_EQ(texts("seeded_again"), texts("seeded"));
  }
  // One chat streams; several go to a file, each as it would alone.
  void summarize_by_model() const {
    const fs::path text = at("generated/success/conversation_sample_0_finetune.txt");
    const CommandResult one =
        run({"summarize", text, "--model", at("merged"), "--max-tokens", "8"});
    EXPECT_THAT(one.err, HasSubstr("prompt tokens, first token after "));
    const CommandResult window =
        run({"summarize", text, "--model", at("merged"), "--max-tokens", "8", "--from",
             "2024-01-01", "--to", "2024-12-31", "--as-of", "2025-01-20", "--json"});
    EXPECT_EQ(parse_json(window.out, "window")["id"], "sample_0");
    run({"summarize", data(), "--model", at("merged"), "--max-tokens", "8", "--key", "recap",
         "--output", at("recaps.jsonl")});
    const std::vector<Json> recaps = rows_of(at("recaps.jsonl"));
    ASSERT_EQ(recaps.size(), 12u);
    std::map<std::string, std::string> predicted;
    for (const Json& row : rows_of(at("process/predictions.jsonl")))
      predicted[row["id"]] = row["prediction"];
    for (const Json& row : recaps) EXPECT_EQ(row["recap"], predicted[row["id"]]) << row["id"];
  }
  // A conversation that the model has no room for fails alone: done in part, and which.
  void evaluate_in_part(const std::string& url) const {
    std::vector<Json> rows = rows_of(data());
    rows.resize(2);
    rows[1]["id"] = "too_long";
    std::string words;
    for (int i = 0; i < 5000; i++) words += "zebra ";
    rows[1]["messages"][0]["content"] = "You: " + words;
    const fs::path path =
        folder_.write("part.jsonl", dump_json(rows[0]) + "\n" + dump_json(rows[1]) + "\n");
    const CommandResult result = run_command({"evaluate", "--data", path, "--endpoint", url,
                                              "--output", at("part"), "--max-tokens", "8"});
    EXPECT_EQ(result.code, 3) << result.err;
    EXPECT_THAT(result.err, HasSubstr("too_long"));
    EXPECT_EQ(rows_of(at("part/predictions.jsonl")).size(), 1u);
    EXPECT_EQ(rows_of(at("part/errors.jsonl"))[0]["id"], "too_long");
  }
  void summarize() const {
    const fs::path text = at("generated/success/conversation_sample_0_finetune.txt");
    const std::string from_text = run({"summarize", text}).out;
    EXPECT_GT(from_text.size(), 50u);
    const Json json = run_json({"summarize", data(), "--json"});
    EXPECT_EQ(json["id"], rows_of(data()).back()["id"]);
  }
  std::string data() const { return at("generated/training_data.jsonl"); }

  TestFolder folder_;
};

TEST_F(Pipeline, FromDialoguesToScores) {
  generate();
  if (HasFailure()) return;
  encode();
  if (HasFailure()) return;
  train();
  if (HasFailure()) return;
  merge();
  summarize();
  RunningCommand server({"serve", "--model", at("merged"), "--port", "0"});
  ASSERT_TRUE(server.wait_for("\n")) << server.err();
  const std::string line = server.out();
  ASSERT_THAT(line, StartsWith("listening on http://127.0.0.1:"));
  const std::string url = line.substr(13, line.find('\n') - 13);
  talk(url);
  evaluate(url);
  evaluate_in_part(url);
  server.send(SIGTERM);
  const CommandResult end = server.wait();
  EXPECT_EQ(end.code, 0) << end.err;
  evaluate_in_process();
  summarize_by_model();
}

// An interrupted training ends in part, keeps its step, and continues to the same end.
TEST_F(Pipeline, TrainingIsInterruptedAndResumed) {
  generate();
  encode();
  if (HasFailure()) return;
  const std::string config = folder_.write("tiny.json", kTinyConfig).string();
  const std::vector<std::string> command = {
      "train",  "--init",     config,     "--tokenizer", kSamples / "tokenizer",
      "--data", at("shards"), "--steps",  "12",          "--packing",
      "off",    "--output",   at("whole")};
  run(command);
  std::vector<std::string> cut = command;
  cut.back() = at("cut");
  RunningCommand training(cut);
  const auto n_steps = [&] {
    return fs::exists(at("cut/log.jsonl")) ? rows_of(at("cut/log.jsonl")).size() : 0;
  };
  for (int i = 0; i < 10'000 && n_steps() < 2; i++)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  training.send(SIGINT);
  const CommandResult stopped = training.wait();
  cut.push_back("--resume");
  if (stopped.code == 3) {
    EXPECT_THAT(stopped.out, HasSubstr("--resume"));
    run(cut);
  } else {  // it was faster than the signal
    EXPECT_EQ(stopped.code, 0) << stopped.err;
  }
  EXPECT_EQ(read_file(at("cut/log.jsonl")), read_file(at("whole/log.jsonl")));
  EXPECT_EQ(read_file(at("cut/model.safetensors")), read_file(at("whole/model.safetensors")));
}

}  // namespace
}  // namespace chatmem
