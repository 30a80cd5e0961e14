#include "model/random_model.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "compute/nf4.h"
#include "compute/quant.h"
#include "model/checkpoint.h"
#include "model/gguf_export.h"

namespace chatmem {
namespace {

constexpr int kPoolRows = 67;  // a prime, so that the pattern fits no other length

// Rows of random values in a format.
std::vector<std::byte> make_pool(int cols, DType dtype, Random& random) {
  std::vector<float> values(size_t(kPoolRows) * size_t(cols));
  for (float& x : values) x = float(0.02 * random.normal());
  if (!is_quantized(dtype)) return convert(std::as_bytes(std::span(values)), DType::f32, dtype);
  std::vector<std::byte> pool(kPoolRows * row_bytes(dtype, size_t(cols)));
  const Tensor rows{pool.data(), kPoolRows, cols, dtype};
  const auto row_of = [&](int row) { return &values[size_t(row) * size_t(cols)]; };
  if (dtype == DType::nf4)
    quantize_nf4(
        rows, [&](float* to, int row) { std::copy_n(row_of(row), cols, to); }, "random");
  else
    for (int i = 0; i < kPoolRows; i++)
      CHECK(quantize_row(rows.slice(i, 1).data, row_of(i), cols, dtype));
  return pool;
}

void fill(Ops& ops, Tensor tensor, Random& random) {
  const std::vector<std::byte> pool = make_pool(tensor.cols, tensor.dtype, random);
  for (int row = 0; row < tensor.rows; row += kPoolRows)
    ops.copy_in(tensor.slice(row, std::min(kPoolRows, tensor.rows - row)), pool.data());
}

}  // namespace

std::optional<WeightFormats> parse_weight_formats(std::string_view name) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::q8_0, DType::q4_0})
    if (name == dtype_name(dtype)) return WeightFormats{dtype, dtype, dtype};
  if (name == "q4_k") return WeightFormats{DType::q4_k, DType::q4_k, DType::q6_k};
  if (name == "q4_k_m") return WeightFormats{DType::q4_k, DType::q4_k, DType::q6_k, true};
  if (name == "nf4") return WeightFormats{DType::bf16, DType::nf4, DType::bf16};
  return std::nullopt;
}

Llama shape_of_formats(const Config& config, const WeightFormats& formats) {
  Llama shape = model_shape(config, formats.projections);
  shape.embed.dtype = formats.embed;
  shape.lm_head.dtype = config.tied_embeddings ? formats.embed : formats.lm_head;
  for (int layer = 0; formats.q4_k_m && layer < config.n_layers; layer++)
    if (gets_more_bits(layer, config.n_layers)) {
      Block& block = shape.blocks[size_t(layer)];
      block.wv.dtype = block.w_down.dtype = DType::q6_k;
    }
  return shape;
}

Llama random_model(Ops& ops, const Config& config, const WeightFormats& formats, uint64_t seed) {
  Llama model = shape_of_formats(config, formats);
  for_each_tensor(model, [&](const std::string& name, Tensor& tensor, TensorKind kind) {
    Random random(hash64(name) ^ seed);
    tensor = make_tensor(ops, tensor.rows, tensor.cols, tensor.dtype);
    if (kind == TensorKind::norm)
      ops.copy_in(tensor, std::vector<float>(tensor.size(), 1).data());
    else
      fill(ops, tensor, random);
  });
  if (config.tied_embeddings) model.lm_head = model.embed;
  const std::vector<float> inv_freq = rope_inv_freq(config);
  model.inv_freq = make_tensor(ops, 1, int(inv_freq.size()), DType::f32);
  ops.copy_in(model.inv_freq, inv_freq.data());
  return model;
}

}  // namespace chatmem
