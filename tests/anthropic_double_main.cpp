// The test double of the Anthropic API as a program, for kill loops and for clients in other
// languages. Serves until SIGINT or SIGTERM, then prints the summary of its ledger.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "anthropic_answer.h"
#include "anthropic_double.h"
#include "base/error.h"

namespace chatmem {
namespace {

using ScriptedAnswers = std::vector<std::pair<std::string, std::string>>;

// JSON Lines of {"contains": "...", "text": "..."}.
ScriptedAnswers read_answers(const std::string& path) {
  ScriptedAnswers answers;
  for_each_json_line(path, [&](Json& row, size_t number) {
    const std::string where = path + ", line " + std::to_string(number);
    answers.emplace_back(json_string(row, "contains", where), json_string(row, "text", where));
  });
  return answers;
}

int serve(AnthropicDoubleOptions options, const std::string& port_file) {
  sigset_t signals;  // blocked before there are threads, so that all have them blocked
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const AnthropicDouble server(std::move(options));
  if (!port_file.empty()) write_file_atomic(port_file, std::to_string(server.port()) + "\n");
  std::printf("serving on %s\n", server.base_url().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  std::printf("%s\n", dump_json(to_json(server.summary())).c_str());
  return kDone;
}

int run(int argc, char** argv) {
  CLI::App app{"A test double of the Anthropic API"};
  AnthropicDoubleOptions options;
  std::string port_file, script, ledger, answers;
  app.add_option("--port", options.port, "0: any free one");
  app.add_option("--port-file", port_file, "gets the port once it serves");
  app.add_option("--script", script, "faults, limits and times (tests/anthropic_script.h)");
  app.add_option("--ledger", ledger, "JSON Lines of what came and what became of it");
  app.add_option("--answers", answers,
                 "JSON Lines of {contains, text}: the first whose `contains` is in the request "
                 "answers it; what none answers gets the default");
  app.add_option("--key", options.keys, "an accepted API key; without one, any is");
  CLI11_PARSE(app, argc, argv);
  if (!script.empty()) options.script = read_json(script);
  options.ledger = ledger;
  if (!answers.empty())
    options.answer = [scripted = read_answers(answers)](const Json& request) {
      const std::string bytes = dump_json(request.at("messages"));
      for (const auto& [contains, text] : scripted)
        if (bytes.find(contains) != bytes.npos) return text;
      return default_anthropic_answer(request);
    };
  return serve(std::move(options), port_file);
}

}  // namespace
}  // namespace chatmem

int main(int argc, char** argv) {
  try {
    return chatmem::run(argc, argv);
  } catch (const chatmem::Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    if (!e.hint().empty()) std::fprintf(stderr, "hint: %s\n", e.hint().c_str());
    return e.exit_code();
  }
}
