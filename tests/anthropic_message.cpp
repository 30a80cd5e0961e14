#include "anthropic_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "anthropic_answer.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr std::string_view kThought = "The dialogue comes first; then what may follow from it.";
constexpr size_t kDeltaBytes = 48;

std::string prefix_of(std::string_view text, size_t bytes) {
  std::string_view cut = text.substr(0, bytes);
  cut.remove_suffix(incomplete_utf8_suffix(cut));
  return std::string(cut);
}

struct Ending {
  std::string reason = "end_turn";
  Json sequence = nullptr, details = nullptr;
};

// What the request itself cuts off.
void obey(const Json& params, std::string& text, Ending& ending) {
  size_t first = text.npos;
  for (const Json& stop : params.value("stop_sequences", Json::array())) {
    const size_t at = text.find(stop.get<std::string>());
    if (at >= first) continue;
    first = at;
    ending = {"stop_sequence", stop, nullptr};
  }
  if (first != text.npos) text.resize(first);
  const size_t limit = params.at("max_tokens").get<size_t>() * 4;
  if (text.size() <= limit) return;
  text = prefix_of(text, limit);
  ending = {"max_tokens", nullptr, nullptr};
}

void spoil(const Fault& fault, std::string& text, Ending& ending) {
  if (fault.kind == FaultKind::truncated_json) text = prefix_of(text, text.size() / 2);
  if (fault.kind == FaultKind::invalid_json)
    text = "Of course, here it is: {\"today_date\": " + prefix_of(text, 60) + ",}";
  if (fault.kind == FaultKind::wrong_schema)
    text = R"({"date":"soon","conversations":"none","summary":["you","talked"]})";
  if (fault.kind == FaultKind::text) text = fault.text;
  if (fault.kind == FaultKind::empty || fault.kind == FaultKind::refusal) text.clear();
  if (fault.kind == FaultKind::refusal)
    ending = {"refusal", nullptr,
              Json{{"type", "refusal"},
                   {"category", "general_harms"},
                   {"explanation", "The request was declined by the double's script."}}};
  if (fault.kind == FaultKind::max_tokens) {
    text = prefix_of(text, text.size() / 2);
    ending = {"max_tokens", nullptr, nullptr};
  }
}

std::string event(std::string_view name, const Json& data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, dump_json(data));
}

void add_deltas(std::vector<std::string>& events, int index, std::string_view type,
                std::string_view key, std::string_view text) {
  while (!text.empty()) {
    const std::string piece = prefix_of(text, kDeltaBytes);
    text.remove_prefix(piece.size());
    events.push_back(
        event("content_block_delta", {{"type", "content_block_delta"},
                                      {"index", index},
                                      {"delta", {{"type", type}, {std::string(key), piece}}}}));
  }
}

void add_block(std::vector<std::string>& events, int index, const Json& block) {
  const bool thinking = block["type"] == "thinking";
  Json empty = block;
  empty[thinking ? "thinking" : "text"] = "";
  if (thinking) empty["signature"] = "";
  events.push_back(
      event("content_block_start",
            {{"type", "content_block_start"}, {"index", index}, {"content_block", empty}}));
  if (index == 0) events.push_back(event("ping", {{"type", "ping"}}));
  if (thinking) {
    add_deltas(events, index, "thinking_delta", "thinking", block["thinking"].get<std::string>());
    add_deltas(events, index, "signature_delta", "signature",
               block["signature"].get<std::string>());
  } else {
    add_deltas(events, index, "text_delta", "text", block["text"].get<std::string>());
  }
  events.push_back(event("content_block_stop", {{"type", "content_block_stop"}, {"index", index}}));
}

}  // namespace

Json make_message(const Json& params, MessageParts parts, const Fault& fault) {
  Ending ending;
  std::string& text = parts.text;
  obey(params, text, ending);
  spoil(fault, text, ending);
  Json content = Json::array();
  if (parts.thinking || fault.kind == FaultKind::thinking) {
    const Json config = params.value("thinking", Json::object());
    const bool shown = config.is_object() && config.value("display", Json()) != "omitted";
    content.push_back({{"type", "thinking"},
                       {"thinking", shown ? kThought : ""},
                       {"signature", "c2lnbmF0dXJlIG9mIHRoZSBkb3VibGU="}});
    parts.usage.thinking = count_fake_tokens(kThought);
  }
  if (!text.empty()) content.push_back({{"type", "text"}, {"text", text}, {"citations", nullptr}});
  parts.usage.output = std::max<int64_t>(count_fake_tokens(text) + parts.usage.thinking, 1);
  return {{"id", parts.id},
          {"type", "message"},
          {"role", "assistant"},
          {"model", params.at("model")},
          {"content", std::move(content)},
          {"stop_reason", ending.reason},
          {"stop_sequence", ending.sequence},
          {"stop_details", ending.details},
          {"container", nullptr},
          {"diagnostics", nullptr},
          {"usage", to_json(parts.usage, parts.service_tier)}};
}

std::string message_events(const Json& message, bool fail_half_way) {
  std::vector<std::string> events;
  Json start = message;
  start["content"] = Json::array();
  start["stop_reason"] = start["stop_sequence"] = start["stop_details"] = nullptr;
  start["usage"]["output_tokens"] = 1;
  events.push_back(event("message_start", {{"type", "message_start"}, {"message", start}}));
  const Json& content = message["content"];
  for (size_t i = 0; i < content.size(); i++) add_block(events, int(i), content[i]);
  const Json& usage = message["usage"];
  Json cumulative = Json::object();
  for (const char* key : {"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
                          "output_tokens", "output_tokens_details", "server_tool_use"})
    cumulative[key] = usage[key];
  events.push_back(event("message_delta", {{"type", "message_delta"},
                                           {"delta",
                                            {{"stop_reason", message["stop_reason"]},
                                             {"stop_sequence", message["stop_sequence"]},
                                             {"stop_details", message["stop_details"]},
                                             {"container", nullptr}}},
                                           {"usage", cumulative}}));
  events.push_back(event("message_stop", {{"type", "message_stop"}}));
  if (fail_half_way) {
    events.resize(std::max<size_t>(events.size() / 2, 1));
    events.push_back(event(
        "error",
        {{"type", "error"}, {"error", {{"type", "overloaded_error"}, {"message", "Overloaded"}}}}));
  }
  std::string out;
  for (const std::string& one : events) out += one;
  return out;
}

std::string error_body(std::string_view type, std::string_view message, std::string_view request_id,
                       std::string_view error_code) {
  Json error = {{"type", type}, {"message", replace_invalid_utf8(message)}};
  if (!error_code.empty()) error["details"] = {{"error_code", error_code}};
  return dump_json(
      Json{{"type", "error"}, {"error", std::move(error)}, {"request_id", request_id}});
}

std::string_view error_type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 409:
      return "conflict_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    case 529:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

Json model_object(const std::string& id) {
  const Json yes = {{"supported", true}}, no = {{"supported", false}};
  std::string line = id.substr(7, id.find('-', 7) - 7);  // after "claude-"
  return {
      {"type", "model"},
      {"id", id},
      {"display_name", "Claude " + id.substr(7)},
      {"created_at", "2026-09-01T00:00:00Z"},
      {"deprecated_at", nullptr},
      {"lifecycle", "active"},
      {"retires_at", nullptr},
      {"line", line},
      {"max_input_tokens", 1'000'000},
      {"max_tokens", 128'000},
      {"capabilities",
       {{"batch", yes},
        {"citations", yes},
        {"code_execution", no},
        {"context_management",
         {{"clear_thinking_20251015", nullptr},
          {"clear_tool_uses_20250919", nullptr},
          {"compact_20260112", nullptr},
          {"supported", false}}},
        {"effort",
         {{"low", yes},
          {"medium", yes},
          {"high", yes},
          {"xhigh", yes},
          {"max", yes},
          {"supported", true}}},
        {"image_input", no},
        {"pdf_input", no},
        {"server_tools", {{"code_execution", no}, {"supported", false}, {"web_search", no}}},
        {"structured_outputs", yes},
        {"thinking",
         {{"supported", true},
          {"types",
           {{"adaptive", yes}, {"between_tools", yes}, {"disabled", yes}, {"enabled", no}}}}}}}};
}

}  // namespace chatmem
