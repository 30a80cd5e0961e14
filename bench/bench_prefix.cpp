// What shared prefixes and guesses bring on this machine: the time to the first token of a chat
// that grew by a day (4,000 tokens and 300 more), cold, warm and after a restart; the cost of
// writing pages to disk while decoding; decoding with a right prediction. Four layers and the head
// of Llama 3.1 8B in bf16, all cores.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>

#include "base/random.h"
#include "compute/short_waits.h"
#include "model/generate.h"
#include "model/random_model.h"

namespace chatmem {
namespace {

struct Timing {
  double first_s = 0, rest_s = 0, longest_step_s = 0;
  std::vector<int> tokens;
  int cached = 0;
};

Timing time_request(Generator& generator, const GenerateRequest& request) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto since = [](Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  };
  Timing timing;
  CHECK(generator.add(1, request));
  while (generator.n_active() > 0) {
    const auto step = Clock::now();
    for (const GeneratedToken& token : generator.step()) {
      timing.tokens.push_back(token.token);
      timing.cached = token.cached_tokens;
      if (timing.tokens.size() == 1) timing.first_s = since(start);
    }
    if (timing.tokens.size() > 1)
      timing.longest_step_s = std::max(timing.longest_step_s, since(step));
  }
  timing.rest_s = since(start) - timing.first_s;
  return timing;
}

std::vector<int> random_text(int n, const Config& config) {
  Random random(1);
  std::vector<int> tokens;
  for (int i = 0; i < n; i++) tokens.push_back(int(random.below(uint64_t(config.vocab_size))));
  return tokens;
}

struct Bench {
  Bench() {
    config = *known_config("llama-3.1-8b");
    config.n_layers = 4, config.max_seq_len = 8192;
    model = random_model(*ops, config, *parse_weight_formats("bf16"), 1);
  }
  std::unique_ptr<Generator> generator(bool on_disk, int draft_tokens = 0) {
    GeneratorOptions options{.max_requests = 1, .dtype = DType::bf16};
    if (on_disk) options.kv_folder = PrefixStoreOptions{folder, size_t(4) << 30, {}};
    options.draft_tokens = draft_tokens;
    return std::make_unique<Generator>(*ops, model, options);
  }
  std::unique_ptr<Ops> ops = make_cpu_ops();
  Config config;
  Llama model;
  fs::path folder = fs::temp_directory_path() / "chatmem-bench-prefix";
};

void report(const char* what, const Timing& t, double cold_s) {
  fmt::print("{:<24} first token after {:7.1f} ms ({:5.1f} % of cold), {} tokens from the cache\n",
             what, 1e3 * t.first_s, 100 * t.first_s / cold_s, t.cached);
}

void grown_chat(Bench& b) {
  const std::vector<int> text = random_text(4300, b.config);
  const GenerateRequest yesterday{.prompt = {text.begin(), text.begin() + 4000}, .max_tokens = 1};
  const GenerateRequest today{.prompt = text, .max_tokens = 65};
  double cold_s = 0;
  {
    const auto generator = b.generator(false);
    const Timing cold = time_request(*generator, today);
    cold_s = cold.first_s;
    report("cold", cold, cold_s);
    fmt::print("{:<24} {:.2f} ms a token, the longest step {:.2f} ms\n", "decoding",
               1e3 * cold.rest_s / 64, 1e3 * cold.longest_step_s);
  }
  {
    fs::remove_all(b.folder);
    const auto generator = b.generator(true);
    report("the day before", time_request(*generator, yesterday), cold_s);
    const Timing warm = time_request(*generator, today);
    report("warm", warm, cold_s);
    fmt::print("{:<24} {:.2f} ms a token, the longest step {:.2f} ms\n", "decoding and writing",
               1e3 * warm.rest_s / 64, 1e3 * warm.longest_step_s);
  }
  const auto generator = b.generator(true);
  report("after a restart", time_request(*generator, today), cold_s);
  fs::remove_all(b.folder);
}

void predicted(Bench& b) {
  GenerateRequest request{.prompt = random_text(100, b.config), .max_tokens = 200};
  const Timing without = time_request(*b.generator(false), request);
  const Timing found_nothing = time_request(*b.generator(false, 7), request);
  request.prediction = without.tokens;
  // A new one: what another request left in the cache was computed by other kernels.
  const auto guessing = b.generator(false, 7);
  const Timing with = time_request(*guessing, request);
  CHECK(with.tokens == without.tokens && found_nothing.tokens == without.tokens);
  fmt::print(
      "{:<24} {:.2f} ms a token; {:.2f} ms with a right prediction ({} of {} guesses right)\n",
      "decoding 200 tokens", 1e3 * without.rest_s / 199, 1e3 * with.rest_s / 199,
      guessing->stats().accepted_tokens, guessing->stats().drafted_tokens);
}

}  // namespace
}  // namespace chatmem

int main(int, char** argv) {
  chatmem::begin_with_short_waits(argv);
  chatmem::Bench bench;
  chatmem::grown_chat(bench);
  chatmem::predicted(bench);
}
