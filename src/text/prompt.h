// The one renderer of prompts: encode, train, serve, summarize and evaluate all come here.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/conversation.h"
#include "text/tokenizer.h"

namespace chatmem {

// temporal: system instruction, a user turn [START DATE] [CHAT MESSAGES] [END DATE] [AS OF], the
// summary as the assistant's turn, in the Llama 3.1 chat template. seed: the original project's
// [INST] text.
enum class PromptTemplate { temporal, seed };
std::optional<PromptTemplate> parse_prompt_template(std::string_view name);

struct Turn {
  std::string role;  // system, user, assistant; ipython: what a called function gave
  std::string content;
};

// What is asked for a summary of the conversation: for `temporal` a system and a user turn. Nothing
// before the last message changes when a chat grows by a day. Throws Error without messages.
std::vector<Turn> summary_request(const Conversation& conversation);
// The same for `seed`: plain text, to be gone on from. Throws Error without messages.
std::string seed_request(const Conversation& conversation);
// Either as the tokens that encode_example puts before the summary, which a model goes on from.
std::vector<int> encode_request(const Tokenizer& tokenizer, const Conversation& conversation,
                                PromptTemplate which);

// The Llama 3.1 chat template: bos, a system turn that begins "Cutting Knowledge Date: December
// 2023\nToday Date: 26 Jul 2024\n\n", the turns, and with `generation` the header of the
// assistant's turn. Contents are trimmed and never parsed for special tokens. Functions, as
// OpenAI's API has them under "tools", are offered as the template does it: in the first user turn,
// before its text, with "Environment: ipython" in the system turn. Throws Error when the tokenizer
// lacks the template's special tokens.
enum class Generation { no, prompt };
std::vector<int> render_chat(const Tokenizer& tokenizer, std::span<const Turn> turns,
                             Generation generation, std::span<const Json> functions = {});

// A training example. Nothing is cut, however long.
struct Example {
  std::string id;
  std::vector<int> tokens;
  std::vector<uint8_t> target;  // 1 where the token carries loss: it is predicted from those before

  int n_targets() const;
};

// The summary and its end (temporal: eot, seed: eos) carry the loss. Throws Error for a
// conversation without messages or summary, and for a tokenizer without the template's special
// tokens.
Example encode_example(const Tokenizer& tokenizer, const Conversation& conversation,
                       PromptTemplate which);

// The chat as render_chat gives it; the contents of the turns with learnt[i] = 1 and their eot
// carry the loss, headers never. Throws Error, naming the id, where no turn or an empty one is
// learnt.
Example encode_chat(const Tokenizer& tokenizer, const std::string& id, std::span<const Turn> turns,
                    std::span<const uint8_t> learnt);

// Plain text: bos, the prompt, the completion, <|end_of_text|>; the last two carry the loss. Prompt
// and completion are encoded apart, as the prompt will be when it is asked. Throws Error, naming
// the id, for an empty prompt or completion, for a tokenizer without <|end_of_text|>, and for text
// that holds turns of a chat template already: they would be read as plain text.
Example encode_completion(const Tokenizer& tokenizer, const std::string& id,
                          std::string_view prompt, std::string_view completion);

}  // namespace chatmem
