#include "cli/environment.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <sstream>

#include "base/dotenv.h"
#include "base/error.h"

namespace chatmem {
namespace {

constexpr const char* kConfigFlag = "--config";

// Of the forms that settings take. CLI11's parser passes over what is broken: a value without its
// closing quote is a value to it.
bool is_setting(std::string_view line) {
  const auto trim = [](std::string_view text) {
    while (!text.empty() && uint8_t(text.back()) <= ' ') text.remove_suffix(1);
    while (!text.empty() && uint8_t(text.front()) <= ' ') text.remove_prefix(1);
    return text;
  };
  line = trim(line);
  if (line.empty() || line.front() == '#') return true;
  if (line.front() == '[') {
    const size_t close = line.find(']');
    if (close == line.npos) return false;
    const std::string_view rest = trim(line.substr(close + 1));
    return rest.empty() || rest.front() == '#';
  }
  const size_t equals = line.find('=');
  if (equals == line.npos || trim(line.substr(0, equals)).empty()) return false;
  const std::string_view value = trim(line.substr(equals + 1));
  if (value.empty() || value.front() == '#') return false;
  if (value.front() != '"' && value.front() != '\'') return true;
  for (size_t i = 1; i < value.size(); i++) {
    if (value[i] == '\\' && value.front() == '"')
      i++;
    else if (value[i] == value.front())
      return true;
  }
  return false;
}

void check_toml(const std::string& text, const fs::path& path) {
  std::istringstream lines(text);
  size_t number = 0;
  for (std::string line; std::getline(lines, line);)
    if (number++; !is_setting(line))
      throw Error(fmt::format("[config] '{}', line {}: must be a setting, cannot be read as one",
                              path.string(), number),
                  "lines of such a file are NAME = VALUE, NAME = \"TEXT\", [SECTION] or # comments",
                  kUsage);
}

std::vector<CLI::ConfigItem> read_toml(const fs::path& path) {
  const std::string bytes = read_file(path, size_t(1) << 20);
  check_toml(bytes, path);
  std::istringstream text(bytes);
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

CLI::Option* add_config(CLI::App& verb) {
  return verb.add_option(kConfigFlag, "TOML file whose keys are the names of these flags")
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

std::string apply_settings(CLI::App& verb, std::span<const Setting> settings) {
  std::string applied, missing;
  for (const Setting& setting : settings) {
    const std::string flag = fmt::format("--{}", setting.name);
    CLI::Option* option = verb.get_option_no_throw(flag);
    if (option == nullptr) {
      missing += fmt::format(" {} {}", flag, setting.value);
    } else if (option->count() == 0) {
      option->add_result(std::string(setting.value));
      option->run_callback();
      applied += fmt::format(" {} {}", flag, setting.value);
    }
  }
  return missing.empty() ? applied
                         : fmt::format("{}; left out, not known here:{}", applied, missing);
}

}  // namespace chatmem
