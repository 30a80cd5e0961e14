// A checksum for large data on disk. Not for secrets.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace chatmem {

// 8 bytes at a time, in four lanes. Any change within 8 bytes that lie together at a multiple of 8
// is seen for certain, since every step of a lane can be undone.
inline uint64_t checksum64(std::string_view bytes) {
  uint64_t lanes[4] = {1, 2, 3, 4};
  const auto mix = [](uint64_t& lane, uint64_t word) {
    lane = (lane ^ word) * 0x9E3779B97F4A7C15ull;
    lane ^= lane >> 32;
  };
  size_t at = 0;
  for (uint64_t words[4]; at + sizeof words <= bytes.size(); at += sizeof words) {
    std::memcpy(words, bytes.data() + at, sizeof words);
    for (int i = 0; i < 4; i++) mix(lanes[i], words[i]);
  }
  for (; at < bytes.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, bytes.size() - at < 8 ? bytes.size() - at : 8);
    mix(lanes[0], word);
  }
  uint64_t sum = bytes.size();
  for (const uint64_t lane : lanes) mix(sum, lane);
  return sum;
}

}  // namespace chatmem
