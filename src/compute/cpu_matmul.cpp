// Products of weights on the CPU.
#include "compute/cpu_matmul.h"

#include <exception>

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
// A converted panel of a weight, which stays in the cache of the thread that made it, and whose
// product need not be added up: at most 4096 x 128, where the weight's rows are the product's
// columns, else x 256, a multiple of every block of quantized types; 4 MB of f32.
constexpr int kPanelDepth = 4096, kPanelCols = 128, kPanelColsOfRows = 256;
// Of a product by panels, what a thread computes at once has rows and columns by this many.
constexpr int kPanelGrain = 64, kPiecesPerThread = 4;
// Elements below which a second thread costs more than it brings.
constexpr size_t kGrain = 16384;

GemmMatrix plain(Tensor t) { return {t.data, t.dtype, size_t(t.cols), 1}; }
int pieces_of(int n, int piece) { return (n + piece - 1) / piece; }
int rounded_up(int n, int to) { return std::max(pieces_of(n, to), 1) * to; }
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
  const IntegerRows integers = integers_of(x, quant);
  const size_t bytes = row_bytes(w.dtype, size_t(w.cols));
  few_rows<kFewIntegerRows>(y, w, scale, accumulate,
                            [&](float* dots, int row, int n_x, const void* rows, int n) {
                              quant.dot_integers(dots, integers, row, n_x, rows, bytes, n);
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

IntegerRows CpuMatmul::integers_of(Tensor x, const QuantLoops& quant) {
  constexpr size_t kPiece = 256, kSmallestGroup = 16;
  const size_t pieces = (size_t(x.cols) + kPiece - 1) / kPiece, stride = pieces * kPiece;
  const size_t n = size_t(x.rows) * stride, value_bytes = n * size_t(quant.integer_bytes);
  const size_t scale_bytes = n / size_t(quant.per_scale) * sizeof(float);
  const size_t sum_bytes = n / kSmallestGroup * sizeof(float);
  // The values lie at multiples of 64 bytes.
  auto* values = a_.reserve<unsigned char>(value_bytes + sum_bytes + scale_bytes);
  auto* sums = reinterpret_cast<float*>(values + value_bytes);
  const IntegerRows rows = {values, sums + n / kSmallestGroup, sums, stride};
  device_.split(size_t(x.rows) * pieces, 1 + kGrain / kPiece, [&](size_t begin, size_t end, int) {
    float wide[kPiece] = {};
    for (size_t i = begin; i < end; i++) {
      const size_t row = i / pieces, col = i % pieces * kPiece;
      const size_t filled = std::min(kPiece, size_t(x.cols) - col);
      if (filled < kPiece) std::fill(wide + filled, wide + kPiece, 0.0f);
      device_.widen(wide, element(x, row, col), x.dtype, filled);
      quant.to_integers(rows, row * stride + col, wide);
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
  // Several pieces for each thread: of columns, and of rows where there are few of them.
  const int wanted = device_.n_threads * kPiecesPerThread;
  const int cols = side == Side::rows
                       ? kPanelColsOfRows
                       : std::min(kPanelCols, rounded_up(c.cols / wanted, kPanelGrain));
  const int n_across = pieces_of(c.cols, cols);
  const int rows = rounded_up(c.rows / std::max(wanted / n_across, 1), kPanelGrain);
  const int n_down = pieces_of(c.rows, rows);
  const size_t panel_bytes =
      size_t(std::min(a.cols, kPanelDepth)) * size_t(cols) * dtype_bytes(dtype);
  const size_t result_size = c.dtype == DType::f32 ? 0 : size_t(rows) * size_t(cols);
  const size_t threads = size_t(device_.n_threads);
  char* panels = panel_.reserve<char>(threads * panel_bytes);
  float* results = result_.reserve<float>(threads * result_size);
  std::exception_ptr error;
  device_.split(size_t(n_across * n_down), 1, [&](size_t begin, size_t end, int thread) {
    const Scratch scratch = {panels + size_t(thread) * panel_bytes, dtype,
                             results + size_t(thread) * result_size, thread};
    try {
      for (size_t i = begin; i < end; i++) {
        const int row = int(i) % n_down * rows, col = int(i) / n_down * cols;
        const Piece piece = {row, std::min(rows, c.rows - row), col, std::min(cols, c.cols - col)};
        by_panel(c, piece, a, w, side, scale, accumulate, scratch);
      }
    } catch (...) {  // must not leave the loop
#pragma omp critical
      error = std::current_exception();
    }
  });
  if (error) std::rethrow_exception(error);
}

void CpuMatmul::by_panel(Tensor c, Piece piece, Tensor a, Tensor w, Side side, float scale,
                         Accumulate accumulate, const Scratch& scratch) {
  const bool direct = c.dtype == DType::f32;
  void* result = direct ? element(c, size_t(piece.row), size_t(piece.col)) : scratch.result;
  for (int row = 0; row < a.cols; row += kPanelDepth) {
    const int depth = std::min(kPanelDepth, a.cols - row);
    Tensor panel = {scratch.panel, depth, piece.cols, scratch.dtype};
    if (side == Side::columns) {
      panel = {scratch.panel, piece.cols, depth, scratch.dtype};
      fill_panel(panel, w, piece.col, row);
    } else {
      fill_panel(panel, w, row, piece.col);
    }
    const bool adds = row > 0 || (direct && accumulate == Accumulate::yes);
    gemm_->run_alone(
        {result,
         DType::f32,
         size_t(direct ? c.cols : piece.cols),
         {element(a, size_t(piece.row), size_t(row)), scratch.dtype, size_t(a.cols), 1},
         side == Side::columns ? transposed(panel) : plain(panel),
         piece.rows,
         piece.cols,
         depth,
         scale,
         adds ? Accumulate::yes : Accumulate::no},
        scratch.thread);
  }
  if (!direct) add_result(c, piece, scratch.result, accumulate);
}

void CpuMatmul::fill_panel(Tensor panel, Tensor w, int row, int col) const {
  for (size_t i = 0; i < size_t(panel.rows); i++)
    device_.fetch(element(panel, i), panel.dtype, w, size_t(row) + i, size_t(col),
                  size_t(panel.cols));
}

// Writes a piece of a 16-bit result.
void CpuMatmul::add_result(Tensor c, Piece piece, const float* result,
                           Accumulate accumulate) const {
  const size_t n = size_t(piece.cols);
  float before[kPanelColsOfRows], sums[kPanelColsOfRows];
  for (size_t t = 0; t < size_t(piece.rows); t++) {
    void* out = element(c, size_t(piece.row) + t, size_t(piece.col));
    const float* x = result + t * n;
    if (accumulate == Accumulate::yes) {
      device_.widen(before, out, c.dtype, n);
      for (size_t i = 0; i < n; i++) sums[i] = before[i] + x[i];
      x = sums;
    }
    device_.narrow(out, c.dtype, x, n);
  }
}

size_t CpuMatmul::scratch_bytes() const {
  return a_.size_bytes() + b_.size_bytes() + panel_.size_bytes() + result_.size_bytes() +
         gemm_->scratch_bytes();
}

}  // namespace chatmem
