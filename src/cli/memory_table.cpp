#include "cli/memory_table.h"

#include <fmt/format.h>

#include "base/progress.h"

namespace chatmem {

void print_memory(const MemoryPlan& plan) {
  const auto print = [](const std::string& what, size_t bytes) {
    fmt::print("  {:<44} {:>18} bytes  {:>9}\n", what, format_count(int64_t(bytes)),
               format_bytes(double(bytes)));
  };
  for (const MemoryPlan::Row& row : plan.rows) print(row.what, row.bytes);
  print("in all", plan.total_bytes());
}

}  // namespace chatmem
