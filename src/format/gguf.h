// GGUF (ggml's model file), versions 2 and 3, little endian:
//
//   "GGUF", u32 version, u64 n_tensors, u64 n_keys
//   n_keys times:     string key, u32 type, value
//   n_tensors times:  string name, u32 n_dims, u64 extents[n_dims] (a row's elements first),
//                     u32 type, u64 offset
//   zeros up to a multiple of general.alignment (32 without it); from here offsets count
//   data of the tensors, each at a multiple of general.alignment
//
// A string is u64 length and bytes; an array is u32 type, u64 count and the values. Every number is
// checked before use.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/file.h"
#include "format/tensor_info.h"

namespace chatmem {

// By their numbers in the file.
enum class GgufType : uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  string,
  array,
  u64,
  i64,
  f64
};

// A value of the metadata. Numbers are held in their widest form: unsigned ones and booleans as
// uint64_t, signed ones as int64_t, floating ones as double.
struct GgufValue {
  GgufType type = GgufType::u32;  // of the value; of an array: of its elements
  std::variant<uint64_t, int64_t, double, std::string, std::vector<uint64_t>, std::vector<int64_t>,
               std::vector<double>, std::vector<std::string>, std::vector<GgufValue>>
      held;

  static GgufValue of(std::string text) { return {GgufType::string, std::move(text)}; }
  static GgufValue of(uint32_t value) { return {GgufType::u32, uint64_t(value)}; }
  static GgufValue of(float value) { return {GgufType::f32, double(value)}; }
  static GgufValue flag(bool value) { return {GgufType::boolean, uint64_t(value)}; }
  static GgufValue of(std::vector<std::string> list) { return {GgufType::string, std::move(list)}; }
  static GgufValue of(std::vector<int64_t> list) { return {GgufType::i32, std::move(list)}; }

  // The value where it has this form, else nullptr.
  template <typename T>
  const T* get() const {
    return std::get_if<T>(&held);
  }
  // Any whole number that fits int64_t.
  std::optional<int64_t> integer() const;
};
using GgufMetadata = std::map<std::string, GgufValue>;

// A tensor of any type that ggml has; dtype only where the engine computes with it.
struct GgufTensor {
  std::string_view type;  // ggml's name, as in "Q4_K"
  std::optional<DType> dtype;
  std::vector<int64_t> shape;  // as of TensorInfo: the elements of a row last
  std::span<const std::byte> bytes;
};

// A mapped file; the views live as long as it does.
class GgufFile {
 public:
  explicit GgufFile(const fs::path& path);
  const GgufMetadata& metadata() const { return metadata_; }
  const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  const fs::path& path() const { return path_; }
  const GgufValue* find(const std::string& key) const {  // nullptr where it is absent
    const auto it = metadata_.find(key);
    return it == metadata_.end() ? nullptr : &it->second;
  }

 private:
  fs::path path_;
  MappedFile file_;
  GgufMetadata metadata_;
  std::map<std::string, GgufTensor> tensors_;
};

// Throws Error naming what is wrong. Used by GgufFile and its fuzzer.
void parse_gguf(std::span<const std::byte> file, std::string_view where, GgufMetadata& metadata,
                std::map<std::string, GgufTensor>& tensors);

// ggml's name of a dtype, "Q4_K" of q4_k; "" where ggml has none.
std::string_view ggml_name(DType dtype);

// Writes version 3 atomically, tensors in their order, aligned to 32 bytes; general.alignment is
// added. With `source` the bytes come from it, without from TensorInfo::bytes.
void write_gguf(const fs::path& path, GgufMetadata metadata,
                const std::vector<std::pair<std::string, TensorInfo>>& tensors,
                const TensorSource& source = nullptr);

}  // namespace chatmem
