// Threads for work that is too long for a thread that many wait for.
#pragma once
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace chatmem {

class TaskThreads {
 public:
  explicit TaskThreads(int n);
  // Ends when all tasks are done.
  ~TaskThreads();
  TaskThreads(const TaskThreads&) = delete;
  TaskThreads& operator=(const TaskThreads&) = delete;

  // Runs the task soon, in the order of the calls. From any thread.
  void post(std::packaged_task<void()> task);

 private:
  void run();
  std::mutex mutex_;  // guards tasks_ and ending_
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> tasks_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace chatmem
