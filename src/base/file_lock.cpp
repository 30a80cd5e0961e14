#include "base/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

#include "base/error.h"

namespace chatmem {
namespace {

// The process that wrote its number into the file; 0 when none can be read: its holder may have
// been here so recently that it has not written it yet.
int holder_of(int fd) {
  char text[32];
  const ssize_t n = ::pread(fd, text, sizeof text, 0);
  int pid = 0;
  if (n > 0) std::from_chars(text, text + n, pid);
  return pid > 0 ? pid : 0;
}

}  // namespace

FileLock::FileLock(const fs::path& folder, std::string_view stage) {
  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path path = folder / ".lock";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0)
    throw Error(
        fmt::format("[{}] cannot create '{}': {}", stage, path.string(), std::strerror(errno)),
        "choose a folder that you may write to");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    const int pid = reason == EWOULDBLOCK ? holder_of(fd_) : 0;
    ::close(fd_);
    if (reason != EWOULDBLOCK)
      throw Error(
          fmt::format("[{}] cannot lock '{}': {}", stage, path.string(), std::strerror(reason)),
          "choose a folder on a file system that has locks");
    throw Error(fmt::format("[{}] another process{} works in '{}'", stage,
                            pid ? fmt::format(" ({})", pid) : "", folder.string()),
                "wait until it has ended, or choose another folder");
  }
  // For the message of the next one; the lock itself does not depend on it.
  const std::string pid = fmt::format("{}\n", ::getpid());
  [[maybe_unused]] const bool written =
      ::ftruncate(fd_, 0) == 0 && ::pwrite(fd_, pid.data(), pid.size(), 0) > 0;
}

FileLock::~FileLock() { ::close(fd_); }

}  // namespace chatmem
