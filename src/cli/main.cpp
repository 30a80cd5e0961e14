// The program: picks a verb, runs it, turns an Error into a message and an exit code.
#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>

#include "base/error.h"
#include "cli/usage.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "compute/short_waits.h"

namespace chatmem {
namespace {

// In the order of the road.
constexpr AddVerb kVerbs[] = {add_generate, add_encode,    add_train,    add_export,
                              add_serve,    add_summarize, add_evaluate, add_rouge,
                              add_tokenize, add_score,     add_inspect,  add_bench};

// What was printed is on its way when the program ends, or its exit code says that it is not.
void flush_standard_output() {
  if (std::fflush(stdout) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot write to standard output");
}

int run(int argc, char** argv) {
  CLI::App app(
      "chatmem gives chats a memory: training data, fine-tuning, serving and scoring of\n"
      "temporal chat summaries, in one program\n\n"
      "example: chatmem summarize samples/chat.txt",
      "chatmem");
  set_help_format(app);
  app.set_version_flag("--version", "chatmem " CHATMEM_VERSION);
  app.require_subcommand(1);
  Action action;
  for (const AddVerb add : kVerbs) add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return report_usage(app, e);
  }
  const int code = action();
  flush_standard_output();
  return code;
}

}  // namespace
}  // namespace chatmem

int main(int argc, char** argv) {
  chatmem::begin_with_short_waits(argv);
  // A closed pipe and a file over the process's limit are errors of write, not a death.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return chatmem::run(argc, argv);
  } catch (const std::system_error& error) {
    // Nothing to say when the reader of a pipe has had enough ("chatmem ... | head").
    return error.code() == std::errc::broken_pipe ? chatmem::kFailed : chatmem::report_error(error);
  } catch (const std::exception& error) {
    return chatmem::report_error(error);
  }
}
