// OpenAI's chat completions, and what is compatible with them: POST BASE/chat/completions, whole.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "llm/wire.h"

namespace chatmem {
namespace {

constexpr const char* kOpenaiUrl = "https://api.openai.com/v1";
constexpr const char* kOwnHost = "api.openai.com";
constexpr size_t kMaxOpenaiBytes = size_t(32) << 20;

// A string, or parts of which those of type "text" count; null where there is none.
std::string content_of(const Json& message, std::string_view where) {
  const auto content = message.find("content");
  if (content == message.end() || content->is_null()) return {};
  if (!content->is_array()) return json_string(message, "content", where);
  std::string text;
  for (const Json& part : *content)
    if (part.is_object() && json_string_or(part, "type", "", where) == "text")
      text += json_string(part, "text", where);
  return text;
}

LlmStop openai_stop(const std::string& reason) {
  if (reason == "stop") return LlmStop::end;
  if (reason == "length") return LlmStop::max_tokens;
  return reason == "content_filter" ? LlmStop::refusal : LlmStop::other;
}

// Not every server says what it used; those that do count the cached tokens in prompt_tokens.
LlmUsage openai_usage(const Json& answer) {
  LlmUsage used;
  const auto usage = answer.find("usage");
  if (usage == answer.end() || !usage->is_object()) return used;
  used.output = count_of(*usage, "completion_tokens");
  const int64_t prompt = count_of(*usage, "prompt_tokens");
  if (const auto details = usage->find("prompt_tokens_details");
      details != usage->end() && details->is_object()) {
    used.cache_read = std::min(count_of(*details, "cached_tokens"), prompt);
    used.cache_write = std::min(count_of(*details, "cache_write_tokens"), prompt - used.cache_read);
  }
  used.input = prompt - used.cache_read - used.cache_write;
  return used;
}

class OpenAiApi : public LlmApi {
 public:
  explicit OpenAiApi(LlmEndpoint endpoint) : endpoint_(std::move(endpoint)) {
    endpoint_.base_url =
        endpoint_.base_url.empty() ? kOpenaiUrl : openai_base_url(endpoint_.base_url);
    own_ = host() == kOwnHost;
    check_api_key(endpoint_.api_key);
    if (own_ && endpoint_.api_key.empty())
      throw Error(fmt::format("[llm] {} needs an API key, none is set", kOwnHost),
                  "set OPENAI_API_KEY in the environment or in .env");
  }

  std::string name() const override { return "openai"; }
  std::string host() const override { return host_of(endpoint_.base_url); }

  HttpCall call(const LlmRequest& request) const override {
    HttpCall call;
    call.method = "POST";
    call.url = endpoint_.base_url + "/chat/completions";
    call.headers = {{"content-type", "application/json"}, {"accept", "application/json"}};
    if (!endpoint_.api_key.empty())
      call.headers.emplace_back("authorization", "Bearer " + endpoint_.api_key);
    call.body = dump_json(body(request));
    call.connect_timeout_ms = endpoint_.connect_timeout_ms;
    call.idle_timeout_ms = endpoint_.timeout_ms;
    call.max_response_bytes = kMaxOpenaiBytes;
    return call;
  }

  Json body(const LlmRequest& request) const override {
    Json body = {{"model", request.model}};
    // OpenAI's newer models refuse max_tokens; many compatible servers know nothing else.
    body[own_ ? "max_completion_tokens" : "max_tokens"] = request.max_tokens;
    Json& messages = body["messages"] = Json::array();
    if (!request.system.empty())
      messages.push_back({{"role", "system"}, {"content", request.system}});
    for (const LlmMessage& message : request.messages)
      messages.push_back({{"role", message.role}, {"content", message.content}});
    if (request.schema)
      body["response_format"] = {
          {"type", "json_schema"},
          {"json_schema", {{"name", "answer"}, {"strict", true}, {"schema", *request.schema}}}};
    if (request.temperature) body["temperature"] = *request.temperature;
    return body;
  }

  LlmAnswer parse_answer(std::string_view body) const override {
    const std::string where = fmt::format("answer of {}", host());
    const Json json = parse_json(body, where);
    const auto choices = json.is_object() ? json.find("choices") : json.end();
    if (choices == json.end() || !choices->is_array() || choices->empty() ||
        !(*choices)[0].is_object())
      throw Error(fmt::format("[llm] {}: must have choices, found: {}", where,
                              shortened(body, endpoint_.api_key)));
    const Json& choice = (*choices)[0];
    const Json& message = json_object(choice, "message", where);
    LlmAnswer answer;
    answer.text = content_of(message, where);
    const auto reason = choice.find("finish_reason");
    answer.stop_detail = reason == choice.end() || reason->is_null()
                             ? "no finish_reason"
                             : shortened(json_string(choice, "finish_reason", where));
    answer.stop = openai_stop(answer.stop_detail);
    if (const auto refusal = message.find("refusal");
        refusal != message.end() && refusal->is_string() && !refusal->get<std::string>().empty()) {
      answer.stop = LlmStop::refusal;
      answer.stop_detail = "refusal: " + shortened(refusal->get<std::string>());
    }
    answer.usage = openai_usage(json);
    answer.model = json_string_or(json, "model", "", where);
    return answer;
  }

  LlmFailure parse_failure(const HttpOutcome& outcome) const override {
    const HttpResponse& response = outcome.response;
    if (response.status != 0 && response.status / 100 != 2)
      return failure_of_error(response, read_error_body(response.body));
    if (outcome.error) return failure_of_connection(outcome);
    try {
      parse_answer(response.body);
    } catch (const Error& e) {
      // Gateways answer 200 with the status of the server behind them in the body.
      const ApiErrorBody error = read_error_body(response.body);
      if (error.status != 0) return failure_of_error(response, error);
      return failure_of_answer(shortened(e.what(), endpoint_.api_key));
    }
    return failure_of_answer(fmt::format("[llm] {}: the answer was not accepted", host()));
  }

  LlmLimits parse_limits(const HttpHeaders& headers) const override {
    const auto limit = [&](const std::string& of) {
      return read_limit(
          headers,
          {"x-ratelimit-limit-" + of, "x-ratelimit-remaining-" + of, "x-ratelimit-reset-" + of},
          &parse_duration);
    };
    LlmLimits limits;
    limits.requests = limit("requests");
    limits.tokens = limit("tokens");
    return limits;
  }

  std::string request_id(const HttpHeaders& headers) const override {
    const std::string* id = find_header(headers, "x-request-id");
    return id ? shortened(*id, endpoint_.api_key) : "";
  }

  std::optional<HttpCall> count_tokens_call(const LlmRequest&) const override {
    return std::nullopt;
  }
  int64_t parse_count_tokens(std::string_view) const override {
    throw Error(fmt::format("[llm] {} cannot count tokens", host()));
  }

 private:
  LlmFailure failure_of_error(const HttpResponse& response, const ApiErrorBody& error) const {
    LlmFailure failure = failure_of_status(response, error, endpoint_);
    const int status = error.status != 0 ? error.status : response.status;
    failure.overloaded |= status == 503;  // here the word for "overloaded"
    for (const std::string& word : {error.code, error.type})
      if (word == "insufficient_quota" || word == "billing_hard_limit_reached") {
        failure.verdict = LlmVerdict::stop_run;
        failure.hint = "is there credit on the account, and is its limit high enough?";
      } else if (word == "model_not_found") {
        failure.verdict = LlmVerdict::stop_run;
      }
    return failure;
  }

  LlmEndpoint endpoint_;
  bool own_ = false;  // OpenAI itself
};

}  // namespace

std::unique_ptr<LlmApi> make_openai_api(LlmEndpoint endpoint) {
  return std::make_unique<OpenAiApi>(std::move(endpoint));
}

}  // namespace chatmem
