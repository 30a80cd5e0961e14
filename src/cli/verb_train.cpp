// chatmem train: LoRA on a base model, or full training, also from a fresh initialisation; in one
// process, or in several that mpirun has started.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/progress.h"
#include "base/staged_folder.h"
#include "cli/lora_flags.h"
#include "cli/memory_table.h"
#include "cli/model_folder.h"
#include "cli/train_flags.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "model/kv_cache.h"
#include "model/quantize.h"
#include "train/plan.h"

namespace chatmem {
namespace {

std::atomic<bool> interrupted{false};

// The step at work is finished and saved; a second signal ends the program at once.
void on_train_signal(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);
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
  if (f.preset == "original") return load_as_original(f, path, tokenizer);
  Dataset data = load_dataset(path, f.data.as_of, tokenizer, f.data.rules());
  if (f.completion_only_loss == "off") learn_all_tokens(data);
  return data;
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
  std::optional<Tokenizer> tokenizer;
  std::optional<Adapter> adapter;
  TrainData data;

  Adapter* adapter_or_null() { return adapter ? &*adapter : nullptr; }
};

// Full training gives weights in floats, in a folder whose config.json has Llama 3's frequencies.
void check_full_base(Ops& ops, const Llama& model) {
  for_each_tensor(model, [](const std::string& name, const Tensor& t, TensorKind) {
    if (is_quantized(t.dtype))
      throw Error(fmt::format("[train] --method full needs weights in f32, bf16 or f16, '{}' is {}",
                              name, dtype_name(t.dtype)),
                  "train an adapter on it: --method lora", kUsage);
  });
  const std::vector<float> wanted = rope_inv_freq(model.config);
  std::vector<float> own(wanted.size());
  ops.copy_out(own.data(), model.inv_freq);
  for (size_t i = 0; i < own.size(); i++)
    if (!(std::abs(own[i] / wanted[i] - 1) < 1e-4f))
      throw Error(
          "[train] --method full writes a config.json, and none gives the rotary frequencies of "
          "this file",
          "train an adapter on it: --method lora", kUsage);
}

// Opens --model, or reads --init alone; returns the shape that the weights will have.
Llama open_base(TrainSetup& s, TrainFlags& f) {
  if (f.fresh()) {
    const Config config = parse_config(read_json(f.init), fmt::format("'{}'", f.init));
    f.train.dtype = f.model.dtype == "bf16" ? DType::bf16 : DType::f32;
    return model_shape(config, f.train.dtype);
  }
  s.base = load_model(*s.ops, f.model.model);
  f.train.dtype = activation_dtype(f.model, s.base.model.config.dtype);
  if (f.full()) {
    check_full_base(*s.ops, s.base.model);
    return model_shape(s.base.model.config, f.train.dtype);
  }
  Llama shape = s.base.model;
  if (f.quantize == "nf4") mark_as_nf4(shape);
  return shape;
}

// The weights of that shape, and the adapter.
void make_weights(TrainSetup& s, const TrainFlags& f, const Config& config) {
  Ops& ops = *s.ops;
  if (f.fresh())
    s.base = init_model(ops, config, f.train.dtype, f.train.seed);
  else if (f.full())
    s.base.model = owned_weights(ops, s.base.model, f.train.dtype);
  else if (f.quantize == "nf4")
    quantize_to_nf4(ops, s.base.model);
  if (f.full()) return;
  s.adapter = f.init_adapter.empty()
                  ? make_adapter(ops, s.base.model, f.lora, f.train.dtype, f.train.seed)
                  : load_adapter(ops, s.base.model, f.init_adapter, f.train.dtype);
}

// Of the largest batch.
MemoryPlanOptions memory_options(const TrainSetup& s, const TrainFlags& f) {
  MemoryPlanOptions options;
  if (!f.full()) options.lora = f.lora;
  const Dataset& data = s.data.training;
  int tokens = 0, pages = 0;  // of a row, the largest of each
  for (const std::vector<int>& row : pack(data, f.train.max_tokens, f.train.packing)) {
    int row_tokens = 0, row_pages = 0;
    for (const int i : row) {
      const int n = int(data.examples[size_t(i)].tokens.size()) - 1;
      row_tokens += n, row_pages += pages_for(n);
    }
    tokens = std::max(tokens, row_tokens), pages = std::max(pages, row_pages);
  }
  const auto of_batch = [&](int n) {  // larger ones are refused by BatchBuilder
    return int(std::min(int64_t(n) * f.train.micro_batch, int64_t(kMaxBatchTokens)));
  };
  options.batch_tokens = of_batch(tokens);
  options.batch_pages = of_batch(pages);
  options.dtype = f.train.dtype;
  options.optimizer = f.train.optimizer;
  return options;
}

// All is settled, and what does not fit is refused, before memory is taken for it.
TrainSetup set_up(const CLI::App& verb, TrainFlags& f) {
  TrainSetup s{open_device(f.model), {}, {}, {}, {}};
  const Llama shape = open_base(s, f);
  if (auto source = find_tokenizer(f.model, s.base)) {
    s.tokenizer = Tokenizer::from_source(std::move(*source), "the model's tokenizer");
    check_vocabulary(*s.tokenizer, shape.config);
  }
  take_adapter_shape(verb, f, shape.blocks.size());
  f.data.max_tokens = std::min(f.data.max_tokens, shape.config.max_seq_len);
  f.train.max_tokens = f.data.max_tokens;
  s.data = load_data(f, s.tokenizer ? &*s.tokenizer : nullptr);
  const size_t machine_bytes = s.ops->memory_bytes() / size_t(f.train.peers->local_size());
  MemoryPlanOptions options = memory_options(s, f);
  const MemoryPlan plan = settle_memory(f.memory, shape, options, machine_bytes);
  if (f.dry_run) print_memory(plan);
  fmt::print(stderr, "{}\n", check_memory(f.memory, plan, options.recompute, machine_bytes));
  f.train.recompute = options.recompute;
  make_weights(s, f, shape.config);
  f.train.peak_gflops = measure_peak_gflops(*s.ops, f.train.dtype) * f.train.peers->size();
  return s;
}

// A batch is measured where it takes less than this at the device's peak.
constexpr double kCheapSeconds = 20;

// A training, without running it.
int dry_run(TrainSetup& s, const TrainFlags& f) {
  const TrainPlan plan = plan_training(s.data.training, s.base.model.config, !f.full(), f.train);
  if (!f.full()) fmt::print("{}\n", describe(f.lora));
  const double epochs = double(plan.n_positions) / plan.n_rows;
  const double tokens = epochs * double(plan.n_tokens);
  fmt::print("{} rows of at most {} tokens, {:.1f}% full\n", format_count(plan.n_rows),
             format_count(f.train.max_tokens), 100 * plan.fill);
  fmt::print("{} steps of {} rows: {:.2f} epochs, {} tokens ({} targets)\n",
             format_count(plan.steps), format_count(rows_of_step(f.train)), epochs,
             format_count(std::llround(tokens)),
             format_count(std::llround(epochs * double(plan.n_targets))));
  const double at_peak = plan.gflop_per_token / f.train.peak_gflops;  // seconds a token
  if (at_peak * f.train.max_tokens * f.train.micro_batch > kCheapSeconds) {
    fmt::print("at least {}: what the GEMMs take at the {:.0f} GFLOP/s of this device\n",
               format_duration(at_peak * tokens), f.train.peak_gflops);
    return kDone;
  }
  const BatchTime one =
      measure_batch(*s.ops, s.base.model, s.adapter_or_null(), s.data.training, f.train);
  fmt::print("about {}: a batch of {} tokens took {:.2f} s, at {:.0f} tokens/s\n",
             format_duration(one.seconds / double(one.tokens) * tokens / f.train.peers->size()),
             format_count(one.tokens), one.seconds, double(one.tokens) / one.seconds);
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

ModelCard card_of(const TrainSetup& s, const TrainFlags& f, const TrainReport& report) {
  const Descent descent = f.fresh() ? Descent() : descent_of(f.model.model, s.base.model.config);
  TrainingSummary t = summarize_training(s.data.training, s.data.validation, f.train, report);
  t.base = descent.base;
  t.family = descent.family ? descent.family->name : "";
  t.method = f.full() ? "all weights" : describe(f.lora);
  t.quantize = f.quantize;
  t.data_file = name_of(f.data.data);
  t.settings.emplace_back("schedule", f.schedule);
  t.version = CHATMEM_VERSION;
  return {.kind = f.full() ? CardKind::model : CardKind::adapter,
          .name = name_of(f.output),
          .base = descent.base,
          .family = descent.family,
          .made = f.fresh()  ? "A model trained from a fresh initialisation."
                  : f.full() ? fmt::format("{}, trained further.", descent.base)
                             : fmt::format("An adapter of {}.", descent.base),
          .format = std::string(dtype_name(f.full() ? s.base.model.embed.dtype : DType::f32)),
          .training = t,
          .version = CHATMEM_VERSION};
}

void write_result(TrainSetup& s, const TrainFlags& f, const ModelCard& card) {
  if (f.full()) {
    write_model_folder(f.output, *s.ops, {s.base.model, s.base.model.embed.dtype, f.model, s.base},
                       card);
    return;
  }
  StagedFolder staged(f.output, "adapter_config.json");
  save_adapter(staged.path(), *s.ops, s.base.model.config, *s.adapter, f.lora);
  write_card(staged.path(), card);
  staged.commit([](const std::string&) { return false; });
}

int train_alone_or_together(CLI::App& verb, TrainFlags& f, Peers& peers) {
  settle_train_flags(verb, f);
  f.train.peers = &peers;
  if (f.model.threads == 0) f.model.threads = peers.n_threads();
  if (peers.size() > 1)
    fmt::print(stderr, "{} processes, this one with {} threads\n", peers.size(), f.model.threads);
  TrainSetup s = set_up(verb, f);
  if (f.dry_run) return dry_run(s, f);
  f.train.stop = &interrupted;
  // mpirun hands SIGUSR1 on to its processes; at SIGINT it would end them a second later.
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) std::signal(signal, on_train_signal);
  const TrainReport report =
      train(*s.ops, s.base.model, s.adapter_or_null(), s.data.training, s.data.validation, f.train);
  if (peers.rank() > 0) return kDone;
  write_result(s, f, card_of(s, f, report));
  print_report(report, f);
  return report.stopped ? kPartial : kDone;
}

// The first process speaks for all: what this one prints goes nowhere from now on. Returns a copy
// of standard error.
int silence() {
  std::fflush(nullptr);
  const int error_output = ::dup(STDERR_FILENO),
            nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    if (nowhere >= 0) ::dup2(nowhere, output);
  return error_output;
}

// An error of one process ends all. What all of them meet is told by the first, which ends the
// others while they wait.
[[noreturn]] void end_all(const std::exception& error, Peers& peers, int error_output) {
  if (peers.rank() > 0) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    ::dup2(error_output, STDERR_FILENO);
    fmt::print(stderr, "in process {} of {}:\n", peers.rank() + 1, peers.size());
  }
  const int code = report_error(error);
  std::fflush(nullptr);
  peers.end_all(code);
  std::abort();  // not reached; the compiler does not see it through the virtual call
}

int train_verb(CLI::App& verb, TrainFlags& f) {
  const std::unique_ptr<Peers> peers = join_peers();
  const int error_output = peers->rank() > 0 ? silence() : STDERR_FILENO;
  try {
    const int code = train_alone_or_together(verb, f, *peers);
    peers->barrier();  // mpirun ends the others when one has ended in part
    return code;
  } catch (const std::exception& error) {
    if (peers->size() == 1) throw;
    end_all(error, *peers, error_output);
  }
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
