// The trainable tensors with their gradients and AdamW's moments.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "compute/ops.h"
#include "train/peers.h"

namespace chatmem {

// adamw8bit keeps the moments of large tensors in 8 bits: Ops::adamw_8bit.
enum class OptimizerKind { adamw, adamw8bit };
std::optional<OptimizerKind> parse_optimizer(std::string_view name);

enum class WeightDecay { off, on };  // off for norms

struct Parameter {
  std::string name;
  Tensor value;  // f32: what AdamW updates
  Tensor copy;   // what the model computes with, where that is not `value` itself
  Tensor grad;
  Tensor m, v;                // f32, or in 8 bits the codes
  Tensor m_scales, v_scales;  // in 8 bits alone
  WeightDecay decay = WeightDecay::on;
};

class Optimizer {
 public:
  explicit Optimizer(Ops& ops, OptimizerKind kind = OptimizerKind::adamw)
      : ops_(ops), kind_(kind) {}

  // Makes `tensor` trainable; returns its gradient. In bf16 an f32 value is kept beside it. With
  // adamw8bit the moments of fewer than kMin8bitValues stay f32, as bitsandbytes has it.
  static constexpr size_t kMin8bitValues = 4096;
  Tensor add(std::string name, Tensor tensor, WeightDecay decay);
  void zero_gradients();
  // Makes the gradients the sums of those of all processes.
  void sum_gradients(Peers& peers);
  double gradient_norm() const;
  // One step with the given rate; step.weight_decay counts where a parameter decays.
  void step(AdamwStep step);
  size_t n_values() const;

  // Values and moments, as tensors NAME, NAME.m and NAME.v; in 8 bits also NAME.m_scales and
  // NAME.v_scales.
  void save(const fs::path& path) const;
  // Throws Error when the file's tensors are not exactly these.
  void load(const fs::path& path);
  // The values alone, as tensors NAME: the best of a run.
  void save_values(const fs::path& path) const;
  void load_values(const fs::path& path);

 private:
  // visit(name, tensor) for all that a checkpoint holds.
  template <typename Visit>
  void for_each_state(const Visit& visit) const;
  Ops& ops_;
  OptimizerKind kind_;
  std::vector<Parameter> parameters_;
};

}  // namespace chatmem
