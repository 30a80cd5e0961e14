// Time to find the tokens that may come next, in the vocabulary of Llama 3 (../shared/data/llama3
// beside the checkout): first met, per kind of place, and along whole answers with kept masks.
#include <benchmark/benchmark.h>

#include "base/json.h"
#include "text/json_schema.h"
#include "text/token_masks.h"

namespace chatmem {
namespace {

const fs::path kTokenizer = fs::path(CHATMEM_SOURCE_DIR) / "../shared/data/llama3/tokenizer.json";

const Tokenizer& tokenizer() {
  static const Tokenizer kLoaded = Tokenizer::load(kTokenizer);
  return kLoaded;
}

const TokenTrie& trie() {
  static const TokenTrie kTrie(tokenizer());
  return kTrie;
}

bool skips(benchmark::State& state) {
  if (fs::exists(kTokenizer)) return false;
  state.SkipWithError("../shared/data/llama3/tokenizer.json is absent");
  return true;
}

ByteGrammar grammar_of(const char* schema) { return schema_grammar(parse_json(schema, "schema")); }

constexpr const char* kAnswer = R"({"type":"object","properties":{
  "title":{"type":"string"},"year":{"type":"integer"},"score":{"type":"number"},
  "tags":{"type":"array","items":{"enum":["family","work","travel","health","other"]}},
  "note":{"type":"string","maxLength":400},"day":{"type":"string","format":"date"},
  "next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},
  "required":["title","year","score","tags","note","day","next"],"additionalProperties":false})";

void make_trie(benchmark::State& state) {
  if (skips(state)) return;
  for (auto _ : state) benchmark::DoNotOptimize(TokenTrie(tokenizer()));
}

void compile(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(grammar_of(kAnswer));
}

// The mask after `text`, met for the first time.
void first_mask(benchmark::State& state, const char* schema, const char* text) {
  if (skips(state)) return;
  const ByteGrammar grammar = grammar_of(schema);
  std::vector<uint32_t> bits((size_t(tokenizer().vocab_size()) + 31) / 32);
  const std::vector<int> tokens = tokenizer().encode(text);
  for (auto _ : state) {
    state.PauseTiming();
    TokenMatcher matcher(grammar, trie());
    for (const int token : tokens)
      if (!matcher.accept(token)) state.SkipWithError("the text is not of the schema");
    state.ResumeTiming();
    matcher.add_allowed(bits);
  }
}

// Masks and tokens of a whole answer; the time is of one token.
void whole_answer(benchmark::State& state) {
  if (skips(state)) return;
  const ByteGrammar grammar = grammar_of(kAnswer);
  const std::string item =
      R"({"title": "A day at the lake", "year": 2024, "score": 7.25, "tags": ["family"], )"
      R"("note": "We met at ten, rowed to the island, and Anna said \"never again\".", )"
      R"("day": "2024-06-03", "next": )";
  const std::vector<int> tokens = tokenizer().encode(item + item + item + "null}}}");
  std::vector<uint32_t> bits((size_t(tokenizer().vocab_size()) + 31) / 32);
  for (auto _ : state) {
    TokenMatcher matcher(grammar, trie());
    for (const int token : tokens) {
      bits.assign(bits.size(), 0);
      matcher.add_allowed(bits);
      if (!matcher.accept(token)) state.SkipWithError("the text is not of the schema");
    }
  }
  state.counters["per_token"] =
      benchmark::Counter(double(tokens.size()), benchmark::Counter::kIsIterationInvariantRate |
                                                    benchmark::Counter::kInvert);
}

BENCHMARK(make_trie)->Unit(benchmark::kMillisecond);
BENCHMARK(compile)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(first_mask, begin, kAnswer, "")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(first_mask, in_string, kAnswer, R"({"title": "A day)")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(first_mask, in_integer, kAnswer, R"({"title": "A", "year": 20)")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(first_mask, any_value, "true", R"([{"a": [)")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(first_mask, any_string, "true", R"([{"a": ["x)")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(first_mask, short_string, R"({"type":"string","maxLength":20})", "\"ab")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(first_mask, long_string, R"({"type":"string","maxLength":400})", "\"ab")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(first_mask, pattern,
                  R"({"type":"string","pattern":"^[A-Z][a-z]+( [A-Za-z]+)*$"})", "\"Abc d")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(whole_answer)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chatmem
