// Guesses ahead: they change how many tokens come in a step and nothing else.
#include "model/speculation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compute/cpu_ops.h"
#include "golden_model.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Tokens = std::vector<int>;

Tokens draft(const PromptLookup& lookup, int n) {
  Tokens out;
  lookup.draft(out, n);
  return out;
}

TEST(PromptLookup, GoesOnAsTheTextDidBefore) {
  PromptLookup lookup(Tokens{1, 2, 3, 4, 5, 9, 2, 3, 7, 8, 2, 3}, {});
  EXPECT_THAT(draft(lookup, 2), ElementsAre(7, 8));  // the latest
  EXPECT_THAT(draft(lookup, 0), IsEmpty());
  lookup.append(4);
  EXPECT_THAT(draft(lookup, 3), ElementsAre(5, 9, 2));
  lookup.append(6);
  EXPECT_THAT(draft(lookup, 3), IsEmpty());
  PromptLookup three(Tokens{1, 2, 3, 4, 9, 2, 3, 5, 1, 2, 3}, {});
  EXPECT_THAT(draft(three, 1), ElementsAre(4));  // three tokens tell more than two
}

TEST(PromptLookup, ARepetitionIsExpectedToGoOn) {
  const PromptLookup lookup(Tokens{5, 1, 2, 1, 2, 1, 2}, {});
  EXPECT_THAT(draft(lookup, 5), ElementsAre(1, 2, 1, 2, 1));
}

TEST(PromptLookup, APredictionIsExpectedAfterThePrompt) {
  PromptLookup lookup(Tokens{1, 2, 3}, Tokens{40, 41, 42});
  EXPECT_THAT(draft(lookup, 9), ElementsAre(40, 41, 42));
  for (const int token : {7, 41, 42}) lookup.append(token);
  EXPECT_THAT(draft(lookup, 9), IsEmpty()) << "the prediction ends there";
  EXPECT_THAT(draft(PromptLookup(Tokens{1}, Tokens{4}), 3), IsEmpty());
  EXPECT_THAT(draft(PromptLookup(Tokens{1}, {}), 3), IsEmpty());
}

TEST(PromptLookup, IsTheNaiveSearch) {
  Random random(1);
  for (int round = 0; round < 300; round++) {
    Tokens text;
    for (int i = random.between(1, 60); i > 0; i--) text.push_back(int(random.below(4)));
    PromptLookup lookup(Tokens{text[0]}, {});
    for (size_t i = 1; i < text.size(); i++) lookup.append(text[i]);
    Tokens want;
    for (size_t length = 3; length >= 2 && want.empty(); length--)
      for (size_t end = text.size() - 1; end >= length && end < text.size() && want.empty(); end--)
        if (std::equal(text.end() - ptrdiff_t(length), text.end(),
                       text.begin() + ptrdiff_t(end - length)))
          for (size_t i = 0; i < 6; i++)
            want.push_back(end + i < text.size() ? text[end + i] : want[end + i - text.size()]);
    ASSERT_EQ(draft(lookup, 6), want);
  }
}

// A step of r rows takes fixed + r per_row.
DraftGate gate_of(double fixed, double per_row) {
  DraftGate gate;
  for (int i = 0; i < 100; i++) gate.add_step(1 + i % 5, fixed + per_row * (1 + i % 5));
  return gate;
}

TEST(DraftGate, GuessesWhereTheyPay) {
  EXPECT_EQ(gate_of(1, 0.01).length(0.9, 1, 8), 8);   // rows are free
  EXPECT_EQ(gate_of(1, 0.25).length(0.5, 1, 8), 2);   // 1/2 > 1/5, 1/4 > 1/5, 1/8 < 1/5
  EXPECT_EQ(gate_of(0, 1).length(0.9, 1, 8), 0);      // rows are all the time there is
  EXPECT_EQ(gate_of(1, 0.25).length(0.1, 1, 8), 0);   // mostly wrong
  EXPECT_EQ(gate_of(1, 0.25).length(0.5, 16, 8), 0);  // 16 requests fill the step
  EXPECT_EQ(DraftGate().length(0.5, 1, 8), 1);        // nothing measured yet
}

TEST(DraftGate, IsNotMisledByOtherPrograms) {
  DraftGate gate;
  gate.add_step(1, 1.0), gate.add_step(1, 1.4), gate.add_step(2, 0.9);
  EXPECT_EQ(gate.length(0.3, 1, 8), 1);  // a row is not free for one step that had luck
  gate = gate_of(1, 0.25);
  gate.add_step(5, 100);
  EXPECT_EQ(gate.length(0.5, 1, 8), 2);  // nor all the time there is, for one that was held up
  for (int i = 0; i < 100; i++) gate.add_step(1 + i % 5, 5 + 0.01 * (1 + i % 5));
  EXPECT_EQ(gate.length(0.9, 1, 8), 8);  // what lasts counts
}

TEST(DraftAcceptance, FollowsTheShareAndForgetsSlowly) {
  DraftAcceptance acceptance;
  for (int i = 0; i < 100; i++) acceptance.add(false);
  EXPECT_LT(acceptance.value(), 0.01);
  int waits = 0;
  for (; acceptance.value() < 0.25; waits++) acceptance.forget();
  EXPECT_GT(waits, 100);
  for (int i = 0; i < 100; i++) acceptance.add(true);
  EXPECT_GT(acceptance.value(), 0.99);
}

struct Outcome {
  std::map<int64_t, Tokens> texts;
  int steps = 0;
  GeneratorStats stats;
};

Outcome run(GoldenModel& g, GeneratorOptions options,
            const std::vector<GenerateRequest>& requests) {
  options.kv_tokens = 1024;
  options.adapters = {&g.adapter};
  Generator generator(*g.ops, g.model(), options);
  Outcome outcome;
  for (size_t next = 0; next < requests.size() || generator.n_active() > 0; outcome.steps++) {
    if (next < requests.size() && generator.add(int64_t(next), requests[next])) next++;
    for (const GeneratedToken& token : generator.step())
      outcome.texts[token.request].push_back(token.token);
  }
  outcome.stats = generator.stats();
  return outcome;
}

class SpeculationTest : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Golden, SpeculationTest, ::testing::ValuesIn(kGoldenModels));

// Token for token, greedy and sampled, alone and together, with adapters and stop tokens.
TEST_P(SpeculationTest, TheTextIsThatWithoutGuesses) {
  GoldenModel g(GetParam());
  const auto tokens = g.ints("tokens");
  std::vector<GenerateRequest> requests;
  for (int i = 0; i < 8; i++) {
    GenerateRequest r{.prompt = {tokens.begin(), tokens.begin() + 5 + 4 * i},
                      .max_tokens = 20 + 5 * i,
                      .sampling = {.temperature = i % 2 ? 0.4f : 0, .seed = uint64_t(i)},
                      .adapter = i % 3 == 1 ? 0 : -1};
    r.prompt.insert(r.prompt.end(), tokens.begin(), tokens.begin() + 5);  // something to look up
    if (i == 6) r.stop_tokens = {tokens[3], tokens[4]};
    requests.push_back(r);
  }
  for (const int max_requests : {1, 3}) {
    const Outcome plain = run(g, {.max_requests = max_requests}, requests);
    EXPECT_EQ(plain.stats.drafted_tokens, 0);
    for (const int n : {1, 3, 8}) {
      const Outcome guessed =
          run(g, {.max_requests = max_requests, .draft_tokens = n, .draft_always = true}, requests);
      EXPECT_EQ(guessed.texts, plain.texts) << n;
      EXPECT_GT(guessed.stats.drafted_tokens, 10);
      EXPECT_LE(guessed.steps, plain.steps);
      const Outcome gated = run(g, {.max_requests = max_requests, .draft_tokens = n}, requests);
      EXPECT_EQ(gated.texts, plain.texts) << n;
    }
  }
}

TEST_P(SpeculationTest, ARightPredictionSavesSteps) {
  GoldenModel g(GetParam());
  for (const float temperature : {0.0f, 1.0f}) {
    GenerateRequest request{.prompt = g.ints("tokens"),
                            .max_tokens = 25,
                            .sampling = {.temperature = temperature, .seed = 3}};
    const Outcome plain = run(g, {}, {request});
    request.prediction = plain.texts.at(0);
    const Outcome guessed = run(g, {.draft_tokens = 4, .draft_always = true}, {request});
    EXPECT_EQ(guessed.texts, plain.texts);
    EXPECT_EQ(plain.steps, 25);
    EXPECT_LE(guessed.steps, 12) << "the first token, then up to five a step";
    EXPECT_GE(guessed.stats.accepted_tokens, 13);
    request.prediction = Tokens(25, 1);  // a wrong one changes nothing
    EXPECT_EQ(run(g, {.draft_tokens = 4, .draft_always = true}, {request}).texts, plain.texts);
  }
}

}  // namespace
}  // namespace chatmem
