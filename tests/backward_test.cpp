// The laws of training: against PyTorch's gradients and steps, and of the engine with itself.
#include "train/backward.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "golden_model.h"
#include "train/optimizer.h"

namespace chatmem {
namespace {

// The packed pair of a golden model as one training batch.
class Training {
 public:
  Training(const std::string& name, Recompute recompute, bool adapted, DType dtype = DType::f32)
      : g(name, dtype),
        pages(*g.ops, g.config(), 8, dtype,
              recompute == Recompute::blocks ? 1 : g.config().n_layers) {
    if (dtype == DType::bf16 || !adapted) g.model() = owned_weights(*g.ops, g.model(), dtype);
    tokens = g.ints("packed.tokens");
    const auto lengths = g.ints("packed.lengths"), all_targets = g.ints("packed.targets");
    int row = 0;
    for (size_t i = 0; i < 2; i++) {
      CHECK(kv[i].reserve(lengths[i]));
      runs.push_back({.kv = kv[i].cache(),
                      .row = row,
                      .n = lengths[i],
                      .adapter = adapted ? 0 : -1,
                      .kv_row = row});
      row += lengths[i];
    }
    for (int i = 0; i < row; i++)
      if (all_targets[size_t(i)] >= 0) rows.push_back(i), targets.push_back(all_targets[size_t(i)]);
    const int rank = adapted ? largest_rank(&g.adapter) : 0;
    ws = make_workspace(*g.ops, g.config(),
                        {.max_tokens = row, .lora_rank = rank, .dtype = dtype, .training = true});
    tape = make_tape(*g.ops, g.config(), ws, recompute);
    space = make_backward_space(*g.ops, g.config(), ws, {.lora_rank = rank, .logit_rows = 7});
  }
  Batch batch() { return {tokens, runs, adapters, rows}; }
  double mean_loss() {
    return loss_and_backward(*g.ops, g.model(), batch(), targets, 1.0f / float(targets.size()), ws,
                             tape, space, gradients) /
           double(targets.size());
  }
  // Makes the adapter, or all weights, trainable; gradients are found by the names of
  // golden.safetensors.
  void add_parameters(Optimizer& optimizer) {
    if (runs[0].adapter == 0) {
      d_adapter = g.adapter;
      std::vector<Lora*> d;
      for_each_lora(d_adapter, [&](const std::string&, Lora& lora) { d.push_back(&lora); });
      size_t i = 0;
      for_each_lora(g.adapter, [&](const std::string& name, Lora& lora) {
        named[name + ".lora_A.weight"] = d[i]->a =
            optimizer.add(name + "A", lora.a, WeightDecay::on);
        named[name + ".lora_B.weight"] = d[i]->b =
            optimizer.add(name + "B", lora.b, WeightDecay::on);
        i++;
      });
      gradients.adapter = &d_adapter;
    } else {
      d_weights = g.model();
      std::vector<Tensor*> d;
      for_each_tensor(d_weights,
                      [&](const std::string&, Tensor& t, TensorKind) { d.push_back(&t); });
      size_t i = 0;
      for_each_tensor(g.model(), [&](const std::string& name, Tensor& t, TensorKind kind) {
        const auto decay = kind == TensorKind::norm ? WeightDecay::off : WeightDecay::on;
        named[name] = *d[i++] = optimizer.add(name, t, decay);
      });
      if (g.config().tied_embeddings) d_weights.lm_head = d_weights.embed;
      gradients.weights = &d_weights;
    }
  }
  std::vector<float> host(Tensor t) {
    std::vector<float> v(t.size());
    g.ops->copy_out(v.data(), t);
    return v;
  }

  GoldenModel g;
  KvPages pages;
  KvSequence kv[2] = {KvSequence(pages), KvSequence(pages)};
  std::vector<int> tokens, rows, targets;
  std::vector<Run> runs;
  const Adapter* adapters[1] = {&g.adapter};
  Workspace ws;
  Tape tape;
  BackwardSpace space;
  Adapter d_adapter;
  Llama d_weights;
  Gradients gradients;
  std::map<std::string, Tensor> named;
};

struct Case {
  const char* model;
  bool adapted;
  Recompute recompute;
};
class BackwardTest : public ::testing::TestWithParam<Case> {};
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* model : kGoldenModels)
    for (const bool adapted : {true, false})
      for (const Recompute recompute : {Recompute::nothing, Recompute::blocks})
        all.push_back({model, adapted, recompute});
  return all;
}
INSTANTIATE_TEST_SUITE_P(Golden, BackwardTest, ::testing::ValuesIn(cases()), [](const auto& which) {
  return std::string(which.param.model) + (which.param.adapted ? "_lora" : "_full") +
         (which.param.recompute == Recompute::blocks ? "_recompute" : "_keep");
});

TEST_P(BackwardTest, LossAndGradientsAreThoseOfPyTorch) {
  const auto& [model, adapted, recompute] = GetParam();
  Training t(model, recompute, adapted);
  Optimizer optimizer(*t.g.ops);
  t.add_parameters(optimizer);
  const std::string prefix = adapted ? "lora" : "full";
  EXPECT_NEAR(t.mean_loss(), t.g.floats(prefix + ".loss")[0], 1e-5);
  ASSERT_EQ(t.named.empty(), false);
  for (const auto& [name, grad] : t.named) {
    const auto expected = t.g.floats(prefix + ".grad." + name);
    float scale = 0;
    for (const float x : expected) scale = std::max(scale, std::abs(x));
    EXPECT_LT(max_difference(t.host(grad), expected), 1e-6 + 1e-4 * scale) << name;
  }
}

TEST_P(BackwardTest, TenStepsAreThoseOfPyTorch) {
  const auto& [model, adapted, recompute] = GetParam();
  Training t(model, recompute, adapted);
  Optimizer optimizer(*t.g.ops);
  t.add_parameters(optimizer);
  const auto losses = t.g.floats(adapted ? "lora.losses" : "full.losses");
  for (int step = 0; step < 10; step++) {
    optimizer.zero_gradients();
    EXPECT_NEAR(t.mean_loss(), losses[size_t(step)], 2e-4) << "step " << step;
    optimizer.step({.lr = adapted ? 1e-2f : 1e-3f, .weight_decay = 0.01f, .step = step + 1});
  }
}

// Central differences: an oracle that knows nothing of PyTorch.
TEST(Backward, LoraGradientsAreCentralDifferences) {
  Training t("grouped", Recompute::nothing, true);
  Optimizer optimizer(*t.g.ops);
  t.add_parameters(optimizer);
  t.mean_loss();
  std::map<std::string, std::vector<float>> gradient;
  for (const auto& [name, grad] : t.named) gradient[name] = t.host(grad);
  Random random(5);
  const auto check = [&](const std::string& name, Tensor w) {
    for (int k = 0; k < 3; k++) {
      const size_t i = random.below(w.size());
      const float keep = w.f32()[i], h = 1e-2f;
      w.f32()[i] = keep + h;
      const double up = t.mean_loss();
      w.f32()[i] = keep - h;
      const double down = t.mean_loss();
      w.f32()[i] = keep;
      EXPECT_NEAR(gradient[name][i], (up - down) / (2 * h),
                  2e-3 * (1 + std::abs(gradient[name][i])))
          << name;
    }
  };
  for_each_lora(t.g.adapter, [&](const std::string& name, Lora& lora) {
    check(name + ".lora_A.weight", lora.a);
    check(name + ".lora_B.weight", lora.b);
  });
}

TEST(Backward, LossIsThatOfTheInferencePath) {
  for (const char* model : kGoldenModels) {
    Training t(model, Recompute::blocks, true);
    const double training = t.mean_loss() * double(t.targets.size());
    const Tensor logits = make_tensor(*t.g.ops, 5, t.g.config().vocab_size, DType::f32);
    const double inference = loss_only(*t.g.ops, t.g.model(), t.batch(), t.targets, t.ws, logits);
    EXPECT_NEAR(training, inference, 1e-4);
  }
}

// bf16 gradients point where the f32 ones do.
TEST(Backward, Bf16GradientsAreCloseToF32) {
  for (const bool adapted : {true, false}) {
    Training t("grouped", Recompute::nothing, adapted, DType::bf16);
    Optimizer optimizer(*t.g.ops);
    t.add_parameters(optimizer);
    const std::string prefix = adapted ? "lora" : "full";
    EXPECT_NEAR(t.mean_loss(), t.g.floats(prefix + ".loss")[0], 0.03);
    for (const auto& [name, grad] : t.named) {
      const auto expected = t.g.floats(prefix + ".grad." + name), got = t.host(grad);
      double dot = 0, a = 0, b = 0;
      for (size_t i = 0; i < got.size(); i++) {
        dot += double(got[i]) * expected[i];
        a += double(got[i]) * got[i], b += double(expected[i]) * expected[i];
      }
      EXPECT_GT(dot / std::sqrt(a * b), 0.995) << name;
    }
  }
}

}  // namespace
}  // namespace chatmem
