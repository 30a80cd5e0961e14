// Requests of OpenAI's API and of ours that ask for answers, read and checked; the models' objects.
// Pure functions; no sockets, no tokens.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "serve/answer_settings.h"
#include "serve/api_error.h"
#include "text/byte_grammar.h"
#include "text/conversation.h"
#include "text/prompt.h"

namespace chatmem {

struct ChatCompletionRequest : AnswerSettings {
  std::vector<Turn> turns = {};             // developer has become system, tool ipython
  std::optional<ByteGrammar> grammar = {};  // of response_format, or of a forced tool_choice
  std::vector<Json> functions = {};         // tools that the answer must call one of; empty: none
  std::string prediction = {};              // what the answer may be; empty: nothing is known
};

// Throws ApiError (400) that names the parameter. Fields that are unknown, or null, are ignored; so
// are tools that tool_choice does not force.
ChatCompletionRequest parse_chat_completion(std::string_view body);

// POST /v1/completions: the prompt as it is, without a template.
struct CompletionRequest : AnswerSettings {
  std::string prompt = {};       // where it is text
  std::vector<int> tokens = {};  // where it is tokens
  bool echo = false;             // the prompt stands before the answer
};
// max_tokens is 16 where it is absent. Throws ApiError (400) that names the parameter.
CompletionRequest parse_completion(std::string_view body, int vocab_size);

// POST /summarize: {chat, from, to, as_of} and what all requests have; the temperature is 0 where
// it is absent.
struct SummaryRequest : AnswerSettings {
  Conversation conversation = {};  // with the messages of the days from..to, at least one
};
SummaryRequest parse_summary(std::string_view body);

std::string model_object(std::string_view name, int64_t created);
std::string model_list(std::span<const std::string_view> names, int64_t created);

}  // namespace chatmem
