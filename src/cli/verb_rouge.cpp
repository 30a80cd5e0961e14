// chatmem rouge: ROUGE of predictions against references, from files.
#include <fmt/format.h>

#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "cli/verbs.h"
#include "eval/rouge_report.h"

namespace chatmem {
namespace {

struct RougeFlags {
  std::string predictions, against, csv, metrics = "1,2,L", combine, tokenizer = "rouge_score";
  std::vector<std::string> references;
  bool no_stemmer = false, json = false;
  int threads = 0;
  uint64_t seed = 1;
};

size_t metric_of(std::string_view name) {
  if (const auto metric = parse_rouge_metric(name)) return *metric;
  throw Error(fmt::format("[rouge] --metrics must name ROUGE metrics, '{}' is none", name),
              "metrics: 1 to 9, L, Lsum", kUsage);
}

RougeSet metrics_of(std::string_view list) {
  RougeSet metrics;
  while (true) {
    const size_t comma = std::min(list.find(','), list.size());
    metrics.set(metric_of(list.substr(0, comma)));
    if (comma == list.size()) return metrics;
    list.remove_prefix(comma + 1);
  }
}

int score_files(const RougeFlags& flags) {
  RougeFilesOptions options{
      .predictions = parse_text_source(flags.predictions), .seed = flags.seed, .csv = flags.csv};
  for (const std::string& reference : flags.references)
    options.references.push_back(parse_text_source(reference));
  if (!flags.against.empty()) options.against = parse_text_source(flags.against);
  ScoreOptions& scores = options.scores;
  scores.rouge.stemming = flags.no_stemmer ? Stemming::off : Stemming::on;
  scores.rouge.words = flags.tokenizer == "unicode" ? WordRule::unicode : WordRule::rouge_score;
  scores.rouge.metrics = metrics_of(flags.metrics);
  scores.n_threads =
      flags.threads > 0 ? flags.threads : int(std::max(1u, std::thread::hardware_concurrency()));
  read_reference_rule(flags.combine, options.references.size(), scores);
  const RougeReport report = rouge_files(options);
  if (flags.json)
    fmt::print("{}\n", dump_json(rouge_json(report)));
  else
    fmt::print("{}", rouge_table(report));
  if (!flags.csv.empty()) fmt::print(stderr, "scores of each item: {}\n", flags.csv);
  return kDone;
}

}  // namespace

void add_rouge(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "rouge",
      "compute ROUGE of predictions against references, as rouge_score does\n\n"
      "example: chatmem rouge --predictions out.jsonl:prediction --references "
      "test.jsonl:summary\n\n"
      "A source is FILE.jsonl:key, FILE.csv:column, or any other file with a text a line. Rows are "
      "paired by id where both have ids, else by order.");
  static RougeFlags flags;  // the action reads it after this function has ended
  verb->add_option("--predictions", flags.predictions, "a source")->required();
  verb->add_option("--references", flags.references,
                   "a source; several times for several references")
      ->required();
  verb->add_option("--combine", flags.combine,
                   "several references: mean over them, best for each metric, or best-by-METRIC, "
                   "the one best by that metric for all of them");
  verb->add_option(
      "--against", flags.against,
      "a source: another system's predictions; tells whether the difference is chance");
  verb->add_option("--metrics", flags.metrics, "1 to 9, L, Lsum")->capture_default_str();
  verb->add_flag("--no-stemmer", flags.no_stemmer, "compare words as they are");
  verb->add_option("--tokenizer", flags.tokenizer,
                   "rouge_score: [a-z0-9] alone; unicode: the letters of all scripts")
      ->check(CLI::IsMember({"rouge_score", "unicode"}))
      ->capture_default_str();
  verb->add_option("--csv", flags.csv, "write each item's scores and id here");
  verb->add_flag("--json", flags.json, "one JSON object instead of the table");
  verb->add_option("--threads", flags.threads, "threads; 0: all")->check(CLI::Range(0, 1024));
  verb->add_option("--seed", flags.seed, "of the intervals and the test")->capture_default_str();
  verb->callback([&action] { action = [] { return score_files(flags); }; });
}

}  // namespace chatmem
