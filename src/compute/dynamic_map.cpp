#include "compute/dynamic_map.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace chatmem {

NearestCode::NearestCode(const CodeMap& map) : lowest_(size_t(1) << 16) {
  for (size_t i = 0; i + 1 < map.size(); i++) middles_[i] = (map[i] + map[i + 1]) * 0.5f;
  middles_.back() = std::numeric_limits<float>::infinity();
  for (uint32_t upper = 0; upper < lowest_.size(); upper++) {
    // Of a negative number the lowest has the largest magnitude.
    const float x = std::bit_cast<float>(upper << 16 | (upper >> 15 ? 0xFFFFu : 0));
    lowest_[upper] =
        uint8_t(std::lower_bound(middles_.begin(), middles_.end() - 1, x) - middles_.begin());
  }
}

}  // namespace chatmem
