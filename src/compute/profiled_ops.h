// An Ops that measures another: how often each operation ran, how long, and what it computed.
#pragma once
#include <chrono>
#include <map>
#include <string>

#include "compute/forwarding_ops.h"

namespace chatmem {

struct OpProfile {
  int64_t calls = 0;
  double seconds = 0;
  double flops = 0;  // of products and attention, 2 a multiply-add; nothing else is counted
};

class ProfiledOps : public ForwardingOps {
 public:
  using ForwardingOps::ForwardingOps;

  // By operation; products also by the shape of their weight, "matmul 4096x14336 bf16".
  const std::map<std::string, OpProfile>& profile() const { return profile_; }
  OpProfile total() const;
  void reset() { profile_.clear(); }

  void copy(Tensor dst, Tensor src) override;
  void zero(Tensor x) override;
  void embed(Tensor x, Tensor table, std::span<const int> tokens) override;
  void gather_rows(Tensor y, Tensor x, std::span<const int> rows) override;
  void rmsnorm(Tensor y, Tensor x, Tensor w, float eps) override;
  void matmul(Tensor y, Tensor x, Tensor w, float scale, Accumulate accumulate) override;
  void rope_table(Tensor cos_sin, std::span<const Run> runs, Tensor inv_freq) override;
  void rope(Tensor x, Tensor cos_sin, int head_dim, RopeLayout layout, int sign) override;
  void kv_store(Tensor k, Tensor v, std::span<const Run> runs, int kv_layer) override;
  void attention(Tensor out, Tensor lse, Tensor q, std::span<const Run> runs, Heads heads) override;
  void swiglu(Tensor h, Tensor gate, Tensor up) override;
  void add(Tensor y, Tensor x) override;
  void dropout(Tensor y, Tensor x, float p, uint64_t key, Accumulate accumulate) override;
  void scale_columns(Tensor y, Tensor x, Tensor factor, Accumulate accumulate) override;
  void dora_factor(Tensor factor, Tensor norm, Tensor magnitude, Tensor w, Tensor a, Tensor b,
                   float scale) override;
  void dora_backward(Tensor dmagnitude, Tensor dy, Tensor x, Tensor norm) override;
  double cross_entropy(Tensor logits, std::span<const int> targets, float scale) override;
  void embed_backward(Tensor dtable, Tensor dx, std::span<const int> tokens) override;
  void scatter_rows(Tensor dx, Tensor dy, std::span<const int> rows) override;
  void rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, float eps) override;
  void matmul_dx(Tensor dx, Tensor dy, Tensor w, float scale, Accumulate accumulate) override;
  void matmul_dw(Tensor dw, Tensor dy, Tensor x, float scale) override;
  void attention_backward(Tensor dq, Tensor dk, Tensor dv, Tensor dout, Tensor out, Tensor lse,
                          Tensor q, std::span<const Run> runs, Heads heads) override;
  void swiglu_backward(Tensor dgate, Tensor dup, Tensor dh, Tensor gate, Tensor up) override;
  double sum_squares(Tensor x) override;
  void adamw(Tensor w, Tensor copy, Tensor grad, Tensor m, Tensor v,
             const AdamwStep& step) override;
  void adamw_8bit(Tensor w, Tensor copy, Tensor grad, Moment8 m, Moment8 v,
                  const AdamwStep& step) override;

 private:
  template <typename F>
  auto measured(const std::string& name, double flops, const F& f);
  std::map<std::string, OpProfile> profile_;
};

}  // namespace chatmem
