// chatmem evaluate: the summaries of a model, scored beside floors.
#include <fmt/format.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/environment.h"
#include "cli/interrupt.h"
#include "cli/llm_flags.h"
#include "cli/summary_flags.h"
#include "cli/verbs.h"
#include "eval/report.h"
#include "eval/rouge_report.h"

namespace chatmem {
namespace {

struct JudgeFlags {
  std::string provider, against;
  LlmAccess access;
  MoneyFlags money;
  bool retry_errors = false;
};

struct EvaluateFlags {
  std::string data, as_of, combine, preset, output = "evaluation";
  std::vector<std::string> predictions, references = {"summary"};
  SummaryFlags writer;
  JudgeFlags judge;
  int limit = 0, show = 0;
  uint64_t seed = 1;
  bool json = false;
};

// As the original project's test_api.py asked its endpoint.
constexpr Setting kOriginalEvaluate[] = {
    {"template", "seed"}, {"max-tokens", "330"}, {"temperature", "0.8"}, {"concurrency", "1"}};
constexpr Setting kOriginalEndpoint[] = {{"api", "chat"}};

SystemAnswers ask_for_answers(const EvaluateFlags& flags,
                              const std::vector<Conversation>& conversations) {
  const SummaryWriter writer = open_summary_writer(flags.writer, flags.seed, conversations);
  // On a terminal one case after the other can be watched, as in the original's test_api.py.
  const bool watched = flags.writer.concurrency == 1 && !flags.json && ::isatty(STDOUT_FILENO);
  const CollectOptions options{.output = flags.output,
                               .settings = writer.settings,
                               .concurrency = flags.writer.concurrency,
                               .live = watched ? stdout : nullptr};
  SystemAnswers answers{writer.name, collect_predictions(conversations, writer.summarize, options)};
  if (answers.predictions.n_resumed > 0)
    fmt::print(stderr, "{} of {} predictions were in '{}' from an earlier run\n",
               answers.predictions.n_resumed, conversations.size(), flags.output);
  return answers;
}

// Failures go to standard error, so that they are seen beside --json too.
void print_failures(const EvaluateFlags& flags, size_t n_conversations,
                    const Predictions& predictions) {
  if (predictions.failures.empty()) return;
  fmt::print(stderr, "{} of {} requests failed:\n", predictions.failures.size(), n_conversations);
  for (const Failure& failure : predictions.failures)
    fmt::print(stderr, "  {}: {}\n", failure.id, failure.error);
  fmt::print(stderr, "hint: the same command again asks for these alone; they are listed in {}\n",
             (fs::path(flags.output) / "errors.jsonl").string());
}

// The first system's summaries beside those of the row that it is held against.
std::vector<JudgeCase> judge_cases(const Evaluation& evaluation, const SystemScores& other) {
  std::vector<JudgeCase> cases;
  for (size_t i = 0; i < evaluation.conversations.size(); i++)
    cases.push_back({&evaluation.conversations[i],
                     std::string(evaluation.system().cases[i].summary()),
                     std::string(other.cases[i].summary())});
  return cases;
}

// By its name; without one the first reference.
const SystemScores& judged_against(const Evaluation& evaluation, const std::string& name) {
  if (name.empty()) return *evaluation.of_kind(SystemKind::reference).front();
  std::vector<std::string> others;
  for (const SystemScores& row : evaluation.systems) {
    if (&row == &evaluation.system()) continue;
    if (row.name == name) return row;
    others.push_back(row.name);
  }
  throw Error(fmt::format("[evaluate] --judge-against must name another row of the evaluation, is "
                          "'{}'",
                          name),
              fmt::format("one of: {}", fmt::join(others, ", ")), kUsage);
}

// A judge who can be asked: what is missing for that is told before anything else is asked.
struct Judge {
  LlmAccess access;
  std::unique_ptr<LlmApi> api;
  std::string model;
  std::optional<Price> price;
};

Judge open_judge(const EvaluateFlags& flags) {
  const std::string& provider = flags.judge.provider;
  Judge judge;
  judge.access = flags.judge.access;
  apply_money_flags(flags.judge.money, judge.access);
  fill_from_environment(provider, judge.access.endpoint);
  judge.access.endpoint.timeout_ms = flags.writer.timeout_ms;
  judge.access.flow.concurrency = flags.writer.concurrency;
  judge.access.flow.seed = flags.seed;
  judge.api = make_llm_api(provider, judge.access);
  judge.model = chosen_model(provider, judge.access);
  judge.price = price_of(provider, judge.access, judge.model);
  return judge;
}

JudgeReport ask_judge(const EvaluateFlags& flags, const Judge& judge,
                      const Evaluation& evaluation) {
  const SystemScores& other = judged_against(evaluation, flags.judge.against);
  JudgeOptions options{.model = judge.model,
                       .against = other.name,
                       .questions = {},
                       .price = judge.price,
                       .seed = flags.seed};
  options.questions.journal = fs::path(flags.output) / "judge_journal.jsonl";
  options.questions.stage = "judge";
  options.questions.ask_again = flags.judge.retry_errors;
  options.questions.run.flow = judge.access.flow;
  options.questions.run.budget_usd = judge.access.budget_usd;
  options.questions.run.stop = stop_on_interrupt();
  return judge_summaries(*judge.api, judge_cases(evaluation, other), options);
}

void print_judge(const JudgeReport& report) {
  if (!report.end_reason.empty())
    fmt::print(stderr, "warning: the judge ended early: {}\n", report.end_reason);
  if (!report.end_hint.empty()) fmt::print(stderr, "hint: {}\n", report.end_hint);
  if (report.spent_usd) fmt::print(stderr, "spent ${:.4f} on the judge\n", *report.spent_usd);
  if (report.failures.empty()) return;
  fmt::print(stderr, "{} cases were not judged:\n", report.failures.size());
  for (const Failure& failure : report.failures)
    fmt::print(stderr, "  {}: {}\n", failure.id, failure.error);
}

bool asks_for_summaries(const EvaluateFlags& flags) {
  return !flags.writer.endpoint.empty() || !flags.writer.model.model.empty();
}

void settle(CLI::App& verb, const EvaluateFlags& flags) {
  if (flags.preset == "original") {
    std::string applied = apply_settings(verb, kOriginalEvaluate);
    if (!flags.writer.endpoint.empty()) applied += apply_settings(verb, kOriginalEndpoint);
    fmt::print(stderr, "preset original:{}\n", applied);
  }
  if (!asks_for_summaries(flags) && flags.predictions.empty())
    throw Error("[evaluate] --endpoint, --model or --predictions must be given, none is",
                "for example --endpoint http://127.0.0.1:8080", kUsage);
}

void print_evaluation(const EvaluateFlags& flags, const Evaluation& evaluation) {
  if (flags.json) {
    fmt::print("{}\n", dump_json(evaluation_json(evaluation)));
  } else {
    fmt::print("{}\n{}", scores_table(evaluation.system().items), systems_table(evaluation));
    if (evaluation.judge) fmt::print("\n{}", judge_table(*evaluation.judge));
  }
  if (evaluation.judge) print_judge(*evaluation.judge);
  fmt::print(stderr, "written: report.html, scores.csv and report.json in {}\n", flags.output);
}

int evaluate(CLI::App& verb, const EvaluateFlags& flags) {
  settle(verb, flags);
  const std::vector<Conversation> conversations =
      read_test_set(flags.data, flags.as_of, flags.limit);
  // What is wrong with a file is told before anything is asked.
  const ReferenceTexts references = read_references(conversations, flags.references);
  EvaluateOptions options{.data = fs::path(flags.data).filename().string(), .seed = flags.seed};
  read_reference_rule(flags.combine, references.size(), options.scores);
  std::optional<Judge> judge;
  if (!flags.judge.provider.empty()) judge = open_judge(flags);
  std::vector<SystemAnswers> systems;
  for (const std::string& source : flags.predictions)
    systems.push_back(read_system_answers(conversations, source));
  if (asks_for_summaries(flags))
    systems.insert(systems.begin(), ask_for_answers(flags, conversations));
  print_failures(flags, conversations.size(), systems.front().predictions);
  for (int i = 0; i < std::min(flags.show, int(conversations.size())); i++)
    if (const auto& prediction = systems.front().predictions.of[size_t(i)])
      show_case(stdout, conversations[size_t(i)], *prediction);
  Evaluation evaluation = evaluate(conversations, references, std::move(systems), options);
  if (judge) evaluation.judge = ask_judge(flags, *judge, evaluation);
  write_report(evaluation, flags.output);
  print_evaluation(flags, evaluation);
  const bool judged = !evaluation.judge || evaluation.judge->failures.empty();
  return evaluation.failures.empty() && judged ? kDone : kPartial;
}

void add_judge_flags(CLI::App& verb, JudgeFlags& flags) {
  constexpr const char* kJudge = "A language model as judge";
  verb.add_option("--judge", flags.provider,
                  "compare each summary of the first system with its reference, in both orders: "
                  "anthropic (with ANTHROPIC_API_KEY) or openai (any compatible --judge-endpoint)")
      ->check(CLI::IsMember({"anthropic", "openai"}))
      ->group(kJudge);
  verb.add_option("--judge-model", flags.access.model,
                  "who judges (of openai: the first that the endpoint lists)")
      ->default_str(std::string(kDefaultAnthropicModel))
      ->group(kJudge);
  verb.add_option("--judge-endpoint", flags.access.endpoint.base_url,
                  "base URL (environment: ANTHROPIC_BASE_URL, OPENAI_BASE_URL)")
      ->type_name("URL")
      ->group(kJudge);
  verb.add_option("--judge-against", flags.against,
                  "another row of the evaluation, by its name: a second system, a floor, another "
                  "reference (default: the first reference)")
      ->type_name("NAME")
      ->group(kJudge);
  add_money_flags(verb, flags.money, kJudge);
  add_pace_flag(verb, flags.access.flow, kJudge);
  verb.add_flag("--retry-errors", flags.retry_errors,
                "ask the judge again where its answer could not be used")
      ->group(kJudge);
}

}  // namespace

void add_evaluate(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "evaluate",
      "score a model's summaries of test conversations, with floors beside them\n\n"
      "example: chatmem evaluate --data test.jsonl --endpoint http://127.0.0.1:8080\n"
      "         chatmem evaluate --data test.jsonl --model BASE --adapter adapter");
  static EvaluateFlags flags;  // the action reads it after this function has ended
  verb->add_option("--data", flags.data, "conversations with summaries, JSONL")->required();
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
  verb->add_option("--preset", flags.preset,
                   "original: asks as the original project's test_api.py did; flags win")
      ->check(CLI::IsMember({"original"}));
  verb->add_option("--output", flags.output,
                   "the folder of predictions, scores and report; a rerun continues in it")
      ->capture_default_str();
  add_summary_flags(*verb, flags.writer);
  add_judge_flags(*verb, flags.judge);
  verb->add_option("--limit", flags.limit, "only the first N conversations")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--show", flags.show, "print the first N cases: chat, prediction, reference")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--seed", flags.seed,
                   "of the floors, the intervals, and what a model in this process draws")
      ->capture_default_str();
  verb->add_flag("--json", flags.json, "one JSON object instead of the tables");
  verb->preparse_callback([](size_t) { load_dotenv(); });
  verb->callback([verb, &action] { action = [verb] { return evaluate(*verb, flags); }; });
}

}  // namespace chatmem
