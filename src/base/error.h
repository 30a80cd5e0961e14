// The two kinds of errors. Operating errors (files, network, input) throw Error with a message for
// a person; they are caught once in main and once per request. Programmer errors CHECK and abort.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

namespace chatmem {

// Exit codes of the program.
enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2, kPartial = 3 };

// message: "[stage] what must hold, what was found, where". hint: what to do, or empty.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, std::string hint = {}, ExitCode exit_code = kFailed)
      : std::runtime_error(message), hint_(std::move(hint)), exit_code_(exit_code) {}
  const std::string& hint() const { return hint_; }
  ExitCode exit_code() const { return exit_code_; }

 private:
  std::string hint_;
  ExitCode exit_code_;
};

[[noreturn]] inline void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed: this is a bug in chatmem\n", file, line, what);
  std::abort();
}

}  // namespace chatmem

#define CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::chatmem::check_failed(#condition, __FILE__, __LINE__))
