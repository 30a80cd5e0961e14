#include "base/csv.h"

#include <csv.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

// What libcsv's callbacks collect. They are C frames, so an exception is kept and thrown after the
// parse call.
class Reader {
 public:
  Reader(const fs::path& path, std::span<const std::string> columns,
         const std::function<void(CsvRow&)>& row, CsvLimits limits)
      : path_(path), columns_(columns), row_(row), limits_(limits) {
    CHECK(csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) == 0);
    // RFC 4180: spaces belong to a field.
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });
    // Its own step of 128 bytes would copy a large field once for each of them.
    csv_set_blk_size(&parser_, size_t(1) << 20);
  }
  ~Reader() { csv_free(&parser_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void feed(std::string_view bytes) {
    const size_t used =
        csv_parse(&parser_, bytes.data(), bytes.size(), &Reader::on_field, &Reader::on_row, this);
    if (error_) std::rethrow_exception(error_);
    if (used != bytes.size()) refuse_syntax();
  }
  // One call per line: `line` is its number; the parser counts nothing itself.
  void start_line(size_t line) {
    line_ = line;
    if (pending_bytes_ > limits_.max_field_bytes)
      throw Error(
          fmt::format("[csv] a field must not be larger than {} bytes, '{}', line {}: it is, or a "
                      "quote is not closed",
                      limits_.max_field_bytes, path_.string(), row_line_));
  }
  void count(size_t bytes) { pending_bytes_ += bytes; }
  const std::vector<std::string>& header() const { return header_; }
  void finish() {
    if (csv_fini(&parser_, &Reader::on_field, &Reader::on_row, this) != 0) refuse_syntax();
    if (error_) std::rethrow_exception(error_);
    if (header_.empty())
      throw Error(fmt::format("[csv] '{}' must have a header line, is empty", path_.string()));
  }

 private:
  static void on_field(void* field, size_t size, void* self) {
    static_cast<Reader*>(self)->field({static_cast<const char*>(field), size});
  }
  static void on_row(int end, void* self) { static_cast<Reader*>(self)->end_row(end); }

  void field(std::string_view text) {
    in_row_ = true;
    fields_.emplace_back(text);
  }
  // `end` is the character that ended it; a bare "\r" ends a row, but not a line.
  void end_row(int end) {
    if (!error_) try {
        take_row();
      } catch (...) {
        error_ = std::current_exception();
      }
    fields_.clear();
    in_row_ = false;
    pending_bytes_ = 0;
    row_line_ = end == '\r' ? line_ : line_ + 1;
  }
  void take_row() {
    const bool blank = fields_.empty() || (fields_.size() == 1 && fields_[0].empty());
    if (blank) return;
    for (const std::string& text : fields_) check_text(text);
    if (header_.empty()) return take_header();
    if (fields_.size() != header_.size())
      throw Error(
          fmt::format("[csv] a row must have {} fields as the header has, found {}, '{}', line {}",
                      header_.size(), fields_.size(), path_.string(), row_line_));
    CsvRow row{{}, row_line_};
    for (const size_t at : positions_) row.fields.push_back(std::move(fields_[at]));
    row_(row);
  }
  void check_text(const std::string& text) const {
    if (text.size() > limits_.max_field_bytes)
      throw Error(
          fmt::format("[csv] a field must not be larger than {} bytes, found {}, '{}', line {}",
                      limits_.max_field_bytes, text.size(), path_.string(), row_line_));
    if (text.find('\0') != text.npos)
      throw Error(fmt::format("[csv] a field must not hold a NUL byte, '{}', line {}",
                              path_.string(), row_line_));
    if (find_invalid_utf8(text) != text.npos)
      throw Error(
          fmt::format("[csv] a field must be UTF-8, is not, '{}', line {}", path_.string(),
                      row_line_),
          "convert the file, for example with: iconv -f WINDOWS-1252 -t UTF-8 IN.csv > OUT.csv");
  }
  void take_header() {
    header_ = std::move(fields_);
    for (const std::string& column : columns_) {
      const auto it = std::find(header_.begin(), header_.end(), column);
      if (it == header_.end())
        throw Error(fmt::format("[csv] '{}' must have a column '{}', its header is: {}",
                                path_.string(), column, fmt::join(header_, ", ")));
      positions_.push_back(size_t(it - header_.begin()));
    }
  }
  [[noreturn]] void refuse_syntax() {
    throw Error(
        fmt::format("[csv] quotes must be closed, and doubled inside a quoted field: '{}', row "
                    "that begins at line {}",
                    path_.string(), row_line_));
  }

  fs::path path_;
  std::span<const std::string> columns_;
  const std::function<void(CsvRow&)>& row_;
  CsvLimits limits_;
  csv_parser parser_{};
  std::vector<std::string> header_, fields_;
  std::vector<size_t> positions_;
  std::exception_ptr error_;
  size_t line_ = 0, row_line_ = 1, pending_bytes_ = 0;
  bool in_row_ = false;
};

std::vector<std::string> read_rows(const fs::path& path, std::span<const std::string> columns,
                                   const std::function<void(CsvRow&)>& row, CsvLimits limits) {
  Reader reader(path, columns, row, limits);
  for_each_line(
      path,
      [&](std::string_view text, size_t number) {
        reader.start_line(number);
        reader.count(text.size() + 1);
        reader.feed(text);
        reader.feed("\n");
      },
      limits.max_field_bytes + (size_t(1) << 20));
  reader.finish();
  return reader.header();
}

}  // namespace

void for_each_csv_row(const fs::path& path, std::span<const std::string> columns,
                      const std::function<void(CsvRow&)>& row, CsvLimits limits) {
  read_rows(path, columns, row, limits);
}

std::vector<std::string> csv_header(const fs::path& path) {
  return read_rows(path, {}, [](CsvRow&) {}, {});
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace chatmem
