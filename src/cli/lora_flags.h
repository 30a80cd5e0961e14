// Flags that shape an adapter, for every verb that has them, and the adapter in words.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "format/adapter_config.h"

namespace chatmem {

// --rank-pattern and --alpha-pattern. Whether a pattern matches a module is checked where the
// adapter is made, which knows the modules.
void add_pattern_flags(CLI::App& verb, AdapterConfig& lora, const std::string& group);

// "LoRA of rank 16, alpha 32, of q_proj, v_proj; rank 8 of q_proj".
std::string describe(const AdapterConfig& lora);

}  // namespace chatmem
