// Llama 3.1, once: the same block runs prefill, decode, training and recomputation. Structs by
// lifetime: Llama (weights, read-only), Adapter (LoRA), Workspace (buffers of one batch), Tape
// (what training keeps).
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "compute/ops.h"
#include "model/config.h"

namespace chatmem {

struct Block {
  Tensor attn_norm, ffn_norm;  // (1, dim) f32
  Tensor wq;                   // (q_dim, dim)
  Tensor wk, wv;               // (kv_dim, dim)
  Tensor wo;                   // (dim, q_dim)
  Tensor w_gate, w_up;         // (hidden_dim, dim)
  Tensor w_down;               // (dim, hidden_dim)
};

// Views; gradients of full training are a Llama too, with f32 tensors.
struct Llama {
  Config config;
  Tensor embed;       // (vocab_size, dim)
  Tensor final_norm;  // (1, dim) f32
  Tensor lm_head;     // (vocab_size, dim); the same view as embed when tied
  Tensor inv_freq;    // (1, head_dim / 2) f32
  std::vector<Block> blocks;
};

// y = x W^T + scale (x A^T) B^T. With DoRA y's columns are multiplied by factor = magnitude / norm
// of the rows of W + scale B A, which update_dora keeps; all three (1, out) f32.
struct Lora {
  Tensor a, b;  // (rank, in), (out, rank), in the dtype of the activations
  float scale = 1;
  Tensor magnitude, norm, factor;  // empty without DoRA
  explicit operator bool() const { return bool(a); }
};
// Empty where a projection is not adapted. Gradients of LoRA are an Adapter too, with f32 tensors.
struct BlockAdapter {
  Lora wq, wk, wv, wo, w_gate, w_up, w_down;
};
struct Adapter {
  std::vector<BlockAdapter> blocks;
};
// What a workspace must have room for.
struct AdapterShape {
  int rank = 0;       // the largest
  bool dora = false;  // somewhere
};
AdapterShape shape_of(std::span<const Adapter* const> adapters);  // nullptr: none
inline AdapterShape shape_of(const Adapter* adapter) { return shape_of({&adapter, 1}); }

// Training only: what is dropped of the input of an adapter.
struct Dropout {
  float p = 0;
  uint64_t key = 0;  // of this batch
};

struct Batch {
  std::span<const int> tokens;
  std::span<const Run> runs;
  std::span<const Adapter* const> adapters;  // what Run::adapter points into
  std::span<const int>
      out_rows;  // the rows whose result is wanted, increasing: targets, or the last of a prompt
  Dropout dropout = {};
};

// What one block computes on the way to its output. Row counts: n, except from q on in the last
// block: out rows. Wide tensors are f32 but in training, where they are kept for each block: the
// residual, to which every block adds, and queries and keys, whose products are exponents, so that
// they are rounded once, when they were rotated.
struct BlockActs {
  Tensor xn;                // (n, dim) normalized input
  Tensor k, v;              // (n, kv_dim), wide
  Tensor q, att;            // (n, q_dim), q wide
  Tensor lse;               // (n, n_heads) f32, training only
  Tensor mid, mn;           // (n, dim) residual after attention, wide; normalized
  Tensor gate, up, hidden;  // (n, hidden_dim)
};

// The buffers of one forward pass, for up to max_tokens rows; every block reuses the same.
struct Workspace {
  DType dtype = DType::f32;
  Tensor x;  // (n, dim) residual stream, wide
  BlockActs acts;
  Tensor low;                   // (n, rank) LoRA
  Tensor dropped;               // (n, largest input) with dropout
  Tensor direction;             // (n, largest output) DoRA, before its factor; wide
  Tensor cos_sin, out_cos_sin;  // (n, head_dim) f32
  std::vector<Run> out_runs;    // the runs of Batch::out_rows
};

struct WorkspaceShape {
  int max_tokens = 0;
  AdapterShape adapter;
  DType dtype = DType::f32;
  bool training = false;  // with lse
  bool dropout = false;
};
Workspace make_workspace(Ops& ops, const Config& config, const WorkspaceShape& shape);

// What backward computes again instead of keeping it: nothing; cheap: norms and SwiGLU (xn, mn,
// hidden), half of the memory for hardly any time; blocks: all but the residual entering each
// block.
enum class Recompute : uint8_t { nothing, cheap, blocks };
inline constexpr Recompute kRecomputeLadder[] = {Recompute::nothing, Recompute::cheap,
                                                 Recompute::blocks};
std::string_view recompute_name(Recompute recompute);
std::optional<Recompute> parse_recompute(std::string_view name);
// Layers that the KvPool of a training batch needs: with blocks one at a time is enough.
int kv_layers(const Config& config, Recompute recompute);

// What backward needs.
struct Tape {
  Recompute recompute = Recompute::nothing;
  std::vector<Tensor>
      block_in;  // n_layers + 1 of (n, dim); the last is the output of the last block
  // n_layers, or with Recompute::blocks none. Keys and values are kept in the KvPool; what is
  // recomputed is the workspace's.
  std::vector<BlockActs> kept;
};
Tape make_tape(Ops& ops, const Config& config, const Workspace& ws, Recompute recompute);

// Runs the blocks, stores keys and values, and returns the normalized final residual of
// batch.out_rows: a view (out_rows.size(), dim) of the workspace. In the last block only those rows
// need queries and the FFN.
Tensor forward(Ops& ops, const Llama& model, const Batch& batch, Workspace& ws,
               Tape* tape = nullptr);

// logits (n, vocab_size) f32 = hidden lm_head^T.
void lm_head(Ops& ops, const Llama& model, Tensor logits, Tensor hidden);

// -- shared with train/backward.cpp

// The rows that a block computes queries for.
struct Queries {
  std::span<const Run> runs;
  Tensor cos_sin;
  std::span<const int> rows;  // empty: all rows
  int n = 0;
};

// One pass over a batch: what every call needs.
struct Pass {
  Ops& ops;
  const Llama& model;
  const Batch& batch;
  Workspace& ws;
  // Of block `layer`: all rows, or in the last block the out rows.
  Queries queries(int layer) const;
  // A KvPool of one layer holds the keys and values of the block at work alone: enough where runs
  // begin at position 0 and nothing is decoded (scoring, training with recomputation).
  int kv_layer(int layer) const { return batch.runs[0].kv->pool->n_layers == 1 ? 0 : layer; }
};

// Prepares the runs and rotation tables of a batch.
Pass begin_pass(Ops& ops, const Llama& model, const Batch& batch, Workspace& ws);

// mid = in + attention(norm(in)); hidden = swiglu(norm(mid)).
void block_hidden(const Pass& pass, int layer, Tensor in, BlockActs a);

// block_hidden, then out = mid + hidden w_down. `out` may be `in`.
void block_forward(const Pass& pass, int layer, Tensor out, Tensor in, BlockActs a);

// Views of the first n rows, and n_out rows from q on.
BlockActs first_rows(BlockActs acts, int n, int n_out);

// A projection of a block, its weight and its adapter, by name.
struct Projection {
  Tensor Block::*weight;
  Lora BlockAdapter::*lora;
  int index;
};
inline constexpr Projection kQ{&Block::wq, &BlockAdapter::wq, 0},
    kK{&Block::wk, &BlockAdapter::wk, 1}, kV{&Block::wv, &BlockAdapter::wv, 2},
    kO{&Block::wo, &BlockAdapter::wo, 3}, kGate{&Block::w_gate, &BlockAdapter::w_gate, 4},
    kUp{&Block::w_up, &BlockAdapter::w_up, 5}, kDown{&Block::w_down, &BlockAdapter::w_down, 6};

// The key of a projection's dropout: Random(key + 7 layer + index).next().
uint64_t dropout_key(const Batch& batch, int layer, Projection p);

}  // namespace chatmem
