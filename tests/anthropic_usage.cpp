#include "anthropic_usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "anthropic_answer.h"
#include "base/hash.h"

namespace chatmem {
namespace {

// The smallest prefix that the newest models keep.
constexpr int64_t kMinCachedTokens = 512;

// Goes over the blocks in the order that the cache knows: tools, system, messages.
class Measurement {
 public:
  explicit Measurement(const Json& params) {
    // Another schema is another prompt.
    hash_ = hash64(dump_json(params.value("output_config", Json())), hash64("prefix"));
    if (params.contains("tools") && params["tools"].is_array())
      for (const Json& tool : params["tools"]) add_block(tool);
    if (params.contains("system")) add(params["system"], "system");
    for (const Json& message : params.at("messages"))
      add(message.at("content"), message.at("role").get<std::string>());
    if (params.contains("cache_control")) mark(params["cache_control"]);
  }
  MeasuredPrompt result;

 private:
  void add(const Json& content, const std::string& role) {
    hash_ = hash64(role, hash_);
    if (!content.is_array()) return add_block(Json{{"type", "text"}, {"text", content}});
    for (const Json& block : content) add_block(block);
  }
  void add_block(Json block) {
    const Json control = block.value("cache_control", Json());
    block.erase("cache_control");
    const std::string bytes = dump_json(block);
    hash_ = hash64(bytes, hash_);
    const bool text = block.contains("text") && block["text"].is_string();
    result.tokens += count_fake_tokens(text ? block["text"].get_ref<const std::string&>() : bytes);
    mark(control);
  }
  void mark(const Json& control) {
    if (!control.is_object() || result.tokens < kMinCachedTokens) return;
    result.prefixes.push_back(
        {hash_, result.tokens, control.value("ttl", Json("5m")) == Json("1h")});
  }
  uint64_t hash_;
};

}  // namespace

MeasuredPrompt measure_prompt(const Json& params) { return Measurement(params).result; }

Json to_json(const FakeUsage& usage, const std::string& service_tier) {
  return {{"input_tokens", usage.input},
          {"cache_creation_input_tokens", usage.cache_write_5m + usage.cache_write_1h},
          {"cache_read_input_tokens", usage.cache_read},
          {"cache_creation",
           {{"ephemeral_5m_input_tokens", usage.cache_write_5m},
            {"ephemeral_1h_input_tokens", usage.cache_write_1h}}},
          {"output_tokens", usage.output},
          {"output_tokens_details", {{"thinking_tokens", usage.thinking}}},
          {"server_tool_use", nullptr},
          {"service_tier", service_tier},
          {"inference_geo", nullptr},
          {"speed", "standard"}};
}

FakeUsage PromptCache::read(const MeasuredPrompt& prompt) const {
  FakeUsage usage;
  int64_t marked = 0;
  for (const MeasuredPrompt::Prefix& prefix : prompt.prefixes) {
    if (kept_.contains(prefix.hash)) {
      usage.cache_read = prefix.tokens;
      usage.cache_write_5m = usage.cache_write_1h = 0;
    } else {
      (prefix.one_hour ? usage.cache_write_1h : usage.cache_write_5m) += prefix.tokens - marked;
    }
    marked = prefix.tokens;
  }
  usage.input = prompt.tokens - marked;
  return usage;
}

void PromptCache::store(const MeasuredPrompt& prompt) {
  for (const MeasuredPrompt::Prefix& prefix : prompt.prefixes) kept_.insert(prefix.hash);
}

RateLimits::RateLimits(double requests, double input_tokens, double output_tokens, Time now)
    : requests_{requests, requests},
      input_{input_tokens, input_tokens},
      output_{output_tokens, output_tokens},
      filled_(now) {}

void RateLimits::Bucket::fill(double seconds) {
  level = std::min(limit, level + limit * seconds / 60);
}

double RateLimits::Bucket::wait_s(double amount) const {
  if (limit <= 0) return 0;
  // What is more than a minute's amount could never be had: it goes through a full bucket.
  const double needed = std::min(amount, limit);
  return level >= needed ? 0 : (needed - level) / limit * 60;
}

void RateLimits::fill(Time now) {
  const double seconds = std::chrono::duration<double>(now - filled_).count();
  for (Bucket* bucket : {&requests_, &input_, &output_}) bucket->fill(seconds);
  filled_ = now;
}

std::optional<double> RateLimits::take(const FakeUsage& usage, Time now) {
  fill(now);
  const double input = double(usage.input + usage.cache_write_5m + usage.cache_write_1h);
  const double wait = std::max({requests_.wait_s(1), input_.wait_s(input), output_.wait_s(1)});
  if (wait > 0) return wait;
  requests_.level -= 1;
  input_.level -= input;
  output_.level -= double(usage.output);
  return std::nullopt;
}

HttpHeaders RateLimits::headers(Time now) {
  fill(now);
  HttpHeaders headers;
  const auto add = [&](std::string_view name, double limit, double level) {
    if (limit <= 0) return;
    const std::string prefix = fmt::format("anthropic-ratelimit-{}-", name);
    headers.emplace_back(prefix + "limit", fmt::format("{:.0f}", limit));
    headers.emplace_back(prefix + "remaining",
                         fmt::format("{:.0f}", std::floor(std::max(level, 0.0))));
    headers.emplace_back(prefix + "reset", rfc3339_in((limit - level) / limit * 60));
  };
  add("requests", requests_.limit, requests_.level);
  add("input-tokens", input_.limit, input_.level);
  add("output-tokens", output_.limit, output_.level);
  if (input_.limit > 0 && output_.limit > 0)
    add("tokens", input_.limit + output_.limit, input_.level + output_.level);
  return headers;
}

std::string rfc3339_in(double seconds) {
  const std::time_t time = std::time(nullptr) + std::time_t(std::ceil(seconds));
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace chatmem
