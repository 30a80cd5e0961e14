#include "serve/cors_policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace chatmem {
namespace {

// The host and port of an origin of the web; empty for others, such as "null".
std::string_view host_of(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin.starts_with(scheme)) return origin.substr(scheme.size());
  return {};
}

// Names of headers as a browser lists them.
bool is_header_list(std::string_view text) {
  return text.size() <= 1'000 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '-' || c == '_' || c == ',' || c == ' ';
         });
}

}  // namespace

CorsPolicy::CorsPolicy(std::vector<std::string> origins) : origins_(std::move(origins)) {
  for (const std::string& origin : origins_) {
    const std::string_view host = host_of(origin);
    const bool plain = !host.empty() && std::ranges::all_of(host, [](char c) {
      return c > 0x20 && c < 0x7F && c != '/' && c != '?' && c != '#' && c != '@';
    });
    if (origin != "*" && !plain)
      throw Error(fmt::format("[serve] --cors-origin must be an origin, or *, is '{}'", origin),
                  "write scheme, host and port alone, for example http://localhost:3000");
  }
}

bool CorsPolicy::named(const std::string& origin) const {
  return std::ranges::any_of(origins_, [&](const std::string& one) {
    return one == "*" || equal_ignoring_case(one, origin);
  });
}

bool CorsPolicy::allows(const HttpRequest& request) const {
  const std::string* origin = find_header(request.headers, "origin");
  if (origin == nullptr || named(*origin)) return true;
  const std::string* host = find_header(request.headers, "host");
  return host != nullptr && !host->empty() && equal_ignoring_case(host_of(*origin), *host);
}

HttpHeaders CorsPolicy::headers(const HttpRequest& request) const {
  if (origins_.empty()) return {};
  HttpHeaders headers = {{"vary", "origin"}};
  const std::string* origin = find_header(request.headers, "origin");
  if (origin == nullptr || !named(*origin)) return headers;
  headers.emplace_back("access-control-allow-origin", *origin);
  headers.emplace_back("access-control-expose-headers", "x-request-id, retry-after");
  if (request.method != "OPTIONS") return headers;
  const std::string* asked = find_header(request.headers, "access-control-request-headers");
  headers.emplace_back("access-control-allow-methods", "GET, POST");
  headers.emplace_back("access-control-allow-headers", asked != nullptr && is_header_list(*asked)
                                                           ? *asked
                                                           : "authorization, content-type");
  headers.emplace_back("access-control-max-age", "600");
  return headers;
}

}  // namespace chatmem
