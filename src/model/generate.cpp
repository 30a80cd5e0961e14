#include "model/generate.h"

#include <algorithm>
#include <chrono>

#include "base/random.h"
#include "model/fingerprint.h"

namespace chatmem {
namespace {

int kv_capacity(const Config& config, const GeneratorOptions& options) {
  return options.kv_tokens > 0 ? options.kv_tokens : config.max_seq_len;
}

int decode_rows(const GeneratorOptions& options) {
  return options.max_requests * (1 + options.draft_tokens);
}

std::unique_ptr<PrefixStore> open_store(Ops& ops, const Llama& model,
                                        const GeneratorOptions& options, const KvPages& pages) {
  if (!options.kv_folder) return nullptr;
  const auto mix = [](uint64_t hash, uint64_t number) { return Random(hash ^ number).next(); };
  const DType kv_dtype = pages.pool().k.dtype;
  const uint64_t base =
      mix(mix(fingerprint_of(ops, model), uint64_t(options.dtype)), uint64_t(kv_dtype));
  std::vector<uint64_t> fingerprints = {base};
  for (const Adapter* adapter : options.adapters)
    fingerprints.push_back(mix(base, fingerprint_of(ops, *adapter)));
  return std::make_unique<PrefixStore>(*options.kv_folder, std::move(fingerprints),
                                       pages.keys(0).size_bytes());
}

}  // namespace

Generator::Generator(Ops& ops, const Llama& model, GeneratorOptions options)
    : ops_(ops),
      model_(model),
      options_(std::move(options)),
      capacity_(std::min(kv_capacity(model.config, options_), model.config.max_seq_len)),
      pages_(ops, model.config, pages_for(kv_capacity(model.config, options_)),
             options_.kv_dtype.value_or(options_.dtype), model.config.n_layers),
      store_(open_store(ops, model, options_, pages_)),
      prefixes_(ops, pages_, int(options_.adapters.size()), store_.get()),
      ws_(make_workspace(ops, model.config,
                         {.max_tokens = decode_rows(options_) + options_.prefill_tokens,
                          .adapter = shape_of(options_.adapters),
                          .dtype = options_.dtype})),
      logits_(make_tensor(ops, decode_rows(options_), model.config.vocab_size, DType::f32)),
      host_logits_(logits_.size()) {
  CHECK(options_.max_requests > 0 && options_.prefill_tokens > 0 && options_.draft_tokens >= 0);
}

bool Generator::add(int64_t id, GenerateRequest request) {
  CHECK(!request.prompt.empty() && request.max_tokens > 0);
  CHECK(request.adapter < int(options_.adapters.size()));
  // The last token made is not fed back: it needs no place.
  const int n = int(request.prompt.size()) + request.max_tokens - 1;
  CHECK(n <= capacity_);
  if (n_active() == options_.max_requests) return false;
  Sampler sampler(request.sampling, request.prompt, request.filter);
  auto kv = std::make_unique<SharedSequence>(prefixes_, request.adapter);
  Active a{
      .id = id, .request = std::move(request), .sampler = std::move(sampler), .kv = std::move(kv)};
  a.tokens = a.request.prompt;
  take_cached(a);
  if (!a.kv->reserve(n)) return false;
  if (options_.draft_tokens > 0) a.lookup.emplace(a.request.prompt, a.request.prediction);
  stats_.prompt_tokens += a.n_prompt();
  stats_.cached_tokens += a.n_cached;
  active_.push_back(std::move(a));
  return true;
}

void Generator::cancel(int64_t id) {
  std::erase_if(active_, [&](const Active& a) { return a.id == id; });
}

KvUse Generator::kv_use() const {
  const size_t page_bytes = pages_.keys(0).size_bytes() + pages_.values(0).size_bytes();
  const int n_pages = pages_.pool().n_pages, available = prefixes_.available_pages();
  return {size_t(n_pages) * page_bytes, size_t(n_pages - available) * page_bytes,
          size_t(available - pages_.free_pages()) * page_bytes};
}

// The last token of a prompt is computed always: what follows it is wanted.
int Generator::take_cached(Active& a) {
  const int cached = a.kv->take(std::span(a.request.prompt).first(size_t(a.n_prompt() - 1)));
  const int more = std::max(cached - a.n_done, 0);
  a.n_cached += more;
  a.n_done += more;
  return more;
}

int Generator::draft_length(const Active& a, int n_decoding) const {
  // A guess for the last token that is wanted would have no use.
  const int most = std::min(options_.draft_tokens, a.request.max_tokens - a.n_generated() - 1);
  return options_.draft_always ? most : gate_.length(a.acceptance.value(), n_decoding, most);
}

void Generator::add_rows(Active& a, int n, int n_draft) {
  const int row = int(tokens_.size());
  const auto from = a.tokens.begin() + a.n_done;
  tokens_.insert(tokens_.end(), from, from + n);
  if (n_draft > 0) a.lookup->draft(tokens_, n_draft);
  Part part{.active = &a,
            .row = row,
            .n = int(tokens_.size()) - row,
            .n_draft = int(tokens_.size()) - row - n,
            .first_out = int(out_rows_.size()),
            .wants_out = n == a.n_left()};
  runs_.push_back({.kv = a.kv->cache(),
                   .row = row,
                   .n = part.n,
                   .pos = a.n_done,
                   .adapter = a.request.adapter});
  parts_.push_back(part);
  for (int i = n - 1; i < part.n && part.wants_out; i++) out_rows_.push_back(row + i);
}

void Generator::collect_rows() {
  tokens_.clear(), out_rows_.clear(), runs_.clear(), parts_.clear();
  generated_.clear(), prefilling_.clear();
  const auto decodes = [](const Active& a) { return a.n_generated() > 0; };
  const int n_decoding = int(std::ranges::count_if(active_, decodes));
  for (Active& a : active_)
    if (decodes(a)) {
      const int n_draft = draft_length(a, n_decoding);
      if (n_draft == 0) a.acceptance.forget();
      add_rows(a, 1, n_draft);
    }
  int budget = options_.prefill_tokens;
  for (Active& a : active_) {
    if (budget == 0) break;
    if (decodes(a)) continue;
    stats_.cached_tokens += take_cached(a);  // others may have computed more since
    const int n = std::min(a.n_left(), budget);
    add_rows(a, n, 0);
    budget -= n;
  }
}

// Computes the rows, with the logits of those that are wanted.
void Generator::run_rows() {
  const Batch batch{tokens_, runs_, options_.adapters, out_rows_};
  const Tensor hidden = forward(ops_, model_, batch, ws_);
  if (hidden.rows == 0) return;
  const Tensor logits = logits_.first(hidden.rows);
  lm_head(ops_, model_, logits, hidden);
  ops_.copy_out(host_logits_.data(), logits);
}

void Generator::take_token(Active& a, std::span<const float> logits) {
  const int token = a.sampler.sample(logits);
  a.tokens.push_back(token);
  if (a.lookup) a.lookup->append(token);
  const auto& stops = a.request.stop_tokens;
  const FinishReason finish = std::find(stops.begin(), stops.end(), token) != stops.end()
                                  ? FinishReason::stop
                              : a.n_generated() == a.request.max_tokens ? FinishReason::length
                                                                        : FinishReason::none;
  generated_.push_back({a.id, token, finish, a.n_cached});
  if (a.request.top_logprobs >= 0)
    generated_.back().logprobs = token_logprobs(logits, token, a.request.top_logprobs);
}

// A guess that is what the sampler picks has been computed as if it had been picked before, so the
// next row's logits are good too. Each token is picked from the model's own distribution with the
// next number of the request's random stream: the text is that without guesses.
void Generator::take_tokens(const Part& part) {
  Active& a = *part.active;
  a.n_done += part.n - part.n_draft;
  stats_.drafted_tokens += part.n_draft;
  const size_t vocab = size_t(model_.config.vocab_size);
  for (int i = 0; part.wants_out; i++) {
    take_token(a, std::span(host_logits_).subspan(size_t(part.first_out + i) * vocab, vocab));
    if (i == part.n_draft || generated_.back().finish != FinishReason::none) break;
    const int guess = tokens_[size_t(part.row + part.n - part.n_draft + i)];
    const bool right = a.tokens.back() == guess;
    a.acceptance.add(right);
    if (!right) break;
    stats_.accepted_tokens++;
    a.n_done++;
  }
}

std::span<const GeneratedToken> Generator::step() {
  collect_rows();
  if (tokens_.empty()) return generated_;
  const auto start = std::chrono::steady_clock::now();
  run_rows();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  if (out_rows_.size() == tokens_.size()) gate_.add_step(int(tokens_.size()), time.count());
  for (const Part& part : parts_) {
    take_tokens(part);
    Active& a = *part.active;
    a.kv->share(std::span(a.tokens).first(size_t(a.n_done)));
    if (!part.wants_out) prefilling_.push_back({a.id, a.n_cached, a.n_done});
  }
  for (const GeneratedToken& token : generated_)
    if (token.finish != FinishReason::none) cancel(token.request);
  return generated_;
}

void visit_logits(Ops& ops, const Llama& model, std::span<const int> tokens, const Adapter* adapter,
                  DType dtype, int prefill_tokens,
                  const std::function<void(int begin, Tensor logits)>& visit) {
  const int n = int(tokens.size());
  if (n < 1) return;
  KvPages pages(ops, model.config, pages_for(n), dtype, model.config.n_layers);
  KvSequence kv(pages);
  CHECK(kv.reserve(n));
  const int rows = std::min(prefill_tokens, n);
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
                                const Adapter* adapter, DType dtype, int prefill_tokens) {
  std::vector<float> logprobs(tokens.empty() ? 0 : tokens.size() - 1);
  const std::span<const int> given = tokens.first(logprobs.size());
  visit_logits(ops, model, given, adapter, dtype, prefill_tokens, [&](int begin, Tensor logits) {
    const size_t at = size_t(begin), n = size_t(logits.rows);
    ops.target_logprobs(std::span(logprobs).subspan(at, n), logits, tokens.subspan(at + 1, n));
  });
  return logprobs;
}

}  // namespace chatmem
