// Tokens guessed ahead: a guess costs one more row in a step that reads the weights anyway, and is
// kept where it is what the model's own choice would have been (Saxena 2023, prompt lookup).
#pragma once
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace chatmem {

// The most that is guessed ahead, unless a user says a number. Products of up to 8 rows give each
// row the bits that it has alone, in one pass over the weights.
inline constexpr int kDraftTokens = 7;

// Guesses that a text goes on as it did after the same tokens before.
class PromptLookup {
 public:
  // prediction: what the answer may be; it counts as having followed the prompt once before.
  PromptLookup(std::span<const int> prompt, std::span<const int> prediction);
  void append(int token);
  // Adds up to n tokens that followed the latest earlier occurrence of the last three tokens, or
  // else of the last two.
  void draft(std::vector<int>& out, int n) const;

 private:
  static constexpr size_t kLongest = 3, kShortest = 2;
  uint64_t key(size_t end, size_t length) const;

  std::vector<int> text_;  // -1 between the prediction and the prompt
  std::unordered_map<uint64_t, size_t>
      after_[kLongest - kShortest + 1];  // by tokens: the next place
};

// How many tokens to guess: as long as the last one is likely enough to be right for the time that
// its row takes.
class DraftGate {
 public:
  // A step without prefill took so long.
  void add_step(int rows, double seconds);
  // acceptance: the share of guesses that are right; n_requests: that decode together.
  int length(double acceptance, int n_requests, int most) const;

 private:
  struct Line {
    double a, b;
    double seconds(double rows) const { return a + b * rows; }
  };
  Line line() const;

  // Sums over steps, each of the past counting less.
  double n_ = 0, rows_ = 0, seconds_ = 0, rows2_ = 0, rows_seconds_ = 0;
};

// The share of guesses of one request that were right lately.
class DraftAcceptance {
 public:
  void add(bool right) { value_ += 0.1 * (double(right) - value_); }
  // A chance to guess was not taken: after a while it is worth another try.
  void forget() { value_ += 0.003 * (kStart - value_); }
  double value() const { return value_; }

 private:
  static constexpr double kStart = 0.5;
  double value_ = kStart;
};

}  // namespace chatmem
