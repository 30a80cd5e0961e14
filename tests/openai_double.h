// A double of an OpenAI-compatible endpoint: whole answers to chat completions, which a function of
// the test says, and a list of one model.
#pragma once
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "net/http_server.h"

namespace chatmem {

class OpenAiDouble {
 public:
  // Called by one thread at a time. What it throws is a status of 500.
  using Answer = std::function<std::string(const Json& request)>;

  explicit OpenAiDouble(Answer answer) : answer_(std::move(answer)) {
    std::vector<HttpRoute> routes;
    routes.push_back({"POST", "/v1/chat/completions",
                      [this](HttpRequest request, std::unique_ptr<ResponseStream> stream) {
                        serve(std::move(request), *stream);
                      }});
    routes.push_back({"GET", "/v1/models", [](HttpRequest, std::unique_ptr<ResponseStream> stream) {
                        stream->respond(200, kJson, R"({"data":[{"id":"double-1"}]})");
                      }});
    server_ = std::make_unique<HttpServer>(HttpServerOptions{}, std::move(routes));
  }
  std::string base_url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }
  std::vector<Json> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::string last_key() const {
    const std::lock_guard lock(mutex_);
    return key_;
  }

 private:
  inline static const HttpHeaders kJson = {{"content-type", "application/json"}};

  void serve(HttpRequest request, ResponseStream& stream) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(parse_json(request.body, "request"));
    if (const std::string* key = find_header(request.headers, "authorization")) key_ = *key;
    try {
      const std::string text = answer_(requests_.back());
      const Json message = {{"role", "assistant"}, {"content", text}};
      stream.respond(
          200, kJson,
          dump_json({{"id", "chatcmpl-1"},
                     {"object", "chat.completion"},
                     {"model", requests_.back()["model"]},
                     {"choices", {{{"index", 0}, {"finish_reason", "stop"}, {"message", message}}}},
                     {"usage", {{"prompt_tokens", 1000}, {"completion_tokens", 100}}}}));
    } catch (const std::exception& error) {
      stream.respond(500, kJson, dump_json({{"error", {{"message", error.what()}}}}));
    }
  }

  const Answer answer_;
  mutable std::mutex mutex_;
  std::vector<Json> requests_;
  std::string key_;
  std::unique_ptr<HttpServer> server_;  // ends first: its routes refer to the rest
};

}  // namespace chatmem
