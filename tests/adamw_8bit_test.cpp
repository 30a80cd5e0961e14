// AdamW with moments in 8 bits: against a reference of its own in NumPy, step by step, and against
// a naive one in double precision, for each instruction set.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "compute/dynamic_map.h"
#include "format/safetensors.h"
#include "ops_setups.h"

namespace chatmem {
namespace {

// Row `row` of a golden tensor, or all of a vector.
template <typename T>
std::vector<T> golden(const std::string& name, size_t row = 0) {
  static const SafetensorsFile kFile(fs::path(CHATMEM_SOURCE_DIR) /
                                     "tests/golden/adamw_8bit.safetensors");
  const TensorInfo& info = kFile.tensors().at(name);
  std::vector<T> values(size_t(info.shape.back()));
  CHECK(info.bytes.size() >= (row + 1) * values.size() * sizeof(T));
  std::memcpy(values.data(), info.bytes.data() + row * values.size() * sizeof(T),
              values.size() * sizeof(T));
  return values;
}

TEST(DynamicMap, IsThatOfBitsandbytes) {
  for (const auto& [name, map] :
       {std::pair("signed_map", &kSignedMap), std::pair("unsigned_map", &kUnsignedMap)}) {
    const std::vector<float> want = golden<float>(name);
    ASSERT_EQ(want.size(), map->size());
    for (size_t i = 0; i < want.size(); i++)
      EXPECT_NEAR((*map)[i], want[i], 1e-7 * std::abs(want[i])) << name << " " << i;
  }
}

// The one place where a comparison decides: beside every middle, on it, and far outside.
TEST(DynamicMap, NearestCodeIsTheNearest) {
  for (const CodeMap* map : {&kSignedMap, &kUnsignedMap}) {
    const NearestCode nearest(*map);
    const auto expect = [&](float x) {
      size_t best = 0;
      for (size_t i = 1; i < map->size(); i++)
        if (std::abs(double((*map)[i]) - double(x)) < std::abs(double((*map)[best]) - double(x)))
          best = i;
      EXPECT_EQ(nearest(x), best) << x;
    };
    for (size_t i = 0; i + 1 < map->size(); i++) {
      expect((*map)[i]);
      const float middle = ((*map)[i] + (*map)[i + 1]) * 0.5f;
      expect(middle * 0.99999f);
      expect(middle * 1.00001f);
      EXPECT_EQ(nearest(middle), i);
    }
    Random random(3);
    for (int i = 0; i < 20'000; i++)
      expect(float((2 * random.uniform() - 1) * std::pow(10.0, -8 * random.uniform())));
    for (const float x : {0.0f, -0.0f, 1.0f, 1.5f, -1.5f, 1e-30f, -1e-30f}) expect(x);
  }
}

class Adamw8BitTest : public ::testing::TestWithParam<OpsSetup> {
 protected:
  Adamw8BitTest()
      : owner(make_cpu_ops_with({.n_threads = 2, .isa = GetParam().isa, .gemm = GetParam().gemm})),
        ops(*owner),
        dtype(GetParam().dtype) {}

  template <typename T>
  Tensor up(const std::vector<T>& values, int rows, DType type) {
    const Tensor t = make_tensor(ops, rows, int(values.size()) / rows, type);
    ops.copy_in(t, values.data());
    return t;
  }
  template <typename T>
  std::vector<T> down(Tensor t) {
    std::vector<T> values(t.size());
    ops.copy_out(values.data(), t);
    return values;
  }
  Moment8 zeros(int rows, int cols) {
    const size_t n = size_t(rows) * size_t(cols);
    return {make_tensor(ops, rows, cols, DType::u8),
            make_tensor(ops, 1, int(moment_blocks(n)), DType::f32)};
  }

  std::unique_ptr<Ops> owner;
  Ops& ops;
  DType dtype;
};
INSTANTIATE_TEST_SUITE_P(Cpu, Adamw8BitTest, ::testing::ValuesIn(all_ops_setups()),
                         [](const auto& i) { return name_of(i.param); });

// 1 - beta2 is known to 3e-5 in f32, half of which reaches the change of a value.
double tolerance_of(double change) { return 1e-6 + 3e-5 * std::abs(change); }

constexpr AdamwStep kStep = {.lr = 1e-2f, .weight_decay = 0.1f};

// Where f32 and double fall on two sides of a middle the codes are neighbours.
void expect_codes(const std::vector<uint8_t>& got, const std::vector<uint8_t>& want) {
  int n_other = 0;
  for (size_t i = 0; i < want.size(); i++) {
    ASSERT_LE(std::abs(int(got[i]) - int(want[i])), 1) << i;
    n_other += got[i] != want[i];
  }
  EXPECT_LE(n_other, 2);
}

TEST_P(Adamw8BitTest, EachStepIsThatOfTheReference) {
  for (int step = 1; step <= 10; step++) {
    const size_t row = size_t(step) - 1;
    const std::vector<float> before = step == 1 ? golden<float>("w0") : golden<float>("w", row - 1);
    const Tensor w = up(before, 1, DType::f32);
    const Tensor copy = make_tensor(ops, 1, w.cols, dtype);
    Moment8 m = zeros(1, w.cols), v = zeros(1, w.cols);
    for (const auto& [name, moment] : {std::pair("m", m), std::pair("v", v)}) {
      if (step == 1) continue;
      const std::string prefix = name;
      ops.copy_in(moment.codes, golden<uint8_t>(prefix + ".codes", row - 1).data());
      ops.copy_in(moment.scales, golden<float>(prefix + ".scales", row - 1).data());
    }
    AdamwStep at = kStep;
    at.step = step;
    ops.adamw_8bit(w, copy, up(golden<float>("grads", row), 1, DType::f32), m, v, at);
    const std::vector<float> want = golden<float>("w", row), got = down<float>(w);
    for (size_t i = 0; i < want.size(); i++)
      ASSERT_NEAR(got[i], want[i], tolerance_of(want[i] - before[i])) << i;
    const Tensor rounded = make_tensor(ops, 1, w.cols, dtype);
    ops.copy(rounded, w);
    EXPECT_EQ(down<std::byte>({copy.data, 1, int(copy.size_bytes()), DType::u8}),
              down<std::byte>({rounded.data, 1, int(copy.size_bytes()), DType::u8}));
    for (const auto& [name, moment] : {std::pair("m", m), std::pair("v", v)}) {
      const std::string prefix = name;
      expect_codes(down<uint8_t>(moment.codes), golden<uint8_t>(prefix + ".codes", row));
      const std::vector<float> scales = golden<float>(prefix + ".scales", row);
      for (size_t i = 0; i < scales.size(); i++)
        EXPECT_NEAR(down<float>(moment.scales)[i] / scales[i], 1, 5e-5) << prefix << step;
    }
  }
}

// Moments as the format says, in double.
std::vector<double> widened(const std::vector<uint8_t>& codes, const std::vector<float>& scales,
                            const CodeMap& map) {
  std::vector<double> values;
  for (size_t i = 0; i < codes.size(); i++)
    values.push_back(double(map[codes[i]]) * double(scales[i / kMomentBlock]));
  return values;
}

// Several threads' worth of blocks, the last of them not whole, one without any gradient, one whose
// gradients are so small that the inverse of their scale is infinite.
TEST_P(Adamw8BitTest, EqualsTheNaiveOne) {
  constexpr int kRows = 37, kCols = 1501;
  constexpr size_t kSize = size_t(kRows) * kCols;
  Random random(5);
  const auto numbers = [&](double scale) {
    std::vector<float> x(kSize);
    for (float& value : x) value = float(random.normal() * scale);
    return x;
  };
  std::vector<float> start = numbers(0.02);
  std::vector<double> want(start.begin(), start.end());
  const Tensor w = up(start, kRows, DType::f32);
  const Moment8 m = zeros(kRows, kCols), v = zeros(kRows, kCols);
  for (int step = 1; step <= 4; step++) {
    std::vector<float> grad = numbers(0.1);
    for (size_t i = 0; i < kMomentBlock; i++) grad[2 * kMomentBlock + i] = 0;
    for (size_t i = 0; i < kMomentBlock; i++) grad[3 * kMomentBlock + i] *= 1e-18f;
    std::vector<double> ms = widened(down<uint8_t>(m.codes), down<float>(m.scales), kSignedMap),
                        vs = widened(down<uint8_t>(v.codes), down<float>(v.scales), kUnsignedMap);
    AdamwStep at = kStep;
    at.step = step, at.grad_scale = 0.5f;
    ops.adamw_8bit(w, {}, up(grad, kRows, DType::f32), m, v, at);
    const std::vector<double> before = want;
    const double bias1 = 1 - std::pow(0.9, step), bias2 = 1 - std::pow(0.999, step);
    for (size_t i = 0; i < kSize; i++) {
      const double g = grad[i] * 0.5;
      ms[i] = 0.9 * ms[i] + 0.1 * g;
      vs[i] = 0.999 * vs[i] + 0.001 * g * g;
      want[i] = want[i] * (1 - 1e-2 * 0.1) -
                1e-2 / bias1 * ms[i] / (std::sqrt(vs[i]) / std::sqrt(bias2) + 1e-8);
    }
    const std::vector<float> got = down<float>(w);
    for (size_t i = 0; i < kSize; i++)
      ASSERT_NEAR(got[i], want[i], tolerance_of(want[i] - before[i])) << step;
    // What is stored is within half the largest distance of two codes.
    const std::vector<float> m_scales = down<float>(m.scales), v_scales = down<float>(v.scales);
    const auto m_after = widened(down<uint8_t>(m.codes), m_scales, kSignedMap),
               v_after = widened(down<uint8_t>(v.codes), v_scales, kUnsignedMap);
    for (size_t i = 0; i < kSize; i++) {
      ASSERT_NEAR(m_after[i], ms[i], 0.0071 * double(m_scales[i / kMomentBlock])) << i;
      ASSERT_NEAR(v_after[i], vs[i], 0.0036 * double(v_scales[i / kMomentBlock])) << i;
      ASSERT_TRUE(v_after[i] > 0 || vs[i] < 1e-43) << i;
    }
    want.assign(got.begin(), got.end());
  }
  EXPECT_EQ(down<float>(v.scales)[2], 0);
}

// Blocks, not threads, decide what is stored.
TEST(Adamw8Bit, SameBitsForAnyNumberOfThreads) {
  std::vector<std::vector<std::byte>> results;
  for (const int n_threads : {1, 2, 3}) {
    const auto ops = make_cpu_ops({.n_threads = n_threads});
    constexpr int kCols = 100'003;
    const Tensor w = make_tensor(*ops, 1, kCols, DType::f32),
                 grad = make_tensor(*ops, 1, kCols, DType::f32),
                 codes = make_tensor(*ops, 2, kCols, DType::u8),
                 scales = make_tensor(*ops, 2, int(moment_blocks(kCols)), DType::f32);
    Random random(9);
    for (int i = 0; i < kCols; i++) grad.f32()[i] = float(random.normal());
    AdamwStep step = kStep;
    for (step.step = 1; step.step <= 3; step.step++)
      ops->adamw_8bit(w, {}, grad, {codes.slice(0, 1), scales.slice(0, 1)},
                      {codes.slice(1, 1), scales.slice(1, 1)}, step);
    std::vector<std::byte> all;
    for (const Tensor& t : {w, codes, scales}) {
      const auto* bytes = static_cast<const std::byte*>(t.data);
      all.insert(all.end(), bytes, bytes + t.size_bytes());
    }
    results.push_back(std::move(all));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace chatmem
