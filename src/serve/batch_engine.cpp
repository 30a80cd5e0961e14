#include "serve/batch_engine.h"

#include <fmt/format.h>

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
    queue_.push_back(
        std::make_unique<Job>(Job{std::move(request), std::move(client), {.prompt_tokens = n}}));
  }
  wake_.notify_one();
  return true;
}

EngineStats BatchEngine::stats() const {
  const std::lock_guard lock(mutex_);
  EngineStats stats = stats_;
  stats.waiting = int(queue_.size());
  return stats;
}

void BatchEngine::take_stats() {
  const std::lock_guard lock(mutex_);
  stats_ = {0, int(begun_.size()), generator_.stats(), generator_.kv_use()};
}

void BatchEngine::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || !queue_.empty() || !begun_.empty(); });
      if (stop_) break;
    }
    try {
      drop_ended();
      admit();
      const std::span<const GeneratedToken> tokens = generator_.step();
      tell_progress();
      for (const GeneratedToken& token : tokens) deliver(token);
      take_stats();
    } catch (const std::exception& e) {
      fail_all(e.what());
    }
  }
  begun_.clear();
  std::deque<std::unique_ptr<Job>>
      left;  // clients are destroyed without the lock: it is theirs to call submit()
  const std::lock_guard lock(mutex_);
  left.swap(queue_);
}

// Takes from the queue, in order, what the generator has room for.
void BatchEngine::admit() {
  {
    const std::lock_guard lock(mutex_);
    bool room = begun_.empty() || start(*begun_.back());
    while (room && !queue_.empty()) {
      Job& job = *queue_.front();
      room = start(job);
      if (job.n_started == 0 && !job.over) break;
      begun_.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
  }
  drop_over();
}

// Begins the answers that wait; false when there is no room for all.
bool BatchEngine::start(Job& job) {
  const EngineRequest& r = job.request;
  try {
    for (; job.n_started < r.n; job.n_started++) {
      const size_t i = size_t(job.n_started);
      if (r.constraint && job.filters.size() == i)
        job.filters.push_back(r.constraint->make_filter());
      // A warm-up wants no token; the generator's shortest answer is one, which is not delivered.
      GenerateRequest request{.prompt = r.prompt,
                              .max_tokens = std::max(1, r.max_tokens),
                              .sampling = r.sampling,
                              .stop_tokens = r.stop_tokens,
                              .adapter = r.adapter,
                              .top_logprobs = r.top_logprobs,
                              .filter = r.constraint ? job.filters[i].get() : nullptr,
                              .prediction = r.prediction};
      request.sampling.seed += i;
      if (!generator_.add(next_id_, std::move(request))) return false;
      running_.emplace(next_id_++, Choice{&job, job.n_started});
      if (job.n_started == 0) job.client->on_started();
    }
  } catch (const std::exception& e) {  // out of memory: this request's misfortune alone
    job.client->on_error(EngineFailure::internal, e.what());
    end(job);
  }
  return true;
}

// Stops what runs of a job that nobody hears any more.
void BatchEngine::end(Job& job) {
  std::erase_if(running_, [&](const auto& choice) {
    if (choice.second.job == &job) generator_.cancel(choice.first);
    return choice.second.job == &job;
  });
  job.over = true;
}

void BatchEngine::drop_over() {
  std::erase_if(begun_, [](const auto& job) { return job->over; });
}

// Requests that nobody waits for any more, and those whose deadline has passed.
void BatchEngine::drop_ended() {
  const auto now = std::chrono::steady_clock::now();
  const auto late = [&](const Job& job) { return now >= job.request.deadline; };
  for (const auto& job : begun_) {
    const bool cancelled = job->client->cancelled();
    if (!cancelled && !late(*job)) continue;
    if (!cancelled) job->client->on_error(EngineFailure::deadline, deadline_message(*job));
    end(*job);
  }
  drop_over();
  std::vector<std::unique_ptr<Job>> dropped;  // told and destroyed after the lock is given back
  {
    const std::lock_guard lock(mutex_);
    const auto kept = std::stable_partition(queue_.begin(), queue_.end(), [&](const auto& job) {
      return !job->client->cancelled() && !late(*job);
    });
    dropped.assign(std::make_move_iterator(kept), std::make_move_iterator(queue_.end()));
    queue_.erase(kept, queue_.end());
  }
  for (const auto& job : dropped)
    if (!job->client->cancelled())
      job->client->on_error(EngineFailure::deadline, deadline_message(*job));
}

std::string BatchEngine::deadline_message(const Job& job) {
  const int n = job.usage.completion_tokens;
  return job.n_started == 0 ? "the deadline passed before the request left the queue"
         : n == 0           ? "the deadline passed before the prompt was read"
                            : fmt::format("the deadline passed after {} tokens of the answer", n);
}

void BatchEngine::tell_progress() {
  for (const PrefillProgress& progress : generator_.prefilling()) {
    const auto it = running_.find(progress.request);
    if (it == running_.end() || it->second.index != 0) continue;
    it->second.job->client->on_progress(progress.cached_tokens, progress.done_tokens);
  }
}

void BatchEngine::deliver(const GeneratedToken& token) {
  const auto it = running_.find(token.request);
  if (it == running_.end()) return;  // ended by a token before it in the same step
  const auto [job, choice] = it->second;
  FinishReason finish = token.finish;
  if (choice == 0) job->usage.cached_tokens = token.cached_tokens;
  if (job->request.max_tokens > 0) {
    job->usage.completion_tokens++;
    if (finish != FinishReason::stop && !job->client->on_token(choice, token)) {
      if (finish == FinishReason::none) generator_.cancel(token.request);
      finish = FinishReason::stop;
    }
  }
  if (finish == FinishReason::none) return;
  running_.erase(it);
  job->client->on_finish(choice, job->request.max_tokens > 0 ? finish : FinishReason::length);
  if (++job->n_finished < job->request.n) return;
  job->client->on_done(job->usage);
  job->over = true;
  drop_over();
}

// A step that failed leaves no request that could go on.
void BatchEngine::fail_all(const std::string& message) {
  for (const auto& job : begun_) {
    job->client->on_error(EngineFailure::internal, message);
    end(*job);
  }
  begun_.clear();
  take_stats();
}

}  // namespace chatmem
