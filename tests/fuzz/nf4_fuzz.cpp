// libFuzzer: bitsandbytes' tensors of anyone. The input is the JSON of the state; what is accepted
// is written as it was read.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "compute/nf4.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace chatmem;
  try {
    const auto text = std::as_bytes(std::span(data, size));
    const BnbState state = parse_bnb_state(text, "fuzz");
    CHECK(state.rows > 0 && state.cols > 0 && state.cols % 64 == 0);
    if (size_t(state.rows) * size_t(state.cols) > size_t(1) << 20) return 0;
    if (!state.is_nested) {
      std::vector<std::byte> values(size_t(state.rows) * size_t(state.cols) * 2);
      const Tensor weight = {values.data(), state.rows, state.cols, DType::bf16};
      read_bnb_nf4(weight, {text, text, text, {}, {}, text}, "fuzz");
      return 0;
    }
    std::vector<std::byte> rows(Tensor{nullptr, state.rows, state.cols, DType::nf4}.size_bytes());
    const Tensor weight = {rows.data(), state.rows, state.cols, DType::nf4};
    quantize_nf4(
        weight, [&](float* to, int row) { std::fill_n(to, state.cols, float(row)); }, "fuzz");
    BnbBytes made = write_bnb_nf4(weight, state.dtype);
    // The bytes of the input as scales and levels, the input's own state.
    for (size_t i = 0; i < made.weight.size(); i++) made.weight[i] = text[i % size];
    for (size_t i = 0; i < made.absmax.size(); i++) made.absmax[i] = text[i % size];
    const BnbTensors tensors = {made.weight,        made.absmax,           made.quant_map,
                                made.nested_absmax, made.nested_quant_map, text};
    read_bnb_nf4(weight, tensors, "fuzz");
    const BnbBytes written = write_bnb_nf4(weight, state.dtype);
    CHECK(written.weight == made.weight && written.absmax == made.absmax);
    CHECK(written.nested_absmax == made.nested_absmax);
    const BnbState again = parse_bnb_state(written.quant_state, "fuzz");
    CHECK(again.rows == state.rows && again.cols == state.cols && again.offset == state.offset);
    const BnbTensors sizes = {text, text, text, text, text, made.quant_state};
    read_bnb_nf4(weight, sizes, "fuzz");
  } catch (const Error&) {  // refusing is right; crashing is not
  }
  return 0;
}
