// Gradients: each function is its twin of model/llama.cpp from the last line to the first.
#include "train/backward.h"

#include <algorithm>

namespace chatmem {
namespace {

struct Backward {
  const Pass& pass;
  BackwardSpace& space;
  const Gradients& gradients;
};

// y = factor * sum, sum = x W^T + scale (x A^T) B^T: dmagnitude += dy sum / norm; the gradient of
// sum, factor * dy, is returned. The norm counts as a constant, as in the paper (section 4.3).
Tensor dora_backward(const Backward& b, int layer, Projection p, const Lora& lora, const Lora& d,
                     Tensor dy, Tensor x, Tensor low) {
  Ops& ops = b.pass.ops;
  const Tensor sum{b.pass.ws.direction.data, dy.rows, dy.cols, dy.dtype};
  ops.matmul(sum, x, b.pass.model.blocks[size_t(layer)].*p.weight, 1, Accumulate::no);
  ops.matmul(sum, low, lora.b, lora.scale, Accumulate::yes);
  ops.dora_backward(d.magnitude, dy, sum, lora.norm);
  const Tensor dsum{b.space.ddirection.data, dy.rows, dy.cols, dy.dtype};
  ops.scale_columns(dsum, dy, lora.factor, Accumulate::no);
  return dsum;
}

// Of model/llama.cpp's linear. dx is left out where nobody needs it (an empty tensor).
void linear_backward(const Backward& b, int layer, Projection p, Tensor dx, Tensor dy, Tensor x,
                     Accumulate accumulate = Accumulate::no) {
  Ops& ops = b.pass.ops;
  const Tensor w = b.pass.model.blocks[size_t(layer)].*p.weight;
  if (b.gradients.weights)
    ops.matmul_dw(b.gradients.weights->blocks[size_t(layer)].*p.weight, dy, x, 1);
  const Lora none;
  const Lora& lora =
      b.gradients.adapter ? b.pass.batch.adapters[0]->blocks[size_t(layer)].*p.lora : none;
  if (!lora) {
    if (dx) ops.matmul_dx(dx, dy, w, 1, accumulate);
    return;
  }
  const Lora& d = b.gradients.adapter->blocks[size_t(layer)].*p.lora;
  const Dropout dropout = b.pass.batch.dropout;
  const uint64_t key = dropout_key(b.pass.batch, layer, p);
  const Tensor low{b.pass.ws.low.data, x.rows, lora.a.rows, b.pass.ws.dtype};
  const Tensor dlow{b.space.dlow.data, x.rows, lora.a.rows, b.pass.ws.dtype};
  const Tensor dropped{b.pass.ws.dropped.data, x.rows, x.cols, x.dtype};
  const Tensor adapter_x = dropout.p > 0 ? dropped : x;
  if (dropout.p > 0) ops.dropout(dropped, x, dropout.p, key, Accumulate::no);

  ops.matmul(low, adapter_x, lora.a, 1, Accumulate::no);
  if (lora.magnitude) dy = dora_backward(b, layer, p, lora, d, dy, x, low);
  if (dx) ops.matmul_dx(dx, dy, w, 1, accumulate);
  ops.matmul_dw(d.b, dy, low, lora.scale);
  ops.matmul_dx(dlow, dy, lora.b, lora.scale, Accumulate::no);
  ops.matmul_dw(d.a, dlow, adapter_x, 1);
  if (!dx) return;
  if (dropout.p > 0) {
    ops.matmul_dx(dropped, dlow, lora.a, 1, Accumulate::no);
    ops.dropout(dx, dropped, dropout.p, key, Accumulate::yes);
  } else {
    ops.matmul_dx(dx, dlow, lora.a, 1, Accumulate::yes);
  }
}

Tensor norm_gradient(const Backward& b, int layer, Tensor Block::*norm) {
  return b.gradients.weights ? b.gradients.weights->blocks[size_t(layer)].*norm : Tensor{};
}

// From hidden back to mid: dout, the gradient of the block's output, becomes that of mid.
void ffn_backward(const Backward& b, int layer, Tensor dout, const BlockActs& a,
                  const BlockActs& d) {
  const Pass& pass = b.pass;
  linear_backward(b, layer, kDown, d.hidden, dout, a.hidden);
  pass.ops.swiglu_backward(d.gate, d.up, d.hidden, a.gate, a.up);
  linear_backward(b, layer, kUp, d.mn, d.up, a.mn);
  linear_backward(b, layer, kGate, d.mn, d.gate, a.mn, Accumulate::yes);
  pass.ops.rmsnorm_backward(dout, norm_gradient(b, layer, &Block::ffn_norm), d.mn, a.mid,
                            pass.model.blocks[size_t(layer)].ffn_norm, pass.model.config.norm_eps);
}

// a holds the block's activations. din (all rows) and dout (the rows with queries) are the same
// tensor when all rows have queries; else din is overwritten.
void block_backward(const Backward& b, int layer, Tensor din, Tensor dout, Tensor in, BlockActs a) {
  const Pass& pass = b.pass;
  Ops& ops = pass.ops;
  const Config& c = pass.model.config;
  const Queries q = pass.queries(layer);
  const bool all_rows = q.rows.empty();
  a = first_rows(a, in.rows, q.n);
  BlockActs d = b.space.d;
  d.gate = a.gate, d.up = a.up;
  d = first_rows(d, in.rows, q.n);

  ffn_backward(b, layer, dout, a, d);
  linear_backward(b, layer, kO, d.att, dout, a.att);
  ops.zero(d.k);
  ops.zero(d.v);
  ops.attention_backward(d.q, d.k, d.v, d.att, a.att, a.lse, a.q, q.runs,
                         c.heads(pass.kv_layer(layer)));
  ops.rope(d.q, q.cos_sin, c.head_dim, c.rope_layout, -1);
  ops.rope(d.k, pass.ws.cos_sin.first(in.rows), c.head_dim, c.rope_layout, -1);

  // Below the first block nobody asks for a gradient, unless the embedding is trained.
  const bool wanted = layer > 0 || b.gradients.weights;
  Tensor xq = a.xn;
  if (!all_rows) ops.gather_rows(xq = a.mn, a.xn, q.rows);
  const Tensor dxn = wanted ? d.xn : Tensor{}, dxq = !wanted ? Tensor{} : all_rows ? d.xn : d.mn;
  linear_backward(b, layer, kV, dxn, d.v, a.xn);
  linear_backward(b, layer, kK, dxn, d.k, a.xn, Accumulate::yes);
  linear_backward(b, layer, kQ, dxq, d.q, xq, all_rows ? Accumulate::yes : Accumulate::no);
  if (!all_rows) {
    if (wanted) ops.scatter_rows(d.xn, d.mn, q.rows);
    ops.zero(din);
    ops.scatter_rows(din, dout, q.rows);
  }
  if (wanted)
    ops.rmsnorm_backward(din, norm_gradient(b, layer, &Block::attn_norm), d.xn, in,
                         pass.model.blocks[size_t(layer)].attn_norm, c.norm_eps);
}

// The activations that are cheap to compute again.
void refresh(const Pass& pass, int layer, Tensor in, BlockActs a) {
  const Block& block = pass.model.blocks[size_t(layer)];
  a = first_rows(a, in.rows, pass.queries(layer).n);
  pass.ops.rmsnorm(a.xn, in, block.attn_norm, pass.model.config.norm_eps);
  pass.ops.rmsnorm(a.mn, a.mid, block.ffn_norm, pass.model.config.norm_eps);
  pass.ops.swiglu(a.hidden, a.gate, a.up);
}

// lm_head and cross-entropy in chunks of rows; dhidden (n_out, dim) receives the gradient.
double head_backward(Ops& ops, const Llama& model, Tensor dhidden, Tensor hidden,
                     std::span<const int> targets, float scale, const BackwardSpace& space,
                     const Gradients& gradients) {
  double loss = 0;
  for (int begin = 0; begin < hidden.rows; begin += space.logits.rows) {
    const int n = std::min(space.logits.rows, hidden.rows - begin);
    const Tensor logits = space.logits.first(n), rows = hidden.slice(begin, n);
    lm_head(ops, model, logits, rows);
    loss += ops.cross_entropy(logits, targets.subspan(size_t(begin), size_t(n)), scale);
    ops.matmul_dx(dhidden.slice(begin, n), logits, model.lm_head, 1, Accumulate::no);
    if (gradients.weights) ops.matmul_dw(gradients.weights->lm_head, logits, rows, 1);
  }
  return loss;
}

}  // namespace

BackwardSpace make_backward_space(Ops& ops, const Config& c, const Workspace& ws,
                                  const BackwardShape& shape) {
  const int n = ws.x.rows;
  const auto buffer = [&](int cols) { return make_tensor(ops, n, cols, ws.dtype); };
  BackwardSpace space;
  space.dx = buffer(c.dim);
  space.d = {.xn = buffer(c.dim),
             .k = buffer(c.kv_dim()),
             .v = buffer(c.kv_dim()),
             .q = buffer(c.q_dim()),
             .mid = buffer(c.dim),
             .mn = buffer(c.dim),
             .hidden = buffer(c.hidden_dim)};
  space.d.att = space.d.q;  // attention_backward allows it
  space.d.gate = ws.acts.gate, space.d.up = ws.acts.up;
  if (shape.adapter.rank > 0) space.dlow = buffer(shape.adapter.rank);
  if (shape.adapter.dora) space.ddirection = buffer(std::max({c.dim, c.q_dim(), c.hidden_dim}));
  space.logits = make_tensor(ops, std::min(n, shape.logit_rows), c.vocab_size, DType::f32);
  return space;
}

double loss_and_backward(Ops& ops, const Llama& model, const Batch& batch,
                         std::span<const int> targets, float scale, Workspace& ws, Tape& tape,
                         BackwardSpace& space, const Gradients& gradients) {
  CHECK(!targets.empty() && targets.size() == batch.out_rows.size());
  const Config& c = model.config;
  const int n = int(batch.tokens.size()), n_out = int(targets.size());
  const Tensor hidden = forward(ops, model, batch, ws, &tape);
  const Pass pass{ops, model, batch, ws};
  const Backward b{pass, space, gradients};

  const Tensor dhidden = space.d.mn.first(n_out), dx = space.dx.first(n);
  const double loss = head_backward(ops, model, dhidden, hidden, targets, scale, space, gradients);
  Tensor dout = n_out == n ? dx : space.d.mid.first(n_out);
  ops.zero(dout);
  ops.rmsnorm_backward(dout, gradients.weights ? gradients.weights->final_norm : Tensor{}, dhidden,
                       tape.block_in[size_t(c.n_layers)].first(n_out), model.final_norm,
                       c.norm_eps);

  for (int l = c.n_layers - 1; l >= 0; l--) {
    const Tensor in = tape.block_in[size_t(l)].first(n);
    const bool kept = !tape.kept.empty();
    const BlockActs& a = kept ? tape.kept[size_t(l)] : ws.acts;
    if (tape.recompute == Recompute::cheap) refresh(pass, l, in, a);
    if (tape.recompute == Recompute::blocks) block_hidden(pass, l, in, a);
    block_backward(b, l, dx, dout, in, a);
    dout = dx;
  }
  if (gradients.weights) ops.embed_backward(gradients.weights->embed, dx, batch.tokens);
  return loss;
}

double loss_only(Ops& ops, const Llama& model, const Batch& batch, std::span<const int> targets,
                 Workspace& ws, Tensor logits) {
  CHECK(targets.size() == batch.out_rows.size());
  const Tensor hidden = forward(ops, model, batch, ws);
  double loss = 0;
  std::vector<float> logprobs(targets.size());
  for (int begin = 0; begin < hidden.rows; begin += logits.rows) {
    const int n = std::min(logits.rows, hidden.rows - begin);
    lm_head(ops, model, logits.first(n), hidden.slice(begin, n));
    const std::span<float> out = std::span(logprobs).subspan(size_t(begin), size_t(n));
    ops.target_logprobs(out, logits.first(n), targets.subspan(size_t(begin), size_t(n)));
    for (const float logprob : out) loss -= logprob;
  }
  return loss;
}

}  // namespace chatmem
