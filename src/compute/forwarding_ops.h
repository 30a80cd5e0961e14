// An Ops that hands every call to another: to watch calls, to measure them, to make one fail.
#pragma once
#include <memory>

#include "compute/ops.h"

namespace chatmem {

class ForwardingOps : public Ops {
 public:
  explicit ForwardingOps(std::unique_ptr<Ops> ops) : ops_(std::move(ops)) {}

  void* alloc(size_t bytes) override { return ops_->alloc(bytes); }
  void copy_in(Tensor dst, const void* host) override { ops_->copy_in(dst, host); }
  void copy_out(void* host, Tensor src) override { ops_->copy_out(host, src); }
  void copy(Tensor dst, Tensor src) override { ops_->copy(dst, src); }
  void zero(Tensor x) override { ops_->zero(x); }
  void embed(Tensor x, Tensor table, std::span<const int> tokens) override {
    ops_->embed(x, table, tokens);
  }
  void gather_rows(Tensor y, Tensor x, std::span<const int> rows) override {
    ops_->gather_rows(y, x, rows);
  }
  void rmsnorm(Tensor y, Tensor x, Tensor w, float eps) override { ops_->rmsnorm(y, x, w, eps); }
  void matmul(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) override {
    ops_->matmul(y, x, w, scale, accumulate);
  }
  void rope_table(Tensor cos_sin, std::span<const Run> runs, Tensor inv_freq) override {
    ops_->rope_table(cos_sin, runs, inv_freq);
  }
  void rope(Tensor x, Tensor cos_sin, int head_dim, RopeLayout layout, int sign) override {
    ops_->rope(x, cos_sin, head_dim, layout, sign);
  }
  void kv_store(Tensor k, Tensor v, std::span<const Run> runs, int kv_layer) override {
    ops_->kv_store(k, v, runs, kv_layer);
  }
  void attention(Tensor out, Tensor lse, Tensor q, std::span<const Run> runs,
                 Heads heads) override {
    ops_->attention(out, lse, q, runs, heads);
  }
  void swiglu(Tensor h, Tensor gate, Tensor up) override { ops_->swiglu(h, gate, up); }
  void add(Tensor y, Tensor x) override { ops_->add(y, x); }
  void dropout(Tensor y, Tensor x, float p, uint64_t key, Accumulate accumulate) override {
    ops_->dropout(y, x, p, key, accumulate);
  }
  void scale_columns(Tensor y, Tensor x, Tensor factor, Accumulate accumulate) override {
    ops_->scale_columns(y, x, factor, accumulate);
  }
  void dora_factor(Tensor factor, Tensor norm, Tensor magnitude, Tensor w, Tensor a, Tensor b,
                   float scale) override {
    ops_->dora_factor(factor, norm, magnitude, w, a, b, scale);
  }
  void dora_backward(Tensor dmagnitude, Tensor dy, Tensor x, Tensor norm) override {
    ops_->dora_backward(dmagnitude, dy, x, norm);
  }
  double cross_entropy(Tensor logits, std::span<const int> targets, float scale) override {
    return ops_->cross_entropy(logits, targets, scale);
  }
  void target_logprobs(std::span<float> out, Tensor logits, std::span<const int> targets) override {
    ops_->target_logprobs(out, logits, targets);
  }
  void embed_backward(Tensor dtable, Tensor dx, std::span<const int> tokens) override {
    ops_->embed_backward(dtable, dx, tokens);
  }
  void scatter_rows(Tensor dx, Tensor dy, std::span<const int> rows) override {
    ops_->scatter_rows(dx, dy, rows);
  }
  void rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, float eps) override {
    ops_->rmsnorm_backward(dx, dw, dy, x, w, eps);
  }
  void matmul_dx(Tensor dx, Tensor dy, Tensor w, float scale, Accumulate accumulate) override {
    ops_->matmul_dx(dx, dy, w, scale, accumulate);
  }
  void matmul_dw(Tensor dw, Tensor dy, Tensor x, float scale) override {
    ops_->matmul_dw(dw, dy, x, scale);
  }
  void attention_backward(Tensor dq, Tensor dk, Tensor dv, Tensor dout, Tensor out, Tensor lse,
                          Tensor q, std::span<const Run> runs, Heads heads) override {
    ops_->attention_backward(dq, dk, dv, dout, out, lse, q, runs, heads);
  }
  void swiglu_backward(Tensor dgate, Tensor dup, Tensor dh, Tensor gate, Tensor up) override {
    ops_->swiglu_backward(dgate, dup, dh, gate, up);
  }
  double sum_squares(Tensor x) override { return ops_->sum_squares(x); }
  void adamw(Tensor w, Tensor copy, Tensor grad, Tensor m, Tensor v,
             const AdamwStep& step) override {
    ops_->adamw(w, copy, grad, m, v, step);
  }
  void adamw_8bit(Tensor w, Tensor copy, Tensor grad, Moment8 m, Moment8 v,
                  const AdamwStep& step) override {
    ops_->adamw_8bit(w, copy, grad, m, v, step);
  }
  size_t allocated_bytes() const override { return ops_->allocated_bytes(); }
  size_t memory_bytes() const override { return ops_->memory_bytes(); }

 private:
  std::unique_ptr<Ops> ops_;
};

}  // namespace chatmem
