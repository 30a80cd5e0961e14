// libFuzzer: the scores of any two texts (divided at the first line end) are shares, equal those of
// the plain functions, and exchange precision and recall when the texts are exchanged.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "metrics/rouge.h"

namespace {

using namespace chatmem;

bool same(const RougeScore& a, const RougeScore& b) {
  return a.precision == b.precision && a.recall == b.recall && a.f1 == b.f1;
}

void check(const RougeScore& score, const RougeScore& exchanged) {
  for (const double share : {score.precision, score.recall, score.f1})
    CHECK(share >= 0 && share <= 1);
  CHECK(score.precision == exchanged.recall && score.recall == exchanged.precision);
  CHECK(std::fabs(score.f1 - exchanged.f1) < 1e-12);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find('\n'), input.size());
  const std::string_view a = input.substr(0, end), b = input.substr(std::min(end + 1, size));
  // They keep their vocabularies over all inputs, as over a data set.
  static RougeScorer scorer({.metrics = RougeSet().set()}), unicode({.words = WordRule::unicode});
  const RougeScores scores = scorer.score(a, b), exchanged = scorer.score(b, a);
  check(scores.rouge1, exchanged.rouge1);
  check(scores.rouge2, exchanged.rouge2);
  check(scores.rougeL, exchanged.rougeL);
  check(scores.rouge9, exchanged.rouge9);
  for (const double share : {scores.rougeLsum.precision, scores.rougeLsum.recall})
    CHECK(share >= 0 && share <= 1);
  // Without line ends Lsum is L.
  if (b.find('\n') == b.npos) CHECK(same(scores.rougeLsum, scores.rougeL));
  check(unicode.score(a, b).rouge1, unicode.score(b, a).rouge1);
  const auto left = rouge_tokens(a, Stemming::on), right = rouge_tokens(b, Stemming::on);
  CHECK(same(scores.rouge1, rouge_n(left, right, 1)));
  CHECK(same(scores.rouge2, rouge_n(left, right, 2)));
  CHECK(same(scores.rougeL, rouge_l(left, right)));
  return 0;
}
