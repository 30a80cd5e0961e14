// QLoRA's base (Dettmers et al. 2023): frozen weights in 4 bits.
#pragma once
#include "model/llama.h"

namespace chatmem {

// Puts NF4 in the place of every projection's weight, in fresh memory of the Ops; embedding, norms
// and lm_head stay. Throws Error for a weight whose rows are no multiple of 64, or that is
// quantized already, by its name.
void quantize_to_nf4(Ops& ops, Llama& model);

// What a model_shape becomes by it.
void mark_as_nf4(Llama& shape);

}  // namespace chatmem
