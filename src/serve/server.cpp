#include "serve/server.h"

#include <fmt/format.h>

#include <chrono>
#include <random>

#include "serve/answer.h"
#include "serve/grammar_constraint.h"

namespace chatmem {
namespace {

const HttpHeaders kJson = {{"content-type", "application/json"}};
int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

EngineRequest engine_request(ChatCompletionRequest& asked, const ServedModel& model) {
  EngineRequest request;
  request.prompt = model.codec->encode(asked.turns, asked.functions);
  const int n_prompt = int(request.prompt.size()), n_ctx = model.engine->context_length();
  // A warm-up (max_tokens 0) may fill the context; any other needs room for one token.
  if (n_prompt + (asked.max_tokens == 0 ? 0 : 1) > n_ctx) throw ApiError::too_long(n_prompt, n_ctx);
  request.max_tokens = std::min(asked.max_tokens.value_or(n_ctx), n_ctx - n_prompt);
  request.sampling = asked.sampling;
  for (const auto& [token, bias] : asked.sampling.logit_bias)
    if (token >= model.engine->vocab_size())
      throw ApiError(400,
                     fmt::format("'logit_bias' must have tokens below {}, has {}",
                                 model.engine->vocab_size(), token),
                     "logit_bias");
  request.sampling.seed =
      asked.seed ? *asked.seed : uint64_t(std::random_device{}()) << 32 | std::random_device{}();
  request.stop_tokens = model.codec->stop_tokens();
  request.n = asked.n;
  request.top_logprobs = asked.top_logprobs;
  if (asked.grammar)
    request.constraint = std::make_unique<GrammarConstraint>(
        std::move(*asked.grammar), model.codec->trie(), request.stop_tokens);
  request.prediction = model.codec->encode_text(asked.prediction);
  return request;
}

}  // namespace

ChatServer::ChatServer(ChatServerOptions options)
    : options_(std::move(options)),
      keys_(options_.keys_file ? ApiKeys::load(*options_.keys_file) : ApiKeys()),
      created_(unix_seconds()) {
  std::vector<HttpRoute> routes;
  routes.push_back({"POST", "/v1/chat/completions", answered(&ChatServer::chat)});
  routes.push_back({"GET", "/v1/models", answered(&ChatServer::models)});
  routes.push_back({"GET", "/v1/models/*", answered(&ChatServer::models)});
  routes.push_back({"GET", "/health", [this](HttpRequest, Stream stream) { health(stream); }});
  http_ = std::make_unique<HttpServer>(options_.http, std::move(routes));
}

ChatServer::~ChatServer() = default;

void ChatServer::set_model(ServedModel model) {
  CHECK(!ready_ && model.engine != nullptr && model.codec != nullptr);
  model_ = std::move(model);
  ready_ = true;
}

void ChatServer::stop(int drain_ms) {
  stopping_ = true;
  http_->stop(drain_ms);
}

// Turns errors into answers. A handler that has given the stream away has nothing left to fail.
HttpHandler ChatServer::answered(void (ChatServer::*handler)(const HttpRequest&, Stream&)) {
  return [this, handler](HttpRequest request, Stream stream) {
    try {
      (this->*handler)(request, stream);
    } catch (const ApiError& e) {
      HttpHeaders headers = kJson;
      if (e.status() == 429 || e.status() == 503)
        headers.emplace_back("retry-after", std::to_string(options_.retry_after_s));
      if (e.status() == 401) headers.emplace_back("www-authenticate", "Bearer");
      if (stream) stream->respond(e.status(), headers, e.body());
    } catch (const Error& e) {
      if (options_.http.log) options_.http.log(fmt::format("{}: {}", request.id, e.what()));
      if (stream) stream->respond(500, kJson, ApiError(500, e.what()).body());
    }
  };
}

const ServedModel& ChatServer::ready_model(const HttpRequest& request) const {
  const std::string* authorization = find_header(request.headers, "authorization");
  if (!keys_.allow(authorization != nullptr ? *authorization : ""))
    throw ApiError(401, "a valid key must be given as 'Authorization: Bearer KEY'", "",
                   "invalid_api_key");
  if (stopping_) throw ApiError(503, "the server is stopping");
  if (!ready_) throw ApiError(503, "the model is loading");
  return model_;
}

void ChatServer::chat(const HttpRequest& http_request, Stream& stream) {
  const ServedModel& model = ready_model(http_request);
  ChatCompletionRequest asked = parse_chat_completion(http_request.body);
  EngineRequest request = engine_request(asked, model);
  request.id = http_request.id;
  AnswerHead head{"chatcmpl-" + http_request.id.substr(http_request.id.find('_') + 1),
                  asked.model.empty() ? model.name : asked.model, unix_seconds(), model.fingerprint,
                  asked.include_usage};
  auto answer =
      std::make_unique<Answer>(AnswerOptions{.head = std::move(head),
                                             .stop = asked.stop,
                                             .n = asked.n,
                                             .streams = asked.stream,
                                             .calls_function = !asked.functions.empty(),
                                             .ping_interval_ms = options_.ping_interval_ms},
                               *model.codec);
  Answer& mine = *answer;
  mine.http = std::move(stream);
  std::unique_ptr<EngineClient> client = std::move(answer);
  if (model.engine->submit(request, client)) return;
  stream = std::move(mine.http);  // refused, so the client is still here
  throw ApiError(429, "the queue is full", "", "queue_full");
}

void ChatServer::models(const HttpRequest& request, Stream& stream) {
  const ServedModel& model = ready_model(request);
  constexpr std::string_view kList = "/v1/models";
  if (request.path == kList) return stream->respond(200, kJson, model_list(model.name, created_));
  const std::string name = percent_decode(request.path.substr(kList.size() + 1));
  if (name != model.name)
    throw ApiError(404, fmt::format("the model '{}' is not served here", name), "model",
                   "model_not_found");
  stream->respond(200, kJson, model_object(model.name, created_));
}

void ChatServer::health(Stream& stream) {
  const bool good = ready_ && !stopping_;
  const char* status = stopping_ ? "stopping" : ready_ ? "ok" : "loading";
  stream->respond(good ? 200 : 503, kJson, fmt::format("{{\"status\":\"{}\"}}", status));
}

}  // namespace chatmem
