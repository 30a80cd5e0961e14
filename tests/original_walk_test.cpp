// The road of a user of the original project, whose README they still follow: its folders, its
// .env, its result folder as it was left, and `chatmem generate` without a flag, against the test
// double of the Anthropic API. Then what the machine may do to such a run: a full disk, a folder
// that cannot be written, a pipe that nobody reads, a second process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "anthropic_double.h"
#include "base/json.h"
#include "run_command.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKey = "sk-ant-walk";

std::string row(const std::string& id, const std::string& thing) {
  return id + ",\"#Person1#: Is the " + thing + " ready?\n#Person2#: Yes, the " + thing +
         " is ready since noon.\",#Person2# tells #Person1# that the " + thing + " is ready.," +
         thing + "\n";
}

// As the original wrote them: its own time stamps, no attempt, no raw answer.
constexpr std::string_view kOldSuccess = R"({
  "original_id": "train_1",
  "topic": "boat",
  "original_summary": "#Person2# tells #Person1# that the boat is ready.",
  "transformed_conversations": {
    "today_date": "2024-08-17",
    "personal_summary": "In early February, about six months ago, you asked Ana about the boat.",
    "conversations": [
      {
        "date": "2024-02-05",
        "messages": [
          {
            "timestamp": "2024-02-05 14:30",
            "content": "You: Is the boat ready?"
          },
          {
            "timestamp": "2024-02-05 14:31",
            "content": "Ana: Yes, the boat is ready since noon."
          }
        ]
      }
    ]
  },
  "timestamp": "2024-11-08T11:26:23.059239"
})";
constexpr std::string_view kOldFinetune =
    "[START DATE]\n2024-02-05\n[END DATE]\n2024-02-05\n[CHAT MESSAGES]\n"
    "2024-02-05 14:30 | You: Is the boat ready?\n"
    "2024-02-05 14:31 | Ana: Yes, the boat is ready since noon.\n"
    "[SUMMARY]\nIn early February, about six months ago, you asked Ana about the boat.\n";
constexpr std::string_view kOldError = R"({
  "original_id": "train_2",
  "error": "Error code: 529 - {'type': 'error', 'error': {'type': 'overloaded_error'}}",
  "timestamp": "2024-11-08T13:13:25.088569",
  "original_data": {
    "topic": "kite",
    "summary": "#Person2# tells #Person1# that the kite is ready.",
    "dialogue": "#Person1#: Is the kite ready?\n#Person2#: Yes, the kite is ready since noon."
  }
})";
constexpr std::string_view kOldProgress =
    "{\n  \"processed_ids\": [\n    \"train_1\",\n    \"train_2\"\n  ],\n"
    "  \"last_updated\": \"2024-11-08T12:31:18.235382\"\n}";

class OriginalWalk : public ::testing::Test {
 protected:
  OriginalWalk() : api_({.keys = {kKey}}) {
    std::string csv = "id,dialogue,summary,topic\n";
    const std::vector<std::string> things = {"cake", "boat", "kite", "lamp",
                                             "gate", "desk", "oven"};
    for (size_t i = 0; i < things.size(); i++) csv += row("train_" + std::to_string(i), things[i]);
    folder_.write("chat_memory/data/train.csv", csv);
    write_env("ANTHROPIC_API_KEY=" + std::string(kKey) + "\n");
  }
  void write_env(const std::string& key_line) const {
    folder_.write("chat_memory/preprocessing/.env", key_line +
                                                        "INPUT_CSV=../data/train.csv\n"
                                                        "NUM_ROWS_TO_PROCESS=5  # or all\n"
                                                        "OUTPUT_DIR=transformed_conversations\n");
  }
  void leave_old_results() const {
    const std::string out = "chat_memory/preprocessing/transformed_conversations/";
    folder_.write(out + "progress.json", kOldProgress);
    folder_.write(out + "success/conversation_train_1_original.json", kOldSuccess);
    folder_.write(out + "success/conversation_train_1_finetune.txt", kOldFinetune);
    folder_.write(out + "success/training_data.jsonl", "of more rows\n");
    folder_.write(out + "errors/conversation_train_2_original.json", kOldError);
  }
  fs::path work() const { return folder_.path() / "chat_memory/preprocessing"; }
  fs::path out() const { return work() / "transformed_conversations"; }
  CommandOptions at_work(std::vector<std::string> environment = {}) const {
    CommandOptions options;
    options.environment = std::move(environment);
    options.environment.push_back("ANTHROPIC_BASE_URL=" + api_.base_url());
    options.folder = work().string();
    return options;
  }
  CommandResult generate(std::vector<std::string> environment = {},
                         std::vector<std::string> flags = {}) const {
    flags.insert(flags.begin(), "generate");
    return run_command(flags, at_work(std::move(environment)));
  }
  std::vector<std::string> trained_ids() const {
    std::vector<std::string> ids;
    for_each_json_line(out() / "training_data.jsonl",
                       [&](Json& line, size_t) { ids.push_back(line["id"].get<std::string>()); });
    return ids;
  }

  TestFolder folder_;
  AnthropicDouble api_;
};

TEST_F(OriginalWalk, ItsFolderIsContinuedWithoutAFlag) {
  leave_old_results();
  const CommandResult result = generate();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("input: ../data/train.csv"), HasSubstr("preprocessing/.env")));
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("5 conversations from 5 rows"), HasSubstr("1 row was done before")));
  EXPECT_EQ(result.out, "transformed_conversations/training_data.jsonl\n");
  EXPECT_EQ(api_.summary().bought, 4);  // 0, 3, 4, and 2 again
  EXPECT_EQ(read_file(out() / "success/conversation_train_1_original.json"), kOldSuccess);
  EXPECT_EQ(read_file(out() / "success/conversation_train_1_finetune.txt"), kOldFinetune);
  EXPECT_FALSE(fs::exists(out() / "errors/conversation_train_2_original.json"));
  EXPECT_EQ(trained_ids(),
            (std::vector<std::string>{"train_0", "train_1", "train_2", "train_3", "train_4"}));
  for (const char* file :
       {"all_results.json", "generate.json", "journal.jsonl", "README.md",
        "success/training_data.jsonl", "progress.json",
        "success/conversation_train_2_original.json", "success/conversation_train_2_finetune.txt"})
    EXPECT_TRUE(fs::exists(out() / file)) << file;
  EXPECT_EQ(read_json(out() / "all_results.json").size(), 5u);
  EXPECT_EQ(read_file(out() / "success/training_data_original.jsonl"), "of more rows\n");
}

TEST_F(OriginalWalk, TheSameCommandAgainBuysNothing) {
  ASSERT_EQ(generate().code, 0);
  const std::string before = read_file(out() / "training_data.jsonl");
  const CommandResult again = generate();
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(api_.summary().messages, 5);
  EXPECT_EQ(read_file(out() / "training_data.jsonl"), before);
  // More rows than before, from the real environment, which wins over .env.
  const CommandResult more = generate({"NUM_ROWS_TO_PROCESS=7"});
  EXPECT_EQ(more.code, 0) << more.err;
  EXPECT_EQ(api_.summary().messages, 7);
  EXPECT_EQ(trained_ids().size(), 7u);
}

TEST_F(OriginalWalk, TheRealEnvironmentWinsOverDotenv) {
  const CommandResult result = generate(
      {"OUTPUT_DIR=elsewhere", "NUM_ROWS_TO_PROCESS=1", "ANTHROPIC_API_KEY=" + std::string(kKey)});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(read_json(work() / "elsewhere/all_results.json").size(), 1u);
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(OriginalWalk, TheInputIsFoundFromTheFolderOfDotenv) {
  fs::create_directories(work() / "deeper/still");
  CommandOptions options = at_work();
  options.folder = (work() / "deeper/still").string();
  const CommandResult result = run_command({"generate"}, options);
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("chat_memory/preprocessing/../data/train.csv"));
}

TEST_F(OriginalWalk, AMissingKeyNamesDotenv) {
  write_env("");
  const CommandResult result = generate();
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("ANTHROPIC_API_KEY"), HasSubstr(".env"),
                                HasSubstr("--provider offline")));
  EXPECT_FALSE(fs::exists(out()));
  EXPECT_EQ(api_.summary().requests, 0);
}

TEST_F(OriginalWalk, ARefusedKeyStopsAfterOneRequest) {
  leave_old_results();
  const CommandResult result = generate({"ANTHROPIC_API_KEY=sk-ant-other"});
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("401"));
  EXPECT_EQ(api_.summary().requests, 1);
  EXPECT_THAT(result.err + result.out, Not(HasSubstr("sk-ant-other")));
  EXPECT_EQ(read_file(out() / "success/conversation_train_1_original.json"), kOldSuccess);
  // The same folder with the right key.
  EXPECT_EQ(generate().code, 0);
  EXPECT_EQ(api_.summary().bought, 4);
}

TEST_F(OriginalWalk, AFullDiskStopsItAndNothingIsLost) {
  const fs::path disk = folder_.path() / "disk";
  fs::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "mounting a small disk takes privileges that this process has not";
  const std::vector<std::string> flags = {"--output", (disk / "out").string(), "--concurrency",
                                          "1"};
  EXPECT_EQ(generate({"NUM_ROWS_TO_PROCESS=2"}, flags).code, 0);
  const std::string before = read_file(disk / "out/training_data.jsonl");
  const uintmax_t room = fs::space(disk).available;
  // Room for a few more answers, not for five.
  EXPECT_GT(room, 30'000u);
  { std::ofstream(disk / "ballast") << std::string(size_t(room) - 28'000, 'x'); }
  const CommandResult full = generate({}, flags);
  const int64_t bought = api_.summary().bought;
  const std::string after = read_file(disk / "out/training_data.jsonl");
  fs::remove(disk / "ballast");
  const CommandResult again = generate({}, flags);
  const size_t results = read_json(disk / "out/all_results.json").size();
  EXPECT_EQ(::umount(disk.c_str()), 0);
  EXPECT_EQ(full.code, 1) << full.err;
  EXPECT_THAT(full.err, AllOf(HasSubstr("No space left"), HasSubstr("free some disk space")));
  EXPECT_EQ(after, before);
  EXPECT_LE(bought, 5);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(results, 5u);
  // One answer at most had come when there was no room for it.
  EXPECT_LE(api_.summary().bought_again, 1);
}

TEST_F(OriginalWalk, AFolderThatCannotBeWrittenIsNamedBeforeAnythingIsBought) {
  folder_.write("chat_memory/preprocessing/transformed_conversations", "a file");
  const CommandResult result = generate();
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("error: "), HasSubstr("transformed_conversations")));
  EXPECT_EQ(api_.summary().requests, 0);
  // What cannot be written for anybody, root included.
  const CommandResult none = generate({"OUTPUT_DIR=/proc/none"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("/proc/none"));
  EXPECT_EQ(api_.summary().requests, 0);
}

TEST_F(OriginalWalk, AReadOnlyDiskIsNamedAndKept) {
  const fs::path disk = folder_.path() / "disk";
  fs::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "mounting a disk takes privileges that this process has not";
  const std::vector<std::string> flags = {"--output", (disk / "out").string()};
  EXPECT_EQ(generate({"NUM_ROWS_TO_PROCESS=2"}, flags).code, 0);
  const std::string journal = read_file(disk / "out/journal.jsonl");
  EXPECT_EQ(::mount("none", disk.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const CommandResult result = generate({}, flags);
  EXPECT_EQ(read_file(disk / "out/journal.jsonl"), journal);
  EXPECT_EQ(::umount(disk.c_str()), 0);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("Read-only"), HasSubstr("disk/out")));
  EXPECT_EQ(api_.summary().messages, 2);
}

// The results are there all the same.
TEST_F(OriginalWalk, AnOutputThatNobodyTakesCostsNothing) {
  for (const Stdout where : {Stdout::closed_pipe, Stdout::full}) {
    CommandOptions options = at_work();
    options.standard_output = where;
    const CommandResult result = run_command({"generate"}, options);
    EXPECT_EQ(result.code, 1) << result.err;
    if (where == Stdout::full) {
      EXPECT_THAT(result.err, HasSubstr("cannot write to standard output"));
    }
    EXPECT_EQ(trained_ids().size(), 5u);
  }
  EXPECT_EQ(generate().code, 0);
  EXPECT_EQ(api_.summary().messages, 5);
}

TEST_F(OriginalWalk, ASecondProcessIsRefusedWithTheNumberOfTheFirst) {
  api_.set_script({{"latency_ms", 3000}});
  RunningCommand first({"generate"}, at_work());
  const auto begin = std::chrono::steady_clock::now();
  while (api_.summary().requests == 0 &&
         std::chrono::steady_clock::now() - begin < std::chrono::seconds(60))
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_EQ(api_.summary().requests, 1);
  const CommandResult second = generate();
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr(std::to_string(first.pid())));
  EXPECT_EQ(api_.summary().requests, 1);
  api_.set_script(Json::object());
  EXPECT_EQ(first.wait().code, 0);
  EXPECT_EQ(api_.summary().bought, 5);
}

}  // namespace
}  // namespace chatmem
