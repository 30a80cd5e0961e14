// The verbs: each in a file of its own, verb_<name>.cpp, which declares its flags and what it does.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace chatmem {

// What the chosen verb does; returns the exit code. A subcommand's callback sets it, main runs it.
using Action = std::function<int()>;

// Each adds one subcommand to the program.
using AddVerb = void (*)(CLI::App&, Action&);

void add_generate(CLI::App& app, Action& action);
void add_encode(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_summarize(CLI::App& app, Action& action);
void add_evaluate(CLI::App& app, Action& action);
void add_rouge(CLI::App& app, Action& action);
void add_tokenize(CLI::App& app, Action& action);
void add_score(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);

}  // namespace chatmem
