// Where a text gives somebody's own words.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace chatmem {

struct Quotation {
  size_t begin = 0, end = 0;  // bytes, the marks included
};

// In order, apart from each other: what stands between "..." or U+201C and U+201D in one paragraph
// (up to an empty line). A mark without its other one quotes nothing; single marks are
// apostrophes.
std::vector<Quotation> quotations(std::string_view text);

}  // namespace chatmem
