// A folder of its own for one test, removed at its end.
#pragma once
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file.h"

namespace chatmem {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (fs::temp_directory_path() / "chatmem-test-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path write(const std::string& name, std::string_view bytes) const {
    write_file_atomic(path_ / name, bytes);
    return path_ / name;
  }

 private:
  fs::path path_;
};

// The data for developers that lies beside a checkout; tests that need it skip where it is absent.
inline fs::path shared_data() { return fs::path(CHATMEM_SOURCE_DIR) / "../shared/data"; }

}  // namespace chatmem
