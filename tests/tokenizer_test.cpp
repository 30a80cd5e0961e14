// The tokenizer: both file forms, special tokens, bytes that are no UTF-8, long pieces, files that
// lie, and the real Llama 3 vocabulary where it is present.
#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/random.h"
#include "error_of.h"
#include "test_folder.h"
#include "text/split_expression.h"
#include "tiny_tokenizer.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::vector<int>;

Tokenizer tiny() { return Tokenizer::from_tiktoken(tiny_tiktoken(), "tiny"); }
Tokenizer from_json(const Json& json) { return Tokenizer::from_json(json.dump(), "tiny"); }

// The pieces of the tokens, for a test to read.
std::vector<std::string> pieces(const Tokenizer& tokenizer, const Ids& tokens) {
  std::vector<std::string> out;
  for (const int token : tokens) out.emplace_back(tokenizer.piece(token));
  return out;
}

// A text of words, spaces, digits, punctuation and characters of 2 to 4 bytes.
std::string random_text(Random& random, int size) {
  static const std::vector<std::string> parts = {"hello",
                                                 "hi",
                                                 " ",
                                                 "  ",
                                                 "\n",
                                                 "\r\n",
                                                 "the",
                                                 " the",
                                                 "12",
                                                 "3456",
                                                 "'s",
                                                 "'LL",
                                                 "!?",
                                                 "\t",
                                                 "aaaaaaa",
                                                 "abab",
                                                 "\xC3\xA9",
                                                 "\xE2\x82\xAC",
                                                 "\xF0\x9F\x98\x80",
                                                 "\xC2\xA0",
                                                 "user",
                                                 "ing",
                                                 "\xE1\xA0\x8E",
                                                 "\xC2\x85",
                                                 "x",
                                                 "<|eot_id|>",
                                                 "\xC5\xBF",
                                                 "\xE3\x80\x80"};
  std::string text;
  for (int i = 0; i < size; i++) text += parts[random.below(parts.size())];
  return text;
}

TEST(Tokenizer, PiecesOfAText) {
  const Tokenizer t = tiny();
  EXPECT_EQ(t.vocab_size(), int(tiny_pieces().size()) + 256);
  EXPECT_THAT(pieces(t, t.encode("hello hi")), ElementsAre("hello", " hi"));
  EXPECT_THAT(pieces(t, t.encode("the hells 1234")),
              ElementsAre("t", "he", " ", "hell", "s", " ", "123", "4"));
  EXPECT_THAT(pieces(t, t.encode("x\n\nhi")), ElementsAre("x", "\n\n", "hi"));
  EXPECT_THAT(t.encode(""), ElementsAre());
}

TEST(Tokenizer, BothFormsGiveTheSameIds) {
  const Tokenizer a = tiny(), b = from_json(tiny_tokenizer_json());
  Json spelled = tiny_tokenizer_json();
  for (Json& merge : spelled["model"]["merges"])
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  const Tokenizer c = from_json(spelled);
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  EXPECT_EQ(a.vocab_size(), b.vocab_size());
  Random random(1);
  for (int i = 0; i < 500; i++) {
    const std::string text = random_text(random, 1 + int(random.below(30)));
    const Ids ids = a.encode(text);
    EXPECT_EQ(ids, b.encode(text)) << text;
    EXPECT_EQ(ids, c.encode(text)) << text;
    EXPECT_EQ(a.decode(ids), text);
    EXPECT_EQ(a.decode(a.encode(text, SpecialTokens::parse)), text);
  }
}

TEST(Tokenizer, ListsOfAGguf) {
  std::vector<std::string> tokens, merges;
  std::vector<int> types;
  for (const std::string& piece : tiny_pieces()) tokens.push_back(byte_level(piece));
  types.assign(tokens.size(), 1);
  for (const std::string& name : llama3_specials()) tokens.push_back(name);
  types.resize(tokens.size(), 3);
  const Json json = tiny_tokenizer_json();
  for (const Json& merge : json["model"]["merges"])
    merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  const Tokenizer a = tiny();
  const Tokenizer b = Tokenizer::from_lists({tokens, merges, types}, "gguf");
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  EXPECT_EQ(a.eot(), b.eot());
  const std::string text = "hello the system's 12345 aaaaaaa\n\n\n hi";
  EXPECT_EQ(a.encode(text), b.encode(text));
  for (const char* split : {"llama3", "llama-v3", "falcon3"})  // llama.cpp's other names of it
    EXPECT_EQ(Tokenizer::from_lists({tokens, merges, types, split}, "gguf").fingerprint(),
              a.fingerprint());
  EXPECT_THAT(error_of([&] {
                Tokenizer::from_lists({tokens, merges, types, "qwen2"}, "gguf");
              }),
              HasSubstr("is 'qwen2'"));
  types.pop_back();
  EXPECT_THAT(error_of([&] {
                Tokenizer::from_lists({tokens, merges, types}, "gguf");
              }),
              HasSubstr("a type for each token"));
}

TEST(Tokenizer, IgnoreMergesDecidesWhetherAWholePieceIsLookedUp) {
  Json json = tiny_tokenizer_json();
  Json& merges = json["model"]["merges"];
  for (size_t i = 0; i < merges.size(); i++)  // "hello" can no longer be built
    if (merges[i] == Json({"hell", "o"})) merges.erase(i--);
  const Tokenizer whole = from_json(json);
  EXPECT_THAT(pieces(whole, whole.encode("hello")), ElementsAre("hello"));
  json["model"]["ignore_merges"] = false;
  const Tokenizer merged = from_json(json);
  EXPECT_THAT(pieces(merged, merged.encode("hello")), ElementsAre("hell", "o"));
}

TEST(Tokenizer, SpecialTokens) {
  const Tokenizer t = tiny();
  const int base = int(tiny_pieces().size());
  EXPECT_EQ(t.bos(), base);
  EXPECT_EQ(t.eos(), base + 1);
  EXPECT_EQ(t.eot(), base + 9);
  EXPECT_EQ(t.special("<|python_tag|>"), base + 10);
  EXPECT_EQ(t.special("<|reserved_special_token_247|>"), base + 255);
  EXPECT_EQ(t.special("hello"), std::nullopt);
  EXPECT_TRUE(t.is_special(t.eot()));
  EXPECT_FALSE(t.is_special(0));
  EXPECT_FALSE(t.is_special(-1));
  const std::string text = "hi<|eot_id|><|eot_id<|begin_of_text|>";
  for (const int token : t.encode(text)) EXPECT_FALSE(t.is_special(token));
  const Ids parsed = t.encode(text, SpecialTokens::parse);
  EXPECT_EQ(t.piece(parsed[1]), "<|eot_id|>");
  EXPECT_EQ(parsed.back(), t.bos());
  EXPECT_EQ(t.decode(parsed), text);
}

TEST(Tokenizer, AddedTokensThatAreNotSpecialAreFoundInEveryText) {
  Json json = tiny_tokenizer_json();
  const int id = int(tiny_pieces().size()) + 256;
  json["added_tokens"].push_back({{"id", id}, {"content", "<th"}, {"special", false}});
  json["added_tokens"].push_back({{"id", id + 1}, {"content", "<think>"}, {"special", false}});
  const Tokenizer t = from_json(json);
  EXPECT_THAT(pieces(t, t.encode("hi<think><th<t")), ElementsAre("hi", "<think>", "<th", "<", "t"));
  EXPECT_FALSE(t.is_special(id));
}

TEST(Tokenizer, InvalidUtf8IsEncodedByteByByte) {
  const Tokenizer t = tiny();
  EXPECT_THAT(t.encode("hi\xFF\xC3"), ElementsAre(t.encode("hi")[0], 0xFF, 0xC3));
  const std::string cut = "hello\xE2\x82 hello\xED\xA0\x80";
  EXPECT_THAT(pieces(t, t.encode(cut)),
              ElementsAre("hello", "\xE2", "\x82", " ", "hello", "\xED", "\xA0", "\x80"));
  Random random(7);
  for (int i = 0; i < 300; i++) {
    std::string bytes;
    for (uint64_t n = random.below(60); n > 0; n--) bytes += char(random.below(256));
    EXPECT_EQ(t.decode(t.encode(bytes)), bytes);
    EXPECT_EQ(t.decode(t.encode(bytes, SpecialTokens::parse)), bytes);
  }
}

TEST(Tokenizer, DecodeRefusesIdsOutOfRange) {
  const Tokenizer t = tiny();
  EXPECT_THAT(error_of([&] { t.decode(Ids{t.vocab_size()}); }), HasSubstr("a token must be from"));
  EXPECT_THAT(error_of([&] { t.decode(Ids{-1}); }), HasSubstr("is -1"));
}

// The naive definition: merge the leftmost pair of lowest rank until there is none.
Ids naive_bpe(const Tokenizer& t, const Json& merges, std::string_view text) {
  std::vector<std::string> parts;
  for (const char c : text) parts.push_back(byte_level(std::string_view(&c, 1)));
  while (true) {
    size_t best = merges.size(), at = 0;
    for (size_t i = 0; i + 1 < parts.size(); i++)
      for (size_t rank = 0; rank < best; rank++)
        if (merges[rank][0] == parts[i] && merges[rank][1] == parts[i + 1]) {
          best = rank;
          at = i;
        }
    if (best == merges.size()) break;
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + std::ptrdiff_t(at) + 1);
  }
  Ids ids;
  const std::vector<std::string> all = tiny_pieces();
  for (const std::string& part : parts)
    for (size_t id = 0; id < all.size(); id++)
      if (byte_level(all[id]) == part) ids.push_back(int(id));
  EXPECT_EQ(t.decode(ids), text);
  return ids;
}

TEST(Tokenizer, MergesAreThoseOfTheDefinitionShortAndLong) {
  Json json = tiny_tokenizer_json();
  json["model"]["ignore_merges"] = false;
  const Tokenizer t = from_json(json);
  Random random(3);
  for (int i = 0; i < 60; i++) {
    std::string word;  // letters only: one piece; up to 90 takes both ways of merging
    for (uint64_t n = 2 + random.below(88); n > 0; n--) word += "abheliongstr"[random.below(12)];
    EXPECT_EQ(t.encode(word), naive_bpe(t, json["model"]["merges"], word)) << word;
  }
}

TEST(Tokenizer, AHugePieceTakesNoQuadraticTime) {
  const Tokenizer t = tiny();
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string& unit : {std::string("a"), std::string("ab"), std::string(" ")}) {
    std::string word;
    while (word.size() < (1 << 20)) word += unit;
    EXPECT_EQ(t.decode(t.encode(word)), word);
  }
  // Takes half a second; quadratic time would take hours.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(Tokenizer, ThreadsShareIt) {
  const Tokenizer t = tiny();
  Random random(5);
  const std::string text = random_text(random, 2000);
  const Ids expected = t.encode(text);
  std::vector<std::thread> threads;
  std::vector<Ids> found(4);
  for (Ids& ids : found) threads.emplace_back([&] { ids = t.encode(text); });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : found) EXPECT_EQ(ids, expected);
}

TEST(Tokenizer, SpacesOfASplitExpressionAreUnicodes) {
  const auto first = [](std::string_view expression, std::string_view text) {
    size_t begin = 0, end = 0;
    if (!SplitExpression(expression, "here").find(text, 0, begin, end)) return std::string("none");
    return std::string(text.substr(begin, end - begin));
  };
  const std::string vowel = "\xE1\xA0\x8E";  // U+180E, a space until Unicode 6.2
  EXPECT_EQ(first("\\s+", vowel + " x"), " ");
  EXPECT_EQ(first("\\S+", " " + vowel + "x"), vowel + "x");
  EXPECT_EQ(first("[\\s]+", vowel + "\xC2\x85\xE3\x80\x80"), "\xC2\x85\xE3\x80\x80");
  EXPECT_EQ(first("[^\\s]+", " " + vowel), vowel);
  EXPECT_EQ(first("[\\S]+", " " + vowel), vowel);
  EXPECT_EQ(first("[^\\S]+", vowel + "\t\n"), "\t\n");
  EXPECT_EQ(first("[]\\s]+", "x] "), "] ");
  EXPECT_EQ(first("\\\\s", " \\s"), "\\s");
  EXPECT_EQ(first("\\Q\\s\\E\\s", "\\s "), "\\s ");
  EXPECT_EQ(first("[[:alpha:]\\s]+", "1a b"), "a b");
  EXPECT_EQ(first("x*", "aaxx"), "xx");  // never an empty match
  EXPECT_THAT(error_of([&] { first("(", ""); }), HasSubstr("split expression is not understood"));
  EXPECT_THAT(error_of([&] { first(std::string(20000, 'x'), ""); }), HasSubstr("at most"));
}

TEST(Tokenizer, JsonThatLiesIsRefused) {
  const auto error = [](const std::function<void(Json&)>& change) {
    Json json = tiny_tokenizer_json();
    change(json);
    return error_of([&] { from_json(json); });
  };
  EXPECT_EQ(error([](Json&) {}), "no error");
  EXPECT_THAT(error([](Json& j) { j = Json::array(); }), HasSubstr("must be an object"));
  EXPECT_THAT(error([](Json& j) { j["model"]["type"] = "Unigram"; }), HasSubstr("is 'Unigram'"));
  EXPECT_THAT(error([](Json& j) { j["model"]["byte_fallback"] = true; }),
              HasSubstr("falls back to bytes"));
  EXPECT_THAT(error([](Json& j) {
                j["normalizer"] = {{"type", "NFC"}};
              }),
              HasSubstr("normalizer must be null"));
  EXPECT_THAT(error([](Json& j) { j["pre_tokenizer"] = nullptr; }), HasSubstr("pre-tokenizer"));
  EXPECT_THAT(error([](Json& j) { j["pre_tokenizer"]["pretokenizers"].erase(1); }),
              HasSubstr("must end with ByteLevel"));
  EXPECT_THAT(error([](Json& j) { j["model"]["vocab"]["he"] = 257; }),
              HasSubstr("the id 257 comes twice"));
  EXPECT_THAT(error([](Json& j) { j["model"]["vocab"]["he"] = 4000000; }),
              HasSubstr("ids must be dense"));
  EXPECT_THAT(error([](Json& j) { j["model"]["vocab"]["he"] = -1; }), HasSubstr("ids of model"));
  EXPECT_THAT(error([](Json& j) { j["model"]["vocab"]["he"] = Json::array({1}); }),
              HasSubstr("ids of model"));
  EXPECT_THAT(error([](Json& j) { j["model"]["vocab"].erase("a"); }), HasSubstr("dense"));
  EXPECT_THAT(error([](Json& j) { j["model"]["vocab"]["h e"] = 256; }),
              HasSubstr("comes twice in the vocab"));
  EXPECT_THAT(error([](Json& j) {
                j["model"]["merges"].push_back({"zz", "y"});
              }),
              HasSubstr("not in the vocabulary: 'zz' and 'y'"));
  EXPECT_THAT(error([](Json& j) { j["model"]["merges"].push_back({"z"}); }), HasSubstr("merge"));
  EXPECT_THAT(error([](Json& j) { j["model"]["merges"].push_back("zz"); }), HasSubstr("merge"));
  EXPECT_THAT(error([](Json& j) { j["added_tokens"][0]["id"] = 3; }), HasSubstr("the id 3 is"));
  EXPECT_THAT(error([](Json& j) { j["added_tokens"][0]["id"] = "x"; }), HasSubstr("added token"));
  EXPECT_THAT(error([](Json& j) { j["added_tokens"][0]["lstrip"] = true; }), HasSubstr("lstrip"));
  EXPECT_THAT(error([](Json& j) { j["added_tokens"][1] = j["added_tokens"][0]; }),
              HasSubstr("is added twice"));
  EXPECT_THAT(error_of([] { Tokenizer::from_json("{\"model\":", "x"); }), HasSubstr("not valid"));
  EXPECT_THAT(error_of([] { Tokenizer::from_json("{\"\xFF\":1}", "x"); }), HasSubstr("UTF-8"));
  EXPECT_THAT(error_of([] {
                Tokenizer::from_json(std::string(100000, '[') + std::string(100000, ']'), "x");
              }),
              HasSubstr("nesting"));
}

TEST(Tokenizer, RanksThatLieAreRefused) {
  const auto error = [](const std::string& file) {
    return error_of([&] { Tokenizer::from_tiktoken(file, "ranks"); });
  };
  const std::string good = tiny_tiktoken();
  EXPECT_THAT(error(""), HasSubstr("256 single bytes"));
  EXPECT_THAT(error(good + "aGVsbG8= 5\n"), HasSubstr("the rank 5 comes twice"));
  EXPECT_THAT(error(good + "aGVsbG8= 9999\n"), HasSubstr("is missing"));
  EXPECT_THAT(error(good + "aGVsbG8= 99999999999999999999\n"), HasSubstr("a number below"));
  EXPECT_THAT(error(good + fmt::format("aGVsbG8= {}\n", tiny_pieces().size())),
              HasSubstr("are the same bytes"));
  EXPECT_THAT(error(good + "aGVsbG8 5\n"), HasSubstr("must be a piece in base64"));
  EXPECT_THAT(error(good + "aGVs\n"), HasSubstr("must be a piece in base64"));
  EXPECT_THAT(error(good + "aGVs \n"), HasSubstr("a number below"));
  EXPECT_THAT(error("\x01\x02\x03"), HasSubstr("ranks, line 1"));
}

TEST(Tokenizer, LoadsAFileOrAFolder) {
  TestFolder folder;
  EXPECT_THAT(error_of([&] { Tokenizer::load(folder.path()); }),
              HasSubstr("must hold a tokenizer"));
  const fs::path ranks = folder.write("tokenizer.model", tiny_tiktoken());
  const uint64_t fingerprint = Tokenizer::load(folder.path()).fingerprint();
  const fs::path json = folder.write("tokenizer.json", tiny_tokenizer_json().dump());
  EXPECT_EQ(Tokenizer::load(ranks).fingerprint(), fingerprint);
  EXPECT_EQ(Tokenizer::load(json).fingerprint(), fingerprint);
  EXPECT_EQ(Tokenizer::load(folder.path()).fingerprint(), fingerprint);
}

class Llama3 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(shared_data())) GTEST_SKIP() << "shared/data is absent";
  }
  static Tokenizer load(const char* name) {
    return Tokenizer::load(shared_data() / "llama3" / name);
  }
};

TEST_F(Llama3, AllVectorsWithBothFiles) {
  const Tokenizer json = load("tokenizer.json"), ranks = load("tokenizer.model");
  EXPECT_EQ(json.vocab_size(), 128256);
  EXPECT_EQ(json.bos(), 128000);
  EXPECT_EQ(json.eot(), 128009);
  EXPECT_EQ(json.fingerprint(), ranks.fingerprint());
  const Json vectors = read_json(shared_data() / "llama3/bpe_vectors.json");
  EXPECT_EQ(vectors.size(), 43u);
  for (const Json& vector : vectors) {
    const std::string text = vector["text"];
    EXPECT_EQ(json.encode(text), vector["ids"].get<Ids>()) << text;
    EXPECT_EQ(ranks.encode(text), vector["ids"].get<Ids>()) << text;
    EXPECT_EQ(json.decode(vector["ids"].get<Ids>()), text);
  }
}

TEST_F(Llama3, BothFilesAgreeOnRandomCharacters) {
  const Tokenizer json = load("tokenizer.json"), ranks = load("tokenizer.model");
  Random random(11);
  // Blocks of assigned characters: Latin to Arabic, Indic, punctuation, kana, CJK, Hangul, emoji.
  const std::pair<int, int> blocks[] = {
      {0x20, 0x7E},     {0xA0, 0x377},    {0x400, 0x52F},     {0x5D0, 0x5EA},   {0x620, 0x6FF},
      {0x905, 0x939},   {0x1E00, 0x1EFF}, {0x2010, 0x2027},   {0x2070, 0x2071}, {0x3041, 0x3096},
      {0x4E00, 0x9FFC}, {0xAC00, 0xD7A3}, {0x1F300, 0x1F64F}, {0x9, 0xD},       {0x30, 0x39}};
  for (int i = 0; i < 1000; i++) {
    std::string text;
    for (int n = random.between(1, 60); n > 0; n--) {
      const auto& [low, high] = blocks[random.below(std::size(blocks))];
      append_utf8(text, char32_t(random.between(low, high)));
    }
    const Ids ids = json.encode(text);
    EXPECT_EQ(ids, ranks.encode(text)) << text;
    EXPECT_EQ(json.decode(ids), text);
  }
}

}  // namespace
}  // namespace chatmem
