// chatmem generate: a CSV of dialogues to dated conversations with personal summaries. The files
// are described in docs/formats.md.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "llm/llm_access.h"
#include "synth/expansion.h"
#include "synth/hygiene.h"
#include "synth/provider.h"

namespace chatmem {

constexpr int64_t kAllRows = -1;

// Of the providers that ask a language model.
struct AskOptions : LlmAccess {
  AnswerFormat format = AnswerFormat::json;
  int max_tokens = 16'000;
  std::optional<double> temperature;
  std::optional<fs::path> tokenizer;  // counts tokens for estimates where the API does not
  bool batch = false;                 // Message Batches, at half the price
  bool retry_errors = false;          // rows that an earlier run left in errors/ are tried again
};

struct GenerateOptions {
  fs::path input;  // CSV with the columns id, dialogue, summary, topic
  fs::path output = "transformed_conversations";
  std::string provider = "anthropic";  // anthropic, openai, offline
  int64_t rows = 2;                    // the first so many rows of the file; kAllRows for all
  uint64_t seed = 0;
  int year = 2024;
  bool skip_duplicates = false;  // leaves out dialogues that an earlier row has, or nearly has
  bool force = false;            // empties a folder that holds the result of another run first
  int threads = 0;               // of offline; 0: as many as the machine has
  AskOptions ask;
  std::optional<SplitShares> split;         // writes splits/ beside the whole
  std::string license;                      // of the input, for the dataset card
  std::string version;                      // of chatmem, likewise
  std::vector<std::string> arguments;       // of the command line, likewise
  const std::atomic<bool>* stop = nullptr;  // set: ends as soon as what is in flight has come
};

struct GenerateReport {
  int64_t rows = 0;       // chosen
  int64_t succeeded = 0;  // in the folder, those of earlier runs included
  int64_t failed = 0;     // likewise
  int64_t kept = 0;       // of them, done by earlier runs
  int64_t left = 0;       // neither: the run ended before them
  int64_t duplicates = 0, left_out = 0;
  int64_t near_duplicates = 0;     // rows nearly the same as an earlier one, exact ones aside
  std::vector<std::string> leaks;  // pairs of the same dialogue across splits: there must be none
  std::vector<std::string> first_failed, first_duplicates;  // ids
  double seconds = 0;
  uint64_t fingerprint = 0;  // of training_data.jsonl
  std::string end_reason, end_hint;
  // Of the folder's whole life; none without a price.
  std::optional<double> spent_usd;
};

// Throws Error for what concerns the whole run; a row that cannot be used goes to errors/ and is
// counted. Run again in the same folder it goes on where it was: same input, options and answers,
// same bytes.
GenerateReport generate(const GenerateOptions& options);

// What a run would do and cost, without sending a request that costs.
struct GenerateEstimate {
  int64_t rows = 0, left_out = 0, to_ask = 0;
  std::string model;
  int64_t input_tokens = 0, output_tokens_low = 0, output_tokens_high = 0;
  std::string counted_by;  // "count_tokens of 20 rows", "bytes / 3.5"
  std::optional<double> usd_low, usd_high;
  double seconds_low = 0, seconds_high = 0;
};
GenerateEstimate estimate_generate(const GenerateOptions& options);

// All rows of the input. Throws Error for the same id twice, an empty id, no row.
std::vector<SourceRow> read_source_rows(const fs::path& path);

}  // namespace chatmem
