#include "model/quantize.h"

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "base/progress.h"
#include "compute/nf4.h"
#include "model/checkpoint.h"

namespace chatmem {
namespace {

Tensor quantized(Ops& ops, Tensor w, const std::string& name) {
  std::vector<std::byte> values(w.size_bytes());
  ops.copy_out(values.data(), w);
  const size_t row_size = row_bytes(w.dtype, size_t(w.cols));
  const auto source = [&](float* to, int row) {
    const std::vector<std::byte> wide =
        convert(std::span(values).subspan(size_t(row) * row_size, row_size), w.dtype, DType::f32);
    std::memcpy(to, wide.data(), wide.size());
  };
  std::vector<std::byte> rows(size_t(w.rows) * row_bytes(DType::nf4, size_t(w.cols)));
  quantize_nf4({rows.data(), w.rows, w.cols, DType::nf4}, source, name);
  const Tensor result = make_tensor(ops, w.rows, w.cols, DType::nf4);
  ops.copy_in(result, rows.data());
  return result;
}

}  // namespace

void mark_as_nf4(Llama& shape) {
  for (Block& block : shape.blocks)
    for (const auto& [module, projection] : kProjections)
      (block.*projection.weight).dtype = DType::nf4;
}

void quantize_to_nf4(Ops& ops, Llama& model) {
  Progress progress("quantizing to nf4", int64_t(model.blocks.size()));
  for (size_t i = 0; i < model.blocks.size(); i++) {
    for (const auto& [module, projection] : kProjections) {
      Tensor& w = model.blocks[i].*projection.weight;
      const std::string name = layer_module(i, module) + ".weight";
      if (is_quantized(w.dtype))
        throw Error(fmt::format("[quantize] '{}' must be f32, bf16 or f16, is {}", name,
                                dtype_name(w.dtype)),
                    "a quantized base is trained as it is: leave out --quantize");
      if (size_t(w.cols) % block_elements(DType::nf4) != 0)
        throw Error(fmt::format("[quantize] the rows of '{}' must be a multiple of {} long, are {}",
                                name, block_elements(DType::nf4), w.cols));
      w = quantized(ops, w, name);
    }
    progress.update(int64_t(i) + 1);
  }
}

}  // namespace chatmem
