// viewer.html: a result folder as one page that asks for nothing from outside.
#pragma once
#include <string>

#include "synth/stored_results.h"

namespace chatmem {

// More rows make a page that phones cannot open; it says how many it leaves out.
constexpr size_t kMaxViewerRows = 2000;

// Takes rows one by one and keeps the JSON of the first kMaxViewerRows.
class ViewerPage {
 public:
  void add(const ResultRow& row);
  // The page of viewer.html with the rows in it. Whatever they hold, it is shown as text.
  std::string html(const std::string& name) const;

 private:
  std::string rows_;  // objects, separated by commas
  size_t total_ = 0;
};

}  // namespace chatmem
