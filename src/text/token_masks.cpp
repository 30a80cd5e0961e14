#include "text/token_masks.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr size_t kMaxPlainBytes = 32;     // so at most as many characters
constexpr size_t kMaxTokenBytes = 1'024;  // longer ones never come

bool is_plain(std::string_view piece) {
  return piece.size() <= kMaxPlainBytes && find_invalid_utf8(piece) == piece.npos &&
         std::ranges::none_of(piece,
                              [](char c) { return uint8_t(c) < 0x20 || c == '"' || c == '\\'; });
}

void set_bit(std::span<uint32_t> bits, int token) {
  bits[size_t(token) / 32] |= uint32_t(1) << size_t(token) % 32;
}

std::vector<std::string_view> text_pieces(const Tokenizer& tokenizer) {
  std::vector<std::string_view> pieces;
  for (int token = 0; token < tokenizer.vocab_size(); token++)
    pieces.push_back(tokenizer.is_special(token) ? std::string_view() : tokenizer.piece(token));
  return pieces;
}

}  // namespace

TokenTrie::TokenTrie(const Tokenizer& tokenizer) : TokenTrie(text_pieces(tokenizer)) {}

TokenTrie::TokenTrie(std::vector<std::string_view> pieces)
    : pieces_(std::move(pieces)), plain_((pieces_.size() + 31) / 32) {
  std::vector<int> order;
  for (size_t token = 0; token < pieces_.size(); token++)
    if (!pieces_[token].empty() && pieces_[token].size() <= kMaxTokenBytes)
      order.push_back(int(token));
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return piece(a) < piece(b); });
  std::vector<int> distinct, rest;
  for (const int token : order) {
    if (!distinct.empty() && piece(distinct.back()) == piece(token)) {
      twins_.push_back({distinct.back(), token});
      continue;
    }
    distinct.push_back(token);
    if (is_plain(piece(token)))
      set_bit(plain_, token);
    else
      rest.push_back(token);
  }
  all_ = make_nodes(distinct);
  rest_ = make_nodes(rest);
}

// Of tokens in the order of their bytes, all different.
std::vector<TokenTrie::Node> TokenTrie::make_nodes(const std::vector<int>& tokens) {
  std::vector<Node> nodes;
  std::vector<size_t> path;  // the nodes of the token before
  const auto close = [&](size_t depth) {
    for (; path.size() > depth; path.pop_back()) nodes[path.back()].end = uint32_t(nodes.size());
  };
  std::string_view before;
  for (const int token : tokens) {
    const std::string_view bytes = piece(token);
    const size_t shared = size_t(std::ranges::mismatch(before, bytes).in1 - before.begin());
    close(shared);
    for (size_t i = shared; i < bytes.size(); i++) {
      path.push_back(nodes.size());
      nodes.push_back({-1, 0, uint16_t(i + 1), uint8_t(bytes[i])});
    }
    nodes.back().token = token;
    max_depth_ = std::max(max_depth_, bytes.size());
    before = bytes;
  }
  close(0);
  return nodes;
}

void TokenTrie::add_allowed(GrammarMatcher& matcher, int state, std::span<uint32_t> bits) const {
  CHECK(bits.size() >= plain_.size());
  const bool takes_plain = matcher.text_room(state) >= int(kMaxPlainBytes);
  if (takes_plain)
    for (size_t i = 0; i < plain_.size(); i++) bits[i] |= plain_[i];
  const std::vector<Node>& nodes = takes_plain ? rest_ : all_;
  std::vector<int> states(max_depth_ + 1);  // after the bytes of the path to the node
  states[0] = state;
  for (size_t i = 0; i < nodes.size();) {
    const Node& node = nodes[i];
    const int next = matcher.step(states[node.depth - 1u], node.byte);
    if (next == GrammarMatcher::kDead) {
      i = node.end;
      continue;
    }
    states[node.depth] = next;
    if (node.token >= 0) set_bit(bits, node.token);
    i++;
  }
  for (const auto& [one, other] : twins_)
    if (bits[size_t(one) / 32] >> one % 32 & 1) set_bit(bits, other);
}

TokenMatcher::TokenMatcher(const ByteGrammar& grammar, const TokenTrie& trie)
    : matcher_(grammar), trie_(trie), state_(matcher_.start()) {}

void TokenMatcher::add_allowed(std::span<uint32_t> bits) {
  if (matcher_.is_full()) {
    state_ = matcher_.compact(state_);
    masks_.clear();
  }
  auto mask = masks_.find(state_);
  if (mask == masks_.end()) {
    if (masks_.size() == kMaxMasks) masks_.clear();
    mask = masks_.emplace(state_, std::vector<uint32_t>(bits.size())).first;
    matcher_.refill();
    trie_.add_allowed(matcher_, state_, mask->second);
  }
  CHECK(mask->second.size() == bits.size());
  for (size_t i = 0; i < bits.size(); i++) bits[i] |= mask->second[i];
}

bool TokenMatcher::accept(int token) {
  const std::string_view bytes = trie_.piece(token);
  if (bytes.empty()) return false;
  int state = state_;
  for (const char byte : bytes) {
    matcher_.refill();
    state = matcher_.step(state, uint8_t(byte));
    if (state == GrammarMatcher::kDead) return false;
  }
  state_ = state;
  return true;
}

}  // namespace chatmem
