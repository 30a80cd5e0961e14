// ROUGE-N, ROUGE-L and ROUGE-Lsum as Google's rouge_score computes them
// (github.com/google-research/google-research/rouge): text.lower(), runs of other than [a-z0-9] are
// separators, NLTK's Porter stemmer on tokens longer than 3.
#pragma once
#include <array>
#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

struct RougeScore {
  double precision = 0, recall = 0, f1 = 0;
};

// What was not asked for is 0.
struct RougeScores {
  RougeScore rouge1, rouge2, rouge3, rouge4, rouge5, rouge6, rouge7, rouge8, rouge9;
  RougeScore rougeL;     // the longest common subsequence of the whole texts
  RougeScore rougeLsum;  // of each line of the reference with all lines of the prediction
};

struct RougeMetric {
  std::string_view key, title;  // "rouge1", "ROUGE-1"
  RougeScore RougeScores::*score;
};
inline constexpr std::array<RougeMetric, 11> kRougeMetrics = {
    {{"rouge1", "ROUGE-1", &RougeScores::rouge1},
     {"rouge2", "ROUGE-2", &RougeScores::rouge2},
     {"rouge3", "ROUGE-3", &RougeScores::rouge3},
     {"rouge4", "ROUGE-4", &RougeScores::rouge4},
     {"rouge5", "ROUGE-5", &RougeScores::rouge5},
     {"rouge6", "ROUGE-6", &RougeScores::rouge6},
     {"rouge7", "ROUGE-7", &RougeScores::rouge7},
     {"rouge8", "ROUGE-8", &RougeScores::rouge8},
     {"rouge9", "ROUGE-9", &RougeScores::rouge9},
     {"rougeL", "ROUGE-L", &RougeScores::rougeL},
     {"rougeLsum", "ROUGE-Lsum", &RougeScores::rougeLsum}}};

// Which of kRougeMetrics, by their places there.
using RougeSet = std::bitset<kRougeMetrics.size()>;
inline constexpr size_t kRougeL = 9, kRougeLsum = 10;
inline constexpr RougeSet kRouge12L{0b010'0000'0011};
// The place of "rouge1", "1", "rougeLsum", "Lsum".
std::optional<size_t> parse_rouge_metric(std::string_view name);

enum class Stemming { off, on };

// What a word is. rouge_score: [a-z0-9]+, which finds none in other scripts. unicode: letters,
// marks and digits of any script in lower case, each Chinese or Japanese character a word of its
// own; only words of ASCII are stemmed.
enum class WordRule { rouge_score, unicode };

struct RougeOptions {
  Stemming stemming = Stemming::on;
  WordRule words = WordRule::rouge_score;
  RougeSet metrics = kRouge12L;
};

std::vector<std::string> rouge_tokens(std::string_view text, Stemming stemming,
                                      WordRule words = WordRule::rouge_score);
// n from 1 to 9.
RougeScore rouge_n(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference, int n);
RougeScore rouge_l(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference);
RougeScores rouge(std::string_view prediction, std::string_view reference,
                  const RougeOptions& options = {});

// Scores many pairs with the same buffers; every distinct word is stemmed once. The scores do not
// depend on the pairs before. One thread each. Time of a pair is O(n + m + n m / 64), memory
// O(n + m) beside a vocabulary that is bounded; for Lsum up to n m / 8192 words more.
class RougeScorer {
 public:
  // Throws Error for unicode words in a build without PCRE2.
  explicit RougeScorer(const RougeOptions& options = {});
  ~RougeScorer();
  RougeScorer(RougeScorer&&) noexcept;
  RougeScorer& operator=(RougeScorer&&) noexcept;

  RougeScores score(std::string_view prediction, std::string_view reference);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace chatmem
