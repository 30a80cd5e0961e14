// Everything a device must be able to do. The model is written once against this list; CpuOps and
// CudaOps implement it.
//
// Shapes: n tokens are n rows; W is (out, in). Activations (x, y, q, ...) are f32 or bf16, all
// tensors of one call alike unless a line says otherwise; sums are accumulated in f32. Weights may
// be f32, bf16 or f16 in every combination; those of matmul, matmul_dx, embed and copy also of any
// quantized type, whose rows hold whole blocks. Gradients of weights are f32; a quantized weight
// has none. Output tensors come first. "+=" marks what accumulates. An output may be the same
// tensor as an input of the same shape only where a line says so.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "compute/tensor.h"

namespace chatmem {

enum class Accumulate { no, yes };  // y = ..., or y += ...

struct AdamwStep {
  float lr = 0, beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f, weight_decay = 0;
  float grad_scale = 1;  // multiplies the gradient first (clipping)
  int step = 1;          // from 1, for the bias correction
};

// A tensor in 8 bits (Dettmers et al. 2022, as bitsandbytes does): value i of the flattened tensor
// is map[codes[i]] * scales[i / kMomentBlock], where scales hold the largest magnitude of each
// block. Memory of zeros stands for zeros.
inline constexpr size_t kMomentBlock = 256;
struct Moment8 {
  Tensor codes;   // u8, in the shape of the tensor
  Tensor scales;  // (1, blocks) f32
};
constexpr size_t moment_blocks(size_t n_values) {
  return (n_values + kMomentBlock - 1) / kMomentBlock;
}

class Ops {
 public:
  virtual ~Ops() = default;

  // -- memory
  virtual void* alloc(size_t bytes) = 0;  // zeroed, aligned to 64 bytes, freed with the Ops
  virtual void copy_in(Tensor dst, const void* host) = 0;  // dst.size_bytes() bytes
  virtual void copy_out(void* host, Tensor src) = 0;
  virtual void copy(Tensor dst,
                    Tensor src) = 0;  // same shape; converts any type of weight to f32 and bf16
  virtual void zero(Tensor x) = 0;

  // -- forward
  virtual void embed(Tensor x, Tensor table,
                     std::span<const int> tokens) = 0;  // table (vocab, dim)
  virtual void gather_rows(Tensor y, Tensor x, std::span<const int> rows) = 0;  // y[i] = x[rows[i]]
  // y = x / sqrt(mean(x^2) + eps) * w; w (1, dim) f32. y may be x, or bf16 where x is f32. Of an x
  // in bf16 the normalized x is rounded before it is multiplied by w, as Hugging Face does.
  virtual void rmsnorm(Tensor y, Tensor x, Tensor w, float eps) = 0;
  // y (+)= scale * x W^T; y (n, out), x (n, in), w (out, in). y may be f32 where x is bf16.
  virtual void matmul(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) = 0;
  // cos_sin (n, head_dim) f32: cosines of position * inv_freq, then sines; inv_freq (1, head_dim /
  // 2) f32.
  virtual void rope_table(Tensor cos_sin, std::span<const Run> runs, Tensor inv_freq) = 0;
  // Rotates every head of every row in place; sign +1 forward, -1 backward.
  virtual void rope(Tensor x, Tensor cos_sin, int head_dim, RopeLayout layout, int sign) = 0;
  // (n, kv_dim) to the pool, which may be f32, bf16, f16 or q8_0 (kv_dim a multiple of 32) whatever
  // the activations are, here and in attention.
  virtual void kv_store(Tensor k, Tensor v, std::span<const Run> runs, int kv_layer) = 0;
  // out[t] = softmax(q[t] K^T / sqrt(head_dim)) V over positions 0 ... pos of t, by head; grouped
  // queries. q and out (n, q_dim), may be the same tensor. lse (n, n_heads) f32 receives
  // log(sum(exp(scores))); may be empty.
  virtual void attention(Tensor out, Tensor lse, Tensor q, std::span<const Run> runs,
                         Heads heads) = 0;
  virtual void swiglu(Tensor h, Tensor gate,
                      Tensor up) = 0;        // h = gate * sigmoid(gate) * up; h may be gate or up
  virtual void add(Tensor y, Tensor x) = 0;  // y += x

  // -- adapters
  // y (+)= mask * x / (1 - p): dropout (Srivastava et al. 2014). The mask is a function of the key
  // and the place alone, so that backward meets the same: element (i, j) is dropped where
  // (mix(j + low(k)) ^ high(k)) < p 2^32, k being Random(key + i).next() and mix a 32-bit mixer
  // (compute/cpu_kernels.cpp). 0 <= p < 1; y may be x unless accumulated.
  virtual void dropout(Tensor y, Tensor x, float p, uint64_t key, Accumulate accumulate) = 0;
  // y (+)= x * factor; factor (1, cols) f32, one for each column. y may be x unless accumulated.
  virtual void scale_columns(Tensor y, Tensor x, Tensor factor, Accumulate accumulate) = 0;
  // DoRA (Liu et al. 2024): norm[o] = |w[o] + scale (b a)[o]|, factor = magnitude / norm. All of
  // (1, out) f32; a (rank, in), b (out, rank).
  virtual void dora_factor(Tensor factor, Tensor norm, Tensor magnitude, Tensor w, Tensor a,
                           Tensor b, float scale) = 0;
  // dmagnitude[c] += sum over rows of dy[c] x[c] / norm[c]; dmagnitude (1, cols) f32.
  virtual void dora_backward(Tensor dmagnitude, Tensor dy, Tensor x, Tensor norm) = 0;

  // -- loss and backward
  // logits (n, vocab) f32. Returns the sum over rows of -log softmax(logits)[target]; logits
  // becomes scale * (softmax(logits) - onehot(target)). A target of -1 gives loss 0 and gradient 0.
  virtual double cross_entropy(Tensor logits, std::span<const int> targets, float scale) = 0;
  // log softmax(logits)[target] of each row; logits is left as it is. A target of -1 gives 0.
  virtual void target_logprobs(std::span<float> out, Tensor logits,
                               std::span<const int> targets) = 0;
  virtual void embed_backward(Tensor dtable, Tensor dx,
                              std::span<const int> tokens) = 0;  // dtable f32 +=
  virtual void scatter_rows(Tensor dx, Tensor dy,
                            std::span<const int> rows) = 0;  // dx[rows[i]] += dy[i], rows distinct
  // dx += gradient; dw (1, dim) f32 += gradient, unless empty.
  virtual void rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, float eps) = 0;
  // dx (+)= scale * dy W; dx (n, in), dy (n, out), w (out, in). dy may be f32 where dx is bf16.
  virtual void matmul_dx(Tensor dx, Tensor dy, Tensor w, float scale, Accumulate accumulate) = 0;
  // dw += scale * dy^T x; dw (out, in) f32, dy (n, out), x (n, in). dy may be f32 where x is bf16.
  virtual void matmul_dw(Tensor dw, Tensor dy, Tensor x, float scale) = 0;
  // dq (n, q_dim) = ...; dk, dv (batch rows, kv_dim) += at the rows Run::kv_row + position. out and
  // lse are attention's results, dout (n, q_dim) the gradient of out. dq may be dout.
  virtual void attention_backward(Tensor dq, Tensor dk, Tensor dv, Tensor dout, Tensor out,
                                  Tensor lse, Tensor q, std::span<const Run> runs, Heads heads) = 0;
  // dgate may be gate, dup may be up.
  virtual void swiglu_backward(Tensor dgate, Tensor dup, Tensor dh, Tensor gate, Tensor up) = 0;

  // -- optimizer
  virtual double sum_squares(Tensor x) = 0;  // f32; the same bits for the same input
  // Loshchilov, Hutter 2019 (AdamW as in PyTorch). All f32 and of one shape; `w` is the value that
  // is updated, `copy` (f32, bf16 or empty) receives w for use in matmul.
  virtual void adamw(Tensor w, Tensor copy, Tensor grad, Tensor m, Tensor v,
                     const AdamwStep& step) = 0;
  // The same step with moments that are kept in 8 bits: m by kSignedMap, v by kUnsignedMap of
  // compute/dynamic_map.h. Both are widened, updated in f32 and used so for w, then stored as the
  // nearest codes (of two as near the lower) of value / scale, with the new scales of their blocks.
  // But a v above 0 has at least code 1, other than in bitsandbytes: by the code of 0 an m could be
  // divided by next to nothing.
  virtual void adamw_8bit(Tensor w, Tensor copy, Tensor grad, Moment8 m, Moment8 v,
                          const AdamwStep& step) = 0;

  // Bytes held by alloc and by scratch memory.
  virtual size_t allocated_bytes() const = 0;
  // Bytes that the device has for this process in all, used or not; 0 where it cannot tell.
  virtual size_t memory_bytes() const = 0;
};

struct CpuOptions {
  int n_threads = 0;  // 0: as many as the process may use
};

std::unique_ptr<Ops> make_cpu_ops(CpuOptions options = {});
// nullptr when built without CUDA or no device is present.
std::unique_ptr<Ops> make_cuda_ops();

// Allocates a matrix on the device.
inline Tensor make_tensor(Ops& ops, int rows, int cols, DType dtype) {
  const Tensor shape{nullptr, rows, cols, dtype};
  return {ops.alloc(shape.size_bytes()), rows, cols, dtype};
}

}  // namespace chatmem
