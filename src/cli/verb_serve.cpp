// chatmem serve: an OpenAI-compatible server for one model.
#include <fmt/format.h>
#include <signal.h>

#include <cstdio>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "serve/batch_engine.h"
#include "serve/server.h"

namespace chatmem {
namespace {

struct ServeFlags {
  ModelOptions model;
  std::string address = "127.0.0.1", name, keys_file;
  int port = 8080, max_requests = 8, max_queue = 64, prefill_tokens = 512, kv_tokens = 0;
};

// Blocks the signals in every thread that is started after it, so that wait() hears them.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  int wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

 private:
  sigset_t set_;
};

// Of what decides an answer beside the request: program, device, dtype, tokenizer and the names and
// shape of model and adapter. The weights themselves are not read for it.
std::string fingerprint_of(const OpenModel& open, const ModelOptions& options) {
  const auto name = [](const std::string& path) {
    return fs::path(path).lexically_normal().filename().string();
  };
  const std::string all =
      fmt::format("{} {} {} {} {} {:x}", CHATMEM_VERSION, options.device, int(open.dtype),
                  name(options.model), name(options.adapter), open.tokenizer->fingerprint());
  return fmt::format("fp_{:016x}", hash64(all, open.loaded.model.config.n_parameters()));
}

int serve(const ServeFlags& f) {
  constexpr int kDrainMs = 30'000;
  const Signals signals;
  ChatServerOptions options;
  options.http.address = f.address;
  options.http.port = f.port;
  options.http.log = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  if (!f.keys_file.empty()) options.keys_file = f.keys_file;

  // Destroyed from the last to the first: the server, then the engine that it hands requests to.
  const auto start = std::chrono::steady_clock::now();
  std::optional<OpenModel> open;
  std::optional<Llama3Codec> codec;
  std::unique_ptr<Generator> generator;
  std::unique_ptr<BatchEngine> engine;
  ChatServer server(options);  // listens at once: /health says that the model is loading
  open = open_model(f.model, WantTokenizer::yes);
  const Config& config = open->loaded.model.config;
  GeneratorOptions generator_options{.max_requests = f.max_requests,
                                     .prefill_tokens = f.prefill_tokens,
                                     .kv_tokens = f.kv_tokens,
                                     .dtype = open->dtype};
  if (open->adapter) generator_options.adapters = {open->adapter_or_null()};
  generator = std::make_unique<Generator>(*open->ops, open->loaded.model, generator_options);
  engine = std::make_unique<BatchEngine>(*generator,
                                         BatchEngine::Options{f.max_queue, open->adapter ? 0 : -1});
  codec.emplace(*open->tokenizer);
  const std::string name =
      f.name.empty() ? fs::path(f.model.model).lexically_normal().filename().string() : f.name;
  server.set_model(
      {name.empty() ? "chatmem" : name, engine.get(), &*codec, fingerprint_of(*open, f.model)});

  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print(stderr,
             "{}: {} parameters, context {} tokens, {} of device memory, ready in {:.2f} s\n", name,
             format_count(int64_t(config.n_parameters())), format_count(engine->context_length()),
             format_bytes(double(open->ops->allocated_bytes())), seconds);
  fmt::print("listening on http://{}:{}\n", f.address, server.port());
  std::fflush(stdout);
  signals.wait();
  fmt::print(stderr, "stopping: running answers have {} s\n", kDrainMs / 1000);
  server.stop(kDrainMs);
  return kDone;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  static ServeFlags f;  // the action reads it after this function has ended
  CLI::App& verb = *app.add_subcommand(
      "serve",
      "serve a model over an OpenAI-compatible HTTP API\n\n"
      "example: chatmem serve --model MERGED --port 8080\n\n"
      "Answers POST /v1/chat/completions, streamed or not, GET /v1/models and GET /health.");
  add_model_flags(verb, f.model);
  verb.add_option("--host", f.address, "address to listen on; other machines reach 0.0.0.0")
      ->capture_default_str();
  verb.add_option("--port", f.port, "port; 0: any free one, printed")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  verb.add_option("--name", f.name, "the model's name for clients; default: its folder's");
  verb.add_option("--keys-file", f.keys_file,
                  "file of API keys, a line each, readable by you alone");
  verb.add_option("--max-requests", f.max_requests, "requests that run together")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  verb.add_option("--max-queue", f.max_queue, "requests that wait; more get 429")
      ->check(CLI::Range(0, 65536))
      ->capture_default_str();
  verb.add_option("--prefill-tokens", f.prefill_tokens, "prompt tokens of one step")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  verb.add_option("--kv-tokens", f.kv_tokens,
                  "tokens that all running requests hold together; default: one longest context")
      ->check(CLI::NonNegativeNumber);
  verb.callback([&action] { action = [] { return serve(f); }; });
}

}  // namespace chatmem
