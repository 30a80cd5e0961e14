// The three products of a weight on the CPU, for every combination of element types: directly where
// the GEMM takes them, otherwise with panels of the weight converted to what it takes; few rows by
// dot products at the speed of memory, of integers where rows of bf16 meet quantized weights.
#pragma once
#include <memory>

#include "compute/gemm.h"

namespace chatmem {

class CpuMatmul {
 public:
  CpuMatmul(const CpuDevice& device, std::unique_ptr<Gemm> gemm)
      : device_(device), gemm_(std::move(gemm)) {}

  // As Ops::matmul, matmul_dx and matmul_dw.
  void forward(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate);
  void dx(Tensor dx, Tensor dy, Tensor w, float scale, Accumulate accumulate);
  void dw(Tensor dw, Tensor dy, Tensor x, float scale);

  size_t scratch_bytes() const;

 private:
  void few_dense_rows(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate);
  void few_quantized_rows(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate);
  bool by_integers(Tensor x, Tensor w) const;
  void few_integer_rows(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate);
  // By dots(result, row of x, up to kTogether rows of x, rows of w, their number),
  // result[r * rows of x + t].
  template <int kTogether, typename Dots>
  void few_rows(Tensor y, Tensor w, float scale, Accumulate accumulate, const Dots& dots);
  IntegerRows integers_of(Tensor x, const QuantLoops& quant);
  // How the product sees the weight: its rows are the columns of b (forward), or the rows (dx).
  enum class Side : uint8_t { columns, rows };
  // c (+)= scale * a b, the weight converted panel by panel to the type of the product. A panel
  // belongs to one thread.
  void by_panels(Tensor c, Tensor a, Tensor w, Side side, float scale, Accumulate accumulate);
  // Memory of a thread: a panel of `dtype` and, where c is not f32, c's columns of it in f32.
  struct Scratch {
    void* panel;
    DType dtype;
    float* result;
    int thread;
  };
  struct Piece {
    int row, rows, col, cols;
  };
  void by_panel(Tensor c, Piece piece, Tensor a, Tensor w, Side side, float scale,
                Accumulate accumulate, const Scratch& scratch);
  // (rows, cols) of the weight at (row, col), in its own order.
  void fill_panel(Tensor panel, Tensor w, int row, int col) const;
  // The type that a weight is converted to for a product with a.
  DType panel_dtype(DType a, DType w) const;
  // All of x in another type, in `buffer`; x itself when it has that type.
  Tensor as(Tensor x, DType dtype, Buffer& buffer) const;
  void add_result(Tensor c, Piece piece, const float* result, Accumulate accumulate) const;

  const CpuDevice& device_;
  std::unique_ptr<Gemm> gemm_;
  Buffer a_, b_, panel_, result_;  // a_: also the integers of few rows
};

}  // namespace chatmem
