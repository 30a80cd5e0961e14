// Speed of the CPU operations at the shapes of Llama 3.1 8B. Products and attention report FLOP/s
// and their share of the peak that is measured first (independent multiply-adds in registers, f32);
// products of one row report bytes of the weight per second and their share of the speed at which
// all threads read memory. Set OMP_NUM_THREADS and CHATMEM_ISA to compare.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "compute/cpu_ops.h"
#include "compute/nf4.h"
#include "compute/quant.h"

namespace chatmem {
namespace {

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Ops& ops() {
  static const std::unique_ptr<Ops> kOps = make_cpu_ops();
  return *kOps;
}

// Multiply-adds of a tile that stays in the first cache, which run at the speed of the units.
double measure_peak_flops() {
  constexpr int kM = 48, kN = 64, kK = 64, kRepeats = 20000;
  const CpuKernels& kernels = kernels_of(choose_isa());
  double best = 0;
  for (int trial = 0; trial < 3; trial++) {
    const double begin = seconds();
#pragma omp parallel
    {
      std::vector<float> a(kM * kK, 1e-3f), b(kK * kN, 1e-3f), c(kM * kN);
      for (int i = 0; i < kRepeats; i++)
        kernels.tile_gemm({c.data(), kN, a.data(), kK, 1, b.data(), kN, kM, kN, kK, false});
      benchmark::DoNotOptimize(c.data());
    }
    const double flops = 2.0 * kM * kN * kK * kRepeats * omp_get_max_threads();
    best = std::max(best, flops / (seconds() - begin));
  }
  return best;
}

double measure_read_bytes() {
  const size_t n = size_t(64) << 20;
  const Tensor x = make_tensor(ops(), 1, int(n), DType::f32);
  double best = 0;
  for (int trial = 0; trial < 5; trial++) {
    const double begin = seconds();
    benchmark::DoNotOptimize(ops().sum_squares(x));
    best = std::max(best, double(x.size_bytes()) / (seconds() - begin));
  }
  return best;
}

double peak_flops() {
  static const double kPeak = measure_peak_flops();
  return kPeak;
}
double peak_bytes() {
  static const double kPeak = measure_read_bytes();
  return kPeak;
}

// Memory is freed with the Ops, so each case has its own.
struct Bench {
  std::unique_ptr<Ops> ops = make_cpu_ops();
  Random random{1};

  Tensor matrix(int rows, int cols, DType dtype) {
    std::vector<float> row(size_t(1) << 16);
    for (float& x : row) x = float(random.normal());
    const Tensor t = make_tensor(*ops, rows, cols, dtype);
    if (is_quantized(dtype)) {
      quantize(t, row);
      return t;
    }
    for (size_t i = 0; i < t.size(); i += row.size()) {
      const int n = int(std::min(row.size(), t.size() - i));
      const Tensor part = {static_cast<char*>(t.data) + i * dtype_bytes(dtype), 1, n, dtype};
      ops->copy(part, {row.data(), 1, n, DType::f32});
    }
    return t;
  }

  // Every row alike.
  void quantize(Tensor t, const std::vector<float>& row) {
    const auto source = [&](float* to, int) { std::copy_n(row.data(), t.cols, to); };
    if (t.dtype == DType::nf4) return quantize_nf4(t, source, "benchmark");
    std::vector<char> bytes(t.slice(0, 1).size_bytes());
    CHECK(quantize_row(bytes.data(), row.data(), t.cols, t.dtype));
    for (int i = 0; i < t.rows; i++) ops->copy_in(t.slice(i, 1), bytes.data());
  }
};

void report_flops(benchmark::State& state, double flops) {
  using benchmark::Counter;
  const double total = flops * double(state.iterations());
  state.counters["GFLOP/s"] = Counter(total / 1e9, Counter::kIsRate);
  state.counters["of_f32_peak"] = Counter(total / peak_flops(), Counter::kIsRate);
}

// Arguments: rows, outputs, inputs, dtype.
enum class Product { forward, dx, dw };

void bm_matmul(benchmark::State& state, Product product) {
  Bench b;
  const int n = int(state.range(0)), out = int(state.range(1)), in = int(state.range(2));
  const DType dtype = DType(state.range(3));
  const Tensor x = b.matrix(n, in, dtype), y = b.matrix(n, out, dtype);
  const Tensor w = b.matrix(out, in, product == Product::dw ? DType::f32 : dtype);
  for (auto _ : state) {
    if (product == Product::forward) b.ops->matmul(y, x, w, 1, Accumulate::no);
    if (product == Product::dx) b.ops->matmul_dx(x, y, w, 1, Accumulate::no);
    if (product == Product::dw) b.ops->matmul_dw(w, y, x, 1e-3f);
  }
  state.SetLabel(std::string(dtype_name(dtype)));
  report_flops(state, 2.0 * n * out * double(in));
}

// Arguments: type of x, type of the weight, rows of x.
void bm_few_rows(benchmark::State& state) {
  Bench b;
  const DType x_type = DType(state.range(0)), w_type = DType(state.range(1));
  const int n = int(state.range(2)), out = 14336, in = 4096;
  const Tensor x = b.matrix(n, in, x_type), y = b.matrix(n, out, x_type);
  const Tensor w =
      is_quantized(w_type) ? b.matrix(out, in, w_type) : make_tensor(*b.ops, out, in, w_type);
  for (auto _ : state) b.ops->matmul(y, x, w, 1, Accumulate::no);
  using benchmark::Counter;
  const double bytes = double(w.size_bytes()) * double(state.iterations());
  state.SetLabel(std::string(dtype_name(w_type)));
  state.counters["GB/s"] = Counter(bytes / 1e9, Counter::kIsRate);
  state.counters["of_read_peak"] = Counter(bytes / peak_bytes(), Counter::kIsRate);
}

// Arguments: type of x, type of the weight.
void bm_quantized(benchmark::State& state, Product product) {
  Bench b;
  const DType x_type = DType(state.range(0)), w_type = DType(state.range(1));
  const int n = 512, out = 14336, in = 4096;
  const Tensor x = b.matrix(n, in, x_type), y = b.matrix(n, out, x_type);
  const Tensor w = b.matrix(out, in, w_type);
  for (auto _ : state) {
    if (product == Product::forward) b.ops->matmul(y, x, w, 1, Accumulate::no);
    if (product == Product::dx) b.ops->matmul_dx(x, y, w, 1, Accumulate::no);
  }
  state.SetLabel(std::string(dtype_name(w_type)));
  report_flops(state, 2.0 * n * out * double(in));
}

// Rows of 4096 to f32 or bf16, on all threads.
void bm_dequantize(benchmark::State& state) {
  Bench b;
  const Tensor to = make_tensor(*b.ops, 1024, 4096, DType(state.range(0)));
  const Tensor w = b.matrix(1024, 4096, DType(state.range(1)));
  for (auto _ : state) b.ops->copy(to, w);
  state.SetLabel(std::string(dtype_name(w.dtype)));
  state.SetItemsProcessed(state.iterations() * int64_t(w.size()));
}

// Rows of 4096 from f32, on all threads; bytes are those of the f32.
void bm_quantize(benchmark::State& state) {
  Bench b;
  const Tensor from = b.matrix(512, 4096, DType::f32);
  const Tensor to = make_tensor(*b.ops, 512, 4096, DType(state.range(0)));
  const auto row_at = [&](int row) { return static_cast<const float*>(from.slice(row, 1).data); };
  for (auto _ : state) {
    if (to.dtype == DType::nf4) {
      quantize_nf4(
          to, [&](float* x, int row) { std::copy_n(row_at(row), 4096, x); }, "benchmark");
      continue;
    }
#pragma omp parallel for
    for (int row = 0; row < to.rows; row++)
      CHECK(quantize_row(to.slice(row, 1).data, row_at(row), to.cols, to.dtype));
  }
  state.SetLabel(std::string(dtype_name(to.dtype)));
  state.SetItemsProcessed(state.iterations() * int64_t(to.size()));
  state.SetBytesProcessed(state.iterations() * int64_t(from.size_bytes()));
}

struct AttentionBench : Bench {
  Heads heads = {32, 8, 128, 0};
  KvPool pool;
  std::vector<int> pages;
  KvCache kv;
  Run run;
  Tensor q, out, lse;

  AttentionBench(int pos, int n, DType dtype) {
    pool.n_layers = 1;
    pool.n_pages = (pos + n + kPageTokens - 1) / kPageTokens;
    pool.k = matrix(pool.n_pages * kPageTokens, 1024, dtype);
    pool.v = matrix(pool.n_pages * kPageTokens, 1024, dtype);
    pages.resize(size_t(pool.n_pages));
    std::iota(pages.begin(), pages.end(), 0);
    kv = {&pool, pages};
    run = {.kv = &kv, .n = n, .pos = pos};
    q = matrix(n, 4096, dtype);
    out = matrix(n, 4096, dtype);
    lse = make_tensor(*ops, n, 32, DType::f32);
  }
};

// Scores and weighted values of the causal half.
double attention_flops(int n) { return 4.0 * 32 * 128 * n * (n + 1.0) / 2; }

void bm_attention(benchmark::State& state) {
  const int n = int(state.range(0));
  AttentionBench b(0, n, DType(state.range(1)));
  for (auto _ : state) b.ops->attention(b.out, b.lse, b.q, {&b.run, 1}, b.heads);
  state.SetLabel(std::string(dtype_name(b.q.dtype)));
  report_flops(state, attention_flops(n));
}

void bm_attention_backward(benchmark::State& state) {
  const int n = int(state.range(0));
  AttentionBench b(0, n, DType(state.range(1)));
  const Tensor dout = b.matrix(n, 4096, b.q.dtype), dq = b.matrix(n, 4096, b.q.dtype);
  const Tensor dk = make_tensor(*b.ops, n, 1024, b.q.dtype);
  const Tensor dv = make_tensor(*b.ops, n, 1024, b.q.dtype);
  b.ops->attention(b.out, b.lse, b.q, {&b.run, 1}, b.heads);
  for (auto _ : state)
    b.ops->attention_backward(dq, dk, dv, dout, b.out, b.lse, b.q, {&b.run, 1}, b.heads);
  state.SetLabel(std::string(dtype_name(b.q.dtype)));
  report_flops(state, 2.5 * attention_flops(n));  // five products where forward has two
}

void bm_attention_decode(benchmark::State& state) {
  AttentionBench b(int(state.range(0)) - 1, 1, DType(state.range(1)));
  for (auto _ : state) b.ops->attention(b.out, {}, b.q, {&b.run, 1}, b.heads);
  const double bytes = double(b.pool.k.size_bytes() + b.pool.v.size_bytes());
  state.SetLabel(std::string(dtype_name(b.q.dtype)));
  state.counters["GB/s"] =
      benchmark::Counter(bytes * double(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}

// Element-wise work of 512 rows of 14336.
void bm_swiglu(benchmark::State& state) {
  Bench b;
  const DType dtype = DType(state.range(0));
  const Tensor gate = b.matrix(512, 14336, dtype), up = b.matrix(512, 14336, dtype);
  const Tensor h = b.matrix(512, 14336, dtype);
  for (auto _ : state) b.ops->swiglu(h, gate, up);
  state.SetLabel(std::string(dtype_name(dtype)));
  state.counters["GB/s"] = benchmark::Counter(
      3.0 * double(h.size_bytes()) * double(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}

void matmul_shapes(benchmark::internal::Benchmark* b) {
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const auto& [out, in] : {std::pair{4096, 4096}, {14336, 4096}, {4096, 14336}})
      b->Args({512, out, in, int64_t(dtype)});
}
void attention_shapes(benchmark::internal::Benchmark* b) {
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const int n : {512, 2048}) b->Args({n, int64_t(dtype)});
}

constexpr int64_t kF32 = int64_t(DType::f32), kBf16 = int64_t(DType::bf16),
                  kF16 = int64_t(DType::f16);
const std::vector<int64_t> kQuantized = {int64_t(DType::q8_0), int64_t(DType::q4_0),
                                         int64_t(DType::q4_k), int64_t(DType::q6_k),
                                         int64_t(DType::nf4)};
void few_rows_types(benchmark::internal::Benchmark* b) {
  b->Args({kF32, kF32, 1})->Args({kBf16, kBf16, 1})->Args({kBf16, kF16, 1});
  for (const int64_t w_type : kQuantized)
    for (const int n : {1, 4, 8, 16}) b->Args({kBf16, w_type, n});
}
void quantized_types(benchmark::internal::Benchmark* b) {
  for (const int64_t w_type : kQuantized) b->Args({kBf16, w_type});
  b->Args({kBf16, kBf16});  // for comparison
}
BENCHMARK_CAPTURE(bm_matmul, forward, Product::forward)->Apply(matmul_shapes)->UseRealTime();
BENCHMARK_CAPTURE(bm_matmul, dx, Product::dx)->Apply(matmul_shapes)->UseRealTime();
BENCHMARK_CAPTURE(bm_matmul, dw, Product::dw)->Apply(matmul_shapes)->UseRealTime();
BENCHMARK(bm_few_rows)->Apply(few_rows_types)->UseRealTime();
BENCHMARK_CAPTURE(bm_quantized, forward, Product::forward)->Apply(quantized_types)->UseRealTime();
BENCHMARK_CAPTURE(bm_quantized, dx, Product::dx)->Apply(quantized_types)->UseRealTime();
BENCHMARK(bm_dequantize)->ArgsProduct({{kF32, kBf16}, kQuantized})->UseRealTime();
BENCHMARK(bm_quantize)->ArgsProduct({kQuantized})->UseRealTime();
BENCHMARK(bm_attention)->Apply(attention_shapes)->UseRealTime();
BENCHMARK(bm_attention_backward)->Apply(attention_shapes)->UseRealTime();
BENCHMARK(bm_attention_decode)->Args({8192, kF32})->Args({8192, kBf16})->UseRealTime();
BENCHMARK(bm_swiglu)->Arg(kF32)->Arg(kBf16)->UseRealTime();

}  // namespace
}  // namespace chatmem

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  std::printf("threads %d, kernels %s, f32 peak %.0f GFLOP/s, reading %.1f GB/s\n",
              omp_get_max_threads(), chatmem::kernels_of(chatmem::choose_isa()).name,
              chatmem::peak_flops() / 1e9, chatmem::peak_bytes() / 1e9);
  benchmark::RunSpecifiedBenchmarks();
}
