// Packed rows of examples as batches for the engine, with their own KV pages.
#pragma once
#include <memory>
#include <vector>

#include "model/kv_cache.h"
#include "model/llama.h"
#include "train/dataset.h"

namespace chatmem {

// The order in which packed rows are visited, a new one each epoch: a function of the seed and the
// position alone, so that a resumed run needs no more state than its step.
enum class Shuffle { off, on };
class RowOrder {
 public:
  RowOrder(int n_rows, Shuffle shuffle, uint64_t seed)
      : n_rows_(n_rows), shuffle_(shuffle), seed_(seed) {}
  // The row at a position from 0; every epoch of n_rows positions has each row once.
  int at(int64_t position);

 private:
  int n_rows_;
  Shuffle shuffle_;
  uint64_t seed_;
  int64_t epoch_ = -1;  // of order_
  std::vector<int> order_;
};

// Builds a Batch of some examples at a time, each a run at position 0. The last token of an example
// is no input: nothing is predicted from it. Buffers are sized once for `micro_batch` times the
// largest row: where a batch spans two epochs, or there are fewer rows than it takes, it holds a
// row twice. Throws Error when that is over kMaxBatchTokens.
inline constexpr int kMaxBatchTokens = 1 << 24;
class BatchBuilder {
 public:
  BatchBuilder(Ops& ops, const Config& config, const Dataset& data,
               const std::vector<std::vector<int>>& rows, int micro_batch, DType dtype,
               int kv_layers);

  // The examples of the given rows, at most micro_batch. `targets()` and the batch are valid until
  // the next call.
  Batch build(std::span<const int> rows, const Adapter* adapter);
  std::span<const int> targets() const { return targets_; }
  int max_tokens() const { return max_tokens_; }
  int n_targets(int row) const;

 private:
  void add(const Example& example, int adapter);
  const Dataset& data_;
  const std::vector<std::vector<int>>& rows_;
  int max_tokens_ = 0;
  std::unique_ptr<KvPages> pages_;
  std::vector<int> page_ids_;
  std::vector<KvCache> caches_;
  std::vector<Run> runs_;
  std::vector<int> tokens_, out_rows_, targets_;
  const Adapter* adapters_[1] = {};
};

}  // namespace chatmem
