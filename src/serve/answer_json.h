// The shapes of the answers of OpenAI's chat completions and completions, whole and in chunks. Pure
// functions; no sockets, no tokens.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/engine.h"

namespace chatmem {

// chat: of POST /v1/chat/completions; text: of POST /v1/completions.
enum class AnswerShape { chat, text };

// What all chunks of one answer have in common.
struct AnswerHead {
  std::string id;  // "chatcmpl-..."; text: "cmpl-..."
  std::string model;
  int64_t created = 0;  // seconds since 1970
  std::string
      fingerprint;  // of what serves: the same seed gives the same answer under the same one
  bool include_usage = false;
  AnswerShape shape = AnswerShape::chat;
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
  std::string name;              // of the token; any bytes
  std::string bytes;             // none: a token that is not text
  std::optional<float> logprob;  // absent: not known
};
// One token of the logprobs. What is less likely than e^-9999 is given as -9999. text_offset: the
// characters before it.
Json logprob_entry(const NamedLogprob& token, std::span<const NamedLogprob> top,
                   size_t text_offset);

std::string whole_answer(const AnswerHead& head, std::span<const AnswerChoice> choices,
                         const Usage& usage);
// The data of the events of a stream: for each choice one role chunk (chat alone), chunks with
// contents or with a call and its arguments, one finish chunk; then with include_usage one usage
// chunk. Before all, with return_progress, progress chunks. logprobs is an array of logprob_entry,
// or null.
std::string progress_chunk(const AnswerHead& head, int n_prompt, int n_cached, int n_done);
std::string role_chunk(const AnswerHead& head, int choice);
std::string content_chunk(const AnswerHead& head, int choice, std::string_view text, Json logprobs);
std::string call_chunk(const AnswerHead& head, int choice, const FunctionCall& call);
std::string arguments_chunk(const AnswerHead& head, int choice, std::string_view arguments,
                            Json logprobs);
std::string finish_chunk(const AnswerHead& head, int choice, std::string_view reason,
                         Json logprobs);
std::string usage_chunk(const AnswerHead& head, const Usage& usage);

}  // namespace chatmem
