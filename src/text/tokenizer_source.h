// What the readers of tokenizer files hand to Tokenizer.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/bpe.h"
#include "text/split_expression.h"
#include "text/tokenizer.h"

namespace chatmem {

// Added tokens that are not special (Qwen's <think>) are found in every text.
enum class TokenKind : uint8_t { ordinary, special, added };

struct TokenizerSource {
  std::vector<std::string> pieces;  // bytes, by id
  std::vector<TokenKind> kinds;
  std::vector<Merge> merges;
  bool whole_pieces_first = false;      // ignore_merges: a piece of the vocabulary is not merged
  std::vector<SplitExpression> splits;  // applied one after the other
};

// A tokenizer.json or tokenizer.model, or a folder that holds one, as Tokenizer::load takes it.
TokenizerSource read_tokenizer(const fs::path& path);

// The reader of each form. `where` names the source in errors.
TokenizerSource read_tokenizer_json(std::string_view bytes, std::string_view where);
TokenizerSource read_tiktoken(std::string_view bytes, std::string_view where);
TokenizerSource read_tokenizer_lists(const TokenizerLists& lists, std::string_view where);

// What read_tokenizer_lists reads: TokenizerLists that owns its values.
struct TokenizerListsOwned {
  std::vector<std::string> tokens, merges;
  std::vector<int> types;
  std::string split;
};
// Throws Error when llama.cpp has no name for how the tokenizer splits a text.
TokenizerListsOwned tokenizer_lists(const TokenizerSource& source, std::string_view where);

// The tokenizer as a tokenizer.json that read_tokenizer_json and Hugging Face's tokenizers open.
std::string tokenizer_json(const TokenizerSource& source);

constexpr size_t kMaxVocabulary = size_t(1) << 22;
constexpr size_t kMaxPieceBytes = 4096;

// Llama 3's split expression (llama-models, tokenizer.py) and GPT-2's (encoder.py).
extern const std::string_view kLlama3Split;
extern const std::string_view kGpt2Split;

// The bytes that a text in GPT-2's byte-level alphabet stands for: printable Latin-1 characters
// are themselves, the other 68 bytes are U+0100 onwards. nullopt when a character is not of it.
std::optional<std::string> bytes_of_byte_level(std::string_view text);

// The other way round.
std::string byte_level_of_bytes(std::string_view bytes);

// The pieces without special and added ones, for looking up merges.
PieceTable ordinary_pieces(const TokenizerSource& source);

// Adds the merge of two pieces. Throws Error when they or their whole are not ordinary pieces.
void add_merge(TokenizerSource& source, const PieceTable& table, std::string_view left,
               std::string_view right, std::string_view where);

[[noreturn]] void tokenizer_error(std::string_view where, std::string_view what,
                                  std::string hint = {});

}  // namespace chatmem
