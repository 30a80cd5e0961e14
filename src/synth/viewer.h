// viewer.html: a result folder as one page that asks for nothing from outside.
#pragma once
#include <string>

#include "synth/stored_results.h"

namespace chatmem {

// More rows make a page that phones cannot open; it says how many it leaves out.
constexpr size_t kMaxViewerRows = 2000;

// The page of viewer.html with the rows in it. Whatever the rows hold, it is shown as text.
std::string viewer_html(const StoredResults& folder);

}  // namespace chatmem
