// Calls that are made later, all on one thread: what a test server waits with, without a thread for
// each request.
#pragma once
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace chatmem {

class DelayedCalls {
 public:
  DelayedCalls() : thread_([this] { run(); }) {}
  ~DelayedCalls() { stop(); }
  DelayedCalls(const DelayedCalls&) = delete;
  DelayedCalls& operator=(const DelayedCalls&) = delete;

  // Calls once after that time, at once for 0 or less (then in turn, too). The call may be of a
  // type that only moves. After stop() it is destroyed without being made.
  template <typename F>
  void after(std::chrono::milliseconds delay, F&& call) {
    auto held = std::make_unique<Held<std::decay_t<F>>>(std::forward<F>(call));
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    calls_.emplace(Clock::now() + delay, std::move(held));
    changed_.notify_one();
  }
  // Ends the call that runs, and destroys the others.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
    calls_.clear();
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Call {
    virtual ~Call() = default;
    virtual void make() = 0;
  };
  template <typename F>
  struct Held final : Call {
    explicit Held(F new_call) : call(std::move(new_call)) {}
    void make() override { call(); }
    F call;
  };

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopped_) {
      if (calls_.empty()) {
        changed_.wait(lock);
      } else if (const auto due = calls_.begin()->first; due > Clock::now()) {
        changed_.wait_until(lock, due);
      } else {
        std::unique_ptr<Call> call = std::move(calls_.begin()->second);
        calls_.erase(calls_.begin());
        lock.unlock();
        call->make();
        call.reset();
        lock.lock();
      }
    }
  }

  std::mutex mutex_;  // guards calls_ and stopped_
  std::condition_variable changed_;
  std::multimap<Clock::time_point, std::unique_ptr<Call>> calls_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace chatmem
