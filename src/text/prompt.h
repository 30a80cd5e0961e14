// The one renderer of prompts: encode, train, serve, summarize and evaluate all come here.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/conversation.h"
#include "text/tokenizer.h"

namespace chatmem {

// temporal: system instruction, a user turn [START DATE] [CHAT MESSAGES] [END DATE] [AS OF], the
// summary as the assistant's turn, in the Llama 3.1 chat template. seed: the original project's
// [INST] text.
enum class PromptTemplate { temporal, seed };
std::optional<PromptTemplate> parse_prompt_template(std::string_view name);

struct Turn {
  std::string role;  // system, user, assistant
  std::string content;
};

// What is asked for a summary of the conversation: for `temporal` a system and a user turn. Nothing
// before the last message changes when a chat grows by a day. Throws Error without messages.
std::vector<Turn> summary_request(const Conversation& conversation);

// The Llama 3.1 chat template: bos, a system turn that begins "Cutting Knowledge Date: December
// 2023\nToday Date: 26 Jul 2024\n\n", the turns, and with `generation` the header of the
// assistant's turn. Contents are trimmed and never parsed for special tokens. Throws Error when the
// tokenizer lacks the template's special tokens.
enum class Generation { no, prompt };
std::vector<int> render_chat(const Tokenizer& tokenizer, std::span<const Turn> turns,
                             Generation generation);

// A training example: tokens[target_begin ...] are the completion, its eot (seed: eos) included,
// and carry the loss. Throws Error for a conversation without messages or summary, and for a
// tokenizer without the template's special tokens. Nothing is cut, however long.
struct EncodedExample {
  std::string id;
  std::vector<int> tokens;
  int target_begin = 0;
};
EncodedExample encode_example(const Tokenizer& tokenizer, const Conversation& conversation,
                              PromptTemplate which);

}  // namespace chatmem
