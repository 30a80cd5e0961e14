#include "cli/open_model.h"

#include <fmt/format.h>

#include "base/error.h"

namespace chatmem {

void add_device_flags(CLI::App& verb, ModelOptions& o) {
  verb.add_option("--device", o.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  verb.add_option("--threads", o.threads, "threads; 0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb.add_option("--dtype", o.dtype, "activations: f32, bf16, or auto: as the weights")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}))
      ->capture_default_str();
}

void add_model_flags(CLI::App& verb, ModelOptions& o) {
  verb.add_option("--model", o.model, "folder of a Llama 3.x model (config.json, safetensors)")
      ->required();
  verb.add_option("--adapter", o.adapter, "folder of a PEFT LoRA adapter");
  verb.add_option("--tokenizer", o.tokenizer,
                  "tokenizer file or folder; default: the model's folder");
  add_device_flags(verb, o);
}

std::unique_ptr<Ops> open_device(const ModelOptions& options) {
  if (options.device == "cpu") return make_cpu_ops({.n_threads = options.threads});
  auto ops = make_cuda_ops();
  if (!ops)
    throw Error("[device] --device cuda needs a build with CUDA and a GPU, found none",
                "use --device cpu");
  return ops;
}

DType activation_dtype(const ModelOptions& options, DType weights) {
  if (options.dtype == "f32") return DType::f32;
  if (options.dtype == "bf16") return DType::bf16;
  return weights == DType::bf16 ? DType::bf16 : DType::f32;
}

OpenModel open_model(const ModelOptions& options, WantTokenizer want) {
  OpenModel open{open_device(options), {}, {}, {}, DType::f32};
  open.loaded = load_model(*open.ops, options.model);
  const Config& config = open.loaded.model.config;
  open.dtype = activation_dtype(options, config.dtype);
  if (!options.adapter.empty())
    open.adapter = load_adapter(*open.ops, open.loaded.model, options.adapter, open.dtype);
  if (want == WantTokenizer::yes) {
    open.tokenizer = Tokenizer::load(options.tokenizer.empty() ? options.model : options.tokenizer);
    check_vocabulary(*open.tokenizer, config);
  }
  return open;
}

void check_vocabulary(const Tokenizer& tokenizer, const Config& config) {
  constexpr int kMaxPadding = 1024;  // rows that models add to round their vocabulary up
  const int n = tokenizer.vocab_size();
  if (n <= config.vocab_size && config.vocab_size - n < kMaxPadding) return;
  throw Error(fmt::format("[model] the tokenizer must fit the model: it has {} tokens, the model's "
                          "vocabulary is {}",
                          n, config.vocab_size),
              "use the tokenizer that the model was made with");
}

void copy_tokenizer(const fs::path& from, const fs::path& folder) {
  if (!fs::is_directory(from)) {
    // by the name that a folder's tokenizer has, whatever the file's own name is
    const char* name = from.extension() == ".json" ? "tokenizer.json" : "tokenizer.model";
    write_file_atomic(folder / name, read_file(from));
    return;
  }
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json"})
    if (fs::exists(from / name)) write_file_atomic(folder / name, read_file(from / name));
}

}  // namespace chatmem
