// Pages of keys and values, handed out to sequences.
#pragma once
#include <vector>

#include "compute/ops.h"
#include "model/config.h"

namespace chatmem {

// The pages of one device. All memory is taken at construction.
class KvPages {
 public:
  // n_layers 1: a scratch pool for one layer at a time (see Pass::kv_layer). dtype: f32, bf16, f16
  // or q8_0; throws Error where a row does not hold whole blocks of it.
  KvPages(Ops& ops, const Config& config, int n_pages, DType dtype, int n_layers);
  KvPages(const KvPages&) = delete;
  KvPages& operator=(const KvPages&) = delete;

  const KvPool& pool() const { return pool_; }
  // The keys and the values of a page in all layers, in one piece each.
  Tensor keys(int page) const { return rows_of(pool_.k, page); }
  Tensor values(int page) const { return rows_of(pool_.v, page); }
  int free_pages() const { return int(free_.size()); }
  int take();  // a page; there must be a free one
  void give(int page) noexcept;

 private:
  Tensor rows_of(Tensor t, int page) const {
    return t.slice(int(pool_.row(page, 0, 0)), pool_.n_layers * kPageTokens);
  }
  KvPool pool_;
  std::vector<int> free_;
};

inline int pages_for(int n_tokens) { return (n_tokens + kPageTokens - 1) / kPageTokens; }

// The pages of one sequence; they go back to the pool at its end. Stays where it is: runs point to
// cache().
class KvSequence {
 public:
  explicit KvSequence(KvPages& pages) : pages_(pages), cache_{&pages.pool(), {}} {}
  ~KvSequence();
  KvSequence(const KvSequence&) = delete;
  KvSequence& operator=(const KvSequence&) = delete;

  // Makes room for n_tokens in all. False, and nothing taken, when the pool has too few free pages.
  bool reserve(int n_tokens);
  const KvCache* cache() const { return &cache_; }

 private:
  KvPages& pages_;
  std::vector<int> held_;
  KvCache cache_;
};

}  // namespace chatmem
