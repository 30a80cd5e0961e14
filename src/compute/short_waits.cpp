#include "compute/short_waits.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace chatmem {

void begin_with_short_waits(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return;
  std::error_code failed;
  // By its own path, so that the process keeps its name.
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed || ::setenv("GOMP_SPINCOUNT", "1000", 0) != 0) return;
  ::execv(program.c_str(), argv);
}

}  // namespace chatmem
