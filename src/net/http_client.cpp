#include "net/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>

namespace chatmem {
namespace {

using Clock = std::chrono::steady_clock;
using EasyHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

// libcurl's global state is made once and lives as long as the program.
void init_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw Error("[http] libcurl must start, it does not");
}

struct Transfer {
  const HttpCall& call;
  CURL* curl;
  HttpResponse response;
  size_t received = 0;
  curl_off_t uploaded = 0;
  Clock::time_point last_byte = Clock::now();
  std::optional<HttpFailure> failure;
  std::exception_ptr thrown;  // by on_body; must not pass through C code
};

size_t on_header(char* bytes, size_t, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.last_byte = Clock::now();
  std::string_view line(bytes, count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // again after "100 Continue"
    transfer.response.headers.clear();
    return count;
  }
  const size_t colon = line.find(':');
  if (colon == line.npos) return count;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  transfer.response.headers.emplace_back(line.substr(0, colon), value);
  return count;
}

size_t on_bytes(char* bytes, size_t, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.last_byte = Clock::now();
  transfer.received += count;
  if (transfer.received > transfer.call.max_response_bytes) {
    transfer.failure = HttpFailure::too_large;
    return CURL_WRITEFUNC_ERROR;
  }
  if (!transfer.call.on_body) {
    transfer.response.body.append(bytes, count);
    return count;
  }
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = int(status);
  try {
    if (transfer.call.on_body(transfer.response, {bytes, count})) return count;
    transfer.failure = HttpFailure::aborted;
  } catch (...) {
    transfer.thrown = std::current_exception();
  }
  return CURL_WRITEFUNC_ERROR;
}

// libcurl's own low-speed limit averages bytes per second, and a stream kept alive by a short
// comment every few seconds can fall under one byte a second; so the silence itself is measured.
// Bytes sent count as life too: a large body may take long to send.
int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t uploaded) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (uploaded != transfer.uploaded) transfer.last_byte = Clock::now();
  transfer.uploaded = uploaded;
  if (Clock::now() - transfer.last_byte <= std::chrono::milliseconds(transfer.call.idle_timeout_ms))
    return 0;
  transfer.failure = HttpFailure::idle;
  return 1;
}

// The place of a URL without user, password and query: what a message may show.
std::string shown_url(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const size_t scheme = url.find("://");
  const size_t begin = scheme == url.npos ? 0 : scheme + 3;
  const size_t at = url.substr(begin, url.find('/', begin) - begin).rfind('@');
  if (at == url.npos) return std::string(url);
  return fmt::format("{}{}", url.substr(0, begin), url.substr(begin + at + 1));
}

bool is_loopback(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme != url.npos) url.remove_prefix(scheme + 3);
  return url.starts_with("127.") || url.starts_with("localhost") || url.starts_with("[::1]");
}

HeaderList header_list(const HttpCall& call) {
  HeaderList list(nullptr, &curl_slist_free_all);
  const auto append = [&](const std::string& line) {
    if (line.find_first_of("\r\n") != line.npos)
      throw HttpError(HttpFailure::invalid, "[http] a header must not hold a line break");
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const auto& [name, value] : call.headers) append(name + ": " + value);
  append("Expect:");  // do not wait a second for "100 Continue"
  return list;
}

void set_options(CURL* curl, const HttpCall& call, const HeaderList& headers) {
  const auto set = [&](CURLoption option, auto value) {
    CHECK(curl_easy_setopt(curl, option, value) == CURLE_OK);
  };
  set(CURLOPT_URL, call.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_CONNECTTIMEOUT_MS, long(call.connect_timeout_ms));
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_USERAGENT, "chatmem");
  set(CURLOPT_HTTPHEADER, headers.get());
  if (is_loopback(call.url)) set(CURLOPT_PROXY, "");  // a proxy cannot reach this machine
  if (call.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (call.method == "POST" || call.method == "PUT" || call.method == "PATCH") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(call.body.size()));
    set(CURLOPT_POSTFIELDS, call.body.c_str());
  }
}

[[noreturn]] void fail(const Transfer& transfer, CURLcode code, const char* detail) {
  const HttpCall& call = transfer.call;
  const std::string url = shown_url(call.url);
  const std::string why = *detail != 0 ? detail : curl_easy_strerror(code);
  if (transfer.failure == HttpFailure::idle)
    throw HttpError(HttpFailure::idle, fmt::format("[http] {}: no byte came for {:.1f} s", url,
                                                   call.idle_timeout_ms / 1000.0));
  if (transfer.failure == HttpFailure::too_large)
    throw HttpError(HttpFailure::too_large,
                    fmt::format("[http] {}: the answer must not be larger than {} bytes", url,
                                call.max_response_bytes));
  if (transfer.failure == HttpFailure::aborted)
    throw HttpError(HttpFailure::aborted, fmt::format("[http] {}: ended by the caller", url));
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      throw HttpError(HttpFailure::invalid,
                      fmt::format("[http] '{}' must be an http or https URL: {}", url, why));
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_OPERATION_TIMEDOUT:  // only connecting has a time limit in libcurl
      throw HttpError(HttpFailure::connect, fmt::format("[http] {}: no connection: {}", url, why),
                      "is the server running, and is this its address?");
    default:
      throw HttpError(HttpFailure::broken,
                      fmt::format("[http] {}: the connection broke: {}", url, why));
  }
}

}  // namespace

HttpResponse http_request(const HttpCall& call) {
  init_curl();
  const EasyHandle handle(curl_easy_init(), &curl_easy_cleanup);
  if (!handle) throw std::bad_alloc();
  CURL* curl = handle.get();
  const HeaderList headers = header_list(call);
  Transfer transfer{call, curl};
  char detail[CURL_ERROR_SIZE] = "";
  set_options(curl, call, headers);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  const CURLcode code = curl_easy_perform(curl);
  if (transfer.thrown) std::rethrow_exception(transfer.thrown);
  if (code != CURLE_OK) fail(transfer, code, detail);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = int(status);
  return std::move(transfer.response);
}

}  // namespace chatmem
