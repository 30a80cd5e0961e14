#include "base/staged_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <string_view>
#include <vector>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr const char* kStaging = ".staging";

// An open folder, locked for this process; -1 where another holds it.
int lock_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return -1;
}

// kStaging and a process number.
bool is_staging(std::string_view name) {
  if (!name.starts_with(kStaging)) return false;
  name.remove_prefix(std::string_view(kStaging).size());
  return !name.empty() && name.find_first_not_of("0123456789") == name.npos;
}

void remove_left_folders(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!is_staging(entry.path().filename().string())) continue;
    const int lock = lock_folder(entry.path());
    if (lock < 0) continue;
    fs::remove_all(entry.path(), ignored);
    ::close(lock);
  }
}

std::vector<std::string> names_of_files(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (!entry.is_directory()) names.push_back(entry.path().filename().string());
  return names;
}

}  // namespace

StagedFolder::StagedFolder(fs::path folder, std::string last)
    : folder_(std::move(folder)),
      staging_(folder_ / fmt::format("{}{}", kStaging, ::getpid())),
      last_(std::move(last)) {
  std::error_code error;
  is_new_ = fs::create_directories(folder_, error);
  if (!error) remove_left_folders(folder_);
  if (!error) fs::create_directory(staging_, error);
  if (error)
    throw Error(
        fmt::format("[file] cannot create the folder '{}': {}", folder_.string(), error.message()),
        "choose a folder that you may write to");
  lock_ = lock_folder(staging_);
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
  if (lock_ >= 0) ::close(lock_);
  if (is_new_) fs::remove(folder_, ignored);  // only where it is empty
}

void StagedFolder::commit(const std::function<bool(const std::string& name)>& obsolete) {
  try {
    fs::remove(folder_ / last_);
    sync_folder(folder_);
    for (const std::string& name : names_of_files(folder_))
      if (obsolete(name)) fs::remove(folder_ / name);
    for (const std::string& name : names_of_files(staging_))
      if (name != last_) fs::rename(staging_ / name, folder_ / name);
    sync_folder(folder_);
    fs::rename(staging_ / last_, folder_ / last_);
    sync_folder(folder_);
  } catch (const fs::filesystem_error& error) {
    throw Error(fmt::format("[file] cannot move the files from '{}' to '{}': {}", staging_.string(),
                            folder_.string(), error.code().message()));
  }
}

}  // namespace chatmem
