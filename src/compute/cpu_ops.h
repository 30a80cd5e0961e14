// The choices behind make_cpu_ops, for tests and benchmarks.
#pragma once
#include "compute/cpu_device.h"

namespace chatmem {

enum class GemmBackend : uint8_t { best, plain };  // best: oneDNN where it was found

struct CpuSetup {
  int n_threads = 0;  // 0: as many as the process may use
  Isa isa = Isa::portable;
  GemmBackend gemm = GemmBackend::best;
};

std::unique_ptr<Ops> make_cpu_ops_with(CpuSetup setup);

}  // namespace chatmem
