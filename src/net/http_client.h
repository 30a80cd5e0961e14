// An HTTP client: one request, answered whole or piece by piece. http and https, HTTP/1.1 or 2.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"

namespace chatmem {

// Why a request failed without an answer; an answer of any status is no error here.
enum class HttpFailure {
  connect,    // name not found, refused, TLS, time-out while connecting
  idle,       // no byte for idle_timeout_ms
  broken,     // the connection ended within the answer
  too_large,  // the answer passed max_response_bytes
  aborted,    // on_body said so
  invalid,    // a URL that is none, a scheme other than http and https
};

class HttpError : public Error {
 public:
  HttpError(HttpFailure failure, const std::string& message, std::string hint = {})
      : Error(message, std::move(hint)), failure_(failure) {}
  HttpFailure failure() const { return failure_; }

 private:
  HttpFailure failure_;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;  // empty when on_body took it
};

struct HttpCall {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;
  std::string body;  // sent with POST, PUT and PATCH
  int connect_timeout_ms = 10'000;
  int idle_timeout_ms = 600'000;  // looked at about once a second
  size_t max_response_bytes = size_t(256) << 20;
  // Takes the body as it arrives; `head` has status and headers. False ends the request with
  // HttpFailure::aborted. What it throws ends the request and is thrown on.
  std::function<bool(const HttpResponse& head, std::string_view bytes)> on_body;
};

// The request is sent once or not at all: whether it is worth another try is the caller's to say.
// Redirects are not followed, so that a key never goes to another host. Headers of the request
// appear in no message. Safe to call from several threads. Throws HttpError.
HttpResponse http_request(const HttpCall& call);

}  // namespace chatmem
