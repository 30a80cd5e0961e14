// The maker of Summarize for an OpenAI-compatible endpoint.
#include "eval/predictions.h"
#include "text/prompt.h"

namespace chatmem {

Summarize endpoint_summarizer(ChatEndpoint endpoint, ChatRequest request) {
  return
      [client = ChatClient(std::move(endpoint)), request = std::move(request)](
          const Conversation& conversation, const std::function<void(std::string_view)>& on_text) {
        ChatRequest filled = request;
        for (Turn& turn : summary_request(conversation))
          filled.messages.push_back({std::move(turn.role), std::move(turn.content)});
        return client.stream(filled, on_text);
      };
}

}  // namespace chatmem
