// The folder that generate writes: success/, errors/, training_data.jsonl, all_results.json, and
// generate.json, which says of what run it is (docs/formats.md).
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/file_lock.h"
#include "base/json.h"
#include "synth/hygiene.h"
#include "synth/provider.h"
#include "synth/stored_results.h"

namespace chatmem {

// An id as a part of a file name: everything but letters, digits, "_" and "-" percent-encoded, and
// "." too, so that no id can name another folder.
std::string encoded_id(std::string_view id);
// splits/train.jsonl and so on, within the folder.
fs::path split_file(Side side);

struct StoredFailure {
  int attempt = 0;     // 0: of the original pipeline
  std::string reason;  // as error_reason says it
};

// The names of the files, and what is there.
class ResultFiles {
 public:
  explicit ResultFiles(fs::path path) : path_(std::move(path)) {}
  const fs::path& path() const { return path_; }
  bool has_success(const std::string& id) const;
  // How the row failed last; none when it has not.
  std::optional<StoredFailure> failure(const std::string& id) const;

 protected:
  fs::path success_file(const std::string& id, std::string_view ending) const;
  fs::path error_file(const std::string& id) const;
  fs::path path_;
};

class ResultFolder : public ResultFiles {
 public:
  // Locks the folder and claims it for a run of these settings. Throws Error when another process
  // works in it, or when it holds another run's results, unless `replace`, which removes those (a
  // journal of paid answers stays). A folder that the original pipeline has left (progress.json) is
  // continued.
  ResultFolder(fs::path path, const Json& settings, bool replace);

  // Each removes what the other has written. From several threads.
  void write_success(const SourceRow& row, const Transformed& transformed) const;
  void write_failure(const SourceRow& row, const Expanded& expanded, int attempt,
                     const std::string& timestamp) const;

  // training_data.jsonl and all_results.json from the successes of these rows, in their order; with
  // the sides of the rows also splits/train.jsonl, validation.jsonl and test.jsonl. One row is in
  // memory at a time; `taken` sees each.
  struct Collected {
    int64_t conversations = 0;
    uint64_t fingerprint = 0;  // of training_data.jsonl
    std::array<int64_t, 3> by_side{};
  };
  Collected collect(const std::vector<SourceRow>& rows, std::span<const size_t> chosen,
                    std::span<const Side> sides,
                    const std::function<void(const ResultRow&)>& taken) const;

 private:
  void remove_results() const;
  void link_training_data() const;

  std::optional<FileLock> lock_;
};

}  // namespace chatmem
