// The Llama 3 tokenizer: byte-level BPE with a split expression, whole-piece lookup first
// (ignore_merges), and special tokens. Reads Hugging Face's tokenizer.json and tiktoken's
// tokenizer.model; both give the same ids.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace chatmem {

enum class SpecialTokens {
  as_text,
  parse
};  // whether "<|eot_id|>" in a text is the token or nine characters

struct TokenizerSource;

// A tokenizer as plain values: what a GGUF holds under tokenizer.ggml.
struct TokenizerLists {
  std::span<const std::string> tokens;   // in the byte-level alphabet; special ones as they are
  std::span<const std::string> merges;   // "left right", lowest rank first
  std::span<const int> types;            // llama.cpp's: 1 normal, 3 control, 4 user defined
  std::string_view split = "llama-bpe";  // tokenizer.ggml.pre: llama-bpe, gpt-2
};

class Tokenizer {
 public:
  // A tokenizer.json or tokenizer.model, or a folder that holds one (tokenizer.json first). Throws
  // Error naming what is wrong: not byte-level BPE, ids that are not dense, merges of unknown
  // pieces, ...
  static Tokenizer load(const fs::path& path);
  // Parses the bytes of a tokenizer.json or tokenizer.model.
  static Tokenizer from_json(std::string_view bytes, std::string_view where);
  static Tokenizer from_tiktoken(std::string_view bytes, std::string_view where);
  // From what one of the readers in text/tokenizer_source.h read.
  static Tokenizer from_source(TokenizerSource&& source, std::string_view where);
  // From the lists of a GGUF's metadata.
  static Tokenizer from_lists(const TokenizerLists& lists, std::string_view where);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // No bos is added. Invalid UTF-8 is encoded byte by byte. Safe to call from several threads.
  std::vector<int> encode(std::string_view text,
                          SpecialTokens special = SpecialTokens::as_text) const;
  // The bytes of the tokens; special tokens give their text. Throws Error for an id out of range.
  std::string decode(std::span<const int> tokens) const;
  std::string_view piece(int token) const;

  int vocab_size() const;                                   // largest id + 1
  std::optional<int> special(std::string_view text) const;  // the id of a special token
  bool is_special(int token) const;
  // The ids a Llama 3 template needs; -1 where the vocabulary has none.
  int bos() const;
  int eot() const;               // <|eot_id|>
  int eos() const;               // <|end_of_text|>
  uint64_t fingerprint() const;  // of all pieces: equal for tokenizers that give the same ids

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace chatmem
