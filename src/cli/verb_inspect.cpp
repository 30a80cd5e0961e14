// chatmem inspect: what a model is made of, and the memory that training it takes.
#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "base/progress.h"
#include "cli/lora_flags.h"
#include "cli/memory_table.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "model/quantize.h"
#include "model/random_model.h"
#include "train/plan.h"
#include "train/trainer.h"

namespace chatmem {
namespace {

struct InspectFlags {
  ModelOptions model;
  std::string formats = "bf16", method = "lora", quantize = "off", optimizer = "adamw";
  MemoryFlags memory;
  double tflops = 0;  // 0: this machine's
  AdapterConfig lora;
  int max_tokens = 4096, layers = 0;
  bool plan = false, tensors = false;
};

// A folder or file, or the name of a published model, of which only the shape is known.
struct Inspected {
  std::optional<OpenModel> open;
  Llama shape;
};

Inspected inspect_model(InspectFlags& f) {
  if (auto config = known_config(f.model.model); config && !fs::exists(f.model.model)) {
    if (f.layers > 0) config->n_layers = f.layers;
    return {std::nullopt, shape_of_formats(*config, *parse_weight_formats(f.formats))};
  }
  if (!fs::exists(f.model.model))
    throw Error(fmt::format("[inspect] '{}' must be a model or the name of a published one, is "
                            "neither",
                            f.model.model),
                fmt::format("names: {}", fmt::join(known_config_names(), ", ")));
  Inspected inspected{open_model(f.model, WantTokenizer::no), {}};
  inspected.shape = inspected.open->loaded.model;
  return inspected;
}

void print_config(const Llama& model) {
  const Config& c = model.config;
  fmt::print("{} layers of {}, {} in the feed-forward; {} heads of {}, {} for keys and values\n",
             c.n_layers, c.dim, c.hidden_dim, c.n_heads, c.head_dim, c.n_kv_heads);
  fmt::print("vocabulary of {}, context of {}, rope theta {:.0f}{}{}\n", format_count(c.vocab_size),
             format_count(c.max_seq_len), c.rope_theta,
             c.rope_scaling ? fmt::format(" scaled by {}", c.rope_scaling->factor) : "",
             c.tied_embeddings ? ", lm_head tied to the embedding" : "");
  std::map<std::string_view, std::pair<size_t, size_t>> formats;  // parameters, bytes
  size_t bytes = 0;
  for_each_tensor(model, [&](const std::string&, const Tensor& t, TensorKind) {
    auto& [n, size] = formats[dtype_name(t.dtype)];
    n += t.size();
    size += t.size_bytes();
    bytes += t.size_bytes();
  });
  fmt::print("{} parameters in {}:", format_count(int64_t(c.n_parameters())),
             format_bytes(double(bytes)));
  for (const auto& [name, of] : formats)
    fmt::print(" {} {}", name, format_bytes(double(of.second)));
  fmt::print("\n");
}

void print_tensors(const Llama& model) {
  for_each_tensor(model, [](const std::string& name, const Tensor& t, TensorKind kind) {
    const std::string shape =
        kind == TensorKind::norm ? fmt::format("{}", t.cols) : fmt::format("{}x{}", t.rows, t.cols);
    fmt::print("{:<48} {:<5} {:>14} {:>10}\n", name, dtype_name(t.dtype), shape,
               format_bytes(double(t.size_bytes())));
  });
}

void print_tokenizer(InspectFlags& f, const Inspected& inspected) {
  if (!inspected.open) return;
  std::optional<TokenizerSource> source = find_tokenizer(f.model, inspected.open->loaded);
  if (!source) {
    fmt::print("no tokenizer\n");
    return;
  }
  const auto tokenizer = Tokenizer::from_source(std::move(*source), "the model's tokenizer");
  check_vocabulary(tokenizer, inspected.shape.config);
  const auto named = [&](int id) {
    return id < 0 ? std::string("none") : fmt::format("{} {}", id, tokenizer.piece(id));
  };
  fmt::print("tokenizer of {}: begin {}, end of turn {}, end {}; fingerprint {:016x}\n",
             format_count(tokenizer.vocab_size()), named(tokenizer.bos()), named(tokenizer.eot()),
             named(tokenizer.eos()), tokenizer.fingerprint());
}

// What a million tokens take at least, on a device of --tflops or on this machine.
void print_time(const InspectFlags& f, double flops_per_token) {
  double peak = f.tflops * 1e12;
  if (peak == 0) {
    const std::unique_ptr<Ops> ops = open_device(f.model);
    peak = measure_peak_gflops(*ops, DType::bf16) * 1e9;
  }
  fmt::print(
      "{:.1f} GFLOP a token: a million tokens take at least {} at the {:.3g} TFLOP/s of {}\n",
      flops_per_token * 1e-9, format_duration(flops_per_token * 1e6 / peak), peak * 1e-12,
      f.tflops > 0 ? "--tflops" : "this machine's products");
}

void print_plan(InspectFlags& f, Llama shape) {
  if (f.quantize == "nf4") mark_as_nf4(shape);
  MemoryPlanOptions options;
  options.batch_tokens = f.max_tokens;
  options.optimizer = *parse_optimizer(f.optimizer);
  options.dtype = activation_dtype(f.model, shape.config.dtype);
  if (f.method == "lora") {
    if (f.lora.target_modules.empty()) f.lora.target_modules = all_target_modules();
    options.lora = f.lora;
  }
  const MemoryPlan plan = settle_memory(f.memory, shape, options, 0);
  fmt::print("\ntraining by {}, {} tokens a batch, activations in {}, recomputing {}:\n", f.method,
             format_count(f.max_tokens), dtype_name(options.dtype),
             recompute_name(options.recompute));
  print_memory(plan);
  print_time(f, train_flops_per_token(shape.config, options.lora.has_value(), options.recompute));
  check_memory(f.memory, plan, options.recompute, 0);
}

int inspect(InspectFlags& f) {
  const Inspected inspected = inspect_model(f);
  print_config(inspected.shape);
  print_tokenizer(f, inspected);
  if (f.tensors) print_tensors(inspected.shape);
  if (f.plan) print_plan(f, inspected.shape);
  return kDone;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  static InspectFlags f;
  CLI::App& verb = *app.add_subcommand(
      "inspect",
      "show what a model is made of, and the memory and time that training it takes\n\n"
      "example: chatmem inspect llama-3.1-8b --plan --quantize nf4 --memory 24");
  verb.add_option("model", f.model.model,
                  "a folder, a GGUF file, or a published model's name: then its shape alone")
      ->required();
  verb.add_flag("--tensors", f.tensors, "every tensor with its format and size");
  verb.add_option("--formats", f.formats, "of the weights of a published model's shape")
      ->check(CLI::IsMember({"f32", "bf16", "f16", "q8_0", "q4_0", "q4_k", "nf4"}))
      ->capture_default_str();
  verb.add_option("--layers", f.layers, "of a published model's shape; default: all")
      ->check(CLI::Range(1, 1000));
  const std::string group = "The memory of training";
  verb.add_flag("--plan", f.plan, "print it, to the byte")->group(group);
  verb.add_option("--method", f.method, "lora or full")
      ->check(CLI::IsMember({"lora", "full"}))
      ->capture_default_str()
      ->group(group);
  verb.add_option("--lora-rank", f.lora.rank)
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group(group);
  verb.add_option("--target-modules", f.lora.target_modules, "default: all seven")
      ->delimiter(',')
      ->group(group);
  add_pattern_flags(verb, f.lora, group);
  verb.add_flag("--dora", f.lora.dora)->group(group);
  verb.add_option("--quantize", f.quantize, "nf4: the base's projections in 4 bits")
      ->check(CLI::IsMember({"off", "nf4"}))
      ->capture_default_str()
      ->group(group);
  verb.add_option("--max-tokens", f.max_tokens, "of a batch")
      ->check(CLI::Range(2, 1 << 24))
      ->capture_default_str()
      ->group(group);
  verb.add_option("--optimizer", f.optimizer, "adamw or adamw8bit")
      ->check(CLI::IsMember({"adamw", "adamw8bit"}))
      ->capture_default_str()
      ->group(group);
  add_memory_flags(verb, f.memory, group);
  verb.add_option("--tflops", f.tflops,
                  "TFLOP/s of a device in bf16, for the time; default: measured on this machine")
      ->check(CLI::PositiveNumber)
      ->group(group);
  verb.add_option("--dtype", f.model.dtype, "of activations")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}))
      ->capture_default_str()
      ->group(group);
  verb.callback([&action] { action = [] { return inspect(f); }; });
}

}  // namespace chatmem
