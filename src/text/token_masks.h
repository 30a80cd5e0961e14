// Which tokens of a vocabulary may come next in a text of a ByteGrammar. Tokens are their bytes:
// they may end within characters, keys or numbers, and span several.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/grammar_matcher.h"
#include "text/tokenizer.h"

namespace chatmem {

// The bytes of all tokens as a tree, in which a beginning that is refused refuses all that go on
// from it. Safe to read from several threads.
class TokenTrie {
 public:
  // pieces[i] are the bytes of token i, which must outlive the trie; a token without any never
  // comes.
  explicit TokenTrie(std::vector<std::string_view> pieces);
  // Special tokens never come.
  explicit TokenTrie(const Tokenizer& tokenizer);

  // Sets the bits of the tokens that lead from the state to another one.
  void add_allowed(GrammarMatcher& matcher, int state, std::span<uint32_t> bits) const;
  std::string_view piece(int token) const { return pieces_.at(size_t(token)); }
  int vocab_size() const { return int(pieces_.size()); }

 private:
  // In the order of a walk that visits a node before its children.
  struct Node {
    int token;     // that ends here, or -1
    uint32_t end;  // the next node that is not below this one
    uint16_t depth;
    uint8_t byte;
  };
  std::vector<Node> make_nodes(const std::vector<int>& tokens);

  std::vector<std::string_view> pieces_;
  std::vector<Node> all_;
  // Most of a vocabulary is plain text, which every string takes: that is one mask, and only the
  // rest is walked.
  std::vector<uint32_t> plain_;
  std::vector<Node> rest_;
  std::vector<std::pair<int, int>> twins_;  // tokens of the same bytes: one in the nodes, another
  size_t max_depth_ = 0;
};

// One text on its way. Grammar and trie must outlive it.
class TokenMatcher {
 public:
  TokenMatcher(const ByteGrammar& grammar, const TokenTrie& trie);

  // Sets the bits of the tokens that may come next: every one can be gone on from to a whole text,
  // given a token for each byte. Masks are kept for the states that come again.
  void add_allowed(std::span<uint32_t> bits);
  // Takes the token, or returns false where it may not come.
  bool accept(int token);
  bool complete() const { return matcher_.complete(state_); }  // the text is whole

 private:
  static constexpr size_t kMaxMasks = 256;
  GrammarMatcher matcher_;
  const TokenTrie& trie_;
  int state_;
  std::unordered_map<int, std::vector<uint32_t>> masks_;  // by state
};

}  // namespace chatmem
