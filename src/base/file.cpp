#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <system_error>

#include "base/error.h"

namespace chatmem {
namespace {

[[noreturn]] void fail(std::string_view action, const fs::path& path, int error = errno) {
  std::string hint;
  if (error == ENOSPC) hint = "free some disk space, then run the same command again";
  if (error == EACCES || error == EROFS) hint = "choose a folder that you may write to";
  throw Error(fmt::format("[file] cannot {} '{}': {}", action, path.string(), std::strerror(error)),
              hint);
}

void write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write", path);
    bytes.remove_prefix(size_t(n));
  }
}

int open_for_reading(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("open", path);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
    ::close(fd);
    fail("open", path, EISDIR);
  }
  return fd;
}

}  // namespace

std::string read_file(const fs::path& path, size_t max_bytes) {
  const int fd = open_for_reading(path);
  std::string bytes;
  char chunk[1 << 16];
  for (;;) {
    const ssize_t n = ::read(fd, chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || bytes.size() + size_t(n) > max_bytes) {
      const int error = n < 0 ? errno : EFBIG;
      ::close(fd);
      fail("read", path, error);
    }
    if (n == 0) break;
    bytes.append(chunk, size_t(n));
  }
  ::close(fd);
  return bytes;
}

void for_each_line(const fs::path& path, const std::function<void(std::string_view, size_t)>& line,
                   size_t max_line_bytes) {
  std::ifstream file;
  if (path != "-") {
    ::close(open_for_reading(path));
    file.open(path, std::ios::binary);
    if (!file) fail("open", path, EIO);
  }
  std::istream& in = path == "-" ? std::cin : file;
  std::string rest;
  size_t number = 0;
  auto emit = [&](std::string_view text) {
    if (++number == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (text.ends_with('\r')) text.remove_suffix(1);
    line(text, number);
  };
  const auto extend = [&](std::string_view more) {
    rest.append(more);
    if (rest.size() > max_line_bytes)
      throw Error(fmt::format("[file] a line must not be longer than {} bytes, '{}', line {} is",
                              max_line_bytes, path.string(), number + 1));
  };
  std::string chunk(1 << 16, '\0');
  while (in.read(chunk.data(), std::streamsize(chunk.size())), in.gcount() > 0) {
    std::string_view view(chunk.data(), size_t(in.gcount()));
    for (size_t end; (end = view.find('\n')) != view.npos; view.remove_prefix(end + 1)) {
      extend(view.substr(0, end));
      emit(rest);
      rest.clear();
    }
    extend(view);
  }
  if (in.bad()) fail("read", path, EIO);
  if (!rest.empty()) emit(rest);
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);  // some file systems refuse to sync folders: the rename itself is still atomic
  ::close(fd);
}

void sync_file_system(const fs::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("open", folder);
  const int result = ::syncfs(fd);
  const int error = errno;
  ::close(fd);
  if (result != 0) fail("flush", folder, error);
}

void write_file_atomic(const fs::path& path, std::string_view bytes, Durability durability) {
  AtomicFile file(path, durability);
  file.write(bytes);
  file.commit();
}

AtomicFile::AtomicFile(fs::path path, Durability durability)
    : path_(std::move(path)), durability_(durability) {
  static std::atomic<unsigned> serial{0};
  std::error_code error;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), error);
  temporary_ = path_;
  temporary_ += fmt::format(".tmp{}-{}", ::getpid(), serial++);
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("create", path_);
  ::flock(fd_, LOCK_EX | LOCK_NB);  // says that its writer lives, see remove_stale_temporaries()
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  CHECK(fd_ >= 0);
  size_bytes_ += bytes.size();
  if (buffer_.size() + bytes.size() < size_t(1) << 20) {
    buffer_.append(bytes);
    return;
  }
  flush();
  write_all(fd_, bytes, path_);
}

void AtomicFile::flush() {
  write_all(fd_, buffer_, path_);
  buffer_.clear();
}

void AtomicFile::commit() {
  CHECK(fd_ >= 0);
  flush();
  if (durability_ == Durability::flushed && ::fsync(fd_) != 0) fail("flush", path_);
  // Some file systems say only on closing that they could not write; the lock outlives that.
  const int lock = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  const bool closed = ::close(std::exchange(fd_, -1)) == 0;
  const bool renamed = closed && ::rename(temporary_.c_str(), path_.c_str()) == 0;
  const int error = errno;
  if (!renamed) ::unlink(temporary_.c_str());
  if (lock >= 0) ::close(lock);
  if (!renamed) fail(closed ? "write" : "close", path_, error);
  if (durability_ == Durability::flushed) sync_folder(path_.parent_path());
}

namespace {

// "NAME.tmpPID-SERIAL".
bool is_temporary(std::string_view name) {
  constexpr std::string_view kMark = ".tmp";
  const size_t mark = name.rfind(kMark);
  if (mark == name.npos) return false;
  const char *at = name.data() + mark + kMark.size(), *end = name.data() + name.size();
  unsigned pid = 0, serial = 0;
  const auto [dash, bad_pid] = std::from_chars(at, end, pid);
  if (bad_pid != std::errc() || dash == end || *dash != '-') return false;
  const auto [rest, bad_serial] = std::from_chars(dash + 1, end, serial);
  return bad_serial == std::errc() && rest == end;
}

// Whether nobody holds the lock that a writer keeps while it lives. A process number would not
// tell: it may be another's by now, or that of a dead process that its parent has not looked at.
bool is_left(const fs::path& temporary) {
  const int fd = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  const bool left = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  ::close(fd);
  return left;
}

}  // namespace

void remove_stale_temporaries(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const bool stale = is_temporary(entry.path().filename().string()) && is_left(entry.path());
    if (stale) fs::remove(entry.path(), ignored);
  }
}

AppendFile::AppendFile(const fs::path& path) : path_(path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("open", path);
}

AppendFile::~AppendFile() { ::close(fd_); }

void AppendFile::append(std::string_view bytes, Durability durability) {
  write_all(fd_, bytes, path_);
  if (durability == Durability::flushed) flush();
}

void AppendFile::flush() {
  if (::fdatasync(fd_) != 0) fail("flush", path_);
}

MappedFile::MappedFile(const fs::path& path) {
  const int fd = open_for_reading(path);
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    const int error = errno;
    ::close(fd);
    fail("read", path, error);
  }
  size_ = size_t(info.st_size);
  void* at = size_ ? ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0) : nullptr;
  const int error = errno;
  ::close(fd);
  if (at == MAP_FAILED) fail("map", path, error);
  data_ = static_cast<const std::byte*>(at);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace chatmem
