#include "synth/result_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/hash.h"
#include "base/progress.h"
#include "base/random.h"
#include "metrics/statistics.h"
#include "synth/date_mentions.h"
#include "text/words.h"

namespace chatmem {
namespace {

constexpr int kOverlapPairs = 2000;
constexpr size_t kOverlapRows = 2000;
constexpr size_t kFresh = size_t(1) << 16;
constexpr size_t kOpenings = 5, kOpeningWords = 4;

Quartiles quartiles_of(const std::vector<int>& numbers) {
  std::vector<double> values(numbers.begin(), numbers.end());
  std::sort(values.begin(), values.end());
  return {quantile(values, 0), quantile(values, 0.25), quantile(values, 0.5),
          quantile(values, 0.75), quantile(values, 1)};
}

using Counts = std::vector<std::pair<std::string, int64_t>>;

Counts most_frequent(Counts counts, size_t limit) {
  std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (counts.size() > limit) counts.resize(limit);
  return counts;
}

bool speaks_relatively(std::string_view summary) {
  static constexpr std::array<std::string_view, 12> kPhrases = {
      " ago ",        " yesterday ",    " last week ",  " last month ",
      " last night ", " earlier this ", " just today ", " earlier today ",
      " last year ",  " last weekend ", " this week ",  " this month "};
  const std::string text = fmt::format(" {} ", fmt::join(words_of(summary), " "));
  return std::any_of(kPhrases.begin(), kPhrases.end(),
                     [&](std::string_view phrase) { return text.find(phrase) != text.npos; });
}

void count_dates(const Conversation& conversation, const std::vector<Date>& days,
                 ResultStats& stats) {
  bool named = false;
  for (const DateMention& mention : date_mentions(conversation.summary)) {
    if (conversation.as_of && mention.may_be(*conversation.as_of)) {
      named = true;
      continue;
    }
    stats.dates++;
    stats.dates_found +=
        std::any_of(days.begin(), days.end(), [&](Date day) { return mention.may_be(day); });
  }
  stats.with_today += conversation.as_of.has_value();
  stats.today_named += named;
}

// Sorted hashes of a text's words, each once.
std::vector<uint64_t> word_set(const std::vector<std::string>& words) {
  std::vector<uint64_t> set;
  for (const std::string& word : words) set.push_back(hash64(word));
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  return set;
}

double overlap(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  std::vector<uint64_t> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  const size_t all = a.size() + b.size() - common.size();
  return all ? double(common.size()) / double(all) : 0;
}

double share(int64_t part, int64_t all) { return all ? 100.0 * double(part) / double(all) : 0; }

// NaN is no JSON.
Json quartiles_json(const Quartiles& q) {
  if (std::isnan(q.min)) return nullptr;
  return {{"min", q.min}, {"q1", q.q1}, {"median", q.median}, {"q3", q.q3}, {"max", q.max}};
}

Json counts_json(const Counts& counts) {
  Json list = Json::array();
  for (const auto& [text, count] : counts) list.push_back({{"text", text}, {"count", count}});
  return list;
}

}  // namespace

void DistinctCount::add(uint64_t hash) {
  fresh_.push_back(hash);
  if (fresh_.size() >= std::max(kFresh, sorted_.size() / 2)) merge();
}

int64_t DistinctCount::count() {
  merge();
  return int64_t(sorted_.size());
}

void DistinctCount::merge() {
  std::sort(fresh_.begin(), fresh_.end());
  const auto middle = long(sorted_.size());
  sorted_.insert(sorted_.end(), fresh_.begin(), fresh_.end());
  std::inplace_merge(sorted_.begin(), sorted_.begin() + middle, sorted_.end());
  sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
  fresh_.clear();
}

void ResultStatsBuilder::add(const ResultRow& row) {
  const Conversation& conversation = row.conversation;
  const std::vector<Date> dates = conversation.days();
  stats_.rows++;
  stats_.messages += int64_t(conversation.messages.size());
  conversations_.push_back(row.n_conversations);
  messages_.push_back(int(conversation.messages.size()));
  days_.push_back(int(dates.size()));
  spans_.push_back(dates.empty() ? 0 : int((dates.back() - dates.front()).count()));
  summary_words_.push_back(count_words(conversation.summary));
  stats_.relative_summaries += speaks_relatively(conversation.summary);
  count_dates(conversation, dates, stats_);
  add_diversity(conversation);
}

void ResultStatsBuilder::add_errors(const std::string& reason, int64_t count) {
  stats_.errors += count;
  reasons_[reason] += count;
}

void ResultStatsBuilder::add_diversity(const Conversation& conversation) {
  const std::vector<std::string> words = words_of(conversation.summary);
  for (size_t i = 0; i < words.size(); i++) {
    ones_.add(hash64(words[i]));
    if (i > 0) twos_.add(hash64(words[i], hash64(" ", hash64(words[i - 1]))));
  }
  n_ones_ += int64_t(words.size());
  n_twos_ += words.empty() ? 0 : int64_t(words.size()) - 1;
  const auto end = words.begin() + long(std::min(words.size(), kOpeningWords));
  openings_[fmt::format("{}", fmt::join(words.begin(), end, " "))]++;
  const uint64_t rank = hash64(conversation.id);
  if (sample_.size() == kOverlapRows) {
    if (rank >= sample_.front().rank) return;
    std::pop_heap(sample_.begin(), sample_.end());
    sample_.pop_back();
  }
  sample_.push_back({rank, word_set(words)});
  std::push_heap(sample_.begin(), sample_.end());
}

double ResultStatsBuilder::self_overlap() {
  const size_t n = sample_.size();
  if (n < 2) return 0;
  std::sort(sample_.begin(), sample_.end());
  Random random(1);
  double sum = 0;
  for (int i = 0; i < kOverlapPairs; i++) {
    const size_t a = random.below(n);
    const size_t b = (a + 1 + random.below(n - 1)) % n;
    sum += overlap(sample_[a].words, sample_[b].words);
  }
  return sum / kOverlapPairs;
}

ResultStats ResultStatsBuilder::finish() {
  stats_.errors_by_reason = most_frequent({reasons_.begin(), reasons_.end()}, reasons_.size());
  stats_.conversations = quartiles_of(conversations_);
  stats_.messages_a_row = quartiles_of(messages_);
  stats_.days = quartiles_of(days_);
  stats_.span_days = quartiles_of(spans_);
  stats_.summary_words = quartiles_of(summary_words_);
  stats_.openings = most_frequent({openings_.begin(), openings_.end()}, kOpenings);
  stats_.distinct_1 = n_ones_ ? double(ones_.count()) / double(n_ones_) : 0;
  stats_.distinct_2 = n_twos_ ? double(twos_.count()) / double(n_twos_) : 0;
  stats_.self_overlap = self_overlap();
  return std::move(stats_);
}

ResultStats folder_stats(const fs::path& folder) {
  ResultStatsBuilder builder;
  const StoredResults results =
      read_stored_results(folder, [&](const ResultRow& row) { builder.add(row); });
  for (const auto& [reason, count] : results.errors_by_reason) builder.add_errors(reason, count);
  ResultStats stats = builder.finish();
  stats.unreadable = results.unreadable;
  stats.first_unreadable = results.first_unreadable;
  return stats;
}

std::string format_stats(const ResultStats& stats) {
  std::string text = fmt::format("{} rows, {} messages, {} errors\n", format_count(stats.rows),
                                 format_count(stats.messages), format_count(stats.errors));
  for (const auto& [reason, count] : stats.errors_by_reason)
    text += fmt::format("  {:>6}  {}\n", format_count(count), reason);
  if (stats.unreadable)
    text += fmt::format("{} file{} could not be read\n", format_count(stats.unreadable),
                        stats.unreadable == 1 ? "" : "s");
  for (const std::string& what : stats.first_unreadable) text += fmt::format("  {}\n", what);
  if (stats.rows == 0) return text;
  text += fmt::format("\n{:20}{:>8}{:>8}{:>8}{:>8}{:>8}\n", "a row", "min", "25%", "median", "75%",
                      "max");
  const auto line = [&](std::string_view name, const Quartiles& q) {
    text += fmt::format("{:20}{:8.0f}{:8.0f}{:8.0f}{:8.0f}{:8.0f}\n", name, q.min, q.q1, q.median,
                        q.q3, q.max);
  };
  line("conversations", stats.conversations);
  line("messages", stats.messages_a_row);
  line("days with messages", stats.days);
  line("span in days", stats.span_days);
  line("words of summary", stats.summary_words);
  text += fmt::format("\ntoday named in      {:.1f}% of {} summaries\n",
                      share(stats.today_named, stats.with_today), format_count(stats.with_today));
  text += fmt::format("other dates         {} named, {:.1f}% are days of messages\n",
                      format_count(stats.dates), share(stats.dates_found, stats.dates));
  text += fmt::format("relative time in    {:.1f}% of summaries (\"two months ago\")\n",
                      share(stats.relative_summaries, stats.rows));
  text +=
      fmt::format("different           {:.1f}% of the summaries' words, {:.1f}% of word pairs\n",
                  stats.distinct_1 * 100, stats.distinct_2 * 100);
  text +=
      fmt::format("two summaries       share {:.1f}% of their words\n", stats.self_overlap * 100);
  text += "summaries begin most often with\n";
  for (const auto& [opening, count] : stats.openings)
    text += fmt::format("  {:>5.1f}%  {}\n", share(count, stats.rows), opening);
  return text;
}

Json stats_json(const ResultStats& stats) {
  return {{"rows", stats.rows},
          {"messages", stats.messages},
          {"errors", stats.errors},
          {"unreadable", stats.unreadable},
          {"errors_by_reason", counts_json(stats.errors_by_reason)},
          {"conversations_a_row", quartiles_json(stats.conversations)},
          {"messages_a_row", quartiles_json(stats.messages_a_row)},
          {"days_a_row", quartiles_json(stats.days)},
          {"span_days", quartiles_json(stats.span_days)},
          {"summary_words", quartiles_json(stats.summary_words)},
          {"with_today", stats.with_today},
          {"today_named", stats.today_named},
          {"dates", stats.dates},
          {"dates_found", stats.dates_found},
          {"relative_summaries", stats.relative_summaries},
          {"openings", counts_json(stats.openings)},
          {"distinct_1", stats.distinct_1},
          {"distinct_2", stats.distinct_2},
          {"self_overlap", stats.self_overlap}};
}

}  // namespace chatmem
