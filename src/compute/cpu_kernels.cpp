// The inner loops of the CPU, compiled once for each instruction set (CHATMEM_ISA_NAME). Written
// with the compiler's vector types, whose width is the only thing that differs; intrinsics only
// where the compiler has no word for an instruction. Nothing of the standard library may be
// instantiated here (see cpu_kernels.h), and all is local but the table.
#include "compute/cpu_kernels.h"

#include "compute/cpu_vectors.h"

namespace chatmem {
namespace {

constexpr int kTileRows = kLanes == 16 ? 8 : kLanes == 8 ? 6 : 4;

// e^x to 2e-7 relative: x = n ln 2 + r with |r| <= ln(2) / 2, the Taylor series of e^r to r^7,
// and n put into the exponent. Below -87.3 (the smallest normal result) 0; above 88 as e^88; a NaN
// stays a NaN.
inline Vec exp(Vec x) {
  constexpr float kMagic = 12582912;  // 1.5 * 2^23: adding it rounds to an integer
  const VecU tiny = less(x, splat(-87.3f));
  const Vec lo = splat(-87.3f), hi = splat(88);
  x = select(less(x, lo), lo, x);
  x = select(less(hi, x), hi, x);
  const Vec shifted = x * 1.44269504f + kMagic;
  const Vec n = shifted - kMagic;
  Vec r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;  // ln 2 in two parts: the first product is exact
  Vec p = r * (1.0f / 5040) + (1.0f / 720);
  p = p * r + (1.0f / 120);
  p = p * r + (1.0f / 24);
  p = p * r + (1.0f / 6);
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Vec scaled = p * as_float((as_bits(shifted) << 23) + 0x3F800000u);
  return select(tiny, Vec{}, scaled);
}

// f(i, whole, count): `whole` says that all lanes of [i, i + kLanes) are inside. The tail is its
// own call so that the loop has no branch.
template <typename F>
inline void for_vectors(size_t n, F f) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) f(i, F32(), size_t(kLanes));
  struct Tail {
    size_t n;
  };
  if (i < n) f(i, Tail{n - i}, n - i);
}
inline Vec get(const float* p, F32, size_t) { return load(p); }
inline void put(float* p, Vec x, F32, size_t) { store(p, x); }
template <typename Tail>
inline Vec get(const float* p, Tail, size_t n) {
  return load_part(p, n);
}
template <typename Tail>
inline void put(float* p, Vec x, Tail, size_t n) {
  store_part(p, x, n);
}

template <typename Source>
void widen(float* y, const typename Source::Element* x, size_t n) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, Source::at(x + i));
  if (i < n) store_part(y + i, Source::part(x + i, n - i), n - i);
}

inline VecU16 narrow_bf16(Vec x) { return __builtin_convertvector(round_bf16(x) >> 16, VecU16); }

template <VecU16 (*kNarrow)(Vec)>
void narrow(u16* y, const float* x, size_t n) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    *reinterpret_cast<VecU16Memory*>(y + i) = kNarrow(load(x + i));
  if (i == n) return;
  const VecU16 bits = kNarrow(load_part(x + i, n - i));
  __builtin_memcpy(y + i, &bits, (n - i) * sizeof(u16));
}

// What an element of a tile is: an f32, or a pair of bf16 whose products are both added.
struct Singles {
  static Vec add_product(Vec a, Vec b, Vec c) { return a * b + c; }
};
#if defined(__AVX512BF16__)
struct Pairs {
  static Vec add_product(Vec a, Vec b, Vec c) {
    return reinterpret_cast<Vec>(_mm512_dpbf16_ps(
        reinterpret_cast<__m512>(c), reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b)));
  }
};
#endif

// The elements of a dot product: an f32 of x with an element of w made f32, or pairs of bf16.
template <typename Source>
struct DotSingles {
  using W = typename Source::Element;
  using X = float;
  using Product = Singles;
  static constexpr size_t kStep = kLanes;
  static Vec w_at(const W* p) { return Source::at(p); }
  static Vec w_part(const W* p, size_t n) { return Source::part(p, n); }
  static Vec x_at(const X* p) { return load(p); }
  static Vec x_part(const X* p, size_t n) { return load_part(p, n); }
};
#if defined(__AVX512BF16__)
struct DotPairs {
  using W = u16;
  using X = u16;
  using Product = Pairs;
  static constexpr size_t kStep = 2 * kLanes;
  static Vec w_at(const u16* p) { return x_at(p); }
  static Vec w_part(const u16* p, size_t n) { return x_part(p, n); }
  static Vec x_at(const u16* p) {
    Vec x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
  }
  static Vec x_part(const u16* p, size_t n) {
    Vec x = {};
    __builtin_memcpy(&x, p, n * sizeof(u16));
    return x;
  }
};
#endif

// kX rows of x against kW rows of w at once; each vector of w is read and widened once. The kW rows
// that follow are asked for meanwhile.
template <typename Dot, int kX, int kW>
inline void dot_block(float* y, int n_x, const typename Dot::X* x, const typename Dot::W* w,
                      size_t cols) {
  using Product = typename Dot::Product;
  Vec sums[kW][kX] = {};
  size_t i = 0;
  for (; i + Dot::kStep <= cols; i += Dot::kStep)
    for (int r = 0; r < kW; r++) {
      if (i * sizeof(*w) % 64 == 0) __builtin_prefetch(w + size_t(r + kW) * cols + i, 0, 2);
      const Vec wi = Dot::w_at(w + size_t(r) * cols + i);
      for (int t = 0; t < kX; t++)
        sums[r][t] = Product::add_product(wi, Dot::x_at(x + size_t(t) * cols + i), sums[r][t]);
    }
  for (int r = 0; r < kW && i < cols; r++) {
    const Vec wi = Dot::w_part(w + size_t(r) * cols + i, cols - i);
    for (int t = 0; t < kX; t++)
      sums[r][t] =
          Product::add_product(wi, Dot::x_part(x + size_t(t) * cols + i, cols - i), sums[r][t]);
  }
  for (int r = 0; r < kW; r++)
    for (int t = 0; t < kX; t++) y[r * n_x + t] = sum(sums[r][t]);
}

// Few rows of w meet all rows of x, four at a time, while they are near.
template <typename Dot, int kW>
inline void dot_few(float* y, int n_x, const typename Dot::X* x, const typename Dot::W* w,
                    size_t cols) {
  for (int t = 0; t < n_x; t += 4, x += 4 * cols) {
    if (n_x - t == 1)
      dot_block<Dot, 1, kW>(y + t, n_x, x, w, cols);
    else if (n_x - t == 2)
      dot_block<Dot, 2, kW>(y + t, n_x, x, w, cols);
    else if (n_x - t == 3)
      dot_block<Dot, 3, kW>(y + t, n_x, x, w, cols);
    else
      dot_block<Dot, 4, kW>(y + t, n_x, x, w, cols);
  }
}

template <typename Dot>
void dot_rows(float* y, const typename Dot::X* x, int n_x, const typename Dot::W* w, int rows,
              size_t cols) {
  int r = 0;
  for (; r + 4 <= rows; r += 4) dot_few<Dot, 4>(y + r * n_x, n_x, x, w + size_t(r) * cols, cols);
  for (; r < rows; r++) dot_few<Dot, 1>(y + r * n_x, n_x, x, w + size_t(r) * cols, cols);
}

// kRows rows and kVecs registers of columns of c stay in registers over the whole of k.
template <typename Element, int kRows, int kVecs>
inline void tile_block(const Tile& t, int row, int col) {
  Vec sums[kRows][kVecs] = {};
  const float* a = t.a + size_t(row) * t.a_row_stride;
  const float* b = t.b + col;
  for (int i = 0; i < t.k; i++) {
    Vec bi[kVecs];
    for (int v = 0; v < kVecs; v++) bi[v] = load(b + v * kLanes);
    for (int r = 0; r < kRows; r++) {
      const Vec ai = splat(a[size_t(r) * t.a_row_stride]);
      for (int v = 0; v < kVecs; v++) sums[r][v] = Element::add_product(ai, bi[v], sums[r][v]);
    }
    a += t.a_col_stride;
    b += t.b_stride;
  }
  for (int r = 0; r < kRows; r++)
    for (int v = 0; v < kVecs; v++) {
      float* c = t.c + size_t(row + r) * t.c_stride + col + v * kLanes;
      store(c, t.accumulate ? load(c) + sums[r][v] : sums[r][v]);
    }
}

// Columns that fill no register.
inline void tile_tail(const Tile& t, int row, int n_rows, int col) {
  for (int r = row; r < row + n_rows; r++)
    for (int j = col; j < t.n; j++) {
      float total = 0;
      for (int i = 0; i < t.k; i++)
        total += t.a[size_t(r) * t.a_row_stride + size_t(i) * t.a_col_stride] *
                 t.b[size_t(i) * t.b_stride + j];
      float& c = t.c[size_t(r) * t.c_stride + j];
      c = t.accumulate ? c + total : total;
    }
}

template <typename Element, int kRows>
inline void tile_rows(const Tile& t, int row) {
  int col = 0;
  for (; col + 2 * kLanes <= t.n; col += 2 * kLanes) tile_block<Element, kRows, 2>(t, row, col);
  for (; col + kLanes <= t.n; col += kLanes) tile_block<Element, kRows, 1>(t, row, col);
  if (col < t.n) tile_tail(t, row, kRows, col);
}

template <typename Element>
void tile_gemm(const Tile& t) {
  int row = 0;
  for (; row + kTileRows <= t.m; row += kTileRows) tile_rows<Element, kTileRows>(t, row);
  for (; row + 2 <= t.m; row += 2) tile_rows<Element, 2>(t, row);
  if (row < t.m) tile_rows<Element, 1>(t, row);
}

void pair_rows(float* pairs, const u16* first, const u16* second, size_t n) {
  for (size_t i = 0; i < n; i += kLanes) {
    const VecU low = __builtin_convertvector(load16(first + i), VecU);
    const VecU high = __builtin_convertvector(load16(second + i), VecU);
    store(pairs + i, as_float(low | high << 16));
  }
}

// Sums of long rows are closed every kRun elements, so that the error does not grow with n.
constexpr size_t kRun = 4096;

template <typename F>
inline double sum_runs(size_t n, F f) {
  double total = 0;
  for (size_t begin = 0; begin < n; begin += kRun) {
    const size_t count = n - begin < kRun ? n - begin : kRun;
    Vec partial = {};
    size_t i = begin;
    for (; i + kLanes <= begin + count; i += kLanes) partial += f(i, size_t(kLanes));
    if (i < begin + count) partial += f(i, begin + count - i);
    total += double(sum(partial));
  }
  return total;
}
inline Vec fetch(const float* p, size_t n) { return n == kLanes ? load(p) : load_part(p, n); }

double sum_squares(const float* x, size_t n) {
  return sum_runs(n, [=](size_t i, size_t count) {
    const Vec xi = fetch(x + i, count);
    return xi * xi;
  });
}

float dot(const float* x, const float* y, size_t n) {
  return float(sum_runs(
      n, [=](size_t i, size_t count) { return fetch(x + i, count) * fetch(y + i, count); }));
}

void add(float* y, const float* x, size_t n) {
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    put(y + i, get(y + i, kind, c) + get(x + i, kind, c), kind, c);
  });
}

void scaled(float* y, const float* x, float scale, size_t n) {
  for_vectors(
      n, [=](size_t i, auto kind, size_t c) { put(y + i, get(x + i, kind, c) * scale, kind, c); });
}

void axpy(float* y, const float* x, float scale, size_t n) {
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    put(y + i, get(x + i, kind, c) * scale + get(y + i, kind, c), kind, c);
  });
}

void multiply_add(float* y, const float* a, const float* b, float scale, size_t n) {
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    put(y + i, get(a + i, kind, c) * scale * get(b + i, kind, c) + get(y + i, kind, c), kind, c);
  });
}

// The mixer "lowbias32" (Wellons 2018). Plain loops: compilers turn them into vectors.
template <bool kAccumulate>
void drop(float* y, const float* x, const DropoutConstants& constants, size_t n) {
  const DropoutConstants c = constants;
  for (size_t i = 0; i < n; i++) {
    unsigned h = unsigned(i) + c.low;
    h = (h ^ h >> 16) * 0x7FEB352Du;
    h = (h ^ h >> 15) * 0x846CA68Bu;
    h = h ^ h >> 16 ^ c.high;
    const float kept = h < c.threshold ? 0.0f : x[i] * c.scale;
    y[i] = kAccumulate ? y[i] + kept : kept;
  }
}

void dropout(float* y, const float* x, const DropoutConstants& constants, size_t n) {
  if (constants.accumulate)
    drop<true>(y, x, constants, n);
  else
    drop<false>(y, x, constants, n);
}

void normalize(float* y, const float* x, const float* w, float inv_rms, bool rounds, size_t n) {
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    Vec normalized = get(x + i, kind, c) * inv_rms;
    if (rounds) normalized = as_float(round_bf16(normalized));
    put(y + i, normalized * get(w + i, kind, c), kind, c);
  });
}

// With u = dy w and r = inv_rms: dx += r u - x r^3 mean(u x).
void normalize_backward(float* dx, const float* dy, const float* x, const float* w, float inv_rms,
                        size_t n) {
  const double dot_ux = sum_runs(n, [=](size_t i, size_t count) {
    return fetch(dy + i, count) * fetch(w + i, count) * fetch(x + i, count);
  });
  const float shrink = float(dot_ux / double(n) * inv_rms * inv_rms * inv_rms);
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    const Vec u = get(dy + i, kind, c) * get(w + i, kind, c);
    const Vec change = u * inv_rms - get(x + i, kind, c) * shrink;
    put(dx + i, get(dx + i, kind, c) + change, kind, c);
  });
}

void rope_half(float* x, const float* cos_sin, float sign, int head_dim, int n_heads) {
  const size_t half = size_t(head_dim / 2);
  for (int h = 0; h < n_heads; h++) {
    float *a = x + size_t(h) * size_t(head_dim), *b = a + half;
    for_vectors(half, [=](size_t i, auto kind, size_t n) {
      const Vec c = get(cos_sin + i, kind, n), s = get(cos_sin + half + i, kind, n) * sign;
      const Vec ai = get(a + i, kind, n), bi = get(b + i, kind, n);
      put(a + i, ai * c - bi * s, kind, n);
      put(b + i, bi * c + ai * s, kind, n);
    });
  }
}

void rope_interleaved(float* x, const float* cos_sin, float sign, int head_dim, int n_heads) {
  const int half = head_dim / 2;
  for (int h = 0; h < n_heads; h++) {
    float* a = x + size_t(h) * size_t(head_dim);
    for (int i = 0; i < half; i++) {
      const float c = cos_sin[i], s = cos_sin[half + i] * sign;
      const float even = a[2 * i], odd = a[2 * i + 1];
      a[2 * i] = even * c - odd * s;
      a[2 * i + 1] = odd * c + even * s;
    }
  }
}

inline Vec sigmoid(Vec x) { return 1.0f / (1.0f + exp(-x)); }

void swiglu(float* h, const float* gate, const float* up, size_t n) {
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    const Vec g = get(gate + i, kind, c);
    put(h + i, g * sigmoid(g) * get(up + i, kind, c), kind, c);
  });
}

void swiglu_backward(float* dgate, float* dup, const float* dh, const float* gate, const float* up,
                     size_t n) {
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    const Vec g = get(gate + i, kind, c), u = get(up + i, kind, c), d = get(dh + i, kind, c);
    const Vec s = sigmoid(g);
    put(dgate + i, d * u * s * (1.0f + g * (1.0f - s)), kind, c);
    put(dup + i, d * g * s, kind, c);
  });
}

float row_max(const float* x, size_t n) {
  float largest = x[0];
  size_t i = 0;
  if (n >= kLanes) {
    Vec m = load(x);
    for (i = kLanes; i + kLanes <= n; i += kLanes) m = vmax(m, load(x + i));
    largest = max_lane(m);
  }
  for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

double sum_exp(const float* x, float max, size_t n) {
  return sum_runs(n, [=](size_t i, size_t count) {
    if (count == kLanes) return exp(load(x + i) - max);
    Vec part = splat(-__builtin_inff());  // e^-inf = 0 where nothing was loaded
    __builtin_memcpy(&part, x + i, count * sizeof(float));
    return exp(part - max);
  });
}

void softmax(float* x, float max, float factor, size_t n) {
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    put(x + i, exp(get(x + i, kind, c) - max) * factor, kind, c);
  });
}

inline Vec square_root(Vec x) {
  for (int i = 0; i < kLanes; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}

void adamw(float* w, const float* grad, float* m, float* v, const AdamwConstants& k, size_t n) {
  for_vectors(n, [=](size_t i, auto kind, size_t c) {
    const Vec g = get(grad + i, kind, c) * k.grad_scale;
    const Vec mi = get(m + i, kind, c) * k.beta1 + g * (1 - k.beta1);
    const Vec vi = get(v + i, kind, c) * k.beta2 + g * g * (1 - k.beta2);
    put(m + i, mi, kind, c);
    put(v + i, vi, kind, c);
    const Vec denominator = square_root(vi) * k.inv_sqrt_bias2 + k.eps;
    put(w + i, get(w + i, kind, c) * k.decay - k.step_size * (mi / denominator), kind, c);
  });
}

void softmax_step(float* scores, int keys, int rows, float* max, float* sums, float* correction) {
  for (int r = 0; r < rows; r += kLanes) {
    float* s = scores + r;
    const Vec before = load(max + r);
    Vec m = before;
    for (int j = 0; j < keys; j++) m = vmax(m, load(s + size_t(j) * size_t(rows)));
    const Vec factor = exp(before - m);
    Vec total = load(sums + r) * factor;
    for (int j = 0; j < keys; j++) {
      const Vec p = exp(load(s + size_t(j) * size_t(rows)) - m);
      store(s + size_t(j) * size_t(rows), p);
      total += p;
    }
    store(max + r, m);
    store(sums + r, total);
    store(correction + r, factor);
  }
}

void softmax_step_pairs(float* pairs, const float* scores, float scale, int keys, int rows,
                        float* max, float* sums, float* correction) {
  for (int r = 0; r < rows; r += kLanes) {
    const float* s = scores + r;
    const Vec before = load(max + r);
    Vec m = load(s);
    for (int j = 1; j < keys; j++) m = vmax(m, load(s + size_t(j) * size_t(rows)));
    m = vmax(before, m * scale);
    const Vec factor = exp(before - m);
    Vec total = load(sums + r) * factor;
    for (int j = 0; j < keys; j += 2) {
      const Vec first = exp(load(s + size_t(j) * size_t(rows)) * scale - m);
      Vec second = {};
      if (j + 1 < keys) second = exp(load(s + size_t(j + 1) * size_t(rows)) * scale - m);
      store(pairs + size_t(j / 2) * size_t(rows) + r,
            as_float(round_bf16(first) >> 16 | round_bf16(second)));
      total += first + second;
    }
    store(max + r, m);
    store(sums + r, total);
    store(correction + r, factor);
  }
}

void scale_rows(float* x, const float* factors, int rows, int cols) {
  for (int r = 0; r < rows; r++)
    scaled(x + size_t(r) * size_t(cols), x + size_t(r) * size_t(cols), factors[r], size_t(cols));
}

void softmax_backward(float* scores, float* dp, int keys, int rows, const float* lse,
                      const float* delta) {
  for (int j = 0; j < keys; j++)
    for (int r = 0; r < rows; r += kLanes) {
      float *s = scores + size_t(j) * size_t(rows) + r, *d = dp + size_t(j) * size_t(rows) + r;
      const Vec p = exp(load(s) - load(lse + r));
      store(s, p);
      store(d, p * (load(d) - load(delta + r)));
    }
}

}  // namespace

#define CHATMEM_JOIN(a, b) a##b
#define CHATMEM_TABLE(isa) CHATMEM_JOIN(kernels_, isa)
#define CHATMEM_STRING(x) #x
#define CHATMEM_NAME(x) CHATMEM_STRING(x)

const CpuKernels& CHATMEM_TABLE(CHATMEM_ISA_NAME)() {
  static constexpr CpuKernels kTable = {
    .name = CHATMEM_NAME(CHATMEM_ISA_NAME),
    .lanes = kLanes,
    .bf16_to_f32 = widen<Bf16>,
    .f16_to_f32 = widen<F16>,
    .f32_to_bf16 = narrow<narrow_bf16>,
    .f32_to_f16 = narrow<F16::narrow>,
    .dot_rows_f32 = dot_rows<DotSingles<F32>>,
    .dot_rows_bf16 = dot_rows<DotSingles<Bf16>>,
    .dot_rows_f16 = dot_rows<DotSingles<F16>>,
    .tile_gemm = tile_gemm<Singles>,
#if defined(__AVX512BF16__)
    .tile_gemm_pairs = tile_gemm<Pairs>,
    .dot_rows_pairs = dot_rows<DotPairs>,
#else
    .tile_gemm_pairs = nullptr,
    .dot_rows_pairs = nullptr,
#endif
    .pair_rows = pair_rows,
    .sum_squares = sum_squares,
    .dot = dot,
    .add = add,
    .scaled = scaled,
    .axpy = axpy,
    .normalize = normalize,
    .normalize_backward = normalize_backward,
    .multiply_add = multiply_add,
    .dropout = dropout,
    .rope_half = rope_half,
    .rope_interleaved = rope_interleaved,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .max = row_max,
    .sum_exp = sum_exp,
    .softmax = softmax,
    .adamw = adamw,
    .softmax_step = softmax_step,
    .softmax_step_pairs = softmax_step_pairs,
    .scale_rows = scale_rows,
    .softmax_backward = softmax_backward,
  };
  return kTable;
}

}  // namespace chatmem
