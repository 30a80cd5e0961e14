// The laws of training: against PyTorch's gradients and steps, and of the engine with itself.
#include "train/backward.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "golden_model.h"
#include "train/trainable.h"

namespace chatmem {
namespace {

enum class Method { lora, dora, full };
bool is_adapted(Method method) { return method != Method::full; }
std::string prefix_of(Method method) {
  return method == Method::lora ? "lora" : method == Method::dora ? "dora" : "full";
}

// The packed pair of a golden model as one training batch.
class Training {
 public:
  Training(const std::string& name, Recompute recompute, Method method, DType dtype = DType::f32)
      : g(name, dtype), pages(*g.ops, g.config(), 8, dtype, kv_layers(g.config(), recompute)) {
    const bool adapted = is_adapted(method);
    if (method == Method::dora)
      g.adapter = load_adapter(*g.ops, g.model(), g.folder / "dora", dtype);
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
    const AdapterShape shape = adapted ? shape_of(&g.adapter) : AdapterShape{};
    ws = make_workspace(
        *g.ops, g.config(),
        {.max_tokens = row, .adapter = shape, .dtype = dtype, .training = true, .dropout = true});
    tape = make_tape(*g.ops, g.config(), ws, recompute);
    space = make_backward_space(*g.ops, g.config(), ws, {.adapter = shape, .logit_rows = 7});
  }
  Batch batch() { return {tokens, runs, adapters, rows, dropout}; }
  double mean_loss() {
    return loss_and_backward(*g.ops, g.model(), batch(), targets, 1.0f / float(targets.size()), ws,
                             tape, space, gradients) /
           double(targets.size());
  }
  // Makes the adapter, or all weights, trainable; gradients are found by the names of
  // golden.safetensors.
  void add_parameters(Optimizer& optimizer) {
    if (runs[0].adapter == 0) {
      d_adapter = make_trainable(optimizer, g.adapter);
      for_each_lora(d_adapter, [&](const std::string& name, Lora& d) {
        named[name + ".lora_A.weight"] = d.a;
        named[name + ".lora_B.weight"] = d.b;
        if (d.magnitude) named[name + ".lora_magnitude_vector"] = d.magnitude;
      });
      gradients.adapter = &d_adapter;
    } else {
      d_weights = make_trainable(optimizer, g.model());
      for_each_tensor(d_weights,
                      [&](const std::string& name, Tensor& d, TensorKind) { named[name] = d; });
      gradients.weights = &d_weights;
    }
  }
  // Every gradient within 1e-4 of the largest of its tensor.
  void expect_gradients(const std::string& prefix) {
    EXPECT_NEAR(mean_loss(), g.floats(prefix + ".loss")[0], 1e-5);
    ASSERT_FALSE(named.empty());
    for (const auto& [name, grad] : named) {
      const auto expected = g.floats(prefix + ".grad." + name);
      float scale = 0;
      for (const float x : expected) scale = std::max(scale, std::abs(x));
      EXPECT_LT(max_difference(host(grad), expected), 1e-6 + 1e-4 * scale) << name;
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
  Dropout dropout;
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
  Method method;
  Recompute recompute;
};
class BackwardTest : public ::testing::TestWithParam<Case> {};
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Recompute recompute : kRecomputeLadder) {
    for (const char* model : kGoldenModels)
      for (const Method method : {Method::lora, Method::full})
        all.push_back({model, method, recompute});
    all.push_back({"grouped", Method::dora, recompute});
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Golden, BackwardTest, ::testing::ValuesIn(cases()), [](const auto& which) {
  return std::string(which.param.model) + "_" + prefix_of(which.param.method) + "_recompute_" +
         std::string(recompute_name(which.param.recompute));
});

TEST_P(BackwardTest, LossAndGradientsAreThoseOfPyTorch) {
  const auto& [model, method, recompute] = GetParam();
  Training t(model, recompute, method);
  Optimizer optimizer(*t.g.ops);
  t.add_parameters(optimizer);
  t.expect_gradients(prefix_of(method));
}

// The mask is that of tools/reference.py's formula, in the forward pass, when it is computed again
// and in the gradients.
TEST(Backward, GradientsWithDropoutAreThoseOfPyTorch) {
  for (const Recompute recompute : kRecomputeLadder) {
    Training t("grouped", recompute, Method::lora);
    t.dropout = {.p = 0.25f, .key = 12345};
    Optimizer optimizer(*t.g.ops);
    t.add_parameters(optimizer);
    t.expect_gradients("dropout");
  }
}

TEST_P(BackwardTest, TenStepsAreThoseOfPyTorch) {
  const auto& [model, method, recompute] = GetParam();
  Training t(model, recompute, method);
  Optimizer optimizer(*t.g.ops);
  t.add_parameters(optimizer);
  const auto losses = t.g.floats(prefix_of(method) + ".losses");
  for (int step = 0; step < 10; step++) {
    optimizer.zero_gradients();
    EXPECT_NEAR(t.mean_loss(), losses[size_t(step)], 2e-4) << "step " << step;
    const float lr = method == Method::lora ? 1e-2f : method == Method::dora ? 5e-3f : 1e-3f;
    optimizer.step({.lr = lr, .weight_decay = 0.01f, .step = step + 1});
    update_dora(*t.g.ops, t.g.model(), t.g.adapter);
  }
}

// Central differences: an oracle that knows nothing of PyTorch.
TEST(Backward, LoraGradientsAreCentralDifferences) {
  Training t("grouped", Recompute::nothing, Method::lora);
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
    Training t(model, Recompute::blocks, Method::lora);
    const double training = t.mean_loss() * double(t.targets.size());
    const Tensor logits = make_tensor(*t.g.ops, 5, t.g.config().vocab_size, DType::f32);
    const double inference = loss_only(*t.g.ops, t.g.model(), t.batch(), t.targets, t.ws, logits);
    EXPECT_NEAR(training, inference, 1e-4);
  }
}

double length(const std::vector<float>& v, const std::vector<float>& from) {
  double sum = 0;
  for (size_t i = 0; i < v.size(); i++) sum += (double(v[i]) - from[i]) * (double(v[i]) - from[i]);
  return std::sqrt(sum);
}

// In bf16 the gradients of each tensor are no further from those of f32 than PyTorch's, but for
// luck, and ten steps go the same way.
TEST(Backward, LoraInBf16IsThatOfPyTorch) {
  for (const char* model : kGoldenModels) {
    Training t(model, Recompute::cheap, Method::lora, DType::bf16);
    Optimizer optimizer(*t.g.ops);
    t.add_parameters(optimizer);
    const auto losses = t.g.floats("bf16.lora.losses");
    for (int step = 0; step < 10; step++) {
      optimizer.zero_gradients();
      EXPECT_NEAR(t.mean_loss(), losses[size_t(step)], 0.03) << model << ", step " << step;
      for (const auto& [name, grad] : t.named) {
        if (step > 0) break;
        const auto exact = t.g.floats("lora.grad." + name);
        const double ours = length(t.host(grad), exact);
        const double theirs = length(t.g.floats("bf16.lora.grad." + name), exact);
        EXPECT_LT(ours, 1.5 * theirs) << model << ", " << name;
      }
      optimizer.step({.lr = 1e-2f, .weight_decay = 0.01f, .step = step + 1});
    }
  }
}

// bf16 gradients point where the f32 ones do.
TEST(Backward, Bf16GradientsAreCloseToF32) {
  for (const Method method : {Method::lora, Method::dora, Method::full}) {
    Training t("grouped", Recompute::nothing, method, DType::bf16);
    Optimizer optimizer(*t.g.ops);
    t.add_parameters(optimizer);
    const std::string prefix = prefix_of(method);
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
