// Decoding of many requests together: each step gives every running request one token and
// prefills a piece of the prompts that wait. Token ids only; no text.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/llama.h"
#include "model/prefix_cache.h"
#include "model/sampler.h"
#include "model/speculation.h"

namespace chatmem {

struct GenerateRequest {
  std::vector<int> prompt;  // not empty
  int max_tokens = 0;       // at least 1
  SamplingOptions sampling;
  std::vector<int> stop_tokens;      // end the request; reported, not part of the text
  int adapter = -1;                  // index into GeneratorOptions::adapters
  int top_logprobs = -1;             // report logprobs, with this many of the likeliest; -1: do not
  TokenFilter* filter = nullptr;     // must outlive the request
  std::vector<int> prediction = {};  // what the answer may be, to guess from
};

enum class FinishReason { none, stop, length };

struct GeneratedToken {
  int64_t request;
  int token;
  FinishReason finish;
  int cached_tokens = 0;  // of the request's prompt, those that needed no computation
  std::optional<TokenLogprobs> logprobs = {};
};

// Since the beginning.
struct GeneratorStats {
  int64_t prompt_tokens = 0, cached_tokens = 0;     // of requests that were taken; not computed
  int64_t drafted_tokens = 0, accepted_tokens = 0;  // guessed ahead; guessed right
};

// Of the pool of keys and values.
struct KvUse {
  size_t total_bytes = 0;
  size_t used_bytes = 0;    // of running requests
  size_t cached_bytes = 0;  // of earlier ones, kept as long as nobody needs the room
};

// A prompt that was worked on in the last step, which did not end it.
struct PrefillProgress {
  int64_t request;
  int cached_tokens;  // needed no computation
  int done_tokens;    // those included
};

struct GeneratorOptions {
  int max_requests = 8;      // running together
  int prefill_tokens = 512;  // of prompts in one step
  int kv_tokens = 0;  // capacity of the KV pool; 0: one request of the model's longest context
  DType dtype = DType::f32;            // of activations
  std::optional<DType> kv_dtype = {};  // of keys and values: f32, bf16, f16, q8_0; absent: dtype
  std::optional<PrefixStoreOptions> kv_folder = {};  // keeps keys and values beyond this process
  std::vector<const Adapter*> adapters = {};
  int draft_tokens = 0;       // guessed ahead for one request in a step, at most
  bool draft_always = false;  // also where, by measurement, guesses cost more than they bring
};

class Generator {
 public:
  Generator(Ops& ops, const Llama& model, GeneratorOptions options);

  // Takes the request and its KV pages; prompt and max_tokens - 1 must fit capacity_tokens(). False
  // when there is no slot or page free now. Ids are the caller's.
  bool add(int64_t id, GenerateRequest request);
  void cancel(int64_t id);
  // One forward pass: tokens of each request in their order. The result is valid until the next
  // call. Guesses change nothing but how many tokens come in one step.
  std::span<const GeneratedToken> step();
  // Valid until the next step.
  std::span<const PrefillProgress> prefilling() const { return prefilling_; }
  int n_active() const { return int(active_.size()); }
  // The most tokens of one sequence: of a prompt, or of a prompt and what is made of it.
  int capacity_tokens() const { return capacity_; }
  int vocab_size() const { return model_.config.vocab_size; }
  const GeneratorStats& stats() const { return stats_; }
  KvUse kv_use() const;

 private:
  struct Active {
    int64_t id;
    GenerateRequest request;
    Sampler sampler;
    std::unique_ptr<SharedSequence> kv;
    std::vector<int> tokens = {};  // the prompt and what was made of it
    int n_done = 0;                // tokens in the KV cache
    int n_cached = 0;              // of them, those that needed no computation
    std::optional<PromptLookup> lookup = {};
    DraftAcceptance acceptance = {};

    int n_prompt() const { return int(request.prompt.size()); }
    int n_generated() const { return int(tokens.size()) - n_prompt(); }
    int n_left() const { return int(tokens.size()) - n_done; }
  };
  // The rows of one request in the step at work.
  struct Part {
    Active* active;
    int row, n;      // in the batch, guesses included
    int n_draft;     // guesses, the last rows
    int first_out;   // of the out rows: where its own begin
    bool wants_out;  // false: a piece of a prompt
  };
  int take_cached(Active& active);  // how many tokens more
  void add_rows(Active& active, int n, int n_draft);
  int draft_length(const Active& active, int n_decoding) const;
  void collect_rows();
  void run_rows();
  void take_tokens(const Part& part);
  void take_token(Active& active, std::span<const float> logits);

  Ops& ops_;
  const Llama& model_;
  GeneratorOptions options_;
  int capacity_;
  KvPages pages_;
  std::unique_ptr<PrefixStore> store_;
  PrefixCache prefixes_;
  Workspace ws_;
  Tensor logits_;  // (max_requests (1 + draft_tokens), vocab_size) f32
  std::vector<float> host_logits_;
  std::deque<Active> active_;
  DraftGate gate_;
  GeneratorStats stats_;
  // of the step at work
  std::vector<int> tokens_, out_rows_;
  std::vector<Run> runs_;
  std::vector<Part> parts_;
  std::vector<GeneratedToken> generated_;
  std::vector<PrefillProgress> prefilling_;
};

// Tokens of a text that one pass computes unless somebody says otherwise.
inline constexpr int kPrefillTokens = 512;

// log p(tokens[i] | tokens before it) for i = 1, 2, ...: n - 1 values.
std::vector<float> score_tokens(Ops& ops, const Llama& model, std::span<const int> tokens,
                                const Adapter* adapter, DType dtype,
                                int prefill_tokens = kPrefillTokens);

// Calls visit(begin, logits) with the logits of the next token after tokens[begin], tokens[begin +
// 1], ... (rows, vocab_size) f32, valid during the call, until all rows were shown;
// `prefill_tokens` tokens at a time are computed, 1 as in an answer.
void visit_logits(Ops& ops, const Llama& model, std::span<const int> tokens, const Adapter* adapter,
                  DType dtype, int prefill_tokens,
                  const std::function<void(int begin, Tensor logits)>& visit);

}  // namespace chatmem
