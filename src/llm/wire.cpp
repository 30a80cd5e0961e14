#include "llm/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"

namespace chatmem {
namespace {

constexpr double kMaxWaitSeconds = 30 * 86'400.0;
constexpr int64_t kMaxCount = 1'000'000'000'000;

// The whole text as a number that is neither negative nor infinite.
std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

std::string string_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

void read_error_object(const Json& json, ApiErrorBody& out) {
  for (const char* key : {"message", "detail"})
    if (out.message.empty()) out.message = string_of(json, key);
  out.type = string_of(json, "type");
  out.code = string_of(json, "code");
  if (const auto details = json.find("details"); details != json.end() && details->is_object())
    if (out.code.empty()) out.code = string_of(*details, "error_code");
  const int64_t status = count_of(json, "code");
  if (status >= 400 && status <= 599) out.status = int(status);
}

LlmVerdict verdict_of(int status) {
  if (is_retryable_status(status)) return LlmVerdict::retry;
  switch (status) {
    case 401:
    case 402:
    case 403:  // the key, the account
    case 404:
    case 405:
    case 410:  // the URL, the model
      return LlmVerdict::stop_run;
    default:
      // Redirects are not followed: the URL is another. Any other is about the request itself.
      return status / 100 == 3 ? LlmVerdict::stop_run : LlmVerdict::fail_row;
  }
}

std::string hint_of(int status) {
  if (status == 401 || status == 403) return "is the API key set, and is it this one's?";
  if (status == 402) return "is there credit on the account?";
  if (status == 404 || status == 405 || status / 100 == 3)
    return "is there such a model, and is the base URL right?";
  return {};
}

}  // namespace

std::string api_base_url(std::string url) {
  const bool web = url.starts_with("http://") || url.starts_with("https://");
  const size_t host = web ? url.find("://") + 3 : 0;
  if (!web || url.size() == host || url[host] == '/' ||
      std::ranges::any_of(url, [](char c) { return uint8_t(c) <= 0x20 || uint8_t(c) == 0x7F; }))
    throw Error(fmt::format("[llm] an endpoint must begin with http:// or https://, is '{}'",
                            shortened(shown_url(url))),
                "for example http://127.0.0.1:8080/v1");
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string openai_base_url(std::string url) {
  url = api_base_url(std::move(url));
  if (url.find('/', url.find("://") + 3) == url.npos) url += "/v1";
  return url;
}

std::string host_of(std::string_view url) {
  const std::string shown = shown_url(url);
  const size_t scheme = shown.find("://");
  const size_t begin = scheme == shown.npos ? 0 : scheme + 3;
  return shown.substr(begin, shown.find('/', begin) - begin);
}

void check_api_key(const std::string& key) {
  for (const char c : key)
    if (uint8_t(c) <= 0x20 || uint8_t(c) >= 0x7F)
      throw Error("[llm] the API key must be of printable characters without spaces",
                  "a line break at its end, perhaps?");
}

std::string shortened(std::string_view text, const std::string& key) {
  constexpr size_t kShown = 200;
  constexpr size_t kShortestSecret = 8;  // "x" and "none" are keys of local servers
  std::string whole(text);
  if (key.size() >= kShortestSecret)
    for (size_t at = 0; (at = whole.find(key, at)) != whole.npos;)
      whole.replace(at, key.size(), "[key]");
  std::string out = replace_invalid_utf8(std::string_view(whole).substr(0, kShown));
  for (char& c : out)
    if (uint8_t(c) < 0x20 || c == 0x7F) c = ' ';
  return whole.size() > kShown ? out + "..." : out;
}

ApiErrorBody read_error_body(std::string_view body) {
  ApiErrorBody out;
  try {
    Json json = parse_json(body, "answer");
    if (json.is_array() && !json.empty()) json = Json(json[0]);
    if (json.is_object()) {
      const auto error = json.find("error");
      if (error != json.end() && error->is_string())
        out.message = error->get<std::string>();
      else
        read_error_object(error != json.end() && error->is_object() ? *error : json, out);
    }
  } catch (const Error&) {
    // Not JSON: a proxy's page, for example. Its text is the message.
  }
  if (out.message.empty()) out.message = body;
  return out;
}

std::string error_message(std::string_view body, const std::string& key) {
  const std::string message = read_error_body(body).message;
  return message.empty() ? "no message" : shortened(message, key);
}

int64_t count_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number_integer()) return 0;
  if (it->is_number_unsigned())
    return int64_t(std::min<uint64_t>(it->get<uint64_t>(), uint64_t(kMaxCount)));
  return std::clamp<int64_t>(it->get<int64_t>(), 0, kMaxCount);
}

bool is_retryable_status(int status) {
  return status == 408 || status == 409 || status == 429 || status / 100 == 5;
}

std::optional<double> retry_after_seconds(const HttpHeaders& headers) {
  std::optional<double> seconds;
  if (const std::string* ms = find_header(headers, "retry-after-ms")) {
    seconds = parse_number(*ms);
    if (seconds) *seconds /= 1000;
  }
  const std::string* after = find_header(headers, "retry-after");
  if (!seconds && after != nullptr) {
    seconds = parse_number(*after);
    if (const auto date = parse_http_date(*after); !seconds && date)
      seconds = std::max(0.0, double((*date - server_time(headers)).count()));
  }
  if (seconds) *seconds = std::min(*seconds, kMaxWaitSeconds);
  return seconds;
}

Moment server_time(const HttpHeaders& headers) {
  const std::string* date = find_header(headers, "date");
  if (const auto moment = date ? parse_http_date(*date) : std::nullopt) return *moment;
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::optional<double> parse_duration(std::string_view text) {
  if (const auto seconds = parse_number(text)) return std::min(*seconds, kMaxWaitSeconds);
  double seconds = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = parse_number(text.substr(0, digits));
    text.remove_prefix(digits);
    const size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, letters);
    text.remove_prefix(letters);
    const double scale = unit == "d"    ? 86'400
                         : unit == "h"  ? 3'600
                         : unit == "m"  ? 60
                         : unit == "s"  ? 1
                         : unit == "ms" ? 1e-3
                         : unit == "us" ? 1e-6
                         : unit == "ns" ? 1e-9
                                        : 0;
    if (!number || scale == 0) return std::nullopt;
    seconds += *number * scale;
  }
  return std::min(seconds, kMaxWaitSeconds);
}

LlmLimit read_limit(const HttpHeaders& headers, const LimitHeaders& names,
                    const std::function<std::optional<double>(std::string_view)>& seconds) {
  const auto count = [&](const std::string& name) -> int64_t {
    const std::string* value = find_header(headers, name);
    const auto number = value ? parse_number(*value) : std::nullopt;
    return number ? int64_t(std::min(*number, double(kMaxCount))) : -1;
  };
  LlmLimit limit{count(names.limit), count(names.remaining)};
  if (const std::string* reset = find_header(headers, names.reset))
    limit.reset_s = seconds(*reset).value_or(-1);
  return limit;
}

LlmFailure failure_of_status(const HttpResponse& response, const ApiErrorBody& error,
                             const LlmEndpoint& endpoint) {
  const int status = error.status != 0 ? error.status : response.status;
  LlmFailure failure;
  failure.verdict = verdict_of(status);
  if (const std::string* again = find_header(response.headers, "x-should-retry")) {
    if (*again == "true") failure.verdict = LlmVerdict::retry;
    if (*again == "false" && failure.verdict == LlmVerdict::retry)
      failure.verdict = LlmVerdict::fail_row;
  }
  const std::string type = error.type.empty() ? "" : " " + shortened(error.type, endpoint.api_key);
  const std::string words =
      error.message.empty() ? "no message" : shortened(error.message, endpoint.api_key);
  failure.message =
      fmt::format("[llm] {}: status {}{}: {}", host_of(endpoint.base_url), status, type, words);
  failure.hint = hint_of(status);
  failure.retry_after_s = retry_after_seconds(response.headers);
  failure.overloaded = status == 429 || status == 529;
  return failure;
}

LlmFailure failure_of_connection(const HttpOutcome& outcome) {
  const HttpError& error = outcome.error.value();
  LlmFailure failure;
  failure.message = error.what();
  failure.hint = error.hint();
  // Once a request may have arrived, so may its bill.
  failure.maybe_billed = true;
  switch (error.failure()) {
    case HttpFailure::connect:
      failure.unreachable = true;
      failure.maybe_billed = false;
      break;
    case HttpFailure::idle:
    case HttpFailure::broken:
      break;
    case HttpFailure::too_large:
    case HttpFailure::aborted:
      failure.verdict = LlmVerdict::fail_row;
      break;
    case HttpFailure::invalid:
      failure.verdict = LlmVerdict::stop_run;
      failure.maybe_billed = false;
      break;
  }
  return failure;
}

LlmFailure failure_of_answer(const std::string& message) {
  LlmFailure failure;
  failure.verdict = LlmVerdict::fail_row;
  failure.message = message;
  failure.maybe_billed = true;
  return failure;
}

}  // namespace chatmem
