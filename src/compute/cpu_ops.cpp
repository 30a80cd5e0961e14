// The operations on the CPU. Rows are shared out among threads; what happens inside a row is in
// cpu_kernels.cpp, in f32: rows in bf16 pass through small buffers of their thread.
#include "compute/cpu_ops.h"

#include <omp.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "compute/cpu_attention.h"
#include "compute/cpu_matmul.h"
#include "compute/dynamic_map.h"

namespace chatmem {
namespace {

// Elements of element-wise work below which a second thread costs more than it brings.
constexpr size_t kGrain = 16384;
// Elements of one piece of element-wise work: its buffers stay in the first cache.
constexpr size_t kChunk = 1024;
// Partial sums of sum_squares cover this many elements, whatever the number of threads.
constexpr size_t kSumChunk = 65536;

size_t row_grain(Tensor x) { return 1 + kGrain / size_t(std::max(x.cols, 1)); }

std::unique_ptr<Gemm> make_gemm(const CpuDevice& device, GemmBackend backend) {
#ifdef CHATMEM_DNNL
  if (backend == GemmBackend::best) return make_dnnl_gemm(device);
#endif
  (void)backend;
  return make_plain_gemm(device);
}

class CpuOps : public Ops {
 public:
  explicit CpuOps(const CpuSetup& setup)
      : device_{setup.isa, &kernels_of(setup.isa),
                setup.n_threads > 0 ? setup.n_threads : omp_get_max_threads()},
        matmul_(device_, make_gemm(device_, setup.gemm)),
        attention_(device_) {}

  // -- memory
  void* alloc(size_t bytes) override {
    blocks_.emplace_back(allocate_zeroed(bytes));
    allocated_ += bytes;
    return blocks_.back().get();
  }

  void copy_in(Tensor dst, const void* host) override {
    if (dst.size() > 0) std::memcpy(dst.data, host, dst.size_bytes());
  }

  void copy_out(void* host, Tensor src) override {
    if (src.size() > 0) std::memcpy(host, src.data, src.size_bytes());
  }

  void copy(Tensor dst, Tensor src) override {
    CHECK(same_shape(dst, src));
    if (dst.dtype == src.dtype) {
      if (dst.size() > 0) std::memmove(dst.data, src.data, src.size_bytes());
      return;
    }
    CHECK(is_activation(dst) && is_weight(src));
    if (is_quantized(src.dtype)) {
      device_.split(size_t(dst.rows), row_grain(dst), [&](size_t begin, size_t end, int) {
        for (size_t i = begin; i < end; i++)
          device_.fetch(element(dst, i), dst.dtype, src, i, 0, size_t(src.cols));
      });
      return;
    }
    device_.split(dst.size(), kGrain, [&](size_t begin, size_t end, int) {
      float buffer[kChunk];
      for (size_t i = begin; i < end; i += kChunk) {
        const size_t n = std::min(kChunk, end - i);
        device_.narrow(flat(dst, i), dst.dtype, device_.widened(flat(src, i), src.dtype, buffer, n),
                       n);
      }
    });
  }

  void zero(Tensor x) override {
    if (x.size() > 0) std::memset(x.data, 0, x.size_bytes());
  }

  // -- forward
  void embed(Tensor x, Tensor table, std::span<const int> tokens) override {
    CHECK(is_activation(x) && is_weight(table));
    CHECK(x.cols == table.cols && size_t(x.rows) == tokens.size());
    for (const int token : tokens) CHECK(token >= 0 && token < table.rows);
    convert_rows(x, table, tokens);
  }

  void gather_rows(Tensor y, Tensor x, std::span<const int> rows) override {
    CHECK(is_activation(x) && y.dtype == x.dtype);
    CHECK(y.cols == x.cols && size_t(y.rows) == rows.size());
    for (const int row : rows) CHECK(row >= 0 && row < x.rows);
    convert_rows(y, x, rows);
  }

  void rmsnorm(Tensor y, Tensor x, Tensor w, float eps) override {
    CHECK(is_activation(x) && is_activation(y) && same_shape(y, x));
    CHECK(y.dtype == x.dtype || x.dtype == DType::f32);
    CHECK(w.rows == 1 && w.cols == x.cols && w.dtype == DType::f32);
    const size_t n = size_t(x.cols);
    float* buffers = row_buffers(n, 1);
    device_.split(size_t(x.rows), row_grain(x), [&](size_t begin, size_t end, int thread) {
      float* buffer = buffers + size_t(thread) * n;
      for (size_t i = begin; i < end; i++) {
        const float* xi = device_.widened(element(x, i), x.dtype, buffer, n);
        float* yi = y.dtype == DType::f32 ? static_cast<float*>(element(y, i)) : buffer;
        kernels().normalize(yi, xi, w.f32(), inverse_rms(xi, n, eps), x.dtype == DType::bf16, n);
        device_.narrow(element(y, i), y.dtype, yi, n);
      }
    });
  }

  void rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, float eps) override {
    CHECK(is_activation(x) && dx.dtype == x.dtype && dy.dtype == x.dtype);
    CHECK(same_shape(dx, x) && same_shape(dy, x));
    CHECK(w.rows == 1 && w.cols == x.cols && w.dtype == DType::f32);
    if (dw) CHECK(same_shape(dw, w) && dw.dtype == DType::f32);
    const size_t n = size_t(x.cols);
    // Each thread needs three rows and its own sum of dw.
    float* buffers = row_buffers(n, 4);
    size_t n_sums = 0;
    device_.split_evenly(size_t(x.rows), row_grain(x), [&](size_t begin, size_t end, int thread) {
      float *x_row = buffers + size_t(thread) * 4 * n, *dy_row = x_row + n, *dx_row = dy_row + n,
            *dw_sum = dx_row + n;
      std::fill_n(dw_sum, n, 0.0f);
      for (size_t i = begin; i < end; i++) {
        const float* xi = device_.widened(element(x, i), x.dtype, x_row, n);
        const float* dyi = device_.widened(element(dy, i), dy.dtype, dy_row, n);
        device_.widen(dx_row, element(dx, i), dx.dtype, n);
        const float inv_rms = inverse_rms(xi, n, eps);
        kernels().normalize_backward(dx_row, dyi, xi, w.f32(), inv_rms, n);
        device_.narrow(element(dx, i), dx.dtype, dx_row, n);
        if (dw) kernels().multiply_add(dw_sum, dyi, xi, inv_rms, n);
      }
#pragma omp atomic
      n_sums++;
    });
    for (size_t thread = 0; dw && thread < n_sums; thread++)
      kernels().add(dw.f32(), buffers + thread * 4 * n + 3 * n, n);
  }

  void matmul(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) override {
    matmul_.forward(y, x, w, scale, accumulate);
  }

  void matmul_dx(Tensor dx, Tensor dy, Tensor w, float scale, Accumulate accumulate) override {
    matmul_.dx(dx, dy, w, scale, accumulate);
  }

  void matmul_dw(Tensor dw, Tensor dy, Tensor x, float scale) override {
    matmul_.dw(dw, dy, x, scale);
  }

  void rope_table(Tensor cos_sin, std::span<const Run> runs, Tensor inv_freq) override {
    const size_t half = size_t(inv_freq.cols);
    CHECK(cos_sin.dtype == DType::f32 && inv_freq.rows == 1 && size_t(cos_sin.cols) == 2 * half);
    check_runs(runs, cos_sin.rows, nullptr);
    const float* freq = inv_freq.f32();
    for (const Run& run : runs)
      device_.split(size_t(run.n), 16, [&](size_t begin, size_t end, int) {
        for (size_t t = begin; t < end; t++) {
          float* row = cos_sin.f32() + (size_t(run.row) + t) * 2 * half;
          for (size_t i = 0; i < half; i++) {
            // The angle is rounded to f32, as Hugging Face does; it matters at long contexts.
            const float angle = float(size_t(run.pos) + t) * freq[i];
            row[i] = float(std::cos(double(angle)));
            row[half + i] = float(std::sin(double(angle)));
          }
        }
      });
  }

  void rope(Tensor x, Tensor cos_sin, int head_dim, RopeLayout layout, int sign) override {
    CHECK(is_activation(x) && cos_sin.rows == x.rows && cos_sin.cols == head_dim);
    CHECK(head_dim > 0 && head_dim % 2 == 0 && x.cols % head_dim == 0);
    CHECK(sign == 1 || sign == -1);
    const size_t n = size_t(x.cols);
    float* buffers = row_buffers(n, 1);
    const auto rotate =
        layout == RopeLayout::half ? kernels().rope_half : kernels().rope_interleaved;
    device_.split(size_t(x.rows), row_grain(x), [&](size_t begin, size_t end, int thread) {
      for (size_t i = begin; i < end; i++) {
        float* row = static_cast<float*>(element(x, i));
        if (x.dtype != DType::f32) {
          row = buffers + size_t(thread) * n;
          device_.widen(row, element(x, i), x.dtype, n);
        }
        rotate(row, cos_sin.f32() + i * size_t(head_dim), float(sign), head_dim, x.cols / head_dim);
        device_.narrow(element(x, i), x.dtype, row, n);
      }
    });
  }

  void kv_store(Tensor k, Tensor v, std::span<const Run> runs, int kv_layer) override {
    CHECK(is_activation(k) && v.dtype == k.dtype && same_shape(k, v));
    const Heads whole_row = {1, 1, k.cols, kv_layer};
    check_runs(runs, k.rows, &whole_row);
    const size_t n = size_t(k.cols);
    float* buffers = row_buffers(n, 1);
    for (const Run& run : runs)
      device_.split(size_t(run.n), row_grain(k), [&](size_t begin, size_t end, int thread) {
        const KvPool& pool = *run.kv->pool;
        float* buffer = buffers + size_t(thread) * n;
        for (size_t t = begin; t < end; t++) {
          const size_t from = size_t(run.row) + t, pos = size_t(run.pos) + t;
          const size_t to =
              pool.row(run.kv->pages[pos / kPageTokens], kv_layer, int(pos % kPageTokens));
          convert_row(element(pool.k, to), pool.k.dtype, element(k, from), k.dtype, buffer, n);
          convert_row(element(pool.v, to), pool.v.dtype, element(v, from), v.dtype, buffer, n);
        }
      });
  }

  void attention(Tensor out, Tensor lse, Tensor q, std::span<const Run> runs,
                 Heads heads) override {
    attention_.forward(out, lse, q, runs, heads);
  }

  void attention_backward(Tensor dq, Tensor dk, Tensor dv, Tensor dout, Tensor out, Tensor lse,
                          Tensor q, std::span<const Run> runs, Heads heads) override {
    attention_.backward(dq, dk, dv, dout, out, lse, q, runs, heads);
  }

  void swiglu(Tensor h, Tensor gate, Tensor up) override {
    CHECK(is_activation(h) && h.dtype == gate.dtype && h.dtype == up.dtype);
    CHECK(same_shape(h, gate) && same_shape(h, up));
    for_chunks(h, [&](size_t i, size_t n) {
      float g[kChunk], u[kChunk], result[kChunk];
      kernels().swiglu(result, device_.widened(flat(gate, i), gate.dtype, g, n),
                       device_.widened(flat(up, i), up.dtype, u, n), n);
      device_.narrow(flat(h, i), h.dtype, result, n);
    });
  }

  void swiglu_backward(Tensor dgate, Tensor dup, Tensor dh, Tensor gate, Tensor up) override {
    for (const Tensor& t : {dgate, dup, gate, up})
      CHECK(is_activation(t) && t.dtype == dh.dtype && same_shape(t, dh));
    for_chunks(dh, [&](size_t i, size_t n) {
      float d[kChunk], g[kChunk], u[kChunk], dg[kChunk], du[kChunk];
      kernels().swiglu_backward(dg, du, device_.widened(flat(dh, i), dh.dtype, d, n),
                                device_.widened(flat(gate, i), gate.dtype, g, n),
                                device_.widened(flat(up, i), up.dtype, u, n), n);
      device_.narrow(flat(dgate, i), dgate.dtype, dg, n);
      device_.narrow(flat(dup, i), dup.dtype, du, n);
    });
  }

  void add(Tensor y, Tensor x) override {
    CHECK(is_activation(y) && is_activation(x) && same_shape(y, x));
    for_chunks(y, [&](size_t i, size_t n) {
      float a[kChunk], b[kChunk];
      device_.widen(a, flat(y, i), y.dtype, n);
      kernels().add(a, device_.widened(flat(x, i), x.dtype, b, n), n);
      device_.narrow(flat(y, i), y.dtype, a, n);
    });
  }

  // -- adapters
  void dropout(Tensor y, Tensor x, float p, uint64_t key, Accumulate accumulate) override {
    CHECK(is_activation(x) && y.dtype == x.dtype && same_shape(y, x) && p >= 0 && p < 1);
    const size_t n = size_t(x.cols);
    float* buffers = row_buffers(n, 2);
    device_.split(size_t(x.rows), row_grain(x), [&](size_t begin, size_t end, int thread) {
      float *xs = buffers + size_t(thread) * 2 * n, *ys = xs + n;
      for (size_t i = begin; i < end; i++) {
        const uint64_t row_key = Random(key + i).next();
        if (accumulate == Accumulate::yes) device_.widen(ys, element(y, i), y.dtype, n);
        kernels().dropout(ys, device_.widened(element(x, i), x.dtype, xs, n),
                          {.low = unsigned(row_key),
                           .high = unsigned(row_key >> 32),
                           .threshold = unsigned(double(p) * 0x1p32),
                           .scale = float(1 / (1 - double(p))),
                           .accumulate = accumulate == Accumulate::yes},
                          n);
        device_.narrow(element(y, i), y.dtype, ys, n);
      }
    });
  }

  void scale_columns(Tensor y, Tensor x, Tensor factor, Accumulate accumulate) override {
    CHECK(is_activation(x) && y.dtype == x.dtype && same_shape(y, x));
    CHECK(factor.dtype == DType::f32 && factor.rows == 1 && factor.cols == x.cols);
    const size_t n = size_t(x.cols);
    float* buffers = row_buffers(n, 2);
    device_.split(size_t(x.rows), row_grain(x), [&](size_t begin, size_t end, int thread) {
      float *xs = buffers + size_t(thread) * 2 * n, *ys = xs + n;
      for (size_t i = begin; i < end; i++) {
        if (accumulate == Accumulate::yes)
          device_.widen(ys, element(y, i), y.dtype, n);
        else
          std::fill_n(ys, n, 0.0f);
        kernels().multiply_add(ys, device_.widened(element(x, i), x.dtype, xs, n), factor.f32(), 1,
                               n);
        device_.narrow(element(y, i), y.dtype, ys, n);
      }
    });
  }

  void dora_factor(Tensor factor, Tensor norm, Tensor magnitude, Tensor w, Tensor a, Tensor b,
                   float scale) override {
    for (const Tensor& t : {factor, norm, magnitude})
      CHECK(t.dtype == DType::f32 && t.rows == 1 && t.cols == w.rows);
    CHECK(is_weight(w) && is_activation(a) && is_activation(b));
    CHECK(a.cols == w.cols && b.rows == w.rows && b.cols == a.rows);
    const size_t n = size_t(w.cols), rank = size_t(a.rows);
    // A in f32 for all threads, then for each of them a row of W and one of B.
    float* wide_a = adapter_.reserve<float>(rank * n + size_t(device_.n_threads) * (n + rank));
    device_.widen(wide_a, a.data, a.dtype, rank * n);
    device_.split(size_t(w.rows), row_grain(w), [&](size_t begin, size_t end, int thread) {
      float *row = wide_a + rank * n + size_t(thread) * (n + rank), *low = row + n;
      for (size_t o = begin; o < end; o++) {
        device_.fetch(row, DType::f32, w, o, 0, n);
        device_.widen(low, element(b, o), b.dtype, rank);
        for (size_t r = 0; r < rank; r++) kernels().axpy(row, wide_a + r * n, scale * low[r], n);
        norm.f32()[o] = float(std::sqrt(kernels().sum_squares(row, n)));
        factor.f32()[o] = magnitude.f32()[o] / norm.f32()[o];
      }
    });
  }

  // Threads share out columns, since every row adds to every column.
  void dora_backward(Tensor dmagnitude, Tensor dy, Tensor x, Tensor norm) override {
    CHECK(is_activation(x) && dy.dtype == x.dtype && same_shape(dy, x));
    for (const Tensor& t : {dmagnitude, norm})
      CHECK(t.dtype == DType::f32 && t.rows == 1 && t.cols == x.cols);
    const size_t grain = 64 + kGrain / std::max<size_t>(size_t(x.rows), 1);
    device_.split(size_t(x.cols), grain, [&](size_t begin, size_t end, int) {
      float sum[kChunk], dys[kChunk], xs[kChunk];
      for (size_t c = begin; c < end; c += kChunk) {
        const size_t n = std::min(kChunk, end - c);
        std::fill_n(sum, n, 0.0f);
        for (size_t t = 0; t < size_t(x.rows); t++)
          kernels().multiply_add(sum, device_.widened(element(dy, t, c), dy.dtype, dys, n),
                                 device_.widened(element(x, t, c), x.dtype, xs, n), 1, n);
        for (size_t i = 0; i < n; i++) dmagnitude.f32()[c + i] += sum[i] / norm.f32()[c + i];
      }
    });
  }

  // -- loss and backward
  double cross_entropy(Tensor logits, std::span<const int> targets, float scale) override {
    double* losses = row_losses(logits, targets);
    const size_t n = size_t(logits.cols);
    device_.split(size_t(logits.rows), row_grain(logits), [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; i++) {
        float* row = logits.f32() + i * n;
        losses[i] = 0;
        if (targets[i] < 0) {
          std::fill_n(row, n, 0.0f);
          continue;
        }
        const float max = kernels().max(row, n);
        const double sum = kernels().sum_exp(row, max, n);
        losses[i] = double(max) + std::log(sum) - double(row[targets[i]]);
        kernels().softmax(row, max, float(double(scale) / sum), n);
        row[targets[i]] -= scale;
      }
    });
    double total = 0;
    for (int i = 0; i < logits.rows; i++) total += losses[i];
    return total;
  }

  void target_logprobs(std::span<float> out, Tensor logits, std::span<const int> targets) override {
    CHECK(out.size() == targets.size());
    row_losses(logits, targets);
    const size_t n = size_t(logits.cols);
    device_.split(size_t(logits.rows), row_grain(logits), [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; i++) {
        const float* row = logits.f32() + i * n;
        out[i] = 0;
        if (targets[i] < 0) continue;
        const float max = kernels().max(row, n);
        const double sum = kernels().sum_exp(row, max, n);
        out[i] = float(double(row[targets[i]]) - double(max) - std::log(sum));
      }
    });
  }

  // Threads share out columns, since a token may occur more than once.
  void embed_backward(Tensor dtable, Tensor dx, std::span<const int> tokens) override {
    CHECK(dtable.dtype == DType::f32 && is_activation(dx));
    CHECK(dx.cols == dtable.cols && size_t(dx.rows) == tokens.size());
    for (const int token : tokens) CHECK(token >= 0 && token < dtable.rows);
    const size_t grain = 64 + kGrain / std::max<size_t>(tokens.size(), 1);
    device_.split(size_t(dx.cols), grain, [&](size_t begin, size_t end, int) {
      float buffer[kChunk];
      for (size_t t = 0; t < tokens.size(); t++)
        for (size_t i = begin; i < end; i += kChunk) {
          const size_t n = std::min(kChunk, end - i);
          kernels().add(static_cast<float*>(element(dtable, size_t(tokens[t]), i)),
                        device_.widened(element(dx, t, i), dx.dtype, buffer, n), n);
        }
    });
  }

  void scatter_rows(Tensor dx, Tensor dy, std::span<const int> rows) override {
    CHECK(is_activation(dx) && dy.dtype == dx.dtype);
    CHECK(dx.cols == dy.cols && size_t(dy.rows) == rows.size());
    for (const int row : rows) CHECK(row >= 0 && row < dx.rows);
    const size_t n = size_t(dx.cols);
    float* buffers = row_buffers(n, 2);
    device_.split(rows.size(), row_grain(dx), [&](size_t begin, size_t end, int thread) {
      float *sum = buffers + size_t(thread) * 2 * n, *buffer = sum + n;
      for (size_t i = begin; i < end; i++) {
        void* to = element(dx, size_t(rows[i]));
        device_.widen(sum, to, dx.dtype, n);
        kernels().add(sum, device_.widened(element(dy, i), dy.dtype, buffer, n), n);
        device_.narrow(to, dx.dtype, sum, n);
      }
    });
  }

  // -- optimizer
  double sum_squares(Tensor x) override {
    const float* data = x.f32();
    const size_t chunks = (x.size() + kSumChunk - 1) / kSumChunk;
    double* sums = doubles_.reserve<double>(chunks);
    device_.split(chunks, 1, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; i++)
        sums[i] = kernels().sum_squares(data + i * kSumChunk,
                                        std::min(kSumChunk, x.size() - i * kSumChunk));
    });
    double total = 0;
    for (size_t i = 0; i < chunks; i++) total += sums[i];
    return total;
  }

  void adamw(Tensor w, Tensor copy, Tensor grad, Tensor m, Tensor v,
             const AdamwStep& step) override {
    for (const Tensor& t : {m, v}) CHECK(t.dtype == DType::f32 && same_shape(t, w));
    const AdamwConstants constants = adamw_constants(w, copy, grad, step);
    for_chunks(w, [&](size_t i, size_t n) {
      kernels().adamw(w.f32() + i, grad.f32() + i, m.f32() + i, v.f32() + i, constants, n);
      if (copy) device_.narrow(flat(copy, i), copy.dtype, w.f32() + i, n);
    });
  }

  void adamw_8bit(Tensor w, Tensor copy, Tensor grad, Moment8 m, Moment8 v,
                  const AdamwStep& step) override {
    const size_t n_blocks = moment_blocks(w.size());
    for (const Moment8& moment : {m, v}) {
      CHECK(moment.codes.dtype == DType::u8 && same_shape(moment.codes, w));
      CHECK(moment.scales.rows == 1 && size_t(moment.scales.cols) == n_blocks);
    }
    static const NearestCode kNearestSigned(kSignedMap), kNearestUnsigned(kUnsignedMap);
    const auto code_of_v = [](float x) { return std::max(kNearestUnsigned(x), uint8_t(x > 0)); };
    const AdamwConstants constants = adamw_constants(w, copy, grad, step);
    device_.split(n_blocks, kGrain / kMomentBlock, [&](size_t begin, size_t end, int) {
      float m_wide[kMomentBlock], v_wide[kMomentBlock];
      for (size_t block = begin; block < end; block++) {
        const size_t i = block * kMomentBlock, n = std::min(kMomentBlock, w.size() - i);
        widen_moment(m_wide, m, block, kSignedMap, n);
        widen_moment(v_wide, v, block, kUnsignedMap, n);
        kernels().adamw(w.f32() + i, grad.f32() + i, m_wide, v_wide, constants, n);
        narrow_moment(m, block, kNearestSigned, m_wide, n);
        narrow_moment(v, block, code_of_v, v_wide, n);
        if (copy) device_.narrow(flat(copy, i), copy.dtype, w.f32() + i, n);
      }
    });
  }

  size_t allocated_bytes() const override {
    return allocated_ + rows_.size_bytes() + doubles_.size_bytes() + adapter_.size_bytes() +
           matmul_.scratch_bytes() + attention_.scratch_bytes();
  }

  size_t memory_bytes() const override { return host_memory_bytes(); }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };

  const CpuKernels& kernels() const { return *device_.kernels; }

  static void* flat(Tensor t, size_t i) {
    return static_cast<char*>(t.data) + i * dtype_bytes(t.dtype);
  }

  // `count` rows of n elements for each thread.
  float* row_buffers(size_t n, size_t count) {
    return rows_.reserve<float>(n * count * size_t(device_.n_threads));
  }

  AdamwConstants adamw_constants(Tensor w, Tensor copy, Tensor grad, const AdamwStep& step) const {
    CHECK(w.dtype == DType::f32 && grad.dtype == DType::f32 && same_shape(grad, w));
    if (copy) CHECK(is_activation(copy) && same_shape(copy, w));
    CHECK(step.step >= 1);
    const double bias1 = 1 - std::pow(double(step.beta1), step.step);
    const double bias2 = 1 - std::pow(double(step.beta2), step.step);
    return {.grad_scale = step.grad_scale,
            .beta1 = step.beta1,
            .beta2 = step.beta2,
            .decay = 1 - step.lr * step.weight_decay,
            .step_size = float(double(step.lr) / bias1),
            .inv_sqrt_bias2 = float(1 / std::sqrt(bias2)),
            .eps = step.eps};
  }

  static uint8_t* codes_of(Moment8 moment, size_t block) {
    return static_cast<uint8_t*>(moment.codes.data) + block * kMomentBlock;
  }

  static void widen_moment(float* x, Moment8 moment, size_t block, const CodeMap& map, size_t n) {
    const uint8_t* codes = codes_of(moment, block);
    const float scale = moment.scales.f32()[block];
    for (size_t i = 0; i < n; i++) x[i] = map[codes[i]] * scale;
  }

  // Changes x.
  template <typename CodeOf>
  void narrow_moment(Moment8 moment, size_t block, const CodeOf& code_of, float* x,
                     size_t n) const {
    float magnitudes[kMomentBlock];
    for (size_t i = 0; i < n; i++) magnitudes[i] = std::fabs(x[i]);
    const float scale = kernels().max(magnitudes, n);
    moment.scales.f32()[block] = scale;
    // A quotient and no product: the inverse of a small scale is infinite.
    if (scale > 0)
      for (size_t i = 0; i < n; i++) x[i] /= scale;
    uint8_t* codes = codes_of(moment, block);
    for (size_t i = 0; i < n; i++) codes[i] = code_of(x[i]);
  }

  // One double for each row; checks logits and targets.
  double* row_losses(Tensor logits, std::span<const int> targets) {
    CHECK(logits.dtype == DType::f32 && logits.cols > 0);
    CHECK(size_t(logits.rows) == targets.size());
    for (const int target : targets) CHECK(target >= -1 && target < logits.cols);
    return doubles_.reserve<double>(targets.size());
  }

  float inverse_rms(const float* x, size_t n, float eps) const {
    return float(1 / std::sqrt(kernels().sum_squares(x, n) / double(n) + double(eps)));
  }

  // `to_dtype` as CpuDevice::narrow takes it.
  void convert_row(void* to, DType to_dtype, const void* from, DType from_dtype, float* buffer,
                   size_t n) const {
    if (to_dtype == from_dtype)
      std::memcpy(to, from, n * dtype_bytes(to_dtype));
    else
      device_.narrow(to, to_dtype, device_.widened(from, from_dtype, buffer, n), n);
  }

  // y[i] = x[rows[i]]
  void convert_rows(Tensor y, Tensor x, std::span<const int> rows) {
    const size_t n = size_t(y.cols);
    float* buffers = row_buffers(n, 1);
    device_.split(rows.size(), row_grain(y), [&](size_t begin, size_t end, int thread) {
      for (size_t i = begin; i < end; i++)
        if (is_quantized(x.dtype))
          device_.fetch(element(y, i), y.dtype, x, size_t(rows[i]), 0, n);
        else
          convert_row(element(y, i), y.dtype, element(x, size_t(rows[i])), x.dtype,
                      buffers + size_t(thread) * n, n);
    });
  }

  // f(i, n) for pieces [i, i + n) of the elements of x, n <= kChunk.
  template <typename F>
  void for_chunks(Tensor x, const F& f) const {
    device_.split(x.size(), kGrain, [&](size_t begin, size_t end, int) {
      for (size_t i = begin; i < end; i += kChunk) f(i, std::min(kChunk, end - i));
    });
  }

  CpuDevice device_;
  CpuMatmul matmul_;
  CpuAttention attention_;
  Buffer rows_, doubles_, adapter_;
  std::vector<std::unique_ptr<void, Free>> blocks_;
  size_t allocated_ = 0;
};

}  // namespace

std::unique_ptr<Ops> make_cpu_ops_with(CpuSetup setup) {
  CHECK(setup.n_threads >= 0);
  return std::make_unique<CpuOps>(setup);
}

std::unique_ptr<Ops> make_cpu_ops(CpuOptions options) {
  return make_cpu_ops_with({.n_threads = options.n_threads, .isa = choose_isa()});
}

}  // namespace chatmem
