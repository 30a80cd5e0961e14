// Dot products of rows of q4_0, q4_k and q6_k with activations as bytes, for AVX2 without VNNI:
// there products of 16-bit integers take half as long again, and processors of that kind would wait
// for them and no longer for memory. A part of quant_kernels.cpp, beside integer_dots.h, whose
// loops over rows these types take.
//
// A pair of registers has 64 levels, of two groups of 32; a lane has four. With the weights' scales
// in them, where these are integers, their products with activations become f32 and are multiplied
// by the scale of these four activations.
#pragma once

#include "compute/integer_dots.h"

namespace chatmem {
namespace {

#if defined(__AVX2__)

constexpr int kPairs = kBlock / kChunk;

// 32 integers in the order of four registers of 8.
inline __m256i bytes_of_levels(const __m256* x) {
  const __m256i first = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
  const __m256i last = _mm256_packs_epi32(_mm256_cvtps_epi32(x[2]), _mm256_cvtps_epi32(x[3]));
  const __m256i fours = _mm256_packs_epi16(first, last);
  return _mm256_permutevar8x32_epi32(fours, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
// The bits of the largest magnitude among four neighbours, in each of them.
inline __m256i largest_of_four(__m256 x) {
  const __m256i bits = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7FFFFFFF));
  const __m256i twos = _mm256_max_epu32(bits, _mm256_shuffle_epi32(bits, 0xB1));
  return _mm256_max_epu32(twos, _mm256_shuffle_epi32(twos, 0x4E));
}
// Sums of four neighbours.
inline __m256 sums_of_four(__m256i bytes) {
  const __m256i twos = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
  return _mm256_cvtepi32_ps(_mm256_madd_epi16(twos, _mm256_set1_epi16(1)));
}

// As QuantLoops::to_integers.
template <typename Block>
void to_bytes(const IntegerRows& to, size_t at, const float* x) {
  const __m256 largest_byte = _mm256_set1_ps(127), none = _mm256_set1_ps(__builtin_nanf(""));
  for (const size_t end = at + kBlock; at < end; at += kChunk, x += kChunk) {
    __m256 levels[8];  // of one register of the pair, then of the other
    float scales[16];
    for (int i = 0; i < 8; i++) {
      const __m256 values = _mm256_loadu_ps(x + Block::element(i / 2, i % 2 * 8));
      const __m256i bits = largest_of_four(values);
      const __m256 largest = _mm256_castsi256_ps(bits);
      const __m256 counts = _mm256_cmp_ps(largest, _mm256_set1_ps(1e-30f), _CMP_GE_OQ);
      const __m256i infinite = _mm256_cmpgt_epi32(bits, _mm256_set1_epi32(0x7F7FFFFF));
      levels[i] = values * _mm256_and_ps(largest_byte / largest, counts);
      const __m256 scale = _mm256_blendv_ps(_mm256_and_ps(largest / largest_byte, counts), none,
                                            _mm256_castsi256_ps(infinite));
      scales[i * 2] = scale[0], scales[i * 2 + 1] = scale[4];
    }
    const __m256i bytes[] = {bytes_of_levels(levels), bytes_of_levels(levels + 4)};
    __builtin_memcpy(to.values + at, bytes, sizeof bytes);
    __builtin_memcpy(to.scales + at / Block::kPerScale, scales, sizeof scales);
    __m256 halves = _mm256_hadd_ps(sums_of_four(bytes[0]) * _mm256_loadu_ps(scales),
                                   sums_of_four(bytes[1]) * _mm256_loadu_ps(scales + 8));
    halves = _mm256_hadd_ps(halves, halves);
    float sixteens[kParts];
    for (int part = 0; part < kParts; part++)
      sixteens[Block::element(part, 0) / 16] = halves[part / 2 + part % 2 * 4];
    for (int i = 0; i < kChunk / Block::kPerSum; i++)
      to.sums[at / Block::kPerSum + size_t(i)] =
          Block::kPerSum == 16 ? sixteens[i] : sixteens[i * 2] + sixteens[i * 2 + 1];
  }
}

// The sums of one row of w and kX rows of x.
template <typename Block, int kX>
struct ByteSums {
  __m256 totals[kX] = {};

  // Elements [at, at + 256) of the first row, and of those that follow it.
  void add(const u8* bytes, const IntegerRows& x, size_t at) {
    const Block block(bytes);
    __m256 sums[2][kX] = {};
#pragma GCC unroll 4
    for (int pair = 0; pair < kPairs; pair++) {
      const auto w = block.pair(pair);
#pragma GCC unroll 4
      for (int t = 0; t < kX; t++) {
        const size_t from = at + size_t(t) * x.stride + size_t(pair) * kChunk;
        w.add(sums[pair % 2][t], x.values + from, x.scales + from / Block::kPerScale);
      }
    }
    for (int t = 0; t < kX; t++) {
      totals[t] = _mm256_fmadd_ps(sums[0][t] + sums[1][t], block.scale, totals[t]);
      const float* of_groups = x.sums + (at + size_t(t) * x.stride) / Block::kPerSum;
      totals[t] = _mm256_fnmadd_ps(block.mins(of_groups), block.scale_of_mins, totals[t]);
    }
  }
  float total(int t) const { return sum(reinterpret_cast<Vec>(totals[t])); }
};

// Levels of two groups with integer scales.
struct ScaledPair {
  __m256i levels[2], factors[2];
  void add(__m256& sum, const u8* x, const float* scales) const {
    for (int i = 0; i < 2; i++) {
      const __m256i twos = _mm256_maddubs_epi16(levels[i], load_256(x + i * 32));
      const __m256 fours = _mm256_cvtepi32_ps(_mm256_madd_epi16(twos, factors[i]));
      sum = _mm256_fmadd_ps(fours, _mm256_loadu_ps(scales + i * 8), sum);
    }
  }
};

struct BytesQ4_0 {
  template <int kX>
  using Sums = ByteSums<BytesQ4_0, kX>;
  static constexpr int kBytes = 8 * 18, kIntegerBytes = 1, kPerScale = 4, kPerSum = 32;
  const u8* bytes;
  __m256 scales, scale = _mm256_set1_ps(1), scale_of_mins = _mm256_set1_ps(8);

  explicit BytesQ4_0(const u8* p) : bytes(p), scales(scales_of_groups<18>(p)) {}
  // First halves of both groups, then second ones.
  static constexpr int element(int part, int i) { return part % 2 * 32 + part / 2 * 16 + i; }
  struct Pair {
    __m256i levels[2];
    __m256 scales;  // four lanes of each group
    void add(__m256& sum, const u8* x, const float* of_x) const {
      const __m256 pair = _mm256_fmadd_ps(fours(1, x + 32), _mm256_loadu_ps(of_x + 8),
                                          fours(0, x) * _mm256_loadu_ps(of_x));
      sum = _mm256_fmadd_ps(pair, scales, sum);
    }
    __m256 fours(int i, const u8* x) const {
      const __m256i twos = _mm256_maddubs_epi16(levels[i], load_256(x));
      return _mm256_cvtepi32_ps(_mm256_madd_epi16(twos, _mm256_set1_epi16(1)));
    }
  };
  Pair pair(int i) const {
    const u8* first = bytes + i * 36 + 2;
    const __m256i both = _mm256_set_m128i(load_128(first + 18), load_128(first));
    const __m256i low = _mm256_set1_epi8(15);
    const int a = i * 2, b = a + 1;
    return {{_mm256_and_si256(both, low), _mm256_and_si256(_mm256_srli_epi16(both, 4), low)},
            _mm256_permutevar8x32_ps(scales, _mm256_setr_epi32(a, a, a, a, b, b, b, b))};
  }
  __m256 mins(const float* sums) const { return scales * _mm256_loadu_ps(sums); }
};

struct BytesQ4_K {
  template <int kX>
  using Sums = ByteSums<BytesQ4_K, kX>;
  static constexpr int kBytes = 144, kIntegerBytes = 1, kPerScale = 4, kPerSum = 32;
  const u8* bytes;
  __m128i scales_and_mins;
  __m256 scale, scale_of_mins;

  explicit BytesQ4_K(const u8* p) : bytes(p) {
    const __m128i head = load_128(p);  // d, dmin, 12 bytes
    scales_and_mins = BlockQ4_K::unpack(head);
    const __m128 d_and_dmin = _mm_cvtph_ps(head);
    scale = _mm256_set1_ps(d_and_dmin[0]), scale_of_mins = _mm256_set1_ps(d_and_dmin[1]);
  }
  static constexpr int element(int part, int i) { return part * kWords + i; }
  ScaledPair pair(int i) const {
    const __m256i both = load_256(bytes + 16 + i * 32), low = _mm256_set1_epi8(15);
    return {{_mm256_and_si256(both, low), _mm256_and_si256(_mm256_srli_epi16(both, 4), low)},
            {factors(i * 2), factors(i * 2 + 1)}};
  }
  __m256i factors(int group) const {
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(scales_and_mins),
                               _mm256_set1_epi16(short(group | 0x8000)));
  }
  __m256 mins(const float* sums) const {
    const __m256i m = _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(scales_and_mins, scales_and_mins));
    return _mm256_cvtepi32_ps(m) * _mm256_loadu_ps(sums);
  }
};

struct BytesQ6_K {
  template <int kX>
  using Sums = ByteSums<BytesQ6_K, kX>;
  static constexpr int kBytes = 210, kIntegerBytes = 1, kPerScale = 4, kPerSum = 16;
  const u8* bytes;
  __m256i level_scales;  // words: those of first halves of groups, then those of second ones
  __m256 scale, scale_of_mins;

  explicit BytesQ6_K(const u8* p)
      : bytes(p), scale(_mm256_set1_ps(f16_at(p + 208))), scale_of_mins(scale * 32.0f) {
    const __m128i halves = _mm_set_epi8(15, 13, 11, 9, 7, 5, 3, 1, 14, 12, 10, 8, 6, 4, 2, 0);
    level_scales = _mm256_cvtepi8_epi16(_mm_shuffle_epi8(load_128(p + 192), halves));
  }
  static constexpr int element(int part, int i) { return part * kWords + i; }
  // 32 above the levels.
  ScaledPair pair(int i) const {
    const int half = i / 2;
    const __m256i a = load_256(bytes + half * 64), b = load_256(bytes + half * 64 + 32);
    const __m256i high = load_256(bytes + 128 + half * 32);
    ScaledPair w = {{}, {factors(i * 2), factors(i * 2 + 1)}};
    if (i % 2 == 0) {
      w.levels[0] = level(a, _mm256_slli_epi16(high, 4));
      w.levels[1] = level(b, _mm256_slli_epi16(high, 2));
    } else {
      w.levels[0] = level(_mm256_srli_epi16(a, 4), high);
      w.levels[1] = level(_mm256_srli_epi16(b, 4), _mm256_srli_epi16(high, 2));
    }
    return w;
  }
  static __m256i level(__m256i low, __m256i high) {
    return _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi8(15)),
                           _mm256_and_si256(high, _mm256_set1_epi8(48)));
  }
  __m256i factors(int group) const {
    const short word = short(group * 2 | (group * 2 + 1) << 8);
    return _mm256_shuffle_epi8(level_scales, _mm256_set1_epi16(word));
  }
  __m256 mins(const float* sums) const {
    const __m256i first = _mm256_cvtepi8_epi32(load_128(bytes + 192));
    const __m256i last =
        _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + 200)));
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(last), _mm256_loadu_ps(sums + 8),
                           _mm256_cvtepi32_ps(first) * _mm256_loadu_ps(sums));
  }
};

#endif

}  // namespace
}  // namespace chatmem
