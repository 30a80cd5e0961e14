// The config.json of a model for samples/tokenizer that trains in a second.
#pragma once

namespace chatmem {

constexpr const char* kTinyConfig = R"({"architectures": ["LlamaForCausalLM"],
  "model_type": "llama", "hidden_act": "silu", "hidden_size": 32, "intermediate_size": 64,
  "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
  "vocab_size": 4096, "max_position_embeddings": 4096, "rms_norm_eps": 1e-05,
  "rope_theta": 500000.0, "tie_word_embeddings": true, "bos_token_id": 3840,
  "eos_token_id": [3841, 3848, 3849], "torch_dtype": "float32"})";

}  // namespace chatmem
