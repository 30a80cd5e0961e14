// What tokens cost: sums worked out by hand, and bounds against what can be bought within them.
#include "llm/prices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/date.h"
#include "base/error.h"
#include "base/random.h"
#include "error_of.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

Price price_of(const std::string& model) { return PriceList::built_in().find(model).value(); }

TEST(Prices, TheBuiltInListIsTheFile) {
  const PriceList list = PriceList::built_in();
  const fs::path file = fs::path(CHATMEM_SOURCE_DIR) / "src/llm/prices.json";
  std::vector<std::string> names;
  const Json json = read_json(file);
  for (const auto& [model, price] : json["models"].items()) names.push_back(model);
  EXPECT_EQ(list.models(), names);
  EXPECT_THAT(names, UnorderedElementsAre("claude-haiku-5-5", "claude-sonnet-5-5",
                                          "claude-opus-5-5", "claude-fable-5-1"));
  for (const std::string& model : names) {
    EXPECT_TRUE(parse_date(list.find(model)->as_of)) << model;
    EXPECT_EQ(list.find(model)->batch, 0.5) << model;
  }
}

TEST(Prices, ModelsAreFoundByNameOrDatedName) {
  const PriceList list = PriceList::built_in();
  EXPECT_EQ(list.find("claude-haiku-5-5-20261001")->input, 0.10);
  EXPECT_EQ(list.find("claude-opus-5-5")->output, 20);
  for (const char* unknown : {"", "claude-haiku-5", "claude-haiku-5-5-2026100", "20261001",
                              "claude-haiku-5-5-2026100x", "claude-haiku-5-5-mini", "-20261001",
                              "claude-sonnet-4-6", "claude-haiku-5-5-20261001-20261001"})
    EXPECT_FALSE(list.find(unknown)) << unknown;
}

TEST(Prices, CostsOfAnswers) {
  const Price haiku = price_of("claude-haiku-5-5");
  EXPECT_DOUBLE_EQ(haiku.cost_usd({.input = 1'000'000 / 10, .output = 2000}, false),
                   0.01 + 0.001);  // 100k tokens are not above 100k
  EXPECT_DOUBLE_EQ(haiku.cost_usd({.input = 1000, .output = 2000}, true), (0.0001 + 0.001) / 2);
  EXPECT_DOUBLE_EQ(haiku.cost_usd({.cache_write = 10'000, .cache_read = 40'000}, false),
                   0.00125 + 0.0004);
  // Above 100,000 tokens, cached ones included, all of it costs five times as much.
  EXPECT_DOUBLE_EQ(haiku.cost_usd({.input = 1, .cache_read = 100'000, .output = 1000}, false),
                   0.5e-6 + 0.005 + 0.0025);
  EXPECT_DOUBLE_EQ(price_of("claude-sonnet-5-5").cost_usd({.cache_read = 1'000'000}, false), 0.1);
  EXPECT_DOUBLE_EQ(price_of("claude-fable-5-1").cost_usd({.cache_read = 1'000'000}, false), 0.25);
  EXPECT_EQ(haiku.cost_usd({}, false), 0);
}

TEST(Prices, NoAnswerCostsMoreThanItsBound) {
  const Price haiku = price_of("claude-haiku-5-5");
  EXPECT_DOUBLE_EQ(haiku.bound_usd(1000, 2000, false), 0.000125 + 0.001);
  EXPECT_DOUBLE_EQ(haiku.bound_usd(200'000, 0, true), 200'000 * 1.25 * 0.5e-6 / 2);
  // Prices that no list has, such as long prompts that are cheaper.
  const Price odd = {.input = 9,
                     .output = 3,
                     .cache_write = 0.5,
                     .cache_read = 2,
                     .long_prompt_tokens = 500,
                     .long_input = 1,
                     .long_output = 7};
  Random random(3);
  for (const Price& price : {haiku, price_of("claude-opus-5-5"), odd}) {
    for (int i = 0; i < 20'000; i++) {
      LlmUsage usage{.input = random.between(0, 80'000),
                     .cache_write = random.between(0, 40'000),
                     .cache_read = random.between(0, 40'000),
                     .output = random.between(0, 9'000)};
      if (i % 3 == 0) usage.input = random.between(0, 400), usage.cache_write = 0;
      if (i % 3 != 1) usage.cache_read = random.between(0, 100);
      const bool in_batch = i % 2 == 0;
      const int64_t prompt = usage.input + usage.cache_write + usage.cache_read;
      ASSERT_LE(price.cost_usd(usage, in_batch),
                price.bound_usd(prompt + random.between(0, 300), usage.output, in_batch) + 1e-12);
    }
  }
}

TEST(Prices, AFileAddsAndReplaces) {
  const TestFolder folder;
  const PriceList list =
      PriceList::load(folder.write("p.json", R"({"models":{"my-model":{"input":1,"output":2},
                              "claude-opus-5-5":{"input":3,"output":4,"batch":1}}})"));
  EXPECT_EQ(list.find("my-model")->output, 2);
  EXPECT_EQ(list.find("my-model")->cache_write, 1.25);
  EXPECT_EQ(list.find("my-model")->as_of, "");
  EXPECT_EQ(list.find("claude-opus-5-5")->input, 3);
  EXPECT_EQ(list.find("claude-opus-5-5")->cache_read, 0.1);
  EXPECT_EQ(list.find("claude-haiku-5-5")->input, 0.10);
  EXPECT_EQ(list.models().size(), 5u);
}

TEST(Prices, RefusesFilesWithSlips) {
  const TestFolder folder;
  const auto error = [&](const std::string& model) {
    const fs::path path = folder.write("p.json", "{\"models\":{\"m\":" + model + "}}");
    return error_of([&] { PriceList::load(path); });
  };
  EXPECT_EQ(error(R"({"input":1,"output":2})"), "no error");
  EXPECT_THAT(error(R"({"input":1})"), HasSubstr("model 'm': key 'output' is missing"));
  EXPECT_THAT(error(R"({"input":"1","output":2})"), HasSubstr("must be a number"));
  EXPECT_THAT(error(R"({"input":-1,"output":2})"), HasSubstr("must be from 0 to"));
  EXPECT_THAT(error(R"({"input":1,"output":2,"ouput":3})"), HasSubstr("'ouput' is no known key"));
  EXPECT_THAT(error(R"({"input":1,"output":2,"long_prompt_tokens":5,"long_input":1})"),
              HasSubstr("needs 'long_input' and 'long_output'"));
  EXPECT_THAT(error(R"({"input":1,"output":2,"long_prompt_tokens":-5})"),
              HasSubstr("must not be negative"));
  EXPECT_THAT(error("[]"), HasSubstr("must be an object"));
  const fs::path day = folder.write("d.json", R"({"as_of":"soon","models":{}})");
  EXPECT_THAT(error_of([&] { PriceList::load(day); }), HasSubstr("must be a day"));
  EXPECT_THAT(error_of([&] { PriceList::load(folder.path() / "none"); }), HasSubstr("none"));
}

TEST(Prices, ByHand) {
  const Price price = parse_price("0.10,0.50");
  EXPECT_EQ(price.input, 0.1);
  EXPECT_EQ(price.output, 0.5);
  EXPECT_EQ(parse_price("0,15").output, 15);
  for (const char* wrong : {"", ",", "1", "1,", ",1", "1,2,3", "-1,2", "1,nan", "inf,1", "1e3,1",
                            "1, 2", "1,2 ", "1;2", "2000000,1"})
    EXPECT_THAT(error_of([&] { parse_price(wrong); }), HasSubstr("two numbers")) << wrong;
}

}  // namespace
}  // namespace chatmem
