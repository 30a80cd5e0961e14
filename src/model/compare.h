// How far the predictions of a model are from another's.
#pragma once
#include <span>
#include <vector>

#include "model/generate.h"
#include "model/llama.h"

namespace chatmem {

struct ModelRef {
  const Llama& model;
  const Adapter* adapter = nullptr;
  DType dtype = DType::f32;             // of activations
  int prefill_tokens = kPrefillTokens;  // of one pass
};

struct LogitsDifference {
  double largest = 0;      // of two log-probabilities of a token
  std::vector<double> kl;  // Kullback-Leibler divergence at every position, in nats
  double mean_kl = 0;
  double same_top = 0;    // share of the positions where both find the same token likeliest
  bool is_finite = true;  // of all logits
};

// Over the next-token distributions at every position of `tokens`.
LogitsDifference compare_models(Ops& ops, ModelRef reference, ModelRef other,
                                std::span<const int> tokens);

}  // namespace chatmem
