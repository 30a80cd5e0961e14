// Reads and writes safetensors files; the layout is described in the header.
#include "format/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"

namespace chatmem {
namespace {

constexpr size_t kMaxHeaderBytes = 100'000'000;  // the limit of the reference implementation
constexpr size_t kAlignment = 8;                 // of the data's start
constexpr size_t kMaxDims = 16;

struct DTypeName {
  std::string_view name;
  DType dtype;
};
constexpr DTypeName kDTypes[] = {{"F32", DType::f32}, {"BF16", DType::bf16}, {"F16", DType::f16},
                                 {"I32", DType::i32}, {"I64", DType::i64},   {"U8", DType::u8}};

[[noreturn]] void fail(std::string_view where, std::string_view what) {
  throw Error(fmt::format("[safetensors] {}: {}", where, what),
              "the file is damaged or was not copied whole: fetch it again");
}

// One object a level and no more: {"name": {"shape": [..]}}. Deeper values are refused while they
// are parsed, and so are duplicate keys, of which a parser silently keeps one. A sorted map is used
// because base/json.h's ordered objects would take quadratic time on a header of many names.
nlohmann::json parse_header(std::string_view text, std::string_view where) {
  if (!text.starts_with('{')) fail(where, "the header must begin with '{'");
  if (text.find('\0') != text.npos) fail(where, "the header must not contain a NUL byte");
  std::set<std::string> keys[2];
  const auto check = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth > 2) fail(where, "the header must not be nested deeper than 3 levels");
      if (depth == 1) keys[1].clear();
    } else if (event == Event::key && (depth == 1 || depth == 2)) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys[depth - 1].insert(key).second)
        fail(where, fmt::format("the header must not have a key twice, '{}' is", key));
    }
    return true;
  };
  try {
    nlohmann::json header = nlohmann::json::parse(text, check);
    if (!header.is_object()) fail(where, "the header must be a JSON object");
    return header;
  } catch (const nlohmann::json::exception& e) {
    fail(where, fmt::format("the header must be valid JSON: {}", e.what()));
  }
}

const nlohmann::json& member(const nlohmann::json& entry, const char* key, const std::string& name,
                             std::string_view where) {
  const auto it = entry.find(key);
  if (it == entry.end()) fail(where, fmt::format("tensor '{}' must have '{}'", name, key));
  return *it;
}

uint64_t natural(const nlohmann::json& value, const char* key, const std::string& name,
                 std::string_view where) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t(INT64_MAX))
    fail(where,
         fmt::format("'{}' of tensor '{}' must hold whole numbers from 0 to 2^63 - 1, found {}",
                     key, name, value.dump(-1, ' ', true)));
  return value.get<uint64_t>();
}

DType read_dtype(const nlohmann::json& value, const std::string& name, std::string_view where) {
  for (const DTypeName& known : kDTypes)
    if (value == known.name) return known.dtype;
  throw Error(fmt::format("[safetensors] {}: dtype of tensor '{}' must be one of F32, BF16, F16, "
                          "I32, I64, U8, is {}",
                          where, name, value.dump(-1, ' ', true)),
              "quantized checkpoints (FP8, INT8, NF4) are read from GGUF only");
}

struct Range {
  uint64_t begin = 0, end = 0;
  const std::string* name = nullptr;
};

// Fills all of `info` but its bytes, and returns where they lie.
Range read_entry(const nlohmann::json& entry, const std::string& name, std::string_view where,
                 TensorInfo& info) {
  if (!entry.is_object()) fail(where, fmt::format("tensor '{}' must be an object", name));
  info.dtype = read_dtype(member(entry, "dtype", name, where), name, where);
  const nlohmann::json& shape = member(entry, "shape", name, where);
  if (!shape.is_array() || shape.size() > kMaxDims)
    fail(where,
         fmt::format("shape of tensor '{}' must be an array of at most {} sizes", name, kMaxDims));
  uint64_t size = dtype_bytes(info.dtype);
  for (const nlohmann::json& value : shape) {
    const uint64_t extent = natural(value, "shape", name, where);
    if (__builtin_mul_overflow(size, extent, &size) || size > uint64_t(INT64_MAX))
      fail(where, fmt::format("shape of tensor '{}' must have a size below 2^63 bytes", name));
    info.shape.push_back(int64_t(extent));
  }
  const nlohmann::json& offsets = member(entry, "data_offsets", name, where);
  if (!offsets.is_array() || offsets.size() != 2)
    fail(where, fmt::format("data_offsets of tensor '{}' must be [begin, end]", name));
  const Range range{natural(offsets[0], "data_offsets", name, where),
                    natural(offsets[1], "data_offsets", name, where), &name};
  if (range.begin > range.end)
    fail(where, fmt::format("data_offsets of tensor '{}' must increase, are [{}, {}]", name,
                            range.begin, range.end));
  if (range.end - range.begin != size)
    fail(where, fmt::format("tensor '{}' must have {} bytes by its shape and dtype, has {}", name,
                            size, range.end - range.begin));
  return range;
}

// The tensors must cover the data exactly once.
void check_ranges(std::vector<Range>& ranges, uint64_t data_bytes, std::string_view where) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const Range& range : ranges) {
    if (range.begin != at)
      fail(where, fmt::format("tensor '{}' must begin at byte {} of the data, begins at {} ({})",
                              *range.name, at, range.begin, range.begin > at ? "hole" : "overlap"));
    at = range.end;
  }
  if (at != data_bytes)
    fail(where, fmt::format("the tensors must fill the data: they need {} bytes, the file has {}",
                            at, data_bytes));
}

std::map<std::string, std::string> read_metadata(const nlohmann::json& object,
                                                 std::string_view where) {
  std::map<std::string, std::string> metadata;
  if (!object.is_object()) fail(where, "__metadata__ must be an object");
  for (const auto& [key, value] : object.items()) {
    if (!value.is_string()) fail(where, fmt::format("__metadata__ '{}' must be a string", key));
    metadata[key] = value.get_ref<const std::string&>();
  }
  return metadata;
}

std::string_view safetensors_name(DType dtype) {
  for (const DTypeName& known : kDTypes)
    if (known.dtype == dtype) return known.name;
  throw Error(fmt::format("[safetensors] a tensor to write must have a plain dtype, has {}",
                          dtype_name(dtype)));
}

size_t size_bytes(const TensorInfo& info) {
  size_t size = dtype_bytes(info.dtype);
  for (const int64_t extent : info.shape) size *= size_t(extent);
  return size;
}

}  // namespace

void parse_safetensors(std::span<const std::byte> file, std::string_view where,
                       std::map<std::string, TensorInfo>& tensors,
                       std::map<std::string, std::string>& metadata) {
  uint64_t header_bytes = 0;
  if (file.size() < sizeof header_bytes)
    fail(where, fmt::format("must have at least 8 bytes, has {}", file.size()));
  for (size_t i = 0; i < sizeof header_bytes; i++)
    header_bytes |= uint64_t(file[i]) << 8 * i;  // little endian on every machine
  const std::span<const std::byte> rest = file.subspan(sizeof header_bytes);
  if (header_bytes > kMaxHeaderBytes)
    fail(where, fmt::format("the header must not be longer than {} bytes, is {}", kMaxHeaderBytes,
                            header_bytes));
  if (header_bytes > rest.size())
    fail(where, fmt::format("the header must end inside the file: it has {} bytes, {} are left",
                            header_bytes, rest.size()));
  const std::span<const std::byte> data = rest.subspan(header_bytes);
  const nlohmann::json header =
      parse_header({reinterpret_cast<const char*>(rest.data()), size_t(header_bytes)}, where);

  tensors.clear();
  metadata.clear();
  std::vector<Range> ranges;
  for (const auto& [key, value] : header.items()) {
    if (key == "__metadata__") {
      metadata = read_metadata(value, where);
      continue;
    }
    auto& [name, info] = *tensors.try_emplace(key).first;
    ranges.push_back(read_entry(value, name, where, info));
  }
  check_ranges(ranges, data.size(), where);
  for (const Range& range : ranges)
    tensors[*range.name].bytes = data.subspan(range.begin, range.end - range.begin);
}

SafetensorsFile::SafetensorsFile(const fs::path& path) : path_(path), file_(path) {
  parse_safetensors(file_.bytes(), fmt::format("'{}'", path.string()), tensors_, metadata_);
}

void write_safetensors(const fs::path& path, const std::map<std::string, TensorInfo>& tensors,
                       std::map<std::string, std::string> metadata, const TensorSource& source) {
  using Entry = std::map<std::string, TensorInfo>::value_type;
  std::vector<const Entry*> order;
  for (const Entry& entry : tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return dtype_bytes(a->second.dtype) > dtype_bytes(b->second.dtype);
  });

  metadata["format"] = "pt";
  Json header;
  header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const Entry* entry : order) {
    const auto& [name, info] = *entry;
    const size_t end = offset + size_bytes(info);
    // push_back: finding the place of a key among many in an ordered object is linear
    header.get_ref<Json::object_t&>().push_back({name, Json{{"dtype", safetensors_name(info.dtype)},
                                                            {"shape", info.shape},
                                                            {"data_offsets", {offset, end}}}});
    offset = end;
  }
  std::string text = dump_json(header);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');

  AtomicFile file(path);
  char length[8];
  for (size_t i = 0; i < sizeof length; i++) length[i] = char(uint64_t(text.size()) >> 8 * i);
  file.write({length, sizeof length});
  file.write(text);
  for (const Entry* entry : order) {
    const auto& [name, info] = *entry;
    const std::span<const std::byte> bytes = source ? source(name) : info.bytes;
    CHECK(bytes.size() == size_bytes(info));
    file.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  file.commit();
}

}  // namespace chatmem
