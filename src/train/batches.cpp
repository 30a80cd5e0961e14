#include "train/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"

namespace chatmem {

int RowOrder::at(int64_t position) {
  const int64_t epoch = position / n_rows_;
  if (epoch != epoch_) {
    epoch_ = epoch;
    order_.resize(size_t(n_rows_));
    std::iota(order_.begin(), order_.end(), 0);
    // A hash: seeds a constant apart would give streams that are shifts of each other.
    Random random(hash64(fmt::format("{} {}", seed_, epoch)));
    if (shuffle_ == Shuffle::on) random.shuffle(std::span(order_));
  }
  return order_[size_t(position % n_rows_)];
}

BatchBuilder::BatchBuilder(Ops& ops, const Config& config, const Dataset& data,
                           const std::vector<std::vector<int>>& rows, int micro_batch, DType dtype,
                           int kv_layers)
    : data_(data), rows_(rows) {
  int64_t tokens = 0, pages = 0, runs = 0;  // of the largest row
  for (const auto& row : rows) {
    int64_t n = 0, p = 0;
    for (const int i : row) {
      const int length = int(data.examples[size_t(i)].tokens.size()) - 1;
      n += length;
      p += pages_for(length);
    }
    tokens = std::max(tokens, n), pages = std::max(pages, p);
    runs = std::max(runs, int64_t(row.size()));
  }
  tokens *= micro_batch, pages *= micro_batch, runs *= micro_batch;
  CHECK(tokens > 0);
  if (tokens > kMaxBatchTokens)
    throw Error(fmt::format("[train] a batch must have at most {} tokens, {} rows have {}",
                            kMaxBatchTokens, micro_batch, tokens),
                "lower --micro-batch or --max-tokens");
  max_tokens_ = int(tokens);
  pages_ = std::make_unique<KvPages>(ops, config, int(pages), dtype, kv_layers);
  page_ids_.resize(size_t(pages));
  std::iota(page_ids_.begin(), page_ids_.end(), 0);
  caches_.reserve(size_t(runs));
  runs_.reserve(size_t(runs));
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
  CHECK(int(tokens_.size()) <= max_tokens_);
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
