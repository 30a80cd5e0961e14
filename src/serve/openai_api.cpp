#include "serve/openai_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "serve/request_fields.h"
#include "text/json_schema.h"

namespace chatmem {
namespace {

constexpr size_t kMaxMessages = 10'000;
constexpr size_t kMaxTools = 128, kMaxNameBytes = 64;
constexpr int kMaxBestOf = 20;

// A string, or an array of {"type":"text","text"} parts, which are joined.
std::string content_text(const Json& message, const std::string& param) {
  const Json* content = find_field(message, "content");
  if (content == nullptr) refuse_field(param, "must be a string or an array of text parts");
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) refuse_field(param, "must be a string or an array of text parts");
  std::string text;
  for (const Json& part : *content) {
    const Json* type = part.is_object() ? find_field(part, "type") : nullptr;
    const Json* words = part.is_object() ? find_field(part, "text") : nullptr;
    if (type == nullptr || *type != "text" || words == nullptr || !words->is_string())
      refuse_field(param, "must have parts of type text only");
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
                             ? find_field(calls[0], "function")
                             : nullptr;
  const Json* arguments =
      function != nullptr && function->is_object() ? find_field(*function, "arguments") : nullptr;
  if (arguments == nullptr || !arguments->is_string() || !is_name(find_field(*function, "name")))
    refuse_field(param, "must be an array of one call of a function, with its name and arguments");
  return fmt::format("{{\"name\": {}, \"parameters\": {}}}", dump_json((*function)["name"]),
                     arguments->get<std::string>());
}

Turn parse_message(const Json& message, const std::string& place) {
  if (!message.is_object()) refuse_field(place, "must be an object");
  const Json* role = find_field(message, "role");
  const std::string name = role != nullptr && role->is_string() ? role->get<std::string>() : "";
  if (name == "tool")
    return {"ipython", dump_json(Json(content_text(message, place + ".content")))};
  if (name != "system" && name != "developer" && name != "user" && name != "assistant")
    refuse_field(place + ".role", "must be system, developer, user, assistant or tool");
  if (const Json* calls = find_field(message, "tool_calls");
      calls != nullptr && name == "assistant")
    return {name, called_text(*calls, place + ".tool_calls")};
  return {name == "developer" ? "system" : name, content_text(message, place + ".content")};
}

std::vector<Turn> parse_messages(const Json& body) {
  const Json* messages = find_field(body, "messages");
  if (messages == nullptr || !messages->is_array() || messages->empty())
    refuse_field("messages", "must be an array of at least one message");
  if (messages->size() > kMaxMessages)
    refuse_field("messages", fmt::format("must have at most {} messages", kMaxMessages));
  std::vector<Turn> turns;
  for (size_t i = 0; i < messages->size(); i++)
    turns.push_back(parse_message((*messages)[i], fmt::format("messages[{}]", i)));
  return turns;
}

// A day; absent, null or empty: none.
std::optional<Date> date_field(const Json& body, const char* name) {
  const std::string text = text_field(body, name);
  if (text.empty()) return std::nullopt;
  const auto date = parse_date(text);
  if (!date) refuse_field(name, fmt::format("must be a day, YYYY-MM-DD, is '{}'", text));
  return date;
}

int parse_logprobs(const Json& body) {
  const bool wanted = boolean_field(body, "logprobs");
  const int top = integer_field(body, "top_logprobs", 0, kMaxTopLogprobs).value_or(0);
  if (top > 0 && !wanted) refuse_field("top_logprobs", "must have logprobs: true beside it");
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
  const Json* format = find_field(body, "response_format");
  if (format == nullptr) return std::nullopt;
  const Json* type = format->is_object() ? find_field(*format, "type") : nullptr;
  if (type != nullptr && *type == "text") return std::nullopt;
  if (type != nullptr && *type == "json_object") return object_grammar();
  if (type == nullptr || *type != "json_schema")
    refuse_field("response_format", "must be of type text, json_object or json_schema");
  const Json* named = find_field(*format, "json_schema");
  const Json* schema =
      named != nullptr && named->is_object() ? find_field(*named, "schema") : nullptr;
  if (schema == nullptr || !is_name(find_field(*named, "name")))
    refuse_field(
        "response_format",
        fmt::format("must have json_schema with a schema, and a name of 1 to {} letters, digits, "
                    "_ and -",
                    kMaxNameBytes));
  return compiled("response_format", [&] { return schema_grammar(*schema); });
}

// The function that tool_choice names, "" for any of them, null where none is forced.
std::optional<std::string> forced_function(const Json& body) {
  const Json* choice = find_field(body, "tool_choice");
  if (choice == nullptr || *choice == "none" || *choice == "auto") return std::nullopt;
  if (*choice == "required") return "";
  const Json* function = choice->is_object() ? find_field(*choice, "function") : nullptr;
  const Json* name =
      function != nullptr && function->is_object() ? find_field(*function, "name") : nullptr;
  if (!is_name(name))
    refuse_field("tool_choice",
                 "must be none, auto, required, or {\"type\":\"function\",\"function\":"
                 "{\"name\"}}");
  return name->get<std::string>();
}

void parse_tools(const Json& body, ChatCompletionRequest& request) {
  const std::optional<std::string> forced = forced_function(body);
  if (!forced) return;
  const Json* tools = find_field(body, "tools");
  if (tools == nullptr || !tools->is_array() || tools->empty() || tools->size() > kMaxTools)
    refuse_field("tools",
                 fmt::format("must be an array of 1 to {} tools for this tool_choice", kMaxTools));
  std::vector<FunctionSchema> schemas;
  for (size_t i = 0; i < tools->size(); i++) {
    const Json& tool = (*tools)[i];
    const Json* type = tool.is_object() ? find_field(tool, "type") : nullptr;
    const Json* function = tool.is_object() ? find_field(tool, "function") : nullptr;
    if (type == nullptr || *type != "function" || function == nullptr || !function->is_object() ||
        !is_name(find_field(*function, "name")))
      refuse_field(fmt::format("tools[{}]", i), "must be a function with a name");
    const std::string name = (*function)["name"];
    if (!forced->empty() && name != *forced) continue;
    const Json* parameters = find_field(*function, "parameters");
    schemas.push_back({name, parameters == nullptr ? Json() : *parameters});
    request.functions.push_back(tool);
  }
  if (schemas.empty()) refuse_field("tool_choice", "must name one of the tools");
  request.grammar = compiled("tools", [&] { return function_call_grammar(schemas); });
}

}  // namespace

ChatCompletionRequest parse_chat_completion(std::string_view text) {
  const Json body = parse_body(text);
  ChatCompletionRequest request{parse_answer_settings(body)};
  request.turns = parse_messages(body);
  request.top_logprobs = parse_logprobs(body);
  request.grammar = parse_response_format(body);
  parse_tools(body, request);
  if (const Json* prediction = find_field(body, "prediction")) {
    const Json* type = prediction->is_object() ? find_field(*prediction, "type") : nullptr;
    if (type == nullptr || *type != "content")
      refuse_field("prediction", "must be of type content");
    request.prediction = content_text(*prediction, "prediction.content");
  }
  return request;
}

CompletionRequest parse_completion(std::string_view text, int vocab_size) {
  constexpr int kDefaultMaxTokens = 16;  // as OpenAI's
  const Json body = parse_body(text);
  CompletionRequest request{parse_answer_settings(body)};
  if (!request.max_tokens) request.max_tokens = kDefaultMaxTokens;
  request.top_logprobs = integer_field(body, "logprobs", 0, kMaxTopLogprobs).value_or(-1);
  request.echo = boolean_field(body, "echo");
  if (integer_field(body, "best_of", 0, kMaxBestOf).value_or(0) > request.n)
    refuse_field("best_of", "must not be more than n: every answer made is given");
  const Json* prompt = find_field(body, "prompt");
  // One prompt may stand in an array of prompts.
  if (prompt != nullptr && prompt->is_array() && prompt->size() == 1 &&
      (prompt->front().is_string() || prompt->front().is_array()))
    prompt = &prompt->front();
  if (prompt == nullptr || !(prompt->is_string() || prompt->is_array()) ||
      (prompt->is_array() && !prompt->empty() && !prompt->front().is_number()))
    refuse_field("prompt", "must be one text, or one array of tokens");
  if (prompt->is_string())
    request.prompt = prompt->get<std::string>();
  else
    request.tokens = token_ids(*prompt, "prompt", vocab_size);
  if (prompt->is_array() && request.tokens.empty()) refuse_field("prompt", "must not be empty");
  return request;
}

SummaryRequest parse_summary(std::string_view text) {
  const Json body = parse_body(text);
  SummaryRequest request{parse_answer_settings(body)};
  if (find_field(body, "temperature") == nullptr) request.sampling.temperature = 0;
  const std::string chat = text_field(body, "chat");
  std::vector<Conversation> found;
  try {
    found = parse_any_conversations(chat, "the chat", "chat");
  } catch (const Error& e) {
    throw ApiError(400, e.hint().empty() ? e.what() : fmt::format("{}; {}", e.what(), e.hint()),
                   "chat");
  }
  if (found.size() != 1)
    refuse_field("chat", fmt::format("must hold one conversation, it holds {}", found.size()));
  request.conversation = std::move(found.front());
  const auto from = date_field(body, "from"), to = date_field(body, "to");
  if (const auto as_of = date_field(body, "as_of")) request.conversation.as_of = as_of;
  if (from && to && *from > *to) refuse_field("from", "must not be after 'to'");
  const std::string days =
      fmt::format("the chat goes from {} to {}", request.conversation.start_date,
                  request.conversation.end_date);
  keep_days(request.conversation, from, to);
  if (request.conversation.messages.empty())
    throw ApiError(400, fmt::format("the days must have messages; {}", days), from ? "from" : "to");
  return request;
}

std::string model_object(std::string_view name, int64_t created) {
  return dump_json(
      Json{{"id", name}, {"object", "model"}, {"created", created}, {"owned_by", "chatmem"}});
}

std::string model_list(std::span<const std::string_view> names, int64_t created) {
  std::string objects;
  for (const std::string_view name : names)
    objects += (objects.empty() ? "" : ",") + model_object(name, created);
  return fmt::format("{{\"object\":\"list\",\"data\":[{}]}}", objects);
}

}  // namespace chatmem
