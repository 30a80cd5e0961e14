// Peers by MPI (the standard, version 3 or later). The only file that knows it.
#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/error.h"
#include "train/peers.h"

namespace chatmem {
namespace {

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(fmt::format("[mpi] {} failed: {}", what, text));
}

class MpiPeers final : public Peers {
 public:
  MpiPeers() {
    int provided = 0;  // MPI is called by the main thread alone
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    share_cores();
  }
  ~MpiPeers() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_size() const override { return local_size_; }
  int n_threads() const override { return n_threads_; }

  void sum(std::span<float> values) override { sum(values.data(), values.size(), MPI_FLOAT); }
  void sum(std::span<double> values) override { sum(values.data(), values.size(), MPI_DOUBLE); }
  void barrier() override { check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier"); }

  void end_all(int exit_code) override {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
  }

 private:
  static void sum(void* values, size_t n, MPI_Datatype type) {
    CHECK(n <= size_t(INT_MAX));
    check(MPI_Allreduce(MPI_IN_PLACE, values, int(n), type, MPI_SUM, MPI_COMM_WORLD),
          "MPI_Allreduce");
  }

  // mpirun may have bound each process to cores of its own, or none: what any of this machine's
  // processes may use is shared out, but no process gets more than it may use itself.
  void share_cores() {
    MPI_Comm local = MPI_COMM_NULL;
    check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local),
          "MPI_Comm_split_type");
    check(MPI_Comm_size(local, &local_size_), "MPI_Comm_size");
    cpu_set_t own, all;
    CPU_ZERO(&own);
    if (::sched_getaffinity(0, sizeof own, &own) != 0) CPU_SET(0, &own);
    check(MPI_Allreduce(&own, &all, int(sizeof own), MPI_BYTE, MPI_BOR, local), "MPI_Allreduce");
    check(MPI_Comm_free(&local), "MPI_Comm_free");
    n_threads_ = std::max(1, std::min(CPU_COUNT(&own), CPU_COUNT(&all) / local_size_));
  }

  int rank_ = 0, size_ = 1, local_size_ = 1, n_threads_ = 1;
};

}  // namespace

std::unique_ptr<Peers> join_peers() {
  const int n = launched_processes();
  if (n == 1) return std::make_unique<Peers>();
  auto peers = std::make_unique<MpiPeers>();
  if (peers->size() != n)
    throw Error(
        fmt::format("[mpi] mpirun started {} processes, this build's MPI sees {}: they would "
                    "write over each other",
                    n, peers->size()),
        "use the mpirun of the MPI that chatmem was built with");
  return peers;
}

}  // namespace chatmem
