// What the server asks of whatever makes tokens, and how it hears back. Token ids only: the server
// turns them into text.
#pragma once
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

struct EngineRequest {
  std::string id;                // for logs
  std::vector<int> prompt;       // 1 to context_length() tokens
  int max_tokens = 0;            // prompt and max_tokens together fit the context; 0: prefill only
  SamplingOptions sampling;      // the seed is always set
  std::vector<int> stop_tokens;  // end the answer and are not part of it
  std::vector<int> prediction;   // what the answer may be: a help, no promise
};

// Hears one answer, from one thread at a time. The calls come in the order on_accepted, on_token
// any number of times, then on_finish or on_error once; the engine destroys the client after that,
// or at any time before: then the answer is cut.
class EngineClient {
 public:
  virtual ~EngineClient() = default;
  // Called by submit() once it is sure to take the request, before anything else is.
  virtual void on_accepted() = 0;
  // False: enough (a stop string was found, or nobody listens any more). The engine then finishes
  // with FinishReason::stop and makes no further token.
  virtual bool on_token(int token) = 0;
  // usage counts a stop token too, as other servers do.
  virtual void on_finish(FinishReason reason, const Usage& usage) = 0;
  virtual void on_error(const std::string& message) = 0;
  // True when nobody waits for the answer. To be asked in the queue, between pieces of a prefill
  // and at each token; the engine then destroys the client without another call.
  virtual bool cancelled() const = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual int context_length() const = 0;  // in tokens, prompt and answer together
  // Queues the request and returns at once. False when the queue is full: request and client are
  // left as they were. Called from several threads.
  virtual bool submit(EngineRequest& request, std::unique_ptr<EngineClient>& client) = 0;
};

}  // namespace chatmem
