// A client of an OpenAI-compatible endpoint: POST BASE/chat/completions, streamed.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chatmem {

struct ChatMessage {
  std::string role, content;
};

struct ChatRequest {
  std::string model;
  std::vector<ChatMessage> messages;
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
  // Calls on_text for each piece as it arrives. Throws Error with status and the server's message.
  // Safe to call from several threads.
  ChatResult stream(const ChatRequest& request,
                    const std::function<void(std::string_view)>& on_text = {}) const;
  // The id of the first model that the endpoint lists.
  std::string first_model() const;

 private:
  ChatEndpoint endpoint_;
};

}  // namespace chatmem
