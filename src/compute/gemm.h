// Dense matrix products, behind which a library or the portable version stands.
#pragma once
#include <memory>

#include "compute/cpu_device.h"

namespace chatmem {

// An operand: element (i, j) is at i * row_stride + j * col_stride, one of which is 1.
struct GemmMatrix {
  const void* data = nullptr;
  DType dtype = DType::f32;
  size_t row_stride = 0, col_stride = 1;
};

// c (m, n) = scale * a (m, k) b (k, n), or += ; rows of c are c_stride elements apart.
struct GemmCall {
  void* c = nullptr;
  DType c_dtype = DType::f32;
  size_t c_stride = 0;
  GemmMatrix a, b;
  int m = 0, n = 0, k = 0;
  float scale = 1;
  Accumulate accumulate = Accumulate::no;
};

class Gemm {
 public:
  virtual ~Gemm() = default;
  // Whether run takes these element types at a speed worth using; f32 throughout always is.
  virtual bool supports(DType a, DType b, DType c) const = 0;
  virtual void run(const GemmCall& call) = 0;
  // The same by the calling thread, `thread` of CpuDevice::split, alone.
  virtual void run_alone(const GemmCall& call, int thread) = 0;
  virtual size_t scratch_bytes() const = 0;
};

// f32 alone, in blocks through CpuKernels::tile_gemm.
std::unique_ptr<Gemm> make_plain_gemm(const CpuDevice& device);
// oneDNN; present when CHATMEM_DNNL is defined. Limits oneDNN to device.isa, which holds for the
// process from its first primitive on.
std::unique_ptr<Gemm> make_dnnl_gemm(const CpuDevice& device);

}  // namespace chatmem
