// The rouge verb: texts of two JSONL files, paired and scored.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "eval/scores.h"

namespace chatmem {

// "FILE.jsonl:key": the texts under a key of a JSONL file.
struct TextSource {
  fs::path path;
  std::string key;
  std::string name() const { return path.string() + ":" + key; }
};
// Throws Error (usage) when there is no key. The key is what follows the last colon.
TextSource parse_text_source(std::string_view argument);

struct TextRow {
  std::optional<std::string> id;  // from the key "id": a string, or an integer in digits
  std::string text;
  size_t line = 0;
};
// Throws Error with file and line when the key is missing or not a string, an id comes twice, or
// only some of the rows have ids; and for a file without rows.
std::vector<TextRow> read_text_rows(const TextSource& source);

struct TextPair {
  std::string id;  // the number of the row, from 1, where the files have no ids
  std::string prediction, reference;
};
// In the order of the references. By id when both sources have ids: then both must have the same
// ones; else by order: then both must have as many rows.
std::vector<TextPair> pair_texts(const TextSource& predictions, const TextSource& references);

std::vector<ItemScores> score_pairs(const std::vector<TextPair>& pairs,
                                    Stemming stemming = Stemming::on);

struct RougeFilesOptions {
  TextSource predictions, references;
  Stemming stemming = Stemming::on;
  fs::path csv;  // empty: not written
};
std::vector<ItemScores> rouge_files(const RougeFilesOptions& options);

}  // namespace chatmem
