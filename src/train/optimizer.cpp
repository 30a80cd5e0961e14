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

namespace {

// Tensors on their way to a file.
class TensorWriter {
 public:
  explicit TensorWriter(Ops& ops) : ops_(ops) {}
  void put(const std::string& name, Tensor t) {
    copies_.push_back(std::make_unique<std::byte[]>(t.size_bytes()));
    ops_.copy_out(copies_.back().get(), t);
    tensors_[name] = {DType::f32, {t.rows, t.cols}, {copies_.back().get(), t.size_bytes()}};
  }
  void write(const fs::path& path) const { write_safetensors(path, tensors_); }

 private:
  Ops& ops_;
  std::map<std::string, TensorInfo> tensors_;
  std::vector<std::unique_ptr<std::byte[]>> copies_;
};

// A file that must hold n f32 tensors of known shapes.
class TensorReader {
 public:
  TensorReader(Ops& ops, const fs::path& path, size_t n) : ops_(ops), file_(path) {
    if (file_.tensors().size() != n)
      throw Error(fmt::format("[resume] '{}' must hold {} tensors, holds {}", path.string(), n,
                              file_.tensors().size()),
                  kHint);
  }
  void get(const std::string& name, Tensor t) const {
    const auto it = file_.tensors().find(name);
    const std::vector<int64_t> shape = {t.rows, t.cols};
    if (it == file_.tensors().end() || it->second.dtype != DType::f32 || it->second.shape != shape)
      throw Error(fmt::format("[resume] '{}' must hold '{}' as f32 ({}, {})", file_.path().string(),
                              name, t.rows, t.cols),
                  kHint);
    ops_.copy_in(t, it->second.bytes.data());
  }

 private:
  static constexpr const char* kHint = "resume with the options that the training was begun with";
  Ops& ops_;
  SafetensorsFile file_;
};

}  // namespace

void Optimizer::save(const fs::path& path) const {
  TensorWriter writer(ops_);
  for (const Parameter& p : parameters_) {
    writer.put(p.name, p.value);
    writer.put(p.name + ".m", p.m);
    writer.put(p.name + ".v", p.v);
  }
  writer.write(path);
}

void Optimizer::load(const fs::path& path) {
  const TensorReader reader(ops_, path, parameters_.size() * 3);
  for (const Parameter& p : parameters_) {
    reader.get(p.name, p.value);
    reader.get(p.name + ".m", p.m);
    reader.get(p.name + ".v", p.v);
    if (p.copy) ops_.copy(p.copy, p.value);
  }
}

void Optimizer::save_values(const fs::path& path) const {
  TensorWriter writer(ops_);
  for (const Parameter& p : parameters_) writer.put(p.name, p.value);
  writer.write(path);
}

void Optimizer::load_values(const fs::path& path) {
  const TensorReader reader(ops_, path, parameters_.size());
  for (const Parameter& p : parameters_) {
    reader.get(p.name, p.value);
    if (p.copy) ops_.copy(p.copy, p.value);
  }
}

}  // namespace chatmem
