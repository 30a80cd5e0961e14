// The shapes of OpenAI's chat completions API: requests read and checked, answers written. Pure
// functions; no sockets, no tokens.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "serve/engine.h"
#include "text/byte_grammar.h"
#include "text/prompt.h"

namespace chatmem {

// An error that is answered to the client with its own status.
class ApiError : public Error {
 public:
  ApiError(int status, const std::string& message, std::string param = {}, std::string code = {})
      : Error(message), status_(status), param_(std::move(param)), code_(std::move(code)) {}
  // The prompt does not fit: {"type":"exceed_context_size_error","n_prompt_tokens","n_ctx"}.
  static ApiError too_long(int n_prompt_tokens, int n_ctx);

  int status() const { return status_; }
  // {"error":{"message","type","param","code"}}
  std::string body() const;

 private:
  int status_;
  std::string param_, code_;
  int n_prompt_tokens_ = 0, n_ctx_ = 0;  // n_ctx 0: another error
};

struct ChatCompletionRequest {
  std::string model;              // as asked; any name is taken and given back
  std::vector<Turn> turns;        // developer has become system, tool ipython
  std::optional<int> max_tokens;  // max_completion_tokens, or the older max_tokens
  SamplingOptions sampling;       // without the seed; tokens of logit_bias are 0 or more
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;
  int n = 1;
  int top_logprobs = -1;               // -1: no logprobs
  std::optional<ByteGrammar> grammar;  // of response_format, or of a forced tool_choice
  std::vector<Json> functions;         // tools that the answer must call one of; empty: none
  std::string prediction;              // what the answer may be; empty: nothing is known
  bool stream = false, include_usage = false;
};

// Throws ApiError (400) that names the parameter. Fields that are unknown, or null, are ignored; so
// are tools that tool_choice does not force.
ChatCompletionRequest parse_chat_completion(std::string_view body);

// What all chunks of one answer have in common.
struct AnswerHead {
  std::string id;  // "chatcmpl-..."
  std::string model;
  int64_t created = 0;  // seconds since 1970
  std::string
      fingerprint;  // of what serves: the same seed gives the same answer under the same one
  bool include_usage = false;
};

struct FunctionCall {
  std::string id;  // "call_..."
  std::string name, arguments;
};

// One of the answers to a request, whole.
struct AnswerChoice {
  std::string text;
  std::optional<FunctionCall> call;  // instead of the text
  Json logprobs;                     // array of logprob_entry, or null
  std::string_view finish_reason;    // stop, length, tool_calls
};

struct NamedLogprob {
  std::string name;   // of the token; any bytes
  std::string bytes;  // none: a token that is not text
  float logprob = 0;
};
// One token in logprobs.content. What is less likely than e^-9999 is given as -9999.
Json logprob_entry(const NamedLogprob& token, std::span<const NamedLogprob> top);

std::string chat_completion(const AnswerHead& head, std::span<const AnswerChoice> choices,
                            const Usage& usage);
// The data of the events of a stream: for each choice one role chunk, chunks with contents or with
// a call and its arguments, one finish chunk; then with include_usage one usage chunk. logprobs is
// an array of logprob_entry, or null.
std::string role_chunk(const AnswerHead& head, int choice);
std::string content_chunk(const AnswerHead& head, int choice, std::string_view text, Json logprobs);
std::string call_chunk(const AnswerHead& head, int choice, const FunctionCall& call);
std::string arguments_chunk(const AnswerHead& head, int choice, std::string_view arguments,
                            Json logprobs);
std::string finish_chunk(const AnswerHead& head, int choice, std::string_view reason,
                         Json logprobs);
std::string usage_chunk(const AnswerHead& head, const Usage& usage);

std::string model_object(std::string_view name, int64_t created);
std::string model_list(std::string_view name, int64_t created);

}  // namespace chatmem
