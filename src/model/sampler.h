// Picks the next token from logits. One Sampler serves one sequence and depends on nothing but its
// logits, its options and what it picked before: not on what else is in a batch.
//
// What happens to the logits, in this order (vLLM's, vllm/v1/sample/sampler.py, up to the
// temperature; then the truncations in llama.cpp's order, common/sampling.cpp):
//   1. logit_bias is added (OpenAI's API reference).
//   2. repetition_penalty r, of tokens in the prompt or the answer: l > 0 ? l / r : l * r
//      (Keskar et al. 2019, arXiv 1909.05858, section 4.1, as all implementations mend it for
//      negative logits).
//   3. l -= frequency_penalty * count + presence_penalty * (count > 0), count in the answer alone
//      (OpenAI's API reference).
//   4. The filter: a token that it does not allow is impossible.
//   5. temperature 0 picks the likeliest, the smallest id of equals. Otherwise p = softmax(l / T).
//   6. top_k keeps the k likeliest; ties go to the smaller id, here and below.
//   7. top_p keeps, of these, the fewest likeliest whose probabilities, which sum to 1 over what
//      top_k kept, sum to top_p; at least one (Holtzman et al. 2019, arXiv 1904.09751).
//   8. min_p keeps those at least min_p times as likely as the likeliest (arXiv 2407.01082).
//   9. One of what is left is drawn by its probability.
// A token e^48 times less likely than the likeliest counts as impossible: all of these together
// are below the resolution of the random number.
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/random.h"

namespace chatmem {

// Decides which tokens may come next in one answer.
class TokenFilter {
 public:
  virtual ~TokenFilter() = default;
  // Sets bit i % 32 of word i / 32 for each token i that may come next, at least one; the bits are
  // clear before.
  virtual void allow(std::span<uint32_t> bits) = 0;
  // Hears the token that was picked, one of those allowed.
  virtual void accept(int token) = 0;
};

struct SamplingOptions {
  float temperature = 0;
  float top_p = 1;
  float min_p = 0;
  int top_k = 0;  // 0: all
  uint64_t seed = 0;
  float repetition_penalty = 1, frequency_penalty = 0, presence_penalty = 0;
  std::vector<std::pair<int, float>> logit_bias;  // token, what is added
};

class Sampler {
 public:
  // The prompt matters to repetition_penalty alone. The filter, if any, must outlive the sampler.
  explicit Sampler(const SamplingOptions& options, std::span<const int> prompt = {},
                   TokenFilter* filter = nullptr);
  // A NaN counts as -infinity. The token counts for the penalties of those after it, and the
  // filter hears of it.
  int sample(std::span<const float> logits);

 private:
  struct Candidate {
    float score;
    float weight;  // probability over that of the likeliest
    int token;
  };
  // What is at least as likely: a higher score, or the same and an id that is not larger.
  struct Boundary {
    float score;
    int token = std::numeric_limits<int>::max();
  };
  bool penalizes() const;
  std::span<const float> adjusted(std::span<const float> logits);
  void apply_filter();
  int draw(std::span<const float> scores);
  int draw_of_all(std::span<const float> scores, float best);
  void collect(std::span<const float> scores, float best, Boundary boundary);
  void keep_top_k(std::span<const float> scores, float best);
  void keep_top_p(std::span<const float> scores, float best);
  double candidates_mass() const;

  SamplingOptions options_;
  TokenFilter* filter_;
  Random random_;
  std::unordered_set<int> seen_;         // in prompt or answer
  std::unordered_map<int, int> counts_;  // in the answer
  std::vector<float> scores_;
  std::vector<uint32_t> allowed_;
  std::vector<Candidate> candidates_;
};

// The index of the largest value, the first of equals; NaN is passed over.
int argmax(std::span<const float> values);

struct TokenLogprob {
  int token;
  float logprob;
};
// log p of a picked token and of the likeliest ones, likeliest first, in softmax(logits): before
// bias, penalties, filter and temperature, as vLLM's raw_logprobs.
struct TokenLogprobs {
  float logprob;
  std::vector<TokenLogprob> top;
};
TokenLogprobs token_logprobs(std::span<const float> logits, int token, int n_top);

}  // namespace chatmem
