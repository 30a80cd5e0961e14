// Opens a model once, for every verb: device, weights, adapter, tokenizer.
#pragma once
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "model/checkpoint.h"
#include "model/lora.h"
#include "text/tokenizer_source.h"

namespace chatmem {

struct ModelOptions {
  std::string model;      // a Hugging Face folder, or a GGUF file
  std::string adapter;    // a PEFT folder, a GGUF file, or empty
  std::string tokenizer;  // a folder or file; empty: the model's
  std::string device = "cpu";
  std::string dtype = "auto";  // of activations: f32, bf16; auto: bf16 unless weights are f32, f16
  int threads = 0;             // 0: all that the process may use
};

// Declares --device, --threads and --dtype on a verb.
void add_device_flags(CLI::App& verb, ModelOptions& options);
// The same with --model (required) and --tokenizer.
void add_base_model_flags(CLI::App& verb, ModelOptions& options);
// The same with --adapter.
void add_model_flags(CLI::App& verb, ModelOptions& options);

// The last part of a path, also of one that ends with "/".
std::string file_name(const std::string& path);

std::unique_ptr<Ops> open_device(const ModelOptions& options);
// The dtype that --dtype names, `weights` deciding for auto.
DType activation_dtype(const ModelOptions& options, DType weights);

// Declares --kv-dtype; what it names, nothing for auto.
void add_kv_dtype_flag(CLI::App& verb, std::string& name);
std::optional<DType> parse_kv_dtype(std::string_view name);

enum class WantTokenizer { no, yes };

struct OpenModel {
  std::unique_ptr<Ops> ops;
  LoadedModel loaded;
  std::optional<Adapter> adapter;
  std::optional<Tokenizer> tokenizer;
  DType dtype;

  const Adapter* adapter_or_null() const { return adapter ? &*adapter : nullptr; }
};

OpenModel open_model(const ModelOptions& options, WantTokenizer want);

// A PEFT folder or a GGUF file, for the weights as they are by now.
Adapter read_adapter(const OpenModel& open, const fs::path& path);
// Opens the adapter that the options name, if any.
void open_adapter(OpenModel& open, const ModelOptions& options);

// What ModelOptions name as the tokenizer; nullopt where the model has none of its own.
std::optional<TokenizerSource> find_tokenizer(const ModelOptions& options,
                                              const LoadedModel& loaded);

// Throws Error unless the tokenizer's ids fit the model's vocabulary, padding allowed for.
void check_vocabulary(const Tokenizer& tokenizer, const Config& config);

// What a tokenizer is made of in a model's folder.
inline constexpr const char* kTokenizerFiles[] = {"tokenizer.json", "tokenizer.model",
                                                  "tokenizer_config.json",
                                                  "special_tokens_map.json", "chat_template.jinja"};

// Writes the tokenizer into a model folder: copies its files, or makes them from a GGUF. Nothing is
// done without one.
void copy_tokenizer(const ModelOptions& options, const LoadedModel& loaded, const fs::path& folder);

}  // namespace chatmem
