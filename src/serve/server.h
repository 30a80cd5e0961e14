// The OpenAI-compatible server: HTTP on one side, an Engine on the other.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "serve/answer.h"
#include "serve/answer_settings.h"
#include "serve/api_keys.h"
#include "serve/chat_codec.h"
#include "serve/cors_policy.h"
#include "serve/engine.h"
#include "serve/observed_stream.h"
#include "serve/server_metrics.h"
#include "serve/task_threads.h"

namespace chatmem {

struct ChatServerOptions {
  HttpServerOptions http;
  std::optional<fs::path> keys_file;      // keys, one of which is asked for
  std::string key;                        // one more; without any no key is asked for
  std::vector<std::string> cors_origins;  // of other places whose pages may use the server
  int deadline_ms = 0;                    // from a request to the end of its answer; 0: none
  int ping_interval_ms = 5'000;           // of a comment while a stream is silent
  int retry_after_s = 2;                  // told with 429 and 503
  int threads = 2;                        // that read requests and make prompts of them
  bool log_content = false;               // questions and answers too
  std::function<void(std::string_view)> log_request;  // a line of JSON when a request has ended
};

// What the server speaks for. All must outlive the server.
struct ServedModel {
  struct Name {
    std::string name;
    int adapter = -1;  // number of the engine's; -1: the model alone
  };
  // The first answers requests that name no model, and all of them when it is the only one.
  std::vector<Name> names;
  Engine* engine = nullptr;
  const ChatCodec* codec = nullptr;
  std::string fingerprint;  // system_fingerprint of the answers
};

// POST /v1/chat/completions, /v1/completions, /summarize, /tokenize, /detokenize; GET /v1/models,
// /v1/models/NAME, /metrics; and without a key GET / (a page that asks /summarize) and /health.
class ChatServer {
 public:
  // Listens at once; everything but the page is answered with 503 until set_model. Throws Error
  // when the port or the keys file cannot be had, or a setting is wrong.
  explicit ChatServer(ChatServerOptions options);
  // Cuts what is open and waits until the engine has given back every client; so the engine must
  // still run, or have destroyed them.
  ~ChatServer();

  void set_model(ServedModel model);  // once
  int port() const { return http_->port(); }
  // Refuses new requests, lets the running ones finish for drain_ms, then cuts them.
  void stop(int drain_ms);

 private:
  using Stream = std::unique_ptr<ObservedStream>;
  using Handler = void (ChatServer::*)(const HttpRequest&, Stream&);
  void chat(const HttpRequest& request, Stream& stream);
  void completion(const HttpRequest& request, Stream& stream);
  void summary(const HttpRequest& request, Stream& stream);
  void models(const HttpRequest& request, Stream& stream);
  void tokenize(const HttpRequest& request, Stream& stream);
  void detokenize(const HttpRequest& request, Stream& stream);
  void metrics(const HttpRequest& request, Stream& stream);
  void health(const HttpRequest& request, Stream& stream);
  void page(const HttpRequest& request, Stream& stream);

  const ServedModel& ready_model() const;
  const ServedModel::Name& named(const std::string& asked) const;
  EngineRequest engine_request(const AnswerSettings& asked, std::vector<int> prompt,
                               const char* param) const;
  void submit(const AnswerSettings& asked, EngineRequest request, AnswerOptions answer,
              Stream& stream);
  HttpRoute open_route(const char* method, const char* path, Handler handler);
  HttpRoute route(const char* method, const char* path, Handler handler);
  void check_access(const HttpRequest& request) const;
  void answer(Handler handler, const HttpRequest& request, Stream& stream);
  void on_end(const RequestRecord& record);
  HttpServerOptions observed_http();

  const ChatServerOptions options_;
  const ApiKeys keys_;
  const CorsPolicy cors_;
  const int64_t created_;
  ServedModel model_;  // complete before ready_ is set
  std::atomic<bool> ready_ = false, stopping_ = false;
  ServerMetrics metrics_;
  TaskThreads tasks_;
  std::unique_ptr<HttpServer> http_;  // last, so that it ends first
};

}  // namespace chatmem
