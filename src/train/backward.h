// Loss and gradients of a batch. backward.cpp walks model/llama.cpp line by line in reverse.
#pragma once
#include <span>

#include "model/llama.h"

namespace chatmem {

// Where gradients are added (+=), all f32; a null pointer is frozen. LoRA needs no gradient of the
// weights, full training has no adapter.
struct Gradients {
  Adapter* adapter = nullptr;
  Llama* weights = nullptr;
};

// The buffers of one backward pass.
struct BackwardSpace {
  Tensor dx;          // (n, dim) gradient of the residual stream
  BlockActs d;        // gradients of BlockActs; gate and up take the place of their activations
  Tensor dlow;        // (n, rank)
  Tensor ddirection;  // (n, largest output) DoRA
  Tensor logits;      // (chunk, vocab_size) f32: the logits matrix is never whole
};
struct BackwardShape {
  AdapterShape adapter;
  int logit_rows = 128;  // rows of a chunk
};
BackwardSpace make_backward_space(Ops& ops, const Config& config, const Workspace& ws,
                                  const BackwardShape& shape);

// Runs forward and backward over the batch. targets[i] is the token that row batch.out_rows[i]
// should predict. Returns the sum of the targets' negative log-likelihoods; gradients are those of
// `scale` times the sum. With an adapter every run must use it (Run::adapter = 0).
double loss_and_backward(Ops& ops, const Llama& model, const Batch& batch,
                         std::span<const int> targets, float scale, Workspace& ws, Tape& tape,
                         BackwardSpace& space, const Gradients& gradients);

// The sum of negative log-likelihoods alone, with the same chunks and without a tape.
double loss_only(Ops& ops, const Llama& model, const Batch& batch, std::span<const int> targets,
                 Workspace& ws, Tensor logits);

}  // namespace chatmem
