// A random generator with the same numbers on every machine and library (std distributions promise
// none).
#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#include "base/error.h"

namespace chatmem {

// SplitMix64 (Steele, Lea, Flood 2014): a mix of a counter, so the state is one number to save.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
  }
  // Uniform in [0, n), without the bias of a plain modulo.
  uint64_t below(uint64_t n) {
    CHECK(n > 0);
    const uint64_t limit = ~uint64_t(0) - ~uint64_t(0) % n;
    uint64_t x;
    do x = next();
    while (x >= limit);
    return x % n;
  }
  // Uniform in [low, high].
  int between(int low, int high) { return low + int(below(uint64_t(high - low) + 1)); }
  // Uniform in [0, 1).
  double uniform() { return double(next() >> 11) * 0x1.0p-53; }
  // Standard normal (Box-Muller, one of the pair).
  double normal() {
    const double u = 1.0 - uniform(), v = uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(6.283185307179586 * v);
  }
  template <typename T>
  void shuffle(std::span<T> items) {
    for (size_t i = items.size(); i > 1; i--) std::swap(items[i - 1], items[below(i)]);
  }

  uint64_t state() const { return state_; }
  void set_state(uint64_t state) { state_ = state; }

 private:
  uint64_t state_;
};

}  // namespace chatmem
