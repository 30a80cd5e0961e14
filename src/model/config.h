// The shape of a Llama 3.x model, as Hugging Face's config.json gives it.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "compute/tensor.h"

namespace chatmem {

// rope_type "llama3": frequencies below a cut are divided by factor, between two cuts blended.
struct RopeScaling {
  float factor = 8, low_freq_factor = 1, high_freq_factor = 4;
  int original_max_seq_len = 8192;
};

struct Config {
  int dim = 0;         // hidden_size
  int hidden_dim = 0;  // intermediate_size
  int n_layers = 0, n_heads = 0, n_kv_heads = 0;
  int head_dim = 0;  // dim / n_heads where config.json does not say
  int vocab_size = 0, max_seq_len = 0;
  float rope_theta = 500000, norm_eps = 1e-5f;
  std::optional<RopeScaling> rope_scaling;
  bool tied_embeddings = false;
  RopeLayout rope_layout = RopeLayout::half;
  DType dtype = DType::bf16;  // of the weights on disk
  int bos_id = -1;
  std::vector<int> eos_ids;

  int q_dim() const { return n_heads * head_dim; }
  int kv_dim() const { return n_kv_heads * head_dim; }
  Heads heads(int kv_layer) const { return {n_heads, n_kv_heads, head_dim, kv_layer}; }
  // Weights, embeddings counted once when tied.
  size_t n_parameters() const;
};

// Reads old and new spellings (rope_scaling.type, rope_parameters, torch_dtype, dtype). Throws
// Error for what is missing, out of range or not Llama (attention_bias, another activation, another
// rope type).
Config parse_config(const Json& json, std::string_view where);
// The shape of a published model by name ("llama-3.1-8b", "llama-3.2-1b", "llama-3.2-3b").
std::optional<Config> known_config(std::string_view name);
std::vector<std::string> known_config_names();
Json config_to_json(const Config& config);  // as transformers 4.x writes it

// head_dim / 2 inverse frequencies, scaled as Llama 3.1 does:
// wavelength < original / high: kept; > original / low: divided by factor; between: blended.
std::vector<float> rope_inv_freq(const Config& config);

}  // namespace chatmem
