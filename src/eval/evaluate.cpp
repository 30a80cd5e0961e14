#include "eval/evaluate.h"

#include <fmt/format.h>

#include <limits>

#include "base/error.h"
#include "metrics/grounding.h"
#include "text/words.h"

namespace chatmem {
namespace {

MeanScore mean_score(const std::vector<ItemScores>& items, RougeScore RougeScores::*metric,
                     uint64_t seed) {
  std::vector<double> values;
  for (const ItemScores& item : items) values.push_back((item.rouge.*metric).f1);
  return {statistics_of(values).mean, bootstrap_mean(values, {.seed = seed})};
}

void count(MentionCounts& counts, std::span<const CheckedMention> mentions) {
  counts.mentioned += int(mentions.size());
  for (const CheckedMention& mention : mentions) counts.found += mention.found;
}

SystemScores score_system(std::span<const Conversation> conversations,
                          std::span<const ChatFacts> facts, const SystemTexts& system,
                          uint64_t seed) {
  CHECK(system.texts.size() == conversations.size() && facts.size() == conversations.size());
  SystemScores scores;
  std::vector<TextPair> pairs;
  double n_words = 0;
  for (size_t i = 0; i < conversations.size(); i++) {
    pairs.push_back({conversations[i].id, system.texts[i], {conversations[i].summary}});
    n_words += count_words(system.texts[i]);
    scores.dates += judge_times(system.texts[i], facts[i]).counts;
    const Grounding grounding = ground(system.texts[i], facts[i]);
    count(scores.names, grounding.names);
    count(scores.numbers, grounding.numbers);
  }
  scores.name = system.name;
  scores.items = score_pairs(pairs);
  scores.rouge1 = mean_score(scores.items, &RougeScores::rouge1, seed);
  scores.rouge2 = mean_score(scores.items, &RougeScores::rouge2, seed);
  scores.rougeL = mean_score(scores.items, &RougeScores::rougeL, seed);
  scores.mean_words = n_words / double(conversations.size());
  return scores;
}

Speed speed_of(const Predictions& predictions) {
  std::vector<double> ttft, total;
  double tokens = 0, decode_ms = 0;
  for (const auto& prediction : predictions.of) {
    if (!prediction || prediction->total_ms <= 0) continue;
    ttft.push_back(prediction->ttft_ms);
    total.push_back(prediction->total_ms);
    if (prediction->completion_tokens < 2) continue;
    tokens += prediction->completion_tokens - 1;
    decode_ms += prediction->total_ms - prediction->ttft_ms;
  }
  return {.n = int(total.size()),
          .ttft_ms = statistics_of(ttft),
          .total_ms = statistics_of(total),
          .tokens_per_second = decode_ms > 0 ? 1000 * tokens / decode_ms : 0};
}

}  // namespace

double MentionCounts::precision() const {
  return mentioned == 0 ? std::numeric_limits<double>::quiet_NaN() : double(found) / mentioned;
}

std::vector<Conversation> read_test_set(const fs::path& data, const fs::path& as_of, int limit) {
  std::vector<Conversation> conversations = read_conversations(data);
  if (!as_of.empty()) join_as_of(conversations, as_of);
  if (limit > 0 && conversations.size() > size_t(limit))
    conversations.erase(conversations.begin() + limit, conversations.end());
  if (conversations.empty())
    throw Error(fmt::format("[evaluate] '{}' must have conversations, has none", data.string()));
  std::vector<std::string> without;
  for (const Conversation& conversation : conversations)
    if (count_words(conversation.summary) == 0) without.push_back(conversation.id);
  if (!without.empty())
    throw Error(
        fmt::format("[evaluate] each conversation must have a summary to score against, "
                    "{} of '{}' have none: {}",
                    without.size(), data.string(), fmt::join(without, ", ")));
  return conversations;
}

Evaluation evaluate(const std::vector<Conversation>& conversations, const Predictions& predictions,
                    const std::string& system_name, uint64_t seed) {
  CHECK(predictions.of.size() == conversations.size());
  std::vector<Conversation> answered;
  SystemTexts system{system_name, {}};
  for (size_t i = 0; i < conversations.size(); i++) {
    if (!predictions.of[i]) continue;
    answered.push_back(conversations[i]);
    system.texts.push_back(predictions.of[i]->text);
  }
  if (answered.empty())
    throw Error(fmt::format(
        "[evaluate] at least one of {} requests must succeed, none did; the first: {}",
        conversations.size(),
        predictions.failures.empty() ? "not asked" : predictions.failures.front().error));
  const std::vector<ChatFacts> facts(answered.begin(), answered.end());
  Evaluation evaluation;
  evaluation.systems.push_back(score_system(answered, facts, system, seed));
  for (const SystemTexts& floor : floor_systems(answered, seed))
    evaluation.systems.push_back(score_system(answered, facts, floor, seed));
  evaluation.speed = speed_of(predictions);
  evaluation.failures = predictions.failures;
  evaluation.n_conversations = conversations.size();
  return evaluation;
}

}  // namespace chatmem
