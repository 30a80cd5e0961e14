#include "train/model_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "base/markdown.h"
#include "base/progress.h"

namespace chatmem {
namespace {

constexpr const char* kTrainingFormat = "chatmem training 1";
constexpr size_t kMaxTrainingBytes = 1 << 20, kMaxSettings = 256;

// The 70B models of 3.1 and 3.3 have the same config.
constexpr LlamaFamily kFamilies[] = {
    {"Llama 3", "llama3", "Meta Llama 3 Community License", "https://www.llama.com/llama3/license/",
     "Built with Meta Llama 3", "Llama 3"},
    {"Llama 3.1", "llama3.1", "Llama 3.1 Community License",
     "https://www.llama.com/llama3_1/license/", "Built with Llama", "Llama"},
    {"Llama 3.1 or 3.3", "other", "Llama 3.1 or Llama 3.3 Community License, that of the base",
     "https://www.llama.com/llama3_1/license/ or https://www.llama.com/llama3_3/license/",
     "Built with Llama", "Llama"},
    {"Llama 3.2", "llama3.2", "Llama 3.2 Community License",
     "https://www.llama.com/llama3_2/license/", "Built with Llama", "Llama"}};

std::string fingerprint(const Dataset& data) {
  uint64_t hash = hash64(data.info.prompt_template);
  for (const Example& e : data.examples) {
    hash = hash64(fmt::format("{}", e.tokens.size()), hash);
    hash = hash64({reinterpret_cast<const char*>(e.tokens.data()), e.tokens.size() * sizeof(int)},
                  hash);
    hash = hash64({reinterpret_cast<const char*>(e.target.data()), e.target.size()}, hash);
  }
  return fmt::format("{:016x}", hash);
}

std::optional<double> if_finite(double x) {
  return std::isfinite(x) ? std::optional(x) : std::nullopt;
}

Json or_null(const std::optional<double>& x) { return x ? Json(*x) : Json(nullptr); }

std::optional<double> number_or_none(const Json& json, const char* key, std::string_view where) {
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return std::nullopt;
  return if_finite(json_number(json, key, where));
}

int64_t count(const Json& json, const char* key, std::string_view where) {
  const long long n = json_int(json, key, where);
  if (n < 0) throw Error(fmt::format("[card] {}: {} must not be negative, is {}", where, key, n));
  return n;
}

std::string row(std::string_view name, std::string_view value) {
  return fmt::format("| {} | {} |\n", in_table(name), value.empty() ? "unknown" : in_table(value));
}

std::string loss(const std::optional<double>& x) { return x ? fmt::format("{:.4f}", *x) : ""; }

std::string header(const ModelCard& card) {
  const bool is_adapter = card.kind == CardKind::adapter;
  std::string text = "---\n";
  text += fmt::format("license: {}\n", card.family ? card.family->hub_name : "unknown");
  if (card.family && card.family->hub_name == "other")
    text += fmt::format("license_name: {}\n", in_yaml(card.family->licence));
  text += fmt::format("library_name: {}\n", is_adapter ? "peft" : "transformers");
  if (!card.base.empty()) text += fmt::format("base_model: {}\n", in_yaml(card.base));
  text += "pipeline_tag: text-generation\ntags:\n- chatmem\n";
  if (is_adapter) text += "- lora\n";
  return text + "---\n\n";
}

std::string training_table(const ModelCard& card) {
  std::string text = "## Training\n\n";
  if (!card.training)
    return text + "How it was trained, and on what data, is unknown: there is no record of it.\n\n";
  const TrainingSummary& t = *card.training;
  text += "| | |\n|---|---|\n";
  text += row("base", t.base.empty() ? "none, a fresh initialisation" : t.base);
  text += row("method", t.method);
  text += row("base while trained", t.base.empty()        ? "none"
                                    : t.quantize == "off" ? "as it is"
                                                          : "quantized to " + t.quantize);
  text += row("data", t.data_file);
  text += row("examples", fmt::format("{}, and {} for validation", format_count(t.examples),
                                      format_count(t.validation_examples)));
  text += row("tokens", fmt::format("{}, of which {} were to be predicted", format_count(t.tokens),
                                    format_count(t.target_tokens)));
  text += row("fingerprint of the examples", t.data_fingerprint);
  text += row("template", t.prompt_template);
  text += row("steps", format_count(t.steps));
  text += row("loss of the last step", fmt::format("{:.4f}", t.train_loss));
  if (t.last_val_loss) {
    text += row("validation loss at first", loss(t.first_val_loss));
    text += row("validation loss at the end", loss(t.last_val_loss));
  }
  if (t.best_step > 0)
    text += row("taken from", fmt::format("step {}, validation loss {}", format_count(t.best_step),
                                          loss(t.best_val_loss)));
  text += row("made with", "chatmem " + t.version);
  if (t.settings.empty()) return text + "\n";
  text += "\n| setting | value |\n|---|---|\n";
  for (const auto& [name, value] : t.settings) text += row(name, value);
  return text + "\n";
}

std::string mean_f1(const Json& system, const char* measure, std::string_view where) {
  const Json& score = json_object(system, measure, where);
  return fmt::format("{:.4f} ({:.4f} to {:.4f})", json_number(score, "mean", where),
                     json_number(score, "low", where), json_number(score, "high", where));
}

std::string scores_table(const ModelCard& card) {
  std::string text = "## Scores\n\n";
  if (!card.scores) return text + "Unknown: no evaluation was given.\n\n";
  const std::string where = "the scores";
  text +=
      "F1 of ROUGE, mean and 95% interval, by `chatmem evaluate`; the systems after the first are "
      "floors, which need no model.\n\n"
      "| system | n | ROUGE-1 | ROUGE-2 | ROUGE-L |\n|---|--:|---|---|---|\n";
  for (const Json& system : json_array(*card.scores, "systems", where)) {
    if (!system.is_object()) throw Error("[card] the scores: a system must be an object");
    text +=
        fmt::format("| {} | {} | {} | {} | {} |\n", in_table(json_string(system, "system", where)),
                    json_int(system, "n", where), mean_f1(system, "rouge1", where),
                    mean_f1(system, "rouge2", where), mean_f1(system, "rougeL", where));
  }
  return text + "\n";
}

std::string licence(const ModelCard& card) {
  std::string text = "## Licence\n\n";
  const LlamaFamily* family = card.family;
  if (!family)
    return text +
           "Unknown: none was given, and the base is no Llama 3 of Meta's by its config. What was "
           "trained on, base and data, may bind what is made of it.\n";
  text += fmt::format(
      "The base is a {} by its config and vocabulary. {} is licensed under the {} ({}), Copyright "
      "© Meta Platforms, Inc. All Rights Reserved. Whoever passes this on gives a copy of that "
      "licence with it and shows \"{}\"; the name of a model that is made of it and passed on "
      "begins with \"{}\".\n\nThe data may have a licence of its own, which is not recorded "
      "here.\n",
      family->name, family->name, family->licence, family->url, family->notice, family->prefix);
  return text;
}

}  // namespace

const LlamaFamily* find_llama_family(std::string_view name) {
  const auto it = std::ranges::find(kFamilies, name, &LlamaFamily::name);
  return it == std::end(kFamilies) ? nullptr : it;
}

const LlamaFamily* llama_family(const Config& config) {
  if (config.vocab_size != 128256 || config.bos_id != 128000 || config.rope_theta != 500000)
    return nullptr;
  if (!config.rope_scaling)
    return config.max_seq_len == 8192 ? find_llama_family("Llama 3") : nullptr;
  if (config.rope_scaling->factor == 32) return find_llama_family("Llama 3.2");
  if (config.rope_scaling->factor != 8) return nullptr;
  return find_llama_family(config.n_layers == 80 ? "Llama 3.1 or 3.3" : "Llama 3.1");
}

TrainingSummary summarize_training(const Dataset& training, const Dataset& validation,
                                   const TrainOptions& options, const TrainReport& report) {
  const DatasetStatistics s = statistics(training);
  TrainingSummary summary{.data_fingerprint = fingerprint(training),
                          .prompt_template = training.info.prompt_template,
                          .examples = s.n_examples,
                          .tokens = s.n_tokens,
                          .target_tokens = s.n_targets,
                          .validation_examples = int64_t(validation.examples.size()),
                          .steps = report.step,
                          .best_step = report.best_step,
                          .train_loss = report.train_loss,
                          .first_val_loss = if_finite(report.first_val_loss),
                          .last_val_loss = if_finite(report.last_val_loss)};
  if (report.best_step > 0) summary.best_val_loss = if_finite(report.best_val_loss);
  const auto set = [&](const char* name, const auto& value) {
    summary.settings.emplace_back(name, fmt::format("{}", value));
  };
  set("learning rate", options.lr);
  set("weight decay", options.weight_decay);
  set("gradient clipping", options.grad_clip);
  set("tokens of a row", options.max_tokens);
  set("rows of a step", options.micro_batch * options.grad_accum_steps);
  set("packing", options.packing == Packing::on ? "on" : "off");
  set("activations", dtype_name(options.dtype));
  set("seed", options.seed);
  return summary;
}

Json training_to_json(const TrainingSummary& t) {
  Json settings = Json::object();
  for (const auto& [name, value] : t.settings) settings[name] = value;
  return {{"format", kTrainingFormat},
          {"version", t.version},
          {"base", t.base},
          {"family", t.family},
          {"method", t.method},
          {"quantize", t.quantize},
          {"data",
           {{"file", t.data_file},
            {"fingerprint", t.data_fingerprint},
            {"template", t.prompt_template},
            {"examples", t.examples},
            {"tokens", t.tokens},
            {"target_tokens", t.target_tokens},
            {"validation_examples", t.validation_examples}}},
          {"steps", t.steps},
          {"best_step", t.best_step},
          {"loss",
           {{"train", t.train_loss},
            {"first_validation", or_null(t.first_val_loss)},
            {"last_validation", or_null(t.last_val_loss)},
            {"best_validation", or_null(t.best_val_loss)}}},
          {"settings", settings}};
}

TrainingSummary training_from_json(const Json& json, std::string_view where) {
  const auto fail = [&](const std::string& what) {
    throw Error(fmt::format("[card] {}: {}", where, what));
  };
  if (!json.is_object()) fail("must be an object");
  if (json_string(json, "format", where) != kTrainingFormat)
    fail(fmt::format("format must be \"{}\"", kTrainingFormat));
  TrainingSummary t;
  t.version = json_string(json, "version", where);
  t.base = json_string(json, "base", where);
  t.family = json_string(json, "family", where);
  t.method = json_string(json, "method", where);
  t.quantize = json_string(json, "quantize", where);
  const Json& data = json_object(json, "data", where);
  t.data_file = json_string(data, "file", where);
  t.data_fingerprint = json_string(data, "fingerprint", where);
  t.prompt_template = json_string(data, "template", where);
  t.examples = count(data, "examples", where);
  t.tokens = count(data, "tokens", where);
  t.target_tokens = count(data, "target_tokens", where);
  t.validation_examples = count(data, "validation_examples", where);
  t.steps = count(json, "steps", where);
  t.best_step = count(json, "best_step", where);
  const Json& losses = json_object(json, "loss", where);
  t.train_loss = json_number(losses, "train", where);
  t.first_val_loss = number_or_none(losses, "first_validation", where);
  t.last_val_loss = number_or_none(losses, "last_validation", where);
  t.best_val_loss = number_or_none(losses, "best_validation", where);
  if (!std::isfinite(t.train_loss)) fail("the loss must be finite");
  const Json& settings = json_object(json, "settings", where);
  if (settings.size() > kMaxSettings)
    fail(fmt::format("settings must not be more than {}", kMaxSettings));
  for (const auto& [name, value] : settings.items())
    t.settings.emplace_back(name, json_string(settings, name, where));
  return t;
}

std::optional<TrainingSummary> read_training(const fs::path& folder) {
  const fs::path path = folder / kTrainingFile;
  if (!fs::is_directory(folder) || !fs::exists(path)) return std::nullopt;
  const Json json = read_json(path, kMaxTrainingBytes);
  const bool is_ours =
      json.is_object() && json.contains("format") && json.at("format") == kTrainingFormat;
  if (!is_ours) return std::nullopt;
  return training_from_json(json, fmt::format("'{}'", path.string()));
}

std::string model_name(const ModelCard& card) {
  if (!card.family || card.name.starts_with(card.family->prefix)) return card.name;
  return fmt::format("{} {}", card.family->prefix, card.name);
}

std::string model_card(const ModelCard& card) {
  std::string text = header(card) + fmt::format("# {}\n\n", in_table(model_name(card)));
  text += fmt::format("{} Weights in {}, written by chatmem {}.\n\n", in_table(card.made),
                      in_table(card.format), in_table(card.version));
  if (card.family) text += fmt::format("{}\n\n", card.family->notice);
  return text + training_table(card) + scores_table(card) + licence(card);
}

}  // namespace chatmem
