// The engine's thread: every client hears its own answer, whoever else comes, goes or fails.
#include "serve/batch_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <thread>

#include "compute/cpu_ops.h"
#include "compute/forwarding_ops.h"
#include "golden_model.h"

namespace chatmem {
namespace {

using ::testing::HasSubstr;

// What became of one request; clients write, the test waits.
class Answer {
 public:
  enum class End { none, finished, failed, destroyed };

  void accept() {
    set([&] { accepted_ = true; });
  }
  void token(int token) {
    set([&] { tokens_.push_back(token); });
    if (heard) heard(tokens_.size());
  }
  void finish(FinishReason reason) {
    set([&] { reason_ = reason; });
  }
  void done(const Usage& usage) {
    set([&] {
      EXPECT_TRUE(accepted_ && end_ == End::none);
      end_ = End::finished, usage_ = usage;
    });
  }
  void start() {
    set([&] {
      EXPECT_TRUE(accepted_ && !started_);
      started_ = true;
    });
  }
  void progress(int cached, int done) {
    set([&] {
      EXPECT_TRUE(started_ && tokens_.empty());
      progress_.push_back({cached, done});
    });
  }
  void fail(EngineFailure failure, const std::string& message) {
    set([&] { end_ = End::failed, failure_ = failure, message_ = message; });
  }
  void destroy() {
    set([&] {
      destroyed_ = true;
      if (end_ == End::none) end_ = End::destroyed;
    });
  }

  // Waits for a condition on the members; a test that hangs is ended by its time limit.
  template <typename Condition>
  void wait(const Condition& condition) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, condition);
  }
  End wait_for_end() {
    wait([&] { return end_ != End::none; });
    return end_;
  }
  void wait_for_tokens(size_t n) {
    wait([&] { return tokens_.size() >= n || end_ != End::none; });
  }
  void wait_for_destruction() {
    wait([&] { return destroyed_; });
  }
  std::vector<int> tokens() {
    const std::lock_guard lock(mutex_);
    return tokens_;
  }
  // Of an answer that has ended.
  FinishReason reason() { return reason_; }
  Usage usage() { return usage_; }
  std::string message() { return message_; }
  EngineFailure failure() { return failure_; }
  std::vector<std::pair<int, int>> progress() { return progress_; }  // cached and done tokens
  bool accepted() {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }
  std::atomic<bool> cancelled{false};
  std::function<void(size_t n_tokens)> heard;  // on the engine's thread, after each token

 private:
  template <typename Change>
  void set(const Change& change) {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(destroyed_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool accepted_ = false, started_ = false, destroyed_ = false;
  EngineFailure failure_ = EngineFailure::internal;
  std::vector<std::pair<int, int>> progress_;
  End end_ = End::none;
  std::vector<int> tokens_;
  FinishReason reason_ = FinishReason::none;
  Usage usage_;
  std::string message_;
};
using End = Answer::End;

class TestClient final : public EngineClient {
 public:
  // Says "enough" at the token number `enough`.
  explicit TestClient(Answer& answer, int enough = 1 << 30) : answer_(answer), enough_(enough) {}
  ~TestClient() override { answer_.destroy(); }
  void on_accepted() override { answer_.accept(); }
  void on_started() override { answer_.start(); }
  void on_progress(int cached, int done) override { answer_.progress(cached, done); }
  bool on_token(int, const GeneratedToken& token) override {
    answer_.token(token.token);
    return --enough_ > 0;
  }
  void on_finish(int, FinishReason reason) override { answer_.finish(reason); }
  void on_done(const Usage& usage) override { answer_.done(usage); }
  void on_error(EngineFailure failure, const std::string& message) override {
    answer_.fail(failure, message);
  }
  bool cancelled() const override { return answer_.cancelled; }

 private:
  Answer& answer_;
  int enough_;
};

// Fails every pass while `broken`; holds every pass while `held`.
class FailingOps final : public ForwardingOps {
 public:
  using ForwardingOps::ForwardingOps;
  void embed(Tensor x, Tensor table, std::span<const int> tokens) override {
    inside = true;
    while (held) std::this_thread::yield();
    if (broken) throw std::runtime_error("the device is gone");
    ForwardingOps::embed(x, table, tokens);
  }
  std::atomic<bool> broken{false}, held{false}, inside{false};
};

// Without threads of its own and without oneDNN: what the thread sanitizer sees is the engine's.
std::unique_ptr<Ops> plain_ops() {
  return make_cpu_ops_with(CpuSetup{.n_threads = 1, .isa = best_isa(), .gemm = GemmBackend::plain});
}

class BatchEngineTest : public ::testing::Test {
 protected:
  EngineRequest request(int n_prompt, int max_tokens, uint64_t seed = 0) const {
    const auto tokens = golden_.ints("tokens");
    EngineRequest r;
    r.prompt.assign(tokens.begin(), tokens.begin() + n_prompt);
    r.max_tokens = max_tokens;
    if (seed > 0)
      r.sampling = {.temperature = 0.9f, .seed = seed, .frequency_penalty = float(seed % 3) / 2};
    return r;
  }
  static bool submit(BatchEngine& engine, EngineRequest request, Answer& answer,
                     int enough = 1 << 30) {
    std::unique_ptr<EngineClient> client = std::make_unique<TestClient>(answer, enough);
    return engine.submit(request, client);
  }
  // What the generator makes of a request alone, the stop token left out.
  std::vector<int> alone(const EngineRequest& r) {
    const auto ops = plain_ops();
    Generator generator(*ops, golden_.model(), options_);
    CHECK(generator.add(1, {r.prompt, r.max_tokens, r.sampling, r.stop_tokens, r.adapter}));
    std::vector<int> tokens;
    while (generator.n_active() > 0)
      for (const GeneratedToken& token : generator.step())
        if (token.finish != FinishReason::stop) tokens.push_back(token.token);
    return tokens;
  }

  GoldenModel golden_{"grouped"};
  FailingOps ops_{plain_ops()};
  GeneratorOptions options_{.max_requests = 3, .prefill_tokens = 16, .kv_tokens = 256};
  Generator generator_{ops_, golden_.model(), options_};
};

TEST_F(BatchEngineTest, AnswersAreThoseOfTheGeneratorAlone) {
  BatchEngine engine(generator_, {});
  EXPECT_EQ(engine.context_length(), generator_.capacity_tokens());
  const auto request_number = [&](int i) {
    return request(3 + 5 * i, 4 + 3 * i, i % 2 ? uint64_t(i) : 0);
  };
  std::vector<Answer> answers(7);
  for (int i = 0; i < 7; i++) ASSERT_TRUE(submit(engine, request_number(i), answers[size_t(i)]));
  for (int i = 0; i < 7; i++) {
    Answer& answer = answers[size_t(i)];
    ASSERT_EQ(answer.wait_for_end(), End::finished);
    answer.wait_for_destruction();
    EXPECT_EQ(answer.tokens(), alone(request_number(i))) << i;
    EXPECT_EQ(answer.reason(), FinishReason::length);
    EXPECT_EQ(answer.usage().prompt_tokens, 3 + 5 * i);
    EXPECT_EQ(answer.usage().completion_tokens, 4 + 3 * i);
  }
}

TEST_F(BatchEngineTest, StopTokensAndEnoughEndAnAnswer) {
  BatchEngine engine(generator_, {});
  const std::vector<int> text = alone(request(10, 20));
  size_t first = 4;  // where the token of text[4] comes first
  for (size_t i = 0; i < 4; i++)
    if (text[i] == text[4]) first = std::min(first, i);
  Answer enough, stop;
  ASSERT_TRUE(submit(engine, request(10, 20), enough, 3));
  EngineRequest r = request(10, 20);
  r.stop_tokens = {text[4]};
  ASSERT_TRUE(submit(engine, std::move(r), stop));
  ASSERT_EQ(enough.wait_for_end(), End::finished);
  EXPECT_EQ(enough.reason(), FinishReason::stop);
  EXPECT_EQ(enough.tokens().size(), 3u);
  EXPECT_EQ(enough.usage().completion_tokens, 3);
  ASSERT_EQ(stop.wait_for_end(), End::finished);
  EXPECT_EQ(stop.reason(), FinishReason::stop);
  EXPECT_EQ(stop.tokens(), std::vector<int>(text.begin(), text.begin() + ptrdiff_t(first)));
  EXPECT_EQ(stop.usage().completion_tokens, int(first) + 1);
  enough.wait_for_destruction(), stop.wait_for_destruction();
}

// Also with a prompt that fills the context: no token, so no room for one is needed.
TEST_F(BatchEngineTest, NoTokensAreAPrefillOnly) {
  BatchEngine engine(generator_, {});
  for (const int n_prompt : {5, engine.context_length()}) {
    EngineRequest r = request(5, 0);
    r.prompt.resize(size_t(n_prompt), r.prompt[0]);
    Answer answer;
    ASSERT_TRUE(submit(engine, std::move(r), answer));
    ASSERT_EQ(answer.wait_for_end(), End::finished);
    EXPECT_EQ(answer.reason(), FinishReason::length);
    EXPECT_TRUE(answer.tokens().empty());
    EXPECT_EQ(answer.usage().completion_tokens, 0);
    EXPECT_EQ(answer.usage().prompt_tokens, n_prompt);
    answer.wait_for_destruction();
  }
}

TEST_F(BatchEngineTest, AFullQueueRefusesAndLeavesTheArguments) {
  std::vector<Answer> taken(3);
  Answer refused;
  EngineRequest r = request(6, 3);
  std::unique_ptr<EngineClient> client = std::make_unique<TestClient>(refused);
  BatchEngine engine(generator_, {.max_queue = 2});
  ops_.held = true;
  ASSERT_TRUE(submit(engine, request(5, 2), taken[0]));
  while (!ops_.inside) std::this_thread::yield();  // the first has left the queue
  ASSERT_TRUE(submit(engine, request(5, 2), taken[1]));
  ASSERT_TRUE(submit(engine, request(5, 2), taken[2]));
  EXPECT_FALSE(engine.submit(r, client));
  EXPECT_EQ(r.prompt, request(6, 3).prompt);
  EXPECT_EQ(r.max_tokens, 3);
  ASSERT_NE(client, nullptr);
  EXPECT_FALSE(refused.accepted());
  ops_.held = false;
  for (Answer& answer : taken) EXPECT_EQ(answer.wait_for_end(), End::finished);
  EXPECT_TRUE(engine.submit(r, client));
  EXPECT_EQ(refused.wait_for_end(), End::finished);
  for (Answer& answer : taken) answer.wait_for_destruction();
  refused.wait_for_destruction();
}

TEST_F(BatchEngineTest, CancellationFreesWhereverTheRequestIs) {
  options_.max_requests = 1;
  options_.prefill_tokens = 4;
  Generator one(ops_, golden_.model(), options_);
  BatchEngine engine(one, {});
  Answer decoding, waiting, prefilling, after;
  decoding.heard = [&](size_t n_tokens) {
    if (n_tokens == 2) waiting.cancelled = true;
    if (n_tokens == 4) decoding.cancelled = true;
  };
  ASSERT_TRUE(submit(engine, request(5, 200), decoding));
  ASSERT_TRUE(submit(engine, request(5, 200), waiting));
  EXPECT_EQ(waiting.wait_for_end(), End::destroyed);
  EXPECT_TRUE(waiting.tokens().empty());
  EXPECT_EQ(decoding.wait_for_end(), End::destroyed);
  EXPECT_EQ(decoding.tokens().size(), 4u);
  ops_.inside = false;
  ops_.held = true;
  ASSERT_TRUE(submit(engine, request(33, 100), prefilling));
  while (!ops_.inside) std::this_thread::yield();  // in the first of its nine pieces
  prefilling.cancelled = true;
  ops_.held = false;
  EXPECT_EQ(prefilling.wait_for_end(), End::destroyed);
  EXPECT_TRUE(prefilling.tokens().empty());
  ASSERT_TRUE(submit(engine, request(5, 4), after));
  ASSERT_EQ(after.wait_for_end(), End::finished);
  EXPECT_EQ(after.tokens(), alone(request(5, 4)));
  for (Answer* answer : {&decoding, &waiting, &prefilling, &after}) answer->wait_for_destruction();
}

// In the queue, during prefill and during decode; what comes after is served.
TEST_F(BatchEngineTest, ADeadlineEndsARequestWhereverItIs) {
  options_.max_requests = 1;
  options_.prefill_tokens = 4;
  Generator one(ops_, golden_.model(), options_);
  BatchEngine engine(one, {});
  const auto due = [&](int n_prompt, int ms) {
    EngineRequest r = request(n_prompt, 200);
    r.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
    return r;
  };
  Answer decoding, waiting, prefilling, after;
  decoding.heard = [](size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
  ASSERT_TRUE(submit(engine, due(5, 200), decoding));
  ASSERT_TRUE(submit(engine, due(5, 20), waiting));
  ASSERT_EQ(waiting.wait_for_end(), End::failed);
  EXPECT_THAT(waiting.message(), HasSubstr("before the request left the queue"));
  ASSERT_EQ(decoding.wait_for_end(), End::failed);
  EXPECT_THAT(decoding.message(), HasSubstr("tokens of the answer"));
  EXPECT_FALSE(decoding.tokens().empty());
  ops_.inside = false;
  ops_.held = true;
  ASSERT_TRUE(submit(engine, due(33, 10), prefilling));
  while (!ops_.inside) std::this_thread::yield();  // in the first of its nine pieces
  std::this_thread::sleep_for(std::chrono::milliseconds(15));
  ops_.held = false;
  ASSERT_EQ(prefilling.wait_for_end(), End::failed);
  EXPECT_THAT(prefilling.message(), HasSubstr("before the prompt was read"));
  for (Answer* answer : {&waiting, &decoding, &prefilling})
    EXPECT_EQ(answer->failure(), EngineFailure::deadline);
  ASSERT_TRUE(submit(engine, request(5, 4), after));
  ASSERT_EQ(after.wait_for_end(), End::finished);
  EXPECT_EQ(after.tokens(), alone(request(5, 4)));
  for (Answer* answer : {&decoding, &waiting, &prefilling, &after}) answer->wait_for_destruction();
}

TEST_F(BatchEngineTest, TellsProgressAndStatistics) {
  options_.prefill_tokens = 8;
  Generator small(ops_, golden_.model(), options_);
  BatchEngine engine(small, {});
  Answer answer, again;
  ASSERT_TRUE(submit(engine, request(30, 3), answer));
  ASSERT_EQ(answer.wait_for_end(), End::finished);
  answer.wait_for_destruction();
  EXPECT_EQ(answer.progress(), (std::vector<std::pair<int, int>>{{0, 8}, {0, 16}, {0, 24}}));
  ASSERT_TRUE(submit(engine, request(33, 3), again));
  ASSERT_EQ(again.wait_for_end(), End::finished);
  again.wait_for_destruction();
  while (engine.stats().running > 0) std::this_thread::yield();
  const EngineStats stats = engine.stats();
  EXPECT_EQ(stats.waiting, 0);
  EXPECT_EQ(stats.tokens.prompt_tokens, 63);
  EXPECT_EQ(stats.kv.used_bytes, 0u);
  EXPECT_GT(stats.kv.cached_bytes, 0u);  // whole pages of what was asked
  EXPECT_LE(stats.kv.cached_bytes, stats.kv.total_bytes);
}

// Requests for the model alone and for its adapter, together in every step.
TEST_F(BatchEngineTest, EachRequestHasTheAdapterItNames) {
  options_.adapters = {&golden_.adapter};
  Generator generator(ops_, golden_.model(), options_);
  const auto adapted = [&](int adapter) {
    EngineRequest r = request(9, 12);
    r.adapter = adapter;
    return r;
  };
  const std::vector<int> base = alone(adapted(-1)), other = alone(adapted(0));
  ASSERT_NE(base, other);
  BatchEngine engine(generator, {});
  std::vector<Answer> answers(6);
  for (int i = 0; i < 6; i++) ASSERT_TRUE(submit(engine, adapted(i % 2 - 1), answers[size_t(i)]));
  for (int i = 0; i < 6; i++) {
    ASSERT_EQ(answers[size_t(i)].wait_for_end(), End::finished);
    answers[size_t(i)].wait_for_destruction();
    EXPECT_EQ(answers[size_t(i)].tokens(), i % 2 == 0 ? base : other) << i;
  }
}

TEST_F(BatchEngineTest, DestructionCutsWhatIsLeft) {
  std::vector<Answer> answers(12);
  // Slow listeners: all twelve would take two seconds.
  for (Answer& answer : answers)
    answer.heard = [](size_t) { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  {
    BatchEngine engine(generator_, {});
    for (Answer& answer : answers) ASSERT_TRUE(submit(engine, request(5, 150), answer));
    answers[0].wait_for_tokens(1);
  }
  int cut = 0;
  for (Answer& answer : answers) {
    answer.wait_for_destruction();  // no client is left
    cut += answer.wait_for_end() == End::destroyed;
  }
  EXPECT_GT(cut, 0);
  EXPECT_GT(generator_.n_active(), 0);  // the generator is its owner's to clear
}

TEST_F(BatchEngineTest, AFailedStepIsHeardByItsRequestsAndTheNextIsServed) {
  BatchEngine engine(generator_, {});
  ops_.broken = true;
  std::vector<Answer> answers(2);
  for (Answer& answer : answers) {
    ASSERT_TRUE(submit(engine, request(5, 8), answer));
    ASSERT_EQ(answer.wait_for_end(), End::failed);
    EXPECT_THAT(answer.message(), HasSubstr("the device is gone"));
    answer.wait_for_destruction();
  }
  ops_.broken = false;
  Answer next;
  ASSERT_TRUE(submit(engine, request(5, 8), next));
  ASSERT_EQ(next.wait_for_end(), End::finished);
  EXPECT_EQ(next.tokens(), alone(request(5, 8)));
  next.wait_for_destruction();
}

// Hears several answers; read after it is destroyed.
class ChoicesClient final : public EngineClient {
 public:
  struct Heard {
    std::vector<std::vector<int>> tokens;
    std::vector<FinishReason> reasons;
    std::vector<float> logprobs;  // of the first answer
    size_t n_top = 0;
    Usage usage;
    std::atomic<bool> destroyed{false};
  };
  ChoicesClient(Heard& heard, int n) : heard_(heard) {
    heard_.tokens.resize(size_t(n)), heard_.reasons.resize(size_t(n));
  }
  ~ChoicesClient() override { heard_.destroyed = true; }
  void on_accepted() override {}
  void on_started() override {}
  void on_progress(int, int) override {}
  bool on_token(int choice, const GeneratedToken& token) override {
    heard_.tokens.at(size_t(choice)).push_back(token.token);
    if (token.logprobs && choice == 0) {
      heard_.logprobs.push_back(token.logprobs->logprob);
      heard_.n_top += token.logprobs->top.size();
    }
    return true;
  }
  void on_finish(int choice, FinishReason reason) override {
    heard_.reasons.at(size_t(choice)) = reason;
  }
  void on_done(const Usage& usage) override { heard_.usage = usage; }
  void on_error(EngineFailure, const std::string& message) override { ADD_FAILURE() << message; }
  bool cancelled() const override { return false; }

 private:
  Heard& heard_;
};

// More answers than slots, beside another request: each as it would be alone with its seed.
TEST_F(BatchEngineTest, SeveralAnswersToOnePrompt) {
  BatchEngine engine(generator_, {});
  ChoicesClient::Heard heard;
  EngineRequest r = request(12, 9, 40);
  r.n = 5;
  r.top_logprobs = 3;
  std::unique_ptr<EngineClient> client = std::make_unique<ChoicesClient>(heard, r.n);
  ASSERT_TRUE(engine.submit(r, client));
  Answer other;
  ASSERT_TRUE(submit(engine, request(7, 5), other));
  EXPECT_EQ(other.wait_for_end(), End::finished);
  EXPECT_EQ(other.tokens(), alone(request(7, 5)));
  other.wait_for_destruction();
  while (!heard.destroyed) std::this_thread::yield();
  for (uint64_t i = 0; i < 5; i++) {
    EngineRequest one = request(12, 9, 40);
    one.sampling.seed += i;
    EXPECT_EQ(heard.tokens[i], alone(one)) << i;
    EXPECT_EQ(heard.reasons[i], FinishReason::length);
  }
  EXPECT_NE(heard.tokens[0], heard.tokens[1]);
  EXPECT_EQ(heard.usage.prompt_tokens, 12);
  EXPECT_EQ(heard.usage.completion_tokens, 45);
  // The logprobs are those of the sequence, whatever was sampled with.
  std::vector<int> sequence = request(12, 9).prompt;
  sequence.insert(sequence.end(), heard.tokens[0].begin(), heard.tokens[0].end());
  const std::vector<float> scores =
      score_tokens(*plain_ops(), golden_.model(), sequence, nullptr, DType::f32);
  ASSERT_EQ(heard.logprobs.size(), 9u);
  EXPECT_EQ(heard.n_top, 27u);
  for (size_t i = 0; i < 9; i++) EXPECT_NEAR(heard.logprobs[i], scores[11 + i], 1e-3);
}

// Allows ids that are multiples of a number alone, then the stop token after some of them.
class MultiplesConstraint final : public TokenConstraint {
 public:
  MultiplesConstraint(int of, int stop) : of_(of), stop_(stop) {}
  std::unique_ptr<TokenFilter> make_filter() const override {
    class Filter final : public TokenFilter {
     public:
      Filter(int of, int stop) : of_(of), stop_(stop) {}
      void allow(std::span<uint32_t> bits) override {
        for (int token = of_; n_ < 4 && size_t(token) < bits.size() * 32; token += of_)
          bits[size_t(token) / 32] |= 1u << token % 32;
        if (n_ == 4) bits[size_t(stop_) / 32] |= 1u << stop_ % 32;
      }
      void accept(int) override { n_++; }

     private:
      int of_, stop_, n_ = 0;
    };
    return std::make_unique<Filter>(of_, stop_);
  }

 private:
  int of_, stop_;
};

TEST_F(BatchEngineTest, AConstraintHoldsForEachAnswer) {
  BatchEngine engine(generator_, {});
  ChoicesClient::Heard heard;
  EngineRequest r = request(6, 20, 3);
  r.n = 4;
  r.stop_tokens = {1};
  r.constraint = std::make_unique<MultiplesConstraint>(7, 1);
  std::unique_ptr<EngineClient> client = std::make_unique<ChoicesClient>(heard, r.n);
  ASSERT_TRUE(engine.submit(r, client));
  while (!heard.destroyed) std::this_thread::yield();
  for (size_t i = 0; i < 4; i++) {
    ASSERT_EQ(heard.tokens[i].size(), 4u);
    for (const int token : heard.tokens[i]) EXPECT_EQ(token % 7, 0);
    EXPECT_EQ(heard.reasons[i], FinishReason::stop);
  }
}

TEST_F(BatchEngineTest, ManyThreadsAllGetTheirOwnAnswers) {
  constexpr int kThreads = 8, kEach = 25;
  std::map<int, std::vector<int>> expected;  // by length of the prompt
  for (int n = 3; n < 11; n++) expected[n] = alone(request(n, 6, uint64_t(n)));
  const auto prompt = golden_.ints("tokens");
  BatchEngine engine(generator_, {.max_queue = 5});
  std::atomic<int> right{0};
  const auto work = [&](int thread) {
    for (int i = 0; i < kEach; i++) {
      const int n = 3 + (thread + i) % 8;
      Answer answer;
      EngineRequest r;
      r.prompt.assign(prompt.begin(), prompt.begin() + n);
      r.max_tokens = 6;
      r.sampling = {
          .temperature = 0.9f, .seed = uint64_t(n), .frequency_penalty = float(n % 3) / 2};
      std::unique_ptr<EngineClient> client = std::make_unique<TestClient>(answer);
      while (!engine.submit(r, client)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const End end = answer.wait_for_end();
      answer.wait_for_destruction();
      right += end == End::finished && answer.tokens() == expected.at(n);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; i++) threads.emplace_back(work, i);
  }
  EXPECT_EQ(right, kThreads * kEach);
}

}  // namespace
}  // namespace chatmem
