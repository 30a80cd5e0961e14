#include "model/fingerprint.h"

#include <algorithm>
#include <string>

#include "base/checksum.h"
#include "base/hash.h"
#include "model/checkpoint.h"

namespace chatmem {
namespace {

uint64_t hash_number(uint64_t number, uint64_t hash) {
  return hash64({reinterpret_cast<const char*>(&number), sizeof number}, hash);
}

// The shape and eight rows, the first and the last among them.
uint64_t hash_tensor(Ops& ops, Tensor t, uint64_t hash) {
  constexpr int kRows = 8;
  for (const int number : {t.rows, t.cols, int(t.dtype)})
    hash = hash_number(uint64_t(number), hash);
  std::string bytes(row_bytes(t.dtype, size_t(t.cols)), '\0');
  const int n = std::min(t.rows, kRows);
  for (int i = 0; i < n; i++) {
    const int64_t row = n == 1 ? 0 : int64_t(t.rows - 1) * i / (n - 1);
    ops.copy_out(bytes.data(), t.slice(int(row), 1));
    hash = hash_number(checksum64(bytes), hash);
  }
  return hash;
}

}  // namespace

uint64_t fingerprint_of(Ops& ops, const Llama& model) {
  uint64_t hash = hash64(dump_json(config_to_json(model.config)));
  hash = hash_number(uint64_t(model.config.rope_layout), hash);
  hash = hash_tensor(ops, model.inv_freq, hash);
  for_each_tensor(model, [&](const std::string&, const Tensor& t, TensorKind) {
    hash = hash_tensor(ops, t, hash);
  });
  return hash;
}

uint64_t fingerprint_of(Ops& ops, const Adapter& adapter) {
  uint64_t hash = hash64("adapter");
  for (const BlockAdapter& block : adapter.blocks)
    for (const NamedProjection& p : kProjections) {
      const Lora& lora = block.*p.projection.lora;
      hash = hash_number(std::bit_cast<uint32_t>(lora.scale), hash);
      for (const Tensor& t : {lora.a, lora.b, lora.magnitude})
        if (t) hash = hash_tensor(ops, t, hash_number(uint64_t(p.projection.index), hash));
    }
  return hash;
}

}  // namespace chatmem
