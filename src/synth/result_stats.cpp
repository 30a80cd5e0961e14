#include "synth/result_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "base/progress.h"
#include "base/random.h"
#include "metrics/statistics.h"
#include "synth/date_mentions.h"
#include "text/words.h"

namespace chatmem {
namespace {

constexpr int kOverlapPairs = 2000;
constexpr size_t kOpenings = 5, kOpeningWords = 4;

Quartiles quartiles_of(std::vector<double> values) {
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

void count_dates(const Conversation& conversation, ResultStats& stats) {
  const std::vector<Date> days = conversation.days();
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

void measure_diversity(const StoredResults& folder, ResultStats& stats) {
  std::unordered_map<std::string, int64_t> openings;
  std::unordered_set<uint64_t> ones, twos;
  int64_t n_ones = 0, n_twos = 0;
  std::vector<std::vector<uint64_t>> sets;
  for (const ResultRow& row : folder.rows) {
    const std::vector<std::string> words = words_of(row.conversation.summary);
    for (size_t i = 0; i < words.size(); i++) {
      ones.insert(hash64(words[i]));
      if (i > 0) twos.insert(hash64(words[i], hash64(" ", hash64(words[i - 1]))));
    }
    n_ones += int64_t(words.size());
    n_twos += words.empty() ? 0 : int64_t(words.size()) - 1;
    const auto end = words.begin() + long(std::min(words.size(), kOpeningWords));
    openings[fmt::format("{}", fmt::join(words.begin(), end, " "))]++;
    sets.push_back(word_set(words));
  }
  stats.openings = most_frequent({openings.begin(), openings.end()}, kOpenings);
  stats.distinct_1 = n_ones ? double(ones.size()) / double(n_ones) : 0;
  stats.distinct_2 = n_twos ? double(twos.size()) / double(n_twos) : 0;
  if (sets.size() < 2) return;
  Random random(1);
  for (int i = 0; i < kOverlapPairs; i++) {
    const size_t a = random.below(sets.size());
    const size_t b = (a + 1 + random.below(sets.size() - 1)) % sets.size();
    stats.self_overlap += overlap(sets[a], sets[b]) / kOverlapPairs;
  }
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

ResultStats result_stats(const StoredResults& folder) {
  ResultStats stats;
  stats.rows = int64_t(folder.rows.size());
  stats.errors = folder.errors;
  stats.unreadable = int64_t(folder.unreadable.size());
  stats.errors_by_reason = most_frequent(
      {folder.errors_by_reason.begin(), folder.errors_by_reason.end()}, folder.rows.max_size());
  std::vector<double> conversations, messages, days, spans, words;
  for (const ResultRow& row : folder.rows) {
    const std::vector<Date> dates = row.conversation.days();
    conversations.push_back(row.n_conversations);
    messages.push_back(double(row.conversation.messages.size()));
    days.push_back(double(dates.size()));
    spans.push_back(dates.empty() ? 0 : double((dates.back() - dates.front()).count()));
    words.push_back(count_words(row.conversation.summary));
    stats.messages += int64_t(row.conversation.messages.size());
    stats.relative_summaries += speaks_relatively(row.conversation.summary);
    count_dates(row.conversation, stats);
  }
  stats.conversations = quartiles_of(std::move(conversations));
  stats.messages_a_row = quartiles_of(std::move(messages));
  stats.days = quartiles_of(std::move(days));
  stats.span_days = quartiles_of(std::move(spans));
  stats.summary_words = quartiles_of(std::move(words));
  measure_diversity(folder, stats);
  return stats;
}

std::string format_stats(const ResultStats& stats) {
  std::string text = fmt::format("{} rows, {} messages, {} errors\n", format_count(stats.rows),
                                 format_count(stats.messages), format_count(stats.errors));
  for (const auto& [reason, count] : stats.errors_by_reason)
    text += fmt::format("  {:>6}  {}\n", format_count(count), reason);
  if (stats.unreadable)
    text += fmt::format("{} files could not be read\n", format_count(stats.unreadable));
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
  text += fmt::format("relative time in    {:.1f}% of summaries\n",
                      share(stats.relative_summaries, stats.rows));
  text += fmt::format("distinct-1, -2      {:.3f}, {:.3f}; two summaries share {:.1f}% of words\n",
                      stats.distinct_1, stats.distinct_2, stats.self_overlap * 100);
  text += "most frequent openings\n";
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
