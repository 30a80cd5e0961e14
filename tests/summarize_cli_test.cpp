// The verb as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "run_command.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;

class SummarizeTest : public ::testing::Test {
 protected:
  static CommandResult run(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.begin(), "summarize");
    return run_command(std::move(arguments), {.input = input});
  }
  std::string plain() const {
    return folder_
        .write("chat.txt",
               "2024-03-04 18:42 | Hanna: I found a room in Leeds.\n"
               "2024-03-07 12:15 | You: I sold the piano to the school.\n")
        .string();
  }
  TestFolder folder_;
};

TEST_F(SummarizeTest, PlainLinesFromFileAndStdin) {
  const CommandResult result = run({plain(), "--as-of", "2024-03-11"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("March 4th, a week ago, when Hanna"));
  const CommandResult piped = run({"-", "--as-of", "2024-03-11"}, read_file(plain()));
  EXPECT_EQ(piped.out, result.out);
}

TEST_F(SummarizeTest, JsonNamesTheMessages) {
  const CommandResult result = run({plain(), "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json json = parse_json(result.out, "stdout");
  EXPECT_EQ(json["as_of"], "2024-03-07");
  EXPECT_EQ(json["sentences"][1]["messages"], Json::array({0}));
  EXPECT_THAT(std::string(json["summary"]), HasSubstr("room in Leeds"));
}

TEST_F(SummarizeTest, MessagesAreThoseOfTheInputAlsoInAWindow) {
  const CommandResult result = run({plain(), "--json", "--from", "2024-03-05"});
  ASSERT_EQ(result.code, 0) << result.err;
  for (const Json& sentence : parse_json(result.out, "stdout")["sentences"])
    EXPECT_EQ(sentence["messages"], Json::array({1})) << sentence;
}

TEST_F(SummarizeTest, DataIsTheFile) {
  EXPECT_EQ(run({"--data", plain()}).out, run({plain()}).out);
  EXPECT_EQ(run({}).code, 2);
  EXPECT_THAT(run({"--help"}).out, HasSubstr("example: chatmem summarize"));
}

TEST_F(SummarizeTest, FinetuneTextWithItsAsOf) {
  const std::string file = folder_
                               .write("conversation_7_finetune.txt",
                                      "[START DATE]\n2024-03-04\n[END DATE]\n2024-03-04\n"
                                      "[AS OF]\n2024-03-11\n[CHAT MESSAGES]\n"
                                      "2024-03-04 18:42 | Hanna: I found a room in Leeds.\n"
                                      "[SUMMARY]\nnever read\n")
                               .string();
  const CommandResult result = run({file, "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json json = parse_json(result.out, "stdout");
  EXPECT_EQ(json["id"], "7");
  EXPECT_EQ(json["as_of"], "2024-03-11");
  EXPECT_EQ(result.out.find("never read"), std::string::npos);
}

TEST_F(SummarizeTest, FromAndToLimitTheDays) {
  const CommandResult result = run({plain(), "--from", "2024-03-05"});
  EXPECT_EQ(result.out.find("Leeds"), std::string::npos);
  EXPECT_THAT(result.out, HasSubstr("piano"));
  EXPECT_THAT(run({plain(), "--to", "2020-01-01"}).err, HasSubstr("no messages in these days"));
  EXPECT_EQ(run({plain(), "--from", "2024-02-30"}).code, 2);
  EXPECT_EQ(run({plain(), "--from", "2024-03-05", "--to", "2024-03-04"}).code, 2);
}

TEST_F(SummarizeTest, RecordsGiveOneLineEachAndJoinDates) {
  const std::string record =
      R"({"id":"a","messages":[{"timestamp":"2024-05-01 10:00","content":"Ann: I sold a boat."}]})"
      "\n"
      R"({"id":"b","messages":[{"timestamp":"11:47 PM","content":"Ann: I bought a car."}]})"
      "\n";
  const std::string data = folder_.write("d.jsonl", record).string();
  const std::string dates =
      folder_.write("as_of.jsonl", "{\"id\":\"a\",\"as_of\":\"2024-06-01\"}\n").string();
  const CommandResult result = run({data, "--as-of", dates});
  ASSERT_EQ(result.code, 0) << result.err;
  const size_t end = result.out.find('\n');
  const Json first = parse_json(result.out.substr(0, end), "first line");
  EXPECT_EQ(first["id"], "a");
  EXPECT_THAT(std::string(first["summary"]), HasSubstr("a month ago"));
  EXPECT_EQ(parse_json(result.out.substr(end + 1), "second line")["id"], "b");
  EXPECT_THAT(result.err, HasSubstr("1 message without a readable time"));
  EXPECT_THAT(result.err, HasSubstr("'11:47 PM'"));
}

TEST_F(SummarizeTest, BadInputIsNamed) {
  EXPECT_EQ(run({folder_.path() / "none"}).code, 1);
  const std::string broken = folder_.write("x.jsonl", "{\"id\":\"a\"\n").string();
  const CommandResult result = run({broken});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("line 1"));
  EXPECT_EQ(run({plain(), "--as-of", "whenever"}).code, 2);
  EXPECT_NE(run({plain(), "--max-words", "0"}).code, 0);
}

}  // namespace
}  // namespace chatmem
