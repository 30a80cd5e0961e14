// From the options of generate to the provider that they name, and to what asking would cost.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "synth/generate.h"

namespace chatmem {

// Throws Error when a key, a model or a price is missing, and says where to put it.
std::unique_ptr<Provider> make_provider(const GenerateOptions& options,
                                        const std::vector<SourceRow>& rows);

// Tokens are counted for a few rows by the API, where it can and a key is there, else by the
// tokenizer, else estimated by bytes. Money: low with the system text read from the cache and short
// answers, high with long answers and a repair turn for one row in ten.
GenerateEstimate estimate_asking(const GenerateOptions& options, const std::vector<SourceRow>& rows,
                                 std::span<const RowTask> tasks);

}  // namespace chatmem
