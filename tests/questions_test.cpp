// Questions through the journal: bought once, kept over runs, asked again only when that is wanted.
#include "llm/questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "error_of.h"
#include "llm/llm_access.h"
#include "openai_double.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Questions : public ::testing::Test {
 protected:
  Questions() {
    for (const char* word : {"one", "two", "three"})
      questions_.push_back({word, {.model = "m", .messages = {{"user", word}}, .max_tokens = 100}});
    access_.endpoint.base_url = server_.base_url();
    options_.journal = folder_.path() / "j/journal.jsonl";
    options_.stage = "test";
    options_.run.flow.concurrency = 1;
    options_.run.flow.max_attempts = 1;
  }
  QuestionReport ask() {
    return ask_questions(*make_llm_api("openai", access_), questions_, options_);
  }
  size_t n_asked() const { return server_.requests().size(); }

  std::string broken_ = "none";  // the word whose request gets a status of 500
  OpenAiDouble server_{[this](const Json& request) {
    const std::string word = request["messages"].back()["content"];
    if (word == broken_) throw Error("out of paper");
    return "I heard " + word + ".";
  }};
  TestFolder folder_;
  LlmAccess access_;
  std::vector<Question> questions_;
  QuestionOptions options_;
};

TEST_F(Questions, AreBoughtOnce) {
  options_.run.price = Price{.input = 1, .output = 10};
  const QuestionReport first = ask();
  ASSERT_EQ(first.ends.size(), 3u);
  EXPECT_EQ(first.ends[1].text, "I heard two.");
  EXPECT_THAT(first.end_reason, IsEmpty());
  EXPECT_NEAR(*first.spent_usd, 3 * (1000 * 1 + 100 * 10) / 1e6, 1e-12);
  const QuestionReport second = ask();
  EXPECT_EQ(second.n_before, 3);
  EXPECT_EQ(second.ends[2].text, "I heard three.");
  EXPECT_EQ(second.spent_usd, first.spent_usd);
  EXPECT_EQ(n_asked(), 3u);
  // Another id, another model: other questions.
  questions_[0].id = "uno";
  questions_[1].request.model = "n";
  EXPECT_THAT(open_questions(*make_llm_api("openai", access_), questions_, options_),
              ElementsAre(0, 1));
  EXPECT_EQ(n_asked(), 3u);
  EXPECT_EQ(ask().n_before, 1);
  EXPECT_EQ(n_asked(), 5u);
}

TEST_F(Questions, WhatFailedIsAskedAgain) {
  broken_ = "two";
  const QuestionReport first = ask();
  EXPECT_THAT(first.ends[1].failure, HasSubstr("out of paper"));
  EXPECT_EQ(first.ends[2].text, "I heard three.");
  broken_ = "none";
  const QuestionReport second = ask();
  EXPECT_EQ(second.n_before, 2);
  EXPECT_EQ(second.ends[1].text, "I heard two.");
  EXPECT_EQ(n_asked(), 4u);
}

TEST_F(Questions, AnAnswerThatCannotBeUsedIsAskedAgainOnlyWhenWanted) {
  bool strict = true;
  options_.wrong = [&](size_t question, const std::string& text) {
    EXPECT_THAT(text, HasSubstr(questions_[question].id));
    return strict && question == 1 ? std::string("too short") : std::string();
  };
  EXPECT_EQ(ask().ends[1].failure, "too short");
  EXPECT_EQ(ask().ends[1].failure, "too short");
  EXPECT_EQ(n_asked(), 3u);
  options_.ask_again = true;
  EXPECT_EQ(ask().ends[1].failure, "too short");
  EXPECT_EQ(n_asked(), 4u);
  strict = false;  // both answers are there; the first will do
  EXPECT_EQ(ask().ends[1].text, "I heard two.");
  EXPECT_EQ(n_asked(), 4u);
}

TEST_F(Questions, TheBudgetHolds) {
  options_.run.price = Price{.input = 1, .output = 10};
  options_.run.budget_usd = 0.0065;  // a bound is 0.003, an answer costs 0.002
  const QuestionReport first = ask();
  EXPECT_EQ(n_asked(), 2u);
  EXPECT_THAT(first.end_reason, HasSubstr("of the budget of $0.01"));
  EXPECT_THAT(first.ends[2].text + first.ends[2].failure, IsEmpty());
  options_.run.budget_usd = 1;
  EXPECT_EQ(ask().ends[2].text, "I heard three.");
  EXPECT_EQ(n_asked(), 3u);
}

TEST_F(Questions, OneProcessAtATime) {
  ask();
  std::string error;
  options_.wrong = [&](size_t, const std::string&) {
    QuestionOptions inner = options_;
    inner.wrong = {};
    error = error_of([&] { ask_questions(*make_llm_api("openai", access_), questions_, inner); });
    return std::string();
  };
  ask();
  EXPECT_THAT(error, HasSubstr("another process"));
}

TEST(LlmAccess, WhatIsMissingIsNamed) {
  LlmAccess access;
  EXPECT_THAT(error_of([&] { make_llm_api("anthropic", access); }), HasSubstr("must have a key"));
  EXPECT_THAT(error_of([&] { make_llm_api("openai", access); }), HasSubstr("an endpoint"));
  EXPECT_EQ(chosen_model("anthropic", access), kDefaultAnthropicModel);
  EXPECT_TRUE(price_of("anthropic", access, std::string(kDefaultAnthropicModel)));
  EXPECT_FALSE(price_of("openai", access, "mine"));
  access.budget_usd = 1;
  EXPECT_THAT(error_of([&] { price_of("openai", access, "mine"); }), HasSubstr("'mine'"));
}

}  // namespace
}  // namespace chatmem
