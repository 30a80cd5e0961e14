#include "net/http_error.h"

#include "base/utf8.h"

namespace chatmem {
namespace {

std::string_view error_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

Json http_error(int status, std::string_view message) {
  return {{"message", replace_invalid_utf8(message)},
          {"type", error_type(status)},
          {"param", nullptr},
          {"code", nullptr}};
}

std::string http_error_body(int status, std::string_view message) {
  return dump_json(Json{{"error", http_error(status, message)}});
}

}  // namespace chatmem
