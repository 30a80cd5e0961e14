// Keys and values that requests have in common are computed once. A full page never changes, so it
// is kept, by the adapter and all tokens up to its end, when the request that computed it goes on
// or ends, and later requests that begin alike take it. Pages that nobody uses are given up, the
// one left first, when a request needs room: the pool is the budget. With a PrefixStore they
// are kept on disk too, and are read back when a request begins like them.
#pragma once
#include "model/kv_cache.h"
#include "model/page_tree.h"
#include "model/prefix_store.h"

namespace chatmem {

class PrefixCache {
 public:
  // Of requests with adapters -1 (none) to n_adapters - 1. The store, if any, has a root for each.
  PrefixCache(Ops& ops, KvPages& pages, int n_adapters, PrefixStore* store = nullptr)
      : ops_(ops), pages_(pages), store_(store), tree_(1 + n_adapters) {}

  // Pages that a request could have: free, or used by nobody.
  int available_pages() const { return pages_.free_pages() + tree_.n_unused(); }
  int cached_pages() const { return tree_.n_nodes(); }

 private:
  friend class SharedSequence;
  // Makes one page free; false when all are in use.
  bool make_room();
  // Reads the last page of `tokens` from the store, or returns nullptr.
  PageTree::Node* load(int root, std::span<const int> tokens, PageTree::Node* parent);

  Ops& ops_;
  KvPages& pages_;
  PrefixStore* store_;
  PageTree tree_;
};

// The pages of one request: first shared ones, then its own. What is shared stays in the cache at
// its end. Stays where it is: runs point to cache().
class SharedSequence {
 public:
  SharedSequence(PrefixCache& cache, int adapter);
  ~SharedSequence();
  SharedSequence(const SharedSequence&) = delete;
  SharedSequence& operator=(const SharedSequence&) = delete;

  // Takes cached pages as far as they hold whole pages of `tokens`, the beginning of the sequence,
  // and returns how many tokens need no computation now. Again at any time: others may have
  // computed more meanwhile.
  int take(std::span<const int> tokens);
  // Makes room for n_tokens in all. False, and nothing taken or given up, when too much is in use.
  bool reserve(int n_tokens);
  // Keys and values of `tokens`, the beginning of the sequence, are complete: shares whole pages.
  void share(std::span<const int> tokens);
  const KvCache* cache() const { return &view_; }

 private:
  void adopt(PageTree::Node* node);
  void save(std::span<const int> tokens);

  PrefixCache& cache_;
  const int root_;
  PageTree::Node* node_;  // the last shared page, or the root
  int n_shared_ = 0;
  std::optional<int> n_saved_;  // pages that were in the store; absent: nobody has looked
  std::vector<int> held_;       // n_shared_ shared pages, then its own
  KvCache view_;
};

}  // namespace chatmem
