// chatmem rouge: ROUGE of predictions against references, from files.
#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/verbs.h"
#include "eval/rouge_files.h"

namespace chatmem {
namespace {

struct Flags {
  std::string predictions, references, csv;
  bool no_stemmer = false, json = false;
};

int run(const Flags& flags) {
  const std::vector<ItemScores> items =
      rouge_files({.predictions = parse_text_source(flags.predictions),
                   .references = parse_text_source(flags.references),
                   .stemming = flags.no_stemmer ? Stemming::off : Stemming::on,
                   .csv = flags.csv});
  if (flags.json)
    fmt::print("{}\n", dump_json(scores_json(items)));
  else
    fmt::print("{}", scores_table(items));
  if (!flags.csv.empty()) fmt::print(stderr, "scores of each item: {}\n", flags.csv);
  return kDone;
}

}  // namespace

void add_rouge(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "rouge",
      "compute ROUGE-1/2/L of predictions against references, as rouge_score does\n\n"
      "example: chatmem rouge --predictions out.jsonl:prediction --references test.jsonl:summary");
  static Flags flags;  // the action reads it after this function has ended
  verb->add_option("--predictions", flags.predictions, "FILE.jsonl:key")->required();
  verb->add_option("--references", flags.references,
                   "FILE.jsonl:key; rows are paired by id where both files have ids, else by order")
      ->required();
  verb->add_flag("--no-stemmer", flags.no_stemmer, "compare words as they are");
  verb->add_option("--csv", flags.csv, "write each item's nine scores and id here");
  verb->add_flag("--json", flags.json, "one JSON object instead of the table");
  verb->callback([&action] { action = [] { return run(flags); }; });
}

}  // namespace chatmem
