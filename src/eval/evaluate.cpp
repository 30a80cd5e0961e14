#include "eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "text/words.h"

namespace chatmem {
namespace {

using Row = SystemScores;
using Metric = RougeScore RougeScores::*;

std::vector<double> f1_of(const std::vector<ItemScores>& items, Metric metric) {
  std::vector<double> values;
  for (const ItemScores& item : items) values.push_back((item.rouge.*metric).f1);
  return values;
}

MeanScore mean_score(const std::vector<double>& values, uint64_t seed) {
  return {statistics_of(values).mean, bootstrap_mean(values, {.seed = seed})};
}

void add(MentionCounts& counts, std::span<const CheckedMention> mentions) {
  counts.mentioned += int(mentions.size());
  for (const CheckedMention& mention : mentions) counts.found += mention.found;
}

// Scores the rows of the table one after the other.
class Evaluator {
 public:
  Evaluator(const Evaluation& evaluation)
      : conversations_(evaluation.conversations),
        references_(evaluation.references),
        options_(evaluation.options),
        facts_(conversations_.begin(), conversations_.end()) {
    for (const auto& texts : references_.texts)
      for (size_t i = 0; i < texts.size(); i++) {
        reference_words_.resize(texts.size());
        reference_words_[i] += count_words(texts[i]) / double(references_.size());
      }
  }

  Row system(const std::string& name, const std::vector<const Prediction*>& answers) const {
    Row row{.name = name, .kind = SystemKind::system};
    for (size_t i = 0; i < conversations_.size(); i++) {
      const Prediction& answer = *answers[i];
      SummaryCase& one = row.cases.emplace_back();
      one.text = answer.text;
      one.diagnosis =
          diagnose(one.text, conversations_[i], references_.texts.front()[i], answer.finish_reason);
      one.ttft_ms = answer.ttft_ms, one.total_ms = answer.total_ms;
      one.completion_tokens = answer.completion_tokens;
    }
    measure(row, all_references());
    add_speed(row);
    return row;
  }

  Row floor(const SystemTexts& texts) const {
    Row row = row_of_texts(texts.name, SystemKind::floor, texts.texts);
    measure(row, all_references());
    return row;
  }

  // Against the others; without others only its dates, names and words are told.
  Row reference(size_t which) const {
    Row row = row_of_texts("reference " + references_.names[which], SystemKind::reference,
                           references_.texts[which]);
    std::vector<size_t> others = all_references();
    others.erase(others.begin() + std::ptrdiff_t(which));
    measure(row, others);
    return row;
  }

 private:
  static Row row_of_texts(const std::string& name, SystemKind kind,
                          const std::vector<std::string>& texts) {
    Row row{.name = name, .kind = kind};
    for (const std::string& text : texts)
      row.cases.push_back({.text = text, .diagnosis = {.end = text.size()}});
    return row;
  }

  std::vector<size_t> all_references() const {
    std::vector<size_t> all(references_.size());
    for (size_t r = 0; r < all.size(); r++) all[r] = r;
    return all;
  }

  void measure(Row& row, const std::vector<size_t>& references) const {
    CHECK(row.cases.size() == conversations_.size());
    for (size_t i = 0; i < row.cases.size(); i++) {
      SummaryCase& one = row.cases[i];
      one.times = judge_times(one.summary(), facts_[i]);
      one.grounding = ground(one.summary(), facts_[i]);
      one.words = count_words(one.summary());
      one.length_ratio = one.words / reference_words_[i];
      row.dates += one.times.counts;
      add(row.names, one.grounding.names);
      add(row.numbers, one.grounding.numbers);
      row.mean_words += one.words / double(row.cases.size());
      row.mean_length_ratio += one.length_ratio / double(row.cases.size());
    }
    score(row, references);
  }

  void score(Row& row, const std::vector<size_t>& references) const {
    std::vector<TextPair> summaries, as_they_came;
    if (!references.empty())
      for (size_t i = 0; i < row.cases.size(); i++) {
        std::vector<std::string> texts;
        for (const size_t r : references) texts.push_back(references_.texts[r][i]);
        const SummaryCase& one = row.cases[i];
        summaries.push_back({conversations_[i].id, std::string(one.summary()), texts});
        as_they_came.push_back({conversations_[i].id, one.text, texts});
      }
    row.items = score_pairs(summaries, options_.scores);
    row.items_with_echo = score_pairs(as_they_came, options_.scores);
    const std::vector<double> rouge1 = f1_of(row.items, &RougeScores::rouge1);
    const uint64_t seed = options_.seed;
    row.rouge1 = mean_score(rouge1, seed);
    row.rouge2 = mean_score(f1_of(row.items, &RougeScores::rouge2), seed);
    row.rougeL = mean_score(f1_of(row.items, &RougeScores::rougeL), seed);
    row.rouge1_with_echo = mean_score(f1_of(row.items_with_echo, &RougeScores::rouge1), seed);
    std::vector<double> missing_as_0 = rouge1;
    for (size_t i = 0; i < rouge1.size(); i++)
      if (!row.cases[i].diagnosis.has_summary()) missing_as_0[i] = 0;
    row.rouge1_missing_as_0 = mean_score(missing_as_0, seed);
    for (const ItemScores& item : row.items) {
      row.rouge1_precision += item.rouge.rouge1.precision / double(row.items.size());
      row.rouge1_recall += item.rouge.rouge1.recall / double(row.items.size());
    }
    for (size_t k = 0; k < references.size(); k++) {
      std::vector<TextPair> pairs = summaries;
      for (TextPair& pair : pairs) pair.references = {pair.references[k]};
      const auto items = score_pairs(pairs, options_.scores);
      row.rouge1_by_reference.push_back(statistics_of(f1_of(items, &RougeScores::rouge1)).mean);
    }
  }

  static void add_speed(Row& row) {
    double tokens = 0, decode_ms = 0;
    Speed& speed = row.speed;
    for (const SummaryCase& one : row.cases) {
      if (one.total_ms <= 0) continue;
      speed.n++;
      speed.ttft_ms.push_back(one.ttft_ms);
      speed.total_ms.push_back(one.total_ms);
      if (one.completion_tokens < 2) continue;
      tokens += one.completion_tokens - 1;
      decode_ms += one.total_ms - one.ttft_ms;
      if (one.tokens_per_second() > 0) speed.tokens_per_second.push_back(one.tokens_per_second());
    }
    if (decode_ms > 0) speed.all_tokens_per_second = 1000 * tokens / decode_ms;
    for (std::vector<double>* column : {&speed.ttft_ms, &speed.total_ms, &speed.tokens_per_second})
      std::sort(column->begin(), column->end());
  }

  const std::vector<Conversation>& conversations_;
  const References& references_;
  const EvaluateOptions& options_;
  std::vector<ChatFacts> facts_;
  std::vector<double> reference_words_;  // of each conversation, the mean over its references
};

void add_differences(std::vector<Row>& rows, uint64_t seed) {
  for (Row& row : rows) {
    if (row.kind != SystemKind::system) continue;
    for (const Row& other : rows) {
      if (&other == &row || other.kind == SystemKind::reference) continue;
      const auto difference = [&](Metric metric) {
        return paired_difference(f1_of(row.items, metric), f1_of(other.items, metric),
                                 {.seed = seed});
      };
      row.differences.push_back({other.name, other.kind == SystemKind::floor,
                                 difference(&RougeScores::rouge1), difference(&RougeScores::rouge2),
                                 difference(&RougeScores::rougeL)});
    }
  }
}

// Which conversations every system answered.
std::vector<size_t> answered_by_all(size_t n, const std::vector<SystemAnswers>& systems) {
  std::vector<size_t> answered;
  for (size_t i = 0; i < n; i++)
    if (std::all_of(systems.begin(), systems.end(), [&](const SystemAnswers& system) {
          return system.predictions.of[i].has_value();
        }))
      answered.push_back(i);
  return answered;
}

void check_systems(size_t n, const std::vector<SystemAnswers>& systems) {
  CHECK(!systems.empty());
  for (size_t k = 0; k < systems.size(); k++) {
    CHECK(systems[k].predictions.of.size() == n);
    for (size_t other = 0; other < k; other++)
      if (systems[other].name == systems[k].name)
        throw Error(fmt::format("[evaluate] each system must have a name of its own, '{}' comes "
                                "twice",
                                systems[k].name),
                    "name them: --predictions NAME=FILE.jsonl:key", kUsage);
  }
}

}  // namespace

double MentionCounts::precision() const {
  return mentioned == 0 ? std::numeric_limits<double>::quiet_NaN() : double(found) / mentioned;
}

double SummaryCase::tokens_per_second() const {
  const double decode_ms = total_ms - ttft_ms;
  return completion_tokens < 2 || decode_ms <= 0 ? 0 : 1000 * (completion_tokens - 1) / decode_ms;
}

MentionCounts SummaryCase::names() const {
  MentionCounts counts;
  add(counts, grounding.names);
  return counts;
}

int SystemScores::count(Fault fault) const {
  return int(std::count_if(cases.begin(), cases.end(),
                           [&](const SummaryCase& one) { return one.diagnosis.has(fault); }));
}

const ScoreDifference* SystemScores::difference_to(std::string_view other) const {
  for (const ScoreDifference& difference : differences)
    if (difference.against == other) return &difference;
  return nullptr;
}

std::vector<const SystemScores*> Evaluation::of_kind(SystemKind kind) const {
  std::vector<const SystemScores*> found;
  for (const SystemScores& system : systems)
    if (system.kind == kind) found.push_back(&system);
  return found;
}

std::vector<Conversation> read_test_set(const fs::path& data, const fs::path& as_of, int limit) {
  std::vector<Conversation> conversations = read_conversations(data);
  if (!as_of.empty()) join_as_of(conversations, as_of);
  if (limit > 0 && conversations.size() > size_t(limit))
    conversations.erase(conversations.begin() + limit, conversations.end());
  if (conversations.empty())
    throw Error(fmt::format("[evaluate] '{}' must have conversations, has none", data.string()));
  return conversations;
}

Evaluation evaluate(const std::vector<Conversation>& conversations, const References& references,
                    std::vector<SystemAnswers> systems, const EvaluateOptions& options) {
  check_systems(conversations.size(), systems);
  Evaluation evaluation{.options = options, .n_conversations = conversations.size()};
  for (const SystemAnswers& system : systems)
    evaluation.failures.insert(evaluation.failures.end(), system.predictions.failures.begin(),
                               system.predictions.failures.end());
  const std::vector<size_t> answered = answered_by_all(conversations.size(), systems);
  if (answered.empty())
    throw Error(
        fmt::format("[evaluate] at least one of {} requests must succeed, none did; the first: {}",
                    conversations.size(),
                    evaluation.failures.empty() ? "not asked" : evaluation.failures.front().error));
  evaluation.references.names = references.names;
  evaluation.references.texts.resize(references.size());
  for (const size_t i : answered) {
    evaluation.conversations.push_back(conversations[i]);
    for (size_t r = 0; r < references.size(); r++)
      evaluation.references.texts[r].push_back(references.texts[r][i]);
  }
  const Evaluator evaluator(evaluation);
  std::vector<Row>& rows = evaluation.systems;
  for (const SystemAnswers& system : systems) {
    std::vector<const Prediction*> answers;
    for (const size_t i : answered) answers.push_back(&*system.predictions.of[i]);
    rows.push_back(evaluator.system(system.name, answers));
  }
  for (const SystemTexts& floor :
       floor_systems(evaluation.conversations, evaluation.references.texts.front(), options.seed))
    rows.push_back(evaluator.floor(floor));
  for (size_t r = 0; r < references.size(); r++) rows.push_back(evaluator.reference(r));
  add_differences(rows, options.seed);
  return evaluation;
}

}  // namespace chatmem
