// Models in files: Hugging Face folders (config.json, generation_config.json, and the weights in
// model.safetensors or in shards with model.safetensors.index.json) and GGUF files. The one place
// that knows Hugging Face's names of the weights.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "format/gguf.h"
#include "format/safetensors.h"
#include "model/llama.h"

namespace chatmem {

enum class TensorKind { embedding, norm, projection, lm_head };

// A projection by the path of its module below model.layers.N.
struct NamedProjection {
  const char* module;
  Projection projection;
};
inline constexpr NamedProjection kProjections[] = {
    {"self_attn.q_proj", kQ}, {"self_attn.k_proj", kK}, {"self_attn.v_proj", kV},
    {"self_attn.o_proj", kO}, {"mlp.gate_proj", kGate}, {"mlp.up_proj", kUp},
    {"mlp.down_proj", kDown}};

// "model.layers.N.MODULE"
std::string layer_module(size_t layer, std::string_view module);

// Calls visit(name, tensor, kind) for every weight, with its Hugging Face name, in the order of the
// model; lm_head only where it is not tied. Model is Llama or const Llama.
template <typename Model, typename Visit>
void for_each_tensor(Model& model, Visit&& visit) {
  visit(std::string("model.embed_tokens.weight"), model.embed, TensorKind::embedding);
  for (size_t i = 0; i < model.blocks.size(); i++) {
    auto& block = model.blocks[i];
    visit(layer_module(i, "input_layernorm.weight"), block.attn_norm, TensorKind::norm);
    for (const auto& [module, projection] : kProjections)
      visit(layer_module(i, module) + ".weight", block.*projection.weight, TensorKind::projection);
    visit(layer_module(i, "post_attention_layernorm.weight"), block.ffn_norm, TensorKind::norm);
  }
  visit(std::string("model.norm.weight"), model.final_norm, TensorKind::norm);
  if (!model.config.tied_embeddings)
    visit(std::string("lm_head.weight"), model.lm_head, TensorKind::lm_head);
}

// Shapes without memory: every Tensor has its rows, cols and dtype (norms and inv_freq f32) and no
// data.
Llama model_shape(const Config& config, DType dtype);

// A model and the mapped files that its weights may lie in; the rest belongs to the Ops.
struct LoadedModel {
  Llama model;
  std::vector<SafetensorsFile> files = {};
  std::optional<GgufFile> gguf = {};
};

enum class WeightMemory {
  mapped,  // read-only views of the files: for devices that read host memory, frozen weights
  device,  // copied to the Ops: for other devices, and to train the weights
};

// Opens a Hugging Face folder or a GGUF file. Weights keep their dtype on disk (f32, bf16 or f16;
// in a GGUF q8_0, q4_0, q4_k or q6_k too), norms become f32. A mapped weight that is not aligned to
// its elements is copied. Every tensor that the config asks for must be there in its shape, and no
// other but stored rotary frequencies. Throws Error naming the tensor, what was expected and found,
// and the file.
LoadedModel load_model(Ops& ops, const fs::path& path, WeightMemory memory = WeightMemory::mapped);

// Fresh weights as transformers makes them: normal with deviation 0.02, norms 1. The same for the
// same seed, whatever the dtype but for rounding.
LoadedModel init_model(Ops& ops, const Config& config, DType dtype, uint64_t seed);

// The same weights in fresh, writable memory of the Ops, embedding, projections and lm_head in
// `dtype`, norms in f32: to train them, or to compute in another dtype.
Llama owned_weights(Ops& ops, const Llama& model, DType dtype);

struct SaveOptions {
  DType dtype = DType::bf16;  // of all tensors in the file: f32, bf16 or f16
  size_t max_shard_bytes = 5'000'000'000;
};

// Writes a folder that load_model and transformers open, in the order of Hugging Face whatever the
// model's rope_layout is. All is written before anything of a model that the folder held is
// replaced or removed: a failure leaves that one whole. config.json comes last: without it a folder
// is no model. Throws Error for frequencies that config.rope_scaling does not give.
void save_model(const fs::path& folder, Ops& ops, const Llama& model,
                const SaveOptions& options = {});

// Elements of f32, bf16 or f16 in another of these types.
std::vector<std::byte> convert(std::span<const std::byte> bytes, DType from, DType to);

// Rows of `cols` elements in another type: f32, bf16, f16, or quantized on either side. Throws
// Error when an element is no number, or too large to be quantized; `name` names the tensor.
std::vector<std::byte> convert_rows(std::span<const std::byte> bytes, int cols, DType from,
                                    DType to, std::string_view name);

// Reorders the rows of every head of a matrix that produces queries or keys (weights, or B of LoRA)
// from one rotation layout to the other; row 2i + h of a head of the interleaved layout is row
// h * head_dim / 2 + i of the other.
void reorder_heads(std::span<std::byte> matrix, size_t row_bytes, int head_dim, RopeLayout from,
                   RopeLayout to);

}  // namespace chatmem
