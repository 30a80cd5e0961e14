// One process at a time in a folder.
#pragma once
#include <string_view>

#include "base/file.h"

namespace chatmem {

// Holds an exclusive flock on FOLDER/.lock until it is destroyed or the process dies, however it
// dies. The file stays: removing it would let two processes lock two files of the same name.
class FileLock {
 public:
  // Creates the folder when it is missing; never waits. `stage` opens the message of the Error that
  // says that another process holds the lock, with its number when it is known.
  FileLock(const fs::path& folder, std::string_view stage);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace chatmem
