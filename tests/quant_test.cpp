// Quantized rows against llama.cpp's bytes and bitsandbytes' formulas (tests/golden, written by
// tools/reference.py), and the kernels of every instruction set against the obvious reader.
#include "compute/quant.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "compute/cpu_device.h"
#include "compute/nf4.h"
#include "error_of.h"
#include "format/safetensors.h"

namespace chatmem {
namespace {

const fs::path kGolden = fs::path(CHATMEM_SOURCE_DIR) / "tests/golden";
constexpr DType kGgmlTypes[] = {DType::q8_0, DType::q4_0, DType::q4_k, DType::q6_k};
constexpr DType kAllTypes[] = {DType::q8_0, DType::q4_0, DType::q4_k, DType::q6_k, DType::nf4};

std::vector<float> floats(std::span<const std::byte> bytes) {
  std::vector<float> x(bytes.size() / sizeof(float));
  std::memcpy(x.data(), bytes.data(), bytes.size());
  return x;
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// A weight in memory of its own.
struct Weight {
  std::vector<std::byte> bytes;
  Tensor tensor;

  Weight(int rows, int cols, DType dtype)
      : bytes(Tensor{nullptr, rows, cols, dtype}.size_bytes()),
        tensor{bytes.data(), rows, cols, dtype} {}
};

Weight random_weight(Random& random, int rows, int cols, DType dtype) {
  Weight w(rows, cols, dtype);
  std::vector<float> x(w.tensor.size());
  for (float& value : x) value = float(random.normal());
  const auto row_at = [&](int row) { return &x[size_t(row) * size_t(cols)]; };
  if (dtype == DType::nf4) {
    quantize_nf4(
        w.tensor, [&](float* to, int row) { std::copy_n(row_at(row), cols, to); }, "test");
  } else {
    for (int row = 0; row < rows; row++)
      EXPECT_TRUE(quantize_row(w.tensor.slice(row, 1).data, row_at(row), cols, dtype));
  }
  return w;
}

std::vector<float> slowly(Tensor w, int row) {
  std::vector<float> x(static_cast<size_t>(w.cols));
  dequantize_row(x.data(), w.slice(row, 1).data, w.cols, w.dtype);
  return x;
}

TEST(Quant, BytesAreLlamaCpps) {
  const SafetensorsFile golden(kGolden / "quant.safetensors");
  const TensorInfo& x = golden.tensors().at("x");
  const std::vector<float> rows = floats(x.bytes);
  for (const DType dtype : kGgmlTypes) {
    const auto want = golden.tensors().at(std::string(dtype_name(dtype))).bytes;
    const size_t n = row_bytes(dtype, 256);
    ASSERT_EQ(want.size(), n * size_t(x.shape[0]));
    for (size_t row = 0; row < size_t(x.shape[0]); row++) {
      std::vector<std::byte> got(n, std::byte(0xAA));
      ASSERT_TRUE(quantize_row(got.data(), &rows[row * 256], 256, dtype));
      for (size_t i = 0; i < n; i++)
        ASSERT_EQ(int(got[i]), int(want[row * n + i]))
            << dtype_name(dtype) << " row " << row << " byte " << i;
    }
  }
}

TEST(Quant, ValuesAreLlamaCpps) {
  const SafetensorsFile golden(kGolden / "quant.safetensors");
  for (const DType dtype : kGgmlTypes) {
    const std::string name(dtype_name(dtype));
    const auto bytes = golden.tensors().at(name).bytes;
    const std::vector<float> want = floats(golden.tensors().at(name + ".values").bytes);
    std::vector<float> got(want.size());
    dequantize_row(got.data(), bytes.data(), int(got.size()), dtype);
    EXPECT_TRUE(same_bits(got, want)) << name;
  }
}

// The search for scales runs on as many groups at once as the registers have lanes.
TEST(Quant, SearchIsTheSameInEveryInstructionSet) {
  const SafetensorsFile golden(kGolden / "quant.safetensors");
  const std::vector<float> x = floats(golden.tensors().at("x").bytes);
  const size_t groups = x.size() / 32, halves = x.size() / 16;
  struct Found {
    std::vector<float> scales, mins, scales6;
    std::vector<uint8_t> levels, levels6;
  };
  std::vector<Found> found;
  for (const Isa isa : machine_isas()) {
    Found f = {std::vector<float>(groups), std::vector<float>(groups), std::vector<float>(halves),
               std::vector<uint8_t>(x.size()), std::vector<uint8_t>(x.size())};
    const QuantKernels& kernels = quant_kernels_of(isa);
    // Not a multiple of any number of lanes.
    kernels.search_q4_k(f.scales.data(), f.mins.data(), f.levels.data(), x.data(), groups - 1);
    kernels.search_q6_k(f.scales6.data(), f.levels6.data(), x.data(), halves - 1);
    found.push_back(std::move(f));
    EXPECT_TRUE(same_bits(found.back().scales, found[0].scales)) << int(isa);
    EXPECT_TRUE(same_bits(found.back().mins, found[0].mins)) << int(isa);
    EXPECT_TRUE(same_bits(found.back().scales6, found[0].scales6)) << int(isa);
    EXPECT_EQ(found.back().levels, found[0].levels) << int(isa);
    EXPECT_EQ(found.back().levels6, found[0].levels6) << int(isa);
  }
}

TEST(Quant, ErrorShrinksWithTheBits) {
  Random random(2);
  double previous = 1;
  for (const DType dtype : {DType::nf4, DType::q4_k, DType::q6_k, DType::q8_0}) {
    std::vector<float> x(4096);
    for (float& value : x) value = float(random.normal());
    Weight w(1, 4096, dtype);
    if (dtype == DType::nf4)
      quantize_nf4(
          w.tensor, [&](float* to, int) { std::copy(x.begin(), x.end(), to); }, "test");
    else
      ASSERT_TRUE(quantize_row(w.bytes.data(), x.data(), 4096, dtype));
    const std::vector<float> got = slowly(w.tensor, 0);
    double sum = 0;
    for (size_t i = 0; i < x.size(); i++) sum += double(got[i] - x[i]) * double(got[i] - x[i]);
    const double rms = std::sqrt(sum / 4096);
    EXPECT_LT(rms, previous) << dtype_name(dtype);
    EXPECT_GT(rms, 0.002) << dtype_name(dtype);
    previous = rms;
  }
  EXPECT_LT(previous, 0.01);
}

TEST(Quant, RefusesWhatHasNoScale) {
  for (const DType dtype : kGgmlTypes) {
    Weight w(1, 256, dtype);
    for (const float bad : {NAN, INFINITY, -INFINITY, 65505.0f, -1e30f}) {
      std::vector<float> x(256, 0.5f);
      x[77] = bad;
      EXPECT_FALSE(quantize_row(w.bytes.data(), x.data(), 256, dtype)) << bad;
    }
    // Numbers that are too small for a normal scale are taken, and come back near zero.
    std::vector<float> x(256, 1e-40f);
    x[3] = -3e-39f;
    x[200] = std::numeric_limits<float>::denorm_min();
    ASSERT_TRUE(quantize_row(w.bytes.data(), x.data(), 256, dtype));
    for (const float value : slowly(w.tensor, 0)) EXPECT_LE(std::fabs(value), 1e-4f);
  }
}

// Any bytes are a row, so that all of them are tried: other than quantizers write, too.
TEST(Quant, KernelsGiveTheBitsOfTheObviousReader) {
  Random random(3);
  for (const DType dtype : kAllTypes)
    for (const bool any_bytes : {false, true})
      for (const int cols : {256, 768, 2304}) {
        Weight w = random_weight(random, 5, cols, dtype);
        if (any_bytes) {
          const size_t n = dtype == DType::nf4 ? Nf4Layout(size_t(cols)).offset : w.bytes.size();
          for (size_t i = 0; i < n; i++) w.bytes[i] = std::byte(random.below(256));
        }
        for (int row = 0; row < 5; row++) {
          const std::vector<float> want = slowly(w.tensor, row);
          std::vector<bf16> want16(want.size());
          dequantize_row(want16.data(), w.tensor.slice(row, 1).data, cols, dtype);
          for (const Isa isa : machine_isas()) {
            const CpuDevice device = {isa, &kernels_of(isa), 1};
            for (const int begin : {0, 256}) {
              const size_t n = size_t(cols - begin);
              std::vector<float> got(n);
              std::vector<bf16> got16(n);
              device.fetch(got.data(), DType::f32, w.tensor, size_t(row), size_t(begin), n);
              device.fetch(got16.data(), DType::bf16, w.tensor, size_t(row), size_t(begin), n);
              for (size_t i = 0; i < n; i++) {
                const float wanted = want[i + size_t(begin)];
                if (std::isnan(wanted)) {  // of an f16 that is none; its payload is of no matter
                  ASSERT_TRUE(std::isnan(got[i]) && std::isnan(to_f32(got16[i])));
                  continue;
                }
                ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(wanted))
                    << dtype_name(dtype) << " isa " << int(isa) << " element " << i;
                ASSERT_EQ(got16[i].bits, want16[i + size_t(begin)].bits)
                    << dtype_name(dtype) << " isa " << int(isa) << " element " << i;
              }
            }
          }
        }
      }
}

TEST(Quant, DotRowsOfEveryInstructionSet) {
  Random random(4);
  for (const DType dtype : kAllTypes) {
    const int rows = 7, cols = 768;
    const Weight w = random_weight(random, rows, cols, dtype);
    std::vector<float> x(4 * size_t(cols));
    for (float& value : x) value = float(random.normal());
    for (const Isa isa : machine_isas())
      for (int n_x = 1; n_x <= 4; n_x++) {
        const CpuDevice device = {isa, &kernels_of(isa), 1};
        std::vector<float> got(size_t(rows * n_x));
        device.quant_loops(dtype).dot_rows(got.data(), x.data(), n_x, w.bytes.data(),
                                           row_bytes(dtype, size_t(cols)), rows, size_t(cols));
        for (int r = 0; r < rows; r++) {
          const std::vector<float> wide = slowly(w.tensor, r);
          for (int t = 0; t < n_x; t++) {
            double want = 0;
            for (int i = 0; i < cols; i++)
              want += double(wide[size_t(i)]) * double(x[size_t(t * cols + i)]);
            EXPECT_NEAR(double(got[size_t(r * n_x + t)]), want, 1e-4) << dtype_name(dtype);
          }
        }
      }
  }
}

// Rows of activations as integers, with what they point to.
struct Integers {
  Integers(int n_rows, int cols, const QuantLoops& of_type)
      : loops(of_type),
        stride(size_t((cols + 255) / 256 * 256)),
        values(size_t(n_rows) * stride * size_t(loops.integer_bytes)),
        scales(size_t(n_rows) * stride / size_t(loops.per_scale)),
        sums(size_t(n_rows) * stride / 16) {}
  IntegerRows rows() { return {values.data(), scales.data(), sums.data(), stride}; }
  double value(size_t element) const {
    const size_t at = place(element);
    if (loops.integer_bytes == 1) return scale(element) * static_cast<signed char>(values.at(at));
    short value = 0;
    std::memcpy(&value, &values.at(at * sizeof value), sizeof value);
    return scale(element) * value;
  }
  double scale(size_t element) const { return double(scales.at(scale_at(element))); }
  size_t scale_at(size_t element) const { return place(element) / size_t(loops.per_scale); }
  size_t place(size_t element) const {
    const auto* end = loops.order + 256;
    return element / 256 * 256 + size_t(std::find(loops.order, end, element % 256) - loops.order);
  }

  const QuantLoops& loops;
  size_t stride;
  std::vector<unsigned char> values;
  std::vector<float> scales, sums;
};

TEST(Quant, ActivationsAsIntegers) {
  Random random(6);
  std::vector<float> x(5 * 256);
  for (float& value : x) value = float(random.normal());
  x[5] = 1000;  // what a massive activation does to its own group, and to no other
  for (int i = 256; i < 512; i++) x[size_t(i)] = i == 270 ? 1e-33f : 0;
  x[600] = -std::numeric_limits<float>::infinity();
  x[800] = std::numeric_limits<float>::quiet_NaN();
  int n_kinds = 0;
  for (const DType dtype : kAllTypes)
    for (const Isa isa : machine_isas()) {
      const CpuDevice device = {isa, &kernels_of(isa), 1};
      const QuantLoops& loops = device.quant_loops(dtype);
      if (!loops.to_integers) continue;
      n_kinds++;
      Integers to(1, int(x.size()), loops);
      for (size_t at = 0; at < x.size(); at += 256) loops.to_integers(to.rows(), at, &x[at]);
      const double steps = loops.integer_bytes == 1 ? 127 : 16383;
      std::vector<double> largest(to.scales.size());
      for (size_t i = 0; i < x.size(); i++) {
        double& most = largest[to.scale_at(i)];
        most = std::isfinite(x[i]) ? std::max(most, std::fabs(double(x[i]))) : std::nan("");
      }
      for (size_t i = 0; i < x.size(); i++)
        if (const double most = largest[to.scale_at(i)]; std::isnan(most))
          EXPECT_TRUE(std::isnan(to.scale(i))) << i;
        else
          EXPECT_NEAR(to.value(i), double(x[i]), most / steps / 1.99 + 1e-32)
              << dtype_name(dtype) << " isa " << int(isa) << " element " << i;
    }
  EXPECT_EQ(n_kinds, int(machine_isas().size() - 1) * 4) << "all but portable and nf4";
}

TEST(Quant, DotIntegersOfEveryInstructionSet) {
  Random random(7);
  int n_kinds = 0;
  for (const DType dtype : kAllTypes)
    for (const int cols : {768, 2304, 288}) {
      if (size_t(cols) % block_elements(dtype) != 0) continue;
      const int n_rows = 7;
      constexpr int kRows = 11;
      const Weight w = random_weight(random, n_rows, cols, dtype);
      std::vector<float> x(kRows * size_t(cols));
      for (float& value : x) value = float(random.normal() * (random.below(100) == 0 ? 30 : 1));
      for (const Isa isa : machine_isas()) {
        const CpuDevice device = {isa, &kernels_of(isa), 1};
        const QuantLoops& loops = device.quant_loops(dtype);
        if (!loops.dot_integers) continue;
        n_kinds++;
        Integers to(kRows, cols, loops);
        for (size_t t = 0; t < kRows; t++) {
          std::vector<float> padded(to.stride);
          std::copy_n(x.begin() + ptrdiff_t(t) * cols, cols, padded.begin());
          for (size_t at = 0; at < to.stride; at += 256)
            loops.to_integers(to.rows(), t * to.stride + at, padded.data() + at);
        }
        std::vector<float> alone(size_t{7});
        for (int n_x = 1; n_x <= kRows; n_x++) {
          std::vector<float> got(size_t(n_rows * n_x));
          loops.dot_integers(got.data(), to.rows(), 0, n_x, w.bytes.data(),
                             row_bytes(dtype, size_t(cols)), n_rows);
          for (int r = 0; r < n_rows; r++) {
            const std::vector<float> wide = slowly(w.tensor, r);
            if (n_x == 1) alone[size_t(r)] = got[size_t(r)];
            EXPECT_EQ(got[size_t(r * n_x)], alone[size_t(r)]) << "the other rows are of no matter";
            for (int t = 0; t < n_x; t++) {
              double want = 0, of_integers = 0, size = 0, variance = 0;
              for (int i = 0; i < cols; i++) {
                const size_t at = size_t(t) * to.stride + size_t(i);
                const double integer = to.value(at);
                want += double(wide[size_t(i)]) * double(x[size_t(t * cols + i)]);
                of_integers += double(wide[size_t(i)]) * integer;
                size += std::fabs(double(wide[size_t(i)]) * integer);
                const double step = double(wide[size_t(i)]) * to.scale(at);
                variance += step * step / 12;
              }
              EXPECT_NEAR(double(got[size_t(r * n_x + t)]), of_integers, 3e-6 * size)
                  << dtype_name(dtype) << " isa " << int(isa);
              EXPECT_NEAR(double(got[size_t(r * n_x + t)]), want,
                          6 * std::sqrt(variance) + 3e-6 * size);
            }
          }
        }
      }
    }
  EXPECT_EQ(n_kinds, 10 * (int(machine_isas().size()) - 1));
}

// -- NF4

// As nf4_weight in tools/reference.py.
void golden_row(float* to, int row, int cols) {
  for (int c = 0; c < cols; c++) {
    const uint64_t i = uint64_t(row) * uint64_t(cols) + uint64_t(c);
    const float unit = float((i * 2654435761u & 0xFFFFFFFF) >> 8) / 16777216.0f;
    to[c] = (unit - 0.5f) * (i / 64 % 5 == 0 ? 0.25f : 0.03125f);
    if (i >= 640 && i < 704) to[c] = 0;
  }
}

BnbTensors stored(const SafetensorsFile& file) {
  const auto bytes = [&](const std::string& ending) {
    return file.tensors().at("weight" + ending).bytes;
  };
  return {bytes(""),
          bytes(".absmax"),
          bytes(".quant_map"),
          bytes(".nested_absmax"),
          bytes(".nested_quant_map"),
          bytes(".quant_state.bitsandbytes__nf4")};
}

std::vector<std::byte> copied(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(Nf4, QuantizesAsBitsandbytes) {
  const SafetensorsFile golden(kGolden / "nf4.safetensors");
  const BnbTensors want = stored(golden);
  Weight w(9, 2048, DType::nf4);
  quantize_nf4(
      w.tensor, [](float* to, int row) { golden_row(to, row, 2048); }, "test");
  const BnbBytes got = write_bnb_nf4(w.tensor, "bfloat16");
  EXPECT_EQ(got.weight, copied(want.weight));
  EXPECT_EQ(got.absmax, copied(want.absmax));
  EXPECT_EQ(got.nested_absmax, copied(want.nested_absmax));
  EXPECT_EQ(got.quant_map, copied(want.quant_map));
  EXPECT_TRUE(same_bits(floats(got.nested_quant_map), floats(want.nested_quant_map)));
  const auto json = [](std::span<const std::byte> bytes) {
    return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "test");
  };
  EXPECT_EQ(json(got.quant_state), json(want.quant_state));

  std::vector<float> rows = slowly(w.tensor, 0);
  const std::vector<float> last = slowly(w.tensor, 8);
  rows.insert(rows.end(), last.begin(), last.end());
  EXPECT_TRUE(same_bits(rows, floats(golden.tensors().at("first_and_last_row").bytes)));
  for (int c = 640; c < 704; c++) EXPECT_EQ(rows[size_t(c)], 0) << "a block of zeros stays one";
}

TEST(Nf4, ReadsWhatBitsandbytesWrites) {
  const SafetensorsFile golden(kGolden / "nf4.safetensors");
  Weight made(9, 2048, DType::nf4), read(9, 2048, DType::nf4);
  quantize_nf4(
      made.tensor, [](float* to, int row) { golden_row(to, row, 2048); }, "test");
  read_bnb_nf4(read.tensor, stored(golden), "test");
  EXPECT_EQ(read.bytes, made.bytes);
  const BnbState state = parse_bnb_state(stored(golden).quant_state, "test");
  EXPECT_EQ(state.rows, 9);
  EXPECT_EQ(state.cols, 2048);
  EXPECT_EQ(state.dtype, "bfloat16");
}

// Rows whose blocks begin anywhere within a nested block, and more of those than fit one.
TEST(Nf4, RoundTripsOddShapes) {
  Random random(5);
  for (const auto& [rows, cols] : {std::pair{1, 64}, {300, 64}, {7, 192}, {5, 20032}}) {
    Weight w = random_weight(random, rows, cols, DType::nf4), back(rows, cols, DType::nf4);
    const BnbBytes b = write_bnb_nf4(w.tensor, "float16");
    read_bnb_nf4(
        back.tensor,
        {b.weight, b.absmax, b.quant_map, b.nested_absmax, b.nested_quant_map, b.quant_state},
        "test");
    EXPECT_EQ(back.bytes, w.bytes) << rows << " x " << cols;
  }
}

// bitsandbytes' default: scales in f32. The levels are those of double quantization.
TEST(Nf4, ReadsScalesThatAreNotQuantized) {
  const SafetensorsFile golden(kGolden / "nf4.safetensors");
  BnbTensors parts = stored(golden);
  std::vector<float> absmax;
  for (int row = 0; row < 9; row++) {
    std::vector<float> x(2048);
    golden_row(x.data(), row, 2048);
    for (size_t b = 0; b < x.size(); b += 64) {
      float largest = 0;
      for (size_t j = b; j < b + 64; j++) largest = std::max(largest, std::fabs(x[j]));
      absmax.push_back(largest);
    }
  }
  const std::string state = R"({"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16",)"
                            R"( "shape": [9, 2048]})";
  parts.absmax = std::as_bytes(std::span(absmax));
  parts.quant_state = std::as_bytes(std::span(state));
  Weight w(9, 2048, DType::bf16);
  const auto error = [&] { return error_of([&] { read_bnb_nf4(w.tensor, parts, "X"); }); };
  EXPECT_EQ(error(), "[nf4] nested_absmax must have 0 bytes for the shape, has 8, in X");
  parts.nested_absmax = parts.nested_quant_map = {};
  EXPECT_EQ(error(), "no error");
  const std::vector<float> values = floats(parts.quant_map);
  const auto* got = static_cast<const bf16*>(w.tensor.data);
  for (size_t i = 0; i < w.tensor.size(); i++) {
    const auto byte = uint8_t(parts.weight[i / 2]);
    const float value = values[i % 2 == 0 ? byte >> 4 : byte & 15] * absmax[i / 64];
    ASSERT_EQ(got[i].bits, to_bf16(value).bits) << i;
  }
  absmax[3] = -1;
  EXPECT_EQ(error(), "[nf4] absmax must be finite and not negative, value 3 is -1, in X");
}

TEST(Nf4, RefusesWhatIsNotFinite) {
  Weight w(4, 128, DType::nf4);
  for (const float bad : {NAN, INFINITY})
    EXPECT_EQ(error_of([&] {
                quantize_nf4(
                    w.tensor, [&](float* to, int row) { std::fill_n(to, 128, row >= 2 ? bad : 1); },
                    "layers.0");
              }),
              "[nf4] weights must be finite, row 2 has one that is not, in layers.0");
}

TEST(Nf4, RefusesWrongSizesAndValues) {
  const SafetensorsFile golden(kGolden / "nf4.safetensors");
  const BnbTensors good = stored(golden);
  Weight w(9, 2048, DType::nf4);
  const auto error = [&](BnbTensors tensors) {
    return error_of([&] { read_bnb_nf4(w.tensor, tensors, "X"); });
  };
  const auto with_state = [&](const char* key, const Json& value) {
    Json json = parse_json(
        {reinterpret_cast<const char*>(good.quant_state.data()), good.quant_state.size()}, "test");
    if (value.is_null())
      json.erase(key);
    else
      json[key] = value;
    const std::string text = json.dump();
    BnbTensors tensors = good;
    tensors.quant_state = std::as_bytes(std::span(text));
    return error(tensors);
  };
  EXPECT_EQ(error(good), "no error");
  for (auto member : {&BnbTensors::weight, &BnbTensors::absmax, &BnbTensors::quant_map,
                      &BnbTensors::nested_absmax, &BnbTensors::nested_quant_map}) {
    BnbTensors tensors = good;
    tensors.*member = (good.*member).first((good.*member).size() - 1);
    EXPECT_NE(error(tensors).find("bytes for the shape, has"), std::string::npos);
  }
  const auto with_float = [&](auto member, float value) {
    std::vector<std::byte> bytes = copied(good.*member);
    std::memcpy(&bytes[4], &value, sizeof value);
    BnbTensors tensors = good;
    tensors.*member = bytes;
    return error(tensors);
  };
  EXPECT_EQ(with_float(&BnbTensors::quant_map, 0.5f),
            "[nf4] quant_map must be bitsandbytes' own, value 1 must be -0.6961928, is 0.5, in X");
  EXPECT_NE(with_float(&BnbTensors::nested_quant_map, NAN), "no error");
  EXPECT_NE(with_float(&BnbTensors::nested_absmax, NAN), "no error");
  EXPECT_NE(with_float(&BnbTensors::nested_absmax, -1), "no error");
  EXPECT_EQ(with_state("quant_type", "fp4"), "[nf4] quant_type must be nf4, is 'fp4', in X");
  EXPECT_EQ(with_state("blocksize", 128), "[nf4] blocksize must be 64, is 128, in X");
  EXPECT_EQ(with_state("shape", {9, 2049}),
            "[nf4] rows must be whole blocks of 64 elements, have 2049, in X");
  EXPECT_EQ(with_state("shape", {18, 1024}), "[nf4] shape must be (9, 2048), is (18, 1024), in X");
  for (const Json& shape : {Json{9}, Json{9, -64}, Json{9, 1e18}, Json{"9", 64}, Json{9, 64, 1}})
    EXPECT_NE(with_state("shape", shape).find("shape must be two sizes"), std::string::npos);
  EXPECT_NE(with_state("nested_offset", 1e300), "no error");
  EXPECT_NE(with_state("nested_dtype", "float16"), "no error");
}

}  // namespace
}  // namespace chatmem
