// The processes that train together: each has a share of every step's micro-batches, and all make
// the same step with the summed gradients.
#pragma once
#include <memory>
#include <span>

namespace chatmem {

// This class itself is a process alone. All processes must make the same calls in the same order,
// with as many values, and wait in them for each other.
class Peers {
 public:
  virtual ~Peers() = default;
  virtual int rank() const { return 0; }  // the first alone writes and talks
  virtual int size() const { return 1; }
  virtual int local_size() const { return 1; }  // of those on this machine
  // For this process, so that those of a machine share its cores; 0: all.
  virtual int n_threads() const { return 0; }

  // In place, over all processes; all get the same bits.
  virtual void sum(std::span<float>) {}
  virtual void sum(std::span<double>) {}
  virtual void barrier() {}

  // Ends all processes at once, whatever they do.
  [[noreturn]] virtual void end_all(int exit_code);
};

// The processes that mpirun started, or this one alone. Throws Error where there are others that
// cannot be reached: this build has no MPI, or not the one whose mpirun it was.
std::unique_ptr<Peers> join_peers();

// As mpirun told by the environment (Open MPI's, MPICH's and what descends from it); 1 without it.
int launched_processes();

}  // namespace chatmem
