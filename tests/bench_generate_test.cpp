// What is measured is the work that was named.
#include "model/bench_generate.h"

#include <gtest/gtest.h>

#include "model/gguf_export.h"

namespace chatmem {
namespace {

Config small_config() {
  Config c;
  c.dim = 256, c.hidden_dim = 512, c.n_layers = 8, c.n_heads = 4, c.n_kv_heads = 2, c.head_dim = 64;
  c.vocab_size = 1000, c.max_seq_len = 512;
  return c;
}

GenerateBenchOptions options_of(ServeWork work, const char* formats) {
  return {.config = small_config(), .formats = *parse_weight_formats(formats), .work = work};
}

TEST(BenchGenerate, PromptsInPieces) {
  GenerateBenchOptions options = options_of(ServeWork::prefill, "q4_k_m");
  options.tokens = 40, options.requests = 2, options.prefill_tokens = 16, options.rounds = 2;
  const GenerateBenchResult result = bench_generate(make_cpu_ops(), options);
  EXPECT_EQ(result.tokens, 80);
  EXPECT_EQ(result.steps, 5);
  EXPECT_GT(result.gflops, 0);
  EXPECT_LE(result.best_s, result.median_s);
  EXPECT_LT(result.weight_bytes, result.allocated_bytes);
  EXPECT_EQ(result.profile.at("kv_store").calls, 2 * 8 * 5);
}

TEST(BenchGenerate, TokensFromAnEmptyCache) {
  GenerateBenchOptions options = options_of(ServeWork::decode, "bf16");
  options.tokens = 7, options.requests = 3, options.rounds = 1;
  options.kv_dtype = DType::q8_0;
  const GenerateBenchResult result = bench_generate(make_cpu_ops(), options);
  EXPECT_EQ(result.tokens, 21);
  EXPECT_EQ(result.steps, 7);
  const Config& c = options.config;
  const size_t embedding = size_t(c.vocab_size) * size_t(c.dim) * 2;
  EXPECT_LT(result.weight_bytes, 2 * c.n_parameters());
  EXPECT_GT(result.weight_bytes, 2 * c.n_parameters() - embedding);  // norms are f32
}

// The mixture that an export of the type writes.
TEST(BenchGenerate, Q4KMOfLlamaQuantize) {
  const Llama shape = shape_of_formats(small_config(), *parse_weight_formats("q4_k_m"));
  EXPECT_EQ(shape.embed.dtype, DType::q4_k);
  EXPECT_EQ(shape.lm_head.dtype, DType::q6_k);
  int more = 0;
  for (int layer = 0; layer < 8; layer++) {
    const Block& block = shape.blocks[size_t(layer)];
    const DType sensitive = gets_more_bits(layer, 8) ? DType::q6_k : DType::q4_k;
    more += sensitive == DType::q6_k;
    EXPECT_EQ(block.wv.dtype, sensitive);
    EXPECT_EQ(block.w_down.dtype, sensitive);
    EXPECT_EQ(block.wo.dtype, DType::q4_k);
  }
  EXPECT_EQ(more, 4);  // 0, 3, 6, 7
}

}  // namespace
}  // namespace chatmem
