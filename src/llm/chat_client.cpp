#include "llm/chat_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/json.h"
#include "base/random.h"
#include "base/utf8.h"
#include "llm/wire.h"
#include "net/http_client.h"
#include "net/sse.h"

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLongestRetryAfterSeconds = 60;
constexpr size_t kMaxErrorBodyBytes = size_t(1) << 20;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// JSON demands UTF-8, yet some servers send half a character in one chunk and the rest in the next.
// Each stray byte travels through the JSON parser as a code point of its own, U+10FF00 + byte (a
// private use that no text has), and is a byte again afterwards.
constexpr char32_t kStrayByte = 0x10FF00;

std::string carry_stray_bytes(std::string_view text) {
  std::string out;
  for (size_t bad = 0; (bad = find_invalid_utf8(text)) != text.npos;) {
    out += text.substr(0, bad);
    append_utf8(out, kStrayByte + uint8_t(text[bad]));
    text.remove_prefix(bad + 1);
  }
  return out.append(text);
}

std::string restore_stray_bytes(std::string_view text) {
  constexpr std::string_view kLead = "\xF4\x8F";  // then two bytes that hold 12 bits
  std::string out;
  for (size_t at; (at = text.find(kLead)) != text.npos;) {
    out += text.substr(0, at);
    const auto bits = [&](size_t i) { return uint32_t(uint8_t(text[at + i])) & 0x3F; };
    const bool stray = text.size() >= at + 4 && bits(2) >= 0x3C;
    if (stray)
      out += char((bits(2) & 3) << 6 | bits(3));
    else
      out += text.substr(at, 2);
    text.remove_prefix(at + (stray ? 4 : 2));
  }
  return out.append(text);
}

// Text that arrives in pieces, handed on in whole characters.
class TextSink {
 public:
  explicit TextSink(const std::function<void(std::string_view)>& on_text) : on_text_(on_text) {}
  void push(std::string_view piece) {
    held_ += piece;
    emit(held_.size() - incomplete_utf8_suffix(held_));
  }
  void finish() { emit(held_.size()); }
  const std::string& text() const { return text_; }

 private:
  void emit(size_t count) {
    if (count == 0) return;
    const std::string whole = replace_invalid_utf8(std::string_view(held_).substr(0, count));
    held_.erase(0, count);
    text_ += whole;
    if (on_text_) on_text_(whole);
  }
  const std::function<void(std::string_view)>& on_text_;
  std::string held_, text_;
};

int count_in(const Json& usage, const char* key) {
  return int(std::min<int64_t>(count_of(usage, key), 1 << 30));
}

// A failure after which the same request may succeed.
class Retryable : public ChatError {
 public:
  Retryable(const ChatError& error, std::optional<double> after_seconds = {})
      : ChatError(error), after_seconds_(after_seconds) {}
  std::optional<double> after_seconds() const { return after_seconds_; }

 private:
  std::optional<double> after_seconds_;
};

[[noreturn]] void fail_status(const std::string& url, const std::string& key,
                              const HttpResponse& response, std::string_view body) {
  const ChatError error(ChatFault::refused,
                        fmt::format("[llm] {}: status {}: {}", shown_url(url), response.status,
                                    error_message(body, key)),
                        response.status == 401 || response.status == 403
                            ? "is the API key set, and is it this one's?"
                            : "");
  if (!is_retryable_status(response.status)) throw error;
  const auto after = retry_after_seconds(response.headers);
  if (after && *after > kLongestRetryAfterSeconds)
    throw ChatError(ChatFault::refused,
                    fmt::format("{}; it asks to wait {:.0f} s", error.what(), *after),
                    error.hint());
  throw Retryable(error, after);
}

// Runs the attempt until it succeeds, fails for good, or has had its retries.
template <typename Attempt>
auto with_retries(int max_retries, Attempt attempt) {
  Random random(uint64_t(Clock::now().time_since_epoch().count()));
  for (int n = 0;; n++) {
    double wait_seconds;
    try {
      return attempt();
    } catch (const Retryable& e) {
      if (n >= max_retries) throw ChatError(e);
      // Spread over a quarter, so that clients that failed together do not return together.
      wait_seconds = e.after_seconds().value_or(0.5 * double(1 << std::min(n, 6)));
      if (!e.after_seconds()) wait_seconds *= 1 - 0.25 * random.uniform();
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(wait_seconds));
  }
}

// Whether these may be the first bytes of server-sent events, comments included.
bool begins_as_events(std::string_view raw) {
  raw.remove_prefix(std::min(raw.find_first_not_of("\r\n"), raw.size()));
  for (const std::string_view field : {":", "data:", "event:", "id:", "retry:"})
    if (raw.starts_with(field.substr(0, raw.size()))) return true;
  return false;
}

// One streamed answer, read event by event.
class StreamReader {
 public:
  StreamReader(const std::string& url, const std::function<void(std::string_view)>& on_text)
      : url_(shown_url(url)),
        sink_(on_text),
        decoder_([this](const SseEvent& event) { take(event); }) {}

  void feed(const HttpResponse& head, std::string_view bytes) {
    const bool answered = head.status / 100 == 2;
    if (answered || result_.raw.size() < kMaxErrorBodyBytes) result_.raw += bytes;
    if (answered && is_stream(head)) decoder_.feed(bytes);
  }
  bool has_text() const { return !sink_.text().empty(); }
  const std::string& raw() const { return result_.raw; }

  ChatResult finish(const HttpResponse& head) {
    if (!is_stream(head)) take_whole();
    if (!done_ && result_.finish_reason.empty()) fail_early_end();
    sink_.finish();
    result_.text = sink_.text();
    result_.total_ms = ms_since(begin_);
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail_early_end() const {
    if (!result_.raw.empty() && !begins_as_events(result_.raw))
      throw ChatError(ChatFault::garbage,
                      fmt::format("[llm] {}: must answer with events, found: {}", url_,
                                  shortened(result_.raw)));
    throw ChatError(ChatFault::cut_off,
                    fmt::format("[llm] {}: the stream ended before the answer did", url_));
  }
  // Some servers ignore "stream" and answer with one object.
  static bool is_stream(const HttpResponse& head) {
    const std::string* type = find_header(head.headers, "content-type");
    return type == nullptr || !type->starts_with("application/json");
  }
  Json parse(std::string_view data) const {
    try {
      Json json = parse_json(carry_stray_bytes(data), "chunk");
      if (json.is_object()) return json;
    } catch (const Error&) {
      // The parser's position within a chunk helps nobody: the chunk itself is shown below.
    }
    throw ChatError(ChatFault::garbage,
                    fmt::format("[llm] {}: each event must be a JSON object, found: {}", url_,
                                shortened(data)));
  }
  void take(const SseEvent& event) {
    if (done_) return;
    if (event.data.starts_with("[DONE]")) {
      done_ = true;
      return;
    }
    const Json json = parse(event.data);
    const auto error = json.find("error");
    if (event.event == "error" || (error != json.end() && !error->is_null()))
      throw ChatError(ChatFault::failed, fmt::format("[llm] {}: error in the stream: {}", url_,
                                                     error_message(event.data)));
    take_object(json, "delta", event.data);
  }
  void take_whole() {
    take_object(parse(result_.raw), "message", result_.raw);
    done_ = true;
  }
  void take_object(const Json& json, const char* content_key, std::string_view data) {
    if (const auto usage = json.find("usage"); usage != json.end() && usage->is_object()) {
      result_.prompt_tokens = count_in(*usage, "prompt_tokens");
      result_.completion_tokens = count_in(*usage, "completion_tokens");
    }
    const auto choices = json.find("choices");
    if (choices == json.end() || !choices->is_array())
      throw ChatError(
          ChatFault::garbage,
          fmt::format("[llm] {}: an event must have choices, found: {}", url_, shortened(data)));
    if (choices->empty() || !(*choices)[0].is_object()) return;
    const Json& choice = (*choices)[0];
    if (const auto delta = choice.find(content_key); delta != choice.end() && delta->is_object())
      take_text_of(*delta, "content");
    take_text_of(choice, "text");  // of completions
    const auto reason = choice.find("finish_reason");
    if (reason != choice.end() && reason->is_string())
      result_.finish_reason = reason->get<std::string>();
  }
  void take_text_of(const Json& object, const char* key) {
    const auto text = object.find(key);
    if (text == object.end() || !text->is_string()) return;
    const std::string& piece = text->get_ref<const std::string&>();
    if (piece.empty()) return;
    if (result_.ttft_ms == 0) result_.ttft_ms = ms_since(begin_);
    sink_.push(restore_stray_bytes(piece));
  }

  const std::string url_;
  const Clock::time_point begin_ = Clock::now();
  TextSink sink_;
  SseDecoder decoder_;
  ChatResult result_;
  bool done_ = false;
};

std::string request_body(const ChatRequest& request) {
  Json body = {{"model", request.model}};
  if (request.prompt) {
    body["prompt"] = *request.prompt;
  } else {
    Json& messages = body["messages"] = Json::array();
    for (const ChatMessage& message : request.messages)
      messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  if (request.max_tokens) body["max_tokens"] = *request.max_tokens;
  if (request.temperature) body["temperature"] = *request.temperature;
  if (request.top_p) body["top_p"] = *request.top_p;
  if (request.seed) body["seed"] = *request.seed;
  if (!request.stop.empty()) body["stop"] = request.stop;
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  return dump_json(body);
}

HttpCall call_to(const ChatEndpoint& endpoint, const std::string& url) {
  HttpCall call;
  call.url = url;
  call.headers = {{"accept", "application/json, text/event-stream"}};
  if (!endpoint.api_key.empty())
    call.headers.emplace_back("authorization", "Bearer " + endpoint.api_key);
  call.connect_timeout_ms = endpoint.connect_timeout_ms;
  call.idle_timeout_ms = endpoint.idle_timeout_ms;
  return call;
}

ChatFault fault_of(HttpFailure failure) {
  switch (failure) {
    case HttpFailure::connect:
    case HttpFailure::invalid:
      return ChatFault::unreachable;
    case HttpFailure::idle:
      return ChatFault::stalled;
    case HttpFailure::too_large:
      return ChatFault::garbage;
    case HttpFailure::broken:
    case HttpFailure::aborted:
      break;
  }
  return ChatFault::broken;
}

// Connections that fail or break are worth another try; a body that is too large is not.
template <typename Request>
HttpResponse request_once(const HttpCall& call, const Request& nothing_read) {
  try {
    return http_request(call);
  } catch (const HttpError& e) {
    const ChatError error(fault_of(e.failure()), e.what(), e.hint());
    const bool transient = e.failure() == HttpFailure::connect ||
                           e.failure() == HttpFailure::idle || e.failure() == HttpFailure::broken;
    if (transient && nothing_read()) throw Retryable(error);
    throw error;
  }
}

}  // namespace

std::string_view chat_fault_name(ChatFault fault) {
  switch (fault) {
    case ChatFault::unreachable:
      return "unreachable";
    case ChatFault::refused:
      return "refused";
    case ChatFault::stalled:
      return "stalled";
    case ChatFault::broken:
      return "broken";
    case ChatFault::cut_off:
      return "cut_off";
    case ChatFault::garbage:
      return "garbage";
    case ChatFault::failed:
      break;
  }
  return "failed";
}

ChatClient::ChatClient(ChatEndpoint endpoint) : endpoint_(std::move(endpoint)) {
  endpoint_.base_url = openai_base_url(std::move(endpoint_.base_url));
  check_api_key(endpoint_.api_key);
}

ChatResult ChatClient::stream(const ChatRequest& request,
                              const std::function<void(std::string_view)>& on_text) const {
  const std::string url =
      endpoint_.base_url + (request.prompt ? "/completions" : "/chat/completions");
  HttpCall call = call_to(endpoint_, url);
  call.method = "POST";
  call.headers.emplace_back("content-type", "application/json");
  call.body = request_body(request);
  return with_retries(endpoint_.max_retries, [&] {
    StreamReader reader(url, on_text);
    call.on_body = [&](const HttpResponse& head, std::string_view bytes) {
      reader.feed(head, bytes);
      return true;
    };
    try {
      const HttpResponse head = request_once(call, [&] { return !reader.has_text(); });
      if (head.status / 100 != 2) fail_status(url, endpoint_.api_key, head, reader.raw());
      return reader.finish(head);
    } catch (ChatError& error) {
      error.set_raw(reader.raw());
      throw;
    }
  });
}

std::string ChatClient::first_model() const {
  const std::string url = endpoint_.base_url + "/models";
  HttpCall call = call_to(endpoint_, url);
  call.max_response_bytes = size_t(16) << 20;
  const HttpResponse response = with_retries(endpoint_.max_retries, [&] {
    HttpResponse got = request_once(call, [] { return true; });
    if (got.status / 100 != 2) fail_status(url, endpoint_.api_key, got, got.body);
    return got;
  });
  const Json list = parse_json(response.body, url);
  const Json& models = json_array(list, "data", url);
  if (models.empty()) throw Error(fmt::format("[llm] {}: must list a model, lists none", url));
  return json_string(models[0], "id", url);
}

}  // namespace chatmem
