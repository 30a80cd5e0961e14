// A client of an OpenAI-compatible endpoint: POST BASE/chat/completions or BASE/completions,
// streamed.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace chatmem {

struct ChatMessage {
  std::string role, content;
};

struct ChatRequest {
  std::string model;
  std::vector<ChatMessage> messages;
  std::optional<std::string> prompt;  // plain text to go on from, instead of messages
  std::optional<int> max_tokens;
  std::optional<double> temperature, top_p;
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;
};

struct ChatResult {
  std::string text;
  std::string finish_reason;  // stop, length, ...
  double ttft_ms = 0, total_ms = 0;
  int prompt_tokens = 0, completion_tokens = 0;  // 0 where the server does not say
  std::string raw;                               // the bytes of the stream
};

// What became of a request that got no whole answer.
enum class ChatFault {
  unreachable,  // no connection
  refused,      // a status other than 2xx
  stalled,      // no byte for idle_timeout_ms
  broken,       // the connection ended within the answer
  cut_off,      // the stream ended before the answer did
  garbage,      // what came is no answer of this API
  failed,       // the server said so within the stream
};
std::string_view chat_fault_name(ChatFault fault);

class ChatError : public Error {
 public:
  ChatError(ChatFault fault, const std::string& message, std::string hint = {})
      : Error(message, std::move(hint)), fault_(fault) {}
  ChatFault fault() const { return fault_; }
  const std::string& raw() const { return raw_; }  // the bytes of the stream that had come
  void set_raw(std::string raw) { raw_ = std::move(raw); }

 private:
  ChatFault fault_;
  std::string raw_;
};

struct ChatEndpoint {
  std::string base_url;  // "http://127.0.0.1:8080/v1"; "/v1" is added when there is no path
  std::string api_key;   // sent as a bearer token unless empty; never logged
  int connect_timeout_ms = 10'000;
  int idle_timeout_ms = 600'000;  // no byte for so long ends the request
  int max_retries =
      2;  // on connection errors, 408, 409, 429, >= 500, only before the first byte of text
};

class ChatClient {
 public:
  explicit ChatClient(ChatEndpoint endpoint);
  // Calls on_text for each piece as it arrives. Throws ChatError, with status and message of the
  // server where it refused. Safe to call from several threads.
  ChatResult stream(const ChatRequest& request,
                    const std::function<void(std::string_view)>& on_text = {}) const;
  // The id of the first model that the endpoint lists.
  std::string first_model() const;

 private:
  ChatEndpoint endpoint_;
};

}  // namespace chatmem
