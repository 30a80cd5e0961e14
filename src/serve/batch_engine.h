// The engine behind the server: one thread that owns the model and steps all requests together.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/engine.h"

namespace chatmem {

class BatchEngine final : public Engine {
 public:
  struct Options {
    int max_queue = 64;  // requests that wait; more are refused
  };
  // The generator is used by the engine's thread alone from now on.
  BatchEngine(Generator& generator, Options options);
  // Ends after the step at work; clients that are left are destroyed: their answers are cut.
  ~BatchEngine() override;

  int context_length() const override { return generator_.capacity_tokens(); }
  int vocab_size() const override { return generator_.vocab_size(); }
  bool submit(EngineRequest& request, std::unique_ptr<EngineClient>& client) override;
  EngineStats stats() const override;

 private:
  struct Job {
    EngineRequest request;
    std::unique_ptr<EngineClient> client;
    Usage usage;
    std::vector<std::unique_ptr<TokenFilter>> filters = {};  // of the answers begun
    int n_started = 0, n_finished = 0;                       // answers
    bool over = false;                                       // to be destroyed
  };
  // One answer in the generator.
  struct Choice {
    Job* job;
    int index;
  };
  void run();
  void admit();
  bool start(Job& job);
  void drop_ended();
  static std::string deadline_message(const Job& job);
  void tell_progress();
  void take_stats();
  void deliver(const GeneratedToken& token);
  void end(Job& job);
  void drop_over();
  void fail_all(const std::string& message);

  Generator& generator_;
  const Options options_;
  mutable std::mutex mutex_;  // guards queue_, stop_ and stats_
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> queue_;
  bool stop_ = false;
  EngineStats stats_;  // as of the last step
  // Of the engine's thread. Of the begun jobs the last alone may have answers that wait for room.
  std::vector<std::unique_ptr<Job>> begun_;
  std::map<int64_t, Choice> running_;
  int64_t next_id_ = 0;
  std::thread thread_;
};

}  // namespace chatmem
