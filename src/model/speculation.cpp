#include "model/speculation.h"

#include <algorithm>

#include "base/hash.h"

namespace chatmem {

PromptLookup::PromptLookup(std::span<const int> prompt, std::span<const int> prediction) {
  if (!prediction.empty()) {
    for (const int token : prompt.last(std::min(kLongest, prompt.size()))) append(token);
    for (const int token : prediction) append(token);
    append(-1);
  }
  for (const int token : prompt) append(token);
}

// Of the `length` tokens before `end`.
uint64_t PromptLookup::key(size_t end, size_t length) const {
  const auto* bytes = reinterpret_cast<const char*>(&text_[end - length]);
  return hash64({bytes, length * sizeof(int)});
}

// The last tokens become known as tokens before another one only when there is another one.
void PromptLookup::append(int token) {
  for (size_t length = kShortest; length <= std::min(kLongest, text_.size()); length++)
    after_[length - kShortest][key(text_.size(), length)] = text_.size();
  text_.push_back(token);
}

void PromptLookup::draft(std::vector<int>& out, int n) const {
  for (size_t length = std::min(kLongest, text_.size()); length >= kShortest; length--) {
    const auto& after = after_[length - kShortest];
    const auto it = after.find(key(text_.size(), length));
    const auto last = text_.end() - ptrdiff_t(length);
    if (it == after.end()) continue;
    if (!std::equal(last, text_.end(), text_.begin() + ptrdiff_t(it->second - length))) continue;
    const size_t begin = out.size();
    for (size_t at = it->second; n > 0; at++, n--) {
      // Past the end the text repeats itself.
      const int token = at < text_.size() ? text_[at] : out[begin + at - text_.size()];
      if (token < 0) return;
      out.push_back(token);
    }
    return;
  }
}

void DraftGate::add_step(int rows, double seconds) {
  constexpr double kKeep = 0.98, kSlowest = 2;
  const double r = rows;
  // What holds up a step is another program, not its rows.
  if (n_ > 0) seconds = std::min(seconds, kSlowest * line().seconds(r));
  for (double* sum : {&n_, &rows_, &seconds_, &rows2_, &rows_seconds_}) *sum *= kKeep;
  n_ += 1, rows_ += r, seconds_ += seconds, rows2_ += r * r, rows_seconds_ += r * seconds;
}

// The regression, in which a row that takes a third of the rest counts as much as steps do whose
// rows have a sum of squared deviations of kPrior: by a few steps alone, which other programs make
// longer at random, a row might seem to be free.
DraftGate::Line DraftGate::line() const {
  constexpr double kRestOfRow = 3, kPrior = 3, kLeast = 0.02;
  if (n_ == 0) return {kRestOfRow, 1};
  const double seconds = seconds_ / n_, rows = rows_ / n_;
  const double deviations = rows2_ - rows * rows_, together = rows_seconds_ - rows * seconds_;
  const double expected = seconds / (kRestOfRow + rows);
  const double b = std::clamp((together + kPrior * expected) / (deviations + kPrior),
                              kLeast * seconds / rows, seconds / rows);
  return {seconds - b * rows, b};
}

// With R requests and no guesses, R tokens take a + b R. A guess that is right with probability p
// brings p tokens in b; it pays where p / b > R / (a + b R).
int DraftGate::length(double acceptance, int n_requests, int most) const {
  const Line time = line();
  const double share = time.b * n_requests / time.seconds(n_requests);
  int n = 0;
  for (double p = acceptance; n < most && p > share; p *= acceptance) n++;
  return n;
}

}  // namespace chatmem
