// Element types of tensors, on disk and in memory, and the 16-bit conversions. Quantized types come
// in rows of blocks (ggml's, and rows of our own for bitsandbytes' NF4): compute/quant.h reads and
// writes them.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace chatmem {

enum class DType : uint8_t { f32, bf16, f16, i32, i64, u8, q8_0, q4_0, q4_k, q6_k, nf4 };

// Of one element; 0 for quantized types.
constexpr size_t dtype_bytes(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::bf16:
    case DType::f16:
      return 2;
    case DType::i64:
      return 8;
    case DType::u8:
      return 1;
    default:
      return 0;
  }
}

constexpr bool is_quantized(DType dtype) { return dtype_bytes(dtype) == 0; }

// Elements that are stored as one piece: a row holds a multiple of it. 1 where not quantized.
constexpr size_t block_elements(DType dtype) {
  switch (dtype) {
    case DType::q8_0:
    case DType::q4_0:
      return 32;
    case DType::q4_k:
    case DType::q6_k:
      return 256;
    case DType::nf4:
      return 64;
    default:
      return 1;
  }
}

// Bytes of a row of `cols` elements, a multiple of block_elements.
constexpr size_t row_bytes(DType dtype, size_t cols) {
  switch (dtype) {
    case DType::q8_0:
      return cols / 32 * 34;
    case DType::q4_0:
      return cols / 32 * 18;
    case DType::q4_k:
      return cols / 256 * 144;
    case DType::q6_k:
      return cols / 256 * 210;
    case DType::nf4:  // nibbles, codes of scales to a whole word, two words, scales; whole 16 bytes
      return (cols / 2 + (cols / 64 + 3) / 4 * 4 + 8 + 4 * (cols / 64 / 256 + 2) + 15) / 16 * 16;
    default:
      return cols * dtype_bytes(dtype);
  }
}

constexpr std::string_view dtype_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    case DType::f16:
      return "f16";
    case DType::i32:
      return "i32";
    case DType::i64:
      return "i64";
    case DType::u8:
      return "u8";
    case DType::q8_0:
      return "q8_0";
    case DType::q4_0:
      return "q4_0";
    case DType::q4_k:
      return "q4_k";
    case DType::q6_k:
      return "q6_k";
    case DType::nf4:
      return "nf4";
  }
  return "";
}

// The upper half of an f32.
using bf16 = struct Bf16 { uint16_t bits; };
using f16 = struct F16 { uint16_t bits; };

inline float to_f32(float x) { return x; }
inline float to_f32(bf16 x) { return std::bit_cast<float>(uint32_t(x.bits) << 16); }
inline bf16 to_bf16(float x) {  // round to nearest, ties to even; a NaN stays a NaN
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return {uint16_t(bits >> 16 | 0x40)};
  return {uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}
inline float to_f32(f16 x) {
  const uint32_t sign = uint32_t(x.bits & 0x8000) << 16, exponent = x.bits >> 10 & 0x1F,
                 mantissa = x.bits & 0x3FF;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000 | mantissa << 13);
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24
    const float value = float(mantissa) * 0x1.0p-24f;
    return sign ? -value : value;
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

inline f16 to_f16(float x) {  // round to nearest, ties to even; too large becomes infinite
  const uint32_t bits = std::bit_cast<uint32_t>(x), sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return {uint16_t(sign | 0x7E00)};   // NaN
  if (magnitude >= 0x477FF000) return {uint16_t(sign | 0x7C00)};  // 65520 and more
  if (magnitude < 0x38800000) {  // below 2^-14: adding 1/2 rounds to a multiple of 2^-24
    const uint32_t sum = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f);
    return {uint16_t(sign | (sum - 0x3F000000))};
  }
  return {uint16_t(sign | ((magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13))};
}

}  // namespace chatmem
