// The verb tokenize, by running the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "run_command.h"
#include "test_folder.h"
#include "text/tokenizer.h"
#include "tiny_tokenizer.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;

class TokenizeVerb : public ::testing::Test {
 protected:
  // With the tiny tokenizer.
  CommandResult run(std::vector<std::string> flags, const std::string& input) const {
    const fs::path path = folder_.write("tokenizer.model", tiny_tiktoken());
    flags.insert(flags.begin(), {"tokenize", "--tokenizer", path.string()});
    return run_command(std::move(flags), {.input = input});
  }
  TestFolder folder_;
};

TEST_F(TokenizeVerb, TextToIdsAndBack) {
  const Tokenizer t = Tokenizer::from_tiktoken(tiny_tiktoken(), "tiny");
  const std::string text = "hello hi\n\nthe 1234\xFF <|eot_id|>\n";
  const CommandResult encoded = run({}, text);
  EXPECT_EQ(encoded.code, 0) << encoded.err;
  EXPECT_EQ(parse_json(encoded.out, "out").get<std::vector<int>>(), t.encode(text));
  EXPECT_EQ(std::count(encoded.out.begin(), encoded.out.end(), '\n'), 1);
  EXPECT_EQ(run({"--decode"}, encoded.out).out, text);
  const CommandResult special = run({"--special"}, text);
  EXPECT_EQ(parse_json(special.out, "out").get<std::vector<int>>(),
            t.encode(text, SpecialTokens::parse));
  EXPECT_LT(special.out.size(), encoded.out.size());
}

TEST_F(TokenizeVerb, NothingGivesAnEmptyList) {
  EXPECT_EQ(run({}, "").out, "[]\n");
  EXPECT_EQ(run({"--decode"}, "[]").out, "");
}

TEST_F(TokenizeVerb, WrongInput) {
  const CommandResult wrong = run({"--decode"}, "[1, -2]");
  EXPECT_EQ(wrong.code, 1);
  EXPECT_EQ(wrong.out, "");
  EXPECT_THAT(wrong.err, HasSubstr("error: [tokenize] standard input: element 2 must be a token"));
  EXPECT_THAT(run({"--decode"}, "[100000]").err, HasSubstr("a token must be from 0"));
  EXPECT_THAT(run({"--decode"}, "{}").err, HasSubstr("must be a JSON array"));
  EXPECT_EQ(run_command({"tokenize", "--tokenizer", "/nonexistent/x.json"}).code, 1);
  EXPECT_EQ(run_command({"tokenize"}).code, 2);
}

}  // namespace
}  // namespace chatmem
