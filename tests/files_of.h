// What a folder holds, for a test to compare.
#pragma once
#include <map>
#include <string>

#include "base/file.h"

namespace chatmem {

// Path and bytes of all files below a folder.
inline std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files[entry.path().string()] = read_file(entry.path());
  return files;
}

}  // namespace chatmem
