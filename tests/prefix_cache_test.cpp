// Shared keys and values: the tree and the cache against naive models, also when memory runs out,
// and the laws of requests that share: each gets what it gets alone, warm is as cold.
#include "model/prefix_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <new>
#include <set>

#include "base/random.h"
#include "compute/cpu_ops.h"
#include "compute/forwarding_ops.h"
#include "golden_model.h"

namespace {
int allocations_left = -1;  // until one fails; -1: none does
}  // namespace

void* operator new(size_t n) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace chatmem {
namespace {

using Tokens = std::vector<int>;

// A page is one of few, so that sequences have much in common.
Tokens random_tokens(Random& random, int n_pages) {
  Tokens tokens;
  for (int i = 0; i < n_pages; i++) tokens.insert(tokens.end(), kPageTokens, int(random.below(3)));
  return tokens;
}

// Every operation on the tree and on a list of paths in the order in which they were left.
TEST(PageTree, IsANaiveListOfPaths) {
  Random random(1);
  PageTree tree(2);
  std::map<std::pair<int, Tokens>, PageTree::Node*> nodes;
  std::map<std::pair<int, Tokens>, int> users;
  std::vector<std::pair<int, Tokens>> unused;               // the one left first comes first
  std::vector<std::pair<int, Tokens>> in_use;               // the deepest node of each user's path
  const auto ancestors = [](std::pair<int, Tokens> path) {  // the path itself first
    std::vector<std::pair<int, Tokens>> all;
    for (; !path.second.empty(); path.second.resize(path.second.size() - kPageTokens))
      all.push_back(path);
    return all;
  };
  for (int i = 0; i < 20000; i++) {
    const std::pair<int, Tokens> path(int(random.below(2)),
                                      random_tokens(random, int(random.between(1, 5))));
    const int action = int(random.below(4));
    if (action <= 1) {  // walk, inserting what is missing, and use it
      PageTree::Node* node = tree.root(path.first);
      auto steps = ancestors(path);
      for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        const std::span<const int> page = std::span(step->second).last(kPageTokens);
        PageTree::Node* next = PageTree::find(node, page);
        ASSERT_EQ(next != nullptr, nodes.contains(*step));
        if (!next) {
          next = nodes[*step] = tree.insert(node, page, i);
          auto parent = *step;
          parent.second.resize(parent.second.size() - kPageTokens);
          unused.insert(std::find(unused.begin(), unused.end(), parent), *step);
        }
        ASSERT_EQ(next, nodes.at(*step));
        if (action == 0) {
          tree.use(next);
          if (users[*step]++ == 0) std::erase(unused, *step);
        }
        node = next;
      }
      if (action == 0) in_use.push_back(path);
    } else if (action == 2 && !in_use.empty()) {
      std::swap(in_use[random.below(in_use.size())], in_use.back());
      tree.release(nodes.at(in_use.back()));
      for (const auto& step : ancestors(in_use.back()))
        if (--users[step] == 0) unused.push_back(step);
      in_use.pop_back();
    } else if (tree.oldest()) {
      ASSERT_EQ(tree.oldest(), nodes.at(unused.front()));
      ASSERT_TRUE(tree.oldest()->children.empty());
      tree.erase(tree.oldest());
      nodes.erase(unused.front());
      unused.erase(unused.begin());
    }
    ASSERT_EQ(tree.n_unused(), int(unused.size()));
    ASSERT_EQ(tree.n_nodes(), int(nodes.size()));
  }
}

// Sequences that begin, grow and end in a small pool. What a page holds is the adapter and all
// tokens up to its end, written when they are "computed".
class CacheStress {
 public:
  CacheStress() {
    config_.n_layers = config_.n_kv_heads = 1, config_.head_dim = 2;
    pages_ = std::make_unique<KvPages>(*ops_, config_, kPages, DType::f32, 1);
    cache_ = std::make_unique<PrefixCache>(*ops_, *pages_, 1);
  }

  void step(Random& random, bool memory_runs_out) {
    const size_t pick = size_t(random.below(kMost));
    const int fails = memory_runs_out ? int(random.below(6)) : -1;
    try {
      if (pick >= live_.size()) {
        begin(random, fails);
      } else if (random.below(4) == 0) {
        std::swap(live_[pick], live_.back());
        live_.pop_back();
      } else {
        grow(*live_[pick], random, fails);
      }
    } catch (const std::bad_alloc&) {
      n_failed++;
    }
    allocations_left = -1;
    check();
  }
  int n_failed = 0, n_taken = 0, n_refused = 0;

 private:
  static constexpr int kPages = 14;
  static constexpr size_t kMost = 4;
  struct Live {
    Live(PrefixCache& cache, int with_adapter) : kv(cache, with_adapter), adapter(with_adapter) {}
    SharedSequence kv;
    int adapter;
    Tokens tokens;
    int n_done = 0;
  };

  void begin(Random& random, int fails) {
    auto live = std::make_unique<Live>(*cache_, int(random.below(2)) - 1);
    live->tokens = random_tokens(random, int(random.between(1, 7)));
    live->tokens.resize(live->tokens.size() - random.below(kPageTokens));
    live_.reserve(kMost);
    allocations_left = fails;
    live->n_done = live->kv.take(live->tokens);
    n_taken += live->n_done;
    const int needed = pages_for(int(live->tokens.size())) - live->n_done / kPageTokens;
    const int available = cache_->available_pages();
    const bool reserved = live->kv.reserve(int(live->tokens.size()));
    allocations_left = -1;
    ASSERT_EQ(reserved, needed <= available);
    n_refused += !reserved;
    if (reserved) live_.push_back(std::move(live));
  }

  void grow(Live& live, Random& random, int fails) {
    allocations_left = random.below(2) ? fails : -1;
    live.n_done = std::max(live.n_done, live.kv.take(live.tokens));
    allocations_left = -1;
    const int n = std::min(int(random.between(1, 80)), int(live.tokens.size()) - live.n_done);
    for (int i = 0; i < n; i++, live.n_done++) {
      const int page = live.kv.cache()->pages[size_t(live.n_done / kPageTokens)];
      Tokens& content = content_[page];
      if (live.n_done % kPageTokens == 0)
        content = {live.tokens.begin(), live.tokens.begin() + live.n_done};
      content.resize(size_t(live.n_done));
      content.push_back(live.tokens[size_t(live.n_done)]);
      adapter_[page] = live.adapter;
    }
    allocations_left = fails;
    live.kv.share(std::span(live.tokens).first(size_t(live.n_done)));
  }

  // What each sequence sees is its own text; no page has two owners.
  void check() {
    std::map<int, std::pair<int, Tokens>> seen;
    for (const auto& live : live_) {
      const auto pages = live->kv.cache()->pages;
      ASSERT_GE(pages.size() * kPageTokens, live->tokens.size());
      for (int i = 0; i < live->n_done; i += kPageTokens) {
        const int page = pages[size_t(i / kPageTokens)];
        const int end = std::min(i + kPageTokens, live->n_done);
        const Tokens want(live->tokens.begin(), live->tokens.begin() + end);
        ASSERT_EQ(content_[page], want);
        ASSERT_EQ(adapter_[page], live->adapter);
        const bool full = end % kPageTokens == 0;
        const auto [it, fresh] = seen.emplace(page, std::pair(live->adapter, want));
        ASSERT_TRUE(fresh || (full && it->second == std::pair(live->adapter, want)));
      }
    }
    ASSERT_LE(cache_->available_pages(), kPages);
    if (live_.empty()) {
      ASSERT_EQ(cache_->available_pages(), kPages);
    }
    ASSERT_LE(cache_->cached_pages() + pages_->free_pages(), kPages);
  }

  std::unique_ptr<Ops> ops_ = make_cpu_ops({.n_threads = 1});
  Config config_;
  std::unique_ptr<KvPages> pages_;
  std::unique_ptr<PrefixCache> cache_;
  std::vector<std::unique_ptr<Live>> live_;
  std::map<int, Tokens> content_;
  std::map<int, int> adapter_;
};

TEST(PrefixCache, NoSequenceSeesAnothersPages) {
  for (const bool memory_runs_out : {false, true}) {
    CacheStress stress;
    Random random(7);
    for (int i = 0; i < 30000; i++) {
      stress.step(random, memory_runs_out);
      if (testing::Test::HasFatalFailure()) return;
    }
    EXPECT_GT(stress.n_taken, 10000);
    EXPECT_GT(stress.n_refused, 100);
    EXPECT_EQ(stress.n_failed > 1000, memory_runs_out);
  }
}

// Keeps the logits of every step.
class WatchingOps final : public ForwardingOps {
 public:
  using ForwardingOps::ForwardingOps;
  void copy_out(void* host, Tensor src) override {
    ForwardingOps::copy_out(host, src);
    if (src.cols != n_logits) return;
    const float* values = static_cast<const float*>(host);
    logits.insert(logits.end(), values, values + src.size());
  }
  int n_logits = 0;
  std::vector<float> logits;
};

class SharingTest : public ::testing::Test {
 protected:
  struct Answer {
    Tokens tokens;
    std::vector<float> logits;
    int cached = 0;
  };
  Answer answer(Generator& generator, const GenerateRequest& request) {
    ops_.n_logits = golden_.config().vocab_size;
    ops_.logits.clear();
    CHECK(generator.add(1, request));
    Answer answer;
    while (generator.n_active() > 0)
      for (const GeneratedToken& token : generator.step()) {
        answer.tokens.push_back(token.token);
        answer.cached = token.cached_tokens;
      }
    answer.logits = std::exchange(ops_.logits, {});
    return answer;
  }
  Tokens text(int n) const {
    const auto tokens = golden_.ints("long.tokens");
    return {tokens.begin(), tokens.begin() + n};
  }

  GoldenModel golden_{"grouped"};
  WatchingOps ops_{make_cpu_ops()};
};

// The rest of a prompt runs by the same kernels as the whole, so the logits have the same bits; a
// rest of so few rows that others serve it is within rounding, and so are pages of an answer, which
// were computed a token at a time.
TEST_F(SharingTest, WarmIsAsCold) {
  const int n = int(golden_.ints("long.tokens").size());
  ASSERT_GE(n, 150);
  for (const std::optional<DType> kv_dtype : {std::optional<DType>(), {DType::bf16}, {DType::f16}})
    for (const int n_prompt : {33, 64, 65, 80, 97, 150}) {
      Generator generator(ops_, golden_.model(), {.kv_tokens = 512, .kv_dtype = kv_dtype});
      const GenerateRequest request{.prompt = text(n_prompt), .max_tokens = 40};
      const Answer cold = answer(generator, request);
      EXPECT_EQ(cold.cached, 0);
      const Answer warm = answer(generator, request);
      EXPECT_EQ(warm.cached, (n_prompt - 1) / kPageTokens * kPageTokens);
      EXPECT_EQ(warm.tokens, cold.tokens);
      if (n_prompt - warm.cached > 4)
        EXPECT_EQ(warm.logits, cold.logits) << n_prompt;
      else
        EXPECT_LT(max_difference(warm.logits, cold.logits), kv_dtype ? 0.02 : 2e-5) << n_prompt;

      // The next turn: what was answered is part of the prompt.
      GenerateRequest next = request;
      next.prompt.insert(next.prompt.end(), cold.tokens.begin(), cold.tokens.end());
      next.prompt.push_back(5);
      const Answer grown = answer(generator, next);
      EXPECT_EQ(grown.cached, (n_prompt + 39) / kPageTokens * kPageTokens);
      Generator fresh(ops_, golden_.model(), {.kv_tokens = 512, .kv_dtype = kv_dtype});
      const Answer fresh_answer = answer(fresh, next);
      EXPECT_EQ(grown.tokens, fresh_answer.tokens);
      EXPECT_LT(max_difference(grown.logits, fresh_answer.logits), kv_dtype ? 0.03 : 2e-5);
    }
}

TEST_F(SharingTest, AdaptersShareNothing) {
  GoldenModel& g = golden_;
  Generator generator(ops_, g.model(), {.kv_tokens = 512, .adapters = {&g.adapter}});
  const GenerateRequest plain{.prompt = text(100), .max_tokens = 8};
  GenerateRequest adapted = plain;
  adapted.adapter = 0;
  const Answer first = answer(generator, plain), second = answer(generator, adapted);
  EXPECT_EQ(second.cached, 0);
  EXPECT_EQ(answer(generator, adapted).cached, 96);
  EXPECT_EQ(answer(generator, plain).tokens, first.tokens);
}

// A request that waits for its first step takes what another has computed meanwhile.
TEST_F(SharingTest, RequestsShareWhileTheyRun) {
  Generator generator(ops_, golden_.model(), {.prefill_tokens = 50, .kv_tokens = 512});
  const GenerateRequest request{.prompt = text(140), .max_tokens = 5};
  const Tokens alone = answer(generator, request).tokens;
  Generator fresh(ops_, golden_.model(), {.prefill_tokens = 50, .kv_tokens = 512});
  std::map<int64_t, Tokens> texts;
  std::map<int64_t, int> cached;
  for (int i = 0; i < 3; i++) ASSERT_TRUE(fresh.add(i, request));
  while (fresh.n_active() > 0)
    for (const GeneratedToken& token : fresh.step()) {
      texts[token.request].push_back(token.token);
      cached[token.request] = token.cached_tokens;
    }
  for (int i = 0; i < 3; i++) EXPECT_EQ(texts[i], alone);
  EXPECT_EQ(cached[0], 0);
  EXPECT_GE(cached[1], 96);
  EXPECT_EQ(cached[2], 128);
  EXPECT_EQ(fresh.stats().cached_tokens, cached[1] + cached[2]);
  EXPECT_EQ(fresh.stats().prompt_tokens, 3 * 140);
}

// Many requests with common beginnings in a pool that holds few of them, some given up half way.
TEST_F(SharingTest, UnderPressureEachGetsWhatItGetsAlone) {
  const GeneratorOptions options{.max_requests = 4, .prefill_tokens = 40, .kv_tokens = 11 * 32};
  Generator generator(ops_, golden_.model(), options);
  Random random(3);
  const Tokens base = text(120);
  std::vector<GenerateRequest> requests;
  for (int i = 0; i < 60; i++) {
    Tokens prompt(base.begin(), base.begin() + random.between(1, 120));
    for (int more = random.between(0, 40); more > 0; more--) prompt.push_back(int(random.below(9)));
    requests.push_back({.prompt = prompt,
                        .max_tokens = random.between(1, 40),
                        .sampling = {.temperature = i % 2 ? 0.7f : 0, .seed = uint64_t(i)}});
  }
  std::map<int64_t, Tokens> texts;
  std::set<int64_t> cancelled;
  for (size_t next = 0; next < requests.size() || generator.n_active() > 0;) {
    while (next < requests.size() && generator.add(int64_t(next), requests[next])) next++;
    for (const GeneratedToken& token : generator.step())
      texts[token.request].push_back(token.token);
    if (next > 0 && random.below(20) == 0) {
      cancelled.insert(int64_t(next) - 1);
      generator.cancel(int64_t(next) - 1);
    }
  }
  EXPECT_GT(generator.stats().cached_tokens, 1000);
  int whole = 0;
  for (size_t i = 0; i < requests.size(); i++) {
    Generator one(ops_, golden_.model(), options);
    Tokens alone = answer(one, requests[i]).tokens;
    const Tokens& got = texts[int64_t(i)];
    whole += got.size() == alone.size();
    if (cancelled.contains(int64_t(i))) alone.resize(std::min(alone.size(), got.size()));
    EXPECT_EQ(got, alone) << i;
  }
  EXPECT_GT(whole, 40);
}

}  // namespace
}  // namespace chatmem
