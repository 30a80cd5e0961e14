// Records of training: their kinds told apart, what carries loss, what is refused and by which
// name.
#include "train/encode.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"
#include "test_folder.h"
#include "tiny_tokenizer.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Tokenizer tiny() { return Tokenizer::from_tiktoken(tiny_tiktoken(), "tiny"); }

constexpr const char* kConversation =
    R"({"id":"c1","messages":[{"timestamp":"2024-05-01 10:00","content":"You: hi"}],)"
    R"("summary":"Hi."})";
constexpr const char* kMessages =
    R"({"id":"m1","messages":[{"role":"system","content":"kind"},{"role":"user","content":"hi"},)"
    R"({"role":"assistant","content":" hello "},{"role":"user","content":"and"},)"
    R"({"role":"assistant","content":"system"}]})";
constexpr const char* kShareGpt =
    R"({"conversations":[{"from":"human","value":"hi"},{"from":"gpt","value":"hello"}]})";
constexpr const char* kCompletion = R"({"id":7,"prompt":"the hi","completion":" hello"})";
constexpr const char* kTokens = R"({"id":"t1","input_ids":[5,6,7,8],"labels":[-100,-100,7,8]})";

class Records : public ::testing::Test {
 protected:
  TrainingRecords read(const std::string& text) const {
    return read_training_records(folder_.write("data.jsonl", text));
  }
  std::string read_error(const std::string& text) const {
    return error_of([&] { read(text); });
  }
  Dataset encode(const std::string& text, const EncodeRules& rules = {}) const {
    return encode_records(read(text), &tokenizer_, rules);
  }
  std::string encode_error(const std::string& text, const EncodeRules& rules = {}) const {
    return error_of([&] { encode(text, rules); });
  }
  // The pieces that carry loss, with " | " where others are between them.
  std::string learnt(const Example& e) const {
    std::string text;
    for (size_t i = 0; i < e.tokens.size(); i++) {
      if (e.target[i]) text += tokenizer_.piece(e.tokens[i]);
      if (!e.target[i] && i > 0 && e.target[i - 1]) text += " | ";
    }
    return text;
  }
  std::string all_of(const Example& e) const { return tokenizer_.decode(e.tokens); }

  TestFolder folder_;
  Tokenizer tokenizer_ = tiny();
};

TEST_F(Records, AreToldApartByTheirKeys) {
  const std::pair<const char*, const char*> kinds[] = {{kConversation, "conversations"},
                                                       {kMessages, "chats"},
                                                       {kShareGpt, "chats"},
                                                       {kCompletion, "completions"},
                                                       {kTokens, "token records"}};
  for (const auto& [text, kind] : kinds) {
    EXPECT_EQ(kind_of(read(text)), kind);
    // Every other kind after it is refused, with its line.
    for (const auto& [other, other_kind] : kinds) {
      const std::string error = read_error(fmt::format("{}\n\n{}\n", text, other));
      if (std::string_view(other_kind) == kind) continue;
      EXPECT_THAT(error,
                  AllOf(HasSubstr("data.jsonl', line 3"), HasSubstr(kind), HasSubstr(other_kind)));
    }
  }
  EXPECT_THAT(read_error(R"({"text":"a"})"), AllOf(HasSubstr("line 1"), HasSubstr("none of")));
  EXPECT_THAT(read_error(R"({"prompt":"a","completion":"b","input_ids":[]})"),
              AllOf(HasSubstr("line 1"), HasSubstr("completions"), HasSubstr("token records")));
  // ultrachat has a prompt beside its messages, and no completion
  EXPECT_EQ(kind_of(read(R"({"prompt":"a","messages":[{"role":"user","content":"hi"}]})")),
            "chats");
}

TEST_F(Records, BrokenOnesAreRefusedByLine) {
  const auto refused = [&](const char* record, const char* what) {
    const std::string error = read_error(fmt::format("{}\n{}\n", kShareGpt, record));
    EXPECT_THAT(error, AllOf(HasSubstr("line 2"), HasSubstr(what))) << record;
  };
  refused(R"({"messages":[{"role":"tool","content":"x"}]})", "'tool'");
  refused(R"({"messages":[{"role":"user","content":4}]})", "content");
  refused(R"({"messages":[{"role":"user"}]})", "content");
  refused(R"({"messages":[{"role":"user","content":[{"type":"image_url"}]}]})", "'text'");
  refused(R"({"messages":[{"role":"user","content":"x"},7]})", "message 2");
  refused(R"({"messages":[{"role":"assistant","content":"x","weight":2}]})", "weight");
  refused(R"({"messages":[{"role":"assistant","content":"x","tool_calls":[1]}]})", "tool_calls");
  refused(R"({"messages":[{"role":"user","content":"x"}],"tools":[1]})", "tools");
  refused(R"({"conversations":{"from":"gpt"}})", "conversations");
  refused(R"({"id":{},"conversations":[]})", "id");
  refused(R"({"id":"","conversations":[]})", "id");
  refused("{", "JSON");
  const auto tokens_refused = [&](const char* ids, const char* labels, const char* what) {
    EXPECT_THAT(read_error(fmt::format(R"({{"input_ids":{},"labels":{}}})", ids, labels)),
                AllOf(HasSubstr("line 1"), HasSubstr(what)));
  };
  tokens_refused("[1,2]", "[1]", "as many");
  tokens_refused("[1,2]", "[-100,3]", "labels[1]");
  tokens_refused("[1,2]", "[-100,-1]", "labels[1]");
  tokens_refused("[1,-2]", "[-100,-100]", "input_ids[1]");
  tokens_refused("[1,2.5]", "[1,2]", "input_ids[1]");
  tokens_refused("[1,99999999999999999999]", "[1,2]", "input_ids[1]");
  tokens_refused("[1,18446744073709551615]", "[1,2]", "input_ids[1]");
  tokens_refused("[1,\"2\"]", "[1,2]", "input_ids[1]");
  tokens_refused("7", "[1,2]", "input_ids");
  EXPECT_THAT(read_error(fmt::format("{}\n{}\n", kMessages, kMessages)),
              AllOf(HasSubstr("line 2"), HasSubstr("'m1'"), HasSubstr("line 1")));
}

TEST_F(Records, EveryTurnOfTheAssistantIsLearntWithItsEnd) {
  const Dataset data = encode(fmt::format("{}\n{}\n", kMessages, kShareGpt));
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.info.prompt_template, "chat");
  EXPECT_EQ(data.examples[0].id, "m1");
  EXPECT_EQ(data.examples[1].id, "line 2");
  EXPECT_EQ(learnt(data.examples[0]), "hello<|eot_id|> | system<|eot_id|>");
  EXPECT_EQ(learnt(data.examples[1]), "hello<|eot_id|>");
  const std::vector<Turn> turns = {{"system", "kind"},
                                   {"user", "hi"},
                                   {"assistant", "hello"},
                                   {"user", "and"},
                                   {"assistant", "system"}};
  EXPECT_EQ(data.examples[0].tokens, render_chat(tokenizer_, turns, Generation::no));
  EXPECT_EQ(error_of([&] { check_ends(data, tokenizer_); }), "no error");
}

TEST_F(Records, AnAnswerOfWeightZeroIsRead) {
  const Dataset data =
      encode(R"({"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hell",)"
             R"("weight":0},{"role":"user","content":[{"type":"text","text":"th"},{"type":"text",)"
             R"("text":"er"}]},{"role":"assistant","content":"hello","weight":1}]})");
  EXPECT_EQ(learnt(data.examples[0]), "hello<|eot_id|>");
  EXPECT_THAT(all_of(data.examples[0]), AllOf(HasSubstr("hell<|eot_id|>"), HasSubstr("ther<")));
}

TEST_F(Records, ChatsWithNothingToLearnAreRefusedByName) {
  for (const char* turns :
       {R"({"role":"user","content":"hi"})", R"({"role":"assistant","content":"x","weight":0})",
        R"({"role":"assistant","content":" \n"})"})
    EXPECT_THAT(encode_error(fmt::format(R"({{"id":"m9","messages":[{}]}})", turns)),
                HasSubstr("'m9'"));
}

TEST_F(Records, CompletionsArePlainTextWithAnEnd) {
  const Dataset data = encode(kCompletion);
  EXPECT_EQ(data.info.prompt_template, "completion");
  EXPECT_EQ(data.examples[0].id, "7");
  EXPECT_EQ(all_of(data.examples[0]), "<|begin_of_text|>the hi hello<|end_of_text|>");
  EXPECT_EQ(learnt(data.examples[0]), " hello<|end_of_text|>");
  for (const char* record :
       {R"({"id":"p","prompt":"","completion":"b"})", R"({"id":"p","prompt":"a","completion":""})",
        R"({"id":"p","prompt":"<|start_header_id|>user","completion":"b"})",
        R"({"id":"p","prompt":"[INST] a [/INST]","completion":"b"})",
        R"({"id":"p","prompt":"a","completion":"b<|eot_id|>"})"})
    EXPECT_THAT(encode_error(record), HasSubstr("'p'")) << record;
}

TEST_F(Records, TokensNeedNoTokenizer) {
  const TrainingRecords records = read(kTokens);
  const Dataset data = encode_records(records, nullptr, {});
  EXPECT_EQ(data.info.prompt_template, "tokens");
  EXPECT_EQ(data.info.tokenizer, "");
  EXPECT_EQ(data.info.vocab_size, 9);
  EXPECT_THAT(data.examples[0].tokens, ElementsAre(5, 6, 7, 8));
  EXPECT_THAT(data.examples[0].target, ElementsAre(0, 0, 1, 1));
  // Labels that are all the tokens: the first is not predicted from anything.
  const Dataset full = encode(R"({"input_ids":[5,6],"labels":[5,6]})");
  EXPECT_THAT(full.examples[0].target, ElementsAre(0, 1));
  EXPECT_EQ(full.info.vocab_size, tokenizer_.vocab_size());
  for (const char* labels : {"[-100,-100]", "[5,-100]"})
    EXPECT_THAT(
        encode_error(fmt::format(R"({{"id":"none","input_ids":[5,6],"labels":{}}})", labels)),
        AllOf(HasSubstr("'none'"), HasSubstr("target")));
  EXPECT_THAT(encode_error(R"({"id":"empty","input_ids":[],"labels":[]})"), HasSubstr("'empty'"));
  EXPECT_THAT(encode_error(R"({"id":"far","input_ids":[5,99999],"labels":[-100,99999]})"),
              AllOf(HasSubstr("'far'"), HasSubstr("99999"), HasSubstr("vocabulary")));
  EXPECT_THAT(error_of([&] { encode_records(read(kMessages), nullptr, {}); }),
              HasSubstr("tokenizer"));
}

TEST_F(Records, AnExampleThatDoesNotEndIsRefusedByName) {
  const auto load = [&](const std::string& text) {
    return error_of([&] { load_dataset(folder_.write("data.jsonl", text), {}, &tokenizer_, {}); });
  };
  const std::string record = R"({{"id":"{}","input_ids":[5,6,{}],"labels":[-100,6,{}]}})";
  const auto tokens = [&](const char* id, int last, int label) {
    return fmt::format(fmt::runtime(record), id, last, label) + "\n";
  };
  for (const char* end : {"<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"})
    EXPECT_EQ(load(tokens("a", *tokenizer_.special(end), *tokenizer_.special(end))), "no error");
  const int eot = tokenizer_.eot();
  const std::string error =
      load(tokens("a", eot, eot) + tokens("b", 7, 7) + tokens("c", eot, -100));
  EXPECT_THAT(error, AllOf(HasSubstr("of 2 it is not: b, c"), HasSubstr("<|eot_id|>")));
}

TEST_F(Records, ATemplateThatTheTokenizerLacksIsRefused) {
  for (const int missing : {0, 6, 7, 9}) {  // bos, headers, eot
    Json json = tiny_tokenizer_json();
    const std::string name = json["added_tokens"][missing]["content"];
    json["added_tokens"][missing]["content"] = "<|other|>";
    const Tokenizer other = Tokenizer::from_json(json.dump(), "other");
    for (const char* record : {kConversation, kMessages})
      EXPECT_THAT(error_of([&] { encode_records(read(record), &other, {}); }), HasSubstr(name));
  }
  Json json = tiny_tokenizer_json();
  json["added_tokens"][1]["content"] = "<|other|>";
  const Tokenizer endless = Tokenizer::from_json(json.dump(), "endless");
  EXPECT_THAT(error_of([&] { encode_records(read(kCompletion), &endless, {}); }),
              HasSubstr("<|end_of_text|>"));
}

TEST_F(Records, AFolderOfAnotherTokenizerIsRefused) {
  write_dataset(folder_.path() / "shards", encode(kMessages));
  Json json = tiny_tokenizer_json();
  json["added_tokens"][20]["content"] = "<|other|>";
  const Tokenizer other = Tokenizer::from_json(json.dump(), "other");
  const auto load = [&](const Tokenizer& t) {
    return error_of([&] { load_dataset(folder_.path() / "shards", {}, &t, {}); });
  };
  EXPECT_EQ(load(tokenizer_), "no error");
  EXPECT_THAT(load(other), AllOf(HasSubstr("shards"), HasSubstr("another")));
}

// Exchanges of "hi" and an answer of n bytes; the frame with the system turn is the same for all.
std::string long_chat(const std::vector<int>& answers) {
  Json turns = {{{"role", "system"}, {"content", "kind"}}};
  for (const int n : answers) {
    turns.push_back({{"role", "user"}, {"content", "hi"}});
    turns.push_back({{"role", "assistant"}, {"content", std::string(size_t(n), 'z')}});
  }
  return dump_json({{"id", "long"}, {"messages", turns}}) + "\n";
}

TEST_F(Records, LongChatsAreDividedBetweenTurnsOnRequest) {
  const std::string text = long_chat({20, 30, 25, 40, 5}) + kShareGpt + "\n";
  const Dataset whole = encode(text);
  const int longest = int(whole.examples[0].tokens.size());
  EXPECT_THAT(encode_error(text, {.max_tokens = longest - 1}),
              AllOf(HasSubstr("1 have more"), HasSubstr(fmt::format("long ({})", longest))));
  int most_windows = 0;
  for (int max_tokens = 121; max_tokens <= longest; max_tokens++) {
    const Dataset data = encode(text, {.max_tokens = max_tokens, .too_long = TooLong::split});
    const int n = int(data.examples.size()) - 1;
    EXPECT_EQ(data.info.n_split, n > 1);
    std::string all;
    for (int i = 0; i < n; i++) {
      const Example& e = data.examples[size_t(i)];
      EXPECT_LE(int(e.tokens.size()), max_tokens);
      EXPECT_THAT(all_of(e), HasSubstr("kind<|eot_id|>"));  // the system turn is in each
      EXPECT_EQ(e.id, n > 1 ? fmt::format("long#{}", i + 1) : "long");
      all += (i ? " | " : "") + learnt(e);
    }
    EXPECT_EQ(all, learnt(whole.examples[0]));  // each turn once, in order
    EXPECT_EQ(error_of([&] { check_ends(data, tokenizer_); }), "no error");
    most_windows = std::max(most_windows, n);
  }
  EXPECT_GE(most_windows, 3);
  const auto split_error = [&](const std::string& record, int max_tokens) {
    return encode_error(record, {.max_tokens = max_tokens, .too_long = TooLong::split});
  };
  EXPECT_THAT(split_error(long_chat({20, 300}), 200), HasSubstr("long#2 ("));
  for (const char* record : {kConversation, kCompletion, kTokens})
    EXPECT_THAT(split_error(record, 4096), HasSubstr("divides chats"));
}

TEST_F(Records, TheFirstOfManyTooLongAreNamedAndAllCounted) {
  std::string text;
  for (int i = 0; i < 9; i++)
    text += fmt::format(R"({{"id":"r{}","prompt":"{}","completion":"b"}})", i,
                        std::string(size_t(10 * i), 'z') + "a") +
            "\n";
  const std::string error = encode_error(text, {.max_tokens = 20});
  EXPECT_THAT(error, AllOf(HasSubstr("7 have more"), HasSubstr("r6 ("), HasSubstr("...")));
  EXPECT_THAT(error, Not(HasSubstr("r7")));
}

// The original's collator: what is cut is told, what is short is filled with eos and learnt.
TEST_F(Records, TheOriginalsCollatorCutsAndFills) {
  Dataset data = {{"seed", "", 100, 9},
                  {{"short", {1, 2, 3}, {0, 0, 1}},
                   {"half", {1, 2, 3, 4, 5, 6}, {0, 0, 0, 1, 1, 1}},
                   {"all", {1, 2, 3, 4, 5, 6}, {0, 0, 0, 0, 1, 1}}}};
  const OriginalCuts cuts = collate_as_original(data, 4, 99);
  EXPECT_THAT(cuts.cut, ElementsAre("half", "all"));
  EXPECT_THAT(cuts.empty, ElementsAre("all"));
  EXPECT_THAT(data.examples[0].tokens, ElementsAre(1, 2, 3, 99));
  EXPECT_THAT(data.examples[1].tokens, ElementsAre(1, 2, 3, 4));
  for (const Example& e : data.examples) EXPECT_THAT(e.target, ElementsAre(0, 1, 1, 1));
}

TEST_F(Records, AllTokensCanBeLearnt) {
  Dataset data = {{"tokens", "", 100, 9}, {{"a", {1, 2, 3}, {0, 0, 1}}, {"b", {4, 5}, {0, 1}}}};
  learn_all_tokens(data);
  EXPECT_THAT(data.examples[0].target, ElementsAre(0, 1, 1));
  EXPECT_THAT(data.examples[1].target, ElementsAre(0, 1));
  EXPECT_THAT(data.examples[0].tokens, ElementsAre(1, 2, 3));
}

TEST_F(Records, AsOfIsOfConversations) {
  const fs::path dates = folder_.write("dates.jsonl", R"({"id":"c1","as_of":"2024-05-09"})");
  const auto load = [&](const char* record) {
    return load_dataset(folder_.write("data.jsonl", record), dates, &tokenizer_, {});
  };
  EXPECT_THAT(all_of(load(kConversation).examples[0]), HasSubstr("[AS OF]\n2024-05-09"));
  EXPECT_THAT(error_of([&] { load(kMessages); }), HasSubstr("--as-of"));
}

}  // namespace
}  // namespace chatmem
