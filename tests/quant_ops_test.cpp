// The operations on quantized weights against the slow way: the weight read whole by the obvious
// reader, then the same operation in double. For each instruction set that the machine has, with
// and without oneDNN, in f32 and bf16.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "compute/nf4.h"
#include "compute/quant.h"
#include "ops_setups.h"

namespace chatmem {
namespace {

constexpr DType kAllTypes[] = {DType::q8_0, DType::q4_0, DType::q4_k, DType::q6_k, DType::nf4};

class QuantOpsTest : public ::testing::TestWithParam<OpsSetup> {
 protected:
  QuantOpsTest()
      : dtype(GetParam().dtype),
        ops_owner(make_cpu_ops_with({.isa = GetParam().isa, .gemm = GetParam().gemm})),
        ops(*ops_owner) {}

  // Random numbers that the type holds.
  Tensor random_tensor(int rows, int cols, DType type) {
    const Tensor wide = make_tensor(ops, rows, cols, DType::f32);
    for (size_t i = 0; i < wide.size(); i++) wide.f32()[i] = float(random.normal());
    if (type == DType::f32) return wide;
    const Tensor t = make_tensor(ops, rows, cols, type);
    if (!is_quantized(type)) {
      ops.copy(t, wide);
    } else if (type == DType::nf4) {
      quantize_nf4(
          t, [&](float* to, int row) { std::copy_n(wide.slice(row, 1).f32(), cols, to); }, "test");
    } else {
      for (int row = 0; row < rows; row++)
        EXPECT_TRUE(quantize_row(t.slice(row, 1).data, wide.slice(row, 1).f32(), cols, type));
    }
    return t;
  }

  // All elements, a quantized tensor by the obvious reader.
  static std::vector<double> values(Tensor t) {
    std::vector<float> row(static_cast<size_t>(t.cols));
    std::vector<double> all;
    for (int r = 0; r < t.rows; r++) {
      const void* data = t.slice(r, 1).data;
      if (is_quantized(t.dtype))
        dequantize_row(row.data(), data, t.cols, t.dtype);
      else
        for (size_t i = 0; i < row.size(); i++)
          row[i] = t.dtype == DType::f32 ? static_cast<const float*>(data)[i]
                                         : to_f32(static_cast<const bf16*>(data)[i]);
      all.insert(all.end(), row.begin(), row.end());
    }
    return all;
  }

  // On the way into a product of bf16 weights may be rounded to it, gradients in f32 too, and the
  // result is: three times 2^-9, of sums in which terms may cancel.
  void expect_near(Tensor got, const std::vector<double>& want, const std::string& what) const {
    const double tolerance = dtype == DType::f32 ? 2e-5 : 1.5e-2;
    const std::vector<double> x = values(got);
    double sum = 0;
    for (const double w : want) sum += w * w;
    const double typical = std::sqrt(sum / double(want.size()));
    for (size_t i = 0; i < want.size(); i++)
      ASSERT_LE(std::fabs(x[i] - want[i]), tolerance * (std::fabs(want[i]) + typical))
          << what << " at row " << i / size_t(got.cols) << ", column " << i % size_t(got.cols);
  }

  Random random{1};
  DType dtype;
  std::unique_ptr<Ops> ops_owner;
  Ops& ops;
};

INSTANTIATE_TEST_SUITE_P(Cpu, QuantOpsTest, ::testing::ValuesIn(all_ops_setups()),
                         [](const auto& i) { return name_of(i.param); });

// want (+)= scale * a b, or a b^T.
std::vector<double> product(const std::vector<double>& before, const std::vector<double>& a,
                            const std::vector<double>& w, Tensor shape, bool by_rows,
                            double scale) {
  const size_t out = size_t(shape.rows), in = size_t(shape.cols);
  const size_t n_a = by_rows ? out : in, n_c = by_rows ? in : out, n = a.size() / n_a;
  std::vector<double> c(n * n_c);
  for (size_t t = 0; t < n; t++)
    for (size_t o = 0; o < out; o++)
      for (size_t i = 0; i < in; i++) {
        if (by_rows)
          c[t * n_c + i] += scale * a[t * n_a + o] * w[o * in + i];
        else
          c[t * n_c + o] += scale * a[t * n_a + i] * w[o * in + i];
      }
  for (size_t i = 0; i < before.size(); i++) c[i] += before[i];
  return c;
}

// Row counts on both sides of the limit of the dot products; panels that are cut in both
// directions.
TEST_P(QuantOpsTest, MatmulForwardAndDx) {
  const int shapes[][3] = {{1, 33, 256},  {3, 70, 512},   {4, 64, 256},    {9, 1, 256},
                           {16, 40, 768}, {17, 20, 2304}, {17, 1050, 256}, {2, 2100, 256}};
  for (const DType w_type : kAllTypes)
    for (const auto& [n, out, in] : shapes)
      for (const bool adds : {false, true}) {
        const Tensor w = random_tensor(out, in, w_type), x = random_tensor(n, in, dtype);
        const Tensor y = random_tensor(n, out, adds ? DType::f32 : dtype);
        const std::vector<double> wide = values(w);
        const Accumulate accumulate = adds ? Accumulate::yes : Accumulate::no;
        const std::string what = std::string(dtype_name(w_type)) + " " + std::to_string(n) + " x " +
                                 std::to_string(out) + " x " + std::to_string(in);
        const auto before = [&](Tensor t) { return adds ? values(t) : std::vector<double>(); };

        std::vector<double> want = product(before(y), values(x), wide, w, false, adds ? 0.5 : 1);
        ops.matmul(y, x, w, adds ? 0.5f : 1, accumulate);
        expect_near(y, want, "matmul " + what);

        const Tensor dx = random_tensor(n, in, dtype);
        want = product(before(dx), values(y), wide, w, true, adds ? 0.5 : 1);
        ops.matmul_dx(dx, y, w, adds ? 0.5f : 1, accumulate);
        expect_near(dx, want, "dx " + what);
      }
}

TEST_P(QuantOpsTest, EmbedAndCopyGiveTheElements) {
  const std::vector<int> tokens = {6, 0, 3, 3, 8, 1};
  for (const DType type : kAllTypes) {
    const Tensor table = random_tensor(9, 768, type);
    const Tensor x = make_tensor(ops, 6, 768, dtype), all = make_tensor(ops, 9, 768, dtype);
    const Tensor same = make_tensor(ops, 9, 768, type);
    ops.embed(x, table, tokens);
    ops.copy(all, table);
    ops.copy(same, table);
    EXPECT_EQ(values(same), values(table));
    std::vector<double> want = values(table);
    if (dtype == DType::bf16)
      for (double& value : want) value = double(to_f32(to_bf16(float(value))));
    EXPECT_EQ(values(all), want);
    const std::vector<double> got = values(x);
    for (size_t i = 0; i < tokens.size(); i++)
      for (size_t j = 0; j < 768; j++)
        ASSERT_EQ(got[i * 768 + j], want[size_t(tokens[i]) * 768 + j]);
  }
}

// One thread: of several, each has its scratch from the first piece on that it gets, by chance.
TEST_P(QuantOpsTest, ScratchGrowsOnce) {
  const auto alone =
      make_cpu_ops_with({.n_threads = 1, .isa = GetParam().isa, .gemm = GetParam().gemm});
  const Tensor w = random_tensor(300, 512, DType::q4_k), x = random_tensor(40, 512, dtype);
  const Tensor y = make_tensor(ops, 40, 300, dtype);
  const auto forward = [&](int n) { alone->matmul(y.first(n), x.first(n), w, 1, Accumulate::no); };
  // Products of many rows and of few go different ways; each takes its scratch at its largest.
  for (const int n : {40, 32, 16}) forward(n);
  alone->matmul_dx(x, y, w, 1, Accumulate::no);
  const size_t bytes = alone->allocated_bytes();
  EXPECT_GT(bytes, 0u);
  for (const int n : {40, 1, 33, 17, 8}) forward(n);
  EXPECT_EQ(alone->allocated_bytes(), bytes);
}

// A row of a small batch has the bits that it has alone.
TEST_P(QuantOpsTest, FewRowsDoNotDependOnEachOther) {
  constexpr int kMost = 8, kOut = 130, kIn = 512;
  const Tensor x = random_tensor(kMost, kIn, dtype);
  const Tensor y = make_tensor(ops, kMost, kOut, dtype), one = make_tensor(ops, 1, kOut, dtype);
  std::vector<DType> types(std::begin(kAllTypes), std::end(kAllTypes));
  types.insert(types.end(), {DType::f32, DType::bf16});
  for (const DType type : types) {
    const Tensor w = random_tensor(kOut, kIn, type);
    for (int n = 2; n <= kMost; n++) {
      ops.matmul(y.first(n), x.first(n), w, 1, Accumulate::no);
      for (int row = 0; row < n; row++) {
        ops.matmul(one, x.slice(row, 1), w, 1, Accumulate::no);
        EXPECT_EQ(values(y.slice(row, 1)), values(one))
            << dtype_name(type) << ", row " << row << " of " << n;
      }
    }
  }
}

// Keys and values on their way into a pool, bit for bit by the obvious versions, with numbers at
// the edges of the types.
TEST_P(QuantOpsTest, KvStoreConverts) {
  constexpr int kRows = 40, kCols = 96;
  const Tensor wide = random_tensor(kRows, kCols, DType::f32);
  const float edges[] = {0,        -0.0f,       1e-7f,  3e-8f,   2.9e-8f, -6.1e-5f, 6.104e-5f,
                         65280.0f, 1.00390625f, 126.5f, -127.0f, 63.5f,   -0.5f,    1e-30f};
  std::copy(std::begin(edges), std::end(edges), wide.f32());
  std::fill_n(wide.slice(1, 1).f32(), 32, 0.0f);
  for (int i = 0; i < 31; i++) wide.slice(2, 1).f32()[i] = 0.5f * float(i) - 3;  // halves of a step
  wide.slice(2, 1).f32()[31] = 127;
  const Tensor x = make_tensor(ops, kRows, kCols, dtype);
  ops.copy(x, wide);
  ops.copy(wide, x);  // rounded, if to anything
  const int pages[] = {1, 0};
  for (const DType kv_type : {DType::f32, DType::bf16, DType::f16, DType::q8_0}) {
    const int pool_rows = 2 * 2 * kPageTokens;
    const KvPool pool{make_tensor(ops, pool_rows, kCols, kv_type),
                      make_tensor(ops, pool_rows, kCols, kv_type), 2, 2};
    const KvCache kv{&pool, pages};
    const chatmem::Run run{.kv = &kv, .n = kRows};
    ops.kv_store(x, x, {&run, 1}, 1);
    for (int r = 0; r < kRows; r++) {
      const float* row = wide.slice(r, 1).f32();
      std::vector<char> want(row_bytes(kv_type, kCols)), got(want.size());
      for (size_t i = 0; i < kCols && kv_type != DType::q8_0; i++) {
        const uint16_t half = kv_type == DType::bf16 ? to_bf16(row[i]).bits : to_f16(row[i]).bits;
        if (kv_type == DType::f32)
          std::memcpy(&want[4 * i], &row[i], 4);
        else
          std::memcpy(&want[2 * i], &half, 2);
      }
      if (kv_type == DType::q8_0) {
        ASSERT_TRUE(quantize_row(want.data(), row, kCols, kv_type));
      }
      for (const Tensor& t : {pool.k, pool.v}) {
        ops.copy_out(got.data(), t.slice(int(pool.row(pages[r / 32], 1, r % 32)), 1));
        EXPECT_EQ(got, want) << dtype_name(kv_type) << " row " << r;
      }
    }
  }
}

}  // namespace
}  // namespace chatmem
