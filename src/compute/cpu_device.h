// What all parts of the CPU backend share: the instruction set, the threads, scratch memory and the
// conversion of rows.
#pragma once
#include <omp.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>

#include "base/dtype.h"
#include "compute/cpu_kernels.h"
#include "compute/ops.h"
#include "compute/quant_kernels.h"

namespace chatmem {

enum class Isa : uint8_t { portable, avx2, avx2_vnni, avx512, avx512_bf16 };

// Those that the machine has and this build knows, from the slowest to the fastest.
std::span<const Isa> machine_isas();
inline Isa best_isa() { return machine_isas().back(); }
// CHATMEM_ISA from the environment, else the best. Throws Error for an unknown name or an
// instruction set that the machine lacks.
Isa choose_isa();
const CpuKernels& kernels_of(Isa isa);
const QuantKernels& quant_kernels_of(Isa isa);

// Memory aligned to 64 bytes that only grows; growing loses the contents.
class Buffer {
 public:
  template <typename T>
  T* reserve(size_t n) {
    return static_cast<T*>(reserve_bytes(n * sizeof(T)));
  }
  size_t size_bytes() const { return size_bytes_; }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  void* reserve_bytes(size_t bytes);
  std::unique_ptr<void, Free> data_;
  size_t size_bytes_ = 0;
};

// The machine's memory, or the smaller limit of the control group (a container); 0: not known.
size_t host_memory_bytes();

// `bytes` of zeros aligned to 64, in huge pages where that can pay. Throws Error.
void* allocate_zeroed(size_t bytes);

struct CpuDevice {
  Isa isa = Isa::portable;
  const CpuKernels* kernels = nullptr;
  int n_threads = 1;

  // Of the calling thread, inside a parallel loop.
  static int thread_id() { return omp_get_thread_num(); }

  // Runs f(begin, end, thread) over pieces of [0, n), in parallel when there are at least two
  // grains of work. Threads take the next piece as they come free, so that one which shares its
  // core with another program does less; which thread gets which is not known in advance.
  template <typename F>
  void split(size_t n, size_t grain, const F& f) const {
    constexpr size_t kPiecesPerThread = 8;
    const size_t grains = n / std::max<size_t>(grain, 1);
    const size_t threads = std::min(size_t(n_threads), grains);
    if (threads < 2) {
      if (n > 0) f(size_t(0), n, 0);
      return;
    }
    const size_t pieces = std::min(threads * kPiecesPerThread, grains);
#pragma omp parallel for num_threads(int(threads)) schedule(dynamic, 1)
    for (size_t piece = 0; piece < pieces; piece++)
      f(n * piece / pieces, n * (piece + 1) / pieces, thread_id());
  }

  // The same in one piece for each thread that has one, counted from 0: for sums over pieces,
  // whose bits would else depend on chance.
  template <typename F>
  void split_evenly(size_t n, size_t grain, const F& f) const {
    const size_t pieces = std::min(size_t(n_threads), n / std::max<size_t>(grain, 1));
    if (pieces < 2) {
      if (n > 0) f(size_t(0), n, 0);
      return;
    }
#pragma omp parallel for num_threads(int(pieces)) schedule(static, 1)
    for (size_t piece = 0; piece < pieces; piece++)
      f(n * piece / pieces, n * (piece + 1) / pieces, int(piece));
  }

  // n elements at `x` as f32: x itself, or `buffer` filled from it.
  const float* widened(const void* x, DType dtype, float* buffer, size_t n) const {
    if (dtype == DType::f32) return static_cast<const float*>(x);
    widen(buffer, x, dtype, n);
    return buffer;
  }
  void widen(float* y, const void* x, DType dtype, size_t n) const;
  // y is f32, bf16, f16 or q8_0 (n a multiple of 32); may be x in f32 and bf16.
  void narrow(void* y, DType dtype, const float* x, size_t n) const;

  // The loops of a quantized type.
  const QuantLoops& quant_loops(DType dtype) const;
  // Elements [begin, begin + n) of a row of a weight of any type, whole blocks, as y_dtype: f32,
  // or bf16 where w is quantized.
  void fetch(void* y, DType y_dtype, Tensor w, size_t row, size_t begin, size_t n) const;
};

// Of a quantized tensor, only the beginnings of rows are elements that have an address.
inline void* element(Tensor t, size_t row, size_t col = 0) {
  if (is_quantized(t.dtype))
    return static_cast<char*>(t.data) + row * row_bytes(t.dtype, size_t(t.cols));
  return static_cast<char*>(t.data) + (row * size_t(t.cols) + col) * dtype_bytes(t.dtype);
}
inline bool is_activation(Tensor t) { return t.dtype == DType::f32 || t.dtype == DType::bf16; }
inline bool is_weight(Tensor t) {
  return is_activation(t) || t.dtype == DType::f16 ||
         (is_quantized(t.dtype) && size_t(t.cols) % block_elements(t.dtype) == 0);
}
// What a KvPool may hold.
inline bool is_kv(Tensor t) {
  return is_weight(t) && (!is_quantized(t.dtype) || t.dtype == DType::q8_0);
}
inline bool same_shape(Tensor a, Tensor b) { return a.rows == b.rows && a.cols == b.cols; }

}  // namespace chatmem
