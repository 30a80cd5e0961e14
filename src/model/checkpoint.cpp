// Loads, makes and saves models; the names and rules are in the header.
#include "model/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/staged_folder.h"
#include "compute/nf4.h"
#include "compute/quant.h"
#include "model/gguf_model.h"

namespace chatmem {
namespace {

constexpr size_t kMaxConfigBytes = 16 << 20, kMaxIndexBytes = 256 << 20;
constexpr size_t kParallelBytes = 1 << 20;  // below, threads cost more than they save
constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

[[noreturn]] void fail_checkpoint(const std::string& what, std::string hint = {}) {
  throw Error("[model] " + what, std::move(hint));
}

bool is_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16;
}

std::vector<int64_t> disk_shape(const Tensor& t, TensorKind kind) {
  if (kind == TensorKind::norm) return {t.cols};
  return {t.rows, t.cols};
}

std::string list(const std::vector<int64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

float read_element(const std::byte* at, DType dtype) {
  switch (dtype) {
    case DType::f32: {
      float value;
      std::memcpy(&value, at, sizeof value);
      return value;
    }
    case DType::bf16: {
      bf16 value;
      std::memcpy(&value, at, sizeof value);
      return to_f32(value);
    }
    default: {
      f16 value;
      std::memcpy(&value, at, sizeof value);
      return to_f32(value);
    }
  }
}

void write_element(std::byte* at, DType dtype, float x) {
  if (dtype == DType::f32) {
    std::memcpy(at, &x, sizeof x);
  } else {
    const uint16_t bits = dtype == DType::bf16 ? to_bf16(x).bits : to_f16(x).bits;
    std::memcpy(at, &bits, sizeof bits);
  }
}

// A tensor of the model's files, and the one it lies in.
struct Found {
  TensorInfo info;
  const fs::path* file = nullptr;
};

// What the files of a model hold, by the names they use.
struct Weights {
  std::map<std::string, Found> tensors;
  fs::path path;
  bool in_gguf = false;

  std::string name_of(const std::string& name) const { return in_gguf ? gguf_name(name) : name; }
  const char* config() const { return in_gguf ? "metadata" : "config.json"; }
  // Empty where there is no such tensor.
  std::span<const std::byte> bytes(const std::string& name) const {
    const auto it = tensors.find(name);
    return it == tensors.end() ? std::span<const std::byte>() : it->second.info.bytes;
  }
};

// The tensors beside a weight that bitsandbytes quantized (compute/nf4.h); the state comes last.
constexpr const char* kBnbParts[] = {".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map",
                                     ".quant_state.bitsandbytes__nf4"};

bool is_bnb(const Weights& weights, const std::string& name) {
  return !weights.in_gguf && weights.tensors.contains(name + kBnbParts[4]);
}

BnbTensors bnb_tensors(const Weights& weights, const std::string& name) {
  return {weights.bytes(name),
          weights.bytes(name + kBnbParts[0]),
          weights.bytes(name + kBnbParts[1]),
          weights.bytes(name + kBnbParts[2]),
          weights.bytes(name + kBnbParts[3]),
          weights.bytes(name + kBnbParts[4])};
}

std::string place_of(const Weights& weights, const std::string& name) {
  return fmt::format("tensor '{}' of '{}'", name, weights.path.string());
}

std::vector<fs::path> shards_of_index(const fs::path& index) {
  const std::string where = fmt::format("'{}'", index.string());
  const Json json = read_json(index, kMaxIndexBytes);
  std::set<fs::path> shards;
  for (const auto& [name, file] : json_object(json, "weight_map", where).items()) {
    const std::string shard = file.is_string() ? file.get<std::string>() : "";
    // a file name and no path: an index must not reach outside of its folder
    if (shard.empty() || shard != fs::path(shard).filename() || shard == "." || shard == "..")
      fail_checkpoint(fmt::format("{}: '{}' must lie in a file of the folder, the index says {}",
                                  where, name, dump_json(file)));
    shards.insert(index.parent_path() / shard);
  }
  return {shards.begin(), shards.end()};
}

std::vector<SafetensorsFile> open_files(const fs::path& folder) {
  std::vector<SafetensorsFile> files;
  if (fs::exists(folder / kSingle)) {
    files.emplace_back(folder / kSingle);
    return files;
  }
  if (!fs::exists(folder / kIndex))
    fail_checkpoint(
        fmt::format("'{}' must hold {} or {}, has neither", folder.string(), kSingle, kIndex),
        fs::exists(folder / "pytorch_model.bin")
            ? "pytorch_model.bin is not read: save the model as safetensors with transformers"
            : "download the whole folder of the model");
  for (const fs::path& path : shards_of_index(folder / kIndex)) {
    if (!fs::exists(path))
      fail_checkpoint(fmt::format("'{}' must exist, {} names it", path.string(), kIndex),
                      "download all shards of the model");
    files.emplace_back(path);
  }
  return files;
}

Weights index_tensors(const std::vector<SafetensorsFile>& files, const fs::path& folder) {
  Weights weights{{}, folder, false};
  for (const SafetensorsFile& file : files)
    for (const auto& [name, info] : file.tensors()) {
      const auto [it, is_new] = weights.tensors.try_emplace(name, Found{info, &file.path()});
      if (!is_new)
        fail_checkpoint(fmt::format("'{}' must be in one file, is in '{}' and '{}'", name,
                                    it->second.file->string(), file.path().string()));
    }
  return weights;
}

Weights index_tensors(const GgufFile& file) {
  Weights weights{{}, file.path(), true};
  for (const auto& [name, tensor] : file.tensors()) {
    if (name == kRopeFactors) continue;  // gguf_inv_freq reads it
    if (!tensor.dtype)
      fail_checkpoint(
          fmt::format("tensor '{}' must be F32, F16, BF16, Q8_0, Q4_0, Q4_K or Q6_K, is {}, in "
                      "'{}'",
                      name, tensor.type, file.path().string()),
          "quantize the original model anew as Q8_0, Q4_0 or Q4_K_M");
    weights.tensors[name] = {{*tensor.dtype, tensor.shape, tensor.bytes}, &file.path()};
  }
  return weights;
}

bool is_allowed(DType dtype, TensorKind kind, bool in_gguf) {
  return is_float(dtype) || (in_gguf && kind != TensorKind::norm && is_quantized(dtype));
}

const Found& check_tensor(const Weights& weights, const std::string& name,
                          const std::vector<int64_t>& shape, TensorKind kind) {
  const auto it = weights.tensors.find(name);
  if (it == weights.tensors.end())
    fail_checkpoint(
        fmt::format("tensor '{}' {} is missing in '{}'", name, list(shape), weights.path.string()),
        fmt::format("{} is incomplete, or its {} belongs to another model",
                    weights.in_gguf ? "the file" : "the folder", weights.config()));
  const auto& [info, file] = it->second;
  if (info.shape != shape)
    fail_checkpoint(fmt::format("tensor '{}' must have shape {}, has {}, in '{}'", name,
                                list(shape), list(info.shape), file->string()),
                    fmt::format("{} belongs to another model", weights.config()));
  if (!is_allowed(info.dtype, kind, weights.in_gguf))
    fail_checkpoint(fmt::format("tensor '{}' must be f32, bf16 or f16, is {}, in '{}'", name,
                                dtype_name(info.dtype), file->string()));
  return it->second;
}

void check_bnb_tensor(const Weights& weights, const std::string& name,
                      const std::vector<int64_t>& shape) {
  const BnbState state =
      parse_bnb_state(weights.bytes(name + kBnbParts[4]), place_of(weights, name));
  const std::vector<int64_t> found = {state.rows, state.cols};
  if (found != shape)
    fail_checkpoint(fmt::format("tensor '{}' must have shape {}, its quant_state says {}, in '{}'",
                                name, list(shape), list(found), weights.path.string()),
                    "config.json belongs to another model");
}

// What is left when the model has taken its tensors.
void check_extra(const Weights& weights, const std::set<std::string>& wanted, bool tied) {
  const auto embed = weights.tensors.find(weights.name_of("model.embed_tokens.weight"));
  for (const auto& [name, tensor] : weights.tensors) {
    if (wanted.contains(name) || name.ends_with(".rotary_emb.inv_freq")) continue;
    const std::string path = tensor.file->string();
    if (tied && name == "lm_head.weight") {  // some writers repeat the embedding
      if (std::ranges::equal(tensor.info.bytes, embed->second.info.bytes)) continue;
      fail_checkpoint(
          fmt::format("tensor 'lm_head.weight' must equal the embedding, differs, in '{}'", path),
          "set \"tie_word_embeddings\": false in config.json if the model has its own lm_head");
    }
    fail_checkpoint(
        fmt::format("tensor '{}' {} is not part of a Llama model, in '{}'", name,
                    list(tensor.info.shape), path),
        name.find("lora_") != name.npos ? "this is an adapter: give its base as the model" : "");
  }
}

// All is checked before anything is allocated.
void check_weights(const Weights& weights, const Llama& model) {
  std::set<std::string> wanted;
  for_each_tensor(model, [&](const std::string& key, const Tensor& t, TensorKind kind) {
    const std::string name = weights.name_of(key);
    wanted.insert(name);
    if (kind == TensorKind::norm || !is_bnb(weights, name)) {
      check_tensor(weights, name, disk_shape(t, kind), kind);
      return;
    }
    check_bnb_tensor(weights, name, disk_shape(t, kind));
    for (const char* part : kBnbParts) wanted.insert(name + part);
  });
  check_extra(weights, wanted, model.config.tied_embeddings);
}

void load_tensor(Ops& ops, Tensor& tensor, const TensorInfo& info, TensorKind kind,
                 WeightMemory memory) {
  if (kind == TensorKind::norm) {
    const std::vector<std::byte> values = convert(info.bytes, info.dtype, DType::f32);
    tensor = make_tensor(ops, 1, tensor.cols, DType::f32);
    ops.copy_in(tensor, values.data());
    return;
  }
  const auto address = reinterpret_cast<uintptr_t>(info.bytes.data());
  const size_t alignment = is_quantized(info.dtype) ? 1 : dtype_bytes(info.dtype);
  if (memory == WeightMemory::mapped && address % alignment == 0) {
    // a Tensor has no read-only form; nothing writes to the weights of a mapped model
    tensor = {const_cast<std::byte*>(info.bytes.data()), tensor.rows, tensor.cols, info.dtype};
    return;
  }
  tensor = make_tensor(ops, tensor.rows, tensor.cols, info.dtype);
  ops.copy_in(tensor, info.bytes.data());
}

// In rows of our own, as no part of them lies so in the file.
void load_bnb_tensor(Ops& ops, Tensor& tensor, const Weights& weights, const std::string& name) {
  const BnbTensors parts = bnb_tensors(weights, name);
  const std::string where = place_of(weights, name);
  const bool is_nested = parse_bnb_state(parts.quant_state, where).is_nested;
  tensor.dtype = is_nested ? DType::nf4 : DType::bf16;
  std::vector<std::byte> rows(tensor.size_bytes());
  read_bnb_nf4({rows.data(), tensor.rows, tensor.cols, tensor.dtype}, parts, where);
  tensor = make_tensor(ops, tensor.rows, tensor.cols, tensor.dtype);
  ops.copy_in(tensor, rows.data());
}

void fill_inv_freq(Ops& ops, Llama& model, const std::vector<float>& inv_freq) {
  model.inv_freq = make_tensor(ops, 1, int(inv_freq.size()), DType::f32);
  ops.copy_in(model.inv_freq, inv_freq.data());
}

// generation_config.json lists all tokens that end an answer, config.json sometimes one of them.
Config read_config(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  if (!fs::exists(path))
    fail_checkpoint(
        fmt::format("'{}' must be a model's folder, has no config.json", folder.string()));
  Json json = read_json(path, kMaxConfigBytes);
  std::string where = fmt::format("'{}'", path.string());
  const fs::path generation = folder / "generation_config.json";
  if (json.is_object() && fs::exists(generation)) {
    const Json more = read_json(generation, kMaxConfigBytes);
    if (more.is_object() && more.contains("eos_token_id") && !more.at("eos_token_id").is_null()) {
      json["eos_token_id"] = more.at("eos_token_id");
      where += " with generation_config.json";
    }
  }
  return parse_config(json, where);
}

// Files of weights, each with the names it holds.
struct Shard {
  std::vector<std::string> names;
  std::string file;
};

// A GGUF may hold factors that no config.json gives.
void check_inv_freq(Ops& ops, const Llama& model) {
  const std::vector<float> expected = rope_inv_freq(model.config);
  std::vector<float> found(expected.size());
  ops.copy_out(found.data(), model.inv_freq);
  for (size_t i = 0; i < found.size(); i++)
    if (std::abs(found[i] - expected[i]) > 1e-5f * expected[i])
      fail_checkpoint(
          fmt::format("the rotary frequencies must be those of a config.json, frequency {} is {} "
                      "against {}",
                      i, found[i], expected[i]),
          "the model can be kept as a GGUF");
}

struct SavePlan {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, TensorKind> kinds;
  std::vector<Shard> shards;
  size_t total_bytes = 0;
};

SavePlan plan_save(const Llama& model, const SaveOptions& options) {
  SavePlan plan;
  size_t shard_bytes = 0;
  for_each_tensor(model, [&](const std::string& name, const Tensor& tensor, TensorKind kind) {
    const size_t bytes = tensor.size() * dtype_bytes(options.dtype);
    if (plan.shards.empty() || shard_bytes + bytes > options.max_shard_bytes) {
      plan.shards.emplace_back();
      shard_bytes = 0;
    }
    plan.shards.back().names.push_back(name);
    plan.tensors[name] = tensor;
    plan.kinds[name] = kind;
    plan.total_bytes += bytes;
    shard_bytes += bytes;
  });
  const size_t n = plan.shards.size();
  for (size_t i = 0; i < n; i++)
    plan.shards[i].file =
        n == 1 ? kSingle : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, n);
  return plan;
}

void write_shard(const fs::path& path, Ops& ops, const Llama& model, const SavePlan& plan,
                 const Shard& shard, DType dtype) {
  std::map<std::string, TensorInfo> infos;
  for (const std::string& name : shard.names)
    infos[name] = {dtype, disk_shape(plan.tensors.at(name), plan.kinds.at(name)), {}};
  std::vector<std::byte> buffer;
  const TensorSource source = [&](const std::string& name) -> std::span<const std::byte> {
    const Tensor tensor = plan.tensors.at(name);
    buffer.resize(tensor.size_bytes());
    ops.copy_out(buffer.data(), tensor);
    if (name.ends_with(".q_proj.weight") || name.ends_with(".k_proj.weight"))
      reorder_heads(buffer, row_bytes(tensor.dtype, size_t(tensor.cols)), model.config.head_dim,
                    model.config.rope_layout, RopeLayout::half);
    buffer = convert_rows(buffer, tensor.cols, tensor.dtype, dtype, name);
    return buffer;
  };
  write_safetensors(path, infos, {}, source);
}

void write_index(const fs::path& path, const SavePlan& plan) {
  std::map<std::string, std::string> weight_map;
  for (const Shard& shard : plan.shards)
    for (const std::string& name : shard.names) weight_map[name] = shard.file;
  const Json index = {{"metadata", {{"total_size", plan.total_bytes}}}, {"weight_map", weight_map}};
  write_file_atomic(path, dump_json(index, 2) + "\n");
}

}  // namespace

std::string layer_module(size_t layer, std::string_view module) {
  return fmt::format("model.layers.{}.{}", layer, module);
}

Llama model_shape(const Config& config, DType dtype) {
  const auto shape = [&](int rows, int cols) { return Tensor{nullptr, rows, cols, dtype}; };
  const Tensor norm{nullptr, 1, config.dim, DType::f32};
  const int q = config.q_dim(), kv = config.kv_dim();
  Block block;
  block.attn_norm = block.ffn_norm = norm;
  block.wq = shape(q, config.dim);
  block.wk = block.wv = shape(kv, config.dim);
  block.wo = shape(config.dim, q);
  block.w_gate = block.w_up = shape(config.hidden_dim, config.dim);
  block.w_down = shape(config.dim, config.hidden_dim);
  Llama model;
  model.config = config;
  model.embed = model.lm_head = shape(config.vocab_size, config.dim);
  model.final_norm = norm;
  model.inv_freq = {nullptr, 1, config.head_dim / 2, DType::f32};
  model.blocks.assign(size_t(config.n_layers), block);
  return model;
}

LoadedModel load_model(Ops& ops, const fs::path& path, WeightMemory memory) {
  LoadedModel loaded;
  Config config;
  Weights weights;
  std::vector<float> inv_freq;
  if (fs::is_regular_file(path)) {
    const GgufFile& file = loaded.gguf.emplace(path);
    config = gguf_config(file);
    weights = index_tensors(file);
    inv_freq = gguf_inv_freq(file, config);
  } else {
    config = read_config(path);
    loaded.files = open_files(path);
    weights = index_tensors(loaded.files, path);
    inv_freq = rope_inv_freq(config);
  }
  loaded.model = model_shape(config, config.dtype);
  check_weights(weights, loaded.model);
  for_each_tensor(loaded.model, [&](const std::string& name, Tensor& tensor, TensorKind kind) {
    const std::string key = weights.name_of(name);
    if (kind != TensorKind::norm && is_bnb(weights, key))
      load_bnb_tensor(ops, tensor, weights, key);
    else
      load_tensor(ops, tensor, weights.tensors.at(key).info, kind, memory);
  });
  if (config.tied_embeddings) loaded.model.lm_head = loaded.model.embed;
  fill_inv_freq(ops, loaded.model, inv_freq);
  return loaded;
}

LoadedModel init_model(Ops& ops, const Config& config, DType dtype, uint64_t seed) {
  CHECK(is_float(dtype));
  constexpr double kDeviation = 0.02;  // initializer_range
  LoadedModel loaded{model_shape(config, dtype)};
  loaded.model.config.dtype = dtype;
  std::vector<std::byte> values;
  for_each_tensor(loaded.model, [&](const std::string& name, Tensor& tensor, TensorKind kind) {
    tensor = make_tensor(ops, tensor.rows, tensor.cols, tensor.dtype);
    Random random(hash64(name) ^ seed);  // a stream for each tensor: their order does not matter
    values.resize(tensor.size_bytes());
    const size_t step = dtype_bytes(tensor.dtype);
    for (size_t at = 0; at < values.size(); at += step) {
      const float x = kind == TensorKind::norm ? 1 : float(kDeviation * random.normal());
      write_element(&values[at], tensor.dtype, x);
    }
    ops.copy_in(tensor, values.data());
  });
  if (config.tied_embeddings) loaded.model.lm_head = loaded.model.embed;
  fill_inv_freq(ops, loaded.model, rope_inv_freq(config));
  return loaded;
}

Llama owned_weights(Ops& ops, const Llama& model, DType dtype) {
  Llama owned = model;
  for_each_tensor(owned, [&](const std::string&, Tensor& tensor, TensorKind kind) {
    const Tensor fresh =
        make_tensor(ops, tensor.rows, tensor.cols, kind == TensorKind::norm ? DType::f32 : dtype);
    ops.copy(fresh, tensor);
    tensor = fresh;
  });
  if (owned.config.tied_embeddings) owned.lm_head = owned.embed;
  owned.config.dtype = dtype;
  return owned;
}

void save_model(const fs::path& folder, Ops& ops, const Llama& model, const SaveOptions& options) {
  CHECK(is_float(options.dtype));
  check_inv_freq(ops, model);
  const SavePlan plan = plan_save(model, options);
  StagedFolder staged(folder, "config.json");
  for (const Shard& shard : plan.shards)
    write_shard(staged.path() / shard.file, ops, model, plan, shard, options.dtype);
  if (plan.shards.size() > 1) write_index(staged.path() / kIndex, plan);

  Config config = model.config;
  config.dtype = options.dtype;
  const Json json = config_to_json(config);
  const Json generation = {{"_from_model_config", true},
                           {"bos_token_id", json.at("bos_token_id")},
                           {"eos_token_id", json.at("eos_token_id")}};
  write_file_atomic(staged.path() / "generation_config.json", dump_json(generation, 2) + "\n");
  write_file_atomic(staged.path() / "config.json", dump_json(json, 2) + "\n");
  staged.commit([](const std::string& name) {
    return name == kIndex || (name.starts_with("model") && name.ends_with(".safetensors"));
  });
}

std::vector<std::byte> convert(std::span<const std::byte> bytes, DType from, DType to) {
  CHECK(is_float(from) && is_float(to));
  const size_t n = bytes.size() / dtype_bytes(from);
  std::vector<std::byte> result(n * dtype_bytes(to));
  for (size_t i = 0; i < n; i++)
    write_element(&result[i * dtype_bytes(to)], to,
                  read_element(&bytes[i * dtype_bytes(from)], from));
  return result;
}

std::vector<std::byte> convert_rows(std::span<const std::byte> bytes, int cols, DType from,
                                    DType to, std::string_view name) {
  if (from == to) return {bytes.begin(), bytes.end()};
  const size_t n = size_t(cols), from_bytes = row_bytes(from, n), to_bytes = row_bytes(to, n);
  CHECK(bytes.size() % from_bytes == 0);
  const auto n_rows = std::ptrdiff_t(bytes.size() / from_bytes);
  std::vector<std::byte> result(size_t(n_rows) * to_bytes);
  bool is_sound = true;
#pragma omp parallel for reduction(&& : is_sound) if (bytes.size() > kParallelBytes)
  for (std::ptrdiff_t r = 0; r < n_rows; r++) {
    const std::span<const std::byte> row = bytes.subspan(size_t(r) * from_bytes, from_bytes);
    std::byte* out = result.data() + size_t(r) * to_bytes;
    std::vector<float> values(n);
    for (size_t i = 0; i < n && !is_quantized(from); i++)
      values[i] = read_element(&row[i * dtype_bytes(from)], from);
    if (is_quantized(from)) dequantize_row(values.data(), row.data(), cols, from);
    for (size_t i = 0; i < n && !is_quantized(to); i++)
      write_element(out + i * dtype_bytes(to), to, values[i]);
    if (is_quantized(to)) is_sound = quantize_row(out, values.data(), cols, to) && is_sound;
  }
  if (!is_sound)
    fail_checkpoint(fmt::format("tensor '{}' must hold numbers up to {} to be {}, does not", name,
                                kMaxQuantized, dtype_name(to)));
  return result;
}

void reorder_heads(std::span<std::byte> matrix, size_t row_bytes, int head_dim, RopeLayout from,
                   RopeLayout to) {
  if (from == to) return;
  const size_t half = size_t(head_dim) / 2, head_bytes = size_t(head_dim) * row_bytes;
  CHECK(head_bytes > 0 && matrix.size() % head_bytes == 0);
  std::vector<std::byte> head(head_bytes);
  for (size_t begin = 0; begin < matrix.size(); begin += head_bytes) {
    std::byte* rows = matrix.data() + begin;
    std::memcpy(head.data(), rows, head_bytes);
    for (size_t i = 0; i < half; i++)
      for (size_t h = 0; h < 2; h++) {
        const size_t interleaved = 2 * i + h, split = h * half + i;
        const size_t target = to == RopeLayout::half ? split : interleaved;
        const size_t source = to == RopeLayout::half ? interleaved : split;
        std::memcpy(rows + target * row_bytes, &head[source * row_bytes], row_bytes);
      }
  }
}

}  // namespace chatmem
