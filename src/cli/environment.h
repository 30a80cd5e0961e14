// What a verb takes from outside its flags: .env files and TOML files.
#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"

namespace chatmem {

// Puts the variables of the nearest .env (of the working folder or one above it) into the
// environment of the process, where it has none of that name: as python-dotenv does. Returns the
// file, if there is one.
std::optional<fs::path> load_dotenv();

// The command line of this process.
std::vector<std::string> program_arguments();

// Adds --config FILE.toml to a verb: its keys are the names of the verb's flags, at the top or in a
// section of the verb's name. Flags and the environment win. Throws Error for a key that is no
// flag.
CLI::Option* add_config(CLI::App& verb);
// To be called by the verb's action before it looks at its options.
void apply_config(CLI::App& verb);

// A flag's name without dashes, and its value.
struct Setting {
  const char *name, *value;
};
// Sets the flags that were not given yet. Returns them as " --NAME VALUE ..."; one that the verb
// does not have is told as left out.
std::string apply_settings(CLI::App& verb, std::span<const Setting> settings);

}  // namespace chatmem
