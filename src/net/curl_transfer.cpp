#include "net/curl_transfer.h"

#include <fmt/format.h>

#include <utility>

namespace chatmem {
namespace {

CURL* new_handle() {
  init_curl();
  CURL* handle = curl_easy_init();
  if (handle == nullptr) throw std::bad_alloc();
  return handle;
}

template <typename Value>
void set(CURL* curl, CURLoption option, Value value) {
  CHECK(curl_easy_setopt(curl, option, value) == CURLE_OK);
}

}  // namespace

void init_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw Error("[http] libcurl must start, it does not");
}

CurlTransfer::CurlTransfer(const HttpCall& call)
    : call_(call), handle_(new_handle(), &curl_easy_cleanup), headers_(header_list(call)) {
  set_options();
  set_callbacks();
}

CurlTransfer::HeaderList CurlTransfer::header_list(const HttpCall& call) {
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

void CurlTransfer::set_options() {
  CURL* curl = handle();
  set(curl, CURLOPT_URL, call_.url.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_FOLLOWLOCATION, 0L);
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, long(call_.connect_timeout_ms));
  set(curl, CURLOPT_TCP_NODELAY, 1L);
  // An answer may be minutes in the making, and routers forget connections that are silent.
  set(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  set(curl, CURLOPT_USERAGENT, "chatmem");
  set(curl, CURLOPT_HTTPHEADER, headers_.get());
  if (is_loopback_url(call_.url)) set(curl, CURLOPT_PROXY, "");  // cannot reach this machine
  if (call_.method == "HEAD") set(curl, CURLOPT_NOBODY, 1L);
  set(curl, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
  if (call_.method == "POST" || call_.method == "PUT" || call_.method == "PATCH") {
    set(curl, CURLOPT_POST, 1L);
    set(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(call_.body.size()));
    set(curl, CURLOPT_POSTFIELDS, call_.body.c_str());
  }
}

void CurlTransfer::set_callbacks() {
  CURL* curl = handle();
  set(curl, CURLOPT_ERRORBUFFER, detail_);
  set(curl, CURLOPT_PREREQFUNCTION, &on_request);
  set(curl, CURLOPT_PREREQDATA, this);
  set(curl, CURLOPT_HEADERFUNCTION, &on_header);
  set(curl, CURLOPT_HEADERDATA, this);
  set(curl, CURLOPT_WRITEFUNCTION, &on_bytes);
  set(curl, CURLOPT_WRITEDATA, this);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(curl, CURLOPT_XFERINFODATA, this);
}

// When a connection that was used before breaks without a byte of an answer, libcurl sends the same
// request again by itself. What it asks for may have been done, and paid, by then: that is for the
// caller to decide.
int CurlTransfer::on_request(void* user, char*, char*, int, int) {
  auto& transfer = *static_cast<CurlTransfer*>(user);
  if (std::exchange(transfer.requested_, true)) {
    transfer.failure_ = HttpFailure::broken;
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

size_t CurlTransfer::on_header(char* bytes, size_t, size_t count, void* user) {
  static_cast<CurlTransfer*>(user)->take_header({bytes, count});
  return count;
}

void CurlTransfer::take_header(std::string_view line) {
  last_byte_ = Clock::now();
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // again after "100 Continue"
    response_.headers.clear();
    return;
  }
  const size_t colon = line.find(':');
  if (colon == line.npos) return;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  response_.headers.emplace_back(line.substr(0, colon), value);
}

size_t CurlTransfer::on_bytes(char* bytes, size_t, size_t count, void* user) {
  auto& transfer = *static_cast<CurlTransfer*>(user);
  try {
    if (transfer.take_bytes({bytes, count})) return count;
  } catch (...) {
    transfer.thrown_ = std::current_exception();
  }
  return CURL_WRITEFUNC_ERROR;
}

bool CurlTransfer::take_bytes(std::string_view bytes) {
  last_byte_ = Clock::now();
  received_ += bytes.size();
  if (received_ > call_.max_response_bytes) {
    failure_ = HttpFailure::too_large;
    return false;
  }
  if (!call_.on_body) {
    response_.body += bytes;
    return true;
  }
  response_.status = status();
  if (call_.on_body(response_, bytes)) return true;
  failure_ = HttpFailure::aborted;
  return false;
}

// libcurl's own low-speed limit averages bytes per second, and a stream kept alive by a short
// comment every few seconds can fall under one byte a second; so the silence itself is measured.
// Bytes sent count as life too: a large body may take long to send.
int CurlTransfer::on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t uploaded) {
  auto& transfer = *static_cast<CurlTransfer*>(user);
  if (uploaded != transfer.uploaded_) transfer.last_byte_ = Clock::now();
  transfer.uploaded_ = uploaded;
  if (Clock::now() <= transfer.idle_deadline()) return 0;
  transfer.failure_ = HttpFailure::idle;
  return 1;
}

CurlTransfer::Clock::time_point CurlTransfer::idle_deadline() const {
  return last_byte_ + std::chrono::milliseconds(call_.idle_timeout_ms);
}

int CurlTransfer::status() const {
  long status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  return int(status);
}

std::optional<HttpError> CurlTransfer::end(CURLcode code) {
  if (thrown_) std::rethrow_exception(thrown_);
  response_.status = status();
  if (code == CURLE_OK) return std::nullopt;
  return error(code);
}

HttpError CurlTransfer::error(CURLcode code) const {
  const std::string url = shown_url(call_.url);
  const std::string why = *detail_ != 0 ? detail_ : curl_easy_strerror(code);
  if (failure_ == HttpFailure::idle)
    return {*failure_, fmt::format("[http] {}: no byte came for {:.1f} s", url,
                                   call_.idle_timeout_ms / 1000.0)};
  if (failure_ == HttpFailure::too_large)
    return {*failure_, fmt::format("[http] {}: the answer must not be larger than {} bytes", url,
                                   call_.max_response_bytes)};
  if (failure_ == HttpFailure::aborted)
    return {*failure_, fmt::format("[http] {}: ended by the caller", url)};
  if (failure_ == HttpFailure::broken)
    return {*failure_, fmt::format("[http] {}: the connection broke before an answer", url)};
  long sent = 0;  // an answer that is no HTTP is "unsupported" for libcurl, too
  curl_easy_getinfo(handle(), CURLINFO_REQUEST_SIZE, &sent);
  if (code == CURLE_UNSUPPORTED_PROTOCOL && sent > 0)
    return {HttpFailure::broken, fmt::format("[http] {}: the connection broke: {}", url, why)};
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {HttpFailure::invalid,
              fmt::format("[http] '{}' must be an http or https URL: {}", url, why)};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_OPERATION_TIMEDOUT:  // only connecting has a time limit in libcurl
      return {HttpFailure::connect, fmt::format("[http] {}: no connection: {}", url, why),
              "is the server running, and is this its address?"};
    default:
      return {HttpFailure::broken, fmt::format("[http] {}: the connection broke: {}", url, why)};
  }
}

}  // namespace chatmem
