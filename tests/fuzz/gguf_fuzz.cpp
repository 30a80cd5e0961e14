// Any bytes are parsed or refused with Error; what is accepted lies inside the file.
#include "base/error.h"
#include "format/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chatmem;
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  GgufMetadata metadata;
  std::map<std::string, GgufTensor> tensors;
  try {
    parse_gguf(file, "'fuzz'", metadata, tensors);
  } catch (const Error&) {
    return 0;
  }
  size_t total = 0;
  for (const auto& [name, tensor] : tensors) {
    CHECK(tensor.bytes.data() >= file.data());
    CHECK(tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size());
    total += tensor.bytes.size();
    if (!tensor.dtype) continue;
    size_t rows = 1;
    for (const int64_t extent : tensor.shape) rows *= size_t(extent);
    rows /= size_t(tensor.shape.back());
    CHECK(tensor.bytes.size() == rows * row_bytes(*tensor.dtype, size_t(tensor.shape.back())));
  }
  CHECK(total < size);  // none over another
  return 0;
}
