// ROUGE-N and ROUGE-L as Google's rouge_score computes them
// (github.com/google-research/google-research/rouge): text.lower(), runs of other than [a-z0-9] are
// separators, NLTK's Porter stemmer on tokens longer than 3.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

struct RougeScore {
  double precision = 0, recall = 0, f1 = 0;
};

struct RougeScores {
  RougeScore rouge1, rouge2, rougeL;
};

enum class Stemming { off, on };

std::vector<std::string> rouge_tokens(std::string_view text, Stemming stemming);
// n from 1 to 9.
RougeScore rouge_n(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference, int n);
// The longest common subsequence of the whole token lists.
RougeScore rouge_l(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference);
RougeScores rouge(std::string_view prediction, std::string_view reference,
                  Stemming stemming = Stemming::on);

// Scores many pairs with the same buffers; every distinct word is stemmed once. The scores do not
// depend on the pairs before. One thread each. Time of a pair is O(n + m + n m / 64), memory
// O(n + m) beside a vocabulary that is bounded.
class RougeScorer {
 public:
  explicit RougeScorer(Stemming stemming = Stemming::on);
  ~RougeScorer();
  RougeScorer(RougeScorer&&) noexcept;
  RougeScorer& operator=(RougeScorer&&) noexcept;

  RougeScores score(std::string_view prediction, std::string_view reference);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace chatmem
