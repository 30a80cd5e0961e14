// The build without CUDA.
#include "compute/ops.h"

namespace chatmem {

std::unique_ptr<Ops> make_cuda_ops() { return nullptr; }

}  // namespace chatmem
