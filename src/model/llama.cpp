// Llama 3.1, once: the same block runs prefill, decode, training forward and recomputation.
#include "model/llama.h"

#include <algorithm>

#include "base/random.h"

namespace chatmem {
namespace {

// y += scale (dropout(x) A^T) B^T
void add_lora(const Pass& pass, const Lora& lora, Tensor y, Tensor x, uint64_t key) {
  if (const float p = pass.batch.dropout.p; p > 0) {
    const Tensor dropped{pass.ws.dropped.data, x.rows, x.cols, x.dtype};
    pass.ops.dropout(dropped, x, p, key, Accumulate::no);
    x = dropped;
  }
  const Tensor low{pass.ws.low.data, x.rows, lora.a.rows, pass.ws.dtype};
  pass.ops.matmul(low, x, lora.a, 1, Accumulate::no);
  pass.ops.matmul(y, low, lora.b, lora.scale, Accumulate::yes);
}

// y (+)= x W^T, adapted for each run that has an adapter.
void linear(const Pass& pass, int layer, Projection p, Tensor y, Tensor x,
            std::span<const Run> runs, Accumulate accumulate = Accumulate::no) {
  const Tensor w = pass.model.blocks[size_t(layer)].*p.weight;
  const auto lora_of = [&](const Run& run) -> const Lora* {
    if (run.adapter < 0) return nullptr;
    const Lora& lora = pass.batch.adapters[size_t(run.adapter)]->blocks[size_t(layer)].*p.lora;
    return lora ? &lora : nullptr;
  };
  // DoRA changes the whole sum, so its rows are kept apart.
  const bool together = std::ranges::none_of(runs, [&](const Run& run) {
    const Lora* lora = lora_of(run);
    return lora && lora->magnitude;
  });
  if (together) pass.ops.matmul(y, x, w, 1, accumulate);
  for (size_t i = 0; i < runs.size();) {
    const Lora* lora = lora_of(runs[i]);
    const int adapter = runs[i].adapter, row = runs[i].row;
    int n = 0;  // neighbours with the same adapter go together
    for (; i < runs.size() && runs[i].adapter == adapter; i++) n += runs[i].n;
    const Tensor to = y.slice(row, n), from = x.slice(row, n);
    if (lora && lora->magnitude) {
      const Tensor sum{pass.ws.direction.data, n, y.cols, y.dtype};
      pass.ops.matmul(sum, from, w, 1, Accumulate::no);
      add_lora(pass, *lora, sum, from, dropout_key(pass.batch, layer, p));
      pass.ops.scale_columns(to, sum, lora->factor, accumulate);
      continue;
    }
    if (!together) pass.ops.matmul(to, from, w, 1, accumulate);
    if (lora) add_lora(pass, *lora, to, from, dropout_key(pass.batch, layer, p));
  }
}

// The runs of some rows: maximal pieces of consecutive rows of one run, renumbered from row 0.
void select_runs(std::vector<Run>& out, std::span<const Run> runs, std::span<const int> rows) {
  out.clear();
  size_t run = 0;
  for (size_t i = 0; i < rows.size(); i++) {
    while (rows[i] >= runs[run].row + runs[run].n) run++;
    const Run& from = runs[run];
    const bool continues = i > 0 && rows[i] == rows[i - 1] + 1 && rows[i] > from.row;
    if (continues) {
      out.back().n++;
      continue;
    }
    Run piece = from;
    piece.row = int(i);
    piece.n = 1;
    piece.pos = from.pos + rows[i] - from.row;
    out.push_back(piece);
  }
}

void check_batch(const Llama& model, const Batch& batch, const Workspace& ws) {
  const int n = int(batch.tokens.size());
  CHECK(n > 0 && n <= ws.x.rows);
  for (const int token : batch.tokens) CHECK(token >= 0 && token < model.config.vocab_size);
  int row = 0;
  for (const Run& run : batch.runs) {
    CHECK(run.row == row && run.n > 0 && run.pos >= 0);
    CHECK(size_t(run.pos + run.n) <= run.kv->pages.size() * kPageTokens);
    CHECK(run.adapter < int(batch.adapters.size()));
    row += run.n;
  }
  CHECK(row == n);
  for (size_t i = 0; i < batch.out_rows.size(); i++)
    CHECK(batch.out_rows[i] < n &&
          (i == 0 ? batch.out_rows[i] >= 0 : batch.out_rows[i] > batch.out_rows[i - 1]));
}

}  // namespace

AdapterShape shape_of(std::span<const Adapter* const> adapters) {
  AdapterShape shape;
  for (const Adapter* adapter : adapters) {
    if (!adapter) continue;
    for (const BlockAdapter& b : adapter->blocks)
      for (const Projection& p : {kQ, kK, kV, kO, kGate, kUp, kDown}) {
        shape.rank = std::max(shape.rank, (b.*p.lora).a.rows);
        shape.dora |= bool((b.*p.lora).magnitude);
      }
  }
  return shape;
}

uint64_t dropout_key(const Batch& batch, int layer, Projection p) {
  return Random(batch.dropout.key + uint64_t(7 * layer + p.index)).next();
}

Workspace make_workspace(Ops& ops, const Config& c, const WorkspaceShape& shape) {
  const int n = shape.max_tokens;
  const auto buffer = [&](int cols) { return make_tensor(ops, n, cols, shape.dtype); };
  const auto buffer_f32 = [&](int cols) { return make_tensor(ops, n, cols, DType::f32); };
  const auto wide = [&](int cols) { return shape.training ? buffer(cols) : buffer_f32(cols); };
  Workspace ws;
  ws.dtype = shape.dtype;
  ws.x = wide(c.dim);
  ws.acts = {.xn = buffer(c.dim),
             .k = wide(c.kv_dim()),
             .v = wide(c.kv_dim()),
             .q = wide(c.q_dim()),
             .att = buffer(c.q_dim()),
             .lse = shape.training ? buffer_f32(c.n_heads) : Tensor{},
             .mid = wide(c.dim),
             .mn = buffer(c.dim),
             .gate = buffer(c.hidden_dim),
             .up = buffer(c.hidden_dim),
             .hidden = buffer(c.hidden_dim)};
  if (shape.adapter.rank > 0) ws.low = buffer(shape.adapter.rank);
  const int widest = std::max({c.dim, c.q_dim(), c.hidden_dim});
  if (shape.dropout) ws.dropped = buffer(widest);
  if (shape.adapter.dora) ws.direction = wide(widest);
  ws.cos_sin = buffer_f32(c.head_dim);
  ws.out_cos_sin = buffer_f32(c.head_dim);
  ws.out_runs.reserve(size_t(n));
  return ws;
}

std::string_view recompute_name(Recompute recompute) {
  constexpr std::string_view kNames[] = {"nothing", "cheap", "blocks"};
  return kNames[size_t(recompute)];
}

std::optional<Recompute> parse_recompute(std::string_view name) {
  for (const Recompute recompute : kRecomputeLadder)
    if (name == recompute_name(recompute)) return recompute;
  return std::nullopt;
}

int kv_layers(const Config& config, Recompute recompute) {
  return recompute == Recompute::blocks ? 1 : config.n_layers;
}

Tape make_tape(Ops& ops, const Config& c, const Workspace& ws, Recompute recompute) {
  const int n = ws.x.rows;
  const auto buffer = [&](int cols) { return make_tensor(ops, n, cols, ws.dtype); };
  Tape tape;
  tape.recompute = recompute;
  for (int l = 0; l <= c.n_layers; l++) tape.block_in.push_back(buffer(c.dim));
  if (recompute == Recompute::blocks) return tape;
  for (int l = 0; l < c.n_layers; l++) {
    BlockActs a = ws.acts;
    a.q = buffer(c.q_dim());
    a.att = buffer(c.q_dim());
    a.lse = make_tensor(ops, n, c.n_heads, DType::f32);
    a.mid = buffer(c.dim);
    a.gate = buffer(c.hidden_dim);
    a.up = buffer(c.hidden_dim);
    if (recompute == Recompute::nothing) {
      a.xn = buffer(c.dim);
      a.mn = buffer(c.dim);
      a.hidden = buffer(c.hidden_dim);
    }
    tape.kept.push_back(a);
  }
  return tape;
}

BlockActs first_rows(BlockActs a, int n, int n_out) {
  for (Tensor* t : {&a.xn, &a.k, &a.v}) *t = t->first(n);
  for (Tensor* t : {&a.q, &a.att, &a.mid, &a.mn, &a.gate, &a.up, &a.hidden}) *t = t->first(n_out);
  if (a.lse) a.lse = a.lse.first(n_out);
  return a;
}

Pass begin_pass(Ops& ops, const Llama& model, const Batch& batch, Workspace& ws) {
  check_batch(model, batch, ws);
  const int n = int(batch.tokens.size()), n_out = int(batch.out_rows.size());
  ops.rope_table(ws.cos_sin.first(n), batch.runs, model.inv_freq);
  select_runs(ws.out_runs, batch.runs, batch.out_rows);
  if (n_out > 0) ops.rope_table(ws.out_cos_sin.first(n_out), ws.out_runs, model.inv_freq);
  return {ops, model, batch, ws};
}

Queries Pass::queries(int layer) const {
  const int n = int(batch.tokens.size()), n_out = int(batch.out_rows.size());
  if (layer + 1 < model.config.n_layers || n_out == n)
    return {batch.runs, ws.cos_sin.first(n), {}, n};
  return {ws.out_runs, ws.out_cos_sin.first(n_out), batch.out_rows, n_out};
}

void block_hidden(const Pass& pass, int layer, Tensor in, BlockActs a) {
  Ops& ops = pass.ops;
  const Config& c = pass.model.config;
  const Block& block = pass.model.blocks[size_t(layer)];
  const std::span<const Run> runs = pass.batch.runs;
  const Queries q = pass.queries(layer);
  a = first_rows(a, in.rows, q.n);

  ops.rmsnorm(a.xn, in, block.attn_norm, c.norm_eps);
  linear(pass, layer, kK, a.k, a.xn, runs);
  linear(pass, layer, kV, a.v, a.xn, runs);
  ops.rope(a.k, pass.ws.cos_sin.first(in.rows), c.head_dim, c.rope_layout, +1);
  ops.kv_store(a.k, a.v, runs, pass.kv_layer(layer));
  if (q.n == 0) return;

  Tensor xq = a.xn;
  if (!q.rows.empty()) ops.gather_rows(xq = a.mn, a.xn, q.rows);
  linear(pass, layer, kQ, a.q, xq, q.runs);
  ops.rope(a.q, q.cos_sin, c.head_dim, c.rope_layout, +1);
  Tensor queries = a.q;
  if (a.q.dtype != a.att.dtype) ops.copy(queries = a.att, a.q);
  ops.attention(a.att, a.lse, queries, q.runs, c.heads(pass.kv_layer(layer)));

  if (q.rows.empty())
    ops.copy(a.mid, in);
  else
    ops.gather_rows(a.mid, in, q.rows);
  linear(pass, layer, kO, a.mid, a.att, q.runs, Accumulate::yes);

  ops.rmsnorm(a.mn, a.mid, block.ffn_norm, c.norm_eps);
  linear(pass, layer, kGate, a.gate, a.mn, q.runs);
  linear(pass, layer, kUp, a.up, a.mn, q.runs);
  ops.swiglu(a.hidden, a.gate, a.up);
}

void block_forward(const Pass& pass, int layer, Tensor out, Tensor in, BlockActs a) {
  block_hidden(pass, layer, in, a);
  const Queries q = pass.queries(layer);
  if (q.n == 0) return;
  a = first_rows(a, in.rows, q.n);
  pass.ops.copy(out, a.mid);
  linear(pass, layer, kDown, out, a.hidden, q.runs, Accumulate::yes);
}

Tensor forward(Ops& ops, const Llama& model, const Batch& batch, Workspace& ws, Tape* tape) {
  const Config& c = model.config;
  const Pass pass = begin_pass(ops, model, batch, ws);
  const int n = int(batch.tokens.size()), n_out = int(batch.out_rows.size());
  Tensor x = tape ? tape->block_in[0].first(n) : ws.x.first(n);
  ops.embed(x, model.embed, batch.tokens);
  for (int l = 0; l < c.n_layers; l++) {
    const int rows = pass.queries(l).n;
    const Tensor out = tape ? tape->block_in[size_t(l) + 1].first(rows) : ws.x.first(rows);
    const bool kept = tape && !tape->kept.empty();
    block_forward(pass, l, out, x, kept ? tape->kept[size_t(l)] : ws.acts);
    x = out;
  }
  const Tensor hidden = ws.acts.xn.first(n_out);
  if (n_out > 0) ops.rmsnorm(hidden, x, model.final_norm, c.norm_eps);
  return hidden;
}

void lm_head(Ops& ops, const Llama& model, Tensor logits, Tensor hidden) {
  ops.matmul(logits, hidden, model.lm_head, 1, Accumulate::no);
}

}  // namespace chatmem
