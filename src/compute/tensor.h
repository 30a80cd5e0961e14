// Views of matrices, and what a batch of tokens looks like to a device. Nothing here owns memory.
#pragma once
#include <span>

#include "base/dtype.h"
#include "base/error.h"

namespace chatmem {

// A row-major matrix: rows are tokens (or outputs of a weight), columns are features. The bytes
// belong to an Ops, an arena or a mapped file.
struct Tensor {
  void* data = nullptr;
  int rows = 0, cols = 0;
  DType dtype = DType::f32;

  explicit operator bool() const { return data != nullptr; }
  size_t size() const { return size_t(rows) * size_t(cols); }
  size_t size_bytes() const { return size_t(rows) * row_bytes(dtype, size_t(cols)); }
  float* f32() const {
    CHECK(dtype == DType::f32);
    return static_cast<float*>(data);
  }
  // Rows [begin, begin + n).
  Tensor slice(int begin, int n) const {
    CHECK(begin >= 0 && n >= 0 && begin + n <= rows);
    return {static_cast<char*>(data) + size_t(begin) * row_bytes(dtype, size_t(cols)), n,
            cols, dtype};
  }
  Tensor first(int n) const { return slice(0, n); }
};

// Tokens of one page of the KV cache.
inline constexpr int kPageTokens = 32;

// The keys (rotated) and values of all sequences, in pages. A page holds kPageTokens tokens of one
// sequence in all layers, so that it can be shared, dropped and saved as one piece.
struct KvPool {
  Tensor k, v;  // (n_pages * n_layers * kPageTokens, kv_dim)
  int n_layers = 0, n_pages = 0;

  size_t row(int page, int layer, int slot) const {
    return (size_t(page) * size_t(n_layers) + size_t(layer)) * kPageTokens + size_t(slot);
  }
};

// One sequence's page table: its token at position p lies in pages[p / kPageTokens], slot p %
// kPageTokens.
struct KvCache {
  const KvPool* pool = nullptr;
  std::span<const int> pages;
};

// `n` consecutive tokens of one sequence, at positions [pos, pos + n), held in rows [row, row + n)
// of the batch.
//   prefill: one run, n = length of the prompt (or of a chunk)     decode: one run per request, n =
//   1 training: one run per packed example, pos = 0
// Runs of a batch are in the order of their rows and cover them all.
struct Run {
  const KvCache* kv = nullptr;
  int row = 0, n = 0, pos = 0;
  int adapter = -1;  // index into Batch::adapters; -1: the base model
  // Training only: the row of the batch that holds the sequence's position 0, where
  // attention_backward adds the gradients of its keys and values. Differs from row - pos when only
  // some rows are queries.
  int kv_row = 0;
};

struct Heads {
  int n_heads, n_kv_heads, head_dim;
  int kv_layer;  // which layer of the KvPool
};

// Which features of a head rotate together: half (i, i + head_dim / 2), the order of Hugging Face;
// interleaved (2i, 2i + 1), the order of Meta and GGUF.
enum class RopeLayout : uint8_t { half, interleaved };

}  // namespace chatmem
