// An error that is answered to the client with its own status.
#pragma once
#include <string>

#include "base/error.h"

namespace chatmem {

class ApiError : public Error {
 public:
  ApiError(int status, const std::string& message, std::string param = {}, std::string code = {})
      : Error(message), status_(status), param_(std::move(param)), code_(std::move(code)) {}
  // The prompt does not fit: {"type":"exceed_context_size_error","n_prompt_tokens","n_ctx"}.
  static ApiError too_long(int n_prompt_tokens, int n_ctx, std::string param);

  int status() const { return status_; }
  // {"error":{"message","type","param","code"}}
  std::string body() const;

 private:
  int status_;
  std::string param_, code_;
  int n_prompt_tokens_ = 0, n_ctx_ = 0;  // n_ctx 0: another error
};

}  // namespace chatmem
