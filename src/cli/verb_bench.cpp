// chatmem bench: the engine's speed on this machine.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "train/bench_train.h"

namespace chatmem {
namespace {

struct BenchFlags {
  ModelOptions device;
  std::string shape = "llama-3.1-8b", formats = "bf16", recompute = "cheap";
  int layers = 0;  // 0: all
  TrainBenchOptions train;
  bool json = false;
};

// Of this process so far, mapped files included; 0 where the system does not say.
int64_t peak_rss_bytes() {
  const std::string status = fs::exists("/proc/self/status") ? read_file("/proc/self/status") : "";
  const size_t at = status.find("VmHWM:");
  return at == status.npos ? 0 : std::strtoll(status.c_str() + at + 6, nullptr, 10) * 1024;
}

// The costliest first.
void print_profile(const TrainBenchResult& result, int steps) {
  std::vector<std::pair<std::string, OpProfile>> sorted(result.profile.begin(),
                                                        result.profile.end());
  std::ranges::sort(
      sorted, [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  fmt::print(stderr, "{:<34} {:>7} {:>10} {:>10} {:>9}\n", "operation, per step", "calls", "ms",
             "GFLOP/s", "of peak");
  for (const auto& [name, p] : sorted) {
    const double gflops = p.seconds > 0 ? 1e-9 * p.flops / p.seconds : 0;
    fmt::print(stderr, "{:<34} {:>7} {:>10.2f}", name, p.calls / steps,
               1e3 * p.seconds / double(steps));
    if (p.flops > 0)
      fmt::print(stderr, " {:>10.0f} {:>8.0f}%", gflops, 100 * gflops / result.peak_gflops);
    fmt::print(stderr, "\n");
  }
}

int bench_train_verb(BenchFlags& f) {
  TrainBenchOptions& options = f.train;
  options.config = *known_config(f.shape);
  if (f.layers > 0) options.config.n_layers = f.layers;
  options.formats = *parse_weight_formats(f.formats);
  options.activations = activation_dtype(f.device, f.formats == "f32" ? DType::f32 : DType::bf16);
  options.recompute = *parse_recompute(f.recompute);
  options.lora.target_modules = all_target_modules();
  const TrainBenchResult result = bench_train(open_device(f.device), options);
  print_profile(result, options.steps);
  const double tokens_per_second = options.tokens / result.best_s;
  if (f.json)
    fmt::print("{}\n", dump_json({{"tokens_per_second", tokens_per_second},
                                  {"median_tokens_per_second", options.tokens / result.median_s},
                                  {"gflops", result.gflops},
                                  {"peak_share", result.gflops / result.peak_gflops},
                                  {"allocated_bytes", result.allocated_bytes},
                                  {"peak_rss_bytes", peak_rss_bytes()},
                                  {"losses", result.losses}}));
  else
    fmt::print(
        "{:.1f} tokens/s (median {:.1f}), {:.0f} GFLOP/s, {:.0f}% of the {:.0f} of one large "
        "product; {} allocated, {} at most in memory\n",
        tokens_per_second, options.tokens / result.median_s, result.gflops,
        100 * result.gflops / result.peak_gflops, result.peak_gflops,
        format_bytes(double(result.allocated_bytes)), format_bytes(double(peak_rss_bytes())));
  return kDone;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  static BenchFlags f;
  CLI::App& verb = *app.add_subcommand(
      "bench",
      "Measure the engine's speed on this machine, on random weights\n\n"
      "example: chatmem bench train --shape llama-3.1-8b --layers 4 --tokens 512 --dtype bf16");
  verb.require_subcommand(1);
  CLI::App& train = *verb.add_subcommand("train", "LoRA steps: forward, backward and AdamW");
  train.add_option("--shape", f.shape, "a published model's")
      ->check(CLI::IsMember(known_config_names()))
      ->capture_default_str();
  train.add_option("--layers", f.layers, "fewer than it has; default: all")
      ->check(CLI::Range(1, 1000));
  train.add_option("--tokens", f.train.tokens, "of a packed row")
      ->check(CLI::Range(2, 131072))
      ->capture_default_str();
  train
      .add_option("--weights,--dtype", f.formats,
                  "of the weights; q4_k: lm_head q6_k; nf4: embedding and lm_head bf16")
      ->check(CLI::IsMember({"f32", "bf16", "f16", "q8_0", "q4_0", "q4_k", "nf4"}))
      ->capture_default_str();
  train.add_option("--lora-rank", f.train.lora.rank)
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  train.add_option("--lora-dropout", f.train.lora.dropout)
      ->check(CLI::Range(0.0, 0.99))
      ->capture_default_str();
  train.add_flag("--dora", f.train.lora.dora, "with DoRA's magnitudes");
  train.add_option("--target-share", f.train.target_share, "of the tokens that carry loss")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  train.add_option("--steps", f.train.steps, "that are measured, after one that is not")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  train.add_option("--recompute", f.recompute, "nothing, cheap (norms and SwiGLU) or blocks")
      ->check(CLI::IsMember({"nothing", "cheap", "blocks"}))
      ->capture_default_str();
  train.add_option("--threads", f.device.threads, "default: all")->check(CLI::Range(1, 1024));
  train.add_option("--device", f.device.device)
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  train.add_flag("--json", f.json, "the figures as one line of JSON");
  train.callback([&action] { action = [] { return bench_train_verb(f); }; });
}

}  // namespace chatmem
