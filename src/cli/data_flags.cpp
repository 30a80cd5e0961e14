#include "cli/data_flags.h"

#include <fmt/format.h>

#include "base/error.h"

namespace chatmem {

EncodeRules DataFlags::rules() const {
  return {.which = *parse_prompt_template(prompt_template),
          .max_tokens = max_tokens,
          .too_long = split_long ? TooLong::split : TooLong::refuse};
}

void add_data_flags(CLI::App& verb, DataFlags& flags, const std::string& data_help) {
  verb.add_option("--data", flags.data, data_help);
  verb.add_option("--as-of", flags.as_of, "JSONL of id and as_of, joined to the conversations");
  verb.add_option("--template", flags.prompt_template, "prompt template of conversations")
      ->check(CLI::IsMember({"temporal", "seed"}))
      ->capture_default_str();
  verb.add_option("--max-tokens", flags.max_tokens,
                  "longest example; longer ones are refused by name")
      ->check(CLI::Range(8, 1 << 20))
      ->capture_default_str();
  verb.add_flag("--split-long", flags.split_long,
                "divide chats that are too long between their turns; each part keeps the system "
                "turn and loses what was said before it");
}

void require_flag(const CLI::App& verb, const std::string& name) {
  if (verb.get_option(name)->count() == 0)
    throw Error(fmt::format("[usage] {} is required", name),
                fmt::format("chatmem {} --help shows the flags and an example", verb.get_name()),
                kUsage);
}

}  // namespace chatmem
