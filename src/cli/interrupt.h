// Ctrl-C as a wish: the first interrupt asks for an end that loses nothing, the second one ends the
// program.
#pragma once
#include <atomic>

namespace chatmem {

// From now on. The flag is set by the first interrupt.
const std::atomic<bool>* stop_on_interrupt();

}  // namespace chatmem
