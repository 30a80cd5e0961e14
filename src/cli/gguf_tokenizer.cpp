#include "cli/gguf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"

namespace chatmem {
namespace {

constexpr const char* kTemplateKey = "tokenizer.chat_template";
constexpr size_t kMaxTemplateBytes = 1 << 20;
constexpr int kUnused = 5;  // llama.cpp's type of a token that pads the vocabulary

// What render_chat writes, in Jinja.
constexpr std::string_view kLlama3Template =
    "{{ bos_token }}{% set system = '' %}{% set turns = messages %}"
    "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] | trim %}"
    "{% set turns = messages[1:] %}{% endif %}"
    "{{ '<|start_header_id|>system<|end_header_id|>\\n\\nCutting Knowledge Date: December 2023\\n"
    "Today Date: 26 Jul 2024\\n\\n' + system + '<|eot_id|>' }}"
    "{% for turn in turns %}{{ '<|start_header_id|>' + turn['role'] + '<|end_header_id|>\\n\\n' + "
    "(turn['content'] | trim) + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";

std::string where_of(const GgufFile& file) { return fmt::format("'{}'", file.path().string()); }

template <typename T>
const T& required(const GgufFile& file, const std::string& key) {
  const GgufValue* value = file.find(key);
  const T* held = value ? value->get<T>() : nullptr;
  if (!held)
    tokenizer_error(where_of(file), fmt::format("{} must be there, of its type", key),
                    "give a tokenizer with --tokenizer");
  return *held;
}

std::vector<int> read_types(const GgufFile& file) {
  const auto& values = required<std::vector<int64_t>>(file, "tokenizer.ggml.token_type");
  std::vector<int> types;
  for (const int64_t value : values) types.push_back(int(std::clamp<int64_t>(value, 0, 255)));
  return types;
}

std::optional<int> find_special(const TokenizerSource& source, std::string_view text) {
  for (size_t id = 0; id < source.pieces.size(); id++)
    if (source.kinds[id] == TokenKind::special && source.pieces[id] == text) return int(id);
  return std::nullopt;
}

// The ids by which llama.cpp begins, ends and pads. The end of a turn is its eos where the model
// stops there, as in the files of instruct models.
void add_special_ids(const TokenizerSource& source, const Config& config, GgufMetadata& metadata) {
  const auto put = [&](const char* which, std::optional<int> id) {
    if (id && *id >= 0)
      metadata[fmt::format("tokenizer.ggml.{}_token_id", which)] = GgufValue::of(uint32_t(*id));
  };
  const auto ends = [&](std::optional<int> id) {
    return id && std::ranges::find(config.eos_ids, *id) != config.eos_ids.end();
  };
  const auto bos = config.bos_id >= 0 ? config.bos_id : find_special(source, "<|begin_of_text|>");
  const auto eot = find_special(source, "<|eot_id|>"), eom = find_special(source, "<|eom_id|>");
  put("bos", bos);
  put("eos", ends(eot)                ? eot
             : config.eos_ids.empty() ? find_special(source, "<|end_of_text|>")
                                      : config.eos_ids[0]);
  if (ends(eot)) put("eot", eot);
  if (ends(eom)) put("eom", eom);
  put("padding", find_special(source, "<|finetune_right_pad_id|>"));
  metadata["tokenizer.ggml.add_bos_token"] = GgufValue::flag(bos && *bos >= 0);
}

}  // namespace

TokenizerSource gguf_tokenizer(const GgufFile& file) {
  const std::string& model = required<std::string>(file, "tokenizer.ggml.model");
  if (model != "gpt2")
    tokenizer_error(where_of(file),
                    fmt::format("tokenizer.ggml.model must be gpt2, byte-level BPE, is {}{}", model,
                                model == "llama" ? ", SentencePiece's of Llama 2 and before" : ""),
                    "give a tokenizer of Llama 3's kind with --tokenizer");
  const std::vector<int> types = read_types(file);
  return read_tokenizer_lists(
      {.tokens = required<std::vector<std::string>>(file, "tokenizer.ggml.tokens"),
       .merges = required<std::vector<std::string>>(file, "tokenizer.ggml.merges"),
       .types = types,
       .split = required<std::string>(file, "tokenizer.ggml.pre")},
      where_of(file));
}

GgufMetadata tokenizer_metadata(const TokenizerSource& source, const Config& config,
                                std::string chat_template, std::string_view where) {
  TokenizerListsOwned lists = tokenizer_lists(source, where);
  if (int(lists.tokens.size()) > config.vocab_size)
    tokenizer_error(where, fmt::format("must fit the model: it has {} tokens, the model {}",
                                       lists.tokens.size(), config.vocab_size));
  for (int id = int(lists.tokens.size()); id < config.vocab_size; id++) {
    lists.tokens.push_back(fmt::format("[PAD{}]", id));
    lists.types.push_back(kUnused);
  }
  if (chat_template.empty() && find_special(source, "<|start_header_id|>") &&
      find_special(source, "<|eot_id|>"))
    chat_template = kLlama3Template;
  GgufMetadata metadata = {
      {"tokenizer.ggml.model", GgufValue::of("gpt2")},
      {"tokenizer.ggml.pre", GgufValue::of(lists.split)},
      {"tokenizer.ggml.tokens", GgufValue::of(std::move(lists.tokens))},
      {"tokenizer.ggml.token_type",
       GgufValue::of(std::vector<int64_t>(lists.types.begin(), lists.types.end()))},
      {"tokenizer.ggml.merges", GgufValue::of(std::move(lists.merges))}};
  if (!chat_template.empty()) metadata[kTemplateKey] = GgufValue::of(std::move(chat_template));
  add_special_ids(source, config, metadata);
  return metadata;
}

std::string read_chat_template(const fs::path& model) {
  if (fs::is_regular_file(model)) {
    const GgufFile file(model);
    const GgufValue* value = file.find(kTemplateKey);
    const auto* text = value ? value->get<std::string>() : nullptr;
    return text ? *text : "";
  }
  if (fs::exists(model / "chat_template.jinja"))
    return read_file(model / "chat_template.jinja", kMaxTemplateBytes);
  const fs::path path = model / "tokenizer_config.json";
  if (!fs::exists(path)) return "";
  const Json json = read_json(path);
  const auto it = json.find("chat_template");
  return it != json.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace chatmem
