// Lists of words and phrases as they are written in the sources: separated by bars, since a phrase
// has spaces. The views are of the list, which must be a literal.
#pragma once
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace chatmem {

using PhraseSet = std::unordered_set<std::string_view>;
using PhraseMap = std::unordered_map<std::string_view, std::string_view>;

std::vector<std::string_view> phrase_list(std::string_view list);  // "see you|of course"
PhraseSet phrase_set(std::string_view list);
PhraseMap phrase_map(std::string_view list);  // "go went|see saw": up to the first space is the key

}  // namespace chatmem
