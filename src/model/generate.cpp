#include "model/generate.h"

#include <algorithm>

namespace chatmem {
namespace {

int kv_capacity(const Config& config, const GeneratorOptions& options) {
  return options.kv_tokens > 0 ? options.kv_tokens : config.max_seq_len;
}

}  // namespace

Generator::Generator(Ops& ops, const Llama& model, GeneratorOptions options)
    : ops_(ops),
      model_(model),
      options_(std::move(options)),
      capacity_(std::min(kv_capacity(model.config, options_), model.config.max_seq_len)),
      pages_(ops, model.config, pages_for(kv_capacity(model.config, options_)), options_.dtype,
             model.config.n_layers),
      ws_(make_workspace(ops, model.config,
                         {.max_tokens = options_.max_requests + options_.prefill_tokens,
                          .adapter = shape_of(options_.adapters),
                          .dtype = options_.dtype})),
      logits_(make_tensor(ops, options_.max_requests, model.config.vocab_size, DType::f32)),
      host_logits_(logits_.size()) {
  CHECK(options_.max_requests > 0 && options_.prefill_tokens > 0);
}

bool Generator::add(int64_t id, GenerateRequest request) {
  CHECK(!request.prompt.empty() && request.max_tokens > 0);
  CHECK(request.adapter < int(options_.adapters.size()));
  // The last token made is not fed back: it needs no place.
  const int n = int(request.prompt.size()) + request.max_tokens - 1;
  CHECK(n <= capacity_);
  if (n_active() == options_.max_requests) return false;
  auto kv = std::make_unique<KvSequence>(pages_);
  if (!kv->reserve(n)) return false;
  Sampler sampler(request.sampling, request.prompt, request.filter);
  active_.push_back({id, std::move(request), std::move(sampler), std::move(kv)});
  return true;
}

void Generator::cancel(int64_t id) {
  std::erase_if(active_, [&](const Active& a) { return a.id == id; });
}

void Generator::add_rows(Active& a, int n) {
  const int row = int(tokens_.size());
  const bool decoding = a.decoding();
  for (int i = 0; i < n; i++)
    tokens_.push_back(decoding ? a.next : a.request.prompt[size_t(a.n_done + i)]);
  runs_.push_back(
      {.kv = a.kv->cache(), .row = row, .n = n, .pos = a.n_done, .adapter = a.request.adapter});
  a.n_done += n;
  if (!a.decoding()) return;  // a piece of a prompt: nothing to sample yet
  out_rows_.push_back(row + n - 1);
  out_of_.push_back(&a);
}

void Generator::take_token(Active& a, std::span<const float> logits) {
  a.next = a.sampler.sample(logits);
  a.n_generated++;
  const auto& stops = a.request.stop_tokens;
  const FinishReason finish = std::find(stops.begin(), stops.end(), a.next) != stops.end()
                                  ? FinishReason::stop
                              : a.n_generated == a.request.max_tokens ? FinishReason::length
                                                                      : FinishReason::none;
  GeneratedToken& token = generated_.emplace_back(GeneratedToken{a.id, a.next, finish});
  if (a.request.top_logprobs >= 0)
    token.logprobs = token_logprobs(logits, a.next, a.request.top_logprobs);
}

std::span<const GeneratedToken> Generator::step() {
  tokens_.clear(), out_rows_.clear(), runs_.clear(), out_of_.clear(), generated_.clear();
  for (Active& a : active_)
    if (a.decoding()) add_rows(a, 1);
  int budget = options_.prefill_tokens;
  for (Active& a : active_) {
    const int left = int(a.request.prompt.size()) - a.n_done;
    if (budget == 0) break;
    if (a.n_generated > 0 || left <= 0) continue;
    const int n = std::min(left, budget);
    add_rows(a, n);
    budget -= n;
  }
  if (tokens_.empty()) return generated_;

  const Batch batch{tokens_, runs_, options_.adapters, out_rows_};
  const Tensor hidden = forward(ops_, model_, batch, ws_);
  if (out_of_.empty()) return generated_;
  const Tensor logits = logits_.first(hidden.rows);
  lm_head(ops_, model_, logits, hidden);
  ops_.copy_out(host_logits_.data(), logits);
  const size_t vocab = size_t(model_.config.vocab_size);
  for (size_t i = 0; i < out_of_.size(); i++)
    take_token(*out_of_[i], std::span(host_logits_).subspan(i * vocab, vocab));
  for (const GeneratedToken& token : generated_)
    if (token.finish != FinishReason::none) cancel(token.request);
  return generated_;
}

void visit_logits(Ops& ops, const Llama& model, std::span<const int> tokens, const Adapter* adapter,
                  DType dtype, const std::function<void(int begin, Tensor logits)>& visit) {
  constexpr int kChunk = 512;
  const int n = int(tokens.size());
  if (n < 1) return;
  KvPages pages(ops, model.config, pages_for(n), dtype, model.config.n_layers);
  KvSequence kv(pages);
  CHECK(kv.reserve(n));
  const int rows = std::min(kChunk, n);
  Workspace ws = make_workspace(ops, model.config,
                                {.max_tokens = rows, .adapter = shape_of(adapter), .dtype = dtype});
  const Tensor logits = make_tensor(ops, std::min(rows, 64), model.config.vocab_size, DType::f32);
  const Adapter* adapters[] = {adapter};
  std::vector<int> out_rows;
  for (int i = 0; i < rows; i++) out_rows.push_back(i);

  for (int begin = 0; begin < n; begin += rows) {
    const int m = std::min(rows, n - begin);
    const Run run{.kv = kv.cache(), .row = 0, .n = m, .pos = begin, .adapter = adapter ? 0 : -1};
    const std::span<const int> wanted = std::span(out_rows).first(size_t(m));
    const Batch batch{tokens.subspan(size_t(begin), size_t(m)), {&run, 1}, adapters, wanted};
    const Tensor hidden = forward(ops, model, batch, ws);
    for (int at = 0; at < m; at += logits.rows) {
      const int k = std::min(logits.rows, m - at);
      lm_head(ops, model, logits.first(k), hidden.slice(at, k));
      visit(begin + at, logits.first(k));
    }
  }
}

std::vector<float> score_tokens(Ops& ops, const Llama& model, std::span<const int> tokens,
                                const Adapter* adapter, DType dtype) {
  std::vector<float> logprobs(tokens.empty() ? 0 : tokens.size() - 1);
  const std::span<const int> given = tokens.first(logprobs.size());
  visit_logits(ops, model, given, adapter, dtype, [&](int begin, Tensor logits) {
    const size_t at = size_t(begin), n = size_t(logits.rows);
    ops.target_logprobs(std::span(logprobs).subspan(at, n), logits, tokens.subspan(at + 1, n));
  });
  return logprobs;
}

}  // namespace chatmem
