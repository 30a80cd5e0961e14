// What the test double of the Anthropic API says in its answers: for chatmem's requests a valid
// chat history made from the marks of the prompt, for others something that fits.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"

namespace chatmem {

// The text of an answer, the same bytes for the same request. With the lines of chatmem's prompt
// ("Today's date: ", "Conversations: ", "Span: ", "Other speaker: ", "#Person1#: ") it is the
// transformed_conversations object, or the bracket form without a schema. Else an instance of the
// schema, if there is one, or a sentence.
std::string default_anthropic_answer(const Json& request);

// All text of one message or of a system prompt: a string, or blocks of it.
std::string content_text(const Json& content);

// The double's tokenizer: bytes / 4, rounded up.
inline int64_t count_fake_tokens(std::string_view text) { return int64_t(text.size() + 3) / 4; }

}  // namespace chatmem
