#include "serve/answer_json.h"

#include <algorithm>

#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr float kLeastLogprob = -9999;

Json head_json(const AnswerHead& head, const char* chat_object) {
  const bool chat = head.shape == AnswerShape::chat;
  Json json = {{"id", head.id},
               {"object", chat ? chat_object : "text_completion"},
               {"created", head.created},
               {"model", head.model}};
  if (!head.fingerprint.empty()) json["system_fingerprint"] = head.fingerprint;
  return json;
}

Json usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}}};
}

// As the older API has it: an array for each property.
Json text_logprobs_json(const Json& entries) {
  Json tokens = Json::array(), logprobs = Json::array(), tops = Json::array(),
       offsets = Json::array();
  for (const Json& entry : entries) {
    tokens.push_back(entry["token"]);
    logprobs.push_back(entry["logprob"]);
    offsets.push_back(entry["text_offset"]);
    Json top;  // null where the token's own is not known
    if (!entry["logprob"].is_null()) top = Json::object();
    for (const Json& one : entry["top_logprobs"])
      top[one["token"].get<std::string>()] = one["logprob"];
    tops.push_back(std::move(top));
  }
  return {{"tokens", std::move(tokens)},
          {"token_logprobs", std::move(logprobs)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

Json logprobs_json(AnswerShape shape, Json entries) {
  if (entries.is_null()) return {};
  if (shape == AnswerShape::text) return text_logprobs_json(entries);
  for (Json& entry : entries) entry.erase("text_offset");
  return {{"content", std::move(entries)}, {"refusal", nullptr}};
}

std::string choice_chunk(const AnswerHead& head, Json choice) {
  Json json = head_json(head, "chat.completion.chunk");
  json["choices"] = Json::array({std::move(choice)});
  if (head.include_usage) json["usage"] = nullptr;
  return dump_json(json);
}

std::string delta_chunk(const AnswerHead& head, int choice, Json delta, Json logprobs,
                        Json finish_reason) {
  return choice_chunk(head, {{"index", choice},
                             {"delta", std::move(delta)},
                             {"logprobs", logprobs_json(AnswerShape::chat, std::move(logprobs))},
                             {"finish_reason", std::move(finish_reason)}});
}

Json text_choice(int choice, std::string_view text, Json logprobs, Json finish_reason) {
  return {{"text", text},
          {"index", choice},
          {"logprobs", logprobs_json(AnswerShape::text, std::move(logprobs))},
          {"finish_reason", std::move(finish_reason)}};
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
  Json bytes, logprob;
  for (const char byte : token.bytes) bytes.push_back(uint8_t(byte));
  if (token.logprob) logprob = std::max(*token.logprob, kLeastLogprob);
  return {{"token", replace_invalid_utf8(token.name)},
          {"logprob", std::move(logprob)},
          {"bytes", std::move(bytes)}};
}

}  // namespace

Json logprob_entry(const NamedLogprob& token, std::span<const NamedLogprob> top,
                   size_t text_offset) {
  Json entry = named_json(token);
  entry["top_logprobs"] = Json::array();
  for (const NamedLogprob& one : top) entry["top_logprobs"].push_back(named_json(one));
  entry["text_offset"] = text_offset;
  return entry;
}

std::string whole_answer(const AnswerHead& head, std::span<const AnswerChoice> choices,
                         const Usage& usage) {
  Json json = head_json(head, "chat.completion");
  Json& array = json["choices"] = Json::array();
  for (const AnswerChoice& choice : choices) {
    const int index = int(array.size());
    if (head.shape == AnswerShape::text)
      array.push_back(text_choice(index, choice.text, choice.logprobs, choice.finish_reason));
    else
      array.push_back({{"index", index},
                       {"message", message_json(choice)},
                       {"logprobs", logprobs_json(head.shape, choice.logprobs)},
                       {"finish_reason", choice.finish_reason}});
  }
  json["usage"] = usage_json(usage);
  return dump_json(json);
}

std::string progress_chunk(const AnswerHead& head, int n_prompt, int n_cached, int n_done) {
  Json json = head_json(head, "chat.completion.chunk");
  json["choices"] = Json::array();
  json["prompt_progress"] = {{"total", n_prompt}, {"cache", n_cached}, {"processed", n_done}};
  if (head.include_usage) json["usage"] = nullptr;
  return dump_json(json);
}

std::string role_chunk(const AnswerHead& head, int choice) {
  return delta_chunk(head, choice, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr);
}

std::string content_chunk(const AnswerHead& head, int choice, std::string_view text,
                          Json logprobs) {
  if (head.shape == AnswerShape::text)
    return choice_chunk(head, text_choice(choice, text, std::move(logprobs), nullptr));
  return delta_chunk(head, choice, Json{{"content", text}}, std::move(logprobs), nullptr);
}

std::string call_chunk(const AnswerHead& head, int choice, const FunctionCall& call) {
  Json json = {{"index", 0}};
  json.update(call_json(call));
  return delta_chunk(head, choice, Json{{"tool_calls", Json::array({std::move(json)})}}, nullptr,
                     nullptr);
}

std::string arguments_chunk(const AnswerHead& head, int choice, std::string_view arguments,
                            Json logprobs) {
  const Json json = {{"index", 0}, {"function", {{"arguments", arguments}}}};
  return delta_chunk(head, choice, Json{{"tool_calls", Json::array({json})}}, std::move(logprobs),
                     nullptr);
}

std::string finish_chunk(const AnswerHead& head, int choice, std::string_view reason,
                         Json logprobs) {
  if (head.shape == AnswerShape::text)
    return choice_chunk(head, text_choice(choice, "", std::move(logprobs), reason));
  return delta_chunk(head, choice, Json::object(), std::move(logprobs), reason);
}

std::string usage_chunk(const AnswerHead& head, const Usage& usage) {
  Json json = head_json(head, "chat.completion.chunk");
  json["choices"] = Json::array();
  json["usage"] = usage_json(usage);
  return dump_json(json);
}

}  // namespace chatmem
