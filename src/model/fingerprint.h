// Numbers that tell models and adapters apart: hashes of their shapes and of some of their weights,
// read in a moment. For caches of what models compute.
#pragma once
#include <cstdint>

#include "model/llama.h"

namespace chatmem {

// Of the configuration and eight rows of every weight.
uint64_t fingerprint_of(Ops& ops, const Llama& model);
uint64_t fingerprint_of(Ops& ops, const Adapter& adapter);

}  // namespace chatmem
