// Runs the program as a user does: arguments, environment and standard input in; standard output,
// standard error and exit code out.
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"

extern char** environ;

namespace chatmem {

// Where standard output goes: kept for the test, a pipe that nobody reads, a full device.
enum class Stdout { kept, closed_pipe, full };

struct CommandOptions {
  std::string input;                     // standard input
  std::vector<std::string> environment;  // "NAME=value", beside what the test has
  std::vector<std::string> launcher;     // what starts the program, a path and its arguments
  std::string folder;                    // working folder; empty: the test's
  size_t max_file_bytes = 0;             // no file may grow beyond it: a full disk; 0: no limit
  Stdout standard_output = Stdout::kept;
  int timeout_ms = 120'000;
};

struct CommandResult {
  int code = -1;  // -1: it was ended by a signal, by the one of this class when the time was over
  std::string out, err;
};

// A command that runs beside the test; killed at the end.
class RunningCommand {
 public:
  explicit RunningCommand(std::vector<std::string> arguments, CommandOptions options = {})
      : options_(std::move(options)), in_(open_file()), out_(open_file()), err_(open_file()) {
    CHECK(::write(in_, options_.input.data(), options_.input.size()) ==
          ssize_t(options_.input.size()));
    CHECK(::lseek(in_, 0, SEEK_SET) == 0);
    arguments.insert(arguments.begin(), CHATMEM_BINARY);
    arguments.insert(arguments.begin(), options_.launcher.begin(), options_.launcher.end());
    std::vector<std::string> environment = options_.environment;
    for (char** entry = environ; *entry != nullptr; entry++)
      if (!is_private(*entry)) environment.push_back(*entry);
    const std::vector<char*> argv = pointers(arguments), envp = pointers(environment);
    const int other = open_other(options_.standard_output);
    child_ = ::fork();
    CHECK(child_ >= 0);
    if (child_ == 0) become(argv, envp, other >= 0 ? other : out_);
    if (other >= 0) ::close(other);
  }
  ~RunningCommand() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    for (const int fd : {in_, out_, err_}) ::close(fd);
  }
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;

  std::string out() const { return content(out_); }
  std::string err() const { return content(err_); }
  pid_t pid() const { return child_; }  // 0: it has ended
  void send(int signal) const { ::kill(child_, signal); }

  // Waits for a text on standard output; false when the command ends before, or time is over.
  bool wait_for(std::string_view text) {
    return poll([&] { return out().find(text) != std::string::npos; });
  }
  CommandResult wait() {
    if (!poll([] { return false; }) && child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, &status_, 0);
      child_ = 0;
    }
    return {WIFEXITED(status_) ? WEXITSTATUS(status_) : -1, out(), err()};
  }

 private:
  static int open_file() {
    std::string name = "/tmp/chatmem-command-XXXXXX";
    const int fd = ::mkostemp(name.data(), O_CLOEXEC);
    CHECK(fd >= 0);
    ::unlink(name.c_str());
    return fd;
  }
  static int open_other(Stdout where) {
    if (where == Stdout::kept) return -1;
    if (where == Stdout::full) return ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    int ends[2];
    CHECK(::pipe2(ends, O_CLOEXEC) == 0);
    ::close(ends[0]);
    return ends[1];
  }
  // What the caller's own environment must not decide.
  static bool is_private(std::string_view entry) {
    for (const char* name : {"INPUT_CSV=", "OUTPUT_DIR=", "NUM_ROWS_TO_PROCESS=", "OPENAI_API_KEY=",
                             "ANTHROPIC_API_KEY=", "ANTHROPIC_BASE_URL=", "HF_TOKEN=",
                             "http_proxy=", "HTTP_PROXY=", "ALL_PROXY="})
      if (entry.starts_with(name)) return true;
    return false;
  }
  static std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> all;
    for (std::string& text : strings) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  }
  // In the child, where only what is safe after fork may be called.
  [[noreturn]] void become(const std::vector<char*>& argv, const std::vector<char*>& envp,
                           int out) const {
    ::dup2(in_, 0);
    ::dup2(out, 1);
    ::dup2(err_, 2);
    if (options_.max_file_bytes > 0) {
      const rlimit limit{options_.max_file_bytes, options_.max_file_bytes};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (options_.folder.empty() || ::chdir(options_.folder.c_str()) == 0)
      ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  static std::string content(int fd) {
    std::string bytes;
    char chunk[4096];
    for (ssize_t n; (n = ::pread(fd, chunk, sizeof chunk, off_t(bytes.size()))) > 0;)
      bytes.append(chunk, size_t(n));
    return bytes;
  }
  // Until `done`, or the command has ended, or time is over.
  template <typename Done>
  bool poll(Done done) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.timeout_ms);
    while (!done()) {
      if (child_ <= 0 || std::chrono::steady_clock::now() > end) return false;
      if (::waitpid(child_, &status_, WNOHANG) == child_) child_ = 0;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  const CommandOptions options_;
  const int in_, out_, err_;
  pid_t child_ = 0;
  int status_ = 0;
};

inline CommandResult run_command(std::vector<std::string> arguments, CommandOptions options = {}) {
  return RunningCommand(std::move(arguments), std::move(options)).wait();
}

}  // namespace chatmem
