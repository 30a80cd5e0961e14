// Products of weights on the CPU.
#include "compute/cpu_matmul.h"

namespace chatmem {
namespace {

// Rows of activations that are computed together: where a weight's rows are decoded to f32, to
// integers, and where they need not be.
constexpr int kFewQuantizedRows = 4, kFewIntegerRows = 8, kFewDenseRows = 8;
// Up to this many rows, dot products are about as fast as a GEMM, and a row has the same bits as
// alone: what a decoding request gets does not depend on the others, nor on tokens guessed ahead.
// To decode a quantized weight again for every few rows takes less time than a panel.
constexpr int kMostQuantizedRows = 16, kMostIntegerRows = 32, kMostDenseRows = 8;
// Outputs that one thread computes before it writes them.
constexpr size_t kDotBlock = 64;
// A converted panel of a weight: at most 2048 x 1024 f32 = 8 MB. Multiples of every block of
// quantized types.
constexpr int kPanelDepth = 2048, kPanelCols = 1024;
// Elements below which a second thread costs more than it brings.
constexpr size_t kGrain = 16384;

GemmMatrix plain(Tensor t) { return {t.data, t.dtype, size_t(t.cols), 1}; }
IntegerRows from_row(IntegerRows rows, int row) {
  const size_t at = size_t(row) * rows.stride;
  return {rows.values + at, rows.scales + at / 256, rows.sums + at / 32, rows.stride};
}
GemmMatrix transposed(Tensor t) { return {t.data, t.dtype, 1, size_t(t.cols)}; }

}  // namespace

void CpuMatmul::forward(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) {
  CHECK(x.cols == w.cols && y.cols == w.rows && y.rows == x.rows);
  CHECK(is_activation(x) && is_weight(w));
  CHECK(y.dtype == x.dtype || y.dtype == DType::f32);
  if (y.size() == 0) return;
  if (by_integers(x, w)) {
    if (x.rows <= kMostIntegerRows) return few_integer_rows(y, x, w, scale, accumulate);
  } else if (is_quantized(w.dtype)) {
    if (x.rows <= kMostQuantizedRows) return few_quantized_rows(y, x, w, scale, accumulate);
  } else if (x.rows <= kMostDenseRows) {
    return few_dense_rows(y, x, w, scale, accumulate);
  }
  if (!gemm_->supports(x.dtype, w.dtype, y.dtype))
    return by_panels(y, x, w, Side::columns, scale, accumulate);
  gemm_->run({y.data, y.dtype, size_t(y.cols), plain(x), transposed(w), y.rows, y.cols, x.cols,
              scale, accumulate});
}

void CpuMatmul::dx(Tensor dx, Tensor dy, Tensor w, float scale, Accumulate accumulate) {
  CHECK(dy.cols == w.rows && dx.cols == w.cols && dx.rows == dy.rows);
  CHECK(is_activation(dy) && is_activation(dx) && is_weight(w));
  CHECK(dy.dtype == dx.dtype || dy.dtype == DType::f32);
  if (dx.size() == 0) return;
  // The gradient of f32 logits loses no more by rounding than dx itself does.
  const DType converted = is_quantized(w.dtype) ? DType::bf16 : w.dtype;
  if (dx.dtype == DType::bf16 && gemm_->supports(DType::bf16, converted, DType::bf16))
    dy = as(dy, DType::bf16, a_);
  if (!gemm_->supports(dy.dtype, w.dtype, dx.dtype))
    return by_panels(dx, dy, w, Side::rows, scale, accumulate);
  gemm_->run({dx.data, dx.dtype, size_t(dx.cols), plain(dy), plain(w), dx.rows, dx.cols, dy.cols,
              scale, accumulate});
}

void CpuMatmul::dw(Tensor dw, Tensor dy, Tensor x, float scale) {
  CHECK(dy.rows == x.rows && dw.rows == dy.cols && dw.cols == x.cols);
  CHECK(dw.dtype == DType::f32 && is_activation(x) && is_activation(dy));
  CHECK(dy.dtype == x.dtype || dy.dtype == DType::f32);
  if (dw.size() == 0 || x.rows == 0) return;
  const bool native =
      x.dtype == DType::bf16 && gemm_->supports(DType::bf16, DType::bf16, DType::f32);
  const DType dtype = native ? DType::bf16 : DType::f32;
  dy = as(dy, dtype, a_);
  x = as(x, dtype, b_);
  gemm_->run({dw.data, dw.dtype, size_t(dw.cols), transposed(dy), plain(x), dw.rows, dw.cols,
              x.rows, scale, Accumulate::yes});
}

Tensor CpuMatmul::as(Tensor x, DType dtype, Buffer& buffer) const {
  if (x.dtype == dtype) return x;
  const Tensor y = {buffer.reserve<char>(x.size() * dtype_bytes(dtype)), x.rows, x.cols, dtype};
  device_.split(x.size(), kGrain, [&](size_t begin, size_t end, int) {
    void* to = static_cast<char*>(y.data) + begin * dtype_bytes(dtype);
    const void* from = static_cast<const char*>(x.data) + begin * dtype_bytes(x.dtype);
    if (dtype == DType::f32)
      device_.widen(static_cast<float*>(to), from, x.dtype, end - begin);
    else
      device_.narrow(to, dtype, static_cast<const float*>(from), end - begin);
  });
  return y;
}

void CpuMatmul::few_dense_rows(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) {
  const size_t cols = size_t(w.cols);
  const CpuKernels& k = *device_.kernels;
  if (k.dot_rows_pairs && x.dtype == DType::bf16 && w.dtype == DType::bf16)
    return few_rows<kFewDenseRows>(
        y, w, scale, accumulate, [&](float* dots, int row, int n_x, const void* rows, int n) {
          const auto* from = static_cast<const unsigned short*>(element(x, size_t(row)));
          k.dot_rows_pairs(dots, from, n_x, static_cast<const unsigned short*>(rows), n, cols);
        });
  const float* wide = as(x, DType::f32, a_).f32();
  few_rows<kFewDenseRows>(
      y, w, scale, accumulate, [&](float* dots, int row, int n_x, const void* rows, int n) {
        const float* from = wide + size_t(row) * cols;
        const auto* rows16 = static_cast<const unsigned short*>(rows);
        if (w.dtype == DType::f32)
          k.dot_rows_f32(dots, from, n_x, static_cast<const float*>(rows), n, cols);
        else
          (w.dtype == DType::bf16 ? k.dot_rows_bf16 : k.dot_rows_f16)(dots, from, n_x, rows16, n,
                                                                      cols);
      });
}

void CpuMatmul::few_quantized_rows(Tensor y, Tensor x, Tensor w, float scale,
                                   Accumulate accumulate) {
  const size_t cols = size_t(w.cols), bytes = row_bytes(w.dtype, cols);
  const QuantLoops& quant = device_.quant_loops(w.dtype);
  const float* wide = as(x, DType::f32, a_).f32();
  few_rows<kFewQuantizedRows>(
      y, w, scale, accumulate, [&](float* dots, int row, int n_x, const void* rows, int n) {
        quant.dot_rows(dots, wide + size_t(row) * cols, n_x, rows, bytes, n, cols);
      });
}

// f32 stays exact.
bool CpuMatmul::by_integers(Tensor x, Tensor w) const {
  return x.dtype == DType::bf16 && is_quantized(w.dtype) &&
         device_.quant_loops(w.dtype).dot_integers;
}

void CpuMatmul::few_integer_rows(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) {
  const QuantLoops& quant = device_.quant_loops(w.dtype);
  const IntegerRows integers = integers_of(x, quant.order);
  const size_t bytes = row_bytes(w.dtype, size_t(w.cols));
  few_rows<kFewIntegerRows>(
      y, w, scale, accumulate, [&](float* dots, int row, int n_x, const void* rows, int n) {
        quant.dot_integers(dots, from_row(integers, row), n_x, rows, bytes, n);
      });
}

template <int kTogether, typename Dots>
void CpuMatmul::few_rows(Tensor y, Tensor w, float scale, Accumulate accumulate, const Dots& dots) {
  const size_t blocks = (size_t(w.rows) + kDotBlock - 1) / kDotBlock;
  const size_t grain = 1 + kGrain / (kDotBlock * size_t(std::max(w.cols, 1)));
  device_.split(blocks, grain, [&](size_t begin, size_t end, int) {
    float results[kDotBlock * kTogether], sums[kDotBlock], previous[kDotBlock];
    for (size_t block = begin; block < end; block++) {
      const size_t first = block * kDotBlock, n = std::min(kDotBlock, size_t(w.rows) - first);
      for (int row = 0; row < y.rows; row += kTogether) {
        const int n_x = std::min(kTogether, y.rows - row);
        dots(results, row, n_x, element(w, first), int(n));
        for (int t = 0; t < n_x; t++) {
          void* out = element(y, size_t(row + t), first);
          const float* before = nullptr;
          if (accumulate == Accumulate::yes) before = device_.widened(out, y.dtype, previous, n);
          for (size_t r = 0; r < n; r++)
            sums[r] = scale * results[r * size_t(n_x) + size_t(t)] + (before ? before[r] : 0);
          device_.narrow(out, y.dtype, sums, n);
        }
      }
    }
  });
}

IntegerRows CpuMatmul::integers_of(Tensor x, const unsigned char* order) {
  constexpr size_t kPiece = 256;
  const size_t pieces = (size_t(x.cols) + kPiece - 1) / kPiece, stride = pieces * kPiece;
  const size_t n = size_t(x.rows) * stride;
  auto* values =
      a_.reserve<short>(n + 2 * (n / 32 + n / kPiece));  // first: they lie at multiples of 64
  auto* sums = reinterpret_cast<float*>(values + n);
  const IntegerRows rows = {values, sums + n / 32, sums, stride};
  const QuantKernels& kernels = quant_kernels_of(device_.isa);
  device_.split(size_t(x.rows) * pieces, 1 + kGrain / kPiece, [&](size_t begin, size_t end, int) {
    float wide[kPiece] = {};
    for (size_t i = begin; i < end; i++) {
      const size_t row = i / pieces, col = i % pieces * kPiece;
      const size_t filled = std::min(kPiece, size_t(x.cols) - col);
      if (filled < kPiece) std::fill(wide + filled, wide + kPiece, 0.0f);
      device_.widen(wide, element(x, row, col), x.dtype, filled);
      kernels.to_integers(rows, row * stride + col, wide, order);
    }
  });
  return rows;
}

DType CpuMatmul::panel_dtype(DType a, DType w) const {
  const bool native = is_quantized(w) && gemm_->supports(a, DType::bf16, DType::f32);
  return native ? DType::bf16 : DType::f32;
}

void CpuMatmul::by_panels(Tensor c, Tensor a, Tensor w, Side side, float scale,
                          Accumulate accumulate) {
  const DType dtype = panel_dtype(a.dtype, w.dtype);
  a = as(a, dtype, a_);
  const int depth = a.cols;
  void* memory = panel_.reserve<char>(size_t(std::min(depth, kPanelDepth)) *
                                      size_t(std::min(c.cols, kPanelCols)) * dtype_bytes(dtype));
  const bool direct = c.dtype == DType::f32;
  float* result =
      direct ? nullptr : result_.reserve<float>(c.size() / c.cols * std::min(c.cols, kPanelCols));
  for (int col = 0; col < c.cols; col += kPanelCols) {
    const int cols = std::min(kPanelCols, c.cols - col);
    for (int row = 0; row < depth; row += kPanelDepth) {
      const int rows = std::min(kPanelDepth, depth - row);
      Tensor panel = {memory, rows, cols, dtype};
      if (side == Side::columns) {
        panel = {memory, cols, rows, dtype};
        fill_panel(panel, w, col, row);
      } else {
        fill_panel(panel, w, row, col);
      }
      const bool adds = row > 0 || (direct && accumulate == Accumulate::yes);
      gemm_->run({direct ? element(c, 0, size_t(col)) : result,
                  DType::f32,
                  size_t(direct ? c.cols : cols),
                  {element(a, 0, size_t(row)), dtype, size_t(depth), 1},
                  side == Side::columns ? transposed(panel) : plain(panel),
                  c.rows,
                  cols,
                  rows,
                  scale,
                  adds ? Accumulate::yes : Accumulate::no});
    }
    if (!direct) add_panel(c, result, col, cols, accumulate);
  }
}

void CpuMatmul::fill_panel(Tensor panel, Tensor w, int row, int col) const {
  const size_t length = size_t(panel.cols);
  device_.split(size_t(panel.rows), 1 + kGrain / length, [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++)
      device_.fetch(element(panel, i), panel.dtype, w, size_t(row) + i, size_t(col), length);
  });
}

// Writes columns [col, col + cols) of a 16-bit result.
void CpuMatmul::add_panel(Tensor c, const float* panel, int col, int cols,
                          Accumulate accumulate) const {
  const size_t n = size_t(cols);
  device_.split(size_t(c.rows), 1 + kGrain / n, [&](size_t begin, size_t end, int) {
    float before[kPanelCols], sums[kPanelCols];
    for (size_t t = begin; t < end; t++) {
      void* out = element(c, t, size_t(col));
      const float* x = panel + t * n;
      if (accumulate == Accumulate::yes) {
        device_.widen(before, out, c.dtype, n);
        for (size_t i = 0; i < n; i++) sums[i] = before[i] + x[i];
        x = sums;
      }
      device_.narrow(out, c.dtype, x, n);
    }
  });
}

size_t CpuMatmul::scratch_bytes() const {
  return a_.size_bytes() + b_.size_bytes() + panel_.size_bytes() + result_.size_bytes() +
         gemm_->scratch_bytes();
}

}  // namespace chatmem
