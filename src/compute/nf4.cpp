// NF4 by the tables and thresholds of bitsandbytes. Compiled without contraction of products and
// sums.
#include "compute/nf4.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cmath>

#include "base/json.h"
#include "compute/dynamic_map.h"
#include "compute/quant.h"
#include "compute/quant_kernels.h"

namespace chatmem {
namespace {

constexpr size_t kBlock = 64, kNested = 256;
constexpr int kZeroLevel = 7;

// A scaled element above the i-th threshold has a level above i.
constexpr float kThresholds[15] = {
    -0.8480964004993439f,  -0.6106329262256622f,  -0.4599952697753906f,   -0.33967943489551544f,
    -0.23460740596055984f, -0.13791173323988914f, -0.045525018125772476f, 0.03979014977812767f,
    0.1202552504837513f,   0.2035212516784668f,   0.2920137718319893f,    0.3893125355243683f,
    0.5016634166240692f,   0.6427869200706482f,   0.8614784178118011f};

uint8_t nearest_code(float x) {
  static const NearestCode kNearest(kSignedMap);
  return kNearest(x);
}

uint8_t* row_of(Tensor t, int row) { return static_cast<uint8_t*>(t.slice(row, 1).data); }

template <typename T>
T load(const void* p) {
  T x;
  std::memcpy(&x, p, sizeof x);
  return x;
}

// Levels of a block, in the order of the elements, to its 32 bytes of a row.
void store_levels(uint8_t* q, const uint8_t* levels) {
  for (size_t j = 0; j < kBlock / 2; j++) q[j] = uint8_t(levels[j] | levels[j + kBlock / 2] << 4);
}

// Returns the largest magnitude; no finite number when there is one among x that is not.
float quantize_block(uint8_t* q, const float* x) {
  float largest = 0, sum = 0;
  for (size_t j = 0; j < kBlock; j++) {
    largest = std::max(largest, std::fabs(x[j]));
    sum += x[j] * 0;  // NaN for infinity and NaN
  }
  if (sum != 0) return sum;
  uint8_t levels[kBlock];
  const float inverse = 1 / largest;
  if (std::isfinite(inverse)) {
    std::fill_n(levels, kBlock, uint8_t(0));
    for (const float threshold : kThresholds)
      for (size_t j = 0; j < kBlock; j++) levels[j] += uint8_t(x[j] * inverse > threshold);
  } else {
    std::fill_n(levels, kBlock, uint8_t(kZeroLevel));
  }
  store_levels(q, levels);
  return largest;
}

// The scales of a weight as bitsandbytes groups them: over the flattened weight.
struct Scales {
  float offset = 0;
  std::vector<float> nested;   // of each 256 blocks
  std::vector<uint8_t> codes;  // of each block
};

// Double quantization. The mean is exact to f32, whatever the number of threads.
Scales quantize_scales(const std::vector<float>& absmax) {
  Scales scales;
  double sum = 0;
  for (const float x : absmax) sum += double(x);
  scales.offset = float(sum / double(absmax.size()));
  scales.nested.resize((absmax.size() + kNested - 1) / kNested);
  scales.codes.resize(absmax.size());
#pragma omp parallel for schedule(static)
  for (size_t n = 0; n < scales.nested.size(); n++) {
    const size_t begin = n * kNested, end = std::min(begin + kNested, absmax.size());
    float largest = 0;
    for (size_t b = begin; b < end; b++)
      largest = std::max(largest, std::fabs(absmax[b] - scales.offset));
    const float inverse = 1 / largest;
    for (size_t b = begin; b < end; b++) {
      const float x = std::isfinite(inverse) ? (absmax[b] - scales.offset) * inverse : 0;
      scales.codes[b] = nearest_code(x);
    }
    scales.nested[n] = largest;
  }
  return scales;
}

// All of a row but its nibbles.
void store_row_scales(Tensor to, int row, const Scales& scales) {
  const Nf4Layout at(size_t(to.cols));
  uint8_t* p = row_of(to, row);
  const size_t first = size_t(row) * at.n_blocks, end = first + at.n_blocks;
  std::fill(p + at.codes, p + row_bytes(to.dtype, size_t(to.cols)), uint8_t(0));
  std::copy_n(scales.codes.begin() + std::ptrdiff_t(first), at.n_blocks, p + at.codes);
  const uint32_t position = uint32_t(first % kNested);
  std::memcpy(p + at.offset, &scales.offset, sizeof scales.offset);
  std::memcpy(p + at.position, &position, sizeof position);
  const size_t first_nested = first / kNested, n = (end - 1) / kNested + 1 - first_nested;
  std::memcpy(p + at.scales, &scales.nested[first_nested], n * sizeof(float));
}

void check_target(Tensor to) {
  CHECK(to.dtype == DType::nf4 && to.rows > 0 && to.cols > 0 && size_t(to.cols) % kBlock == 0);
}

template <typename... Args>
[[noreturn]] void fail(std::string_view where, fmt::format_string<Args...> what, Args&&... args) {
  throw Error(fmt::format("[nf4] {}, in {}", fmt::format(what, std::forward<Args>(args)...), where),
              "export the weight again by bitsandbytes, as NF4 in blocks of 64");
}

void check_size(std::span<const std::byte> bytes, size_t want, const char* name,
                std::string_view where) {
  if (bytes.size() != want)
    fail(where, "{} must have {} bytes for the shape, has {}", name, want, bytes.size());
}

// Another release of PyTorch may have computed the last bit of the map otherwise.
void check_map(std::span<const std::byte> bytes, std::span<const float> want, const char* name,
               std::string_view where) {
  check_size(bytes, want.size_bytes(), name, where);
  for (size_t i = 0; i < want.size(); i++) {
    const float x = load<float>(&bytes[i * sizeof(float)]);
    if (!(std::fabs(x - want[i]) <= 1e-6f * std::fabs(want[i])))
      fail(where, "{} must be bitsandbytes' own, value {} must be {}, is {}", name, i, want[i], x);
  }
}

void check_scales(std::span<const float> scales, const char* name, std::string_view where) {
  for (size_t i = 0; i < scales.size(); i++)
    if (!std::isfinite(scales[i]) || scales[i] < 0)
      fail(where, "{} must be finite and not negative, value {} is {}", name, i, scales[i]);
}

std::vector<std::byte> bytes_of(const void* data, size_t n) {
  const auto* p = static_cast<const std::byte*>(data);
  return {p, p + n};
}

// Swaps the halves of a block of rows of ours for the pairs of bitsandbytes, and back.
void to_pairs(std::byte* pairs, const uint8_t* q) {
  for (size_t i = 0; i < kBlock / 2; i++) {
    const size_t j = 2 * i;  // pair i has elements j and j + 1, which lie in one half
    const int shift = j < kBlock / 2 ? 0 : 4;
    const int high = q[j % 32] >> shift & 15, low = q[(j + 1) % 32] >> shift & 15;
    pairs[i] = std::byte(high << 4 | low);
  }
}
void from_pairs(uint8_t* q, const std::byte* pairs) {
  uint8_t levels[kBlock];
  for (size_t i = 0; i < kBlock / 2; i++) {
    levels[2 * i] = uint8_t(pairs[i]) >> 4;
    levels[2 * i + 1] = uint8_t(pairs[i]) & 15;
  }
  store_levels(q, levels);
}

}  // namespace

constexpr float kNf4Values[16] = {-1.0f,
                                  -0.6961928009986877f,
                                  -0.5250730514526367f,
                                  -0.39491748809814453f,
                                  -0.28444138169288635f,
                                  -0.18477343022823334f,
                                  -0.09105003625154495f,
                                  0.0f,
                                  0.07958029955625534f,
                                  0.16093020141124725f,
                                  0.24611230194568634f,
                                  0.33791524171829224f,
                                  0.44070982933044434f,
                                  0.5626170039176941f,
                                  0.7229568362236023f,
                                  1.0f};
const float* const kNf4Codes = kSignedMap.data();

void quantize_nf4(Tensor to, const RowSource& source, std::string_view where) {
  check_target(to);
  const size_t cols = size_t(to.cols), n_blocks = cols / kBlock;
  std::vector<float> absmax(size_t(to.rows) * n_blocks);
  std::vector<float> buffers(cols * size_t(omp_get_max_threads()));
  std::atomic<int> bad_row = INT_MAX;
#pragma omp parallel for schedule(static)
  for (int row = 0; row < to.rows; row++) {
    float* x = &buffers[cols * size_t(omp_get_thread_num())];
    source(x, row);
    for (size_t b = 0; b < n_blocks; b++) {
      const float largest = quantize_block(row_of(to, row) + b * 32, x + b * kBlock);
      absmax[size_t(row) * n_blocks + b] = largest;
      if (std::isfinite(largest)) continue;
      for (int seen = bad_row; row < seen && !bad_row.compare_exchange_weak(seen, row);) continue;
    }
  }
  if (bad_row != INT_MAX)
    throw Error(fmt::format("[nf4] weights must be finite, row {} has one that is not, in {}",
                            bad_row.load(), where));
  const Scales scales = quantize_scales(absmax);
#pragma omp parallel for schedule(static)
  for (int row = 0; row < to.rows; row++) store_row_scales(to, row, scales);
}

BnbState parse_bnb_state(std::span<const std::byte> quant_state, std::string_view where) {
  const std::string name = fmt::format("quant_state of {}", where);
  const std::string_view text(reinterpret_cast<const char*>(quant_state.data()),
                              quant_state.size());
  const Json json = parse_json(text, name);
  if (!json.is_object()) fail(where, "quant_state must be a JSON object");
  const std::string& type = json_string(json, "quant_type", name);
  if (type != "nf4") fail(where, "quant_type must be nf4, is '{}'", type);
  const auto expect = [&](const char* key, long long want) {
    const long long value = json_int(json, key, name);
    if (value != want) fail(where, "{} must be {}, is {}", key, want, value);
  };
  expect("blocksize", kBlock);
  const bool is_nested = json.contains("nested_offset");
  if (is_nested) {
    expect("nested_blocksize", kNested);
    const std::string& nested_dtype = json_string(json, "nested_dtype", name);
    if (nested_dtype != "float32")
      fail(where, "nested_dtype must be float32, is '{}'", nested_dtype);
  }
  const Json& shape = json_array(json, "shape", name);
  const auto is_size = [](const Json& x) { return x.is_number_integer() && x > 0 && x <= INT_MAX; };
  if (shape.size() != 2 || !is_size(shape[0]) || !is_size(shape[1]))
    fail(where, "shape must be two sizes, is {}", shape.dump());
  BnbState state = {.rows = shape[0].get<int>(),
                    .cols = shape[1].get<int>(),
                    .dtype = json_string(json, "dtype", name),
                    .is_nested = is_nested,
                    .offset = is_nested ? float(json_number(json, "nested_offset", name)) : 0};
  if (state.cols % int(kBlock) != 0)
    fail(where, "rows must be whole blocks of 64 elements, have {}", state.cols);
  if (!std::isfinite(state.offset)) fail(where, "nested_offset must be finite");
  return state;
}

namespace {

// With double quantization, into rows of ours.
void read_nested(Tensor to, const BnbTensors& from, float offset, std::string_view where) {
  const size_t n_blocks = to.size() / kBlock, n_nested = (n_blocks + kNested - 1) / kNested;
  check_size(from.absmax, n_blocks, "absmax", where);
  check_size(from.nested_absmax, n_nested * sizeof(float), "nested_absmax", where);
  check_map(from.nested_quant_map, kSignedMap, "nested_quant_map", where);
  Scales scales = {offset, std::vector<float>(n_nested), std::vector<uint8_t>(n_blocks)};
  std::memcpy(scales.nested.data(), from.nested_absmax.data(), from.nested_absmax.size());
  std::memcpy(scales.codes.data(), from.absmax.data(), n_blocks);
  check_scales(scales.nested, "nested_absmax", where);
  const size_t blocks_of_row = size_t(to.cols) / kBlock;
#pragma omp parallel for schedule(static)
  for (int row = 0; row < to.rows; row++) {
    for (size_t b = 0; b < blocks_of_row; b++)
      from_pairs(row_of(to, row) + b * 32, &from.weight[(size_t(row) * blocks_of_row + b) * 32]);
    store_row_scales(to, row, scales);
  }
}

// Without it, into values.
void read_plain(Tensor to, const BnbTensors& from, std::string_view where) {
  std::vector<float> scales(to.size() / kBlock);
  check_size(from.absmax, scales.size() * sizeof(float), "absmax", where);
  check_size(from.nested_absmax, 0, "nested_absmax", where);
  check_size(from.nested_quant_map, 0, "nested_quant_map", where);
  std::memcpy(scales.data(), from.absmax.data(), from.absmax.size());
  check_scales(scales, "absmax", where);
  auto* values = static_cast<bf16*>(to.data);
#pragma omp parallel for schedule(static)
  for (size_t b = 0; b < scales.size(); b++)
    for (size_t i = 0; i < kBlock; i++) {
      const auto pair = uint8_t(from.weight[(b * kBlock + i) / 2]);
      const int level = i % 2 == 0 ? pair >> 4 : pair & 15;
      values[b * kBlock + i] = to_bf16(kNf4Values[level] * scales[b]);
    }
}

}  // namespace

void read_bnb_nf4(Tensor to, const BnbTensors& from, std::string_view where) {
  const BnbState state = parse_bnb_state(from.quant_state, where);
  CHECK(to.dtype == (state.is_nested ? DType::nf4 : DType::bf16));
  if (state.rows != to.rows || state.cols != to.cols)
    fail(where, "shape must be ({}, {}), is ({}, {})", to.rows, to.cols, state.rows, state.cols);
  check_size(from.weight, to.size() / 2, "the weight", where);
  check_map(from.quant_map, kNf4Values, "quant_map", where);
  if (state.is_nested)
    read_nested(to, from, state.offset, where);
  else
    read_plain(to, from, where);
}

BnbBytes write_bnb_nf4(Tensor from, std::string_view dtype) {
  check_target(from);
  const Nf4Layout at(size_t(from.cols));
  const size_t n_blocks = size_t(from.rows) * at.n_blocks;
  BnbBytes to;
  to.weight.resize(from.size() / 2);
  to.absmax.resize(n_blocks);
  to.nested_absmax.resize((n_blocks + kNested - 1) / kNested * sizeof(float));
  for (int row = 0; row < from.rows; row++) {
    const uint8_t* p = row_of(from, row);
    const size_t first = size_t(row) * at.n_blocks;
    for (size_t b = 0; b < at.n_blocks; b++) to_pairs(&to.weight[(first + b) * 32], p + b * 32);
    std::memcpy(&to.absmax[first], p + at.codes, at.n_blocks);
    const size_t nested = first / kNested, n = (first + at.n_blocks - 1) / kNested + 1 - nested;
    std::memcpy(&to.nested_absmax[nested * sizeof(float)], p + at.scales, n * sizeof(float));
  }
  to.quant_map = bytes_of(kNf4Values, sizeof kNf4Values);
  to.nested_quant_map = bytes_of(kSignedMap.data(), sizeof kSignedMap);
  const Json state = {{"quant_type", "nf4"},
                      {"blocksize", kBlock},
                      {"dtype", dtype},
                      {"shape", {from.rows, from.cols}},
                      {"nested_blocksize", kNested},
                      {"nested_dtype", "float32"},
                      {"nested_offset", double(load<float>(row_of(from, 0) + at.offset))}};
  const std::string text = dump_json(state);
  to.quant_state = bytes_of(text.data(), text.size());
  return to;
}

}  // namespace chatmem
