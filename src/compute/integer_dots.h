// Dot products of rows of q8_0, q4_0, q4_k and q6_k with activations as integers (IntegerRows), by
// the instructions that multiply 16-bit integers and add two neighbours. A part of
// quant_kernels.cpp, for AVX2 and above.
//
// A row is read in blocks of 256 elements, each in chunks of four registers. A chunk becomes 16-bit
// integers once and meets every row of activations, whose elements have the order in which those of
// the weight come cheapest. Where a type's scales are integers (q4_k, q6_k) they are multiplied in,
// so that a whole block is summed up before it becomes f32; else as many registers as have the same
// scales. What is subtracted from levels is subtracted from the block at last:
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

constexpr int kBlock = 256, kGroups = 8;  // of 32, but for q6_k's scales
// How far ahead rows are asked for: processors do not follow by themselves from page to page.
constexpr size_t kPrefetchBytes = 8192;

// Registers of 16-bit integers; an instruction may see bytes, or 32 bits.
constexpr int kWords = 2 * kLanes, kParts = 4, kChunk = kParts * kWords;
typedef u16 Words __attribute__((vector_size(kLanes * 4)));
// The compiler must not add up products as a tree, for which there are not registers enough.
inline Words keep_in_register(Words x) {
  __asm__("" : "+v"(x));
  return x;
}
struct Chunk {
  Words parts[kParts];
};

inline __m256i load_256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline __m128i load_128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

#if defined(__AVX512F__)

constexpr int kMostRows = 8;  // whose sums stay in registers

// sum + a b, two neighbours a lane.
inline Words add_products(Words sum, Words a, Words b) {
  const __m512i s = reinterpret_cast<__m512i>(sum), x = reinterpret_cast<__m512i>(a);
#if defined(__AVX512VNNI__)
  return reinterpret_cast<Words>(_mm512_dpwssd_epi32(s, x, reinterpret_cast<__m512i>(b)));
#else
  const __m512i products = _mm512_madd_epi16(x, reinterpret_cast<__m512i>(b));
  return keep_in_register(reinterpret_cast<Words>(_mm512_add_epi32(s, products)));
#endif
}
inline Vec lanes_to_f32(Words x) {
  return reinterpret_cast<Vec>(_mm512_maskz_cvtepi32_ps(0xFFFF, reinterpret_cast<__m512i>(x)));
}
// Bytes times signed bytes, two neighbours added.
inline Words multiply_bytes(Words x, Words scales) {
  return reinterpret_cast<Words>(
      _mm512_maddubs_epi16(reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(scales)));
}
// For each byte, one of 16 by its index.
inline Words choose_bytes(__m128i x, Words indexes) {
  return reinterpret_cast<Words>(_mm512_shuffle_epi8(_mm512_maskz_broadcast_i32x4(0xFFFF, x),
                                                     reinterpret_cast<__m512i>(indexes)));
}
// Numbers for the groups of a block, then zeros.
inline Vec for_groups(__m256 x) {
  return reinterpret_cast<Vec>(_mm512_maskz_broadcast_f32x8(0x00FF, x));
}

inline Words words_of_i8(__m256i x) {
  return reinterpret_cast<Words>(_mm512_maskz_cvtepi8_epi16(~0u, x));
}
inline Words load_bytes(const u8* p) { return reinterpret_cast<Words>(_mm512_loadu_si512(p)); }
// 16 bytes each of neighbouring groups, kStride bytes apart.
template <size_t kStride>
inline Words gather_bytes(const u8* p) {
  const __m256i first = _mm256_set_m128i(load_128(p + kStride), load_128(p));
  const __m256i last = _mm256_set_m128i(load_128(p + 3 * kStride), load_128(p + 2 * kStride));
  return reinterpret_cast<Words>(
      _mm512_maskz_inserti64x4(0xFF, _mm512_castsi256_si512(first), last, 1));
}

#else

constexpr int kMostRows = 4;

inline Words add_products(Words sum, Words a, Words b) {
  const __m256i s = reinterpret_cast<__m256i>(sum), x = reinterpret_cast<__m256i>(a);
#if defined(__AVXVNNI__)
  return reinterpret_cast<Words>(_mm256_dpwssd_avx_epi32(s, x, reinterpret_cast<__m256i>(b)));
#else
  const __m256i products = _mm256_madd_epi16(x, reinterpret_cast<__m256i>(b));
  return keep_in_register(reinterpret_cast<Words>(_mm256_add_epi32(s, products)));
#endif
}
inline Vec lanes_to_f32(Words x) {
  return reinterpret_cast<Vec>(_mm256_cvtepi32_ps(reinterpret_cast<__m256i>(x)));
}
inline Words multiply_bytes(Words x, Words scales) {
  return reinterpret_cast<Words>(
      _mm256_maddubs_epi16(reinterpret_cast<__m256i>(x), reinterpret_cast<__m256i>(scales)));
}
inline Words choose_bytes(__m128i x, Words indexes) {
  return reinterpret_cast<Words>(
      _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(x), reinterpret_cast<__m256i>(indexes)));
}
inline Vec for_groups(__m256 x) { return reinterpret_cast<Vec>(x); }

inline Words words_of_i8(__m128i x) { return reinterpret_cast<Words>(_mm256_cvtepi8_epi16(x)); }
inline Words load_bytes(const u8* p) { return reinterpret_cast<Words>(load_256(p)); }
template <size_t kStride>
inline Words gather_bytes(const u8* p) {
  return reinterpret_cast<Words>(_mm256_set_m128i(load_128(p + kStride), load_128(p)));
}

#endif

// Scales of 16 words each, and those of the words of a part of a block in natural order.
struct ScalesOfSixteen {
#if defined(__AVX512F__)
  Words all;
  explicit ScalesOfSixteen(__m256i scales)
      : all(reinterpret_cast<Words>(_mm512_maskz_broadcast_i64x4(0x0F, scales))) {}
  Words of_part(int part) const {
    Words group;
    for (int i = 0; i < kWords; i++) group[i] = u16(part * 2 + i / 16);
    return __builtin_shuffle(all, group);
  }
#else
  u16 all[16];
  explicit ScalesOfSixteen(__m256i scales) {
    __builtin_memcpy(all, &scales, sizeof all);
    keep_in_memory(all);
  }
  Words of_part(int part) const { return all[part] - Words{}; }
#endif
};
// The lower nibbles of even bytes, of odd ones (in the upper half of each word), then the upper
// nibbles.
inline Chunk chunk_of_nibbles(Words bytes) {
  const Words upper = bytes >> 4;
  return {bytes & 0x000F, bytes & 0x0F00, upper & 0x000F, upper & 0x0F00};
}
// The f16 at the beginning of each group, kStride bytes long.
template <size_t kStride>
inline __m256 scales_of_groups(const u8* groups) {
  u16 bits[kGroups];
  for (size_t i = 0; i < kGroups; i++)
    __builtin_memcpy(bits + i, groups + i * kStride, sizeof(u16));
  return _mm256_cvtph_ps(load_128(bits));
}
inline float f16_at(const u8* p) {
  u16 bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  return _cvtsh_ss(bits);
}
inline __m128i bytes_of_words(unsigned a, unsigned b, unsigned c, unsigned d) {
  return _mm_set_epi32(int(d), int(c), int(b), int(a));
}

template <typename Block, int kX>
struct IntegerSums;

// The types: 256 elements. element(part, i): where in its chunk element i of a part is. Without
// kIntegerScales, kSameScales parts have the same scales, each for kLanesOfGroup lanes.
struct BlockQ8_0 {
  template <int kX>
  using Sums = IntegerSums<BlockQ8_0, kX>;
  static constexpr int kIntegerBytes = 2, kPerScale = kBlock;
  static constexpr int kBytes = 8 * 34;
  static constexpr bool kIntegerScales = false, kMins = false;
  static constexpr int kSameScales = 2, kLanesOfGroup = 8;
  const u8* bytes;
  Vec scales;

  explicit BlockQ8_0(const u8* p) : bytes(p), scales(for_groups(scales_of_groups<34>(p))) {}
  static constexpr int element(int part, int i) {
    return (part / 2 * kWords / 16 + i / 16) * 32 + part % 2 * 16 + i % 16;
  }
  Chunk chunk(int c) const {
    const u8* p = bytes + c * (kChunk / 32) * 34 + 2;
#if defined(__AVX512F__)
    const auto part = [](const u8* a) {
      return words_of_i8(_mm256_set_m128i(load_128(a + 34), load_128(a)));
    };
    return {part(p), part(p + 16), part(p + 68), part(p + 68 + 16)};
#else
    return {words_of_i8(load_128(p)), words_of_i8(load_128(p + 16)), words_of_i8(load_128(p + 34)),
            words_of_i8(load_128(p + 34 + 16))};
#endif
  }
};
struct BlockQ4_0 {
  template <int kX>
  using Sums = IntegerSums<BlockQ4_0, kX>;
  static constexpr int kIntegerBytes = 2, kPerScale = kBlock;
  static constexpr int kBytes = 8 * 18;
  static constexpr bool kIntegerScales = false, kMins = true;
  static constexpr int kSameScales = 4, kLanesOfGroup = 4;
  const u8* bytes;
  Vec scales, mins;

  explicit BlockQ4_0(const u8* p)
      : bytes(p), scales(for_groups(scales_of_groups<18>(p))), mins(scales * 8.0f) {}
  static constexpr int element(int part, int i) {
    const int byte = 2 * i + part % 2;
    return byte / 16 * 32 + part / 2 * 16 + byte % 16;
  }
  Chunk chunk(int c) const {
    Chunk w = chunk_of_nibbles(gather_bytes<18>(bytes + c * (kChunk / 32) * 18 + 2));
    w.parts[1] >>= 8, w.parts[3] >>= 8;
    return w;
  }
};
// Of q4_k: the group of the lower, or the upper nibble of each byte.
struct GroupsOfNibbles {
  u8 groups[kBlock / kChunk][2][2 * kWords] = {};
  constexpr GroupsOfNibbles() {
    for (int c = 0; c < kBlock / kChunk; c++)
      for (int upper = 0; upper < 2; upper++)
        for (int i = 0; i < 2 * kWords; i++)
          groups[c][upper][i] = u8(c * kChunk / 32 + i / 32 * 2 + upper);
  }
};
constexpr GroupsOfNibbles kGroupsOfNibbles;
struct BlockQ4_K {
  template <int kX>
  using Sums = IntegerSums<BlockQ4_K, kX>;
  static constexpr int kIntegerBytes = 2, kPerScale = kBlock;
  static constexpr int kBytes = 144;
  static constexpr bool kIntegerScales = true, kMins = true;
  const u8* bytes;
  __m128i scales_and_mins;
  Vec mins;
  float scale;

  explicit BlockQ4_K(const u8* p) : bytes(p) {
    const __m128i head = load_128(p);  // d, dmin, 12 bytes
    scales_and_mins = unpack(head);
    const __m128 d_and_dmin = _mm_cvtph_ps(head);
    scale = d_and_dmin[0];
    const __m256i m = _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(scales_and_mins, scales_and_mins));
    mins = for_groups(_mm256_cvtepi32_ps(m) * d_and_dmin[1]);
  }
  static constexpr int element(int part, int i) {
    const int byte = 2 * i + part % 2;
    return byte / 32 * 64 + part / 2 * 32 + byte % 32;
  }
  // As unpack_scales_q4_k, in one register.
  static __m128i unpack(__m128i head) {
    const __m128i low = _mm_shuffle_epi8(
        head, _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 15, 14, 13, 12, 7, 6, 5, 4));
    const __m128i high = _mm_shuffle_epi8(
        head, _mm_set_epi8(11, 10, 9, 8, -1, -1, -1, -1, 7, 6, 5, 4, -1, -1, -1, -1));
    const __m128i six_bits = _mm_and_si128(low, bytes_of_words(kSix, kFour, kSix, 0));
    const __m128i last_mins = _mm_and_si128(_mm_srli_epi16(low, 4), bytes_of_words(0, 0, 0, kFour));
    const __m128i top = _mm_and_si128(_mm_srli_epi16(high, 2), _mm_set1_epi8(0x30));
    return _mm_or_si128(_mm_or_si128(six_bits, last_mins), top);
  }
  static constexpr unsigned kSix = 0x3F3F3F3F, kFour = 0x0F0F0F0F;
  Chunk chunk(int c) const {
    Chunk w = chunk_of_nibbles(load_bytes(bytes + 16 + c * kWords * 2));
    for (int part = 0; part < kParts; part++) {
      const Words groups = load_bytes(kGroupsOfNibbles.groups[c][part / 2]);
      w.parts[part] = multiply_bytes(w.parts[part], choose_bytes(scales_and_mins, groups));
    }
    return w;
  }
};
struct BlockQ6_K {
  template <int kX>
  using Sums = IntegerSums<BlockQ6_K, kX>;
  static constexpr int kIntegerBytes = 2, kPerScale = kBlock;
  static constexpr int kBytes = 210;
  static constexpr bool kIntegerScales = true, kMins = false;
  const u8* bytes;
  ScalesOfSixteen scales;
  float scale;

  explicit BlockQ6_K(const u8* p)
      : bytes(p), scales(_mm256_cvtepi8_epi16(load_128(p + 192))), scale(f16_at(p + 208)) {}
  static constexpr int element(int part, int i) { return part * kWords + i; }
  Chunk chunk(int c) const {
    const int half = c * kChunk / 128;
    const u8* low = bytes + half * 64;
    const __m256i a = load_256(low), b = load_256(low + 32);
    const __m256i high = load_256(bytes + 128 + half * 32);
    const __m256i levels[] = {level(a, _mm256_slli_epi16(high, 4)),
                              level(b, _mm256_slli_epi16(high, 2)),
                              level(_mm256_srli_epi16(a, 4), high),
                              level(_mm256_srli_epi16(b, 4), _mm256_srli_epi16(high, 2))};
    Chunk w;
    for (int part = 0; part < kParts; part++) {
#if defined(__AVX512F__)
      const Words of_part = words_of_i8(levels[part]);
#else
      const __m256i both = levels[c % 2 * 2 + part / 2];
      const Words of_part =
          words_of_i8(part % 2 ? _mm256_extracti128_si256(both, 1) : _mm256_castsi256_si128(both));
#endif
      w.parts[part] = of_part * scales.of_part(c * kParts + part);
    }
    return w;
  }
  static __m256i level(__m256i low, __m256i high) {
    const __m256i four = _mm256_and_si256(low, _mm256_set1_epi8(15));
    const __m256i two = _mm256_and_si256(high, _mm256_set1_epi8(48));
    return _mm256_sub_epi8(_mm256_or_si256(four, two), _mm256_set1_epi8(32));
  }
};

// Of activations: which element of 256 comes at each place.
template <typename Block>
struct OrderOf {
  u8 elements[kBlock] = {};
  constexpr OrderOf() {
    for (int i = 0; i < kBlock; i++)
      elements[i] = u8(i / kChunk * kChunk + Block::element(i % kChunk / kWords, i % kWords));
  }
};
template <typename Block>
constexpr OrderOf<Block> kOrder;

// The sums of groups, of a type with mins.
inline __m256 sums_of(const IntegerRows& x, int row, size_t at) {
  return _mm256_loadu_ps(x.sums + (at + size_t(row) * x.stride) / 32);
}

// The sums of one row of w and kX rows of x.
template <typename Block, int kX>
struct IntegerSums {
  Vec totals[kX] = {};

  // Elements [at, at + 256) of the first row, and of those that follow it.
  void add(const u8* bytes, const IntegerRows& x, size_t at) {
    const Block block(bytes);
    if constexpr (Block::kIntegerScales)
      add_whole(block, x, at);
    else
      add_groups(block, x, at);
    if constexpr (Block::kMins)
      for (int t = 0; t < kX; t++)
        totals[t] = multiply_add(-block.mins, for_groups(sums_of(x, t, at)), totals[t]);
  }
  void add_whole(const Block& block, const IntegerRows& x, size_t at) {
    Words sums[kX] = {};
#pragma GCC unroll 4
    for (int c = 0; c < kBlock / kChunk; c++) {
      const Chunk w = block.chunk(c);
#pragma GCC unroll 4
      for (int part = 0; part < kParts; part++)
#pragma GCC unroll 8
        for (int t = 0; t < kX; t++)
          sums[t] = add_products(sums[t], w.parts[part], part_of(x, t, at, c, part));
    }
    for (int t = 0; t < kX; t++) {
      const float scale = block.scale * scale_of(x, t, at);
      totals[t] = multiply_add(lanes_to_f32(sums[t]), splat(scale), totals[t]);
    }
  }
  void add_groups(const Block& block, const IntegerRows& x, size_t at) {
    Vec sums[kX] = {};
#pragma GCC unroll 4
    for (int c = 0; c < kBlock / kChunk; c++) {
      const Chunk w = block.chunk(c);
#pragma GCC unroll 2
      for (int first = 0; first < kParts; first += Block::kSameScales) {
        VecU group;
        for (int l = 0; l < kLanes; l++)
          group[l] = unsigned(c * kChunk / 32 +
                              (first / Block::kSameScales * kLanes + l) / Block::kLanesOfGroup);
        const Vec scale = __builtin_shuffle(block.scales, group);
#pragma GCC unroll 8
        for (int t = 0; t < kX; t++) {
          Words products = {};
#pragma GCC unroll 4
          for (int part = first; part < first + Block::kSameScales; part++)
            products = add_products(products, w.parts[part], part_of(x, t, at, c, part));
          sums[t] = multiply_add(lanes_to_f32(products), scale, sums[t]);
        }
      }
    }
    for (int t = 0; t < kX; t++) {
      const Vec scale = splat(scale_of(x, t, at));
      totals[t] = multiply_add(sums[t], scale, totals[t]);
    }
  }
  float total(int t) const { return sum(totals[t]); }
  static float scale_of(const IntegerRows& x, int row, size_t at) {
    return x.scales[(at + size_t(row) * x.stride) / kBlock];
  }
  static Words part_of(const IntegerRows& x, int row, size_t at, int chunk, int part) {
    Words words;
    const size_t from = at + size_t(row) * x.stride + size_t(chunk * kChunk + part * kWords);
    __builtin_memcpy(&words, x.values + from * sizeof(short), sizeof words);
    return words;
  }
};

// y[r * n_x + t] for kX of the n_x rows of x, from element `x_begin` on. While these fit the first
// level of the cache, row after row of w; else a few rows of w for each span of elements.
template <typename Block, int kX>
void dot_integers_of(float* y, int n_x, const IntegerRows& x, size_t x_begin, const u8* w,
                     size_t row_bytes, int rows) {
  constexpr size_t kFirstLevel = 32768, kSpan = 4 * Block::kBytes;
  constexpr int kTogether = 16;
  const size_t values = kX * x.stride, scales = values / Block::kPerScale;
  const bool fits = values * Block::kIntegerBytes + scales * sizeof(float) <= kFirstLevel;
  const int together = fits ? 1 : kTogether;
  const size_t whole = row_bytes / Block::kBytes * Block::kBytes, span = fits ? whole : kSpan;
  typename Block::template Sums<kX> sums[kTogether];
  for (int first = 0; first < rows; first += together) {
    const int n = rows - first < together ? rows - first : together;
    for (int r = 0; r < n; r++) sums[r] = {};
    for (size_t begin = 0; begin < whole; begin += span) {
      const size_t end = whole - begin < span ? whole : begin + span;
      const size_t ahead = fits          ? kPrefetchBytes
                           : end < whole ? span
                                         : together * row_bytes - begin;
      for (int r = 0; r < n; r++) {
        const u8* row = w + size_t(first + r) * row_bytes;
        typename Block::template Sums<kX> of_row = sums[r];
        for (size_t byte = begin, at = x_begin + begin / Block::kBytes * kBlock; byte < end;
             byte += Block::kBytes, at += kBlock) {
          for (size_t line = 0; line < Block::kBytes; line += 64)
            __builtin_prefetch(row + byte + ahead + line, 0, 2);
          of_row.add(row + byte, x, at);
        }
        sums[r] = of_row;
      }
    }
    for (int r = 0; r < n; r++) {
      if (whole < row_bytes) {  // groups of 32 that fill no 256
        u8 last[Block::kBytes] = {};
        __builtin_memcpy(last, w + size_t(first + r) * row_bytes + whole, row_bytes - whole);
        sums[r].add(last, x, x_begin + whole / Block::kBytes * kBlock);
      }
      for (int t = 0; t < kX; t++) y[(first + r) * n_x + t] = sums[r].total(t);
    }
  }
}

template <typename Block, int kX = kMostRows>
void dot_some_integers(float* y, int n_x, int some, const IntegerRows& x, size_t x_begin,
                       const u8* w, size_t row_bytes, int rows) {
  if constexpr (kX > 1)
    if (some < kX)
      return dot_some_integers<Block, kX - 1>(y, n_x, some, x, x_begin, w, row_bytes, rows);
  dot_integers_of<Block, kX>(y, n_x, x, x_begin, w, row_bytes, rows);
}

template <typename Block>
void dot_integers(float* y, const IntegerRows& x, int row, int n_x, const void* w, size_t row_bytes,
                  int rows) {
  for (int t = 0; t < n_x; t += kMostRows) {
    const int some = n_x - t < kMostRows ? n_x - t : kMostRows;
    dot_some_integers<Block>(y + t, n_x, some, x, size_t(row + t) * x.stride,
                             static_cast<const u8*>(w), row_bytes, rows);
  }
}

// Loops over elements, which the compiler turns into registers.
template <typename Block>
void to_integers(const IntegerRows& to, size_t at, const float* x) {
  constexpr float kLargest = 16383, kInteger = 12582912;  // adding 1.5 2^23 rounds to integers
  unsigned bits[256], largest = 0;
  __builtin_memcpy(bits, x, sizeof bits);
  for (const unsigned b : bits) largest = (b & 0x7FFFFFFF) > largest ? b & 0x7FFFFFFF : largest;
  float max, inverse = 0, scale = 0;
  __builtin_memcpy(&max, &largest, sizeof max);
  if (largest >= 0x7F800000)
    scale = __builtin_nanf("");
  else if (max >= 1e-30f)
    scale = max / kLargest, inverse = kLargest / max;
  float levels[256];
  if (inverse > 0)
    for (int i = 0; i < 256; i++) levels[i] = x[i] * inverse + kInteger;
  else
    for (int i = 0; i < 256; i++) levels[i] = kInteger;
  __builtin_memcpy(bits, levels, sizeof bits);
  to.scales[at / kBlock] = scale;
  for (size_t group = 0; group < kGroups; group++) {
    int total = 0;
    for (size_t i = 0; i < 32; i++) total += int(bits[group * 32 + i]) - 0x4B400000;
    to.sums[at / 32 + group] = scale * float(total);
  }
  auto* values = reinterpret_cast<short*>(to.values) + at;
  for (size_t i = 0; i < 256; i++) values[i] = short(bits[kOrder<Block>.elements[i]] - 0x4B400000);
}

#endif

}  // namespace
}  // namespace chatmem
