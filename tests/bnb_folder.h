// Writes a model's folder as transformers saves one that bitsandbytes quantized.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compute/nf4.h"
#include "compute/quant.h"
#include "model/checkpoint.h"

namespace chatmem {

inline const std::string kBnbState = ".quant_state.bitsandbytes__nf4";

enum class DoubleQuantization { off, on };

// What double quantization stores as codes, in f32.
inline void undo_double_quantization(Tensor weight, BnbBytes& parts) {
  Json state = parse_json(
      {reinterpret_cast<const char*>(parts.quant_state.data()), parts.quant_state.size()}, "test");
  std::vector<float> codes(256), nested(parts.nested_absmax.size() / 4);
  std::memcpy(codes.data(), parts.nested_quant_map.data(), parts.nested_quant_map.size());
  std::memcpy(nested.data(), parts.nested_absmax.data(), parts.nested_absmax.size());
  std::vector<float> absmax(weight.size() / 64);
  for (size_t b = 0; b < absmax.size(); b++)
    absmax[b] = codes[uint8_t(parts.absmax[b])] * nested[b / 256] +
                float(state["nested_offset"].get<double>());
  const auto bytes = std::as_bytes(std::span(absmax));
  parts.absmax.assign(bytes.begin(), bytes.end());
  parts.nested_absmax.clear(), parts.nested_quant_map.clear();
  for (const char* key : {"nested_blocksize", "nested_dtype", "nested_offset"}) state.erase(key);
  const std::string text = dump_json(state);
  const auto state_bytes = std::as_bytes(std::span(text));
  parts.quant_state.assign(state_bytes.begin(), state_bytes.end());
}

// The weights of type nf4 as bitsandbytes' tensors, the others as they are.
inline void write_bnb_folder(const fs::path& folder, Ops& ops, const Llama& model,
                             DoubleQuantization nested) {
  std::map<std::string, TensorInfo> infos;
  std::vector<std::vector<std::byte>> kept;
  const auto put = [&](const std::string& name, DType dtype, std::vector<int64_t> shape,
                       std::vector<std::byte> bytes) {
    if (bytes.empty()) return;
    kept.push_back(std::move(bytes));
    infos[name] = {dtype, std::move(shape), {}};
    infos[name].bytes = kept.back();
  };
  for_each_tensor(model, [&](const std::string& name, const Tensor& t, TensorKind kind) {
    std::vector<std::byte> bytes(t.size_bytes());
    ops.copy_out(bytes.data(), t);
    if (t.dtype != DType::nf4) {
      const bool is_norm = kind == TensorKind::norm;
      put(name, t.dtype,
          is_norm ? std::vector<int64_t>{t.cols} : std::vector<int64_t>{t.rows, t.cols},
          std::move(bytes));
      return;
    }
    BnbBytes parts = write_bnb_nf4({bytes.data(), t.rows, t.cols, t.dtype}, "bfloat16");
    if (nested == DoubleQuantization::off) undo_double_quantization(t, parts);
    const auto n = [](const std::vector<std::byte>& part) { return int64_t(part.size()); };
    const bool is_nested = nested == DoubleQuantization::on;
    put(name + ".absmax", is_nested ? DType::u8 : DType::f32,
        {is_nested ? n(parts.absmax) : n(parts.absmax) / 4}, parts.absmax);
    put(name + ".quant_map", DType::f32, {16}, parts.quant_map);
    put(name + ".nested_absmax", DType::f32, {n(parts.nested_absmax) / 4}, parts.nested_absmax);
    put(name + ".nested_quant_map", DType::f32, {256}, parts.nested_quant_map);
    put(name + kBnbState, DType::u8, {n(parts.quant_state)}, parts.quant_state);
    put(name, DType::u8, {n(parts.weight), 1}, parts.weight);
  });
  fs::create_directories(folder);
  write_safetensors(folder / "model.safetensors", infos);
  Json config = config_to_json(model.config);
  config["quantization_config"] = {{"quant_method", "bitsandbytes"},
                                   {"load_in_4bit", true},
                                   {"bnb_4bit_quant_type", "nf4"},
                                   {"bnb_4bit_use_double_quant", nested == DoubleQuantization::on},
                                   {"bnb_4bit_compute_dtype", "bfloat16"}};
  write_file_atomic(folder / "config.json", dump_json(config, 2));
}

}  // namespace chatmem
