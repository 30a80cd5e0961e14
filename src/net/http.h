// What HTTP clients and servers share: headers, URLs.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chatmem {

// In the order of the message; names compare without regard to case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The value of the first header of that name, or null.
const std::string* find_header(const HttpHeaders& headers, std::string_view name);

// ASCII only: header names, schemes.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// "a b" of "a%20b"; what is no valid escape stays as it is.
std::string percent_decode(std::string_view text);

// The place of a URL without user, password and query: what a message may show.
std::string shown_url(std::string_view url);
// An http URL of this machine.
bool is_loopback_url(std::string_view url);

// "Not Found" for 404; "Error" for a status without a standard phrase.
std::string_view http_reason(int status);

// Now, as headers write it: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date();

}  // namespace chatmem
