// chatmem score: log-probabilities of a text or of token ids.
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "model/generate.h"

namespace chatmem {
namespace {

struct ScoreFlags {
  ModelOptions model;
  std::string text, tokens;
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
  const std::vector<float> logprobs =
      score_tokens(*open.ops, open.loaded.model, tokens, open.adapter_or_null(), open.dtype);
  double sum = 0;
  for (const float x : logprobs) sum += x;
  const double perplexity = std::exp(-sum / double(logprobs.size()));
  if (f.json)
    fmt::print(
        "{}\n",
        dump_json({{"n", logprobs.size()}, {"logprobs", logprobs}, {"perplexity", perplexity}}));
  else
    fmt::print("{} tokens, log-probability {:.4f}, perplexity {:.4f}\n", logprobs.size(), sum,
               perplexity);
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
  verb.add_flag("--json", f.json, "print one object: n, logprobs, perplexity");
  verb.callback([&action] { action = [] { return score(f); }; });
}

}  // namespace chatmem
