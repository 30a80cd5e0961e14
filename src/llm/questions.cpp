#include "llm/questions.h"

#include <fmt/format.h>

#include <numeric>
#include <unordered_map>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/progress.h"
#include "llm/llm_access.h"

namespace chatmem {
namespace {

class Questioning {
 public:
  Questioning(const LlmApi& api, std::span<const Question> questions,
              const QuestionOptions& options)
      : api_(api),
        questions_(questions),
        options_(options),
        lock_(options.journal.parent_path(), options.stage),
        journal_(options.journal) {
    report_.ends.resize(questions.size());
    keys_.resize(questions.size());
  }

  // Reads what the journal has, and returns the questions that are to be asked.
  std::vector<size_t> look_up() {
    std::vector<size_t> missing;
    for (size_t i = 0; i < questions_.size(); i++)
      for (int attempt = 1;; attempt++) {
        keys_[i] = key_of(i, attempt);
        const std::optional<JournalAnswer> found = answer_of(i);
        if (!found) {
          if (attempt == 1 || options_.ask_again) missing.push_back(i);
          break;
        }
        report_.ends[i] = read(i, *found);
        if (report_.ends[i].failure.empty()) break;
      }
    return missing;
  }

  QuestionReport run() {
    const std::vector<size_t> missing = look_up();
    report_.n_before = int(questions_.size() - missing.size());
    if (!missing.empty()) ask(missing);
    if (options_.run.price) report_.spent_usd = journal_.spent_usd();
    return std::move(report_);
  }

 private:
  void ask(const std::vector<size_t>& missing) {
    Progress progress(options_.stage, int64_t(missing.size()));
    const bool priced = options_.run.price.has_value();
    if (const std::string lost = what_was_lost(journal_, priced); !lost.empty())
      progress.message(lost);
    if (!options_.introduction.empty()) progress.message(options_.introduction);
    if (options_.batch)
      ask_in_batches(missing, progress);
    else
      ask_one_by_one(missing, progress);
  }

  void ask_one_by_one(const std::vector<size_t>& missing, Progress& progress) {
    size_t at = 0;
    int64_t n_done = 0;
    const auto next = [&]() -> std::optional<LlmJob> {
      if (at == missing.size()) return std::nullopt;
      const size_t i = missing[at++];
      return LlmJob{keys_[i], questions_[i].request, i};
    };
    const auto done = [&](const LlmJobEnd& end) -> std::optional<LlmJob> {
      const size_t i = end.job.tag;
      report_.ends[i] = end.answered ? read(i, *journal_.find(keys_[i]))
                                     : QuestionEnd{.text = {}, .failure = end.failure};
      progress.update(++n_done);
      return std::nullopt;
    };
    RequestRunOptions run = options_.run;
    run.on_status = [&](const RequestRunStatus& status) {
      progress.update(n_done, run_detail(status, run.price.has_value()));
    };
    const RequestRunResult result = run_requests(api_, journal_, run, next, done);
    report_.end_reason = result.reason;
    report_.end_hint = result.hint;
  }

  void ask_in_batches(const std::vector<size_t>& missing, Progress& progress) {
    CHECK(options_.run.price);
    BatchJob job{api_, *options_.batch, {}, *options_.run.price, journal_};
    job.options.budget_usd = options_.run.budget_usd;
    job.options.seed = options_.run.flow.seed;
    std::unordered_map<std::string, std::string> failures;  // by key
    job.events.failed = [&](const std::string& key, const LlmFailure& failure) {
      failures.emplace(key, failure.message);
    };
    job.events.warn = [&](const std::string& line) { progress.message(line); };
    job.events.progress = [&](const BatchProgress& at) {
      progress.update(at.received,
                      fmt::format("{} batches open, {} in flight  ${:.4f}", at.open_batches,
                                  format_count(at.in_flight), journal_.spent_usd()));
      return options_.run.stop == nullptr || !*options_.run.stop;
    };
    BatchOutcome outcome;
    try {
      outcome = run_message_batches(std::move(job), [&](const auto& take) {
        for (const size_t i : missing)
          if (!answer_of(i)) take({keys_[i], questions_[i].request});
      });
    } catch (const Error& error) {  // what had come by then is kept
      report_.end_reason = error.what(), report_.end_hint = error.hint();
    }
    for (const size_t i : missing) {
      const auto failed = failures.find(keys_[i]);
      if (const std::optional<JournalAnswer> found = answer_of(i))
        report_.ends[i] = read(i, *found);
      else if (failed != failures.end())
        report_.ends[i].failure = failed->second;
    }
    if (outcome.stopped) {
      report_.end_reason = "stopped by request";
      report_.end_hint = "the same command polls the open batches on";
    } else if (outcome.over_budget > 0) {
      report_.end_reason = fmt::format("{} requests do not fit the budget of ${:.2f}",
                                       format_count(outcome.over_budget), options_.run.budget_usd);
      report_.end_hint = "a higher --budget goes on from here";
    }
  }

  std::optional<JournalAnswer> answer_of(size_t i) const {
    std::optional<JournalAnswer> found = journal_.find(keys_[i]);
    return found && was_sold(api_, *found) ? std::move(found) : std::nullopt;
  }

  QuestionEnd read(size_t i, const JournalAnswer& found) const {
    LlmAnswer answer;
    try {
      answer = api_.parse_answer(found.body);
    } catch (const Error& error) {
      return {.text = {}, .failure = error.what()};
    }
    if (answer.stop != LlmStop::end || answer.text.empty())
      return {.text = {}, .failure = what_is_missing(answer, questions_[i].request.max_tokens)};
    if (options_.wrong)
      if (std::string wrong = options_.wrong(i, answer.text); !wrong.empty())
        return {.text = {}, .failure = std::move(wrong)};
    return {.text = std::move(answer.text), .failure = {}};
  }

  std::string key_of(size_t i, int attempt) const {
    return journal_key(fmt::format("{}\n{}\n{}", dump_json(api_.body(questions_[i].request)),
                                   questions_[i].id, attempt));
  }

  const LlmApi& api_;
  const std::span<const Question> questions_;
  const QuestionOptions& options_;
  const FileLock lock_;
  Journal journal_;
  std::vector<std::string> keys_;  // of the questions' last attempts
  QuestionReport report_;
};

}  // namespace

QuestionReport ask_questions(const LlmApi& api, std::span<const Question> questions,
                             const QuestionOptions& options) {
  return Questioning(api, questions, options).run();
}

std::vector<size_t> open_questions(const LlmApi& api, std::span<const Question> questions,
                                   const QuestionOptions& options) {
  if (fs::exists(options.journal)) return Questioning(api, questions, options).look_up();
  std::vector<size_t> all(questions.size());
  std::iota(all.begin(), all.end(), size_t(0));
  return all;
}

std::string what_is_missing(const LlmAnswer& answer, int max_tokens) {
  switch (answer.stop) {
    case LlmStop::max_tokens:
      return fmt::format(
          "the answer was cut off at max_tokens ({}): a higher --max-tokens and --retry-errors "
          "may help",
          max_tokens);
    case LlmStop::refusal:
      return "the model refused: " + answer.stop_detail;
    case LlmStop::other:
      return "the answer ended for another reason: " + answer.stop_detail;
    case LlmStop::end:
      break;
  }
  return "the answer is empty";
}

bool was_sold(const LlmApi& api, const JournalAnswer& found) {
  try {
    api.parse_answer(found.body);
    return true;
  } catch (const Error&) {
    return api.parse_failure({{found.status, {}, found.body}, std::nullopt}).maybe_billed;
  }
}

std::string what_was_lost(const Journal& journal, bool priced) {
  const int64_t n = journal.newly_lost_requests();
  if (n == 0) return {};
  std::string line =
      fmt::format("{} requests were in flight when the last run was killed: they are bought again",
                  format_count(n));
  if (priced)
    line += fmt::format(", and counted as spent with at most ${:.4f}", journal.newly_lost_usd());
  return line;
}

}  // namespace chatmem
