// Bytes of English chat a second that become tokens of Llama 3 (../shared/data/llama3 beside the
// checkout), one thread: the first megabytes of ../shared/data/dialogsum, in pieces of 2,000 bytes.
#include <benchmark/benchmark.h>

#include "base/file.h"
#include "text/tokenizer.h"

namespace chatmem {
namespace {

const fs::path kData = fs::path(CHATMEM_SOURCE_DIR) / "../shared/data";

void encode(benchmark::State& state) {
  const fs::path tokenizer_path = kData / "llama3/tokenizer.json";
  const fs::path text_path = kData / "dialogsum/train.csv";
  if (!fs::exists(tokenizer_path) || !fs::exists(text_path))
    return state.SkipWithError("../shared/data is absent");
  const Tokenizer tokenizer = Tokenizer::load(tokenizer_path);
  const std::string text = read_file(text_path.string()).substr(0, 4'000'000);
  size_t tokens = 0;
  for (auto _ : state)
    for (size_t i = 0; i < text.size(); i += 2000)
      tokens += tokenizer.encode(std::string_view(text).substr(i, 2000)).size();
  state.SetBytesProcessed(int64_t(state.iterations() * text.size()));
  state.counters["tokens"] = double(tokens) / double(state.iterations());
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace chatmem
