// The plots of report.html as inline SVG: they scale with the page and print. Their text is in
// columns of 360 units, wide enough for a phone.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "eval/evaluate.h"

namespace chatmem {

// What all bars of intervals have in common: the range of scores, and the floor to compare with.
struct IntervalScale {
  double low = 0, high = 1;
  double mark = 0;  // a line through all bars
};
IntervalScale interval_scale(const Evaluation& evaluation);
// A bar from low to high with a dot at the mean; empty for a score that is NaN.
std::string interval_bar(const MeanScore& score, const IntervalScale& scale);

// Each summary's ROUGE-1 F1 as a dot, a band for each row of the table, with mean and interval.
std::string score_strips(const Evaluation& evaluation);

struct PlotPoint {
  double x = 0, y = 0;
  std::string label;  // shown when pointed at; plain text
  std::string link;   // "#case-3", or empty
};
struct PlotAxes {
  std::string x_title, y_title;  // plain text
};
// Both axes from 0 to the same end, with the line of equal values.
std::string scatter(std::span<const PlotPoint> points, const PlotAxes& axes);

}  // namespace chatmem
