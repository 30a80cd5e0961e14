// chatmem train: LoRA on a base model, or full training, also from a fresh initialisation.
#include <fmt/format.h>

#include <cmath>
#include <csignal>

#include "base/error.h"
#include "base/progress.h"
#include "cli/train_flags.h"
#include "cli/verbs.h"

namespace chatmem {
namespace {

std::atomic<bool> interrupted{false};

// The step at work is finished and saved; a second signal ends the program at once.
void on_interrupt(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
}

std::string tokenizer_path(const TrainFlags& f) {
  if (!f.model.tokenizer.empty()) return f.model.tokenizer;
  for (const char* name : {"tokenizer.json", "tokenizer.model"})
    if (fs::exists(fs::path(f.model.model) / name)) return f.model.model;
  return {};
}

// The examples as the original project's collator would have made them, and what it lost.
Dataset load_as_original(const TrainFlags& f, const std::string& path, const Tokenizer* tokenizer) {
  if (!tokenizer || fs::exists(fs::path(path) / "dataset.json"))
    throw Error(
        "[train] --preset original needs records and a tokenizer: it cuts and fills the "
        "examples",
        "give conversations as --data, and --tokenizer", kUsage);
  EncodeRules rules = f.data.rules();
  rules.max_tokens = std::numeric_limits<int>::max();
  Dataset data = load_dataset(path, f.data.as_of, tokenizer, rules);
  const size_t n = data.examples.size();
  const OriginalCuts cuts = collate_as_original(data, f.data.max_tokens, tokenizer->eos());
  fmt::print(
      stderr,
      "'{}': loss on all tokens, padding included, as the original had it; {} of {} examples "
      "are cut at {} tokens{}{}\n",
      path, cuts.cut.size(), n, f.data.max_tokens, cuts.cut.empty() ? "" : ": ",
      first_names(cuts.cut, 10));
  if (!cuts.empty.empty())
    fmt::print(stderr, "of these, {} lost the whole summary: {}\n", cuts.empty.size(),
               first_names(cuts.empty, 10));
  return data;
}

Dataset load(const TrainFlags& f, const std::string& path, const Tokenizer* tokenizer) {
  return f.preset == "original" ? load_as_original(f, path, tokenizer)
                                : load_dataset(path, f.data.as_of, tokenizer, f.data.rules());
}

struct TrainData {
  Dataset training, validation;
};

TrainData load_data(const TrainFlags& f, const Tokenizer* tokenizer) {
  TrainData data{load(f, f.data.data, tokenizer), {}};
  if (data.training.info.n_split > 0)
    fmt::print(stderr, "{} chats were too long and divided between their turns\n",
               data.training.info.n_split);
  const double share = f.val_share >= 0                      ? f.val_share
                       : data.training.examples.size() >= 50 ? 0.05
                                                             : 0;
  data.validation =
      f.val_data.empty() ? split_validation(data.training, share) : load(f, f.val_data, tokenizer);
  fmt::print(stderr, "{}{} examples held out for validation\n", describe(statistics(data.training)),
             data.validation.examples.size());
  return data;
}

// Everything that a run needs, opened.
struct TrainSetup {
  std::unique_ptr<Ops> ops;
  LoadedModel base;
  std::string tokenizer_at;
  std::optional<Tokenizer> tokenizer;
  std::optional<Adapter> adapter;
  TrainData data;

  Adapter* adapter_or_null() { return adapter ? &*adapter : nullptr; }
};

TrainSetup set_up(TrainFlags& f) {
  TrainSetup s{open_device(f.model), {}, tokenizer_path(f), {}, {}, {}};
  if (f.fresh()) {
    const Config config = parse_config(read_json(f.init), fmt::format("'{}'", f.init));
    const DType dtype = f.model.dtype == "bf16" ? DType::bf16 : DType::f32;
    s.base = init_model(*s.ops, config, dtype, f.train.seed);
    f.train.dtype = dtype;
  } else {
    s.base = load_model(*s.ops, f.model.model);
    f.train.dtype = activation_dtype(f.model, s.base.model.config.dtype);
  }
  const Config& config = s.base.model.config;
  if (f.full()) s.base.model = owned_weights(*s.ops, s.base.model, f.train.dtype);
  if (!s.tokenizer_at.empty()) {
    s.tokenizer = Tokenizer::load(s.tokenizer_at);
    check_vocabulary(*s.tokenizer, config);
  }
  f.data.max_tokens = std::min(f.data.max_tokens, config.max_seq_len);
  f.train.max_tokens = f.data.max_tokens;
  s.data = load_data(f, s.tokenizer ? &*s.tokenizer : nullptr);
  if (!f.full()) s.adapter = make_adapter(*s.ops, config, f.lora, f.train.dtype, f.train.seed);
  f.train.peak_gflops = measure_peak_gflops(*s.ops, f.train.dtype);
  return s;
}

// A batch is measured where it takes less than this at the device's peak.
constexpr double kCheapSeconds = 20;

void print_plan(TrainSetup& s, const TrainFlags& f) {
  const TrainPlan plan = plan_training(s.data.training, s.base.model.config, !f.full(), f.train);
  const double epochs = double(plan.n_positions) / plan.n_rows;
  const double tokens = epochs * double(plan.n_tokens);
  fmt::print("{} rows of at most {} tokens, {:.1f}% full\n", format_count(plan.n_rows),
             format_count(f.train.max_tokens), 100 * plan.fill);
  fmt::print("{} steps of {} rows: {:.2f} epochs, {} tokens ({} targets)\n",
             format_count(plan.steps),
             format_count(int64_t(f.train.micro_batch) * f.train.grad_accum_steps), epochs,
             format_count(std::llround(tokens)),
             format_count(std::llround(epochs * double(plan.n_targets))));
  const double at_peak = plan.gflop_per_token / f.train.peak_gflops;  // seconds a token
  if (at_peak * f.train.max_tokens * f.train.micro_batch > kCheapSeconds) {
    fmt::print("at least {}: what the GEMMs take at the {:.0f} GFLOP/s of this device\n",
               format_duration(at_peak * tokens), f.train.peak_gflops);
    return;
  }
  const BatchTime one =
      measure_batch(*s.ops, s.base.model, s.adapter_or_null(), s.data.training, f.train);
  fmt::print("about {}: a batch of {} tokens took {:.2f} s, at {:.0f} tokens/s\n",
             format_duration(one.seconds / double(one.tokens) * tokens), format_count(one.tokens),
             one.seconds, double(one.tokens) / one.seconds);
}

int dry_run(TrainSetup& s, const TrainFlags& f) {
  print_plan(s, f);
  fmt::print("memory now: {}\n", format_bytes(double(s.ops->allocated_bytes())));
  return kDone;
}

void print_report(const TrainReport& r, const TrainFlags& f) {
  const char* end = r.stopped           ? "stopped after"
                    : r.out_of_patience ? "out of patience at"
                                        : "done:";
  fmt::print("{} step {} of {}: train loss {:.4f}", end, r.step, r.total_steps, r.train_loss);
  if (!std::isnan(r.last_val_loss))
    fmt::print(", validation loss {:.4f} at first, {:.4f} now", r.first_val_loss, r.last_val_loss);
  if (r.best_step > 0)
    fmt::print("\nthe result is of step {}, validation loss {:.4f}", r.best_step, r.best_val_loss);
  fmt::print("\n{} at {:.0f} tokens/s ({:.0f} target tokens/s, {:.0f} GFLOP/s, {:.0f}% of peak)\n",
             format_duration(r.seconds), r.tokens_per_second, r.target_tokens_per_second, r.gflops,
             100 * r.gflops / f.train.peak_gflops);
  if (r.stopped)
    fmt::print("next: the same command with --resume\n");
  else if (f.full())
    fmt::print("{}\nnext: chatmem serve --model {}\n", f.output, f.output);
  else
    fmt::print("{}\nnext: chatmem export --model {} --adapter {} --output MERGED\n", f.output,
               f.model.model, f.output);
}

int train_verb(CLI::App& verb, TrainFlags& f) {
  settle_train_flags(verb, f);
  TrainSetup s = set_up(f);
  if (f.dry_run) return dry_run(s, f);
  f.train.stop = &interrupted;
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, on_interrupt);
  const TrainReport report =
      train(*s.ops, s.base.model, s.adapter_or_null(), s.data.training, s.data.validation, f.train);
  if (f.full()) {
    save_model(f.output, *s.ops, s.base.model, {.dtype = s.base.model.embed.dtype});
    if (!s.tokenizer_at.empty()) copy_tokenizer(s.tokenizer_at, f.output);
  } else {
    save_adapter(f.output, *s.ops, s.base.model.config, *s.adapter, f.lora, f.model.model);
  }
  print_report(report, f);
  return report.stopped ? kPartial : kDone;
}

}  // namespace

void add_train(CLI::App& app, Action& action) {
  static TrainFlags f;  // the action reads it after this function has ended
  CLI::App& verb = *app.add_subcommand(
      "train",
      "fine-tune a Llama 3.x model, or train one from a fresh initialisation\n\n"
      "example: chatmem train --model Llama-3.1-8B-Instruct --data training_data.jsonl --output "
      "adapter\n"
      "Settings come from flags, else the TOML file of --config, else --preset.");
  add_train_flags(verb, f);
  verb.callback([&verb, &action] { action = [&verb] { return train_verb(verb, f); }; });
}

}  // namespace chatmem
