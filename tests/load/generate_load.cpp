// What `chatmem generate` itself costs while it asks: its share of a core and its memory over time,
// against the test double of the Anthropic API, which answers after a latency. Only the asking is
// looked at: from a fifth of the answers, when all that is allocated once is there, to the last.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <sstream>
#include <thread>

#include "anthropic_double.h"
#include "base/error.h"
#include "load/asked_rows.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

struct Flags {
  std::string input = "samples/dialogues.csv";
  int rows = 1000, concurrency = 64, latency_ms = 3000;
  double min_per_minute = 1000, max_core_percent = 10, max_growth_mb = 8;
};

struct Sample {
  double seconds = 0;      // since the start
  double cpu_seconds = 0;  // user and system, of all threads
  double rss_mb = 0;
  int64_t answers = 0;
};

// Fields 14 and 15 of /proc/PID/stat, in ticks, behind the name in parentheses; and VmRSS.
Sample look(pid_t pid) {
  Sample sample;
  const std::string folder = fmt::format("/proc/{}/", pid);
  const std::string stat = read_file(folder + "stat"), status = read_file(folder + "status");
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 3; i < 14; i++) fields >> skipped;
  int64_t user = 0, system = 0;
  fields >> user >> system;
  sample.cpu_seconds = double(user + system) / double(::sysconf(_SC_CLK_TCK));
  const size_t at = status.find("VmRSS:");
  if (at != status.npos) sample.rss_mb = std::strtod(status.c_str() + at + 6, nullptr) / 1024;
  return sample;
}

std::vector<Sample> watch(const AnthropicDouble& api, RunningCommand& command, int rows) {
  std::vector<Sample> samples;
  const Clock::time_point begin = Clock::now();
  while (api.summary().bought < rows) {
    const int64_t answers = api.summary().bought;
    if (answers >= rows / 5) {
      Sample sample = look(command.pid());
      if (sample.rss_mb == 0) throw Error("[load] generate ended before the last answer");
      sample.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      sample.answers = answers;
      samples.push_back(sample);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return samples;
}

int run(const Flags& flags) {
  const TestFolder folder;
  const fs::path input = folder.path() / "rows.csv";
  write_asked_rows(flags.input, flags.rows, input);
  AnthropicDouble api({.script = {{"latency_ms", flags.latency_ms}}});
  RunningCommand command(generate_arguments(input, folder.path() / "out", flags.concurrency),
                         asking(api.base_url()));
  const std::vector<Sample> samples = watch(api, command, flags.rows);
  const CommandResult result = command.wait();
  if (result.code != kDone && result.code != kPartial)  // a row of the input may be unusable
    throw Error(fmt::format("[load] exit code {}: {}", result.code, result.err));
  if (samples.size() < 10) throw Error("[load] too short to be measured: more --rows");

  const Sample &first = samples.front(), &last = samples.back();
  for (size_t i = 0; i < 5; i++) {
    const Sample& sample = samples[i * (samples.size() - 1) / 4];
    fmt::print("{:6.1f} s  {:6} answers  {:6.2f} s of CPU  {:6.1f} MiB\n", sample.seconds,
               sample.answers, sample.cpu_seconds, sample.rss_mb);
  }
  const double seconds = last.seconds - first.seconds;
  const double core_percent = 100 * (last.cpu_seconds - first.cpu_seconds) / seconds;
  const double growth_mb = last.rss_mb - first.rss_mb;
  const auto answers = double(last.answers - first.answers);
  const double per_minute = 60 * answers / seconds;
  fmt::print(
      "{:.0f} answers a minute, {} at most in flight: {:.2f}% of a core, {:.2f} ms an "
      "answer; memory grew by {:.1f} MiB over {:.0f} answers\n",
      per_minute, api.summary().max_in_flight, core_percent,
      1000 * (last.cpu_seconds - first.cpu_seconds) / answers, growth_mb, answers);
  if (per_minute < flags.min_per_minute)
    fmt::print("failure: fewer than {} answers a minute\n", flags.min_per_minute);
  if (core_percent > flags.max_core_percent)
    fmt::print("failure: more than {}% of a core\n", flags.max_core_percent);
  if (growth_mb > flags.max_growth_mb)
    fmt::print("failure: memory grew by more than {} MiB\n", flags.max_growth_mb);
  const bool passes = per_minute >= flags.min_per_minute &&
                      core_percent <= flags.max_core_percent && growth_mb <= flags.max_growth_mb;
  return passes ? kDone : kFailed;
}

}  // namespace
}  // namespace chatmem

int main(int argc, char** argv) {
  CLI::App app("What chatmem generate costs while it asks");
  chatmem::Flags flags;
  app.add_option("--input", flags.input, "CSV of dialogues, repeated as often as is needed");
  app.add_option("--rows", flags.rows)->check(CLI::Range(10, 1'000'000));
  app.add_option("--concurrency", flags.concurrency)->check(CLI::Range(1, 1024));
  app.add_option("--latency-ms", flags.latency_ms, "of an answer")->check(CLI::Range(0, 60'000));
  app.add_option("--min-per-minute", flags.min_per_minute, "answers that pass");
  app.add_option("--max-core-percent", flags.max_core_percent, "that passes");
  app.add_option("--max-growth-mb", flags.max_growth_mb, "that passes");
  CLI11_PARSE(app, argc, argv);
  try {
    return chatmem::run(flags);
  } catch (const chatmem::Error& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return chatmem::kFailed;
  }
}
