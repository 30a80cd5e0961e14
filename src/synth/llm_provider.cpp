// A row's way is a function of the row and the journal alone: each step looks up the answer to the
// request it would make, and either goes on from it or names the request as the next to be made. So
// a run that was killed finds its place by itself, whatever it had done.
#include "synth/llm_provider.h"

#include <fmt/format.h>

#include <unordered_map>
#include <variant>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "llm/llm_access.h"
#include "llm/message_batches.h"
#include "llm/questions.h"

namespace chatmem {
namespace {

// How a row ends whose request got no answer. A repair turn has the answer before it, which was
// paid: that one is kept then.
Expanded without_answer(const LlmRequest& request, const std::string& failure,
                        const std::string& raw, const std::string& request_id) {
  const bool repair = request.messages.size() > 1;
  if (!repair) return {std::nullopt, failure, raw, request_id};
  return {std::nullopt, "the repair turn got no answer: " + failure, request.messages[1].content,
          request_id};
}

class LlmProvider final : public Provider {
 public:
  LlmProvider(const std::vector<SourceRow>& rows, std::unique_ptr<LlmApi> api,
              LlmProviderOptions options)
      : rows_(rows), api_(std::move(api)), options_(std::move(options)) {}

  Json settings() const override {
    const std::string asked = expansion_system(options_.format) + dump_json(expansion_schema());
    Json settings = {{"provider", api_->name()},
                     {"model", options_.model},
                     {"seed", options_.seed},
                     {"year", options_.year},
                     {"response", options_.format == AnswerFormat::json ? "json" : "text"},
                     {"max_tokens", options_.max_tokens},
                     {"prompt", fmt::format("{:016x}", hash64(asked))}};
    if (options_.temperature) settings["temperature"] = *options_.temperature;
    return settings;
  }

  ExpandEnd expand(std::span<const RowTask> tasks, ExpandSink& sink) override {
    journal_.emplace(options_.journal);
    const bool priced = options_.run.price.has_value();
    if (const std::string lost = what_was_lost(*journal_, priced); !lost.empty())
      sink.message(lost);
    sink.message(what_is_asked(*api_, options_.model, options_.run.price, options_.batch));
    ExpandEnd end = options_.batch ? ask_in_batches(tasks, sink) : ask_one_by_one(tasks, sink);
    if (priced) end.spent_usd = journal_->spent_usd();
    return end;
  }

 private:
  // A row's next request, or what became of it.
  using Step = std::variant<LlmJob, Expanded>;

  ExpandEnd ask_one_by_one(std::span<const RowTask> tasks, ExpandSink& sink) {
    size_t at = 0;
    const auto next = [&]() -> std::optional<LlmJob> {
      while (at < tasks.size()) {
        const size_t tag = at++;
        if (std::optional<LlmJob> job = advance(tasks[tag], tag, sink)) return job;
      }
      return std::nullopt;
    };
    const auto done = [&](const LlmJobEnd& end) -> std::optional<LlmJob> {
      const RowTask& task = tasks[end.job.tag];
      if (end.answered) return advance(task, end.job.tag, sink);
      sink.done(task, without_answer(end.job.request, end.failure, end.raw, end.request_id));
      return std::nullopt;
    };
    RequestRunOptions run = options_.run;
    run.on_status = [&](const RequestRunStatus& status) {
      sink.status(run_detail(status, options_.run.price.has_value()));
    };
    const RequestRunResult result = run_requests(*api_, *journal_, run, next, done);
    return {result.reason, result.hint, std::nullopt};
  }

  // Each pass offers the next request of every row that has one: the first, then the repairs.
  ExpandEnd ask_in_batches(std::span<const RowTask> tasks, ExpandSink& sink) {
    std::unordered_map<std::string, LlmFailure> failures;  // by key
    BatchJob job = batch_job(sink);
    job.events.failed = [&](const std::string& key, const LlmFailure& failure) {
      failures.emplace(key, failure);
    };
    const auto supply = [&](const std::function<void(BatchItem)>& take) {
      for (size_t tag = 0; tag < tasks.size(); tag++) {
        Step step = look(tasks[tag], tag);
        if (auto* ask = std::get_if<LlmJob>(&step))
          take({std::move(ask->key), std::move(ask->request)});
      }
    };
    BatchOutcome outcome;
    ExpandEnd end;
    try {
      outcome = run_message_batches(std::move(job), supply);
    } catch (const Error& error) {
      end = {error.what(), error.hint(), std::nullopt};  // what had come by then is kept
    }
    for (size_t tag = 0; tag < tasks.size(); tag++) {
      const std::optional<LlmJob> open = advance(tasks[tag], tag, sink);
      if (!open) continue;
      const auto failed = failures.find(open->key);
      if (failed != failures.end())
        sink.done(tasks[tag], without_answer(open->request, failed->second.message, "", ""));
    }
    if (!end.reason.empty()) return end;
    if (outcome.stopped)
      return {"stopped by request", "the same command polls the open batches on", std::nullopt};
    if (outcome.over_budget > 0)
      return {fmt::format("{} requests do not fit the budget of ${:.2f}",
                          format_count(outcome.over_budget), options_.run.budget_usd),
              "a higher --budget goes on from here", std::nullopt};
    return {};
  }

  BatchJob batch_job(ExpandSink& sink) {
    CHECK(options_.run.price);
    BatchJob job{*api_, options_.endpoint, {}, *options_.run.price, *journal_};
    job.options.budget_usd = options_.run.budget_usd;
    job.options.seed = options_.seed;
    job.events.warn = [&](const std::string& line) { sink.message(line); };
    job.events.progress = [this, &sink](const BatchProgress& progress) {
      sink.status(fmt::format("{} batches open, {} in flight, {} received  ${:.4f}",
                              progress.open_batches, format_count(progress.in_flight),
                              format_count(progress.received), journal_->spent_usd()));
      return options_.run.stop == nullptr || !*options_.run.stop;
    };
    return job;
  }

  std::optional<LlmJob> advance(const RowTask& task, size_t tag, ExpandSink& sink) const {
    Step step = look(task, tag);
    if (auto* job = std::get_if<LlmJob>(&step)) return std::move(*job);
    sink.done(task, std::get<Expanded>(step));
    return std::nullopt;
  }

  Step look(const RowTask& row_task, size_t tag) const {
    const SourceRow& row = rows_[row_task.index];
    ExpansionTask task;
    try {
      task = expansion_task(row, options_.seed, options_.year);
    } catch (const Error& error) {  // nothing in it that could be asked about
      return Expanded{std::nullopt, error.what(), "", ""};
    }
    LlmRequest request = first_request(row, task, options_);
    std::string before;  // what was wrong with the answer before a repair turn
    for (bool repaired = false;; repaired = true) {
      std::string key = key_of(row, request, row_task.attempt);
      const std::optional<JournalAnswer> found = journal_->find(key);
      if (!found || !was_sold(*api_, *found))
        return LlmJob{std::move(key), std::move(request), tag};
      Expanded end{std::nullopt, "", found->body, found->request_id};
      const Reading reading = read_answer(row, task, *found, end);
      if (end.failure.empty()) return end;
      if (repaired)
        end.failure =
            fmt::format("still wrong after a repair turn: {} Before it: {}", end.failure, before);
      if (repaired || reading.wrong.empty()) return end;
      before = end.failure;
      request.messages.push_back({"assistant", reading.text});
      request.messages.push_back({"user", repair_prompt(reading.wrong, options_.format)});
    }
  }

  // Rows of the same words are still asked for each on its own, and an attempt anew.
  std::string key_of(const SourceRow& row, const LlmRequest& request, int attempt) const {
    return journal_key(fmt::format("{}\n{}\n{}", dump_json(api_->body(request)), row.id, attempt));
  }

  struct Reading {
    std::string text;                // the model's
    std::vector<std::string> wrong;  // with it, which a repair turn may mend
  };

  // A good answer goes to end.transformed; why there is none, to end.failure.
  Reading read_answer(const SourceRow& row, const ExpansionTask& task, const JournalAnswer& found,
                      Expanded& end) const {
    LlmAnswer answer;
    try {
      answer = api_->parse_answer(found.body);
    } catch (const Error& error) {
      end.failure = error.what();
      return {};
    }
    if (answer.stop != LlmStop::end || answer.text.empty()) {
      end.failure = what_is_missing(answer, options_.max_tokens);
      return {};
    }
    Reading reading{std::move(answer.text), {}};
    reading.wrong = judge(row, task, reading.text, end);
    end.failure = fmt::format("{}", fmt::join(reading.wrong, " "));
    return reading;
  }

  // What is wrong with the answer; none: it is in `end`.
  std::vector<std::string> judge(const SourceRow& row, const ExpansionTask& task,
                                 const std::string& text, Expanded& end) const {
    try {
      Transformed transformed = parse_expansion(text, options_.format);
      std::vector<std::string> findings = check_expansion(row, task, transformed);
      if (findings.empty()) end.transformed = std::move(transformed);
      return findings;
    } catch (const Error& error) {
      return {error.what()};
    }
  }

  const std::vector<SourceRow>& rows_;
  const std::unique_ptr<LlmApi> api_;
  const LlmProviderOptions options_;
  std::optional<Journal> journal_;
};

}  // namespace

LlmRequest first_request(const SourceRow& row, const ExpansionTask& task,
                         const LlmProviderOptions& options) {
  LlmRequest request;
  request.model = options.model;
  request.system = expansion_system(options.format);
  request.messages.push_back({"user", expansion_prompt(row, task, options.format)});
  request.max_tokens = options.max_tokens;
  if (options.format == AnswerFormat::json) request.schema = expansion_schema();
  request.temperature = options.temperature;
  return request;
}

std::unique_ptr<Provider> make_llm_provider(const std::vector<SourceRow>& rows,
                                            std::unique_ptr<LlmApi> api,
                                            LlmProviderOptions options) {
  return std::make_unique<LlmProvider>(rows, std::move(api), std::move(options));
}

}  // namespace chatmem
