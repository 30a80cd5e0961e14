#include "serve/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "base/date.h"
#include "base/utf8.h"
#include "serve/api_error.h"
#include "serve/grammar_constraint.h"
#include "serve/openai_api.h"
#include "serve/page.h"
#include "serve/request_fields.h"

namespace chatmem {
namespace {

const HttpHeaders kJson = {{"content-type", "application/json"}};

int64_t unix_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

uint64_t random_number() { return uint64_t(std::random_device{}()) << 32 | std::random_device{}(); }

ApiKeys keys_of(const ChatServerOptions& options) {
  ApiKeys keys = options.keys_file ? ApiKeys::load(*options.keys_file) : ApiKeys();
  if (!options.key.empty()) keys.add(options.key, "the key");
  return keys;
}

// The bytes of the token as a JSON string, or as an array where they are no characters.
Json piece_json(const std::string& bytes) {
  if (find_invalid_utf8(bytes) == bytes.npos) return bytes;
  Json array = Json::array();
  for (const char byte : bytes) array.push_back(uint8_t(byte));
  return array;
}

}  // namespace

ChatServer::ChatServer(ChatServerOptions options)
    : options_(std::move(options)),
      keys_(keys_of(options_)),
      cors_(options_.cors_origins),
      created_(unix_seconds()),
      tasks_(options_.threads) {
  std::vector<HttpRoute> routes;
  routes.push_back(route("POST", "/v1/chat/completions", &ChatServer::chat));
  routes.push_back(route("POST", "/v1/completions", &ChatServer::completion));
  routes.push_back(route("POST", "/summarize", &ChatServer::summary));
  routes.push_back(route("GET", "/v1/models", &ChatServer::models));
  routes.push_back(route("GET", "/v1/models/*", &ChatServer::models));
  routes.push_back(route("POST", "/tokenize", &ChatServer::tokenize));
  routes.push_back(route("POST", "/detokenize", &ChatServer::detokenize));
  routes.push_back(route("GET", "/metrics", &ChatServer::metrics));
  routes.push_back(open_route("GET", "/health", &ChatServer::health));
  routes.push_back(open_route("GET", "/", &ChatServer::page));
  http_ = std::make_unique<HttpServer>(observed_http(), std::move(routes));
}

ChatServer::~ChatServer() = default;

void ChatServer::set_model(ServedModel model) {
  CHECK(!ready_ && model.engine != nullptr && model.codec != nullptr && !model.names.empty());
  model_ = std::move(model);
  ready_ = true;
}

void ChatServer::stop(int drain_ms) {
  stopping_ = true;
  http_->stop(drain_ms);
}

// Requests on their way

HttpServerOptions ChatServer::observed_http() {
  HttpServerOptions http = options_.http;
  http.observe = [this](const HttpRequest& request, std::unique_ptr<ResponseStream> stream) {
    RequestRecord record;
    record.id = request.id;
    record.method = request.method;
    return std::make_unique<ObservedStream>(std::move(stream), std::move(record),
                                            cors_.headers(request),
                                            [this](const RequestRecord& ended) { on_end(ended); });
  };
  http.on_refused = [this](const std::string& id, int status, const std::string& message) {
    RequestRecord record;
    record.id = id;
    record.status = status;
    record.error = message;
    on_end(record);
  };
  return http;
}

void ChatServer::on_end(const RequestRecord& record) {
  metrics_.count(record);
  const bool probe = record.route == "/health" || record.route == "/metrics";
  if (options_.log_request && !(probe && record.status == 200))
    options_.log_request(log_line(record, now_iso8601()));
}

// Answered on the I/O thread, without a key.
HttpRoute ChatServer::open_route(const char* method, const char* path, Handler handler) {
  return {method, path, [this, path, handler](HttpRequest request, auto given) {
            Stream stream(static_cast<ObservedStream*>(given.release()));
            stream->record().route = path;
            (this->*handler)(request, stream);
          }};
}

// Answered by threads that may take their time, so that I/O threads are free for all others.
HttpRoute ChatServer::route(const char* method, const char* path, Handler handler) {
  return {method, path, [this, path, handler](HttpRequest request, auto given) {
            Stream stream(static_cast<ObservedStream*>(given.release()));
            stream->record().route = path;
            tasks_.post(std::packaged_task<void()>(
                [this, handler, request = std::move(request),
                 stream = std::move(stream)]() mutable { answer(handler, request, stream); }));
          }};
}

// Turns errors into answers. A handler that has given the stream away has nothing left to fail.
void ChatServer::answer(Handler handler, const HttpRequest& request, Stream& stream) {
  if (stream->client_gone()) return;
  try {
    check_access(request);
    if (options_.log_content) stream->record().question = request.body;
    (this->*handler)(request, stream);
  } catch (const ApiError& e) {
    if (!stream) return;
    HttpHeaders headers = kJson;
    if (e.status() == 429 || e.status() == 503)
      headers.emplace_back("retry-after", std::to_string(options_.retry_after_s));
    if (e.status() == 401) headers.emplace_back("www-authenticate", "Bearer");
    stream->record().error = e.what();
    stream->respond(e.status(), headers, e.body());
  } catch (const std::exception& e) {
    if (options_.http.log) options_.http.log(fmt::format("{}: {}", request.id, e.what()));
    if (!stream) return;
    stream->record().error = e.what();
    stream->respond(500, kJson, ApiError(500, e.what()).body());
  }
}

void ChatServer::check_access(const HttpRequest& request) const {
  if (!cors_.allows(request))
    throw ApiError(403,
                   "the page that sends this must be of this server or of an origin named by "
                   "--cors-origin",
                   "", "origin_not_allowed");
  const std::string* authorization = find_header(request.headers, "authorization");
  if (!keys_.allow(authorization != nullptr ? *authorization : ""))
    throw ApiError(401, "a valid key must be given as 'Authorization: Bearer KEY'", "",
                   "invalid_api_key");
}

const ServedModel& ChatServer::ready_model() const {
  if (stopping_) throw ApiError(503, "the server is stopping");
  if (!ready_) throw ApiError(503, "the model is loading");
  return model_;
}

const ServedModel::Name& ChatServer::named(const std::string& asked) const {
  const auto& names = model_.names;
  if (asked.empty() || names.size() == 1) return names.front();
  const auto found = std::ranges::find(names, asked, &ServedModel::Name::name);
  if (found == names.end())
    throw ApiError(404, fmt::format("the model '{}' is not served here", asked), "model",
                   "model_not_found");
  return *found;
}

// Answers

// param: the field that the prompt came from.
EngineRequest ChatServer::engine_request(const AnswerSettings& asked, std::vector<int> prompt,
                                         const char* param) const {
  const Engine& engine = *model_.engine;
  EngineRequest request;
  request.prompt = std::move(prompt);
  const int n_prompt = int(request.prompt.size()), n_ctx = engine.context_length();
  if (n_prompt == 0) throw ApiError(400, fmt::format("'{}' must not be empty", param), param);
  // A warm-up (max_tokens 0) may fill the context; any other needs room for one token.
  if (n_prompt + (asked.max_tokens == 0 ? 0 : 1) > n_ctx)
    throw ApiError::too_long(n_prompt, n_ctx, param);
  request.max_tokens = std::min(asked.max_tokens.value_or(n_ctx), n_ctx - n_prompt);
  request.sampling = asked.sampling;
  for (const auto& [token, bias] : asked.sampling.logit_bias)
    if (token >= engine.vocab_size())
      throw ApiError(
          400,
          fmt::format("'logit_bias' must have tokens below {}, has {}", engine.vocab_size(), token),
          "logit_bias");
  request.sampling.seed = asked.seed ? *asked.seed : random_number();
  request.stop_tokens = model_.codec->stop_tokens();
  request.n = asked.n;
  request.top_logprobs = asked.top_logprobs;
  request.adapter = named(asked.model).adapter;
  return request;
}

// The stream is the caller's again when this throws.
void ChatServer::submit(const AnswerSettings& asked, EngineRequest request, AnswerOptions options,
                        Stream& stream) {
  RequestRecord& record = stream->record();
  const bool chat = options.head.shape == AnswerShape::chat;
  options.head.id = (chat ? "chatcmpl-" : "cmpl-") + record.id.substr(record.id.find('_') + 1);
  options.head.model = asked.model.empty() ? model_.names.front().name : asked.model;
  options.head.created = unix_seconds();
  options.head.fingerprint = model_.fingerprint;
  options.head.include_usage = asked.include_usage;
  options.stop = asked.stop;
  options.n = asked.n;
  options.streams = asked.stream;
  options.tells_progress = asked.progress;
  options.n_prompt = int(request.prompt.size());
  options.logs_content = options_.log_content;
  options.ping_interval_ms = options_.ping_interval_ms;
  record.model = named(asked.model).name;
  record.streams = asked.stream;
  record.n = asked.n;
  if (options_.deadline_ms > 0)
    request.deadline = record.begun + std::chrono::milliseconds(options_.deadline_ms);
  auto mine = std::make_unique<Answer>(std::move(options), *model_.codec);
  Answer& answer = *mine;
  answer.http = std::move(stream);
  std::unique_ptr<EngineClient> client = std::move(mine);
  if (model_.engine->submit(request, client)) return;
  stream = std::move(answer.http);  // refused, so the client is still here
  throw ApiError(429, "the queue is full", "", "queue_full");
}

void ChatServer::chat(const HttpRequest& http_request, Stream& stream) {
  const ServedModel& model = ready_model();
  ChatCompletionRequest asked = parse_chat_completion(http_request.body);
  EngineRequest request =
      engine_request(asked, model.codec->encode(asked.turns, asked.functions), "messages");
  if (asked.grammar)
    request.constraint = std::make_unique<GrammarConstraint>(
        std::move(*asked.grammar), model.codec->trie(), request.stop_tokens);
  request.prediction = model.codec->encode_text(asked.prediction, SpecialTokens::as_text);
  AnswerOptions options;
  options.calls_function = !asked.functions.empty();
  submit(asked, std::move(request), std::move(options), stream);
}

// The prompt goes to the model as it is, special tokens read as such, after bos.
void ChatServer::completion(const HttpRequest& http_request, Stream& stream) {
  const ServedModel& model = ready_model();
  CompletionRequest asked = parse_completion(http_request.body, model.engine->vocab_size());
  const std::optional<int> bos = model.codec->bos();
  std::vector<int> prompt = asked.tokens;
  if (prompt.empty()) {
    prompt = model.codec->encode_text(asked.prompt, SpecialTokens::parse);
    if (bos && (prompt.empty() || prompt.front() != *bos)) prompt.insert(prompt.begin(), *bos);
  }
  AnswerOptions options;
  options.head.shape = AnswerShape::text;
  if (asked.echo) {
    options.echo_logprobs = prompt;
    if (bos && prompt.front() == *bos) options.echo_logprobs.erase(options.echo_logprobs.begin());
    for (const int token : options.echo_logprobs) options.echo += model.codec->name(token);
    options.echo = replace_invalid_utf8(options.echo);
    if (asked.top_logprobs < 0) options.echo_logprobs.clear();
  }
  EngineRequest request = engine_request(asked, std::move(prompt), "prompt");
  submit(asked, std::move(request), std::move(options), stream);
}

void ChatServer::summary(const HttpRequest& http_request, Stream& stream) {
  const ServedModel& model = ready_model();
  const SummaryRequest asked = parse_summary(http_request.body);
  const std::vector<Turn> turns = summary_request(asked.conversation);
  submit(asked, engine_request(asked, model.codec->encode(turns, {}), "chat"), {}, stream);
}

// Everything else

void ChatServer::models(const HttpRequest& request, Stream& stream) {
  const ServedModel& model = ready_model();
  constexpr std::string_view kList = "/v1/models";
  std::vector<std::string_view> names;
  for (const ServedModel::Name& one : model.names) names.push_back(one.name);
  if (request.path == kList) return stream->respond(200, kJson, model_list(names, created_));
  const std::string name = percent_decode(request.path.substr(kList.size() + 1));
  if (std::ranges::find(names, name) == names.end())
    throw ApiError(404, fmt::format("the model '{}' is not served here", name), "model",
                   "model_not_found");
  stream->respond(200, kJson, model_object(name, created_));
}

// As llama.cpp's: {content, add_special, parse_special, with_pieces}; or {messages}, which gives
// the prompt of a chat completion.
void ChatServer::tokenize(const HttpRequest& request, Stream& stream) {
  const ChatCodec& codec = *ready_model().codec;
  const Json body = parse_body(request.body);
  std::vector<int> tokens;
  if (find_field(body, "messages") != nullptr) {
    tokens = codec.encode(parse_chat_completion(request.body).turns, {});
  } else {
    if (find_field(body, "content") == nullptr) refuse_field("content", "must be a string");
    const bool parse =
        find_field(body, "parse_special") == nullptr || boolean_field(body, "parse_special");
    tokens = codec.encode_text(text_field(body, "content"),
                               parse ? SpecialTokens::parse : SpecialTokens::as_text);
    if (boolean_field(body, "add_special") && codec.bos())
      tokens.insert(tokens.begin(), *codec.bos());
  }
  Json list = Json::array();
  const bool with_pieces = boolean_field(body, "with_pieces");
  for (const int token : tokens)
    list.push_back(with_pieces ? Json{{"id", token}, {"piece", piece_json(codec.name(token))}}
                               : Json(token));
  stream->respond(200, kJson, dump_json(Json{{"tokens", std::move(list)}}));
}

// As llama.cpp's: {tokens}. Bytes that are no characters become U+FFFD.
void ChatServer::detokenize(const HttpRequest& request, Stream& stream) {
  const ServedModel& model = ready_model();
  const Json body = parse_body(request.body);
  const Json* tokens = find_field(body, "tokens");
  if (tokens == nullptr) refuse_field("tokens", "must be an array of tokens");
  std::string content;
  for (const int token : token_ids(*tokens, "tokens", model.engine->vocab_size()))
    content += model.codec->name(token);
  stream->respond(200, kJson, dump_json(Json{{"content", replace_invalid_utf8(content)}}));
}

void ChatServer::metrics(const HttpRequest&, Stream& stream) {
  const bool ready = ready_;  // before, http_ may not be set yet
  stream->respond(200, {{"content-type", "text/plain; version=0.0.4; charset=utf-8"}},
                  metrics_.text(ready ? model_.engine : nullptr, ready ? http_->connections() : 0));
}

void ChatServer::health(const HttpRequest&, Stream& stream) {
  const bool good = ready_ && !stopping_;
  const char* status = stopping_ ? "stopping" : ready_ ? "ok" : "loading";
  stream->respond(good ? 200 : 503, kJson, fmt::format("{{\"status\":\"{}\"}}", status));
}

// Scripts and styles of the page itself alone: they carry a number that nobody can know before.
void ChatServer::page(const HttpRequest&, Stream& stream) {
  const std::string nonce = fmt::format("{:016x}{:016x}", random_number(), random_number());
  stream->respond(
      200,
      {{"content-type", "text/html; charset=utf-8"},
       {"cache-control", "no-store"},
       {"content-security-policy",
        fmt::format("default-src 'none'; script-src 'nonce-{0}'; style-src 'nonce-{0}'; "
                    "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                    "frame-ancestors 'none'",
                    nonce)},
       {"x-content-type-options", "nosniff"},
       {"referrer-policy", "no-referrer"}},
      page_html(nonce));
}

}  // namespace chatmem
