// libFuzzer: CSV files that no one would write are read or refused with Error; the rows that are
// read, written back with csv_field, are read as the same rows.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#include "base/csv.h"
#include "base/error.h"

namespace {

using namespace chatmem;

using Rows = std::vector<std::vector<std::string>>;

// A file in memory; it has a path, as the reader asks for.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("fuzz", 0)) {
    CHECK(fd_ >= 0);
    CHECK(::write(fd_, bytes.data(), bytes.size()) == ssize_t(bytes.size()));
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  fs::path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

// A small limit, so that it is met too.
constexpr CsvLimits kLimits = {.max_field_bytes = 2000};

Rows read_rows(std::string_view bytes, std::span<const std::string> columns, CsvLimits limits) {
  const MemoryFile file(bytes);
  Rows rows;
  size_t last_line = 0;
  for_each_csv_row(
      file.path(), columns,
      [&](CsvRow& row) {
        CHECK(row.fields.size() == columns.size());
        CHECK(row.line >= last_line);  // equal after a bare "\r"
        last_line = row.line;
        for (const std::string& field : row.fields) CHECK(field.size() <= limits.max_field_bytes);
        rows.push_back(std::move(row.fields));
      },
      limits);
  return rows;
}

std::string write_rows(std::span<const std::string> columns, const Rows& rows) {
  std::string out;
  const auto write_row = [&](std::span<const std::string> fields) {
    for (size_t i = 0; i < fields.size(); i++) out += (i ? "," : "") + csv_field(fields[i]);
    out += '\n';
  };
  write_row(columns);
  for (const auto& row : rows) write_row(row);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> columns = {"id", "dialogue", "topic"};
  Rows rows;
  try {
    rows = read_rows(bytes, columns, kLimits);
  } catch (const Error&) {
    return 0;
  }
  CHECK(read_rows(write_rows(columns, rows), columns, {}) == rows);
  return 0;
}
