// Anthropic's Messages API, version 2026-10-21: POST /v1/messages and /v1/messages/count_tokens.
#include <fmt/format.h>

#include "base/error.h"
#include "llm/wire.h"

namespace chatmem {
namespace {

constexpr size_t kMaxAnthropicBytes = size_t(32) << 20;

// "/v1" and "/" at the end belong to the paths below.
std::string messages_base_url(const std::string& url) {
  std::string base = api_base_url(url.empty() ? kAnthropicUrl : url);
  if (base.ends_with("/v1")) base.resize(base.size() - 3);
  while (base.ends_with('/')) base.pop_back();
  return base;
}

LlmStop anthropic_stop(const std::string& reason) {
  if (reason == "end_turn" || reason == "stop_sequence") return LlmStop::end;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded")
    return LlmStop::max_tokens;
  return reason == "refusal" ? LlmStop::refusal : LlmStop::other;
}

// "refusal (cyber): why", as far as the answer says it.
std::string stop_detail_of(const Json& answer, const std::string& reason) {
  std::string detail = reason;
  const auto details = answer.find("stop_details");
  if (details == answer.end() || !details->is_object()) return detail;
  const auto text = [&](const char* key) {
    const auto it = details->find(key);
    return it != details->end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  if (const std::string category = text("category"); !category.empty())
    detail += " (" + shortened(category) + ")";
  if (const std::string why = text("explanation"); !why.empty()) detail += ": " + shortened(why);
  return detail;
}

// What is paid for must be said: a wrong type here is no answer of this API. (The JSON library
// reads every number without sign, fraction and exponent as unsigned.)
LlmUsage anthropic_usage(const Json& answer, std::string_view where) {
  const Json& usage = json_object(answer, "usage", where);
  for (const char* key : {"input_tokens", "output_tokens"}) {
    const auto it = usage.find(key);
    if (it == usage.end() || !it->is_number_unsigned())
      throw Error(fmt::format("{}: usage.{} must be a number of tokens", where, key));
  }
  return {.input = count_of(usage, "input_tokens"),
          .cache_write = count_of(usage, "cache_creation_input_tokens"),
          .cache_read = count_of(usage, "cache_read_input_tokens"),
          .output = count_of(usage, "output_tokens")};
}

// Blocks are chosen by type: thinking may come before the text, and types yet unknown too.
std::string text_of(const Json& answer, std::string_view where) {
  std::string text;
  for (const Json& block : json_array(answer, "content", where))
    if (block.is_object() && json_string(block, "type", where) == "text")
      text += json_string(block, "text", where);
  return text;
}

class AnthropicApi : public LlmApi {
 public:
  explicit AnthropicApi(LlmEndpoint endpoint) : endpoint_(std::move(endpoint)) {
    endpoint_.base_url = messages_base_url(endpoint_.base_url);
    check_api_key(endpoint_.api_key);
    if (endpoint_.api_key.empty())
      throw Error("[llm] an API key is needed, none is set",
                  "set ANTHROPIC_API_KEY in the environment or in .env");
  }

  std::string name() const override { return "anthropic"; }
  std::string host() const override { return host_of(endpoint_.base_url); }

  HttpCall call(const LlmRequest& request) const override {
    return call_to("/v1/messages", body(request));
  }

  Json body(const LlmRequest& request) const override {
    Json body = {{"model", request.model}, {"max_tokens", request.max_tokens}};
    if (!request.system.empty())
      body["system"] = Json::array({{{"type", "text"},
                                     {"text", request.system},
                                     {"cache_control", {{"type", "ephemeral"}}}}});
    Json& messages = body["messages"] = Json::array();
    for (const LlmMessage& message : request.messages)
      messages.push_back({{"role", message.role}, {"content", message.content}});
    if (request.schema)
      body["output_config"]["format"] = {{"type", "json_schema"}, {"schema", *request.schema}};
    if (request.temperature) body["temperature"] = *request.temperature;
    return body;
  }

  LlmAnswer parse_answer(std::string_view body) const override {
    const std::string where = fmt::format("answer of {}", host());
    const Json json = parse_json(body, where);
    if (!json.is_object() || json_string(json, "type", where) != "message")
      throw Error(fmt::format("[llm] {}: must be a message, found: {}", where,
                              shortened(body, endpoint_.api_key)));
    const std::string reason = json_string(json, "stop_reason", where);
    LlmAnswer answer;
    answer.text = text_of(json, where);
    answer.stop = anthropic_stop(reason);
    answer.stop_detail = stop_detail_of(json, shortened(reason));
    answer.usage = anthropic_usage(json, "[llm] " + where);
    answer.model = json_string_or(json, "model", "", where);
    return answer;
  }

  LlmFailure parse_failure(const HttpOutcome& outcome) const override {
    const HttpResponse& response = outcome.response;
    if (response.status != 0 && response.status / 100 != 2) return failure_of_error(response);
    if (outcome.error) return failure_of_connection(outcome);
    try {
      parse_answer(response.body);
    } catch (const Error& e) {
      return failure_of_answer(shortened(e.what(), endpoint_.api_key));
    }
    return failure_of_answer(fmt::format("[llm] {}: the answer was not accepted", host()));
  }

  LlmLimits parse_limits(const HttpHeaders& headers) const override {
    const Moment now = server_time(headers);
    const auto limit = [&](const std::string& of) {
      const std::string prefix = "anthropic-ratelimit-" + of;
      return read_limit(headers, {prefix + "-limit", prefix + "-remaining", prefix + "-reset"},
                        [now](std::string_view text) -> std::optional<double> {
                          const auto reset = parse_rfc3339(text);
                          if (!reset) return std::nullopt;
                          return std::max(0.0, double((*reset - now).count()));
                        });
    };
    return {.requests = limit("requests"),
            .input_tokens = limit("input-tokens"),
            .output_tokens = limit("output-tokens"),
            .tokens = limit("tokens")};
  }

  std::string request_id(const HttpHeaders& headers) const override {
    const std::string* id = find_header(headers, "request-id");
    return id ? shortened(*id, endpoint_.api_key) : "";
  }

  std::optional<HttpCall> count_tokens_call(const LlmRequest& request) const override {
    Json counted = body(request);
    counted.erase("max_tokens");
    counted.erase("temperature");
    return call_to("/v1/messages/count_tokens", counted);
  }

  int64_t parse_count_tokens(std::string_view body) const override {
    const std::string where = fmt::format("answer of {}", host());
    const Json json = parse_json(body, where);
    if (!json.is_object() || json_int(json, "input_tokens", where) < 0)
      throw Error(fmt::format("[llm] {}: must have input_tokens, found: {}", where,
                              shortened(body, endpoint_.api_key)));
    return count_of(json, "input_tokens");
  }

 private:
  HttpCall call_to(const std::string& path, const Json& body) const {
    HttpCall call;
    call.method = "POST";
    call.url = endpoint_.base_url + path;
    call.headers = {{"x-api-key", endpoint_.api_key},
                    {"anthropic-version", kAnthropicVersion},
                    {"content-type", "application/json"},
                    {"accept", "application/json"}};
    call.body = dump_json(body);
    call.connect_timeout_ms = endpoint_.connect_timeout_ms;
    call.idle_timeout_ms = endpoint_.timeout_ms;
    call.max_response_bytes = kMaxAnthropicBytes;
    return call;
  }

  // The limits on money come as 429 without retry-after, or as 400 when the user set them, and so
  // does an empty account; none of them changes by waiting.
  LlmFailure failure_of_error(const HttpResponse& response) const {
    const ApiErrorBody error = read_error_body(response.body);
    LlmFailure failure = failure_of_status(response, error, endpoint_);
    const bool spent =
        error.code == "enforced_spend_limit_reached" ||
        error.message.find("reached your specified API usage limits") != error.message.npos ||
        error.message.find("credit balance is too low") != error.message.npos;
    if (spent) {
      failure.verdict = LlmVerdict::stop_run;
      failure.hint =
          "raise the spend limit or add credit at platform.claude.com, then run it again";
    }
    return failure;
  }

  LlmEndpoint endpoint_;
};

}  // namespace

std::unique_ptr<LlmApi> make_anthropic_api(LlmEndpoint endpoint) {
  return std::make_unique<AnthropicApi>(std::move(endpoint));
}

}  // namespace chatmem
