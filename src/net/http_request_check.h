// What the server refuses of a request before anybody routes it: what Beast's parser accepts and
// RFC 9112 does not, or what could be read in two ways by two servers.
#pragma once
#include <boost/beast/http.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace chatmem {

using HttpRequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

struct HttpRefusal {
  int status;
  std::string message;
};

// Of what the parser itself refused.
HttpRefusal refusal_of(boost::system::error_code error);
// Of the lines of a header, or a part of them, before it takes them: it would join a line that
// begins with a space to the one before (RFC 9112, 5.2, asks servers to refuse it).
std::optional<HttpRefusal> check_lines(std::string_view bytes);
// Of a header that it took; none when it is good.
std::optional<HttpRefusal> check_header(const HttpRequestParser& parser);

}  // namespace chatmem
