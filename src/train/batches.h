// Packed rows of examples as batches for the engine, with their own KV pages.
#pragma once
#include <memory>
#include <vector>

#include "model/kv_cache.h"
#include "model/llama.h"
#include "train/dataset.h"

namespace chatmem {

// Builds a Batch of some examples at a time, each a run at position 0. The last token of an example
// is no input: nothing is predicted from it. Buffers are sized once for the largest batch of `rows`
// rows.
class BatchBuilder {
 public:
  BatchBuilder(Ops& ops, const Config& config, const Dataset& data,
               const std::vector<std::vector<int>>& rows, int micro_batch, DType dtype,
               int kv_layers);

  // The examples of the given rows. `targets()` and the batch are valid until the next call.
  Batch build(std::span<const int> rows, const Adapter* adapter);
  std::span<const int> targets() const { return targets_; }
  int max_tokens() const { return max_tokens_; }
  int n_targets(int row) const;

 private:
  void add(const Example& example, int adapter);
  const Dataset& data_;
  const std::vector<std::vector<int>>& rows_;
  int max_tokens_ = 0, max_pages_ = 0, max_runs_ = 0;
  std::unique_ptr<KvPages> pages_;
  std::vector<int> page_ids_;
  std::vector<KvCache> caches_;
  std::vector<Run> runs_;
  std::vector<int> tokens_, out_rows_, targets_;
  const Adapter* adapters_[1] = {};
};

}  // namespace chatmem
