// ROUGE-N and ROUGE-L as Google's rouge_score computes them
// (github.com/google-research/google-research/rouge): text.lower(), runs of other than [a-z0-9] are
// separators, NLTK's Porter stemmer on tokens longer than 3.
#pragma once
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
RougeScore rouge_n(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference, int n);
RougeScore rouge_l(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference);
RougeScores rouge(std::string_view prediction, std::string_view reference,
                  Stemming stemming = Stemming::on);

}  // namespace chatmem
