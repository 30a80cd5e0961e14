#include "train/schedule.h"

#include <algorithm>
#include <cmath>

namespace chatmem {

std::optional<ScheduleKind> parse_schedule(std::string_view name) {
  if (name == "constant") return ScheduleKind::constant;
  if (name == "linear") return ScheduleKind::linear;
  if (name == "cosine") return ScheduleKind::cosine;
  return std::nullopt;
}

double Schedule::at(int step) const {
  if (step < warmup_steps) return lr * (step + 1) / warmup_steps;
  if (kind == ScheduleKind::constant) return lr;
  const double length = std::max(1, total_steps - warmup_steps);
  const double done = std::min(1.0, (step - warmup_steps) / length);
  const double share =
      kind == ScheduleKind::linear ? 1 - done : 0.5 * (1 + std::cos(3.141592653589793 * done));
  return min_lr + (lr - min_lr) * share;
}

}  // namespace chatmem
