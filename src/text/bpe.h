// Byte pair encoding: of the pieces that stand next to each other, the pair of lowest rank is
// merged first, the leftmost among equals, until no pair has a rank.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

struct Merge {
  int left = 0, right = 0, merged = 0;
};

// From the bytes of a piece to its id, open addressing.
class PieceTable {
 public:
  // Keeps views of the pieces: they must live as long as the table. Ids are indexes; a piece whose
  // `skip` is set is left out.
  void build(std::span<const std::string> pieces, std::span<const uint8_t> skip);
  int find(std::string_view bytes) const;  // -1 when absent

 private:
  struct Slot {
    uint64_t hash = 0;
    int32_t id = -1;
  };
  std::span<const std::string> pieces_;
  std::vector<Slot> slots_;
  size_t max_bytes_ = 0;
};

class Bpe {
 public:
  // Working memory of one encoding; reused, so that a piece allocates nothing.
  struct Scratch {
    struct Candidate {
      uint32_t rank, at;
      int32_t left, right, merged;
    };
    std::vector<int32_t> ids, next, previous;
    std::vector<Candidate> heap;
  };

  // byte_ids: the id of each single byte. Merges in the order of their rank.
  Bpe(const std::array<int, 256>& byte_ids, std::span<const Merge> merges);

  // Appends the tokens of the bytes. O(n log n) in their number. Throws Error over 1 GiB.
  void encode(std::string_view bytes, Scratch& scratch, std::vector<int>& out) const;

 private:
  struct Slot {
    uint64_t pair = ~uint64_t(0);
    uint32_t rank = 0;
    int32_t merged = -1;
  };
  struct Found {
    uint32_t rank;
    int32_t merged;
  };
  Found find(int32_t left, int32_t right) const;
  void encode_short(std::string_view bytes, std::vector<int>& out) const;
  void encode_long(std::string_view bytes, Scratch& scratch, std::vector<int>& out) const;
  void push(Scratch& scratch, uint32_t at) const;

  std::array<int, 256> byte_ids_;
  std::vector<Slot> slots_;
};

}  // namespace chatmem
