// libFuzzer: a data set of another writer, whose hashes are right and whose content may be
// anything. The first byte chooses: dataset.json itself, or the tensors of its shard.
#include <fmt/format.h>

#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "format/safetensors.h"
#include "test_folder.h"
#include "train/dataset.h"

namespace {

using namespace chatmem;

// Takes up to `n` values from the front of the input.
template <typename T>
std::vector<T> take(std::string_view& input, size_t n) {
  std::vector<T> values(std::min(n, input.size() / sizeof(T)));
  if (!values.empty()) std::memcpy(values.data(), input.data(), values.size() * sizeof(T));
  input.remove_prefix(values.size() * sizeof(T));
  return values;
}

template <typename T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <typename T>
TensorInfo tensor_of(const std::vector<T>& values, DType dtype) {
  return {dtype, {int64_t(values.size())}, std::as_bytes(std::span(values))};
}

void write_shard(const fs::path& folder, std::string_view input) {
  const auto sizes = take<uint8_t>(input, 3);
  if (sizes.size() < 3) return;
  const auto offsets = take<int64_t>(input, sizes[0]);
  const auto tokens = take<int32_t>(input, sizes[1]);
  const auto mask = take<uint8_t>(input, sizes[2]);
  write_safetensors(folder / "shard-00000.safetensors",
                    {{"tokens", tensor_of(tokens, DType::i32)},
                     {"loss_mask", tensor_of(mask, DType::u8)},
                     {"offsets", tensor_of(offsets, DType::i64)}});
  const uint64_t hash = hash64(bytes_of(offsets), hash64(bytes_of(mask), hash64(bytes_of(tokens))));
  Json json = read_json(folder / "dataset.json");
  json["shards"][0]["hash"] = fmt::format("{:016x}", hash);
  json["shards"][0]["ids"] = Json::array();
  for (size_t i = 1; i < offsets.size(); i++) json["shards"][0]["ids"].push_back("x");
  int64_t n_targets = 0;
  for (const uint8_t m : mask) n_targets += m;
  json["examples"] = json["shards"][0]["ids"].size();
  json["tokens"] = tokens.size();
  json["target_tokens"] = n_targets;
  write_file_atomic(folder / "dataset.json", dump_json(json), Durability::batched);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const TestFolder folder;
  write_dataset(folder.path(), {{"temporal", "0", 100, 50}, {{"a", {1, 2, 3}, {0, 0, 1}}}});
  try {
    if (data[0] % 2)
      write_shard(folder.path(), input);
    else
      write_file_atomic(folder.path() / "dataset.json", input, Durability::batched);
    const Dataset dataset = read_dataset(folder.path());
    for (const Example& e : dataset.examples) {
      CHECK(e.tokens.size() == e.target.size());
      CHECK(int(e.tokens.size()) <= dataset.info.max_tokens);
      CHECK(e.n_targets() >= 0 && e.n_targets() <= int(e.tokens.size()));
      for (const int token : e.tokens) CHECK(token >= 0 && token < dataset.info.vocab_size);
    }
    pack(dataset, dataset.info.max_tokens, Packing::on);
  } catch (const Error&) {  // refusing is right; crashing is not
  }
  return 0;
}
