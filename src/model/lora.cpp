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

constexpr const char* kConfigFile = "adapter_config.json";
constexpr const char* kWeightsFile = "adapter_model.safetensors";
constexpr const char* kA = ".lora_A.weight";
constexpr const char* kB = ".lora_B.weight";

[[noreturn]] void fail(const std::string& what, std::string hint = {}) {
  throw Error("[adapter] " + what, std::move(hint));
}

// "q_proj" of "self_attn.q_proj"
std::string_view leaf(std::string_view module) { return module.substr(module.rfind('.') + 1); }

bool rotates(std::string_view module) {
  return leaf(module) == "q_proj" || leaf(module) == "k_proj";
}

void check_target_modules(const std::vector<std::string>& modules) {
  if (modules.empty()) fail("target_modules must name a module, is empty");
  for (const std::string& name : modules)
    if (std::ranges::none_of(kProjections,
                             [&](const NamedProjection& p) { return leaf(p.module) == name; }))
      fail(fmt::format("target module must be a projection of Llama, is '{}'", name),
           "q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj");
}

AdapterConfig describe(const LoraOptions& options) {
  AdapterConfig config;
  config.rank = options.rank;
  config.alpha = options.alpha;
  config.rslora = options.rslora;
  config.target_modules = options.target_modules;
  return config;
}

// One matrix of the file, checked, on the device.
Tensor load_matrix(Ops& ops, const SafetensorsFile& file, const std::string& name, int rows,
                   int cols, DType dtype, const std::function<void(std::span<std::byte>)>& change) {
  const auto it = file.tensors().find(name);
  const std::string where = file.path().string();
  if (it == file.tensors().end())
    fail(fmt::format("tensor '{}' ({}, {}) is missing in '{}'", name, rows, cols, where));
  const TensorInfo& info = it->second;
  if (info.shape != std::vector<int64_t>{rows, cols})
    fail(fmt::format("tensor '{}' must have shape ({}, {}), has ({}), in '{}'", name, rows, cols,
                     fmt::join(info.shape, ", "), where),
         "the adapter belongs to another base model, or its rank is not that of its config");
  if (info.dtype != DType::f32 && info.dtype != DType::bf16 && info.dtype != DType::f16)
    fail(fmt::format("tensor '{}' must be f32, bf16 or f16, is {}, in '{}'", name,
                     dtype_name(info.dtype), where));
  std::vector<std::byte> values = convert(info.bytes, info.dtype, dtype);
  if (change) change(values);
  const Tensor tensor = make_tensor(ops, rows, cols, dtype);
  ops.copy_in(tensor, values.data());
  return tensor;
}

// Whether the config says that this module of every layer is adapted.
bool must_be_adapted(const AdapterConfig& config, std::string_view module) {
  return config.all_layers &&
         std::ranges::find(config.target_modules, leaf(module)) != config.target_modules.end();
}

void check_all_used(const SafetensorsFile& file, const std::set<std::string>& used) {
  for (const auto& [name, info] : file.tensors())
    if (!used.contains(name))
      fail(fmt::format("tensor '{}' must be LoRA of a projection of the base, is not, in '{}'",
                       name, file.path().string()),
           "adapted embeddings, lm_head and other models' layers are not supported");
}

// W + scale * B A for one projection. `sum` is f32 memory for it, a_t for A transposed.
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

}  // namespace

Adapter make_adapter(Ops& ops, const Config& config, const LoraOptions& options, DType dtype,
                     uint64_t seed) {
  check_target_modules(options.target_modules);
  if (options.rank < 1) fail(fmt::format("rank must be at least 1, is {}", options.rank));
  const float scale = float(describe(options).scale_of(""));
  const Llama shape = model_shape(config, dtype);
  Adapter adapter;
  adapter.blocks.resize(shape.blocks.size());
  for (size_t i = 0; i < shape.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections) {
      if (std::ranges::find(options.target_modules, leaf(module)) == options.target_modules.end())
        continue;
      const Tensor w = shape.blocks[i].*projection.weight;
      Lora& lora = adapter.blocks[i].*projection.lora;
      lora = {make_tensor(ops, options.rank, w.cols, dtype),
              make_tensor(ops, w.rows, options.rank, dtype), scale};  // alloc gives zeros
      Random random(hash64(layer_module(i, module)) ^ seed);
      std::vector<float> a(lora.a.size());
      const double bound = 1 / std::sqrt(double(w.cols));
      for (float& x : a) x = float((2 * random.uniform() - 1) * bound);
      ops.copy_in(lora.a, convert(std::as_bytes(std::span(a)), DType::f32, dtype).data());
    }
  return adapter;
}

void save_adapter(const fs::path& folder, Ops& ops, const Config& config, const Adapter& adapter,
                  const LoraOptions& options, const std::string& base_model) {
  std::map<std::string, TensorInfo> infos;
  std::map<std::string, Tensor> tensors;
  for_each_lora(adapter, [&](const std::string& prefix, const Lora& lora) {
    CHECK(lora.a.rows == options.rank);
    for (const auto& [name, t] : {std::pair(prefix + kA, lora.a), std::pair(prefix + kB, lora.b)}) {
      infos[name] = {DType::f32, {t.rows, t.cols}, {}};
      tensors[name] = t;
    }
  });
  std::vector<std::byte> buffer;
  const TensorSource source = [&](const std::string& name) -> std::span<const std::byte> {
    const Tensor t = tensors.at(name);
    buffer.resize(t.size_bytes());
    ops.copy_out(buffer.data(), t);
    const std::string_view module = std::string_view(name).substr(0, name.size() - strlen(kB));
    if (name.ends_with(kB) && rotates(module))
      reorder_heads(buffer, size_t(t.cols) * dtype_bytes(t.dtype), config.head_dim,
                    config.rope_layout, RopeLayout::half);
    buffer = convert(buffer, t.dtype, DType::f32);
    return buffer;
  };
  StagedFolder staged(folder, kConfigFile);
  write_safetensors(staged.path() / kWeightsFile, infos, {}, source);
  AdapterConfig description = describe(options);
  description.base_model = base_model;
  write_adapter_config(staged.path() / kConfigFile, description);
  staged.commit([](const std::string&) { return false; });
}

Adapter load_adapter(Ops& ops, const Config& config, const fs::path& folder, DType dtype) {
  if (!fs::exists(folder / kConfigFile))
    fail(fmt::format("'{}' must be an adapter's folder, has no {}", folder.string(), kConfigFile));
  const AdapterConfig description = read_adapter_config(folder / kConfigFile);
  const SafetensorsFile file(folder / kWeightsFile);
  const Llama shape = model_shape(config, dtype);
  std::set<std::string> used;
  Adapter adapter;
  adapter.blocks.resize(shape.blocks.size());
  for (size_t i = 0; i < shape.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections) {
      const std::string path = layer_module(i, module), prefix = "base_model.model." + path;
      const bool present =
          file.tensors().contains(prefix + kA) || file.tensors().contains(prefix + kB);
      if (!present && !must_be_adapted(description, module)) continue;
      const Tensor w = shape.blocks[i].*projection.weight;
      const int rank = description.rank_of(path);
      const auto reorder = [&, turns = rotates(module)](std::span<std::byte> b) {
        if (turns)
          reorder_heads(b, size_t(rank) * dtype_bytes(dtype), config.head_dim, RopeLayout::half,
                        config.rope_layout);
      };
      adapter.blocks[i].*
          projection.lora = {load_matrix(ops, file, prefix + kA, rank, w.cols, dtype, nullptr),
                             load_matrix(ops, file, prefix + kB, w.rows, rank, dtype, reorder),
                             float(description.scale_of(path))};
      used.insert({prefix + kA, prefix + kB});
    }
  check_all_used(file, used);
  if (used.empty()) fail(fmt::format("'{}' must hold LoRA tensors, has none", folder.string()));
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
