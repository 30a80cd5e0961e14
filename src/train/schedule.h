// The learning rate of each step.
#pragma once
#include <optional>
#include <string_view>

namespace chatmem {

enum class ScheduleKind { constant, linear, cosine, cosine_restarts, wsd };
std::optional<ScheduleKind> parse_schedule(std::string_view name);

struct Schedule {
  ScheduleKind kind = ScheduleKind::cosine;
  double lr = 2e-4, min_lr = 0;
  int warmup_steps = 0, total_steps = 1;
  int cycles = 1;            // of cosine_restarts, at least 1
  double decay_share = 0.2;  // of wsd: the last share of all steps, in (0, 1]

  // step counts from 0. Rises linearly over the warm-up (the first step already takes lr /
  // warmup_steps), then stays, or falls to min_lr at total_steps: along a line; along half a
  // cosine; along `cycles` half cosines, each begun at lr again (Loshchilov, Hutter 2017); or stays
  // and falls as 1 - sqrt over the last decay_share (Hägele et al. 2024, warm-up, stable, decay).
  double at(int step) const;
};

}  // namespace chatmem
