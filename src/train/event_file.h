// TensorBoard's event file: scalars by step.
//
// A file is a sequence of records: length (u64), masked CRC of it (u32), the bytes, their masked
// CRC (u32), all little-endian (tensorflow/core/lib/io/record_writer). The CRC is CRC-32C, masked
// as ((crc >> 15) | (crc << 17)) + 0xA282EAD8. The bytes are a protobuf Event
// (tensorboard/compat/proto/event.proto): wall_time = 1 (double), step = 2 (int64),
// file_version = 3 (string, the first event alone), summary = 5, whose values (1) have a
// tag = 1 (string) and a simple_value = 2 (float).
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"

namespace chatmem {

struct Scalar {
  std::string_view tag;
  double value = 0;
};

class EventFile {
 public:
  // Opens the file with the events of the first `step` steps that it holds; later ones, and what is
  // not a whole record, are dropped. step -1: a new file.
  EventFile(const fs::path& path, int step);
  // wall_time: seconds since 1970.
  void add(int step, double wall_time, std::span<const Scalar> scalars);

 private:
  std::unique_ptr<AppendFile> file_;
};

// CRC-32C (Castagnoli) of the bytes.
uint32_t crc32c(std::string_view bytes);

}  // namespace chatmem
