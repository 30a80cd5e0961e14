#include "model/kv_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace chatmem {

KvPages::KvPages(Ops& ops, const Config& config, int n_pages, DType dtype, int n_layers) {
  CHECK(n_pages > 0 && (n_layers == 1 || n_layers == config.n_layers));
  if (const size_t block = block_elements(dtype); size_t(config.kv_dim()) % block != 0)
    throw Error(fmt::format("[kv] keys and values in {} need n_kv_heads * head_dim to be a "
                            "multiple of {}, it is {}",
                            dtype_name(dtype), block, config.kv_dim()),
                "choose another type for them");
  const int rows = n_pages * n_layers * kPageTokens;
  pool_ = {make_tensor(ops, rows, config.kv_dim(), dtype),
           make_tensor(ops, rows, config.kv_dim(), dtype), n_layers, n_pages};
  free_.resize(size_t(n_pages));
  std::iota(free_.rbegin(), free_.rend(), 0);  // page 0 is handed out first
}

int KvPages::take() {
  CHECK(!free_.empty());
  const int page = free_.back();
  free_.pop_back();
  return page;
}

void KvPages::give(int page) noexcept {
  CHECK(page >= 0 && page < pool_.n_pages && free_pages() < pool_.n_pages);
  free_.push_back(page);  // within the first capacity
}

KvSequence::~KvSequence() {
  while (!held_.empty()) {
    pages_.give(held_.back());
    held_.pop_back();
  }
}

bool KvSequence::reserve(int n_tokens) {
  const int more = pages_for(n_tokens) - int(held_.size());
  if (more > pages_.free_pages()) return false;
  held_.reserve(held_.size() + size_t(std::max(more, 0)));
  for (int i = 0; i < more; i++) held_.push_back(pages_.take());
  cache_.pages = held_;
  return true;
}

}  // namespace chatmem
