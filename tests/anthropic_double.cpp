#include "anthropic_double.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>

#include "anthropic_answer.h"
#include "anthropic_batches.h"
#include "anthropic_checks.h"
#include "anthropic_message.h"
#include "anthropic_script.h"
#include "anthropic_usage.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "delayed_calls.h"
#include "net/http_error.h"
#include "net/http_server.h"

namespace chatmem {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr size_t kMaxMessageBytes = size_t(32) << 20, kMaxBatchBytes = size_t(256) << 20;
constexpr int kTickMs = 20;  // between two pieces of a slow body
// Between the last piece and a cut, so that the client has the piece first.
constexpr int kBeforeCutMs = 50;

constexpr std::string_view kProxyPage =
    "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>\r\n<center><h1>The upstream "
    "server did not answer</h1></center>\r\n</body>\r\n</html>\r\n";

// What is to be sent.
struct Answer {
  int status = 200;
  HttpHeaders headers;
  std::string body;
  bool events = false;  // text/event-stream
};

// A request that waits for its answer; destroyed without one, it resets the connection.
class Exchange {
 public:
  Exchange(AnthropicLedger& ledger, int64_t number, std::unique_ptr<ResponseStream> stream)
      : ledger_(&ledger), number_(number), stream_(std::move(stream)) {
    stream_->on_delivery([&ledger, number](Delivery delivery) {
      delivery == Delivery::sent ? ledger.sent(number) : ledger.broken(number);
    });
  }
  Exchange(Exchange&&) = default;
  Exchange& operator=(Exchange&&) = delete;
  ~Exchange() { reset(); }

  void respond(const Answer& answer) {
    ledger_->answering(number_, answer.status);
    stream_->respond(answer.status, answer.headers, answer.body);
    stream_ = nullptr;
  }
  void start(const Answer& answer) {
    ledger_->answering(number_, answer.status);
    stream_->start(answer.status, answer.headers);
  }
  void write(std::string_view bytes) { stream_->write(bytes); }
  void end() {
    stream_->end();
    stream_ = nullptr;
  }
  // Ends a started answer without a reset: the client sees that it is not whole.
  void close() { stream_ = nullptr; }
  void reset() {
    if (stream_) stream_->cut();
    stream_ = nullptr;
  }

 private:
  AnthropicLedger* ledger_;
  int64_t number_;
  std::unique_ptr<ResponseStream> stream_;
};

// An answer that goes out in pieces, by the timer.
struct PacedAnswer {
  enum class End { whole, reset, close };
  Exchange exchange;
  std::string body;
  size_t at = 0, stop = 0;    // the piece that ends before `stop` goes out at once
  double bytes_per_tick = 0;  // of what follows; 0: all at once
  int pause_ms = 0;           // before what follows
  End end = End::whole;
};

std::string results_base(const HttpRequest& request) {
  const std::string* host = find_header(request.headers, "host");
  return "http://" + (host ? *host : std::string("127.0.0.1"));
}

// The batch's id of "/v1/messages/batches/ID" and "/v1/messages/batches/ID/LAST".
std::pair<std::string, std::string> batch_path(const std::string& path) {
  constexpr std::string_view kPrefix = "/v1/messages/batches/";
  if (!path.starts_with(kPrefix)) return {};
  const std::string rest = path.substr(kPrefix.size());
  const size_t slash = rest.find('/');
  return {rest.substr(0, slash), slash == rest.npos ? "" : rest.substr(slash + 1)};
}

// As the script and the ledger name requests; empty: there is no such endpoint.
std::string kind_of(const HttpRequest& request) {
  const bool get = request.method == "GET", post = request.method == "POST";
  if (request.path == "/v1/messages") return post ? "messages" : "";
  if (request.path == "/v1/messages/count_tokens") return post ? "count_tokens" : "";
  if (request.path == "/v1/models" || request.path.starts_with("/v1/models/"))
    return get ? "models" : "";
  if (request.path == "/v1/messages/batches") return post ? "batches" : get ? "list" : "";
  const auto [id, last] = batch_path(request.path);
  if (id.empty()) return "";
  if (last.empty()) return get ? "poll" : request.method == "DELETE" ? "delete" : "";
  if (last == "cancel") return post ? "cancel" : "";
  if (last == "results") return get ? "results" : "";
  return "";
}

}  // namespace

struct AnthropicDouble::Core {
  explicit Core(AnthropicDoubleOptions new_options);
  ~Core();

  void handle(HttpRequest request, std::unique_ptr<ResponseStream> stream);
  bool control(const HttpRequest& request, ResponseStream& stream);
  void set_script(const Json& script);

  // The answer to a request without a fault of the transport.
  Answer answer(const std::string& kind, const HttpRequest& request, const Fault& fault,
                int64_t number);
  Answer answer_message(const HttpRequest& request, const Json& body, const Fault& fault,
                        int64_t number);
  Answer answer_count(const HttpRequest& request, const Json& body);
  Answer answer_models(const HttpRequest& request);
  Answer create_batch(const HttpRequest& request, const Json& body, int64_t number);
  Answer answer_batch(const std::string& kind, const HttpRequest& request);
  Answer answer_results(const HttpRequest& request, const std::string& id);
  FakeBatchItem make_item(const std::string& batch, const Json& request, std::string_view version);
  std::string results_line(const FakeBatchItem& item, const std::string& batch);

  Answer fault_answer(const HttpRequest& request, const Fault& fault) const;
  Answer error(const HttpRequest& request, const ApiError& what) const;
  Answer json(const HttpRequest& request, const Json& body) const;
  Answer json_or_error(const HttpRequest& request,
                       const AnthropicBatches::Result<Json>& result) const;
  HttpHeaders headers(const HttpRequest& request, std::string_view content_type) const;

  void deliver(Exchange exchange, Answer answer, const Fault& fault);
  void step(std::unique_ptr<PacedAnswer> paced);

  AnthropicDoubleOptions options;
  AnthropicLedger ledger;
  std::mutex mutex;  // guards what follows, up to the timer
  AnthropicScript script;
  RateLimits limits;
  PromptCache cache;
  AnthropicBatches batches;
  std::unordered_map<uint64_t, int64_t> item_attempts;
  int64_t n_items = 0;
  DelayedCalls timer;
  std::unique_ptr<HttpServer> server;  // destroyed first
};

AnthropicDouble::Core::Core(AnthropicDoubleOptions new_options)
    : options(std::move(new_options)), ledger(options.ledger), limits(0, 0, 0, {}) {
  if (!options.answer) options.answer = default_anthropic_answer;
  set_script(options.script);
  std::vector<HttpRoute> routes;
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH"})
    routes.push_back({method, "/*", [this](HttpRequest request, auto stream) {
                        handle(std::move(request), std::move(stream));
                      }});
  HttpServerOptions server_options;
  server_options.port = options.port;
  server_options.max_body_bytes = kMaxBatchBytes + (size_t(1) << 20);
  server_options.max_queued_bytes = size_t(1) << 30;
  server_options.max_connections = 4096;
  server = std::make_unique<HttpServer>(server_options, std::move(routes));
}

AnthropicDouble::Core::~Core() {
  timer.stop();  // resets what waits, so that the server can end
  server.reset();
}

void AnthropicDouble::Core::set_script(const Json& text) {
  AnthropicScript parsed(text);
  const std::lock_guard lock(mutex);
  script = std::move(parsed);
  limits = RateLimits(script.requests_a_minute, script.input_tokens_a_minute,
                      script.output_tokens_a_minute, std::chrono::steady_clock::now());
}

// Answers

HttpHeaders AnthropicDouble::Core::headers(const HttpRequest& request,
                                           std::string_view content_type) const {
  return {{"content-type", std::string(content_type)},
          {"request-id", request.id},
          {"anthropic-workspace-id", "wrkspc_double"}};
}

Answer AnthropicDouble::Core::json(const HttpRequest& request, const Json& body) const {
  return {200, headers(request, "application/json"), dump_json(body)};
}

Answer AnthropicDouble::Core::error(const HttpRequest& request, const ApiError& what) const {
  return {what.status, headers(request, "application/json"),
          error_body(what.type, what.message, request.id)};
}

Answer AnthropicDouble::Core::json_or_error(const HttpRequest& request,
                                            const AnthropicBatches::Result<Json>& result) const {
  if (const auto* refused = std::get_if<ApiError>(&result)) return error(request, *refused);
  return json(request, std::get<Json>(result));
}

Answer AnthropicDouble::Core::fault_answer(const HttpRequest& request, const Fault& fault) const {
  Answer answer{fault.status, headers(request, "application/json"), ""};
  if (fault.kind == FaultKind::html) {
    answer.headers = {{"content-type", "text/html"}};
    answer.body = kProxyPage;
    return answer;
  }
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) answer.headers.emplace_back(name, value);
  };
  add("retry-after", fault.retry_after);
  add("retry-after-ms", fault.retry_after_ms);
  add("x-should-retry", fault.should_retry);
  answer.body = error_body(fault.error_type, fault.message, request.id, fault.error_code);
  return answer;
}

Answer AnthropicDouble::Core::answer(const std::string& kind, const HttpRequest& request,
                                     const Fault& fault, int64_t number) {
  if (auto refused = check_headers(request.headers, options.keys)) return error(request, *refused);
  const bool batch = kind == "batches";
  if (request.body.size() > (batch ? kMaxBatchBytes : kMaxMessageBytes))
    return error(request, {413, "request_too_large", "Request exceeds the maximum size"});
  if (fault.kind == FaultKind::status || fault.kind == FaultKind::html)
    return fault_answer(request, fault);
  if (kind.empty())
    return error(request, {404, "not_found_error",
                           fmt::format("{} {} is no endpoint", request.method, request.path)});
  if (kind == "models") return answer_models(request);
  if (kind != "messages" && kind != "count_tokens" && !batch) return answer_batch(kind, request);
  Json body;
  try {
    body = parse_json(request.body, "the request body");
  } catch (const Error& e) {
    return error(request, {400, "invalid_request_error",
                           fmt::format("The request body is not valid JSON: {}", e.what())});
  }
  if (batch) return create_batch(request, body, number);
  if (kind == "count_tokens") return answer_count(request, body);
  return answer_message(request, body, fault, number);
}

Answer AnthropicDouble::Core::answer_message(const HttpRequest& request, const Json& body,
                                             const Fault& fault, int64_t number) {
  const std::string version = *find_header(request.headers, "anthropic-version");
  if (auto refused = check_message(body, MessagePurpose::create, version))
    return error(request, *refused);
  const LedgerEntry entry = ledger.entry(number);
  const MeasuredPrompt prompt = measure_prompt(body);
  MessageParts parts;
  parts.id = fmt::format("msg_{:016x}{:02}", entry.hash, entry.attempt);
  parts.text = options.answer(body);
  const bool events = body.value("stream", false);
  Answer answer{200, headers(request, events ? "text/event-stream" : "application/json"), "",
                events};
  const std::lock_guard lock(mutex);
  parts.usage = cache.read(prompt);
  parts.thinking = script.thinking;
  const Json message = make_message(body, parts, fault);
  FakeUsage taken = parts.usage;
  taken.output = message["usage"]["output_tokens"];
  const auto now = std::chrono::steady_clock::now();
  const auto wait = limits.take(taken, now);
  const HttpHeaders state = limits.headers(now);
  if (wait) {
    answer = error(request, {429, "rate_limit_error",
                             "This request would exceed your organization's rate limit"});
    answer.headers.emplace_back("retry-after", fmt::format("{:.0f}", std::ceil(*wait)));
  } else {
    cache.store(prompt);
    answer.body =
        events ? message_events(message, fault.kind == FaultKind::sse_error) : dump_json(message);
  }
  answer.headers.insert(answer.headers.end(), state.begin(), state.end());
  return answer;
}

Answer AnthropicDouble::Core::answer_count(const HttpRequest& request, const Json& body) {
  const std::string version = *find_header(request.headers, "anthropic-version");
  if (auto refused = check_message(body, MessagePurpose::count_tokens, version))
    return error(request, *refused);
  return json(request, {{"input_tokens", measure_prompt(body).tokens}});
}

Answer AnthropicDouble::Core::answer_models(const HttpRequest& request) {
  if (request.path == "/v1/models") {
    Json all = Json::array();
    for (const std::string& id : anthropic_models()) all.push_back(model_object(id));
    return json_or_error(request, page_of(all, request.query));
  }
  const std::string id = percent_decode(request.path.substr(std::string("/v1/models/").size()));
  const auto& known = anthropic_models();
  if (std::find(known.begin(), known.end(), id) == known.end())
    return error(request, {404, "not_found_error", fmt::format("model: {}", id)});
  return json(request, model_object(id));
}

// Batches

FakeBatchItem AnthropicDouble::Core::make_item(const std::string& batch, const Json& request,
                                               std::string_view version) {
  FakeBatchItem item;
  item.custom_id = request["custom_id"];
  item.params = request["params"];
  const std::string bytes = dump_json(item.params);
  item.fault = script.fault_for({"batch_item", bytes, n_items++, item_attempts[hash64(bytes)]++});
  if (auto refused = check_message(item.params, MessagePurpose::batch_item, version)) {
    item.outcome = FakeBatchOutcome::errored;
    item.error = {{"type", refused->type}, {"message", refused->message}};
  } else if (item.fault.kind == FaultKind::errored) {
    item.outcome = FakeBatchOutcome::errored;
    item.error = {{"type", item.fault.error_type}, {"message", item.fault.message}};
  } else if (item.fault.kind == FaultKind::expired) {
    item.outcome = FakeBatchOutcome::expired;
  } else {
    ledger.batch_item(batch, item.custom_id, bytes);
  }
  return item;
}

Answer AnthropicDouble::Core::create_batch(const HttpRequest& request, const Json& body,
                                           int64_t number) {
  if (auto refused = check_batch(body)) return error(request, *refused);
  const std::string version = *find_header(request.headers, "anthropic-version");
  const std::string id = fmt::format("msgbatch_{:08}{:016x}", number, ledger.entry(number).hash);
  std::vector<FakeBatchItem> items;
  const std::lock_guard lock(mutex);
  for (const Json& one : body["requests"]) items.push_back(make_item(id, one, version));
  ledger.batch_created();
  return json(request, batches.create(id, std::move(items), results_base(request)));
}

Answer AnthropicDouble::Core::answer_batch(const std::string& kind, const HttpRequest& request) {
  const std::string id = batch_path(request.path).first, base = results_base(request);
  if (kind == "results") return answer_results(request, id);
  const std::lock_guard lock(mutex);
  if (kind == "list") return json_or_error(request, page_of(batches.list(base), request.query));
  if (kind == "poll") return json_or_error(request, batches.poll(id, script, base));
  if (kind == "delete") return json_or_error(request, batches.erase(id));
  const auto undone = [this](const FakeBatchItem& item) {
    if (item.outcome == FakeBatchOutcome::succeeded)
      ledger.batch_item_canceled(dump_json(item.params));
  };
  return json_or_error(request, batches.cancel(id, script, base, undone));
}

std::string AnthropicDouble::Core::results_line(const FakeBatchItem& item,
                                                const std::string& batch) {
  Json result;
  if (item.outcome == FakeBatchOutcome::succeeded) {
    MessageParts parts;
    parts.id = fmt::format("msg_{:016x}", hash64(item.custom_id, hash64(batch)));
    parts.service_tier = "batch";
    parts.text = options.answer(item.params);
    parts.usage.input = measure_prompt(item.params).tokens;
    result = {{"type", "succeeded"}, {"message", make_message(item.params, parts, item.fault)}};
  } else if (item.outcome == FakeBatchOutcome::errored) {
    result = {{"type", "errored"},
              {"error",
               {{"type", "error"},
                {"error", item.error},
                {"request_id", fmt::format("req_{:016x}", hash64(item.custom_id))}}}};
  } else {
    result = {{"type", item.outcome == FakeBatchOutcome::expired ? "expired" : "canceled"}};
  }
  return dump_json(Json{{"custom_id", item.custom_id}, {"result", std::move(result)}}) + "\n";
}

Answer AnthropicDouble::Core::answer_results(const HttpRequest& request, const std::string& id) {
  AnthropicBatches::Result<std::vector<FakeBatchItem>> found = std::vector<FakeBatchItem>();
  {
    const std::lock_guard lock(mutex);
    found = batches.results(id);
  }
  if (const auto* refused = std::get_if<ApiError>(&found)) return error(request, *refused);
  auto& items = std::get<std::vector<FakeBatchItem>>(found);
  Random random(hash64(id));
  random.shuffle(std::span(items));  // the API promises no order
  Answer answer{200, headers(request, "application/x-jsonl"), ""};
  for (const FakeBatchItem& item : items) answer.body += results_line(item, id);
  return answer;
}

// The way of a request

bool AnthropicDouble::Core::control(const HttpRequest& request, ResponseStream& stream) {
  const HttpHeaders type = {{"content-type", "application/json"}};
  if (request.method == "PUT" && request.path == "/double/script") {
    try {
      set_script(parse_json(request.body, "the script"));
      stream.respond(200, type, "{}");
    } catch (const Error& e) {
      stream.respond(400, type, http_error_body(400, e.what()));
    }
    return true;
  }
  if (request.path == "/double/summary") {
    stream.respond(200, type, dump_json(to_json(ledger.summary())));
    return true;
  }
  if (request.path != "/double/ledger") return false;
  Json all = Json::array();
  for (const LedgerEntry& entry : ledger.entries())
    all.push_back({{"kind", entry.kind},
                   {"hash", fmt::format("{:016x}", entry.hash)},
                   {"attempt", entry.attempt},
                   {"status", entry.status},
                   {"state", entry.state == LedgerState::open   ? "open"
                             : entry.state == LedgerState::sent ? "sent"
                                                                : "broken"},
                   {"arrived_ms", entry.arrived_ms},
                   {"ended_ms", entry.ended_ms}});
  stream.respond(200, type, dump_json(all));
  return true;
}

void AnthropicDouble::Core::handle(HttpRequest request, std::unique_ptr<ResponseStream> stream) {
  if (control(request, *stream)) return;
  const std::string kind = kind_of(request);
  const std::string_view name = kind.empty() ? std::string_view("unknown") : kind;
  const int64_t number = ledger.arrived(name, request.body, request.id);
  Exchange exchange(ledger, number, std::move(stream));
  const LedgerEntry entry = ledger.entry(number);
  Fault fault;
  int delay_ms = 0;
  {
    const std::lock_guard lock(mutex);
    fault = script.fault_for({name, request.body, entry.index, entry.attempt});
    if (kind == "messages") delay_ms = script.latency_ms;
  }
  Answer ready = answer(kind, request, fault, number);
  if (ready.status != 200) delay_ms = 0;  // refusals are quick
  timer.after(Milliseconds(delay_ms + fault.delay_ms),
              [this, fault, exchange = std::move(exchange), ready = std::move(ready)]() mutable {
                deliver(std::move(exchange), std::move(ready), fault);
              });
}

void AnthropicDouble::Core::deliver(Exchange exchange, Answer answer, const Fault& fault) {
  const size_t half =
      fault.bytes < 0 ? answer.body.size() / 2 : std::min(size_t(fault.bytes), answer.body.size());
  auto paced = [&](size_t stop, double bytes_per_tick, int pause_ms, PacedAnswer::End end) {
    exchange.start(answer);
    step(std::make_unique<PacedAnswer>(PacedAnswer{std::move(exchange), std::move(answer.body), 0,
                                                   stop, bytes_per_tick, pause_ms, end}));
  };
  switch (fault.kind) {
    case FaultKind::reset:
      return exchange.reset();
    case FaultKind::reset_mid_body:
      return paced(half, 0, kBeforeCutMs, PacedAnswer::End::reset);
    case FaultKind::close_mid_body:
      return paced(half, 0, kBeforeCutMs, PacedAnswer::End::close);
    case FaultKind::stall:
      return paced(half, 0, fault.stall_ms, PacedAnswer::End::whole);
    case FaultKind::slow:
      return paced(0, fault.bytes_per_second * kTickMs / 1000, kTickMs, PacedAnswer::End::whole);
    case FaultKind::truncated_body:
      answer.body.resize(half);
      break;
    case FaultKind::invalid_body:
      answer.body = "upstream says: {ok";
      break;
    default:
      break;
  }
  if (!answer.events) return exchange.respond(answer);
  exchange.start(answer);
  exchange.write(answer.body);
  exchange.end();
}

// Sends up to `stop`, then waits, and goes on as the fault says.
void AnthropicDouble::Core::step(std::unique_ptr<PacedAnswer> paced) {
  paced->exchange.write(std::string_view(paced->body).substr(paced->at, paced->stop - paced->at));
  paced->at = paced->stop;
  if (paced->end == PacedAnswer::End::whole && paced->at == paced->body.size())
    return paced->exchange.end();
  const Milliseconds pause(paced->pause_ms);
  timer.after(pause, [this, paced = std::move(paced)]() mutable {
    if (paced->end == PacedAnswer::End::reset) return paced->exchange.reset();
    if (paced->end == PacedAnswer::End::close) return paced->exchange.close();
    const size_t left = paced->body.size() - paced->at;
    const size_t piece =
        paced->bytes_per_tick > 0 ? std::max<size_t>(size_t(paced->bytes_per_tick), 1) : left;
    paced->stop = paced->at + std::min(piece, left);
    step(std::move(paced));
  });
}

AnthropicDouble::AnthropicDouble(AnthropicDoubleOptions options)
    : core_(std::make_unique<Core>(std::move(options))) {}

AnthropicDouble::~AnthropicDouble() = default;

int AnthropicDouble::port() const { return core_->server->port(); }

std::string AnthropicDouble::base_url() const { return fmt::format("http://127.0.0.1:{}", port()); }

void AnthropicDouble::set_script(const Json& script) { core_->set_script(script); }

LedgerSummary AnthropicDouble::summary() const { return core_->ledger.summary(); }

std::vector<LedgerEntry> AnthropicDouble::ledger() const { return core_->ledger.entries(); }

}  // namespace chatmem
