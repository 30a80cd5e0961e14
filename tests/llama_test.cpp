// The laws of inference: against transformers, and of the engine with itself.
#include "model/llama.h"

#include <gtest/gtest.h>

#include "golden_model.h"

namespace chatmem {
namespace {

class LlamaTest : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Golden, LlamaTest, ::testing::ValuesIn(kGoldenModels));

std::vector<float> logprobs_of(GoldenModel& g, const std::vector<float>& logits,
                               const std::vector<int>& targets) {
  const Tensor t{const_cast<float*>(logits.data()), int(targets.size()), g.config().vocab_size,
                 DType::f32};
  std::vector<float> out(targets.size());
  g.ops->target_logprobs(out, t, targets);
  return out;
}

TEST_P(LlamaTest, LogitsAreThoseOfTransformers) {
  GoldenModel g(GetParam());
  const auto logits = all_logits(g, g.ints("tokens"));
  EXPECT_LT(max_difference(logits, g.floats("logits")), 1e-4);
  EXPECT_LT(max_difference(logprobs_of(g, logits, g.ints("targets")), g.floats("logprobs")), 1e-4);
}

TEST_P(LlamaTest, AdapterLogitsAreThoseOfPeft) {
  GoldenModel g(GetParam());
  const auto logits = all_logits(g, g.ints("tokens"), {.adapted = true});
  EXPECT_LT(max_difference(logits, g.floats("lora.logits")), 2e-4);
  EXPECT_GT(max_difference(logits, g.floats("logits")), 0.1);  // it does something
}

TEST_P(LlamaTest, MergedAdapterGivesTheSameLogits) {
  GoldenModel g(GetParam());
  g.model() = merge_adapter(*g.ops, g.model(), g.adapter);
  EXPECT_LT(max_difference(all_logits(g, g.ints("tokens")), g.floats("lora.logits")), 2e-4);
}

TEST(Llama, DoraLogitsAreThoseOfPyTorchAlsoMerged) {
  GoldenModel g("grouped");
  g.adapter = load_adapter(*g.ops, g.model(), g.folder / "dora", DType::f32);
  EXPECT_LT(
      max_difference(all_logits(g, g.ints("tokens"), {.adapted = true}), g.floats("dora.logits")),
      2e-4);
  g.model() = merge_adapter(*g.ops, g.model(), g.adapter);
  EXPECT_LT(max_difference(all_logits(g, g.ints("tokens")), g.floats("dora.logits")), 2e-4);
}

// bf16 all through: within 0.05 of transformers, and the same likeliest token wherever
// transformers' first two are further apart than that.
TEST_P(LlamaTest, Bf16IsCloseToTransformers) {
  GoldenModel g(GetParam(), DType::bf16);
  g.model() = owned_weights(*g.ops, g.model(), DType::bf16);
  const auto logits = all_logits(g, g.ints("tokens")), golden = g.floats("bf16.logits");
  EXPECT_LT(max_difference(logprobs_of(g, logits, g.ints("targets")), g.floats("bf16.logprobs")),
            0.05);
  const size_t vocab = size_t(g.config().vocab_size);
  for (size_t row = 0; row * vocab < golden.size(); row++) {
    const auto reference = std::span(golden).subspan(row * vocab, vocab);
    std::vector<float> sorted(reference.begin(), reference.end());
    std::nth_element(sorted.begin(), sorted.begin() + 1, sorted.end(), std::greater<>());
    if (sorted[0] - sorted[1] <= 0.05) continue;
    EXPECT_EQ(argmax(std::span(logits).subspan(row * vocab, vocab)), argmax(reference))
        << "row " << row;
  }
}

TEST_P(LlamaTest, DecodeEqualsPrefill) {
  GoldenModel g(GetParam());
  const auto tokens = g.ints("tokens");
  const auto whole = all_logits(g, tokens);
  for (const int chunk : {1, 7, 32, 33})
    EXPECT_LT(max_difference(all_logits(g, tokens, {.chunk = chunk}), whole), 2e-5)
        << "chunk " << chunk;
}

// Keys and values in every type: close to those in f32, decode close to prefill.
TEST_P(LlamaTest, KeysAndValuesInEveryType) {
  GoldenModel g(GetParam());
  const auto tokens = g.ints("tokens");
  const auto exact = all_logits(g, tokens);
  for (const auto& [type, tolerance] :
       {std::pair{DType::bf16, 0.02}, {DType::f16, 0.003}, {DType::q8_0, 0.03}}) {
    if (g.config().kv_dim() % int(block_elements(type)) != 0) {
      EXPECT_THROW(all_logits(g, tokens, {.kv_dtype = type}), Error);
      continue;
    }
    const auto whole = all_logits(g, tokens, {.kv_dtype = type});
    EXPECT_LT(max_difference(whole, exact), tolerance) << dtype_name(type);
    EXPECT_GT(max_difference(whole, exact), tolerance / 300) << dtype_name(type);
    for (const int chunk : {1, 7, 32, 33})
      EXPECT_LT(max_difference(all_logits(g, tokens, {.chunk = chunk, .kv_dtype = type}), whole),
                tolerance / 2)
          << dtype_name(type) << " chunk " << chunk;
  }
}

TEST(Llama, LongSequenceInChunksIsThatOfTransformers) {
  GoldenModel g("grouped");
  const auto tokens = g.ints("long.tokens");
  for (const int chunk : {200, 64, 50})
    EXPECT_LT(max_difference(all_logits(g, tokens, {.chunk = chunk}), g.floats("long.logits")),
              1e-4)
        << chunk;
}

TEST_P(LlamaTest, PackedRunsEqualEachAlone) {
  GoldenModel g(GetParam());
  const auto tokens = g.ints("packed.tokens"), lengths = g.ints("packed.lengths");
  KvPages pages(*g.ops, g.config(), 8, DType::f32, 1);
  KvSequence a(pages), b(pages);
  ASSERT_TRUE(a.reserve(lengths[0]) && b.reserve(lengths[1]));
  const chatmem::Run runs[] = {{.kv = a.cache(), .row = 0, .n = lengths[0]},
                               {.kv = b.cache(), .row = lengths[0], .n = lengths[1]}};
  std::vector<int> rows;
  for (int i = 0; i < int(tokens.size()); i++) rows.push_back(i);
  Workspace ws = make_workspace(*g.ops, g.config(), {.max_tokens = int(tokens.size())});
  const Tensor hidden = forward(*g.ops, g.model(), {tokens, runs, {}, rows}, ws);
  const Tensor logits = make_tensor(*g.ops, hidden.rows, g.config().vocab_size, DType::f32);
  lm_head(*g.ops, g.model(), logits, hidden);
  std::vector<float> all(logits.size());
  g.ops->copy_out(all.data(), logits);
  EXPECT_LT(max_difference(all, g.floats("packed.logits")), 1e-4);
}

// Only some rows are wanted: they are what they are when all are.
TEST_P(LlamaTest, WantedRowsEqualAllRows) {
  GoldenModel g(GetParam());
  const auto tokens = g.ints("packed.tokens"), lengths = g.ints("packed.lengths");
  const auto golden = g.floats("packed.logits");
  KvPages pages(*g.ops, g.config(), 8, DType::f32, g.config().n_layers);
  KvSequence a(pages), b(pages);
  ASSERT_TRUE(a.reserve(lengths[0]) && b.reserve(lengths[1]));
  const chatmem::Run runs[] = {{.kv = a.cache(), .row = 0, .n = lengths[0]},
                               {.kv = b.cache(), .row = lengths[0], .n = lengths[1]}};
  Workspace ws = make_workspace(*g.ops, g.config(), {.max_tokens = int(tokens.size())});
  const int vocab = g.config().vocab_size;
  for (const std::vector<int>& rows :
       std::vector<std::vector<int>>{{22, 53}, {0}, {3, 4, 9, 22, 23, 24, 40}, {}}) {
    const Tensor hidden = forward(*g.ops, g.model(), {tokens, runs, {}, rows}, ws);
    ASSERT_EQ(hidden.rows, int(rows.size()));
    if (rows.empty()) continue;
    const Tensor logits = make_tensor(*g.ops, hidden.rows, vocab, DType::f32);
    lm_head(*g.ops, g.model(), logits, hidden);
    for (size_t i = 0; i < rows.size(); i++) {
      std::vector<float> row(static_cast<size_t>(vocab));
      g.ops->copy_out(row.data(), logits.slice(int(i), 1));
      const auto at = golden.begin() + ptrdiff_t(rows[i]) * vocab;
      EXPECT_LT(max_difference(row, {at, at + vocab}), 1e-4) << "row " << rows[i];
    }
  }
}

TEST_P(LlamaTest, ScoreIsThatOfTransformers) {
  GoldenModel g(GetParam());
  const auto tokens = g.ints("tokens");
  const auto scores = score_tokens(*g.ops, g.model(), tokens, nullptr, DType::f32);
  const auto logits = g.floats("logits");
  std::vector<int> targets(tokens.begin() + 1, tokens.end());
  targets.push_back(-1);
  auto expected = logprobs_of(g, logits, targets);
  expected.pop_back();
  EXPECT_LT(max_difference(scores, expected), 1e-4);
}

TEST_P(LlamaTest, GreedyTextIsThatOfTransformers) {
  GoldenModel g(GetParam());
  Generator generator(*g.ops, g.model(),
                      {.max_requests = 3, .prefill_tokens = 16, .kv_tokens = 512});
  ASSERT_TRUE(generator.add(7, {.prompt = g.ints("tokens"), .max_tokens = 16}));
  std::vector<int> text;
  while (generator.n_active() > 0)
    for (const GeneratedToken& token : generator.step()) text.push_back(token.token);
  EXPECT_EQ(text, g.ints("greedy"));
}

// Requests that come and go, prefilled in pieces among the decoding of others, get what each gets
// alone.
TEST_P(LlamaTest, BatchOfRequestsEqualsEachAlone) {
  GoldenModel g(GetParam());
  const auto tokens = g.ints("tokens");
  const Adapter* adapter = &g.adapter;
  const GeneratorOptions options{
      .max_requests = 4, .prefill_tokens = 9, .kv_tokens = 512, .adapters = {adapter}};
  std::vector<GenerateRequest> requests;
  for (int i = 0; i < 5; i++)
    requests.push_back({.prompt = {tokens.begin(), tokens.begin() + 5 + 7 * i},
                        .max_tokens = 6 + i,
                        .sampling = {.temperature = i % 2 ? 0.8f : 0, .seed = uint64_t(i)},
                        .adapter = i % 3 == 1 ? 0 : -1});
  std::map<int64_t, std::vector<int>> alone, together;
  for (size_t i = 0; i < requests.size(); i++) {
    Generator one(*g.ops, g.model(), options);
    ASSERT_TRUE(one.add(int64_t(i), requests[i]));
    while (one.n_active() > 0)
      for (const GeneratedToken& token : one.step()) alone[token.request].push_back(token.token);
  }
  Generator all(*g.ops, g.model(), options);
  for (size_t next = 0; next < requests.size() || all.n_active() > 0;) {
    if (next < requests.size() && all.add(int64_t(next), requests[next])) next++;
    for (const GeneratedToken& token : all.step()) together[token.request].push_back(token.token);
  }
  EXPECT_EQ(together, alone);
}

TEST(Generator, RefusesWhatDoesNotFitNowAndFreesWhatIsCancelled) {
  GoldenModel g("tied");
  Generator generator(*g.ops, g.model(), {.max_requests = 8, .prefill_tokens = 8, .kv_tokens = 64});
  const GenerateRequest request{.prompt = {1, 2, 3}, .max_tokens = 40};
  EXPECT_TRUE(generator.add(1, request));
  EXPECT_FALSE(generator.add(2, request));  // 43 tokens are two of the two pages
  generator.step();
  generator.cancel(1);
  EXPECT_EQ(generator.n_active(), 0);
  EXPECT_TRUE(generator.add(2, request));
}

TEST(Generator, StopsAtAStopToken) {
  GoldenModel g("tied");
  const auto greedy = g.ints("greedy");
  Generator generator(*g.ops, g.model(), {.kv_tokens = 128});
  ASSERT_TRUE(
      generator.add(1, {.prompt = g.ints("tokens"), .max_tokens = 16, .stop_tokens = {greedy[3]}}));
  std::vector<GeneratedToken> tokens;
  while (generator.n_active() > 0)
    for (const GeneratedToken& token : generator.step()) tokens.push_back(token);
  EXPECT_EQ(tokens.back().token, greedy[3]);
  EXPECT_EQ(tokens.back().finish, FinishReason::stop);
  EXPECT_LE(tokens.size(), 4u);
}

}  // namespace
}  // namespace chatmem
