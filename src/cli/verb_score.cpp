// chatmem score: log-probabilities of a text or of token ids.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "model/compare.h"

namespace chatmem {
namespace {

struct ScoreFlags {
  ModelOptions model;
  std::string text, tokens, against;
  int prefill_tokens = kPrefillTokens;
  bool json = false;
};

std::vector<int> read_tokens(const std::string& path, const Config& config) {
  const Json json = read_json(path);
  if (!json.is_array())
    throw Error(fmt::format("[score] '{}' must be a JSON array of token ids", path));
  std::vector<int> tokens;
  for (const Json& item : json) {
    if (!item.is_number_integer() || item.get<double>() < 0 ||
        item.get<double>() >= config.vocab_size)
      throw Error(fmt::format("[score] '{}': every item must be a token id from 0 to {}, found {}",
                              path, config.vocab_size - 1, item.dump()));
    tokens.push_back(item.get<int>());
  }
  return tokens;
}

// From the other model's predictions with activations in f32.
LogitsDifference compare(const ScoreFlags& f, OpenModel& open, std::span<const int> tokens) {
  const LoadedModel reference = load_model(*open.ops, f.against);
  const int vocab = open.loaded.model.config.vocab_size;
  if (reference.model.config.vocab_size != vocab)
    throw Error(
        fmt::format("[score] --against must name a model of the same vocabulary, {} "
                    "tokens, '{}' has {}",
                    vocab, f.against, reference.model.config.vocab_size));
  return compare_models(*open.ops, {reference.model},
                        {open.loaded.model, open.adapter_or_null(), open.dtype, f.prefill_tokens},
                        tokens.first(tokens.size() - 1));
}

int score(const ScoreFlags& f) {
  if (f.text.empty() == f.tokens.empty())
    throw Error("[score] give either --text FILE or --tokens FILE.json", {}, kUsage);
  OpenModel open = open_model(f.model, f.text.empty() ? WantTokenizer::no : WantTokenizer::yes);
  const Config& config = open.loaded.model.config;
  const std::vector<int> tokens =
      f.text.empty() ? read_tokens(f.tokens, config) : open.tokenizer->encode(read_file(f.text));
  if (tokens.size() < 2)
    throw Error(fmt::format("[score] there must be at least two tokens, found {}", tokens.size()));
  if (int(tokens.size()) > config.max_seq_len)
    throw Error(fmt::format("[score] {} tokens do not fit the model's context of {}", tokens.size(),
                            config.max_seq_len));
  const std::vector<float> logprobs = score_tokens(
      *open.ops, open.loaded.model, tokens, open.adapter_or_null(), open.dtype, f.prefill_tokens);
  double sum = 0;
  for (const float x : logprobs) sum += x;
  const double perplexity = std::exp(-sum / double(logprobs.size()));
  Json answer = {{"n", logprobs.size()}, {"logprobs", logprobs}, {"perplexity", perplexity}};
  if (!f.json)
    fmt::print("{} tokens, log-probability {:.4f}, perplexity {:.4f}\n", logprobs.size(), sum,
               perplexity);
  if (!f.against.empty()) {
    const LogitsDifference d = compare(f, open, tokens);
    answer["against"] = {{"mean_kl", d.mean_kl},
                         {"kl", d.kl},
                         {"same_likeliest", d.same_top},
                         {"largest_difference", d.largest}};
    if (!f.json)
      fmt::print(
          "from {}: mean KL divergence {:.3g} nats, the same token likeliest in {:.1f}%, "
          "largest difference of log-probabilities {:.3g}\n",
          f.against, d.mean_kl, 100 * d.same_top, d.largest);
  }
  if (f.json) fmt::print("{}\n", dump_json(answer));
  return kDone;
}

}  // namespace

void add_score(CLI::App& app, Action& action) {
  static ScoreFlags f;  // the action reads it after this function has ended
  CLI::App& verb =
      *app.add_subcommand("score",
                          "compute the log-probability of every token given those before it\n\n"
                          "example: chatmem score --model MODEL --text letter.txt --json");
  add_model_flags(verb, f.model);
  verb.add_option("--text", f.text, "text file");
  verb.add_option("--tokens", f.tokens, "JSON array of token ids; needs no tokenizer");
  verb.add_option("--against", f.against,
                  "another form of the model, from which to measure: the KL divergence in nats, "
                  "the largest difference, how often both find the same token likeliest");
  verb.add_option("--prefill-tokens", f.prefill_tokens,
                  "tokens of one step; 1: as when an answer is written, by other kernels")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  verb.add_flag("--json", f.json, "print one object: n, logprobs, perplexity, against");
  verb.callback([&action] { action = [] { return score(f); }; });
}

}  // namespace chatmem
