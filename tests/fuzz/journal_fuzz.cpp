// libFuzzer: files that no one would write are read as journals or refused with Error; what was
// read is read again after a restart, and an answer of any bytes comes back as it was.
#include <unistd.h>

#include <cstdint>
#include <fstream>

#include "base/error.h"
#include "llm/journal.h"

namespace {

using namespace chatmem;

// One file for all inputs; in memory where there is such a folder.
fs::path file_of_process() {
  const fs::path folder = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
  return folder / ("chatmem-journal-fuzz-" + std::to_string(::getpid()));
}

struct Totals {
  double committed_usd;
  size_t n_answers, n_batches;
  bool operator==(const Totals&) const = default;
};

Totals totals(const Journal& journal) {
  CHECK(journal.spent_usd() >= 0 && journal.committed_usd() >= journal.spent_usd() - 1e-3);
  // A journal that was written by hand may add dollars in another order; whole cents are enough.
  return {double(int64_t(journal.committed_usd() * 100 + 0.5)), journal.size(),
          journal.batches().size()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fs::path path = file_of_process();
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  Totals before{};
  try {
    Journal journal(path);
    before = totals(journal);
    for (const char* key : {"a", "b", "key"}) {
      CHECK(journal.contains(key) == journal.find(key).has_value());
      CHECK(!journal.in_batch(key) || journal.batches().size() > 0);
    }
  } catch (const Error&) {
    CHECK(read_file(path) == bytes);
    return 0;
  }
  Journal journal(path);
  CHECK(totals(journal) == before && journal.newly_lost_requests() == 0);
  journal.received("fuzz", {200, bytes, bytes, 0}, Durability::batched);
  CHECK(Journal(path).find("fuzz")->body == bytes);
  return 0;
}
