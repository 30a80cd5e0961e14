// The quantized types of weights, as they lie in memory. A row is a sequence of blocks; f16 values
// and bytes have no alignment. The first four are ggml's, bit for bit (llama.cpp, ggml-common.h):
//
//   q8_0   34 bytes for 32:   f16 d; i8 q[32]                              x = d q
//   q4_0   18 bytes for 32:   f16 d; u8 q[16]: byte j has element j in its low nibble and j + 16
//                             in its high one                              x = d (q - 8)
//   q4_k   144 bytes for 256: f16 d, dmin; u8 scales[12]; u8 q[128]: 32 bytes for every 64
//   elements,
//                             as in q4_0                                   x = d s q - dmin m
//                             s and m have 6 bits for each 32: of the first four in scales[j] and
//                             scales[j + 4]; of the last four low bits in the nibbles of
//                             scales[j + 4], high bits on top of scales[j - 4] and scales[j]
//   q6_k   210 bytes for 256: u8 low[128], high[64]; i8 s[16]; f16 d       x = d s (q - 32)
//                             of every 128: low nibbles of elements 0 ... 63, then of 64 ... 127,
//                             in 64 bytes; 2 bits of l, l + 32, l + 64, l + 96 in byte l of high
//
// nf4 is bitsandbytes' (Dettmers et al. 2023, QLoRA) with its double quantization, laid out in rows
// of our own, so that a row can be read alone:
//
//   u8 q[cols / 2]            of every 64 elements: byte j has element j in its low nibble and
//                             j + 32 in its high one             x = kNf4Values[q] absmax
//   u8 code[cols / 64]        of each 64, then zeros up to 4 bytes
//   f32 offset; u32 position  block b of the row is block position + b of the nested block of 256
//   f32 scale[...]            of the nested blocks that the row touches
//                             absmax = kNf4Codes[code] scale[(position + b) / 256] + offset
//   zeros up to a multiple of 16 bytes
#pragma once
#include <cstddef>

#include "base/dtype.h"

namespace chatmem {

// The largest magnitude that quantize_row takes: f16's, as scales are f16.
inline constexpr float kMaxQuantized = 65504;

// A row of `cols` elements, a multiple of block_elements; every quantized type. The obvious
// version, which the kernels of the CPU are compared with: same bits.
void dequantize_row(float* to, const void* row, int cols, DType dtype);
void dequantize_row(bf16* to, const void* row, int cols, DType dtype);

// The bytes that llama.cpp writes without an importance matrix; q8_0, q4_0, q4_k and q6_k. Returns
// false when an element is no number or larger than kMaxQuantized; what is in `row` is of no use
// then. By the instruction set that choose_isa names: throws Error where that does.
[[nodiscard]] bool quantize_row(void* row, const float* from, int cols, DType dtype);

// Where the parts of a row of nf4 lie, in bytes from its beginning.
struct Nf4Layout {
  explicit Nf4Layout(size_t cols)
      : n_blocks(cols / 64),
        codes(cols / 2),
        offset(codes + (n_blocks + 3) / 4 * 4),
        position(offset + 4),
        scales(position + 4) {}
  size_t n_blocks, codes, offset, position, scales;
};

}  // namespace chatmem
