// Llama models in GGUF files, as llama.cpp writes them: what their metadata and tensors mean.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "format/gguf.h"
#include "model/config.h"

namespace chatmem {

// llama.cpp's name of a weight by its Hugging Face name: "blk.0.attn_q.weight" of
// "model.layers.0.self_attn.q_proj.weight".
std::string gguf_name(std::string_view name);

// The factors of Llama 3.1's scaled frequencies.
inline constexpr const char* kRopeFactors = "rope_freqs.weight";

// The shape that the metadata under llama.* and the tensors give: rope_layout is interleaved,
// embeddings are tied where output.weight is absent, eos_ids are all tokens that end an answer by
// llama.cpp's rules. rope_scaling is Llama 3.1's where it gives the file's factors. Throws Error
// for what is missing, out of range or not Llama, naming the key.
Config gguf_config(const GgufFile& file);

// The inverse frequencies that a file of this config asks for, its factors used as they are.
std::vector<float> gguf_inv_freq(const GgufFile& file, const Config& config);

}  // namespace chatmem
