// ROUGE on interned tokens: unigrams and n-grams are counted in dense arrays, the longest common
// subsequence is bit-parallel. tests/rouge_test.cpp keeps the slow twin, tools/rouge_reference.py
// an independent one.
#include "metrics/rouge.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/hash.h"
#include "metrics/porter.h"
#include "metrics/unicode_words.h"

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

bool is_ascii(std::string_view token) {
  return std::all_of(token.begin(), token.end(), [](char c) { return uint8_t(c) < 0x80; });
}

void stem_token(std::string& token) {
  if (token.size() > 3 && is_ascii(token)) porter_stem_in_place(token);
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

// Words hit by the longest common subsequence are found in chunks of so many words of the text, so
// that the rows of all of it need not be kept.
constexpr size_t kChunk = 1024;

// A text as ids, and where its lines end among them.
struct Tokens {
  Ids ids;
  std::vector<size_t> line_ends;

  void clear() { ids.clear(), line_ends.clear(); }
  template <typename Line>
  void for_each_line(const Line& line) const {
    size_t begin = 0;
    for (const size_t end : line_ends) {
      if (end > begin) line(std::span(ids).subspan(begin, end - begin));
      begin = end;
    }
  }
};

// One pair of texts as ids, and the buffers to score it.
struct Pair {
  Stemming stemming = Stemming::on;
  std::optional<UnicodeWords> unicode;  // where words are those of Unicode
  StringTable words, stems;
  Ids stem_of_word;
  Tokens prediction, reference;
  Ids prediction_grams, reference_grams;
  PairTable pairs;
  std::vector<uint32_t> counts, prediction_counts;  // by id, all zero between uses
  std::vector<uint64_t> masks;                      // by id, all zero between uses
  std::vector<uint8_t> carries, hits;
  std::vector<uint64_t> rows, chunk_rows;
  std::string token, stem;

  void forget() {
    words = {}, stems = {};
    stem_of_word.clear();
  }
  Id id_of_word(std::string_view word, uint64_t hash);
  void read(std::string_view text, Tokens& tokens);
  void take(const std::vector<std::string>& tokens, Ids& ids);
  void make_room() {
    for (auto* by_id : {&counts, &prediction_counts})
      if (by_id->size() < stems.size()) by_id->resize(stems.size());
    if (masks.size() < stems.size()) masks.resize(stems.size());
  }
  RougeScore score(size_t overlap) const {
    return score_of(overlap, prediction.ids.size(), reference.ids.size());
  }
  void score_ngrams(const RougeSet& metrics, RougeScores& scores);
  RougeScore score_l();
  RougeScore score_lsum();
  RougeScores score_all(const RougeSet& metrics);

  template <typename Row>
  uint64_t advance(std::span<const Id> block, std::span<const Id> text, uint64_t row,
                   const Row& each);
  size_t lcs(std::span<const Id> pattern, std::span<const Id> text);
  void mark_lcs(std::span<const Id> pattern, std::span<const Id> text);
};

Id Pair::id_of_word(std::string_view word, uint64_t hash) {
  const Id id = words.intern(word, hash);
  if (id < stem_of_word.size()) return stem_of_word[id];
  stem = word;
  if (stemming == Stemming::on) stem_token(stem);
  stem_of_word.push_back(stems.intern(stem, hash64(stem)));
  return stem_of_word.back();
}

// Line by line: no word goes over a line's end.
void Pair::read(std::string_view text, Tokens& tokens) {
  tokens.clear();
  const auto add = [&](std::string_view word, uint64_t hash) {
    tokens.ids.push_back(id_of_word(word, hash));
  };
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (unicode)
      unicode->for_each(line, [&](std::string_view word) { add(word, hash64(word)); });
    else
      for_each_token(line, token, add);
    tokens.line_ends.push_back(tokens.ids.size());
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
}

// Tokens as they are: stemmed or not by whoever made them.
void Pair::take(const std::vector<std::string>& tokens, Ids& ids) {
  for (const std::string& token_text : tokens)
    ids.push_back(stems.intern(token_text, hash64(token_text)));
}

void Pair::score_ngrams(const RougeSet& metrics, RougeScores& scores) {
  if (metrics[0]) scores.rouge1 = score(overlap(reference.ids, prediction.ids, counts));
  size_t longest = 9;
  while (longest > 1 && !metrics[longest - 1]) longest--;
  if (longest > 1) prediction_grams = prediction.ids, reference_grams = reference.ids;
  for (size_t n = 2; n <= longest; n++) {
    pairs.start(prediction.ids.size() + reference.ids.size());
    lengthen(reference_grams, reference.ids, n - 1, pairs);
    lengthen(prediction_grams, prediction.ids, n - 1, pairs);
    if (!metrics[n - 1]) continue;
    if (counts.size() < pairs.size()) counts.resize(pairs.size());
    scores.*kRougeMetrics[n - 1].score =
        score_of(overlap(reference_grams, prediction_grams, counts), prediction_grams.size(),
                 reference_grams.size());
  }
}

// H. Hyyro, "Bit-parallel LCS-length computation revisited" (2004): bit i of `row` is 0 where the
// LCS grows by block[i], at most 64 ids of the pattern. What the block's addition carries out at
// each position of the text is kept in `carries` for the next block, so memory stays linear. Calls
// each(row) behind every position.
template <typename Row>
uint64_t Pair::advance(std::span<const Id> block, std::span<const Id> text, uint64_t row,
                       const Row& each) {
  for (size_t i = 0; i < block.size(); i++) masks[block[i]] |= uint64_t(1) << i;
  for (size_t j = 0; j < text.size(); j++) {
    const uint64_t mask = masks[text[j]], matches = row & mask;
    const uint64_t partial = row + matches, sum = partial + carries[j];
    carries[j] = uint8_t(partial < row) | uint8_t(sum < partial);
    row = sum | (row & ~mask);
    each(row);
  }
  for (const Id id : block) masks[id] = 0;
  return row;
}

std::span<const Id> block_at(std::span<const Id> pattern, size_t b) {
  return pattern.subspan(b * 64, std::min<size_t>(64, pattern.size() - b * 64));
}

size_t Pair::lcs(std::span<const Id> pattern, std::span<const Id> text) {
  size_t length = 0;
  carries.assign(text.size(), 0);
  for (size_t b = 0; b * 64 < pattern.size(); b++) {
    const auto block = block_at(pattern, b);
    const uint64_t row = advance(block, text, ~uint64_t(0), [](uint64_t) {});
    const uint64_t used = block.size() == 64 ? ~uint64_t(0) : (uint64_t(1) << block.size()) - 1;
    length += size_t(std::popcount(~row & used));
  }
  return length;
}

// Marks in `hits` the places of the pattern that rouge_score finds going back through the table of
// lengths from its end: at a match to both sides, else to the left (a place less of the text) where
// that is longer than up, else up. Where the pattern's place adds to the length, the length up is
// one less and left is not; where it does not, up is as long: so the rows are all there is to know.
// They are kept for one chunk of the text, and computed again from the row before it.
void Pair::mark_lcs(std::span<const Id> pattern, std::span<const Id> text) {
  const size_t n_blocks = (pattern.size() + 63) / 64;
  const size_t n_chunks = (text.size() + kChunk - 1) / kChunk;
  chunk_rows.assign(n_blocks * n_chunks, ~uint64_t(0));  // before each chunk
  if (n_chunks > 1) {
    carries.assign(text.size(), 0);
    for (size_t b = 0; b < n_blocks; b++) {
      size_t j = 0;
      advance(block_at(pattern, b), text, ~uint64_t(0), [&](uint64_t row) {
        if (++j % kChunk == 0 && j < text.size()) chunk_rows[j / kChunk * n_blocks + b] = row;
      });
    }
  }
  size_t i = pattern.size();
  for (size_t c = n_chunks; c-- > 0 && i > 0;) {
    const auto chunk = text.subspan(c * kChunk, std::min(kChunk, text.size() - c * kChunk));
    rows.resize(n_blocks * chunk.size());
    carries.assign(chunk.size(), 0);
    for (size_t b = 0; b * 64 < i; b++) {
      uint64_t* out = rows.data() + b * chunk.size();
      advance(block_at(pattern, b), chunk, chunk_rows[c * n_blocks + b],
              [&](uint64_t row) { *out++ = row; });
    }
    for (size_t j = chunk.size(); i > 0 && j > 0;) {
      if (pattern[i - 1] == chunk[j - 1]) {
        hits[--i] = 1;
        j--;
      } else if ((rows[(i - 1) / 64 * chunk.size() + j - 1] >> ((i - 1) % 64) & 1) == 0) {
        j--;
      } else {
        i--;
      }
    }
  }
}

RougeScore Pair::score_l() {
  const bool prediction_shorter = prediction.ids.size() < reference.ids.size();
  return score(prediction_shorter ? lcs(prediction.ids, reference.ids)
                                  : lcs(reference.ids, prediction.ids));
}

// Of each line of the reference the places hit by any line of the prediction; a word counts as
// often as both texts have it.
RougeScore Pair::score_lsum() {
  for (const Id id : reference.ids) counts[id]++;
  for (const Id id : prediction.ids) prediction_counts[id]++;
  size_t common = 0;
  reference.for_each_line([&](std::span<const Id> line) {
    hits.assign(line.size(), 0);
    prediction.for_each_line([&](std::span<const Id> other) { mark_lcs(line, other); });
    for (size_t i = 0; i < line.size(); i++) {
      if (!hits[i] || counts[line[i]] == 0 || prediction_counts[line[i]] == 0) continue;
      counts[line[i]]--, prediction_counts[line[i]]--;
      common++;
    }
  });
  for (const Id id : reference.ids) counts[id] = 0;
  for (const Id id : prediction.ids) prediction_counts[id] = 0;
  return score(common);
}

RougeScores Pair::score_all(const RougeSet& metrics) {
  RougeScores scores;
  score_ngrams(metrics, scores);
  if (metrics[kRougeL]) scores.rougeL = score_l();
  if (metrics[kRougeLsum]) scores.rougeLsum = score_lsum();
  return scores;
}

Pair pair_of(const std::vector<std::string>& prediction,
             const std::vector<std::string>& reference) {
  Pair pair;
  pair.take(prediction, pair.prediction.ids);
  pair.take(reference, pair.reference.ids);
  pair.make_room();
  return pair;
}

}  // namespace

std::optional<size_t> parse_rouge_metric(std::string_view name) {
  for (size_t i = 0; i < kRougeMetrics.size(); i++)
    if (name == kRougeMetrics[i].key || name == kRougeMetrics[i].key.substr(5)) return i;
  return std::nullopt;
}

struct RougeScorer::Scratch {
  Pair pair;
  RougeSet metrics;
};

RougeScorer::RougeScorer(const RougeOptions& options) : scratch_(std::make_unique<Scratch>()) {
  scratch_->pair.stemming = options.stemming;
  scratch_->metrics = options.metrics;
  if (options.words == WordRule::unicode) scratch_->pair.unicode.emplace();
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
  return pair.score_all(scratch_->metrics);
}

std::vector<std::string> rouge_tokens(std::string_view text, Stemming stemming, WordRule words) {
  std::vector<std::string> tokens;
  const auto add = [&](std::string_view word) {
    tokens.emplace_back(word);
    if (stemming == Stemming::on) stem_token(tokens.back());
  };
  std::string buffer;
  if (words == WordRule::unicode)
    UnicodeWords().for_each(text, add);
  else
    for_each_token(text, buffer, [&](std::string_view word, uint64_t) { add(word); });
  return tokens;
}

RougeScore rouge_n(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference, int n) {
  CHECK(n >= 1 && n <= 9);
  RougeSet metrics;
  metrics.set(size_t(n - 1));
  return pair_of(prediction, reference).score_all(metrics).*kRougeMetrics[size_t(n - 1)].score;
}

RougeScore rouge_l(const std::vector<std::string>& prediction,
                   const std::vector<std::string>& reference) {
  return pair_of(prediction, reference).score_l();
}

RougeScores rouge(std::string_view prediction, std::string_view reference,
                  const RougeOptions& options) {
  return RougeScorer(options).score(prediction, reference);
}

}  // namespace chatmem
