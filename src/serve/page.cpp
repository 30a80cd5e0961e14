#include "serve/page.h"

#include "base/error.h"
#include "serve/page_html.h"

namespace chatmem {

std::string page_html(std::string_view nonce) {
  constexpr std::string_view kPlace = "__NONCE__";
  std::string page = kPageHtml;
  for (int i = 0; i < 2; i++) {  // the style and the script
    const size_t at = page.find(kPlace);
    CHECK(at != page.npos);
    page.replace(at, kPlace.size(), nonce);
  }
  return page;
}

}  // namespace chatmem
