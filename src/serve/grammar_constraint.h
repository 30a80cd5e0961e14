// A grammar as the engine's constraint on tokens.
#pragma once
#include <memory>
#include <vector>

#include "serve/engine.h"
#include "text/token_masks.h"

namespace chatmem {

class GrammarConstraint final : public TokenConstraint {
 public:
  // Stop tokens, of which there is at least one, may come where the text is whole, and where the
  // vocabulary has no token to go on with. The trie must outlive the constraint.
  GrammarConstraint(ByteGrammar grammar, const TokenTrie& trie, std::vector<int> stop_tokens);
  std::unique_ptr<TokenFilter> make_filter() const override;

 private:
  const ByteGrammar grammar_;
  const TokenTrie& trie_;
  const std::vector<int> stop_tokens_;
};

}  // namespace chatmem
