// A model of random weights made directly in their formats: for benchmarks and memory tests at the
// size of real models.
#pragma once
#include "model/llama.h"

namespace chatmem {

// The format of each kind of weight.
struct WeightFormats {
  DType embed = DType::bf16, projections = DType::bf16, lm_head = DType::bf16;
  bool q4_k_m = false;  // wv and w_down of some layers in q6_k, as llama-quantize mixes
};
// Of a name as users write it: f32, bf16, f16, q8_0, q4_0; q4_k and q4_k_m (lm_head q6_k) and nf4
// (embedding and lm_head bf16). nullopt for another.
std::optional<WeightFormats> parse_weight_formats(std::string_view name);

// The shape of a model with these formats, without memory.
Llama shape_of_formats(const Config& config, const WeightFormats& formats);

// Normal with deviation 0.02, norms 1; a few thousand rows of each format, over and over: the speed
// is that of any weights. Made within seconds.
Llama random_model(Ops& ops, const Config& config, const WeightFormats& formats, uint64_t seed);

}  // namespace chatmem
