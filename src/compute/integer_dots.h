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

// How far ahead rows are asked for: processors do not follow by themselves from page to page.
constexpr size_t kPrefetchBytes = 8192;
constexpr int kBlock = 256, kChunk = 64;

inline __m256i load_256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline __m128i load_128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

// 64 levels; a sum for each four of them; a number for each group of a block.
struct Chunk {
#if defined(__AVX512VNNI__)
  __m512i levels;
#else
  __m256i halves[2];
#endif
};
struct Lanes {
#if defined(__AVX512VNNI__)
  __m512 all;
#else
  __m256 halves[2];
#endif
};
template <int kGroup>
struct Groups {
#if defined(__AVX512VNNI__)
  __m512 all;  // of 8 groups in the lower half
#else
  __m256 eights[kBlock / kGroup / 8];
#endif
};

#if defined(__AVX512VNNI__)

// Signed levels are read as if they began at 0, so that this must be subtracted again.
constexpr float kSignedZero = 128;

template <bool kSigned>
inline Lanes multiply(Chunk w, const i8* high, const i8* low) {
  __m512i sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), w.levels, _mm512_loadu_si512(high));
  sum = _mm512_maskz_slli_epi32(0xFFFF, sum, 7);
  sum = _mm512_dpbusd_epi32(sum, w.levels, _mm512_loadu_si512(low));
  return {_mm512_maskz_cvtepi32_ps(0xFFFF, sum)};
}
inline void add_product(Lanes& sums, Lanes a, Lanes b) {
  sums.all = _mm512_fmadd_ps(a.all, b.all, sums.all);
}
inline float sum(Lanes a, Lanes b) {
  return sum(reinterpret_cast<Vec>(a.all) + reinterpret_cast<Vec>(b.all));
}

template <int kGroup>
inline Groups<kGroup> load_groups(const float* p) {
  if constexpr (kGroup == 16) return {_mm512_loadu_ps(p)};
  return {_mm512_maskz_loadu_ps(0xFF, p)};
}
inline Groups<32> groups_of(__m256 v) { return {_mm512_maskz_broadcast_f32x8(0x00FF, v)}; }
inline Groups<16> groups_of_bytes(const void* p) {
  return {_mm512_maskz_cvtepi32_ps(0xFFFF, _mm512_maskz_cvtepi8_epi32(0xFFFF, load_128(p)))};
}
template <int kGroup>
inline Groups<kGroup> scaled(Groups<kGroup> a, float factor) {
  return {reinterpret_cast<__m512>(reinterpret_cast<Vec>(a.all) * factor)};
}
template <int kGroup>
inline Groups<kGroup> product(Groups<kGroup> a, Groups<kGroup> b) {
  return {reinterpret_cast<__m512>(reinterpret_cast<Vec>(a.all) * reinterpret_cast<Vec>(b.all))};
}
template <int kGroup>
inline void add_product(Groups<kGroup>& sums, Groups<kGroup> a, Groups<kGroup> b) {
  sums.all = _mm512_fmadd_ps(a.all, b.all, sums.all);
}
template <int kGroup>
inline float sum(Groups<kGroup> a) {
  return sum(reinterpret_cast<Vec>(a.all));
}
// The number of its group for each lane of a chunk.
template <int kGroup>
inline Lanes of_chunk(Groups<kGroup> a, int chunk) {
  const VecU lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const VecU group = lane / (kGroup / 4) + unsigned(chunk * kChunk / kGroup);
  return {_mm512_maskz_permutexvar_ps(0xFFFF, reinterpret_cast<__m512i>(group), a.all)};
}

// 32 bytes at p as the lower nibbles of a chunk and then the higher ones.
inline __m512i nibbles_of(__m512i bytes, __m512i shift) {
  return _mm512_and_si512(_mm512_maskz_srlv_epi32(0xFFFF, bytes, shift), _mm512_set1_epi8(15));
}

inline Chunk chunk_q8_0(const u8* blocks) {
  const __m512i signed_levels = _mm512_maskz_inserti64x4(
      0xFF, _mm512_castsi256_si512(load_256(blocks + 2)), load_256(blocks + 36), 1);
  return {_mm512_xor_si512(signed_levels, _mm512_set1_epi8(-128))};
}
inline Chunk chunk_q4_0(const u8* blocks) {
  const __m512i first = _mm512_maskz_broadcast_i32x4(0xFFFF, load_128(blocks + 2));
  return {nibbles_of(_mm512_mask_broadcast_i32x4(first, 0xFF00, load_128(blocks + 20)),
                     _mm512_set_epi32(4, 4, 4, 4, 0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0))};
}
inline Chunk chunk_q4_k(const u8* block, int chunk) {
  return {nibbles_of(_mm512_maskz_broadcast_i64x4(0xFF, load_256(block + 16 + chunk * 32)),
                     _mm512_set_epi32(4, 4, 4, 4, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0))};
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

constexpr float kSignedZero = 0;

// Two products fit 16 bits: of levels up to 63, or of magnitudes up to 128, with 127.
template <bool kSigned>
inline __m256 multiply(__m256i w, __m256i high, __m256i low) {
  if constexpr (kSigned) {
    high = _mm256_sign_epi8(high, w);
    low = _mm256_sign_epi8(low, w);
    w = _mm256_abs_epi8(w);
  }
  const __m256i h = _mm256_madd_epi16(_mm256_maddubs_epi16(w, high), _mm256_set1_epi16(128));
  const __m256i l = _mm256_madd_epi16(_mm256_maddubs_epi16(w, low), _mm256_set1_epi16(1));
  return _mm256_cvtepi32_ps(_mm256_add_epi32(h, l));
}
template <bool kSigned>
inline Lanes multiply(Chunk w, const i8* high, const i8* low) {
  return {multiply<kSigned>(w.halves[0], load_256(high), load_256(low)),
          multiply<kSigned>(w.halves[1], load_256(high + 32), load_256(low + 32))};
}
inline void add_product(Lanes& sums, Lanes a, Lanes b) {
  for (int i = 0; i < 2; i++)
    sums.halves[i] = _mm256_fmadd_ps(a.halves[i], b.halves[i], sums.halves[i]);
}

template <int kGroup>
inline Groups<kGroup> load_groups(const float* p) {
  Groups<kGroup> x;
  for (__m256& eight : x.eights) eight = _mm256_loadu_ps(p), p += 8;
  return x;
}
inline Groups<32> groups_of(__m256 v) { return {v}; }
inline Groups<16> groups_of_bytes(const void* p) {
  const __m128i bytes = load_128(p);
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
          _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)))};
}
template <int kGroup>
inline Groups<kGroup> scaled(Groups<kGroup> a, float factor) {
  for (__m256& eight : a.eights) eight = _mm256_mul_ps(eight, _mm256_set1_ps(factor));
  return a;
}
template <int kGroup>
inline Groups<kGroup> product(Groups<kGroup> a, Groups<kGroup> b) {
  for (int i = 0; i < kBlock / kGroup / 8; i++)
    a.eights[i] = _mm256_mul_ps(a.eights[i], b.eights[i]);
  return a;
}
template <int kGroup>
inline void add_product(Groups<kGroup>& sums, Groups<kGroup> a, Groups<kGroup> b) {
  for (int i = 0; i < kBlock / kGroup / 8; i++)
    sums.eights[i] = _mm256_fmadd_ps(a.eights[i], b.eights[i], sums.eights[i]);
}
template <int kGroup>
inline float sum(Groups<kGroup> a) {
  float total = 0;
  for (const __m256 eight : a.eights) {
    float lanes[8];
    _mm256_storeu_ps(lanes, eight);
    for (const float lane : lanes) total += lane;
  }
  return total;
}
inline float sum(Lanes a, Lanes b) {
  const __m256 all = _mm256_add_ps(_mm256_add_ps(a.halves[0], b.halves[0]),
                                   _mm256_add_ps(a.halves[1], b.halves[1]));
  return sum(Groups<32>{all});
}
template <int kGroup>
inline Lanes of_chunk(Groups<kGroup> a, int chunk) {
  Lanes x;
  for (int i = 0; i < 2; i++) {
    const int first = chunk * (kChunk / kGroup) + i * (32 / kGroup),
              second = first + 32 / kGroup - 1;
    const int b = second % 8, c = first % 8;
    x.halves[i] =
        _mm256_permutevar8x32_ps(a.eights[first / 8], _mm256_set_epi32(b, b, b, b, c, c, c, c));
  }
  return x;
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

inline float f16_at(const void* p) {
  u16 bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  return _cvtsh_ss(bits);
}
// The f16 at the beginning of each of 8 blocks.
inline __m256 f16_of_blocks(const u8* blocks, size_t stride) {
  u16 bits[8];
  for (size_t i = 0; i < 8; i++) __builtin_memcpy(bits + i, blocks + i * stride, sizeof(u16));
  return _mm256_cvtph_ps(_mm_set_epi16(short(bits[7]), short(bits[6]), short(bits[5]),
                                       short(bits[4]), short(bits[3]), short(bits[2]),
                                       short(bits[1]), short(bits[0])));
}

// The types: 256 elements at `block`.
template <int kGroupElements>
struct Scales {
  Groups<kGroupElements> scale, min;
};
struct IntegerQ8_0 {
  static constexpr int kGroup = 32, kBytes = 8 * 34;
  static constexpr bool kSigned = true;
  static Chunk chunk(const u8* block, int i) { return chunk_q8_0(block + i * 68); }
  static Scales<kGroup> scales(const u8* block) {
    const Groups<kGroup> scale = groups_of(f16_of_blocks(block, 34));
    return {scale, scaled(scale, kSignedZero)};
  }
};
struct IntegerQ4_0 {
  static constexpr int kGroup = 32, kBytes = 8 * 18;
  static constexpr bool kSigned = false;
  static Chunk chunk(const u8* block, int i) { return chunk_q4_0(block + i * 36); }
  static Scales<kGroup> scales(const u8* block) {
    const Groups<kGroup> scale = groups_of(f16_of_blocks(block, 18));
    return {scale, scaled(scale, 8)};
  }
};
struct IntegerQ4_K {
  static constexpr int kGroup = 32, kBytes = 144;
  static constexpr bool kSigned = false;
  static Chunk chunk(const u8* block, int i) { return chunk_q4_k(block, i); }
  static Scales<kGroup> scales(const u8* block) {
    unsigned bytes[4];
    unpack_scales_q4_k(bytes, block);
    const __m128i packed =
        _mm_set_epi32(int(bytes[3]), int(bytes[2]), int(bytes[1]), int(bytes[0]));
    const auto widened = [](__m128i x) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(x)); };
    return {scaled(groups_of(widened(packed)), f16_at(block)),
            scaled(groups_of(widened(_mm_srli_si128(packed, 8))), f16_at(block + 2))};
  }
};
struct IntegerQ6_K {
  static constexpr int kGroup = 16, kBytes = 210;
  static constexpr bool kSigned = false;
  static Chunk chunk(const u8* block, int i) { return chunk_q6_k(block, i); }
  static Scales<kGroup> scales(const u8* block) {
    const Groups<kGroup> scale = scaled(groups_of_bytes(block + 192), f16_at(block + 208));
    return {scale, scaled(scale, 32)};
  }
};

// The sums of one row of w and kX rows of x, two chains of additions each.
template <typename Type, int kX>
struct IntegerSums {
  Lanes products[kX][2] = {};
  Groups<Type::kGroup> mins[kX] = {};

  void add(const u8* block, const IntegerRows& x, size_t at) {
    const auto [scale, min] = Type::scales(block);
    Groups<Type::kGroup> factors[kX];
    for (int t = 0; t < kX; t++) {
      const size_t group = (size_t(t) * x.stride + at) / Type::kGroup;
      factors[t] = product(scale, load_groups<Type::kGroup>(x.scales + group));
      if (!Type::kSigned || kSignedZero != 0)
        add_product(mins[t], min, load_groups<Type::kGroup>(x.sums + group));
    }
#pragma GCC unroll 4
    for (int c = 0; c < kBlock / kChunk; c++) {
      const Chunk w = Type::chunk(block, c);
      for (int t = 0; t < kX; t++) {
        const size_t from = size_t(t) * x.stride + at + size_t(c) * kChunk;
        add_product(products[t][c % 2], multiply<Type::kSigned>(w, x.high + from, x.low + from),
                    of_chunk(factors[t], c));
      }
    }
  }
  float total(int t) const { return sum(products[t][0], products[t][1]) - sum(mins[t]); }
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
