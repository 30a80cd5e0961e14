#include "eval/rouge_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <unordered_map>

#include "base/csv.h"
#include "base/error.h"
#include "base/json.h"

namespace chatmem {
namespace {

std::optional<std::string> id_of(const Json& row, std::string_view where) {
  const auto it = row.find("id");
  if (it == row.end() || it->is_null()) return std::nullopt;
  if (it->is_string()) return it->get<std::string>();
  if (it->is_number_integer()) return it->dump();
  throw Error(fmt::format("[rouge] {}: key 'id' must be a string or an integer, is {}", where,
                          it->type_name()));
}

using RowsById = std::unordered_map<std::string, size_t>;

RowsById by_id(const std::vector<TextRow>& rows) {
  RowsById map;
  for (size_t i = 0; i < rows.size(); i++) map.emplace(*rows[i].id, i);
  return map;
}

// Names what is in one source and not in the other.
void refuse_missing(const std::vector<TextRow>& rows, const RowsById& others,
                    const TextSource& missing_from) {
  std::vector<std::string> missing;
  for (const TextRow& row : rows)
    if (!others.contains(*row.id)) missing.push_back(*row.id);
  if (missing.empty()) return;
  const size_t n = missing.size();
  if (n > 5) missing.resize(5);
  throw Error(fmt::format("[rouge] both files must have the same ids, '{}' lacks {}: {}{}",
                          missing_from.path.string(), n, fmt::join(missing, ", "),
                          n > 5 ? ", ..." : ""));
}

bool has_ending(const TextSource& source, std::string_view ending) {
  return source.path.extension() == ending;
}

// Collects rows with the rules of their ids.
class RowCollector {
 public:
  explicit RowCollector(const TextSource& source) : path_(source.path.string()) {}

  std::string where(size_t line) const { return fmt::format("'{}', line {}", path_, line); }
  void add(TextRow row) {
    if (!rows_.empty() && rows_.front().id.has_value() != row.id.has_value())
      throw Error(
          fmt::format("[rouge] all rows must have an 'id' or none, line {} {} and line {} "
                      "{}: '{}'",
                      rows_.front().line, rows_.front().id ? "has" : "has none", row.line,
                      row.id ? "has" : "has none", path_));
    if (row.id) {
      const auto [first, is_new] = line_of_id_.emplace(*row.id, row.line);
      if (!is_new)
        throw Error(fmt::format("[rouge] an id must come once, '{}' is also on line {}: {}",
                                *row.id, first->second, where(row.line)));
    }
    rows_.push_back(std::move(row));
  }
  std::vector<TextRow> take() {
    if (rows_.empty()) throw Error(fmt::format("[rouge] '{}' must have rows, has none", path_));
    return std::move(rows_);
  }

 private:
  std::string path_;
  std::vector<TextRow> rows_;
  std::unordered_map<std::string, size_t> line_of_id_;
};

// For each of the references the prediction that belongs to it.
std::vector<size_t> partners(const std::vector<TextRow>& ours, const TextSource& predictions,
                             const std::vector<TextRow>& theirs, const TextSource& references) {
  std::vector<size_t> of(theirs.size());
  if (ours.front().id && theirs.front().id) {
    const RowsById by_our_id = by_id(ours);
    refuse_missing(theirs, by_our_id, predictions);
    refuse_missing(ours, by_id(theirs), references);
    for (size_t i = 0; i < theirs.size(); i++) of[i] = by_our_id.at(*theirs[i].id);
    return of;
  }
  if (ours.size() != theirs.size())
    throw Error(fmt::format(
        "[rouge] files without ids must have as many rows, '{}' has {} and "
        "'{}' has {}",
        predictions.path.string(), ours.size(), references.path.string(), theirs.size()));
  std::iota(of.begin(), of.end(), size_t(0));
  return of;
}

// The first of equal ones.
size_t best_reference(std::span<const RougeScores> scores, const RougeMetric& metric) {
  size_t best = 0;
  for (size_t i = 1; i < scores.size(); i++)
    if ((scores[i].*metric.score).f1 > (scores[best].*metric.score).f1) best = i;
  return best;
}

RougeScore mean_of_scores(std::span<const RougeScores> scores, const RougeMetric& metric) {
  RougeScore mean;
  for (const RougeScores& one : scores) {
    mean.precision += (one.*metric.score).precision / double(scores.size());
    mean.recall += (one.*metric.score).recall / double(scores.size());
    mean.f1 += (one.*metric.score).f1 / double(scores.size());
  }
  return mean;
}

RougeScores combined(std::span<const RougeScores> scores, const ScoreOptions& options) {
  if (scores.size() == 1) return scores.front();
  if (options.rule == ReferenceRule::best_by_one)
    return scores[best_reference(scores, kRougeMetrics[options.best_by])];
  RougeScores result;
  for (const RougeMetric& metric : kRougeMetrics)
    result.*metric.score = options.rule == ReferenceRule::mean
                               ? mean_of_scores(scores, metric)
                               : scores[best_reference(scores, metric)].*metric.score;
  return result;
}

void score_some(std::span<const TextPair> pairs, const ScoreOptions& options,
                std::span<ItemScores> items) {
  RougeScorer scorer(options.rouge);
  std::vector<RougeScores> scores;
  for (size_t i = 0; i < pairs.size(); i++) {
    scores.clear();
    for (const std::string& reference : pairs[i].references)
      scores.push_back(scorer.score(pairs[i].prediction, reference));
    items[i] = {pairs[i].id, combined(scores, options)};
  }
}

}  // namespace

TextSource parse_text_source(std::string_view argument) {
  const size_t colon = argument.rfind(':');
  const std::string_view key = colon == argument.npos ? "" : argument.substr(colon + 1);
  const bool keyed = colon != argument.npos && key.find('/') == key.npos;
  const TextSource source{fs::path(keyed ? argument.substr(0, colon) : argument), std::string(key)};
  const bool needs_key = keyed || has_ending(source, ".jsonl") || has_ending(source, ".csv");
  if (source.path.empty() || (needs_key && (!keyed || key.empty())))
    throw Error(fmt::format("[rouge] a source must be FILE.jsonl:key, FILE.csv:column or a file "
                            "with a text a line, is '{}'",
                            argument),
                "for example test_truth.jsonl:summary", kUsage);
  return keyed ? source : TextSource{source.path, ""};
}

std::vector<TextRow> read_text_rows(const TextSource& source) {
  RowCollector rows(source);
  if (source.key.empty()) {
    for_each_line(source.path, [&](std::string_view text, size_t line) {
      rows.add({std::nullopt, std::string(text), line});
    });
  } else if (has_ending(source, ".csv")) {
    const std::vector<std::string> header = csv_header(source.path);
    std::vector<std::string> columns = {source.key};
    const bool ids = std::find(header.begin(), header.end(), "id") != header.end();
    if (ids) columns.push_back("id");
    for_each_csv_row(source.path, columns, [&](CsvRow& row) {
      auto id = ids ? std::optional(std::move(row.fields[1])) : std::nullopt;
      rows.add({std::move(id), std::move(row.fields[0]), row.line});
    });
  } else {
    for_each_json_line(source.path, [&](Json& json, size_t line) {
      const std::string where = rows.where(line);
      rows.add({id_of(json, where), json_string(json, source.key, where), line});
    });
  }
  return rows.take();
}

std::vector<TextPair> pair_texts(const TextSource& predictions,
                                 std::span<const TextSource> references) {
  CHECK(!references.empty());
  std::vector<TextRow> ours = read_text_rows(predictions);
  std::vector<TextPair> pairs;
  std::vector<size_t> pair_of(ours.size());  // by the place of the prediction
  for (const TextSource& source : references) {
    std::vector<TextRow> theirs = read_text_rows(source);
    const std::vector<size_t> of = partners(ours, predictions, theirs, source);
    for (size_t i = 0; i < theirs.size(); i++) {
      TextRow& our = ours[of[i]];
      if (&source == references.data()) {
        const auto& id = theirs[i].id ? theirs[i].id : our.id;
        pair_of[of[i]] = pairs.size();
        pairs.push_back({id.value_or(std::to_string(i + 1)), std::move(our.text), {}});
      }
      pairs[pair_of[of[i]]].references.push_back(std::move(theirs[i].text));
    }
  }
  return pairs;
}

std::vector<ItemScores> score_pairs(std::span<const TextPair> pairs, const ScoreOptions& options) {
  CHECK(options.n_threads >= 1);
  std::vector<ItemScores> items(pairs.size());
  // Each thread gets a stretch and a vocabulary of its own.
  const size_t n = std::min(size_t(options.n_threads), std::max<size_t>(1, pairs.size()));
  std::vector<std::future<void>> others;
  const auto stretch = [&](size_t k) {
    const size_t begin = pairs.size() * k / n, size = pairs.size() * (k + 1) / n - begin;
    score_some(pairs.subspan(begin, size), options, std::span(items).subspan(begin, size));
  };
  for (size_t k = 1; k < n; k++) others.push_back(std::async(std::launch::async, stretch, k));
  stretch(0);
  for (std::future<void>& other : others) other.get();
  return items;
}

}  // namespace chatmem
