// Matrix products without a library: blocks of both operands are copied to row-major f32 that fits
// the caches, and multiplied by the tile kernel.
#include <algorithm>
#include <vector>

#include "compute/gemm.h"

namespace chatmem {
namespace {

// Rows of a, columns of b and the depth of one block: 64 KB of a and 256 KB of b.
constexpr int kRows = 64, kCols = 256, kDepth = 256;

class PlainGemm : public Gemm {
 public:
  explicit PlainGemm(const CpuDevice& device)
      : device_(device), scratch_(size_t(device.n_threads)) {}

  bool supports(DType a, DType b, DType c) const override {
    return a == DType::f32 && b == DType::f32 && c == DType::f32;
  }

  void run(const GemmCall& call) override {
    device_.split(blocks(call), 1, [&](size_t begin, size_t end, int thread) {
      run_blocks(call, begin, end, thread);
    });
  }

  void run_alone(const GemmCall& call, int thread) override {
    run_blocks(call, 0, blocks(call), thread);
  }

  size_t scratch_bytes() const override {
    size_t bytes = 0;
    for (const Buffer& buffer : scratch_) bytes += buffer.size_bytes();
    return bytes;
  }

 private:
  static size_t row_blocks(const GemmCall& call) { return size_t(call.m + kRows - 1) / kRows; }
  static size_t blocks(const GemmCall& call) {
    return row_blocks(call) * (size_t(call.n + kCols - 1) / kCols);
  }

  void run_blocks(const GemmCall& call, size_t begin, size_t end, int thread) {
    CHECK(supports(call.a.dtype, call.b.dtype, call.c_dtype));
    float* scratch =
        scratch_[size_t(thread)].reserve<float>((kRows + kCols) * kDepth + kRows * kCols);
    for (size_t block = begin; block < end; block++)
      run_block(call, int(block % row_blocks(call)) * kRows, int(block / row_blocks(call)) * kCols,
                scratch);
  }

  void run_block(const GemmCall& call, int row, int col, float* scratch) const {
    const int m = std::min(kRows, call.m - row), n = std::min(kCols, call.n - col);
    float *a = scratch, *b = a + kRows * kDepth, *c = b + kCols * kDepth;
    for (int depth = 0; depth < call.k; depth += kDepth) {
      const int k = std::min(kDepth, call.k - depth);
      pack(a, call.a, row, depth, m, k);
      pack(b, call.b, depth, col, k, n);
      device_.kernels->tile_gemm({.c = c,
                                  .c_stride = size_t(n),
                                  .a = a,
                                  .a_row_stride = size_t(k),
                                  .a_col_stride = 1,
                                  .b = b,
                                  .b_stride = size_t(n),
                                  .m = m,
                                  .n = n,
                                  .k = k,
                                  .accumulate = depth > 0});
    }
    for (int i = 0; i < m; i++) {
      float* y = static_cast<float*>(call.c) + size_t(row + i) * call.c_stride + size_t(col);
      const float* x = c + size_t(i) * size_t(n);
      if (call.accumulate == Accumulate::yes)
        device_.kernels->axpy(y, x, call.scale, size_t(n));
      else
        device_.kernels->scaled(y, x, call.scale, size_t(n));
    }
  }

  // Copies (rows, cols) of `from` at (row, col) to row-major `to`.
  static void pack(float* to, const GemmMatrix& from, int row, int col, int rows, int cols) {
    const float* x = static_cast<const float*>(from.data) + size_t(row) * from.row_stride +
                     size_t(col) * from.col_stride;
    if (from.col_stride == 1) {
      for (int i = 0; i < rows; i++)
        std::copy_n(x + size_t(i) * from.row_stride, cols, to + size_t(i) * size_t(cols));
      return;
    }
    for (int j = 0; j < cols; j++)
      for (int i = 0; i < rows; i++)
        to[size_t(i) * size_t(cols) + size_t(j)] =
            x[size_t(i) * from.row_stride + size_t(j) * from.col_stride];
  }

  const CpuDevice& device_;
  std::vector<Buffer> scratch_;  // of each thread
};

}  // namespace

std::unique_ptr<Gemm> make_plain_gemm(const CpuDevice& device) {
  return std::make_unique<PlainGemm>(device);
}

}  // namespace chatmem
