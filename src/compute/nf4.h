// Weights in NF4: how rows of ours (compute/quant.h) are made of f32, and how they are exchanged
// with bitsandbytes, which stores a quantized weight X as six tensors:
//
//   X                                      u8 (elements / 2, 1): element 2i in the high nibble of
//                                          byte i; blocks of 64 run over the flattened weight
//   X.absmax                               u8, the code of each block's scale
//   X.quant_map, X.nested_quant_map        f32, the 16 values and the 256 of the codes
//   X.nested_absmax                        f32, the scale of each 256 codes
//   X.quant_state.bitsandbytes__nf4        u8, JSON: quant_type, blocksize, dtype, shape,
//                                          nested_blocksize, nested_dtype, nested_offset
//
// or, without double quantization, as four: X.absmax is f32, what is nested is absent.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compute/tensor.h"

namespace chatmem {

// Writes a row of a weight as f32. Called from several threads at once; must not throw.
using RowSource = std::function<void(float* to, int row)>;

// Quantizes a weight of the shape of `to`, which is of type nf4, reading each row once. Takes, for
// the time of the call, 4 bytes for each 64 elements and one row for each thread. A block of zeros
// stays one. Throws Error, which names `where`, when an element is no finite number.
void quantize_nf4(Tensor to, const RowSource& source, std::string_view where);

// What is nested is empty without double quantization.
struct BnbTensors {
  std::span<const std::byte> weight, absmax, quant_map, nested_absmax, nested_quant_map,
      quant_state;
};

struct BnbState {
  int rows = 0, cols = 0;
  std::string dtype;      // of the weight before it was quantized, as PyTorch calls it
  bool is_nested = true;  // double quantization
  float offset = 0;
};

// Throws Error, which names `where`, for anything but NF4 in blocks of 64 and rows of whole blocks.
BnbState parse_bnb_state(std::span<const std::byte> quant_state, std::string_view where);

// Fills `to`, of the shape that the state tells: of type nf4 with double quantization; without it
// bf16, the values that bitsandbytes computes with, as nf4 has no place for scales in f32. Throws
// Error, which names `where`, when a size or a value is wrong.
void read_bnb_nf4(Tensor to, const BnbTensors& from, std::string_view where);

struct BnbBytes {
  std::vector<std::byte> weight, absmax, quant_map, nested_absmax, nested_quant_map, quant_state;
};

// All six tensors of a weight of type nf4. dtype: BnbState::dtype.
BnbBytes write_bnb_nf4(Tensor from, std::string_view dtype);

}  // namespace chatmem
