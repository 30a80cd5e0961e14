// Files of a folder that take the place of earlier ones together: a failure leaves the folder as it
// was.
#pragma once
#include <functional>
#include <string>

#include "base/file.h"

namespace chatmem {

// Files are written to path(), a temporary folder inside `folder`; commit() moves them into
// `folder`, and without it they are removed. The file `last` marks the folder as whole: it goes
// first and comes back last, so that not even a crash leaves a mix of old and new that looks whole.
// What a killed process left in its temporary folder is removed by the next one.
class StagedFolder {
 public:
  // Throws Error when the folder cannot be created.
  StagedFolder(fs::path folder, std::string last);
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const fs::path& path() const { return staging_; }
  // Removes the files of `folder` whose names are obsolete, then moves the new ones there. Takes no
  // disk space.
  void commit(const std::function<bool(const std::string& name)>& obsolete);

 private:
  fs::path folder_, staging_;
  std::string last_;
  bool is_new_ = false;  // the folder was not there before
  int lock_ = -1;        // held on staging_: says that its writer lives
};

}  // namespace chatmem
