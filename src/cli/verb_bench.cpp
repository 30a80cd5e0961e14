// chatmem bench: the engine's speed on this machine.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "model/bench_generate.h"
#include "train/bench_train.h"

namespace chatmem {
namespace {

struct BenchFlags {
  ModelOptions device;
  std::string shape = "llama-3.1-8b", formats = "bf16", recompute = "cheap", kv_dtype = "auto";
  int layers = 0;  // 0: all
  TrainBenchOptions train;
  GenerateBenchOptions generate;
  bool json = false;
};

Config shape_of_flags(const BenchFlags& f) {
  Config config = *known_config(f.shape);
  if (f.layers > 0) config.n_layers = f.layers;
  return config;
}
DType activations_of(const BenchFlags& f) {
  return activation_dtype(f.device, f.formats == "f32" ? DType::f32 : DType::bf16);
}

// Of this process so far, mapped files included; 0 where the system does not say.
int64_t peak_rss_bytes() {
  const std::string status = fs::exists("/proc/self/status") ? read_file("/proc/self/status") : "";
  const size_t at = status.find("VmHWM:");
  return at == status.npos ? 0 : std::strtoll(status.c_str() + at + 6, nullptr, 10) * 1024;
}

// The costliest first.
void print_profile(const std::map<std::string, OpProfile>& profile, int64_t steps,
                   double peak_gflops) {
  std::vector<std::pair<std::string, OpProfile>> sorted(profile.begin(), profile.end());
  std::ranges::sort(
      sorted, [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  fmt::print(stderr, "{:<34} {:>7} {:>10} {:>10} {:>9}\n", "operation, per step", "calls", "ms",
             "GFLOP/s", peak_gflops > 0 ? "of peak" : "");
  for (const auto& [name, p] : sorted) {
    const double gflops = p.seconds > 0 ? 1e-9 * p.flops / p.seconds : 0;
    fmt::print(stderr, "{:<34} {:>7} {:>10.2f}", name, p.calls / steps,
               1e3 * p.seconds / double(steps));
    if (p.flops > 0) fmt::print(stderr, " {:>10.0f}", gflops);
    if (p.flops > 0 && peak_gflops > 0)
      fmt::print(stderr, " {:>8.0f}%", 100 * gflops / peak_gflops);
    fmt::print(stderr, "\n");
  }
}

int bench_train_verb(BenchFlags& f) {
  TrainBenchOptions& options = f.train;
  options.config = shape_of_flags(f);
  options.formats = *parse_weight_formats(f.formats);
  options.activations = activations_of(f);
  options.recompute = *parse_recompute(f.recompute);
  options.lora.target_modules = all_target_modules();
  const TrainBenchResult result = bench_train(open_device(f.device), options);
  print_profile(result.profile, options.steps, result.peak_gflops);
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

int bench_generate_verb(BenchFlags& f) {
  GenerateBenchOptions& options = f.generate;
  options.config = shape_of_flags(f);
  options.formats = *parse_weight_formats(f.formats);
  options.activations = activations_of(f);
  options.kv_dtype = parse_kv_dtype(f.kv_dtype);
  const GenerateBenchResult result = bench_generate(open_device(f.device), options);
  print_profile(result.profile, result.steps * options.rounds, 0);
  const double gbps = 1e-9 * double(result.weight_bytes) * double(result.steps) / result.best_s;
  const double tokens = double(result.tokens);
  if (f.json)
    fmt::print("{}\n", dump_json({{"tokens_per_second", tokens / result.best_s},
                                  {"median_tokens_per_second", tokens / result.median_s},
                                  {"gbps", gbps},
                                  {"gflops", result.gflops},
                                  {"allocated_bytes", result.allocated_bytes},
                                  {"peak_rss_bytes", peak_rss_bytes()}}));
  else
    fmt::print(
        "{:.1f} tokens/s (median {:.1f}), {:.0f} GFLOP/s, {:.1f} GB/s of weights; {} allocated, {} "
        "at most in memory\n",
        tokens / result.best_s, tokens / result.median_s, result.gflops, gbps,
        format_bytes(double(result.allocated_bytes)), format_bytes(double(peak_rss_bytes())));
  return kDone;
}

void add_shape_flags(CLI::App& app, BenchFlags& f, std::vector<std::string> formats) {
  app.add_option("--shape", f.shape, "a published model's")
      ->check(CLI::IsMember(known_config_names()))
      ->capture_default_str();
  app.add_option("--layers", f.layers, "fewer than it has; default: all")
      ->check(CLI::Range(1, 1000));
  app.add_option("--weights,--dtype", f.formats,
                 "of the weights; q4_k, q4_k_m: lm_head q6_k; nf4: embedding and lm_head bf16")
      ->check(CLI::IsMember(std::move(formats)))
      ->capture_default_str();
  app.add_option("--threads", f.device.threads, "default: all")->check(CLI::Range(1, 1024));
  app.add_option("--device", f.device.device)
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  app.add_flag("--json", f.json, "the figures as one line of JSON");
}

void add_generate_bench(CLI::App& verb, Action& action, BenchFlags& f, ServeWork work) {
  const bool prefill = work == ServeWork::prefill;
  CLI::App& app = *verb.add_subcommand(prefill ? "prefill" : "decode",
                                       prefill ? "prompts read, nothing of them cached"
                                               : "tokens made one by one from an empty cache");
  add_shape_flags(app, f, {"f32", "bf16", "f16", "q8_0", "q4_0", "q4_k", "q4_k_m", "nf4"});
  app.add_option("--tokens", f.generate.tokens, "of each request")
      ->check(CLI::Range(1, 131072))
      ->capture_default_str();
  app.add_option("--requests", f.generate.requests, "together")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  if (prefill)
    app.add_option("--prefill-tokens", f.generate.prefill_tokens, "of prompts in one step")
        ->check(CLI::Range(1, 131072))
        ->capture_default_str();
  add_kv_dtype_flag(app, f.kv_dtype);
  app.add_option("--rounds", f.generate.rounds, "that are measured, after one that is not")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.callback([&action, &f, work] {
    f.generate.work = work;
    action = [&f] { return bench_generate_verb(f); };
  });
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
  add_shape_flags(train, f, {"f32", "bf16", "f16", "q8_0", "q4_0", "q4_k", "nf4"});
  train.add_option("--tokens", f.train.tokens, "of a packed row")
      ->check(CLI::Range(2, 131072))
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
  train.callback([&action] { action = [] { return bench_train_verb(f); }; });
  add_generate_bench(verb, action, f, ServeWork::prefill);
  add_generate_bench(verb, action, f, ServeWork::decode);
}

}  // namespace chatmem
