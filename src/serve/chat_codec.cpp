#include "serve/chat_codec.h"

namespace chatmem {

std::vector<int> Llama3Codec::encode(std::span<const Turn> turns,
                                     std::span<const Json> functions) const {
  return render_chat(tokenizer_, turns, Generation::prompt, functions);
}

std::vector<int> Llama3Codec::encode_text(std::string_view text, SpecialTokens special) const {
  return tokenizer_.encode(text, special);
}

std::optional<int> Llama3Codec::bos() const {
  return tokenizer_.bos() >= 0 ? std::optional(tokenizer_.bos()) : std::nullopt;
}

// Special tokens other than stop tokens are markup, not text.
std::string Llama3Codec::decode(int token) const {
  return tokenizer_.is_special(token) ? std::string() : std::string(tokenizer_.piece(token));
}

std::vector<int> Llama3Codec::stop_tokens() const {
  std::vector<int> tokens;
  for (const int token :
       {tokenizer_.eot(), tokenizer_.eos(), tokenizer_.special("<|eom_id|>").value_or(-1)})
    if (token >= 0) tokens.push_back(token);
  return tokens;
}

}  // namespace chatmem
