// Pages of keys and values on disk, so that a restarted server need not compute them again. Each
// page is a file of its own; see prefix_store.cpp for its format.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/file_lock.h"
#include "model/page_tree.h"

namespace chatmem {

struct PrefixStoreOptions {
  fs::path folder;
  size_t max_bytes = 0;                        // of all files together
  std::function<void(std::string_view)> warn;  // of damaged or foreign files, of a full disk
};

// Used by one thread; a thread of its own writes. A sequence is named by the root of its tree (see
// PrefixCache) and its tokens, whole pages.
class PrefixStore {
 public:
  // fingerprints: of what keys and values depend on besides tokens, for each root. page_bytes: of
  // the keys of one page; its values are as large. Opens what the folder holds: files that are
  // damaged, or of another fingerprint, are removed. Throws Error when the folder cannot be had.
  PrefixStore(PrefixStoreOptions options, std::vector<uint64_t> fingerprints, size_t page_bytes);
  ~PrefixStore();  // writes what is queued
  PrefixStore(const PrefixStore&) = delete;
  PrefixStore& operator=(const PrefixStore&) = delete;

  // How many pages from the first on are here. They count as used now.
  int match(int root, std::span<const int> tokens);
  bool contains(int root, std::span<const int> tokens) {
    return walk(root, tokens, false) != nullptr;
  }
  using Read = std::function<void(const void* keys, const void* values)>;
  using Write = std::function<void(void* keys, void* values)>;
  // Reads the last page of `tokens`. False when it is not here, or damaged: then it is removed.
  bool load(int root, std::span<const int> tokens, const Read& read);
  // Queues the last page of `tokens`, whose bytes `write` gives at once, for writing; the pages
  // used longest ago make room. False when it cannot be kept now: the page before it is not here,
  // too much waits to be written, or a write has failed before.
  bool save(int root, std::span<const int> tokens, const Write& write);

  int n_pages() const { return tree_.n_nodes(); }
  size_t size_bytes() const { return size_t(n_pages()) * file_bytes_; }
  void flush();  // waits until all that is queued is written

 private:
  struct Job {
    enum class Kind { write, remove, touch } kind;
    std::vector<uint64_t> ids;
    std::string bytes;  // of a file to be written, its checksums still missing
  };
  struct Found;
  fs::path path_of(uint64_t id) const;
  std::optional<Found> read_header(const fs::path& path) const;
  void open_folder();
  void plant(std::vector<Found>& found);
  PageTree::Node* walk(int root, std::span<const int> tokens, bool use);
  void evict(PageTree::Node* leaf);
  void drop(PageTree::Node* node);
  void push(Job job);
  void run();
  void perform(Job& job);

  const PrefixStoreOptions options_;
  const std::vector<uint64_t> fingerprints_;
  const size_t page_bytes_, file_bytes_;
  FileLock lock_;
  PageTree tree_;  // the value of a node is the id of its file
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;    // the first is at work
  size_t queued_bytes_ = 0;  // mutex_ guards it, queue_ and stop_
  bool stop_ = false;
  std::atomic<bool> failed_ = false;
  std::thread writer_;
};

}  // namespace chatmem
