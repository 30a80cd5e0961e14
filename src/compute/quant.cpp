// Rows of quantized types: the obvious reader, and the writer that follows llama.cpp's operation by
// operation, so that files have the same bytes. Compiled without contraction of products and sums.
#include "compute/quant.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "compute/cpu_device.h"
#include "compute/quant_kernels.h"

namespace chatmem {
namespace {

float load_f16(const uint8_t* p) {
  f16 x;
  std::memcpy(&x, p, sizeof x);
  return to_f32(x);
}

// Returns what was stored, as f32.
float store_f16(uint8_t* p, float x) {
  const f16 half = to_f16(x);
  std::memcpy(p, &half, sizeof half);
  return to_f32(half);
}

void read_q8_0(float* x, const uint8_t* block) {
  const float d = load_f16(block);
  for (int i = 0; i < 32; i++) x[i] = float(int8_t(block[2 + i])) * d;
}

void read_q4_0(float* x, const uint8_t* block) {
  const float d = load_f16(block);
  for (int i = 0; i < 16; i++) {
    x[i] = float((block[2 + i] & 15) - 8) * d;
    x[i + 16] = float((block[2 + i] >> 4) - 8) * d;
  }
}

// The 6-bit scale and min of 32 elements, j in 0 ... 7.
int q4_k_scale(const uint8_t* packed, int j) {
  return j < 4 ? packed[j] & 63 : (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
}
int q4_k_min(const uint8_t* packed, int j) {
  return j < 4 ? packed[j + 4] & 63 : packed[j + 4] >> 4 | packed[j] >> 6 << 4;
}
void store_q4_k_scale(uint8_t* packed, int j, int scale, int min) {
  if (j < 4) {
    packed[j] = uint8_t(scale);
    packed[j + 4] = uint8_t(min);
  } else {
    packed[j + 4] = uint8_t((scale & 15) | (min & 15) << 4);
    packed[j - 4] |= uint8_t(scale >> 4 << 6);
    packed[j] |= uint8_t(min >> 4 << 6);
  }
}

void read_q4_k(float* x, const uint8_t* block) {
  const float d = load_f16(block), dmin = load_f16(block + 2);
  for (int i = 0; i < 256; i++) {
    const int j = i / 32, byte = block[16 + i / 64 * 32 + i % 32];
    const float scale = d * float(q4_k_scale(block + 4, j));
    const float min = dmin * float(q4_k_min(block + 4, j));
    x[i] = scale * float(j % 2 ? byte >> 4 : byte & 15) - min;
  }
}

void read_q6_k(float* x, const uint8_t* block) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  const float d = load_f16(block + 208);
  for (int i = 0; i < 256; i++) {
    const int half = i / 128, l = i % 128, byte = low[half * 64 + l % 64];
    const int q = (l < 64 ? byte & 15 : byte >> 4) | (high[half * 32 + l % 32] >> (l / 32 * 2) & 3)
                                                         << 4;
    x[i] = d * float(int8_t(scales[i / 16])) * float(q - 32);
  }
}

void read_nf4(float* x, const uint8_t* row, size_t cols) {
  const Nf4Layout at(cols);
  float offset, scale;
  uint32_t position;
  std::memcpy(&offset, row + at.offset, sizeof offset);
  std::memcpy(&position, row + at.position, sizeof position);
  for (size_t b = 0; b < at.n_blocks; b++) {
    std::memcpy(&scale, row + at.scales + (position + b) / 256 * 4, sizeof scale);
    const float absmax = kNf4Codes[row[at.codes + b]] * scale + offset;
    for (size_t j = 0; j < 32; j++) {
      const int byte = row[b * 32 + j];
      x[b * 64 + j] = kNf4Values[byte & 15] * absmax;
      x[b * 64 + j + 32] = kNf4Values[byte >> 4] * absmax;
    }
  }
}

// Towards zero into the 8 bits of x86's conversion, by which a product of tiny numbers that is
// infinite becomes 0.
int to_byte(float x) { return std::fabs(x) < 128 ? int(x) : 0; }

void write_q8_0(uint8_t* block, const float* x) {
  float largest = 0;
  for (int i = 0; i < 32; i++) largest = std::max(largest, std::fabs(x[i]));
  const float d = largest / 127, inverse = d != 0 ? 1 / d : 0;
  store_f16(block, d);
  for (int i = 0; i < 32; i++) block[2 + i] = uint8_t(to_byte(std::round(x[i] * inverse)));
}

void write_q4_0(uint8_t* block, const float* x) {
  float largest = 0;  // with its sign
  for (int i = 0; i < 32; i++)
    if (std::fabs(largest) < std::fabs(x[i])) largest = x[i];
  const float d = largest / -8, inverse = d != 0 ? 1 / d : 0;
  store_f16(block, d);
  const auto level = [&](int i) { return std::min(15, to_byte(x[i] * inverse + 8.5f)); };
  for (int i = 0; i < 16; i++) block[2 + i] = uint8_t(level(i) | level(i + 16) << 4);
}

// Round to nearest, ties to even, by addition; the low 23 bits count from 2^22.
int nearest_int(float x) {
  const float shifted = x + 12582912.0f;
  return int(std::bit_cast<uint32_t>(shifted) & 0x7FFFFF) - 0x400000;
}

void write_q4_k(uint8_t* block, const float* x, const QuantKernels& kernels) {
  float scales[8], mins[8];
  uint8_t levels[256];
  kernels.search_q4_k(scales, mins, levels, x, 8);
  const float max_scale = std::max(0.0f, *std::max_element(scales, scales + 8));
  const float max_min = std::max(0.0f, *std::max_element(mins, mins + 8));
  const float inverse_scale = max_scale > 0 ? 63 / max_scale : 0;
  const float inverse_min = max_min > 0 ? 63 / max_min : 0;
  uint8_t* packed = block + 4;
  for (int j = 0; j < 8; j++)  // a negative one counts as large, as in llama.cpp
    store_q4_k_scale(packed, j, std::min<int>(63, uint8_t(nearest_int(inverse_scale * scales[j]))),
                     std::min<int>(63, uint8_t(nearest_int(inverse_min * mins[j]))));
  const float d = store_f16(block, max_scale / 63), dmin = store_f16(block + 2, max_min / 63);
  for (int i = 0; i < 256; i++) {  // again, with the scales as they were stored
    const float scale = d * float(q4_k_scale(packed, i / 32));
    if (scale == 0) continue;
    const float min = dmin * float(q4_k_min(packed, i / 32));
    levels[i] = uint8_t(std::clamp(nearest_int((x[i] + min) / scale), 0, 15));
  }
  for (int i = 0; i < 128; i++) {
    const uint8_t* pair = levels + i / 32 * 64 + i % 32;
    block[16 + i] = uint8_t(pair[0] | pair[32] << 4);
  }
}

void write_q6_k(uint8_t* block, const float* x, const QuantKernels& kernels) {
  float scales[16], largest = 0;  // with its sign
  uint8_t levels[256];
  kernels.search_q6_k(scales, levels, x, 16);
  for (const float scale : scales)
    if (std::fabs(largest) < std::fabs(scale)) largest = scale;
  if (std::fabs(largest) < 1e-15f) {  // llama.cpp's limit
    std::memset(block, 0, 210);
    return;
  }
  const float inverse = -128 / largest;
  const float d = store_f16(block + 208, 1 / inverse);
  for (int j = 0; j < 16; j++)
    block[192 + j] = uint8_t(std::min(127, nearest_int(inverse * scales[j])));
  for (int i = 0; i < 256; i++) {  // again, with the scales as they were stored
    const float scale = d * float(int8_t(block[192 + i / 16]));
    if (scale != 0) levels[i] = uint8_t(std::clamp(nearest_int(x[i] / scale), -32, 31) + 32);
  }
  for (int half = 0; half < 2; half++)
    for (int l = 0; l < 64; l++) {
      const uint8_t* q = levels + half * 128 + l;
      block[half * 64 + l] = uint8_t((q[0] & 15) | (q[64] & 15) << 4);
      if (l < 32)
        block[128 + half * 32 + l] =
            uint8_t(q[0] >> 4 | q[32] >> 4 << 2 | q[64] >> 4 << 4 | q[96] >> 4 << 6);
    }
}

}  // namespace

void dequantize_row(float* to, const void* row, int cols, DType dtype) {
  CHECK(is_quantized(dtype) && cols >= 0 && size_t(cols) % block_elements(dtype) == 0);
  const auto* p = static_cast<const uint8_t*>(row);
  if (dtype == DType::nf4) return read_nf4(to, p, size_t(cols));
  const size_t elements = block_elements(dtype), bytes = row_bytes(dtype, elements);
  const auto read = dtype == DType::q8_0   ? read_q8_0
                    : dtype == DType::q4_0 ? read_q4_0
                    : dtype == DType::q4_k ? read_q4_k
                                           : read_q6_k;
  for (size_t i = 0; i < size_t(cols); i += elements, p += bytes) read(to + i, p);
}

void dequantize_row(bf16* to, const void* row, int cols, DType dtype) {
  std::vector<float> wide(static_cast<size_t>(cols));
  dequantize_row(wide.data(), row, cols, dtype);
  std::transform(wide.begin(), wide.end(), to, [](float x) { return to_bf16(x); });
}

bool quantize_row(void* row, const float* from, int cols, DType dtype) {
  static const QuantKernels& kernels = quant_kernels_of(choose_isa());
  CHECK(is_quantized(dtype) && dtype != DType::nf4);
  CHECK(cols >= 0 && size_t(cols) % block_elements(dtype) == 0);
  const auto fits = [](float x) { return std::fabs(x) <= kMaxQuantized; };  // false for NaN
  if (!std::all_of(from, from + cols, fits)) return false;
  auto* p = static_cast<uint8_t*>(row);
  const size_t elements = block_elements(dtype), bytes = row_bytes(dtype, elements);
  for (size_t i = 0; i < size_t(cols); i += elements, p += bytes) {
    if (dtype == DType::q8_0) write_q8_0(p, from + i);
    if (dtype == DType::q4_0) write_q4_0(p, from + i);
    if (dtype == DType::q4_k) write_q4_k(p, from + i, kernels);
    if (dtype == DType::q6_k) write_q6_k(p, from + i, kernels);
  }
  return true;
}

}  // namespace chatmem
