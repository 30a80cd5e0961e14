// chatmem generate: flags, .env, environment and TOML to GenerateOptions; what it says before, at
// the end, and about a folder.
#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include "base/error.h"
#include "base/progress.h"
#include "cli/environment.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "synth/dataset_card.h"
#include "synth/generate.h"
#include "synth/result_stats.h"
#include "synth/stored_results.h"
#include "synth/viewer.h"

namespace chatmem {
namespace {

struct Flags {
  std::string input, output = "transformed_conversations", rows = "2", format = "json", price,
                     split;
  std::string prices, stats, view;
  double temperature = -1, budget = -1;
  bool dry_run = false, json = false;
  GenerateOptions options;
};

// The first interrupt asks for an end that loses nothing, the second one ends the program.
std::atomic<bool> stop_asked = false;
void on_interrupt(int) {
  stop_asked = true;
  std::signal(SIGINT, SIG_DFL);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
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

// A relative input is looked for from the working folder, then from the .env's folder and those
// above it, as the original pipeline's users have it.
fs::path find_input(const std::string& name, const std::optional<fs::path>& dotenv) {
  if (name.empty())
    throw Error("[generate] an input file must be given, none is",
                "--input FILE.csv, or INPUT_CSV in .env or the environment", kUsage);
  const fs::path path = name;
  if (path.is_absolute() || fs::exists(path) || !dotenv) return path;
  for (fs::path folder = fs::absolute(*dotenv).parent_path();; folder = folder.parent_path()) {
    if (fs::exists(folder / path)) return folder / path;
    if (folder == folder.parent_path()) return path;
  }
}

void fill_endpoint(GenerateOptions& options) {
  LlmEndpoint& endpoint = options.ask.endpoint;
  const bool anthropic = options.provider == "anthropic";
  if (endpoint.base_url.empty())
    endpoint.base_url = variable(anthropic ? "ANTHROPIC_BASE_URL" : "OPENAI_BASE_URL");
  endpoint.api_key = variable(anthropic ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY");
}

void fill(Flags& flags, const std::optional<fs::path>& dotenv) {
  GenerateOptions& options = flags.options;
  options.rows = parse_rows(flags.rows);
  options.input = find_input(flags.input, dotenv);
  fmt::print(stderr, "input: {}{}\n", options.input.string(),
             dotenv ? fmt::format(" (settings of {})", dotenv->string()) : "");
  options.output = flags.output;
  options.stop = &stop_asked;
  options.version = CHATMEM_VERSION;
  options.arguments = program_arguments();
  if (!flags.split.empty()) options.split = parse_split_shares(flags.split);
  AskOptions& ask = options.ask;
  ask.format = flags.format == "text" ? AnswerFormat::text : AnswerFormat::json;
  if (flags.temperature >= 0) ask.temperature = flags.temperature;
  if (flags.budget >= 0) ask.budget_usd = flags.budget;
  if (!flags.price.empty()) ask.price = parse_price(flags.price);
  if (!flags.prices.empty()) ask.prices = flags.prices;
  ask.flow.seed = options.seed;
  fill_endpoint(options);
}

std::string listed(const std::vector<std::string>& ids, int64_t count) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
  return count > int64_t(ids.size()) ? text + ", ..." : text;
}

const char* plural(int64_t n) { return n == 1 ? "" : "s"; }

void print_input(const GenerateReport& report, const GenerateOptions& options) {
  if (report.duplicates > 0)
    fmt::print(stderr, "duplicates: {} dialogue{} stand{} in an earlier row too ({}){}\n",
               format_count(report.duplicates), plural(report.duplicates),
               report.duplicates == 1 ? "s" : "",
               listed(report.first_duplicates, report.duplicates),
               options.skip_duplicates ? ", left out" : "; --skip-duplicates leaves them out");
  if (report.near_duplicates > 0)
    fmt::print(stderr, "near duplicates: {} more row{} {} nearly the same as an earlier one\n",
               format_count(report.near_duplicates), plural(report.near_duplicates),
               report.near_duplicates == 1 ? "is" : "are");
  if (options.rows != kAllRows && report.rows + report.left_out < options.rows)
    fmt::print(stderr, "warning: {} rows were asked for, the file has {}\n",
               format_count(options.rows), format_count(report.rows + report.left_out));
}

void print_report(const GenerateReport& report, const GenerateOptions& options) {
  print_input(report, options);
  if (report.failed > 0)
    fmt::print(stderr, "warning: {} row{} could not be used ({}), see {}{}\n",
               format_count(report.failed), plural(report.failed),
               listed(report.first_failed, report.failed), (options.output / "errors").string(),
               options.provider == "offline" ? "" : "; --retry-errors tries them again");
  if (!report.end_reason.empty()) {
    fmt::print(stderr, "warning: ended early, {} rows are left: {}\n", format_count(report.left),
               report.end_reason);
    if (!report.end_hint.empty()) fmt::print(stderr, "hint: {}\n", report.end_hint);
  }
  for (const std::string& leak : report.leaks) fmt::print(stderr, "warning: leak: {}\n", leak);
  if (report.kept > 0) fmt::print(stderr, "{} rows were done before\n", format_count(report.kept));
  if (report.spent_usd)
    fmt::print(stderr, "spent ${:.4f} in this folder, ${:.5f} for a conversation\n",
               *report.spent_usd,
               *report.spent_usd / double(std::max<int64_t>(1, report.succeeded)));
  fmt::print(stderr, "{} conversation{} from {} row{} in {}, {:.0f} rows/s, fingerprint {:016x}\n",
             format_count(report.succeeded), plural(report.succeeded), format_count(report.rows),
             plural(report.rows), format_duration(report.seconds),
             double(report.rows) / std::max(report.seconds, 1e-9), report.fingerprint);
  const std::string data = (options.output / "training_data.jsonl").string();
  fmt::print("{}\n", data);
  if (report.succeeded > 0)
    fmt::print(stderr, "next: chatmem encode --data {} --tokenizer PATH --output shards\n", data);
}

int dry_run(const Flags& flags) {
  const GenerateEstimate estimate = estimate_generate(flags.options);
  const auto usd = [](const std::optional<double>& value) {
    return value ? fmt::format("${:.2f}", *value) : std::string("unknown");
  };
  if (flags.json) {
    const auto number = [](const std::optional<double>& value) {
      return value ? Json(*value) : Json();
    };
    fmt::print("{}\n", dump_json({{"rows", estimate.rows},
                                  {"to_ask", estimate.to_ask},
                                  {"model", estimate.model},
                                  {"input_tokens", estimate.input_tokens},
                                  {"output_tokens_low", estimate.output_tokens_low},
                                  {"output_tokens_high", estimate.output_tokens_high},
                                  {"counted_by", estimate.counted_by},
                                  {"usd_low", number(estimate.usd_low)},
                                  {"usd_high", number(estimate.usd_high)},
                                  {"seconds_low", estimate.seconds_low},
                                  {"seconds_high", estimate.seconds_high}}));
    return kDone;
  }
  fmt::print("rows            {} of which {} are to be asked\n", format_count(estimate.rows),
             format_count(estimate.to_ask));
  if (estimate.to_ask == 0) return kDone;
  fmt::print("model           {}\n", estimate.model);
  fmt::print("input tokens    {} (by {})\n", format_count(estimate.input_tokens),
             estimate.counted_by);
  fmt::print("output tokens   {} to {}\n", format_count(estimate.output_tokens_low),
             format_count(estimate.output_tokens_high));
  fmt::print("price           {} to {}{}\n", usd(estimate.usd_low), usd(estimate.usd_high),
             flags.options.ask.batch ? " (batch)" : "");
  fmt::print("time            {} to {}\n", format_duration(estimate.seconds_low),
             format_duration(estimate.seconds_high));
  fmt::print(stderr, "nothing was bought; without --dry-run it is\n");
  return kDone;
}

int look_at(const Flags& flags) {
  const bool stats = !flags.stats.empty();
  const fs::path folder = stats ? flags.stats : flags.view;
  const StoredResults results = read_stored_results(folder);
  if (stats) {
    const ResultStats counted = result_stats(results);
    fmt::print("{}{}", flags.json ? dump_json(stats_json(counted)) : format_stats(counted),
               flags.json ? "\n" : "");
    return kDone;
  }
  const fs::path page = folder / "viewer.html";
  write_file_atomic(page, viewer_html(results));
  fmt::print("{}\n", page.string());
  return kDone;
}

int run(CLI::App& verb, Flags& flags, const std::optional<fs::path>& dotenv) {
  apply_config(verb);
  if (!flags.stats.empty() || !flags.view.empty()) return look_at(flags);
  fill(flags, dotenv);
  if (flags.dry_run) return dry_run(flags);
  std::signal(SIGINT, on_interrupt);
  const GenerateReport report = generate(flags.options);
  print_report(report, flags.options);
  if (report.succeeded == 0 && !report.end_reason.empty()) return kFailed;
  return report.failed > 0 || report.left > 0 ? kPartial : kDone;
}

void add_input_options(CLI::App& verb, Flags& flags) {
  GenerateOptions& options = flags.options;
  verb.add_option("--provider", options.provider,
                  "anthropic (ANTHROPIC_API_KEY), openai (any compatible --endpoint), or offline: "
                  "no key, no network")
      ->capture_default_str()
      ->check(CLI::IsMember({"anthropic", "openai", "offline"}));
  verb.add_option("--input", flags.input, "CSV with id, dialogue, summary, topic")
      ->envname("INPUT_CSV");
  verb.add_option("--output", flags.output, "folder")->envname("OUTPUT_DIR")->capture_default_str();
  verb.add_option("--rows", flags.rows, "the first so many rows of the file, or all")
      ->envname("NUM_ROWS_TO_PROCESS")
      ->capture_default_str();
  verb.add_option("--seed", options.seed, "same seed, same bytes")->capture_default_str();
  verb.add_option("--year", options.year, "of today")
      ->capture_default_str()
      ->check(CLI::Range(1900, 9999));
  verb.add_option("--threads", options.threads, "of offline; 0: as many as the machine has")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  verb.add_flag("--skip-duplicates", options.skip_duplicates,
                "leave out dialogues that an earlier row has");
  verb.add_option("--split", flags.split,
                  "also write splits/: shares of validation and test, such as 0.05,0.05; the same "
                  "and nearly the same dialogues stay together");
  verb.add_option("--license", options.license, "of the input, for the dataset card");
  verb.add_flag("--force", options.force, "replace the result of another run in the folder");
}

void add_asking_options(CLI::App& verb, Flags& flags) {
  AskOptions& ask = flags.options.ask;
  verb.add_option("--model", ask.model,
                  fmt::format("default: {}; of openai: the first that the endpoint lists",
                              kDefaultAnthropicModel));
  verb.add_option("--endpoint", ask.endpoint.base_url,
                  "base URL (environment: ANTHROPIC_BASE_URL, OPENAI_BASE_URL)");
  verb.add_flag("--batch", ask.batch, "Message Batches: half the price, within a day");
  verb.add_option("--budget", flags.budget, "dollars that this folder may cost, never exceeded")
      ->check(CLI::NonNegativeNumber);
  verb.add_flag("--dry-run", flags.dry_run, "rows, tokens, price and time; nothing is bought");
  verb.add_flag("--retry-errors", ask.retry_errors, "try rows again that failed before");
  verb.add_option("--concurrency", ask.flow.concurrency, "requests in flight, at most")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  verb.add_option("--requests-a-minute", ask.flow.requests_a_minute,
                  "at most; without it what the answers' headers say")
      ->check(CLI::NonNegativeNumber);
  verb.add_option("--response", flags.format,
                  "json: by schema; text: brackets, for endpoints without schemas")
      ->capture_default_str()
      ->check(CLI::IsMember({"json", "text"}));
  verb.add_option("--max-tokens", ask.max_tokens, "of an answer, thinking included")
      ->capture_default_str()
      ->check(CLI::Range(256, 128'000));
  verb.add_option("--temperature", flags.temperature, "sent only when given")
      ->check(CLI::Range(0.0, 2.0));
  verb.add_option("--price", flags.price, "IN,OUT: dollars for a million tokens");
  verb.add_option("--prices", flags.prices, "file of prices, beside the built-in ones");
  verb.add_option("--timeout-ms", ask.endpoint.timeout_ms, "without a byte of an answer")
      ->capture_default_str()
      ->check(CLI::Range(1'000, 3'600'000));
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "generate",
      "make dated conversations with personal summaries from a CSV of dialogues\n\n"
      "example: chatmem generate --provider offline --input samples/dialogues.csv --rows all "
      "--output out\n"
      "example: ANTHROPIC_API_KEY=... chatmem generate --input dialogues.csv --rows 200 "
      "--dry-run\n");
  static Flags flags;  // the action reads it after this function has ended
  static std::optional<fs::path> dotenv;
  add_input_options(*verb, flags);
  add_asking_options(*verb, flags);
  verb->add_option("--stats", flags.stats, "FOLDER of results: print what is in it, and end");
  verb->add_option("--view", flags.view, "FOLDER of results: write its viewer.html, and end");
  verb->add_flag("--json", flags.json, "of --stats and --dry-run");
  add_config(*verb);
  // Before the environment is looked at.
  verb->preparse_callback([](size_t) { dotenv = load_dotenv(); });
  verb->callback([verb, &action] { action = [verb] { return run(*verb, flags, dotenv); }; });
}

}  // namespace chatmem
