// The laws of the engine on trained weights: stories260K of llama2.c, in its interleaved rotation.
// Skips without the data for developers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <map>
#include <optional>

#include "base/random.h"
#include "model/generate.h"
#include "model/lora.h"
#include "test_folder.h"
#include "train/backward.h"

namespace chatmem {
namespace {

using ::testing::StartsWith;

// What llama2.c writes greedily with these weights (its test_all.py).
constexpr const char* kStory =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
    "One day, she saw a big, red ball. She wanted to play with it, but it was too high.";

// Reads values from a file's bytes, within its end.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes.begin(), bytes.end()) {}
  template <typename T>
  T value() {
    T value{};
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  const char* take(size_t n) {
    CHECK(n <= bytes_.size() - at_);
    at_ += n;
    return bytes_.data() + at_ - n;
  }

 private:
  std::vector<char> bytes_;
  size_t at_ = 0;
};

Config read_config(Bytes& file) {
  Config c;
  c.dim = file.value<int>(), c.hidden_dim = file.value<int>(), c.n_layers = file.value<int>();
  c.n_heads = file.value<int>(), c.n_kv_heads = file.value<int>();
  c.vocab_size = file.value<int>(), c.max_seq_len = file.value<int>();
  c.head_dim = c.dim / c.n_heads;
  c.rope_theta = 10000;
  c.tied_embeddings = true;  // a positive vocab_size
  c.rope_layout = RopeLayout::interleaved;
  c.dtype = DType::f32;
  return c;
}

// Version 0 of llama2.c: each tensor for all layers, then the next.
Llama read_model(Ops& ops, const fs::path& path) {
  Bytes file(read_file(path));
  const Config config = read_config(file);
  Llama model = init_model(ops, config, DType::f32, 1).model;
  const auto read = [&](Tensor t) { ops.copy_in(t, file.take(t.size_bytes())); };
  read(model.embed);
  for (Tensor Block::*tensor : {&Block::attn_norm, &Block::wq, &Block::wk, &Block::wv, &Block::wo,
                                &Block::ffn_norm, &Block::w_gate, &Block::w_down, &Block::w_up})
    for (Block& block : model.blocks) read(block.*tensor);
  read(model.final_norm);
  return model;
}

// llama2.c's tokenizer file: the longest piece, then a score and a piece for each id; encoded by
// joining the neighbours of the best score (SentencePiece's BPE).
class StoryTokenizer {
 public:
  StoryTokenizer(const fs::path& path, int vocab_size) {
    Bytes file(read_file(path));
    file.value<int>();
    for (int i = 0; i < vocab_size; i++) {
      scores_.push_back(file.value<float>());
      const int n = file.value<int>();
      CHECK(n >= 0);
      pieces_.emplace_back(file.take(size_t(n)), size_t(n));
    }
  }
  std::string decode(const std::vector<int>& tokens) const {
    std::string text;
    for (const int token : tokens) text += pieces_[size_t(token)];
    return text.substr(text.starts_with(" "));
  }
  std::vector<int> encode(const std::string& text) const {
    std::vector<int> tokens;
    for (const char c : " " + text) tokens.push_back(id(std::string(1, c)));
    for (;;) {
      size_t best = tokens.size();
      int joined = -1;
      for (size_t i = 0; i + 1 < tokens.size(); i++) {
        const int both = id(pieces_[size_t(tokens[i])] + pieces_[size_t(tokens[i + 1])]);
        if (both < 0 || (joined >= 0 && scores_[size_t(both)] <= scores_[size_t(joined)])) continue;
        best = i, joined = both;
      }
      if (joined < 0) break;
      tokens[best] = joined;
      tokens.erase(tokens.begin() + ptrdiff_t(best) + 1);
    }
    tokens.insert(tokens.begin(), 1);  // bos
    return tokens;
  }

 private:
  int id(const std::string& piece) const {
    const auto it = std::find(pieces_.begin(), pieces_.end(), piece);
    return it == pieces_.end() ? -1 : int(it - pieces_.begin());
  }
  std::vector<float> scores_;
  std::vector<std::string> pieces_;
};

struct PassOptions {
  int chunk = 1 << 20;
  DType dtype = DType::f32;
  const Adapter* adapter = nullptr;
  std::optional<DType> kv_dtype = {};  // absent: dtype
};

class TinyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path folder = shared_data() / "tiny";
    if (!fs::exists(folder / "stories260K.bin")) GTEST_SKIP() << "shared/data is absent";
    ops_ = make_cpu_ops({.n_threads = 1});
    model_ = read_model(*ops_, folder / "stories260K.bin");
    tokenizer_.emplace(folder / "tok512.bin", model_.config.vocab_size);
    story_ = tokenizer_->encode(kStory);
  }
  std::vector<float> host(Tensor t) {
    std::vector<float> values(t.size());
    ops_->copy_out(values.data(), t);
    return values;
  }
  // All logits of a forward pass over one run, or of several packed ones.
  std::vector<float> logits(const Llama& model, std::span<const std::vector<int>> sequences,
                            PassOptions how = {}) {
    std::vector<int> tokens, rows;
    std::vector<chatmem::Run> runs;
    KvPages pages(*ops_, model.config, 64, how.kv_dtype.value_or(how.dtype), model.config.n_layers);
    std::deque<KvSequence> kv;
    for (const auto& sequence : sequences) {
      kv.emplace_back(pages);
      CHECK(kv.back().reserve(int(sequence.size())));
      runs.push_back({.kv = kv.back().cache(),
                      .row = int(tokens.size()),
                      .n = int(sequence.size()),
                      .adapter = how.adapter ? 0 : -1});
      tokens.insert(tokens.end(), sequence.begin(), sequence.end());
    }
    for (int i = 0; i < int(tokens.size()); i++) rows.push_back(i);
    Workspace ws = make_workspace(
        *ops_, model.config,
        {.max_tokens = int(tokens.size()), .adapter = shape_of(how.adapter), .dtype = how.dtype});
    const Adapter* adapters[] = {how.adapter};
    const Tensor out = make_tensor(*ops_, int(tokens.size()), model.config.vocab_size, DType::f32);
    if (how.chunk >= int(tokens.size())) {
      lm_head(*ops_, model, out, forward(*ops_, model, {tokens, runs, adapters, rows}, ws));
      return host(out);
    }
    CHECK(runs.size() == 1);
    for (int begin = 0; begin < int(tokens.size()); begin += how.chunk) {
      const int n = std::min(how.chunk, int(tokens.size()) - begin);
      runs[0].n = n, runs[0].pos = begin;
      const Batch batch{std::span(tokens).subspan(size_t(begin), size_t(n)), runs, adapters,
                        std::span(rows).first(size_t(n))};
      lm_head(*ops_, model, out.slice(begin, n), forward(*ops_, model, batch, ws));
    }
    return host(out);
  }
  std::vector<float> logits(const Llama& model, const std::vector<int>& tokens,
                            PassOptions how = {}) {
    return logits(model, std::span(&tokens, 1), how);
  }
  // An adapter that does something: B is drawn too.
  Adapter adapter(const Llama& model) {
    Adapter made =
        make_adapter(*ops_, model, {.rank = 4, .alpha = 8, .target_modules = all_target_modules()},
                     DType::f32, 3);
    Random random(4);
    for_each_lora(made, [&](const std::string&, Lora& lora) {
      for (size_t i = 0; i < lora.b.size(); i++) lora.b.f32()[i] = 0.05f * float(random.normal());
    });
    return made;
  }

  std::unique_ptr<Ops> ops_;
  Llama model_;
  std::optional<StoryTokenizer> tokenizer_;
  std::vector<int> story_;
};

double max_difference(const std::vector<float>& a, const std::vector<float>& b) {
  CHECK(a.size() == b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); i++) most = std::max(most, double(std::abs(a[i] - b[i])));
  return most;
}

TEST_F(TinyTest, GreedyTextIsTheStory) {
  EXPECT_EQ(tokenizer_->decode({story_.begin() + 1, story_.end()}), kStory);
  Generator generator(*ops_, model_, {});
  ASSERT_TRUE(generator.add(1, {.prompt = {1}, .max_tokens = 100}));
  std::vector<int> tokens;
  while (generator.n_active() > 0)
    for (const GeneratedToken& token : generator.step()) tokens.push_back(token.token);
  EXPECT_THAT(tokenizer_->decode(tokens), StartsWith(kStory));
}

TEST_F(TinyTest, TheStoryIsLikely) {
  double sum = 0;
  const auto scores = score_tokens(*ops_, model_, story_, nullptr, DType::f32);
  for (const float score : scores) sum -= score;
  EXPECT_LT(std::exp(sum / double(scores.size())), 4);
}

TEST_F(TinyTest, DecodeEqualsPrefill) {
  const auto whole = logits(model_, story_);
  for (const int chunk : {1, 5, 32})
    EXPECT_LT(max_difference(logits(model_, story_, {.chunk = chunk}), whole), 1e-4) << chunk;
}

// The mean of sum(p log(p / q)) over positions, p of f32.
TEST_F(TinyTest, KeysAndValuesInFewerBitsCostLittle) {
  const int vocab = model_.config.vocab_size;
  const auto logprobs = [&](std::optional<DType> kv_dtype) {
    std::vector<float> rows = logits(model_, story_, {.kv_dtype = kv_dtype});
    for (auto row = rows.begin(); row < rows.end(); row += vocab) {
      double sum = 0;
      for (auto x = row; x < row + vocab; x++) sum += std::exp(double(*x));
      for (auto x = row; x < row + vocab; x++) *x -= float(std::log(sum));
    }
    return rows;
  };
  const auto exact = logprobs(std::nullopt);
  // Of q8_0 four heads of eight features share a scale here; of Llama 3.1 a head has four of its
  // own.
  for (const auto& [type, limit] :
       {std::pair{DType::bf16, 1e-4}, {DType::f16, 1e-5}, {DType::q8_0, 2e-3}}) {
    const auto rounded = logprobs(type);
    double kl = 0;
    for (size_t i = 0; i < exact.size(); i++)
      kl += std::exp(double(exact[i])) * double(exact[i] - rounded[i]);
    kl /= double(story_.size());
    EXPECT_LT(kl, limit) << dtype_name(type);
    std::printf("KL divergence of %s keys and values: %.2g\n", dtype_name(type).data(), kl);
  }
}

TEST_F(TinyTest, PackedEqualsAlone) {
  const std::vector<std::vector<int>> sequences = {
      {story_.begin(), story_.begin() + 37}, {story_.begin(), story_.begin() + 5}, story_};
  std::vector<float> alone;
  for (const auto& sequence : sequences) {
    const auto one = logits(model_, sequence);
    alone.insert(alone.end(), one.begin(), one.end());
  }
  EXPECT_LT(max_difference(logits(model_, sequences), alone), 1e-4);
}

TEST_F(TinyTest, BatchOfRequestsEqualsEachAlone) {
  const GeneratorOptions options{.max_requests = 3, .prefill_tokens = 10};
  std::map<int64_t, std::vector<int>> alone, together;
  const auto request = [&](int64_t i) {
    return GenerateRequest{.prompt = {story_.begin(), story_.begin() + 1 + 6 * i},
                           .max_tokens = int(20 + i),
                           .sampling = {.temperature = i % 2 ? 0.9f : 0, .seed = uint64_t(i)}};
  };
  for (int64_t i = 0; i < 6; i++) {
    Generator one(*ops_, model_, options);
    ASSERT_TRUE(one.add(i, request(i)));
    while (one.n_active() > 0)
      for (const GeneratedToken& token : one.step()) alone[i].push_back(token.token);
  }
  Generator all(*ops_, model_, options);
  for (int64_t next = 0; next < 6 || all.n_active() > 0;) {
    if (next < 6 && all.add(next, request(next))) next++;
    for (const GeneratedToken& token : all.step()) together[token.request].push_back(token.token);
  }
  EXPECT_EQ(together, alone);
}

TEST_F(TinyTest, HalfLayoutWithReorderedRowsIsTheSameModel) {
  const auto expected = logits(model_, story_);
  Llama half = model_;
  half.config.rope_layout = RopeLayout::half;
  EXPECT_GT(max_difference(logits(half, story_), expected), 0.1);  // the rotation does something
  for (Block& block : half.blocks)
    for (Tensor w : {block.wq, block.wk})
      reorder_heads({static_cast<std::byte*>(w.data), w.size_bytes()},
                    size_t(w.cols) * sizeof(float), half.config.head_dim, RopeLayout::interleaved,
                    RopeLayout::half);
  EXPECT_LT(max_difference(logits(half, story_), expected), 1e-4);
}

TEST_F(TinyTest, SavedAsHuggingFaceItIsTheSameModel) {
  const auto expected = logits(model_, story_);
  TestFolder folder;
  save_model(folder.path(), *ops_, model_, {.dtype = DType::f32});
  LoadedModel loaded = load_model(*ops_, folder.path());
  EXPECT_EQ(loaded.model.config.rope_layout, RopeLayout::half);
  EXPECT_LT(max_difference(logits(loaded.model, story_), expected), 1e-4);
}

TEST_F(TinyTest, MergedEqualsUnmerged) {
  const Adapter a = adapter(model_);
  const auto unmerged = logits(model_, story_, {.adapter = &a});
  EXPECT_GT(max_difference(unmerged, logits(model_, story_)), 0.1);
  EXPECT_LT(max_difference(logits(merge_adapter(*ops_, model_, a), story_), unmerged), 1e-3);
}

TEST_F(TinyTest, Bf16IsCloseToF32) {
  const auto exact = logits(model_, story_);
  const Llama half = owned_weights(*ops_, model_, DType::bf16);
  const auto rounded = logits(half, story_, {.dtype = DType::bf16});
  const size_t vocab = size_t(model_.config.vocab_size);
  const auto logprobs = [&](const std::vector<float>& all) {
    std::vector<int> targets(story_.begin() + 1, story_.end());
    targets.push_back(-1);
    std::vector<float> out(targets.size());
    const Tensor t{const_cast<float*>(all.data()), int(targets.size()), int(vocab), DType::f32};
    ops_->target_logprobs(out, t, targets);
    return out;
  };
  EXPECT_LT(max_difference(logprobs(rounded), logprobs(exact)), 0.05);
  for (size_t row = 0; row < story_.size(); row++) {
    const auto reference = std::span(exact).subspan(row * vocab, vocab);
    std::vector<float> sorted(reference.begin(), reference.end());
    std::nth_element(sorted.begin(), sorted.begin() + 1, sorted.end(), std::greater<>());
    if (sorted[0] - sorted[1] <= 0.05) continue;
    EXPECT_EQ(argmax(std::span(rounded).subspan(row * vocab, vocab)), argmax(reference)) << row;
  }
}

// The mean loss of the story and its gradient, beside central differences.
TEST_F(TinyTest, LoraGradientsAreCentralDifferences) {
  Adapter a = adapter(model_), grads = a;
  const int n = int(story_.size()) - 1;
  KvPages pages(*ops_, model_.config, pages_for(n), DType::f32, model_.config.n_layers);
  KvSequence kv(pages);
  ASSERT_TRUE(kv.reserve(n));
  Workspace ws = make_workspace(*ops_, model_.config,
                                {.max_tokens = n, .adapter = {.rank = 4}, .training = true});
  Tape tape = make_tape(*ops_, model_.config, ws, Recompute::nothing);
  BackwardSpace space = make_backward_space(*ops_, model_.config, ws, {.adapter = {.rank = 4}});
  const chatmem::Run run{.kv = kv.cache(), .n = n, .adapter = 0};
  const Adapter* adapters[] = {&a};
  const std::vector<int> targets(story_.begin() + 1, story_.end());
  std::vector<int> rows;
  for (int i = 0; i < n; i++) rows.push_back(i);
  const Batch batch{std::span(story_).first(size_t(n)), {&run, 1}, adapters, rows};
  for_each_lora(grads, [&](const std::string&, Lora& lora) {
    lora.a = make_tensor(*ops_, lora.a.rows, lora.a.cols, DType::f32);
    lora.b = make_tensor(*ops_, lora.b.rows, lora.b.cols, DType::f32);
  });
  loss_and_backward(*ops_, model_, batch, targets, 1.0f / float(n), ws, tape, space,
                    {.adapter = &grads});
  const Tensor chunk = make_tensor(*ops_, n, model_.config.vocab_size, DType::f32);
  const auto loss = [&] { return loss_only(*ops_, model_, batch, targets, ws, chunk) / n; };

  std::vector<Lora*> values;
  for_each_lora(a, [&](const std::string&, Lora& lora) { values.push_back(&lora); });
  Random random(5);
  size_t at = 0;
  for_each_lora(grads, [&](const std::string& name, Lora& d) {
    Lora& w = *values[at++];
    for (const auto& [value, grad] : {std::pair(w.a, d.a), std::pair(w.b, d.b)}) {
      const size_t i = random.below(value.size());
      const float keep = value.f32()[i], h = 1e-2f;
      value.f32()[i] = keep + h;
      const double up = loss();
      value.f32()[i] = keep - h;
      const double down = loss();
      value.f32()[i] = keep;
      const double expected = (up - down) / (2 * h);
      EXPECT_NEAR(grad.f32()[i], expected, 5e-4 + 0.02 * std::abs(expected)) << name;
    }
  });
}

}  // namespace
}  // namespace chatmem
