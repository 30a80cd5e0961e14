// FNV-1a, 64 bits: content hashes for splits, seeds and fingerprints. Not for secrets.
#pragma once
#include <cstdint>
#include <string_view>

namespace chatmem {

inline uint64_t hash64(std::string_view bytes, uint64_t hash = 0xCBF29CE484222325ull) {
  for (const char c : bytes) hash = (hash ^ uint8_t(c)) * 0x100000001B3ull;
  return hash;
}

}  // namespace chatmem
