// Keys and values on disk: what is loaded is what was saved, whatever became of the files, the
// process or the budget.
#include "model/prefix_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <map>

#include "base/hash.h"
#include "base/random.h"
#include "compute/cpu_ops.h"
#include "error_of.h"
#include "golden_model.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Tokens = std::vector<int>;

constexpr size_t kPageBytes = 1000;
constexpr size_t kFileBytes = 2 * kPageBytes + 64 + 4 * kPageTokens;

Tokens tokens_of(std::initializer_list<int> pages) {
  Tokens tokens;
  for (const int page : pages) tokens.insert(tokens.end(), kPageTokens, page);
  return tokens;
}

// What the keys (or values) of the last page of a sequence are in these tests.
std::string content(int root, std::span<const int> tokens, bool values) {
  const std::string_view bytes(reinterpret_cast<const char*>(tokens.data()), tokens.size() * 4);
  Random random(hash64(bytes) + uint64_t(2 * root) + values);
  std::string text(kPageBytes, '\0');
  for (char& c : text) c = char(random.next());
  return text;
}

class PrefixStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<PrefixStore> open(size_t max_bytes = 1 << 30,
                                    std::vector<uint64_t> fingerprints = {11, 22}) {
    return std::make_unique<PrefixStore>(
        PrefixStoreOptions{folder_.path(), max_bytes,
                           [this](std::string_view text) { warnings_.emplace_back(text); }},
        std::move(fingerprints), kPageBytes);
  }
  static bool save(PrefixStore& store, const Tokens& tokens, int root = 0) {
    return store.save(root, tokens, [&](void* keys, void* values) {
      std::memcpy(keys, content(root, tokens, false).data(), kPageBytes);
      std::memcpy(values, content(root, tokens, true).data(), kPageBytes);
    });
  }
  static void save_all(PrefixStore& store, const Tokens& tokens, int root = 0) {
    for (size_t n = kPageTokens; n <= tokens.size(); n += kPageTokens)
      EXPECT_TRUE(save(store, {tokens.begin(), tokens.begin() + ptrdiff_t(n)}, root));
  }
  // Whether the page is there; it must be what was saved.
  static bool load(PrefixStore& store, const Tokens& tokens, int root = 0) {
    return store.load(root, tokens, [&](const void* keys, const void* values) {
      EXPECT_EQ(std::memcmp(keys, content(root, tokens, false).data(), kPageBytes), 0);
      EXPECT_EQ(std::memcmp(values, content(root, tokens, true).data(), kPageBytes), 0);
    });
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      if (entry.path().extension() == ".kv") found.push_back(entry.path());
    return found;
  }

  TestFolder folder_;
  std::vector<std::string> warnings_;
};

TEST_F(PrefixStoreTest, WhatIsSavedIsLoadedAlsoByTheNext) {
  const Tokens a = tokens_of({1, 2, 3}), b = tokens_of({1, 2, 4});
  {
    const auto store = open();
    EXPECT_FALSE(save(*store, a)) << "the pages before it are missing";
    save_all(*store, a);
    save_all(*store, b);
    save_all(*store, a, 1);
    EXPECT_EQ(store->n_pages(), 7);
    EXPECT_TRUE(load(*store, b)) << "also while it waits to be written";
  }
  EXPECT_EQ(files().size(), 7u);
  for (const fs::path& file : files()) EXPECT_EQ(fs::file_size(file), kFileBytes);
  const auto store = open();
  EXPECT_EQ(store->match(0, a), 3);
  EXPECT_EQ(store->match(0, tokens_of({1, 2, 5})), 2);
  EXPECT_EQ(store->match(1, b), 2);
  EXPECT_EQ(store->match(0, tokens_of({7})), 0);
  for (const int root : {0, 1}) EXPECT_TRUE(load(*store, a, root));
  EXPECT_TRUE(load(*store, tokens_of({1})));
  EXPECT_FALSE(load(*store, b, 1));
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_THAT(error_of([&] { open(); }), HasSubstr("[kv]")) << "one process at a time";
}

TEST_F(PrefixStoreTest, ForeignFilesAreRemoved) {
  save_all(*open(), tokens_of({1, 2, 3}));
  write_file_atomic(folder_.path() / "0123.kv", "not named by an id: left alone");
  write_file_atomic(folder_.path() / "notes.txt", "mine");
  EXPECT_EQ(open(1 << 30, {11})->n_pages(), 3);
  EXPECT_EQ(open(1 << 30, {33, 22})->n_pages(), 0);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("3 of 3 files")));
  EXPECT_EQ(files().size(), 1u);
  EXPECT_TRUE(fs::exists(folder_.path() / "notes.txt"));
}

// Any byte changed, any length: the page is missing, with those after it; nothing else happens.
TEST_F(PrefixStoreTest, DamagedFilesAreRemoved) {
  const Tokens path = tokens_of({1, 2, 3});
  Random random(1);
  for (int round = 0; round < 200; round++) {
    {
      const auto store = open();
      save_all(*store, path);
      EXPECT_EQ(store->n_pages(), 3);
    }
    const fs::path victim = files()[random.below(3)];
    std::string bytes = read_file(victim);
    if (round % 4 == 0)
      bytes.resize(random.below(bytes.size()));
    else if (round % 4 == 1)
      bytes.append(1 + random.below(10), 'x');
    else  // also in the header alone
      bytes[random.below(round % 4 == 2 ? 192 : bytes.size())] ^= char(1 << random.below(8));
    std::ofstream(victim, std::ios::binary) << bytes;
    const auto store = open();
    int n_good = 0;
    for (int n = 1; n <= 3; n++)
      n_good += load(*store, {path.begin(), path.begin() + n * kPageTokens});
    EXPECT_LT(n_good, 3);
    EXPECT_EQ(store->n_pages(), n_good);
    store->flush();
    EXPECT_EQ(files().size(), size_t(n_good));
    EXPECT_FALSE(warnings_.empty());
    warnings_.clear();
  }
}

TEST_F(PrefixStoreTest, TheBudgetHoldsAndTheLongestUnusedGoes) {
  const Tokens old = tokens_of({1, 1}), kept = tokens_of({2, 2}), fresh = tokens_of({3, 3});
  const auto store = open(4 * kFileBytes + kFileBytes / 2);
  save_all(*store, old);
  save_all(*store, kept);
  EXPECT_EQ(store->match(0, old), 2);
  EXPECT_EQ(store->match(0, kept), 2);
  save_all(*store, fresh);  // takes the place of old, its last page first
  EXPECT_EQ(store->match(0, old), 0);
  EXPECT_EQ(store->match(0, kept), 2);
  EXPECT_EQ(store->match(0, fresh), 2);
  const Tokens longer = tokens_of({4, 4, 4, 4, 4, 4});
  for (size_t n = kPageTokens; n <= longer.size(); n += kPageTokens) {
    const bool fits = n <= 4 * kPageTokens;
    EXPECT_EQ(save(*store, {longer.begin(), longer.begin() + ptrdiff_t(n)}), fits)
        << "a sequence never removes its own beginning";
  }
  store->flush();
  EXPECT_EQ(files().size(), 4u);
  EXPECT_LE(store->size_bytes(), 4 * kFileBytes);
}

TEST_F(PrefixStoreTest, TheOrderOfUseSurvivesARestart) {
  const auto wait = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  {
    const auto store = open();
    for (const int first : {1, 2, 3}) {
      save_all(*store, tokens_of({first, 9}));
      store->flush();
      wait();
    }
    EXPECT_EQ(store->match(0, tokens_of({1, 9})), 2);
  }
  const auto store = open(4 * kFileBytes);  // less than what is there
  EXPECT_EQ(store->match(0, tokens_of({2, 9})), 0);
  EXPECT_EQ(store->match(0, tokens_of({1, 9})), 2);
  EXPECT_EQ(store->match(0, tokens_of({3, 9})), 2);
}

TEST_F(PrefixStoreTest, ABudgetBelowOneFileKeepsNothing) {
  const auto store = open(kFileBytes - 1);
  EXPECT_FALSE(save(*store, tokens_of({1})));
}

TEST_F(PrefixStoreTest, AFolderThatCannotBeWrittenIsSaidOnce) {
  const auto store = open();
  save_all(*store, tokens_of({1}));
  store->flush();
  fs::remove_all(folder_.path());
  std::ofstream(folder_.path()) << "a file in its place";
  EXPECT_TRUE(save(*store, tokens_of({2})));
  store->flush();
  EXPECT_FALSE(save(*store, tokens_of({3})));
  EXPECT_FALSE(load(*store, tokens_of({2})));
  ASSERT_EQ(warnings_.size(), 2u);
  EXPECT_THAT(warnings_[0], HasSubstr("no more"));
  fs::remove(folder_.path());
}

// A process that saves is killed at any moment; the next one finds whole pages only.
TEST_F(PrefixStoreTest, KilledWhileItSaves) {
  Random random(1);
  int n_found = 0;
  for (int round = 0; round < 25; round++) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto store = open(60 * kFileBytes);
      for (int i = 0;; i++) {
        const Tokens tokens = tokens_of({i % 50, i % 7, i % 3});
        for (size_t n = kPageTokens; n <= tokens.size(); n += kPageTokens)
          save(*store, {tokens.begin(), tokens.begin() + ptrdiff_t(n)});
      }
    }
    usleep(useconds_t(random.below(30'000)));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto store = open(60 * kFileBytes);
    const int n_pages = store->n_pages();
    int n_loaded = 0;
    for (int a = 0; a < 50; a++) {
      n_loaded += load(*store, tokens_of({a}));
      for (int b = 0; b < 7; b++) {
        n_loaded += load(*store, tokens_of({a, b}));
        for (int c = 0; c < 3; c++) n_loaded += load(*store, tokens_of({a, b, c}));
      }
    }
    EXPECT_EQ(n_loaded, n_pages) << "a file was damaged";
    EXPECT_LE(n_pages, 60);
    n_found += n_pages;
    store->flush();
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      EXPECT_TRUE(entry.path().extension() == ".kv" || entry.path().filename() == ".lock")
          << entry.path();
  }
  EXPECT_GT(n_found, 25);
}

// The generator after a restart: the same answer, most of the prompt from disk.
TEST_F(PrefixStoreTest, ARestartedGeneratorKnowsThePrompt) {
  GoldenModel g("grouped");
  const auto tokens = g.ints("long.tokens");
  const GenerateRequest request{.prompt = {tokens.begin(), tokens.begin() + 150}, .max_tokens = 30};
  const auto answer = [&](GeneratorOptions options) {
    options.kv_tokens = 256;
    options.kv_folder = PrefixStoreOptions{folder_.path(), 1 << 30, {}};
    Generator generator(*g.ops, g.model(), options);
    CHECK(generator.add(1, request));
    std::pair<Tokens, int> made;
    while (generator.n_active() > 0)
      for (const GeneratedToken& token : generator.step()) {
        made.first.push_back(token.token);
        made.second = token.cached_tokens;
      }
    return made;
  };
  const auto [cold, none] = answer({});
  EXPECT_EQ(none, 0);
  EXPECT_EQ(files().size(), size_t((150 + 29) / kPageTokens));
  EXPECT_EQ(answer({}), std::pair(cold, 128));
  EXPECT_EQ(answer({.kv_dtype = DType::bf16}).second, 0) << "another type of keys and values";
  EXPECT_EQ(answer({}).second, 0) << "whose files took the place";
}

}  // namespace
}  // namespace chatmem
