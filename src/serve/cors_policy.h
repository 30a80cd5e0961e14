// Which pages may use the server: those that it sent itself, and those of named origins
// (https://fetch.spec.whatwg.org/#http-cors-protocol).
#pragma once
#include <string>
#include <vector>

#include "net/http_server.h"

namespace chatmem {

class CorsPolicy {
 public:
  // "https://app.example" or "http://localhost:3000"; "*": all. Throws Error for what is no origin.
  explicit CorsPolicy(std::vector<std::string> origins);

  // False for what a browser sends for a page from elsewhere whose origin is not named.
  bool allows(const HttpRequest& request) const;
  // What the answer must carry so that a page of a named origin may read it.
  HttpHeaders headers(const HttpRequest& request) const;

 private:
  bool named(const std::string& origin) const;
  std::vector<std::string> origins_;
};

}  // namespace chatmem
