// Choice of the instruction set, memory, conversion.
#include "compute/cpu_device.h"

#ifdef CHATMEM_X86
#include <cpuid.h>
#endif
#include <unistd.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace chatmem {
namespace {

constexpr std::string_view kIsaNames[] = {"portable", "avx2", "avx2_vnni", "avx512", "avx512_bf16"};
constexpr size_t kAlignment = 64, kHugePage = size_t(2) << 20;

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

void* allocate(size_t bytes, size_t alignment) {
  void* p = std::aligned_alloc(alignment, round_up(std::max<size_t>(bytes, 1), alignment));
  if (!p)
    throw Error("[compute] memory must be available, could not allocate " + std::to_string(bytes) +
                    " bytes",
                "use a smaller model, batch or context");
  return p;
}

#ifdef CHATMEM_X86
// Not all compilers know it by name.
bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 4));
}
#endif

std::vector<Isa> find_isas() {
  std::vector<Isa> isas = {Isa::portable};
#ifdef CHATMEM_X86
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return isas;
  isas.push_back(Isa::avx2);
  if (has_avx_vnni()) isas.push_back(Isa::avx2_vnni);
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  if (!avx512) return isas;
  isas.push_back(Isa::avx512);
  // The bf16 kernels are built for Cooper Lake, which has VNNI as well.
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni"))
    isas.push_back(Isa::avx512_bf16);
#endif
  return isas;
}

}  // namespace

std::span<const Isa> machine_isas() {
  static const std::vector<Isa> kIsas = find_isas();
  return kIsas;
}

Isa choose_isa() {
  const char* wanted = std::getenv("CHATMEM_ISA");
  if (!wanted || !*wanted) return best_isa();
  std::string here;
  for (const Isa isa : machine_isas()) {
    if (kIsaNames[size_t(isa)] == wanted) return isa;
    here += (here.empty() ? "" : ", ") + std::string(kIsaNames[size_t(isa)]);
  }
  throw Error("[compute] CHATMEM_ISA must be an instruction set that this machine has, one of " +
                  here + ", found '" + wanted + "'",
              "unset CHATMEM_ISA");
}

size_t host_memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page_size = ::sysconf(_SC_PAGE_SIZE);
  const size_t physical = pages > 0 && page_size > 0 ? size_t(pages) * size_t(page_size) : 0;
  size_t limit = 0;  // stays 0 for "max"
  std::ifstream("/sys/fs/cgroup/memory.max") >> limit;
  return limit > 0 && (limit < physical || physical == 0) ? limit : physical;
}

const CpuKernels& kernels_of(Isa isa) {
#ifdef CHATMEM_X86
  if (isa == Isa::avx512_bf16) return kernels_avx512_bf16();
  if (isa == Isa::avx512) return kernels_avx512();
  if (isa == Isa::avx2_vnni) return kernels_avx2_vnni();
  if (isa == Isa::avx2) return kernels_avx2();
#endif
  CHECK(isa == Isa::portable);
  return kernels_portable();
}

const QuantKernels& quant_kernels_of(Isa isa) {
#ifdef CHATMEM_X86
  if (isa == Isa::avx512_bf16) return quant_kernels_avx512_bf16();
  if (isa == Isa::avx512) return quant_kernels_avx512();
  if (isa == Isa::avx2_vnni) return quant_kernels_avx2_vnni();
  if (isa == Isa::avx2) return quant_kernels_avx2();
#endif
  CHECK(isa == Isa::portable);
  return quant_kernels_portable();
}

void* Buffer::reserve_bytes(size_t bytes) {
  if (bytes > size_bytes_) {
    data_.reset();
    size_bytes_ = 0;
    data_.reset(allocate(bytes, kAlignment));
    size_bytes_ = bytes;
  }
  return data_.get();
}

void* allocate_zeroed(size_t bytes) {
  const bool large = bytes >= 2 * kHugePage;
  void* p = allocate(bytes, large ? kHugePage : kAlignment);
#if defined(__linux__)
  if (large) madvise(p, round_up(bytes, kHugePage), MADV_HUGEPAGE);  // a wish; refusal is harmless
#endif
  std::memset(p, 0, bytes);
  return p;
}

void CpuDevice::widen(float* y, const void* x, DType dtype, size_t n) const {
  if (dtype == DType::f32) {
    std::memcpy(y, x, n * sizeof(float));
  } else if (dtype == DType::bf16) {
    kernels->bf16_to_f32(y, static_cast<const unsigned short*>(x), n);
  } else {
    CHECK(dtype == DType::f16);
    kernels->f16_to_f32(y, static_cast<const unsigned short*>(x), n);
  }
}

void CpuDevice::narrow(void* y, DType dtype, const float* x, size_t n) const {
  if (dtype == DType::f32) {
    if (y != x) std::memcpy(y, x, n * sizeof(float));
  } else if (dtype == DType::q8_0) {
    quant_kernels_of(isa).write_q8_0(y, x, n);
  } else {
    CHECK(dtype == DType::bf16 || dtype == DType::f16);
    const auto convert = dtype == DType::bf16 ? kernels->f32_to_bf16 : kernels->f32_to_f16;
    convert(static_cast<unsigned short*>(y), x, n);
  }
}

const QuantLoops& CpuDevice::quant_loops(DType dtype) const {
  const QuantKernels& quant = quant_kernels_of(isa);
  switch (dtype) {
    case DType::q8_0:
      return quant.q8_0;
    case DType::q4_0:
      return quant.q4_0;
    case DType::q4_k:
      return quant.q4_k;
    case DType::q6_k:
      return quant.q6_k;
    default:
      CHECK(dtype == DType::nf4);
      return quant.nf4;
  }
}

void CpuDevice::fetch(void* y, DType y_dtype, Tensor w, size_t row, size_t begin, size_t n) const {
  if (!is_quantized(w.dtype)) {
    CHECK(y_dtype == DType::f32);
    return widen(static_cast<float*>(y), element(w, row, begin), w.dtype, n);
  }
  const size_t block = block_elements(w.dtype);
  CHECK(begin % block == 0 && n % block == 0);
  const QuantLoops& loops = quant_loops(w.dtype);
  if (y_dtype == DType::f32)
    return loops.to_f32(static_cast<float*>(y), element(w, row), size_t(w.cols), begin, n);
  CHECK(y_dtype == DType::bf16);
  loops.to_bf16(static_cast<unsigned short*>(y), element(w, row), size_t(w.cols), begin, n);
}

}  // namespace chatmem
