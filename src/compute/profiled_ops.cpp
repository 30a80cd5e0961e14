#include "compute/profiled_ops.h"

namespace chatmem {
namespace {

std::string product(const char* name, Tensor w) {
  return std::string(name) + " " + std::to_string(w.rows) + "x" + std::to_string(w.cols) + " " +
         std::string(dtype_name(w.dtype));
}

double product_flops(int rows, Tensor w) { return 2.0 * rows * double(w.size()); }

// Products of one head with all keys before a row: two forward, five backward.
double attention_flops(std::span<const Run> runs, Heads heads, int products) {
  double pairs = 0;
  for (const Run& run : runs) pairs += double(run.n) * (run.pos + (run.n + 1) / 2.0);
  return 2.0 * products * pairs * heads.n_heads * heads.head_dim;
}

}  // namespace

// Adds to the profile also what ends by an exception.
template <typename F>
auto ProfiledOps::measured(const std::string& name, double flops, const F& f) {
  using Clock = std::chrono::steady_clock;
  struct Guard {
    OpProfile& profile;
    Clock::time_point begin = Clock::now();
    ~Guard() {
      profile.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
      profile.calls++;
    }
  };
  OpProfile& profile = profile_[name];
  profile.flops += flops;
  const Guard guard{profile};
  return f();
}

OpProfile ProfiledOps::total() const {
  OpProfile sum;
  for (const auto& [name, profile] : profile_) {
    sum.calls += profile.calls;
    sum.seconds += profile.seconds;
    sum.flops += profile.flops;
  }
  return sum;
}

void ProfiledOps::copy(Tensor dst, Tensor src) {
  measured("copy", 0, [&] { return ForwardingOps::copy(dst, src); });
}

void ProfiledOps::zero(Tensor x) {
  measured("zero", 0, [&] { return ForwardingOps::zero(x); });
}

void ProfiledOps::embed(Tensor x, Tensor table, std::span<const int> tokens) {
  measured("embed", 0, [&] { return ForwardingOps::embed(x, table, tokens); });
}

void ProfiledOps::gather_rows(Tensor y, Tensor x, std::span<const int> rows) {
  measured("gather_rows", 0, [&] { return ForwardingOps::gather_rows(y, x, rows); });
}

void ProfiledOps::rmsnorm(Tensor y, Tensor x, Tensor w, float eps) {
  measured("rmsnorm", 0, [&] { return ForwardingOps::rmsnorm(y, x, w, eps); });
}

void ProfiledOps::matmul(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) {
  measured(product("matmul", w), product_flops(x.rows, w),
           [&] { return ForwardingOps::matmul(y, x, w, scale, accumulate); });
}

void ProfiledOps::rope_table(Tensor cos_sin, std::span<const Run> runs, Tensor inv_freq) {
  measured("rope_table", 0, [&] { return ForwardingOps::rope_table(cos_sin, runs, inv_freq); });
}

void ProfiledOps::rope(Tensor x, Tensor cos_sin, int head_dim, RopeLayout layout, int sign) {
  measured("rope", 0, [&] { return ForwardingOps::rope(x, cos_sin, head_dim, layout, sign); });
}

void ProfiledOps::kv_store(Tensor k, Tensor v, std::span<const Run> runs, int kv_layer) {
  measured("kv_store", 0, [&] { return ForwardingOps::kv_store(k, v, runs, kv_layer); });
}

void ProfiledOps::attention(Tensor out, Tensor lse, Tensor q, std::span<const Run> runs,
                            Heads heads) {
  measured("attention", attention_flops(runs, heads, 2),
           [&] { return ForwardingOps::attention(out, lse, q, runs, heads); });
}

void ProfiledOps::swiglu(Tensor h, Tensor gate, Tensor up) {
  measured("swiglu", 0, [&] { return ForwardingOps::swiglu(h, gate, up); });
}

void ProfiledOps::add(Tensor y, Tensor x) {
  measured("add", 0, [&] { return ForwardingOps::add(y, x); });
}

void ProfiledOps::dropout(Tensor y, Tensor x, float p, uint64_t key, Accumulate accumulate) {
  measured("dropout", 0, [&] { return ForwardingOps::dropout(y, x, p, key, accumulate); });
}

void ProfiledOps::scale_columns(Tensor y, Tensor x, Tensor factor, Accumulate accumulate) {
  measured("scale_columns", 0,
           [&] { return ForwardingOps::scale_columns(y, x, factor, accumulate); });
}

void ProfiledOps::dora_factor(Tensor factor, Tensor norm, Tensor magnitude, Tensor w, Tensor a,
                              Tensor b, float scale) {
  measured("dora_factor", 0,
           [&] { return ForwardingOps::dora_factor(factor, norm, magnitude, w, a, b, scale); });
}

void ProfiledOps::dora_backward(Tensor dmagnitude, Tensor dy, Tensor x, Tensor norm) {
  measured("dora_backward", 0,
           [&] { return ForwardingOps::dora_backward(dmagnitude, dy, x, norm); });
}

double ProfiledOps::cross_entropy(Tensor logits, std::span<const int> targets, float scale) {
  return measured("cross_entropy", 0,
                  [&] { return ForwardingOps::cross_entropy(logits, targets, scale); });
}

void ProfiledOps::embed_backward(Tensor dtable, Tensor dx, std::span<const int> tokens) {
  measured("embed_backward", 0, [&] { return ForwardingOps::embed_backward(dtable, dx, tokens); });
}

void ProfiledOps::scatter_rows(Tensor dx, Tensor dy, std::span<const int> rows) {
  measured("scatter_rows", 0, [&] { return ForwardingOps::scatter_rows(dx, dy, rows); });
}

void ProfiledOps::rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, float eps) {
  measured("rmsnorm_backward", 0,
           [&] { return ForwardingOps::rmsnorm_backward(dx, dw, dy, x, w, eps); });
}

void ProfiledOps::matmul_dx(Tensor dx, Tensor dy, Tensor w, float scale, Accumulate accumulate) {
  measured(product("matmul_dx", w), product_flops(dy.rows, w),
           [&] { return ForwardingOps::matmul_dx(dx, dy, w, scale, accumulate); });
}

void ProfiledOps::matmul_dw(Tensor dw, Tensor dy, Tensor x, float scale) {
  measured(product("matmul_dw", dw), product_flops(dy.rows, dw),
           [&] { return ForwardingOps::matmul_dw(dw, dy, x, scale); });
}

void ProfiledOps::attention_backward(Tensor dq, Tensor dk, Tensor dv, Tensor dout, Tensor out,
                                     Tensor lse, Tensor q, std::span<const Run> runs, Heads heads) {
  measured("attention_backward", attention_flops(runs, heads, 5), [&] {
    return ForwardingOps::attention_backward(dq, dk, dv, dout, out, lse, q, runs, heads);
  });
}

void ProfiledOps::swiglu_backward(Tensor dgate, Tensor dup, Tensor dh, Tensor gate, Tensor up) {
  measured("swiglu_backward", 0,
           [&] { return ForwardingOps::swiglu_backward(dgate, dup, dh, gate, up); });
}

double ProfiledOps::sum_squares(Tensor x) {
  return measured("sum_squares", 0, [&] { return ForwardingOps::sum_squares(x); });
}

void ProfiledOps::adamw(Tensor w, Tensor copy, Tensor grad, Tensor m, Tensor v,
                        const AdamwStep& step) {
  measured("adamw", 0, [&] { return ForwardingOps::adamw(w, copy, grad, m, v, step); });
}

void ProfiledOps::adamw_8bit(Tensor w, Tensor copy, Tensor grad, Moment8 m, Moment8 v,
                             const AdamwStep& step) {
  measured("adamw_8bit", 0, [&] { return ForwardingOps::adamw_8bit(w, copy, grad, m, v, step); });
}

}  // namespace chatmem
