// The inner loops of the CPU, as a table of functions. cpu_kernels.cpp is compiled once for each
// instruction set and exports one table each; cpu_isa.h chooses. The loops run on one thread and on
// f32; 16-bit rows are converted on the way in and out, through buffers that stay in the cache.
//
// This header is seen by objects built with different machine flags, so it must declare no inline
// function and include nothing that does: the linker keeps one copy of such a function, and it
// might be the one that the machine cannot run.
#pragma once
#include <stddef.h>

namespace chatmem {

// Keys of one attention tile: one page of the KV cache.
inline constexpr int kTileKeys = 32;

// c (m, n) (+)= a (m, k) b (k, n); a may have any strides, so that a transpose costs nothing.
struct Tile {
  float* c;
  size_t c_stride;
  const float* a;
  size_t a_row_stride, a_col_stride;
  const float* b;
  size_t b_stride;
  int m, n, k;
  bool accumulate;
};

// The constants of one AdamW step, as PyTorch groups them.
struct AdamwConstants {
  float grad_scale, beta1, beta2, decay;  // decay: 1 - lr * weight_decay
  float step_size, inv_sqrt_bias2, eps;   // step_size: lr / (1 - beta1^step)
};

// The constants of one row of Ops::dropout.
struct DropoutConstants {
  unsigned low, high, threshold;
  float scale;  // of what is kept
  bool accumulate;
};

struct CpuKernels {
  const char* name;
  int lanes;  // f32 in one register

  // -- conversion of n elements; 16-bit values are passed as their bits
  void (*bf16_to_f32)(float* y, const unsigned short* x, size_t n);
  void (*f16_to_f32)(float* y, const unsigned short* x, size_t n);
  void (*f32_to_bf16)(unsigned short* y, const float* x, size_t n);
  void (*f32_to_f16)(unsigned short* y, const float* x, size_t n);

  // -- y[r * n_x + t] = dot(w[r], x[t]) for `rows` rows of w and n_x of x
  void (*dot_rows_f32)(float* y, const float* x, int n_x, const float* w, int rows, size_t cols);
  void (*dot_rows_bf16)(float* y, const float* x, int n_x, const unsigned short* w, int rows,
                        size_t cols);
  void (*dot_rows_f16)(float* y, const float* x, int n_x, const unsigned short* w, int rows,
                       size_t cols);

  void (*tile_gemm)(const Tile& tile);
  // The same where each f32 of a and b is a pair of bf16 and k counts pairs: element (i, p) of a
  // has columns 2 p and 2 p + 1, element (p, j) of b these rows. n is a multiple of `lanes`. Null
  // without such products.
  void (*tile_gemm_pairs)(const Tile& tile);
  // As dot_rows_bf16, of pairs of bf16; null likewise.
  void (*dot_rows_pairs)(float* y, const unsigned short* x, int n_x, const unsigned short* w,
                         int rows, size_t cols);
  // Pairs of two rows of n elements, a multiple of `lanes`.
  void (*pair_rows)(float* pairs, const unsigned short* first, const unsigned short* second,
                    size_t n);

  // -- rows of n elements
  double (*sum_squares)(const float* x, size_t n);
  float (*dot)(const float* x, const float* y, size_t n);
  void (*add)(float* y, const float* x, size_t n);                  // y += x
  void (*scaled)(float* y, const float* x, float scale, size_t n);  // y = scale x
  void (*axpy)(float* y, const float* x, float scale, size_t n);    // y += scale x
  void (*normalize)(float* y, const float* x, const float* w, float inv_rms, bool round_bf16,
                    size_t n);  // y = x inv_rms w
  void (*normalize_backward)(float* dx, const float* dy, const float* x, const float* w,
                             float inv_rms, size_t n);  // dx += ...
  void (*multiply_add)(float* y, const float* a, const float* b, float scale,
                       size_t n);  // y += scale a b
  // y (+)= x scale, or 0 where the mixed column is below the threshold (see Ops::dropout).
  void (*dropout)(float* y, const float* x, const DropoutConstants& constants, size_t n);
  void (*rope_half)(float* x, const float* cos_sin, float sign, int head_dim, int n_heads);
  void (*rope_interleaved)(float* x, const float* cos_sin, float sign, int head_dim, int n_heads);
  void (*swiglu)(float* h, const float* gate, const float* up, size_t n);
  // dgate and dup may be gate and up.
  void (*swiglu_backward)(float* dgate, float* dup, const float* dh, const float* gate,
                          const float* up, size_t n);
  float (*max)(const float* x, size_t n);                        // n > 0
  double (*sum_exp)(const float* x, float max, size_t n);        // of exp(x - max)
  void (*softmax)(float* x, float max, float factor, size_t n);  // x = exp(x - max) factor
  void (*adamw)(float* w, const float* grad, float* m, float* v, const AdamwConstants& constants,
                size_t n);

  // -- attention; scores (keys, rows) transposed, rows a multiple of `lanes`
  // One step of the online softmax (Milakov, Gimelshein 2018): scores become exp(score - max),
  // max and sum are updated, correction is what earlier results must be multiplied by.
  void (*softmax_step)(float* scores, int keys, int rows, float* max, float* sum,
                       float* correction);
  // The same of scores times `scale`, whose results are rounded to bf16: pairs of keys, a row of
  // pairs for each two; the last has a zero where keys are odd.
  void (*softmax_step_pairs)(float* pairs, const float* scores, float scale, int keys, int rows,
                             float* max, float* sum, float* correction);
  void (*scale_rows)(float* x, const float* factors, int rows, int cols);
  // scores become p = exp(score - lse), dp becomes p (dp - delta).
  void (*softmax_backward)(float* scores, float* dp, int keys, int rows, const float* lse,
                           const float* delta);
};

const CpuKernels& kernels_portable();
const CpuKernels& kernels_avx2();
const CpuKernels& kernels_avx2_vnni();
const CpuKernels& kernels_avx512();
const CpuKernels& kernels_avx512_bf16();

}  // namespace chatmem
