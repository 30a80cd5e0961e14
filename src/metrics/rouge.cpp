// ROUGE on interned tokens: unigrams and n-grams are counted in dense arrays, the longest common
// subsequence is bit-parallel. tests/rouge_test.cpp keeps the slow twin.
#include "metrics/rouge.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/hash.h"
#include "metrics/porter.h"

namespace chatmem {
namespace {

using Id = uint32_t;
using Ids = std::vector<Id>;

// Words kept across pairs; beyond it the vocabulary is forgotten and begun again.
constexpr size_t kMaxVocabulary = size_t(1) << 20, kMaxVocabularyBytes = size_t(64) << 20;

// Open addressing from strings to dense ids; the strings lie one after another in one buffer.
class StringTable {
 public:
  // The id of the word, the next free one when it is new.
  Id intern(std::string_view word, uint64_t hash) {
    if (entries_.size() * 2 >= slots_.size()) grow();
    for (size_t slot = hash & mask();; slot = (slot + 1) & mask()) {
      const uint32_t taken = slots_[slot];
      if (taken == 0) {
        entries_.push_back({hash, bytes_.size(), word.size()});
        bytes_ += word;
        slots_[slot] = uint32_t(entries_.size());
        return Id(entries_.size() - 1);
      }
      if (entries_[taken - 1].hash == hash && text(taken - 1) == word) return taken - 1;
    }
  }
  size_t size() const { return entries_.size(); }
  size_t size_bytes() const { return bytes_.size(); }

 private:
  struct Entry {
    uint64_t hash;
    size_t begin, size_bytes;
  };
  size_t mask() const { return slots_.size() - 1; }
  std::string_view text(Id id) const {
    return std::string_view(bytes_).substr(entries_[id].begin, entries_[id].size_bytes);
  }
  void grow() {
    slots_.assign(std::max<size_t>(1024, slots_.size() * 2), 0);
    for (size_t i = 0; i < entries_.size(); i++) {
      size_t slot = entries_[i].hash & mask();
      while (slots_[slot] != 0) slot = (slot + 1) & mask();
      slots_[slot] = uint32_t(i + 1);
    }
  }

  std::vector<uint32_t> slots_;  // id + 1; 0 is free
  std::vector<Entry> entries_;
  std::string bytes_;
};

// Open addressing from pairs of ids to dense ids, emptied in O(1) by a new round.
class PairTable {
 public:
  // Makes room for n_pairs different pairs and forgets those before.
  void start(size_t n_pairs) {
    if (slots_.size() < n_pairs * 2 || round_ == ~uint32_t(0)) {
      slots_.assign(std::bit_ceil(std::max<size_t>(256, n_pairs * 2)), {});
      round_ = 0;
    }
    round_++;
    size_ = 0;
  }
  Id intern(Id first, Id second) {
    const uint64_t key = uint64_t(first) << 32 | second;
    const size_t mask = slots_.size() - 1;
    // Fibonacci hashing; the high bits of the product are the well mixed ones.
    for (size_t slot = (key * 0x9E3779B97F4A7C15ull >> 32) & mask;; slot = (slot + 1) & mask) {
      Slot& at = slots_[slot];
      if (at.round != round_) return at = {key, round_, size_}, size_++;
      if (at.key == key) return at.id;
    }
  }
  size_t size() const { return size_; }

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t round = 0;
    Id id = 0;
  };
  std::vector<Slot> slots_;
  uint32_t round_ = 0;
  Id size_ = 0;
};

// [a-z0-9] as it is, [A-Z] in lower case, 0 for a separator.
constexpr std::array<char, 256> kTokenCharacters = [] {
  std::array<char, 256> table{};
  for (char c = 'a'; c <= 'z'; c++) table[size_t(c)] = table[size_t(c - 'a' + 'A')] = c;
  for (char c = '0'; c <= '9'; c++) table[size_t(c)] = c;
  return table;
}();

// Calls token(text, hash) for each token. Of all code points beyond ASCII only two are letters for
// rouge_score, because lower() gives ASCII for them: U+212A KELVIN SIGN is "k", and U+0130, I with
// a dot, is "i" and U+0307, a separator.
template <typename Token>
void for_each_token(std::string_view text, std::string& buffer, const Token& token) {
  buffer.clear();
  uint64_t hash = hash64("");
  const auto add = [&](char c) {
    buffer += c;
    hash = hash64({&c, 1}, hash);
  };
  const auto end = [&] {
    if (!buffer.empty()) token(buffer, hash);
    buffer.clear();
    hash = hash64("");
  };
  for (size_t i = 0; i < text.size(); i++) {
    if (const char c = kTokenCharacters[uint8_t(text[i])]; c != 0) {
      add(c);
    } else if (text[i] == '\xE2' && text.substr(i).starts_with("\xE2\x84\xAA")) {
      add('k');
      i += 2;
    } else if (text[i] == '\xC4' && text.substr(i).starts_with("\xC4\xB0")) {
      add('i');
      end();
      i += 1;
    } else {
      end();
    }
  }
  end();
}

void stem_token(std::string& token) {
  if (token.size() > 3) porter_stem_in_place(token);
}

RougeScore score_of(size_t overlap, size_t n_prediction, size_t n_reference) {
  // The order of operations of rouge_score, so that the doubles are the same.
  RougeScore score;
  score.precision = double(overlap) / double(std::max<size_t>(n_prediction, 1));
  score.recall = double(overlap) / double(std::max<size_t>(n_reference, 1));
  if (score.precision + score.recall > 0)
    score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

// The sum over ids of the smaller count. `counts` is all zero before and after, and longer than the
// largest id.
size_t overlap(std::span<const Id> a, std::span<const Id> b, std::vector<uint32_t>& counts) {
  for (const Id id : a) counts[id]++;
  size_t common = 0;
  for (const Id id : b)
    if (counts[id] > 0) counts[id]--, common++;
  for (const Id id : a) counts[id] = 0;
  return common;
}

// Replaces n-grams by (n+1)-grams: grams[i] and tokens[i + n] become one id.
void lengthen(Ids& grams, std::span<const Id> tokens, size_t n, PairTable& pairs) {
  const size_t count = tokens.size() > n ? tokens.size() - n : 0;
  for (size_t i = 0; i < count; i++) grams[i] = pairs.intern(grams[i], tokens[i + n]);
  grams.resize(count);
}

// One pair of texts as ids, and the buffers to score it.
struct Pair {
  Stemming stemming = Stemming::on;
  StringTable words, stems;
  Ids stem_of_word;
  Ids prediction, reference, prediction_grams, reference_grams;
  PairTable pairs;
  std::vector<uint32_t> counts;  // by id, all zero between uses
  std::vector<uint64_t> masks;   // by id, all zero between uses
  std::vector<uint8_t> carries;
  std::string token, stem;

  void forget() {
    words = {}, stems = {};
    stem_of_word.clear();
  }
  Id id_of_word(std::string_view word, uint64_t hash);
  void read(std::string_view text, Ids& ids);
  void take(const std::vector<std::string>& tokens, Ids& ids);
  void make_room() {
    if (counts.size() < stems.size()) counts.resize(stems.size());
    if (masks.size() < stems.size()) masks.resize(stems.size());
  }
  RougeScore score_n(int n);
  RougeScore score_l();
  size_t lcs(std::span<const Id> pattern, std::span<const Id> text);
};

Id Pair::id_of_word(std::string_view word, uint64_t hash) {
  const Id id = words.intern(word, hash);
  if (id < stem_of_word.size()) return stem_of_word[id];
  stem = word;
  if (stemming == Stemming::on) stem_token(stem);
  stem_of_word.push_back(stems.intern(stem, hash64(stem)));
  return stem_of_word.back();
}

void Pair::read(std::string_view text, Ids& ids) {
  ids.clear();
  for_each_token(text, token, [&](std::string_view word, uint64_t hash) {
    ids.push_back(id_of_word(word, hash));
  });
}

// Tokens as they are: stemmed or not by whoever made them.
void Pair::take(const std::vector<std::string>& tokens, Ids& ids) {
  for (const std::string& token_text : tokens)
    ids.push_back(stems.intern(token_text, hash64(token_text)));
}

RougeScore Pair::score_n(int n) {
  CHECK(n >= 1 && n <= 9);
  if (n == 1)
    return score_of(overlap(reference, prediction, counts), prediction.size(), reference.size());
  prediction_grams = prediction, reference_grams = reference;
  for (size_t length = 1; length < size_t(n); length++) {
    pairs.start(prediction.size() + reference.size());
    lengthen(reference_grams, reference, length, pairs);
    lengthen(prediction_grams, prediction, length, pairs);
  }
  if (counts.size() < pairs.size()) counts.resize(pairs.size());
  return score_of(overlap(reference_grams, prediction_grams, counts), prediction_grams.size(),
                  reference_grams.size());
}

// H. Hyyro, "Bit-parallel LCS-length computation revisited" (2004): bit i of `row` is 0 where the
// LCS grows by pattern[i]. The pattern is taken in blocks of 64, each over the whole text; what a
// block's addition carries out at each position of the text is kept for the next block, so memory
// stays linear.
size_t Pair::lcs(std::span<const Id> pattern, std::span<const Id> text) {
  size_t length = 0;
  carries.assign(text.size(), 0);
  for (size_t begin = 0; begin < pattern.size(); begin += 64) {
    const auto block = pattern.subspan(begin, std::min<size_t>(64, pattern.size() - begin));
    for (size_t i = 0; i < block.size(); i++) masks[block[i]] |= uint64_t(1) << i;
    uint64_t row = ~uint64_t(0);
    for (size_t j = 0; j < text.size(); j++) {
      const uint64_t mask = masks[text[j]], matches = row & mask;
      const uint64_t partial = row + matches, sum = partial + carries[j];
      carries[j] = uint8_t(partial < row) | uint8_t(sum < partial);
      row = sum | (row & ~mask);
    }
    const uint64_t used = block.size() == 64 ? ~uint64_t(0) : (uint64_t(1) << block.size()) - 1;
    length += size_t(std::popcount(~row & used));
    for (const Id id : block) masks[id] = 0;
  }
  return length;
}

RougeScore Pair::score_l() {
  const bool prediction_shorter = prediction.size() < reference.size();
  const size_t length =
      prediction_shorter ? lcs(prediction, reference) : lcs(reference, prediction);
  return score_of(length, prediction.size(), reference.size());
}

Pair pair_of(const std::vector<std::string>& prediction,
             const std::vector<std::string>& reference) {
  Pair pair;
  pair.take(prediction, pair.prediction);
  pair.take(reference, pair.reference);
  pair.make_room();
  return pair;
}

}  // namespace

struct RougeScorer::Scratch {
  Pair pair;
};

RougeScorer::RougeScorer(Stemming stemming) : scratch_(std::make_unique<Scratch>()) {
  scratch_->pair.stemming = stemming;
}
RougeScorer::~RougeScorer() = default;
RougeScorer::RougeScorer(RougeScorer&&) noexcept = default;
RougeScorer& RougeScorer::operator=(RougeScorer&&) noexcept = default;

RougeScores RougeScorer::score(std::string_view prediction, std::string_view reference) {
  Pair& pair = scratch_->pair;
  if (pair.words.size() > kMaxVocabulary || pair.words.size_bytes() > kMaxVocabularyBytes)
    pair.forget();
  pair.read(prediction, pair.prediction);
  pair.read(reference, pair.reference);
  pair.make_room();
  return {pair.score_n(1), pair.score_n(2), pair.score_l()};
}

std::vector<std::string> rouge_tokens(std::string_view text, Stemming stemming) {
  std::vector<std::string> tokens;
  std::string buffer;
  for_each_token(text, buffer, [&](std::string_view word, uint64_t) {
    tokens.emplace_back(word);
    if (stemming == Stemming::on) stem_token(tokens.back());
  });
  return tokens;
}

RougeScore rouge_n(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference, int n) {
  return pair_of(prediction, reference).score_n(n);
}

RougeScore rouge_l(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference) {
  return pair_of(prediction, reference).score_l();
}

RougeScores rouge(std::string_view prediction, std::string_view reference, Stemming stemming) {
  return RougeScorer(stemming).score(prediction, reference);
}

}  // namespace chatmem
