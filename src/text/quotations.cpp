#include "text/quotations.h"

namespace chatmem {

std::vector<Quotation> quotations(std::string_view text) {
  constexpr std::string_view kOpen = "\u201C", kClose = "\u201D";
  std::vector<Quotation> found;
  size_t straight = text.npos, curly = text.npos;  // where one has been opened
  for (size_t i = 0; i < text.size(); i++) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("\n\n")) {
      straight = curly = text.npos;
    } else if (rest.starts_with(kOpen) && straight == text.npos) {
      curly = i;
    } else if (rest.starts_with(kClose) && curly != text.npos) {
      found.push_back({curly, i + kClose.size()});
      curly = text.npos;
    } else if (rest[0] == '"' && curly == text.npos) {
      if (straight == text.npos) {
        straight = i;
      } else {
        found.push_back({straight, i + 1});
        straight = text.npos;
      }
    }
  }
  return found;
}

}  // namespace chatmem
