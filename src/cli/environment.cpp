#include "cli/environment.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <sstream>

#include "base/dotenv.h"
#include "base/error.h"

namespace chatmem {
namespace {

constexpr const char* kConfigFlag = "--config";

std::vector<CLI::ConfigItem> read_toml(const fs::path& path) {
  std::istringstream text(read_file(path, size_t(1) << 20));
  try {
    return CLI::ConfigTOML().from_config(text);
  } catch (const CLI::Error& error) {
    throw Error(fmt::format("[config] '{}' must be TOML: {}", path.string(), error.what()), "",
                kUsage);
  }
}

void apply(CLI::App& verb, const CLI::ConfigItem& item, const fs::path& path) {
  CLI::Option* option = verb.get_option_no_throw("--" + item.name);
  if (option == nullptr || item.name == "config" || item.name == "help")
    throw Error(fmt::format("[config] '{}': '{}' must be a flag of {}", path.string(), item.name,
                            verb.get_name()),
                fmt::format("chatmem {} --help lists them", verb.get_name()), kUsage);
  if (option->count() > 0) return;  // from a flag or the environment
  try {
    option->add_result(item.inputs);
    option->run_callback();
  } catch (const CLI::Error& error) {
    throw Error(fmt::format("[config] '{}': {}", path.string(), error.what()), "", kUsage);
  }
}

}  // namespace

std::optional<fs::path> load_dotenv() {
  const std::optional<fs::path> path = find_dotenv(fs::current_path());
  if (!path) return std::nullopt;
  for (const DotenvVariable& variable : read_dotenv(*path))
    if (variable.value) ::setenv(variable.name.c_str(), variable.value->c_str(), 0);
  return path;
}

std::vector<std::string> program_arguments() {
  std::istringstream text(read_file("/proc/self/cmdline"));
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(text, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

void add_config(CLI::App& verb) {
  verb.add_option(kConfigFlag, "TOML file whose keys are the names of these flags")
      ->type_name("FILE");
}

void apply_config(CLI::App& verb) {
  const CLI::Option* config = verb.get_option(kConfigFlag);
  if (config->count() == 0) return;
  const fs::path path = config->as<std::string>();
  for (const CLI::ConfigItem& item : read_toml(path)) {
    if (item.name == "++" || item.name == "--") continue;  // begin and end of a section
    const bool ours =
        item.parents.empty() || (item.parents.size() == 1 && item.parents[0] == verb.get_name());
    if (ours) apply(verb, item, path);
  }
}

}  // namespace chatmem
