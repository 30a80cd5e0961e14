// Attention on the CPU, in tiles: a block of queries of all heads that share a key head, against
// one page of keys at a time. Scores are kept transposed (keys, queries), so that the softmax runs
// over registers full of queries, keys and values are used as they lie, and no tile is transposed
// but that of the queries, once.
#pragma once
#include <vector>

#include "compute/cpu_device.h"

namespace chatmem {

class CpuAttention {
 public:
  explicit CpuAttention(const CpuDevice& device) : device_(device) {}

  // As Ops::attention and Ops::attention_backward.
  void forward(Tensor out, Tensor lse, Tensor q, std::span<const Run> runs, Heads heads);
  void backward(Tensor dq, Tensor dk, Tensor dv, Tensor dout, Tensor out, Tensor lse, Tensor q,
                std::span<const Run> runs, Heads heads);

  size_t scratch_bytes() const { return scratch_.size_bytes(); }

 private:
  // Runs [begin, end) that add to the same rows of dk and dv.
  struct Sequence {
    size_t begin, end;
  };
  void find_sequences(std::span<const Run> runs);

  const CpuDevice& device_;
  Buffer scratch_;
  std::vector<size_t> first_task_;  // of each run; one more at the end
  std::vector<Sequence> sequences_;
};

// That runs are consecutive and cover `rows` rows; with `cache`, that their pages exist.
void check_runs(std::span<const Run> runs, int rows, const Heads* cache);

}  // namespace chatmem
