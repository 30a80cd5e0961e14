// The program: picks a verb, runs it, turns an Error into a message and an exit code.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "base/error.h"
#include "cli/verbs.h"
#include "cli/version.h"

namespace chatmem {
namespace {

void print_error(const Error& error) {
  fmt::print(stderr, "error: {}\n", error.what());
  if (!error.hint().empty()) fmt::print(stderr, "hint: {}\n", error.hint());
}

// In the order of the road.
constexpr AddVerb kVerbs[] = {add_generate,  add_encode,   add_train, add_export,   add_serve,
                              add_summarize, add_evaluate, add_rouge, add_tokenize, add_score};

int run(int argc, char** argv) {
  CLI::App app(
      "chatmem gives chats a memory: training data, fine-tuning, serving and scoring of\n"
      "temporal chat summaries, in one program.\n\n"
      "example: chatmem summarize samples/chat.txt\n");
  app.set_version_flag("--version", "chatmem " CHATMEM_VERSION);
  app.require_subcommand(1);
  Action action;
  for (const AddVerb add : kVerbs) add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kDone : kUsage;  // prints help, version, or what is wrong
  }
  return action();
}

}  // namespace
}  // namespace chatmem

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a full or closed pipe is an error of write, not a death
  try {
    return chatmem::run(argc, argv);
  } catch (const chatmem::Error& error) {
    chatmem::print_error(error);
    return error.exit_code();
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return chatmem::kFailed;
  }
}
