// chatmem train: LoRA on a base model, or full training, also from a fresh initialisation.
#include <fmt/format.h>

#include <csignal>

#include "base/error.h"
#include "base/progress.h"
#include "cli/data_flags.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "train/trainer.h"

namespace chatmem {
namespace {

struct TrainFlags {
  ModelOptions model;
  DataFlags data;
  std::string init, val_data;
  std::string method = "auto", schedule = "cosine", packing = "on", shuffle = "on",
              recompute = "off";
  double val_share = -1;
  LoraOptions lora;
  TrainOptions train;
  std::string output;
  bool resume = false;
};

std::atomic<bool> interrupted{false};

std::string tokenizer_path(const TrainFlags& f) {
  if (!f.model.tokenizer.empty()) return f.model.tokenizer;
  for (const char* name : {"tokenizer.json", "tokenizer.model"})
    if (fs::exists(fs::path(f.model.model) / name)) return f.model.model;
  return {};
}

void print_report(const TrainReport& r, const TrainFlags& f) {
  fmt::print("{} step {} of {}: train loss {:.4f}", r.stopped ? "stopped after" : "done:", r.step,
             r.total_steps, r.train_loss);
  if (!std::isnan(r.last_val_loss))
    fmt::print(", validation loss {:.4f} at first, {:.4f} now", r.first_val_loss, r.last_val_loss);
  fmt::print("\n{} at {:.0f} tokens/s ({:.0f} target tokens/s, {:.0f} GFLOP/s)\n",
             format_duration(r.seconds), r.tokens_per_second, r.target_tokens_per_second, r.gflops);
  if (r.stopped)
    fmt::print("next: the same command with --resume\n");
  else if (f.model.model.empty() || f.method == "full")
    fmt::print("{}\nnext: chatmem serve --model {}\n", f.output, f.output);
  else
    fmt::print("{}\nnext: chatmem export --model {} --adapter {} --output MERGED\n", f.output,
               f.model.model, f.output);
}

int train_verb(TrainFlags& f) {
  if (f.model.model.empty() == f.init.empty())
    throw Error("[train] give either --model FOLDER or --init CONFIG.json", {}, kUsage);
  const bool fresh = !f.init.empty();
  if (f.method == "auto") f.method = fresh ? "full" : "lora";
  if (fresh && f.method == "lora")
    throw Error("[train] --method lora needs a base: --model FOLDER", {}, kUsage);

  const auto ops = open_device(f.model);
  const bool full = f.method == "full";
  LoadedModel base;
  if (fresh) {
    const Config config = parse_config(read_json(f.init), fmt::format("'{}'", f.init));
    base =
        init_model(*ops, config, f.model.dtype == "bf16" ? DType::bf16 : DType::f32, f.train.seed);
  } else {
    base = load_model(*ops, f.model.model);
  }
  f.train.dtype =
      fresh ? base.model.embed.dtype : activation_dtype(f.model, base.model.config.dtype);
  if (full) base.model = owned_weights(*ops, base.model, f.train.dtype);

  const std::string tokenizer_at = tokenizer_path(f);
  std::optional<Tokenizer> tokenizer;
  if (!tokenizer_at.empty()) {
    tokenizer = Tokenizer::load(tokenizer_at);
    check_vocabulary(*tokenizer, base.model.config);
  }
  f.data.max_tokens = std::min(f.data.max_tokens, base.model.config.max_seq_len);
  f.train.max_tokens = f.data.max_tokens;
  const Tokenizer* text = tokenizer ? &*tokenizer : nullptr;
  Dataset data = load_dataset(f.data.data, f.data.as_of, text, f.data.rules());
  if (f.val_share < 0) f.val_share = data.examples.size() >= 50 ? 0.05 : 0;
  const Dataset validation = f.val_data.empty()
                                 ? split_validation(data, f.val_share)
                                 : load_dataset(f.val_data, f.data.as_of, text, f.data.rules());
  const DatasetStatistics s = statistics(data);
  fmt::print(stderr, "{} examples of {} tokens ({} targets), {} held out; {} steps\n",
             format_count(s.n_examples), format_count(s.n_tokens), format_count(s.n_targets),
             validation.examples.size(), count_steps(data, f.train));

  f.train.output = f.output;
  f.train.stop = &interrupted;
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = true; });
  std::optional<Adapter> adapter;
  if (!full) adapter = make_adapter(*ops, base.model.config, f.lora, f.train.dtype, f.train.seed);
  const TrainReport report =
      train(*ops, base.model, adapter ? &*adapter : nullptr, data, validation, f.train);
  if (full) {
    save_model(f.output, *ops, base.model, {.dtype = base.model.embed.dtype});
    if (!tokenizer_at.empty()) copy_tokenizer(tokenizer_at, f.output);
  } else {
    save_adapter(f.output, *ops, base.model.config, *adapter, f.lora, f.model.model);
  }
  print_report(report, f);
  return report.stopped ? kPartial : kDone;
}

void add_loop_flags(CLI::App& verb, TrainFlags& f) {
  TrainOptions& t = f.train;
  verb.add_option("--lr", t.lr, "learning rate")->check(CLI::PositiveNumber)->capture_default_str();
  verb.add_option("--schedule", f.schedule, "cosine, linear or constant")
      ->check(CLI::IsMember({"cosine", "linear", "constant"}))
      ->capture_default_str();
  verb.add_option("--warmup-steps", t.warmup_steps, "default: a twentieth of the steps")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--weight-decay", t.weight_decay, "AdamW")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.add_option("--grad-clip", t.grad_clip, "largest gradient norm; 0: off")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.add_option("--micro-batch", t.micro_batch, "rows that go through the model together")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb.add_option("--grad-accum-steps", t.grad_accum_steps, "micro-batches of a step")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  verb.add_option("--steps", t.steps, "steps in all; overrides --epochs")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--epochs", t.epochs, "passes over the data")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb.add_option("--packing", f.packing, "several examples in a row")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  verb.add_option("--shuffle", f.shuffle, "a new order each epoch")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  verb.add_option("--recompute", f.recompute,
                  "off: keep activations; blocks: keep the input of each block, less memory")
      ->check(CLI::IsMember({"off", "blocks"}))
      ->capture_default_str();
  verb.add_option("--seed", t.seed, "of initialisation and order")->capture_default_str();
  verb.add_option("--eval-every", t.eval_every, "steps; default: at the beginning and the end")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--save-every", t.save_every, "steps; default: at the end")
      ->check(CLI::NonNegativeNumber);
  verb.add_flag("--resume", f.resume, "continue after the newest checkpoint of --output");
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  static TrainFlags f;  // the action reads it after this function has ended
  CLI::App& verb = *app.add_subcommand(
      "train",
      "fine-tune a Llama 3.x model, or train one from a fresh initialisation\n\n"
      "example: chatmem train --model Llama-3.1-8B-Instruct --data training_data.jsonl --output "
      "adapter");
  verb.add_option("--model", f.model.model,
                  "base model folder (config.json, safetensors, tokenizer)");
  verb.add_option("--init", f.init, "config.json of a fresh model, instead of --model");
  add_data_flags(verb, f.data,
                 "JSONL of conversations, messages with roles, prompt and completion, or input_ids "
                 "and labels; or a folder written by encode");
  verb.add_option("--output", f.output, "folder for the adapter or model, logs and checkpoints")
      ->required();
  verb.add_option("--tokenizer", f.model.tokenizer,
                  "tokenizer file or folder; default: the model's folder");
  verb.add_option("--method", f.method, "lora or full; auto: lora on --model, full on --init")
      ->check(CLI::IsMember({"auto", "lora", "full"}))
      ->capture_default_str();
  verb.add_option("--val-data", f.val_data, "validation data, instead of a share of --data");
  verb.add_option("--val-share", f.val_share,
                  "share of the data held out; default 0.05 from 50 examples on")
      ->check(CLI::Range(0.0, 0.5));
  verb.add_option("--lora-rank", f.lora.rank, "rank")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb.add_option("--lora-alpha", f.lora.alpha, "scale is alpha / rank")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb.add_flag("--rslora", f.lora.rslora, "scale is alpha / sqrt(rank)");
  verb.add_option("--target-modules", f.lora.target_modules,
                  "projections to adapt; default: all seven")
      ->delimiter(',');
  add_loop_flags(verb, f);
  add_device_flags(verb, f.model);
  verb.callback([&action] {
    f.train.schedule = *parse_schedule(f.schedule);
    f.train.packing = f.packing == "on" ? Packing::on : Packing::off;
    f.train.shuffle = f.shuffle == "on" ? Shuffle::on : Shuffle::off;
    f.train.recompute = f.recompute == "off" ? Recompute::nothing : Recompute::blocks;
    f.train.resume = f.resume ? Resume::yes : Resume::no;
    action = [] { return train_verb(f); };
  });
}

}  // namespace chatmem
