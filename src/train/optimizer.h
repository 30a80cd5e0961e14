// The trainable tensors with their gradients and AdamW's moments.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compute/ops.h"
#include "format/safetensors.h"

namespace chatmem {

enum class WeightDecay { off, on };  // off for norms

struct Parameter {
  std::string name;
  Tensor value;  // f32: what AdamW updates
  Tensor copy;   // what the model computes with, where that is not `value` itself
  Tensor grad, m, v;
  WeightDecay decay = WeightDecay::on;
};

class Optimizer {
 public:
  explicit Optimizer(Ops& ops) : ops_(ops) {}

  // Makes `tensor` trainable; returns its gradient. In bf16 an f32 value is kept beside it.
  Tensor add(std::string name, Tensor tensor, WeightDecay decay);
  void zero_gradients();
  double gradient_norm() const;
  // One step with the given rate; step.weight_decay counts where a parameter decays.
  void step(AdamwStep step);
  size_t n_values() const;

  // Values and moments, as tensors NAME, NAME.m and NAME.v.
  void save(const fs::path& path) const;
  // Throws Error when the file's tensors are not exactly these.
  void load(const fs::path& path);
  // The values alone, as tensors NAME: the best of a run.
  void save_values(const fs::path& path) const;
  void load_values(const fs::path& path);

 private:
  Ops& ops_;
  std::vector<Parameter> parameters_;
};

}  // namespace chatmem
