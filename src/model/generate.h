// Decoding of many requests together: each step gives every running request one token and prefills
// a piece of the prompts that wait. Token ids only; no text.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model/kv_cache.h"
#include "model/llama.h"
#include "model/sampler.h"

namespace chatmem {

struct GenerateRequest {
  std::vector<int> prompt;  // not empty
  int max_tokens = 0;       // at least 1
  SamplingOptions sampling;
  std::vector<int> stop_tokens;   // end the request; reported, not part of the text
  int adapter = -1;               // index into GeneratorOptions::adapters
  int top_logprobs = -1;          // report logprobs, with this many of the likeliest; -1: do not
  TokenFilter* filter = nullptr;  // must outlive the request
};

enum class FinishReason { none, stop, length };

struct GeneratedToken {
  int64_t request;
  int token;
  FinishReason finish;
  std::optional<TokenLogprobs> logprobs = {};
};

struct GeneratorOptions {
  int max_requests = 8;      // running together
  int prefill_tokens = 512;  // of prompts in one step
  int kv_tokens = 0;  // capacity of the KV pool; 0: one request of the model's longest context
  DType dtype = DType::f32;  // of activations and KV
  std::vector<const Adapter*> adapters;
};

class Generator {
 public:
  Generator(Ops& ops, const Llama& model, GeneratorOptions options);

  // Takes the request and its KV pages; prompt and max_tokens - 1 must fit capacity_tokens(). False
  // when there is no slot or page free now. Ids are the caller's.
  bool add(int64_t id, GenerateRequest request);
  void cancel(int64_t id);
  // One forward pass. The result is valid until the next call.
  std::span<const GeneratedToken> step();
  int n_active() const { return int(active_.size()); }
  // The most tokens of one sequence: of a prompt, or of a prompt and what is made of it.
  int capacity_tokens() const { return capacity_; }
  int vocab_size() const { return model_.config.vocab_size; }

 private:
  struct Active {
    int64_t id;
    GenerateRequest request;
    Sampler sampler;
    std::unique_ptr<KvSequence> kv;
    int n_done = 0;  // tokens in the KV cache
    int n_generated = 0;
    int next = 0;  // the token to feed when decoding
    bool decoding() const { return n_done >= int(request.prompt.size()); }
  };
  void add_rows(Active& active, int n);
  void take_token(Active& active, std::span<const float> logits);

  Ops& ops_;
  const Llama& model_;
  GeneratorOptions options_;
  int capacity_;
  KvPages pages_;
  Workspace ws_;
  Tensor logits_;  // (max_requests, vocab_size) f32
  std::vector<float> host_logits_;
  std::deque<Active> active_;
  // of the step at work
  std::vector<int> tokens_, out_rows_;
  std::vector<Run> runs_;
  std::vector<Active*> out_of_;
  std::vector<GeneratedToken> generated_;
};

// log p(tokens[i] | tokens before it) for i = 1, 2, ...: n - 1 values.
std::vector<float> score_tokens(Ops& ops, const Llama& model, std::span<const int> tokens,
                                const Adapter* adapter, DType dtype);

// Calls visit(begin, logits) with the logits of the next token after tokens[begin], tokens[begin +
// 1], ... (rows, vocab_size) f32, valid during the call, until all rows were shown.
void visit_logits(Ops& ops, const Llama& model, std::span<const int> tokens, const Adapter* adapter,
                  DType dtype, const std::function<void(int begin, Tensor logits)>& visit);

}  // namespace chatmem
