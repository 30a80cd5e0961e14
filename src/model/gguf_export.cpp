// Models and adapters as GGUF; the recipes are those of llama.cpp (llama-quant.cpp).
#include "model/gguf_export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "model/gguf_model.h"

namespace chatmem {
namespace {

constexpr const char* kLoraA = ".lora_a";
constexpr const char* kLoraB = ".lora_b";
constexpr const char* kAlpha = "adapter.lora.alpha";

struct FileTypeInfo {
  std::string_view name;
  GgufFileType type;
  uint32_t number;  // llama.cpp's LLAMA_FTYPE
  DType dtype;      // of most weights
};
constexpr FileTypeInfo kFileTypes[] = {{"f32", GgufFileType::all_f32, 0, DType::f32},
                                       {"f16", GgufFileType::mostly_f16, 1, DType::f16},
                                       {"bf16", GgufFileType::mostly_bf16, 32, DType::bf16},
                                       {"q8_0", GgufFileType::mostly_q8_0, 7, DType::q8_0},
                                       {"q4_0", GgufFileType::mostly_q4_0, 2, DType::q4_0},
                                       {"q4_k_m", GgufFileType::mostly_q4_k_m, 15, DType::q4_k}};

const FileTypeInfo& info_of(GgufFileType type) {
  return *std::ranges::find(kFileTypes, type, &FileTypeInfo::type);
}

[[noreturn]] void fail_gguf(const std::string& what, std::string hint = {}) {
  throw Error("[adapter] " + what, std::move(hint));
}

// A weight as it goes to the file.
struct Entry {
  std::string key;  // Hugging Face's name
  Tensor tensor;
  bool rotates = false;  // rows are queries' or keys'
};

bool rotates(std::string_view name) {
  return name.find(".q_proj") != name.npos || name.find(".k_proj") != name.npos;
}

DType wanted_dtype(const std::string& key, const Llama& model, GgufFileType type) {
  const DType dtype = info_of(type).dtype;
  if (!is_quantized(dtype) || dtype == DType::q8_0) return dtype;
  const bool is_output =
      key == (model.config.tied_embeddings ? "model.embed_tokens.weight" : "lm_head.weight");
  // with rows of another length llama.cpp takes q8_0, as fitting_dtype does
  if (is_output) return model.config.dim % int(block_elements(dtype)) ? DType::q8_0 : DType::q6_k;
  if (type != GgufFileType::mostly_q4_k_m) return dtype;
  int layer = 0;
  if (std::sscanf(key.c_str(), "model.layers.%d.", &layer) != 1) return dtype;
  const bool is_sensitive = key.ends_with(".v_proj.weight") || key.ends_with(".down_proj.weight");
  return is_sensitive && gets_more_bits(layer, model.config.n_layers) ? DType::q6_k : dtype;
}

DType fitting_dtype(DType wanted, int cols) {
  for (const DType dtype : {wanted, DType::q8_0})
    if (size_t(cols) % block_elements(dtype) == 0) return dtype;
  return DType::f16;
}

// The factors of the frequencies; empty where all are 1.
std::vector<float> factors_of_rope(Ops& ops, const Llama& model) {
  Config config = model.config;
  config.rope_scaling = std::nullopt;
  const std::vector<float> base = rope_inv_freq(config);
  std::vector<float> factors(base.size());
  ops.copy_out(factors.data(), model.inv_freq);
  bool scaled = false;
  for (size_t i = 0; i < factors.size(); i++) {
    factors[i] = base[i] / factors[i];
    scaled = scaled || std::abs(factors[i] - 1) > 1e-6f;
  }
  return scaled ? factors : std::vector<float>();
}

GgufMetadata model_metadata(const Config& config, const GgufSaveOptions& options) {
  const auto number = [](int value) { return GgufValue::of(uint32_t(value)); };
  GgufMetadata metadata = options.metadata;
  metadata.merge(
      GgufMetadata{{"general.architecture", GgufValue::of("llama")},
                   {"general.type", GgufValue::of("model")},
                   {"general.name", GgufValue::of(options.name)},
                   {"general.file_type", GgufValue::of(info_of(options.type).number)},
                   {"general.quantization_version", GgufValue::of(uint32_t(2))},
                   {"llama.context_length", number(config.max_seq_len)},
                   {"llama.embedding_length", number(config.dim)},
                   {"llama.block_count", number(config.n_layers)},
                   {"llama.feed_forward_length", number(config.hidden_dim)},
                   {"llama.vocab_size", number(config.vocab_size)},
                   {"llama.attention.head_count", number(config.n_heads)},
                   {"llama.attention.head_count_kv", number(config.n_kv_heads)},
                   {"llama.attention.key_length", number(config.head_dim)},
                   {"llama.attention.value_length", number(config.head_dim)},
                   {"llama.attention.layer_norm_rms_epsilon", GgufValue::of(config.norm_eps)},
                   {"llama.rope.dimension_count", number(config.head_dim)},
                   {"llama.rope.freq_base", GgufValue::of(config.rope_theta)}});
  return metadata;
}

// Bytes of a tensor of the device in the interleaved order.
std::vector<std::byte> interleaved_bytes(Ops& ops, const Config& config, Tensor tensor,
                                         bool rotates) {
  std::vector<std::byte> bytes(tensor.size_bytes());
  ops.copy_out(bytes.data(), tensor);
  if (rotates)
    reorder_heads(bytes, row_bytes(tensor.dtype, size_t(tensor.cols)), config.head_dim,
                  config.rope_layout, RopeLayout::interleaved);
  return bytes;
}

// The scale of every module is this over its rank.
float read_alpha(const GgufFile& file) {
  const auto is = [&](const char* key, std::string_view value) {
    const GgufValue* found = file.find(key);
    const auto* text = found ? found->get<std::string>() : nullptr;
    return text && *text == value;
  };
  const std::string where = file.path().string();
  if (!is("general.type", "adapter") || !is("adapter.type", "lora") ||
      !is("general.architecture", "llama"))
    fail_gguf(fmt::format("'{}' must be a LoRA adapter of a Llama model, is not", where));
  const GgufValue* alpha = file.find(kAlpha);
  if (!alpha || !alpha->get<double>() || !std::isfinite(*alpha->get<double>()))
    fail_gguf(fmt::format("'{}': {} must be a floating-point number", where, kAlpha));
  return float(*alpha->get<double>());
}

const GgufTensor& find_matrix(const GgufFile& file, const std::string& name) {
  const auto it = file.tensors().find(name);
  if (it == file.tensors().end() || it->second.shape.size() != 2)
    fail_gguf(
        fmt::format("tensor '{}' must be there, a matrix, in '{}'", name, file.path().string()));
  return it->second;
}

int read_rank(const GgufFile& file, const std::string& name) {
  constexpr int64_t kMaxRank = 1 << 16;
  const int64_t rank = find_matrix(file, name).shape[0];
  if (rank > kMaxRank)
    fail_gguf(fmt::format("tensor '{}' must have at most {} rows, has {}", name, kMaxRank, rank));
  return int(rank);
}

// One matrix of the shape and dtype of `wanted`, on the device; its rows in the order of `rotated`
// where they are queries' or keys'.
Tensor load_matrix(Ops& ops, const GgufFile& file, const std::string& name, Tensor wanted,
                   const Config* rotated) {
  const GgufTensor& found = find_matrix(file, name);
  if (found.shape != std::vector<int64_t>{wanted.rows, wanted.cols})
    fail_gguf(
        fmt::format("tensor '{}' must have shape ({}, {}), has ({}), in '{}'", name, wanted.rows,
                    wanted.cols, fmt::join(found.shape, ", "), file.path().string()),
        "the adapter belongs to another base model");
  if (found.dtype != DType::f32 && found.dtype != DType::f16 && found.dtype != DType::bf16)
    fail_gguf(fmt::format("tensor '{}' must be F32, F16 or BF16, is {}, in '{}'", name, found.type,
                          file.path().string()));
  std::vector<std::byte> bytes = convert(found.bytes, *found.dtype, wanted.dtype);
  if (rotated)
    reorder_heads(bytes, row_bytes(wanted.dtype, size_t(wanted.cols)), rotated->head_dim,
                  RopeLayout::interleaved, rotated->rope_layout);
  const Tensor tensor = make_tensor(ops, wanted.rows, wanted.cols, wanted.dtype);
  ops.copy_in(tensor, bytes.data());
  return tensor;
}

}  // namespace

bool gets_more_bits(int layer, int n_layers) {
  const int eighth = n_layers / 8;
  return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

std::optional<GgufFileType> parse_gguf_file_type(std::string_view name) {
  const auto it = std::ranges::find(kFileTypes, name, &FileTypeInfo::name);
  return it == std::end(kFileTypes) ? std::nullopt : std::optional(it->type);
}

GgufSaved save_gguf(const fs::path& path, Ops& ops, const Llama& model,
                    const GgufSaveOptions& options) {
  const FileTypeInfo& type = info_of(options.type);
  GgufSaved saved{.type = type.name, .dtype = type.dtype};
  std::vector<std::pair<std::string, TensorInfo>> infos;
  std::map<std::string, Entry> entries;
  const std::vector<float> factors = factors_of_rope(ops, model);
  if (!factors.empty())
    infos.push_back({kRopeFactors, {DType::f32, {int64_t(factors.size())}, {}}});
  for_each_tensor(model, [&](const std::string& key, const Tensor& t, TensorKind kind) {
    TensorInfo info{DType::f32, {t.cols}, {}};
    if (kind != TensorKind::norm) {
      const DType wanted = wanted_dtype(key, model, options.type);
      info = {fitting_dtype(wanted, t.cols), {t.rows, t.cols}, {}};
      saved.n_replaced += info.dtype != wanted;
    }
    entries[gguf_name(key)] = {key, t, rotates(key)};
    infos.emplace_back(gguf_name(key), info);
  });
  std::map<std::string, DType> dtypes;
  for (const auto& [name, info] : infos) dtypes[name] = info.dtype;
  std::vector<std::byte> buffer;
  const TensorSource source = [&](const std::string& name) -> std::span<const std::byte> {
    if (name == kRopeFactors) return std::as_bytes(std::span(factors));
    const Entry& entry = entries.at(name);
    buffer = interleaved_bytes(ops, model.config, entry.tensor, entry.rotates);
    if (entry.tensor.dtype != dtypes.at(name))
      buffer =
          convert_rows(buffer, entry.tensor.cols, entry.tensor.dtype, dtypes.at(name), entry.key);
    return buffer;
  };
  write_gguf(path, model_metadata(model.config, options), infos, source);
  saved.size_bytes = fs::file_size(path);
  return saved;
}

void save_gguf_adapter(const fs::path& path, Ops& ops, const Config& config, const Adapter& adapter,
                       const std::string& name) {
  std::vector<std::pair<std::string, TensorInfo>> infos;
  std::map<std::string, Entry> entries;
  std::map<std::string, float> scales;  // of B
  std::optional<float> alpha;
  for (size_t i = 0; i < adapter.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections) {
      const Lora& lora = adapter.blocks[i].*projection.lora;
      if (!lora) continue;
      if (lora.magnitude)
        throw Error("[export] a GGUF adapter holds LoRA alone, this one is DoRA",
                    "merge it: leave out --adapter-only");
      const std::string key = layer_module(i, module) + ".weight", base = gguf_name(key);
      const float product = lora.scale * float(lora.a.rows);
      if (!alpha) alpha = product;
      scales[base + kLoraB] = product / *alpha;
      entries[base + kLoraA] = {key, lora.a, false};
      entries[base + kLoraB] = {key, lora.b, rotates(key)};
      for (const auto& [suffix, t] : {std::pair(kLoraA, lora.a), std::pair(kLoraB, lora.b)})
        infos.push_back({base + suffix, {DType::f32, {t.rows, t.cols}, {}}});
    }
  if (!alpha || *alpha == 0) fail_gguf("an adapter to write must change something");
  std::vector<std::byte> buffer;
  const TensorSource source = [&](const std::string& tensor) -> std::span<const std::byte> {
    const Entry& entry = entries.at(tensor);
    buffer = convert(interleaved_bytes(ops, config, entry.tensor, entry.rotates),
                     entry.tensor.dtype, DType::f32);
    if (const auto it = scales.find(tensor); it != scales.end() && it->second != 1)
      for (size_t at = 0; at < buffer.size(); at += sizeof(float)) {
        float value;
        std::memcpy(&value, &buffer[at], sizeof value);
        value *= it->second;
        std::memcpy(&buffer[at], &value, sizeof value);
      }
    return buffer;
  };
  write_gguf(path,
             {{"general.architecture", GgufValue::of("llama")},
              {"general.type", GgufValue::of("adapter")},
              {"general.name", GgufValue::of(name)},
              {"general.file_type", GgufValue::of(info_of(GgufFileType::all_f32).number)},
              {"general.quantization_version", GgufValue::of(uint32_t(2))},
              {"adapter.type", GgufValue::of("lora")},
              {kAlpha, GgufValue::of(*alpha)}},
             infos, source);
}

Adapter load_gguf_adapter(Ops& ops, const Config& config, const fs::path& path, DType dtype) {
  const GgufFile file(path);
  const float alpha = read_alpha(file);
  std::set<std::string> used;
  const Llama shape = model_shape(config, dtype);
  Adapter adapter;
  adapter.blocks.resize(shape.blocks.size());
  for (size_t i = 0; i < shape.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections) {
      const std::string key = layer_module(i, module) + ".weight", base = gguf_name(key);
      if (!file.tensors().contains(base + kLoraA) && !file.tensors().contains(base + kLoraB))
        continue;
      const Tensor w = shape.blocks[i].*projection.weight;
      const int rank = read_rank(file, base + kLoraA);
      const Tensor a{nullptr, rank, w.cols, dtype}, b{nullptr, w.rows, rank, dtype};
      adapter.blocks[i].*projection.lora = {
          load_matrix(ops, file, base + kLoraA, a, nullptr),
          load_matrix(ops, file, base + kLoraB, b, rotates(key) ? &config : nullptr),
          alpha / float(rank)};
      used.insert({base + kLoraA, base + kLoraB});
    }
  for (const auto& [name, tensor] : file.tensors())
    if (!used.contains(name))
      fail_gguf(fmt::format("tensor '{}' must be LoRA of a projection of the base, is not, in '{}'",
                            name, path.string()));
  if (used.empty()) fail_gguf(fmt::format("'{}' must hold LoRA tensors, has none", path.string()));
  return adapter;
}

}  // namespace chatmem
