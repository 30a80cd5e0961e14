// Dot products of rows of q4_k and q6_k with activations as bytes, for AVX2 without VNNI: there
// products of 16-bit integers take half as long again, and processors of that kind would wait for
// them and no longer for memory. A part of quant_kernels.cpp, beside integer_dots.h, whose loops
// over rows these types take.
//
// The weights' scales, which are integers, are multiplied in; the sum of four neighbours, which is
// what a lane has, becomes f32 and is multiplied by the scale of these four activations.
#pragma once

#include "compute/integer_dots.h"

namespace chatmem {
namespace {

#if defined(__AVX2__)

// Of two and two lanes at a time, as packing leaves them.
inline __m256i in_natural_order(__m256i x) {
  return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
inline __m256i bytes_of_levels(const __m256* x) {
  const __m256i first = _mm256_packs_epi32(_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1]));
  const __m256i last = _mm256_packs_epi32(_mm256_cvtps_epi32(x[2]), _mm256_cvtps_epi32(x[3]));
  return in_natural_order(_mm256_packs_epi16(first, last));
}
// One of four lanes, which are alike, of each half of each.
inline __m256 one_of_four(const __m256* x) {
  const __m256 first = _mm256_shuffle_ps(x[0], x[1], 0), last = _mm256_shuffle_ps(x[2], x[3], 0);
  return _mm256_castsi256_ps(
      in_natural_order(_mm256_castps_si256(_mm256_shuffle_ps(first, last, 0x88))));
}
// The bits of the largest magnitude among four neighbours, in each of them.
inline __m256i largest_of_four(__m256 x) {
  const __m256i bits = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7FFFFFFF));
  const __m256i pairs = _mm256_max_epu32(bits, _mm256_shuffle_epi32(bits, 0xB1));
  return _mm256_max_epu32(pairs, _mm256_shuffle_epi32(pairs, 0x4E));
}

// As QuantLoops::to_integers.
template <typename Block>
void to_bytes(const IntegerRows& to, size_t at, const float* x) {
  const __m256 largest_byte = _mm256_set1_ps(127), none = _mm256_set1_ps(__builtin_nanf(""));
  for (const size_t end = at + kBlock; at < end; at += 32, x += 32) {
    __m256 levels[4], scales[4];
    for (int i = 0; i < 4; i++) {
      const __m256 values = _mm256_loadu_ps(x + i * 8);
      const __m256i bits = largest_of_four(values);
      const __m256 largest = _mm256_castsi256_ps(bits);
      const __m256 counts = _mm256_cmp_ps(largest, _mm256_set1_ps(1e-30f), _CMP_GE_OQ);
      const __m256i infinite = _mm256_cmpgt_epi32(bits, _mm256_set1_epi32(0x7F7FFFFF));
      levels[i] = values * _mm256_and_ps(largest_byte / largest, counts);
      scales[i] = _mm256_blendv_ps(_mm256_and_ps(largest / largest_byte, counts), none,
                                   _mm256_castsi256_ps(infinite));
    }
    const __m256i bytes = bytes_of_levels(levels);
    const __m256 of_fours = one_of_four(scales);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to.values + at), bytes);
    _mm256_storeu_ps(to.scales + at / Block::kSameScale, of_fours);
    const __m256i twos = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
    const __m256i fours = _mm256_madd_epi16(twos, _mm256_set1_epi16(1));
    __m256 sums = _mm256_cvtepi32_ps(fours) * of_fours;
    sums = _mm256_hadd_ps(sums, sums);
    sums = _mm256_hadd_ps(sums, sums);
    if constexpr (Block::kSameMin == 32)
      to.sums[at / 32] = sums[0] + sums[4];
    else
      to.sums[at / 16] = sums[0], to.sums[at / 16 + 1] = sums[4];
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
    for (int pair = 0; pair < kGroups / 2; pair++) {
      __m256i levels[2];
      block.groups(levels, pair);
#pragma GCC unroll 2
      for (int i = 0; i < 2; i++) {
        const int group = pair * 2 + i;
        const __m256i factors = block.factors(group);
#pragma GCC unroll 4
        for (int t = 0; t < kX; t++) {
          const size_t from = at + size_t(t) * x.stride + size_t(group) * 32;
          const __m256i twos = _mm256_maddubs_epi16(levels[i], load_256(x.values + from));
          const __m256i fours = _mm256_madd_epi16(twos, factors);
          const __m256 scales = _mm256_loadu_ps(x.scales + from / Block::kSameScale);
          sums[i][t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(fours), scales, sums[i][t]);
        }
      }
    }
    for (int t = 0; t < kX; t++) {
      totals[t] = _mm256_fmadd_ps(sums[0][t] + sums[1][t], block.scale, totals[t]);
      const float* of_groups = x.sums + (at + size_t(t) * x.stride) / Block::kSameMin;
      totals[t] = _mm256_fnmadd_ps(block.mins(of_groups), block.scale_of_mins, totals[t]);
    }
  }
  float total(int t) const { return sum(reinterpret_cast<Vec>(totals[t])); }
};

struct BytesQ4_K {
  template <int kX>
  using Sums = ByteSums<BytesQ4_K, kX>;
  static constexpr int kBytes = 144, kIntegerBytes = 1, kSameScale = 4, kSameMin = 32;
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
  void groups(__m256i* levels, int pair) const {
    const __m256i both = load_256(bytes + 16 + pair * 32), low = _mm256_set1_epi8(15);
    levels[0] = _mm256_and_si256(both, low);
    levels[1] = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
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
  static constexpr int kBytes = 210, kIntegerBytes = 1, kSameScale = 4, kSameMin = 16;
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
  void groups(__m256i* levels, int pair) const {
    const int half = pair / 2;
    const __m256i a = load_256(bytes + half * 64), b = load_256(bytes + half * 64 + 32);
    const __m256i high = load_256(bytes + 128 + half * 32);
    if (pair % 2 == 0) {
      levels[0] = level(a, _mm256_slli_epi16(high, 4));
      levels[1] = level(b, _mm256_slli_epi16(high, 2));
    } else {
      levels[0] = level(_mm256_srli_epi16(a, 4), high);
      levels[1] = level(_mm256_srli_epi16(b, 4), _mm256_srli_epi16(high, 2));
    }
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
