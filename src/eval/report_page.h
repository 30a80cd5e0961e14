// report.html: an evaluation as one page that asks for nothing from outside and runs no script.
#pragma once
#include <string>

#include "eval/evaluate.h"

namespace chatmem {

// First whether each system is better than doing nothing, in words and a table; then scores, dates
// and names, faults, speed, distributions, and each case. All text of files is shown as text.
std::string report_page(const Evaluation& evaluation);

}  // namespace chatmem
