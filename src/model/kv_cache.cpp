#include "model/kv_cache.h"

#include <numeric>

namespace chatmem {

KvPages::KvPages(Ops& ops, const Config& config, int n_pages, DType dtype, int n_layers) {
  CHECK(n_pages > 0 && (n_layers == 1 || n_layers == config.n_layers));
  const int rows = n_pages * n_layers * kPageTokens;
  pool_ = {make_tensor(ops, rows, config.kv_dim(), dtype),
           make_tensor(ops, rows, config.kv_dim(), dtype), n_layers, n_pages};
  free_.resize(size_t(n_pages));
  std::iota(free_.rbegin(), free_.rend(), 0);  // page 0 is handed out first
}

KvSequence::~KvSequence() { pages_.free_.insert(pages_.free_.end(), held_.rbegin(), held_.rend()); }

bool KvSequence::reserve(int n_tokens) {
  const int more = pages_for(n_tokens) - int(held_.size());
  if (more > pages_.free_pages()) return false;
  for (int i = 0; i < more; i++) {
    held_.push_back(pages_.free_.back());
    pages_.free_.pop_back();
  }
  cache_.pages = held_;
  return true;
}

}  // namespace chatmem
