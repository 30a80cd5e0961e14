// Where MPI was not found.
#include <string>

#include "base/error.h"
#include "train/peers.h"

namespace chatmem {

std::unique_ptr<Peers> join_peers() {
  if (const int n = launched_processes(); n > 1)
    throw Error(
        "[mpi] mpirun started " + std::to_string(n) +
            " processes, but this build has no MPI: they would write over each other",
        "apt-get install libopenmpi-dev openmpi-bin and build again, or run without mpirun");
  return std::make_unique<Peers>();
}

}  // namespace chatmem
