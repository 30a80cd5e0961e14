// The inner loops of quantized rows (compute/quant.h has the formats), as a table of functions that
// is compiled once for each instruction set like that of cpu_kernels.h, under the same rule: no
// inline function here. Results have the same bits in all of them, but for dot_rows.
#pragma once
#include <stddef.h>

namespace chatmem {

// bitsandbytes' tables: the 16 values of nf4, and the 256 of the map of its 8-bit scales.
extern const float kNf4Values[16];
extern const float* const kNf4Codes;

// Rows of activations as integers that what multiplies them by a type of weight defines:
//   x = scale * value.
// By 16 bits of magnitude up to 16383 with one scale for 256, so that less is lost than by rounding
// to bf16; 32 products with levels up to 32 and scales up to 128 fit 32 bits. Or, where products of
// bytes are all that is fast, by 8 bits with a scale for four.
// Row t begins at element t * stride, a multiple of 256; what lies behind its columns is zero.
struct IntegerRows {
  unsigned char* values;
  float* scales;  // for every QuantLoops::per_scale places
  float* sums;    // of groups of 32, or of 16, as the weights' mins need
  size_t stride;
};

// Of one type; cols, begin and n are multiples of its block.
struct QuantLoops {
  // Elements [begin, begin + n) of a row of `cols`, in f32 or rounded to bf16.
  void (*to_f32)(float* y, const void* row, size_t cols, size_t begin, size_t n);
  void (*to_bf16)(unsigned short* y, const void* row, size_t cols, size_t begin, size_t n);
  // y[r * n_x + t] = dot(w[r], x[t]) for rows of w that are row_bytes apart, n_x in 1 ... 4.
  void (*dot_rows)(float* y, const float* x, int n_x, const void* w, size_t row_bytes, int rows,
                   size_t cols);

  // What follows is null where the instruction set has no products of integers, and for nf4.
  // 256 elements from element `at` of `to` on. With a NaN or an infinity among them their scale is
  // none; where all are below 1e-30 they become zero.
  void (*to_integers)(const IntegerRows& to, size_t at, const float* x) = nullptr;
  // As dot_rows for n_x rows of integers from `row` on, of any number.
  void (*dot_integers)(float* y, const IntegerRows& x, int row, int n_x, const void* w,
                       size_t row_bytes, int rows) = nullptr;
  int integer_bytes = 0;                 // of one
  int per_scale = 0;                     // places
  const unsigned char* order = nullptr;  // the element at each of 256 places
};

struct QuantKernels {
  QuantLoops q8_0, q4_0, q4_k, q6_k, nf4;

  // n elements, a multiple of 32, as quantize_row writes them; of any size: beyond f16's largest
  // number times 127 they become infinite, a NaN becomes 0.
  void (*write_q8_0)(void* row, const float* x, size_t n);

  // The search of llama.cpp for the scales of groups of 32 (q4_k: x = scale level - min) and of 16
  // (q6_k: x = scale (level - 32)), and the levels that belong to them.
  void (*search_q4_k)(float* scales, float* mins, unsigned char* levels, const float* x,
                      size_t n_groups);
  void (*search_q6_k)(float* scales, unsigned char* levels, const float* x, size_t n_groups);
};

const QuantKernels& quant_kernels_portable();
const QuantKernels& quant_kernels_avx2();
const QuantKernels& quant_kernels_avx2_vnni();
const QuantKernels& quant_kernels_avx512();
const QuantKernels& quant_kernels_avx512_bf16();

}  // namespace chatmem
