// CSV by RFC 4180: quoted fields may hold commas, quotes ("") and line breaks; LF or CRLF; a UTF-8
// byte order mark is skipped. Malformed input is refused with file and line, never guessed.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace chatmem {

struct CsvRow {
  std::vector<std::string> fields;  // in the order of the columns asked for
  size_t line = 0;                  // the line of the file on which the row begins, from 1
};

struct CsvLimits {
  size_t max_field_bytes = size_t(16) << 20;
};

// Calls row for each record after the header, with the fields of `columns` whatever their order in
// the file. Throws Error when a column is missing, a row has another number of fields than the
// header, a quote is not closed, a quoted field is followed by anything but a comma or line break,
// a field is too large, or a field holds a NUL or invalid UTF-8. A file without any line is an
// error, blank lines are skipped.
void for_each_csv_row(const fs::path& path, std::span<const std::string> columns,
                      const std::function<void(CsvRow&)>& row, CsvLimits limits = {});

// The names of the columns. Reads and checks the whole file.
std::vector<std::string> csv_header(const fs::path& path);

// A field as it stands in a CSV line: quoted when it must be.
std::string csv_field(std::string_view text);

}  // namespace chatmem
