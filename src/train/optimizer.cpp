#include "train/optimizer.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "base/error.h"

namespace chatmem {

Tensor Optimizer::add(std::string name, Tensor tensor, WeightDecay decay) {
  const auto buffer = [&] { return make_tensor(ops_, tensor.rows, tensor.cols, DType::f32); };
  Parameter p{std::move(name), tensor, {}, buffer(), buffer(), buffer(), decay};
  if (tensor.dtype != DType::f32) {
    p.value = buffer();
    p.copy = tensor;
    ops_.copy(p.value, tensor);
  }
  parameters_.push_back(p);
  return p.grad;
}

void Optimizer::zero_gradients() {
  for (const Parameter& p : parameters_) ops_.zero(p.grad);
}

double Optimizer::gradient_norm() const {
  double sum = 0;
  for (const Parameter& p : parameters_) sum += ops_.sum_squares(p.grad);
  return std::sqrt(sum);
}

void Optimizer::step(AdamwStep step) {
  const float weight_decay = step.weight_decay;
  for (const Parameter& p : parameters_) {
    step.weight_decay = p.decay == WeightDecay::on ? weight_decay : 0;
    ops_.adamw(p.value, p.copy, p.grad, p.m, p.v, step);
  }
}

size_t Optimizer::n_values() const {
  size_t n = 0;
  for (const Parameter& p : parameters_) n += p.value.size();
  return n;
}

void Optimizer::save(const fs::path& path) const {
  std::map<std::string, TensorInfo> tensors;
  std::vector<std::unique_ptr<std::byte[]>> copies;
  const auto put = [&](const std::string& name, Tensor t) {
    copies.push_back(std::make_unique<std::byte[]>(t.size_bytes()));
    ops_.copy_out(copies.back().get(), t);
    tensors[name] = {DType::f32, {t.rows, t.cols}, {copies.back().get(), t.size_bytes()}};
  };
  for (const Parameter& p : parameters_) {
    put(p.name, p.value);
    put(p.name + ".m", p.m);
    put(p.name + ".v", p.v);
  }
  write_safetensors(path, tensors);
}

void Optimizer::load(const fs::path& path) {
  const SafetensorsFile file(path);
  const auto get = [&](const std::string& name, Tensor t) {
    const auto it = file.tensors().find(name);
    const std::vector<int64_t> shape = {t.rows, t.cols};
    if (it == file.tensors().end() || it->second.dtype != DType::f32 || it->second.shape != shape)
      throw Error(fmt::format("[resume] '{}' must hold '{}' as f32 ({}, {})", path.string(), name,
                              t.rows, t.cols),
                  "resume with the options that the training was begun with");
    ops_.copy_in(t, it->second.bytes.data());
  };
  if (file.tensors().size() != parameters_.size() * 3)
    throw Error(fmt::format("[resume] '{}' must hold {} tensors, holds {}", path.string(),
                            parameters_.size() * 3, file.tensors().size()),
                "resume with the options that the training was begun with");
  for (const Parameter& p : parameters_) {
    get(p.name, p.value);
    get(p.name + ".m", p.m);
    get(p.name + ".v", p.v);
    if (p.copy) ops_.copy(p.copy, p.value);
  }
}

}  // namespace chatmem
