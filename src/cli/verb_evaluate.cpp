// chatmem evaluate: the summaries of a model, scored beside floors.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "cli/verbs.h"
#include "eval/report.h"
#include "eval/rouge_report.h"

namespace chatmem {
namespace {

struct Flags {
  std::string data, endpoint, model, as_of, combine, output = "evaluation";
  std::vector<std::string> predictions, references = {"summary"};
  int concurrency = 4, max_tokens = 330, limit = 0, show = 0;
  double temperature = 0;
  uint64_t seed = 1;
  bool json = false;
};

std::string bearer_token() {
  for (const char* name : {"OPENAI_API_KEY", "HF_TOKEN"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return {};
}

SystemAnswers ask_endpoint(const Flags& flags, const std::vector<Conversation>& conversations) {
  const ChatEndpoint endpoint{.base_url = flags.endpoint, .api_key = bearer_token()};
  ChatRequest request;
  request.model = flags.model.empty() ? ChatClient(endpoint).first_model() : flags.model;
  request.max_tokens = flags.max_tokens;
  request.temperature = flags.temperature;
  // On a terminal one case after the other can be watched, as in the original's test_api.py.
  const bool watched = flags.concurrency == 1 && !flags.json && ::isatty(STDOUT_FILENO);
  const CollectOptions options{
      .output = flags.output,
      .settings = fmt::format("model={} max_tokens={} temperature={}", request.model,
                              flags.max_tokens, flags.temperature),
      .concurrency = flags.concurrency,
      .live = watched ? stdout : nullptr};
  SystemAnswers answers{
      request.model,
      collect_predictions(conversations, endpoint_summarizer(endpoint, request), options)};
  if (answers.predictions.n_resumed > 0)
    fmt::print(stderr, "{} of {} predictions were in '{}' from an earlier run\n",
               answers.predictions.n_resumed, conversations.size(), flags.output);
  return answers;
}

// Failures go to standard error, so that they are seen beside --json too.
void print_failures(const Flags& flags, size_t n_conversations, const Predictions& predictions) {
  if (predictions.failures.empty()) return;
  fmt::print(stderr, "{} of {} requests failed:\n", predictions.failures.size(), n_conversations);
  for (const Failure& failure : predictions.failures)
    fmt::print(stderr, "  {}: {}\n", failure.id, failure.error);
  fmt::print(stderr, "hint: the same command again asks for these alone; they are listed in {}\n",
             (fs::path(flags.output) / "errors.jsonl").string());
}

int run(const Flags& flags) {
  if (flags.endpoint.empty() && flags.predictions.empty())
    throw Error("[evaluate] --endpoint or --predictions must be given, neither is",
                "for example --endpoint http://127.0.0.1:8080", kUsage);
  const std::vector<Conversation> conversations =
      read_test_set(flags.data, flags.as_of, flags.limit);
  // What is wrong with a file is told before anything is asked.
  const ReferenceTexts references = read_references(conversations, flags.references);
  EvaluateOptions options{.data = fs::path(flags.data).filename().string(), .seed = flags.seed};
  read_reference_rule(flags.combine, references.size(), options.scores);
  std::vector<SystemAnswers> systems;
  for (const std::string& source : flags.predictions)
    systems.push_back(read_system_answers(conversations, source));
  if (!flags.endpoint.empty()) systems.insert(systems.begin(), ask_endpoint(flags, conversations));
  print_failures(flags, conversations.size(), systems.front().predictions);
  for (int i = 0; i < std::min(flags.show, int(conversations.size())); i++)
    if (const auto& prediction = systems.front().predictions.of[size_t(i)])
      show_case(stdout, conversations[size_t(i)], *prediction);
  const Evaluation evaluation = evaluate(conversations, references, std::move(systems), options);
  write_report(evaluation, flags.output);
  if (flags.json)
    fmt::print("{}\n", dump_json(evaluation_json(evaluation)));
  else
    fmt::print("{}\n{}", scores_table(evaluation.system().items), systems_table(evaluation));
  fmt::print(stderr, "written: report.html, scores.csv and report.json in {}\n", flags.output);
  return evaluation.failures.empty() ? kDone : kPartial;
}

}  // namespace

void add_evaluate(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "evaluate",
      "score a model's summaries of test conversations, with floors beside them\n\n"
      "example: chatmem evaluate --data test.jsonl --endpoint http://127.0.0.1:8080");
  static Flags flags;  // the action reads it after this function has ended
  verb->add_option("--data", flags.data, "conversations with summaries, JSONL")->required();
  verb->add_option("--endpoint", flags.endpoint,
                   "an OpenAI-compatible server; OPENAI_API_KEY or HF_TOKEN is its bearer token");
  verb->add_option("--model", flags.model, "the name to ask for (default: the server's first)");
  verb->add_option("--predictions", flags.predictions,
                   "[NAME=]FILE.jsonl:key, summaries that exist; several times for several systems")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_option("--references", flags.references,
                   "[NAME=]KEY of --data, or [NAME=]FILE.jsonl:key; several times for several")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->capture_default_str();
  verb->add_option("--combine", flags.combine,
                   "several references: mean over them, best for each metric, or best-by-METRIC");
  verb->add_option("--as-of", flags.as_of, "JSONL of id and as_of, the day to write from");
  verb->add_option("--output", flags.output,
                   "the folder of predictions, scores and report; a rerun continues in it")
      ->capture_default_str();
  verb->add_option("--concurrency", flags.concurrency,
                   "requests at once; 1 on a terminal shows each summary as it streams")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("--max-tokens", flags.max_tokens, "longest answer")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  verb->add_option("--temperature", flags.temperature, "0: greedy")
      ->check(CLI::Range(0.0, 2.0))
      ->capture_default_str();
  verb->add_option("--limit", flags.limit, "only the first N conversations")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--show", flags.show, "print the first N cases: chat, prediction, reference")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--seed", flags.seed, "of the floors and the intervals")->capture_default_str();
  verb->add_flag("--json", flags.json, "one JSON object instead of the tables");
  verb->callback([&action] { action = [] { return run(flags); }; });
}

}  // namespace chatmem
