#include "extractive/word_lists.h"

#include <algorithm>

#include "base/error.h"

namespace chatmem {

std::vector<std::string_view> phrase_list(std::string_view list) {
  std::vector<std::string_view> found;
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find('|', begin), list.size());
    found.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return found;
}

PhraseSet phrase_set(std::string_view list) {
  const std::vector<std::string_view> found = phrase_list(list);
  return {found.begin(), found.end()};
}

PhraseMap phrase_map(std::string_view list) {
  PhraseMap map;
  for (const std::string_view pair : phrase_list(list)) {
    const size_t space = pair.find(' ');
    CHECK(space != pair.npos);
    map.emplace(pair.substr(0, space), pair.substr(space + 1));
  }
  return map;
}

}  // namespace chatmem
