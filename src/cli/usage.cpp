#include "cli/usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "base/error.h"

namespace chatmem {
namespace {

constexpr size_t kVerbColumn = 14;

class HelpFormat : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override {
    return app->get_description() + "\n\n";
  }
  std::string make_subcommand(const CLI::App* verb) const override {
    const std::string description = verb->get_description();
    std::stringstream line;
    CLI::detail::format_help(line, verb->get_name(), description.substr(0, description.find('\n')),
                             kVerbColumn);
    return line.str();
  }
};

// Letters inserted, left out or changed, and neighbours exchanged, to get from one to the other.
int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); i++) {
    row[0] = int(i);
    for (size_t j = 1; j <= b.size(); j++) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

std::vector<std::string> flag_names(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::Option* option : verb.get_options([](const CLI::Option*) { return true; }))
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string meant(const std::string& nearest) {
  return nearest.empty() ? "" : fmt::format("did you mean {}? ", nearest);
}

Error unknown_argument(const CLI::App& verb, const std::string& argument) {
  const std::string help = fmt::format("chatmem {} --help lists all", verb.get_name());
  if (!argument.starts_with('-'))
    return Error(fmt::format("[usage] {} takes no argument '{}'", verb.get_name(), argument), help);
  const std::string flag = argument.substr(0, argument.find('='));
  return Error(fmt::format("[usage] {} has no flag {}", verb.get_name(), flag),
               meant(nearest_name(flag, flag_names(verb))) + help);
}

Error usage_error(const CLI::App& app, const CLI::ParseError& problem) {
  const std::vector<CLI::App*> verbs = const_cast<CLI::App&>(app).get_subcommands();
  const std::vector<std::string> unknown = verbs.empty() ? app.remaining() : verbs[0]->remaining();
  if (verbs.empty() && !unknown.empty())
    return Error(fmt::format("[usage] chatmem has no {} '{}'",
                             unknown[0].starts_with('-') ? "flag" : "verb", unknown[0]),
                 meant(nearest_name(unknown[0], verb_names(app))) + "chatmem --help lists all");
  if (verbs.empty()) return Error("[usage] a verb must be given", "chatmem --help lists all");
  if (!unknown.empty()) return unknown_argument(*verbs[0], unknown[0]);
  const std::string what = problem.what();
  return Error(
      fmt::format("[usage] {}", what.substr(0, what.find('\n'))),
      fmt::format("chatmem {} --help shows the flags and an example", verbs[0]->get_name()));
}

}  // namespace

void set_help_format(CLI::App& app) {
  app.formatter_fn([](const CLI::App* verb, const std::string& name, CLI::AppFormatMode mode) {
    return HelpFormat().make_help(verb, name, mode);
  });
}

int report_error(const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  fmt::print(stderr, "error: {}\n", error.what());
  if (ours && !ours->hint().empty()) fmt::print(stderr, "hint: {}\n", ours->hint());
  return ours ? ours->exit_code() : kFailed;
}

int report_usage(const CLI::App& app, const CLI::ParseError& problem) {
  if (problem.get_exit_code() == 0) return app.exit(problem);  // help or version
  const Error error = usage_error(app, problem);
  fmt::print(stderr, "error: {}\nhint: {}\n", error.what(), error.hint());
  return kUsage;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  std::string nearest;
  int least = 1 + std::max(1, int(name.size()) / 3);
  for (const std::string& candidate : candidates) {
    const int distance = edit_distance(name, candidate);
    if (distance < least) nearest = candidate, least = distance;
  }
  return nearest;
}

}  // namespace chatmem
