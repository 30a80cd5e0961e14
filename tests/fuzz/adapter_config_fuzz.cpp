// libFuzzer: adapter_config.json of anyone. What is accepted has a finite scale for every module,
// and what is written of it is read back as it was.
#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "format/adapter_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chatmem;
  try {
    const Json json = parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    const AdapterConfig config = parse_adapter_config(json, "fuzz");
    for (const char* module :
         {"model.layers.0.self_attn.q_proj", "model.layers.31.mlp.down_proj"}) {
      CHECK(config.rank_of(module) > 0);
      CHECK(std::isfinite(config.scale_of(module)));
    }
    if (config.target_modules.empty() || !config.all_layers) return 0;  // only PEFT writes these
    const Json written = adapter_config_to_json(config);
    CHECK(adapter_config_to_json(parse_adapter_config(written, "fuzz")) == written);
  } catch (const Error&) {  // refusing is right; crashing is not
  }
  return 0;
}
