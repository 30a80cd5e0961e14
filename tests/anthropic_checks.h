// What the Anthropic API refuses, as the test double does: headers, parameters of a message, of a
// count of tokens, of a batch. Sources: platform.claude.com, the types of @anthropic-ai/sdk 1.12.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "net/http.h"

namespace chatmem {

struct ApiError {
  int status;
  std::string type, message;
};

enum class MessagePurpose { create, count_tokens, batch_item };

// The versions of the API that take sampling parameters, and do not.
inline constexpr std::string_view kOldVersion = "2023-06-01", kNewVersion = "2026-10-21";

// Key and version; `keys`: the accepted ones, empty: any.
std::optional<ApiError> check_headers(const HttpHeaders& headers,
                                      const std::vector<std::string>& keys);
std::optional<ApiError> check_message(const Json& params, MessagePurpose purpose,
                                      std::string_view version);
// The frame of a batch alone: the parameters of its items are looked at later, as the API does.
std::optional<ApiError> check_batch(const Json& body);

// The models of the SDK, most recent first.
const std::vector<std::string>& anthropic_models();

// How many cache_control marks there are, without the top-level one.
int count_breakpoints(const Json& params);

}  // namespace chatmem
