// chatmem generate: flags, .env, environment and TOML to GenerateOptions; what it says before, at
// the end, and about a folder.
#include <fmt/format.h>

#include <charconv>

#include "base/error.h"
#include "base/progress.h"
#include "cli/environment.h"
#include "cli/interrupt.h"
#include "cli/llm_flags.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "synth/dataset_card.h"
#include "synth/generate.h"
#include "synth/result_stats.h"
#include "synth/stored_results.h"
#include "synth/viewer.h"

namespace chatmem {
namespace {

struct GenerateFlags {
  std::string input, output = "transformed_conversations", rows = "2", format = "json";
  std::string tokenizer, split, stats, view;
  double temperature = -1;
  MoneyFlags money;
  bool dry_run = false, json = false;
  GenerateOptions options;
};

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

void fill(GenerateFlags& flags, const std::optional<fs::path>& dotenv) {
  GenerateOptions& options = flags.options;
  options.rows = parse_rows(flags.rows);
  options.input = find_input(flags.input, dotenv);
  fmt::print(stderr, "input: {}{}\n", options.input.string(),
             dotenv ? fmt::format(" (settings of {})", dotenv->string()) : "");
  options.output = flags.output;
  options.version = CHATMEM_VERSION;
  options.arguments = program_arguments();
  if (!flags.split.empty()) options.split = parse_split_shares(flags.split);
  AskOptions& ask = options.ask;
  ask.format = flags.format == "text" ? AnswerFormat::text : AnswerFormat::json;
  if (flags.temperature >= 0) ask.temperature = flags.temperature;
  apply_money_flags(flags.money, ask);
  if (!flags.tokenizer.empty()) ask.tokenizer = flags.tokenizer;
  ask.flow.seed = options.seed;
  fill_from_environment(options.provider, ask.endpoint);
}

std::string listed(const std::vector<std::string>& ids, int64_t count) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
  return count > int64_t(ids.size()) ? text + ", ..." : text;
}

const char* plural(int64_t n) { return n == 1 ? "" : "s"; }

void warn_of_rows(const GenerateOptions& options, int64_t found) {
  if (options.rows != kAllRows && found < options.rows)
    fmt::print(stderr, "warning: {} rows were asked for, the file has {}\n",
               format_count(options.rows), format_count(found));
}

void print_input(const GenerateReport& report, const GenerateOptions& options) {
  if (report.duplicates > 0)
    fmt::print(stderr, "duplicates: {} dialogue{} stand{} in an earlier row too ({}){}\n",
               format_count(report.duplicates), plural(report.duplicates),
               report.duplicates == 1 ? "s" : "",
               listed(report.first_duplicates, report.duplicates),
               options.skip_duplicates ? ", left out" : "; --skip-duplicates leaves them out");
  if (report.near_duplicates > 0)
    fmt::print(stderr, "near duplicates: {} more row{} {} nearly the same as an earlier one{}\n",
               format_count(report.near_duplicates), plural(report.near_duplicates),
               report.near_duplicates == 1 ? "is" : "are",
               options.skip_duplicates ? ", left out" : "");
  warn_of_rows(options, report.rows + report.left_out);
}

void print_generated(const GenerateReport& report, const GenerateOptions& options) {
  print_input(report, options);
  if (report.failed > 0)
    fmt::print(stderr, "warning: {} row{} could not be used ({}), see {}{}\n",
               format_count(report.failed), plural(report.failed),
               listed(report.first_failed, report.failed), (options.output / "errors").string(),
               options.provider == "offline" ? "" : "; --retry-errors asks for them again");
  if (!report.end_reason.empty()) {
    fmt::print(stderr, "{}: ended early, {} row{} left: {}\n",
               report.succeeded == 0 ? "error" : "warning", format_count(report.left),
               report.left == 1 ? " is" : "s are", report.end_reason);
    if (!report.end_hint.empty()) fmt::print(stderr, "hint: {}\n", report.end_hint);
  }
  for (const std::string& leak : report.leaks) fmt::print(stderr, "warning: leak: {}\n", leak);
  if (report.kept > 0)
    fmt::print(stderr, "{} row{} done before\n", format_count(report.kept),
               report.kept == 1 ? " was" : "s were");
  if (report.spent_usd)
    fmt::print(stderr, "spent ${:.4f} in this folder{}\n", *report.spent_usd,
               report.succeeded == 0 ? ""
                                     : fmt::format(", ${:.5f} for a conversation",
                                                   *report.spent_usd / double(report.succeeded)));
  fmt::print(stderr, "{} conversation{} from {} row{} in {}, {:.0f} rows/s, fingerprint {:016x}\n",
             format_count(report.succeeded), plural(report.succeeded), format_count(report.rows),
             plural(report.rows), format_duration(report.seconds),
             double(report.rows) / std::max(report.seconds, 1e-9), report.fingerprint);
  const std::string data = (options.output / "training_data.jsonl").string();
  fmt::print("{}\n", data);
  if (report.succeeded > 0)
    fmt::print(stderr, "next: chatmem encode --data {} --tokenizer PATH --output shards\n", data);
}

int print_costs(const GenerateFlags& flags) {
  const GenerateEstimate estimate = estimate_generate(flags.options);
  const auto usd = [](const std::optional<double>& value) {
    if (!value) return std::string("unknown");
    return *value < 1 ? fmt::format("${:.4f}", *value) : fmt::format("${:.2f}", *value);
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
  warn_of_rows(flags.options, estimate.rows + estimate.left_out);
  fmt::print("rows            {}, of which {} are to be asked for\n", format_count(estimate.rows),
             format_count(estimate.to_ask));
  if (estimate.to_ask == 0) {
    fmt::print(stderr, "nothing would be bought\n");
    return kDone;
  }
  fmt::print("model           {}\n", estimate.model);
  fmt::print("input tokens    {} (by {})\n", format_count(estimate.input_tokens),
             estimate.counted_by);
  fmt::print("output tokens   {} to {}\n", format_count(estimate.output_tokens_low),
             format_count(estimate.output_tokens_high));
  fmt::print("price           {} to {}{}\n", usd(estimate.usd_low), usd(estimate.usd_high),
             flags.options.ask.batch ? " (batch)" : "");
  if (flags.options.ask.batch)
    fmt::print("time            a batch takes up to a day\n");
  else
    fmt::print("time            {} to {}\n", format_duration(estimate.seconds_low),
               format_duration(estimate.seconds_high));
  fmt::print(stderr, "nothing was bought; without --dry-run it would be\n");
  return kDone;
}

int show_stats(const GenerateFlags& flags) {
  const ResultStats stats = folder_stats(flags.stats);
  fmt::print("{}{}", flags.json ? dump_json(stats_json(stats)) : format_stats(stats),
             flags.json ? "\n" : "");
  return kDone;
}

int write_viewer(const fs::path& folder) {
  ViewerPage page;
  const StoredResults results =
      read_stored_results(folder, [&](const ResultRow& row) { page.add(row); });
  const fs::path path = folder / "viewer.html";
  write_file_atomic(path, page.html(results.name));
  if (results.rows > int64_t(kMaxViewerRows))
    fmt::print(stderr, "the page holds the first {} of {} rows\n", format_count(kMaxViewerRows),
               format_count(results.rows));
  fmt::print("{}\n", path.string());
  fmt::print(stderr, "open it in a browser\n");
  return kDone;
}

int generate_rows(CLI::App& verb, GenerateFlags& flags, const std::optional<fs::path>& dotenv) {
  apply_config(verb);
  if (!flags.stats.empty()) return show_stats(flags);
  if (!flags.view.empty()) return write_viewer(flags.view);
  fill(flags, dotenv);
  if (flags.dry_run) return print_costs(flags);
  flags.options.stop = stop_on_interrupt();
  const GenerateReport report = generate(flags.options);
  print_generated(report, flags.options);
  if (report.succeeded == 0 && !report.end_reason.empty()) return kFailed;
  return report.failed > 0 || report.left > 0 ? kPartial : kDone;
}

constexpr const char *kFilesGroup = "Input and output", *kModel = "The model (anthropic, openai)",
                     *kMoney = "Money (anthropic, openai)", *kPace = "Pace",
                     *kFolders = "Instead of a run";

void add_input_options(CLI::App& verb, GenerateFlags& flags) {
  GenerateOptions& options = flags.options;
  verb.add_option("--input", flags.input, "CSV with the columns id, dialogue, summary, topic")
      ->envname("INPUT_CSV")
      ->type_name("FILE")
      ->group(kFilesGroup);
  verb.add_option("--output", flags.output,
                  "where the results go; what an earlier run left there is continued")
      ->envname("OUTPUT_DIR")
      ->type_name("FOLDER")
      ->capture_default_str()
      ->group(kFilesGroup);
  verb.add_option("--rows", flags.rows,
                  "the first N rows of the file, those done before included, or all")
      ->envname("NUM_ROWS_TO_PROCESS")
      ->type_name("N|all")
      ->capture_default_str()
      ->group(kFilesGroup);
  verb.add_option("--provider", options.provider,
                  "who writes: anthropic (with ANTHROPIC_API_KEY), openai (any compatible "
                  "--endpoint), offline (by rules: no model, key or network)")
      ->type_name("NAME")
      ->capture_default_str()
      ->check(CLI::IsMember({"anthropic", "openai", "offline"}))
      ->group(kFilesGroup);
  verb.add_option("--seed", options.seed, "of all that is chosen by chance")
      ->type_name("N")
      ->capture_default_str()
      ->group(kFilesGroup);
  verb.add_option("--year", options.year, "of the day that a summary is written from")
      ->type_name("YEAR")
      ->capture_default_str()
      ->check(CLI::Range(1900, 9999))
      ->group(kFilesGroup);
  verb.add_flag("--skip-duplicates", options.skip_duplicates,
                "leave out dialogues that an earlier row has, or nearly has")
      ->group(kFilesGroup);
  verb.add_option("--split", flags.split,
                  "write splits/ too, with these shares for validation and test, such as "
                  "0.05,0.05; equal and nearly equal dialogues stay together (default: none)")
      ->type_name("V,T")
      ->group(kFilesGroup);
  verb.add_option("--license", options.license,
                  "of the input, for the dataset card (default: unknown)")
      ->type_name("NAME")
      ->group(kFilesGroup);
  verb.add_flag("--force", options.force, "replace the results of another run in the folder")
      ->group(kFilesGroup);
  add_config(verb)->group(kFilesGroup);
}

void add_model_options(CLI::App& verb, GenerateFlags& flags) {
  AskOptions& ask = flags.options.ask;
  verb.add_option("--model", ask.model,
                  "who is asked (of openai: the first that the endpoint lists)")
      ->type_name("NAME")
      ->default_str(std::string(kDefaultAnthropicModel))
      ->group(kModel);
  verb.add_option("--endpoint", ask.endpoint.base_url,
                  "base URL (environment: ANTHROPIC_BASE_URL, OPENAI_BASE_URL; default: "
                  "Anthropic's own, of openai none)")
      ->type_name("URL")
      ->group(kModel);
  verb.add_option("--response", flags.format,
                  "json: by schema; text: the bracket format, for endpoints without schemas")
      ->type_name("FORM")
      ->capture_default_str()
      ->check(CLI::IsMember({"json", "text"}))
      ->group(kModel);
  verb.add_option("--max-tokens", ask.max_tokens, "of an answer, thinking included")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(256, 128'000))
      ->group(kModel);
  verb.add_option("--temperature", flags.temperature,
                  "sent only when it is given (default: the model's own)")
      ->type_name("T")
      ->check(CLI::Range(0.0, 2.0))
      ->group(kModel);
  verb.add_flag("--retry-errors", ask.retry_errors,
                "ask again for rows that an earlier run left in errors/")
      ->group(kModel);
}

void add_money_options(CLI::App& verb, GenerateFlags& flags) {
  verb.add_flag("--dry-run", flags.dry_run,
                "say how many rows, tokens, dollars and minutes it would be, and buy nothing")
      ->group(kMoney);
  add_money_flags(verb, flags.money, kMoney);
  verb.add_flag("--batch", flags.options.ask.batch,
                "Message Batches of anthropic: half the price, answers within a day")
      ->group(kMoney);
  verb.add_option("--tokenizer", flags.tokenizer,
                  "counts tokens for --dry-run where no API does (default: by bytes)")
      ->type_name("PATH")
      ->group(kMoney);
}

void add_pace_options(CLI::App& verb, GenerateFlags& flags) {
  AskOptions& ask = flags.options.ask;
  verb.add_option("--concurrency", ask.flow.concurrency, "requests in flight, at most")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024))
      ->group(kPace);
  add_pace_flag(verb, ask.flow, kPace);
  verb.add_option("--timeout-ms", ask.endpoint.timeout_ms, "without a byte of an answer")
      ->type_name("MS")
      ->capture_default_str()
      ->check(CLI::Range(1'000, 3'600'000))
      ->group(kPace);
  verb.add_option("--threads", flags.options.threads, "of offline; 0: as many as the machine has")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024))
      ->group(kPace);
}

void add_folder_options(CLI::App& verb, GenerateFlags& flags) {
  verb.add_option("--stats", flags.stats, "print what a folder of results holds, in numbers")
      ->type_name("FOLDER")
      ->group(kFolders);
  verb.add_option("--view", flags.view,
                  "write the viewer.html of a folder of results, a page for a browser")
      ->type_name("FOLDER")
      ->group(kFolders);
  verb.add_flag("--json", flags.json, "the numbers of --stats and --dry-run as JSON")
      ->group(kFolders);
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "generate",
      "make dated conversations with personal summaries from a CSV of dialogues\n\n"
      "example: chatmem generate --provider offline --input samples/dialogues.csv --rows all "
      "--output out\n"
      "example: chatmem generate --input dialogues.csv --rows 200 --dry-run\n"
      "Settings come from flags, else the environment, else .env, else the TOML file of --config.");
  static GenerateFlags flags;  // the action reads it after this function has ended
  static std::optional<fs::path> dotenv;
  add_input_options(*verb, flags);
  add_model_options(*verb, flags);
  add_money_options(*verb, flags);
  add_pace_options(*verb, flags);
  add_folder_options(*verb, flags);
  // Before the environment is looked at.
  verb->preparse_callback([](size_t) { dotenv = load_dotenv(); });
  verb->callback(
      [verb, &action] { action = [verb] { return generate_rows(*verb, flags, dotenv); }; });
}

}  // namespace chatmem
