// The tokenizer in a GGUF's metadata, under tokenizer.ggml: read and written.
#pragma once
#include <string>

#include "format/gguf.h"
#include "model/config.h"
#include "text/tokenizer_source.h"

namespace chatmem {

// Throws Error when the file has none that is byte-level BPE.
TokenizerSource gguf_tokenizer(const GgufFile& file);

// The keys of a tokenizer for a model of this config, whose vocabulary may be padded. Without a
// template of its own, a tokenizer of the Llama 3 family gets the one that text/prompt.h renders.
GgufMetadata tokenizer_metadata(const TokenizerSource& source, const Config& config,
                                std::string chat_template, std::string_view where);

// The chat template of a model's folder or GGUF; "" where it has none.
std::string read_chat_template(const fs::path& model);

}  // namespace chatmem
