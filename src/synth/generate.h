// chatmem generate: a CSV of dialogues to dated conversations with personal summaries. The files
// are described in docs/formats.md.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "synth/provider.h"

namespace chatmem {

struct GenerateOptions {
  fs::path input;  // CSV with the columns id, dialogue, summary, topic
  fs::path output = "transformed_conversations";
  std::string provider = "offline";
  int64_t rows = 2;  // the first so many rows of the file; kAllRows for all
  uint64_t seed = 0;
  int year = 2024;
  bool skip_duplicates = false;  // leaves out dialogues that an earlier row has
  bool force = false;            // empties a folder that holds the result of another run first
  int threads = 0;               // 0: as many as the machine has
};
constexpr int64_t kAllRows = -1;

struct GenerateReport {
  int64_t rows = 0, succeeded = 0, failed = 0, duplicates = 0, left_out = 0;
  std::vector<std::string> first_failed, first_duplicates;  // ids
  double seconds = 0;
  uint64_t fingerprint = 0;  // of training_data.jsonl
};

// Throws Error for what concerns the whole run; a row that cannot be used goes to errors/ and is
// counted. Same input and options, same bytes. Run again in the same folder it writes the same
// files; more rows continue it.
GenerateReport generate(const GenerateOptions& options);

// An id as a part of a file name: everything but letters, digits, "_" and "-" percent-encoded, and
// "." too, so that no id can name another folder.
std::string encoded_id(std::string_view id);

// All rows of the input. Throws Error for the same id twice, an empty id, no row.
std::vector<SourceRow> read_source_rows(const fs::path& path);

}  // namespace chatmem
