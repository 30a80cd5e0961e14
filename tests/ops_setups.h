// The devices that the operations of the CPU are tested on.
#pragma once
#include <string>
#include <vector>

#include "compute/cpu_ops.h"

namespace chatmem {

struct OpsSetup {
  Isa isa;
  GemmBackend gemm;
  DType dtype;  // of activations
};

inline std::string name_of(const OpsSetup& setup) {
  return std::string(kernels_of(setup.isa).name) +
         (setup.gemm == GemmBackend::plain ? "_plain_" : "_best_") +
         std::string(dtype_name(setup.dtype));
}

// All instruction sets up to the chosen one, by the plain product; oneDNN for the chosen one, since
// its limit holds for the whole process (CTest runs the program once for each).
inline std::vector<OpsSetup> all_ops_setups() {
  std::vector<OpsSetup> setups;
  const Isa chosen = choose_isa();
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Isa isa : machine_isas())
      if (isa <= chosen) setups.push_back({isa, GemmBackend::plain, dtype});
    setups.push_back({chosen, GemmBackend::best, dtype});
  }
  return setups;
}

}  // namespace chatmem
