// TensorBoard's event file against one that tools/event_reference.py wrote by the published
// formats.
#include "train/event_file.h"

#include <gtest/gtest.h>

#include <vector>

#include "test_folder.h"

namespace chatmem {
namespace {

TEST(Crc32c, KnownValues) {
  // RFC 3720, B.4, and the check value of the CRC catalogue.
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(""), 0u);
}

class Events : public ::testing::Test {
 protected:
  // The events of the golden file, step by step.
  void write(EventFile& file, int from_step) const {
    if (from_step <= 0) file.add(0, 1700000000.25, std::vector<Scalar>{{"validation/loss", 3.5}});
    if (from_step <= 1)
      file.add(1, 1700000001.5, std::vector<Scalar>{{"train/loss", 0.1}, {"train/lr", 2e-4}});
    file.add(300, 1700000002.75, std::vector<Scalar>{{"train/loss", -1e-30}, {"train/lr", 0}});
  }
  TestFolder folder_;
  fs::path path_ = folder_.path() / "out/events";
  std::string golden_ = read_file(fs::path(CHATMEM_SOURCE_DIR) / "tests/golden/events.tfevents");
};

TEST_F(Events, AreThoseOfTheReference) {
  EventFile file(path_, -1);
  write(file, 0);
  EXPECT_EQ(read_file(path_), golden_);
}

TEST_F(Events, ContinueAfterAStepWhereverTheFileWasTorn) {
  for (const int step : {0, 1, 299}) {
    write_file_atomic(path_, golden_);
    EventFile file(path_, step);
    write(file, step + 1);
    EXPECT_EQ(read_file(path_), golden_) << step;
  }
  const size_t last = golden_.size() - 1;
  for (size_t size = 0; size <= last; size++) {
    write_file_atomic(path_, golden_.substr(0, size));
    const EventFile file(path_, 300);
    const std::string kept = read_file(path_);
    EXPECT_TRUE(golden_.starts_with(kept)) << size;
    EXPECT_FALSE(kept.empty()) << size;  // at least the version
  }
}

TEST_F(Events, AChangedByteEndsWhatIsKept) {
  for (size_t i = 0; i < golden_.size(); i++) {
    std::string changed = golden_;
    changed[i] = char(changed[i] ^ 0x40);
    write_file_atomic(path_, changed);
    const EventFile file(path_, 300);
    const std::string kept = read_file(path_);
    EXPECT_LT(kept.size(), golden_.size()) << i;
    EXPECT_TRUE(golden_.starts_with(kept)) << i;
  }
}

TEST_F(Events, ANewRunBeginsAnew) {
  write_file_atomic(path_, golden_);
  const EventFile file(path_, -1);
  EXPECT_LT(read_file(path_).size(), 60u);
}

}  // namespace
}  // namespace chatmem
