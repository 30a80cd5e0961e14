#include "train/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/staged_folder.h"
#include "format/safetensors.h"

namespace chatmem {
namespace {

constexpr std::string_view kDatasetFormat = "chatmem dataset 1";

template <typename T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <typename T>
TensorInfo tensor_of(const std::vector<T>& values, DType dtype) {
  return {dtype, {int64_t(values.size())}, std::as_bytes(std::span(values))};
}

template <typename T>
std::vector<T> values_of(const SafetensorsFile& file, const std::string& name, DType dtype) {
  const auto it = file.tensors().find(name);
  if (it == file.tensors().end() || it->second.dtype != dtype || it->second.shape.size() != 1)
    throw Error(fmt::format("[dataset] '{}' must hold a vector '{}' of {}", file.path().string(),
                            name, dtype_name(dtype)));
  std::vector<T> values(it->second.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), it->second.bytes.data(), it->second.bytes.size());
  return values;
}

uint64_t hash_example(const Example& e) { return hash64(bytes_of(e.tokens)); }

Percentiles percentiles(std::vector<int> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const size_t last = values.size() - 1;
  return {values[0], values[last / 2], values[last * 95 / 100], values[last]};
}

Json to_json(const Percentiles& p) {
  return {{"min", p.min}, {"median", p.median}, {"p95", p.p95}, {"max", p.max}};
}

std::string shard_name(size_t index) { return fmt::format("shard-{:05}.safetensors", index); }

// Writes examples [begin, end); returns the entry of dataset.json.
Json write_shard(const fs::path& folder, const Dataset& dataset, size_t begin, size_t end,
                 size_t index) {
  std::vector<int32_t> tokens;
  std::vector<uint8_t> mask;
  std::vector<int64_t> offsets = {0};
  Json ids = Json::array();
  for (size_t i = begin; i < end; i++) {
    const Example& e = dataset.examples[i];
    tokens.insert(tokens.end(), e.tokens.begin(), e.tokens.end());
    mask.insert(mask.end(), e.target.begin(), e.target.end());
    offsets.push_back(int64_t(tokens.size()));
    ids.push_back(e.id);
  }
  write_safetensors(folder / shard_name(index), {{"tokens", tensor_of(tokens, DType::i32)},
                                                 {"loss_mask", tensor_of(mask, DType::u8)},
                                                 {"offsets", tensor_of(offsets, DType::i64)}});
  const uint64_t hash = hash64(bytes_of(offsets), hash64(bytes_of(mask), hash64(bytes_of(tokens))));
  return {{"file", shard_name(index)}, {"hash", fmt::format("{:016x}", hash)}, {"ids", ids}};
}

void read_shard(const fs::path& path, const Json& entry, const std::string& where,
                Dataset& dataset) {
  const SafetensorsFile file(path);
  const auto tokens = values_of<int32_t>(file, "tokens", DType::i32);
  const auto mask = values_of<uint8_t>(file, "loss_mask", DType::u8);
  const auto offsets = values_of<int64_t>(file, "offsets", DType::i64);
  const Json& ids = json_array(entry, "ids", where);
  const uint64_t hash = hash64(bytes_of(offsets), hash64(bytes_of(mask), hash64(bytes_of(tokens))));
  if (fmt::format("{:016x}", hash) != json_string(entry, "hash", where))
    throw Error(fmt::format("[dataset] '{}' is not the file that was written", path.string()),
                "encode again");
  const bool fits = mask.size() == tokens.size() && offsets.size() == ids.size() + 1 &&
                    offsets.front() == 0 && offsets.back() == int64_t(tokens.size()) &&
                    std::is_sorted(offsets.begin(), offsets.end());
  if (!fits)
    throw Error(
        fmt::format("[dataset] '{}': offsets, mask and ids must fit the tokens", path.string()));
  if (std::any_of(mask.begin(), mask.end(), [](uint8_t m) { return m > 1; }))
    throw Error(fmt::format("[dataset] '{}': the loss mask must be of 0 and 1", path.string()));
  for (const int32_t token : tokens)
    if (token < 0 || token >= dataset.info.vocab_size)
      throw Error(fmt::format("[dataset] '{}': token {} is outside the vocabulary of {}",
                              path.string(), token, dataset.info.vocab_size));
  for (size_t i = 0; i < ids.size(); i++) {
    if (!ids[i].is_string()) throw Error(fmt::format("[dataset] {}: ids must be strings", where));
    const auto begin = ptrdiff_t(offsets[i]), end = ptrdiff_t(offsets[i + 1]);
    if (end - begin > dataset.info.max_tokens)
      throw Error(fmt::format("[dataset] '{}': example '{}' must have at most {} tokens, has {}",
                              path.string(), ids[i].get<std::string>(), dataset.info.max_tokens,
                              end - begin));
    dataset.examples.push_back({ids[i].get<std::string>(),
                                {tokens.begin() + begin, tokens.begin() + end},
                                {mask.begin() + begin, mask.begin() + end}});
  }
}

}  // namespace

void write_dataset(const fs::path& folder, const Dataset& dataset, size_t shard_tokens) {
  StagedFolder staged(folder, "dataset.json");
  Json shards = Json::array();
  for (size_t begin = 0; begin < dataset.examples.size();) {
    size_t end = begin, n = 0;
    while (end < dataset.examples.size() &&
           (n == 0 || n + dataset.examples[end].tokens.size() <= shard_tokens))
      n += dataset.examples[end++].tokens.size();
    shards.push_back(write_shard(staged.path(), dataset, begin, end, shards.size()));
    begin = end;
  }
  const DatasetStatistics s = statistics(dataset);
  const Json json = {{"format", kDatasetFormat},
                     {"template", dataset.info.prompt_template},
                     {"tokenizer", dataset.info.tokenizer},
                     {"vocab_size", dataset.info.vocab_size},
                     {"max_tokens", dataset.info.max_tokens},
                     {"split_records", dataset.info.n_split},
                     {"examples", s.n_examples},
                     {"tokens", s.n_tokens},
                     {"target_tokens", s.n_targets},
                     {"tokens_per_example", to_json(s.tokens)},
                     {"targets_per_example", to_json(s.targets)},
                     {"shards", shards}};
  write_file_atomic(staged.path() / "dataset.json", dump_json(json, 1) + "\n");
  staged.commit([](const std::string& name) {
    return name.starts_with("shard-") && name.ends_with(".safetensors");
  });
}

Dataset read_dataset(const fs::path& folder) {
  const fs::path path = folder / "dataset.json";
  const std::string where = fmt::format("'{}'", path.string());
  const Json json = read_json(path);
  if (json_string(json, "format", where) != kDatasetFormat)
    throw Error(fmt::format("[dataset] {}: format must be '{}'", where, kDatasetFormat),
                "encode again");
  Dataset dataset;
  const long long vocab_size = json_int(json, "vocab_size", where),
                  max_tokens = json_int(json, "max_tokens", where);
  if (vocab_size < 1 || vocab_size > 1 << 24 || max_tokens < 1 || max_tokens > 1 << 24)
    throw Error(
        fmt::format("[dataset] {}: vocab_size and max_tokens must be between 1 and 2^24", where));
  const long long n_split =
      json.contains("split_records") ? json_int(json, "split_records", where) : 0;
  if (n_split < 0 || n_split > 1 << 30)
    throw Error(fmt::format("[dataset] {}: split_records must be between 0 and 2^30", where));
  dataset.info = {json_string(json, "template", where), json_string(json, "tokenizer", where),
                  int(vocab_size), int(max_tokens), int(n_split)};
  size_t n_shards = 0;
  for (const Json& entry : json_array(json, "shards", where)) {
    const std::string& file = json_string(entry, "file", where);
    if (file != shard_name(n_shards++))
      throw Error(fmt::format("[dataset] {}: shard {} must be '{}', is '{}'", where, n_shards - 1,
                              shard_name(n_shards - 1), file));
    read_shard(folder / file, entry, where, dataset);
  }
  const DatasetStatistics s = statistics(dataset);
  if (s.n_examples != json_int(json, "examples", where) ||
      s.n_tokens != json_int(json, "tokens", where) ||
      s.n_targets != json_int(json, "target_tokens", where))
    throw Error(fmt::format("[dataset] {}: its shards must hold what it counts, they hold {} "
                            "examples, {} tokens and {} targets",
                            where, s.n_examples, s.n_tokens, s.n_targets),
                "encode again");
  return dataset;
}

DatasetStatistics statistics(const Dataset& dataset) {
  DatasetStatistics s;
  std::vector<int> tokens, targets;
  for (const Example& e : dataset.examples) {
    tokens.push_back(int(e.tokens.size()));
    targets.push_back(e.n_targets());
    s.n_tokens += tokens.back();
    s.n_targets += targets.back();
  }
  s.n_examples = int64_t(dataset.examples.size());
  s.tokens = percentiles(tokens);
  s.targets = percentiles(targets);
  return s;
}

std::string describe(const DatasetStatistics& s) {
  const auto line = [](const char* name, const Percentiles& p) {
    return fmt::format("{}: min {}, median {}, 95% {}, max {}\n", name, p.min, p.median, p.p95,
                       p.max);
  };
  return fmt::format("{} examples, {} tokens ({} of them targets)\n{}{}",
                     format_count(s.n_examples), format_count(s.n_tokens),
                     format_count(s.n_targets), line("tokens of an example ", s.tokens),
                     line("targets of an example", s.targets));
}

Dataset split_validation(Dataset& dataset, double share) {
  Dataset validation{dataset.info, {}};
  const auto wanted = size_t(share * double(dataset.examples.size()) + 0.5);
  std::vector<uint64_t> hashes;
  for (const Example& e : dataset.examples) hashes.push_back(hash_example(e));
  std::vector<uint64_t> sorted = hashes;
  std::sort(sorted.begin(), sorted.end());
  if (wanted == 0 || wanted >= sorted.size()) return validation;
  std::vector<Example> rest;
  for (size_t i = 0; i < hashes.size(); i++)
    (hashes[i] < sorted[wanted] ? validation.examples : rest)
        .push_back(std::move(dataset.examples[i]));
  dataset.examples = std::move(rest);
  return validation;
}

std::vector<std::vector<int>> pack(const Dataset& dataset, int capacity, Packing packing) {
  std::vector<int> order(dataset.examples.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::vector<int>> bins;
  if (packing == Packing::off) {
    for (const int i : order) bins.push_back({i});
    return bins;
  }
  const auto length = [&](int i) { return int(dataset.examples[size_t(i)].tokens.size()); };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return length(a) > length(b); });
  std::multimap<int, size_t> room;  // free tokens -> bin
  for (const int i : order) {
    CHECK(length(i) <= capacity);
    const auto fit = room.lower_bound(length(i));  // the fullest bin that still takes it
    size_t bin = bins.size();
    int left = capacity;
    if (fit == room.end()) {
      bins.emplace_back();
    } else {
      left = fit->first, bin = fit->second;
      room.erase(fit);
    }
    bins[bin].push_back(i);
    room.emplace(left - length(i), bin);
  }
  return bins;
}

}  // namespace chatmem
