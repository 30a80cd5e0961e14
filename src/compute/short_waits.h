// How long OpenMP's threads wait for each other in a loop before they sleep.
#pragma once

namespace chatmem {

// Begins the program anew with GOMP_SPINCOUNT=1000 in its environment, some ten microseconds by
// GCC's own estimate, unless the environment says how to wait (GOMP_SPINCOUNT or OMP_WAIT_POLICY);
// returns where that is so, or fails. OpenMP reads it before main() and waits for some milliseconds
// otherwise: beside another program, a thread then keeps the core busy that the one it waits for
// could run on.
void begin_with_short_waits(char** argv);

}  // namespace chatmem
