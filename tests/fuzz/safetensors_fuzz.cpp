// Any bytes are parsed or refused with Error; what is accepted lies inside the file.
#include "base/error.h"
#include "format/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chatmem;
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  std::map<std::string, TensorInfo> tensors;
  std::map<std::string, std::string> metadata;
  try {
    parse_safetensors(file, "'fuzz'", tensors, metadata);
  } catch (const Error&) {
    return 0;
  }
  size_t total = 0;
  for (const auto& [name, info] : tensors) {
    size_t bytes = dtype_bytes(info.dtype);
    for (const int64_t extent : info.shape) bytes *= size_t(extent);
    CHECK(bytes == info.bytes.size());
    if (bytes > 0) {
      CHECK(info.bytes.data() >= file.data());
      CHECK(info.bytes.data() + bytes <= file.data() + file.size());
    }
    total += bytes;
  }
  CHECK(total < size);
  return 0;
}
