#include "cli/open_model.h"

#include <fmt/format.h>

#include "base/error.h"
#include "cli/gguf_tokenizer.h"
#include "model/gguf_export.h"

namespace chatmem {
namespace {

std::string tokenizer_path(const ModelOptions& options) {
  return options.tokenizer.empty() ? options.model : options.tokenizer;
}

}  // namespace

void add_device_flags(CLI::App& verb, ModelOptions& o) {
  verb.add_option("--device", o.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  verb.add_option("--threads", o.threads, "threads; 0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb.add_option("--dtype", o.dtype,
                  "activations: f32, bf16, or auto: bf16 unless the weights are f32 or f16")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}))
      ->capture_default_str();
}

void add_base_model_flags(CLI::App& verb, ModelOptions& o) {
  verb.add_option("--model", o.model, "a Llama 3.x model: Hugging Face folder or GGUF file")
      ->required();
  verb.add_option("--tokenizer", o.tokenizer, "tokenizer file or folder; default: the model's own");
  add_device_flags(verb, o);
}

void add_model_flags(CLI::App& verb, ModelOptions& o) {
  add_base_model_flags(verb, o);
  verb.add_option("--adapter", o.adapter, "a LoRA adapter: PEFT folder or GGUF file");
}

std::string file_name(const std::string& path) {
  return fs::path(path).lexically_normal().filename().string();
}

std::unique_ptr<Ops> open_device(const ModelOptions& options) {
  if (options.device == "cpu") return make_cpu_ops({.n_threads = options.threads});
  auto ops = make_cuda_ops();
  if (!ops)
    throw Error("[device] --device cuda needs a build with CUDA and a GPU, found none",
                "use --device cpu");
  return ops;
}

void add_kv_dtype_flag(CLI::App& verb, std::string& name) {
  verb.add_option("--kv-dtype", name,
                  "keys and values: f32, bf16, f16, q8_0, or auto: as the activations")
      ->check(CLI::IsMember({"auto", "f32", "bf16", "f16", "q8_0"}))
      ->capture_default_str();
}

std::optional<DType> parse_kv_dtype(std::string_view name) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::q8_0})
    if (name == dtype_name(dtype)) return dtype;
  return std::nullopt;
}

DType activation_dtype(const ModelOptions& options, DType weights) {
  if (options.dtype == "f32") return DType::f32;
  if (options.dtype == "bf16") return DType::bf16;
  return weights == DType::bf16 || is_quantized(weights) ? DType::bf16 : DType::f32;
}

OpenModel open_model(const ModelOptions& options, WantTokenizer want) {
  OpenModel open{open_device(options), {}, {}, {}, DType::f32};
  open.loaded = load_model(*open.ops, options.model);
  const Config& config = open.loaded.model.config;
  open.dtype = activation_dtype(options, config.dtype);
  open_adapter(open, options);
  if (want == WantTokenizer::yes) {
    std::optional<TokenizerSource> source = find_tokenizer(options, open.loaded);
    if (!source) source = read_tokenizer(options.model);  // says what the folder must hold
    open.tokenizer = Tokenizer::from_source(std::move(*source), tokenizer_path(options));
    check_vocabulary(*open.tokenizer, config);
  }
  return open;
}

Adapter read_adapter(const OpenModel& open, const fs::path& path) {
  const Llama& model = open.loaded.model;
  return fs::is_regular_file(path) ? load_gguf_adapter(*open.ops, model.config, path, open.dtype)
                                   : load_adapter(*open.ops, model, path, open.dtype);
}

void open_adapter(OpenModel& open, const ModelOptions& options) {
  if (!options.adapter.empty()) open.adapter = read_adapter(open, options.adapter);
}

std::optional<TokenizerSource> find_tokenizer(const ModelOptions& options,
                                              const LoadedModel& loaded) {
  if (!options.tokenizer.empty()) return read_tokenizer(options.tokenizer);
  if (options.model.empty()) return std::nullopt;
  if (loaded.gguf) {
    if (!loaded.gguf->find("tokenizer.ggml.model")) return std::nullopt;
    return gguf_tokenizer(*loaded.gguf);
  }
  for (const char* name : {"tokenizer.json", "tokenizer.model"})
    if (fs::exists(fs::path(options.model) / name)) return read_tokenizer(options.model);
  return std::nullopt;
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

void copy_tokenizer(const ModelOptions& options, const LoadedModel& loaded,
                    const fs::path& folder) {
  if (options.tokenizer.empty() && loaded.gguf) {
    if (const auto source = find_tokenizer(options, loaded))
      write_file_atomic(folder / "tokenizer.json", tokenizer_json(*source));
    if (const std::string text = read_chat_template(loaded.gguf->path()); !text.empty())
      write_file_atomic(folder / "chat_template.jinja", text);
    return;
  }
  const fs::path from = tokenizer_path(options);
  if (from.empty()) return;
  if (!fs::is_directory(from)) {
    // by the name that a folder's tokenizer has, whatever the file's own name is
    const char* name = from.extension() == ".json" ? "tokenizer.json" : "tokenizer.model";
    write_file_atomic(folder / name, read_file(from));
    return;
  }
  for (const char* name : kTokenizerFiles)
    if (fs::exists(from / name)) write_file_atomic(folder / name, read_file(from / name));
}

}  // namespace chatmem
