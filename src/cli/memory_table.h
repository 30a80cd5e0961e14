// How a verb keeps a training within memory, and the plan of it for a person.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "train/plan.h"

namespace chatmem {

struct MemoryFlags {
  double memory_gb = 0;  // 0: no limit was given
  std::string recompute = "auto";
};

// Declares --memory and --recompute on a verb.
void add_memory_flags(CLI::App& verb, MemoryFlags& flags, const std::string& group);

// Settles options.recompute as --recompute says, and returns its plan. auto: the fastest rung that
// fits --memory; without --memory `cheap`, or what fits machine_bytes (0: not asked for); the
// lowest rung where none fits.
MemoryPlan settle_memory(const MemoryFlags& flags, const Llama& shape, MemoryPlanOptions& options,
                         size_t machine_bytes);

// What was settled and why, in a line. Throws Error when the plan does not fit --memory, or by auto
// not the machine.
std::string check_memory(const MemoryFlags& flags, const MemoryPlan& plan, Recompute recompute,
                         size_t machine_bytes);

void print_memory(const MemoryPlan& plan);  // on standard output

}  // namespace chatmem
