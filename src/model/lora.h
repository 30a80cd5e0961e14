// LoRA adapters (Hu et al. 2021), with DoRA's magnitudes (Liu et al. 2024) where wanted: made,
// saved and loaded in PEFT's folder layout, and merged.
#pragma once
#include <string>
#include <vector>

#include "format/adapter_config.h"
#include "model/checkpoint.h"

namespace chatmem {

// q_proj ... down_proj: what an adapter may have for targets.
std::vector<std::string> all_target_modules();

// Calls visit(prefix, lora) for every projection that is adapted; the names of its tensors in
// PEFT's file are prefix + ".lora_A.weight" and ".lora_B.weight". A is Adapter or const Adapter.
template <typename A, typename Visit>
void for_each_lora(A& adapter, Visit&& visit) {
  for (size_t i = 0; i < adapter.blocks.size(); i++)
    for (const auto& [module, projection] : kProjections)
      if (auto& lora = adapter.blocks[i].*projection.lora)
        visit("base_model.model." + layer_module(i, module), lora);
}

// A fresh adapter: A uniform in +-1 / sqrt(in) (Kaiming with a = sqrt(5), as PEFT), B zero, so that
// it changes nothing; DoRA's magnitudes are the lengths of the weight's rows. Throws Error for a
// target module that Llama does not have, and for a pattern that matches no target.
Adapter make_adapter(Ops& ops, const Llama& model, const AdapterConfig& description, DType dtype,
                     uint64_t seed);

// Computes norms and factors of DoRA anew: after every change of the adapter's tensors. Nothing is
// done without DoRA.
void update_dora(Ops& ops, const Llama& model, const Adapter& adapter);

// Writes adapter_config.json and adapter_model.safetensors, f32, in the order of Hugging Face
// whatever config.rope_layout is. The adapter must be of that description.
void save_adapter(const fs::path& folder, Ops& ops, const Config& config, const Adapter& adapter,
                  const AdapterConfig& description);

// Opens a folder that PEFT or save_adapter wrote, for this base model (B's rows are reordered where
// its rope_layout asks for it). Throws Error for a tensor that is missing, misshapen or cannot be
// applied, by name.
Adapter load_adapter(Ops& ops, const Llama& model, const fs::path& folder, DType dtype);

// The description of such a folder, to train it further: target_modules are what its tensors adapt,
// where PEFT may have a pattern. Throws Error unless each is adapted in all of n_layers.
AdapterConfig read_adapter_description(const fs::path& folder, size_t n_layers);

// W' = factor * (W + scale * B A), computed in f32 and rounded to the dtype of W (bf16 where W is
// quantized: quantizing again would undo small changes), in fresh memory for what is adapted; what
// is not stays the view it was. The adapter must be f32.
Llama merge_adapter(Ops& ops, const Llama& model, const Adapter& adapter);

}  // namespace chatmem
