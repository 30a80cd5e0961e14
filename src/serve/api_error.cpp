#include "serve/api_error.h"

#include <fmt/format.h>

#include "net/http_error.h"

namespace chatmem {

ApiError ApiError::too_long(int n_prompt_tokens, int n_ctx, std::string param) {
  ApiError error(400,
                 fmt::format("the prompt must leave room in the context: it has {} tokens, the "
                             "context {}",
                             n_prompt_tokens, n_ctx),
                 std::move(param), "context_length_exceeded");
  error.n_prompt_tokens_ = n_prompt_tokens;
  error.n_ctx_ = n_ctx;
  return error;
}

std::string ApiError::body() const {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json error = http_error(status_, what());
  error["param"] = or_null(param_);
  error["code"] = or_null(code_);
  if (n_ctx_ != 0) {
    error["type"] = "exceed_context_size_error";
    error["n_prompt_tokens"] = n_prompt_tokens_;
    error["n_ctx"] = n_ctx_;
  }
  return dump_json(Json{{"error", std::move(error)}});
}

}  // namespace chatmem
