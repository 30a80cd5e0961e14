// Which tensors are trained: their gradients have the shape of what they belong to.
#pragma once
#include "model/checkpoint.h"
#include "model/lora.h"
#include "train/optimizer.h"

namespace chatmem {

// Makes every tensor of the adapter trainable; returns their gradients.
Adapter make_trainable(Optimizer& optimizer, Adapter& adapter);
// The same of all weights; norms do not decay.
Llama make_trainable(Optimizer& optimizer, Llama& model);

}  // namespace chatmem
