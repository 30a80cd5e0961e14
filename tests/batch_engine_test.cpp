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
  void finish(FinishReason reason, const Usage& usage) {
    set([&] {
      EXPECT_TRUE(accepted_ && end_ == End::none);
      end_ = End::finished, reason_ = reason, usage_ = usage;
    });
  }
  void fail(const std::string& message) {
    set([&] { end_ = End::failed, message_ = message; });
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
  bool accepted_ = false, destroyed_ = false;
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
  bool on_token(int token) override {
    answer_.token(token);
    return --enough_ > 0;
  }
  void on_finish(FinishReason reason, const Usage& usage) override {
    answer_.finish(reason, usage);
  }
  void on_error(const std::string& message) override { answer_.fail(message); }
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
  EngineRequest request(int n_prompt, int max_tokens, uint64_t seed = 0) {
    const auto tokens = golden_.ints("tokens");
    EngineRequest r;
    r.id = "r";
    r.prompt.assign(tokens.begin(), tokens.begin() + n_prompt);
    r.max_tokens = max_tokens;
    if (seed > 0) r.sampling = {.temperature = 0.9f, .seed = seed};
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
    CHECK(generator.add(1, {r.prompt, r.max_tokens, r.sampling, r.stop_tokens, -1}));
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
  std::vector<EngineRequest> requests;
  for (int i = 0; i < 7; i++)
    requests.push_back(request(3 + 5 * i, 4 + 3 * i, i % 2 ? uint64_t(i) : 0));
  std::vector<Answer> answers(requests.size());
  for (size_t i = 0; i < requests.size(); i++) ASSERT_TRUE(submit(engine, requests[i], answers[i]));
  for (size_t i = 0; i < requests.size(); i++) {
    ASSERT_EQ(answers[i].wait_for_end(), End::finished);
    answers[i].wait_for_destruction();
    EXPECT_EQ(answers[i].tokens(), alone(requests[i])) << i;
    EXPECT_EQ(answers[i].reason(), FinishReason::length);
    EXPECT_EQ(answers[i].usage().prompt_tokens, int(requests[i].prompt.size()));
    EXPECT_EQ(answers[i].usage().completion_tokens, requests[i].max_tokens);
  }
}

TEST_F(BatchEngineTest, StopTokensAndEnoughEndAnAnswer) {
  BatchEngine engine(generator_, {});
  EngineRequest r = request(10, 20);
  const std::vector<int> text = alone(r);
  size_t first = 4;  // where the token of text[4] comes first
  for (size_t i = 0; i < 4; i++)
    if (text[i] == text[4]) first = std::min(first, i);
  Answer enough, stop;
  ASSERT_TRUE(submit(engine, r, enough, 3));
  r.stop_tokens = {text[4]};
  ASSERT_TRUE(submit(engine, r, stop));
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
  EngineRequest full = request(5, 0);
  full.prompt.resize(size_t(engine.context_length()), full.prompt[0]);
  for (const EngineRequest& r : {request(5, 0), full}) {
    Answer answer;
    ASSERT_TRUE(submit(engine, r, answer));
    ASSERT_EQ(answer.wait_for_end(), End::finished);
    EXPECT_EQ(answer.reason(), FinishReason::length);
    EXPECT_TRUE(answer.tokens().empty());
    EXPECT_EQ(answer.usage().completion_tokens, 0);
    EXPECT_EQ(answer.usage().prompt_tokens, int(r.prompt.size()));
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
      r.sampling = {.temperature = 0.9f, .seed = uint64_t(n)};
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
