// What the server asks of whatever makes tokens, and how it hears back. Token ids only: the server
// turns them into text.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "model/generate.h"

namespace chatmem {

struct Usage {
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of prompt_tokens, those that needed no computation
  int completion_tokens = 0;
};

// What all answers of a request must keep to.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;
  // For one answer from its beginning; must not outlive the constraint.
  virtual std::unique_ptr<TokenFilter> make_filter() const = 0;
};

struct EngineRequest {
  std::vector<int> prompt;       // 1 to context_length() tokens
  int max_tokens = 0;            // prompt and max_tokens together fit the context; 0: prefill only
  SamplingOptions sampling;      // the seed is always set; tokens are below vocab_size()
  std::vector<int> stop_tokens;  // end the answer and are not part of it
  int n = 1;                     // answers; answer i is drawn with the seed sampling.seed + i
  int top_logprobs = -1;         // with each token its logprob and this many likeliest; -1: none
  std::unique_ptr<TokenConstraint> constraint;  // or null
  std::vector<int> prediction;                  // what the answer may be: a help, no promise
  int adapter = -1;                             // number of the engine's; -1: the model alone
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

enum class EngineFailure { internal, deadline };

// Now, but for the counts of tokens, which are since the beginning.
struct EngineStats {
  int waiting = 0, running = 0;  // requests
  GeneratorStats tokens;
  KvUse kv;
};

// Hears the answers of one request, from one thread at a time. The calls come in the order
// on_accepted, on_started, on_progress any number of times, on_token any number of times and
// on_finish once for each answer, then on_done once; or on_error once instead of what is left of
// these. The engine destroys the client after that, or at any time before: then the answers are
// cut.
class EngineClient {
 public:
  virtual ~EngineClient() = default;
  // Called by submit() once it is sure to take the request, before anything else is.
  virtual void on_accepted() = 0;
  virtual void on_started() = 0;  // it has left the queue
  // Of the prompt, done_tokens are there, of which cached_tokens needed no computation; more are to
  // come.
  virtual void on_progress(int cached_tokens, int done_tokens) = 0;
  // Of answer number `choice`. False: enough (a stop string was found, or nobody listens any more).
  // The engine then finishes this answer with FinishReason::stop and makes no further token of it.
  virtual bool on_token(int choice, const GeneratedToken& token) = 0;
  virtual void on_finish(int choice, FinishReason reason) = 0;
  // The prompt counts once, the tokens of all answers together, stop tokens too, as other servers
  // do.
  virtual void on_done(const Usage& usage) = 0;
  virtual void on_error(EngineFailure failure, const std::string& message) = 0;
  // True when nobody waits for the answer. To be asked in the queue, between pieces of a prefill
  // and at each token; the engine then destroys the client without another call.
  virtual bool cancelled() const = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual int context_length() const = 0;  // in tokens, prompt and answer together
  virtual int vocab_size() const = 0;
  // Queues the request and returns at once. False when the queue is full: request and client are
  // left as they were. Called from several threads.
  virtual bool submit(EngineRequest& request, std::unique_ptr<EngineClient>& client) = 0;
  virtual EngineStats stats() const = 0;  // called from several threads
};

}  // namespace chatmem
