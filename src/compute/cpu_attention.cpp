// Attention on the CPU: FlashAttention's order of work (Dao et al. 2022, 2023), on tiles that fit
// the first two caches.
#include "compute/cpu_attention.h"

#include <cmath>
#include <limits>

namespace chatmem {
namespace {

static_assert(kTileKeys == kPageTokens);

// Query rows (queries x heads of a group) of one tile.
constexpr int kTileQueries = 128;

// What is the same for all tiles of one call.
struct Shape {
  int group;  // query heads that share a key head
  int head_dim;
  int queries;  // of one tile: kTileQueries / group, at least 1
  int padded;   // rows of a full tile, up to a whole register
  float scale;  // 1 / sqrt(head_dim)

  Shape(const CpuDevice& device, Heads heads)
      : group(heads.n_heads / heads.n_kv_heads),
        head_dim(heads.head_dim),
        queries(std::max(1, kTileQueries / group)),
        padded(pad(device, queries * group)),
        scale(1 / std::sqrt(float(heads.head_dim))) {}

  static int pad(const CpuDevice& device, int rows) {
    return (rows + device.kernels->lanes - 1) / device.kernels->lanes * device.kernels->lanes;
  }
  size_t query_tile() const { return size_t(padded) * size_t(head_dim); }
  // With room for the rest of blocks that a head shares with its neighbours.
  size_t key_tile() const { return size_t(kTileKeys) * size_t((head_dim + 62) / 32 * 32); }
  size_t score_tile() const { return size_t(kTileKeys) * size_t(padded); }
};

// Cuts a thread's scratch memory into tiles, each from a whole cache line on; without memory, only
// adds up the sizes.
struct Cutter {
  float* memory;
  size_t used = 0;
  float* take(size_t n) {
    float* p = memory ? memory + used : nullptr;
    used += (n + 15) / 16 * 16;
    return p;
  }
};

// A tile of queries of one run, for the heads of one key head.
struct QueryTile {
  const Run* run;
  int first, n;  // queries of the run
  int rows, padded;
  int kv_head;

  QueryTile(const CpuDevice& device, const Shape& s, const Run& of, int begin, int head)
      : run(&of),
        first(begin),
        n(std::min(s.queries, of.n - begin)),
        rows(n * s.group),
        padded(Shape::pad(device, rows)),
        kv_head(head) {}

  int n_keys() const { return run->pos + first + n; }  // that any of its queries sees
  // Heads of the group lie side by side in a row of q.
  void* at(Tensor t, int query, const Shape& s) const {
    return element(t, size_t(run->row + first + query),
                   size_t(kv_head) * size_t(s.group * s.head_dim));
  }
};

void load_queries(const CpuDevice& device, const Shape& s, const QueryTile& tile, Tensor from,
                  float* rows) {
  const size_t width = size_t(s.group * s.head_dim);
  for (int i = 0; i < tile.n; i++)
    device.widen(rows + size_t(i) * width, tile.at(from, i, s), from.dtype, width);
}

void store_queries(const CpuDevice& device, const Shape& s, const QueryTile& tile, Tensor to,
                   const float* rows) {
  const size_t width = size_t(s.group * s.head_dim);
  for (int i = 0; i < tile.n; i++)
    device.narrow(tile.at(to, i, s), to.dtype, rows + size_t(i) * width, width);
}

// (rows, head_dim) to (head_dim, padded), with zeros in the columns that no query has.
void transpose(const Shape& s, const QueryTile& tile, const float* rows, float* columns) {
  for (int i = 0; i < s.head_dim; i++) {
    float* to = columns + size_t(i) * size_t(tile.padded);
    for (int r = 0; r < tile.rows; r++) to[r] = rows[size_t(r) * size_t(s.head_dim) + size_t(i)];
    std::fill(to + tile.rows, to + tile.padded, 0.0f);
  }
}

// A page of keys or values of one head, as f32: in place where it is.
struct KeyTile {
  const float* data;
  size_t stride;

  KeyTile(const CpuDevice& device, const Shape& s, const QueryTile& tile, Tensor pool, int kv_layer,
          int first_key, int keys, float* buffer) {
    const KvCache& kv = *tile.run->kv;
    const size_t row = kv.pool->row(kv.pages[size_t(first_key / kPageTokens)], kv_layer, 0);
    const size_t col = size_t(tile.kv_head) * size_t(s.head_dim);
    if (pool.dtype == DType::f32) {
      data = static_cast<const float*>(element(pool, row, col));
      stride = size_t(pool.cols);
      return;
    }
    // Whole blocks of a quantized type, from the one that the head begins in.
    const size_t block = block_elements(pool.dtype), begin = col / block * block;
    stride = (col + size_t(s.head_dim) - begin + block - 1) / block * block;
    for (int j = 0; j < keys; j++)
      device.fetch(buffer + size_t(j) * stride, DType::f32, pool, row + size_t(j), begin, stride);
    data = buffer + (col - begin);
  }
};

// (keys, padded) = tile of keys or values (keys, head_dim) times columns (head_dim, padded).
void scores_of(const CpuDevice& device, const Shape& s, const QueryTile& tile, const KeyTile& k,
               int keys, const float* columns, float* scores) {
  device.kernels->tile_gemm({.c = scores,
                             .c_stride = size_t(tile.padded),
                             .a = k.data,
                             .a_row_stride = k.stride,
                             .a_col_stride = 1,
                             .b = columns,
                             .b_stride = size_t(tile.padded),
                             .m = keys,
                             .n = tile.padded,
                             .k = s.head_dim,
                             .accumulate = false});
}

// A query at position p sees the keys up to p: for key j, hides the queries before it.
void mask(const Shape& s, const QueryTile& tile, int first_key, int keys, float* scores) {
  const int first_pos = tile.run->pos + tile.first;
  for (int j = std::max(0, first_pos + 1 - first_key); j < keys; j++)
    std::fill_n(scores + size_t(j) * size_t(tile.padded),
                std::min(first_key + j - first_pos, tile.n) * s.group,
                -std::numeric_limits<float>::infinity());
}

// x (rows, head_dim) += weights^T (rows, keys) times a tile of keys or values.
void add_weighted(const CpuDevice& device, const Shape& s, const QueryTile& tile, const KeyTile& k,
                  int keys, const float* weights, float* x) {
  device.kernels->tile_gemm({.c = x,
                             .c_stride = size_t(s.head_dim),
                             .a = weights,
                             .a_row_stride = 1,
                             .a_col_stride = size_t(tile.padded),
                             .b = k.data,
                             .b_stride = k.stride,
                             .m = tile.rows,
                             .n = s.head_dim,
                             .k = keys,
                             .accumulate = true});
}

// -- forward

struct ForwardScratch {
  float *q, *columns, *out, *scores, *k, *v, *max, *sum, *correction;

  ForwardScratch(const Shape& s, float* memory) {
    Cutter cut{memory};
    q = cut.take(s.query_tile());
    columns = cut.take(s.query_tile());
    out = cut.take(s.query_tile());
    scores = cut.take(s.score_tile());
    k = cut.take(s.key_tile());
    v = cut.take(s.key_tile());
    max = cut.take(size_t(s.padded));
    sum = cut.take(size_t(s.padded));
    correction = cut.take(size_t(s.padded));
    size = cut.used;
  }
  size_t size;
};

// Of each row: log of the sum of exponentials; the sum becomes its inverse.
void finish_rows(const Shape& s, const QueryTile& tile, Tensor lse, const float* max, float* sum) {
  for (int r = 0; r < tile.rows; r++) {
    if (lse) {
      const size_t row = size_t(tile.run->row + tile.first + r / s.group);
      const size_t head = size_t(tile.kv_head * s.group + r % s.group);
      lse.f32()[row * size_t(lse.cols) + head] = max[r] + std::log(sum[r]);
    }
    sum[r] = 1 / sum[r];
  }
}

void forward_tile(const CpuDevice& device, const Shape& s, const QueryTile& tile, Tensor out,
                  Tensor lse, Tensor q, int kv_layer, float* memory) {
  const ForwardScratch f(s, memory);
  const KvPool& pool = *tile.run->kv->pool;
  const size_t n = size_t(tile.rows) * size_t(s.head_dim);
  load_queries(device, s, tile, q, f.q);
  device.kernels->scaled(f.q, f.q, s.scale, n);
  transpose(s, tile, f.q, f.columns);
  std::fill_n(f.out, n, 0.0f);
  std::fill_n(f.max, tile.padded, -std::numeric_limits<float>::infinity());
  std::fill_n(f.sum, tile.padded, 0.0f);
  for (int key = 0; key < tile.n_keys(); key += kTileKeys) {
    const int keys = std::min(kTileKeys, tile.n_keys() - key);
    const KeyTile k(device, s, tile, pool.k, kv_layer, key, keys, f.k);
    const KeyTile v(device, s, tile, pool.v, kv_layer, key, keys, f.v);
    scores_of(device, s, tile, k, keys, f.columns, f.scores);
    mask(s, tile, key, keys, f.scores);
    device.kernels->softmax_step(f.scores, keys, tile.padded, f.max, f.sum, f.correction);
    device.kernels->scale_rows(f.out, f.correction, tile.rows, s.head_dim);
    add_weighted(device, s, tile, v, keys, f.scores, f.out);
  }
  finish_rows(s, tile, lse, f.max, f.sum);
  device.kernels->scale_rows(f.out, f.sum, tile.rows, s.head_dim);
  store_queries(device, s, tile, out, f.out);
}

// -- forward in pairs of bf16: keys as they lie, values by two rows, weights rounded to bf16

bool takes_pairs(const CpuDevice& device, Tensor q, const KvPool& pool, Heads heads) {
  return device.kernels->tile_gemm_pairs && q.dtype == DType::bf16 && pool.k.dtype == DType::bf16 &&
         heads.head_dim % device.kernels->lanes == 0;
}

struct PairsScratch {
  float *columns, *out, *scores, *weights, *values, *max, *sum, *correction;
  size_t size;

  PairsScratch(const Shape& s, float* memory) {
    Cutter cut{memory};
    columns = cut.take(s.query_tile() / 2);
    out = cut.take(s.query_tile());
    scores = cut.take(s.score_tile());
    weights = cut.take(s.score_tile() / 2);
    values = cut.take(size_t(kTileKeys / 2 * s.head_dim));
    for (float** row : {&max, &sum, &correction}) *row = cut.take(size_t(s.padded));
    size = cut.used;
  }
};

// Queries (rows, head_dim) to pairs (head_dim / 2, padded), with zeros where no query is.
void load_columns(const Shape& s, const QueryTile& tile, Tensor q, float* columns) {
  const size_t padded = size_t(tile.padded), width = size_t(s.group * s.head_dim);
  std::fill_n(columns, size_t(s.head_dim / 2) * padded, 0.0f);
  for (int i = 0; i < tile.n; i++) {
    const auto* from = static_cast<const char*>(tile.at(q, i, s));
    for (size_t p = 0; p < width / 2; p++) {
      const size_t row = size_t(i * s.group) + p / size_t(s.head_dim / 2);
      std::memcpy(columns + p % size_t(s.head_dim / 2) * padded + row, from + p * sizeof(float),
                  sizeof(float));
    }
  }
}

// A page of keys or values of one head.
const unsigned short* page_of(const Shape& s, const QueryTile& tile, Tensor pool, int kv_layer,
                              int first_key) {
  const KvCache& kv = *tile.run->kv;
  const size_t row = kv.pool->row(kv.pages[size_t(first_key / kPageTokens)], kv_layer, 0);
  return static_cast<const unsigned short*>(
      element(pool, row, size_t(tile.kv_head) * size_t(s.head_dim)));
}

void pairs_tile(const CpuDevice& device, const Shape& s, const QueryTile& tile, Tensor out,
                Tensor lse, Tensor q, int kv_layer, float* memory) {
  static constexpr unsigned short kZeros[1024] = {};
  const CpuKernels& kernels = *device.kernels;
  const PairsScratch f(s, memory);
  const KvPool& pool = *tile.run->kv->pool;
  const size_t padded = size_t(tile.padded), dim = size_t(s.head_dim);
  const size_t stride = size_t(pool.k.cols);
  CHECK(dim <= std::size(kZeros));
  load_columns(s, tile, q, f.columns);
  std::fill_n(f.out, size_t(tile.rows) * dim, 0.0f);
  std::fill_n(f.max, padded, -std::numeric_limits<float>::infinity());
  std::fill_n(f.sum, padded, 0.0f);
  for (int key = 0; key < tile.n_keys(); key += kTileKeys) {
    const int keys = std::min(kTileKeys, tile.n_keys() - key), n_pairs = (keys + 1) / 2;
    const auto* k = page_of(s, tile, pool.k, kv_layer, key);
    const auto* v = page_of(s, tile, pool.v, kv_layer, key);
    kernels.tile_gemm_pairs({.c = f.scores,
                             .c_stride = padded,
                             .a = reinterpret_cast<const float*>(k),
                             .a_row_stride = stride / 2,
                             .a_col_stride = 1,
                             .b = f.columns,
                             .b_stride = padded,
                             .m = keys,
                             .n = tile.padded,
                             .k = s.head_dim / 2,
                             .accumulate = false});
    mask(s, tile, key, keys, f.scores);
    kernels.softmax_step_pairs(f.weights, f.scores, s.scale, keys, tile.padded, f.max, f.sum,
                               f.correction);
    for (int p = 0; p < n_pairs; p++) {
      const auto* second = 2 * p + 1 < keys ? v + size_t(2 * p + 1) * stride : kZeros;
      kernels.pair_rows(f.values + size_t(p) * dim, v + size_t(2 * p) * stride, second, dim);
    }
    kernels.scale_rows(f.out, f.correction, tile.rows, s.head_dim);
    kernels.tile_gemm_pairs({.c = f.out,
                             .c_stride = dim,
                             .a = f.weights,
                             .a_row_stride = 1,
                             .a_col_stride = padded,
                             .b = f.values,
                             .b_stride = dim,
                             .m = tile.rows,
                             .n = s.head_dim,
                             .k = n_pairs,
                             .accumulate = true});
  }
  finish_rows(s, tile, lse, f.max, f.sum);
  kernels.scale_rows(f.out, f.sum, tile.rows, s.head_dim);
  store_queries(device, s, tile, out, f.out);
}

// -- backward

struct BackwardScratch {
  float *q, *q_columns, *dout, *dout_columns, *dq, *scores, *dp, *k, *v, *lse, *delta;
  float *dk, *dv;  // (keys of the longest run, head_dim)

  BackwardScratch(const Shape& s, size_t max_keys, float* memory) {
    Cutter cut{memory};
    for (float** tile : {&q, &q_columns, &dout, &dout_columns, &dq})
      *tile = cut.take(s.query_tile());
    for (float** tile : {&scores, &dp}) *tile = cut.take(s.score_tile());
    for (float** tile : {&k, &v}) *tile = cut.take(s.key_tile());
    for (float** row : {&lse, &delta}) *row = cut.take(size_t(s.padded));
    for (float** sum : {&dk, &dv}) *sum = cut.take(max_keys * size_t(s.head_dim));
    size = cut.used;
  }
  size_t size;
};

struct BackwardCall {
  Tensor dq, dk, dv, dout, out, lse, q;
  Heads heads;
};

// lse and delta = rowsum(dout * out), by query row; 0 beyond.
void load_row_sums(const CpuDevice& device, const Shape& s, const QueryTile& tile,
                   const BackwardCall& call, const BackwardScratch& b) {
  load_queries(device, s, tile, call.out, b.dq);  // dq is free until the sums begin
  for (int r = 0; r < tile.padded; r++) {
    b.lse[r] = b.delta[r] = 0;
    if (r >= tile.rows) continue;
    const size_t row = size_t(tile.run->row + tile.first + r / s.group);
    const size_t head = size_t(tile.kv_head * s.group + r % s.group);
    b.lse[r] = call.lse.f32()[row * size_t(call.lse.cols) + head];
    b.delta[r] = device.kernels->dot(b.dout + size_t(r) * size_t(s.head_dim),
                                     b.dq + size_t(r) * size_t(s.head_dim), size_t(s.head_dim));
  }
}

// sums (keys, head_dim) += weights (keys, rows) times rows (rows, head_dim).
void add_to_keys(const CpuDevice& device, const Shape& s, const QueryTile& tile, int keys,
                 const float* weights, const float* rows, float* sums) {
  device.kernels->tile_gemm({.c = sums,
                             .c_stride = size_t(s.head_dim),
                             .a = weights,
                             .a_row_stride = size_t(tile.padded),
                             .a_col_stride = 1,
                             .b = rows,
                             .b_stride = size_t(s.head_dim),
                             .m = keys,
                             .n = s.head_dim,
                             .k = tile.rows,
                             .accumulate = true});
}

void backward_tile(const CpuDevice& device, const Shape& s, const QueryTile& tile,
                   const BackwardCall& call, const BackwardScratch& b) {
  const KvPool& pool = *tile.run->kv->pool;
  const size_t n = size_t(tile.rows) * size_t(s.head_dim);
  load_queries(device, s, tile, call.q, b.q);
  device.kernels->scaled(b.q, b.q, s.scale, n);
  load_queries(device, s, tile, call.dout, b.dout);
  load_row_sums(device, s, tile, call, b);
  transpose(s, tile, b.q, b.q_columns);
  transpose(s, tile, b.dout, b.dout_columns);
  std::fill_n(b.dq, n, 0.0f);
  for (int key = 0; key < tile.n_keys(); key += kTileKeys) {
    const int keys = std::min(kTileKeys, tile.n_keys() - key);
    const KeyTile k(device, s, tile, pool.k, call.heads.kv_layer, key, keys, b.k);
    const KeyTile v(device, s, tile, pool.v, call.heads.kv_layer, key, keys, b.v);
    scores_of(device, s, tile, k, keys, b.q_columns, b.scores);
    mask(s, tile, key, keys, b.scores);
    scores_of(device, s, tile, v, keys, b.dout_columns, b.dp);
    device.kernels->softmax_backward(b.scores, b.dp, keys, tile.padded, b.lse, b.delta);
    const size_t at = size_t(key) * size_t(s.head_dim);
    add_to_keys(device, s, tile, keys, b.scores, b.dout, b.dv + at);
    add_to_keys(device, s, tile, keys, b.dp, b.q, b.dk + at);  // q is scaled already
    add_weighted(device, s, tile, k, keys, b.dp, b.dq);
  }
  device.kernels->scaled(b.dq, b.dq, s.scale, n);
  store_queries(device, s, tile, call.dq, b.dq);
}

// dk or dv (keys, head_dim) of one head, added to the rows of the batch.
void add_key_gradients(const CpuDevice& device, const Shape& s, Tensor to, int row, int kv_head,
                       int n_keys, const float* sums, float* buffer) {
  const size_t n = size_t(s.head_dim);
  for (int j = 0; j < n_keys; j++) {
    void* at = element(to, size_t(row + j), size_t(kv_head) * n);
    device.widen(buffer, at, to.dtype, n);
    device.kernels->add(buffer, sums + size_t(j) * n, n);
    device.narrow(at, to.dtype, buffer, n);
  }
}

int keys_of(std::span<const Run> runs) {
  int keys = 0;
  for (const Run& run : runs) keys = std::max(keys, run.pos + run.n);
  return keys;
}

// All queries of one sequence and one key head.
void backward_sequence(const CpuDevice& device, const Shape& s, std::span<const Run> runs,
                       int kv_head, const BackwardCall& call, const BackwardScratch& b) {
  // Runs that share rows are taken together, others one after the other.
  for (size_t begin = 0; begin < runs.size();) {
    size_t end = begin + 1;
    while (end < runs.size() && runs[end].kv_row == runs[begin].kv_row) end++;
    const auto same = runs.subspan(begin, end - begin);
    const int n_keys = keys_of(same);
    std::fill_n(b.dk, size_t(n_keys) * size_t(s.head_dim), 0.0f);
    std::fill_n(b.dv, size_t(n_keys) * size_t(s.head_dim), 0.0f);
    for (const Run& run : same)
      for (int first = 0; first < run.n; first += s.queries)
        backward_tile(device, s, QueryTile(device, s, run, first, kv_head), call, b);
    add_key_gradients(device, s, call.dk, same[0].kv_row, kv_head, n_keys, b.dk, b.k);
    add_key_gradients(device, s, call.dv, same[0].kv_row, kv_head, n_keys, b.dv, b.k);
    begin = end;
  }
}

void check_heads(std::span<const Run> runs, Tensor q, Heads heads) {
  CHECK(heads.n_heads > 0 && heads.n_kv_heads > 0 && heads.head_dim > 0);
  CHECK(heads.n_heads % heads.n_kv_heads == 0);
  CHECK(is_activation(q) && q.cols == heads.n_heads * heads.head_dim);
  check_runs(runs, q.rows, &heads);
}

}  // namespace

void check_runs(std::span<const Run> runs, int rows, const Heads* cache) {
  int next = 0;
  for (const Run& run : runs) {
    CHECK(run.row == next && run.n >= 0 && run.pos >= 0);
    next += run.n;
    if (!cache) continue;
    CHECK(run.kv && run.kv->pool);
    const KvPool& pool = *run.kv->pool;
    CHECK(is_kv(pool.k) && pool.k.dtype == pool.v.dtype && same_shape(pool.k, pool.v));
    CHECK(size_t(pool.k.rows) == pool.row(pool.n_pages, 0, 0));
    CHECK(pool.k.cols == cache->n_kv_heads * cache->head_dim);
    CHECK(cache->kv_layer >= 0 && cache->kv_layer < pool.n_layers);
    CHECK(run.kv->pages.size() * kPageTokens >= size_t(run.pos) + size_t(run.n));
    for (const int page : run.kv->pages) CHECK(page >= 0 && page < pool.n_pages);
  }
  CHECK(next == rows);
}

void CpuAttention::forward(Tensor out, Tensor lse, Tensor q, std::span<const Run> runs,
                           Heads heads) {
  check_heads(runs, q, heads);
  CHECK(out.dtype == q.dtype && same_shape(out, q));
  if (lse) CHECK(lse.dtype == DType::f32 && lse.rows == q.rows && lse.cols == heads.n_heads);
  const Shape s(device_, heads);
  const size_t size = ForwardScratch(s, nullptr).size;  // PairsScratch is smaller
  float* memory = scratch_.reserve<float>(size * size_t(device_.n_threads));
  first_task_.assign(1, 0);
  for (const Run& run : runs)
    first_task_.push_back(first_task_.back() +
                          size_t((run.n + s.queries - 1) / s.queries) * size_t(heads.n_kv_heads));
  const size_t n_tasks = first_task_.back();
  // Later tiles of a run see more keys; small pieces in turn even that out.
#pragma omp parallel for num_threads(device_.n_threads) schedule(dynamic, 1) if (n_tasks > 1)
  for (size_t task = 0; task < n_tasks; task++) {
    const auto next = std::upper_bound(first_task_.begin(), first_task_.end(), task);
    const size_t r = size_t(next - first_task_.begin()) - 1;
    const size_t i = task - first_task_[r];
    const QueryTile tile(device_, s, runs[r], int(i / size_t(heads.n_kv_heads)) * s.queries,
                         int(i % size_t(heads.n_kv_heads)));
    const bool pairs = takes_pairs(device_, q, *runs[r].kv->pool, heads);
    (pairs ? pairs_tile : forward_tile)(device_, s, tile, out, lse, q, heads.kv_layer,
                                        memory + size * size_t(CpuDevice::thread_id()));
  }
}

// Sequences work side by side, so two of them must not add to the same rows; where they would, all
// runs are taken as one sequence.
void CpuAttention::find_sequences(std::span<const Run> runs) {
  sequences_.clear();
  int end_row = 0;
  for (size_t begin = 0; begin < runs.size();) {
    size_t end = begin + 1;
    while (end < runs.size() && runs[end].kv_row == runs[begin].kv_row) end++;
    if (runs[begin].kv_row < end_row) {
      sequences_.assign(1, {0, runs.size()});
      return;
    }
    sequences_.push_back({begin, end});
    end_row = runs[begin].kv_row + keys_of(runs.subspan(begin, end - begin));
    begin = end;
  }
}

void CpuAttention::backward(Tensor dq, Tensor dk, Tensor dv, Tensor dout, Tensor out, Tensor lse,
                            Tensor q, std::span<const Run> runs, Heads heads) {
  check_heads(runs, q, heads);
  for (const Tensor& t : {dq, dout, out}) CHECK(t.dtype == q.dtype && same_shape(t, q));
  CHECK(is_activation(dk) && dv.dtype == dk.dtype && same_shape(dk, dv));
  CHECK(dk.cols == heads.n_kv_heads * heads.head_dim);
  CHECK(lse.dtype == DType::f32 && lse.rows == q.rows && lse.cols == heads.n_heads);
  for (const Run& run : runs) CHECK(run.kv_row >= 0 && run.kv_row <= dk.rows - run.pos - run.n);
  const Shape s(device_, heads);
  const size_t max_keys = size_t(keys_of(runs));
  const size_t size = BackwardScratch(s, max_keys, nullptr).size;
  float* memory = scratch_.reserve<float>(size * size_t(device_.n_threads));
  find_sequences(runs);
  const BackwardCall call = {dq, dk, dv, dout, out, lse, q, heads};
  const size_t n_tasks = sequences_.size() * size_t(heads.n_kv_heads);
#pragma omp parallel for num_threads(device_.n_threads) schedule(dynamic, 1) if (n_tasks > 1)
  for (size_t task = 0; task < n_tasks; task++) {
    const Sequence seq = sequences_[task / size_t(heads.n_kv_heads)];
    backward_sequence(device_, s, runs.subspan(seq.begin, seq.end - seq.begin),
                      int(task % size_t(heads.n_kv_heads)), call,
                      BackwardScratch(s, max_keys, memory + size * size_t(CpuDevice::thread_id())));
  }
}

}  // namespace chatmem
