#include "cli/model_folder.h"

#include <algorithm>

#include "base/staged_folder.h"

namespace chatmem {
namespace {

constexpr const char* kGeneration = "generation_config.json";
constexpr size_t kMaxGenerationBytes = 16 << 20;

// What an earlier model may have left that would be taken for a part of this one.
bool is_part_of_a_model(const std::string& name) {
  const bool is_weights = name.starts_with("model") && name.find(".safetensors") != name.npos;
  return is_weights || name == kTrainingFile ||
         std::ranges::find(kTokenizerFiles, name) != std::end(kTokenizerFiles);
}

}  // namespace

void write_model_folder(const fs::path& path, Ops& ops, const ModelFolder& folder,
                        const ModelCard& card, const std::function<void(const fs::path&)>& check) {
  StagedFolder staged(path, "config.json");
  save_model(staged.path(), ops, folder.model, {.dtype = folder.dtype});
  copy_tokenizer(folder.source, folder.loaded, staged.path());
  // More than the ends of an answer, which save_model writes: how the base is to be sampled.
  const fs::path base = folder.source.model, own = base / kGeneration;
  if (fs::is_directory(base) && fs::exists(own))
    write_file_atomic(staged.path() / kGeneration, read_file(own, kMaxGenerationBytes));
  write_card(staged.path(), card);
  check(staged.path());
  staged.commit(is_part_of_a_model);
}

void write_card(const fs::path& folder, const ModelCard& card) {
  write_file_atomic(folder / kCardFile, model_card(card));
  if (card.training)
    write_file_atomic(folder / kTrainingFile,
                      dump_json(training_to_json(*card.training), 2) + "\n");
}

std::string name_of(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  const fs::path name = whole.has_filename() ? whole : whole.parent_path();
  return (name.extension() == ".gguf" ? name.stem() : name.filename()).string();
}

Descent descent_of(const fs::path& path, const Config& config) {
  if (const auto training = read_training(path))
    return {name_of(path), find_llama_family(training->family)};
  return {name_of(path), llama_family(config)};
}

void add_card(const ModelCard& card, GgufMetadata& metadata) {
  const auto put = [&](const char* key, std::string_view text) {
    metadata[key] = GgufValue::of(std::string(text));
  };
  put("general.description", card.made);
  metadata["general.tags"] = GgufValue::of(std::vector<std::string>{"chatmem", "text-generation"});
  put("general.license", card.family ? card.family->hub_name : "unknown");
  if (card.family) {
    put("general.license.name", card.family->licence);
    put("general.license.link", card.family->url);
  }
  if (!card.base.empty()) {
    metadata["general.base_model.count"] = GgufValue::of(uint32_t(1));
    put("general.base_model.0.name", card.base);
  }
  if (card.training && !card.training->data_file.empty()) {
    metadata["general.dataset.count"] = GgufValue::of(uint32_t(1));
    put("general.dataset.0.name", card.training->data_file);
  }
}

}  // namespace chatmem
