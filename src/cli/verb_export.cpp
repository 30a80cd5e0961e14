// chatmem export: a base with or without an adapter as a Hugging Face folder or a GGUF file.
#include <fmt/format.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/random.h"
#include "cli/gguf_tokenizer.h"
#include "cli/model_folder.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "model/compare.h"
#include "model/gguf_export.h"
#include "model/quantize.h"

namespace chatmem {
namespace {

struct ExportFlags {
  ModelOptions model;
  std::string output, to = "auto", dtype = "auto", quantize = "off", scores;
  bool adapter_only = false;
};

constexpr int kSampleTokens = 256;
// What the model before and after is asked: a chat as they come, of no data set.
constexpr std::string_view kSample =
    "2024-03-04 09:12 | Nora: Morning! Did the plumber ever call you back about the boiler?\n"
    "2024-03-04 09:15 | You: He did, late last night. He can come on Thursday between 8 and 10.\n"
    "2024-03-04 09:16 | Nora: Good, because the flat was down to 14 degrees when I woke up.\n"
    "2024-03-07 11:40 | You: The boiler is fixed. It was a valve, 85 euros, and he says the whole "
    "thing should be replaced before next winter.\n"
    "2024-03-07 11:44 | Nora: Let us ask the landlord then. I will write to Mr. Okafor tonight.\n"
    "2024-03-19 18:02 | Nora: He answered after two weeks: a new one in September, at his cost!\n"
    "2024-03-19 18:05 | You: That deserves a cake. Are you free on Sunday afternoon, around four?\n"
    "In short: the boiler broke in early March, was repaired on the 7th, and the landlord, whom "
    "Nora had asked that evening, agreed twelve days later to pay for its replacement in "
    "September; you and Nora want to celebrate this with cake on Sunday.";

// The sample's tokens; random ones for a model without a tokenizer.
std::vector<int> sample_tokens(std::optional<TokenizerSource> source, const Config& config) {
  std::vector<int> tokens;
  if (source) {
    const auto tokenizer = Tokenizer::from_source(std::move(*source), "the model's tokenizer");
    check_vocabulary(tokenizer, config);
    tokens = tokenizer.encode(kSample);
  } else {
    Random random(1);
    for (int i = 0; i < kSampleTokens; i++)
      tokens.push_back(int(random.below(size_t(config.vocab_size))));
  }
  tokens.resize(size_t(std::min({int(tokens.size()), kSampleTokens, config.max_seq_len})));
  return tokens;
}

// The largest mean divergence that rounding to a type explains; models that were written wrongly
// are far above.
double largest_kl(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 1e-4;
    case DType::f16:
      return 5e-4;
    case DType::bf16:
      return 5e-3;
    case DType::q8_0:
      return 0.01;
    default:
      return 1;
  }
}

void check_difference(const LogitsDifference& d, double limit, const std::string& what) {
  fmt::print(
      "{}: KL {:.2e} nats, same top token at {:.1f}% of positions, largest difference of "
      "log-probabilities {:.2e}\n",
      what, d.mean_kl, 100 * d.same_top, d.largest);
  if (d.is_finite && d.mean_kl <= limit) return;
  throw Error(fmt::format("[export] what was written must predict as the source does, but its "
                          "divergence is {:.2e} against at most {:.2e}; it was not kept",
                          d.mean_kl, limit),
              d.is_finite ? "" : "the model's weights or logits are not finite");
}

// What is known of the model that is written, from what it is made of.
ModelCard card_of(const ExportFlags& f, const Config& config, std::string_view format) {
  const fs::path model = f.model.model, adapter = f.model.adapter;
  const Descent descent = descent_of(model, config);
  ModelCard card{.name = name_of(f.output),
                 .base = descent.base,
                 .family = descent.family,
                 .format = std::string(format),
                 .version = CHATMEM_VERSION};
  if (adapter.empty()) {
    card.training = read_training(model);
    if (card.training) card.base = card.training->base;
    card.made = fmt::format("{} in other files; nothing was trained.", name_of(model));
  } else {
    card.training = read_training(adapter);
    const bool was_quantized = card.training && card.training->quantize != "off";
    card.made = fmt::format(
        "The adapter {} merged into {}{}.", name_of(adapter), name_of(model),
        f.quantize != "off" ? " as it was quantized to nf4 while the adapter was trained"
        : was_quantized     ? ", whose own weights differ from those that were quantized to "
                              "train the adapter"
                            : "");
    if (was_quantized && f.quantize == "off")
      fmt::print(stderr,
                 "the adapter was trained on the base in {}; --quantize {} merges it into that\n",
                 card.training->quantize, card.training->quantize);
  }
  if (!f.scores.empty()) card.scores = read_json(f.scores);
  return card;
}

struct Source {
  OpenModel open;
  Llama merged;
  std::vector<int> sample;

  const Config& config() const { return open.loaded.model.config; }
  ModelRef reference() const { return {open.loaded.model, open.adapter_or_null()}; }
  // Reads the model back and compares.
  void check(const fs::path& path, DType dtype) const {
    const LoadedModel written = load_model(*open.ops, path);
    double limit = largest_kl(dtype);
    if (open.adapter && is_quantized(open.loaded.model.blocks[0].wq.dtype))
      limit = std::max(limit, largest_kl(DType::bf16));  // to which merge_adapter rounds these
    check_difference(compare_models(*open.ops, reference(), {written.model}, sample), limit,
                     fmt::format("read back on {} tokens", sample.size()));
  }
};

Source open_source(const ExportFlags& f) {
  ModelOptions options = f.model;
  options.dtype = "f32";  // adapters are merged in f32
  options.adapter.clear();
  Source source{open_model(options, WantTokenizer::no), {}, {}};
  if (f.quantize == "nf4") quantize_to_nf4(*source.open.ops, source.open.loaded.model);
  open_adapter(source.open, f.model);  // DoRA's norms are of the weights that training saw
  source.sample = sample_tokens(find_tokenizer(options, source.open.loaded), source.config());
  source.merged = source.open.loaded.model;
  if (source.open.adapter && !f.adapter_only)
    source.merged = merge_adapter(*source.open.ops, source.merged, *source.open.adapter);
  return source;
}

void export_folder(const ExportFlags& f) {
  Source source = open_source(f);
  const Config& config = source.config();
  const DType own = is_quantized(config.dtype) ? DType::bf16 : config.dtype;
  const DType dtype = f.dtype == "f32"    ? DType::f32
                      : f.dtype == "f16"  ? DType::f16
                      : f.dtype == "bf16" ? DType::bf16
                                          : own;
  write_model_folder(f.output, *source.open.ops,
                     {source.merged, dtype, f.model, source.open.loaded},
                     card_of(f, config, dtype_name(dtype)),
                     [&](const fs::path& path) { source.check(path, dtype); });
  const double bytes = double(config.n_parameters() * dtype_bytes(dtype));
  fmt::print("{}: {} parameters in {}, {}\nnext: chatmem serve --model {}\n", f.output,
             format_count(int64_t(config.n_parameters())), dtype_name(dtype), format_bytes(bytes),
             f.output);
}

// A file that has its name only once `check` has passed.
template <typename Write, typename Check>
void write_checked(const fs::path& path, Write&& write, Check&& check) {
  fs::path unchecked = path;
  unchecked += ".unchecked";
  try {
    write(unchecked);
    check(unchecked);
    fs::rename(unchecked, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(unchecked, ignored);
    throw;
  }
}

GgufFileType file_type(const ExportFlags& f, DType own) {
  std::string name = f.dtype;
  if (name == "auto")
    name = own == DType::q4_k ? "q4_k_m" : own == DType::q6_k ? "q8_0" : dtype_name(own);
  return *parse_gguf_file_type(name);
}

void export_gguf(const ExportFlags& f) {
  Source source = open_source(f);
  const auto tokenizer = find_tokenizer(f.model, source.open.loaded);
  if (!tokenizer)
    throw Error("[export] a GGUF holds its tokenizer, the model has none", "give --tokenizer");
  const ModelCard card = card_of(f, source.config(), {});
  GgufSaveOptions options{
      .type = file_type(f, source.config().dtype), .name = model_name(card), .metadata = {}};
  const std::string from = f.model.tokenizer.empty() ? f.model.model : f.model.tokenizer;
  options.metadata =
      tokenizer_metadata(*tokenizer, source.config(), read_chat_template(f.model.model), from);
  add_card(card, options.metadata);
  GgufSaved saved;
  write_checked(
      f.output,
      [&](const fs::path& path) {
        saved = save_gguf(path, *source.open.ops, source.merged, options);
      },
      [&](const fs::path& path) { source.check(path, saved.dtype); });
  if (saved.n_replaced > 0)
    fmt::print(
        "{} weights have rows that do not fill the blocks of their type and are q8_0 or f16 "
        "instead\n",
        saved.n_replaced);
  fmt::print("{}: {} parameters in {}, {}\nnext: chatmem serve --model {}\n", f.output,
             format_count(int64_t(source.config().n_parameters())), saved.type,
             format_bytes(double(saved.size_bytes)), f.output);
}

void export_adapter(const ExportFlags& f) {
  const Source source = open_source(f);
  Ops& ops = *source.open.ops;
  write_checked(
      f.output,
      [&](const fs::path& path) {
        save_gguf_adapter(path, ops, source.config(), *source.open.adapter,
                          fs::path(f.output).stem().string());
      },
      [&](const fs::path& path) {
        const Adapter written = load_gguf_adapter(ops, source.config(), path, DType::f32);
        check_difference(compare_models(ops, source.reference(),
                                        {source.open.loaded.model, &written}, source.sample),
                         largest_kl(DType::f32),
                         fmt::format("read back on {} tokens", source.sample.size()));
      });
  fmt::print("{}: adapter, {}\nnext: llama-server --model BASE.gguf --lora {}\n", f.output,
             format_bytes(double(fs::file_size(f.output))), f.output);
}

int export_verb(const ExportFlags& f) {
  const bool to_gguf = f.to == "gguf" || (f.to == "auto" && f.output.ends_with(".gguf"));
  if (f.adapter_only && (!to_gguf || f.model.adapter.empty()))
    throw Error("[export] --adapter-only needs --adapter and --to gguf", {}, kUsage);
  if (to_gguf && !f.scores.empty())
    throw Error("[export] --scores needs a folder, a GGUF has no card", {}, kUsage);
  if (!to_gguf && (f.dtype.starts_with("q")))
    throw Error(fmt::format("[export] --dtype {} needs --to gguf", f.dtype), {}, kUsage);
  if (f.adapter_only)
    export_adapter(f);
  else if (to_gguf)
    export_gguf(f);
  else
    export_folder(f);
  return kDone;
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  static ExportFlags f;  // the action reads it after this function has ended
  CLI::App& verb = *app.add_subcommand(
      "export",
      "write a base, with its adapter merged, as a Hugging Face folder or a GGUF file\n\n"
      "example: chatmem export --model BASE --adapter ADAPTER --output merged.gguf --dtype q4_k_m");
  verb.add_option("--model", f.model.model, "base model: Hugging Face folder or GGUF file")
      ->required();
  verb.add_option("--adapter", f.model.adapter,
                  "LoRA adapter: PEFT folder or GGUF file; without it the base is rewritten");
  verb.add_option("--tokenizer", f.model.tokenizer,
                  "tokenizer file or folder; default: the model's own");
  verb.add_option("--output", f.output, "folder, or file NAME.gguf")->required();
  verb.add_option("--to", f.to, "hf: a Hugging Face folder; gguf; auto: by the name of --output")
      ->check(CLI::IsMember({"auto", "hf", "gguf"}))
      ->capture_default_str();
  verb.add_option("--dtype", f.dtype,
                  "of the weights written; auto: as the base; q8_0, q4_0, q4_k_m: GGUF only")
      ->check(CLI::IsMember({"auto", "f32", "f16", "bf16", "q8_0", "q4_0", "q4_k_m"}))
      ->capture_default_str();
  verb.add_flag("--adapter-only", f.adapter_only, "a GGUF of the adapter alone");
  verb.add_option("--quantize", f.quantize,
                  "nf4: merge into the base as train --quantize nf4 saw it; off: as it is")
      ->check(CLI::IsMember({"off", "nf4"}))
      ->capture_default_str();
  verb.add_option("--scores", f.scores, "report.json of evaluate, for the model card");
  verb.add_option("--threads", f.model.threads, "threads; 0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb.callback([&action] { action = [] { return export_verb(f); }; });
}

}  // namespace chatmem
