#include "train/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "base/error.h"
#include "format/safetensors.h"

namespace chatmem {

std::optional<OptimizerKind> parse_optimizer(std::string_view name) {
  if (name == "adamw") return OptimizerKind::adamw;
  if (name == "adamw8bit") return OptimizerKind::adamw8bit;
  return std::nullopt;
}

Tensor Optimizer::add(std::string name, Tensor tensor, WeightDecay decay) {
  const auto buffer = [&](DType dtype) {
    return make_tensor(ops_, tensor.rows, tensor.cols, dtype);
  };
  Parameter p{.name = std::move(name), .value = tensor, .decay = decay};
  if (tensor.dtype != DType::f32) {
    p.value = buffer(DType::f32);
    p.copy = tensor;
    ops_.copy(p.value, tensor);
  }
  p.grad = buffer(DType::f32);
  const bool in_8_bits = kind_ == OptimizerKind::adamw8bit && tensor.size() >= kMin8bitValues;
  for (Tensor* moment : {&p.m, &p.v}) *moment = buffer(in_8_bits ? DType::u8 : DType::f32);
  if (in_8_bits)
    for (Tensor* scales : {&p.m_scales, &p.v_scales})
      *scales = make_tensor(ops_, 1, int(moment_blocks(tensor.size())), DType::f32);
  parameters_.push_back(p);
  return p.grad;
}

void Optimizer::zero_gradients() {
  for (const Parameter& p : parameters_) ops_.zero(p.grad);
}

void Optimizer::sum_gradients(Peers& peers) {
  if (peers.size() == 1) return;
  constexpr int kStagedValues = 1 << 22;  // through host memory, since they may be on a device
  std::vector<float> staged;
  for (const Parameter& p : parameters_) {
    const int rows_at_once = std::max(1, kStagedValues / p.grad.cols);
    for (int row = 0; row < p.grad.rows; row += rows_at_once) {
      const Tensor part = p.grad.slice(row, std::min(rows_at_once, p.grad.rows - row));
      staged.resize(part.size());
      ops_.copy_out(staged.data(), part);
      peers.sum(std::span<float>(staged));
      ops_.copy_in(part, staged.data());
    }
  }
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
    if (p.m_scales)
      ops_.adamw_8bit(p.value, p.copy, p.grad, {p.m, p.m_scales}, {p.v, p.v_scales}, step);
    else
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
    tensors_[name] = {t.dtype, {t.rows, t.cols}, {copies_.back().get(), t.size_bytes()}};
  }
  void write(const fs::path& path) const { write_safetensors(path, tensors_); }

 private:
  Ops& ops_;
  std::map<std::string, TensorInfo> tensors_;
  std::vector<std::unique_ptr<std::byte[]>> copies_;
};

// A file that must hold n tensors of known types and shapes.
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
    if (it == file_.tensors().end() || it->second.dtype != t.dtype || it->second.shape != shape)
      throw Error(fmt::format("[resume] '{}' must hold '{}' as {} ({}, {})", file_.path().string(),
                              name, dtype_name(t.dtype), t.rows, t.cols),
                  kHint);
    ops_.copy_in(t, it->second.bytes.data());
  }

 private:
  static constexpr const char* kHint = "resume with the options that the training was begun with";
  Ops& ops_;
  SafetensorsFile file_;
};

}  // namespace

template <typename Visit>
void Optimizer::for_each_state(const Visit& visit) const {
  for (const Parameter& p : parameters_) {
    visit(p.name, p.value);
    visit(p.name + ".m", p.m);
    visit(p.name + ".v", p.v);
    if (!p.m_scales) continue;
    visit(p.name + ".m_scales", p.m_scales);
    visit(p.name + ".v_scales", p.v_scales);
  }
}

void Optimizer::save(const fs::path& path) const {
  TensorWriter writer(ops_);
  for_each_state([&](const std::string& name, Tensor t) { writer.put(name, t); });
  writer.write(path);
}

void Optimizer::load(const fs::path& path) {
  size_t n = 0;
  for_each_state([&](const std::string&, Tensor) { n++; });
  const TensorReader reader(ops_, path, n);
  for_each_state([&](const std::string& name, Tensor t) { reader.get(name, t); });
  for (const Parameter& p : parameters_)
    if (p.copy) ops_.copy(p.copy, p.value);
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
