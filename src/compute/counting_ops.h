// An Ops that computes nothing and only counts what is allocated: for plans of memory.
#pragma once
#include "compute/ops.h"

namespace chatmem {

// Its tensors have addresses that nobody may follow.
class CountingOps : public Ops {
 public:
  void* alloc(size_t bytes) override {
    bytes_ += bytes;
    return &bytes_;
  }
  size_t allocated_bytes() const override { return bytes_; }
  size_t memory_bytes() const override { return 0; }

  void copy_in(Tensor, const void*) override {}
  void copy_out(void*, Tensor) override {}
  void copy(Tensor, Tensor) override {}
  void zero(Tensor) override {}
  void embed(Tensor, Tensor, std::span<const int>) override {}
  void gather_rows(Tensor, Tensor, std::span<const int>) override {}
  void rmsnorm(Tensor, Tensor, Tensor, float) override {}
  void matmul(Tensor, Tensor, Tensor, float, Accumulate) override {}
  void rope_table(Tensor, std::span<const Run>, Tensor) override {}
  void rope(Tensor, Tensor, int, RopeLayout, int) override {}
  void kv_store(Tensor, Tensor, std::span<const Run>, int) override {}
  void attention(Tensor, Tensor, Tensor, std::span<const Run>, Heads) override {}
  void swiglu(Tensor, Tensor, Tensor) override {}
  void add(Tensor, Tensor) override {}
  void dropout(Tensor, Tensor, float, uint64_t, Accumulate) override {}
  void scale_columns(Tensor, Tensor, Tensor, Accumulate) override {}
  void dora_factor(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, float) override {}
  void dora_backward(Tensor, Tensor, Tensor, Tensor) override {}
  double cross_entropy(Tensor, std::span<const int>, float) override { return 0; }
  void target_logprobs(std::span<float>, Tensor, std::span<const int>) override {}
  void embed_backward(Tensor, Tensor, std::span<const int>) override {}
  void scatter_rows(Tensor, Tensor, std::span<const int>) override {}
  void rmsnorm_backward(Tensor, Tensor, Tensor, Tensor, Tensor, float) override {}
  void matmul_dx(Tensor, Tensor, Tensor, float, Accumulate) override {}
  void matmul_dw(Tensor, Tensor, Tensor, float) override {}
  void attention_backward(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor,
                          std::span<const Run>, Heads) override {}
  void swiglu_backward(Tensor, Tensor, Tensor, Tensor, Tensor) override {}
  double sum_squares(Tensor) override { return 0; }
  void adamw(Tensor, Tensor, Tensor, Tensor, Tensor, const AdamwStep&) override {}
  void adamw_8bit(Tensor, Tensor, Tensor, Moment8, Moment8, const AdamwStep&) override {}

 private:
  size_t bytes_ = 0;
};

}  // namespace chatmem
