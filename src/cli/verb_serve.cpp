// chatmem serve: an OpenAI-compatible server for a model and its adapters.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/date.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "cli/open_model.h"
#include "cli/verbs.h"
#include "cli/version.h"
#include "serve/batch_engine.h"
#include "serve/server.h"

namespace chatmem {
namespace {

struct ServeFlags {
  ModelOptions model;
  std::vector<std::string> adapters, cors_origins;
  std::string address = "127.0.0.1", name, keys_file, kv_dtype = "auto";
  std::string kv_cache_dir, speculate = "auto";
  uint64_t kv_cache_bytes = uint64_t(8) << 30;
  int port = 8080, max_requests = 8, max_queue = 64, prefill_tokens = 512, kv_tokens = 0;
  int deadline_s = 3600;
  bool log_content = false;
};

// SIGINT and SIGTERM, heard by a thread of their own; blocked in every thread that is started after
// it. Before ready() the first one ends the program at once, after it the second one.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    listener_ = std::thread([this, set] {
      for (bool first = true;; first = false) {
        int signal = 0;
        sigwait(&set, &signal);
        if (leaving_) return;
        if (!first || !ready_) {
          fmt::print(stderr, "{}\n", ready_ ? "stopped" : "stopped while the model was loading");
          std::_Exit(128 + signal);
        }
        heard_.set_value();
      }
    });
  }
  ~Signals() {
    leaving_ = true;
    pthread_kill(listener_.native_handle(), SIGTERM);
    listener_.join();
  }
  void ready() { ready_ = true; }
  void wait() { heard_.get_future().wait(); }

 private:
  std::atomic<bool> ready_ = false, leaving_ = false;
  std::promise<void> heard_;
  std::thread listener_;
};

// An adapter of --adapter: NAME=PATH, or PATH, which is what the model's own name answers with.
struct NamedAdapter {
  std::string name, path;
};

std::vector<NamedAdapter> named_adapters(const ServeFlags& f) {
  std::vector<NamedAdapter> named;
  for (const std::string& text : f.adapters) {
    const size_t equals = fs::exists(text) ? text.npos : text.find('=');
    if (equals == text.npos)
      named.push_back({"", text});
    else
      named.push_back({text.substr(0, equals), text.substr(equals + 1)});
    if (equals == 0 || equals + 1 == text.size())
      throw Error(fmt::format("[serve] --adapter must be NAME=PATH or PATH, is '{}'", text), "",
                  kUsage);
  }
  return named;
}

// What clients call the model and its adapters, each once.
std::vector<ServedModel::Name> served_names(const ServeFlags& f,
                                            const std::vector<NamedAdapter>& adapters) {
  std::string own = f.name.empty() ? file_name(f.model.model) : f.name;
  if (own.empty()) own = "chatmem";
  std::vector<ServedModel::Name> names = {{own, -1}};
  for (int i = 0; i < int(adapters.size()); i++) {
    const std::string& name = adapters[size_t(i)].name;
    const bool taken =
        name.empty() ? names[0].adapter >= 0
                     : std::ranges::find(names, name, &ServedModel::Name::name) != names.end();
    if (taken)
      throw Error(fmt::format("[serve] the adapters must have names of their own, '{}' is there "
                              "twice",
                              name.empty() ? own : name),
                  "write --adapter NAME=PATH for each", kUsage);
    if (name.empty())
      names[0].adapter = i;
    else
      names.push_back({name, i});
  }
  return names;
}

// Of what decides an answer beside the request: program, device, dtype, tokenizer and the names and
// shape of model and adapters. The weights themselves are not read for it.
std::string fingerprint_of(const OpenModel& open, const ServeFlags& f,
                           const std::vector<NamedAdapter>& adapters) {
  std::string all =
      fmt::format("{} {} {} {} {:x}", CHATMEM_VERSION, f.model.device, int(open.dtype),
                  file_name(f.model.model), open.tokenizer->fingerprint());
  for (const NamedAdapter& adapter : adapters)
    all += fmt::format(" {}={}", adapter.name, file_name(adapter.path));
  return fmt::format("fp_{:016x}", hash64(all, open.loaded.model.config.n_parameters()));
}

GeneratorOptions generator_options(const ServeFlags& f, const OpenModel& open,
                                   std::span<const Adapter> adapters) {
  GeneratorOptions options{.max_requests = f.max_requests,
                           .prefill_tokens = f.prefill_tokens,
                           .kv_tokens = f.kv_tokens,
                           .dtype = open.dtype,
                           .kv_dtype = parse_kv_dtype(f.kv_dtype)};
  for (const Adapter& adapter : adapters) options.adapters.push_back(&adapter);
  if (f.speculate == "auto") {
    options.draft_tokens = kDraftTokens;
  } else if (f.speculate != "off") {
    options.draft_tokens = std::stoi(f.speculate);
    options.draft_always = true;
  }
  if (!f.kv_cache_dir.empty())
    options.kv_folder = PrefixStoreOptions{
        f.kv_cache_dir, size_t(f.kv_cache_bytes),
        [](std::string_view text) { fmt::print(stderr, "warning: {}\n", text); }};
  return options;
}

void print_stats(const GeneratorStats& s) {
  fmt::print(stderr,
             "{} prompt tokens, {} of them from the cache; {} tokens guessed ahead, {} right\n",
             format_count(s.prompt_tokens), format_count(s.cached_tokens),
             format_count(s.drafted_tokens), format_count(s.accepted_tokens));
}

ChatServerOptions server_options(const ServeFlags& f) {
  ChatServerOptions options;
  options.http.address = f.address;
  options.http.port = f.port;
  options.http.log = [](std::string_view line) {
    const Json entry = {{"time", now_iso8601()}, {"error", replace_invalid_utf8(line)}};
    fmt::print(stderr, "{}\n", dump_json(entry));
  };
  options.log_request = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  options.log_content = f.log_content;
  options.cors_origins = f.cors_origins;
  options.deadline_ms = f.deadline_s * 1000;
  if (!f.keys_file.empty()) options.keys_file = f.keys_file;
  if (const char* key = std::getenv("CHATMEM_API_KEY"); key != nullptr) options.key = key;
  return options;
}

int serve(const ServeFlags& f) {
  constexpr int kDrainMs = 30'000;
  Signals signals;
  const std::vector<NamedAdapter> named = named_adapters(f);
  const std::vector<ServedModel::Name> names = served_names(f, named);

  // Destroyed from the last to the first: the server, then the engine that it hands requests to.
  const auto start = std::chrono::steady_clock::now();
  std::optional<OpenModel> open;
  std::vector<Adapter> adapters;
  std::optional<Llama3Codec> codec;
  std::unique_ptr<Generator> generator;
  std::unique_ptr<BatchEngine> engine;
  ChatServer server(server_options(f));  // listens at once: /health says that the model is loading
  open = open_model(f.model, WantTokenizer::yes);
  for (const NamedAdapter& one : named) adapters.push_back(read_adapter(*open, one.path));
  generator = std::make_unique<Generator>(*open->ops, open->loaded.model,
                                          generator_options(f, *open, adapters));
  engine = std::make_unique<BatchEngine>(*generator, BatchEngine::Options{f.max_queue});
  codec.emplace(*open->tokenizer);
  server.set_model({names, engine.get(), &*codec, fingerprint_of(*open, f, named)});

  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print(stderr,
             "{}: {} parameters, context {} tokens, {} of device memory, ready in {:.2f} s\n",
             names[0].name, format_count(int64_t(open->loaded.model.config.n_parameters())),
             format_count(engine->context_length()),
             format_bytes(double(open->ops->allocated_bytes())), seconds);
  signals.ready();
  const bool is_v6 = f.address.find(':') != std::string::npos;
  fmt::print(fmt::runtime(is_v6 ? "listening on http://[{}]:{}\n" : "listening on http://{}:{}\n"),
             f.address, server.port());
  std::fflush(stdout);
  signals.wait();
  fmt::print(stderr, "stopping: running answers have {} s, a second signal cuts them\n",
             kDrainMs / 1000);
  server.stop(kDrainMs);
  print_stats(engine->stats().tokens);
  return kDone;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  static ServeFlags f;  // the action reads it after this function has ended
  CLI::App& verb = *app.add_subcommand(
      "serve",
      "serve a model over an OpenAI-compatible HTTP API\n\n"
      "example: chatmem serve --model MERGED --port 8080\n\n"
      "Answers POST /v1/chat/completions, /v1/completions, /summarize, /tokenize, /detokenize, and "
      "GET /v1/models, /health, /metrics; / is a page that summarizes a chat (docs/api.md).");
  add_base_model_flags(verb, f.model);
  verb.add_option("--adapter", f.adapters,
                  "a LoRA adapter, PEFT folder or GGUF file: PATH for the model's own name, "
                  "NAME=PATH for requests that name it; repeatable")
      ->allow_extra_args(false);
  verb.add_option("--host", f.address, "address to listen on; other machines reach 0.0.0.0")
      ->capture_default_str();
  verb.add_option("--port", f.port, "port; 0: any free one, printed")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  verb.add_option("--name", f.name, "the model's name for clients; default: its folder's");
  verb.add_option("--keys-file", f.keys_file,
                  "file of API keys, a line each, readable by you alone; one more may be in "
                  "CHATMEM_API_KEY");
  verb.add_option("--cors-origin", f.cors_origins,
                  "origin whose pages may use the server, http://HOST:PORT, or *; repeatable")
      ->allow_extra_args(false);
  verb.add_option("--deadline", f.deadline_s,
                  "seconds from a request to the end of its answer, else 504; 0: no deadline")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  verb.add_flag("--log-content", f.log_content, "log what is asked and answered, too");
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
  add_kv_dtype_flag(verb, f.kv_dtype);
  verb.add_option("--kv-cache-dir", f.kv_cache_dir,
                  "folder that keeps the keys and values of prompts beyond a restart");
  verb.add_option("--kv-cache-bytes", f.kv_cache_bytes, "most bytes of that folder, also as 8GB")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  const CLI::Validator count = CLI::Range(1, 64);
  verb.add_option("--speculate", f.speculate,
                  "tokens guessed ahead from the prompt: auto (where it pays), off, or a number")
      ->check((CLI::IsMember({"auto", "off"}) | count).description("auto, off or 1 to 64"))
      ->capture_default_str();
  verb.callback([&action] { action = [] { return serve(f); }; });
}

}  // namespace chatmem
