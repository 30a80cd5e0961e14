// A plan of memory for a person.
#pragma once
#include "train/plan.h"

namespace chatmem {

void print_memory(const MemoryPlan& plan);  // on standard output

}  // namespace chatmem
