// Training examples: encoded conversations, their shards on disk, their split and their packing.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "text/prompt.h"

namespace chatmem {

// What a data set was encoded with; must fit the model that trains on it.
struct DatasetInfo {
  std::string prompt_template;  // "temporal", "seed", "chat", "completion", "tokens"
  std::string tokenizer;        // Tokenizer::fingerprint() in hex; empty where it is not known
  int vocab_size = 0;
  int max_tokens = 0;  // no example is longer
  int n_split = 0;     // records that were too long and became several examples
};

struct Dataset {
  DatasetInfo info;
  std::vector<Example> examples;
};

// DIR/dataset.json (info, statistics, shards with their hashes) and DIR/shard-00000.safetensors
// ...: tokens i32 (n), loss_mask u8 (n), offsets i64 (examples + 1); the ids are in dataset.json.
// All is written before a data set that the folder held is replaced; dataset.json comes last.
void write_dataset(const fs::path& folder, const Dataset& dataset,
                   size_t shard_tokens = size_t(16) << 20);
// Checks everything: shapes, offsets, ids in range, hashes.
Dataset read_dataset(const fs::path& folder);

struct Percentiles {
  int min = 0, median = 0, p95 = 0, max = 0;
};
struct DatasetStatistics {
  int64_t n_examples = 0, n_tokens = 0, n_targets = 0;
  Percentiles tokens, targets;  // of an example
};
DatasetStatistics statistics(const Dataset& dataset);
// Three lines for a person: counts, and the lengths of examples and of their targets.
std::string describe(const DatasetStatistics& statistics);

// Takes about `share` of the examples out of `dataset`, those whose content hashes lowest: the same
// whatever the order, and equal examples go to the same side.
Dataset split_validation(Dataset& dataset, double share);

// Bins of at most `capacity` tokens by best-fit decreasing; each bin lists example indexes. With
// packing off, one example a bin.
enum class Packing { off, on };
std::vector<std::vector<int>> pack(const Dataset& dataset, int capacity, Packing packing);

}  // namespace chatmem
