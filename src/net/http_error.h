// The body of an error answer, as clients of OpenAI's API read it.
#pragma once
#include <string>
#include <string_view>

#include "base/json.h"

namespace chatmem {

// {"message","type","param","code"}: type by status, the last two null. The message may hold any
// bytes.
Json http_error(int status, std::string_view message);

// {"error":...} of the above.
std::string http_error_body(int status, std::string_view message);

}  // namespace chatmem
