// libFuzzer: config.json of anyone. What is accepted is written and read back as it was, and gives
// finite rotary frequencies.
#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "model/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chatmem;
  try {
    const Json json = parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
    const Config config = parse_config(json, "fuzz");
    CHECK(config.n_parameters() > 0);
    if (config.head_dim <= 4096)
      for (const float frequency : rope_inv_freq(config)) CHECK(std::isfinite(frequency));
    const Json written = config_to_json(config);
    CHECK(config_to_json(parse_config(written, "fuzz")) == written);
  } catch (const Error&) {  // refusing is right; crashing is not
  }
  return 0;
}
