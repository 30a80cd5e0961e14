// safetensors: u64 header length N, N bytes of JSON
// {"name":{"dtype","shape","data_offsets":[begin,end]}, ...,
// "__metadata__":{string:string}}, then the data. Little endian, offsets relative to the data's
// start, no holes, no overlaps. Every number is checked before use.
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "format/tensor_info.h"

namespace chatmem {

// A mapped file; the views live as long as it does.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const fs::path& path);
  const std::map<std::string, TensorInfo>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  MappedFile file_;
  std::map<std::string, TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Parses a header; `data` is what follows it. Used by SafetensorsFile and its fuzzer.
void parse_safetensors(std::span<const std::byte> file, std::string_view where,
                       std::map<std::string, TensorInfo>& tensors,
                       std::map<std::string, std::string>& metadata);

// Writes atomically; tensors ordered by alignment, then name, data starting at a multiple of 8.
// "format":"pt" is added to the metadata, without which Hugging Face refuses a file. With `source`
// the bytes come from it, without from TensorInfo::bytes.
void write_safetensors(const fs::path& path, const std::map<std::string, TensorInfo>& tensors,
                       std::map<std::string, std::string> metadata = {},
                       const TensorSource& source = nullptr);

}  // namespace chatmem
