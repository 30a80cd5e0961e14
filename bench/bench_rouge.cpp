// Pairs a second with stemming on one core, by words a text: of ROUGE-1, -2 and -L, and with Lsum
// beside them, ten words a line. The texts are cut from the dialogues of samples/, 1,000 different
// pairs in turn.
#include <benchmark/benchmark.h>

#include <sstream>

#include "base/csv.h"
#include "base/error.h"
#include "metrics/porter.h"
#include "metrics/rouge.h"

namespace chatmem {
namespace {

std::vector<std::string> sample_words() {
  std::vector<std::string> words;
  const std::vector<std::string> columns = {"dialogue"};
  for_each_csv_row(fs::path(CHATMEM_SOURCE_DIR) / "samples/dialogues.csv", columns,
                   [&](CsvRow& row) {
                     std::istringstream text(row.fields[0]);
                     for (std::string word; text >> word;) words.push_back(word);
                   });
  CHECK(words.size() > 10'000);
  return words;
}

// Texts of n_words successive words, each starting elsewhere.
std::vector<std::string> sample_texts(size_t n_words, size_t n_texts) {
  const std::vector<std::string> words = sample_words();
  std::vector<std::string> texts(n_texts);
  for (size_t i = 0; i < n_texts; i++)
    for (size_t k = 0; k < n_words; k++) {
      if (k > 0) texts[i] += k % 10 == 0 ? '\n' : ' ';
      texts[i] += words[(i * 37 + k) % words.size()];
    }
  return texts;
}

void score_with(RougeScorer scorer, benchmark::State& state) {
  const std::vector<std::string> texts = sample_texts(size_t(state.range(0)), 2000);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(scorer.score(texts[i], texts[i + 1000]));
    i = (i + 1) % 1000;
  }
  state.SetItemsProcessed(state.iterations());
}
void score_pairs_with_one_scorer(benchmark::State& state) { score_with(RougeScorer(), state); }
BENCHMARK(score_pairs_with_one_scorer)->Arg(60)->Arg(220)->Arg(1000);

void score_pairs_with_lsum(benchmark::State& state) {
  score_with(RougeScorer({.metrics = RougeSet(kRouge12L).set(kRougeLsum)}), state);
}
BENCHMARK(score_pairs_with_lsum)->Arg(60)->Arg(220)->Arg(1000);

// Without what was learnt from earlier pairs: every word is stemmed anew, every buffer allocated.
void score_pairs_from_nothing(benchmark::State& state) {
  const std::vector<std::string> texts = sample_texts(size_t(state.range(0)), 2000);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(rouge(texts[i], texts[i + 1000]));
    i = (i + 1) % 1000;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(score_pairs_from_nothing)->Arg(60);

void stem_words(benchmark::State& state) {
  std::vector<std::string> words;
  for (const std::string& text : sample_texts(1000, 20))
    for (std::string& token : rouge_tokens(text, Stemming::off)) words.push_back(std::move(token));
  size_t i = 0;
  std::string word;
  for (auto _ : state) {
    word = words[i];
    porter_stem_in_place(word);
    benchmark::DoNotOptimize(word.data());
    i = (i + 1) % words.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(stem_words);

}  // namespace
}  // namespace chatmem
