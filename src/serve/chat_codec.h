// Between chats and tokens: the template and the tokenizer as the server needs them.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/prompt.h"
#include "text/tokenizer.h"

namespace chatmem {

// Safe to call from several threads.
class ChatCodec {
 public:
  virtual ~ChatCodec() = default;
  // The prompt that asks for the assistant's next turn.
  virtual std::vector<int> encode(std::span<const Turn> turns) const = 0;
  virtual std::vector<int> encode_text(std::string_view text) const = 0;  // of an answer
  // The bytes of one token; they need not be whole characters.
  virtual std::string decode(int token) const = 0;
  virtual std::vector<int> stop_tokens() const = 0;
};

// The Llama 3.1 chat template. The tokenizer must outlive it.
class Llama3Codec final : public ChatCodec {
 public:
  explicit Llama3Codec(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  std::vector<int> encode(std::span<const Turn> turns) const override;
  std::vector<int> encode_text(std::string_view text) const override;
  std::string decode(int token) const override;
  std::vector<int> stop_tokens() const override;

 private:
  const Tokenizer& tokenizer_;
};

}  // namespace chatmem
