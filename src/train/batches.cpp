#include "train/batches.h"

#include <algorithm>
#include <numeric>

namespace chatmem {

BatchBuilder::BatchBuilder(Ops& ops, const Config& config, const Dataset& data,
                           const std::vector<std::vector<int>>& rows, int micro_batch, DType dtype,
                           int kv_layers)
    : data_(data), rows_(rows) {
  std::vector<int> tokens, pages, runs;
  for (const auto& row : rows) {
    int n = 0, p = 0;
    for (const int i : row) {
      const int length = int(data.examples[size_t(i)].tokens.size()) - 1;
      n += length;
      p += pages_for(length);
    }
    tokens.push_back(n), pages.push_back(p), runs.push_back(int(row.size()));
  }
  const auto largest = [&](std::vector<int>& sizes) {  // sum of the micro_batch largest
    std::sort(sizes.rbegin(), sizes.rend());
    const auto n = std::min(sizes.size(), size_t(micro_batch));
    return std::accumulate(sizes.begin(), sizes.begin() + ptrdiff_t(n), 0);
  };
  max_tokens_ = largest(tokens), max_pages_ = largest(pages), max_runs_ = largest(runs);
  CHECK(max_tokens_ > 0);
  pages_ = std::make_unique<KvPages>(ops, config, max_pages_, dtype, kv_layers);
  page_ids_.resize(size_t(max_pages_));
  std::iota(page_ids_.begin(), page_ids_.end(), 0);
  caches_.reserve(size_t(max_runs_));
  runs_.reserve(size_t(max_runs_));
  for (std::vector<int>* v : {&tokens_, &out_rows_, &targets_}) v->reserve(size_t(max_tokens_));
}

int BatchBuilder::n_targets(int row) const {
  int n = 0;
  for (const int i : rows_[size_t(row)]) n += data_.examples[size_t(i)].n_targets();
  return n;
}

Batch BatchBuilder::build(std::span<const int> rows, const Adapter* adapter) {
  caches_.clear(), runs_.clear(), tokens_.clear(), out_rows_.clear(), targets_.clear();
  for (const int row : rows)
    for (const int i : rows_[size_t(row)]) add(data_.examples[size_t(i)], adapter ? 0 : -1);
  adapters_[0] = adapter;
  return {tokens_, runs_, std::span(adapters_, adapter ? 1 : 0), out_rows_};
}

void BatchBuilder::add(const Example& example, int adapter) {
  const int n = int(example.tokens.size()) - 1, row = int(tokens_.size());
  size_t first_page = 0;
  for (const KvCache& cache : caches_) first_page += cache.pages.size();
  caches_.push_back(
      {&pages_->pool(), std::span(page_ids_).subspan(first_page, size_t(pages_for(n)))});
  runs_.push_back(
      {.kv = &caches_.back(), .row = row, .n = n, .pos = 0, .adapter = adapter, .kv_row = row});
  tokens_.insert(tokens_.end(), example.tokens.begin(), example.tokens.end() - 1);
  for (int i = 0; i < n; i++)
    if (example.target[size_t(i) + 1]) {
      out_rows_.push_back(row + i);
      targets_.push_back(example.tokens[size_t(i) + 1]);
    }
}

}  // namespace chatmem
