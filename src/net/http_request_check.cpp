#include "net/http_request_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace chatmem {

namespace http = boost::beast::http;

HttpRefusal refusal_of(boost::system::error_code error) {
  if (error == http::error::header_limit) return {431, "the headers are too large"};
  if (error == http::error::body_limit) return {413, "the body is too large"};
  if (error == http::error::bad_version) return {505, "the version must be HTTP/1.0 or HTTP/1.1"};
  return {400, fmt::format("the request is not valid HTTP: {}", error.message())};
}

std::optional<HttpRefusal> check_lines(std::string_view bytes) {
  const std::string_view lines = bytes.substr(0, bytes.find("\r\n\r\n"));
  if (lines.starts_with(' ') || lines.starts_with('\t') || lines.find("\n ") != lines.npos ||
      lines.find("\n\t") != lines.npos)
    return HttpRefusal{400, "a line of the headers must not begin with a space"};
  return std::nullopt;
}

std::optional<HttpRefusal> check_header(const HttpRequestParser& parser) {
  const auto& request = parser.get();
  const std::string_view target(request.target().data(), request.target().size());
  const bool asterisk = target == "*" && request.method() == http::verb::options;
  if (!target.starts_with('/') && !asterisk)
    return HttpRefusal{400, "the request target must be a path that begins with '/'"};
  if (std::any_of(target.begin(), target.end(), [](char c) { return uint8_t(c) >= 0x80; }))
    return HttpRefusal{400, "the request target must be ASCII: others are percent-encoded"};
  if (request.version() != 10 && request.version() != 11)
    return HttpRefusal{505, "the version must be HTTP/1.0 or HTTP/1.1"};
  const size_t hosts = request.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && request.version() == 11))
    return HttpRefusal{400, "there must be exactly one Host header"};
  if (request.count(http::field::content_length) > 1)
    return HttpRefusal{400, "there must be one Content-Length header"};
  const auto length = request[http::field::content_length];
  if (!std::all_of(length.begin(), length.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return HttpRefusal{400, "Content-Length must be one number"};
  if (const size_t codings = request.count(http::field::transfer_encoding); codings != 0) {
    if (request.count(http::field::content_length) != 0 || request.version() == 10 || codings > 1)
      return HttpRefusal{400, "Transfer-Encoding must stand once, in HTTP/1.1, and alone"};
    if (!boost::beast::iequals(request[http::field::transfer_encoding], "chunked"))
      return HttpRefusal{501, "no Transfer-Encoding but chunked is understood"};
  }
  const auto expect = request[http::field::expect];
  if (!expect.empty() && !boost::beast::iequals(expect, "100-continue"))
    return HttpRefusal{417, "no Expect but 100-continue is understood"};
  return std::nullopt;
}

}  // namespace chatmem
