// Every operation of the CPU against naive double precision, for each instruction set that the
// machine has, with and without oneDNN, in f32 and bf16. Inputs are rounded to the type of the
// tensor first, so that the reference sees the same numbers. Gradients are compared with central
// differences of the same references.
#include "compute/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "compute/gemm.h"
#include "compute/quant.h"
#include "ops_setups.h"

namespace chatmem {
namespace {

// -- matrices of doubles and their way to the device

struct Mat {
  int rows = 0, cols = 0;
  std::vector<double> v;

  Mat() = default;
  Mat(int r, int c) : rows(r), cols(c), v(size_t(r) * size_t(c)) {}
  double& operator()(int r, int c) { return v[size_t(r) * size_t(cols) + size_t(c)]; }
  double operator()(int r, int c) const { return v[size_t(r) * size_t(cols) + size_t(c)]; }
};

Mat random_mat(Random& random, int rows, int cols, double scale = 1) {
  Mat m(rows, cols);
  for (double& x : m.v) x = random.normal() * scale;
  return m;
}

// Round to nearest even f16 for magnitudes below 65504, subnormal values included.
uint16_t f16_bits(double x) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  int exponent = 0;
  std::frexp(x, &exponent);
  exponent = std::max(exponent - 1, -14);
  const double steps = std::nearbyint(std::ldexp(std::fabs(x), 10 - exponent));  // of one ulp
  return uint16_t(sign + uint16_t((exponent + 14) << 10) + uint16_t(steps));
}

double round_to(DType dtype, double x) {
  if (dtype == DType::f32) return double(float(x));
  if (dtype == DType::bf16) return double(to_f32(to_bf16(float(x))));
  return double(to_f32(f16{f16_bits(x)}));
}

Mat download(Ops& ops, Tensor t) {
  Mat m(t.rows, t.cols);
  std::vector<char> bytes(t.size_bytes());
  ops.copy_out(bytes.data(), t);
  for (size_t i = 0; i < m.v.size(); i++) {
    if (t.dtype == DType::f32) {
      m.v[i] = double(reinterpret_cast<const float*>(bytes.data())[i]);
    } else {
      const uint16_t bits = reinterpret_cast<const uint16_t*>(bytes.data())[i];
      m.v[i] = double(t.dtype == DType::bf16 ? to_f32(bf16{bits}) : to_f32(f16{bits}));
    }
  }
  return m;
}

// Rounds m to dtype, and copies it to a new tensor.
Tensor upload(Ops& ops, Mat& m, DType dtype) {
  const Tensor t = make_tensor(ops, m.rows, m.cols, dtype);
  std::vector<char> bytes(t.size_bytes());
  for (size_t i = 0; i < m.v.size(); i++) {
    m.v[i] = round_to(dtype, m.v[i]);
    if (dtype == DType::f32) {
      reinterpret_cast<float*>(bytes.data())[i] = float(m.v[i]);
    } else {
      reinterpret_cast<uint16_t*>(bytes.data())[i] =
          dtype == DType::bf16 ? to_bf16(float(m.v[i])).bits : f16_bits(m.v[i]);
    }
  }
  ops.copy_in(t, bytes.data());
  return t;
}

double rms(const Mat& m) {
  double sum = 0;
  for (const double x : m.v) sum += x * x;
  return std::sqrt(sum / double(std::max<size_t>(m.v.size(), 1)));
}

// Errors are relative to the element, or to the typical element where it is smaller.
void expect_near(const Mat& got, const Mat& want, double tolerance, const std::string& what) {
  ASSERT_EQ(got.v.size(), want.v.size());
  const double typical = rms(want);
  for (size_t i = 0; i < got.v.size(); i++)
    ASSERT_LE(std::fabs(got.v[i] - want.v[i]), tolerance * (std::fabs(want.v[i]) + typical + 1e-30))
        << what << " at row " << i / size_t(want.cols) << ", column " << i % size_t(want.cols)
        << ": got " << got.v[i] << ", want " << want.v[i];
}

// got == d loss / d input, by central differences at some elements. `unit` is the size of the terms
// that may cancel in it.
void expect_gradient(const Mat& got, Mat& input, const std::function<double()>& loss,
                     double tolerance, const std::string& what, double unit = 1e-6) {
  ASSERT_EQ(got.v.size(), input.v.size());
  Random random(5);
  const double typical = rms(got), step = 1e-4;
  for (int i = 0; i < 24; i++) {
    const size_t at = size_t(random.below(input.v.size()));
    const double before = input.v[at];
    input.v[at] = before + step;
    const double above = loss();
    input.v[at] = before - step;
    const double below = loss();
    input.v[at] = before;
    const double want = (above - below) / (2 * step);
    ASSERT_LE(std::fabs(got.v[at] - want), tolerance * (std::fabs(want) + typical + unit))
        << what << " at element " << at << ": got " << got.v[at] << ", want " << want;
  }
}

double dot(const Mat& a, const Mat& b) {
  return std::inner_product(a.v.begin(), a.v.end(), b.v.begin(), 0.0);
}
Mat plus(Mat a, const Mat& b) {
  for (size_t i = 0; i < a.v.size(); i++) a.v[i] += b.v[i];
  return a;
}

// -- references

Mat ref_matmul(const Mat& x, const Mat& w, double scale) {
  Mat y(x.rows, w.rows);
  for (int t = 0; t < x.rows; t++)
    for (int o = 0; o < w.rows; o++) {
      double sum = 0;
      for (int i = 0; i < x.cols; i++) sum += x(t, i) * w(o, i);
      y(t, o) = scale * sum;
    }
  return y;
}

Mat transpose(const Mat& m) {
  Mat t(m.cols, m.rows);
  for (int r = 0; r < m.rows; r++)
    for (int c = 0; c < m.cols; c++) t(c, r) = m(r, c);
  return t;
}

Mat ref_rmsnorm(const Mat& x, const Mat& w, double eps) {
  Mat y(x.rows, x.cols);
  for (int t = 0; t < x.rows; t++) {
    double sum = 0;
    for (int i = 0; i < x.cols; i++) sum += x(t, i) * x(t, i);
    for (int i = 0; i < x.cols; i++) y(t, i) = x(t, i) / std::sqrt(sum / x.cols + eps) * w(0, i);
  }
  return y;
}

Mat ref_swiglu(const Mat& gate, const Mat& up) {
  Mat h = gate;
  for (size_t i = 0; i < h.v.size(); i++) h.v[i] = gate.v[i] / (1 + std::exp(-gate.v[i])) * up.v[i];
  return h;
}

Mat ref_rope(const Mat& x, const std::vector<int>& positions, const Mat& inv_freq,
             RopeLayout layout, int sign) {
  Mat y = x;
  const int half = inv_freq.cols, head_dim = 2 * half;
  for (int t = 0; t < x.rows; t++)
    for (int h = 0; h < x.cols / head_dim; h++)
      for (int i = 0; i < half; i++) {
        const double angle = sign * double(float(positions[size_t(t)]) * float(inv_freq(0, i)));
        const int a = h * head_dim + (layout == RopeLayout::half ? i : 2 * i);
        const int b = layout == RopeLayout::half ? a + half : a + 1;
        y(t, a) = x(t, a) * std::cos(angle) - x(t, b) * std::sin(angle);
        y(t, b) = x(t, b) * std::cos(angle) + x(t, a) * std::sin(angle);
      }
  return y;
}

struct AttentionResult {
  Mat out, lse;
};

// A sequence's keys and values by position.
struct Sequence {
  Mat k, v;
};

AttentionResult ref_attention(const Mat& q, std::span<const Run> runs,
                              std::span<const Sequence* const> sequences, Heads heads) {
  AttentionResult result{Mat(q.rows, q.cols), Mat(q.rows, heads.n_heads)};
  const int group = heads.n_heads / heads.n_kv_heads, d = heads.head_dim;
  for (size_t r = 0; r < runs.size(); r++)
    for (int t = 0; t < runs[r].n; t++)
      for (int h = 0; h < heads.n_heads; h++) {
        const Sequence& s = *sequences[r];
        const int row = runs[r].row + t, col = h / group * d;
        std::vector<double> scores(size_t(runs[r].pos + t) + 1);
        for (size_t p = 0; p < scores.size(); p++) {
          for (int i = 0; i < d; i++) scores[p] += q(row, h * d + i) * s.k(int(p), col + i);
          scores[p] /= std::sqrt(double(d));
        }
        const double max = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        for (double& x : scores) sum += x = std::exp(x - max);
        result.lse(row, h) = max + std::log(sum);
        for (size_t p = 0; p < scores.size(); p++)
          for (int i = 0; i < d; i++)
            result.out(row, h * d + i) += scores[p] / sum * s.v(int(p), col + i);
      }
  return result;
}

class OpsTest : public ::testing::TestWithParam<OpsSetup> {
 protected:
  using Run = chatmem::Run;  // not Test::Run

  OpsTest()
      : dtype(GetParam().dtype),
        ops_owner(make_cpu_ops_with({.isa = GetParam().isa, .gemm = GetParam().gemm})),
        ops(*ops_owner) {}

  Tensor up(Mat& m) { return upload(ops, m, dtype); }
  Tensor up(Mat& m, DType type) { return upload(ops, m, type); }
  Mat random_m(int rows, int cols, double scale = 1) {
    return random_mat(random, rows, cols, scale);
  }
  // One rounding of bf16 is 2^-9; sums of rounded inputs are exact to f32.
  double tolerance() const { return dtype == DType::f32 ? 2e-5 : 8e-3; }

  Random random{1};
  DType dtype;
  std::unique_ptr<Ops> ops_owner;
  Ops& ops;
};

INSTANTIATE_TEST_SUITE_P(Cpu, OpsTest, ::testing::ValuesIn(all_ops_setups()),
                         [](const auto& i) { return name_of(i.param); });

// -- memory

TEST_P(OpsTest, AllocIsZeroedAlignedAndCounted) {
  const size_t before = ops.allocated_bytes();
  for (const size_t bytes : {size_t(1), size_t(1000), size_t(5) << 20}) {
    const char* p = static_cast<const char*>(ops.alloc(bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % 64, 0u);
    EXPECT_EQ(std::count(p, p + bytes, 0), std::ptrdiff_t(bytes));
  }
  EXPECT_EQ(ops.allocated_bytes() - before, 1001 + (size_t(5) << 20));
}

TEST_P(OpsTest, CopyConvertsAsTheBaseDoes) {
  for (const DType from : {DType::f32, DType::bf16, DType::f16}) {
    Mat m = random_m(3, 1033);
    m(0, 0) = 0;
    m(0, 1) = -0.0;
    m(0, 2) = 3e-6;        // subnormal in f16
    m(0, 3) = 1.00390625;  // halfway between two bf16
    const Tensor src = up(m, from), dst = make_tensor(ops, 3, 1033, dtype);
    ops.copy(dst, src);
    for (double& x : m.v) x = round_to(dtype, x);
    EXPECT_EQ(download(ops, dst).v, m.v);
    ops.zero(dst);
    EXPECT_EQ(download(ops, dst).v, Mat(3, 1033).v);
  }
  if (dtype == DType::bf16) {
    const float special[] = {INFINITY, -INFINITY, NAN};
    const Tensor src = make_tensor(ops, 1, 3, DType::f32), dst = make_tensor(ops, 1, 3, dtype);
    ops.copy_in(src, special);
    ops.copy(dst, src);
    const Mat got = download(ops, dst);
    EXPECT_EQ(got.v[0], INFINITY);
    EXPECT_EQ(got.v[1], -INFINITY);
    EXPECT_TRUE(std::isnan(got.v[2]));
  }
}

// -- rows

TEST_P(OpsTest, EmbedGatherScatter) {
  const std::vector<int> tokens = {6, 0, 3, 3, 8, 1};
  for (const DType type : {DType::f32, DType::bf16, DType::f16}) {
    Mat table = random_m(9, 37);
    const Tensor t = up(table, type), x = make_tensor(ops, 6, 37, dtype);
    ops.embed(x, t, tokens);
    const Mat got = download(ops, x);
    for (int i = 0; i < 6; i++)
      for (int j = 0; j < 37; j++)
        ASSERT_EQ(got(i, j), round_to(dtype, table(tokens[size_t(i)], j)));
  }
  Mat dx = random_m(6, 37), dtable = random_m(9, 37);
  const Tensor d = up(dx), dt = up(dtable, DType::f32);
  ops.embed_backward(dt, d, tokens);
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 37; j++) dtable(tokens[size_t(i)], j) += dx(i, j);
  expect_near(download(ops, dt), dtable, 1e-6, "dtable");

  const std::vector<int> rows = {5, 2, 0};
  Mat dy = random_m(3, 37);
  const Tensor y = make_tensor(ops, 3, 37, dtype), dyt = up(dy);
  ops.gather_rows(y, d, rows);
  ops.scatter_rows(d, dyt, rows);
  const Mat gathered = download(ops, y);
  Mat scattered = dx;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 37; j++) {
      ASSERT_EQ(gathered(i, j), dx(rows[size_t(i)], j));
      scattered(rows[size_t(i)], j) += dy(i, j);
    }
  expect_near(download(ops, d), scattered, tolerance(), "scatter");
}

TEST_P(OpsTest, Rmsnorm) {
  for (const int rows : {1, 3, 33, 257})
    for (const int cols : {8, 33, 200}) {
      Mat x = random_m(rows, cols), w = random_m(1, cols), dy = random_m(rows, cols);
      Mat dx = random_m(rows, cols), dw = random_m(1, cols);
      const Tensor xt = up(x), wt = up(w, DType::f32), y = make_tensor(ops, rows, cols, dtype);
      ops.rmsnorm(y, xt, wt, 1e-5f);
      expect_near(download(ops, y), ref_rmsnorm(x, w, 1e-5), tolerance(), "rmsnorm");
      ops.rmsnorm(y, up(x, DType::f32), wt, 1e-5f);
      expect_near(download(ops, y), ref_rmsnorm(x, w, 1e-5), tolerance(), "rmsnorm of f32");

      const Tensor dyt = up(dy), dxt = up(dx), dwt = up(dw, DType::f32);
      ops.rmsnorm_backward(dxt, dwt, dyt, xt, wt, 1e-5f);
      const auto loss = [&] { return dot(ref_rmsnorm(x, w, 1e-5), dy); };
      Mat got_dx = download(ops, dxt), got_dw = download(ops, dwt);
      // What was there before is added; take it away again.
      for (size_t i = 0; i < dx.v.size(); i++) got_dx.v[i] -= dx.v[i];
      for (size_t i = 0; i < dw.v.size(); i++) got_dw.v[i] -= dw.v[i];
      expect_gradient(got_dx, x, loss, 3 * tolerance(), "dx");
      expect_gradient(got_dw, w, loss, 1e-4, "dw");
      ops.rmsnorm_backward(dxt, {}, dyt, xt, wt, 1e-5f);
      ops.rmsnorm(y, xt, wt, 1e-5f);
      ops.rmsnorm(xt, xt, wt, 1e-5f);
      EXPECT_EQ(download(ops, xt).v, download(ops, y).v) << "y may be x";
    }
}

TEST_P(OpsTest, RmsnormRoundsAsHuggingFace) {
  if (dtype != DType::bf16) GTEST_SKIP() << "bf16 alone";
  Mat x = random_m(2, 64), w = random_m(1, 64);
  const Tensor xt = up(x), wt = up(w, DType::f32);
  ops.rmsnorm(xt, xt, wt, 1e-5f);
  Mat ones(1, 64);
  ones.v.assign(64, 1);
  const Mat normalized = ref_rmsnorm(x, ones, 1e-5), got = download(ops, xt);
  int same = 0;
  for (int t = 0; t < 2; t++)
    for (int i = 0; i < 64; i++)
      same += got(t, i) == round_to(dtype, round_to(dtype, normalized(t, i)) * w(0, i));
  EXPECT_GE(same, 127);  // a tie may fall the other way in f32
}

TEST_P(OpsTest, SwigluAndAdd) {
  for (const int rows : {1, 3, 257}) {
    const int cols = 77;
    Mat gate = random_m(rows, cols, 3), upm = random_m(rows, cols), dh = random_m(rows, cols);
    gate.v[0] = 60;
    gate.v[1] = -60;
    gate.v[2] = -200;
    const Tensor g = up(gate), u = up(upm), d = up(dh), h = make_tensor(ops, rows, cols, dtype);
    ops.swiglu(h, g, u);
    const Mat want = ref_swiglu(gate, upm);
    expect_near(download(ops, h), want, tolerance(), "swiglu");
    const Tensor sum = up(dh);
    ops.add(sum, u);
    expect_near(download(ops, sum), plus(dh, upm), tolerance(), "add");

    for (const int alias : {0, 1}) {
      Mat copy = alias ? upm : gate;
      const Tensor out = up(copy);
      ops.swiglu(out, alias ? g : out, alias ? out : u);
      EXPECT_EQ(download(ops, out).v, download(ops, h).v) << "h may be gate or up";
    }
    const Tensor dg = make_tensor(ops, rows, cols, dtype);
    const Tensor du = make_tensor(ops, rows, cols, dtype);
    ops.swiglu_backward(dg, du, d, g, u);
    const auto loss = [&] { return dot(ref_swiglu(gate, upm), dh); };
    expect_gradient(download(ops, dg), gate, loss, tolerance(), "dgate");
    expect_gradient(download(ops, du), upm, loss, tolerance(), "dup");
    ops.swiglu_backward(g, u, d, g, u);
    EXPECT_EQ(download(ops, g).v, download(ops, dg).v) << "dgate may be gate";
    EXPECT_EQ(download(ops, u).v, download(ops, du).v) << "dup may be up";
  }
}

TEST_P(OpsTest, Rope) {
  for (const int head_dim : {8, 16, 80})
    for (const RopeLayout layout : {RopeLayout::half, RopeLayout::interleaved}) {
      const Run runs[] = {{.row = 0, .n = 5, .pos = 0}, {.row = 5, .n = 28, .pos = 4000}};
      std::vector<int> positions;
      for (const Run& run : runs)
        for (int i = 0; i < run.n; i++) positions.push_back(run.pos + i);
      Mat x = random_m(33, 3 * head_dim), inv_freq(1, head_dim / 2);
      for (int i = 0; i < head_dim / 2; i++)
        inv_freq(0, i) = std::pow(500000.0, -2.0 * i / head_dim);
      const Tensor t = up(x), f = up(inv_freq, DType::f32);
      const Tensor cos_sin = make_tensor(ops, 33, head_dim, DType::f32);
      ops.rope_table(cos_sin, runs, f);
      ops.rope(t, cos_sin, head_dim, layout, 1);
      expect_near(download(ops, t), ref_rope(x, positions, inv_freq, layout, 1), tolerance(),
                  "rope");
      const Tensor back = up(x);
      ops.rope(back, cos_sin, head_dim, layout, -1);
      expect_near(download(ops, back), ref_rope(x, positions, inv_freq, layout, -1), tolerance(),
                  "rope backward");
    }
}

// -- products

// Row counts on both sides of the limit of the dot products, sizes that fill no register or block.
TEST_P(OpsTest, MatmulForwardAndDx) {
  const int shapes[][3] = {{1, 33, 65},   {2, 7, 5},     {3, 64, 100},  {4, 130, 48},  {5, 16, 16},
                           {33, 77, 129}, {257, 65, 33}, {7, 1100, 40}, {6, 40, 2100}, {9, 1, 1}};
  for (const auto& [n, out, in] : shapes)
    for (const DType w_type : {DType::f32, DType::bf16, DType::f16})
      for (const bool wide : {false, true})
        for (const Accumulate accumulate : {Accumulate::no, Accumulate::yes}) {
          const DType y_type = wide ? DType::f32 : dtype;
          const bool adds = accumulate == Accumulate::yes;
          const double scale = adds ? 0.5 : 1;
          Mat x = random_m(n, in), w = random_m(out, in, 0.1), y = random_m(n, out);
          Mat dx = random_m(n, in);
          const Tensor xt = up(x), wt = up(w, w_type), yt = up(y, y_type);
          ops.matmul(yt, xt, wt, float(scale), accumulate);
          Mat want = ref_matmul(x, w, scale);
          if (adds) want = plus(want, y);
          const double tol = y_type == DType::f32 ? 2e-5 : tolerance();
          expect_near(download(ops, yt), want, tol, "matmul " + std::to_string(n));

          Mat dy = random_m(n, out);
          const Tensor dyt = up(dy, y_type), dxt = up(dx);
          ops.matmul_dx(dxt, dyt, wt, float(scale), accumulate);
          want = ref_matmul(dy, transpose(w), scale);
          if (adds) want = plus(want, dx);
          expect_near(download(ops, dxt), want, 2 * tolerance(), "dx " + std::to_string(n));
        }
}

TEST_P(OpsTest, MatmulDw) {
  const int shapes[][3] = {{1, 33, 65}, {3, 8, 100}, {33, 77, 129}, {257, 65, 33}, {5, 300, 17}};
  for (const auto& [n, out, in] : shapes)
    for (const bool wide : {false, true}) {
      Mat x = random_m(n, in), dy = random_m(n, out), dw = random_m(out, in);
      const Tensor xt = up(x), dyt = up(dy, wide ? DType::f32 : dtype), dwt = up(dw, DType::f32);
      ops.matmul_dw(dwt, dyt, xt, 0.25f);
      const Mat want = plus(ref_matmul(transpose(dy), transpose(x), 0.25), dw);
      expect_near(download(ops, dwt), want, wide ? tolerance() : 2e-5, "dw");
    }
}

// -- attention

struct AttentionCase {
  Heads heads;
  std::vector<std::pair<int, int>> runs;  // (pos, n)
};

const std::vector<AttentionCase>& attention_cases() {
  static const std::vector<AttentionCase> kCases = {
      {{1, 1, 8, 0}, {{0, 1}}},
      {{4, 1, 16, 1}, {{0, 33}, {0, 1}, {0, 70}}},
      {{6, 2, 64, 0}, {{0, 3}, {31, 1}, {32, 2}, {100, 1}}},
      {{4, 4, 80, 2}, {{0, 40}, {57, 9}}},
      {{8, 2, 128, 1}, {{0, 65}, {200, 1}}},
      {{3, 1, 20, 0}, {{5, 257}}},
      {{4, 2, 16, 0}, {{0, 33}, {70, 1}}},
  };
  return kCases;
}

// A pool with shuffled pages that holds the sequences of a case.
struct Cache {
  KvPool pool;
  std::vector<std::vector<int>> pages;
  std::vector<KvCache> kvs;
  std::vector<Sequence> sequences;
  std::vector<const Sequence*> of_run;
  std::vector<Run> runs;
  int n = 0;
};

// m as a pool of this type holds it, by the obvious versions.
void round_to_kv(Mat& m, DType dtype) {
  if (dtype != DType::q8_0) {
    for (double& x : m.v) x = round_to(dtype, x);
    return;
  }
  std::vector<float> row(size_t(m.cols));
  std::vector<char> bytes(row_bytes(dtype, row.size()));
  for (int r = 0; r < m.rows; r++) {
    double* values = &m(r, 0);
    std::copy_n(values, m.cols, row.begin());
    CHECK(quantize_row(bytes.data(), row.data(), m.cols, dtype));
    dequantize_row(row.data(), bytes.data(), m.cols, dtype);
    std::copy(row.begin(), row.end(), values);
  }
}

// The keys and values come in `dtype`; the pool is of kv_type.
void fill_cache(Ops& ops, Random& random, const AttentionCase& c, DType dtype, DType kv_type,
                Cache& cache) {
  const int kv_dim = c.heads.n_kv_heads * c.heads.head_dim;
  cache.pool.n_layers = 3;
  for (const auto& [pos, n] : c.runs)
    cache.pool.n_pages += (pos + n + kPageTokens - 1) / kPageTokens;
  const int rows = cache.pool.n_pages * 3 * kPageTokens;
  cache.pool.k = make_tensor(ops, rows, kv_dim, kv_type);
  cache.pool.v = make_tensor(ops, rows, kv_dim, kv_type);
  std::vector<int> order(size_t(cache.pool.n_pages));
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(std::span(order));
  cache.pages.reserve(c.runs.size());
  cache.kvs.reserve(c.runs.size());
  cache.sequences.reserve(c.runs.size());
  int kv_row = 0;
  for (const auto& [pos, n] : c.runs) {
    const size_t n_pages = size_t((pos + n + kPageTokens - 1) / kPageTokens);
    cache.pages.emplace_back(order.end() - std::ptrdiff_t(n_pages), order.end());
    order.resize(order.size() - n_pages);
    cache.kvs.push_back({&cache.pool, cache.pages.back()});
    Mat k = random_mat(random, pos + n, kv_dim), v = random_mat(random, pos + n, kv_dim);
    const Run all = {.kv = &cache.kvs.back(), .n = pos + n};
    ops.kv_store(upload(ops, k, dtype), upload(ops, v, dtype), {&all, 1}, c.heads.kv_layer);
    round_to_kv(k, kv_type), round_to_kv(v, kv_type);
    cache.sequences.push_back({std::move(k), std::move(v)});
    cache.of_run.push_back(&cache.sequences.back());
    cache.runs.push_back(
        {.kv = &cache.kvs.back(), .row = cache.n, .n = n, .pos = pos, .kv_row = kv_row});
    cache.n += n;
    kv_row += pos + n;
  }
}

constexpr DType kKvTypes[] = {DType::f32, DType::bf16, DType::f16, DType::q8_0};

TEST_P(OpsTest, Attention) {
  for (const AttentionCase& c : attention_cases())
    for (const DType kv_type : kKvTypes) {
      if (c.heads.n_kv_heads * c.heads.head_dim % int(block_elements(kv_type)) != 0) continue;
      Cache cache;
      fill_cache(ops, random, c, dtype, kv_type, cache);
      Mat q = random_m(cache.n, c.heads.n_heads * c.heads.head_dim, 2);
      const Tensor qt = up(q), out = make_tensor(ops, q.rows, q.cols, dtype);
      const Tensor lse = make_tensor(ops, q.rows, c.heads.n_heads, DType::f32);
      ops.attention(out, lse, qt, cache.runs, c.heads);
      const AttentionResult want = ref_attention(q, cache.runs, cache.of_run, c.heads);
      expect_near(download(ops, out), want.out, tolerance(), "attention");
      expect_near(download(ops, lse), want.lse, 2e-5, "lse");
      ops.attention(qt, {}, qt, cache.runs, c.heads);
      EXPECT_EQ(download(ops, qt).v, download(ops, out).v) << "out may be q; lse may be empty";
    }
}

// With `split`, every run becomes two of the same sequence.
TEST_P(OpsTest, AttentionBackward) {
  for (const AttentionCase& c : attention_cases())
    for (const bool split : {false, true}) {
      if (c.runs[0].second > 70) continue;  // the reference is too slow
      Cache cache;
      fill_cache(ops, random, c, dtype, dtype, cache);
      std::vector<Run> runs;
      std::vector<const Sequence*> of_run;
      for (size_t i = 0; i < cache.runs.size(); i++) {
        const Run& run = cache.runs[i];
        const int head = split ? run.n / 2 : 0;
        if (head > 0) {
          Run first = run;
          first.n = head;
          runs.push_back(first);
          of_run.push_back(cache.of_run[i]);
        }
        Run rest = run;
        rest.row += head, rest.pos += head, rest.n -= head;
        runs.push_back(rest);
        of_run.push_back(cache.of_run[i]);
      }
      const int q_dim = c.heads.n_heads * c.heads.head_dim,
                kv_dim = q_dim / c.heads.n_heads * c.heads.n_kv_heads;
      const Run& last = cache.runs.back();
      const int kv_rows = last.kv_row + last.pos + last.n;
      Mat q = random_m(cache.n, q_dim), dout = random_m(cache.n, q_dim);
      Mat dk = random_m(kv_rows, kv_dim), dv = random_m(kv_rows, kv_dim);
      const Tensor qt = up(q), doutt = up(dout), out = make_tensor(ops, cache.n, q_dim, dtype);
      const Tensor lse = make_tensor(ops, cache.n, c.heads.n_heads, DType::f32);
      ops.attention(out, lse, qt, runs, c.heads);
      const Tensor dq = make_tensor(ops, cache.n, q_dim, dtype), dkt = up(dk), dvt = up(dv);
      ops.attention_backward(dq, dkt, dvt, doutt, out, lse, qt, runs, c.heads);

      const auto loss = [&] { return dot(ref_attention(q, runs, of_run, c.heads).out, dout); };
      // The gradients are added to values of size 1, and bf16 rounds the sum.
      const double tol = dtype == DType::f32 ? 1e-4 : 2e-2, unit = dtype == DType::f32 ? 0.1 : 2;
      expect_gradient(download(ops, dq), q, loss, tol, "dq", unit);
      Mat got_dk = download(ops, dkt), got_dv = download(ops, dvt);
      for (size_t i = 0; i < cache.sequences.size(); i++) {
        const Run& run = cache.runs[i];
        Mat dk_i(run.pos + run.n, kv_dim), dv_i(run.pos + run.n, kv_dim);
        for (int p = 0; p < dk_i.rows; p++)
          for (int j = 0; j < kv_dim; j++) {
            dk_i(p, j) = got_dk(run.kv_row + p, j) - dk(run.kv_row + p, j);
            dv_i(p, j) = got_dv(run.kv_row + p, j) - dv(run.kv_row + p, j);
          }
        expect_gradient(dk_i, cache.sequences[i].k, loss, tol, "dk", unit);
        expect_gradient(dv_i, cache.sequences[i].v, loss, tol, "dv", unit);
      }
      ops.attention_backward(doutt, dkt, dvt, doutt, out, lse, qt, runs, c.heads);
      EXPECT_EQ(download(ops, doutt).v, download(ops, dq).v) << "dq may be dout";
    }
}

// -- loss and optimizer

double ref_log_softmax(const Mat& logits, int row, int target) {
  double max = -INFINITY, sum = 0;
  for (int i = 0; i < logits.cols; i++) max = std::max(max, logits(row, i));
  for (int i = 0; i < logits.cols; i++) sum += std::exp(logits(row, i) - max);
  return logits(row, target) - max - std::log(sum);
}

TEST_P(OpsTest, CrossEntropyAndLogprobs) {
  for (const int cols : {3, 100, 5001}) {
    Mat logits = random_m(33, cols, 4);
    std::vector<int> targets(33);
    for (int& t : targets) t = int(random.below(uint64_t(cols)));
    targets[4] = targets[32] = -1;
    logits(7, targets[7]) = 80;
    const Tensor t = up(logits, DType::f32);
    const auto loss = [&] {
      double total = 0;
      for (int i = 0; i < 33; i++)
        if (targets[size_t(i)] >= 0) total -= ref_log_softmax(logits, i, targets[size_t(i)]);
      return total;
    };
    std::vector<float> logprobs(33);
    ops.target_logprobs(logprobs, t, targets);
    EXPECT_EQ(download(ops, t).v, logits.v);
    for (int i = 0; i < 33; i++) {
      const double want =
          targets[size_t(i)] < 0 ? 0 : ref_log_softmax(logits, i, targets[size_t(i)]);
      EXPECT_NEAR(double(logprobs[size_t(i)]), want, 2e-6 * (1 + std::fabs(want)));
    }
    const double got = ops.cross_entropy(t, targets, 0.5f);
    EXPECT_NEAR(got, loss(), 1e-6 * std::fabs(loss()));
    Mat gradient = download(ops, t);
    for (double& x : gradient.v) x *= 2;
    expect_gradient(gradient, logits, loss, 1e-5, "logits");
    for (int i = 0; i < cols; i++) EXPECT_EQ(gradient(4, i), 0);
    double sum = 0;
    for (int i = 0; i < cols; i++) sum += gradient(0, i);
    EXPECT_NEAR(sum, 0, 1e-5) << "softmax - onehot adds up to nothing";
  }
}

TEST_P(OpsTest, AdamwAndSumSquares) {
  Mat w = random_m(37, 101), g = random_m(37, 101), m(37, 101), v(37, 101);
  const Tensor wt = up(w, DType::f32), gt = up(g, DType::f32), mt = up(m, DType::f32),
               vt = up(v, DType::f32), copy = make_tensor(ops, 37, 101, dtype);
  EXPECT_NEAR(ops.sum_squares(gt), dot(g, g), 1e-6 * dot(g, g));
  AdamwStep step = {.lr = 0.01f, .weight_decay = 0.1f, .grad_scale = 0.5f};
  for (step.step = 1; step.step <= 3; step.step++) {
    ops.adamw(wt, copy, gt, mt, vt, step);
    const double bias1 = 1 - std::pow(0.9, step.step), bias2 = 1 - std::pow(0.999, step.step);
    for (size_t i = 0; i < w.v.size(); i++) {
      const double grad = g.v[i] * 0.5;
      w.v[i] *= 1 - 0.01 * 0.1;
      m.v[i] = 0.9 * m.v[i] + 0.1 * grad;
      v.v[i] = 0.999 * v.v[i] + 0.001 * grad * grad;
      w.v[i] -= 0.01 / bias1 * m.v[i] / (std::sqrt(v.v[i]) / std::sqrt(bias2) + 1e-8);
    }
  }
  expect_near(download(ops, wt), w, 1e-5, "w");
  expect_near(download(ops, mt), m, 1e-5, "m");
  expect_near(download(ops, vt), v, 5e-5, "v");  // 1 - beta2 is known to 3e-5 in f32
  Mat rounded = download(ops, wt);
  for (double& x : rounded.v) x = round_to(dtype, x);
  EXPECT_EQ(download(ops, copy).v, rounded.v);
}

// -- across setups

TEST(Ops, SameBitsTwice) {
  for (int threads : {1, 2, 3}) {
    std::vector<double> first;
    for (int run = 0; run < 2; run++) {
      Random random(3);
      const auto ops = make_cpu_ops({.n_threads = threads});
      Mat x = random_mat(random, 65, 300), w = random_mat(random, 1000, 300);
      const Tensor y = make_tensor(*ops, 65, 1000, DType::f32);
      ops->matmul(y, upload(*ops, x, DType::f32), upload(*ops, w, DType::f32), 1, Accumulate::no);
      std::vector<double> bits = download(*ops, y).v;
      bits.push_back(ops->sum_squares(y));
      const std::vector<int> targets(65, 5);
      bits.push_back(ops->cross_entropy(y, targets, 1));
      if (run == 0) first = bits;
      EXPECT_EQ(bits, first);
    }
  }
}

TEST(Ops, SumSquaresDoesNotDependOnThreads) {
  Random random(3);
  Mat x = random_mat(random, 300, 1001);
  std::vector<double> sums;
  for (const int threads : {1, 2, 5}) {
    const auto ops = make_cpu_ops({.n_threads = threads});
    sums.push_back(ops->sum_squares(upload(*ops, x, DType::f32)));
  }
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_EQ(sums[0], sums[2]);
}

// By one thread: each has its own, from its first piece of work on, which it gets by chance.
TEST(Ops, ScratchGrowsOnce) {
  const auto ops = make_cpu_ops_with({.n_threads = 1, .isa = choose_isa()});
  Random random(3);
  Mat x = random_mat(random, 40, 300), w = random_mat(random, 500, 300);
  const Tensor xt = upload(*ops, x, DType::bf16), wt = upload(*ops, w, DType::f16);
  const Tensor y = make_tensor(*ops, 40, 500, DType::bf16);
  ops->matmul(y, xt, wt, 1, Accumulate::no);
  const size_t bytes = ops->allocated_bytes();
  for (const int n : {40, 1, 17}) ops->matmul(y.first(n), xt.first(n), wt, 1, Accumulate::no);
  EXPECT_EQ(ops->allocated_bytes(), bytes);
}

TEST(Ops, UnknownIsaIsRefused) {
  const char* before = std::getenv("CHATMEM_ISA");
  const std::string saved = before ? before : "";
  ::setenv("CHATMEM_ISA", "avx9000", 1);
  EXPECT_THROW(make_cpu_ops(), Error);
  ::setenv("CHATMEM_ISA", saved.c_str(), 1);  // empty: the best
  EXPECT_NO_THROW(make_cpu_ops());
}

#ifdef CHATMEM_DNNL
// More shapes than the library's cache holds, each against the plain product.
TEST(Ops, DnnlEqualsPlainForManyShapes) {
  const CpuDevice device = {choose_isa(), &kernels_of(choose_isa()), 2};
  const auto plain = make_plain_gemm(device), fast = make_dnnl_gemm(device);
  Random random(9);
  std::vector<float> a(300 * 40), b(300 * 40);
  for (float& x : a) x = float(random.normal());
  for (float& x : b) x = float(random.normal());
  for (int m = 1; m <= 300; m++) {
    const int n = 1 + m % 37, k = 1 + m % 40;
    std::vector<float> want(size_t(m * n), 1), got = want;
    GemmCall call = {.c_stride = size_t(n),
                     .a = {a.data(), DType::f32, size_t(k), 1},
                     .b = {b.data(), DType::f32, 1, size_t(k)},
                     .m = m,
                     .n = n,
                     .k = k,
                     .scale = 0.5f,
                     .accumulate = m % 2 ? Accumulate::yes : Accumulate::no};
    call.c = want.data();
    plain->run(call);
    call.c = got.data();
    fast->run(call);
    for (size_t i = 0; i < got.size(); i++) ASSERT_NEAR(got[i], want[i], 2e-5) << m;
  }
}

// The library's own exception is no Error, and would end the program without its hint.
TEST(Ops, DnnlErrorsNameTheProduct) {
  const CpuDevice device = {choose_isa(), &kernels_of(choose_isa()), 1};
  const auto gemm = make_dnnl_gemm(device);
  std::vector<float> x(64);
  const GemmCall overlapping = {.c = x.data(),
                                .c_stride = 1,  // rows of 4 elements, one element apart
                                .a = {x.data(), DType::f32, 4, 1},
                                .b = {x.data(), DType::f32, 4, 1},
                                .m = 4,
                                .n = 4,
                                .k = 4};
  try {
    gemm->run(overlapping);
    FAIL() << "overlapping rows were taken";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).find("[gemm] oneDNN must compute (4 x 4)"), 0u) << e.what();
  }
}
#endif

}  // namespace
}  // namespace chatmem
