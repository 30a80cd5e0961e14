#include "cli/train_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "cli/environment.h"
#include "cli/lora_flags.h"
#include "model/lora.h"

namespace chatmem {
namespace {

// What the original project trained with. Its schedule was transformers' cosine_with_restarts,
// whose default is one cycle: no restart.
constexpr Setting kOriginal[] = {{"template", "seed"},
                                 {"max-tokens", "1024"},
                                 {"packing", "off"},
                                 {"micro-batch", "1"},
                                 {"grad-accum-steps", "32"},
                                 {"epochs", "10"},
                                 {"lr", "5e-5"},
                                 {"schedule", "cosine_restarts"},
                                 {"cycles", "1"},
                                 {"warmup-share", "0.1"},
                                 {"weight-decay", "0.05"},
                                 {"val-share", "0.1"},
                                 {"lora-rank", "32"},
                                 {"lora-alpha", "64"},
                                 {"lora-dropout", "0.1"},
                                 {"target-modules", "q_proj,k_proj,v_proj,o_proj"}};

constexpr const char *kInOut = "Input and output", *kAdapter = "LoRA", *kLoop = "Steps",
                     *kRate = "Learning rate", *kWatch = "Evaluation and checkpoints";

void add_input_flags(CLI::App& verb, TrainFlags& f) {
  verb.add_option("--model", f.model.model,
                  "base model: a folder (config.json, safetensors, tokenizer) or a GGUF file")
      ->group(kInOut);
  verb.add_option("--init", f.init, "config.json of a fresh model, instead of --model")
      ->group(kInOut);
  verb.add_option("--output", f.output, "folder for the adapter or model, logs and checkpoints")
      ->group(kInOut);
  verb.add_option("--tokenizer", f.model.tokenizer,
                  "tokenizer file or folder; default: the model's folder")
      ->group(kInOut);
  verb.add_option("--val-data", f.val_data, "validation data, instead of a share of --data")
      ->group(kInOut);
  verb.add_option("--val-share", f.val_share,
                  "share of the data held out, by content; default 0.05 from 50 examples on")
      ->check(CLI::Range(0.0, 0.5))
      ->group(kInOut);
  verb.add_option("--preset", f.preset,
                  "original: the recipe of the original project, its truncation at 1,024 tokens "
                  "and its loss on prompt and padding included; flags win")
      ->check(CLI::IsMember({"original"}))
      ->group(kInOut);
  verb.add_flag("--dry-run", f.dry_run,
                "say what would be trained and how long it would take; write nothing")
      ->group(kInOut);
  add_config(verb)->group(kInOut);
}

void add_lora_flags(CLI::App& verb, TrainFlags& f) {
  verb.add_option("--method", f.method, "lora or full; auto: lora on --model, full on --init")
      ->check(CLI::IsMember({"auto", "lora", "full"}))
      ->capture_default_str()
      ->group(kAdapter);
  verb.add_option("--lora-rank", f.lora.rank, "rank")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->group(kAdapter);
  verb.add_option("--lora-alpha", f.lora.alpha, "scale is alpha / rank")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(kAdapter);
  verb.add_option("--lora-dropout", f.lora.dropout, "share of an adapter's input that is dropped")
      ->check(CLI::Range(0.0, 0.99))
      ->capture_default_str()
      ->group(kAdapter);
  verb.add_flag("--rslora", f.lora.rslora, "scale is alpha / sqrt(rank)")->group(kAdapter);
  verb.add_flag("--dora", f.lora.dora, "train the length of each row of the weight beside LoRA")
      ->group(kAdapter);
  verb.add_option("--init-adapter", f.init_adapter,
                  "PEFT folder of an adapter to train further; its shape is kept")
      ->group(kAdapter);
  verb.add_option("--quantize", f.quantize,
                  "nf4: keep the base's projections in 4 bits (QLoRA); off: as they are")
      ->check(CLI::IsMember({"off", "nf4"}))
      ->capture_default_str()
      ->group(kAdapter);
  verb.add_option("--target-modules", f.lora.target_modules,
                  "projections to adapt; default: all seven")
      ->delimiter(',')
      ->group(kAdapter);
  add_pattern_flags(verb, f.lora, kAdapter);
}

void add_step_flags(CLI::App& verb, TrainFlags& f) {
  TrainOptions& t = f.train;
  verb.add_option("--steps", t.steps, "steps in all; overrides --epochs")
      ->check(CLI::NonNegativeNumber)
      ->group(kLoop);
  verb.add_option("--epochs", t.epochs, "passes over the data")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(kLoop);
  verb.add_option("--micro-batch", t.micro_batch, "rows that go through the model together")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str()
      ->group(kLoop);
  verb.add_option("--grad-accum-steps", t.grad_accum_steps, "micro-batches of a step")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str()
      ->group(kLoop);
  verb.add_option("--completion-only-loss", f.completion_only_loss,
                  "on: only answers are learnt; off: every token, as a model from a fresh "
                  "initialisation needs to learn to read")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str()
      ->group(kLoop);
  verb.add_option("--packing", f.packing, "several examples in a row of --max-tokens")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str()
      ->group(kLoop);
  verb.add_option("--shuffle", f.shuffle, "a new order each epoch")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str()
      ->group(kLoop);
  add_memory_flags(verb, f.memory, kLoop);
  verb.add_option("--seed", t.seed, "of initialisation and order")
      ->capture_default_str()
      ->group(kLoop);
}

void add_rate_flags(CLI::App& verb, TrainFlags& f) {
  TrainOptions& t = f.train;
  verb.add_option("--lr", t.lr, "learning rate")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(kRate);
  verb.add_option("--schedule", f.schedule,
                  "cosine, cosine_restarts, linear, constant, wsd (stays, then falls)")
      ->check(CLI::IsMember({"cosine", "cosine_restarts", "linear", "constant", "wsd"}))
      ->capture_default_str()
      ->group(kRate);
  verb.add_option("--warmup-steps", t.warmup_steps, "instead of --warmup-share")
      ->check(CLI::NonNegativeNumber)
      ->group(kRate);
  verb.add_option("--warmup-share", t.warmup_share, "share of the steps in which the rate rises")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group(kRate);
  verb.add_option("--cycles", t.cycles, "of cosine_restarts: how often it begins at --lr")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str()
      ->group(kRate);
  verb.add_option("--decay-share", t.decay_share, "of wsd: the last share of the steps, it falls")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group(kRate);
  verb.add_option("--optimizer", f.optimizer,
                  "adamw; adamw8bit: the moments of large tensors in 8 bits")
      ->check(CLI::IsMember({"adamw", "adamw8bit"}))
      ->capture_default_str()
      ->group(kRate);
  verb.add_option("--weight-decay", t.weight_decay, "AdamW")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(kRate);
  verb.add_option("--grad-clip", t.grad_clip, "largest gradient norm; 0: off")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(kRate);
}

void add_watch_flags(CLI::App& verb, TrainFlags& f) {
  TrainOptions& t = f.train;
  verb.add_option("--eval-every", t.eval_every, "steps; default: at the beginning and the end")
      ->check(CLI::NonNegativeNumber)
      ->group(kWatch);
  verb.add_option("--patience", t.patience,
                  "stop after so many evaluations in a row that are no better; 0: never")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(kWatch);
  verb.add_option("--keep-best", f.keep_best,
                  "on: the result is of the step with the lowest validation loss, where "
                  "--eval-every measures it; off: of the last step")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str()
      ->group(kWatch);
  verb.add_option("--save-every", t.save_every, "steps; default: at the end")
      ->check(CLI::NonNegativeNumber)
      ->group(kWatch);
  verb.add_option("--keep-checkpoints", t.keep_checkpoints, "the newest that stay")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->group(kWatch);
  verb.add_flag("--resume", f.resume, "continue after the newest checkpoint of --output")
      ->group(kWatch);
}

}  // namespace

void add_train_flags(CLI::App& verb, TrainFlags& f) {
  add_data_flags(verb, f.data,
                 "JSONL of conversations, messages with roles, prompt and completion, or input_ids "
                 "and labels; or a folder written by encode");
  add_input_flags(verb, f);
  add_lora_flags(verb, f);
  add_step_flags(verb, f);
  add_rate_flags(verb, f);
  add_watch_flags(verb, f);
  add_device_flags(verb, f.model);
}

void settle_train_flags(CLI::App& verb, TrainFlags& f) {
  apply_config(verb);
  if (f.preset == "original")
    fmt::print(stderr, "preset original:{}\n", apply_settings(verb, kOriginal));
  require_flag(verb, "--data");
  if (!f.dry_run) require_flag(verb, "--output");
  if (f.model.model.empty() == f.init.empty())
    throw Error("[train] give either --model FOLDER or --init CONFIG.json", {}, kUsage);
  if (f.method == "auto") f.method = f.fresh() ? "full" : "lora";
  if (f.fresh() && !f.full())
    throw Error("[train] --method lora needs a base: --model FOLDER", {}, kUsage);
  if (f.full() && !f.init_adapter.empty())
    throw Error("[train] --init-adapter needs --method lora", {}, kUsage);
  if (f.full() && f.quantize != "off")
    throw Error("[train] --quantize needs --method lora: a quantized weight is frozen", {}, kUsage);
  if (f.lora.target_modules.empty()) f.lora.target_modules = all_target_modules();
  f.lora.base_model = f.model.model;
  f.train.lora_dropout = f.lora.dropout;
  if (f.train.patience > 0 && f.train.eval_every == 0)
    throw Error("[train] --patience counts evaluations: give --eval-every too", {}, kUsage);
  if (f.schedule == "wsd" && f.train.decay_share == 0)
    throw Error("[train] --decay-share of wsd must be above 0", {}, kUsage);
  f.train.schedule = *parse_schedule(f.schedule);
  f.train.packing = f.packing == "on" ? Packing::on : Packing::off;
  f.train.shuffle = f.shuffle == "on" ? Shuffle::on : Shuffle::off;
  f.train.optimizer = *parse_optimizer(f.optimizer);
  f.train.keep_best = f.keep_best == "on" ? KeepBest::yes : KeepBest::no;
  f.train.resume = f.resume ? Resume::yes : Resume::no;
  f.train.output = f.output;
}

void take_adapter_shape(const CLI::App& verb, TrainFlags& f, size_t n_layers) {
  if (f.init_adapter.empty()) return;
  AdapterConfig shape = read_adapter_description(f.init_adapter, n_layers);
  const auto must_agree = [&](const char* flag, const auto& given, const auto& wanted) {
    if (verb.get_option(flag)->count() > 0 && given != wanted)
      throw Error(fmt::format("[train] {} must be that of the adapter in '{}', {}, is {}", flag,
                              f.init_adapter, wanted, given),
                  fmt::format("leave out {}", flag), kUsage);
  };
  const auto sorted = [](std::vector<std::string> names) {
    std::ranges::sort(names);
    return names;
  };
  must_agree("--lora-rank", f.lora.rank, shape.rank);
  must_agree("--lora-alpha", f.lora.alpha, shape.alpha);
  must_agree("--rslora", f.lora.rslora, shape.rslora);
  must_agree("--dora", f.lora.dora, shape.dora);
  must_agree("--rank-pattern", f.lora.rank_pattern, shape.rank_pattern);
  must_agree("--alpha-pattern", f.lora.alpha_pattern, shape.alpha_pattern);
  must_agree("--target-modules", sorted(f.lora.target_modules), sorted(shape.target_modules));
  if (verb.get_option("--lora-dropout")->count() > 0) shape.dropout = f.lora.dropout;
  shape.base_model = f.lora.base_model;
  f.lora = std::move(shape);
  f.train.lora_dropout = f.lora.dropout;
}

}  // namespace chatmem
