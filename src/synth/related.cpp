#include "synth/related.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "synth/dialogue.h"
#include "text/words.h"

namespace chatmem {
namespace {

// A term in more rows than this share says little, and its postings cost the most.
constexpr double kCommonShare = 0.06;
constexpr size_t kQueryTerms = 24;
constexpr float kSameTopicBonus = 0.15f;
constexpr float kMinSimilarity = 0.06f;

std::map<std::string, int> term_counts(std::string_view text) {
  std::map<std::string, int> counts;
  for (const std::string& word : words_of(text))
    if (word.size() > 2 && !is_stopword(word) && !word.starts_with("person"))
      counts[base_form(word)]++;
  return counts;
}

void normalize(TermVector& vector) {
  double sum = 0;
  for (const auto& [_, w] : vector.weights) sum += double(w) * w;
  if (sum <= 0) return;
  const float scale = float(1 / std::sqrt(sum));
  for (auto& [_, w] : vector.weights) w *= scale;
}

}  // namespace

float cosine(const TermVector& a, const TermVector& b) {
  float sum = 0;
  auto i = a.weights.begin();
  auto j = b.weights.begin();
  while (i != a.weights.end() && j != b.weights.end()) {
    if (i->first < j->first)
      i++;
    else if (j->first < i->first)
      j++;
    else
      sum += (i++)->second * (j++)->second;
  }
  return sum;
}

RelatedIndex::RelatedIndex(const std::vector<SourceRow>& rows) {
  std::vector<std::map<std::string, int>> counts;
  std::vector<int> df;
  std::unordered_map<std::string, int> classes;
  for (const SourceRow& row : rows) {
    counts.push_back(term_counts(row.dialogue + '\n' + row.topic));
    for (const auto& [term, _] : counts.back()) {
      const auto [it, added] = terms_.try_emplace(term, int(df.size()));
      if (added) df.push_back(0);
      df[size_t(it->second)]++;
    }
    topic_of_.push_back(normalized_dialogue(row.topic));
    const int index = int(class_.size());
    if (!topic_of_.back().empty()) topics_[topic_of_.back()].push_back(index);
    class_.push_back(classes.try_emplace(normalized_dialogue(row.dialogue), index).first->second);
  }
  for (const int n : df) idf_.push_back(float(std::log(double(rows.size() + 1) / n)));
  postings_.resize(df.size());
  for (size_t row = 0; row < rows.size(); row++) {
    TermVector vector;
    for (const auto& [term, count] : counts[row]) {
      const int id = terms_.at(term);
      vector.weights.emplace_back(id, float(1 + std::log(double(count))) * idf_[size_t(id)]);
    }
    std::sort(vector.weights.begin(), vector.weights.end());
    normalize(vector);
    for (const auto& [id, w] : vector.weights)
      if (df[size_t(id)] <= std::max(50.0, kCommonShare * double(rows.size())))
        postings_[size_t(id)].emplace_back(int(row), w);
    vectors_.push_back(std::move(vector));
  }
}

TermVector RelatedIndex::vector_of(const std::string& text) const {
  TermVector vector;
  for (const auto& [term, count] : term_counts(text))
    if (const auto it = terms_.find(term); it != terms_.end())
      vector.weights.emplace_back(it->second,
                                  float(1 + std::log(double(count))) * idf_[size_t(it->second)]);
  std::sort(vector.weights.begin(), vector.weights.end());
  normalize(vector);
  return vector;
}

std::vector<RelatedIndex::Match> RelatedIndex::related(int row, int limit) const {
  std::vector<std::pair<int, float>> query = vectors_[size_t(row)].weights;
  std::sort(query.begin(), query.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (query.size() > kQueryTerms) query.resize(kQueryTerms);
  std::unordered_map<int, float> partial;
  for (const auto& [term, weight] : query)
    for (const auto& [other, w] : postings_[size_t(term)]) partial[other] += weight * w;
  const std::string& topic = topic_of_[size_t(row)];
  if (const auto it = topics_.find(topic); it != topics_.end())
    for (const int other : it->second) partial.try_emplace(other, 0.0f);
  std::vector<Match> matches;
  for (const auto& [other, approximate] : partial) {
    const bool same = topic_of_[size_t(other)] == topic && !topic.empty();
    if (class_[size_t(other)] == class_[size_t(row)] || (!same && approximate < kMinSimilarity))
      continue;
    matches.push_back({other, approximate + (same ? kSameTopicBonus : 0), same});
  }
  std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
  });
  std::vector<Match> best;
  for (const Match& match : matches) {
    if (int(best.size()) == limit) break;
    const bool repeated = std::any_of(best.begin(), best.end(), [&](const Match& other) {
      return class_[size_t(other.row)] == class_[size_t(match.row)];
    });
    if (!repeated) best.push_back(match);
  }
  return best;
}

}  // namespace chatmem
