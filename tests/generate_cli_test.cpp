// chatmem generate as a user runs it: flags, environment, exit codes, and what bad input leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <map>

#include "base/json.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kHeader = "id,dialogue,summary,topic\n";
const std::string kRows =
    "a1,\"#Person1#: Hi, Sarah. Is the garden gate mended?\n#Person2#: Yes, I mended the gate "
    "with new hinges.\",#Person1# asks Sarah about the garden gate.,garden\n"
    "b2,\"#Person1#: The tomatoes are ripe.\n#Person2#: Then let us have a salad.\","
    "#Person1# tells #Person2# the tomatoes are ripe.,vegetables\n"
    "c3,\"#Person1#: Shall we paint the fence?\n#Person2#: In green, please.\",#Person1# and "
    "#Person2# talk about paint.,fence\n";

struct Result {
  int code;
  std::string out, err;
};

class GenerateCliTest : public ::testing::Test {
 protected:
  // By the offline provider, unless the arguments name one. before: what precedes the program in
  // the shell, such as variables.
  Result run(std::string arguments, const std::string& before = "") const {
    if (arguments.find("--provider") == arguments.npos) arguments += " --provider offline";
    const fs::path out = folder_.path() / "stdout", err = folder_.path() / "stderr";
    const std::string command =
        "cd '" + folder_.path().string() +
        "' && unset INPUT_CSV NUM_ROWS_TO_PROCESS OUTPUT_DIR ANTHROPIC_API_KEY; " + before + " " +
        CHATMEM_BINARY + " generate " + arguments + " >" + out.string() + " 2>" + err.string();
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out), read_file(err)};
  }
  std::map<std::string, std::string> files(const fs::path& root) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(root))
      // The card holds the command line, which names the folder; the lock the process.
      if (entry.is_regular_file() && entry.path().filename() != "README.md" &&
          entry.path().filename() != ".lock")
        all[fs::relative(entry.path(), root).string()] = read_file(entry.path());
    return all;
  }
  // A run that must fail by this input, name what is in `says`, and leave the folder as it was.
  void refused(std::string_view csv, const std::vector<std::string>& says) const {
    folder_.write("good.csv", kHeader + kRows);
    ASSERT_EQ(run("--input good.csv --rows all --output kept").code, 0);
    const auto before = files(folder_.path() / "kept");
    folder_.write("bad.csv", csv);
    const Result result = run("--input bad.csv --rows all --output kept");
    EXPECT_EQ(result.code, 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("error: "));
    for (const std::string& words : says) EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_TRUE(files(folder_.path() / "kept") == before);
  }
  TestFolder folder_;
};

TEST_F(GenerateCliTest, FlagsAndWhatItPrints) {
  folder_.write("in.csv", kHeader + kRows);
  const Result result = run("--provider offline --input in.csv --rows all --output out --seed 3");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "out/training_data.jsonl\n");
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("3 conversations from 3 rows"), HasSubstr("next: chatmem encode")));
  EXPECT_EQ(run("--input in.csv --rows all --output same --seed 3 --threads 1").code, 0);
  EXPECT_TRUE(files(folder_.path() / "out") == files(folder_.path() / "same"));
  EXPECT_EQ(run("--input in.csv --rows all --output other --seed 3 --year 2021").code, 0);
  const Json all = read_json(folder_.path() / "other/all_results.json");
  const std::string day = all[0]["transformed_conversations"]["today_date"];
  EXPECT_TRUE(day.starts_with("2021-")) << day;
}

TEST_F(GenerateCliTest, EnvironmentAndItsPlaceBelowFlags) {
  folder_.write("in.csv", kHeader + kRows);
  EXPECT_EQ(run("", "INPUT_CSV=in.csv NUM_ROWS_TO_PROCESS=1 OUTPUT_DIR=env").code, 0);
  EXPECT_EQ(read_json(folder_.path() / "env/all_results.json").size(), 1u);
  EXPECT_EQ(run("--rows 3", "INPUT_CSV=in.csv NUM_ROWS_TO_PROCESS=1 OUTPUT_DIR=env").code, 0);
  EXPECT_EQ(read_json(folder_.path() / "env/all_results.json").size(), 3u);
  // Unset: two rows into transformed_conversations, as the original did.
  EXPECT_EQ(run("", "INPUT_CSV=in.csv").code, 0);
  EXPECT_EQ(read_json(folder_.path() / "transformed_conversations/all_results.json").size(), 2u);
  EXPECT_EQ(run("", "INPUT_CSV=in.csv NUM_ROWS_TO_PROCESS=few").code, 2);
  const Result none = run("");
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, AllOf(HasSubstr("input"), HasSubstr("INPUT_CSV")));
}

// Flags over the environment over .env over TOML.
TEST_F(GenerateCliTest, DotenvAndToml) {
  folder_.write("data/in.csv", kHeader + kRows);
  folder_.write(".env", "INPUT_CSV=data/in.csv\nNUM_ROWS_TO_PROCESS=1\n");
  folder_.write("sub/run.toml", "rows = \"3\"\nseed = 7\noutput = \"toml\"\n");
  const Result below = run("", "cd sub &&");  // the .env's folder is one above
  EXPECT_EQ(below.code, 0) << below.err;
  EXPECT_THAT(below.err, AllOf(HasSubstr("data/in.csv"), HasSubstr("1 conversation from 1 row ")));
  const Result toml = run("--config run.toml", "cd sub && unset X; NUM_ROWS_TO_PROCESS=2");
  EXPECT_EQ(toml.code, 0) << toml.err;
  EXPECT_THAT(toml.err, HasSubstr("2 conversations"));
  EXPECT_EQ(read_json(folder_.path() / "sub/toml/generate.json")["seed"], 7);
  EXPECT_EQ(run("--config run.toml --rows 3 --output flag", "cd sub &&").code, 0);
  EXPECT_EQ(read_json(folder_.path() / "sub/flag/all_results.json").size(), 3u);
  folder_.write("sub/bad.toml", "rowz = 3\n");
  const Result bad = run("--config bad.toml", "cd sub &&");
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.err, AllOf(HasSubstr("rowz"), HasSubstr("bad.toml")));
}

TEST_F(GenerateCliTest, RowsMustBeANumberFromOne) {
  folder_.write("in.csv", kHeader + kRows);
  for (const char* rows : {"0", "-3", "many", "2x", "1.5", "99999999999999999999"}) {
    const Result result = run(std::string("--input in.csv --output none --rows=") + rows);
    EXPECT_EQ(result.code, 2) << rows;
    EXPECT_THAT(result.err, AllOf(HasSubstr("number of rows"), HasSubstr(rows), HasSubstr("hint")));
  }
  EXPECT_FALSE(fs::exists(folder_.path() / "none"));
  const Result beyond = run("--input in.csv --output out --rows 12");
  EXPECT_EQ(beyond.code, 0) << beyond.err;
  EXPECT_THAT(beyond.err, HasSubstr("12 rows were asked for, the file has 3"));
}

TEST_F(GenerateCliTest, ExitCodesAndHelp) {
  folder_.write("in.csv", kHeader + kRows);
  EXPECT_EQ(run("--input missing.csv").code, 1);
  EXPECT_EQ(run("--no-such-flag").code, 2);
  EXPECT_EQ(run("--provider magic --input x").code, 2);
  const Result no_key = run("--provider anthropic --input in.csv --output none");
  EXPECT_EQ(no_key.code, 1);
  EXPECT_THAT(no_key.err, AllOf(HasSubstr("ANTHROPIC_API_KEY"), HasSubstr("--provider offline")));
  EXPECT_FALSE(fs::exists(folder_.path() / "none"));
  folder_.write("in.csv", kHeader + kRows + "e5,,nothing said,none\n");
  const Result partial = run("--input in.csv --rows all --output out");
  EXPECT_EQ(partial.code, 3);
  EXPECT_THAT(partial.err, AllOf(HasSubstr("1 row could not be used (e5)"), HasSubstr("errors")));
  const Result help = run("--help");
  EXPECT_EQ(help.code, 0);
  for (const char* words : {"example: chatmem generate", "--rows", "INPUT_CSV", "OUTPUT_DIR",
                            "NUM_ROWS_TO_PROCESS", "--skip-duplicates"})
    EXPECT_THAT(help.out, HasSubstr(words));
}

// Each names what is wrong and what to do, and leaves no folder behind.
TEST_F(GenerateCliTest, WrongSettingsAreNamedBeforeAnythingIsDone) {
  folder_.write("in.csv", kHeader + kRows);
  const struct {
    const char *arguments, *before;
    int code;
    std::vector<std::string> says;
  } cases[] = {
      {"--provider anthropic --model no-such",
       "ANTHROPIC_API_KEY=x",
       1,
       {"price of 'no-such'", "--price IN,OUT", "claude-haiku-5-5"}},
      {"--provider openai --endpoint http://127.0.0.1:9/v1 --model m --budget 1",
       "",
       1,
       {"price of 'm'", "--price IN,OUT"}},
      {"--provider openai --endpoint http://127.0.0.1:9/v1 --model m --batch",
       "",
       2,
       {"--batch", "anthropic"}},
      {"--provider openai", "unset OPENAI_BASE_URL;", 2, {"--endpoint http://127.0.0.1:8080/v1"}},
      {"--split 0.5,0.5", "", 2, {"0.5,0.5", "validation", "test"}},
      {"--split half", "", 2, {"half", "validation"}},
      {"--budget=-1", "", 2, {"--budget: must be a number from 0 on, is '-1'"}},
      {"--budget ten", "", 2, {"--budget: must be a number from 0 on, is 'ten'"}},
      {"--price 1", "", 2, {"--price 0.10,0.50"}},
      {"--config absent.toml", "", 1, {"absent.toml"}},
      {"--provider", "", 2, {"--provider"}},
  };
  for (const auto& [arguments, before, code, says] : cases) {
    const Result result = run(std::string("--input in.csv --output none ") + arguments, before);
    EXPECT_EQ(result.code, code) << arguments << result.err;
    EXPECT_THAT(result.err, HasSubstr("error: ")) << arguments;
    for (const std::string& words : says) EXPECT_THAT(result.err, HasSubstr(words)) << arguments;
    EXPECT_FALSE(fs::exists(folder_.path() / "none")) << arguments;
  }
}

TEST_F(GenerateCliTest, BrokenSettingFilesAreNamedWithTheirLine) {
  folder_.write("in.csv", kHeader + kRows);
  for (const char* toml : {"rows = \n", "rows = \"3\nseed = 1\n", "[generate\nrows = 3\n"}) {
    folder_.write("bad.toml", std::string("# a comment\n") + toml);
    const Result result = run("--input in.csv --output none --config bad.toml");
    EXPECT_EQ(result.code, 2) << toml << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr("bad.toml"), HasSubstr("line 2"))) << toml;
  }
  folder_.write(".env", "INPUT_CSV=in.csv\nANTHROPIC_API_KEY=\"sk-secret\n");
  const Result dotenv = run("--output none");
  EXPECT_EQ(dotenv.code, 1);
  EXPECT_THAT(dotenv.err,
              AllOf(HasSubstr(".env', line 2"), HasSubstr("hint: "), Not(HasSubstr("sk-secret"))));
  EXPECT_FALSE(fs::exists(folder_.path() / "none"));
}

TEST_F(GenerateCliTest, FoldersAreLookedAt) {
  folder_.write("in.csv", kHeader + kRows + "e5,,nothing said,none\n");
  ASSERT_EQ(run("--input in.csv --rows all --output out").code, 3);
  const Result stats = run("--stats out");
  EXPECT_EQ(stats.code, 0) << stats.err;
  EXPECT_THAT(stats.out, AllOf(HasSubstr("3 rows"), HasSubstr("1 error")));
  EXPECT_EQ(parse_json(run("--stats out --json").out, "stats")["rows"], 3);
  // The card counts the same.
  EXPECT_THAT(read_file(folder_.path() / "out/README.md"), HasSubstr("1 rows failed"));
  const Result view = run("--view out/");
  EXPECT_EQ(view.out, "out/viewer.html\n");
  EXPECT_THAT(read_file(folder_.path() / "out/viewer.html"), HasSubstr("{\"name\":\"out\""));
  const Result none = run("--stats nowhere");
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, AllOf(HasSubstr("'nowhere'"), HasSubstr("--output folder")));
}

TEST_F(GenerateCliTest, HelpShowsEveryDefault) {
  const std::string help = run("--help").out;
  for (const char* words :
       {"=transformed_conversations", "N|all=2", "=anthropic", "=2024", "=claude-haiku-5-5",
        "=json", "=16000", "default: no limit", "]=16", "=600000", "--config FILE"})
    EXPECT_THAT(help, HasSubstr(words));
}

TEST_F(GenerateCliTest, DuplicatesAreReportedOrLeftOut) {
  folder_.write("in.csv",
                kHeader + kRows +
                    "d4,\"#Person1#: The tomatoes are ripe!\n#Person2#: Then let us have a "
                    "salad.\",s,t\n");
  const Result result = run("--input in.csv --rows all --output out");
  EXPECT_THAT(result.err, HasSubstr("duplicates: 1 dialogue stands in an earlier row too (d4)"));
  const Result skipped = run("--input in.csv --rows all --output less --skip-duplicates");
  EXPECT_THAT(skipped.err, AllOf(HasSubstr("left out"), HasSubstr("3 conversations")));
}

TEST_F(GenerateCliTest, BrokenFilesAreNamedWithTheirLine) {
  refused("id,dialogue,summary\na,b,c\n", {"topic", "bad.csv"});
  refused("", {"bad.csv", "empty"});
  refused(kHeader, {"must have a row"});
  refused(kHeader + kRows + "d,\"open,y,z\n", {"bad.csv", "line 8", "quotes must be closed"});
  refused(kHeader + kRows + std::string("d,x\0,y,z\n", 9), {"NUL", "line 8"});
  refused(kHeader + kRows + "d,\xFF\xFE,y,z\n", {"UTF-8", "line 8", "iconv"});
  refused(kHeader + kRows + "d,x,y\n", {"4 fields", "found 3", "line 8"});
  refused(kHeader + kRows + "b2,x,y,z\n", {"'b2' stands twice", "lines 4 and 8"});
}

TEST_F(GenerateCliTest, ByteOrderMarkLineEndsAndColumnOrderDoNotMatter) {
  folder_.write("a.csv", kHeader + "i,\"#Person1#: Hi there.\n#Person2#: Hello you.\",s,t\n");
  folder_.write("b.csv",
                "\xEF\xBB\xBFtopic,more,summary,id,dialogue\r\n"
                "t,x,s,i,\"#Person1#: Hi there.\r\n#Person2#: Hello you.\"\r\n");
  EXPECT_EQ(run("--input a.csv --output a").code, 0);
  EXPECT_EQ(run("--input b.csv --output b").code, 0);
  EXPECT_TRUE(files(folder_.path() / "a") == files(folder_.path() / "b"));
}

TEST_F(GenerateCliTest, HugeFieldFailsSoonInLittleMemory) {
  std::string huge = kHeader + "a,\"";
  for (int i = 0; i < 1'000'000; i++)
    huge +=
        "a hundred bytes to a line, a hundred bytes to a "
        "line, a hundred bytes to a line, a hundred bytes to\n";
  const auto start = std::chrono::steady_clock::now();
  refused(huge + "\",s,t\n", {"field", "bad.csv", "line 2"});
  refused(kHeader + "a," + std::string(100'000'000, 'x') + ",s,t\n", {"bad.csv", "line 2"});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
#if !defined(__SANITIZE_ADDRESS__)  // which reserves terabytes of addresses
  folder_.write("bad.csv", huge + "\",s,t\n");
  const Result bounded = run("--input bad.csv --output none --threads 1", "ulimit -v 400000;");
  EXPECT_EQ(bounded.code, 1);
  EXPECT_THAT(bounded.err, HasSubstr("field must not be larger"));
#endif
}

TEST_F(GenerateCliTest, IdsCannotLeaveTheFolder) {
  folder_.write("in.csv", kHeader +
                              "../../x,\"#Person1#: Hi there.\n#Person2#: Hello you.\",s,t\n"
                              "/etc/y,\"#Person1#: Good day.\n#Person2#: Good night.\",s,t\n");
  EXPECT_EQ(run("--input in.csv --rows all --output deep/out").code, 0);
  EXPECT_TRUE(fs::exists(folder_.path() /
                         "deep/out/success/conversation_%2E%2E%2F%2E%2E%2Fx_original.json"));
  for (const auto& [name, _] : files(folder_.path()))
    EXPECT_TRUE(name.starts_with("deep/out/") || name == "in.csv" || name.starts_with("std"))
        << name;
}

TEST_F(GenerateCliTest, UnwritableFolderIsOneClearError) {
  folder_.write("in.csv", kHeader + kRows);
  folder_.write("file", "a regular file");
  for (const char* output : {"file/below", "file", "/proc/none", "/dev/full/x"}) {
    const Result result = run(std::string("--input in.csv --output ") + output);
    EXPECT_EQ(result.code, 1) << output;
    EXPECT_THAT(result.err, AllOf(HasSubstr("error: "), HasSubstr(output))) << output;
  }
  EXPECT_EQ(read_file(folder_.path() / "file"), "a regular file");
}

// A limit of the file's size fails a write as a full disk does; the shell counts blocks of 512 B.
TEST_F(GenerateCliTest, FailedWriteLeavesEarlierOutput) {
  std::string rows;
  for (int i = 0; i < 60; i++)
    rows += "n" + std::to_string(i) + ",\"#Person1#: Lamp " + std::to_string(i) + " is " +
            std::string(40, char('a' + i % 26)) + "?\n#Person2#: Yes.\",s,t\n";
  folder_.write("in.csv", kHeader + rows);
  ASSERT_EQ(run("--input in.csv --rows 2 --output out").code, 0);
  const std::string before = read_file(folder_.path() / "out/training_data.jsonl");
  const Result result =
      run("--input in.csv --rows all --output out", "trap '' XFSZ; ulimit -f 16;");
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("cannot write"), HasSubstr("out/")));
  EXPECT_EQ(read_file(folder_.path() / "out/training_data.jsonl"), before);
  for (const auto& [name, _] : files(folder_.path() / "out"))
    EXPECT_THAT(name, Not(HasSubstr(".tmp")));
  EXPECT_EQ(run("--input in.csv --rows all --output out").code, 0);
}

TEST_F(GenerateCliTest, FullDiskLeavesEarlierOutput) {
  const fs::path disk = folder_.path() / "disk";
  fs::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=256k") != 0)
    GTEST_SKIP() << "mounting a small disk takes privileges that this process has not";
  folder_.write("in.csv", kHeader + kRows);
  EXPECT_EQ(run("--input in.csv --rows 2 --output disk/out").code, 0);
  const auto before = files(disk / "out");
  std::system(("cat /dev/zero >'" + (disk / "ballast").string() + "' 2>/dev/null").c_str());
  const Result result = run("--input in.csv --rows all --output disk/out");
  const auto after = files(disk / "out");
  EXPECT_EQ(::umount(disk.c_str()), 0);
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("No space left"), HasSubstr("free some disk space")));
  EXPECT_EQ(after.at("training_data.jsonl"), before.at("training_data.jsonl"));
}

}  // namespace
}  // namespace chatmem
