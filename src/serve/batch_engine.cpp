#include "serve/batch_engine.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace chatmem {

BatchEngine::BatchEngine(Generator& generator, Options options)
    : generator_(generator), options_(options), thread_([this] { run(); }) {}

BatchEngine::~BatchEngine() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool BatchEngine::submit(EngineRequest& request, std::unique_ptr<EngineClient>& client) {
  {
    const std::lock_guard lock(mutex_);
    if (stop_ || int(queue_.size()) >= options_.max_queue) return false;
    client->on_accepted();
    const int n = int(request.prompt.size());
    queue_.push_back({std::move(request), std::move(client), {.prompt_tokens = n}});
  }
  wake_.notify_one();
  return true;
}

GeneratorStats BatchEngine::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void BatchEngine::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || !queue_.empty() || !running_.empty(); });
      if (stop_) break;
    }
    try {
      drop_cancelled();
      admit();
      const std::span<const GeneratedToken> tokens = generator_.step();
      {
        const std::lock_guard lock(mutex_);
        stats_ = generator_.stats();
      }
      for (const GeneratedToken& token : tokens) deliver(token);
    } catch (const std::exception& e) {
      fail_all(e.what());
    }
  }
  running_.clear();
  std::deque<Job> left;  // clients are destroyed without the lock: it is theirs to call submit()
  const std::lock_guard lock(mutex_);
  left.swap(queue_);
}

// Takes from the queue, in order, what the generator has room for.
void BatchEngine::admit() {
  std::vector<Job> failed;  // destroyed after the lock is given back
  const std::lock_guard lock(mutex_);
  while (!queue_.empty()) {
    Job& job = queue_.front();
    const EngineRequest& r = job.request;
    // A warm-up wants no token; the generator's shortest answer is one, which is not delivered.
    GenerateRequest request{r.prompt,      std::max(1, r.max_tokens), r.sampling,
                            r.stop_tokens, options_.adapter,          r.prediction};
    try {
      if (!generator_.add(next_id_, std::move(request))) return;
      running_.emplace(next_id_++, std::move(job));
    } catch (const std::exception& e) {  // out of memory: this request's misfortune alone
      job.client->on_error(e.what());
      failed.push_back(std::move(job));
    }
    queue_.pop_front();
  }
}

void BatchEngine::drop_cancelled() {
  for (auto it = running_.begin(); it != running_.end();) {
    if (!it->second.client->cancelled()) {
      ++it;
      continue;
    }
    generator_.cancel(it->first);
    it = running_.erase(it);
  }
  std::vector<Job> dropped;  // destroyed after the lock is given back
  const std::lock_guard lock(mutex_);
  const auto kept = std::stable_partition(queue_.begin(), queue_.end(),
                                          [](const Job& job) { return !job.client->cancelled(); });
  dropped.assign(std::make_move_iterator(kept), std::make_move_iterator(queue_.end()));
  queue_.erase(kept, queue_.end());
}

void BatchEngine::deliver(const GeneratedToken& token) {
  const auto it = running_.find(token.request);
  if (it == running_.end()) return;  // ended by a token before it in the same step
  Job& job = it->second;
  FinishReason finish = token.finish;
  job.usage.cached_tokens = token.cached_tokens;
  if (job.request.max_tokens > 0) {
    job.usage.completion_tokens++;
    if (finish != FinishReason::stop && !job.client->on_token(token.token)) {
      if (finish == FinishReason::none) generator_.cancel(token.request);
      finish = FinishReason::stop;
    }
  }
  if (finish == FinishReason::none) return;
  job.client->on_finish(job.request.max_tokens > 0 ? finish : FinishReason::length, job.usage);
  running_.erase(it);
}

// A step that failed leaves no request that could go on.
void BatchEngine::fail_all(const std::string& message) {
  for (auto& [id, job] : running_) {
    generator_.cancel(id);
    job.client->on_error(message);
  }
  running_.clear();
}

}  // namespace chatmem
