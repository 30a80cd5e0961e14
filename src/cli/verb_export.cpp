// chatmem export: base and adapter to one merged model folder.
#include <fmt/format.h>

#include "base/error.h"
#include "base/progress.h"
#include "cli/open_model.h"
#include "cli/verbs.h"

namespace chatmem {
namespace {

struct ExportFlags {
  ModelOptions model;
  std::string output, dtype = "auto";
};

int export_model(const ExportFlags& f) {
  ModelOptions options = f.model;
  options.dtype = "f32";  // adapters are merged in f32
  OpenModel open = open_model(options, WantTokenizer::no);
  if (open.adapter) open.loaded.model = merge_adapter(*open.ops, open.loaded.model, *open.adapter);
  const DType dtype = f.dtype == "f32"    ? DType::f32
                      : f.dtype == "bf16" ? DType::bf16
                                          : open.loaded.model.config.dtype;
  save_model(f.output, *open.ops, open.loaded.model, {.dtype = dtype});
  copy_tokenizer(f.model.tokenizer.empty() ? f.model.model : f.model.tokenizer, f.output);
  const double bytes = double(open.loaded.model.config.n_parameters() * dtype_bytes(dtype));
  fmt::print("{}: {} parameters in {}, {}\nnext: chatmem serve --model {}\n", f.output,
             format_count(int64_t(open.loaded.model.config.n_parameters())), dtype_name(dtype),
             format_bytes(bytes), f.output);
  return kDone;
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  static ExportFlags f;  // the action reads it after this function has ended
  CLI::App& verb =
      *app.add_subcommand("export",
                          "merge an adapter into its base, as a Hugging Face folder\n\n"
                          "example: chatmem export --model BASE --adapter ADAPTER --output MERGED");
  verb.add_option("--model", f.model.model, "base model folder")->required();
  verb.add_option("--adapter", f.model.adapter,
                  "PEFT adapter folder; without it the base is rewritten");
  verb.add_option("--tokenizer", f.model.tokenizer,
                  "tokenizer file or folder; default: the model's folder");
  verb.add_option("--output", f.output, "folder for the merged model")->required();
  verb.add_option("--dtype", f.dtype, "of the weights written; auto: as the base")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}))
      ->capture_default_str();
  verb.add_option("--threads", f.model.threads, "threads; 0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb.callback([&action] { action = [] { return export_model(f); }; });
}

}  // namespace chatmem
