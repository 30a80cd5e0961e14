#include "anthropic_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace chatmem {
namespace {

constexpr size_t kMaxMessages = 100'000, kMaxBatchItems = 100'000, kMaxCustomIdBytes = 64;
// 3600 s * max_tokens / 128,000 over 600 s: the SDKs refuse it before they send.
constexpr int64_t kMaxUnstreamedTokens = 21'333, kMaxTokens = 128'000;
constexpr int kMaxBreakpoints = 4;

using Found = std::optional<ApiError>;

ApiError invalid(std::string message) { return {400, "invalid_request_error", std::move(message)}; }

template <typename... Args>
ApiError invalid(fmt::format_string<Args...> text, Args&&... args) {
  return invalid(fmt::format(text, std::forward<Args>(args)...));
}

Found check_keys(const Json& params, MessagePurpose purpose) {
  static const std::set<std::string> kKnown = {
      "model",          "max_tokens", "messages",    "system",        "cache_control",
      "output_config",  "thinking",   "tools",       "metadata",      "tool_choice",
      "stop_sequences", "stream",     "temperature", "top_p",         "top_k",
      "service_tier",   "speed",      "container",   "inference_geo", "diagnostics"};
  for (const auto& item : params.items()) {
    const bool known =
        kKnown.contains(item.key()) && !(purpose == MessagePurpose::count_tokens &&
                                         (item.key() == "max_tokens" || item.key() == "stream"));
    if (!known) return invalid("{}: Extra inputs are not permitted", item.key());
  }
  return std::nullopt;
}

Found check_model(const Json& params) {
  if (!params.contains("model")) return invalid("model: Field required");
  if (!params["model"].is_string()) return invalid("model: Input should be a valid string");
  const std::string model = params["model"];
  const auto& known = anthropic_models();
  if (std::find(known.begin(), known.end(), model) == known.end())
    return ApiError{404, "not_found_error", fmt::format("model: {}", model)};
  return std::nullopt;
}

Found check_max_tokens(const Json& params, MessagePurpose purpose) {
  if (purpose == MessagePurpose::count_tokens) return std::nullopt;
  if (!params.contains("max_tokens")) return invalid("max_tokens: Field required");
  const Json& value = params["max_tokens"];
  if (!value.is_number_integer()) return invalid("max_tokens: Input should be a valid integer");
  const int64_t tokens = value;
  // 0 only warms the cache, which chatmem never asks for: here it is more likely a mistake.
  if (tokens < 1) return invalid("max_tokens: Input should be greater than or equal to 1");
  if (tokens > kMaxTokens)
    return invalid("max_tokens: {} > {}, which is the maximum allowed number of output tokens",
                   tokens, kMaxTokens);
  const bool unstreamed =
      purpose == MessagePurpose::create && params.value("stream", Json(false)) != true;
  if (unstreamed && tokens > kMaxUnstreamedTokens)
    return invalid(
        "max_tokens: Streaming is required for operations that may take longer than 10 minutes");
  return std::nullopt;
}

Found check_sampling(const Json& params, std::string_view version) {
  for (const char* key : {"temperature", "top_p", "top_k"}) {
    if (!params.contains(key)) continue;
    if (version == kNewVersion)
      return invalid("{}: sampling parameters are not supported as of version {}", key, version);
    if (!params[key].is_number()) return invalid("{}: Input should be a valid number", key);
  }
  if (params.contains("temperature") && (params["temperature"] < 0 || params["temperature"] > 1))
    return invalid("temperature: range: 0..1");
  return std::nullopt;
}

Found check_cache_control(const Json& holder, const std::string& where) {
  if (!holder.contains("cache_control") || holder["cache_control"].is_null()) return std::nullopt;
  const Json& mark = holder["cache_control"];
  if (!mark.is_object() || mark.value("type", Json()) != "ephemeral")
    return invalid("{}.cache_control.type: Input should be 'ephemeral'", where);
  const Json ttl = mark.value("ttl", Json("5m"));
  if (ttl != "5m" && ttl != "1h")
    return invalid("{}.cache_control.ttl: Input should be '5m' or '1h'", where);
  return std::nullopt;
}

Found check_text_block(const Json& block, const std::string& where) {
  if (!block.contains("text")) return invalid("{}.text: Field required", where);
  if (!block["text"].is_string()) return invalid("{}.text: Input should be a valid string", where);
  if (block["text"].get_ref<const std::string&>().empty())
    return invalid("{}: text content blocks must be non-empty", where);
  return std::nullopt;
}

// A string, or blocks, each with a type; of those other than text, only the cache mark is looked
// at.
Found check_content(const Json& content, const std::string& where) {
  if (content.is_string()) {
    if (content.get_ref<const std::string&>().empty())
      return invalid("{}: text content must be non-empty", where);
    return std::nullopt;
  }
  if (!content.is_array()) return invalid("{}: Input should be a valid string or array", where);
  if (content.empty()) return invalid("{}: must have at least one content block", where);
  static const std::set<std::string> kBlocks = {
      "text",     "image",       "document",      "thinking",       "redacted_thinking",
      "tool_use", "tool_result", "search_result", "server_tool_use"};
  for (size_t i = 0; i < content.size(); i++) {
    const Json& block = content[i];
    const std::string place = fmt::format("{}.{}", where, i);
    if (!block.is_object() || !block.contains("type") || !block["type"].is_string())
      return invalid("{}.type: Field required", place);
    if (!kBlocks.contains(block["type"].get<std::string>()))
      return invalid("{}: Input tag '{}' does not match any of the expected tags", place,
                     block["type"].get<std::string>());
    if (block["type"] == "text")
      if (auto found = check_text_block(block, place)) return found;
    if (auto found = check_cache_control(block, place)) return found;
  }
  return std::nullopt;
}

Found check_messages(const Json& params) {
  if (!params.contains("messages")) return invalid("messages: Field required");
  const Json& messages = params["messages"];
  if (!messages.is_array()) return invalid("messages: Input should be a valid array");
  if (messages.empty()) return invalid("messages: at least one message is required");
  if (messages.size() > kMaxMessages)
    return invalid("messages: there must be at most {} messages", kMaxMessages);
  for (size_t i = 0; i < messages.size(); i++) {
    const Json& message = messages[i];
    const std::string where = fmt::format("messages.{}", i);
    if (!message.is_object()) return invalid("{}: Input should be a valid object", where);
    for (const auto& item : message.items())
      if (item.key() != "role" && item.key() != "content")
        return invalid("{}.{}: Extra inputs are not permitted", where, item.key());
    if (!message.contains("role")) return invalid("{}.role: Field required", where);
    const Json& role = message["role"];
    if (role != "user" && role != "assistant" && role != "system")
      return invalid("{}.role: Input should be 'user', 'assistant' or 'system'", where);
    if (i == 0 && role != "user") return invalid("messages: first message must use the user role");
    if (!message.contains("content")) return invalid("{}.content: Field required", where);
    if (auto found = check_content(message["content"], where + ".content")) return found;
  }
  if (messages.back()["role"] == "assistant")
    return invalid("messages: this model does not support assistant message prefill");
  return std::nullopt;
}

Found check_system(const Json& params) {
  if (!params.contains("system")) return std::nullopt;
  const Json& system = params["system"];
  if (system.is_string()) return std::nullopt;
  if (!system.is_array()) return invalid("system: Input should be a valid string or array");
  for (size_t i = 0; i < system.size(); i++)
    if (!system[i].is_object() || system[i].value("type", Json()) != "text")
      return invalid("system.{}.type: Input should be 'text'", i);
  if (system.empty()) return std::nullopt;
  return check_content(system, "system");
}

bool names_type(const Json& schema, std::string_view type) {
  if (!schema.contains("type")) return false;
  const Json& value = schema["type"];
  if (!value.is_array()) return value == type;
  return std::find(value.begin(), value.end(), Json(type)) != value.end();
}

// The subset that structured outputs compile.
Found check_schema(const Json& schema, const std::string& where) {
  if (!schema.is_object()) return invalid("{}: Input should be a valid object", where);
  if (names_type(schema, "object") || schema.contains("properties")) {
    if (!schema.contains("additionalProperties") || schema["additionalProperties"] != false)
      return invalid(
          "{}: For 'object' type, 'additionalProperties' must be explicitly set to false", where);
  }
  for (const char* bound : {"minimum", "maximum", "multipleOf", "minLength", "maxLength",
                            "maxItems", "exclusiveMinimum", "exclusiveMaximum", "oneOf"})
    if (schema.contains(bound)) return invalid("{}: property '{}' is not supported", where, bound);
  if (schema.contains("minItems") && schema["minItems"] != 0 && schema["minItems"] != 1)
    return invalid("{}: 'minItems' must be 0 or 1", where);
  for (const char* key : {"properties", "$defs"})
    if (schema.contains(key))
      for (const auto& item : schema[key].items())
        if (auto found = check_schema(item.value(), where + "." + key + "." + item.key()))
          return found;
  for (const char* key : {"anyOf", "allOf"})
    if (schema.contains(key))
      for (const Json& choice : schema[key])
        if (auto found = check_schema(choice, where + "." + key)) return found;
  if (schema.contains("items")) return check_schema(schema["items"], where + ".items");
  return std::nullopt;
}

Found check_output_config(const Json& params) {
  if (!params.contains("output_config")) return std::nullopt;
  const Json& config = params["output_config"];
  if (!config.is_object()) return invalid("output_config: Input should be a valid object");
  for (const auto& item : config.items())
    if (item.key() != "format" && item.key() != "effort")
      return invalid("output_config.{}: Extra inputs are not permitted", item.key());
  static const std::set<Json> kEfforts = {nullptr, "low", "medium", "high", "xhigh", "max"};
  if (!kEfforts.contains(config.value("effort", Json())))
    return invalid("output_config.effort: Input should be 'low', 'medium', 'high', ...");
  const Json format = config.value("format", Json());
  if (format.is_null()) return std::nullopt;
  if (!format.is_object() || format.value("type", Json()) != "json_schema")
    return invalid("output_config.format.type: Input should be 'json_schema'");
  if (!format.contains("schema")) return invalid("output_config.format.schema: Field required");
  for (const auto& item : format.items())
    if (item.key() != "type" && item.key() != "schema")
      return invalid("output_config.format.{}: Extra inputs are not permitted", item.key());
  return check_schema(format["schema"], "output_config.format.schema");
}

Found check_rest(const Json& params, MessagePurpose purpose) {
  if (params.contains("stream") && !params["stream"].is_boolean())
    return invalid("stream: Input should be a valid boolean");
  if (purpose == MessagePurpose::batch_item && params.value("stream", Json(false)) == true)
    return invalid("stream: streaming is not supported in batches");
  if (purpose == MessagePurpose::batch_item && params.contains("speed"))
    return invalid("speed: is not supported in batches");
  if (auto found = check_cache_control(params, "params")) return found;
  const bool automatic = params.contains("cache_control") && !params["cache_control"].is_null();
  const int marks = count_breakpoints(params) + (automatic ? 1 : 0);
  if (marks > kMaxBreakpoints)
    return invalid("A maximum of {} blocks with cache_control may be provided. Found {}.",
                   kMaxBreakpoints, marks);
  return std::nullopt;
}

bool is_custom_id(const Json& value) {
  if (!value.is_string()) return false;
  const std::string& id = value.get_ref<const std::string&>();
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !id.empty() && id.size() <= kMaxCustomIdBytes && std::all_of(id.begin(), id.end(), fits);
}

}  // namespace

const std::vector<std::string>& anthropic_models() {
  static const std::vector<std::string> kModels = {"claude-fable-5-2",
                                                   "claude-mythos-5-2",
                                                   "claude-haiku-5-5",
                                                   "claude-sonnet-5-5",
                                                   "claude-fable-5-1",
                                                   "claude-opus-5-5",
                                                   "claude-mythos-5-1",
                                                   "claude-sonnet-5",
                                                   "claude-fable-5",
                                                   "claude-mythos-5",
                                                   "claude-opus-5",
                                                   "claude-opus-4-8",
                                                   "claude-opus-4-7",
                                                   "claude-opus-4-6",
                                                   "claude-sonnet-4-6",
                                                   "claude-haiku-4-5",
                                                   "claude-haiku-4-5-20251001",
                                                   "claude-opus-4-5",
                                                   "claude-sonnet-4-5",
                                                   "claude-sonnet-4-5-20250929",
                                                   "claude-opus-4-5-20251101"};
  return kModels;
}

int count_breakpoints(const Json& params) {
  int marks = 0;
  const auto count = [&](const Json& blocks) {
    if (!blocks.is_array()) return;
    for (const Json& block : blocks)
      marks +=
          block.is_object() && block.contains("cache_control") && !block["cache_control"].is_null();
  };
  if (params.contains("tools")) count(params["tools"]);
  if (params.contains("system")) count(params["system"]);
  for (const Json& message : params.value("messages", Json::array()))
    if (message.is_object() && message.contains("content")) count(message["content"]);
  return marks;
}

std::optional<ApiError> check_headers(const HttpHeaders& headers,
                                      const std::vector<std::string>& keys) {
  std::string key;
  if (const std::string* found = find_header(headers, "x-api-key")) key = *found;
  if (const std::string* found = find_header(headers, "authorization"))
    if (key.empty() && found->starts_with("Bearer ")) key = found->substr(7);
  if (key.empty()) return ApiError{401, "authentication_error", "x-api-key header is required"};
  if (!keys.empty() && std::find(keys.begin(), keys.end(), key) == keys.end())
    return ApiError{401, "authentication_error", "invalid x-api-key"};
  const std::string* version = find_header(headers, "anthropic-version");
  if (!version) return invalid("anthropic-version: header is required");
  if (*version != kOldVersion && *version != kNewVersion)
    return invalid("anthropic-version: \"{}\" is not a valid version", *version);
  return std::nullopt;
}

std::optional<ApiError> check_message(const Json& params, MessagePurpose purpose,
                                      std::string_view version) {
  if (!params.is_object()) return invalid("Input should be a valid object");
  if (auto found = check_keys(params, purpose)) return found;
  if (auto found = check_max_tokens(params, purpose)) return found;
  if (auto found = check_messages(params)) return found;
  if (auto found = check_system(params)) return found;
  if (auto found = check_sampling(params, version)) return found;
  if (auto found = check_output_config(params)) return found;
  if (auto found = check_rest(params, purpose)) return found;
  return check_model(params);
}

std::optional<ApiError> check_batch(const Json& body) {
  if (!body.is_object()) return invalid("Input should be a valid object");
  for (const auto& item : body.items())
    if (item.key() != "requests") return invalid("{}: Extra inputs are not permitted", item.key());
  if (!body.contains("requests")) return invalid("requests: Field required");
  const Json& requests = body["requests"];
  if (!requests.is_array() || requests.empty())
    return invalid("requests: List should have at least 1 item");
  if (requests.size() > kMaxBatchItems)
    return invalid("requests: List should have at most {} items", kMaxBatchItems);
  std::set<std::string> seen;
  for (size_t i = 0; i < requests.size(); i++) {
    const Json& item = requests[i];
    if (!item.is_object()) return invalid("requests.{}: Input should be a valid object", i);
    for (const auto& part : item.items())
      if (part.key() != "custom_id" && part.key() != "params")
        return invalid("requests.{}.{}: Extra inputs are not permitted", i, part.key());
    if (!item.contains("custom_id") || !is_custom_id(item["custom_id"]))
      return invalid("requests.{}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'",
                     i);
    if (!item.contains("params") || !item["params"].is_object())
      return invalid("requests.{}.params: Field required", i);
    if (!seen.insert(item["custom_id"].get<std::string>()).second)
      return invalid("requests.{}.custom_id: Duplicate custom_id", i);
  }
  return std::nullopt;
}

}  // namespace chatmem
