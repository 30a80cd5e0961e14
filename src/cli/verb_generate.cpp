// chatmem generate: flags and environment to GenerateOptions, figures at the end.
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "base/error.h"
#include "base/progress.h"
#include "cli/verbs.h"
#include "synth/generate.h"

namespace chatmem {
namespace {

struct Flags {
  std::string input, output, rows;
  GenerateOptions options;
};

// A flag wins over the environment.
std::string chosen(const std::string& flag, const char* variable, std::string_view otherwise) {
  if (!flag.empty()) return flag;
  const char* value = std::getenv(variable);
  return value && *value ? value : std::string(otherwise);
}

int64_t parse_rows(const std::string& text) {
  if (text == "all") return kAllRows;
  int64_t rows = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rows);
  if (error != std::errc() || end != text.data() + text.size() || rows <= 0)
    throw Error(
        fmt::format("[generate] the number of rows must be a whole number from 1 on, or 'all', "
                    "found '{}'",
                    text),
        "--rows 2 tries the first two rows, --rows all takes the whole file", kUsage);
  return rows;
}

std::string listed(const std::vector<std::string>& ids, int64_t count) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
  return count > int64_t(ids.size()) ? text + ", ..." : text;
}

void print_report(const GenerateReport& report, const GenerateOptions& options) {
  if (report.duplicates > 0)
    fmt::print(stderr, "duplicates: {} dialogue{} stand{} in an earlier row too ({}){}\n",
               format_count(report.duplicates), report.duplicates == 1 ? "" : "s",
               report.duplicates == 1 ? "s" : "",
               listed(report.first_duplicates, report.duplicates),
               options.skip_duplicates ? ", left out" : "; --skip-duplicates leaves them out");
  if (report.failed > 0)
    fmt::print(stderr, "warning: {} row{} could not be used ({}), see {}\n",
               format_count(report.failed), report.failed == 1 ? "" : "s",
               listed(report.first_failed, report.failed), (options.output / "errors").string());
  if (options.rows != kAllRows && report.rows + report.left_out < options.rows)
    fmt::print(stderr, "warning: {} rows were asked for, the file has {}\n",
               format_count(options.rows), format_count(report.rows + report.left_out));
  fmt::print(stderr, "{} conversations from {} rows in {}, {:.0f} rows/s, fingerprint {:016x}\n",
             format_count(report.succeeded), format_count(report.rows),
             format_duration(report.seconds), double(report.rows) / std::max(report.seconds, 1e-9),
             report.fingerprint);
  const std::string data = (options.output / "training_data.jsonl").string();
  fmt::print("{}\n", data);
  fmt::print(stderr, "next: chatmem encode --data {} --tokenizer PATH --output shards\n", data);
}

int run(Flags& flags) {
  GenerateOptions& options = flags.options;
  options.input = chosen(flags.input, "INPUT_CSV", "");
  if (options.input.empty())
    throw Error("[generate] an input file must be given, none is",
                "--input FILE.csv, or INPUT_CSV in the environment", kUsage);
  options.output = chosen(flags.output, "OUTPUT_DIR", "transformed_conversations");
  options.rows = parse_rows(chosen(flags.rows, "NUM_ROWS_TO_PROCESS", "2"));
  const GenerateReport report = generate(options);
  print_report(report, options);
  return report.failed > 0 ? kPartial : kDone;
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "generate",
      "make dated conversations with personal summaries from a CSV of dialogues\n\n"
      "example: chatmem generate --provider offline --input samples/dialogues.csv --rows all "
      "--output out\n");
  static Flags flags;  // the action reads it after this function has ended
  GenerateOptions& options = flags.options;
  verb->add_option("--provider", options.provider, "offline: no key, no network")
      ->capture_default_str()
      ->check(CLI::IsMember({"offline"}));
  verb->add_option("--input", flags.input,
                   "CSV with id, dialogue, summary, topic (environment: INPUT_CSV)");
  verb->add_option("--output", flags.output,
                   "folder (environment: OUTPUT_DIR; else transformed_conversations)");
  verb->add_option("--rows", flags.rows,
                   "the first so many rows, or all (environment: NUM_ROWS_TO_PROCESS; else 2)");
  verb->add_option("--seed", options.seed, "same seed, same bytes")->capture_default_str();
  verb->add_option("--year", options.year, "of today and of every message")
      ->capture_default_str()
      ->check(CLI::Range(1900, 9999));
  verb->add_option("--threads", options.threads, "0: as many as the machine has")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  verb->add_flag("--skip-duplicates", options.skip_duplicates,
                 "leave out dialogues that an earlier row has");
  verb->add_flag("--force", options.force, "replace the result of another run in the folder");
  verb->callback([&action] { action = [] { return run(flags); }; });
}

}  // namespace chatmem
