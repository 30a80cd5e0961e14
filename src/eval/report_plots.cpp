#include "eval/report_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/html.h"

namespace chatmem {
namespace {

constexpr double kWidth = 360;
constexpr size_t kMaxDots = 400;  // of a band; more are thinned out

// The end of an axis that begins at 0: the next multiple of 0.1, at most 1 for scores.
double axis_end(double largest) { return std::max(0.1, std::ceil(largest * 10 - 1e-9) / 10); }

std::string svg(double height, const std::string& title, const std::string& body) {
  return fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>", kWidth,
                     height, html_text(title), body);
}

std::string text_at(double x, double y, std::string_view anchor, std::string_view text,
                    std::string_view kind = {}) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>", x, y, anchor,
                     kind.empty() ? std::string() : fmt::format(" class=\"{}\"", kind),
                     html_text(text));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view kind) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>",
                     x1, y1, x2, y2, kind);
}

std::string_view colour_of(SystemKind kind) {
  return kind == SystemKind::system ? "system" : kind == SystemKind::floor ? "floor" : "reference";
}

std::vector<double> f1_sorted(const SystemScores& row) {
  std::vector<double> values = f1_values(row.items, 0);
  std::sort(values.begin(), values.end());
  return values;
}

// One band of score_strips, from `top` down.
std::string strip(const SystemScores& row, double top, double end) {
  constexpr double kDots = 18, kMiddle = 27;
  const auto x = [&](double value) { return 8 + value / end * (kWidth - 16); };
  const std::string_view colour = colour_of(row.kind);
  std::string body =
      text_at(8, top + 11, "start", row.name) +
      text_at(kWidth - 8, top + 11, "end", fmt::format("{:.4f}", row.rouge1.mean), "dim");
  const std::vector<double> values = f1_sorted(row);
  const size_t step = (values.size() + kMaxDots - 1) / kMaxDots;
  for (size_t i = 0; i < values.size(); i += step)
    // Neighbours in value lie apart in height.
    body +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.6\" class=\"dot {}\"/>",
                    x(values[i]), top + kMiddle + kDots * (double(i * 7 % 11) / 10 - 0.5), colour);
  const double y = top + kMiddle;
  body += line(x(row.rouge1.interval.low), y, x(row.rouge1.interval.high), y,
               fmt::format("range {}", colour));
  return body + line(x(row.rouge1.mean), y - 11, x(row.rouge1.mean), y + 11,
                     fmt::format("mean {}", colour));
}

// Lines and numbers below, or at the left, at even steps from 0 to end.
template <typename Tick>
void for_each_tick(double end, const Tick& tick) {
  const double step = end > 3 ? std::ceil(end / 5) : end > 1.2 ? 0.5 : end > 0.6 ? 0.2 : 0.1;
  for (int i = 0; i * step <= end + 1e-9; i++) tick(i * step, fmt::format("{:.2g}", i * step));
}

}  // namespace

IntervalScale interval_scale(const Evaluation& evaluation) {
  IntervalScale scale{.low = 1, .high = 0};
  for (const SystemScores& row : evaluation.systems) {
    if (std::isnan(row.rouge1.mean)) continue;
    scale.low = std::min(scale.low, row.rouge1.interval.low);
    scale.high = std::max(scale.high, row.rouge1.interval.high);
    if (row.kind == SystemKind::floor) scale.mark = std::max(scale.mark, row.rouge1.mean);
  }
  const double room = std::max(0.01, 0.05 * (scale.high - scale.low));
  return {scale.low - room, scale.high + room, scale.mark};
}

std::string interval_bar(const MeanScore& score, const IntervalScale& scale) {
  if (std::isnan(score.mean)) return {};
  constexpr double kBarWidth = 160, kMiddle = 9;
  const auto x = [&](double value) {
    return (value - scale.low) / (scale.high - scale.low) * kBarWidth;
  };
  return fmt::format(
      "<svg class=\"bar\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{:.4f} to {:.4f}\">"
      "{}{}<circle cx=\"{:.1f}\" cy=\"{}\" r=\"4\"/></svg>",
      kBarWidth, 2 * kMiddle, score.interval.low, score.interval.high,
      line(x(scale.mark), 0, x(scale.mark), 2 * kMiddle, "mark"),
      line(x(score.interval.low), kMiddle, x(score.interval.high), kMiddle, "range"), x(score.mean),
      kMiddle);
}

std::string score_strips(const Evaluation& evaluation) {
  constexpr double kBand = 46;
  std::vector<const SystemScores*> rows;
  double largest = 0;
  for (const SystemScores& row : evaluation.systems) {
    if (row.items.empty()) continue;
    rows.push_back(&row);
    largest = std::max(largest, f1_sorted(row).back());
  }
  const double end = axis_end(largest), bottom = kBand * double(rows.size());
  std::string body;
  for_each_tick(end, [&](double value, const std::string& name) {
    const double x = 8 + value / end * (kWidth - 16);
    body += line(x, 0, x, bottom, "grid") + text_at(x, bottom + 13, "middle", name, "dim");
  });
  for (size_t i = 0; i < rows.size(); i++) body += strip(*rows[i], kBand * double(i), end);
  return svg(bottom + 18, "ROUGE-1 F1 of each summary", body);
}

std::string scatter(std::span<const PlotPoint> points, const PlotAxes& axes) {
  constexpr double kLeft = 40, kTop = 8, kSide = 296;
  double largest = 0;
  for (const PlotPoint& point : points) largest = std::max({largest, point.x, point.y});
  const double end = axis_end(largest);
  const auto x = [&](double value) { return kLeft + value / end * kSide; };
  const auto y = [&](double value) { return kTop + (1 - value / end) * kSide; };
  std::string body;
  for_each_tick(end, [&](double value, const std::string& name) {
    body += line(x(value), y(0), x(value), y(end), "grid") +
            line(x(0), y(value), x(end), y(value), "grid") +
            text_at(x(value), y(0) + 14, "middle", name, "dim") +
            text_at(x(0) - 5, y(value) + 4, "end", name, "dim");
  });
  body += line(x(0), y(0), x(end), y(end), "equal");
  for (const PlotPoint& point : points) {
    const std::string dot = fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" class=\"dot system\"><title>{}"
        "</title></circle>",
        x(point.x), y(point.y), html_text(point.label));
    body +=
        point.link.empty() ? dot : fmt::format("<a href=\"{}\">{}</a>", html_text(point.link), dot);
  }
  body += text_at(x(end / 2), y(0) + 30, "middle", axes.x_title);
  body += fmt::format("<g transform=\"translate(11 {:.1f}) rotate(-90)\">{}</g>", y(end / 2),
                      text_at(0, 0, "middle", axes.y_title));
  return svg(kTop + kSide + 40, axes.y_title + " against " + axes.x_title, body);
}

}  // namespace chatmem
