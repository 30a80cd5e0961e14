// The shapes of OpenAI's chat completions API: requests read and checked, answers written. Pure
// functions; no sockets, no tokens.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "serve/engine.h"
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
  std::vector<Turn> turns;        // developer has become system
  std::optional<int> max_tokens;  // max_completion_tokens, or the older max_tokens
  float temperature = 1, top_p = 1, min_p = 0;
  int top_k = 0;  // 0: all
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;
  std::string prediction;  // what the answer may be; empty: nothing is known
  bool stream = false, include_usage = false;
};

// Throws ApiError (400) that names the parameter. Fields that are unknown, or null, are ignored;
// those that are known and would change the answer (n over 1, logprobs, response_format other than
// text, penalties, logit_bias, a forced tool) are refused rather than ignored.
ChatCompletionRequest parse_chat_completion(std::string_view body);

// What all chunks of one answer have in common.
struct AnswerHead {
  std::string id;  // "chatcmpl-..."
  std::string model;
  int64_t created = 0;  // seconds since 1970
  bool include_usage = false;
};

std::string_view finish_reason_name(FinishReason reason);
std::string chat_completion(const AnswerHead& head, std::string_view text, FinishReason reason,
                            const Usage& usage);
// The data of the events of a stream: one role chunk, content chunks, one finish chunk, and with
// include_usage one usage chunk.
std::string role_chunk(const AnswerHead& head);
std::string content_chunk(const AnswerHead& head, std::string_view text);
std::string finish_chunk(const AnswerHead& head, FinishReason reason);
std::string usage_chunk(const AnswerHead& head, const Usage& usage);

std::string model_object(std::string_view name, int64_t created);
std::string model_list(std::string_view name, int64_t created);

}  // namespace chatmem
