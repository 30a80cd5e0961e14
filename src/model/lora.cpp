// Adapters in memory and in files.
#include "model/lora.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/staged_folder.h"

namespace chatmem {
namespace {

constexpr std::string_view kPrefix = "base_model.model.";
constexpr const char* kConfigFile = "adapter_config.json";
constexpr const char* kWeightsFile = "adapter_model.safetensors";
constexpr const char* kA = ".lora_A.weight";
constexpr const char* kB = ".lora_B.weight";
constexpr const char* kMagnitude = ".lora_magnitude_vector";

[[noreturn]] void fail_adapter(const std::string& what, std::string hint = {}) {
  throw Error("[adapter] " + what, std::move(hint));
}

// "q_proj" of "self_attn.q_proj"
std::string_view leaf(std::string_view module) { return module.substr(module.rfind('.') + 1); }

bool is_rotated(std::string_view module) {
  return leaf(module) == "q_proj" || leaf(module) == "k_proj";
}

void check_target_modules(const std::vector<std::string>& modules) {
  if (modules.empty()) fail_adapter("target_modules must name a module, is empty");
  const std::vector<std::string> all = all_target_modules();
  for (const std::string& name : modules)
    if (std::ranges::find(all, name) == all.end())
      fail_adapter(fmt::format("target module must be a projection of Llama, is '{}'", name),
                   fmt::format("{}", fmt::join(all, ", ")));
}

// One matrix of the file, or a vector, checked, on the device.
Tensor load_lora_matrix(Ops& ops, const SafetensorsFile& file, const std::string& name,
                        const std::vector<int64_t>& shape, DType dtype,
                        const std::function<void(std::span<std::byte>)>& change) {
  const auto it = file.tensors().find(name);
  const std::string where = file.path().string();
  if (it == file.tensors().end())
    fail_adapter(
        fmt::format("tensor '{}' ({}) is missing in '{}'", name, fmt::join(shape, ", "), where));
  const TensorInfo& info = it->second;
  if (info.shape != shape)
    fail_adapter(
        fmt::format("tensor '{}' must have shape ({}), has ({}), in '{}'", name,
                    fmt::join(shape, ", "), fmt::join(info.shape, ", "), where),
        "the adapter belongs to another base model, or its rank is not that of its config");
  if (info.dtype != DType::f32 && info.dtype != DType::bf16 && info.dtype != DType::f16)
    fail_adapter(fmt::format("tensor '{}' must be f32, bf16 or f16, is {}, in '{}'", name,
                             dtype_name(info.dtype), where));
  std::vector<std::byte> values = convert(info.bytes, info.dtype, dtype);
  if (change) change(values);
  const bool vector = shape.size() == 1;
  const Tensor tensor =
      make_tensor(ops, vector ? 1 : int(shape[0]), int(shape[vector ? 0 : 1]), dtype);
  ops.copy_in(tensor, values.data());
  return tensor;
}

// The length of every row of W, as DoRA's magnitudes begin. PEFT writes them under either name.
Tensor load_magnitude(Ops& ops, const SafetensorsFile& file, std::string name, int rows,
                      const std::function<void(std::span<std::byte>)>& change) {
  if (!file.tensors().contains(name)) name += ".weight";
  return load_lora_matrix(ops, file, name, {rows}, DType::f32, change);
}

// A projection's norms and factors, with magnitudes given or, where empty, to be the norms.
void start_dora(Ops& ops, Tensor w, Lora& lora) {
  const auto vector = [&] { return make_tensor(ops, 1, w.rows, DType::f32); };
  const bool given = bool(lora.magnitude);
  if (!given) lora.magnitude = vector();
  lora.norm = vector(), lora.factor = vector();
  ops.dora_factor(lora.factor, lora.norm, lora.magnitude, w, lora.a, lora.b, lora.scale);
  if (given) return;
  ops.copy(lora.magnitude, lora.norm);
  ops.dora_factor(lora.factor, lora.norm, lora.magnitude, w, lora.a, lora.b, lora.scale);
}

bool is_target(const AdapterConfig& config, std::string_view module) {
  return std::ranges::find(config.target_modules, leaf(module)) != config.target_modules.end();
}

void check_all_used(const SafetensorsFile& file, const std::set<std::string>& used) {
  for (const auto& [name, info] : file.tensors())
    if (!used.contains(name))
      fail_adapter(
          fmt::format("tensor '{}' must be LoRA of a projection of the base, is not, in '{}'", name,
                      file.path().string()),
          "adapted embeddings, lm_head and other models' layers are not supported");
}

// x[i] *= factor[i]
void multiply_rows(Ops& ops, Tensor x, Tensor factor) {
  std::vector<float> factors(factor.size()), row(size_t(x.cols));
  ops.copy_out(factors.data(), factor);
  for (int i = 0; i < x.rows; i++) {
    ops.copy_out(row.data(), x.slice(i, 1));
    for (float& value : row) value *= factors[size_t(i)];
    ops.copy_in(x.slice(i, 1), row.data());
  }
}

// factor * (W + scale * B A) for one projection. `sum` is f32 memory for it, a_t for A transposed.
Tensor merge_one(Ops& ops, Tensor w, const Lora& lora, Tensor sum, Tensor a_t) {
  CHECK(lora.a.dtype == DType::f32 && lora.a.cols == w.cols && lora.b.rows == w.rows);
  const size_t rank = size_t(lora.a.rows), in = size_t(lora.a.cols);
  std::vector<float> a(rank * in), turned(rank * in);
  ops.copy_out(a.data(), lora.a);
  for (size_t r = 0; r < rank; r++)
    for (size_t i = 0; i < in; i++) turned[i * rank + r] = a[r * in + i];
  ops.copy_in(a_t, turned.data());

  ops.copy(sum, w);
  ops.matmul(sum, lora.b, a_t, lora.scale, Accumulate::yes);
  if (lora.factor) multiply_rows(ops, sum, lora.factor);
  const DType dtype = is_quantized(w.dtype) ? DType::bf16 : w.dtype;
  const Tensor merged = make_tensor(ops, w.rows, w.cols, dtype);
  if (w.dtype != DType::f16) {
    ops.copy(merged, sum);
  } else {  // which Ops::copy does not write
    std::vector<std::byte> values(sum.size_bytes());
    ops.copy_out(values.data(), sum);
    ops.copy_in(merged, convert(values, DType::f32, DType::f16).data());
  }
  return merged;
}

AdapterConfig read_folder_config(const fs::path& folder) {
  if (!fs::exists(folder / kConfigFile))
    fail_adapter(
        fmt::format("'{}' must be an adapter's folder, has no {}", folder.string(), kConfigFile));
  return read_adapter_config(folder / kConfigFile);
}

void check_patterns(const AdapterConfig& description, size_t n_layers) {
  const auto check = [&](const std::string& pattern) {
    AdapterConfig probe;
    probe.rank_pattern = {{pattern, 0}};
    for (size_t i = 0; i < n_layers; i++)
      for (const auto& [module, projection] : kProjections)
        if (is_target(description, module) && probe.rank_of(layer_module(i, module)) == 0) return;
    fail_adapter(
        fmt::format("the pattern '{}' must match an adapted module, matches none", pattern));
  };
  for (const auto& [pattern, rank] : description.rank_pattern) check(pattern);
  for (const auto& [pattern, alpha] : description.alpha_pattern) check(pattern);
}

}  // namespace

std::vector<std::string> all_target_modules() {
  std::vector<std::string> names;
  for (const auto& [module, projection] : kProjections) names.emplace_back(leaf(module));
  return names;
}

Adapter make_adapter(Ops& ops, const Llama& model, const AdapterConfig& description, DType dtype,
                     uint64_t seed) {
  check_target_modules(description.target_modules);
  check_patterns(description, model.blocks.size());
  Adapter adapter;
  adapter.blocks.resize(model.blocks.size());
  for (size_t i = 0; i < model.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections) {
      if (!is_target(description, module)) continue;
      const std::string path = layer_module(i, module);
      const int rank = description.rank_of(path);
      if (rank < 1)
        fail_adapter(fmt::format("the rank of {} must be at least 1, is {}", path, rank));
      const Tensor w = model.blocks[i].*projection.weight;
      Lora& lora = adapter.blocks[i].*projection.lora;
      lora.a = make_tensor(ops, rank, w.cols, dtype);
      lora.b = make_tensor(ops, w.rows, rank, dtype);  // of zeros
      lora.scale = float(description.scale_of(path));
      Random random(hash64(path) ^ seed);
      std::vector<float> a(lora.a.size());
      const double bound = 1 / std::sqrt(double(w.cols));
      for (float& x : a) x = float((2 * random.uniform() - 1) * bound);
      ops.copy_in(lora.a, convert(std::as_bytes(std::span(a)), DType::f32, dtype).data());
      if (description.dora) start_dora(ops, w, lora);
    }
  return adapter;
}

void update_dora(Ops& ops, const Llama& model, const Adapter& adapter) {
  for (size_t i = 0; i < adapter.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections)
      if (const Lora& lora = adapter.blocks[i].*projection.lora; lora.magnitude)
        ops.dora_factor(lora.factor, lora.norm, lora.magnitude, model.blocks[i].*projection.weight,
                        lora.a, lora.b, lora.scale);
}

AdapterConfig read_adapter_description(const fs::path& folder, size_t n_layers) {
  AdapterConfig description = read_folder_config(folder);
  const SafetensorsFile file(folder / kWeightsFile);
  description.target_modules.clear();
  description.all_layers = true;
  for (const auto& [module, projection] : kProjections) {
    size_t n = 0;
    for (size_t i = 0; i < n_layers; i++)
      n += file.tensors().contains(std::string(kPrefix) + layer_module(i, module) + kA);
    if (n == 0) continue;
    if (n < n_layers)
      fail_adapter(
          fmt::format("{} must be adapted in all {} layers to be trained further, is in {}, in "
                      "'{}'",
                      leaf(module), n_layers, n, folder.string()));
    description.target_modules.emplace_back(leaf(module));
  }
  if (description.target_modules.empty())
    fail_adapter(fmt::format("'{}' must hold LoRA tensors, has none", folder.string()));
  return description;
}

void save_adapter(const fs::path& folder, Ops& ops, const Config& config, const Adapter& adapter,
                  const AdapterConfig& description) {
  std::map<std::string, TensorInfo> infos;
  std::map<std::string, Tensor> tensors;
  for_each_lora(adapter, [&](const std::string& prefix, const Lora& lora) {
    const std::string path = prefix.substr(kPrefix.size());
    CHECK(lora.a.rows == description.rank_of(path));
    CHECK(lora.scale == float(description.scale_of(path)));
    CHECK(bool(lora.magnitude) == description.dora);
    const auto put = [&](const char* suffix, Tensor t, std::vector<int64_t> shape) {
      infos[prefix + suffix] = {DType::f32, std::move(shape), {}};
      tensors[prefix + suffix] = t;
    };
    put(kA, lora.a, {lora.a.rows, lora.a.cols});
    put(kB, lora.b, {lora.b.rows, lora.b.cols});
    if (lora.magnitude) put(kMagnitude, lora.magnitude, {lora.magnitude.cols});
  });
  std::vector<std::byte> buffer;
  const TensorSource source = [&](const std::string& name) -> std::span<const std::byte> {
    const Tensor t = tensors.at(name);
    buffer.resize(t.size_bytes());
    ops.copy_out(buffer.data(), t);
    const std::string_view module = std::string_view(name).substr(0, name.find(".lora_"));
    if (!name.ends_with(kA) && is_rotated(module))
      reorder_heads(buffer, t.size_bytes() / size_t(t.rows == 1 ? t.cols : t.rows), config.head_dim,
                    config.rope_layout, RopeLayout::half);
    buffer = convert(buffer, t.dtype, DType::f32);
    return buffer;
  };
  StagedFolder staged(folder, kConfigFile);
  write_safetensors(staged.path() / kWeightsFile, infos, {}, source);
  write_adapter_config(staged.path() / kConfigFile, description);
  staged.commit([](const std::string&) { return false; });
}

Adapter load_adapter(Ops& ops, const Llama& model, const fs::path& folder, DType dtype) {
  const AdapterConfig description = read_folder_config(folder);
  const SafetensorsFile file(folder / kWeightsFile);
  std::set<std::string> used;
  Adapter adapter;
  adapter.blocks.resize(model.blocks.size());
  for (size_t i = 0; i < model.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections) {
      const std::string path = layer_module(i, module), prefix = std::string(kPrefix) + path;
      const bool present =
          file.tensors().contains(prefix + kA) || file.tensors().contains(prefix + kB);
      if (!present && !(description.all_layers && is_target(description, module))) continue;
      const Tensor w = model.blocks[i].*projection.weight;
      const int rank = description.rank_of(path);
      const auto reorder_rows = [&, turns = is_rotated(module)](size_t row_size) {
        return [&, turns, row_size](std::span<std::byte> rows) {
          if (turns)
            reorder_heads(rows, row_size, model.config.head_dim, RopeLayout::half,
                          model.config.rope_layout);
        };
      };
      Lora& lora = adapter.blocks[i].*projection.lora;
      lora.a = load_lora_matrix(ops, file, prefix + kA, {rank, w.cols}, dtype, nullptr);
      lora.b = load_lora_matrix(ops, file, prefix + kB, {w.rows, rank}, dtype,
                                reorder_rows(row_bytes(dtype, size_t(rank))));
      lora.scale = float(description.scale_of(path));
      used.insert({prefix + kA, prefix + kB});
      if (!description.dora) continue;
      lora.magnitude = load_magnitude(ops, file, prefix + kMagnitude, w.rows, reorder_rows(4));
      start_dora(ops, w, lora);
      used.insert({prefix + kMagnitude, prefix + kMagnitude + ".weight"});
    }
  check_all_used(file, used);
  if (used.empty())
    fail_adapter(fmt::format("'{}' must hold LoRA tensors, has none", folder.string()));
  return adapter;
}

Llama merge_adapter(Ops& ops, const Llama& model, const Adapter& adapter) {
  CHECK(adapter.blocks.size() == model.blocks.size());
  size_t max_sum = 0, max_a = 0;
  for (size_t i = 0; i < model.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections)
      if (const Lora& lora = adapter.blocks[i].*projection.lora) {
        max_sum = std::max(max_sum, (model.blocks[i].*projection.weight).size());
        max_a = std::max(max_a, lora.a.size());
      }
  void* sum = ops.alloc(max_sum * sizeof(float));
  void* a_t = ops.alloc(max_a * sizeof(float));
  Llama merged = model;
  for (size_t i = 0; i < merged.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections)
      if (const Lora& lora = adapter.blocks[i].*projection.lora) {
        Tensor& w = merged.blocks[i].*projection.weight;
        w = merge_one(ops, w, lora, {sum, w.rows, w.cols, DType::f32},
                      {a_t, lora.a.cols, lora.a.rows, DType::f32});
      }
  return merged;
}

}  // namespace chatmem
