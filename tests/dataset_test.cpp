// Training examples: encoded, written to shards and read back, split and packed.
#include "train/dataset.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "error_of.h"
#include "format/safetensors.h"
#include "test_folder.h"
#include "text/tokenizer.h"
#include "tiny_tokenizer.h"
#include "train/encode.h"

namespace chatmem {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Conversation conversation(const std::string& id, const std::string& text) {
  Conversation c;
  c.id = id;
  c.start_date = c.end_date = "2024-05-01";
  c.as_of = parse_date("2024-05-03");
  c.messages = {{"2024-05-01 10:00", "You: hello " + text}, {"2024-05-01 10:01", "Ann: hi"}};
  c.summary = "You said hello, the system " + text;
  return c;
}

Tokenizer tokenizer() { return Tokenizer::from_tiktoken(tiny_tiktoken(), "tiny"); }

Dataset encode_all(std::vector<Conversation> conversations, const Tokenizer& t,
                   const EncodeRules& rules = {}) {
  return encode_records(std::move(conversations), &t, rules);
}

Example example(const std::string& id, std::vector<int> tokens, int n_targets = 1) {
  Example e{id, std::move(tokens), {}};
  e.target.resize(e.tokens.size());
  std::fill(e.target.end() - n_targets, e.target.end(), uint8_t(1));
  return e;
}

// n examples of 2 to 40 tokens below 100.
Dataset random_dataset(int n, uint64_t seed = 1) {
  Dataset data{{"temporal", "0123456789abcdef", 100, 40}, {}};
  Random random(seed);
  for (int i = 0; i < n; i++) {
    std::vector<int> tokens(size_t(random.between(2, 40)));
    for (int& token : tokens) token = int(random.below(100));
    const int most = int(tokens.size()) - 1;
    data.examples.push_back(example(fmt::format("e{}", i), tokens, random.between(1, most)));
  }
  return data;
}

std::vector<std::string> ids(const Dataset& data) {
  std::vector<std::string> all;
  for (const Example& e : data.examples) all.push_back(e.id);
  std::sort(all.begin(), all.end());
  return all;
}

TEST(Encode, TheSummaryAndItsEndAreTheTargets) {
  const Tokenizer t = tokenizer();
  const Conversation c = conversation("c1", "there");
  const Dataset data = encode_all({c}, t);
  ASSERT_EQ(data.examples.size(), 1u);
  const Example& e = data.examples[0];
  EXPECT_EQ(e.id, "c1");
  EXPECT_EQ(data.info.prompt_template, "temporal");
  EXPECT_EQ(data.info.vocab_size, t.vocab_size());
  EXPECT_EQ(data.info.tokenizer, fmt::format("{:016x}", t.fingerprint()));
  const auto begin = std::find(e.target.begin(), e.target.end(), 1) - e.target.begin();
  EXPECT_EQ(e.n_targets(), int(e.tokens.size()) - int(begin));  // one piece, to the end
  EXPECT_EQ(t.decode(std::vector<int>(e.tokens.begin() + begin, e.tokens.end())),
            c.summary + "<|eot_id|>");
  const std::string prompt = t.decode(std::vector<int>(e.tokens.begin(), e.tokens.begin() + begin));
  EXPECT_THAT(prompt, AllOf(HasSubstr("You: hello there"), HasSubstr("assistant")));
}

TEST(Encode, TooLongIsRefusedByNameAndLength) {
  const std::vector<Conversation> all = {conversation("short", "a"),
                                         conversation("long one", std::string(4000, 'x')),
                                         conversation("other", std::string(5000, 'y'))};
  const std::string error = error_of([&] { encode_all(all, tokenizer(), {.max_tokens = 3000}); });
  EXPECT_THAT(error, AllOf(HasSubstr("at most 3000"), HasSubstr("2 have more"),
                           HasSubstr("long one ("), HasSubstr("other (")));
  EXPECT_THAT(error, Not(HasSubstr("short")));
}

TEST(Encode, WithoutSummaryOrMessagesIsRefusedByName) {
  Conversation none = conversation("c7", "a");
  none.summary.clear();
  for (const PromptTemplate which : {PromptTemplate::temporal, PromptTemplate::seed})
    EXPECT_THAT(error_of([&] { encode_all({none}, tokenizer(), {.which = which}); }),
                AllOf(HasSubstr("c7"), HasSubstr("summary")));
  Conversation empty = conversation("c8", "a");
  empty.messages.clear();
  EXPECT_THAT(error_of([&] { encode_all({empty}, tokenizer()); }), HasSubstr("c8"));
}

void expect_same(const Dataset& a, const Dataset& b) {
  EXPECT_EQ(a.info.prompt_template, b.info.prompt_template);
  EXPECT_EQ(a.info.tokenizer, b.info.tokenizer);
  EXPECT_EQ(a.info.vocab_size, b.info.vocab_size);
  EXPECT_EQ(a.info.max_tokens, b.info.max_tokens);
  ASSERT_EQ(a.examples.size(), b.examples.size());
  for (size_t i = 0; i < a.examples.size(); i++) {
    EXPECT_EQ(a.examples[i].id, b.examples[i].id);
    EXPECT_EQ(a.examples[i].tokens, b.examples[i].tokens);
    EXPECT_EQ(a.examples[i].target, b.examples[i].target);
  }
}

TEST(Shards, ReadBackAsWrittenInOneOrMany) {
  const Dataset data = random_dataset(50);
  for (const size_t shard_tokens : {size_t(1) << 24, size_t(100), size_t(1)}) {
    TestFolder folder;
    write_dataset(folder.path(), data, shard_tokens);
    expect_same(read_dataset(folder.path()), data);
    const Json json = read_json(folder.path() / "dataset.json");
    EXPECT_EQ(json["shards"].size() == 1, shard_tokens > 1000);
    EXPECT_EQ(json["shards"].size() == 50, shard_tokens == 1);
  }
  TestFolder folder;
  write_dataset(folder.path(), {data.info, {}});
  expect_same(read_dataset(folder.path()), {data.info, {}});
}

TEST(Shards, ALaterDatasetReplacesALargerOne) {
  TestFolder folder;
  write_dataset(folder.path(), random_dataset(50), 100);
  const Dataset small = random_dataset(3, 2);
  write_dataset(folder.path(), small);
  expect_same(read_dataset(folder.path()), small);
  EXPECT_FALSE(fs::exists(folder.path() / "shard-00001.safetensors"));
}

class CorruptTest : public ::testing::Test {
 protected:
  CorruptTest() {
    write_dataset(folder_.path(), data_, 200);
    original_json_ = read_file(folder_.path() / "dataset.json");
  }
  std::string read_error() {
    return error_of([&] { read_dataset(folder_.path()); });
  }
  // The error after dataset.json was changed.
  std::string changed(const std::function<void(Json&)>& change) {
    Json json = parse_json(original_json_, "test");
    change(json);
    folder_.write("dataset.json", dump_json(json));
    return read_error();
  }
  Dataset data_ = random_dataset(20);
  TestFolder folder_;
  std::string original_json_;
};

TEST_F(CorruptTest, DatasetJsonIsRefusedByName) {
  ASSERT_GT(parse_json(original_json_, "test")["shards"].size(), 1u);
  for (const char* key : {"format", "template", "tokenizer", "vocab_size", "max_tokens", "examples",
                          "tokens", "target_tokens", "shards"}) {
    EXPECT_THAT(changed([&](Json& j) { j.erase(key); }),
                AllOf(HasSubstr("dataset.json"), HasSubstr(key)));
    EXPECT_THAT(changed([&](Json& j) { j[key] = Json::object(); }), HasSubstr("dataset.json"));
  }
  for (const char* key : {"file", "hash", "ids"})
    EXPECT_THAT(changed([&](Json& j) { j["shards"][0].erase(key); }),
                AllOf(HasSubstr("dataset.json"), HasSubstr(key)));
  EXPECT_THAT(changed([](Json& j) { j["format"] = "other"; }), HasSubstr("format must be"));
  EXPECT_THAT(changed([](Json& j) { j["vocab_size"] = 0; }), HasSubstr("vocab_size"));
  EXPECT_THAT(changed([](Json& j) { j["vocab_size"] = 1LL << 40; }), HasSubstr("vocab_size"));
  EXPECT_THAT(changed([](Json& j) { j["vocab_size"] = 50; }), HasSubstr("outside the vocabulary"));
  EXPECT_THAT(changed([](Json& j) { j["max_tokens"] = 10; }), HasSubstr("at most 10 tokens"));
  EXPECT_THAT(changed([](Json& j) { j["examples"] = 19; }), HasSubstr("what it counts"));
  EXPECT_THAT(changed([](Json& j) { j["shards"].erase(j["shards"].size() - 1); }),
              HasSubstr("what it counts"));
  EXPECT_THAT(changed([](Json& j) { j["shards"][0]["file"] = "../x"; }),
              AllOf(HasSubstr("dataset.json"), HasSubstr("../x")));
  EXPECT_THAT(changed([](Json& j) { std::swap(j["shards"][0], j["shards"][1]); }),
              HasSubstr("dataset.json"));
  EXPECT_THAT(changed([](Json& j) { j["shards"][0]["ids"].push_back("x"); }), HasSubstr("ids"));
  EXPECT_THAT(changed([](Json& j) { j["shards"][0]["ids"][0] = 4; }), HasSubstr("strings"));
  EXPECT_THAT(changed([](Json& j) { j["shards"][0]["hash"] = "0"; }), HasSubstr("shard-00000"));
  for (size_t size = 0; size < original_json_.size(); size += 97) {
    folder_.write("dataset.json", original_json_.substr(0, size));
    EXPECT_THAT(read_error(), HasSubstr("dataset.json"));
  }
  folder_.write("dataset.json", original_json_);
  expect_same(read_dataset(folder_.path()), data_);
}

TEST_F(CorruptTest, EveryChangedByteOfAShardIsRefusedByName) {
  const std::string name = "shard-00001.safetensors", bytes = read_file(folder_.path() / name);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    std::string changed_bytes = bytes;
    changed_bytes[i] = char(changed_bytes[i] ^ 0x10);
    folder_.write(name, changed_bytes);
    const std::string error = read_error();
    // A byte of the metadata or a space in the header changes nothing that is read.
    if (error == "no error")
      EXPECT_LT(i, bytes.size() - 200) << i;
    else
      EXPECT_THAT(error, HasSubstr(name)) << i;
  }
  for (size_t size = 0; size < bytes.size(); size += 41) {
    folder_.write(name, bytes.substr(0, size));
    EXPECT_THAT(read_error(), HasSubstr(name)) << size;
  }
  fs::remove(folder_.path() / name);
  EXPECT_THAT(read_error(), HasSubstr(name));
}

// A shard whose hash is right and whose content is not: from another writer.
TEST(Shards, InconsistentContentIsRefusedByName) {
  struct Shard {
    std::vector<int32_t> tokens = {1, 2, 3, 4};
    std::vector<uint8_t> mask = {0, 1, 0, 1};
    std::vector<int64_t> offsets = {0, 2, 4};
  };
  const auto error_with = [](const std::function<void(Shard&)>& change) {
    Shard s;
    change(s);
    TestFolder folder;
    Dataset one{{"temporal", "0", 5, 10}, {example("a", {1, 2}), example("b", {3, 4})}};
    write_dataset(folder.path(), one);
    const auto info = [](const auto& v, DType dtype) {
      return TensorInfo{dtype, {int64_t(v.size())}, std::as_bytes(std::span(v))};
    };
    write_safetensors(folder.path() / "shard-00000.safetensors",
                      {{"tokens", info(s.tokens, DType::i32)},
                       {"loss_mask", info(s.mask, DType::u8)},
                       {"offsets", info(s.offsets, DType::i64)}});
    uint64_t hash = 0xCBF29CE484222325ull;
    const auto add = [&](const auto& v) {
      for (const std::byte b : std::as_bytes(std::span(v)))
        hash = (hash ^ uint8_t(b)) * 0x100000001B3ull;
    };
    add(s.tokens), add(s.mask), add(s.offsets);
    Json json = read_json(folder.path() / "dataset.json");
    json["shards"][0]["hash"] = fmt::format("{:016x}", hash);
    folder.write("dataset.json", dump_json(json));
    return error_of([&] { read_dataset(folder.path()); });
  };
  EXPECT_EQ(error_with([](Shard&) {}), "no error");
  const auto named = [](const char* what) {
    return AllOf(HasSubstr("shard-00000.safetensors"), HasSubstr(what));
  };
  EXPECT_THAT(error_with([](Shard& s) { s.tokens[1] = 5; }), named("token 5"));
  EXPECT_THAT(error_with([](Shard& s) { s.tokens[1] = -1; }), named("token -1"));
  EXPECT_THAT(error_with([](Shard& s) { s.mask[1] = 2; }), named("mask"));
  EXPECT_THAT(error_with([](Shard& s) { s.mask.pop_back(); }), named("must fit"));
  EXPECT_THAT(error_with([](Shard& s) { s.offsets = {}; }), named("must fit"));
  EXPECT_THAT(error_with([](Shard& s) { s.offsets = {0, 4}; }), named("must fit"));
  EXPECT_THAT(error_with([](Shard& s) { s.offsets = {0, 5, 4}; }), named("must fit"));
  EXPECT_THAT(error_with([](Shard& s) { s.offsets = {-2, 2, 4}; }), named("must fit"));
  EXPECT_THAT(error_with([](Shard& s) { s.offsets = {0, -2, 4}; }), named("must fit"));
  EXPECT_THAT(error_with([](Shard& s) { s.offsets = {0, 2, 3}; }), named("must fit"));
}

TEST(Split, IsTheSameWhateverTheOrder) {
  Dataset data = random_dataset(200);
  Dataset other = data;
  Random random(9);
  random.shuffle(std::span(other.examples));
  const Dataset held = split_validation(data, 0.1), other_held = split_validation(other, 0.1);
  EXPECT_EQ(held.examples.size(), 20u);
  EXPECT_EQ(data.examples.size(), 180u);
  EXPECT_EQ(ids(held), ids(other_held));
  EXPECT_EQ(ids(data), ids(other));
  EXPECT_EQ(held.info.vocab_size, 100);
}

TEST(Split, EqualExamplesGoToOneSide) {
  Dataset data;
  for (int i = 0; i < 120; i++)
    data.examples.push_back(example(fmt::format("e{}", i), {i % 12, 1, 2}));
  const Dataset held = split_validation(data, 0.25);
  EXPECT_GE(held.examples.size(), 20u);
  EXPECT_LE(held.examples.size(), 40u);
  EXPECT_EQ(held.examples.size() + data.examples.size(), 120u);
  std::set<int> kinds;
  for (const Example& e : held.examples) kinds.insert(e.tokens[0]);
  for (const Example& e : data.examples) EXPECT_FALSE(kinds.contains(e.tokens[0])) << e.id;
}

TEST(Split, NothingOrEverythingTakesNothing) {
  for (const double share : {0.0, 1.0}) {
    Dataset data = random_dataset(10);
    EXPECT_THAT(split_validation(data, share).examples, IsEmpty());
    EXPECT_EQ(data.examples.size(), 10u);
  }
}

TEST(Pack, EveryExampleOnceWithinTheCapacity) {
  const Dataset data = random_dataset(300);
  for (const int capacity : {40, 64, 1000}) {
    std::vector<int> seen;
    const auto bins = pack(data, capacity, Packing::on);
    int64_t all = 0;
    for (const auto& bin : bins) {
      int n = 0;
      for (const int i : bin) n += int(data.examples[size_t(i)].tokens.size());
      EXPECT_LE(n, capacity);
      EXPECT_FALSE(bin.empty());
      all += n;
      seen.insert(seen.end(), bin.begin(), bin.end());
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(seen.size(), 300u);
    for (int i = 0; i < 300; i++) EXPECT_EQ(seen[size_t(i)], i);
    // Best fit decreasing needs at most 11/9 of the fewest bins, and one (Johnson 1974).
    const double fewest = std::ceil(double(all) / capacity);
    EXPECT_LE(double(bins.size()), fewest * 11 / 9 + 1) << capacity;
  }
  EXPECT_EQ(pack(data, 40, Packing::off).size(), 300u);
}

TEST(Pack, IsBestFitDecreasing) {
  Dataset data;
  for (const int n : {3, 7, 6, 4, 2})
    data.examples.push_back(example(fmt::format("{}", n), std::vector<int>(size_t(n))));
  // 7; 6; 4 fits beside 6; 3 beside 7; 2 nowhere.
  EXPECT_THAT(pack(data, 10, Packing::on),
              ElementsAre(ElementsAre(1, 0), ElementsAre(2, 3), ElementsAre(4)));
  EXPECT_THAT(
      pack(data, 10, Packing::off),
      ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2), ElementsAre(3), ElementsAre(4)));
  EXPECT_THAT(pack({}, 10, Packing::on), IsEmpty());
}

TEST(Statistics, CountsAndPercentiles) {
  Dataset data;
  for (int n = 1; n <= 100; n++)
    data.examples.push_back(
        example(fmt::format("{}", n), std::vector<int>(size_t(n + 10)), (n + 1) / 2));
  const DatasetStatistics s = statistics(data);
  EXPECT_EQ(s.n_examples, 100);
  EXPECT_EQ(s.n_tokens, 5050 + 1000);
  EXPECT_EQ(s.n_targets, 2 * 1275);
  EXPECT_EQ(s.tokens.min, 11);
  EXPECT_EQ(s.tokens.median, 60);
  EXPECT_EQ(s.tokens.p95, 105);
  EXPECT_EQ(s.tokens.max, 110);
  EXPECT_EQ(s.targets.max, 50);
  EXPECT_EQ(statistics({}).tokens.max, 0);
}

}  // namespace
}  // namespace chatmem
