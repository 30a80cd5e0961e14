// The program's manners: help, usage errors, bad input and full disks, as a user meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <regex>

#include "base/json.h"
#include "files_of.h"
#include "format/safetensors.h"
#include "run_command.h"
#include "test_folder.h"
#include "tiny_model.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const fs::path kSource = CHATMEM_SOURCE_DIR;
const std::string kTokenizer = kSource / "samples/tokenizer";
const std::vector<std::string> kVerbs = {"generate", "encode",    "train",    "export",
                                         "serve",    "summarize", "evaluate", "rouge",
                                         "tokenize", "score",     "inspect"};

class Cli : public ::testing::Test {
 protected:
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  std::string conversations(int n = 2) const {
    std::string lines;
    for (int i = 0; i < n; i++) {
      const Json row = {{"id", "chat_" + std::to_string(i)},
                        {"messages",
                         {{{"timestamp", "2024-03-04 18:42"}, {"content", "Hanna: I have a room."}},
                          {{"timestamp", "2024-03-07 12:15"}, {"content", "You: In Leeds?"}}}},
                        {"summary", "Hanna found a room in Leeds."},
                        {"prediction", "Hanna has a room."}};
      lines += dump_json(row) + "\n";
    }
    return folder_.write("chats.jsonl", lines).string();
  }
  // A copy of a golden model, whose vocabulary of 101 no tokenizer here has.
  std::string model() const {
    fs::create_directories(at("model"));
    for (const char* name : {"config.json", "model.safetensors"})
      fs::copy_file(kSource / "tests/golden/tied" / name, at("model") + "/" + name,
                    fs::copy_options::overwrite_existing);
    return at("model");
  }
  std::string config() const { return folder_.write("tiny.json", kTinyConfig).string(); }
  std::string tokens() const { return folder_.write("tokens.json", "[1, 5, 7]\n").string(); }

  // Fails with this exit code, one "error: " line, and all of the words in it.
  static void expect_error(const CommandResult& result, int code,
                           const std::vector<std::string>& words) {
    EXPECT_EQ(result.code, code) << result.err;
    const size_t begin = result.err.rfind("error: ");
    ASSERT_NE(begin, std::string::npos) << result.err;
    for (const std::string& word : words)
      EXPECT_THAT(result.err.substr(begin), HasSubstr(word)) << result.err;
  }

  TestFolder folder_;
};

TEST_F(Cli, ProgramHelpListsEachVerbOnALine) {
  const CommandResult help = run_command({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out, StartsWith("chatmem gives chats a memory"));
  EXPECT_THAT(help.out, HasSubstr("\n\nexample: chatmem summarize"));
  const size_t list = help.out.find("\nSubcommands:\n");
  ASSERT_NE(list, std::string::npos) << help.out;
  EXPECT_EQ(help.out.find("example:", list), std::string::npos);
  size_t last = list;
  for (const std::string& verb : kVerbs) {
    const size_t place = help.out.find("\n  " + verb + " ", last);
    ASSERT_NE(place, std::string::npos) << verb << " is missing or out of order\n" << help.out;
    last = place;
  }
}

TEST_F(Cli, HelpOfEachVerbOpensWithDescriptionAndExample) {
  for (const std::string& verb : kVerbs) {
    const CommandResult help = run_command({verb, "--help"});
    EXPECT_EQ(help.code, 0) << verb;
    EXPECT_EQ(help.err, "");
    const std::regex opening("^[a-z][^\n]*[^.\n]\n\nexample: [^\n]*chatmem " + verb + " [^\n]*\n");
    EXPECT_TRUE(std::regex_search(help.out, opening, std::regex_constants::match_continuous))
        << help.out;
  }
}

TEST_F(Cli, VersionIsThatOfTheProject) {
  EXPECT_TRUE(std::regex_match(run_command({"--version"}).out,
                               std::regex("chatmem [0-9]+\\.[0-9]+\\.[0-9]+\n")));
}

TEST_F(Cli, MistakesOfUsageAreExplained) {
  expect_error(run_command({}), 2, {"a verb must be given", "hint: chatmem --help"});
  expect_error(run_command({"trian"}), 2, {"no verb 'trian'", "did you mean train?"});
  expect_error(run_command({"frobnicate"}), 2, {"no verb 'frobnicate'", "hint: chatmem --help"});
  expect_error(run_command({"--verion"}), 2, {"no flag '--verion'"});
  expect_error(run_command({"serve", "--modle", "x"}), 2,
               {"serve has no flag --modle", "did you mean --model?", "chatmem serve --help"});
  expect_error(run_command({"serve", "--modle=x"}), 2, {"serve has no flag --modle", "--model?"});
  expect_error(run_command({"rouge", "a.jsonl"}), 2, {"rouge takes no argument 'a.jsonl'"});
  expect_error(run_command({"serve"}), 2, {"--model is required", "chatmem serve --help"});
  expect_error(run_command({"serve", "--model", "x", "--port", "high"}), 2, {"--port", "high"});
  expect_error(run_command({"serve", "--model", "x", "--adapter", "=y"}), 2, {"NAME=PATH", "'=y'"});
  expect_error(run_command({"serve", "--model", "x", "--adapter", "a=y", "--adapter", "a=z"}), 2,
               {"'a' is there twice", "--adapter NAME=PATH"});
  expect_error(run_command({"serve", "--model", "x", "--cors-origin", "app.example"}), 1,
               {"--cors-origin", "'app.example'", "http://localhost:3000"});
  expect_error(run_command({"score", "--model", "x"}), 2, {"--text", "--tokens"});
  expect_error(run_command({"train", "--data", "x", "--output", "y"}), 2, {"--model", "--init"});
  expect_error(run_command({"evaluate", "--data", "x"}), 2, {"--endpoint", "--predictions"});
  expect_error(run_command({"rouge", "--predictions", "a.jsonl", "--references", "b:c"}), 2,
               {"FILE.jsonl:key"});
  expect_error(
      run_command({"rouge", "--predictions", "a:p", "--references", "a:r", "--references", "a:s"}),
      2, {"2 references need a rule", "--combine mean"});
}

TEST_F(Cli, BrokenLineIsNamedByFileAndLine) {
  const std::string good = read_file(conversations(1));
  const std::string path =
      folder_.write("broken.jsonl", good + "{\"id\": \"x\", \"mess\n").string();
  const std::vector<std::vector<std::string>> commands = {
      {"encode", "--data", path, "--tokenizer", kTokenizer, "--output", at("out")},
      {"train", "--init", config(), "--tokenizer", kTokenizer, "--data", path, "--output",
       at("out")},
      {"evaluate", "--data", path, "--predictions", path + ":summary", "--output", at("out")},
      {"summarize", path},
      {"rouge", "--predictions", path + ":summary", "--references", path + ":summary"}};
  for (const auto& command : commands)
    expect_error(run_command(command), 1, {"broken.jsonl", "line 2", "not valid JSON"});
  EXPECT_FALSE(fs::exists(at("out")));
}

TEST_F(Cli, DamagedModelIsRefusedByTensor) {
  const std::string folder = model(), weights = folder + "/model.safetensors";
  const auto scored = [&] {
    return run_command({"score", "--model", folder, "--tokens", tokens(), "--json"});
  };
  const auto served = [&] { return run_command({"serve", "--model", folder, "--port", "0"}); };
  EXPECT_EQ(scored().code, 0);
  const auto rewrite = [&](const std::function<void(std::map<std::string, TensorInfo>&)>& change) {
    model();
    const SafetensorsFile file(weights);
    std::map<std::string, TensorInfo> tensors = file.tensors();
    change(tensors);
    write_safetensors(weights, tensors);
  };
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  rewrite([&](auto& tensors) { tensors.erase(name); });
  for (const CommandResult& result : {scored(), served()})
    expect_error(result, 1, {name, "missing", folder});
  rewrite([&](auto& tensors) { std::swap(tensors[name].shape[0], tensors[name].shape[1]); });
  for (const CommandResult& result : {scored(), served()})
    expect_error(result, 1, {name, "must have shape (56, 32), has (32, 56)"});
  model();
  fs::resize_file(weights, fs::file_size(weights) - 4);
  for (const CommandResult& result : {scored(), served()})
    expect_error(result, 1, {"model.safetensors", "hint: "});
  fs::remove(weights);
  expect_error(scored(), 1, {folder, "model.safetensors"});
  expect_error(run_command({"score", "--model", at("none"), "--tokens", tokens()}), 1,
               {"none", "config.json"});
}

TEST_F(Cli, TokenizerMustFitTheModel) {
  const std::string folder = model(), text = folder_.write("text.txt", "a room").string();
  const std::vector<std::vector<std::string>> commands = {
      {"train", "--model", folder, "--tokenizer", kTokenizer, "--data", conversations(), "--output",
       at("out")},
      {"serve", "--model", folder, "--tokenizer", kTokenizer, "--port", "0"},
      {"score", "--model", folder, "--tokenizer", kTokenizer, "--text", text}};
  for (const auto& command : commands)
    expect_error(run_command(command), 1,
                 {"tokenizer must fit the model", "4096", "vocabulary is 101", "hint: "});
  expect_error(run_command({"score", "--model", folder, "--text", text}), 1, {"tokenizer"});
}

// What is wrong with the data is said before the first step, and nothing is written.
TEST_F(Cli, TrainRefusesDataThatWouldTeachNonsense) {
  const auto train = [&](const std::string& records, std::vector<std::string> more = {}) {
    const std::string data = folder_.write("records.jsonl", records).string();
    std::vector<std::string> command = {"train",  "--init", config(),   "--tokenizer", kTokenizer,
                                        "--data", data,     "--output", at("refused")};
    command.insert(command.end(), more.begin(), more.end());
    return run_command(command);
  };
  const std::string chat = R"({"id":"good","messages":[{"role":"user","content":"a"},)"
                           R"({"role":"assistant","content":"b"}]})"
                           "\n";
  expect_error(train(chat + R"({"id":"bad","messages":[{"role":"user","content":"a"}]})"), 1,
               {"'bad'", "assistant"});
  expect_error(train(chat + R"({"prompt":"a","completion":"b"})"), 1, {"line 2", "completions"});
  expect_error(train(R"({"id":"masked","input_ids":[5,6],"labels":[-100,-100]})"), 1,
               {"'masked'", "target"});
  expect_error(train(R"({"id":"endless","input_ids":[5,6],"labels":[-100,6]})"), 1,
               {"endless", "never stops"});
  expect_error(train(chat, {"--max-tokens", "20"}), 1, {"good (", "1 have more"});
  expect_error(train(chat, {"--patience", "2"}), 2, {"--eval-every"});
  expect_error(train(chat, {"--patience", "2", "--eval-every", "1"}), 2, {"validation data"});
  EXPECT_FALSE(fs::exists(at("refused")));
}

TEST_F(Cli, TrainTakesSettingsFromAFileAndAPreset) {
  const std::string toml =
      folder_
          .write("run.toml", "lr = 0.01\nschedule = \"wsd\"\n[train]\nsteps = 3\nval-share = 0\n")
          .string();
  const std::vector<std::string> command = {"train",         "--init",   config(),
                                            "--tokenizer",   kTokenizer, "--data",
                                            conversations(), "--config", toml};
  std::vector<std::string> dry = command;
  dry.insert(dry.end(), {"--dry-run", "--preset", "original", "--method", "full"});
  const CommandResult plan = run_command(dry);
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("3 steps of 32 rows"));
  EXPECT_THAT(plan.out, HasSubstr("tokens/s"));
  for (const char* said : {"--template seed", "--lora-rank 32", "0 of 2 examples are cut at 1024"})
    EXPECT_THAT(plan.err, HasSubstr(said));
  EXPECT_THAT(plan.err, Not(HasSubstr("--lr 5e-5")));  // the file's wins
  std::vector<std::string> run = command;
  run.insert(run.end(), {"--output", at("run"), "--warmup-share", "0"});
  const CommandResult result = run_command(run);
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(read_file(at("run/log.csv")), HasSubstr("\n3,"));
  EXPECT_THAT(read_file(at("run/log.csv")), HasSubstr(",0.01,"));
  EXPECT_TRUE(fs::exists(at("run/events.out.tfevents.chatmem")));
  expect_error(run_command({"train", "--data", "x", "--init", "y"}), 2, {"--output is required"});
}

// The truncation of the original's recipe is said aloud.
TEST_F(Cli, ThePresetNamesWhatItCuts) {
  Json row = parse_json(read_file(conversations(1)), "row");
  row["id"] = "long one";
  row["messages"][0]["content"] = "Hanna: " + std::string(9000, '?');
  const std::string data = folder_.write("long.jsonl", dump_json(row) + "\n").string();
  const CommandResult result =
      run_command({"train", "--init", config(), "--tokenizer", kTokenizer, "--data", data,
                   "--preset", "original", "--method", "full", "--dry-run"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("1 of 1 examples are cut at 1024 tokens: long one"));
  EXPECT_THAT(result.err, HasSubstr("1 lost the whole summary: long one"));
}

TEST_F(Cli, PortInUseIsNamed) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string port = std::to_string(ntohs(address.sin_port));
  expect_error(run_command({"serve", "--model", model(), "--port", port}), 1,
               {"port " + port, "in use", "hint: choose another with --port"});
  ::close(listener);
}

// What each verb that writes would write, given its --output.
std::vector<std::vector<std::string>> writing_commands(const std::string& data,
                                                       const std::string& model,
                                                       const std::string& config) {
  return {{"encode", "--data", data, "--tokenizer", kTokenizer, "--output"},
          {"train", "--init", config, "--tokenizer", kTokenizer, "--data", data, "--steps", "1",
           "--output"},
          {"export", "--model", model, "--output"},
          {"evaluate", "--data", data, "--predictions", data + ":prediction", "--output"}};
}

TEST_F(Cli, OutputBelowAFileIsRefused) {
  const std::string file = folder_.write("file", "mine\n").string();
  for (std::vector<std::string> command : writing_commands(conversations(), model(), config())) {
    command.push_back(file + "/out");
    expect_error(run_command(command), 1, {"file/out", "Not a directory"});
  }
  EXPECT_EQ(read_file(file), "mine\n");
}

// No file may pass 4 KiB, as on a disk that is nearly full: the verb says so, and what an earlier
// run left is as it was.
TEST_F(Cli, FullOutputLeavesWhatWasThere) {
  const std::string data = conversations(300);
  for (std::vector<std::string> command : writing_commands(data, model(), config())) {
    const std::string output = at("out_" + command[0]);
    command.push_back(output);
    ASSERT_EQ(run_command(command).code, 0) << command[0];
    fs::remove_all(fs::path(output) / "checkpoints");  // without which train begins anew
    const auto before = files_of(output);
    // Other content for the second run, so that a file that were replaced would differ.
    if (command[0] == "encode" || command[0] == "evaluate") command[2] = conversations(299);
    if (command[0] == "evaluate") command[4] = data + ":summary";
    if (command[0] == "export") command.insert(command.end(), {"--dtype", "bf16"});
    if (command[0] == "train") command.insert(command.end(), {"--seed", "2"});
    const CommandResult result = run_command(command, {.max_file_bytes = 4096});
    expect_error(result, 1, {output, "File too large"});
    auto after = files_of(output);
    for (const auto& [path, bytes] : before)
      // A new training begins its logs at once.
      if (path.find("/log.") == path.npos && path.find("/events.") == path.npos) {
        EXPECT_TRUE(after[path] == bytes) << path;
      }
    for (const auto& [path, bytes] : after)
      EXPECT_TRUE(before.contains(path)) << path << " was left behind";
  }
}

TEST_F(Cli, JsonIsTheLastLine) {
  const std::string data = conversations();
  const std::vector<std::vector<std::string>> commands = {
      {"rouge", "--predictions", data + ":prediction", "--references", data + ":summary", "--json"},
      {"evaluate", "--data", data, "--predictions", data + ":prediction", "--output", at("out"),
       "--json"},
      {"summarize", data, "--json"},
      {"score", "--model", model(), "--tokens", tokens(), "--json"}};
  for (const auto& command : commands) {
    const CommandResult result = run_command(command);
    ASSERT_EQ(result.code, 0) << result.err;
    ASSERT_EQ(result.out.back(), '\n');
    const size_t before = result.out.rfind('\n', result.out.size() - 2);
    const std::string last = result.out.substr(before == std::string::npos ? 0 : before + 1);
    EXPECT_TRUE(parse_json(last, command[0]).is_object());
  }
}

TEST_F(Cli, StandardOutputThatCannotBeWritten) {
  const std::string data = conversations();
  const std::vector<std::vector<std::string>> commands = {
      {"rouge", "--predictions", data + ":prediction", "--references", data + ":summary"},
      {"summarize", data},
      {"tokenize", "--tokenizer", kTokenizer},
      {"encode", "--data", data, "--tokenizer", kTokenizer, "--output", at("out")}};
  for (const auto& command : commands) {
    EXPECT_EQ(run_command(command, {.standard_output = Stdout::closed_pipe}).code, 1) << command[0];
    const CommandResult full = run_command(command, {.standard_output = Stdout::full});
    expect_error(full, 1, {"standard output"});
  }
}

// As OpenMP tells of itself: once as the program was begun, once as it begins itself anew.
TEST_F(Cli, ThreadsWaitShortlyUnlessTheEnvironmentSaysHow) {
  const auto waits = [](std::vector<std::string> environment) {
    environment.push_back("OMP_DISPLAY_ENV=verbose");
    return run_command({"--version"}, {.environment = std::move(environment)}).err;
  };
  EXPECT_THAT(waits({}), HasSubstr("GOMP_SPINCOUNT = '1000'"));
  EXPECT_THAT(waits({"GOMP_SPINCOUNT=77"}), AllOf(HasSubstr("GOMP_SPINCOUNT = '77'"),
                                                  Not(HasSubstr("GOMP_SPINCOUNT = '1000'"))));
  EXPECT_THAT(waits({"OMP_WAIT_POLICY=active"}), Not(HasSubstr("GOMP_SPINCOUNT = '1000'")));
}

}  // namespace
}  // namespace chatmem
