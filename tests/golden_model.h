// The golden models of tests/golden and what transformers computed with them (tools/reference.py).
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/safetensors.h"
#include "model/checkpoint.h"
#include "model/generate.h"
#include "model/lora.h"

namespace chatmem {

inline const char* const kGoldenModels[] = {"tied", "head_dim", "grouped"};

struct GoldenModel {
  explicit GoldenModel(const std::string& name, DType activations = DType::f32)
      : folder(fs::path(CHATMEM_SOURCE_DIR) / "tests/golden" / name),
        ops(make_cpu_ops()),
        loaded(load_model(*ops, folder)),
        adapter(load_adapter(*ops, loaded.model, folder / "adapter", activations)),
        file(folder / "golden.safetensors"),
        dtype(activations) {}

  template <typename T>
  std::vector<T> get(const std::string& name) const {
    const auto it = file.tensors().find(name);
    CHECK(it != file.tensors().end());
    std::vector<T> values(it->second.bytes.size() / sizeof(T));
    std::memcpy(values.data(), it->second.bytes.data(), it->second.bytes.size());
    return values;
  }
  std::vector<int> ints(const std::string& name) const { return get<int>(name); }
  std::vector<float> floats(const std::string& name) const { return get<float>(name); }
  Llama& model() { return loaded.model; }
  const Config& config() const { return loaded.model.config; }

  fs::path folder;
  std::unique_ptr<Ops> ops;
  LoadedModel loaded;
  Adapter adapter;
  SafetensorsFile file;
  DType dtype;
};

// Runs pieces of a sequence through forward and returns all logits, row after row.
struct Prefill {
  int chunk = 1 << 20;  // tokens of one forward pass
  bool adapted = false;
  std::optional<DType> kv_dtype = {};  // absent: that of the activations
};
inline std::vector<float> all_logits(GoldenModel& g, const std::vector<int>& tokens,
                                     Prefill how = {}) {
  const int n = int(tokens.size());
  KvPages pages(*g.ops, g.config(), pages_for(n) + 3, how.kv_dtype.value_or(g.dtype),
                g.config().n_layers);
  KvSequence other(pages), kv(pages);
  CHECK(other.reserve(1) && kv.reserve(n));  // so that the sequence does not begin at page 0
  Workspace ws = make_workspace(
      *g.ops, g.config(), {.max_tokens = n, .adapter = shape_of(&g.adapter), .dtype = g.dtype});
  const Adapter* adapters[] = {&g.adapter};
  const int vocab = g.config().vocab_size;
  const Tensor logits = make_tensor(*g.ops, n, vocab, DType::f32);
  std::vector<float> all(size_t(n) * size_t(vocab));
  for (int begin = 0; begin < n; begin += how.chunk) {
    const int m = std::min(how.chunk, n - begin);
    std::vector<int> rows;
    for (int i = 0; i < m; i++) rows.push_back(i);
    const Run run{.kv = kv.cache(), .n = m, .pos = begin, .adapter = how.adapted ? 0 : -1};
    const Tensor hidden = forward(
        *g.ops, g.model(),
        {std::span(tokens).subspan(size_t(begin), size_t(m)), {&run, 1}, adapters, rows}, ws);
    lm_head(*g.ops, g.model(), logits.first(m), hidden);
    g.ops->copy_out(all.data() + size_t(begin) * size_t(vocab), logits.first(m));
  }
  return all;
}

inline double max_difference(const std::vector<float>& a, const std::vector<float>& b) {
  CHECK(a.size() == b.size());
  double most = 0;
  for (size_t i = 0; i < a.size(); i++) most = std::max(most, double(std::abs(a[i] - b[i])));
  return most;
}

}  // namespace chatmem
