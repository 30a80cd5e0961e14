// Byte pair encoding over two hash tables.
#include "text/bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr uint32_t kNoRank = std::numeric_limits<uint32_t>::max();
constexpr size_t kShortBytes = 64;  // up to here scanning all ranks beats a heap
constexpr size_t kMaxBytes = size_t(1) << 30;

uint64_t mixed(uint64_t x) {
  x *= 0x9E3779B97F4A7C15ull;
  return x ^ x >> 32;
}

// Eight bytes at a time; the last ones overlap what came before.
uint64_t piece_hash(std::string_view bytes) {
  const auto load = [&](size_t at, size_t n) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, n);
    return word;
  };
  uint64_t hash = bytes.size();
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) hash = mixed(hash ^ load(i, 8));
  return i < bytes.size() ? mixed(hash ^ load(i, bytes.size() - i)) : hash;
}

uint64_t pair_key(int32_t left, int32_t right) {
  return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}

// At least twice as many slots as entries.
size_t slot_count(size_t entries) { return std::bit_ceil(std::max<size_t>(16, entries * 2)); }

}  // namespace

void PieceTable::build(std::span<const std::string> pieces, std::span<const uint8_t> skip) {
  pieces_ = pieces;
  slots_.assign(slot_count(pieces.size()), Slot{});
  for (size_t id = 0; id < pieces.size(); id++) {
    if (skip[id]) continue;
    max_bytes_ = std::max(max_bytes_, pieces[id].size());
    const uint64_t hash = piece_hash(pieces[id]);
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at].id >= 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {hash, int32_t(id)};
  }
}

int PieceTable::find(std::string_view bytes) const {
  if (bytes.size() > max_bytes_) return -1;
  const uint64_t hash = piece_hash(bytes);
  for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.id < 0) return -1;
    if (slot.hash == hash && pieces_[size_t(slot.id)] == bytes) return slot.id;
  }
}

Bpe::Bpe(const std::array<int, 256>& byte_ids, std::span<const Merge> merges)
    : byte_ids_(byte_ids), slots_(slot_count(merges.size())) {
  for (size_t rank = 0; rank < merges.size(); rank++) {
    const uint64_t pair = pair_key(merges[rank].left, merges[rank].right);
    size_t at = mixed(pair) & (slots_.size() - 1);
    while (slots_[at].merged >= 0 && slots_[at].pair != pair) at = (at + 1) & (slots_.size() - 1);
    // A merge that comes twice has the rank of the last, as in Hugging Face's map.
    slots_[at] = {pair, uint32_t(rank), merges[rank].merged};
  }
}

Bpe::Found Bpe::find(int32_t left, int32_t right) const {
  const uint64_t pair = pair_key(left, right);
  for (size_t at = mixed(pair) & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.pair == pair) return {slot.rank, slot.merged};
    if (slot.merged < 0) return {kNoRank, -1};
  }
}

void Bpe::encode(std::string_view bytes, Scratch& scratch, std::vector<int>& out) const {
  if (bytes.size() > kMaxBytes)
    throw Error(fmt::format("[tokenizer] a piece of text may have at most {} bytes, has {}",
                            kMaxBytes, bytes.size()));
  if (bytes.size() <= kShortBytes)
    encode_short(bytes, out);
  else
    encode_long(bytes, scratch, out);
}

void Bpe::encode_short(std::string_view bytes, std::vector<int>& out) const {
  int32_t ids[kShortBytes];
  Found pairs[kShortBytes];  // pairs[i]: of ids[i] and ids[i + 1]
  size_t n = bytes.size();
  for (size_t i = 0; i < n; i++) ids[i] = byte_ids_[uint8_t(bytes[i])];
  for (size_t i = 0; i + 1 < n; i++) pairs[i] = find(ids[i], ids[i + 1]);
  while (n > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < n; i++)
      if (pairs[i].rank < pairs[best].rank) best = i;
    if (pairs[best].rank == kNoRank) break;
    ids[best] = pairs[best].merged;
    n--;
    for (size_t i = best + 1; i < n; i++) ids[i] = ids[i + 1];
    for (size_t i = best + 1; i + 1 < n; i++) pairs[i] = pairs[i + 1];
    if (best + 1 < n) pairs[best] = find(ids[best], ids[best + 1]);
    if (best > 0) pairs[best - 1] = find(ids[best - 1], ids[best]);
  }
  out.insert(out.end(), ids, ids + n);
}

namespace {

// The heap's top is the lowest rank, the leftmost among equals.
bool is_later(const Bpe::Scratch::Candidate& a, const Bpe::Scratch::Candidate& b) {
  return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
}

}  // namespace

void Bpe::push(Scratch& s, uint32_t at) const {
  const int32_t next = s.next[at];
  if (next < 0) return;
  const int32_t left = s.ids[at], right = s.ids[size_t(next)];
  const Found found = find(left, right);
  if (found.rank == kNoRank) return;
  s.heap.push_back({found.rank, at, left, right, found.merged});
  std::push_heap(s.heap.begin(), s.heap.end(), is_later);
}

// A doubly linked list of pieces and a heap of pairs; a pair whose pieces have changed since it was
// pushed is passed over.
void Bpe::encode_long(std::string_view bytes, Scratch& s, std::vector<int>& out) const {
  const size_t n = bytes.size();
  s.ids.resize(n);
  s.next.resize(n);
  s.previous.resize(n);
  s.heap.clear();
  for (size_t i = 0; i < n; i++) {
    s.ids[i] = byte_ids_[uint8_t(bytes[i])];
    s.next[i] = i + 1 < n ? int32_t(i + 1) : -1;
    s.previous[i] = int32_t(i) - 1;
  }
  for (size_t i = 0; i + 1 < n; i++) push(s, uint32_t(i));
  while (!s.heap.empty()) {
    std::pop_heap(s.heap.begin(), s.heap.end(), is_later);
    const Scratch::Candidate top = s.heap.back();
    s.heap.pop_back();
    const int32_t right = s.next[top.at];
    if (s.ids[top.at] != top.left || right < 0 || s.ids[size_t(right)] != top.right) continue;
    s.ids[top.at] = top.merged;
    s.ids[size_t(right)] = -1;
    const int32_t after = s.next[size_t(right)];
    s.next[top.at] = after;
    if (after >= 0) s.previous[size_t(after)] = int32_t(top.at);
    push(s, top.at);
    if (s.previous[top.at] >= 0) push(s, uint32_t(s.previous[top.at]));
  }
  for (int32_t i = 0; i >= 0; i = s.next[size_t(i)]) out.push_back(s.ids[size_t(i)]);
}

}  // namespace chatmem
