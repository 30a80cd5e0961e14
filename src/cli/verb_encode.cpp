// chatmem encode: records of training to token shards.
#include <fmt/format.h>

#include "base/error.h"
#include "cli/data_flags.h"
#include "cli/environment.h"
#include "cli/verbs.h"

namespace chatmem {
namespace {

struct EncodeFlags {
  DataFlags data;
  std::string tokenizer, output;
};

int encode(const CLI::App& verb, const EncodeFlags& f) {
  require_flag(verb, "--data");
  require_flag(verb, "--output");
  if (fs::exists(fs::path(f.data.data) / "dataset.json"))
    throw Error(fmt::format("[encode] --data must be a file of records, '{}' is encoded already",
                            f.data.data),
                {}, kUsage);
  std::optional<Tokenizer> tokenizer;
  if (!f.tokenizer.empty()) tokenizer = Tokenizer::load(f.tokenizer);
  const Dataset dataset =
      load_dataset(f.data.data, f.data.as_of, tokenizer ? &*tokenizer : nullptr, f.data.rules());
  write_dataset(f.output, dataset);
  fmt::print("{}", describe(statistics(dataset)));
  if (dataset.info.n_split > 0)
    fmt::print("{} chats were too long and divided between their turns\n", dataset.info.n_split);
  fmt::print("{}\nnext: chatmem train --model MODEL --data {} --output OUT\n", f.output, f.output);
  return kDone;
}

}  // namespace

void add_encode(CLI::App& app, Action& action) {
  static EncodeFlags f;  // the action reads it after this function has ended
  CLI::App& verb = *app.add_subcommand(
      "encode",
      "encode conversations or chats as token shards with a loss mask\n\n"
      "example: chatmem encode --data out/training_data.jsonl --tokenizer MODEL --output shards");
  add_data_flags(verb, f.data,
                 "JSONL: conversations, messages with roles, prompt and completion, or input_ids "
                 "and labels");
  verb.add_option("--tokenizer", f.tokenizer,
                  "tokenizer.json, tokenizer.model, or a folder with one; input_ids need none");
  verb.add_option("--output", f.output, "folder for the shards");
  add_config(verb);
  verb.callback([&verb, &action] {
    action = [&verb] {
      apply_config(verb);
      return encode(verb, f);
    };
  });
}

}  // namespace chatmem
