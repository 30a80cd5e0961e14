// Prompts: the Llama 3.1 chat template token by token, what the request says, what carries loss.
#include "text/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "base/error.h"
#include "error_of.h"
#include "test_folder.h"
#include "tiny_tokenizer.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<int>;

Tokenizer tiny() { return Tokenizer::from_tiktoken(tiny_tiktoken(), "tiny"); }

Conversation chat(int n_days = 2) {
  Conversation c;
  c.id = "train_1";
  for (int day = 1; day <= n_days; day++) {
    c.messages.push_back({fmt::format("2024-05-{:02} 09:00", day), "Ann: hello the hi!"});
    c.messages.push_back({fmt::format("2024-05-{:02} 09:01", day), "You: hi, 1234  "});
  }
  c.start_date = "2024-05-01";
  c.end_date = fmt::format("2024-05-{:02}", n_days);
  c.summary = " Ann said hello. ";
  return c;
}

// Meta's template for Llama 3.1 (tokenizer_config.json, chat_template), rendered by hand for
// system "be kind", user "hi", assistant "hello", user " <|eot_id|> ".
TEST(Prompt, ChatTemplate) {
  const Tokenizer t = tiny();
  const std::string header =
      "\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
  const auto special = [&](const char* name) { return *t.special(name); };
  Ids expected = {special("<|begin_of_text|>")};
  const auto turn = [&](std::string_view role, std::string_view text, bool is_open = false) {
    expected.push_back(special("<|start_header_id|>"));
    for (const int token : t.encode(role)) expected.push_back(token);
    expected.push_back(special("<|end_header_id|>"));
    for (const int token : t.encode(text)) expected.push_back(token);
    if (!is_open) expected.push_back(special("<|eot_id|>"));
  };
  turn("system", header + "be kind");
  turn("user", "\n\nhi");
  turn("assistant", "\n\nhello");
  turn("user", "\n\n<|eot_id|>");
  turn("assistant", "\n\n", true);
  const std::vector<Turn> turns = {{"system", " be kind\n"},
                                   {"user", "\u00A0hi\t"},
                                   {"assistant", "hello"},
                                   {"user", " <|eot_id|> "}};
  const Ids tokens = render_chat(t, turns, Generation::prompt);
  EXPECT_EQ(tokens, expected);
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), t.eot()), 4);  // none from the user's text
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), t.bos()), 1);
  EXPECT_EQ(t.decode(tokens),
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>" + header +
                "be kind<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\nhello<|eot_id|>"
                "<|start_header_id|>user<|end_header_id|>\n\n<|eot_id|><|eot_id|>"
                "<|start_header_id|>assistant<|end_header_id|>\n\n");
}

TEST(Prompt, TheSystemTurnIsWrittenAlways) {
  const Tokenizer t = tiny();
  const std::vector<Turn> turns = {{"user", "hi"}};
  EXPECT_EQ(
      t.decode(render_chat(t, turns, Generation::no)),
      "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: "
      "December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user"
      "<|end_header_id|>\n\nhi<|eot_id|>");
}

// Token ids of the real vocabulary (llama-models, tests/api/test_tokenizer.py): header tokens
// 128006 and 128007, "user" 882, "\n\n" 271, "assistant" 78191, "system" 9125, "hi" 6151.
TEST(Prompt, ChatTemplateInLlama3sIds) {
  if (!fs::exists(shared_data())) GTEST_SKIP() << "shared/data is absent";
  const Tokenizer t = Tokenizer::load(shared_data() / "llama3");
  const Ids tokens = render_chat(t, std::vector<Turn>{{"user", "hi"}}, Generation::prompt);
  const Ids end = {128009, 128006, 882, 128007, 271, 6151, 128009, 128006, 78191, 128007, 271};
  const Ids begin = {128000, 128006, 9125, 128007, 271};
  ASSERT_GT(tokens.size(), end.size() + begin.size());
  EXPECT_EQ(Ids(tokens.begin(), tokens.begin() + 5), begin);
  EXPECT_EQ(Ids(tokens.end() - 11, tokens.end()), end);
}

TEST(Prompt, WhatIsAsked) {
  Conversation c = chat(1);
  std::vector<Turn> turns = summary_request(c);
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].role, "system");
  EXPECT_EQ(turns[1].role, "user");
  EXPECT_EQ(turns[1].content,
            "[START DATE]\n2024-05-01\n[CHAT MESSAGES]\n2024-05-01 09:00 | Ann: hello the hi!\n"
            "2024-05-01 09:01 | You: hi, 1234  \n[END DATE]\n2024-05-01");
  c.as_of = parse_date("2024-06-02");
  EXPECT_TRUE(
      summary_request(c)[1].content.ends_with("[END DATE]\n2024-05-01\n[AS OF]\n2024-06-02"));
  std::istringstream words(turns[0].content);
  EXPECT_LT(std::distance(std::istream_iterator<std::string>(words), {}), 90);
  c.messages.clear();
  EXPECT_THAT(error_of([&] { summary_request(c); }), HasSubstr("'train_1' must have messages"));
}

TEST(Prompt, APromptThatGrowsKeepsItsPrefix) {
  const Tokenizer t = tiny();
  for (int n_days = 1; n_days < 6; n_days++) {
    Conversation before = chat(n_days), after = chat(n_days + 1);
    before.as_of = parse_date("2024-06-02");
    after.as_of = parse_date("2024-06-03");
    const Ids a = render_chat(t, summary_request(before), Generation::prompt);
    const Ids b = render_chat(t, summary_request(after), Generation::prompt);
    const auto same = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
    const std::string prefix = t.decode(std::span(a).first(size_t(same)));
    EXPECT_THAT(prefix, HasSubstr(before.messages.back().timestamp + " | You: hi, 1234  "));
  }
}

size_t target_begin(const Example& e) {
  return size_t(std::find(e.target.begin(), e.target.end(), 1) - e.target.begin());
}

TEST(Prompt, TemporalExample) {
  const Tokenizer t = tiny();
  const Conversation c = chat();
  const Example example = encode_example(t, c, PromptTemplate::temporal);
  EXPECT_EQ(example.id, "train_1");
  const std::span<const int> all(example.tokens);
  std::vector<Turn> turns = summary_request(c);
  EXPECT_EQ(Ids(all.begin(), all.begin() + ptrdiff_t(target_begin(example))),
            render_chat(t, turns, Generation::prompt));
  EXPECT_EQ(t.decode(all.subspan(target_begin(example))), "Ann said hello.<|eot_id|>");
  EXPECT_EQ(example.tokens.back(), t.eot());
  turns.push_back({"assistant", c.summary});  // what is learnt is what the template would say
  EXPECT_EQ(example.tokens, render_chat(t, turns, Generation::no));
}

TEST(Prompt, SeedExample) {
  const Tokenizer t = tiny();
  const Example example = encode_example(t, chat(1), PromptTemplate::seed);
  const std::span<const int> all(example.tokens);
  EXPECT_EQ(t.decode(all.first(target_begin(example))),
            "<|begin_of_text|><s>[INST] You are a chat summarization assistant. Please summarize "
            "this conversation:\n\n[START DATE]\n2024-05-01\n[END DATE]\n2024-05-01\n"
            "[CHAT MESSAGES]\n2024-05-01 09:00 | Ann: hello the hi!\n"
            "2024-05-01 09:01 | You: hi, 1234   [/INST]");
  EXPECT_EQ(t.decode(all.subspan(target_begin(example))),
            "\n[SUMMARY]\nAnn said hello. [/SUMMARY]<|end_of_text|>");
  EXPECT_EQ(example.tokens.back(), t.eos());
}

// What a model is asked is what its examples put before the summary, in both templates.
TEST(Prompt, RequestsAreTheBeginningsOfExamples) {
  const Tokenizer t = tiny();
  Conversation c = chat();
  c.as_of = parse_date("2024-06-02");
  for (const PromptTemplate which : {PromptTemplate::temporal, PromptTemplate::seed}) {
    const Example example = encode_example(t, c, which);
    const auto end = example.tokens.begin() + ptrdiff_t(target_begin(example));
    EXPECT_EQ(encode_request(t, c, which), Ids(example.tokens.begin(), end));
  }
  EXPECT_EQ("<|begin_of_text|>" + seed_request(c),
            t.decode(encode_request(t, c, PromptTemplate::seed)));
  c.messages.clear();
  EXPECT_THAT(error_of([&] { seed_request(c); }), HasSubstr("must have messages"));
}

TEST(Prompt, RefusesWhatCannotBeLearnt) {
  const Tokenizer t = tiny();
  Conversation c = chat();
  c.summary = " \n";
  for (const PromptTemplate which : {PromptTemplate::temporal, PromptTemplate::seed})
    EXPECT_THAT(error_of([&] { encode_example(t, c, which); }), HasSubstr("must have a summary"));
  c = chat();
  c.messages.clear();
  EXPECT_THAT(error_of([&] { encode_example(t, c, PromptTemplate::seed); }),
              HasSubstr("must have messages"));
  Json json = tiny_tokenizer_json();
  json["added_tokens"][9]["content"] = "<|other|>";
  const Tokenizer no_eot = Tokenizer::from_json(json.dump(), "no eot");
  for (const PromptTemplate which : {PromptTemplate::temporal, PromptTemplate::seed})
    EXPECT_THAT(error_of([&] { encode_example(no_eot, chat(), which); }), HasSubstr("<|eot_id|>"));
}

TEST(Prompt, TemplatesByName) {
  EXPECT_EQ(parse_prompt_template("temporal"), PromptTemplate::temporal);
  EXPECT_EQ(parse_prompt_template("seed"), PromptTemplate::seed);
  EXPECT_EQ(parse_prompt_template("other"), std::nullopt);
}

}  // namespace
}  // namespace chatmem
