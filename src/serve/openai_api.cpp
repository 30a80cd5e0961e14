#include "serve/openai_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/utf8.h"
#include "net/http_error.h"
#include "text/json_schema.h"

namespace chatmem {
namespace {

constexpr size_t kMaxMessages = 10'000;
constexpr size_t kMaxStops = 4;
constexpr size_t kMaxStopBytes = 1'000;
constexpr size_t kMaxBiases = 1'024, kMaxTools = 128, kMaxNameBytes = 64;
constexpr int kMost = std::numeric_limits<int>::max();
constexpr int kMaxChoices = 128, kMaxTopLogprobs = 20;

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

bool is_name(const Json* value) {
  if (value == nullptr || !value->is_string()) return false;
  const std::string& name = value->get_ref<const std::string&>();
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
  });
}

// An assistant's call of a function, as the model wrote it. The template knows one a turn.
std::string called_text(const Json& calls, const std::string& param) {
  const Json* function = calls.is_array() && calls.size() == 1 && calls[0].is_object()
                             ? field(calls[0], "function")
                             : nullptr;
  const Json* arguments =
      function != nullptr && function->is_object() ? field(*function, "arguments") : nullptr;
  if (arguments == nullptr || !arguments->is_string() || !is_name(field(*function, "name")))
    refuse(param, "must be an array of one call of a function, with its name and arguments");
  return fmt::format("{{\"name\": {}, \"parameters\": {}}}", dump_json((*function)["name"]),
                     arguments->get<std::string>());
}

Turn parse_message(const Json& message, const std::string& place) {
  if (!message.is_object()) refuse(place, "must be an object");
  const Json* role = field(message, "role");
  const std::string name = role != nullptr && role->is_string() ? role->get<std::string>() : "";
  if (name == "tool")
    return {"ipython", dump_json(Json(content_text(message, place + ".content")))};
  if (name != "system" && name != "developer" && name != "user" && name != "assistant")
    refuse(place + ".role", "must be system, developer, user, assistant or tool");
  if (const Json* calls = field(message, "tool_calls"); calls != nullptr && name == "assistant")
    return {name, called_text(*calls, place + ".tool_calls")};
  return {name == "developer" ? "system" : name, content_text(message, place + ".content")};
}

std::vector<Turn> parse_messages(const Json& body) {
  const Json* messages = field(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->empty())
    refuse("messages", "must be an array of at least one message");
  if (messages->size() > kMaxMessages)
    refuse("messages", fmt::format("must have at most {} messages", kMaxMessages));
  std::vector<Turn> turns;
  for (size_t i = 0; i < messages->size(); i++)
    turns.push_back(parse_message((*messages)[i], fmt::format("messages[{}]", i)));
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

// Clients' own tests send words instead of ids, with a bias of 0, which changes nothing.
std::vector<std::pair<int, float>> parse_logit_bias(const Json& body) {
  const Json* biases = field(body, "logit_bias");
  std::vector<std::pair<int, float>> parsed;
  if (biases == nullptr) return parsed;
  if (!biases->is_object() || biases->size() > kMaxBiases)
    refuse("logit_bias", fmt::format("must be an object of at most {} tokens", kMaxBiases));
  for (const auto& [key, value] : biases->items()) {
    const double bias = value.is_number() ? value.get<double>() : std::nan("");
    if (!(bias >= -100 && bias <= 100))
      refuse("logit_bias", "must have a number from -100 to 100 for each token");
    if (bias == 0) continue;
    int token = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc() || end != key.data() + key.size() || token < 0)
      refuse("logit_bias", "must have ids of tokens as keys");
    parsed.push_back({token, float(bias)});
  }
  return parsed;
}

SamplingOptions parse_sampling(const Json& body) {
  const auto real = [&](const char* name, double low, double high, double otherwise) {
    return float(number(body, name, low, high).value_or(otherwise));
  };
  SamplingOptions options;
  options.temperature = real("temperature", 0, 2, 1);
  options.top_p = real("top_p", 0, 1, 1);
  options.min_p = real("min_p", 0, 1, 0);
  options.top_k =
      std::max(0, integer(body, "top_k", -1, kMost).value_or(0));  // -1: all, as in vLLM
  options.repetition_penalty = real("repetition_penalty", 0.1, 10, 1);
  options.frequency_penalty = real("frequency_penalty", -2, 2, 0);
  options.presence_penalty = real("presence_penalty", -2, 2, 0);
  options.logit_bias = parse_logit_bias(body);
  return options;
}

int parse_logprobs(const Json& body) {
  const bool wanted = boolean(body, "logprobs");
  const int top = integer(body, "top_logprobs", 0, kMaxTopLogprobs).value_or(0);
  if (top > 0 && !wanted) refuse("top_logprobs", "must have logprobs: true beside it");
  return wanted ? top : -1;
}

// Schemas are compiled here, so that what is wrong with them is said before anything is queued.
template <typename Compile>
ByteGrammar compiled(const char* param, const Compile& compile) {
  try {
    return compile();
  } catch (const Error& e) {
    throw ApiError(400, e.hint().empty() ? e.what() : fmt::format("{}; {}", e.what(), e.hint()),
                   param);
  }
}

std::optional<ByteGrammar> parse_response_format(const Json& body) {
  const Json* format = field(body, "response_format");
  if (format == nullptr) return std::nullopt;
  const Json* type = format->is_object() ? field(*format, "type") : nullptr;
  if (type != nullptr && *type == "text") return std::nullopt;
  if (type != nullptr && *type == "json_object") return object_grammar();
  if (type == nullptr || *type != "json_schema")
    refuse("response_format", "must be of type text, json_object or json_schema");
  const Json* named = field(*format, "json_schema");
  const Json* schema = named != nullptr && named->is_object() ? field(*named, "schema") : nullptr;
  if (schema == nullptr || !is_name(field(*named, "name")))
    refuse(
        "response_format",
        fmt::format("must have json_schema with a schema, and a name of 1 to {} letters, digits, "
                    "_ and -",
                    kMaxNameBytes));
  return compiled("response_format", [&] { return schema_grammar(*schema); });
}

// The function that tool_choice names, "" for any of them, null where none is forced.
std::optional<std::string> forced_function(const Json& body) {
  const Json* choice = field(body, "tool_choice");
  if (choice == nullptr || *choice == "none" || *choice == "auto") return std::nullopt;
  if (*choice == "required") return "";
  const Json* function = choice->is_object() ? field(*choice, "function") : nullptr;
  const Json* name =
      function != nullptr && function->is_object() ? field(*function, "name") : nullptr;
  if (!is_name(name))
    refuse("tool_choice",
           "must be none, auto, required, or {\"type\":\"function\",\"function\":"
           "{\"name\"}}");
  return name->get<std::string>();
}

void parse_tools(const Json& body, ChatCompletionRequest& request) {
  const std::optional<std::string> forced = forced_function(body);
  if (!forced) return;
  const Json* tools = field(body, "tools");
  if (tools == nullptr || !tools->is_array() || tools->empty() || tools->size() > kMaxTools)
    refuse("tools",
           fmt::format("must be an array of 1 to {} tools for this tool_choice", kMaxTools));
  std::vector<FunctionSchema> schemas;
  for (size_t i = 0; i < tools->size(); i++) {
    const Json& tool = (*tools)[i];
    const Json* type = tool.is_object() ? field(tool, "type") : nullptr;
    const Json* function = tool.is_object() ? field(tool, "function") : nullptr;
    if (type == nullptr || *type != "function" || function == nullptr || !function->is_object() ||
        !is_name(field(*function, "name")))
      refuse(fmt::format("tools[{}]", i), "must be a function with a name");
    const std::string name = (*function)["name"];
    if (!forced->empty() && name != *forced) continue;
    const Json* parameters = field(*function, "parameters");
    schemas.push_back({name, parameters == nullptr ? Json() : *parameters});
    request.functions.push_back(tool);
  }
  if (schemas.empty()) refuse("tool_choice", "must name one of the tools");
  request.grammar = compiled("tools", [&] { return function_call_grammar(schemas); });
}

Json head_json(const AnswerHead& head, const char* object) {
  Json json = {
      {"id", head.id}, {"object", object}, {"created", head.created}, {"model", head.model}};
  if (!head.fingerprint.empty()) json["system_fingerprint"] = head.fingerprint;
  return json;
}

Json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

Json logprobs_json(Json entries) {
  return entries.is_null() ? Json() : Json{{"content", std::move(entries)}, {"refusal", nullptr}};
}

std::string chunk(const AnswerHead& head, int choice, Json delta, Json logprobs,
                  Json finish_reason) {
  Json json = head_json(head, "chat.completion.chunk");
  json["choices"] = Json::array({Json{{"index", choice},
                                      {"delta", std::move(delta)},
                                      {"logprobs", logprobs_json(std::move(logprobs))},
                                      {"finish_reason", std::move(finish_reason)}}});
  if (head.include_usage) json["usage"] = nullptr;
  return dump_json(json);
}

Json call_json(const FunctionCall& call) {
  return {{"id", call.id},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

Json message_json(const AnswerChoice& choice) {
  Json message = {{"role", "assistant"}, {"content", choice.text}, {"refusal", nullptr}};
  if (!choice.call) return message;
  message["content"] = nullptr;
  message["tool_calls"] = Json::array({call_json(*choice.call)});
  return message;
}

Json named_json(const NamedLogprob& token) {
  Json bytes;
  for (const char byte : token.bytes) bytes.push_back(uint8_t(byte));
  return {{"token", replace_invalid_utf8(token.name)},
          {"logprob", std::max(token.logprob, -9999.f)},
          {"bytes", std::move(bytes)}};
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
  ChatCompletionRequest request;
  if (const Json* model = field(body, "model")) {
    if (!model->is_string()) refuse("model", "must be a string");
    request.model = model->get<std::string>();
  }
  request.turns = parse_messages(body);
  const auto older = integer(body, "max_tokens", 0, kMost);
  request.max_tokens = integer(body, "max_completion_tokens", 0, kMost);
  if (!request.max_tokens) request.max_tokens = older;
  request.sampling = parse_sampling(body);
  request.seed = parse_seed(body);
  request.stop = parse_stop(body);
  request.n = integer(body, "n", 1, kMaxChoices).value_or(1);
  request.top_logprobs = parse_logprobs(body);
  request.grammar = parse_response_format(body);
  parse_tools(body, request);
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

Json logprob_entry(const NamedLogprob& token, std::span<const NamedLogprob> top) {
  Json entry = named_json(token);
  entry["top_logprobs"] = Json::array();
  for (const NamedLogprob& one : top) entry["top_logprobs"].push_back(named_json(one));
  return entry;
}

std::string chat_completion(const AnswerHead& head, std::span<const AnswerChoice> choices,
                            const Usage& usage) {
  Json json = head_json(head, "chat.completion");
  json["choices"] = Json::array();
  for (const AnswerChoice& choice : choices)
    json["choices"].push_back({{"index", json["choices"].size()},
                               {"message", message_json(choice)},
                               {"logprobs", logprobs_json(choice.logprobs)},
                               {"finish_reason", choice.finish_reason}});
  json["usage"] = usage_json(usage);
  return dump_json(json);
}

std::string role_chunk(const AnswerHead& head, int choice) {
  return chunk(head, choice, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr);
}

std::string content_chunk(const AnswerHead& head, int choice, std::string_view text,
                          Json logprobs) {
  return chunk(head, choice, Json{{"content", text}}, std::move(logprobs), nullptr);
}

std::string call_chunk(const AnswerHead& head, int choice, const FunctionCall& call) {
  Json json = {{"index", 0}};
  json.update(call_json(call));
  return chunk(head, choice, Json{{"tool_calls", Json::array({std::move(json)})}}, nullptr,
               nullptr);
}

std::string arguments_chunk(const AnswerHead& head, int choice, std::string_view arguments,
                            Json logprobs) {
  const Json json = {{"index", 0}, {"function", {{"arguments", arguments}}}};
  return chunk(head, choice, Json{{"tool_calls", Json::array({json})}}, std::move(logprobs),
               nullptr);
}

std::string finish_chunk(const AnswerHead& head, int choice, std::string_view reason,
                         Json logprobs) {
  return chunk(head, choice, Json::object(), std::move(logprobs), reason);
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
