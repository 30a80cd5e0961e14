// Reads and writes GGUF files; the layout is described in the header.
#include "format/gguf.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr uint32_t kVersion = 3;
constexpr size_t kAlignment = 32;  // without general.alignment, and of what is written
constexpr size_t kMaxAlignment = size_t(1) << 20;
constexpr const char* kAlignmentKey = "general.alignment";
constexpr size_t kMaxKeys = size_t(1) << 16, kMaxTensors = size_t(1) << 20;
constexpr size_t kMaxKeyBytes = 65535, kMaxNameBytes = 64;
constexpr size_t kMaxElements = size_t(1) << 23;  // of all arrays together
constexpr int kMaxArrayDepth = 4;
constexpr size_t kMaxDims = 4;

struct GgmlType {
  uint32_t number;
  std::string_view name;
  size_t block_elements, block_bytes;
  std::optional<DType> dtype;
};
constexpr GgmlType kTypes[] = {{0, "F32", 1, 4, DType::f32},
                               {1, "F16", 1, 2, DType::f16},
                               {2, "Q4_0", 32, 18, DType::q4_0},
                               {3, "Q4_1", 32, 20, {}},
                               {6, "Q5_0", 32, 22, {}},
                               {7, "Q5_1", 32, 24, {}},
                               {8, "Q8_0", 32, 34, DType::q8_0},
                               {9, "Q8_1", 32, 36, {}},
                               {10, "Q2_K", 256, 84, {}},
                               {11, "Q3_K", 256, 110, {}},
                               {12, "Q4_K", 256, 144, DType::q4_k},
                               {13, "Q5_K", 256, 176, {}},
                               {14, "Q6_K", 256, 210, DType::q6_k},
                               {15, "Q8_K", 256, 292, {}},
                               {16, "IQ2_XXS", 256, 66, {}},
                               {17, "IQ2_XS", 256, 74, {}},
                               {18, "IQ3_XXS", 256, 98, {}},
                               {19, "IQ1_S", 256, 50, {}},
                               {20, "IQ4_NL", 32, 18, {}},
                               {21, "IQ3_S", 256, 110, {}},
                               {22, "IQ2_S", 256, 82, {}},
                               {23, "IQ4_XS", 256, 136, {}},
                               {24, "I8", 1, 1, {}},
                               {25, "I16", 1, 2, {}},
                               {26, "I32", 1, 4, DType::i32},
                               {27, "I64", 1, 8, DType::i64},
                               {28, "F64", 1, 8, {}},
                               {29, "IQ1_M", 256, 56, {}},
                               {30, "BF16", 1, 2, DType::bf16},
                               {34, "TQ1_0", 256, 54, {}},
                               {35, "TQ2_0", 256, 66, {}},
                               {39, "MXFP4", 32, 17, {}},
                               {40, "NVFP4", 64, 36, {}},
                               {41, "Q1_0", 128, 18, {}},
                               {42, "Q2_0", 64, 18, {}}};

const GgmlType* find_type(DType dtype) {
  const auto it = std::ranges::find_if(kTypes, [&](const GgmlType& t) { return t.dtype == dtype; });
  return it == std::end(kTypes) ? nullptr : &*it;
}

[[noreturn]] void fail(std::string_view where, std::string_view what) {
  throw Error(fmt::format("[gguf] {}: {}", where, what),
              "the file is damaged or was not copied whole: fetch it again");
}

// Bytes of a scalar; 0 of a string or an array.
size_t scalar_bytes(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    default:
      return 0;
  }
}

bool is_signed(GgufType type) {
  return type == GgufType::i8 || type == GgufType::i16 || type == GgufType::i32 ||
         type == GgufType::i64;
}

bool is_floating(GgufType type) { return type == GgufType::f32 || type == GgufType::f64; }

int64_t extend_sign(uint64_t bits, size_t bytes) {
  const int unused = int(64 - 8 * bytes);
  return int64_t(bits << unused) >> unused;
}

double floating(uint64_t bits, GgufType type) {
  if (type == GgufType::f64) return std::bit_cast<double>(bits);
  return double(std::bit_cast<float>(uint32_t(bits)));
}

// A place in the file and what it is that lies there, for errors.
class Reader {
 public:
  Reader(std::span<const std::byte> file, std::string_view where) : file_(file), where_(where) {}

  void begin(std::string what) { what_ = std::move(what); }
  size_t at() const { return at_; }
  [[noreturn]] void refuse(std::string_view problem) const {
    fail(where_, fmt::format("{}: {}", what_, problem));
  }
  size_t left() const { return file_.size() - at_; }
  void need(uint64_t bytes) const {
    if (bytes > left())
      refuse(
          fmt::format("must end inside the file: it needs {} bytes, {} are left", bytes, left()));
  }
  // Little endian on every machine.
  uint64_t number(size_t bytes) {
    need(bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) value |= uint64_t(file_[at_ + i]) << 8 * i;
    at_ += bytes;
    return value;
  }
  std::string string(size_t max_bytes = std::numeric_limits<size_t>::max()) {
    const uint64_t size = number(8);
    if (size > max_bytes)
      refuse(fmt::format("must not have more than {} bytes, has {}", max_bytes, size));
    need(size);
    std::string text(reinterpret_cast<const char*>(file_.data()) + at_, size_t(size));
    at_ += size_t(size);
    return text;
  }

  GgufType type() {
    const uint64_t value = number(4);
    if (value > uint64_t(GgufType::f64))
      refuse(fmt::format("its type must be from 0 to {}, is {}", uint64_t(GgufType::f64), value));
    return GgufType(value);
  }

  GgufValue value() {
    const GgufType t = type();
    if (t == GgufType::array) return array(1);
    if (t == GgufType::string) return {t, string()};
    const uint64_t bits = number(scalar_bytes(t));
    if (t == GgufType::boolean) check_boolean(bits);
    if (is_signed(t)) return {t, extend_sign(bits, scalar_bytes(t))};
    if (is_floating(t)) return {t, floating(bits, t)};
    return {t, bits};
  }

 private:
  void check_boolean(uint64_t value) const {
    if (value > 1) refuse(fmt::format("a boolean must be 0 or 1, is {}", value));
  }

  // The list is as long as `count` only once its bytes are known to be there.
  template <typename T, typename Read>
  std::vector<T> list(uint64_t count, Read&& read) {
    std::vector<T> values;
    values.reserve(size_t(count));
    for (uint64_t i = 0; i < count; i++) values.push_back(read());
    return values;
  }

  GgufValue array(int depth) {
    if (depth > kMaxArrayDepth)
      refuse(fmt::format("arrays must not be nested deeper than {}", kMaxArrayDepth));
    const GgufType t = type();
    const uint64_t count = number(8);
    if (count > kMaxElements - n_elements_)
      refuse(fmt::format("all arrays together must not have more than {} values, this one has {}",
                         kMaxElements, count));
    n_elements_ += size_t(count);
    // a string has 8 bytes at least, an array 12
    const size_t bytes = t == GgufType::string ? 8 : t == GgufType::array ? 12 : scalar_bytes(t);
    need(count * bytes);
    if (t == GgufType::array) return {t, list<GgufValue>(count, [&] { return array(depth + 1); })};
    if (t == GgufType::string) return {t, list<std::string>(count, [&] { return string(); })};
    if (is_signed(t))
      return {t, list<int64_t>(count, [&] { return extend_sign(number(bytes), bytes); })};
    if (is_floating(t)) return {t, list<double>(count, [&] { return floating(number(bytes), t); })};
    return {t, list<uint64_t>(count, [&] {
              const uint64_t value = number(bytes);
              if (t == GgufType::boolean) check_boolean(value);
              return value;
            })};
  }

  std::span<const std::byte> file_;
  std::string_view where_;
  std::string what_;
  size_t at_ = 0, n_elements_ = 0;
};

struct Counts {
  uint64_t n_tensors = 0, n_keys = 0;
};

Counts read_header(Reader& in, std::span<const std::byte> file, std::string_view where) {
  in.begin("the header");
  if (file.size() < kMagic.size() ||
      std::string_view(reinterpret_cast<const char*>(file.data()), kMagic.size()) != kMagic)
    fail(where, "must begin with \"GGUF\"");
  in.number(kMagic.size());
  const uint64_t version = in.number(4);
  if (version != 2 && version != kVersion) {
    const bool swapped = version != 0 && (version & 0xFFFF) == 0;
    throw Error(fmt::format("[gguf] {}: the version must be 2 or 3, is {}", where, version),
                swapped ? "the file is big endian: convert it with gguf-convert-endian"
                        : "convert the model anew with a current llama.cpp");
  }
  const Counts counts{in.number(8), in.number(8)};
  if (counts.n_tensors > kMaxTensors)
    in.refuse(
        fmt::format("there must be at most {} tensors, it says {}", kMaxTensors, counts.n_tensors));
  if (counts.n_keys > kMaxKeys)
    in.refuse(fmt::format("there must be at most {} keys, it says {}", kMaxKeys, counts.n_keys));
  return counts;
}

void read_metadata(Reader& in, uint64_t n_keys, GgufMetadata& metadata) {
  for (uint64_t i = 0; i < n_keys; i++) {
    in.begin(fmt::format("key {} of {}", i + 1, n_keys));
    std::string key = in.string(kMaxKeyBytes);
    if (key.empty() || find_invalid_utf8(key) != key.npos || key.find('\0') != key.npos)
      in.refuse("its name must be UTF-8 and not empty");
    in.begin(fmt::format("'{}'", key));
    const auto [it, is_new] = metadata.try_emplace(std::move(key));
    if (!is_new) in.refuse("must not be there twice");
    it->second = in.value();
  }
}

size_t read_alignment(const GgufMetadata& metadata, std::string_view where) {
  const auto it = metadata.find(kAlignmentKey);
  if (it == metadata.end()) return kAlignment;
  const std::optional<int64_t> value = it->second.integer();
  if (!value || *value < 1 || size_t(*value) > kMaxAlignment ||
      !std::has_single_bit(size_t(*value)))
    fail(where, fmt::format("{} must be a power of two up to {}", kAlignmentKey, kMaxAlignment));
  return size_t(*value);
}

// Where a tensor lies in the data.
struct Range {
  uint64_t begin = 0, size = 0;
  const std::string* name = nullptr;
  GgufTensor* tensor = nullptr;
};

const GgmlType& read_type(Reader& in) {
  const uint64_t number = in.number(4);
  const auto it =
      std::ranges::find_if(kTypes, [&](const GgmlType& t) { return t.number == number; });
  if (it == std::end(kTypes)) in.refuse(fmt::format("its type must be ggml's, is {}", number));
  return *it;
}

// Fills all but the bytes; the size in bytes goes to range.size.
void read_tensor(Reader& in, size_t alignment, GgufTensor& tensor, Range& range) {
  const uint64_t n_dims = in.number(4);
  if (n_dims < 1 || n_dims > kMaxDims)
    in.refuse(fmt::format("it must have 1 to {} dimensions, has {}", kMaxDims, n_dims));
  uint64_t n = 1;
  for (uint64_t i = 0; i < n_dims; i++) {
    const uint64_t extent = in.number(8);
    if (extent < 1 || __builtin_mul_overflow(n, extent, &n) || n > uint64_t(INT64_MAX))
      in.refuse(
          fmt::format("its dimensions must be from 1, below 2^63 elements together, "
                      "dimension {} is {}",
                      i + 1, extent));
    tensor.shape.insert(tensor.shape.begin(), int64_t(extent));
  }
  const GgmlType& type = read_type(in);
  tensor.type = type.name;
  tensor.dtype = type.dtype;
  if (uint64_t(tensor.shape.back()) % type.block_elements != 0)
    in.refuse(fmt::format("a row of {} must have a multiple of {} elements, has {}", type.name,
                          type.block_elements, tensor.shape.back()));
  range.size = n / type.block_elements;
  if (__builtin_mul_overflow(range.size, type.block_bytes, &range.size) ||
      range.size > uint64_t(INT64_MAX))
    in.refuse("it must have a size below 2^63 bytes");
  range.begin = in.number(8);
  if (range.begin % alignment != 0)
    in.refuse(fmt::format("its offset must be a multiple of {}, is {}", alignment, range.begin));
}

// Inside the data, and none over another.
void check_ranges(std::vector<Range>& ranges, uint64_t data_bytes, std::string_view where) {
  std::ranges::sort(ranges, {}, [](const Range& r) { return std::pair(r.begin, r.size); });
  uint64_t end = 0;
  const std::string* before = nullptr;
  for (const Range& range : ranges) {
    if (range.begin > data_bytes || range.size > data_bytes - range.begin)
      fail(where, fmt::format("tensor '{}' must lie inside the data of {} bytes, has {} from {} on",
                              *range.name, data_bytes, range.size, range.begin));
    if (range.begin < end)
      fail(where, fmt::format("tensor '{}' must not overlap '{}', it begins at byte {} of the "
                              "data, before {}",
                              *range.name, *before, range.begin, end));
    end = range.begin + range.size;
    before = range.name;
  }
}

// -- writing

void put(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) out += char(value >> 8 * i);
}

void put(std::string& out, std::string_view text) {
  put(out, text.size(), 8);
  out += text;
}

struct ValueWriter {
  std::string& out;
  GgufType type;

  void operator()(uint64_t value) const { put(out, value, scalar_bytes(type)); }
  void operator()(int64_t value) const { put(out, uint64_t(value), scalar_bytes(type)); }
  void operator()(double value) const {
    if (type == GgufType::f64)
      put(out, std::bit_cast<uint64_t>(value), 8);
    else
      put(out, std::bit_cast<uint32_t>(float(value)), 4);
  }
  void operator()(const std::string& text) const { put(out, text); }
  void operator()(const GgufValue& inner) const {  // an array in an array
    std::visit(ValueWriter{out, inner.type}, inner.held);
  }
  template <typename T>
  void operator()(const std::vector<T>& values) const {
    put(out, uint64_t(type), 4);
    put(out, values.size(), 8);
    for (const T& value : values) (*this)(value);
  }
};

bool is_array(const GgufValue& value) { return value.held.index() >= 4; }

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

size_t size_bytes(const TensorInfo& info) {
  CHECK(!info.shape.empty() && info.shape.size() <= kMaxDims);
  size_t rows = 1;
  for (size_t i = 0; i + 1 < info.shape.size(); i++) rows *= size_t(info.shape[i]);
  CHECK(size_t(info.shape.back()) % block_elements(info.dtype) == 0);
  return rows * row_bytes(info.dtype, size_t(info.shape.back()));
}

}  // namespace

std::optional<int64_t> GgufValue::integer() const {
  if (const auto* value = get<int64_t>()) return *value;
  const auto* value = get<uint64_t>();
  if (!value || type == GgufType::boolean || *value > uint64_t(INT64_MAX)) return std::nullopt;
  return int64_t(*value);
}

void parse_gguf(std::span<const std::byte> file, std::string_view where, GgufMetadata& metadata,
                std::map<std::string, GgufTensor>& tensors) {
  metadata.clear();
  tensors.clear();
  Reader in(file, where);
  const Counts counts = read_header(in, file, where);
  read_metadata(in, counts.n_keys, metadata);
  const size_t alignment = read_alignment(metadata, where);
  std::vector<Range> ranges;
  for (uint64_t i = 0; i < counts.n_tensors; i++) {
    in.begin(fmt::format("tensor {} of {}", i + 1, counts.n_tensors));
    std::string name = in.string(kMaxNameBytes);
    if (name.empty() || find_invalid_utf8(name) != name.npos || name.find('\0') != name.npos)
      in.refuse("its name must be UTF-8 and not empty");
    in.begin(fmt::format("tensor '{}'", name));
    const auto [it, is_new] = tensors.try_emplace(std::move(name));
    if (!is_new) in.refuse("must not be there twice");
    ranges.push_back({.name = &it->first, .tensor = &it->second});
    read_tensor(in, alignment, it->second, ranges.back());
  }
  if (tensors.empty()) return;
  const size_t begin = (in.at() + alignment - 1) / alignment * alignment;
  const std::span<const std::byte> data = file.subspan(std::min(begin, file.size()));
  check_ranges(ranges, data.size(), where);
  for (const Range& range : ranges) range.tensor->bytes = data.subspan(range.begin, range.size);
}

GgufFile::GgufFile(const fs::path& path) : path_(path), file_(path) {
  parse_gguf(file_.bytes(), fmt::format("'{}'", path.string()), metadata_, tensors_);
}

std::string_view ggml_name(DType dtype) {
  const GgmlType* type = find_type(dtype);
  return type ? type->name : "";
}

void write_gguf(const fs::path& path, GgufMetadata metadata,
                const std::vector<std::pair<std::string, TensorInfo>>& tensors,
                const TensorSource& source) {
  metadata[kAlignmentKey] = GgufValue::of(uint32_t(kAlignment));
  std::string header(kMagic);
  put(header, kVersion, 4);
  put(header, tensors.size(), 8);
  put(header, metadata.size(), 8);
  for (const auto& [key, value] : metadata) {
    CHECK(key.size() <= kMaxKeyBytes);
    put(header, key);
    put(header, uint64_t(is_array(value) ? GgufType::array : value.type), 4);
    std::visit(ValueWriter{header, value.type}, value.held);
  }
  size_t offset = 0;
  for (const auto& [name, info] : tensors) {
    const GgmlType* type = find_type(info.dtype);
    CHECK(type && name.size() < kMaxNameBytes);  // llama.cpp counts a NUL
    put(header, name);
    put(header, info.shape.size(), 4);
    for (size_t i = info.shape.size(); i-- > 0;) put(header, uint64_t(info.shape[i]), 8);
    put(header, type->number, 4);
    put(header, offset, 8);
    offset += aligned(size_bytes(info));
  }
  header.resize(aligned(header.size()));

  AtomicFile file(path);
  file.write(header);
  const std::string zeros(kAlignment, '\0');
  for (const auto& [name, info] : tensors) {
    const std::span<const std::byte> bytes = source ? source(name) : info.bytes;
    CHECK(bytes.size() == size_bytes(info));
    file.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    file.write(std::string_view(zeros).substr(0, aligned(bytes.size()) - bytes.size()));
  }
  file.commit();
}

}  // namespace chatmem
