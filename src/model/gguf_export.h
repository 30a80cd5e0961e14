// Writes models and adapters as GGUF files that llama.cpp opens.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "format/gguf.h"
#include "model/lora.h"

namespace chatmem {

// llama.cpp's; what llama-quantize calls f32, f16, ...
enum class GgufFileType {
  all_f32,
  mostly_f16,
  mostly_bf16,
  mostly_q8_0,
  mostly_q4_0,
  mostly_q4_k_m
};
std::optional<GgufFileType> parse_gguf_file_type(std::string_view name);

// Of q4_k_m: layers whose attn_v and ffn_down are q6_k: the first and last eighth and every third.
bool gets_more_bits(int layer, int n_layers);

struct GgufSaveOptions {
  GgufFileType type = GgufFileType::mostly_f16;
  std::string name;       // general.name
  GgufMetadata metadata;  // the tokenizer's
};

struct GgufSaved {
  std::string_view type;     // by name
  DType dtype = DType::f32;  // of most weights
  size_t size_bytes = 0;
  // Weights whose rows are no multiple of their type's block, and what they were written as: q8_0
  // (where llama.cpp would take q5_0 for q4_k) or f16.
  int n_replaced = 0;
};

// Writes the model atomically: norms f32, other weights by llama.cpp's recipe for the type (of
// q4_k_m: lm_head, and attn_v and ffn_down of some layers, q6_k), queries and keys in the
// interleaved order, factors of the frequencies where they are scaled. Weights that have their type
// already are copied. Throws Error for values that cannot be quantized, naming the tensor.
GgufSaved save_gguf(const fs::path& path, Ops& ops, const Llama& model,
                    const GgufSaveOptions& options);

// The adapter alone, f32, for llama.cpp's --lora: scale is adapter.lora.alpha / rank there, so
// alpha is scale * rank of the first module, and B of a module with another product is scaled.
void save_gguf_adapter(const fs::path& path, Ops& ops, const Config& config, const Adapter& adapter,
                       const std::string& name);

// Opens a file that save_gguf_adapter or llama.cpp's convert_lora_to_gguf.py wrote, for a base
// model of this config. Throws Error for a tensor that is missing, misshapen or cannot be applied.
Adapter load_gguf_adapter(Ops& ops, const Config& config, const fs::path& path, DType dtype);

}  // namespace chatmem
