// One transfer of libcurl: its options, what arrives, and why it failed. What the client of one
// request (http_client.cpp) and that of many (http_multi.cpp) share; curl's types go no further.
#pragma once
#include <curl/curl.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>

#include "net/http_client.h"

namespace chatmem {

// libcurl's global state is made once and lives as long as the program.
void init_curl();

class CurlTransfer {
 public:
  using Clock = std::chrono::steady_clock;

  // `call` must live as long. Throws HttpError for a header with a line break.
  explicit CurlTransfer(const HttpCall& call);
  // Callbacks hold its address.
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* handle() const { return handle_.get(); }
  // When the silence will have lasted idle_timeout_ms.
  Clock::time_point idle_deadline() const;
  // Once, when the transfer is over: why it failed, if it did. Throws what on_body threw.
  std::optional<HttpError> end(CURLcode code);
  // Before end(), when it is ended because of its idle time-out.
  void set_idle() { failure_ = HttpFailure::idle; }
  // What has come, whole or not; the body is empty where on_body took it.
  HttpResponse take_response() { return std::move(response_); }

 private:
  using EasyHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
  using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

  static HeaderList header_list(const HttpCall& call);
  // C functions for libcurl; `user` is the transfer.
  static int on_request(void* user, char*, char*, int, int);
  static size_t on_header(char* bytes, size_t, size_t count, void* user);
  static size_t on_bytes(char* bytes, size_t, size_t count, void* user);
  static int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t uploaded);

  void set_options();
  void set_callbacks();
  void take_header(std::string_view line);
  bool take_bytes(std::string_view bytes);
  int status() const;
  HttpError error(CURLcode code) const;

  const HttpCall& call_;
  EasyHandle handle_;
  HeaderList headers_;
  HttpResponse response_;
  bool requested_ = false;
  size_t received_ = 0;
  curl_off_t uploaded_ = 0;
  Clock::time_point last_byte_ = Clock::now();
  std::optional<HttpFailure> failure_;
  std::exception_ptr thrown_;  // by on_body; must not pass through C code
  char detail_[CURL_ERROR_SIZE] = "";
};

}  // namespace chatmem
