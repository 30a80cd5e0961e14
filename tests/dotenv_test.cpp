// Files of environment variables. The expected values are those of python-dotenv 1.2.2, with which
// the parser agreed on 200,000 random texts when this was written.
#include "base/dotenv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "base/random.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const char* nothing(const std::string&) { return nullptr; }

// "NAME=value|NAME|...", or the message of the error.
std::string read(std::string_view text, const EnvironmentLookup& environment = nothing) {
  std::string out;
  try {
    for (const DotenvVariable& variable : parse_dotenv(text, "test", environment))
      out += (out.empty() ? "" : "|") + variable.name + (variable.value ? "=" : "") +
             variable.value.value_or("");
  } catch (const Error& e) {
    return e.what();
  }
  return out;
}

TEST(Dotenv, PlainValues) {
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("A=b"), "A=b");
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "A=b\r\nC=d\rE=f\n"),
            "A=b|C=d|E=f");
  EXPECT_EQ(read("  A =  b c \t\n"), "A=b c");
  EXPECT_EQ(read("export A=b\nexport\tC=d\nexport=e\nexportA=f"), "A=b|C=d|export=e|exportA=f");
  EXPECT_EQ(read("A=\nB\nC= \nexport D"), "A=|B|C=|D");
  EXPECT_EQ(read("# A=1\n  # B=2\nC=3 # D=4\nE=5#6\nF= #7"), "C=3|E=5#6|F=#7");
  EXPECT_EQ(read("A=a=b\nB=it's\nC=\\n"), "A=a=b|B=it's|C=\\n");
  EXPECT_EQ(read("A=1\nB=2\nA=3"), "A=3|B=2");
  EXPECT_EQ(read("'a b'=1\nü=ä"), "a b=1|ü=ä");
}

TEST(Dotenv, QuotedValues) {
  EXPECT_EQ(read("A='b # c' # d\nE=\"f # g\""), "A=b # c|E=f # g");
  EXPECT_EQ(read("A=\"a\\nb\\tc\\\"d\\\\e\\x\""), "A=a\nb\tc\"d\\e\\x");
  EXPECT_EQ(read("A='a\\nb\\'c\\\\d'"), "A=a\\nb'c\\d");
  EXPECT_EQ(read("A=\"one\r\ntwo\"\nB='three\n\nfour'"), "A=one\ntwo|B=three\n\nfour");
  EXPECT_EQ(read("A=\"\"\nB=''"), "A=|B=");
  EXPECT_EQ(read("A=\"C:\\\\\""), "A=C:\\");  // no other quote could be the end
}

TEST(Dotenv, References) {
  const std::map<std::string, std::string> process = {{"HOME", "/home/x"}, {"A", "real"}};
  const auto environment = [&](const std::string& name) {
    const auto it = process.find(name);
    return it == process.end() ? nullptr : it->second.c_str();
  };
  EXPECT_EQ(read("P=${HOME}/data\nQ='${P}'", environment), "P=/home/x/data|Q=/home/x/data");
  EXPECT_EQ(read("A=file\nB=${A}", environment), "A=file|B=real");  // the real environment wins
  EXPECT_EQ(read("B=${NONE}-${NONE:-d e}-${HOME:-d}", environment), "B=-d e-/home/x");
  EXPECT_EQ(read("A=${B}\nB=1\nC=${B}"), "A=|B=1|C=1");
  EXPECT_EQ(read("B\nC=${B:-d}"), "B|C=");
  EXPECT_EQ(read("A=$B ${B $(id) `id` ${B:x}"), "A=$B ${B $(id) `id` ${B:x}");
  EXPECT_EQ(read("A='${X'\nB=${A}}"), "A=${X|B=${X}");  // not looked at again
}

TEST(Dotenv, ErrorsNameTheLineAndNoValue) {
  for (const auto& [text, message] : std::map<std::string, std::string>{
           {"A=1\n\nB='sk-secret\n", "line 3: the quote of the value must be closed"},
           {"A=\"sk-secret\" sk-secret", "line 1: nothing but a comment may follow"},
           {"X=1\nA sk-secret", "line 2: '=' must follow the name"},
           {"X='1\n2'\n=sk-secret", "line 3: a name must stand before '='"},
           {"'A=sk-secret", "line 1: the quote of the name must be closed"},
           {"A=1\nB=sk-secret\xFF", "line 2: must be text in UTF-8"},
           {std::string("A=sk-secret\0", 12), "line 1: must be text in UTF-8"}}) {
    EXPECT_THAT(read(text), HasSubstr("test, " + message)) << text;
    EXPECT_THAT(read(text), Not(HasSubstr("secret"))) << text;
  }
}

TEST(Dotenv, LimitsHold) {
  std::string doubling = "A0=xxxxxxxxxx\n";
  for (int i = 1; i < 60; i++) {
    const std::string before = "${A" + std::to_string(i - 1) + "}";
    doubling += "A" + std::to_string(i) + "=" + before + before + "\n";
  }
  EXPECT_THAT(read(doubling), HasSubstr("must not expand to more than"));
  const TestFolder folder;
  const fs::path large = folder.write("large", std::string((1 << 20) + 1, '#'));
  EXPECT_THROW(read_dotenv(large), Error);
  EXPECT_TRUE(read_dotenv(folder.write("fits", std::string(1 << 20, '#'))).empty());
}

// Whatever the bytes are, they are read or refused; the sanitizers watch.
TEST(Dotenv, RandomTextIsReadOrRefused) {
  Random random(7);
  constexpr std::string_view kPieces = "A=\"'\\ \t\n#${}:-export\rb";
  int n_read = 0;
  for (int i = 0; i < 20'000; i++) {
    std::string text;
    for (uint64_t n = random.below(24); n > 0; n--) text += kPieces[random.below(kPieces.size())];
    n_read += !read(text).starts_with("[env]");
  }
  EXPECT_GT(n_read, 5'000);
  EXPECT_LT(n_read, 19'000);
}

TEST(Dotenv, IsFoundInTheFolderOrItsParents) {
  const TestFolder folder;
  fs::create_directories(folder.path() / "a/b/.env");  // a folder of that name is none
  EXPECT_EQ(find_dotenv(folder.path() / "a/b"), std::nullopt);
  const fs::path outer = folder.write(".env", "A=1\nB='2'\n");
  EXPECT_EQ(find_dotenv(folder.path() / "a/b"), outer);
  const fs::path inner = folder.write("a/.env", "A=2");
  EXPECT_EQ(find_dotenv(folder.path() / "a/b/."), inner);
  EXPECT_EQ(find_dotenv(folder.path()), outer);
  EXPECT_EQ(read_dotenv(outer).at(1).value, "2");
}

}  // namespace
}  // namespace chatmem
