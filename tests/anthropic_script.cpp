#include "anthropic_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"

namespace chatmem {
namespace {

constexpr std::string_view kKinds[] = {"messages", "count_tokens", "models", "batches",
                                       "poll",     "list",         "cancel", "delete",
                                       "results",  "batch_item",   "any"};

struct NamedFault {
  std::string_view name;
  FaultKind kind;
  int status;
  std::string_view type, message;
};

// The statuses' types and words as the API has them.
constexpr NamedFault kFaults[] = {
    {"none", FaultKind::none, 0, "", ""},
    {"status", FaultKind::status, 500, "api_error", "Internal server error"},
    {"rate_limit", FaultKind::status, 429, "rate_limit_error",
     "This request would exceed your organization's rate limit"},
    {"spend_limit", FaultKind::status, 429, "rate_limit_error",
     "Your organization has reached its enforced spend limit"},
    {"overloaded", FaultKind::status, 529, "overloaded_error", "Overloaded"},
    {"server_error", FaultKind::status, 500, "api_error", "Internal server error"},
    {"timeout", FaultKind::status, 504, "timeout_error", "The request timed out"},
    {"billing", FaultKind::status, 402, "billing_error", "Your credit balance is too low"},
    {"forbidden", FaultKind::status, 403, "permission_error",
     "Your API key does not have permission to use the specified resource"},
    {"html", FaultKind::html, 502, "", ""},
    {"reset", FaultKind::reset, 0, "", ""},
    {"reset_mid_body", FaultKind::reset_mid_body, 0, "", ""},
    {"close_mid_body", FaultKind::close_mid_body, 0, "", ""},
    {"slow", FaultKind::slow, 0, "", ""},
    {"stall", FaultKind::stall, 0, "", ""},
    {"truncated_body", FaultKind::truncated_body, 0, "", ""},
    {"invalid_body", FaultKind::invalid_body, 0, "", ""},
    {"truncated_json", FaultKind::truncated_json, 0, "", ""},
    {"invalid_json", FaultKind::invalid_json, 0, "", ""},
    {"wrong_schema", FaultKind::wrong_schema, 0, "", ""},
    {"refusal", FaultKind::refusal, 0, "", ""},
    {"max_tokens", FaultKind::max_tokens, 0, "", ""},
    {"empty", FaultKind::empty, 0, "", ""},
    {"thinking", FaultKind::thinking, 0, "", ""},
    {"text", FaultKind::text, 0, "", ""},
    {"sse_error", FaultKind::sse_error, 0, "", ""},
    {"errored", FaultKind::errored, 0, "api_error", "Internal server error"},
    {"expired", FaultKind::expired, 0, "", ""},
};

void check_keys(const Json& object, const std::set<std::string>& known, const std::string& where) {
  if (!object.is_object()) throw Error(fmt::format("[script] {} must be an object", where));
  for (const auto& item : object.items())
    if (!known.contains(item.key()))
      throw Error(fmt::format("[script] {} has no key '{}'", where, item.key()));
}

double number_or(const Json& object, std::string_view key, double fallback,
                 const std::string& where) {
  return object.contains(key) ? json_number(object, key, where) : fallback;
}

int int_or(const Json& object, std::string_view key, int fallback, const std::string& where) {
  return object.contains(key) ? int(json_int(object, key, where)) : fallback;
}

// A header's value, which a script may give as a number or as a string.
std::string header_of(const Json& object, std::string_view key) {
  if (!object.contains(key)) return {};
  const Json& value = object.at(std::string(key));
  return value.is_string() ? value.get<std::string>() : dump_json(value);
}

std::optional<std::pair<int64_t, int64_t>> range_of(const Json& object, const char* key,
                                                    const std::string& where) {
  if (!object.contains(key)) return std::nullopt;
  const Json& value = object[key];
  if (value.is_number_integer()) return std::pair(value.get<int64_t>(), value.get<int64_t>());
  if (!value.is_array() || value.size() != 2 || !value[0].is_number_integer() ||
      !value[1].is_number_integer())
    throw Error(fmt::format("[script] {}: '{}' must be a number or [from, to]", where, key));
  return std::pair(value[0].get<int64_t>(), value[1].get<int64_t>());
}

Fault parse_fault(const Json& json, const std::string& where) {
  const std::string name = json_string_or(json, "fault", "none", where);
  const auto* found = std::find_if(std::begin(kFaults), std::end(kFaults),
                                   [&](const NamedFault& fault) { return fault.name == name; });
  if (found == std::end(kFaults))
    throw Error(fmt::format("[script] {}: there is no fault '{}'", where, name));
  Fault fault;
  fault.kind = found->kind;
  fault.status = int_or(json, "status", found->status, where);
  fault.error_type = json_string_or(json, "type", found->type, where);
  fault.message = json_string_or(json, "message", found->message, where);
  if (name == "spend_limit") fault.error_code = "enforced_spend_limit_reached";
  fault.retry_after = header_of(json, "retry_after");
  fault.retry_after_ms = header_of(json, "retry_after_ms");
  fault.should_retry = header_of(json, "should_retry");
  fault.bytes_per_second = number_or(json, "bytes_per_second", 100, where);
  fault.bytes = int_or(json, "bytes", -1, where);
  fault.stall_ms = int_or(json, "ms", 1000, where);
  fault.delay_ms = int_or(json, "delay_ms", 0, where);
  fault.text = json_string_or(json, "text", "", where);
  if (fault.bytes_per_second <= 0)
    throw Error(fmt::format("[script] {}: 'bytes_per_second' must be positive", where));
  return fault;
}

}  // namespace

AnthropicScript::AnthropicScript(const Json& script) {
  check_keys(script, {"latency_ms", "thinking", "limits", "batches", "rules"}, "the script");
  latency_ms = int_or(script, "latency_ms", 0, "script");
  thinking = script.value("thinking", Json(false)) == true;
  if (script.contains("limits")) {
    const Json& limits = script["limits"];
    check_keys(limits, {"requests", "input_tokens", "output_tokens"}, "limits");
    requests_a_minute = number_or(limits, "requests", 0, "limits");
    input_tokens_a_minute = number_or(limits, "input_tokens", 0, "limits");
    output_tokens_a_minute = number_or(limits, "output_tokens", 0, "limits");
  }
  if (script.contains("batches")) {
    const Json& batches = script["batches"];
    check_keys(batches, {"polls", "delay_ms", "done_before_cancel"}, "batches");
    batch_polls = int_or(batches, "polls", 1, "batches");
    batch_delay_ms = int_or(batches, "delay_ms", 0, "batches");
    done_before_cancel = int_or(batches, "done_before_cancel", 0, "batches");
  }
  if (!script.contains("rules")) return;
  const Json& rules = json_array(script, "rules", "script");
  for (size_t i = 0; i < rules.size(); i++)
    rules_.push_back(parse_rule(rules[i], fmt::format("rule {}", i)));
}

AnthropicScript::Rule AnthropicScript::parse_rule(const Json& json, const std::string& where) {
  check_keys(json,
             {"on", "index", "attempt", "contains", "share", "seed", "times", "fault", "status",
              "type", "message", "retry_after", "retry_after_ms", "should_retry",
              "bytes_per_second", "bytes", "ms", "delay_ms", "text"},
             where);
  Rule rule;
  rule.on = json_string_or(json, "on", "messages", where);
  if (std::find(std::begin(kKinds), std::end(kKinds), rule.on) == std::end(kKinds))
    throw Error(fmt::format("[script] {}: there are no requests '{}'", where, rule.on));
  rule.contains = json_string_or(json, "contains", "", where);
  rule.index = range_of(json, "index", where);
  rule.attempt = range_of(json, "attempt", where);
  rule.share = number_or(json, "share", 1, where);
  rule.seed = uint64_t(int_or(json, "seed", 0, where));
  rule.times = int_or(json, "times", -1, where);
  rule.fault = parse_fault(json, where);
  return rule;
}

bool AnthropicScript::holds(const Rule& rule, const ScriptedRequest& request) {
  const auto within = [](const std::optional<Range>& range, int64_t value) {
    return !range || (value >= range->first && value <= range->second);
  };
  if (rule.times == 0 || (rule.on != "any" && rule.on != request.kind)) return false;
  if (!within(rule.index, request.index) || !within(rule.attempt, request.attempt)) return false;
  if (!rule.contains.empty() && request.body.find(rule.contains) == request.body.npos) return false;
  if (rule.share >= 1) return true;
  Random random(hash64(request.body, hash64(fmt::format("{} {}", rule.seed, request.attempt))));
  return random.uniform() < rule.share;
}

Fault AnthropicScript::fault_for(const ScriptedRequest& request) {
  for (Rule& rule : rules_) {
    if (!holds(rule, request)) continue;
    if (rule.times > 0) rule.times--;
    return rule.fault;
  }
  return {};
}

}  // namespace chatmem
