#include "train/event_file.h"

#include <array>
#include <bit>
#include <cstring>

namespace chatmem {
namespace {

constexpr size_t kHeaderBytes = 12, kFooterBytes = 4;

std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    table[i] = crc;
  }
  return table;
}

uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u; }

template <typename Number>
void put_fixed(std::string& out, Number value) {
  static_assert(std::endian::native == std::endian::little);
  char bytes[sizeof(Number)];
  std::memcpy(bytes, &value, sizeof bytes);
  out.append(bytes, sizeof bytes);
}
template <typename Number>
Number get_fixed(std::string_view bytes) {
  Number value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += char(value | 0x80);
  out += char(value);
}

// Wire types of protobuf.
enum Wire { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
void put_key(std::string& out, int field, Wire wire) {
  put_varint(out, uint64_t(field << 3 | wire));
}
void put_bytes(std::string& out, int field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string event_of(int step, double wall_time) {
  std::string event;
  put_key(event, 1, kFixed64);
  put_fixed(event, wall_time);
  put_key(event, 2, kVarint);
  put_varint(event, uint64_t(step));
  return event;
}

std::string framed(std::string_view bytes) {
  std::string record;
  put_fixed(record, uint64_t(bytes.size()));
  put_fixed(record, masked_crc(record));
  record += bytes;
  put_fixed(record, masked_crc(bytes));
  return record;
}

// The step of an event as event_of begins it; -1 when it does not begin so.
int64_t step_of(std::string_view event) {
  if (event.size() < 11 || event[0] != (1 << 3 | kFixed64) || event[9] != (2 << 3 | kVarint))
    return -1;
  uint64_t step = 0;
  for (size_t i = 10, shift = 0; i < event.size() && shift < 63; i++, shift += 7) {
    step |= uint64_t(event[i] & 0x7F) << shift;
    if (!(event[i] & 0x80)) return int64_t(step);
  }
  return -1;
}

// The records of the first `step` steps, up to the first that is not whole.
std::string kept_records(std::string_view file, int step) {
  std::string kept;
  while (file.size() >= kHeaderBytes + kFooterBytes) {
    const auto size = get_fixed<uint64_t>(file);
    if (get_fixed<uint32_t>(file.substr(8)) != masked_crc(file.substr(0, 8)) ||
        size > file.size() - kHeaderBytes - kFooterBytes)
      break;
    const std::string_view event = file.substr(kHeaderBytes, size_t(size));
    if (get_fixed<uint32_t>(file.substr(kHeaderBytes + size_t(size))) != masked_crc(event)) break;
    const int64_t at = step_of(event);
    const size_t record = kHeaderBytes + size_t(size) + kFooterBytes;
    if (at >= 0 && at <= step) kept += file.substr(0, record);
    file.remove_prefix(record);
  }
  return kept;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> kTable = crc_table();
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ uint8_t(c)) & 0xFF];
  return ~crc;
}

EventFile::EventFile(const fs::path& path, int step) {
  std::string kept;
  if (step >= 0 && fs::exists(path)) kept = kept_records(read_file(path), step);
  if (kept.empty()) {
    std::string version = event_of(0, 0);
    put_bytes(version, 3, "brain.Event:2");
    kept = framed(version);
  }
  write_file_atomic(path, kept);
  file_ = std::make_unique<AppendFile>(path);
}

void EventFile::add(int step, double wall_time, std::span<const Scalar> scalars) {
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;
    put_bytes(value, 1, scalar.tag);
    put_key(value, 2, kFixed32);
    put_fixed(value, float(scalar.value));
    put_bytes(summary, 1, value);
  }
  std::string event = event_of(step, wall_time);
  put_bytes(event, 5, summary);
  file_->append(framed(event), Durability::batched);
}

}  // namespace chatmem
