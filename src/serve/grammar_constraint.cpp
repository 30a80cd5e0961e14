#include "serve/grammar_constraint.h"

#include <algorithm>

#include "base/error.h"

namespace chatmem {
namespace {

class GrammarFilter final : public TokenFilter {
 public:
  GrammarFilter(const ByteGrammar& grammar, const TokenTrie& trie,
                const std::vector<int>& stop_tokens)
      : matcher_(grammar, trie), stop_tokens_(stop_tokens) {}

  void allow(std::span<uint32_t> bits) override {
    matcher_.add_allowed(bits);
    const bool goes_on = std::ranges::any_of(bits, [](uint32_t word) { return word != 0; });
    if (goes_on && !matcher_.complete()) return;
    for (const int token : stop_tokens_)
      bits[size_t(token) / 32] |= uint32_t(1) << size_t(token) % 32;
  }
  void accept(int token) override {
    if (std::ranges::find(stop_tokens_, token) != stop_tokens_.end()) return;
    CHECK(matcher_.accept(token));
  }

 private:
  TokenMatcher matcher_;
  const std::vector<int>& stop_tokens_;
};

}  // namespace

GrammarConstraint::GrammarConstraint(ByteGrammar grammar, const TokenTrie& trie,
                                     std::vector<int> stop_tokens)
    : grammar_(std::move(grammar)), trie_(trie), stop_tokens_(std::move(stop_tokens)) {
  CHECK(!stop_tokens_.empty());
}

std::unique_ptr<TokenFilter> GrammarConstraint::make_filter() const {
  return std::make_unique<GrammarFilter>(grammar_, trie_, stop_tokens_);
}

}  // namespace chatmem
