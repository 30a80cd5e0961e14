// The cases of report.html: each chat with its predictions and references beside it.
#pragma once
#include <string>

#include "eval/evaluate.h"

namespace chatmem {

// More cases make a page that phones cannot open; it says how many it leaves out.
inline constexpr size_t kMaxReportCases = 300;

// A line for each case: scores by system, faults, a link to the case.
std::string cases_index(const Evaluation& evaluation);

// The cases themselves. Days and names of predictions and references are marked: found in the chat,
// not found, or not to be told. Whatever the texts hold, it is shown as text.
std::string cases_html(const Evaluation& evaluation);

// "#case-3", empty for a case that the page leaves out.
std::string case_link(size_t i);

}  // namespace chatmem
