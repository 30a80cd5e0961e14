#include "eval/rouge_files.h"

#include <fmt/format.h>

#include <unordered_map>

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

using RowsById = std::unordered_map<std::string, const TextRow*>;

RowsById by_id(const std::vector<TextRow>& rows) {
  RowsById map;
  for (const TextRow& row : rows) map.emplace(*row.id, &row);
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

}  // namespace

TextSource parse_text_source(std::string_view argument) {
  const size_t colon = argument.rfind(':');
  if (colon == argument.npos || colon == 0 || colon + 1 == argument.size())
    throw Error(fmt::format("[rouge] a source must be FILE.jsonl:key, is '{}'", argument),
                "for example test_truth.jsonl:summary", kUsage);
  return {fs::path(argument.substr(0, colon)), std::string(argument.substr(colon + 1))};
}

std::vector<TextRow> read_text_rows(const TextSource& source) {
  std::vector<TextRow> rows;
  std::unordered_map<std::string, size_t> line_of_id;
  for_each_json_line(source.path, [&](Json& json, size_t line) {
    const std::string where = fmt::format("'{}', line {}", source.path.string(), line);
    TextRow row{id_of(json, where), json_string(json, source.key, where), line};
    if (!rows.empty() && rows.front().id.has_value() != row.id.has_value())
      throw Error(
          fmt::format("[rouge] all rows must have an 'id' or none, line {} {} and line {} "
                      "{}: '{}'",
                      rows.front().line, rows.front().id ? "has" : "has none", line,
                      row.id ? "has" : "has none", source.path.string()));
    if (row.id) {
      const auto [first, is_new] = line_of_id.emplace(*row.id, line);
      if (!is_new)
        throw Error(fmt::format("[rouge] an id must come once, '{}' is also on line {}: {}",
                                *row.id, first->second, where));
    }
    rows.push_back(std::move(row));
  });
  if (rows.empty())
    throw Error(fmt::format("[rouge] '{}' must have rows, has none", source.path.string()));
  return rows;
}

std::vector<TextPair> pair_texts(const TextSource& predictions, const TextSource& references) {
  const std::vector<TextRow> ours = read_text_rows(predictions),
                             theirs = read_text_rows(references);
  std::vector<TextPair> pairs;
  if (ours.front().id && theirs.front().id) {
    const RowsById by_our_id = by_id(ours);
    refuse_missing(theirs, by_our_id, predictions);
    refuse_missing(ours, by_id(theirs), references);
    for (const TextRow& row : theirs)
      pairs.push_back({*row.id, by_our_id.at(*row.id)->text, row.text});
    return pairs;
  }
  if (ours.size() != theirs.size())
    throw Error(fmt::format(
        "[rouge] files without ids must have as many rows, '{}' has {} and "
        "'{}' has {}",
        predictions.path.string(), ours.size(), references.path.string(), theirs.size()));
  for (size_t i = 0; i < ours.size(); i++) {
    const std::optional<std::string>& id = theirs[i].id ? theirs[i].id : ours[i].id;
    pairs.push_back({id.value_or(std::to_string(i + 1)), ours[i].text, theirs[i].text});
  }
  return pairs;
}

std::vector<ItemScores> score_pairs(const std::vector<TextPair>& pairs, Stemming stemming) {
  RougeScorer scorer(stemming);
  std::vector<ItemScores> items;
  items.reserve(pairs.size());
  for (const TextPair& pair : pairs)
    items.push_back({pair.id, scorer.score(pair.prediction, pair.reference)});
  return items;
}

std::vector<ItemScores> rouge_files(const RougeFilesOptions& options) {
  std::vector<ItemScores> items =
      score_pairs(pair_texts(options.predictions, options.references), options.stemming);
  if (!options.csv.empty()) write_file_atomic(options.csv, scores_csv(items));
  return items;
}

}  // namespace chatmem
