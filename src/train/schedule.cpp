#include "train/schedule.h"

#include <algorithm>
#include <cmath>

namespace chatmem {
namespace {

// From 1 to 0 as x goes from 0 to 1.
double half_cosine(double x) { return 0.5 * (1 + std::cos(3.141592653589793 * x)); }

}  // namespace

std::optional<ScheduleKind> parse_schedule(std::string_view name) {
  if (name == "constant") return ScheduleKind::constant;
  if (name == "linear") return ScheduleKind::linear;
  if (name == "cosine") return ScheduleKind::cosine;
  if (name == "cosine_restarts") return ScheduleKind::cosine_restarts;
  if (name == "wsd") return ScheduleKind::wsd;
  return std::nullopt;
}

double Schedule::at(int step) const {
  if (step < warmup_steps) return lr * (step + 1) / warmup_steps;
  const double length = std::max(1, total_steps - warmup_steps);
  const double done = std::min(1.0, (step - warmup_steps) / length);
  double share = 1;
  if (kind == ScheduleKind::linear) share = 1 - done;
  if (kind == ScheduleKind::cosine) share = half_cosine(done);
  if (kind == ScheduleKind::cosine_restarts)
    share = done < 1 ? half_cosine(std::fmod(done * cycles, 1.0)) : 0;
  if (kind == ScheduleKind::wsd) {
    const double decay_steps = std::max(1.0, decay_share * total_steps);
    const double decayed = (step - (total_steps - decay_steps)) / decay_steps;
    share = 1 - std::sqrt(std::clamp(decayed, 0.0, 1.0));
  }
  return min_lr + (lr - min_lr) * share;
}

}  // namespace chatmem
