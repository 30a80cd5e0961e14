// chatmem encode: conversations to token shards.
#include <fmt/format.h>

#include "base/error.h"
#include "base/progress.h"
#include "cli/verbs.h"
#include "train/dataset.h"

namespace chatmem {
namespace {

struct EncodeOptions {
  std::string data, tokenizer, output, as_of, prompt_template = "temporal";
  int max_tokens = 4096;
};

int encode(const EncodeOptions& o) {
  std::vector<Conversation> conversations = read_conversations(o.data);
  if (!o.as_of.empty())
    fmt::print(stderr, "as_of joined to {} conversations\n", join_as_of(conversations, o.as_of));
  const Tokenizer tokenizer = Tokenizer::load(o.tokenizer);
  const Dataset dataset = encode_dataset(conversations, tokenizer,
                                         *parse_prompt_template(o.prompt_template), o.max_tokens);
  write_dataset(o.output, dataset);
  const DatasetStatistics s = statistics(dataset);
  fmt::print("{} examples, {} tokens ({} of them targets)\n", format_count(s.n_examples),
             format_count(s.n_tokens), format_count(s.n_targets));
  const auto line = [](const char* name, const Percentiles& p) {
    fmt::print("{}: min {}, median {}, 95% {}, max {}\n", name, p.min, p.median, p.p95, p.max);
  };
  line("tokens of an example ", s.tokens);
  line("targets of an example", s.targets);
  fmt::print("{}\nnext: chatmem train --model MODEL --data {} --output OUT\n", o.output, o.output);
  return kDone;
}

}  // namespace

void add_encode(CLI::App& app, Action& action) {
  static EncodeOptions o;  // the action reads it after this function has ended
  CLI::App& verb = *app.add_subcommand(
      "encode",
      "encode conversations as token shards with a loss mask\n\n"
      "example: chatmem encode --data out/training_data.jsonl --tokenizer MODEL --output shards");
  verb.add_option("--data", o.data, "conversations, JSONL")->required();
  verb.add_option("--tokenizer", o.tokenizer,
                  "tokenizer.json, tokenizer.model, or a folder with one")
      ->required();
  verb.add_option("--output", o.output, "folder for the shards")->required();
  verb.add_option("--as-of", o.as_of, "JSONL of id and as_of, joined to the conversations");
  verb.add_option("--template", o.prompt_template, "prompt template")
      ->check(CLI::IsMember({"temporal", "seed"}))
      ->capture_default_str();
  verb.add_option("--max-tokens", o.max_tokens, "longest example; longer ones are refused by name")
      ->check(CLI::Range(8, 1 << 20))
      ->capture_default_str();
  verb.callback([&action] { action = [] { return encode(o); }; });
}

}  // namespace chatmem
