// libFuzzer: the Llama model and the tokenizer that a GGUF file's metadata tell of, in a file of
// anyone. What is accepted has finite frequencies, and a tokenizer that decodes what it encodes.
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "cli/gguf_tokenizer.h"
#include "format/gguf.h"
#include "model/gguf_model.h"
#include "text/tokenizer.h"

namespace {

using namespace chatmem;

void check_config(const GgufFile& file) {
  const Config config = gguf_config(file);
  CHECK(config.n_parameters() > 0);
  if (config.head_dim > 4096) return;
  for (const float frequency : gguf_inv_freq(file, config)) CHECK(std::isfinite(frequency));
}

void check_tokenizer(const GgufFile& file) {
  const Tokenizer tokenizer = Tokenizer::from_source(gguf_tokenizer(file), "fuzz");
  const std::string text = "Hello world, it's 12345 o'clock\n\n <|eot_id|>";
  CHECK(tokenizer.decode(tokenizer.encode(text, SpecialTokens::as_text)) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fs::path path =
      fs::temp_directory_path() / ("gguf_model_fuzz." + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), std::streamsize(size));
  try {
    const GgufFile file(path);
    for (const auto check : {check_config, check_tokenizer}) {
      try {
        check(file);
      } catch (const Error&) {  // refusing is right; crashing is not
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
