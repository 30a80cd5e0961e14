// Dot products of rows of q8_0, q4_0, q4_k and q6_k with activations as integers (IntegerRows), by
// the instructions that multiply bytes and add four neighbours. A part of quant_kernels.cpp, for
// AVX2 and above.
//
// A row is read in blocks of 256 elements, a block in chunks of 64 levels, bytes from 0 on unless
// signed; each of 16 lanes sums four elements. A type says what the levels of a group of 16 or 32
// elements are scaled by and what is subtracted from them:
//   sum w x = sum over groups of (scale * sum of level * integer - min * sum of x).
#pragma once

#include "compute/cpu_vectors.h"
#include "compute/quant_kernels.h"

namespace chatmem {
namespace {

using u8 = unsigned char;

// Eight scales of q4_k, then eight mins, as bytes; four of 6 bits at a time.
inline void unpack_scales_q4_k(unsigned* bytes, const u8* block) {
  unsigned words[3];
  __builtin_memcpy(words, block + 4, sizeof words);
  bytes[0] = words[0] & 0x3F3F3F3F;
  bytes[1] = (words[2] & 0x0F0F0F0F) | (words[0] >> 2 & 0x30303030);
  bytes[2] = words[1] & 0x3F3F3F3F;
  bytes[3] = (words[2] >> 4 & 0x0F0F0F0F) | (words[1] >> 2 & 0x30303030);
}

#if defined(__AVX2__)

using i8 = signed char;

constexpr int kBlock = 256, kChunk = 64;
// How far ahead rows are asked for: processors do not follow by themselves from page to page.
constexpr size_t kPrefetchBytes = 8192;

inline __m256i load_256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline __m128i load_128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

#if defined(__AVX512F__)
using Bytes = __m512i;
#else
using Bytes = __m256i;
#endif
struct Chunk {  // 64 levels
  Bytes parts[kChunk / sizeof(Bytes)];
};
struct Lanes {  // a sum for each four of them
  Vec parts[kChunk / 4 / kLanes];
};
template <int kGroup>
struct Scales {  // those of the groups of a block, then the mins
  static constexpr int kParts = 2 * kBlock / kGroup / kLanes;
  Vec parts[kParts];
};

#if defined(__AVX512F__)

inline Bytes load_bytes(const void* p) { return _mm512_loadu_si512(p); }

// w (128 high + low), four neighbours a lane.
template <bool kSigned>
inline Vec multiply(Bytes w, Bytes high, Bytes low) {
#if defined(__AVX512VNNI__)
  __m512i sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), w, high);
  sum = _mm512_dpbusd_epi32(_mm512_maskz_slli_epi32(0xFFFF, sum, 7), w, low);
#else
  if constexpr (kSigned) {
    const __mmask64 negative = _mm512_movepi8_mask(w);
    high = _mm512_mask_sub_epi8(high, negative, _mm512_setzero_si512(), high);
    low = _mm512_mask_sub_epi8(low, negative, _mm512_setzero_si512(), low);
    w = _mm512_abs_epi8(w);
  }
  const __m512i h = _mm512_madd_epi16(_mm512_maddubs_epi16(w, high), _mm512_set1_epi16(128));
  const __m512i l = _mm512_madd_epi16(_mm512_maddubs_epi16(w, low), _mm512_set1_epi16(1));
  const __m512i sum = _mm512_add_epi32(h, l);
#endif
  return reinterpret_cast<Vec>(_mm512_maskz_cvtepi32_ps(0xFFFF, sum));
}

// 8 numbers, and then the same times a factor.
inline Scales<32> with_mins(__m256 scales, float factor) {
  Vec factors = splat(factor);
  for (int l = 0; l < 8; l++) factors[l] = 1;
  return {reinterpret_cast<Vec>(_mm512_maskz_broadcast_f32x8(0xFFFF, scales)) * factors};
}
// 16 bytes as numbers: of a level, of a signed one.
inline Vec from_u8(__m128i x) {
  return reinterpret_cast<Vec>(
      _mm512_maskz_cvtepi32_ps(0xFFFF, _mm512_maskz_cvtepu8_epi32(0xFFFF, x)));
}
inline Vec from_i8(__m128i x) {
  return reinterpret_cast<Vec>(
      _mm512_maskz_cvtepi32_ps(0xFFFF, _mm512_maskz_cvtepi8_epi32(0xFFFF, x)));
}
inline Scales<32> scales_q4_k(__m128i scales_and_mins, __m128 d_and_dmin) {
  const __m512i halves = _mm512_set_epi32(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m512 factors =
      _mm512_maskz_permutexvar_ps(0xFFFF, halves, _mm512_maskz_broadcast_f32x4(0xFFFF, d_and_dmin));
  return {from_u8(scales_and_mins) * reinterpret_cast<Vec>(factors)};
}
inline Scales<16> scales_q6_k(__m128i scales, float d) {
  const Vec scale = from_i8(scales) * d;
  return {scale, scale * 32.0f};
}

// The nibbles of 32 bytes, or of twice 16: first the lower ones, by `shift`.
inline Chunk nibbles_of(__m512i bytes, __m512i shift) {
  return {_mm512_and_si512(_mm512_maskz_srlv_epi32(0xFFFF, bytes, shift), _mm512_set1_epi8(15))};
}
inline Chunk chunk_q8_0(const u8* blocks) {
  const __m512i levels = _mm512_maskz_inserti64x4(
      0xFF, _mm512_castsi256_si512(load_256(blocks + 2)), load_256(blocks + 36), 1);
#if defined(__AVX512VNNI__)
  return {_mm512_xor_si512(levels, _mm512_set1_epi8(-128))};  // from 0 on
#else
  return {levels};
#endif
}
inline Chunk chunk_q4_0(const u8* blocks) {
  const __m512i first = _mm512_maskz_broadcast_i32x4(0xFFFF, load_128(blocks + 2));
  return nibbles_of(_mm512_mask_broadcast_i32x4(first, 0xFF00, load_128(blocks + 20)),
                    _mm512_set_epi32(4, 4, 4, 4, 0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0));
}
inline Chunk chunk_q4_k(const u8* block, int chunk) {
  return nibbles_of(_mm512_maskz_broadcast_i64x4(0xFF, load_256(block + 16 + chunk * 32)),
                    _mm512_set_epi32(4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0));
}
inline Chunk chunk_q6_k(const u8* block, int chunk) {
  const int half = chunk / 2, odd = chunk % 2;
  const __m512i low = _mm512_loadu_si512(block + half * 64);
  const __m512i high = _mm512_maskz_broadcast_i64x4(0xFF, load_256(block + 128 + half * 32));
  const __m512i two_bits = _mm512_maskz_srlv_epi32(
      0xFFFF, high, _mm512_set_epi32(2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m512i nibbles = odd ? _mm512_maskz_srli_epi32(0xFFFF, low, 4) : low;
  const __m512i top = odd ? two_bits : _mm512_maskz_slli_epi32(0xFFFF, two_bits, 4);
  return {_mm512_or_si512(_mm512_and_si512(nibbles, _mm512_set1_epi8(15)),
                          _mm512_and_si512(top, _mm512_set1_epi8(48)))};
}

#else

inline Bytes load_bytes(const void* p) { return load_256(p); }

// w (128 high + low), four neighbours a lane. Two products fit 16 bits: of levels up to 63, or of
// magnitudes up to 128, with 127.
template <bool kSigned>
inline Vec multiply(Bytes w, Bytes high, Bytes low) {
  if constexpr (kSigned) {
    high = _mm256_sign_epi8(high, w);
    low = _mm256_sign_epi8(low, w);
    w = _mm256_abs_epi8(w);
  }
#if defined(__AVXVNNI__)
  __m256i sum = _mm256_dpbusd_avx_epi32(_mm256_setzero_si256(), w, high);
  sum = _mm256_dpbusd_avx_epi32(_mm256_slli_epi32(sum, 7), w, low);
#else
  const __m256i h = _mm256_madd_epi16(_mm256_maddubs_epi16(w, high), _mm256_set1_epi16(128));
  const __m256i l = _mm256_madd_epi16(_mm256_maddubs_epi16(w, low), _mm256_set1_epi16(1));
  const __m256i sum = _mm256_add_epi32(h, l);
#endif
  return reinterpret_cast<Vec>(_mm256_cvtepi32_ps(sum));
}

inline Scales<32> with_mins(__m256 scales, float factor) {
  const Vec scale = reinterpret_cast<Vec>(scales);
  return {scale, scale * factor};
}
inline Vec from_u8(__m128i x) {
  return reinterpret_cast<Vec>(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(x)));
}
inline Vec from_i8(__m128i x) {
  return reinterpret_cast<Vec>(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(x)));
}
inline Scales<32> scales_q4_k(__m128i scales_and_mins, __m128 d_and_dmin) {
  return {from_u8(scales_and_mins) * d_and_dmin[0],
          from_u8(_mm_srli_si128(scales_and_mins, 8)) * d_and_dmin[1]};
}
inline Scales<16> scales_q6_k(__m128i scales, float d) {
  const Vec first = from_i8(scales) * d, second = from_i8(_mm_srli_si128(scales, 8)) * d;
  return {first, second, first * 32.0f, second * 32.0f};
}

inline __m256i low_nibbles(__m256i x) { return _mm256_and_si256(x, _mm256_set1_epi8(15)); }
inline __m256i high_nibbles(__m256i x) { return low_nibbles(_mm256_srli_epi16(x, 4)); }

inline Chunk chunk_q8_0(const u8* blocks) { return {load_256(blocks + 2), load_256(blocks + 36)}; }
inline Chunk chunk_q4_0(const u8* blocks) {
  const __m128i a = load_128(blocks + 2), b = load_128(blocks + 20);
  return {low_nibbles(_mm256_set_m128i(_mm_srli_epi16(a, 4), a)),
          low_nibbles(_mm256_set_m128i(_mm_srli_epi16(b, 4), b))};
}
inline Chunk chunk_q4_k(const u8* block, int chunk) {
  const __m256i bytes = load_256(block + 16 + chunk * 32);
  return {low_nibbles(bytes), high_nibbles(bytes)};
}
inline Chunk chunk_q6_k(const u8* block, int chunk) {
  const int half = chunk / 2, odd = chunk % 2;
  const __m256i low[] = {load_256(block + half * 64), load_256(block + half * 64 + 32)};
  const __m256i high = load_256(block + 128 + half * 32), two = _mm256_set1_epi8(48);
  const __m256i top[] = {
      _mm256_and_si256(odd ? high : _mm256_slli_epi16(high, 4), two),
      _mm256_and_si256(odd ? _mm256_srli_epi16(high, 2) : _mm256_slli_epi16(high, 2), two)};
  return {_mm256_or_si256(odd ? high_nibbles(low[0]) : low_nibbles(low[0]), top[0]),
          _mm256_or_si256(odd ? high_nibbles(low[1]) : low_nibbles(low[1]), top[1])};
}

#endif

#if defined(__AVX512VNNI__)
constexpr float kSignedZero = 128;  // how a level of 0 is read where levels are signed
#else
constexpr float kSignedZero = 0;
#endif

// The number of its group for each lane of a chunk.
template <int kGroup>
inline Lanes of_chunk(const Vec* groups, int chunk) {
  Lanes x;
  for (int i = 0; i < kChunk / 4 / kLanes; i++) {
    const int first = (chunk * kChunk + i * kLanes * 4) / kGroup;
    VecU group;
    for (int l = 0; l < kLanes; l++) group[l] = unsigned(first % kLanes + l * 4 / kGroup);
    x.parts[i] = __builtin_shuffle(groups[first / kLanes], group);
  }
  return x;
}

// The f16 at the beginning of each of 8 blocks.
template <size_t kStride>
inline __m256 f16_of_blocks(const u8* blocks) {
  u16 bits[8];
  for (size_t i = 0; i < 8; i++) __builtin_memcpy(bits + i, blocks + i * kStride, sizeof(u16));
  return _mm256_cvtph_ps(load_128(bits));
}
inline __m128i bytes_of_words(unsigned a, unsigned b, unsigned c, unsigned d) {
  return _mm_set_epi32(int(d), int(c), int(b), int(a));
}

// The types: 256 elements at `block`.
struct IntegerQ8_0 {
  static constexpr int kGroup = 32, kBytes = 8 * 34;
  static constexpr bool kSigned = true;
  static Chunk chunk(const u8* block, int i) { return chunk_q8_0(block + i * 68); }
  static Scales<kGroup> scales(const u8* block) {
    return with_mins(f16_of_blocks<34>(block), kSignedZero);
  }
};
struct IntegerQ4_0 {
  static constexpr int kGroup = 32, kBytes = 8 * 18;
  static constexpr bool kSigned = false;
  static Chunk chunk(const u8* block, int i) { return chunk_q4_0(block + i * 36); }
  static Scales<kGroup> scales(const u8* block) { return with_mins(f16_of_blocks<18>(block), 8); }
};
struct IntegerQ4_K {
  static constexpr int kGroup = 32, kBytes = 144;
  static constexpr bool kSigned = false;
  static Chunk chunk(const u8* block, int i) { return chunk_q4_k(block, i); }
  // As unpack_scales_q4_k, in one register.
  static Scales<kGroup> scales(const u8* block) {
    const __m128i head = load_128(block);  // d, dmin, 12 bytes
    const __m128i low = _mm_shuffle_epi8(
        head, _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 15, 14, 13, 12, 7, 6, 5, 4));
    const __m128i high = _mm_shuffle_epi8(
        head, _mm_set_epi8(11, 10, 9, 8, -1, -1, -1, -1, 7, 6, 5, 4, -1, -1, -1, -1));
    const __m128i six_bits = _mm_and_si128(low, bytes_of_words(kSix, kFour, kSix, 0));
    const __m128i last_mins = _mm_and_si128(_mm_srli_epi16(low, 4), bytes_of_words(0, 0, 0, kFour));
    const __m128i top = _mm_and_si128(_mm_srli_epi16(high, 2), _mm_set1_epi8(0x30));
    return scales_q4_k(_mm_or_si128(_mm_or_si128(six_bits, last_mins), top), _mm_cvtph_ps(head));
  }
  static constexpr unsigned kSix = 0x3F3F3F3F, kFour = 0x0F0F0F0F;
};
struct IntegerQ6_K {
  static constexpr int kGroup = 16, kBytes = 210;
  static constexpr bool kSigned = false;
  static Chunk chunk(const u8* block, int i) { return chunk_q6_k(block, i); }
  static Scales<kGroup> scales(const u8* block) {
    u16 d;
    __builtin_memcpy(&d, block + 208, sizeof d);
    return scales_q6_k(load_128(block + 192), _cvtsh_ss(d));
  }
};

// The sums of one row of w and kX rows of x, two chains of additions each.
template <typename Type, int kX>
struct IntegerSums {
  static constexpr int kGroup = Type::kGroup, kParts = Scales<kGroup>::kParts;
  Lanes products[kX][2] = {};
  Scales<kGroup> mins[kX] = {};  // in the second half

  void add(const u8* block, const IntegerRows& x, size_t at) {
    const Scales<kGroup> scales = Type::scales(block);
    Scales<kGroup> factors[kX];
    for (int t = 0; t < kX; t++) {
      const float* of_x = x.scales + (size_t(t) * x.stride + at) / kGroup * 2;
      for (int i = 0; i < kParts; i++) {
        factors[t].parts[i] = scales.parts[i] * load(of_x + i * kLanes);
        if (2 * i + 2 > kParts) mins[t].parts[i] += factors[t].parts[i];
      }
    }
#pragma GCC unroll 4
    for (int c = 0; c < kBlock / kChunk; c++) {
      const Chunk w = Type::chunk(block, c);
      for (int t = 0; t < kX; t++) {
        const size_t from = size_t(t) * x.stride + at + size_t(c) * kChunk;
        const Lanes scale = of_chunk<kGroup>(factors[t].parts, c);
        for (size_t i = 0; i < kChunk / sizeof(Bytes); i++) {
          const Vec product =
              multiply<Type::kSigned>(w.parts[i], load_bytes(x.high + from + i * sizeof(Bytes)),
                                      load_bytes(x.low + from + i * sizeof(Bytes)));
          Vec& sum = products[t][c % 2].parts[i];
          sum = multiply_add(product, scale.parts[i], sum);
        }
      }
    }
  }
  float total(int t) const {
    Vec all = {};
    for (size_t i = 0; i < kChunk / sizeof(Bytes); i++)
      all += products[t][0].parts[i] + products[t][1].parts[i];
    if constexpr (kParts == 1) {
      VecU second = {};
      for (int l = kLanes / 2; l < kLanes; l++) second[l] = ~0u;
      all -= select(second, mins[t].parts[0], Vec{});
    } else {
      for (int i = kParts / 2; i < kParts; i++) all -= mins[t].parts[i];
    }
    return sum(all);
  }
};

template <typename Type, int kX>
void dot_integers_of(float* y, const IntegerRows& x, const u8* w, size_t row_bytes, int rows) {
  for (int r = 0; r < rows; r++, w += row_bytes) {
    IntegerSums<Type, kX> sums;
    size_t at = 0, byte = 0;
    for (; byte + Type::kBytes <= row_bytes; at += kBlock, byte += Type::kBytes) {
      for (size_t line = 0; line < Type::kBytes; line += 64)
        __builtin_prefetch(w + byte + kPrefetchBytes + line, 0, 2);
      sums.add(w + byte, x, at);
    }
    if (byte < row_bytes) {  // blocks of 32 that fill no 256
      u8 last[Type::kBytes] = {};
      __builtin_memcpy(last, w + byte, row_bytes - byte);
      sums.add(last, x, at);
    }
    for (int t = 0; t < kX; t++) y[r * kX + t] = sums.total(t);
  }
}

template <typename Type>
void dot_integers(float* y, const IntegerRows& x, int n_x, const void* w, size_t row_bytes,
                  int rows) {
  const u8* p = static_cast<const u8*>(w);
  switch (n_x) {
    case 1:
      return dot_integers_of<Type, 1>(y, x, p, row_bytes, rows);
    case 2:
      return dot_integers_of<Type, 2>(y, x, p, row_bytes, rows);
    case 3:
      return dot_integers_of<Type, 3>(y, x, p, row_bytes, rows);
    case 4:
      return dot_integers_of<Type, 4>(y, x, p, row_bytes, rows);
  }
  __builtin_trap();
}

#endif

}  // namespace
}  // namespace chatmem
