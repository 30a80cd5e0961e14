#include "base/staged_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "base/error.h"

namespace chatmem {
namespace {

std::vector<std::string> names_of_files(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (!entry.is_directory()) names.push_back(entry.path().filename().string());
  return names;
}

}  // namespace

StagedFolder::StagedFolder(fs::path folder, std::string last)
    : folder_(std::move(folder)),
      staging_(folder_ / fmt::format(".staging{}", ::getpid())),
      last_(std::move(last)) {
  std::error_code error;
  is_new_ = fs::create_directories(folder_, error);
  if (!error) fs::create_directory(staging_, error);
  if (error)
    throw Error(
        fmt::format("[file] cannot create the folder '{}': {}", folder_.string(), error.message()),
        "choose a folder that you may write to");
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
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
