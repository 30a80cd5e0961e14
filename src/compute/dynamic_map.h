// bitsandbytes' dynamic maps of 8 bits (Dettmers et al. 2022, "8-bit Optimizers via Block-wise
// Quantization"; create_dynamic_map with 7 exponent bits): what 256 codes stand for, ascending. For
// each power of ten 10^(i - 6), i = 0 ... 6, the middles of equal parts of [0.1, 1] times it; and 0
// and 1. The signed map has 2^i parts, and their negatives; the unsigned map 2^(i + 1).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace chatmem {

using CodeMap = std::array<float, 256>;

// The middle of the k-th part for a power of ten. As torch.linspace with fused products and sums,
// which are exact in double before they are rounded.
constexpr float dynamic_middle(int power, int parts, int k) {
  constexpr float kPowers[7] = {1e-6f, 1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1};
  const float step = (1.0f - 0.1f) / float(parts);
  const auto boundary = [=](int j) {
    return j < (parts + 1) / 2 ? float(double(0.1f) + double(step) * j)
                               : float(1 - double(step) * (parts - j));
  };
  return kPowers[power] * ((boundary(k) + boundary(k + 1)) / 2);
}

constexpr CodeMap make_signed_map() {
  CodeMap map = {};
  size_t n = 0;
  for (int i = 0; i < 7; i++)
    for (int k = 0; k < 1 << i; k++) {
      const float middle = dynamic_middle(i, 1 << i, k);
      map[127 + ++n] = middle;
      map[127 - n] = -middle;
    }
  map[255] = 1;
  return map;
}

constexpr CodeMap make_unsigned_map() {
  CodeMap map = {};
  size_t n = 0;
  for (int i = 0; i < 7; i++)
    for (int k = 0; k < 2 << i; k++) map[++n] = dynamic_middle(i, 2 << i, k);
  map[255] = 1;
  return map;
}

inline constexpr CodeMap kSignedMap = make_signed_map(), kUnsignedMap = make_unsigned_map();

// The code next to a number: the number of middles between neighbours that are below it, so that
// half-way the lower code is taken. Numbers with the same upper 16 bits lie within 2^-8 of the next
// power of two, middles further apart: at most one is left to compare with.
class NearestCode {
 public:
  explicit NearestCode(const CodeMap& map);
  uint8_t operator()(float x) const {
    const uint8_t code = lowest_[__builtin_bit_cast(uint32_t, x) >> 16];
    return uint8_t(code + (x > middles_[code]));
  }

 private:
  std::array<float, 256> middles_;  // above each code; the last is infinite
  std::vector<uint8_t> lowest_;     // of the numbers with the same upper 16 bits
};

}  // namespace chatmem
