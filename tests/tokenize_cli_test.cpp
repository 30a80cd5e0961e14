// The verb tokenize, by running the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>

#include "base/file.h"
#include "test_folder.h"
#include "text/tokenizer.h"
#include "tiny_tokenizer.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Result {
  int exit_code;
  std::string out, err;
};

class TokenizeVerb : public ::testing::Test {
 protected:
  Result run(const std::string& flags, std::string_view input) const {
    const fs::path in = folder_.write("in", input), out = folder_.path() / "out",
                   err = folder_.path() / "err";
    const std::string command = fmt::format("'{}' tokenize {} <'{}' >'{}' 2>'{}'", CHATMEM_BINARY,
                                            flags, in.string(), out.string(), err.string());
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out), read_file(err)};
  }
  std::string tokenizer() const {
    return fmt::format("--tokenizer '{}'",
                       folder_.write("tokenizer.model", tiny_tiktoken()).string());
  }
  TestFolder folder_;
};

TEST_F(TokenizeVerb, TextToIdsAndBack) {
  const Tokenizer t = Tokenizer::from_tiktoken(tiny_tiktoken(), "tiny");
  const std::string text = "hello hi\n\nthe 1234\xFF <|eot_id|>\n";
  const Result encoded = run(tokenizer(), text);
  EXPECT_EQ(encoded.exit_code, 0) << encoded.err;
  EXPECT_EQ(parse_json(encoded.out, "out").get<std::vector<int>>(), t.encode(text));
  EXPECT_EQ(std::count(encoded.out.begin(), encoded.out.end(), '\n'), 1);
  EXPECT_EQ(run(tokenizer() + " --decode", encoded.out).out, text);
  const Result special = run(tokenizer() + " --special", text);
  EXPECT_EQ(parse_json(special.out, "out").get<std::vector<int>>(),
            t.encode(text, SpecialTokens::parse));
  EXPECT_LT(special.out.size(), encoded.out.size());
}

TEST_F(TokenizeVerb, NothingGivesAnEmptyList) {
  EXPECT_EQ(run(tokenizer(), "").out, "[]\n");
  EXPECT_EQ(run(tokenizer() + " --decode", "[]").out, "");
}

TEST_F(TokenizeVerb, WrongInput) {
  const Result wrong = run(tokenizer() + " --decode", "[1, -2]");
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_EQ(wrong.out, "");
  EXPECT_THAT(wrong.err, HasSubstr("error: [tokenize] standard input: element 2 must be a token"));
  EXPECT_THAT(run(tokenizer() + " --decode", "[100000]").err, HasSubstr("a token must be from 0"));
  EXPECT_THAT(run(tokenizer() + " --decode", "{}").err, HasSubstr("must be a JSON array"));
  EXPECT_EQ(run("--tokenizer /nonexistent/x.json", "").exit_code, 1);
  EXPECT_NE(run("", "").exit_code, 0);
}

TEST_F(TokenizeVerb, HelpOpensWithAnExample) {
  const Result help = run("--help", "");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, StartsWith("example: "));
}

}  // namespace
}  // namespace chatmem
