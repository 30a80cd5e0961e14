#include "serve/openai_api.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "net/http_error.h"

namespace chatmem {
namespace {

constexpr size_t kMaxMessages = 10'000;
constexpr size_t kMaxStops = 4;
constexpr size_t kMaxStopBytes = 1'000;

// The field, or null when it is absent or null.
const Json* field(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

[[noreturn]] void refuse(const std::string& param, const std::string& must) {
  throw ApiError(400, fmt::format("'{}' {}", param, must), param);
}

std::optional<double> number(const Json& object, const char* name, double low, double high) {
  const Json* value = field(object, name);
  if (value == nullptr) return std::nullopt;
  const double x = value->is_number() ? value->get<double>() : std::nan("");
  if (!(x >= low && x <= high))
    refuse(name, fmt::format("must be a number from {} to {}", low, high));
  return x;
}

std::optional<int> integer(const Json& object, const char* name, int low, int high) {
  const Json* value = field(object, name);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_unsigned() ? value->get<uint64_t>() <= uint64_t(INT64_MAX)
                                                : value->is_number_integer();
  const int64_t x = fits ? value->get<int64_t>() : int64_t(low) - 1;
  if (x < low || x > high) refuse(name, fmt::format("must be an integer from {} to {}", low, high));
  return int(x);
}

bool boolean(const Json& object, const char* name) {
  const Json* value = field(object, name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) refuse(name, "must be true or false");
  return value->get<bool>();
}

// A string, or an array of {"type":"text","text"} parts, which are joined.
std::string content_text(const Json& message, const std::string& param) {
  const Json* content = field(message, "content");
  if (content == nullptr) refuse(param, "must be a string or an array of text parts");
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) refuse(param, "must be a string or an array of text parts");
  std::string text;
  for (const Json& part : *content) {
    const Json* type = part.is_object() ? field(part, "type") : nullptr;
    const Json* words = part.is_object() ? field(part, "text") : nullptr;
    if (type == nullptr || *type != "text" || words == nullptr || !words->is_string())
      refuse(param, "must have parts of type text only");
    text += words->get_ref<const std::string&>();
  }
  return text;
}

std::vector<Turn> parse_messages(const Json& body) {
  const Json* messages = field(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->empty())
    refuse("messages", "must be an array of at least one message");
  if (messages->size() > kMaxMessages)
    refuse("messages", fmt::format("must have at most {} messages", kMaxMessages));
  std::vector<Turn> turns;
  for (size_t i = 0; i < messages->size(); i++) {
    const Json& message = (*messages)[i];
    const std::string place = fmt::format("messages[{}]", i);
    if (!message.is_object()) refuse(place, "must be an object");
    const Json* role = field(message, "role");
    const std::string name = role != nullptr && role->is_string() ? role->get<std::string>() : "";
    if (name != "system" && name != "developer" && name != "user" && name != "assistant")
      refuse(place + ".role", "must be system, developer, user or assistant");
    turns.push_back(
        {name == "developer" ? "system" : name, content_text(message, place + ".content")});
  }
  return turns;
}

std::vector<std::string> parse_stop(const Json& body) {
  const Json* stop = field(body, "stop");
  if (stop == nullptr) return {};
  const std::string must = fmt::format(
      "must be a string or at most {} strings, each of 1 to {} bytes", kMaxStops, kMaxStopBytes);
  const Json list = stop->is_array() ? *stop : Json::array({*stop});
  if (list.size() > kMaxStops) refuse("stop", must);
  std::vector<std::string> strings;
  for (const Json& one : list) {
    if (!one.is_string()) refuse("stop", must);
    strings.push_back(one.get<std::string>());
    if (strings.back().empty() || strings.back().size() > kMaxStopBytes) refuse("stop", must);
  }
  return strings;
}

// Clients send negative seeds too; every 64-bit integer is one.
std::optional<uint64_t> parse_seed(const Json& body) {
  const Json* seed = field(body, "seed");
  if (seed == nullptr) return std::nullopt;
  if (!seed->is_number_integer()) refuse("seed", "must be an integer");
  return seed->is_number_unsigned() ? seed->get<uint64_t>() : uint64_t(seed->get<int64_t>());
}

void refuse_unsupported(const Json& body) {
  if (integer(body, "n", 1, 128).value_or(1) != 1) refuse("n", "must be 1");
  if (boolean(body, "logprobs")) refuse("logprobs", "must be false: they are not supported");
  for (const char* penalty : {"frequency_penalty", "presence_penalty"})
    if (number(body, penalty, -2, 2).value_or(0) != 0)
      refuse(penalty, "must be 0: penalties are not supported");
  if (const Json* format = field(body, "response_format")) {
    const Json* type = format->is_object() ? field(*format, "type") : nullptr;
    if (type == nullptr || *type != "text")
      refuse("response_format", "must be of type text: others are not supported");
  }
  if (const Json* biases = field(body, "logit_bias")) {
    if (!biases->is_object()) refuse("logit_bias", "must be an object");
    for (const Json& bias : *biases)
      if (!bias.is_number() || bias.get<double>() != 0)
        refuse("logit_bias", "must be 0 for every token: it is not supported");
  }
  if (const Json* choice = field(body, "tool_choice"))
    if (*choice != "none" && *choice != "auto")
      refuse("tool_choice", "must be none or auto: tools are not supported");
}

Json head_json(const AnswerHead& head, const char* object) {
  return {{"id", head.id}, {"object", object}, {"created", head.created}, {"model", head.model}};
}

Json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

std::string chunk(const AnswerHead& head, Json delta, Json finish_reason) {
  Json json = head_json(head, "chat.completion.chunk");
  json["choices"] = Json::array({Json{{"index", 0},
                                      {"delta", std::move(delta)},
                                      {"logprobs", nullptr},
                                      {"finish_reason", std::move(finish_reason)}}});
  if (head.include_usage) json["usage"] = nullptr;
  return dump_json(json);
}

}  // namespace

ApiError ApiError::too_long(int n_prompt_tokens, int n_ctx) {
  ApiError error(400,
                 fmt::format("the prompt must leave room in the context: it has {} tokens, the "
                             "context {}",
                             n_prompt_tokens, n_ctx),
                 "messages", "context_length_exceeded");
  error.n_prompt_tokens_ = n_prompt_tokens;
  error.n_ctx_ = n_ctx;
  return error;
}

std::string ApiError::body() const {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json error = http_error(status_, what());
  error["param"] = or_null(param_);
  error["code"] = or_null(code_);
  if (n_ctx_ != 0) {
    error["type"] = "exceed_context_size_error";
    error["n_prompt_tokens"] = n_prompt_tokens_;
    error["n_ctx"] = n_ctx_;
  }
  return dump_json(Json{{"error", std::move(error)}});
}

ChatCompletionRequest parse_chat_completion(std::string_view text) {
  Json body;
  try {
    body = parse_json(text, "body");
  } catch (const Error& e) {
    throw ApiError(400, e.what());
  }
  if (!body.is_object()) throw ApiError(400, "the body must be a JSON object");
  refuse_unsupported(body);
  ChatCompletionRequest request;
  if (const Json* model = field(body, "model")) {
    if (!model->is_string()) refuse("model", "must be a string");
    request.model = model->get<std::string>();
  }
  request.turns = parse_messages(body);
  constexpr int kMost = std::numeric_limits<int>::max();
  const auto older = integer(body, "max_tokens", 0, kMost);
  request.max_tokens = integer(body, "max_completion_tokens", 0, kMost);
  if (!request.max_tokens) request.max_tokens = older;
  request.temperature = float(number(body, "temperature", 0, 2).value_or(1));
  request.top_p = float(number(body, "top_p", 0, 1).value_or(1));
  request.min_p = float(number(body, "min_p", 0, 1).value_or(0));
  request.top_k =
      std::max(0, integer(body, "top_k", -1, kMost).value_or(0));  // -1: all, as in vLLM
  request.seed = parse_seed(body);
  request.stop = parse_stop(body);
  if (const Json* prediction = field(body, "prediction")) {
    const Json* type = prediction->is_object() ? field(*prediction, "type") : nullptr;
    if (type == nullptr || *type != "content") refuse("prediction", "must be of type content");
    request.prediction = content_text(*prediction, "prediction.content");
  }
  request.stream = boolean(body, "stream");
  if (const Json* options = field(body, "stream_options")) {
    if (!options->is_object()) refuse("stream_options", "must be an object");
    request.include_usage = boolean(*options, "include_usage");
  }
  return request;
}

std::string_view finish_reason_name(FinishReason reason) {
  return reason == FinishReason::length ? "length" : "stop";
}

std::string chat_completion(const AnswerHead& head, std::string_view text, FinishReason reason,
                            const Usage& usage) {
  Json json = head_json(head, "chat.completion");
  const Json message = {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
  json["choices"] = Json::array({Json{{"index", 0},
                                      {"message", message},
                                      {"logprobs", nullptr},
                                      {"finish_reason", finish_reason_name(reason)}}});
  json["usage"] = usage_json(usage);
  return dump_json(json);
}

std::string role_chunk(const AnswerHead& head) {
  return chunk(head, {{"role", "assistant"}, {"content", ""}}, nullptr);
}

std::string content_chunk(const AnswerHead& head, std::string_view text) {
  return chunk(head, Json{{"content", text}}, nullptr);
}

std::string finish_chunk(const AnswerHead& head, FinishReason reason) {
  return chunk(head, Json::object(), finish_reason_name(reason));
}

std::string usage_chunk(const AnswerHead& head, const Usage& usage) {
  Json json = head_json(head, "chat.completion.chunk");
  json["choices"] = Json::array();
  json["usage"] = usage_json(usage);
  return dump_json(json);
}

std::string model_object(std::string_view name, int64_t created) {
  return dump_json(
      Json{{"id", name}, {"object", "model"}, {"created", created}, {"owned_by", "chatmem"}});
}

std::string model_list(std::string_view name, int64_t created) {
  return fmt::format("{{\"object\":\"list\",\"data\":[{}]}}", model_object(name, created));
}

}  // namespace chatmem
