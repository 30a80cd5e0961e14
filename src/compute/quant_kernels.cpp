// The inner loops of quantized rows, compiled once for each instruction set (CHATMEM_ISA_NAME) and
// without contraction of products and sums, so that every set gives the same bits. The rules are
// those of cpu_kernels.cpp.
#include "compute/quant_kernels.h"

#include "compute/byte_dots.h"
#include "compute/cpu_vectors.h"
#include "compute/integer_dots.h"

namespace chatmem {
namespace {

typedef int VecI __attribute__((vector_size(kLanes * 4)));
typedef u8 VecU8Memory __attribute__((vector_size(kLanes), aligned(1), may_alias));
typedef signed char VecI8Memory __attribute__((vector_size(kLanes), aligned(1), may_alias));

// kLanes bytes as integers: a word that the compiler has, but spells out lane by lane.
inline VecU load_u8(const u8* p) {
#if defined(__AVX512F__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return reinterpret_cast<VecU>(_mm512_maskz_cvtepu8_epi32(0xFFFF, bytes));
#elif defined(__AVX2__)
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return reinterpret_cast<VecU>(_mm256_cvtepu8_epi32(bytes));
#else
  return __builtin_convertvector(*reinterpret_cast<const VecU8Memory*>(p), VecU);
#endif
}
inline Vec load_i8(const u8* p) {
#if defined(__AVX512F__)
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const VecI x = reinterpret_cast<VecI>(_mm512_maskz_cvtepi8_epi32(0xFFFF, bytes));
#elif defined(__AVX2__)
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  const VecI x = reinterpret_cast<VecI>(_mm256_cvtepi8_epi32(bytes));
#else
  const VecI x = __builtin_convertvector(*reinterpret_cast<const VecI8Memory*>(p), VecI);
#endif
  return __builtin_convertvector(x, Vec);
}
inline float load_f32(const u8* p) {
  float x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
// An f16 in every lane.
inline Vec splat_f16(const u8* p) {
  u16 bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  return F16::widen(bits - VecU16{});
}

inline Vec magnitude(Vec x) { return as_float(as_bits(x) & 0x7FFFFFFF); }

// 16 values of f32 and the choice among them by the low 4 bits of each lane.
#if defined(__AVX512F__)
struct Table {
  Vec all;
  explicit Table(const float* p) : all(load(p)) {}
  Vec at(VecU i) const {
    return reinterpret_cast<Vec>(_mm512_maskz_permutexvar_ps(0xFFFF, reinterpret_cast<__m512i>(i),
                                                             reinterpret_cast<__m512>(all)));
  }
  void scale(Vec factor) { all = all * factor; }
  void subtract(Vec x) { all = all - x; }
};
#elif defined(__AVX2__)
struct Table {
  Vec low, high;
  explicit Table(const float* p) : low(load(p)), high(load(p + 8)) {}
  Vec at(VecU i) const {
    const __m256i index = reinterpret_cast<__m256i>(i);
    const __m256 a = _mm256_permutevar8x32_ps(reinterpret_cast<__m256>(low), index);
    const __m256 b = _mm256_permutevar8x32_ps(reinterpret_cast<__m256>(high), index);
    const __m256 bit3 = reinterpret_cast<__m256>(_mm256_slli_epi32(index, 28));
    return reinterpret_cast<Vec>(_mm256_blendv_ps(a, b, bit3));
  }
  void scale(Vec factor) { low = low * factor, high = high * factor; }
  void subtract(Vec x) { low = low - x, high = high - x; }
};
#else
struct Table {
  float values[16];
  explicit Table(const float* p) { __builtin_memcpy(values, p, sizeof values); }
  Vec at(VecU i) const {
    Vec x = {};
    for (int l = 0; l < kLanes; l++) x[l] = values[i[l] & 15];
    return x;
  }
  void scale(Vec factor) {
    for (int i = 0; i < 16; i += kLanes) store(values + i, load(values + i) * factor);
  }
  void subtract(Vec x) {
    for (int i = 0; i < 16; i += kLanes) store(values + i, load(values + i) - x);
  }
};
#endif

constexpr float kSteps[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr float kSignedSteps[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};

// Sinks of decoded elements. `kChain` says which of two chains of sums an element belongs to, so
// that one addition need not wait for the last.
struct F32Sink {
  float* y;
  template <int kChain>
  void put(size_t i, Vec w) {
    store(y + i, w);
  }
};
struct Bf16Sink {
  u16* y;
  template <int kChain>
  void put(size_t i, Vec w) {
    *reinterpret_cast<VecU16Memory*>(y + i) = __builtin_convertvector(round_bf16(w) >> 16, VecU16);
  }
};
template <int kX>
struct DotSink {
  const float* x;
  size_t cols;
  Vec sums[2][kX] = {};
  template <int kChain>
  void put(size_t i, Vec w) {
    for (int t = 0; t < kX; t++)
      sums[kChain][t] = multiply_add(w, load(x + size_t(t) * cols + i), sums[kChain][t]);
  }
};

// 2 n elements whose nibbles lie in n bytes: the low ones first. One table for each half.
template <int kBytes, typename Sink>
inline void nibbles(Sink& sink, size_t i, const u8* q, const Table& low, const Table& high) {
  for (int l = 0; l < kBytes; l += kLanes) {
    const VecU bytes = load_u8(q + l);
    sink.template put<0>(i + size_t(l), low.at(bytes));
    sink.template put<1>(i + size_t(l) + kBytes, high.at(bytes >> 4));
  }
}

// Decoders: all elements [begin, begin + n) of a row go to the sink, counted from 0.
struct Q8_0 {
  template <typename Sink>
  static void decode(Sink& sink, const u8* row, size_t, size_t begin, size_t n) {
    const u8* block = row + begin / 32 * 34;
    for (size_t i = 0; i < n; i += 32, block += 34) {
      const Vec d = splat_f16(block);
      for (int l = 0; l < 32; l += 2 * kLanes) {
        sink.template put<0>(i + size_t(l), load_i8(block + 2 + l) * d);
        sink.template put<1>(i + size_t(l) + kLanes, load_i8(block + 2 + l + kLanes) * d);
      }
    }
  }
};

struct Q4_0 {
  template <typename Sink>
  static void decode(Sink& sink, const u8* row, size_t, size_t begin, size_t n) {
    const u8* block = row + begin / 32 * 18;
    const Table steps(kSignedSteps);
    for (size_t i = 0; i < n; i += 32, block += 18) {
      Table table = steps;
      table.scale(splat_f16(block));
      nibbles<16>(sink, i, block + 2, table, table);
    }
  }
};

struct Q4_K {
  template <typename Sink>
  static void decode(Sink& sink, const u8* row, size_t, size_t begin, size_t n) {
    const u8* block = row + begin / 256 * 144;
    const Table steps(kSteps);
    for (size_t i = 0; i < n; i += 256, block += 144) {
      float scales[16];  // and mins
      unpack_scales(scales, block);
      keep_in_memory(scales);
      for (int j = 0; j < 8; j += 2) {
        Table low = steps, high = steps;
        low.scale(splat(scales[j])), low.subtract(splat(scales[j + 8]));
        high.scale(splat(scales[j + 1])), high.subtract(splat(scales[j + 9]));
        nibbles<32>(sink, i + size_t(j) * 32, block + 16 + j * 16, low, high);
      }
    }
  }
  // Eight scales, then eight mins.
  static void unpack_scales(float* scales, const u8* block) {
    unsigned bytes[4];
    unpack_scales_q4_k(bytes, block);
    for (int l = 0; l < 16; l += kLanes) {
      const VecI q = reinterpret_cast<VecI>(load_u8(reinterpret_cast<const u8*>(bytes) + l));
      store(scales + l, __builtin_convertvector(q, Vec));
    }
    const Vec d = splat_f16(block), dmin = splat_f16(block + 2);
    if constexpr (kLanes == 16) {
      VecU first = {};
      for (int l = 0; l < kLanes / 2; l++) first[l] = ~0u;
      store(scales, load(scales) * select(first, d, dmin));
    } else {
      for (int l = 0; l < 8; l += kLanes) {
        store(scales + l, load(scales + l) * d);
        store(scales + 8 + l, load(scales + 8 + l) * dmin);
      }
    }
  }
};

struct Q6_K {
  template <typename Sink>
  static void decode(Sink& sink, const u8* row, size_t, size_t begin, size_t n) {
    const u8* block = row + begin / 256 * 210;
    for (size_t i = 0; i < n; i += 256, block += 210) {
      float scales[16];
      const Vec d = splat_f16(block + 208);
      for (int l = 0; l < 16; l += kLanes) store(scales + l, d * load_i8(block + 192 + l));
      keep_in_memory(scales);
      for (int half = 0; half < 2; half++)
        decode_half(sink, i + size_t(half) * 128, block + half * 64, block + 128 + half * 32,
                    scales + half * 8);
    }
  }
  // 128 elements; a scale for each 16.
  template <typename Sink>
  static void decode_half(Sink& sink, size_t i, const u8* low, const u8* high,
                          const float* scales) {
    for (int l = 0; l < 32; l += kLanes) {
      const VecU a = load_u8(low + l), b = load_u8(low + 32 + l), h = load_u8(high + l);
      const float* s = scales + l / 16;
      const size_t at = i + size_t(l);
      sink.template put<0>(at, level(a & 15, h << 4) * s[0]);
      sink.template put<1>(at + 32, level(b & 15, h << 2) * s[2]);
      sink.template put<0>(at + 64, level(a >> 4, h) * s[4]);
      sink.template put<1>(at + 96, level(b >> 4, h >> 2) * s[6]);
    }
  }
  static Vec level(VecU low, VecU high) {
    return __builtin_convertvector(reinterpret_cast<VecI>(low | (high & 48)) - 32, Vec);
  }
};

struct Nf4 {
  template <typename Sink>
  static void decode(Sink& sink, const u8* row, size_t cols, size_t begin, size_t n) {
    const u8* codes = row + cols / 2;
    const u8* words = codes + (cols / 64 + 3) / 4 * 4;
    const float offset = load_f32(words);
    unsigned position;
    __builtin_memcpy(&position, words + 4, sizeof position);
    const Table values(kNf4Values);
    for (size_t i = 0; i < n; i += 64) {
      const size_t b = (begin + i) / 64;
      const float scale = load_f32(words + 8 + (position + b) / 256 * 4);
      Table table = values;
      table.scale(splat(kNf4Codes[codes[b]] * scale + offset));
      nibbles<32>(sink, i, row + (begin + i) / 2, table, table);
    }
  }
};

template <typename Type>
void to_f32(float* y, const void* row, size_t cols, size_t begin, size_t n) {
  F32Sink sink = {y};
  Type::decode(sink, static_cast<const u8*>(row), cols, begin, n);
}

template <typename Type>
void to_bf16(u16* y, const void* row, size_t cols, size_t begin, size_t n) {
  Bf16Sink sink = {y};
  Type::decode(sink, static_cast<const u8*>(row), cols, begin, n);
}

template <typename Type, int kX>
void dot_rows_of(float* y, const float* x, const u8* w, size_t row_bytes, int rows, size_t cols) {
  for (int r = 0; r < rows; r++) {
    DotSink<kX> sink = {x, cols};
    Type::decode(sink, w + size_t(r) * row_bytes, cols, 0, cols);
    for (int t = 0; t < kX; t++) y[r * kX + t] = sum(sink.sums[0][t] + sink.sums[1][t]);
  }
}

template <typename Type>
void dot_rows(float* y, const float* x, int n_x, const void* w, size_t row_bytes, int rows,
              size_t cols) {
  const u8* p = static_cast<const u8*>(w);
  switch (n_x) {
    case 1:
      return dot_rows_of<Type, 1>(y, x, p, row_bytes, rows, cols);
    case 2:
      return dot_rows_of<Type, 2>(y, x, p, row_bytes, rows, cols);
    case 3:
      return dot_rows_of<Type, 3>(y, x, p, row_bytes, rows, cols);
    case 4:
      return dot_rows_of<Type, 4>(y, x, p, row_bytes, rows, cols);
  }
  __builtin_trap();
}

template <typename Type>
constexpr QuantLoops loops() {
  return {to_f32<Type>, to_bf16<Type>, dot_rows<Type>};
}
#if defined(__AVX2__)
template <typename Type, typename Block>
constexpr QuantLoops loops() {
  QuantLoops all = loops<Type>();
  if constexpr (Block::kIntegerBytes == 1)
    all.to_integers = to_bytes<Block>;
  else
    all.to_integers = to_integers<Block>;
  all.dot_integers = dot_integers<Block>;
  all.integer_bytes = Block::kIntegerBytes, all.per_scale = Block::kPerScale;
  all.order = kOrder<Block>.elements;
  return all;
}
#endif
// -- the search for scales: one group a lane, sums in the order of the elements

// Round to nearest, ties to even, for |x| < 2^22, then into [lowest, highest]; as nearest_int of
// quant.cpp beyond it.
inline Vec nearest_level(Vec x, int lowest, int highest) {
  const VecU low_bits = as_bits(x + 12582912.0f) & 0x7FFFFF;
  const VecI n = reinterpret_cast<VecI>(low_bits) - 0x400000;
  const VecI lo = lowest - VecI{}, hi = highest - VecI{}, above = n > lo ? n : lo;
  return __builtin_convertvector(above < hi ? above : hi, Vec);
}

inline Vec square_root(Vec x) {
  for (int i = 0; i < kLanes; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}

// Element l of `count` groups of kGroup, a group a lane; zeros in the lanes that are left.
template <int kGroup>
inline void transpose(Vec* to, const float* x, size_t count) {
  for (int l = 0; l < kGroup; l++) {
    to[l] = Vec{};
    for (size_t g = 0; g < count; g++) to[l][g] = x[g * kGroup + size_t(l)];
  }
}

template <int kGroup>
inline void store_levels(u8* levels, const Vec* from, size_t count) {
  for (int l = 0; l < kGroup; l++)
    for (size_t g = 0; g < count; g++) levels[g * kGroup + size_t(l)] = u8(int(from[l][g]));
}

// A line scale * level + min through a group, weighted least squares for given levels.
struct LineSearch {
  static constexpr int kGroup = 32;
  Vec x[kGroup], weights[kGroup], levels[kGroup], tried[kGroup];
  Vec min, max, sum_w, sum_x, scale, best;

  void weigh() {
    Vec sum_x2 = {};
    for (int l = 0; l < kGroup; l++) sum_x2 += x[l] * x[l];
    const Vec rms = square_root(sum_x2 * (1.0f / kGroup));
    for (int l = 0; l < kGroup; l++) weights[l] = rms + magnitude(x[l]);
    min = max = x[0];
    sum_w = weights[0];
    sum_x = sum_w * x[0];
    for (int l = 1; l < kGroup; l++) {
      min = select(less(x[l], min), x[l], min);
      max = select(less(max, x[l]), x[l], max);
      sum_w += weights[l];
      sum_x += weights[l] * x[l];
    }
    min = select(less(Vec{}, min), Vec{}, min);
  }

  Vec error(const Vec* at, Vec slope, Vec offset) const {
    Vec total = {};
    for (int l = 0; l < kGroup; l++) {
      const Vec difference = slope * at[l] + offset - x[l];
      total += weights[l] * (difference * difference);
    }
    return total;
  }

  void begin() {
    const Vec inverse = 15.0f / (max - min);
    scale = 1.0f / inverse;
    for (int l = 0; l < kGroup; l++) levels[l] = nearest_level(inverse * (x[l] - min), 0, 15);
    best = error(levels, scale, min);
  }

  void try_step(float n_levels) {
    const Vec inverse = n_levels / (max - min);
    Vec sum_l = {}, sum_l2 = {}, sum_xl = {};
    for (int l = 0; l < kGroup; l++) {
      tried[l] = nearest_level(inverse * (x[l] - min), 0, 15);
      const Vec weighted = weights[l] * tried[l];
      sum_l += weighted;
      sum_l2 += weighted * tried[l];
      sum_xl += weighted * x[l];
    }
    const Vec determinant = sum_w * sum_l2 - sum_l * sum_l;
    Vec slope = (sum_w * sum_xl - sum_x * sum_l) / determinant;
    Vec offset = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
    const VecU positive = less(Vec{}, offset);
    offset = select(positive, Vec{}, offset);
    slope = select(positive, sum_xl / sum_l2, slope);
    const Vec found = error(tried, slope, offset);
    const VecU better = less(Vec{}, determinant) & less(found, best);
    for (int l = 0; l < kGroup; l++) levels[l] = select(better, tried[l], levels[l]);
    best = select(better, found, best);
    scale = select(better, slope, scale);
    min = select(better, offset, min);
  }
};

void search_q4_k(float* scales, float* mins, u8* levels, const float* x, size_t n_groups) {
  constexpr int kGroup = LineSearch::kGroup;
  for (size_t first = 0; first < n_groups; first += kLanes) {
    const size_t count = n_groups - first < kLanes ? n_groups - first : kLanes;
    LineSearch search;
    transpose<kGroup>(search.x, x + first * kGroup, count);
    search.weigh();
    const VecU flat = reinterpret_cast<VecU>(search.max == search.min);
    const Vec flat_min = search.min;
    search.begin();
    for (int step = 0; step <= 20; step++) search.try_step(-1.0f + 0.1f * float(step) + 15.0f);
    for (int l = 0; l < kGroup; l++) search.levels[l] = select(flat, Vec{}, search.levels[l]);
    store_part(scales + first, select(flat, Vec{}, search.scale), count);
    store_part(mins + first, -select(flat, flat_min, search.min), count);
    store_levels<kGroup>(levels + first * kGroup, search.levels, count);
  }
}

// A line scale * level through zero, weighted by x^2.
struct RatioSearch {
  static constexpr int kGroup = 16;
  Vec x[kGroup], levels[kGroup], tried[kGroup];
  Vec largest, size, scale, best;  // largest: the x of the largest magnitude, size

  void begin() {
    largest = size = Vec{};
    for (int l = 0; l < kGroup; l++) {
      const Vec m = magnitude(x[l]);
      const VecU larger = less(size, m);
      size = select(larger, m, size);
      largest = select(larger, x[l], largest);
    }
    scale = best = Vec{};
    for (Vec& level : levels) level = Vec{};
  }

  // The levels of a step and sum(x level), sum(level^2).
  void fit(float n_levels, Vec& sum_lx, Vec& sum_l2) {
    const Vec inverse = -n_levels / largest;
    sum_lx = sum_l2 = Vec{};
    for (int l = 0; l < kGroup; l++) {
      tried[l] = nearest_level(inverse * x[l], -32, 31);
      const Vec weight = x[l] * x[l];
      sum_lx += weight * x[l] * tried[l];
      sum_l2 += weight * tried[l] * tried[l];
    }
  }

  void take(VecU mask, Vec sum_lx, Vec sum_l2) {
    const VecU some = mask & ~reinterpret_cast<VecU>(sum_l2 == Vec{});
    for (int l = 0; l < kGroup; l++) levels[l] = select(mask, tried[l], levels[l]);
    scale = select(some, sum_lx / sum_l2, select(mask, Vec{}, scale));
    best = select(mask, scale * sum_lx, best);
  }
};

void search_q6_k(float* scales, u8* levels, const float* x, size_t n_groups) {
  constexpr int kGroup = RatioSearch::kGroup;
  for (size_t first = 0; first < n_groups; first += kLanes) {
    const size_t count = n_groups - first < kLanes ? n_groups - first : kLanes;
    RatioSearch search;
    transpose<kGroup>(search.x, x + first * kGroup, count);
    search.begin();
    Vec sum_lx, sum_l2;
    search.fit(32, sum_lx, sum_l2);
    search.take(~VecU{}, sum_lx, sum_l2);
    for (int step = -9; step <= 9; step++) {
      if (step == 0) continue;
      search.fit(32.0f + 0.1f * float(step), sum_lx, sum_l2);
      search.take(less(Vec{}, sum_l2) & less(search.best * sum_l2, sum_lx * sum_lx), sum_lx,
                  sum_l2);
    }
    const VecU zero = less(search.size, splat(1e-15f));  // llama.cpp's limit
    for (int l = 0; l < kGroup; l++)
      search.levels[l] = select(zero, Vec{}, search.levels[l] + 32.0f);
    store_part(scales + first, select(zero, Vec{}, search.scale), count);
    store_levels<kGroup>(levels + first * kGroup, search.levels, count);
  }
}

void write_q8_0(void* row, const float* x, size_t n) {
  u8* block = static_cast<u8*>(row);
  for (size_t i = 0; i < n; i += 32, block += 34) {
    Vec largest = {};
    for (size_t l = 0; l < 32; l += kLanes) largest = vmax(largest, magnitude(load(x + i + l)));
    const float d = max_lane(largest) / 127, inverse = d != 0 ? 1 / d : 0;
    const VecU16 half = F16::narrow(splat(d));
    __builtin_memcpy(block, &half, sizeof(u16));
    for (size_t l = 0; l < 32; l += kLanes) {
      // Halves away from zero. What is out of range, or no number, becomes 0.
      Vec level = load(x + i + l) * inverse;
      level = select(less(magnitude(level), splat(128)), level, Vec{});
      const VecI whole = __builtin_convertvector(level, VecI);
      const Vec rest = level - __builtin_convertvector(whole, Vec);
      const VecI rounded = whole - (rest >= 0.5f) + (rest <= -0.5f);
      using I8 = signed char __attribute__((vector_size(kLanes)));
      *reinterpret_cast<VecI8Memory*>(block + 2 + l) = __builtin_convertvector(rounded, I8);
    }
  }
}

}  // namespace

#define CHATMEM_JOIN(a, b) a##b
#define CHATMEM_TABLE(isa) CHATMEM_JOIN(quant_kernels_, isa)

const QuantKernels& CHATMEM_TABLE(CHATMEM_ISA_NAME)() {
  static constexpr QuantKernels kTable = {
#if defined(__AVX2__)
    .q8_0 = loops<Q8_0, BlockQ8_0>(),
#if defined(__AVXVNNI__) || defined(__AVX512F__)
    .q4_0 = loops<Q4_0, BlockQ4_0>(),
    .q4_k = loops<Q4_K, BlockQ4_K>(),
    .q6_k = loops<Q6_K, BlockQ6_K>(),
#else
    .q4_0 = loops<Q4_0, BytesQ4_0>(),
    .q4_k = loops<Q4_K, BytesQ4_K>(),
    .q6_k = loops<Q6_K, BytesQ6_K>(),
#endif
#else
    .q8_0 = loops<Q8_0>(),
    .q4_0 = loops<Q4_0>(),
    .q4_k = loops<Q4_K>(),
    .q6_k = loops<Q6_K>(),
#endif
    .nf4 = loops<Nf4>(),
    .write_q8_0 = write_q8_0,
    .search_q4_k = search_q4_k,
    .search_q6_k = search_q6_k,
  };
  return kTable;
}

}  // namespace chatmem
