// Dot products of rows of q4_k and q6_k with activations as bytes, for AVX2 without VNNI: there
// products of 16-bit integers take half as long again, and processors of that kind would wait for
// them and no longer for memory. A part of quant_kernels.cpp, beside integer_dots.h, whose loops
// over rows these types take.
//
// The sum of a group of 32, of levels and integers, becomes f32 and is multiplied by both scales.
#pragma once

#include "compute/integer_dots.h"

namespace chatmem {
namespace {

#if defined(__AVX2__)

// 32 integers in natural order from four registers of 8.
inline __m256i bytes_of_levels(__m256 a, __m256 b, __m256 c, __m256 d) {
  const __m256i first = _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
  const __m256i last = _mm256_packs_epi32(_mm256_cvtps_epi32(c), _mm256_cvtps_epi32(d));
  const __m256i fours = _mm256_packs_epi16(first, last);
  return _mm256_permutevar8x32_epi32(fours, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
inline unsigned largest_of_lanes(__m256i x) {
  __m128i y = _mm_max_epu32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  y = _mm_max_epu32(y, _mm_shuffle_epi32(y, 0x4E));
  y = _mm_max_epu32(y, _mm_shuffle_epi32(y, 0xB1));
  return unsigned(_mm_cvtsi128_si32(y));
}

// As QuantLoops::to_integers. Sums are of groups of 32 in f32, or of 16 as integers.
template <typename Block>
void to_bytes(const IntegerRows& to, size_t at, const float* x) {
  constexpr float kLargest = 127;
  for (size_t group = at / 32; group < (at + kBlock) / 32; group++, x += 32) {
    const __m256 a = _mm256_loadu_ps(x), b = _mm256_loadu_ps(x + 8), c = _mm256_loadu_ps(x + 16),
                 d = _mm256_loadu_ps(x + 24);
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    const auto bits = [&](__m256 y) { return _mm256_and_si256(_mm256_castps_si256(y), magnitude); };
    const unsigned largest = largest_of_lanes(
        _mm256_max_epu32(_mm256_max_epu32(bits(a), bits(b)), _mm256_max_epu32(bits(c), bits(d))));
    float max, scale = 0, inverse = 0;
    __builtin_memcpy(&max, &largest, sizeof max);
    if (largest >= 0x7F800000)
      scale = __builtin_nanf("");
    else if (max >= 1e-30f)
      scale = max / kLargest, inverse = kLargest / max;
    const __m256i levels = bytes_of_levels(a * inverse, b * inverse, c * inverse, d * inverse);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to.values + group * 32), levels);
    to.scales[group] = scale;
    const __m256i twos = _mm256_maddubs_epi16(_mm256_set1_epi8(1), levels);
    __m256i sums = _mm256_madd_epi16(twos, _mm256_set1_epi16(1));
    sums = _mm256_hadd_epi32(sums, sums);
    sums = _mm256_hadd_epi32(sums, sums);
    const int first = _mm256_extract_epi32(sums, 0), second = _mm256_extract_epi32(sums, 4);
    if constexpr (Block::kSumsOfSixteen) {
      const short both[] = {short(first), short(second)};
      __builtin_memcpy(to.sums + group * 4, both, sizeof both);
    } else {
      const float both = scale * float(first + second);
      __builtin_memcpy(to.sums + group * 4, &both, sizeof both);
    }
  }
}

// The sums of one row of w and kX rows of x, in two chains.
template <typename Block, int kX>
struct ByteSums {
  __m256 chains[2][kX] = {};

  // Elements [at, at + 256) of the first row, and of those that follow it.
  void add(const u8* bytes, const IntegerRows& x, size_t at) {
    const Block block(bytes);
    float scales[kX][kGroups];
    for (int t = 0; t < kX; t++) {
      const size_t begin = at + size_t(t) * x.stride;
      const __m256 of_groups = _mm256_loadu_ps(x.scales + begin / 32);
      _mm256_storeu_ps(scales[t], block.scales * of_groups);
      chains[0][t] -= block.mins(x.sums + begin / 8, of_groups);
    }
    keep_in_memory(scales);  // from where a scale for all lanes is a load
#pragma GCC unroll 4
    for (int pair = 0; pair < kGroups / 2; pair++) {
      __m256i levels[2];
      block.groups(levels, pair);
#pragma GCC unroll 2
      for (int i = 0; i < 2; i++) {
        const int group = pair * 2 + i;
#pragma GCC unroll 4
        for (int t = 0; t < kX; t++) {
          const u8* values = x.values + at + size_t(t) * x.stride + group * 32;
          const __m256i twos = _mm256_maddubs_epi16(levels[i], load_256(values));
          const __m256i fours = _mm256_madd_epi16(twos, block.factors(group));
          const __m256 scale = _mm256_set1_ps(scales[t][group]);
          chains[i][t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(fours), scale, chains[i][t]);
        }
      }
    }
  }
  float total(int t) const { return sum(reinterpret_cast<Vec>(chains[0][t] + chains[1][t])); }
};

struct BytesQ4_K {
  template <int kX>
  using Sums = ByteSums<BytesQ4_K, kX>;
  static constexpr int kBytes = 144, kIntegerBytes = 1;
  static constexpr bool kSumsOfSixteen = false;
  const u8* bytes;
  __m256 scales, scales_of_mins;

  explicit BytesQ4_K(const u8* p) : bytes(p) {
    const __m128i head = load_128(p);  // d, dmin, 12 bytes
    const __m128i both = BlockQ4_K::unpack(head);
    const __m128 d_and_dmin = _mm_cvtph_ps(head);
    scales = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(both)) * d_and_dmin[0];
    const __m256i m = _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(both, both));
    scales_of_mins = _mm256_cvtepi32_ps(m) * d_and_dmin[1];
  }
  static constexpr int element(int part, int i) { return part * kWords + i; }
  void groups(__m256i* levels, int pair) const {
    const __m256i both = load_256(bytes + 16 + pair * 32), low = _mm256_set1_epi8(15);
    levels[0] = _mm256_and_si256(both, low);
    levels[1] = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
  }
  static __m256i factors(int) { return _mm256_set1_epi16(1); }
  __m256 mins(const u8* sums, __m256) const {
    return scales_of_mins * _mm256_loadu_ps(reinterpret_cast<const float*>(sums));
  }
};

struct BytesQ6_K {
  template <int kX>
  using Sums = ByteSums<BytesQ6_K, kX>;
  static constexpr int kBytes = 210, kIntegerBytes = 1;
  static constexpr bool kSumsOfSixteen = true;
  const u8* bytes;
  __m256i levels_scales;  // words: those of first halves of groups, then those of second ones
  __m256 scales;

  explicit BytesQ6_K(const u8* p) : bytes(p), scales(_mm256_set1_ps(f16_at(p + 208))) {
    const __m128i halves = _mm_set_epi8(15, 13, 11, 9, 7, 5, 3, 1, 14, 12, 10, 8, 6, 4, 2, 0);
    levels_scales = _mm256_cvtepi8_epi16(_mm_shuffle_epi8(load_128(p + 192), halves));
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
    return _mm256_shuffle_epi8(levels_scales, _mm256_set1_epi16(word));
  }
  __m256 mins(const u8* sums, __m256 of_groups) const {
    const __m256i natural = _mm256_cvtepi8_epi16(load_128(bytes + 192));
    const __m256i totals = _mm256_madd_epi16(natural, load_256(sums));
    return _mm256_cvtepi32_ps(totals) * (scales * of_groups * 32.0f);
  }
};

#endif

}  // namespace
}  // namespace chatmem
