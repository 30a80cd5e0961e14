#include "cli/interrupt.h"

#include <csignal>

namespace chatmem {
namespace {

std::atomic<bool> stop_asked = false;

void on_interrupt(int) {
  stop_asked = true;
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace

const std::atomic<bool>* stop_on_interrupt() {
  std::signal(SIGINT, on_interrupt);
  return &stop_asked;
}

}  // namespace chatmem
