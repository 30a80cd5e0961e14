// The learning rate of each step.
#pragma once
#include <optional>
#include <string_view>

namespace chatmem {

enum class ScheduleKind { constant, linear, cosine };
std::optional<ScheduleKind> parse_schedule(std::string_view name);

struct Schedule {
  ScheduleKind kind = ScheduleKind::cosine;
  double lr = 2e-4, min_lr = 0;
  int warmup_steps = 0, total_steps = 1;

  // step counts from 0. Rises linearly over the warm-up (the first step already takes lr /
  // warmup_steps), then stays, or falls to min_lr at total_steps along a line or half a cosine.
  double at(int step) const;
};

}  // namespace chatmem
