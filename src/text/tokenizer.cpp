// Text to tokens: special tokens are cut out, then valid UTF-8 is split by the expressions, then
// each piece is looked up whole or merged from its bytes.
#include "text/tokenizer.h"

#include <fmt/format.h>

#include <array>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "text/tokenizer_source.h"

namespace chatmem {
namespace {

constexpr size_t kMaxFileBytes = size_t(512) << 20;

// Finds the longest of a set of strings at a place: a trie.
class Trie {
 public:
  void add(std::string_view text, int id) {
    uint32_t node = 0;
    for (const char c : text) {
      const auto [it, is_new] = edges_.emplace(edge(node, c), uint32_t(ids_.size()));
      if (is_new) ids_.push_back(-1);
      node = it->second;
    }
    ids_[node] = id;
    begins_[uint8_t(text[0])] = true;
  }

  // The longest string at text[at], or -1; its size goes to `size`.
  int find(std::string_view text, size_t at, size_t& size) const {
    int found = -1;
    uint32_t node = 0;
    for (size_t i = at; i < text.size(); i++) {
      const auto it = edges_.find(edge(node, text[i]));
      if (it == edges_.end()) break;
      node = it->second;
      if (ids_[node] < 0) continue;
      found = ids_[node];
      size = i + 1 - at;
    }
    return found;
  }

  bool empty() const { return edges_.empty(); }
  bool may_begin(char c) const { return begins_[uint8_t(c)]; }

 private:
  static uint64_t edge(uint32_t node, char c) { return uint64_t(node) << 8 | uint8_t(c); }
  std::unordered_map<uint64_t, uint32_t> edges_;
  std::vector<int> ids_{-1};
  std::array<bool, 256> begins_{};
};

std::array<int, 256> single_bytes(const PieceTable& table, std::string_view where) {
  std::array<int, 256> ids;
  for (int byte = 0; byte < 256; byte++) {
    const char c = char(byte);
    ids[size_t(byte)] = table.find(std::string_view(&c, 1));
    if (ids[size_t(byte)] < 0)
      tokenizer_error(where,
                      fmt::format("must have all 256 single bytes, 0x{:02X} is missing", byte),
                      "only byte-level BPE tokenizers are supported, such as Llama 3's");
  }
  return ids;
}

// The file that a path names, or that the folder there holds.
fs::path tokenizer_file(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  for (const char* name : {"tokenizer.json", "tokenizer.model"})
    if (fs::exists(path / name)) return path / name;
  tokenizer_error(fmt::format("'{}'", path.string()),
                  "must hold a tokenizer.json or a tokenizer.model");
}

// Kind and size of a piece, for the fingerprint: "ab", "c" differs from "a", "bc".
std::string head_of(TokenKind kind, size_t size) {
  return {char('0' + int(kind)), char(size), char(size >> 8)};
}

}  // namespace

struct Tokenizer::Impl {
  Impl(TokenizerSource&& source, std::string_view where);

  void encode_piece(std::string_view piece, Bpe::Scratch& scratch, std::vector<int>& out) const;
  void split(std::string_view text, size_t step, Bpe::Scratch& scratch,
             std::vector<int>& out) const;
  void encode_text(std::string_view text, Bpe::Scratch& scratch, std::vector<int>& out) const;
  int find_special(std::string_view name) const {
    size_t size = 0;
    const int id = all_added.find(name, 0, size);
    return id >= 0 && size == name.size() && kinds[size_t(id)] == TokenKind::special ? id : -1;
  }

  std::vector<std::string> pieces;
  std::vector<TokenKind> kinds;
  std::vector<SplitExpression> splits;
  PieceTable whole;  // the pieces that are one token whatever the merges say
  std::array<int, 256> byte_ids;
  Bpe bpe;
  Trie all_added, not_special;  // the tokens to find in a text with and without special tokens
  int bos = -1, eot = -1, eos = -1;
  uint64_t fingerprint = 0;
};

Tokenizer::Impl::Impl(TokenizerSource&& source, std::string_view where)
    : kinds(source.kinds),
      whole(ordinary_pieces(source)),
      byte_ids(single_bytes(whole, where)),
      bpe(byte_ids, source.merges) {
  std::vector<uint8_t> skip(source.pieces.size());
  Bpe::Scratch scratch;
  std::vector<int> tokens;
  for (size_t id = 0; id < skip.size(); id++) {
    const std::string& piece = source.pieces[id];
    skip[id] = kinds[id] != TokenKind::ordinary;
    fingerprint = hash64(piece, hash64(head_of(kinds[id], piece.size()), fingerprint));
    if (skip[id]) {
      size_t size = 0;
      if (all_added.find(piece, 0, size) >= 0 && size == piece.size())
        tokenizer_error(where, fmt::format("the token '{}' is added twice", piece));
      all_added.add(piece, int(id));
      if (kinds[id] == TokenKind::added) not_special.add(piece, int(id));
    } else if (const int other = whole.find(piece); other != int(id)) {
      tokenizer_error(where, fmt::format("the tokens {} and {} are the same bytes", other, id));
    } else if (!source.whole_pieces_first) {
      tokens.clear();
      bpe.encode(piece, scratch, tokens);
      skip[id] = tokens.size() != 1 || tokens[0] != int(id);
    }
  }
  pieces = std::move(source.pieces);
  splits = std::move(source.splits);
  whole.build(pieces, skip);
  bos = find_special("<|begin_of_text|>");
  eot = find_special("<|eot_id|>");
  eos = find_special("<|end_of_text|>");
}

void Tokenizer::Impl::encode_piece(std::string_view piece, Bpe::Scratch& scratch,
                                   std::vector<int>& out) const {
  if (const int id = whole.find(piece); id >= 0)
    out.push_back(id);
  else
    bpe.encode(piece, scratch, out);
}

// Matches are pieces, and so is what lies between two of them.
void Tokenizer::Impl::split(std::string_view text, size_t step, Bpe::Scratch& scratch,
                            std::vector<int>& out) const {
  if (step == splits.size()) return encode_piece(text, scratch, out);
  const bool last = step + 1 == splits.size();
  size_t done = 0, begin = 0, end = 0;
  const auto piece = [&](size_t from, size_t to) {
    if (from == to) return;
    const std::string_view part = text.substr(from, to - from);
    last ? encode_piece(part, scratch, out) : split(part, step + 1, scratch, out);
  };
  while (done < text.size() && splits[step].find(text, done, begin, end)) {
    piece(done, begin);
    piece(begin, end);
    done = end;
  }
  piece(done, text.size());
}

// Bytes that are not UTF-8 are tokens of their own.
void Tokenizer::Impl::encode_text(std::string_view text, Bpe::Scratch& scratch,
                                  std::vector<int>& out) const {
  while (!text.empty()) {
    const size_t bad = find_invalid_utf8(text);
    const std::string_view valid = text.substr(0, bad);
    if (!valid.empty()) split(valid, 0, scratch, out);
    if (bad == text.npos) return;
    out.push_back(byte_ids[uint8_t(text[bad])]);
    text.remove_prefix(bad + 1);
  }
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

TokenizerSource read_tokenizer(const fs::path& path) {
  const fs::path file = tokenizer_file(path);
  const std::string bytes = read_file(file, kMaxFileBytes);
  const std::string where = fmt::format("'{}'", file.string());
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  const bool is_json = first != bytes.npos && bytes[first] == '{';
  return is_json ? read_tokenizer_json(bytes, where) : read_tiktoken(bytes, where);
}

Tokenizer Tokenizer::load(const fs::path& path) {
  return Tokenizer(std::make_unique<Impl>(read_tokenizer(path),
                                          fmt::format("'{}'", tokenizer_file(path).string())));
}

Tokenizer Tokenizer::from_json(std::string_view bytes, std::string_view where) {
  return Tokenizer(std::make_unique<Impl>(read_tokenizer_json(bytes, where), where));
}

Tokenizer Tokenizer::from_tiktoken(std::string_view bytes, std::string_view where) {
  return Tokenizer(std::make_unique<Impl>(read_tiktoken(bytes, where), where));
}

Tokenizer Tokenizer::from_source(TokenizerSource&& source, std::string_view where) {
  return Tokenizer(std::make_unique<Impl>(std::move(source), where));
}

Tokenizer Tokenizer::from_lists(const TokenizerLists& lists, std::string_view where) {
  return Tokenizer(std::make_unique<Impl>(read_tokenizer_lists(lists, where), where));
}

std::vector<int> Tokenizer::encode(std::string_view text, SpecialTokens special) const {
  std::vector<int> out;
  out.reserve(text.size() / 3 + 8);
  Bpe::Scratch scratch;
  const Trie& trie = special == SpecialTokens::parse ? impl_->all_added : impl_->not_special;
  size_t done = 0;
  for (size_t at = 0; !trie.empty() && at < text.size(); at++) {
    size_t size = 0;
    const int id = trie.may_begin(text[at]) ? trie.find(text, at, size) : -1;
    if (id < 0) continue;
    impl_->encode_text(text.substr(done, at - done), scratch, out);
    out.push_back(id);
    done = at + size;
    at = done - 1;
  }
  impl_->encode_text(text.substr(done), scratch, out);
  return out;
}

std::string Tokenizer::decode(std::span<const int> tokens) const {
  std::string text;
  for (const int token : tokens) text += piece(token);
  return text;
}

std::string_view Tokenizer::piece(int token) const {
  if (token < 0 || token >= vocab_size())
    throw Error(
        fmt::format("[tokenizer] a token must be from 0 to {}, is {}", vocab_size() - 1, token));
  return impl_->pieces[size_t(token)];
}

int Tokenizer::vocab_size() const { return int(impl_->pieces.size()); }

std::optional<int> Tokenizer::special(std::string_view text) const {
  const int id = impl_->find_special(text);
  return id < 0 ? std::nullopt : std::optional<int>(id);
}

bool Tokenizer::is_special(int token) const {
  return token >= 0 && token < vocab_size() && impl_->kinds[size_t(token)] == TokenKind::special;
}

int Tokenizer::bos() const { return impl_->bos; }
int Tokenizer::eot() const { return impl_->eot; }
int Tokenizer::eos() const { return impl_->eos; }
uint64_t Tokenizer::fingerprint() const { return impl_->fingerprint; }

}  // namespace chatmem
