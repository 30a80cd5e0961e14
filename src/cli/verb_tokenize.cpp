// chatmem tokenize: text to token ids and back.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cli/verbs.h"
#include "text/tokenizer.h"

namespace chatmem {
namespace {

constexpr size_t kMaxInputBytes = size_t(1) << 30;

struct TokenizeOptions {
  std::string tokenizer;
  bool decode = false, special = false;
};

std::string read_standard_input() {
  std::string text;
  char buffer[1 << 16];
  while (const size_t n = std::fread(buffer, 1, sizeof buffer, stdin)) {
    if (text.size() + n > kMaxInputBytes)
      throw Error(
          fmt::format("[tokenize] standard input may have at most {} bytes", kMaxInputBytes));
    text.append(buffer, n);
  }
  if (std::ferror(stdin)) throw Error("[tokenize] cannot read standard input");
  return text;
}

void write_standard_output(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() ||
      std::fflush(stdout) != 0)
    throw Error("[tokenize] cannot write to standard output");
}

std::vector<int> ids_of_json(const std::string& text) {
  const Json json = parse_json(text, "standard input");
  if (!json.is_array()) throw Error("[tokenize] standard input must be a JSON array of token ids");
  std::vector<int> ids;
  ids.reserve(json.size());
  for (const Json& id : json) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > uint64_t(INT32_MAX))
      throw Error(fmt::format("[tokenize] standard input: element {} must be a token id, is {}",
                              ids.size() + 1, dump_json(id)));
    ids.push_back(id.get<int>());
  }
  return ids;
}

int run_tokenize(const TokenizeOptions& options) {
  const Tokenizer tokenizer = Tokenizer::load(options.tokenizer);
  const std::string input = read_standard_input();
  if (options.decode) {
    write_standard_output(tokenizer.decode(ids_of_json(input)));
    return kDone;
  }
  const auto special = options.special ? SpecialTokens::parse : SpecialTokens::as_text;
  write_standard_output(fmt::format("[{}]\n", fmt::join(tokenizer.encode(input, special), ",")));
  return kDone;
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand(
      "tokenize",
      "turn text into token ids, and back\n\n"
      "example: echo 'Hello world' | chatmem tokenize --tokenizer model/tokenizer.json\n\n"
      "Text on standard input becomes one line of JSON on standard output. Every byte counts,\n"
      "the last line end too; no bos is added.");
  static TokenizeOptions options;  // the parser keeps references to what it fills
  options = {};
  verb->add_option("--tokenizer", options.tokenizer,
                   "tokenizer.json, tokenizer.model, or a folder that holds one")
      ->required();
  verb->add_flag("--decode", options.decode, "from a JSON array of ids to exactly their bytes");
  verb->add_flag("--special", options.special, "take <|eot_id|> and the like for special tokens");
  verb->callback([&action] { action = [] { return run_tokenize(options); }; });
}

}  // namespace chatmem
