// Between chats and tokens: the template and the tokenizer as the server needs them.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/prompt.h"
#include "text/token_masks.h"
#include "text/tokenizer.h"

namespace chatmem {

// Safe to call from several threads.
class ChatCodec {
 public:
  virtual ~ChatCodec() = default;
  // The prompt that asks for the assistant's next turn: for text, or for a call of one of the
  // functions, where there are any.
  virtual std::vector<int> encode(std::span<const Turn> turns,
                                  std::span<const Json> functions) const = 0;
  // Without bos.
  virtual std::vector<int> encode_text(std::string_view text, SpecialTokens special) const = 0;
  virtual std::optional<int> bos() const = 0;  // what a text begins with
  // The bytes of one token; they need not be whole characters.
  virtual std::string decode(int token) const = 0;
  // The token as a reader sees it: its bytes, or the name of one that has none.
  virtual std::string name(int token) const = 0;
  virtual std::vector<int> stop_tokens() const = 0;
  // Of the tokens that have bytes.
  virtual const TokenTrie& trie() const = 0;
};

// The Llama 3.1 chat template. The tokenizer must outlive it.
class Llama3Codec final : public ChatCodec {
 public:
  explicit Llama3Codec(const Tokenizer& tokenizer) : tokenizer_(tokenizer), trie_(tokenizer) {}
  std::vector<int> encode(std::span<const Turn> turns,
                          std::span<const Json> functions) const override;
  std::vector<int> encode_text(std::string_view text, SpecialTokens special) const override;
  std::optional<int> bos() const override;
  std::string decode(int token) const override;
  std::string name(int token) const override { return std::string(tokenizer_.piece(token)); }
  std::vector<int> stop_tokens() const override;
  const TokenTrie& trie() const override { return trie_; }

 private:
  const Tokenizer& tokenizer_;
  const TokenTrie trie_;
};

}  // namespace chatmem
