// The OpenAI-compatible server: HTTP on one side, an Engine on the other.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "net/http_server.h"
#include "serve/api_keys.h"
#include "serve/chat_codec.h"
#include "serve/engine.h"

namespace chatmem {

struct ChatServerOptions {
  HttpServerOptions http;
  std::optional<fs::path> keys_file;  // absent: no key is asked for
  int ping_interval_ms = 5'000;       // of a comment while a stream is silent
  int retry_after_s = 2;              // told with 429 and 503
};

// What the server speaks for. All must outlive the server.
struct ServedModel {
  std::string name;
  Engine* engine = nullptr;
  const ChatCodec* codec = nullptr;
  std::string fingerprint;  // system_fingerprint of the answers
};

// POST /v1/chat/completions, GET /v1/models, /v1/models/NAME, /health (needs no key).
class ChatServer {
 public:
  // Listens at once; everything is answered with 503 until set_model. Throws Error when the port or
  // the keys file cannot be had.
  explicit ChatServer(ChatServerOptions options);
  // Cuts what is open and waits until the engine has given back every client; so the engine must
  // still run, or have destroyed them.
  ~ChatServer();

  void set_model(ServedModel model);  // once
  int port() const { return http_->port(); }
  // Refuses new requests, lets the running ones finish for drain_ms, then cuts them.
  void stop(int drain_ms);

 private:
  using Stream = std::unique_ptr<ResponseStream>;
  void chat(const HttpRequest& request, Stream& stream);
  void models(const HttpRequest& request, Stream& stream);
  void health(Stream& stream);
  const ServedModel& ready_model(const HttpRequest& request) const;
  HttpHandler answered(void (ChatServer::*handler)(const HttpRequest&, Stream&));

  const ChatServerOptions options_;
  const ApiKeys keys_;
  const int64_t created_;
  ServedModel model_;  // complete before ready_ is set
  std::atomic<bool> ready_ = false, stopping_ = false;
  std::unique_ptr<HttpServer> http_;  // last, so that it ends first
};

}  // namespace chatmem
