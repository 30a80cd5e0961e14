// Help and usage errors, in the program's own words.
#pragma once
#include <CLI/CLI.hpp>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

// The program's help lists each verb by the first line of its description; a verb's own help opens
// with the whole of it, the example included. To be called before the verbs are added.
void set_help_format(CLI::App& app);

// Prints what is wrong with the arguments, with the nearest name where one is misspelt; or the help
// or version that was asked for. Returns the exit code.
int report_usage(const CLI::App& app, const CLI::ParseError& problem);

// Prints an error and its hint on standard error. Returns the exit code.
int report_error(const std::exception& error);

// The candidate with the fewest changed letters; empty when none is near enough to be meant.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace chatmem
