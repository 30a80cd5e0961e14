// Dropout and DoRA's operations against naive double precision, for each instruction set.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "ops_setups.h"

namespace chatmem {
namespace {

class AdapterOpsTest : public ::testing::TestWithParam<OpsSetup> {
 protected:
  AdapterOpsTest()
      : owner(make_cpu_ops_with({.n_threads = 2, .isa = GetParam().isa, .gemm = GetParam().gemm})),
        ops(*owner),
        dtype(GetParam().dtype) {}

  Tensor random_tensor(int rows, int cols, DType type) {
    std::vector<float> values(size_t(rows) * size_t(cols));
    for (float& x : values) x = float(random.normal());
    const Tensor wide = make_tensor(ops, rows, cols, DType::f32);
    ops.copy_in(wide, values.data());
    const Tensor result = make_tensor(ops, rows, cols, type);
    ops.copy(result, wide);
    return result;
  }
  std::vector<double> values_of(Tensor t) {
    const Tensor wide = make_tensor(ops, t.rows, t.cols, DType::f32);
    ops.copy(wide, t);
    return {wide.f32(), wide.f32() + wide.size()};
  }
  void expect_near(const std::vector<double>& got, const std::vector<double>& want) {
    ASSERT_EQ(got.size(), want.size());
    const double unit = dtype == DType::bf16 ? 0x1p-8 : 0x1p-20;
    for (size_t i = 0; i < got.size(); i++)
      ASSERT_NEAR(got[i], want[i], unit * (1 + std::abs(want[i]))) << i;
  }

  Random random{7};
  std::unique_ptr<Ops> owner;
  Ops& ops;
  DType dtype;
};
INSTANTIATE_TEST_SUITE_P(Cpu, AdapterOpsTest, ::testing::ValuesIn(all_ops_setups()),
                         [](const auto& i) { return name_of(i.param); });

uint32_t mix(uint32_t h) {
  h = (h ^ h >> 16) * 0x7FEB352Du;
  h = (h ^ h >> 15) * 0x846CA68Bu;
  return h ^ h >> 16;
}

TEST_P(AdapterOpsTest, DropoutIsTheMaskOfItsKey) {
  constexpr int kRows = 37, kCols = 301;
  constexpr float kP = 0.3f;
  const Tensor x = random_tensor(kRows, kCols, dtype), y = random_tensor(kRows, kCols, dtype);
  std::vector<double> want = values_of(x), added = values_of(y);
  int dropped = 0;
  for (int i = 0; i < kRows; i++) {
    const uint64_t key = Random(99 + uint64_t(i)).next();
    for (int j = 0; j < kCols; j++) {
      const bool drops =
          (mix(uint32_t(j) + uint32_t(key)) ^ uint32_t(key >> 32)) < uint32_t(double(kP) * 0x1p32);
      double& value = want[size_t(i * kCols + j)];
      value = drops ? 0 : value / (1 - double(kP));
      added[size_t(i * kCols + j)] += value;
      dropped += drops;
    }
  }
  EXPECT_NEAR(double(dropped) / (kRows * kCols), kP, 0.015);
  ops.dropout(y, x, kP, 99, Accumulate::yes);
  expect_near(values_of(y), added);
  ops.dropout(x, x, kP, 99, Accumulate::no);
  expect_near(values_of(x), want);
}

TEST_P(AdapterOpsTest, ScaleColumnsMultipliesEach) {
  const Tensor x = random_tensor(19, 130, dtype), y = random_tensor(19, 130, dtype),
               factor = random_tensor(1, 130, DType::f32);
  std::vector<double> want = values_of(x), added = values_of(y);
  const std::vector<double> f = values_of(factor);
  for (size_t i = 0; i < want.size(); i++) added[i] += want[i] *= f[i % 130];
  ops.scale_columns(y, x, factor, Accumulate::yes);
  expect_near(values_of(y), added);
  ops.scale_columns(x, x, factor, Accumulate::no);
  expect_near(values_of(x), want);
}

TEST_P(AdapterOpsTest, DoraFactorIsMagnitudeOverLength) {
  constexpr int kOut = 33, kIn = 70, kRank = 5;
  constexpr double kScale = 1.5;
  for (const DType weights : {DType::f32, DType::bf16}) {
    const Tensor w = random_tensor(kOut, kIn, weights), a = random_tensor(kRank, kIn, dtype),
                 b = random_tensor(kOut, kRank, dtype), m = random_tensor(1, kOut, DType::f32),
                 norm = make_tensor(ops, 1, kOut, DType::f32),
                 factor = make_tensor(ops, 1, kOut, DType::f32);
    ops.dora_factor(factor, norm, m, w, a, b, float(kScale));
    const auto wv = values_of(w), av = values_of(a), bv = values_of(b), mv = values_of(m);
    for (int o = 0; o < kOut; o++) {
      double squares = 0;
      for (int i = 0; i < kIn; i++) {
        double sum = wv[size_t(o * kIn + i)];
        for (int r = 0; r < kRank; r++)
          sum += kScale * bv[size_t(o * kRank + r)] * av[size_t(r * kIn + i)];
        squares += sum * sum;
      }
      EXPECT_NEAR(norm.f32()[o], std::sqrt(squares), 1e-4);
      EXPECT_NEAR(factor.f32()[o], mv[size_t(o)] / std::sqrt(squares), 1e-4);
    }
  }
}

TEST_P(AdapterOpsTest, DoraBackwardAddsEveryRow) {
  constexpr int kRows = 41, kCols = 1500;
  const Tensor dy = random_tensor(kRows, kCols, dtype), x = random_tensor(kRows, kCols, dtype),
               dm = random_tensor(1, kCols, DType::f32),
               norm = make_tensor(ops, 1, kCols, DType::f32);
  for (int c = 0; c < kCols; c++) norm.f32()[c] = 1 + float(random.uniform());
  std::vector<double> want = values_of(dm);
  const auto dyv = values_of(dy), xv = values_of(x);
  for (size_t i = 0; i < dyv.size(); i++)
    want[i % kCols] += dyv[i] * xv[i] / double(norm.f32()[i % kCols]);
  ops.dora_backward(dm, dy, x, norm);
  const auto got = values_of(dm);
  for (size_t c = 0; c < want.size(); c++) EXPECT_NEAR(got[c], want[c], 1e-4) << c;
}

}  // namespace
}  // namespace chatmem
