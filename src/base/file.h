// Files: read whole, mapped, and written so that a file is whole or absent.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace chatmem {

namespace fs = std::filesystem;

// The file's bytes. Throws Error when it cannot be read or is larger than max_bytes.
std::string read_file(const fs::path& path, size_t max_bytes = size_t(1) << 30);

// Calls line(text, number) for each line, number from 1; "\n" and a preceding "\r" are stripped, a
// UTF-8 byte order mark at the start is skipped. Throws Error for a line over max_line_bytes.
// "-" reads standard input.
void for_each_line(const fs::path& path, const std::function<void(std::string_view, size_t)>& line,
                   size_t max_line_bytes = size_t(64) << 20);

// flushed: on disk before it appears. batched: whole or absent for every process, but on disk only
// after sync_file_system(): for thousands of small files, where a flush each would cost minutes.
enum class Durability { flushed, batched };

// Writes to a temporary beside the path, flushes to disk, renames. The folder is created when
// missing.
void write_file_atomic(const fs::path& path, std::string_view bytes,
                       Durability durability = Durability::flushed);

// Flushes all that was written to the file system of this folder.
void sync_file_system(const fs::path& folder);

// A file written piece by piece that appears at `path` only with commit(); without it nothing is
// left.
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path, Durability durability = Durability::flushed);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::string_view bytes);
  void commit();
  size_t size_bytes() const { return size_bytes_; }

 private:
  void flush();
  fs::path path_, temporary_;
  Durability durability_;
  int fd_ = -1;
  size_t size_bytes_ = 0;
  std::string buffer_;
};

// Removes the temporaries in this folder (not below it) that killed processes left beside the files
// they were writing; those that are being written are kept. For the beginning of a verb that owns
// the folder.
void remove_stale_temporaries(const fs::path& folder);

// A file opened for appending. A flushed append returns after all bytes so far are on disk
// (fdatasync); a batched one is safe from the death of the process at once, from that of the
// machine with the next flushed one. A failed append may leave a part of its bytes.
class AppendFile {
 public:
  explicit AppendFile(const fs::path& path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;
  void append(std::string_view bytes, Durability durability = Durability::flushed);
  void flush();  // what batched appends have written

 private:
  fs::path path_;
  int fd_ = -1;
};

// A whole file mapped read-only.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Flushes a folder's entries to disk, so that a rename in it survives a crash.
void sync_folder(const fs::path& folder);

}  // namespace chatmem
