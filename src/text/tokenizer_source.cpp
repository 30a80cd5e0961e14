// The byte-level alphabet, tiktoken's rank files, the lists of a GGUF.
#include "text/tokenizer_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {

const std::string_view kLlama3Split =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string_view kGpt2Split =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

constexpr int kLlama3Specials = 256;
constexpr int kNormal = 1, kControl = 3, kUserDefined = 4;  // llama.cpp's types of tokens

// llama.cpp's names (llama-vocab.cpp) for a split expression; with ignore_merges and without.
struct SplitName {
  std::string_view name, expression;
  bool whole_pieces_first;
};
const SplitName kSplitNames[] = {
    {"llama-bpe", kLlama3Split, true},  {"llama3", kLlama3Split, true},
    {"llama-v3", kLlama3Split, true},   {"falcon3", kLlama3Split, true},
    {"smaug-bpe", kLlama3Split, false}, {"dbrx", kLlama3Split, false},
    {"gpt-2", kGpt2Split, false}};

// From code point to byte, -1 where the alphabet has none.
std::array<int16_t, 0x144> byte_level_alphabet() {
  std::array<int16_t, 0x144> byte_of;
  byte_of.fill(-1);
  int extra = 0x100;
  for (int byte = 0; byte < 256; byte++) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    byte_of[size_t(printable ? byte : extra++)] = int16_t(byte);
  }
  return byte_of;
}

std::optional<std::string> bytes_of_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const auto value = [](char c) -> int {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
  };
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t word = 0;
    const size_t digits = i + 4 == text.size() ? 4 - padding : 4;
    for (size_t k = 0; k < 4; k++) {
      const int v = k < digits ? value(text[i + k]) : 0;
      if (v < 0) return std::nullopt;
      word = word << 6 | uint32_t(v);
    }
    for (size_t k = 0; k + 1 < digits; k++) bytes += char(word >> (16 - 8 * k));
  }
  return bytes;
}

// The names of Llama 3.1's 256 special tokens, in the order of their ids.
std::string llama3_special(int index) {
  switch (index) {
    case 0:
      return "<|begin_of_text|>";
    case 1:
      return "<|end_of_text|>";
    case 2:
      return "<|reserved_special_token_0|>";
    case 3:
      return "<|reserved_special_token_1|>";
    case 4:
      return "<|finetune_right_pad_id|>";
    case 5:
      return "<|reserved_special_token_2|>";
    case 6:
      return "<|start_header_id|>";
    case 7:
      return "<|end_header_id|>";
    case 8:
      return "<|eom_id|>";
    case 9:
      return "<|eot_id|>";
    case 10:
      return "<|python_tag|>";
    default:
      return fmt::format("<|reserved_special_token_{}|>", index - 8);
  }
}

// One line "base64 rank" into pieces[rank].
void read_rank(std::string_view line, std::vector<std::string>& pieces, std::string_view where) {
  const size_t space = line.find(' ');
  const auto bytes = bytes_of_base64(line.substr(0, space));
  if (space == line.npos || !bytes)
    tokenizer_error(where, "must be a piece in base64, a space and its rank");
  if (bytes->size() > kMaxPieceBytes)
    tokenizer_error(where, fmt::format("a piece may have at most {} bytes", kMaxPieceBytes));
  const std::string_view digits = line.substr(space + 1);
  size_t rank = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9' || rank > kMaxVocabulary)
      tokenizer_error(where, fmt::format("a rank must be a number below {}", kMaxVocabulary));
    rank = rank * 10 + size_t(c - '0');
  }
  if (digits.empty() || rank >= kMaxVocabulary)
    tokenizer_error(where, fmt::format("a rank must be a number below {}", kMaxVocabulary));
  if (rank >= pieces.size()) pieces.resize(rank + 1);
  if (!pieces[rank].empty()) tokenizer_error(where, fmt::format("the rank {} comes twice", rank));
  pieces[rank] = *bytes;
}

// Any two pieces that make a piece may merge. Hugging Face's converter (transformers,
// convert_slow_tokenizer.py, TikTokenConverter) orders them by the whole, the left, the right.
void derive_merges(TokenizerSource& source) {
  const PieceTable table = ordinary_pieces(source);
  for (size_t id = 0; id < source.pieces.size(); id++) {
    if (source.kinds[id] != TokenKind::ordinary) continue;
    const std::string_view whole = source.pieces[id];
    const size_t first = source.merges.size();
    for (size_t cut = 1; cut < whole.size(); cut++) {
      const int left = table.find(whole.substr(0, cut));
      const int right = left < 0 ? -1 : table.find(whole.substr(cut));
      if (right >= 0) source.merges.push_back({left, right, int(id)});
    }
    std::sort(source.merges.begin() + std::ptrdiff_t(first), source.merges.end(),
              [](const Merge& a, const Merge& b) {
                return a.left != b.left ? a.left < b.left : a.right < b.right;
              });
  }
}

}  // namespace

void tokenizer_error(std::string_view where, std::string_view what, std::string hint) {
  throw Error(fmt::format("[tokenizer] {}: {}", where, what), std::move(hint));
}

std::optional<std::string> bytes_of_byte_level(std::string_view text) {
  static const std::array<int16_t, 0x144> byte_of = byte_level_alphabet();
  std::string bytes;
  for (size_t i = 0; i < text.size(); i++) {
    uint32_t c = uint8_t(text[i]);
    if (c >= 0x80) {  // the alphabet's other characters have two bytes
      if ((c & 0xE0) != 0xC0 || i + 1 >= text.size()) return std::nullopt;
      c = (c & 0x1F) << 6 | (uint8_t(text[++i]) & 0x3F);
    }
    if (c >= byte_of.size() || byte_of[c] < 0) return std::nullopt;
    bytes += char(byte_of[c]);
  }
  return bytes;
}

std::string byte_level_of_bytes(std::string_view bytes) {
  static const std::array<std::string, 256> text_of = [] {
    std::array<std::string, 256> texts;
    const std::array<int16_t, 0x144> byte_of = byte_level_alphabet();
    for (size_t c = 0; c < byte_of.size(); c++)
      if (byte_of[c] >= 0) append_utf8(texts[size_t(byte_of[c])], char32_t(c));
    return texts;
  }();
  std::string text;
  for (const char byte : bytes) text += text_of[uint8_t(byte)];
  return text;
}

PieceTable ordinary_pieces(const TokenizerSource& source) {
  std::vector<uint8_t> skip(source.pieces.size());
  for (size_t id = 0; id < skip.size(); id++) skip[id] = source.kinds[id] != TokenKind::ordinary;
  PieceTable table;
  table.build(source.pieces, skip);
  return table;
}

void add_merge(TokenizerSource& source, const PieceTable& table, std::string_view left,
               std::string_view right, std::string_view where) {
  const auto left_bytes = bytes_of_byte_level(left), right_bytes = bytes_of_byte_level(right);
  const Merge merge{left_bytes ? table.find(*left_bytes) : -1,
                    right_bytes ? table.find(*right_bytes) : -1,
                    left_bytes && right_bytes ? table.find(*left_bytes + *right_bytes) : -1};
  if (merge.left < 0 || merge.right < 0 || merge.merged < 0)
    tokenizer_error(where, fmt::format("merge {} is of pieces that are not in the vocabulary: "
                                       "'{}' and '{}'",
                                       source.merges.size() + 1, left, right));
  source.merges.push_back(merge);
}

TokenizerSource read_tiktoken(std::string_view bytes, std::string_view where) {
  TokenizerSource source;
  for (size_t number = 1; !bytes.empty(); number++) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) read_rank(line, source.pieces, fmt::format("{}, line {}", where, number));
  }
  for (size_t id = 0; id < source.pieces.size(); id++)
    if (source.pieces[id].empty())
      tokenizer_error(where, fmt::format("ranks must be dense, {} is missing", id));
  source.kinds.assign(source.pieces.size(), TokenKind::ordinary);
  for (int i = 0; i < kLlama3Specials; i++) {
    source.pieces.push_back(llama3_special(i));
    source.kinds.push_back(TokenKind::special);
  }
  source.whole_pieces_first = true;
  source.splits.emplace_back(kLlama3Split, where);
  derive_merges(source);
  return source;
}

TokenizerSource read_tokenizer_lists(const TokenizerLists& lists, std::string_view where) {
  if (lists.tokens.size() > kMaxVocabulary || lists.types.size() != lists.tokens.size())
    tokenizer_error(where, fmt::format("must have a type for each token, at most {}; has {} tokens "
                                       "and {} types",
                                       kMaxVocabulary, lists.tokens.size(), lists.types.size()));
  TokenizerSource source;
  for (size_t id = 0; id < lists.tokens.size(); id++) {
    const int type = lists.types[id];
    source.kinds.push_back(type == kControl       ? TokenKind::special
                           : type == kUserDefined ? TokenKind::added
                                                  : TokenKind::ordinary);
    const std::string& token = lists.tokens[id];
    const auto bytes =
        source.kinds.back() == TokenKind::ordinary ? bytes_of_byte_level(token) : token;
    if (!bytes || bytes->empty() || bytes->size() > kMaxPieceBytes)
      tokenizer_error(where, fmt::format("token {} is not of the byte-level alphabet", id));
    source.pieces.push_back(*bytes);
  }
  const auto split = std::ranges::find(kSplitNames, lists.split, &SplitName::name);
  if (split == std::end(kSplitNames))
    tokenizer_error(where, fmt::format("the split must be llama-bpe, smaug-bpe or gpt-2, is '{}'",
                                       replace_invalid_utf8(lists.split)));
  source.whole_pieces_first = split->whole_pieces_first;
  source.splits.emplace_back(split->expression, where);
  const PieceTable table = ordinary_pieces(source);
  for (const std::string& merge : lists.merges) {
    const size_t space = merge.find(' ');
    if (space == merge.npos) tokenizer_error(where, "a merge must be two pieces and a space");
    const std::string_view text = merge;
    add_merge(source, table, text.substr(0, space), text.substr(space + 1), where);
  }
  return source;
}

TokenizerListsOwned tokenizer_lists(const TokenizerSource& source, std::string_view where) {
  const auto split = std::ranges::find_if(kSplitNames, [&](const SplitName& name) {
    return source.splits.size() == 1 && source.splits[0].expression() == name.expression &&
           source.whole_pieces_first == name.whole_pieces_first;
  });
  if (split == std::end(kSplitNames))
    tokenizer_error(where, "must split texts as Llama 3 or GPT-2 does to be written to a GGUF");
  TokenizerListsOwned lists;
  lists.split = split->name;
  std::vector<std::string> texts;  // of all pieces, for the merges
  for (size_t id = 0; id < source.pieces.size(); id++) {
    const TokenKind kind = source.kinds[id];
    texts.push_back(kind == TokenKind::ordinary ? byte_level_of_bytes(source.pieces[id])
                                                : source.pieces[id]);
    lists.types.push_back(kind == TokenKind::special ? kControl
                          : kind == TokenKind::added ? kUserDefined
                                                     : kNormal);
  }
  for (const Merge& merge : source.merges)
    lists.merges.push_back(texts[size_t(merge.left)] + " " + texts[size_t(merge.right)]);
  lists.tokens = std::move(texts);
  return lists;
}

}  // namespace chatmem
